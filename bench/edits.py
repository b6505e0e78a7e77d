"""What becomes of edited copies: recall by edit and strength, and false groups of texts that are no copies.

    python -m bench.edits CORPUS... [--originals 1000] [--seed 7] [-o FILE.json]

For each edit and strength a corpus is made of real articles that have nothing in common and one edited copy of each
(see ``bench/simulator``), and the engine runs over it. A copy can be lost in three places: its pair is no candidate,
is not listed as a match, or is listed and not grouped. Rows in which an edit found nothing to change are left out.

*wanted* are rows that are by construction a copy or an excerpt; *unwanted* those that are partial or a template. Rows of
which readers would say either (``unsure``) are not scored. Why a wanted pair was not grouped is found by running anew
with one rule of the verdict turned off.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

import dedup
from bench.simulator import COPY, EDITS, EXCERPT, PARTIAL, STRENGTHS, TEMPLATE, Article, draw, in_order, read_articles, simulate
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
#: Articles of fewer or more words are not taken as originals.
SHORTEST, LONGEST = 60, 1500
#: Numbers of edits in the rows of combinations.
COMBINED = (2, 4, 8)
#: Settings of the verdict; the lowest value of one turns its rule off.
RULES, OFF = ("coverage", "distinct", "facts"), 0.01
#: Shares of replaced words that templates are counted by.
DENSITIES = (0.0, 0.02, 0.04, 0.06, 0.08, 0.12, 0.2, 1.01)
#: Words of an excerpt that recall is told by.
LENGTHS = (0, 12, 20, 30, 50, 100, 10_000)
STAGES = ("candidate", "listed", "grouped")
EXAMPLES = 5


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.edits", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpora", nargs="+")
    parser.add_argument("--originals", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--only", nargs="*", default=[], help="names of edits; left out, all of them and combinations")
    parser.add_argument("-o", "--out")
    options = parser.parse_args()
    originals = strangers(read_articles(options.corpora), options.originals, options.seed)
    print(f"{len(originals)} originals, seed {options.seed}")
    print(f"{'edits':26}{'rows':>6}{'wanted':>8}{'candid.':>9}{'listed':>8}{'grouped':>9}{'unwanted':>10}{'grouped':>9}  lost by")
    report = []
    texts = {article.id: article.text for article in originals}
    for name, table in experiments(originals, options.seed, options.only):
        rows = measure(table)
        report.append({"edits": name, **summary(rows)})
        print(_line(report[-1]), flush=True)
        if name in (f"facts:{strength}" for strength in STRENGTHS):
            report[-1]["by_share_of_words_replaced"] = bands = by_density(rows, texts)
            print("   ", "; ".join(f"from {band['replaced'][0]:.0%} replaced {band['grouped']:.0%} of {band['rows']}" for band in bands))
        if name.startswith("trim"):
            report[-1]["by_words_of_the_excerpt"] = bands = by_length(rows)
            print("   ", "; ".join(f"from {band['words'][0]} words {band['grouped']:.0%} of {band['rows']}" for band in bands))
    if options.out:
        Path(options.out).write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def strangers(articles: Sequence[Article], count: int, seed: int) -> list[Article]:
    """Articles drawn at random of which no two have anything in common that the engine would list."""
    drawn = [article for article in articles if SHORTEST <= len(article.text.split()) <= LONGEST]
    random.Random(seed).shuffle(drawn)
    drawn = drawn[: 3 * count]
    table = pa.table({"id": [a.id for a in drawn], "title": [a.title for a in drawn], "text": [a.text for a in drawn]})
    result = dedup.find_copies(table)
    known = {doc_id.partition("#")[0] for side in ("doc_id_a", "doc_id_b") for doc_id in result.matches.column(side).to_pylist()}
    return [article for article in drawn if article.id not in known][:count]


def experiments(originals: list[Article], seed: int, only: Sequence[str] = ()) -> Iterator[tuple[str, pa.Table]]:
    """Each edit at each strength alone, then combinations, drawn anew for each row."""
    for name in only or EDITS:
        for strength in STRENGTHS:
            yield f"{name}:{strength}", simulate(originals, seed=seed, edits=[f"{name}:{strength}"])
    if only:
        return
    tame = [name for name, edit in EDITS.items() if edit.stage != "facts"]
    for size in COMBINED:

        def some(rng: random.Random, size: int = size) -> list[str]:
            return in_order(f"{name}:{rng.choice(STRENGTHS)}" for name in rng.sample(tame, size))

        yield f"any {size} of them", simulate(originals, seed=seed, edits=some)
    yield "as reprints have them", simulate(originals, seed=seed)
    yield "facts:heavy and these", simulate(originals, seed=seed, edits=lambda rng: in_order(["facts:heavy", *draw(rng)]))


def measure(table: pa.Table) -> list[dict[str, Any]]:
    """Run the engine over originals and edited copies.

    Returns
    -------
    a row for each edited copy that differs from its original: its truth, ``candidate``, ``listed``, ``grouped`` (bool), the
    ``kind`` of its match, ``lost_by`` (the rule that kept a wanted pair out of one group, else None)
    """
    rows = table.to_pylist()
    original = {row["id"]: row for row in rows if not row["edits"]}
    edited = [row for row in rows if row["edits"] and _differs(row, original[row["origin"]])]
    result = dedup.find_copies(table)
    matches, groups = _by_page(result)
    short = set(result.documents.filter(pc.equal(result.documents.column("status"), "short")).column("doc_id").to_pylist())
    candidates = candidate_pairs(table)
    measured = []
    for row in edited:
        pair = _pair(row["origin"], row["id"])
        match = matches.get(pair)
        measured.append({
            **row, "candidate": pair in candidates or match is not None, "listed": match is not None,
            "grouped": groups[pair[0]] == groups[pair[1]], "match": match, "lost_by": None,
            "elsewhere": row["second"] in groups and groups[row["second"]] == groups[row["id"]],
        })  # fmt: skip
    lost = [row for row in measured if row["relation"] in WANTED and not row["grouped"]]
    without = {rule: _by_page(dedup.find_copies(table, Config().replace({f"copies.{rule}": OFF})))[0] for rule in RULES if lost}
    for row in lost:
        row["lost_by"] = "too short" if {row["id"], row["origin"]} & short else _rule(row, without)
    return measured


def _rule(row: dict[str, Any], without: dict[str, dict[tuple[str, str], dict[str, Any]]]) -> str:
    """The rule that kept a pair out of one group."""
    match = row["match"]
    if not row["candidate"]:
        return "no candidate"
    if match is None:
        return "not listed"
    if match["kind"] != PARTIAL:
        return "grouped with the other wire" if row["elsewhere"] else "grouped elsewhere"
    config = Config().copies
    if match["containment"] < config.excerpt and match["jaccard"] < config.near:
        return "below thresholds"
    for name, matches in without.items():
        if (other := matches.get(_pair(row["origin"], row["id"]))) and other["kind"] != PARTIAL:
            return name
    return "replaced, or two rules"


def candidate_pairs(table: pa.Table) -> set[tuple[str, str]]:
    """Pairs of pages that the candidate stage proposes for their articles, and those with the same words."""
    config = Config()
    pages = pa.Table.from_batches([batch.pages for batch in read_data(table, config=config, log=ReadLog())]).combine_chunks()
    documents, _ = documents_of(pages.to_batches()[0])
    documents = documents.filter(pc.equal(documents.column("role"), "article"))
    ids, every = documents.column("doc_id").to_pylist(), np.arange(documents.num_rows)
    shingles = fingerprint(documents.column("text"), documents.column("title"), config).shingles
    keys = band_rows(shingles, every, config.signatures, *config.banding())
    least_share = min(config.copies.partial, config.copies.excerpt)
    found = band_candidates(keys, np.diff(shingles[1]) > 0, every, config.candidates)
    with SpillPool(1 << 62) as spill:
        found = found.join(posting_candidates(shingles, every, config.candidates, least_share, spill), len(every))
    return {_pair(ids[one], ids[other]) for one, other in zip(found.left.tolist(), found.right.tolist(), strict=True)}


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Counts and shares of one experiment, and some pairs that were lost or grouped against the truth."""
    wanted = [row for row in rows if row["relation"] in WANTED]
    unwanted = [row for row in rows if row["relation"] in UNWANTED]
    wrong = [row for row in wanted if not row["grouped"]] + [row for row in unwanted if row["grouped"]]
    return {
        "rows": len(rows),
        "relations": dict(Counter(row["relation"] for row in rows)),
        "wanted": len(wanted),
        **{stage: _share(wanted, stage) for stage in STAGES},
        "unwanted": len(unwanted),
        "unwanted_grouped": _share(unwanted, "grouped"),
        "lost_by": dict(Counter(row["lost_by"] for row in wanted if row["lost_by"]).most_common()),
        "examples": [
            {key: row[key] for key in ("origin", "id", "edits", "relation", "kept", "own", "lost_by", "match")} for row in wrong[:EXAMPLES]
        ],
    }


