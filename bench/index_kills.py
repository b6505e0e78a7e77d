"""Kill an index while it is written to, again and again, and see that it kept what it said it had.

    python -m bench.index_kills CORPUS [--kills 50] [--seed 0] [--documents N] [--durability process]

A process ingests the corpus in order of time, one document at a time, in batches, with documents that come and are removed again and a
``compact`` at times, and acknowledges each verdict over a pipe as soon as it has it. It is killed (SIGKILL) at random moments: while
it starts, opens the index, or, mostly, writes. After each kill the index is looked through: every document that was ever
acknowledged is there with the verdict that was told, what was removed is gone; jaccard and containment of what is new are computed
again from the stored words with plain Python sets; a sample of the texts is asked for again and must be known. Then the next process goes
on. At the end the whole corpus is in, all of it is verified, and every document must have the canonical that a run without a kill gives it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

#: Of so many kills one comes while the process starts.
QUICK = 5
#: Documents that are asked for again after each kill.
ASKED = 40
SHOWN = ("id", "title", "text", "published", "source", "url")


@dataclass
class Told:
    """What was acknowledged: ``verdicts`` by id, ids that were ``removed``, and the ``place`` in the corpus."""

    verdicts: dict[str, list[Any]] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    place: int = 0

    def add(self, line: dict[str, Any]) -> None:
        """Take an acknowledgement."""
        for name, *said in line.get("verdicts", []):
            self.verdicts[name] = said
            self.removed.discard(name)
        for name in line.get("removed", []):
            self.verdicts.pop(name, None)
            self.removed.add(name)
        self.place = max(self.place, line.get("place", 0))


def main() -> None:
    """Kill, look, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--documents", type=int, default=0, help="the first so many only")
    parser.add_argument("--durability", default="process")
    parser.add_argument("--child", nargs=2, metavar=("INDEX", "PLACE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        ingest(Path(options.corpus), options.child[0], int(options.child[1]), options.durability)
        return
    with tempfile.TemporaryDirectory() as folder:
        pages = write_pages(options.corpus, Path(folder) / "pages.parquet", options.documents)
        report = kill_often(pages, Path(folder), options.kills, random.Random(options.seed), durability=options.durability, loud=True)
    print(json.dumps(report, indent=1))
    sys.exit(1 if report["problems"] else 0)


def write_pages(corpus: str, path: Path, documents: int = 0) -> Path:
    """The pages of a corpus in order of time, as one Parquet file."""
    from dedup import Config
    from dedup.readers import ReadLog, read_files

    pages = pa.Table.from_batches([batch.pages for batch in read_files([corpus], config=Config(), log=ReadLog())])
    order = pc.sort_indices(pages, sort_keys=[("published", "ascending"), ("input_row", "ascending")])
    table = pages.take(order).select(["page_id", *SHOWN[1:]]).rename_columns(list(SHOWN))
    pq.write_table(table.slice(0, documents or len(table)), path)
    return path


def steps(rows: int, place: int) -> Iterator[tuple[str, int, int]]:
    """What is done at which rows, the same every time: (what, first row, row behind the last)."""
    while place < rows:
        turn = place // 10
        size = 150 if turn % 16 == 7 else 10
        what = "batch" if size > 10 else "passing" if turn % 16 == 3 else "single"
        end = min((place // 10) * 10 + size, rows)
        yield what, place, end
        if place // 3000 != end // 3000:
            yield "compact", end, end
        place = end


def ingest(path: Path, index: str, place: int, durability: str) -> None:
    """The process that is killed: go on from a row, and acknowledge on standard output."""
    from dedup import Index

    table = pq.read_table(path)

    def acknowledge(**line: Any) -> None:
        os.write(1, (json.dumps(line) + "\n").encode())

    with Index.open(index, mode="a", durability=durability) as opened:
        acknowledge(opened=True)
        for what, first, last in steps(len(table), place):
            rows = table.slice(first, last - first)
            if what == "batch":
                verdicts = opened.ingest_batch(rows).to_pylist()
                told = [row for row in verdicts if row["action"] != "reject"]
                acknowledge(place=last, verdicts=[[row[name] for name in ("doc_id", *TOLD)] for row in told])
            elif what == "compact":
                opened.compact()
                acknowledge(place=last)
            else:
                for at, row in enumerate(rows.to_pylist(), first):
                    acknowledge(place=at + 1, verdicts=_single(opened, row))
            if what == "passing":
                for names, removed in _passing(opened, table, first):
                    acknowledge(verdicts=names, removed=removed)


TOLD = ("canonical_id", "kind", "jaccard", "containment", "contained")


def _single(opened: Any, row: dict[str, Any]) -> list[list[Any]]:
    from dedup.errors import InputError

    try:
        verdict = opened.ingest(row)
    except InputError:  # a page that cannot be used; a batch says so in its table
        return []
    return [_said(item) for item in (verdict, *verdict.parts)]


def _said(verdict: Any) -> list[Any]:
    match = verdict.match
    return [
        verdict.doc_id,
        verdict.canonical_id,
        verdict.kind,
        *((match.jaccard, match.containment, match.contained) if match else (None,) * 3),
    ]


def _passing(opened: Any, table: pa.Table, first: int) -> Iterator[tuple[list[list[Any]], list[str]]]:
    """Two copies of a text that comes from nowhere; the one that stands for the other goes first, then the other."""
    words = (table["text"][first].as_py() or "").split()
    random.Random(first).shuffle(words)
    names = [f"passing-{first}-{copy}" for copy in (0, 1)]
    for name in names:
        if len(words) >= 30:
            yield _single(opened, {"id": name, "text": " ".join(words[:400])}), []
    for name in names:
        opened.remove(name)
        yield [], [name]


def kill_often(
    pages: Path, folder: Path, kills: int, dice: random.Random, *, durability: str = "process", loud: bool = False
) -> dict[str, Any]:
    """Kill, look, go on, compare; the report lists all problems."""
    whole = Told()
    seconds, _ = _follow(_start(pages, folder / "whole.index", 0, durability), whole, None)
    told, index, problems, moments, verified, asked = Told(), folder / "killed.index", [], [], 0, 0
    rows = pq.read_metadata(pages).num_rows
    while len(moments) < kills and told.place < rows:
        before = dict(told.verdicts)
        process = _start(pages, index, told.place, durability)
        # Spread over the work that is left, as far as that lasts.
        left = seconds * (1 - told.place / rows) / (kills - len(moments))
        quick = dice.random() < 1 / QUICK
        after, state = _follow(process, told, (dice.uniform(0, 2.0), None) if quick else (None, dice.uniform(0, 2 * left)))
        moments.append(state)
        fresh = {name for name, said in told.verdicts.items() if before.get(name) != said}
        numbers = looked_through(index, told, fresh, pages, dice, problems)
        verified, asked = verified + numbers[0], asked + numbers[1]
        if loud:
            counts = f"{len(told.verdicts):6} acknowledged, {len(fresh):5} new, {len(problems)} problems"
            print(f"kill {len(moments):3}  after {after:5.2f} s, {state:8}  {counts}", flush=True)
    last = _start(pages, index, told.place, durability)
    _follow(last, told, None)
    numbers = looked_through(index, told, set(told.verdicts), pages, dice, problems)
    other = {
        name
        for name in whole.verdicts.keys() | told.verdicts.keys()
        if whole.verdicts.get(name, [None])[0] != told.verdicts.get(name, [None])[0]
    }
    problems += [f"{name}: {told.verdicts.get(name)} but without kills {whole.verdicts.get(name)}" for name in sorted(other)]
    return {
        "kills": len(moments),
        "moments": {what: sum(moment == what for moment in moments) for what in ("starting", "opened", "writing", "finished")},
        "documents": len(told.verdicts),
        "copies": sum(said[0] != name for name, said in told.verdicts.items()),
        "verdicts_computed_again": verified + numbers[0],
        "texts_asked_again": asked + numbers[1],
        "other_canonical_than_without_kills": len(other),
        "seconds_without_kills": round(seconds, 1),
        "problems": problems,
    }


def _start(pages: Path, index: Path, place: int, durability: str) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "bench.index_kills",
        str(pages),
        "--durability",
        durability,
        "--child",
        str(index),
        str(place),
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def _follow(process: subprocess.Popen[bytes], told: Told, when: tuple[float | None, float | None] | None) -> tuple[float, str]:
    """Read what a process acknowledges until it ends, or is killed so many seconds after its start, or after its first verdict.

    The seconds since then and what it had come to when it ended are given back.
    """
    assert process.stdout is not None
    begun, rest, state = time.perf_counter(), b"", "starting"
    end = begun + when[0] if when is not None and when[0] is not None else None
    with process.stdout as pipe:
        while True:
            ready, _, _ = select.select([pipe], [], [], None if end is None else max(0.0, end - time.perf_counter()))
            if not ready:
                process.kill()
                end = None
            read = os.read(pipe.fileno(), 1 << 20)
            *lines, rest = (rest + read).split(b"\n")
            for line in map(json.loads, lines):
                told.add(line)
                if "opened" in line:
                    state = "opened"
                elif state != "writing":
                    state, begun = "writing", time.perf_counter()
                    end = begun + when[1] if when is not None and when[1] is not None else end
            if not read:
                break
    code = process.wait()
    if code > 0 or (code and when is None):
        raise RuntimeError(f"the process that ingests failed with {code}")
    return time.perf_counter() - begun, "finished" if code == 0 else state


def looked_through(index: Path, told: Told, fresh: set[str], pages: Path, dice: random.Random, problems: list[str]) -> tuple[int, int]:
    """Compare an index with what was acknowledged; how many verdicts were computed again, and how many texts asked for."""
    from dedup import Index

    if not (index / "index.sqlite").exists():
        problems += ["there is no index"] if told.verdicts else []
        return 0, 0
    with Index.open(index, mode="r") as opened:
        store = opened._store  # what the index has, without a question for each document
        entries = {entry.doc_id: entry for entry in store.fetch(range(store.last_number() + 1)) if entry is not None}
        names = {entry.number: name for name, entry in entries.items()}
        for name, said in told.verdicts.items():
            entry = entries.get(name)
            if entry is None:
                problems.append(f"{name}: was acknowledged and is gone")
            elif name.startswith("passing-"):
                continue  # its canonical may have been removed in the moment of the kill
            elif [names.get(entry.canonical), entry.kind, entry.jaccard, entry.containment, entry.contained] != said:
                problems.append(f"{name}: {said} was acknowledged, the index has {entry}")
        problems += [f"{name}: was removed and is there" for name in told.removed & entries.keys()]
        if len(entries) != len(opened):
            problems.append(f"{len(entries)} documents are there, the index counts {len(opened)}")
        copies = [
            entries[name]
            for name in sorted(fresh)
            if name in entries and entries[name].status == "copy" and entries[name].role != "headline"
        ]
        problems += [f"{copy.doc_id}: {wrong}" for copy in copies if (wrong := _computed_again(store, copy))]
        again = _ask_again(opened, sorted(fresh & entries.keys()), pages, dice, problems)
    return len(copies), again


def _computed_again(store: Any, copy: Any) -> str:
    """What is wrong with the numbers of a copy, by plain sets of what the index keeps of both."""
    words = store.words([copy.number, copy.canonical])
    tokens = words.tokens.tolist()
    rows = [tokens[a:b] for a, b in zip(words.offsets[:-1].tolist(), words.offsets[1:].tolist(), strict=True)]
    one, other = ({tuple(row[i : i + 3]) for i in range(len(row) - 2)} for row in rows)
    shared = len(one & other)
    jaccard, containment = shared / max(1, len(one | other)), shared / max(1, min(len(one), len(other)))
    if copy.kind == "exact" and rows[0] != rows[1]:
        return "is called exact, and has other words than its canonical"
    if not np.allclose([jaccard, containment], [copy.jaccard, copy.containment], atol=1e-6):
        return f"jaccard and containment are {jaccard:.4f} and {containment:.4f}, the index says {copy.jaccard} and {copy.containment}"
    return ""


def _ask_again(opened: Any, names: list[str], pages: Path, dice: random.Random, problems: list[str]) -> int:
    chosen = set(dice.sample(names, min(ASKED, len(names))))
    rows = [row for row in pq.read_table(pages).to_pylist() if row["id"] in chosen]
    for row in rows:
        verdict = opened.check(row | {"id": f"{row['id']} asked again"})
        if verdict.action != "skip" and verdict.status != "short":
            problems.append(f"{row['id']}: its text is asked for and not found: {verdict.reason}")
        verdict = opened.check(row)
        if verdict.action != "skip":
            problems.append(f"{row['id']}: is asked for again and not known: {verdict.reason}")
    return len(rows)


if __name__ == "__main__":
    main()
