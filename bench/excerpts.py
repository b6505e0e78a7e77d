"""Excerpts: recall by the length of what was copied, on labelled reuse and on a corpus of news.

    python -m bench.excerpts REUSE_FOLDER [CORPUS] [-o FILE.json]

REUSE_FOLDER holds ``reuse_docs.parquet`` and ``reuse_cases.parquet`` (AraPlagDet / ExAra 2015: passages of one text
copied into another, with offsets and the kind of obfuscation). A copied passage is a tiny share of both books, so four
questions are asked:

* *whole*: both books as they stand. A pair is a copy by its shared shingles or it is none; what the labels call
  reuse is far below any threshold, and the table says how far.
* *passages*: the copied passage by itself against all sources, as an excerpt in a crawl stands against its article.
  The share of its shingles that is really in the source says whether it could be found by what it shares at all.
* *cuts*: runs of so many words cut out of the verbatim passages, a corpus for each length: nothing is obfuscated, so
  what is missed is missed because it is short.
* *corpus*: all pairs of a corpus of news with enough containment, by brute force; and cuts of its articles put among
  them, each length from articles of its own, where common phrases are as common as they are in a crawl.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

import dedup
from bench.brute_force import all_pairs
from dedup import Config
from dedup.fingerprints.fingerprint import fingerprint
from dedup.readers import ReadLog, read_files
from dedup.segmentation.documents import documents_of

Row = dict[str, Any]
#: Words of the shorter document; the last band has no upper end.
BANDS = ((8, 15), (16, 30), (31, 60), (61, 120), (121, 250), (251, None))
#: Share of the smaller document that was copied, upper ends.
SHARES = (0.02, 0.05, 0.1, 0.3, 0.57, 1.0)
#: Containments from which pairs are asked for.
CONTAINMENTS = (0.57, 0.7)
#: Containment from which a run lists a pair.
LISTED = Config().copies.partial
CUTS = (8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128)
CUTS_OF_EACH = 300
COPIES = ("exact", "near", "excerpt")


def main() -> None:
    """Measure, print tables, and write JSON if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reuse")
    parser.add_argument("corpus", nargs="?")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--out")
    options = parser.parse_args()
    report = measure(Path(options.reuse), options.corpus, seed=options.seed)
    for name, rows in report.items():
        print(f"\n{name}\n{table(rows)}")
    if options.out:
        Path(options.out).write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def measure(reuse: Path, corpus: str | None = None, *, seed: int = 1) -> dict[str, list[Row]]:
    """All tables by name, each a list of rows."""
    texts, cases = read_reuse(reuse)
    passages = find_passages(texts, cases)
    report = {
        "whole documents, by the share of the smaller one that was copied": whole_documents(texts, cases),
        "passages, by obfuscation": grouped(passages, lambda case: case["obfuscation"]),
        "passages, by words": grouped(passages, lambda case: band_of(case["words"])),
    }
    enough = [case for case in passages if case["containment"] >= CONTAINMENTS[0]]
    for obfuscation in dict.fromkeys(case["obfuscation"] for case in enough):
        chosen = [case for case in enough if case["obfuscation"] == obfuscation]
        name = f"passages that share {CONTAINMENTS[0]} or more, by words: {obfuscation}"
        report[name] = grouped(chosen, lambda case: band_of(case["words"]))
    report["cuts of verbatim passages, by words"] = cuts_of_passages(texts, cases, seed)
    if corpus:
        for containment in CONTAINMENTS:
            report[f"corpus, pairs that share {containment} or more, by words of the shorter one"] = corpus_pairs(corpus, containment)
        report["corpus, cuts of its articles put among them, by words"] = cuts_of_articles(corpus, seed)
    return report


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


def whole_documents(texts: dict[str, str], cases: Sequence[Row]) -> list[Row]:
    """Pairs of whole texts by the share of the smaller one that was copied; the last row holds pairs without a label."""
    copied: Counter[tuple[str, str]] = Counter()
    for case in cases:
        copied[case["suspicious"], case["source"]] += case["words"]
    result = dedup.find_copies([{"id": key, "text": text} for key, text in texts.items()])
    words = dict(zip(result.documents.column("doc_id").to_pylist(), result.documents.column("words").to_pylist(), strict=True))
    listed = listed_kinds(result)
    pairs = sorted(copied)
    contained = containments(texts, pairs)
    shares = [min(1.0, copied[pair] / max(1, min(words[name] for name in pair))) for pair in pairs]
    rows = []
    for lower, upper in zip((0.0, *SHARES), SHARES, strict=False):
        inside = [i for i, share in enumerate(shares) if lower < share <= upper]
        kinds = Counter(listed.get(frozenset(pairs[i]), "") for i in inside)
        rows.append(
            {
                "copied": f"{lower:.2f}-{upper:.2f}",
                "pairs": len(inside),
                "median words copied": int(np.median([copied[pairs[i]] for i in inside])) if inside else None,
                f"share {LISTED} or more": sum(contained[i] >= LISTED for i in inside),
                "partial": kinds["partial"],
                "a copy": sum(kinds[kind] for kind in COPIES),
            }
        )
    sides = [{case[side] for case in cases} for side in ("suspicious", "source")]
    known = set(map(frozenset, pairs))
    strange = [kind for pair, kind in listed.items() if pair & sides[0] and pair & sides[1] and pair not in known]
    copies = sum(kind in COPIES for kind in strange)
    rows.append({"copied": "no label", "pairs": len(strange), "partial": len(strange) - copies, "a copy": copies})
    return rows


def find_passages(texts: dict[str, str], cases: Sequence[Row]) -> list[Row]:
    """Each passage as a document among all sources: how much it shares with its source, and what the run says."""
    names = sorted({case["source"] for case in cases})
    corpus = [{"id": name, "text": texts[name]} for name in names] + [{"id": case["id"], "text": case["passage"]} for case in cases]
    return look_up(corpus, cases, texts)


