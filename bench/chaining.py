"""Chaining: no copy without a match of its own with its canonical, and the largest groups to be read.

    python -m bench.chaining CORPUS [--groups 10] [-o FILE.json]

Prints how many copies lack such a match (there must be none), how large groups are, what single link would have made of the
same matches, and of the largest groups each title with the numbers that tie it.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

import dedup


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus")
    parser.add_argument("--groups", type=int, default=10)
    parser.add_argument("-o", "--out")
    options = parser.parse_args()
    report = chaining(dedup.find_copies(options.corpus), options.groups)
    text = json.dumps(report, indent=1, ensure_ascii=False)
    print(text)
    if options.out:
        Path(options.out).write_text(text + "\n", encoding="utf-8")


def chaining(result: dedup.Result, groups: int = 10) -> dict[str, Any]:
    """What ties the copy groups of a result; ``untied_copies`` must be 0."""
    documents, matches = result.documents.to_pylist(), result.matches.to_pylist()
    ties = {(row["doc_id_a"], row["doc_id_b"]): row for row in matches if row["kind"] != "partial"}
    row_of = {row["doc_id"]: i for i, row in enumerate(documents)}
    copies = [row for row in documents if row["status"] == "copy"]
    untied = sum(_tie(ties, row) is None for row in copies)
    sizes = Counter(row["copy_group"] for row in documents)
    largest = [group for group, size in sorted(sizes.items(), key=lambda item: (-item[1], item[0]))[:groups] if size > 1]
    return {
        "documents": len(documents),
        "copies": len(copies),
        "untied_copies": untied,
        "groups_by_size": dict(sorted(Counter(size for size in sizes.values() if size > 1).items())),
        "largest_by_single_link": _single_link([(row_of[a], row_of[b]) for a, b in ties], len(documents)),
        "largest_groups": [_shown([row for row in documents if row["copy_group"] == group], ties) for group in largest],
    }


def _tie(ties: dict[tuple[str, str], dict[str, Any]], row: dict[str, Any]) -> dict[str, Any] | None:
    return ties.get((row["doc_id"], row["canonical_id"])) or ties.get((row["canonical_id"], row["doc_id"]))


def _single_link(pairs: list[tuple[int, int]], n: int) -> int:
    """The largest cluster if matches were followed from text to text."""
    left, right = np.array(pairs, np.int64).reshape(-1, 2).T
    _, labels = connected_components(coo_matrix((np.ones(len(left)), (left, right)), (n, n)), directed=False)
    return int(np.bincount(labels).max(initial=0))


def _shown(members: list[dict[str, Any]], ties: dict[tuple[str, str], dict[str, Any]]) -> dict[str, Any]:
    members.sort(key=lambda row: (row["status"] == "copy", row["doc_id"]))
    return {
        "documents": len(members),
        "sources": len({row["source"] for row in members}),
        "titles": [
            {
                "title": row["title"],
                "words": row["words"],
                "tie": tie and [tie["kind"], round(tie["jaccard"], 2), round(tie["containment"], 2)],
            }
            for row, tie in ((row, _tie(ties, row)) for row in members)
        ],
    }


if __name__ == "__main__":
    main()
