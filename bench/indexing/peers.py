"""datasketch's MinHashLSH on the same texts, in memory and on a Redis server: ``python -m bench.indexing.peers '{...}'``.

Run as its documentation recommends for speed: ``MinHash.bulk`` with xxhash, ``LeanMinHash``, ``insertion_session``. A query
signs the text and returns candidates; nothing is verified, because it stores no shingles. Words are split at spaces;
128 permutations, 32 bands of 4.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import xxhash
from datasketch import LeanMinHash, MinHash, MinHashLSH

from bench.memory import memory_bytes
from bench.peers import BANDS, PERMUTATIONS, ROWS, WORDS

from .measure import _groups, _probes, timed


def main() -> None:
    """Insert, query, print."""
    options = json.loads(sys.argv[1])
    print(json.dumps(measured(Path(options["folder"]), options["documents"], options.get("seconds", 600.0), options["redis"])))


def measured(folder: Path, documents: int, seconds: float, redis: bool) -> dict[str, Any]:
    """Insert the documents, or as many as fit in the time limit, and query them with probes on one core."""
    if not redis:
        return _asked(folder, MinHashLSH(num_perm=PERMUTATIONS, params=(BANDS, ROWS)), documents, seconds) | {"where": "memory"}
    from tests.index.redis.redis_server import RedisServer

    server = RedisServer()
    try:
        storage = {"type": "redis", "basename": b"bench", "redis": {"host": "127.0.0.1", "port": server.port}}
        lsh = MinHashLSH(num_perm=PERMUTATIONS, params=(BANDS, ROWS), storage_config=storage)
        answer = _asked(folder, lsh, documents, seconds)
        import redis as client

        used = client.Redis(port=server.port).info("memory")["used_memory"]
        return answer | {"where": "Redis", "server_bytes_a_document": round(used / answer["documents"])}
    finally:
        server.close()


def _asked(folder: Path, lsh: MinHashLSH, documents: int, seconds: float) -> dict[str, Any]:
    before, begun, done, signing, inserting = memory_bytes("RssAnon"), time.perf_counter(), 0, 0.0, 0.0
    origins: dict[str, str] = {}
    for table in _groups(folder, documents):
        names, texts = table["id"].to_pylist(), table["text"].to_pylist()
        origins |= {name: origin for name, origin in zip(names, table["origin"].to_pylist(), strict=True) if origin is not None}
        for first in range(0, len(names), 1024):
            start = time.perf_counter()
            sketches = list(
                MinHash.bulk(
                    [_shingles(text) for text in texts[first : first + 1024]], num_perm=PERMUTATIONS, hashfunc=xxhash.xxh32_intdigest
                )
            )
            signed = time.perf_counter()
            with lsh.insertion_session() as session:
                for name, sketch in zip(names[first : first + 1024], sketches, strict=False):
                    session.insert(name, LeanMinHash(sketch), check_duplication=False)
            inserting += time.perf_counter() - signed
            signing += signed - start
            done += len(sketches)
            if time.perf_counter() - begun > seconds:
                break
        if time.perf_counter() - begun > seconds:
            break
    memory = memory_bytes("RssAnon")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[-1]})

    def ask(document: dict[str, Any]) -> list[str]:
        (sketch,) = MinHash.bulk([_shingles(document["text"])], num_perm=PERMUTATIONS, hashfunc=xxhash.xxh32_intdigest)
        return lsh.query(LeanMinHash(sketch))

    return timed(_probes(folder, below=done), ask, origins=origins) | {
        "documents": done,
        "per_second": round(done / (signing + inserting)),
        "insert_alone_per_second": round(done / inserting),
        "own_memory_mb": memory >> 20,
        "own_memory_bytes_a_document": round((memory - before) / done),
    }


def _shingles(text: str) -> list[bytes]:
    words = text.split()
    return [" ".join(words[i : i + WORDS]).encode() for i in range(max(1, len(words) - WORDS + 1))]


if __name__ == "__main__":
    main()
