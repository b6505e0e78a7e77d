"""An index whose writer is killed (SIGKILL) at random moments keeps every verdict that it acknowledged.

After each kill every acknowledged document must be there with its verdict, and removed ones must be gone; the jaccard and containment
of new copies are computed again from the stored words with Python sets; a sample of the texts is checked and must be known. At the
end every document has the canonical that a process without kills gives it.
"""

from __future__ import annotations

import json
import os
import random
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from dedup import Config, Index
from dedup.readers import ReadLog, read_files
from tests.arabic import news
from tests.paths import ROOT
from tests.stress.index_writer import COLUMNS

pytestmark = pytest.mark.slow

KILLS = 3
#: One kill in five comes while the process starts.
QUICK = 5
#: Documents that are checked again after each kill.
CHECKED = 40


@dataclass
class Acknowledged:
    """The acknowledgements so far: ``verdicts`` by id, ``removed`` ids, and the ``next_row`` of the pages."""

    verdicts: dict[str, list[Any]] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    next_row: int = 0

    def add(self, line: dict[str, Any]) -> None:
        for name, *verdict in line.get("verdicts", []):
            self.verdicts[name] = verdict
            self.removed.discard(name)
        for name in line.get("removed", []):
            self.verdicts.pop(name, None)
            self.removed.add(name)
        self.next_row = max(self.next_row, line.get("next_row", 0))


@dataclass
class Report:
    """What killing the writer found."""

    kills: int = 0
    copies: int = 0
    computed_again: int = 0
    problems: list[str] = field(default_factory=list)


@pytest.fixture
def pages(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "pages.parquet"
    given = request.config.getoption("--stress-corpus")
    if given:
        return pages_of(given, path)
    rows = [
        {
            "id": f"a{number}",
            "title": news(number % 300, 8),
            "text": news(number % 300, 60),  # from the 300th on copies of the first
            "published": None,
            "source": f"outlet{number % 7}",
            "url": None,
        }
        for number in range(420)
    ]
    pq.write_table(pa.Table.from_pylist(rows, pa.schema([(name, pa.string()) for name in COLUMNS])), path)
    return path


def pages_of(corpus: str, path: Path) -> Path:
    """Write the pages of a corpus in order of time."""
    table = pa.Table.from_batches([batch.pages for batch in read_files([corpus], config=Config(), log=ReadLog())])
    order = pc.sort_indices(table, sort_keys=[("published", "ascending"), ("input_row", "ascending")])
    pq.write_table(table.take(order).select(["page_id", *COLUMNS[1:]]).rename_columns(list(COLUMNS)), path)
    return path


def test_an_index_that_is_killed_again_and_again_keeps_what_it_acknowledged(
    pages: Path, tmp_path: Path, stress: int, request: pytest.FixtureRequest
) -> None:
    report = kill_often(pages, tmp_path, KILLS * stress, random.Random(1 + request.config.getoption("--stress-seed")))
    assert report.problems == []
    assert 1 <= report.kills <= KILLS * stress  # a fast machine may have ingested all pages before the last kill
    if not request.config.getoption("--stress-corpus"):
        assert report.copies >= 120
        assert report.computed_again >= 120


def test_lost_and_changed_verdicts_are_found(pages: Path, tmp_path: Path) -> None:
    known = Acknowledged()
    _follow(_start(pages, tmp_path / "index", 0), known)
    copy = next(name for name, verdict in known.verdicts.items() if verdict[0] != name)
    known.verdicts["never-came"] = ["never-came", None, None, None, None]
    known.verdicts[copy] = [copy, None, None, None, None]
    known.removed.add("a5")
    report = Report()
    _look_through(tmp_path / "index", known, set(), pages, random.Random(0), report)
    assert [problem.split(":")[0] for problem in report.problems] == [copy, "never-came", "a5"]


def kill_often(pages: Path, folder: Path, kills: int, dice: random.Random) -> Report:
    """Kill and restart the writer ``kills`` times, let it end, and compare with a writer that was not killed."""
    whole, known, report = Acknowledged(), Acknowledged(), Report()
    seconds = _follow(_start(pages, folder / "whole.index", 0), whole)
    index, rows = folder / "killed.index", pq.read_metadata(pages).num_rows
    while report.kills < kills and known.next_row < rows:
        before = dict(known.verdicts)
        process = _start(pages, index, known.next_row)
        # Spread the kills over the remaining work.
        left = seconds * (1 - known.next_row / rows) / (kills - report.kills)
        if dice.random() < 1 / QUICK:
            _follow(process, known, after_start=dice.uniform(0, 2.0))
        else:
            _follow(process, known, after_verdict=dice.uniform(0, 2 * left))
        report.kills += 1
        fresh = {name for name, verdict in known.verdicts.items() if before.get(name) != verdict}
        _look_through(index, known, fresh, pages, dice, report)
    _follow(_start(pages, index, known.next_row), known)
    _look_through(index, known, set(known.verdicts), pages, dice, report)
    for name in sorted(whole.verdicts.keys() | known.verdicts.keys()):
        ours, theirs = known.verdicts.get(name, [None]), whole.verdicts.get(name, [None])
        if ours[0] != theirs[0]:
            report.problems.append(f"{name}: {ours}, but without kills {theirs}")
    report.copies = sum(verdict[0] != name for name, verdict in known.verdicts.items())
    return report


def _start(pages: Path, index: Path, first_row: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-W", "ignore", "-m", "tests.stress.index_writer", pages, index, first_row, "process"]
    return subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(ROOT)})


