"""Recall of edited copies: a copy can be lost as a candidate, as a match, or in grouping.

The rule that lost a copy is the one without which it is found.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

import dedup
from bench.quality.scores import Row, Tables, by_page, pair_of, rate
from bench.simulator import COPY, EDITS, EXCERPT, PARTIAL, STRENGTHS, TEMPLATE, Article, draw, in_order, simulate
from bench.simulator.drafts import paragraphs
from bench.simulator.facts import replaced
from dedup import Config
from dedup.arrays.spill import SpillPool
from dedup.copies.inverted_index import posting_candidates
from dedup.copies.lsh import band_candidates
from dedup.fingerprints.fingerprint import fingerprint
from dedup.fingerprints.minhash import band_rows
from dedup.readers import ReadLog, read_data
from dedup.segmentation.documents import documents_of

WANTED, UNWANTED = (COPY, EXCERPT), (PARTIAL, TEMPLATE)
#: Words of an original.
SHORTEST, LONGEST = 60, 1500
#: Numbers of edits in a combination.
COMBINED = (2, 4, 8)
#: Settings of the verdict; at the lowest value a rule is off.
RULES, OFF = ("coverage", "distinct", "facts"), 0.01
#: Bands of the share of words that a template replaces, and of the words of an excerpt.
DENSITIES = (0.0, 0.02, 0.04, 0.06, 0.08, 0.12, 0.2, 1.01)
LENGTHS = (0, 12, 20, 30, 50, 100, 10_000)
STAGES = ("candidate", "listed", "grouped")


def report(originals: list[Article], seed: int, only: Sequence[str] = ()) -> Tables:
    """Recall of edited copies by edit and strength, and unwanted groups: real articles and one edited copy of each."""
    texts = {article.id: article.text for article in originals}
    tables: Tables = {f"{len(originals)} originals, by edit and strength": []}
    for name, crawl in experiments(originals, seed, only):
        rows = measure(crawl)
        next(iter(tables.values())).append({"edits": name} | summary(rows))
        print(name, file=sys.stderr, flush=True)
        if name in (f"facts:{strength}" for strength in STRENGTHS):
            tables[f"{name}, by the share of words that were replaced"] = by_density(rows, texts)
        if name.startswith("trim"):
            tables[f"{name}, by words of the excerpt"] = by_length(rows)
    return tables


def strangers(articles: Sequence[Article], count: int, seed: int) -> list[Article]:
    """Random articles of which no two match."""
    drawn = [article for article in articles if SHORTEST <= len(article.text.split()) <= LONGEST]
    random.Random(seed).shuffle(drawn)
    drawn = drawn[: 3 * count]
    result = dedup.find_copies(pa.table({"id": [a.id for a in drawn], "title": [a.title for a in drawn], "text": [a.text for a in drawn]}))
    known = {doc_id.partition("#")[0] for pair in by_page(result)[0] for doc_id in pair}
    return [article for article in drawn if article.id not in known][:count]


def experiments(originals: list[Article], seed: int, only: Sequence[str] = ()) -> Iterator[tuple[str, pa.Table]]:
    """Each edit at each strength, then combinations drawn for each row."""
    for name in only or EDITS:
        for strength in STRENGTHS:
            yield f"{name}:{strength}", simulate(originals, seed=seed, edits=[f"{name}:{strength}"])
    if only:
        return
    harmless = [name for name, edit in EDITS.items() if edit.stage != "facts"]
    for size in COMBINED:

        def some(rng: random.Random, size: int = size) -> list[str]:
            return in_order(f"{name}:{rng.choice(STRENGTHS)}" for name in rng.sample(harmless, size))

        yield f"any {size} of them", simulate(originals, seed=seed, edits=some)
    yield "as in real reprints", simulate(originals, seed=seed)
    yield "facts:heavy and these", simulate(originals, seed=seed, edits=lambda rng: in_order(["facts:heavy", *draw(rng)]))


def measure(crawl: pa.Table) -> list[Row]:
    """Run the engine over originals and edited copies.

    Returns
    -------
    a row for each edited copy that differs from its original: its truth, ``candidate``, ``listed``,
    ``grouped`` (bool), and ``lost_by``, the rule that kept a wanted pair out of one group
    """
    rows = crawl.to_pylist()
    original = {row["id"]: row for row in rows if not row["edits"]}
    edited = [row for row in rows if row["edits"] and _differs(row, original[row["origin"]])]
    result = dedup.find_copies(crawl)
    matches, groups = by_page(result)
    short = set(result.documents.filter(pc.equal(result.documents.column("status"), "short")).column("doc_id").to_pylist())
    candidates = candidate_pairs(crawl)
    measured = []
    for row in edited:
        pair = pair_of(row["origin"], row["id"])
        match, group = matches.get(pair), groups[row["id"]]
        found = {"candidate": pair in candidates or match is not None, "listed": match is not None, "match": match, "lost_by": None}
        measured.append(row | found | {"grouped": groups[row["origin"]] == group, "with_second": groups.get(row["second"]) == group})
    lost = [row for row in measured if row["relation"] in WANTED and not row["grouped"]]
    without = {rule: by_page(dedup.find_copies(crawl, Config().replace({f"copies.{rule}": OFF})))[0] for rule in RULES if lost}
    for row in lost:
        row["lost_by"] = "too short" if {row["id"], row["origin"]} & short else _rule(row, without)
    return measured


def _differs(row: Row, original: Row) -> bool:
    return row["title"] != original["title"] or row["text"].split("\n") != paragraphs(original["text"])


def _rule(row: Row, without: dict[str, dict[tuple[str, str], Row]]) -> str:
    """The rule that kept a pair out of one group: the one without which the pair is a copy."""
    match = row["match"]
    if not row["candidate"]:
        return "no candidate"
    if match is None:
        return "not listed"
    if match["kind"] != PARTIAL:
        return "grouped with the other wire" if row["with_second"] else "in another group"
    config = Config().copies
    if match["containment"] < config.excerpt and match["jaccard"] < config.near:
        return "below thresholds"
    for name, matches in without.items():
        if (other := matches.get(pair_of(row["origin"], row["id"]))) and other["kind"] != PARTIAL:
            return name
    return "replaced, or two rules"


def candidate_pairs(crawl: pa.Table) -> set[tuple[str, str]]:
    """Pairs of articles that the candidate stage proposes."""
    config = Config()
    pages = pa.Table.from_batches([batch.pages for batch in read_data(crawl, config=config, log=ReadLog())]).combine_chunks()
    documents, _ = documents_of(pages.to_batches()[0])
    documents = documents.filter(pc.equal(documents.column("role"), "article"))
    ids, every = documents.column("doc_id").to_pylist(), np.arange(documents.num_rows)
    shingles = fingerprint(documents.column("text"), documents.column("title"), config).shingles
    keys = band_rows(shingles, every, config.signatures, *config.banding())
    found = band_candidates(keys, np.diff(shingles[1]) > 0, every, config.candidates)
    with SpillPool(1 << 62) as spill:
        least_share = min(config.copies.partial, config.copies.excerpt)
        found = found.join(posting_candidates(shingles, every, config.candidates, least_share, spill), len(every))
    return {pair_of(ids[one], ids[other]) for one, other in zip(found.left.tolist(), found.right.tolist(), strict=True)}


def summary(rows: Sequence[Row]) -> Row:
    """Counts and shares of one experiment."""
    wanted = [row for row in rows if row["relation"] in WANTED]
    unwanted = [row for row in rows if row["relation"] in UNWANTED]
    lost = Counter(row["lost_by"] for row in wanted if row["lost_by"])
    return {
        "rows": len(rows),
        "wanted": len(wanted),
        **{stage: _share(wanted, stage) for stage in STAGES},
        "unwanted": len(unwanted),
        "unwanted_grouped": _share(unwanted, "grouped"),
        "lost_by": dict(lost.most_common()),
    }


def by_length(rows: Sequence[Row]) -> list[Row]:
    """Recall of excerpts by their words."""
    bands = []
    for least, end in pairwise(LENGTHS):
        within = [row for row in rows if row["relation"] == EXCERPT and least <= len(row["text"].split()) < end]
        if within:
            bands.append({"words": [least, end], "rows": len(within), **{stage: _share(within, stage) for stage in STAGES}})
    return bands


def by_density(rows: Sequence[Row], originals: dict[str, str]) -> list[Row]:
    """The share of templates that are grouped with their original, by the share of words that were replaced."""
    shares = np.array([replaced(" ".join(originals[row["origin"]].split()), row["text"]) / len(row["text"].split()) for row in rows])
    grouped = np.array([row["grouped"] for row in rows])
    bands = []
    for least, end in pairwise(DENSITIES):
        within = (shares >= least) & (shares < end)
        if within.any():
            bands.append({"replaced": [least, end], "rows": int(within.sum()), "grouped": round(float(grouped[within].mean()), 4)})
    return bands


def _share(rows: Sequence[Row], key: str) -> float | None:
    return rate(sum(row[key] for row in rows), len(rows)) if rows else None
