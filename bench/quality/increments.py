"""A crawl day by day (``--base``) against one run over all of it."""

from __future__ import annotations

import gzip
import json
import time
from typing import Any

import numpy as np

import dedup
from bench.quality.scores import Row, Tables, agreement, f1, story_of_url
from dedup.schema import HAPPENINGS

#: Columns of an old document that an increment must not change.
KEPT = ("canonical_id", "kind", "copy_group", "story_id")


def report(rows: list[Row], gold: list[Row], last: int = 3) -> Tables:
    """Daily increments (``--base``) against one run: documents with the same canonical, F1, seconds, and ids that change (none may)."""
    begun = time.perf_counter()
    batch = dedup.run(rows)
    tables = [{"ways": "one run", "seconds": round(time.perf_counter() - begun, 1)} | agreement(story_of_url(batch), gold)]
    days = by_day(rows, batch)
    for name, parts in ((f"{last} days as one increment", [sum(days[:-last], []), sum(days[-last:], [])]), ("day by day", days)):
        tables.append({"ways": name} | run_parts(parts, batch))
        tables[-1] |= agreement(tables[-1].pop("stories_by_url"), gold)
    return {f"{len(rows):,} rows of {len(days)} days": tables}


def read_lines(path: str) -> list[Row]:
    """The rows of a JSON-lines file, numbered, so that documents have the same ids in every run."""
    with gzip.open(path, "rt", encoding="utf-8") if path.endswith(".gz") else open(path, encoding="utf-8") as lines:
        return [json.loads(line) | {"id": f"{number:08d}"} for number, line in enumerate(lines)]


def by_day(rows: list[Row], result: dedup.Result) -> list[list[Row]]:
    """The rows that became pages, a list for each day of publication; undated ones come first."""
    columns = (result.documents.column(name).to_pylist() for name in ("page_id", "published"))
    day_of = {page: "" if when is None else when.date().isoformat() for page, when in zip(*columns, strict=True)}
    days: dict[str, list[Row]] = {}
    for row in rows:
        if row["id"] in day_of:
            days.setdefault(day_of[row["id"]], []).append(row)
    return [days[day] for day in sorted(days)]


def run_parts(parts: list[list[Row]], batch: dedup.Result) -> Row:
    """Run the parts, each on the one before, and compare the last result with that of one run."""
    result, changed, seconds = None, 0, []
    for part in parts:
        before, begun = result, time.perf_counter()
        result = dedup.run(part, base=before)
        seconds.append(round(time.perf_counter() - begun, 1))
        if before is not None:
            old, new = columns_of(before), columns_of(result)
            changed += sum(one != other for name, values in old.items() for one, other in zip(values, new[name], strict=True))
    ours, theirs = columns_of(result), columns_of(batch)
    events = [] if result.events is None else result.events.column("event").to_pylist()
    return {
        "seconds": seconds,
        "same canonical": round(float(np.mean([ours[name][0] == theirs[name][0] for name in theirs])), 4),
        "copies F1 against one run": f1([row[0] for row in theirs.values()], [ours[name][0] for name in theirs]),
        "stories F1 against one run": f1([row[3] for row in theirs.values()], [ours[name][3] for name in theirs]),
        "ids changed": changed,
        "events": {name: events.count(name) for name in HAPPENINGS},
        "stories_by_url": story_of_url(result),
    }


def columns_of(result: dedup.Result) -> dict[str, tuple[Any, ...]]:
    """The columns ``KEPT`` of the documents, by id."""
    columns = [result.documents.column(name).to_pylist() for name in ("doc_id", *KEPT)]
    return {doc_id: values for doc_id, *values in zip(*columns, strict=True)}
