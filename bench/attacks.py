"""Attacks: corpora built to fall into one bucket, one list or one window, against as many ordinary documents.

    python -m bench.attacks [--documents 100000] [--only NAME,...] [--ordinary CRAWL.parquet] [--memory 2GB] [-o FILE.json]

Every attack is a crawl of invented words, written to a file and read by a process of its own with ``dedup.run``, without imports and
compilation (a first run over a few of its rows). What is printed is seconds by stage, the ratio to the seconds of
ordinary documents, peak memory, and what is wrong with the results, which should be nothing. Ordinary documents are the first
rows of CRAWL, for instance one that ``python -m bench.simulator`` wrote; without it, strangers of invented words.

A process that takes longer than ``--timeout`` or more memory than ``--most`` is ended and said to have failed.
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

import pyarrow.parquet as pq

from bench.attack_crawls import ATTACKS, ordinary
from bench.memory import first_rows, memory_bytes, memory_of

#: Rows of the run that compiles.
WARM = 400


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--only", default="", help=f"some of: ordinary, {', '.join(ATTACKS)}")
    parser.add_argument("--ordinary", metavar="CRAWL")
    parser.add_argument("--memory", default="0", help="as --memory of 'dedup run'")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=1800, help="seconds that one run may take")
    parser.add_argument("--most", type=int, default=6000, help="megabytes that one run may hold")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--crawl", help=argparse.SUPPRESS)
    parser.add_argument("-o", "--out")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(run_once(options.one, options.crawl, options.memory, options.threads)))
        return
    chosen = options.only.split(",") if options.only else ["ordinary", *ATTACKS]
    unknown = set(chosen) - {"ordinary", *ATTACKS}
    if unknown:
        parser.error(f"no such attack: {', '.join(sorted(unknown))}. Attacks are: ordinary, {', '.join(ATTACKS)}")
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in chosen:
            rows.append({"attack": name} | measured(name, options, folder))
            usual = next((row["seconds"] for row in rows if row["attack"] == "ordinary" and "seconds" in row), None)
            if usual and "seconds" in rows[-1]:
                rows[-1]["ratio"] = round(rows[-1]["seconds"] / usual, 2)
            print(json.dumps(rows[-1], ensure_ascii=False), flush=True)
    if options.out:
        Path(options.out).write_text(json.dumps({"documents": options.documents, "attacks": rows}, indent=1) + "\n", encoding="utf-8")


def measured(name: str, options: argparse.Namespace, folder: str) -> dict[str, Any]:
    """One crawl, made here and run in a process that is watched."""
    crawl = f"{folder}/crawl.parquet"
    if name == "ordinary" and options.ordinary:
        first_rows(options.ordinary, options.documents, crawl)
    else:
        pq.write_table(ordinary(options.documents) if name == "ordinary" else ATTACKS[name].crawl(options.documents), crawl)
    command = [sys.executable, "-W", "ignore", "-m", "bench.attacks", "--one", name, "--crawl", crawl]
    command += ["--memory", options.memory, "--threads", str(options.threads)]
    begun = time.monotonic()
    with open(f"{folder}/stdout", "w+", encoding="utf-8") as stdout:
        process = subprocess.Popen(command, stdout=stdout)
        while process.poll() is None:
            time.sleep(0.2)
            held, spent = memory_of(process.pid, "VmRSS") >> 20, time.monotonic() - begun
            if held > options.most or spent > options.timeout:
                process.kill()
                process.wait()
                return {"failed": f"ended after {spent:.0f} s with {held:,} MB"}
        stdout.seek(0)
        lines = stdout.read().splitlines()
    if process.returncode:
        return {"failed": f"exit code {process.returncode}"}
    answer: dict[str, Any] = json.loads(lines[-1])
    return answer


def run_once(name: str, crawl: str, memory: str, threads: int) -> dict[str, Any]:
    """One run in this process."""
    import dedup
    from dedup.cli.options import megabytes

    config = dedup.Config().replace({"run.memory": megabytes(memory), "run.threads": threads})
    with tempfile.TemporaryDirectory() as folder:
        first_rows(crawl, WARM, f"{folder}/warm.parquet")
        for limit in (config.run.memory, 1):  # kernels are the same for what is in files
            dedup.run(f"{folder}/warm.parquet", config.replace({"run.memory": limit}))
    before = memory_bytes("VmHWM")
    begun = time.perf_counter()
    result = dedup.run(crawl, config)
    seconds = time.perf_counter() - begun
    counts = result.manifest["counts"]
    return {
        "documents": counts["documents"],
        "seconds": round(seconds, 2),
        "stages": {stage["stage"]: round(stage["seconds"], 2) for stage in result.manifest["stages"]},
        "peak_mb": memory_bytes("VmHWM") >> 20,
        "warm_mb": before >> 20,
        "candidates": counts["candidates"],
        "matches": counts["matches"],
        "copies": counts["copies"],
        "stories": counts["stories"],
        "wrong": problems(name, result),
    }


def problems(name: str, result: Any) -> list[str]:
    """What is wrong with a result, in words: pages that are lost, copies without a match, and what the attack itself asks."""
    counts, wrong = result.manifest["counts"], []
    if counts["pages"] != counts["pages_with_documents"] + counts["rejects"]:
        wrong.append(
            f"{counts['pages']:,} pages are not {counts['pages_with_documents']:,} with documents and {counts['rejects']:,} rejects"
        )
    documents, matches = result.documents, result.matches
    ids, canonical = documents.column("doc_id").to_pylist(), documents.column("canonical_id").to_pylist()
    tied = set(zip(matches.column("doc_id_a").to_pylist(), matches.column("doc_id_b").to_pylist(), strict=True))
    chained = sum(one != other and (one, other) not in tied and (other, one) not in tied for one, other in zip(ids, canonical, strict=True))
    if chained:
        wrong.append(f"{chained:,} copies have no match with their canonical")
    if name in ATTACKS:
        wrong += ATTACKS[name].problems(result)
    return wrong


if __name__ == "__main__":
    main()
