"""Memory of each stage of a run as the corpus grows.

    python -m bench.memory CRAWL [--sizes 15000,60000,240000] [--memory 1GB] [--threads 2] [-o FILE.json]

CRAWL is a Parquet file; for each size a new process runs ``dedup.run`` over its first rows and writes the result. Each
stage has two peaks: ``resident`` as Linux counts it (VmHWM, reset when a stage begins) and ``own``, without pages of
memory-mapped files, which the system can take back at any time. The last lines fit bytes per document.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq


def memory_bytes(field: str) -> int:
    """Memory of this process as Linux counts it: ``VmHWM``, the peak, or ``VmRSS``, now.

    ``ru_maxrss`` is only the fallback: it starts with the memory of the parent that started this program.
    """
    if Path("/proc/self/status").exists():
        return memory_of("self", field)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def memory_of(process: int | str, field: str) -> int:
    """The same for another process, by its number; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(field)), 0)


def first_rows(crawl: str, rows: int, out: str) -> None:
    """Write the first rows of a Parquet file to another one."""
    file = pq.ParquetFile(crawl)
    with pq.ParquetWriter(out, file.schema_arrow, compression="zstd") as writer:
        for batch in file.iter_batches(min(rows, 8192)):
            writer.write_batch(batch.slice(0, rows))
            rows -= len(batch)
            if rows <= 0:
                return


class Watch:
    """Peak memory of each stage, ``resident`` and ``own`` (anonymous), in bytes."""

    def __init__(self) -> None:
        self.resident: dict[str, int] = {}
        self.own: dict[str, int] = {}
        self._stage, self._over = "start", False
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._sampler.start()

    def __call__(self, stage: str, done: int) -> None:
        """``progress`` of ``dedup.run``."""
        if stage != self._stage:
            self.end_stage()
            self._stage = stage

    def end_stage(self) -> None:
        """Record the peak of the current stage and reset the counter of the system."""
        self.resident[self._stage] = max(self.resident.get(self._stage, 0), memory_bytes("VmHWM"))
        Path("/proc/self/clear_refs").write_text("5")

    def close(self) -> None:
        """Stop watching."""
        self.end_stage()
        self._over = True
        self._sampler.join()

    def _sample(self) -> None:
        while not self._over:
            self.own[self._stage] = max(self.own.get(self._stage, 0), memory_bytes("RssAnon"))
            time.sleep(0.02)


def run_once(crawl: str, memory: int, threads: int) -> dict[str, Any]:
    """One watched run in this process."""
    import dedup

    config = dedup.Config().replace({"run.memory": memory, "run.threads": threads})
    watch = Watch()
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        result = dedup.run(crawl, config, progress=watch)
        watch("write", 0)
        result.write(f"{folder}/out")
    seconds = time.perf_counter() - begun
    watch.close()
    return {
        "documents": result.manifest["counts"]["documents"],
        "seconds": round(seconds, 1),
        "peak_mb": max(watch.resident.values()) >> 20,
        "resident_mb": {stage: held >> 20 for stage, held in watch.resident.items()},
        "own_mb": {stage: held >> 20 for stage, held in watch.own.items()},
    }


def main() -> None:
    """Measure and print."""
    from dedup.cli.options import megabytes

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("crawl")
    parser.add_argument("--sizes", default="15000,60000,240000")
    parser.add_argument("--memory", default="1GB", help="as --memory of 'dedup run'")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("-o", "--out")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(run_once(options.crawl, megabytes(options.memory), options.threads)))
        return
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for size in options.sizes.split(","):
            part = f"{folder}/part.parquet"
            first_rows(options.crawl, int(size), part)
            command = [sys.executable, "-W", "ignore", "-m", "bench.memory", part, "--one"]
            command += ["--memory", options.memory, "--threads", str(options.threads)]
            rows.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1]))
            print(json.dumps(rows[-1]), flush=True)
    report: dict[str, Any] = {"memory_allowed_mb": megabytes(options.memory), "sizes": rows}
    if len(rows) > 1:
        report["bytes_a_document"] = _bytes_a_document(rows)
        print(json.dumps({"bytes_a_document": report["bytes_a_document"]}))
    if options.out:
        Path(options.out).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def _bytes_a_document(rows: list[dict[str, Any]]) -> dict[str, int]:
    """The slope of the own memory of each stage over the number of documents."""
    documents = [row["documents"] for row in rows]
    stages = [stage for stage in rows[-1]["own_mb"] if all(stage in row["own_mb"] for row in rows)]
    return {stage: round(np.polyfit(documents, [row["own_mb"][stage] * 2**20 for row in rows], 1)[0]) for stage in stages}


if __name__ == "__main__":
    main()
