"""Two ways to keep an index in Redis, on the same keys in one run: datasketch's storage layer, and the packed lists of ``RedisStore``.

    python -m bench.redis_layouts [--documents 5000] [--url redis://127.0.0.1:6379/9]

Each document has 32 keys, the bands (4 rows) of a signature of 128 random values; 30 % are copies of an earlier document, so that lookups
find something. Both are filled with all documents, then asked for 500 of them. datasketch keeps keys and names alone; ``RedisStore`` also
an entry and 300 words of each document, which are what a verdict is made from, and its lookup reads them for all that it found.
The database is emptied before each of them; without ``--url`` the server that the tests start is used.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import redis
from datasketch import MinHash, MinHashLSH

from dedup.index.redis.store import RedisStore
from dedup.index.store import CLASS_BITS, Entry, TokenRows, WriteBatch

BANDS, ROWS, WORDS, ASKED = 32, 4, 300, 500


class Work:
    """The same documents for all: signatures, their band keys, words."""

    def __init__(self, documents: int) -> None:
        rng = np.random.default_rng(0)
        self.signatures = rng.integers(0, 1 << 32, (documents, BANDS * ROWS), np.uint64)
        copies = np.flatnonzero(rng.random(documents) < 0.3)[1:]
        self.signatures[copies] = self.signatures[(copies * rng.random(len(copies))).astype(int)]
        mixed = self.signatures.reshape(documents, BANDS, ROWS) * np.array(
            [0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 1], np.uint64
        )
        self.keys = np.bitwise_xor.reduce(mixed, axis=2) + np.arange(BANDS, dtype=np.uint64)
        vocabulary = rng.integers(1, 1 << 63, (60_000, 2), np.uint64)
        words = vocabulary[rng.zipf(1.2, documents * WORDS) % len(vocabulary)].reshape(documents, WORDS, 2)
        self.tokens, self.terms = words[:, :, 0], words[:, :, 1]
        self.asked = rng.integers(0, documents, ASKED)
        self.minhashes = [MinHash(BANDS * ROWS, hashvalues=row, scheme="affine32") for row in self.signatures.astype(np.uint32)]

    def batch(self, numbers: range) -> WriteBatch:
        """The documents of these numbers."""
        rows = slice(numbers.start, numbers.stop)
        entries = [_entry(number) for number in numbers]
        words = TokenRows(self.tokens[rows].ravel(), self.terms[rows].ravel(), np.arange(len(numbers) + 1, dtype=np.int64) * WORDS)
        return WriteBatch(entries, words, self.keys[rows].ravel(), np.repeat(np.array(numbers, np.uint32) << CLASS_BITS | 5, BANDS))


def _entry(number: int) -> Entry:
    name = f"https://example.org/news/2024/05/{number:09}"
    return Entry(
        number, name, name, "article", "unique", number, None, None, None, None, None, None, 1_700_000_000_000_000 + number,
        "example.org", name, "افتتاح معرض الكتاب الدولي في العاصمة", WORDS, number.to_bytes(16, "little"), 0,
    )  # fmt: skip


@contextmanager
def _server(url: str | None) -> Iterator[str]:
    if url:
        yield url
        return
    from tests.index.redis.redis_server import RedisServer

    server = RedisServer()
    try:
        yield server.url
    finally:
        server.close()


def _measure(client: redis.Redis, name: str, work: Work, insert: Callable[[], None], query: Callable[[int], int]) -> None:
    documents = len(work.keys)
    before = client.info("memory")["used_memory"]
    start = time.perf_counter()
    insert()
    seconds = time.perf_counter() - start
    size = (client.info("memory")["used_memory"] - before) / documents
    found, times = 0, []
    for row in work.asked.tolist():
        start = time.perf_counter()
        found += query(row)
        times.append(1_000 * (time.perf_counter() - start))
    p50, p99 = np.percentile(times, [50, 99])
    print(f"| {name} | {documents / seconds:,.0f} | {p50:.2f} / {p99:.2f} | {found:,} | {size:,.0f} |", flush=True)


def _datasketch(url: str) -> MinHashLSH:
    place = redis.connection.parse_url(url)
    storage = {"type": "redis", "basename": b"bench", "redis": {"host": place["host"], "port": place["port"], "db": place.get("db", 0)}}
    return MinHashLSH(num_perm=BANDS * ROWS, params=(BANDS, ROWS), storage_config=storage)


def run(documents: int, url: str) -> None:
    """Fill and ask each of them, and print a table."""
    work = Work(documents)
    client = redis.Redis.from_url(url)
    facts = client.info("server")
    version = f"{facts.get('server_name', 'redis')} {facts.get('valkey_version', facts['redis_version'])}"
    print(f"{version}, {documents:,} documents, {BANDS} keys each\n")
    print("| layout | documents/s in | lookup p50 / p99 ms | found | bytes a document |\n|---|--:|--:|--:|--:|")

    for name, sessions in (("datasketch, one by one", False), ("datasketch, `insertion_session`", True)):
        client.execute_command("FLUSHDB", "SYNC")
        lsh = _datasketch(url)

        def insert(lsh: MinHashLSH = lsh, sessions: bool = sessions) -> None:
            if not sessions:
                for number, minhash in enumerate(work.minhashes):
                    lsh.insert(f"{number:09}", minhash, check_duplication=False)
                return
            with lsh.insertion_session() as session:
                for number, minhash in enumerate(work.minhashes):
                    session.insert(f"{number:09}", minhash, check_duplication=False)

        _measure(client, name, work, insert, lambda row, lsh=lsh: len(lsh.query(work.minhashes[row])))

    for name, size in (("RedisStore, one by one", 1), ("RedisStore, 2,000 at once", 2_000)):
        client.execute_command("FLUSHDB", "SYNC")
        store = RedisStore(url, {"bench": True})
        store.sync()
        store.reserve(documents)

        def commit(store: RedisStore = store, size: int = size) -> None:
            for first, end in pairwise([*range(0, documents, size), documents]):
                store.commit(work.batch(range(first, end)))

        def query(row: int, store: RedisStore = store) -> int:
            hits = store.find(work.keys[row], np.array([0, BANDS]), 200)
            numbers = np.unique(hits.values >> CLASS_BITS).tolist()
            store.fetch(numbers)
            store.words(numbers)
            return len(numbers)

        _measure(client, name, work, commit, query)
        store.close()
    client.execute_command("FLUSHDB", "SYNC")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=5_000)
    parser.add_argument("--url", help="a server whose database may be emptied")
    options = parser.parse_args()
    with _server(options.url) as url:
        run(options.documents, url)


if __name__ == "__main__":
    main()
