"""Runs one peer in this process and writes its answer, seconds and memory.

    python -m bench.peers NAME INPUT.parquet OUT.json [--threads 2] [--warm-rows 300] [--threshold T]

A first run over a few rows, which is not timed, imports modules, compiles kernels and starts threads. Exit code 3 means
that the peer is not installed.
"""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import resource
import sys
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from bench.memory import memory_bytes

from . import PEERS, Clock, Peer

NOT_INSTALLED = 3


def main() -> None:
    """Measure one peer."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=PEERS)
    parser.add_argument("input")
    parser.add_argument("out")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--warm-rows", type=int, default=300)
    parser.add_argument("--threshold", type=float, help="similarity of copies (without: all that 32 bands of 4 rows propose)")
    options = parser.parse_args()
    missing = [name for name in PEERS[options.name].needs.split(",") if find_spec(name) is None]
    if missing:
        print(f"not installed here: {', '.join(missing)}", file=sys.stderr)
        sys.exit(NOT_INSTALLED)
    report = measure(options.name, options.input, options.threads, options.warm_rows, options.threshold)
    Path(options.out).write_text(json.dumps(report), encoding="utf-8")


def measure(name: str, path: str, threads: int, warm_rows: int, threshold: float | None = None) -> dict[str, Any]:
    """The answer of a peer for a file, with seconds and memory."""
    entry = PEERS[name]
    begun = time.perf_counter()
    peer: Peer = getattr(importlib.import_module(f"bench.peers.{entry.module}"), entry.function)
    importing = time.perf_counter() - begun
    if warm_rows:
        with tempfile.TemporaryDirectory() as folder:
            small = str(Path(folder) / "warm.parquet")
            pq.write_table(pq.ParquetFile(path).read().slice(0, warm_rows), small, compression="zstd")
            peer(small, Clock(), threads, threshold)
    clock, idle = Clock(), memory_bytes("VmRSS")
    begun, worked = time.perf_counter(), _cpu_seconds()
    answer = peer(path, clock, threads, threshold)
    seconds, worked = time.perf_counter() - begun - answer.excluded, _cpu_seconds() - worked
    return {
        "name": name,
        "version": _version(entry.package),
        "python": platform.python_version(),
        "threads": threads,
        "rows": answer.rows,
        "seconds": seconds,
        "cpu_seconds": worked,
        "stages": clock.seconds,
        "details": answer.details,
        "importing_seconds": importing,
        "idle_bytes": idle,
        "peak_bytes": memory_bytes("VmHWM"),
        "answer": {name: getattr(answer, name) for name in ("pairs", "listed", "labels", "flags", "ids", "kept")},
    }


def _cpu_seconds() -> float:
    """CPU seconds so far of this process and its ended children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "working tree"


if __name__ == "__main__":
    main()