def by_length(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Recall of excerpts by the number of words of the edited text."""
    bands = []
    for least, most in pairwise(LENGTHS):
        within = [row for row in rows if row["relation"] == EXCERPT and least <= len(row["text"].split()) < most]
        if within:
            bands.append({"words": [least, most], "rows": len(within), **{stage: _share(within, stage) for stage in STAGES}})
    return bands


def by_density(rows: Sequence[dict[str, Any]], originals: dict[str, str]) -> list[dict[str, Any]]:
    """Of texts filled in anew, the share that is grouped with the original, by the share of words that were replaced."""
    shares = np.array([replaced(" ".join(originals[row["origin"]].split()), row["text"]) / len(row["text"].split()) for row in rows])
    grouped = np.array([row["grouped"] for row in rows])
    bands = []
    for least, most in pairwise(DENSITIES):
        within = (shares >= least) & (shares < most)
        if within.any():
            bands.append({"replaced": [least, most], "rows": int(within.sum()), "grouped": round(float(grouped[within].mean()), 4)})
    return bands


def _by_page(result: dedup.Result) -> tuple[dict[tuple[str, str], dict[str, Any]], dict[str, int]]:
    """Matches between articles, and the group of each article, by page id (an article has the id of its page)."""
    matches = {_pair(row["doc_id_a"], row["doc_id_b"]): row for row in result.matches.to_pylist()}
    groups = dict(zip(result.documents.column("doc_id").to_pylist(), result.documents.column("copy_group").to_pylist(), strict=True))
    return matches, groups


def _differs(row: dict[str, Any], original: dict[str, Any]) -> bool:
    return row["title"] != original["title"] or row["text"].split("\n") != paragraphs(original["text"])


def _pair(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one < other else (other, one)


def _share(rows: Sequence[dict[str, Any]], key: str) -> float | None:
    return round(sum(row[key] for row in rows) / len(rows), 4) if rows else None


def _line(entry: dict[str, Any]) -> str:
    shares = [f"{entry[key]:.1%}" if entry[key] is not None else "" for key in (*STAGES, "unwanted_grouped")]
    lost = ", ".join(f"{rule} {count}" for rule, count in entry["lost_by"].items())
    counts = f"{entry['rows']:6}{entry['wanted']:8}{shares[0]:>9}{shares[1]:>8}{shares[2]:>9}{entry['unwanted']:10}{shares[3]:>9}"
    return f"{entry['edits']:26}{counts}  {lost}"


if __name__ == "__main__":
    main()