def cuts_of_passages(texts: dict[str, str], cases: Sequence[Row], seed: int) -> list[Row]:
    """Recall of cuts of the verbatim passages, a run for each length."""
    verbatim = [case for case in cases if case["obfuscation"] == "none"]
    found = []
    for length in CUTS:
        choice = random.Random(f"{seed} {length}")
        cuts = [case | {"words": length, "passage": cut_out(case["passage"], length, choice)} for case in verbatim]
        if long_enough := [case for case in cuts if case["passage"]]:
            found += find_passages(texts, long_enough)
    return grouped(found, lambda case: case["words"])


def cuts_of_articles(corpus: str, seed: int) -> list[Row]:
    """Recall of cuts of the articles of a corpus, put among them as documents without outlet or date."""
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
    return grouped(look_up(both, cases, dict(zip(ids, texts, strict=True))), lambda case: case["words"])


def cut_out(text: str, length: int, choice: random.Random) -> str:
    """So many consecutive words of a text that has at least three times as many, or an empty text."""
    words = dedup.normalize(text).split()
    if len(words) < 3 * length:
        return ""
    first = choice.randrange(len(words) - length + 1)
    return " ".join(words[first : first + length])


def look_up(corpus: Any, cases: Sequence[Row], texts: dict[str, str]) -> list[Row]:
    """Run over a corpus that holds each case and its source; the cases with what was said of them.

    Parameters
    ----------
    cases : with ``id``, ``source`` (an id) and ``passage``, the text
    texts : the sources' texts by id
    """
    result = dedup.find_copies(corpus)
    listed = listed_kinds(result)
    group = dict(zip(result.documents.column("doc_id").to_pylist(), result.documents.column("copy_group").to_pylist(), strict=True))
    pairs = [(case["id"], case["source"]) for case in cases]
    contained = containments(texts | {case["id"]: case["passage"] for case in cases}, pairs)
    rows = []
    for case, pair, containment in zip(cases, pairs, contained, strict=True):
        kind = listed.get(frozenset(pair), "")
        grouped_with = pair[0] in group and group[pair[0]] == group.get(pair[1])
        rows.append({**case, "containment": containment, "kind": kind, "grouped": grouped_with})
    return rows


def corpus_pairs(corpus: str, containment: float) -> list[Row]:
    """Pairs of a corpus that brute force finds and what the run says of them, by words of the shorter one."""
    result = dedup.find_copies(corpus)
    listed = listed_kinds(result)
    columns = result.documents.select(["doc_id", "role", "status", "words"]).to_pylist()
    kept = [row for row in columns if row["role"] != "headline" and row["status"] != "short"]
    texts = texts_of(corpus)
    shingles, offsets = shingles_of([texts[row["doc_id"]] for row in kept])
    left, right, _ = all_pairs(shingles, offsets, jaccard=2.0, containment=containment)
    rows = []
    for a, b in zip(left.tolist(), right.tolist(), strict=True):
        kind = listed.get(frozenset((kept[a]["doc_id"], kept[b]["doc_id"])), "")
        rows.append({"words": min(kept[a]["words"], kept[b]["words"]), "kind": kind})
    return grouped(rows, lambda case: band_of(case["words"]))


def texts_of(corpus: str) -> dict[str, str]:
    """The text of each document of a corpus, by id."""
    texts: dict[str, str] = {}
    for batch in read_files([corpus], config=Config(), log=ReadLog()):
        documents, _ = documents_of(batch.pages)
        for doc_id, text in zip(documents.column("doc_id").to_pylist(), documents.column("text").to_pylist(), strict=True):
            texts.setdefault(doc_id, text)
    return texts


def listed_kinds(result: dedup.Result) -> dict[frozenset[str], str]:
    """The kind of each listed pair."""
    return {frozenset((row["doc_id_a"], row["doc_id_b"])): row["kind"] for row in result.matches.to_pylist()}


def containments(texts: dict[str, str], pairs: Sequence[tuple[str, str]]) -> list[float]:
    """The share of the smaller one's shingles that is in the other, for pairs of ids."""
    names = sorted({name for pair in pairs for name in pair})
    values, offsets = shingles_of([texts[name] for name in names])
    rows = {name: values[offsets[i] : offsets[i + 1]] for i, name in enumerate(names)}
    shared = [len(np.intersect1d(rows[one], rows[other], assume_unique=True)) for one, other in pairs]
    return [count / max(1, min(len(rows[name]) for name in pair)) for count, pair in zip(shared, pairs, strict=True)]


def shingles_of(texts: Sequence[str]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """The shingle rows of texts, as a run compares them."""
    return fingerprint(pa.array(texts, pa.large_string()), pa.nulls(len(texts), pa.string()), Config()).shingles


def band_of(words: int) -> str:
    """The band of a length."""
    for first, last in BANDS:
        if last is None or words <= last:
            return f"{first}-{last}" if last else f"over {first - 1}"
    raise AssertionError("the last band has no end")


def grouped(found: Sequence[Row], key: Callable[[Row], Any]) -> list[Row]:
    """Cases by a key, shorter ones first: how many, and the shares that are listed, called a copy, and grouped.

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


def rate(part: int, whole: int) -> float:
    """A share with four digits."""
    return round(part / max(whole, 1), 4)


def table(rows: Sequence[Row]) -> str:
    """Rows as lines with aligned columns."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [names, *[["" if row.get(name) is None else str(row[name]) for name in names] for row in rows]]
    widths = [max(len(line[i]) for line in cells) for i in range(len(names))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in cells)


if __name__ == "__main__":
    main()
