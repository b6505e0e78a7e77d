"""The online index with a million articles: time to ingest, latency, recall, disk and memory.

    python -m bench.online CORPUS [--documents 1000000] [--peers] [--folder DIR] [-o FILE.json]

From the articles of CORPUS a crawl is made whose 3-word shingles are as common as theirs (``bench/indexing/passages.py``;
both frequencies are printed), with known shares of copies; this is not timed. Each measurement has its own process:
``ingest_batch`` with and without stories, bytes on disk, opening, ``check`` on one core by kind of text, and ``ingest``
one by one. ``check`` runs with warm files and with files evicted from the page cache (``posix_fadvise(DONTNEED)`` before
the process starts; major page faults are counted to show that it worked). ``--peers`` asks datasketch's MinHashLSH
about the same texts; its candidates are not verified. ``--folder`` keeps the crawl.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import dedup
from bench.indexing.crawl import write_crawl
from bench.indexing.statistics import HELD, fitted, likeness, likeness_in_crawl
from bench.simulator import read_articles

#: Number of invented words; a larger crawl contains more of them.
NEW_WORDS = 3_000_000
#: Targets for a million documents: figure, limit, and whether more is better.
AIMS = (
    ("check, p50 ms", lambda report: report["checks"]["stories off"]["all"]["p50_ms"], 0.5, False),
    ("check, p99 ms", lambda report: report["checks"]["stories off"]["all"]["p99_ms"], 2.0, False),
    ("ingest_batch, documents/s", lambda report: report["ingest_batch"]["stories off"]["per_second"], 10_000, True),
    ("bytes a document on disk", lambda report: report["ingest_batch"]["stories off"]["disk"]["whole"], 1536, False),
    ("open, ms", lambda report: report["open"]["stories off"]["warm"]["open_ms"], 100, False),
    ("memory of a process that checks, MB", lambda report: report["checks"]["stories off"]["own_memory_mb"], 500, False),
)


def main() -> None:
    """Make, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus")
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--with-stories", type=int, help="documents ingested with stories on (as many)")
    parser.add_argument("--words", type=int, default=300, help="mean words of an article")
    parser.add_argument("--probes", type=int, default=600, help="texts of each kind to ask about")
    parser.add_argument("--threads", type=int, default=2, help="of ingest_batch; checks have one core")
    parser.add_argument("--peers", action="store_true", help="datasketch too")
    parser.add_argument("--peer-documents", type=int, default=100_000)
    parser.add_argument("--redis-documents", type=int, default=10_000)
    parser.add_argument("--folder", help="where the crawl and the indexes are kept")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--out")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(options.folder or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        report = {"crawl": make_or_read_crawl(folder, options), "processor": _processor(), "cores": os.cpu_count()}
        ways = {"stories off": (False, options.documents), "stories on": (True, options.with_stories or options.documents)}
        for part in ("ingest_batch", "open", "checks", "one_by_one"):
            report[part] = {}
        for name, (stories, documents) in ways.items():
            index = name.replace(" ", "-")
            if not documents:
                continue
            report["ingest_batch"][name] = printed(
                name, run("ingested", folder, index=index, stories=stories, documents=documents, threads=options.threads)
            )
            report["open"][name] = printed(name, measure_opening(folder, index))
            report["checks"][name] = printed(name, run("checked", folder, index=index, documents=documents))
            if not stories:
                drop_pages(folder / index)
                report["checks"]["cold files"] = printed("cold files", run("checked", folder, index=index, documents=documents, cold=True))
            report["one_by_one"][name] = [
                printed(name, run("one_by_one", folder, index=index, documents=count, durability=durability))
                for durability, count in (("process", 2000), ("sync", 300))
            ]
        if options.peers:
            report["peers"] = [printed("datasketch", peer(folder, options, redis)) for redis in (False, True)]
    report["aims"] = {name: {"measured": read(report), "aim": aim} for name, read, aim, _ in AIMS}
    print_report(report)
    if options.out:
        Path(options.out).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def make_or_read_crawl(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """The crawl and its likeness to the corpus; read from the folder if it is there with the same size and seed."""
    facts = folder / "crawl.json"
    wanted = {"documents": options.documents, "seed": options.seed, "words": options.words, "probes": options.probes}
    if facts.exists() and (known := json.loads(facts.read_text(encoding="utf-8")))["wanted"] == wanted:
        return known
    begun = time.perf_counter()
    articles = originals(options.corpus)
    np.random.default_rng(options.seed).shuffle(articles)
    texts = [row["text"] for row in articles]
    real = likeness(texts) | {"mean_words": float(np.mean([len(text.split()) for text in texts]))}
    passages, like = fitted(texts[HELD:], real, fresh=NEW_WORDS, mean_words=options.words, seed=options.seed)
    counts = write_crawl(
        passages, folder, documents=options.documents, probes=options.probes, real=articles[:HELD], seed=options.seed
    )  # fmt: skip
    answer = {
        "wanted": wanted,
        "real": real,
        "made": like,
        "whole": likeness_in_crawl(folder),
        **counts,
        "seconds": round(time.perf_counter() - begun),
    }
    facts.write_text(json.dumps(answer), encoding="utf-8")
    return printed("crawl", answer)


def originals(corpus: str) -> list[dict[str, Any]]:
    """The articles of a corpus that are in no copy group."""
    documents = dedup.find_copies(corpus).documents
    alone = {
        row["doc_id"]
        for row in documents.select(["doc_id", "status", "role"]).to_pylist()
        if row["status"] == "unique" and row["role"] == "article"
    }
    return [{"title": row.title, "text": row.text} for row in read_articles([corpus]) if row.id in alone]


def measure_opening(folder: Path, index: str, times: int = 5) -> dict[str, Any]:
    """The median of several new processes, and one whose files were not in the page cache."""
    rows = [run("opened", folder, index=index) for _ in range(times)]
    drop_pages(folder / index)
    rows = [row for row in rows if "failed" not in row] or rows
    if "failed" in rows[0]:
        return {"warm": rows[0], "cold files": rows[0]}
    return {
        "warm": {name: float(np.median([row[name] for row in rows])) for name in rows[0]},
        "cold files": run("opened", folder, index=index),
    }


def drop_pages(index: Path) -> None:
    """Evict the files of an index from the page cache; no process may have them mapped."""
    if not hasattr(os, "posix_fadvise"):
        return
    for path in index.iterdir():
        with open(path, "rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def run(what: str, folder: Path, **options: Any) -> dict[str, Any]:
    """One measurement in its own process."""
    return _child("bench.indexing.measure", [what, json.dumps({"folder": str(folder), **options})])


def peer(folder: Path, options: argparse.Namespace, redis: bool) -> dict[str, Any]:
    """Measure datasketch in its own process."""
    documents = min(options.documents, options.redis_documents if redis else options.peer_documents)
    return _child("bench.indexing.peers", [json.dumps({"folder": str(folder), "documents": documents, "redis": redis})])


def _child(module: str, arguments: list[str]) -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-W", "ignore", "-m", module, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr[-3000:], file=sys.stderr)
        return {"failed": done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit code {done.returncode}"}
    return json.loads(done.stdout.splitlines()[-1])


def printed(name: str, figures: dict[str, Any]) -> dict[str, Any]:
    """Print a measurement at once, because the next one takes long."""
    print(f"{name}: {json.dumps(figures)}", file=sys.stderr, flush=True)
    return figures


def print_report(report: dict[str, Any]) -> None:
    """Print the figures as tables."""
    crawl = report["crawl"]
    print(f"\n{crawl['documents']:,} documents of {crawl['mean_words_of_new']:g} words; planted: {crawl['planted']}")
    print(f"\n{'3-word shingles':34}{'texts':>10}{'seen':>8}{'shared':>8}{'unseen words':>14}{'vocabulary':>12}")
    for name, like in (("real articles", crawl["real"]), ("made, as many words", crawl["made"]), ("made, the whole crawl", crawl["whole"])):
        print(f"{name:34}{like['texts']:>10,}{like['seen']:>8.1%}{like['shared']:>8.3f}{like['unseen']:>14.1%}{like['words']:>12,}")
    for name, row in report["ingest_batch"].items():
        if "failed" in row:
            print(f"\ningest_batch, {name}: FAILED: {row['failed']}")
            continue
        tenths = f"first tenth {row['per_second_first_tenth']:,}, last {row['per_second_last_tenth']:,}"
        print(f"\ningest_batch, {name}, {row['documents']:,}: {row['per_second']:,}/s ({tenths}); memory {row['own_memory_mb']} MB")
        print(f"  found {row['planted_found']}; new ones called copies: {row['new_called_copies']}")
        print("  bytes a document: " + ", ".join(f"{part} {size:g}" for part, size in row["disk"].items()))
    for name, rows in report["open"].items():
        print(f"open, {name}: warm {rows['warm']}; cold {rows['cold files']}")
    print(f"\n{'check, ms, one core':44}{'p50':>8}{'p90':>8}{'p99':>8}{'max':>9}{'found':>9}{'strangers':>11}")
    rows = [(name, row) for name, row in report["checks"].items()]
    rows += [(f"datasketch in {row.get('where')}, {row.get('documents', 0):,} documents", row) for row in report.get("peers", [])]
    for name, row in rows:
        if "failed" in row:
            print(f"{name}: FAILED: {row['failed']}")
            continue
        _print_quantiles(name, row["all"])
        for kind, figures in row["kinds"].items():
            _print_quantiles(f"   {kind}", figures)
        more = {name: value for name, value in row.items() if name not in ("all", "kinds", "first_100")}
        if "first_100" in row:
            _print_quantiles("   the first hundred", row["first_100"])
        print(f"   {more}")
    for name, both in report["one_by_one"].items():
        for row in both:
            print(f"ingest one by one, {name}: {row}")
    print("\naims, for a million documents")
    for name, row in report["aims"].items():
        print(f"  {name:40}{row['measured']:>12,} (aim {row['aim']:,})")


def _print_quantiles(name: str, row: dict[str, Any]) -> None:
    found = f"{row['found']:.1%}" if "found" in row else f"{row['called_copies']} said" if "called_copies" in row else ""
    times = f"{row['p50_ms']:>8.3f}{row['p90_ms']:>8.3f}{row['p99_ms']:>8.3f}{row['max_ms']:>9.2f}"
    print(f"{name:44}{times}{found:>9}{row.get('strangers_a_text', ''):>11}")


def _processor() -> str:
    cpu = Path("/proc/cpuinfo")
    lines = cpu.read_text().splitlines() if cpu.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")


if __name__ == "__main__":
    main()
