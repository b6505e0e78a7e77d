"""Recall of excerpts by length, on AraPlagDet / ExAra 2015 (passages of one text copied into another) and on a corpus of news."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

import dedup
from bench.brute_force import all_pairs
from bench.quality.scores import Row, Tables, by_page, pair_of, rate
from dedup import Config
from dedup.fingerprints.fingerprint import fingerprint
from dedup.readers import ReadLog, read_files
from dedup.segmentation.documents import documents_of

Ints = npt.NDArray[np.int64]
#: Words of the shorter document; the last band has no upper end.
BANDS = ((8, 15), (16, 30), (31, 60), (61, 120), (121, 250), (251, None))
#: Containments from which brute force lists pairs.
CONTAINMENTS = (0.57, 0.7)
CUTS = (8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128)
CUTS_OF_EACH = 300
COPIES = ("exact", "near", "excerpt")


def report(reuse: Path, corpus: str | None = None, seed: int = 1) -> Tables:
    """Recall of excerpts by length: labelled passages among all sources, cuts of verbatim ones, and pairs and cuts of a corpus."""
    texts, cases = read_reuse(reuse)
    passages = find_passages(texts, cases)
    tables = {
        "passages, by obfuscation": counted_by(passages, lambda case: case["obfuscation"]),
        "passages, by words": counted_by(passages, lambda case: band_of(case["words"])),
        "cuts of verbatim passages, by words": cuts_of_passages(texts, cases, seed),
    }
    if corpus:
        for containment in CONTAINMENTS:
            tables[f"corpus, pairs that share {containment} or more, by words of the shorter one"] = corpus_pairs(corpus, containment)
        tables["corpus, cuts of its articles among them, by words"] = cuts_of_articles(corpus, seed)
    return tables


def read_reuse(folder: Path) -> tuple[dict[str, str], list[Row]]:
    """Texts by id, and cases with ``words`` and the ``passage`` as the copying text has it."""
    texts = {row["id"]: row["text"] for row in pq.read_table(folder / "reuse_docs.parquet").to_pylist()}
    cases = pq.read_table(folder / "reuse_cases.parquet").to_pylist()
    for number, case in enumerate(cases):
        first = int(case["this_offset"])
        case["id"] = f"case-{number:04}"
        case["passage"] = texts[case["suspicious"]][first : first + int(case["this_length"])]
        case["words"] = len(dedup.normalize(case["passage"]).split())
    return texts, cases


def find_passages(texts: dict[str, str], cases: Sequence[Row]) -> list[Row]:
    """Each passage as a document among all sources."""
    names = sorted({case["source"] for case in cases})
    corpus = [{"id": name, "text": texts[name]} for name in names] + [{"id": case["id"], "text": case["passage"]} for case in cases]
    return find_cases(corpus, cases, texts)


def cuts_of_passages(texts: dict[str, str], cases: Sequence[Row], seed: int) -> list[Row]:
    """Recall of cuts of the verbatim passages, a run for each length."""
    verbatim = [case for case in cases if case["obfuscation"] == "none"]
    found = []
    for length in CUTS:
        choice = random.Random(f"{seed} {length}")
        cuts = [case | {"words": length, "passage": cut_out(case["passage"], length, choice)} for case in verbatim]
        if long_enough := [case for case in cuts if case["passage"]]:
            found += find_passages(texts, long_enough)
    return counted_by(found, lambda case: case["words"])


def cuts_of_articles(corpus: str, seed: int) -> list[Row]:
    """Recall of cuts of articles, among the articles, without outlet or date; each article gives one cut."""
    pages = pa.Table.from_batches([batch.pages for batch in read_files([corpus], config=Config(), log=ReadLog())])
    pages = pages.filter(pages.column("text").is_valid()).select(["page_id", "title", "text", "published", "source"])
    choice = random.Random(seed)
    order = list(range(pages.num_rows))
    choice.shuffle(order)
    ids, texts = pages.column("page_id").to_pylist(), pages.column("text").to_pylist()
    cases: list[Row] = []
    for length in CUTS:
        wanted = len(cases) + CUTS_OF_EACH
        while order and len(cases) < wanted:
            row = order.pop()
            if piece := cut_out(texts[row], length, choice):
                cases.append({"id": f"cut-{len(cases)}", "source": ids[row], "words": length, "passage": piece})
    articles = pages.rename_columns(["id", "title", "text", "published", "source"])
    cuts = pa.table({"id": [case["id"] for case in cases], "text": [case["passage"] for case in cases]})
    both = pa.concat_tables([articles, cuts], promote_options="permissive")
    return counted_by(find_cases(both, cases, dict(zip(ids, texts, strict=True))), lambda case: case["words"])


def cut_out(text: str, length: int, choice: random.Random) -> str:
    """``length`` consecutive words of a text with at least three times as many, else an empty text."""
    words = dedup.normalize(text).split()
    if len(words) < 3 * length:
        return ""
    first = choice.randrange(len(words) - length + 1)
    return " ".join(words[first : first + length])


def find_cases(corpus: Any, cases: Sequence[Row], texts: dict[str, str]) -> list[Row]:
    """Run over a corpus with each case and its source; cases with ``containment``, ``kind`` and ``grouped``.

    Parameters
    ----------
    cases : with ``id``, ``source`` (an id) and ``passage``, the text
    texts : texts of the sources by id
    """
    matches, groups = by_page(dedup.find_copies(corpus))
    names = sorted({case["source"] for case in cases})
    values, offsets = shingles_of([texts[name] for name in names] + [case["passage"] for case in cases])
    rows = [values[first:end] for first, end in pairwise(offsets)]
    sources, found = dict(zip(names, rows, strict=False)), []
    for case, own in zip(cases, rows[len(names) :], strict=True):
        source = sources[case["source"]]
        shared = len(np.intersect1d(own, source, assume_unique=True)) / max(1, min(len(own), len(source)))
        match = matches.get(pair_of(case["id"], case["source"]))
        grouped = case["id"] in groups and groups[case["id"]] == groups.get(case["source"])
        found.append(case | {"containment": shared, "kind": match["kind"] if match else "", "grouped": grouped})
    return found


def corpus_pairs(corpus: str, containment: float) -> list[Row]:
    """Recall of the pairs of a corpus that brute force finds, by words of the shorter one."""
    result = dedup.find_copies(corpus)
    matches, _ = by_page(result)
    columns = result.documents.select(["doc_id", "role", "status", "words"]).to_pylist()
    kept = [row for row in columns if row["role"] != "headline" and row["status"] != "short"]
    texts: dict[str, str] = {}
    for batch in read_files([corpus], config=Config(), log=ReadLog()):
        documents, _ = documents_of(batch.pages)
        for doc_id, text in zip(documents.column("doc_id").to_pylist(), documents.column("text").to_pylist(), strict=True):
            texts.setdefault(doc_id, text)
    shingles, offsets = shingles_of([texts[row["doc_id"]] for row in kept])
    left, right, _ = all_pairs(shingles, offsets, jaccard=2.0, containment=containment)
    rows = []
    for a, b in zip(left.tolist(), right.tolist(), strict=True):
        match = matches.get(pair_of(kept[a]["doc_id"], kept[b]["doc_id"]))
        rows.append({"words": min(kept[a]["words"], kept[b]["words"]), "kind": match["kind"] if match else ""})
    return counted_by(rows, lambda case: band_of(case["words"]))


def shingles_of(texts: Sequence[str]) -> tuple[npt.NDArray[np.uint64], Ints]:
    """The shingle rows of texts, as a run compares them: values and offsets."""
    return fingerprint(pa.array(texts, pa.large_string()), pa.nulls(len(texts), pa.string()), Config()).shingles


def band_of(words: int) -> str:
    """The band of a length."""
    for first, last in BANDS:
        if last is None or words <= last:
            return f"{first}-{last}" if last else f"over {first - 1}"
    raise AssertionError("the last band has no end")


def counted_by(found: Sequence[Row], key: Callable[[Row], Any]) -> list[Row]:
    """Cases by a key, shorter ones first: their number, and the shares that are listed, a copy, and grouped.

    Parameters
    ----------
    found : with ``words`` and ``kind`` (empty where the pair is not listed); ``containment`` and ``grouped`` if known
    """
    parts: dict[Any, list[Row]] = {}
    for case in sorted(found, key=lambda case: case["words"]):
        parts.setdefault(key(case), []).append(case)
    rows = []
    for name, part in parts.items():
        kinds = Counter(case["kind"] for case in part)
        row: Row = {"of": name, "cases": len(part)}
        if "containment" in part[0]:
            row[f"share {CONTAINMENTS[0]} or more"] = sum(case["containment"] >= CONTAINMENTS[0] for case in part)
        row["listed"] = rate(len(part) - kinds[""], len(part))
        row["a copy"] = rate(sum(kinds[kind] for kind in COPIES), len(part))
        if "grouped" in part[0]:
            row["grouped"] = rate(sum(case["grouped"] for case in part), len(part))
        rows.append(row | {kind: kinds[kind] for kind in (*COPIES, "partial")} | {"not listed": kinds[""]})
    return rows