def _follow(
    process: subprocess.Popen[bytes], known: Acknowledged, *, after_start: float | None = None, after_verdict: float | None = None
) -> float:
    """Read acknowledgements until the process ends or is killed, seconds after its start or its first verdict.

    Returns
    -------
    seconds since the first verdict
    """
    assert process.stdout is not None
    begun, rest, writing = time.perf_counter(), b"", False
    end = None if after_start is None else begun + after_start
    with process.stdout as pipe:
        while True:
            ready, _, _ = select.select([pipe], [], [], None if end is None else max(0.0, end - time.perf_counter()))
            if not ready:
                process.kill()
                end = None
            read = os.read(pipe.fileno(), 1 << 20)
            *lines, rest = (rest + read).split(b"\n")
            for line in map(json.loads, lines):
                known.add(line)
                if "opened" not in line and not writing:
                    writing, begun = True, time.perf_counter()
                    end = end if after_verdict is None else begun + after_verdict
            if not read:
                break
    code = process.wait()
    if code > 0 or (code and after_start is None and after_verdict is None):
        raise RuntimeError(f"the writer failed with {code}")
    return time.perf_counter() - begun


def _look_through(index: Path, known: Acknowledged, fresh: set[str], pages: Path, dice: random.Random, report: Report) -> None:
    """Compare an index with the acknowledgements."""
    problems = report.problems
    if not (index / "index.sqlite").exists():
        problems += ["there is no index"] if known.verdicts else []
        return
    with Index.open(index, mode="r") as opened:
        store = opened._store  # reads all entries at once
        entries = {entry.doc_id: entry for entry in store.fetch(range(store.last_number() + 1)) if entry is not None}
        names = {entry.number: name for name, entry in entries.items()}
        for name, verdict in known.verdicts.items():
            entry = entries.get(name)
            if entry is None:
                problems.append(f"{name}: was acknowledged and is gone")
            elif name.startswith("passing-"):
                continue  # its canonical may have been removed at the moment of the kill
            elif [names.get(entry.canonical), entry.kind, entry.jaccard, entry.share, entry.containment, entry.covered] != verdict:
                problems.append(f"{name}: {verdict} was acknowledged, the index has {entry}")
        problems += [f"{name}: was removed and is there" for name in known.removed & entries.keys()]
        if len(entries) != len(opened):
            problems.append(f"the index has {len(entries)} documents and counts {len(opened)}")
        copies = [
            entries[name]
            for name in sorted(fresh)
            if name in entries and entries[name].status == "copy" and entries[name].role != "headline"
        ]
        problems += [f"{copy.doc_id}: {wrong}" for copy in copies if (wrong := _compute_again(store, copy))]
        report.computed_again += len(copies)
        _check_again(opened, sorted(fresh & entries.keys()), pages, dice, problems)


def _compute_again(store: Any, copy: Any) -> str:
    """The error in the numbers of a copy by sets of its stored words and those of its canonical; empty if there is none."""
    words = store.words([copy.number, copy.canonical])
    tokens = words.tokens.tolist()
    rows = [tokens[a:b] for a, b in zip(words.offsets[:-1].tolist(), words.offsets[1:].tolist(), strict=True)]
    one, other = ({tuple(row[i : i + 3]) for i in range(len(row) - 2)} for row in rows)
    shared = len(one & other)
    measures = [shared / max(1, size) for size in (len(one | other), len(one), min(len(one), len(other)))]
    if copy.kind == "exact" and rows[0] != rows[1]:
        return "is exact, and has other words than its canonical"
    stored = [copy.jaccard, copy.share, copy.containment]
    if not np.allclose(measures, stored, atol=1e-6):
        return f"jaccard, share and containment are {measures}, the index has {stored}"
    return ""


def _check_again(opened: Index, names: Sequence[str], pages: Path, dice: random.Random, problems: list[str]) -> None:
    chosen = set(dice.sample(names, min(CHECKED, len(names))))
    for row in pq.read_table(pages).to_pylist():
        if row["id"] not in chosen:
            continue
        verdict = opened.check(row | {"id": f"{row['id']} checked again"})
        if verdict.action != "skip" and verdict.status != "short":
            problems.append(f"{row['id']}: its text is not found: {verdict.reason}")
        verdict = opened.check(row)
        if verdict.action != "skip":
            problems.append(f"{row['id']}: its id is not found: {verdict.reason}")
