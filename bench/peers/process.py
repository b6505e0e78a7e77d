"""Runs a peer in its own process and watches it from outside.

Peak memory is the larger of the high-water mark of the process, which is exact, and the largest sum over its workers,
sampled every tenth of a second. The sum is of proportional set sizes (Linux), which count memory shared with the
parent once.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from .__main__ import NOT_INSTALLED

_ROOT = Path(__file__).parents[2]
_LOOK_SECONDS = 0.1
_THREAD_SETTINGS = (
    "RAYON_NUM_THREADS", "POLARS_MAX_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
)  # fmt: skip


def run_peer(name: str, path: Path, *, python: str, threads: int, warm_rows: int, threshold: float | None = None) -> dict[str, Any]:
    """Run one peer; its report, or ``{"name", "failed"}`` with the reason."""
    with tempfile.TemporaryDirectory() as folder:
        out, log = Path(folder) / "out.json", Path(folder) / "log.txt"
        command = [python, "-W", "ignore", "-m", "bench.peers", name, str(path.resolve()), str(out)]
        command += ["--threads", str(threads), "--warm-rows", str(warm_rows)]
        command += [] if threshold is None else ["--threshold", str(threshold)]
        with log.open("wb") as sink:
            process = subprocess.Popen(command, cwd=_ROOT, env=_environment(threads, folder), stdout=sink, stderr=sink)
            peak = _watch(process)
        if process.returncode:
            last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:] or ["no message"]
            reason = last[0] if process.returncode == NOT_INSTALLED else f"exit code {process.returncode}: {last[0]}"
            return {"name": name, "failed": reason}
        report: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    report["peak_bytes"] = max(report["peak_bytes"], peak)
    return report


def _environment(threads: int, folder: str) -> dict[str, str]:
    """Environment variables: the same number of threads for every library, and no cache that outlives the run."""
    settings = dict.fromkeys(_THREAD_SETTINGS, str(threads))
    offline = {"HF_HOME": folder, "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
    return {**os.environ, **settings, **offline, "PYTHONPATH": str(_ROOT)}


def _watch(process: subprocess.Popen[bytes]) -> int:
    """Wait for the end; peak memory of the process and its workers in bytes (0 without workers or ``/proc``)."""
    peak = 0
    while process.poll() is None:
        family = _family(process.pid)
        if len(family) > 1:  # sampling slows the process that is watched
            peak = max(peak, sum(map(_proportional_bytes, family)))
        time.sleep(_LOOK_SECONDS)
    return peak


def _family(pid: int) -> list[int]:
    """A process and all its descendants."""
    family, waiting = [], [pid]
    while waiting:
        pid = waiting.pop()
        family.append(pid)
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                waiting += map(int, children.read_text().split())
            except OSError:  # the process has ended
                continue
    return family


def _proportional_bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
