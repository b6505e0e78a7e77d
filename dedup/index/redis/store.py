"""An index in Redis, for several writers at once: ``redis://host:6379/0?prefix=news``.

One server (Redis or Valkey, no Cluster) holds an index; see ``RedisStore`` for its keys and
guarantees.
"""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ...arrays.rows import Ints
from ...errors import InputError, OutputError
from ..store import (
    CLASS_BITS,
    MOST_DOCUMENTS,
    Entry,
    Hashes,
    PostingLists,
    TokenRows,
    WriteBatch,
    WriteConflict,
    check_capacity,
    check_opening,
    check_writable,
)
from . import scripts
from .codec import (
    TOKEN_BYTES,
    gather_words,
    member,
    numbers_of,
    pack_change,
    pack_entry,
    pack_event,
    pack_postings,
    pack_words,
    split_keys,
    unpack_change,
    unpack_entry,
    unpack_event,
)
from .connection import Connection
from .setup import check_server, open_root, syncs_every_write

#: Changes kept in the feed; a reader further behind gets all entries.
FEED = 1 << 16
#: A commit of more postings, or more bytes of words, is sent in parts of this size, each of which
#: takes the server about 20 ms.
STAGED, STAGED_BYTES = 12_000, 4 << 20
#: Keys looked up and numbers fetched in one call.
ASKED, FETCHED = 4096, 1024
#: A bucket as the four bytes used in key names.
_NAME = struct.Struct(">I").pack
#: Milliseconds to wait until the server has synced to disk.
DISK_MS = 20_000


