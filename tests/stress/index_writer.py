"""The process that is killed: ingests a Parquet file of pages, and acknowledges each verdict as a JSON line on stdout.

Usage: ``python -m tests.stress.index_writer PAGES INDEX FIRST_ROW DURABILITY``
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

COLUMNS = ("id", "title", "text", "published", "source", "url")
ACKNOWLEDGED = ("canonical_id", "kind", "jaccard", "share", "containment", "covered")


def steps(rows: int, first: int) -> Iterator[tuple[str, int, int]]:
    """The steps from row ``first`` on, the same in every process: (what, first row, end row).

    Most rows come one by one, some in batches, some together with documents that are added and removed again.
    """
    while first < rows:
        turn = first // 10
        size = 150 if turn % 16 == 7 else 10
        what = "batch" if size > 10 else "passing" if turn % 16 == 3 else "single"
        end = min((first // 10) * 10 + size, rows)
        yield what, first, end
        if first // 3000 != end // 3000:
            yield "compact", end, end
        first = end


def ingest(pages: str, index: str, first_row: int, durability: str) -> None:
    """Ingest the pages from ``first_row`` on."""
    from dedup import Index

    table = pq.read_table(pages)

    def acknowledge(**line: Any) -> None:
        os.write(1, (json.dumps(line) + "\n").encode())

    with Index.open(index, mode="a", durability=durability) as opened:
        acknowledge(opened=True)
        for what, first, end in steps(len(table), first_row):
            rows = table.slice(first, end - first)
            if what == "batch":
                verdicts = [row for row in opened.ingest_batch(rows).to_pylist() if row["action"] != "reject"]
                acknowledge(next_row=end, verdicts=[[row[name] for name in ("doc_id", *ACKNOWLEDGED)] for row in verdicts])
            elif what == "compact":
                opened.compact()
                acknowledge(next_row=end)
            else:
                for number, row in enumerate(rows.to_pylist(), first):
                    acknowledge(next_row=number + 1, verdicts=_ingest_one(opened, row))
            if what == "passing":
                for verdicts, removed in _add_and_remove(opened, table, first):
                    acknowledge(verdicts=verdicts, removed=removed)


def _ingest_one(opened: Any, row: dict[str, Any]) -> list[list[Any]]:
    from dedup.errors import InputError

    try:
        verdict = opened.ingest(row)
    except InputError:  # an unusable page; a batch returns it as a reject
        return []
    return [_acknowledged(document) for document in (verdict, *verdict.parts)]


def _acknowledged(verdict: Any) -> list[Any]:
    match = verdict.match
    numbers = (match.jaccard, match.share, match.containment) if match else (None,) * 3
    return [verdict.doc_id, verdict.canonical_id, verdict.kind, *numbers, verdict.covered]


def _add_and_remove(opened: Any, table: pa.Table, first: int) -> Iterator[tuple[list[list[Any]], list[str]]]:
    """Add two copies of a shuffled text, then remove their canonical, then the other."""
    words = (table["text"][first].as_py() or "").split()
    random.Random(first).shuffle(words)
    names = [f"passing-{first}-{copy}" for copy in (0, 1)]
    for name in names:
        if len(words) >= 30:
            yield _ingest_one(opened, {"id": name, "text": " ".join(words[:400])}), []
    for name in names:
        opened.remove(name)
        yield [], [name]


if __name__ == "__main__":
    ingest(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
