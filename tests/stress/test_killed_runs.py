"""A run that is killed (SIGKILL) at random moments and resumed writes the bytes of a run that is left alone."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.paths import ROOT

pytestmark = pytest.mark.slow

KILLS = 5
#: One kill in five comes soon after the start, within a tenth of the time that is left.
QUICK = 5
#: A kill comes within four times the share of the remaining time that is one kill's.
SPREAD = 4
#: Small enough that the reading stage of a small corpus has several checkpoints.
OPTIONS = ("--run.checkpoint", "1")


@dataclass
class KilledRun:
    """A run that was killed several times."""

    kills: list[tuple[float, str]] = field(default_factory=list)  # seconds after the start, and the finished steps
    same: bool = False


@pytest.fixture(autouse=True)
def children_import_this_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def test_a_run_that_is_killed_again_and_again_writes_the_same_bytes(
    corpus: Path, tmp_path: Path, stress: int, request: pytest.FixtureRequest
) -> None:
    dice = random.Random(1 + request.config.getoption("--stress-seed"))
    command = command_of([corpus], OPTIONS)
    run_to_end(command, tmp_path / "whole")
    start = _seconds_to_import()
    killed = kill_often(command, tmp_path / "out", tmp_path / "whole", KILLS * stress, dice, start=start)
    assert len(killed.kills) == KILLS * stress
    assert killed.same


def test_runs_that_are_killed_once_write_the_same_bytes(corpus: Path, tmp_path: Path, stress: int, request: pytest.FixtureRequest) -> None:
    dice = random.Random(2 + request.config.getoption("--stress-seed"))
    command = command_of([corpus], OPTIONS)
    seconds = run_to_end(command, tmp_path / "whole")
    for _ in range(stress):
        killed = kill_once(command, tmp_path / "once", tmp_path / "whole", dice.uniform(0, seconds))
        assert killed.same, killed.kills


def command_of(inputs: Sequence[Path], options: Sequence[str] = ()) -> list[str]:
    """The command without its ``-o``."""
    return [sys.executable, "-W", "ignore", "-m", "dedup", "run", *map(os.path.abspath, inputs), "-q", *options]


def run_to_end(command: Sequence[str], out: Path) -> float:
    """Run the command undisturbed; its seconds."""
    begun = time.perf_counter()
    subprocess.run([*command, "-o", str(out)], check=True)
    return time.perf_counter() - begun


def kill_often(command: Sequence[str], out: Path, whole: Path, kills: int, dice: random.Random, *, start: float = 0.0) -> KilledRun:
    """Kill and resume one run ``kills`` times, then let it end; it begins to work ``start`` seconds after its start."""
    killed, done, left = KilledRun(), "", 0.0
    before = out.with_name(out.name + "-before")
    while len(killed.kills) < kills:
        if not left or done != finished_steps(out):
            done = finished_steps(out)
            _copy(out, before)
            left = _seconds_to_end(command, before, out.with_name(out.name + "-copy"))
        share = min(1.0, SPREAD / (kills - len(killed.kills)))
        window = min(left, start + share * (left - start))
        after = dice.uniform(0, left / 10 if dice.random() < 1 / QUICK else window)
        _run_and_kill(command, out, after, killed)
        if is_finished(out):  # the kill came too late: restore the folder as it was before
            _copy(before, out)
    run_to_end(command, out)
    killed.same = same_files(out, whole)
    return killed


def kill_once(command: Sequence[str], out: Path, whole: Path, after: float) -> KilledRun:
    """Kill one run after ``after`` seconds, then let it end."""
    shutil.rmtree(out, ignore_errors=True)
    killed = KilledRun()
    _run_and_kill(command, out, after, killed)
    if not is_finished(out):
        run_to_end(command, out)
    killed.same = same_files(out, whole)
    return killed


def finished_steps(out: Path) -> str:
    """The steps in the journal of a run."""
    try:
        journal = json.loads((out / ".work" / "journal.json").read_bytes().partition(b"\n")[2])
    except FileNotFoundError:
        return "nothing"
    steps = [step["name"] for step in journal["steps"]]
    parts = sum(step.startswith("part-") for step in steps)
    names = ([f"{parts} parts"] if parts else []) + [step for step in steps if not step.startswith("part-")]
    return ", ".join(names) + (", placing" if journal["placing"] else "") or "begun"


def is_finished(out: Path) -> bool:
    """Whether the run has ended and removed its workspace."""
    return (out / "manifest.json").exists() and not (out / ".work" / "journal.json").exists()


def same_files(out: Path, whole: Path) -> bool:
    """Whether two folders contain equal Parquet files, a manifest and nothing else."""
    ours, theirs = ({path.name for path in folder.iterdir()} for folder in (out, whole))
    tables = [name for name in theirs if name.endswith(".parquet")]
    return ours == theirs and all((out / name).read_bytes() == (whole / name).read_bytes() for name in tables)


def _run_and_kill(command: Sequence[str], out: Path, after: float, killed: KilledRun) -> None:
    """Start the command and kill it after ``after`` seconds, unless it has ended by then."""
    process = subprocess.Popen([*command, "-o", str(out)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        _, stderr = process.communicate(timeout=after)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        killed.kills.append((after, finished_steps(out)))
        return
    if process.returncode:
        raise RuntimeError(f"the run failed with {process.returncode}: {stderr.decode()}")


def _seconds_to_import() -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-W", "ignore", "-c", "import dedup.pipeline"], check=True)
    return time.perf_counter() - begun


def _seconds_to_end(command: Sequence[str], before: Path, copy: Path) -> float:
    """The seconds that the interrupted run would still need, measured on a copy of its folder."""
    _copy(before, copy)
    seconds = run_to_end(command, copy)
    shutil.rmtree(copy)
    return seconds


def _copy(folder: Path, copy: Path) -> None:
    shutil.rmtree(copy, ignore_errors=True)
    if folder.exists():
        shutil.copytree(folder, copy)
