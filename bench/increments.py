"""A crawl in daily increments against the same crawl in one run: what differs, what it costs, and that no id changes.

    python -m bench.increments CORPUS [--gold GOLD.jsonl] [--last DAYS]

The rows of CORPUS (JSON lines, plain or .gz) are divided by day of publication and numbered, so that documents have the same
ids in every way of running: all in one run; the last days (three if not said otherwise) as one increment; each day on the day
before. GOLD has lines with ``url`` and ``story``. Copies and stories are compared with those of the one run by BCubed F1.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import dedup
from dedup.schema import HAPPENINGS
from dedup.stories.evaluate import bcubed, harmonic

#: What an increment may not change of an old document.
KEPT = ("canonical_id", "kind", "copy_group", "story_id")


def main(arguments: list[str] | None = None) -> int:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus")
    parser.add_argument("--gold", help="JSON lines with url and story")
    parser.add_argument("--last", type=int, default=3, metavar="DAYS", help="days of the one increment (default: %(default)s)")
    options = parser.parse_args(arguments)
    rows = read(options.corpus)
    gold = [json.loads(line) for line in Path(options.gold).read_text(encoding="utf-8").splitlines()] if options.gold else []

    begun = time.perf_counter()
    batch = dedup.run(rows)
    seconds = time.perf_counter() - begun
    days = by_day(rows, batch)
    first, last = days[: -options.last], days[-options.last :]
    print(f"{len(rows):,} rows of {len(days)} days", flush=True)
    print(f"one run: {seconds:.1f} s; {agreement(batch, gold)}", flush=True)
    for name, parts in ((f"{options.last} days as one increment", [sum(first, []), sum(last, [])]), ("day by day", days)):
        print(f"{name}: {report(parts, batch, gold)}", flush=True)
    return 0


def read(path: str) -> list[dict[str, Any]]:
    """The rows of a file, each with an id of its own."""
    with gzip.open(path, "rt", encoding="utf-8") if path.endswith(".gz") else open(path, encoding="utf-8") as lines:
        return [json.loads(line) | {"id": f"{number:08d}"} for number, line in enumerate(lines)]


def by_day(rows: list[dict[str, Any]], result: dedup.Result) -> list[list[dict[str, Any]]]:
    """The rows that became pages, a list for each day of publication; undated ones come first."""
    columns = (result.documents.column(name).to_pylist() for name in ("page_id", "published"))
    day_of = {page: "" if when is None else when.date().isoformat() for page, when in zip(*columns, strict=True)}
    days: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row["id"] in day_of:
            days.setdefault(day_of[row["id"]], []).append(row)
    return [days[day] for day in sorted(days)]


def report(parts: list[list[dict[str, Any]]], batch: dedup.Result, gold: list[dict[str, Any]]) -> str:
    """Run the parts, each on the one before, and say how the last result differs from that of one run."""
    result, changed, seconds = None, 0, []
    for part in parts:
        before, begun = result, time.perf_counter()
        result = dedup.run(part, base=before)
        seconds.append(time.perf_counter() - begun)
        if before is not None:
            changed += changes(before, result)
    events = {} if result.events is None else {name: result.events.column("event").to_pylist().count(name) for name in HAPPENINGS}
    ours, theirs = columns_of(result, KEPT), columns_of(batch, KEPT)
    same = np.mean([ours[name][0] == theirs[name][0] for name in theirs])
    alike = {
        name: f1([theirs[key][place] for key in theirs], [ours[key][place] for key in theirs])
        for name, place in (("copies", 0), ("stories", 3))
    }
    spent = ", ".join(f"{value:.1f}" for value in seconds)
    return (
        f"{spent} s; {same:.4f} of the documents have the same canonical; BCubed F1 against one run: copies {alike['copies']:.4f}, "
        f"stories {alike['stories']:.4f}; {changed} ids changed; events {events}; {agreement(result, gold)}"
    )


def changes(before: dedup.Result, after: dedup.Result) -> int:
    """Values of old documents that are not what they were."""
    old, new = columns_of(before, KEPT), columns_of(after, KEPT)
    return sum(one != other for name, values in old.items() for one, other in zip(values, new[name], strict=True))


def columns_of(result: dedup.Result, names: tuple[str, ...]) -> dict[str, tuple[Any, ...]]:
    """Some columns of the documents, by id."""
    columns = [result.documents.column(name).to_pylist() for name in ("doc_id", *names)]
    return {doc_id: values for doc_id, *values in zip(*columns, strict=True)}


def agreement(result: dedup.Result, gold: list[dict[str, Any]]) -> str:
    """BCubed of the stories on the labelled documents."""
    stories = {url: story for role, url, story in columns_of(result, ("role", "url", "story_id")).values() if role != "embedded"}
    labelled = [line for line in gold if line["url"] in stories]
    if not labelled:
        return "no labels"
    precision, recall = (
        float(np.mean(side)) for side in bcubed([line["story"] for line in labelled], [stories[line["url"]] for line in labelled])
    )
    return (
        f"labels: BCubed F1 {harmonic(precision, recall):.4f} (precision {precision:.4f}, recall {recall:.4f}), {len(labelled)} documents"
    )


def f1(gold: list[Any], found: list[Any]) -> float:
    """BCubed F1 of two labellings."""
    return float(harmonic(*(float(np.mean(side)) for side in bcubed(gold, found))))


if __name__ == "__main__":
    sys.exit(main())
