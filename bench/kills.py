"""Kill a run again and again, let it go on, and compare what it writes with what an undisturbed run writes.

    python -m bench.kills CORPUS... [--kills 30] [--runs 0] [--seed 0] [-- OPTIONS OF dedup run]

One run is killed (SIGKILL) until it has been killed so often, then it may come to its end. Each kill comes at a random moment between
the start of the process and a share of the way to its end, so large that the kills are spread over the whole run: how far the end is, is
measured on a copy of the folder whenever the run has come further. One kill in five comes in quick succession, within the first
tenth of that time. A run that came to its end before its kill is put back to where it was. ``--runs`` runs are killed once each besides,
at a random moment. A Parquet file that differs in one byte is a failure (exit code 1).

To have parts of the reading saved from a small corpus, too: ``-- --run.checkpoint 4``.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

#: Of so many kills one comes in quick succession.
QUICK = 5
#: A kill comes within so many times the share of the way that is one kill's.
SPREAD = 4


@dataclass
class Killed:
    """One run that was killed several times."""

    kills: list[tuple[float, str]] = field(default_factory=list)  # seconds after the start, and what was done by then
    seconds: float = 0.0  # of all processes together
    same: bool = False


def main() -> None:
    """Kill, compare, print."""
    arguments, options = sys.argv[1:], []
    if "--" in arguments:
        cut = arguments.index("--")
        arguments, options = arguments[:cut], arguments[cut + 1 :]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", nargs="+")
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--runs", type=int, default=0, help="runs that are killed once")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    dice = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        command = command_of(given.corpus, options)
        undisturbed(command, place / "warm")
        seconds = undisturbed(command, place / "whole")
        print(f"undisturbed: {seconds:.1f} s")
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-W", "ignore", "-c", "import dedup.pipeline"], check=True)
        killed = kill_often(command, place / "out", place / "whole", given.kills, dice, start=time.perf_counter() - begun)
        print(f"one run, {len(killed.kills)} kills, {killed.seconds:.1f} s in all: {'the same bytes' if killed.same else 'DIFFERENT'}")
        failures = 0 if killed.same else 1
        for number in range(1, given.runs + 1):
            once = kill_once(command, place / "once", place / "whole", dice.uniform(0, seconds))
            failures += not once.same
            after, done = once.kills[0] if once.kills else (float("nan"), "it had come to its end")
            print(
                f"run {number:4}  killed after {after:5.2f} s  done: {done}: {'the same bytes' if once.same else 'DIFFERENT'}", flush=True
            )
    sys.exit(1 if failures else 0)


def command_of(corpus: Sequence[str], options: Sequence[str] = ()) -> list[str]:
    """The command, without its ``-o``."""
    return [sys.executable, "-W", "ignore", "-m", "dedup", "run", *map(os.path.abspath, corpus), "-q", *options]


def undisturbed(command: Sequence[str], out: Path) -> float:
    """Let it run; the seconds are given back."""
    begun = time.perf_counter()
    subprocess.run([*command, "-o", str(out)], check=True)
    return time.perf_counter() - begun


def kill_often(command: Sequence[str], out: Path, whole: Path, kills: int, dice: random.Random, *, start: float = 0.0) -> Killed:
    """Kill one run so often, then let it end; ``start`` are the seconds before it begins to work."""
    killed, done, left = Killed(), "", 0.0
    before = out.with_name(out.name + "-before")
    while len(killed.kills) < kills:
        if not left or done != done_in(out):
            done = done_in(out)
            _copy(out, before)
            left = _time_to_end(command, before, out.with_name(out.name + "-copy"))
        share = min(1.0, SPREAD / (kills - len(killed.kills)))
        window = min(left, start + share * (left - start))
        after = dice.uniform(0, left / 10 if dice.random() < 1 / QUICK else window)
        if _killed(command, out, after, killed):
            after, step = killed.kills[-1]
            print(f"kill {len(killed.kills):3}  after {after:5.2f} of {left:5.2f} s  done: {step}", flush=True)
        if is_finished(out):  # too late: the run had come to its end, so it is put back to where it was
            _copy(before, out)
    killed.seconds += undisturbed(command, out)
    killed.same = same_files(out, whole)
    return killed


def kill_once(command: Sequence[str], out: Path, whole: Path, after: float) -> Killed:
    """Kill one run once, then let it end."""
    shutil.rmtree(out, ignore_errors=True)
    killed = Killed()
    _killed(command, out, after, killed)
    killed.seconds += undisturbed(command, out) if not is_finished(out) else 0.0
    killed.same = same_files(out, whole)
    return killed


def done_in(out: Path) -> str:
    """The steps that the journal of a run names."""
    try:
        journal = json.loads((out / ".work" / "journal.json").read_bytes().partition(b"\n")[2])
    except FileNotFoundError:
        return "nothing"
    steps = [step["name"] for step in journal["steps"]]
    parts = sum(step.startswith("part-") for step in steps)
    told = ([f"{parts} parts"] if parts else []) + [step for step in steps if not step.startswith("part-")]
    return ", ".join(told) + (", placing" if journal["placing"] else "") or "begun"


def is_finished(out: Path) -> bool:
    """Whether a run has come to its end and taken its work away."""
    return (out / "manifest.json").exists() and not (out / ".work" / "journal.json").exists()


def same_files(out: Path, whole: Path) -> bool:
    """Whether two folders hold the same Parquet files, and nothing else but a manifest."""
    ours, theirs = ({path.name for path in folder.iterdir()} for folder in (out, whole))
    tables = [name for name in theirs if name.endswith(".parquet")]
    return ours == theirs and all((out / name).read_bytes() == (whole / name).read_bytes() for name in tables)


def _killed(command: Sequence[str], out: Path, after: float, killed: Killed) -> bool:
    """Start, and kill after so many seconds; false if the run had come to its end by then."""
    begun = time.perf_counter()
    process = subprocess.Popen([*command, "-o", str(out)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        _, said = process.communicate(timeout=after)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        killed.seconds += time.perf_counter() - begun
        killed.kills.append((after, done_in(out)))
        return not is_finished(out)
    killed.seconds += time.perf_counter() - begun
    if process.returncode:
        raise RuntimeError(f"the run failed with {process.returncode}: {said.decode()}")
    return False


def _time_to_end(command: Sequence[str], before: Path, copy: Path) -> float:
    """The seconds that a run would still need, measured on a copy."""
    _copy(before, copy)
    seconds = undisturbed(command, copy)
    shutil.rmtree(copy)
    return seconds


def _copy(folder: Path, copy: Path) -> None:
    shutil.rmtree(copy, ignore_errors=True)
    if folder.exists():
        shutil.copytree(folder, copy)


if __name__ == "__main__":
    main()