class RedisStore:
    """A ``Store`` in Redis.

    ``{prefix}:facts`` is the metadata that the index was made with. All other keys begin with its
    *root*: ``{prefix}:`` and four random letters drawn when the index is made. After the root
    come::

        i  identity           s  changes so far (the sequence)   n  next number   l  last number
        c  number of copies   f  change feed, a list             v  events, a list
        a  arrival times, a sorted set of numbers
        g  removed numbers that may still have postings, a set
        e + 4 bytes  an entry           w + 4 bytes  its words
        p + 4 bytes  the postings of a bucket of keys, 8 bytes each, in order of arrival
        q + 4 bytes  the middle of a long bucket, which lookups do not transfer

    Keys share buckets, because a Redis key costs ten times as much memory as a posting. Words are
    stored with each document, 16 bytes for each distinct one.

    *Concurrent writers.* ``commit`` is one script, which runs atomically. It compares the sequence
    with that of the last ``sync`` and raises ``WriteConflict`` if another writer was faster. Each
    change has a random token in the feed, so that a commit repeated because its reply was lost is
    applied once. With more than ``STAGED`` postings, most of them and the words of new entries are
    sent ahead in parts; they have no effect until their entries exist. A commit that then meets a
    conflict leaves postings without entries behind.

    *Durability* depends on the server. With ``appendonly yes`` and ``appendfsync everysec`` a crash
    can lose the last second; without ``appendonly`` it loses all since the last snapshot.
    ``durability="sync"`` waits until every commit is on the server's disk, and needs a server that
    confirms this. If a server has lost writes, ``sync`` notices and returns all entries.

    Parameters
    ----------
    url : str
        See ``connection.read_url``.
    metadata : mapping
        What a new index is made with, plain JSON. The attribute ``metadata`` is that of the opened
        index.
    mode : {"r", "a", "w"}
        Read; read and write, creating it if missing; replace it.
    durability : {"process", "sync"}
        Whether ``commit`` waits until the server has synced to disk (``sync``).
    """

    def __init__(self, url: str, metadata: Mapping[str, Any] | None = None, mode: str = "a", durability: str = "process") -> None:
        check_opening(mode, durability)
        self._connection = Connection(url)
        #: The URL without credentials.
        self.name = self._connection.address.display_url
        self._mode = mode
        try:
            check_server(self._connection, durability)
            self._waits = durability == "sync" and not syncs_every_write(self._connection)
            self.metadata, self._root, self._identity = open_root(self._connection, mode, dict(metadata or {}))
        except BaseException:
            self._connection.close()
            raise
        script = self._connection.script
        self._sync, self._find_long = script(scripts.SYNC), script(scripts.FIND_LONG)
        self._stage, self._commit, self._repack = script(scripts.STAGE), script(scripts.COMMIT), script(scripts.REPACK)
        self._seen, self._token = -1, b""
        self._new: set[int] = set()

    @classmethod
    def open(cls, url: str, metadata: Mapping[str, Any], mode: str, durability: str) -> RedisStore:
        """Same as ``RedisStore(...)``; every store has this method."""
        return cls(url, metadata, mode, durability)

    # Changes of other writers

    def sync(self) -> tuple[list[int], list[int]]:
        """See ``Store.sync``; more than ``FEED`` changes behind, it returns all numbers."""
        answer = self._run(self._sync, [self._seen, self._token], "looking for changes")
        behind, sequence, feed = answer[0], answer[1], answer[2:]
        first, self._seen = self._seen < 0, sequence
        if feed:
            self._token = feed[-1][:TOKEN_BYTES]
        if behind == scripts.LOST:
            self._token = feed[0][:TOKEN_BYTES]
            return ([], []) if first else self._all_changed()
        changed: dict[int, bool] = {}
        for packed in feed:
            for numbers, gone in zip(unpack_change(packed), (False, True), strict=True):
                changed.update(dict.fromkeys(numbers, gone))
        return [number for number, gone in changed.items() if not gone], [number for number, gone in changed.items() if gone]

    def _all_changed(self) -> tuple[list[int], list[int]]:
        there = self._existing_numbers()
        end = max([int(self._get(b"n") or 0), *(number + 1 for number in there)])
        return there, np.setdiff1d(np.arange(end), np.array(there, np.int64)).tolist()

    # Lookup

    def lookup(self, keys: Hashes, offsets: Ints, most: int) -> PostingLists:
        """See ``Store.lookup``: a request for up to ``ASKED`` keys and for each in a split bucket."""
        unique, back = np.unique(keys, return_inverse=True)
        parts = [self._postings_of_keys(unique[at : at + ASKED], most) for at in range(0, len(unique), ASKED)]
        values = np.concatenate([part[0] for part in parts]) if parts else np.empty(0, np.uint32)
        counts = np.concatenate([part[1] for part in parts]) if parts else np.empty(0, np.int64)
        long = np.concatenate([part[2] for part in parts]) if parts else np.empty(0, bool)
        starts = np.cumsum(counts) - counts
        lengths = counts[back]
        ends = np.cumsum(lengths)
        # Back to rows: the values of unique keys, repeated as often as the keys occur.
        places = np.repeat(starts[back] - (ends - lengths), lengths) + np.arange(ends[-1] if len(ends) else 0)
        edges, cut = np.concatenate([[0], ends]), np.concatenate([[0], np.cumsum(long[back])])
        return PostingLists(values[places], edges[offsets].astype(np.int64), np.diff(cut[offsets]).astype(np.int64))

    def all_numbers(self, key: int) -> Ints:
        """See ``Store.all_numbers``."""
        values, _, _ = self._postings_of_keys(np.array([key], np.uint64), MOST_DOCUMENTS)
        return np.unique(values >> CLASS_BITS).astype(np.int64)

    def _postings_of_keys(self, keys: Hashes, most: int) -> tuple[Any, Any, Any]:
        """Values of all keys in turn, how many of each, and which lists were truncated."""
        buckets, rests = split_keys(keys)
        lengths, records = self._read_buckets(b"p", buckets)
        owners = np.repeat(np.arange(len(keys)), lengths // 8)
        ours = np.flatnonzero(records[:, 1] == rests[owners])
        owners, values = owners[ours], records[ours, 0].astype(np.uint32)
        counts = np.bincount(owners, minlength=len(keys))
        if len(long_buckets := np.flatnonzero(lengths >= 8 * scripts.HEAD)):
            values, counts = self._with_middles(long_buckets, buckets, rests, (values, counts), most)
        if len(counts) and counts.max() <= most:
            return values, counts, counts > most
        ranks = np.arange(len(values)) - np.repeat(np.cumsum(counts) - counts, counts)
        return values[ranks < most], np.minimum(counts, most), counts > most

    def _with_middles(self, long_buckets: Any, buckets: Ints, rests: Ints, found: tuple[Any, Any], most: int) -> tuple[Any, Any]:
        """Replace the values and counts of keys in split buckets, whose middle is stored apart."""
        rows = np.split(found[0], np.cumsum(found[1])[:-1])
        for at in long_buckets.tolist():
            asked = [int(buckets[at]).to_bytes(4, "big"), int(rests[at]).to_bytes(4, "little"), min(most, MOST_DOCUMENTS) + 1]
            rows[at] = np.frombuffer(self._run(self._find_long, asked, "looking up keys")[1], "<u4")[::2].astype(np.uint32)
        return np.concatenate(rows), np.array([len(row) for row in rows], np.int64)

    def _read_buckets(self, letter: bytes, buckets: Ints) -> tuple[Ints, Any]:
        """Bytes of each bucket, and the records of all, uint32[n, 2]: value, bits of the key."""
        start = self._root + letter
        names = [start + name for name in map(_NAME, buckets.tolist())]
        identity, *lists = self._request("looking up keys", "mget", [self._root + b"i", *names])
        self._check_identity(identity)
        full = [each or b"" for each in lists]
        return np.fromiter(map(len, full), np.int64, len(full)), np.frombuffer(b"".join(full), "<u4").reshape(-1, 2)

    # Entries

    def fetch(self, numbers: Sequence[int]) -> list[Entry | None]:
        """See ``Store.fetch``."""
        packed = self._values(b"e", numbers)
        return [None if value is None else unpack_entry(number, value) for number, value in zip(numbers, packed, strict=True)]

    def words(self, numbers: Sequence[int]) -> TokenRows:
        """See ``Store.words``."""
        return gather_words(self._values(b"w", numbers))

    def _existing_numbers(self) -> list[int]:
        """Numbers of all entries, ascending."""
        members = self._request("looking for changes", "zrangebyscore", self._root + b"a", "-inf", "+inf")
        return sorted(numbers_of(b"".join(members)))

    def older_than(self, when: int, most: int) -> list[int]:
        """See ``Store.older_than``."""
        asked = (self._root + b"a", "-inf", f"({when}")
        return numbers_of(b"".join(self._request("looking for old entries", "zrangebyscore", *asked, start=0, num=most)))

    def events(self, since: int) -> list[dict[str, Any]]:
        """See ``Store.events``. The first event has number 1."""
        since = max(since, 0)
        packed = self._request("reading events", "lrange", self._root + b"v", since, -1)
        return [unpack_event(since + 1 + at, event) for at, event in enumerate(packed)]

    def __len__(self) -> int:
        return int(self._request("counting entries", "zcard", self._root + b"a"))

    def last_number(self) -> int:
        """See ``Store.last_number``."""
        return int(self._get(b"l") or -1)

    # Writing

    def allocate(self, count: int) -> int:
        """See ``Store.allocate``."""
        check_writable(self.name, self._mode != "r")
        after = int(self._connection.ask("allocating numbers", True, lambda: self._connection.client.incrby(self._root + b"n", count)))
        check_capacity(self.name, after)
        self._new.update(range(after - count, after))
        return after - count

    def commit(self, batch: WriteBatch) -> None:
        """See ``Store.commit``. Without an earlier ``sync`` there is no conflict."""
        check_writable(self.name, self._mode != "r")
        if self._seen < 0:
            self.sync()
        token = os.urandom(TOKEN_BYTES)
        entries = sorted(batch.entries, key=lambda entry: entry.number not in self._new)
        rows = {entry.number: row for row, entry in enumerate(batch.entries)}
        words = [
            (entry.number, self._pack_words_of_row(batch.words, rows[entry.number]))
            for entry in entries
            if entry.number not in batch.kept_words
        ]
        postings = pack_postings(batch.keys, batch.values)
        if len(batch.keys) > STAGED or sum(len(packed) for _, packed in words) > STAGED_BYTES:
            ahead = [(number, packed) for number, packed in words if number in self._new]
            self._send_ahead(token, postings, ahead)
            postings, words = b"", [(number, packed) for number, packed in words if number not in self._new]
        now = time.time_ns() // 1000
        arguments: list[Any] = [self._seen, self._token, token]
        arguments += [pack_change(token, list(rows), batch.removed), FEED, postings, b"".join(map(member, batch.removed))]
        arguments += [len(entries), len(words), len(batch.events), sum(number in self._new for number in rows), max(rows, default=-1)]
        for entry in entries:
            arguments += [member(entry.number), entry.arrived, pack_entry(entry)]
        for number, packed in words:
            arguments += [member(number), packed]
        arguments += [pack_event(event, now) for event in batch.events]
        answer, *synced = self._run(self._commit, arguments, "writing", True, self._waits)
        if answer == scripts.OVERTAKEN:
            raise WriteConflict
        if answer == scripts.TAKEN:
            raise OutputError(
                f"{self.name}: the server lost its last writes and gave numbers twice; nothing was written. Open the index again."
            )
        self._seen, self._token = self._seen + 1, token
        self._new.difference_update(rows)
        if synced and not (isinstance(synced[0], list) and synced[0][0] == 1):
            why = synced[0] if isinstance(synced[0], Exception) else f"it took more than {DISK_MS // 1000} s"
            raise OutputError(f"{self.name}: written, but the server did not confirm that it is on disk ({why}). Check its disk.")

    @staticmethod
    def _pack_words_of_row(words: TokenRows, row: int) -> bytes:
        place = slice(int(words.offsets[row]), int(words.offsets[row + 1]))
        return pack_words(words.tokens[place], words.terms[place])

    def _send_ahead(self, token: bytes, postings: bytes, words: list[tuple[int, bytes]]) -> None:
        """Send postings and words in parts; they have no effect before their entries exist."""
        parts: list[list[Any]] = [[postings[at : at + 12 * STAGED]] for at in range(0, len(postings), 12 * STAGED)]
        room = 0
        for number, packed in words:
            if room < len(packed):
                parts.append([b""])
                room = STAGED_BYTES
            parts[-1] += [member(number), packed]
            room -= len(packed)
        for number, part in enumerate(parts, 1):
            if self._run(self._stage, [self._seen, token, number, *part], "writing", True)[0] == scripts.OVERTAKEN:
                raise WriteConflict

    def compact(self) -> None:
        """Drop postings of removed documents, and duplicates.

        Scans all keys of the server, reads every bucket once and rewrites those that change.
        Postings of an earlier version of an entry stay.
        """
        check_writable(self.name, self._mode != "r")
        gone = sorted(self._request("compacting", "smembers", self._root + b"g"))
        removed = np.array(numbers_of(b"".join(gone)), np.int64)
        cursor, start = -1, self._root + b"p"
        while cursor:
            cursor, names = self._request("compacting", "scan", max(cursor, 0), match=start + b"*", count=ASKED)
            self._repack_buckets([name[len(start) :] for name in names], removed)
        for at in range(0, len(gone), FETCHED):
            some = gone[at : at + FETCHED]
            self._connection.ask("compacting", True, lambda some=some: self._connection.client.srem(self._root + b"g", *some))  # type: ignore[misc]

    def _repack_buckets(self, buckets: Sequence[bytes], removed: Ints) -> None:
        """Rewrite the buckets that contain removed numbers or duplicates."""
        names = [self._root + letter + bucket for bucket in buckets for letter in (b"p", b"q")]
        both = self._request("compacting", "mget", names) if names else []
        for bucket, head, apart in zip(buckets, both[::2], both[1::2], strict=True):
            head, apart = head or b"", apart or b""
            first = 8 * scripts.HEAD
            records = np.frombuffer(head[:first] + apart + head[first:], "<u8")
            if len(removed) or len(set(records.tolist())) < len(records):
                records = records[np.sort(np.unique(records, return_index=True)[1])]  # keeps the first of duplicates
                numbers = (records & np.uint64(0xFFFFFFFF)) >> np.uint64(CLASS_BITS)
                new = records[~np.isin(numbers, removed)].tobytes()
                if len(new) < len(head) + len(apart):
                    split = first if len(new) > 2 * first else len(new)
                    self._run(self._repack, [bucket, head, apart, new[:split], new[split:]], "compacting", True)

    def stats(self) -> dict[str, Any]:
        """See ``Store.stats``; ``bytes`` is the memory of the whole server."""
        memory = self._request("asking for figures", "info", "memory")
        server = self._request("asking for figures", "info", "server")
        return {
            "documents": len(self),
            "copies": int(self._get(b"c") or 0),
            "bytes": int(memory["used_memory"]),
            "changes": int(self._get(b"s") or 0),
            "events": int(self._request("asking for figures", "llen", self._root + b"v")),
            "removed_but_listed": int(self._request("asking for figures", "scard", self._root + b"g")),
            "server": f"{server.get('server_name', 'redis')} {server.get('valkey_version', server.get('redis_version'))}",
            "server_memory_limit": int(memory.get("maxmemory", 0)) or None,
        }

    def close(self) -> None:
        """See ``Store.close``."""
        self._connection.close()

    # Requests

    def _run(self, script: Callable[..., Any], arguments: Sequence[Any], job: str, writing: bool = False, wait: bool = False) -> list[Any]:
        """Run a script, with ``wait`` followed by ``WAITAOF``, whose reply comes last."""

        def asked() -> list[Any]:
            whole = [self._root, self._identity, *arguments]
            if not wait:
                return list(script(whole))
            with self._connection.client.pipeline(transaction=False) as together:
                script(whole, together)
                together.execute_command("WAITAOF", 1, 0, DISK_MS)
                answer, synced = together.execute(raise_on_error=False)
            if isinstance(answer, Exception):
                raise answer
            return [*answer, synced]

        answer = self._connection.ask(job, writing, asked)
        self._check_identity(None if answer[0] == scripts.GONE else self._identity)
        return answer

    def _check_identity(self, identity: bytes | None) -> None:
        if identity != self._identity:
            raise InputError(f"{self.name}: the index was deleted or replaced since it was opened. Open it again.")

    def _request(self, job: str, command: str, *arguments: Any, **options: Any) -> Any:
        return self._connection.ask(job, False, lambda: getattr(self._connection.client, command)(*arguments, **options))

    def _get(self, name: bytes) -> bytes | None:
        value: bytes | None = self._request("reading", "get", self._root + name)
        return value

    def _values(self, kind: bytes, numbers: Sequence[int]) -> list[bytes | None]:
        values: list[bytes | None] = []
        for at in range(0, len(numbers), FETCHED):
            values += self._request("reading", "mget", [self._root + kind + member(number) for number in numbers[at : at + FETCHED]])
        return values
