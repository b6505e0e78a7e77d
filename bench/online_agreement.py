"""The online index against the batch run over the same corpus: one document after the other by date, and all at once.

    python -m bench.online_agreement CORPUS [LABELS...] [-o FILE.json]

A batch run sees all documents before it chooses a canonical; an index answers at once and keeps its answer. Prints
the share of documents with the same status and canonical, the pairs that both put together, the documents that differ and
why, and, for LABELS (pairs of URLs, ``bench/labels/README.md``), F1 of both by copy group, as ``bench.verdicts``.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

import dedup
from bench.pair_sample import read_labels
from bench.verdicts import scored
from dedup.readers import ReadLog, read_files

SHOWN = ("id", "title", "text", "published", "source", "url")


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus")
    parser.add_argument("labels", nargs="*")
    parser.add_argument("-o", "--out")
    options = parser.parse_args()
    config = dedup.Config().replace({"stories.enabled": False})
    batch = dedup.find_copies(options.corpus, config)
    with TemporaryDirectory() as folder, dedup.Index.open(Path(folder) / "index", config, mode="w") as index:
        begun = time.perf_counter()
        online = index.ingest_batch(in_time_order(options.corpus, config)).to_pylist()
        seconds = time.perf_counter() - begun
    report = compared(batch, online) | {"ingest_seconds": round(seconds, 1)}
    for name in options.labels:
        pairs = read_labels(name)
        report[Path(name).stem] = {
            "batch": scored(pairs, _said(pairs, {row["url"]: row["copy_group"] for row in _articles(batch)})),
            "online": scored(pairs, _said(pairs, _online_groups(batch, online))),
        }
    text = json.dumps(report, indent=1, ensure_ascii=False)
    print(text)
    if options.out:
        Path(options.out).write_text(text + "\n", encoding="utf-8")


def in_time_order(corpus: str, config: dedup.Config) -> pa.Table:
    """The pages of a corpus by date, as an index gets them: ties in file order, undated pages last."""
    pages = pa.Table.from_batches([batch.pages for batch in read_files([corpus], config=config, log=ReadLog())])
    order = pc.sort_indices(pages, sort_keys=[("published", "ascending"), ("input_row", "ascending")])
    return pages.take(order).select(["page_id", *SHOWN[1:]]).rename_columns(list(SHOWN))


def compared(batch: dedup.Result, online: list[dict[str, Any]]) -> dict[str, Any]:
    """How far the canonicals agree, and the reasons where they differ."""
    ours = {row["doc_id"]: row for row in online if row["action"] != "reject"}
    theirs = {row["doc_id"]: row for row in batch.documents.to_pylist()}
    both = ours.keys() & theirs.keys()
    kinds = {frozenset((row["doc_id_a"], row["doc_id_b"])): row["kind"] for row in batch.matches.to_pylist()}
    arrival = {name: place for place, name in enumerate(ours)}
    groups = [{name: rows[name]["canonical_id"] for name in both} for rows in (theirs, ours)]
    # An index does not store whether a document has copies.
    statuses = [{name: rows[name]["status"].replace("canonical", "unique") for name in both} for rows in (theirs, ours)]
    held = [{name: theirs[name]["extends_id"] for name in both}, {name: (ours[name]["extends"] or [None])[0] for name in both}]
    pairs = [_pairs(group) for group in groups]
    copies = [{name for name, canonical in group.items() if name != canonical} for group in groups]
    other_canonical = sorted(name for name in both if groups[0][name] != groups[1][name])
    other_status = sorted(name for name in both if groups[0][name] == groups[1][name] and statuses[0][name] != statuses[1][name])
    why = Counter(_why(name, *groups, kinds, arrival) for name in other_canonical)
    why_status = Counter(f"{statuses[0][name]} in batch, {statuses[1][name]} online" for name in other_status)
    extended = [name for name in both if statuses[0][name] == statuses[1][name] == "extended"]
    covered = np.array([ours[name]["covered"] - theirs[name]["covered"] for name in both if statuses[0][name] != "short"])
    return {
        "documents": len(both),
        "documents_of_one_only": len(ours.keys() ^ theirs.keys()),
        "same_status_and_canonical": round(1 - (len(other_canonical) + len(other_status)) / len(both), 4),
        "same_canonical": round(1 - len(other_canonical) / len(both), 4),
        "extended": {
            "batch": sum(status == "extended" for status in statuses[0].values()),
            "online": sum(status == "extended" for status in statuses[1].values()),
            "both": len(extended),
            "same_extended": sum(held[0][name] == held[1][name] for name in extended),
        },
        "covered_online_minus_batch": {"mean": round(float(covered.mean()), 4), "mean_distance": round(float(np.abs(covered).mean()), 4)},
        "copies": {"batch": len(copies[0]), "online": len(copies[1]), "both": len(copies[0] & copies[1])},
        "pairs_together": {"batch": len(pairs[0]), "online": len(pairs[1]), "both": len(pairs[0] & pairs[1])},
        "why_canonicals_differ": dict(why.most_common()),
        "why_statuses_differ": dict(why_status.most_common()),
    }


def _why(
    name: str, batch: Mapping[str, str], online: Mapping[str, str], kinds: Mapping[frozenset[str], str], arrival: Mapping[str, int]
) -> str:
    theirs, ours = batch[name], online[name]
    if ours == name:
        if arrival[theirs] > arrival[name]:
            return "copy in batch only: its canonical there came later"
        if online[theirs] != theirs:
            return "copy in batch only: online its canonical there is a copy of another"
        return "copy in batch only: its canonical was there when it came (weights of forms)"
    if theirs == name:
        if batch.get(ours) == name:
            return "copy online only: in batch it stands for the one that online stands for it"
        kind = kinds.get(frozenset((name, ours)))
        if batch.get(ours) != ours:
            return "copy online only: in batch its canonical here is a copy of another"
        return f"copy online only: the batch calls the pair {kind or 'nothing'}"
    return "another canonical" + (", of the same group in batch" if batch.get(ours) == theirs else "")


def _pairs(canonical: Mapping[str, str]) -> set[tuple[str, str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for name, other in canonical.items():
        groups[other].append(name)
    return {pair for members in groups.values() for pair in combinations(sorted(members), 2)}


def _articles(batch: dedup.Result) -> list[dict[str, Any]]:
    return [row for row in batch.documents.to_pylist() if row["role"] == "article"]


def _online_groups(batch: dedup.Result, online: list[dict[str, Any]]) -> dict[str, str]:
    canonical = {row["doc_id"]: row["canonical_id"] for row in online}
    return {row["url"]: canonical[row["doc_id"]] for row in _articles(batch) if row["doc_id"] in canonical}


def _said(pairs: list[dict[str, Any]], group: Mapping[str, str]) -> Any:
    return np.array([group.get(pair["a"], "") == group.get(pair["b"], "-") for pair in pairs])


if __name__ == "__main__":
    main()
