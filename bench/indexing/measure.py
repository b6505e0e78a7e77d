"""Measurements of an index, each in its own process: ``python -m bench.indexing.measure WHAT '{"folder": ...}'``.

The last line of stdout is JSON. Texts are read before the clock starts; imports and compilation count only in ``opened``.
"""

from __future__ import annotations

import json
import os
import resource
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.memory import memory_bytes

from .crawl import SHOWN

#: Texts checked before the clock starts: they compile kernels and load what every check reads.
WARM = 30


def main() -> None:
    """Measure one thing and print it."""
    what, options = sys.argv[1], json.loads(sys.argv[2])
    print(json.dumps(MEASURES[what](Path(options.pop("folder")), **options)))


def ingested(folder: Path, index: str, stories: bool, documents: int, threads: int) -> dict[str, Any]:
    """``ingest_batch`` of a crawl by row groups: documents a second, memory, and the known copies that were found."""
    import dedup

    config = dedup.Config().replace({"stories.enabled": stories, "run.threads": threads})
    seconds, rows, right, planted, wrong = [], [], _none(), _none(), 0
    peak = 0
    canonical: dict[str, str] = {}
    with dedup.Index.open(folder / index, config, mode="w") as opened:
        with dedup.Index.open(folder / f"{index}-warm", config, mode="w") as warm:
            warm.ingest_batch(next(_groups(folder, 300)).select(SHOWN))
        for table in _groups(folder, documents):
            shown = table.select(SHOWN)
            begun = time.perf_counter()
            verdicts = opened.ingest_batch(shown)
            seconds.append(time.perf_counter() - begun)
            rows.append(len(table))
            peak = max(peak, memory_bytes("RssAnon"))
            said = dict(zip(verdicts["doc_id"].to_pylist(), verdicts["canonical_id"].to_pylist(), strict=True))
            canonical.update((name, other) for name, other in said.items() if other != name)
            for name, kind, origin in zip(*(table[column].to_pylist() for column in ("id", "kind", "origin")), strict=True):
                found = said[name]
                if kind == "new":
                    wrong += found != name
                else:
                    planted[kind] += 1
                    right[kind] += found == canonical.get(origin, origin)
        begun = time.perf_counter()
    closing_seconds = time.perf_counter() - begun
    done, spent = np.cumsum(rows), np.cumsum(seconds)
    tenth = max(1, len(rows) // 10)
    return {
        "documents": int(done[-1]),
        "stories": stories,
        "threads": threads,
        "per_second": round(done[-1] / spent[-1]),
        "per_second_first_tenth": round(sum(rows[:tenth]) / sum(seconds[:tenth])),
        "per_second_last_tenth": round(sum(rows[-tenth:]) / sum(seconds[-tenth:])),
        "slowest_call_seconds": round(max(seconds), 2),
        "seconds_a_tenth": [round(float(part.sum()), 1) for part in np.array_split(np.array(seconds), min(10, len(seconds)))],
        "closing_seconds": round(closing_seconds, 2),
        "own_memory_mb": peak >> 20,
        "planted_found": {kind: round(right[kind] / max(1, planted[kind]), 4) for kind in right},
        "new_called_copies": wrong,
        "disk": on_disk(folder / index, int(done[-1])),
    }


def compacted(folder: Path, index: str) -> dict[str, Any]:
    """``compact``: seconds, and the bytes afterwards."""
    import dedup

    with dedup.Index.open(folder / index, mode="a") as opened:
        begun = time.perf_counter()
        opened.compact()
        seconds = time.perf_counter() - begun
        documents = len(opened)
    return {"seconds": round(seconds, 1), "own_memory_mb": memory_bytes("VmHWM") >> 20, "disk": on_disk(folder / index, documents)}


def on_disk(index: Path, documents: int) -> dict[str, float]:
    """Bytes per document by kind of content."""
    with closing(sqlite3.connect(f"{(index / 'index.sqlite').absolute().as_uri()}?mode=ro", uri=True)) as connection:
        tables = dict(connection.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name"))
        words = connection.execute("SELECT sum(length(words)) FROM documents").fetchone()[0] or 0
        free = connection.execute("PRAGMA freelist_count").fetchone()[0] * connection.execute("PRAGMA page_size").fetchone()[0]
    files = {path.name: path.stat().st_size for path in index.iterdir()}
    parts = {
        "words": words,
        "entries": tables["documents"] - words,
        "vocabulary": tables.get("vocabulary", 0),
        "postings": sum(size for name, size in files.items() if name.endswith(".seg")) + tables.get("recent_postings", 0),
    }
    whole = sum(files.values())
    parts |= {"free pages": free, "other": whole - sum(parts.values()) - free, "whole": whole}
    return {name: round(size / documents, 1) for name, size in parts.items()}


def opened(folder: Path, index: str) -> dict[str, Any]:
    """Seconds in a new process to ``import dedup``, open an index for reading, and get the first and second verdict."""
    text = [document for document, _, _ in _probes(folder)[:2]]
    begun, faults = time.perf_counter(), _faults()
    import dedup
    import dedup.index.index

    imported = time.perf_counter()
    with dedup.Index.open(folder / index, mode="r") as opened:
        ready = time.perf_counter()
        opened.check(text[0])
        first = time.perf_counter()
        opened.check(text[1])
        second = time.perf_counter()
    times = np.diff([begun, imported, ready, first, second]) * 1000
    return dict(zip(("import_ms", "open_ms", "first_check_ms", "second_check_ms"), np.round(times, 2).tolist(), strict=True)) | {
        "pages_from_disk": _faults() - faults
    }


def checked(folder: Path, index: str, documents: int, cold: bool = False) -> dict[str, Any]:
    """Latency of ``check`` on one core by kind of text, known copies found, and memory of the process.

    Checks new texts and copies of the first ``documents`` of the crawl, which the index contains. ``cold``: kernels are
    compiled on another, small index, so that the very first check of this one counts.
    """
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else []
    if cores:
        os.sched_setaffinity(0, {cores[-1]})
    import dedup

    probes = _probes(folder, documents)
    if cold:
        with dedup.Index.open(folder / f"{index}-warm", mode="r") as small:
            for document, _, _ in probes[-WARM:]:
                small.check(document)
    before, faults = {name: memory_bytes(name) for name in ("RssAnon", "RssFile")}, _faults()
    with dedup.Index.open(folder / index, dedup.Config.from_dict(_config(folder / index)).replace({"run.threads": 1}), "r") as opened:
        answer = timed(probes, lambda document: _said(opened.check(document)), 0 if cold else WARM)
        after = {name: memory_bytes(name) for name in ("RssAnon", "RssFile")}
    return answer | {
        "own_memory_mb": after["RssAnon"] >> 20,
        "own_memory_of_index_mb": (after["RssAnon"] - before["RssAnon"]) >> 20,
        "mapped_memory_mb": after["RssFile"] >> 20,
        "pages_from_disk": _faults() - faults,
    }


def one_by_one(folder: Path, index: str, documents: int, durability: str) -> dict[str, Any]:
    """``ingest`` one document after another."""
    import dedup

    rows = pq.read_table(folder / "more.parquet").select(SHOWN).to_pylist()
    rows = rows[: documents + WARM] if durability == "process" else rows[-documents - WARM :]
    with dedup.Index.open(folder / index, mode="a", durability=durability) as opened:
        for row in rows[:WARM]:
            opened.ingest(row)
        times = []
        for row in rows[WARM:]:
            begun = time.perf_counter()
            opened.ingest(row)
            times.append(time.perf_counter() - begun)
    return {"durability": durability, "documents": len(times), "per_second": round(len(times) / sum(times)), **_quantiles(times)}


def timed(
    probes: list[tuple[dict[str, Any], str, str | None]],
    ask: Callable[[dict[str, Any]], list[str]],
    warm: int = WARM,
    origins: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Milliseconds by kind of ``ask``, which returns ids; the share of texts whose original is ``found``, and unrelated ids a text.

    The first ``warm`` texts run before the clock starts. ``origins`` of known copies: a copy of the same original is related.
    """
    for document, _, _ in probes[:warm]:
        ask(document)
    times: dict[str, list[float]] = {}
    every: list[float] = []
    found, strangers, got = {}, {}, {}
    for document, kind, origin in probes[warm:]:
        begun = time.perf_counter()
        said = ask(document)
        every.append(time.perf_counter() - begun)
        times.setdefault(kind, []).append(every[-1])
        said = [(origins or {}).get(name, name) for name in said]
        found[kind] = found.get(kind, 0) + (origin in said)
        strangers[kind] = strangers.get(kind, 0) + len(set(said) - {origin})
        got[kind] = got.get(kind, 0) + bool(set(said))
    return {
        "all": _quantiles(every) | {"texts": len(every)},
        "first_ms": round(every[0] * 1000, 2),
        "first_100": _quantiles(every[:100]),
        "kinds": {
            kind: _quantiles(seconds)
            | ({"found": round(found[kind] / len(seconds), 4)} if kind not in ("new", "real") else {"called_copies": got[kind]})
            | {"strangers_a_text": round(strangers[kind] / len(seconds), 3)}
            for kind, seconds in sorted(times.items())
        },
    }


def _quantiles(seconds: list[float]) -> dict[str, float]:
    p50, p90, p99 = np.percentile(np.array(seconds) * 1000, [50, 90, 99])
    return {"p50_ms": round(p50, 3), "p90_ms": round(p90, 3), "p99_ms": round(p99, 3), "max_ms": round(max(seconds) * 1000, 2)}


def _said(verdict: Any) -> list[str]:
    return [verdict.canonical_id] if verdict.status == "copy" else []


def _config(index: Path) -> dict[str, Any]:
    with closing(sqlite3.connect(f"{(index / 'index.sqlite').absolute().as_uri()}?mode=ro", uri=True)) as connection:
        return json.loads(connection.execute("SELECT value FROM meta WHERE name = 'config'").fetchone()[0])


def _probes(folder: Path, below: int | None = None) -> list[tuple[dict[str, Any], str, str | None]]:
    """(document, kind, its original) with the kinds mixed; ``below``: only originals among the first documents."""
    rows = pq.read_table(folder / "probes.parquet").to_pylist()
    rows = [row for row in rows if below is None or row["origin"] is None or int(row["origin"][1:]) < below]
    order = np.random.default_rng(5).permutation(len(rows))
    return [({name: rows[i][name] for name in SHOWN}, rows[i]["kind"], rows[i]["origin"]) for i in order]


def _groups(folder: Path, documents: int) -> Iterator[pa.Table]:
    file = pq.ParquetFile(folder / "crawl.parquet")
    for number in range(file.num_row_groups):
        if documents <= 0:
            return
        yield file.read_row_group(number).slice(0, documents)
        documents -= file.metadata.row_group(number).num_rows


def _none() -> dict[str, int]:
    return dict.fromkeys(("exact", "near", "excerpt", "longer"), 0)


def _faults() -> int:
    """Pages read from disk."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_majflt


MEASURES: dict[str, Callable[..., dict[str, Any]]] = {
    "ingested": ingested, "compacted": compacted, "opened": opened, "checked": checked, "one_by_one": one_by_one,
}  # fmt: skip

if __name__ == "__main__":
    main()
