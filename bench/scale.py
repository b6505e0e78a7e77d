"""Seconds and memory of the copies pipeline as the corpus grows; ten million signatures through candidates and groups.

    python -m bench.scale CRAWL.parquet [--sizes 10000,30000,100000,300000,1000000] [--memory 1500] [-o FILE.json]
    python -m bench.scale --signatures 10000000 [-o FILE.json]

CRAWL is a Parquet file, for example of ``python -m bench.simulator``. For each size its first rows are read by a new
process, which times ``dedup.find_copies`` from texts to tables after a first run over a few rows (imports and
compilation). The exponent b of seconds = a * documents ** b is fitted over the sizes from 100,000 documents on if
there are three of them, else over all; 1 is linear.

``--signatures`` makes synthetic signatures, 30 % of them in clusters of two to a hundred that agree in 50 to 100 % of
their slots, and takes them in blocks through band keys, candidates and copy groups. Every candidate counts as a
match, because there is no text.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from bench.memory import first_rows, memory_bytes

SIZES = "10000,30000,100000,300000,1000000"
BLOCK = 1 << 16


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("crawl", nargs="?")
    parser.add_argument("--sizes", default=SIZES)
    parser.add_argument("--memory", type=int, default=0, help="megabytes allowed, as --run.memory")
    parser.add_argument("--signatures", type=int)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("-o", "--out")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(run_once(options.crawl, options.memory)))
        return
    if options.signatures:
        report: dict[str, Any] = through_groups(options.signatures)
    else:
        report = measure_growth(options.crawl, [int(size) for size in options.sizes.split(",")], options.memory)
    print(json.dumps(report, indent=1))
    if options.out:
        Path(options.out).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def measure_growth(crawl: str, sizes: list[int], memory: int) -> dict[str, Any]:
    """Seconds and memory of the first rows of a crawl, and the exponent of growth."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            part = f"{folder}/part.parquet"
            first_rows(crawl, size, part)
            command = [sys.executable, "-m", "bench.scale", part, "--one", "1", "--memory", str(memory)]
            rows.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1]))
            print(rows[-1], file=sys.stderr, flush=True)
    large = [row for row in rows if row["documents"] >= 99_000]
    fitted = large if len(large) > 2 else rows
    logs = np.log([[row["documents"], row["seconds"]] for row in fitted])
    exponent = float(np.polyfit(logs[:, 0], logs[:, 1], 1)[0]) if len(fitted) > 1 else None
    return {"sizes": rows, "memory_allowed_mb": memory, "fitted_from": fitted[0]["documents"], "exponent": exponent and round(exponent, 3)}


def run_once(crawl: str, memory: int) -> dict[str, Any]:
    """One run in this process."""
    import dedup

    config = dedup.Config().replace({"run.memory": memory})
    with tempfile.TemporaryDirectory() as folder:
        first_rows(crawl, 300, f"{folder}/warm.parquet")
        for limit in (memory, 1):  # spilled arrays use the same kernels
            dedup.find_copies(f"{folder}/warm.parquet", config.replace({"run.memory": limit}))
    begun = time.perf_counter()
    result = dedup.find_copies(crawl, config)
    seconds = time.perf_counter() - begun
    stages = {stage["stage"]: round(stage["seconds"], 2) for stage in result.manifest["stages"]}
    counts = result.manifest["counts"]
    return {
        "documents": counts["documents"],
        "seconds": round(seconds, 2),
        "documents_per_second": round(counts["documents"] / seconds),
        "peak_mb": memory_bytes("VmHWM") >> 20,
        "stages": stages,
        "candidates": counts["candidates"],
        "copies": counts["copies"],
    }


def through_groups(n: int, seed: int = 0) -> dict[str, Any]:
    """Take synthetic signatures through band keys, candidates and groups; seconds and memory."""
    from dedup.config import CandidateConfig, CopyConfig, SignatureConfig
    from dedup.copies.lsh import band_candidates
    from dedup.copies.pairs import NEAR, Matches
    from dedup.copies.survivors import choose
    from dedup.kernels.fingerprints.minhash import band_keys

    config, slots = CandidateConfig(), SignatureConfig().permutations
    clock = {"signatures and band keys": time.perf_counter()}
    keys = np.empty((config.bands, n), np.uint64)
    for first in range(0, n, BLOCK):
        block = synthetic(min(BLOCK, n - first), slots, np.random.default_rng([seed, first]))
        keys[:, first : first + len(block)] = band_keys(block, config.bands, config.rows)
    clock["candidates"] = time.perf_counter()
    found = band_candidates(keys, np.ones(n, bool), np.arange(n), config, threads=2)
    del keys
    clock["groups"] = time.perf_counter()
    size = len(found.left)
    matches = Matches(found.left, found.right, np.full(size, NEAR, np.uint8), np.ones(size), np.ones(size), np.ones(size))
    survivors, _ = choose(matches, np.arange(n), np.full(n, 200), lambda left, right: Matches.none(), CopyConfig())
    ends = [*list(clock.values())[1:], time.perf_counter()]
    return {
        "signatures": n,
        "seconds": {name: round(end - begun, 1) for (name, begun), end in zip(clock.items(), ends, strict=True)},
        "candidates": size,
        "copies": int((~survivors.kept()).sum()),
        "peak_mb": memory_bytes("VmHWM") >> 20,
    }


def synthetic(n: int, slots: int, random: np.random.Generator) -> np.ndarray:
    """Signatures uint32[n, slots]: unrelated ones, and clusters whose members share slots with their first member."""
    signatures = random.integers(0, 1 << 32, (n, slots), np.uint32)
    at = 0
    while at < 0.3 * n:
        size = int(min(2 + random.pareto(1.5), 100))
        for member in range(at + 1, min(at + size, n)):
            kept = random.random(slots) < random.uniform(0.5, 1)
            signatures[member, kept] = signatures[at, kept]
        at += size
    return signatures[random.permutation(n)]


if __name__ == "__main__":
    main()
