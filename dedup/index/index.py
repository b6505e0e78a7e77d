"""The class ``Index``: reads, decides and writes documents, and retries after write conflicts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from ..config import Config
from ..errors import ConfigError, InputError
from ..readers import ReadLog
from ..schema import EPOCH, VERDICTS
from ..text.document_frequencies import background_of
from .decision import Decisions, decide
from .document import Document, checked
from .incoming import Incoming, blocks, read_page, split_at_updates, split_crowded
from .lookup import find_entry, find_known, find_parts, look_up
from .metadata import config_of, metadata_of, span_of
from .open_store import open_store
from .store import MOST_DOCUMENTS, Entry, Store, WriteBatch, WriteConflict, check_writable
from .stories import OnlineStories
from .updates import block_change, expired, removal, update_canonicals
from .verdict import Verdict, story_name, table_of, verdict_of, with_parts

#: Expired documents deleted in one commit, and documents ingested between two searches for expired
#: ones.
_EXPIRED_AT_ONCE, _BETWEEN_EXPIRIES = 2000, 500
#: Incoming documents that are only checked are numbered from here: no entry has such a number.
_UNUSED_NUMBER = MOST_DOCUMENTS


class Index:
    """An index of texts on disk or in Redis; open it with ``Index.open``.

    Thread-safe: calls run one at a time.

    Notes
    -----
    What is indexed stays: a document is never dropped for one that comes later, so ``copies.keep = "earliest"`` is the order of
    arrival. With another policy, a document that comes later is kept or a copy by its own share all the same; the policy chooses
    between kept documents that hold equally much of it, and who is kept of the copies of a document that is removed or updated.

    Examples
    --------
    >>> with dedup.Index.open("news.index") as index:  # doctest: +SKIP
    ...     verdict = index.ingest(dedup.Document(id="spa-1", text=text, title="أمير الرياض يستقبل السفير الياباني"))
    ...     verdict.action, verdict.story_id
    ('index', 's5c2f9b1f0a4e7d36')
    """

    def __init__(self, store: Store, config: Config, stories: OnlineStories | None, keep: int | None, *, writes: bool, name: str) -> None:
        self._store, self.config, self._stories, self._keep = store, config, stories, keep
        self._writes, self._name = writes, name
        self._lock = threading.RLock()
        self._ingested_since_expiry = _BETWEEN_EXPIRIES
        self._closed = False

    @classmethod
    def open(
        cls,
        path: Any,
        config: Config | None = None,
        mode: str = "a",
        *,
        durability: str = "process",
        keep: str | timedelta | None = None,
    ) -> Index:
        """Open an index.

        Parameters
        ----------
        path : str or os.PathLike
            A folder, or a URL ``redis://host:port/db?prefix=news``.
        config : Config, optional
            Settings. If omitted, those of the index, or the defaults for a new one. The sections
            ``input``, ``run`` and ``signatures`` are free; all others must be those of the index.
        mode : {"a", "r", "w"}
            ``a`` reads and writes, and creates the index if there is none; ``r`` reads; ``w``
            replaces what is there by a new index. Any number of processes can read. One process at
            a time can write to a folder, several to Redis.
        durability : {"process", "sync"}
            What survives once a call has returned: with ``process`` the end of the process, however
            it ends; with ``sync`` a power failure too.
        keep : str or timedelta, optional
            How long after their arrival documents stay (``"90d"``). A canonical stays as long as
            one of its copies does.

        Raises
        ------
        InputError
            If there is no index, it is damaged, or it was made by a version that compares texts
            differently.
        OutputError
            If it cannot be written, or another process writes to it.
        ConfigError
            If settings differ from those of the index, or a parameter is invalid.
        """
        keep_micros = span_of(keep)
        if keep_micros is not None and mode == "r":
            raise ConfigError("keep deletes documents, which needs an index that is open for writing. Use mode 'a', or omit keep.")
        asked = config or Config()
        metadata = metadata_of(asked, background_of(asked.stories.background)) if mode != "r" else {}
        store, name = open_store(path, metadata, mode, durability)
        try:
            config, known = config_of(name, store.metadata, config)
            store.sync()
        except BaseException:
            store.close()
            raise
        stories = OnlineStories(store, config, known) if config.stories.enabled else None
        return cls(store, config, stories, keep_micros, writes=mode != "r", name=name)

    def check(self, document: Document | Mapping[str, Any]) -> Verdict:
        """The verdict on a document, without adding it.

        Raises
        ------
        InputError
            If the document cannot be used; the message says why.
        """
        page = checked(Document.of(document))
        with self._using():
            return self._check_pages(read_page(page, self.config))[0]

    def ingest(self, document: Document | Mapping[str, Any]) -> Verdict:
        """The verdict on a document, which is added in the same step.

        When this returns, the document is stored (see ``durability``).

        Raises
        ------
        InputError
            If the document cannot be used.
        OutputError
            If the index is open for reading or cannot be written; then nothing was added.
        """
        page = checked(Document.of(document))
        with self._using(writing=True):
            verdict = self._ingest_pages(read_page(page, self.config))[0]
            self._expire_if_due(1)
            return verdict

    def check_batch(self, data: Any) -> Any:
        """The verdicts on documents, each as if it came alone.

        Parameters
        ----------
        data : Arrow table or iterable of mappings
            Whatever ``dedup.run`` takes in memory. A row without an id is identified by its URL.

        Returns
        -------
        pyarrow.Table, ``schema.VERDICTS``
            A row for each document, those of a page together, and one for each row that cannot be
            used: its ``action`` is ``reject``, and ``reason`` says why.
        """
        return self._judge_batch(data, self._check_pages, writing=False)

    def ingest_batch(self, data: Any) -> Any:
        """The verdicts on documents, which are added one after the other.

        Parameters and result are those of ``check_batch``. Rows are added in blocks, each whole or
        not at all: if this fails, the first blocks may be stored; when it returns, all are.
        """
        table = self._judge_batch(data, self._ingest_pages, writing=True)
        with self._using(writing=True):
            self._expire_if_due(len(table))
        return table

    def remove(self, doc_id: str) -> bool:
        """Remove a document; True if it was there.

        The further documents of its page are removed too. If it was a canonical, the first of its copies by the survivor policy
        is kept and becomes canonical of those whose text stands in it. Stories keep their ids.
        """
        with self._using(writing=True):
            self._follow()
            entry = find_entry(self._store, doc_id)
            if entry is None:
                return False
            for gone in [*find_parts(self._store, entry.doc_id, 1, entry.parts), entry]:
                self._remove_entry(gone.number)
            return True

    def get(self, doc_id: str) -> dict[str, Any] | None:
        """What the index stores about a document, without its text; None if the id is unknown."""
        with self._using():
            self._follow()
            entry = find_entry(self._store, doc_id)
            if entry is None:
                return None
            canonical, held = self._store.fetch([entry.canonical, entry.canonical if entry.extends is None else entry.extends])
            hidden = ("number", "canonical", "extends", "story", "digest")
            details = {name: value for name, value in asdict(entry).items() if name not in hidden}
            return details | {
                "canonical_id": canonical.doc_id if canonical is not None else entry.doc_id,
                "extends_id": held.doc_id if held is not None and entry.extends is not None else None,
                "story_id": None if entry.story is None else story_name(entry.story),
                "published": _datetime(entry.published),
                "arrived": _datetime(entry.arrived),
            }

    def __len__(self) -> int:
        """Number of documents in the index."""
        with self._using():
            self._follow()
            return len(self._store)

    def __contains__(self, doc_id: str) -> bool:
        """Whether the index has a document of this id."""
        return self.get(doc_id) is not None

    def stats(self) -> dict[str, Any]:
        """Statistics of the index: documents, copies, bytes and more."""
        with self._using():
            self._follow()
            return self._store.stats()

    def story_events(self, since: int = 0) -> list[dict[str, Any]]:
        """Changes of stories after they got their ids: ``story_merged``, ``story_split``.

        Parameters
        ----------
        since : int
            The ``number`` of the last event that the caller knows.

        Returns
        -------
        list of dict
            The columns of ``schema.EVENTS``, ``number`` and ``recorded``.
        """
        with self._using():
            self._follow()
            return [row | {name: _datetime(row[name]) for name in ("at", "recorded")} for row in self._store.events(since)]

    def review_stories(self) -> int:
        """Cluster the whole window at once and record the merges and splits that this reveals.

        Takes as long as the stories of a batch run over the window (some seconds for ten thousand
        documents).

        Returns
        -------
        int
            How many events were recorded.
        """
        with self._using(writing=True):
            if self._stories is None:
                return 0
            self._follow()
            found = self._stories.review()
            while new := self._without_recorded(found):
                if self._try_commit(WriteBatch(events=new)):
                    return len(new)
            return 0

    def compact(self) -> None:
        """Delete expired documents (see ``keep``), free space, reorganize files, review stories."""
        with self._using(writing=True):
            self._follow()
            if self._keep is not None:
                self._expire(self._keep)
            self._store.compact()
            self.review_stories()

    def close(self) -> None:
        """Release files, connections and the lock. Closing twice does no harm."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._store.close()

    def __enter__(self) -> Index:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _using(self, *, writing: bool = False) -> Iterator[None]:
        """Hold the lock of an index that is open, and open for writing if that is needed."""
        if writing and not self._closed:
            check_writable(self._name, self._writes)
        with self._lock:
            if self._closed:  # perhaps by another thread, while this one waited
                raise InputError(f"{self._name}: the index is closed. Open it again.")
            try:
                yield
            except BaseException as error:
                if self._stories is not None and not isinstance(error, InputError):
                    self._stories.reset()  # it may have been interrupted anywhere
                raise

    def _follow(self) -> None:
        """Take in what other writers changed."""
        added, removed = self._store.sync()
        if self._stories is not None and (added or removed):
            self._stories.follow(added, removed)

    def _check_pages(self, incoming: Incoming) -> list[Verdict]:
        """The verdict on each page as if it came alone."""
        return [verdict for part in self._parts_to_decide(incoming) for verdict in self._check_part(part)]

    def _ingest_pages(self, incoming: Incoming) -> list[Verdict]:
        """The verdict on each page, which is added. The second document of one id is an update."""
        return [verdict for part in self._parts_to_decide(incoming) for verdict in self._ingest_part(part)]

    def _parts_to_decide(self, incoming: Incoming) -> Iterator[Incoming]:
        """Whole pages that can be decided together."""
        spans = [slice(0, len(incoming))]
        if incoming.pages[0] != incoming.pages[-1]:
            self._follow()
            known = find_known(incoming, self._store)
            updated = [entry is not None and not incoming.is_same(row, entry) for row, entry in enumerate(known)]
            spans = split_at_updates(incoming, np.array(updated, bool))
        for span in spans:
            yield from split_crowded(incoming.take(span))

    def _check_part(self, incoming: Incoming) -> list[Verdict]:
        self._follow()
        found = look_up(incoming, self._store, self.config, together=False)
        found, _ = update_canonicals(incoming, found, self._store, self.config)
        numbers = [_UNUSED_NUMBER + row for row in range(len(incoming))]
        decided = decide(incoming, found, self._store, self.config, numbers, _now())
        if self._stories is not None:
            self._stories.propose(incoming, decided)
        return _verdicts(incoming, decided, found.known)

    def _ingest_part(self, incoming: Incoming) -> list[Verdict]:
        """Decide and commit; again if another writer was faster."""
        first, events = -1, []
        while True:
            self._follow()
            found = look_up(incoming, self._store, self.config, together=True)
            if self._remove_old_parts(incoming, found.known):
                continue
            found, regrouped = update_canonicals(incoming, found, self._store, self.config)
            if first < 0 and any(known is None for known in found.known):
                first = self._store.allocate(len(incoming))
            decided = decide(incoming, found, self._store, self.config, [first + row for row in range(len(incoming))], _now())
            if self._stories is not None:
                events += self._stories.assign(incoming, decided)  # a merge is found only once, even if the commit must be retried
            change = block_change(incoming, decided, found.known, self.config).join(regrouped)
            change.events = events
            if not change.entries:
                return _verdicts(incoming, decided, found.known)
            try:
                self._store.commit(change)
            except WriteConflict:
                if self._stories is not None:
                    self._stories.forget([entry.number for entry in change.entries])
                continue
            if self._stories is not None and regrouped.entries:
                self._stories.follow([entry.number for entry in regrouped.entries], [])
            return _verdicts(incoming, decided, found.known)

    def _remove_old_parts(self, incoming: Incoming, known: list[Entry | None]) -> bool:
        """Remove further documents that pages no longer have; whether there were any."""
        gone = []
        for row, entry in enumerate(known):
            if entry is not None and entry.doc_id == entry.page_id and entry.parts > incoming.parts[row]:
                gone += find_parts(self._store, entry.page_id, incoming.parts[row] + 1, entry.parts)
        for entry in gone:
            self._remove_entry(entry.number)
        return bool(gone)

    def _remove_entry(self, number: int) -> None:
        while (removing := removal(self._store, number, self.config)) is not None:
            change, tied = removing
            if self._try_commit(change):
                if self._stories is not None:
                    self._stories.follow(tied, [number])
                return

    def _try_commit(self, change: WriteBatch) -> bool:
        """Commit; False if another writer was faster: its changes were seen, so decide again."""
        try:
            self._store.commit(change)
        except WriteConflict:
            self._follow()
            return False
        return True

    def _expire_if_due(self, ingested: int) -> None:
        self._ingested_since_expiry += ingested
        if self._keep is not None and self._ingested_since_expiry >= _BETWEEN_EXPIRIES:
            self._ingested_since_expiry = 0
            self._expire(self._keep)

    def _expire(self, keep: int) -> None:
        """Delete documents that arrived more than ``keep`` microseconds ago."""
        while (change := expired(self._store, _now() - keep, _EXPIRED_AT_ONCE)).removed:
            if self._try_commit(change) and self._stories is not None:
                self._stories.forget(change.removed)

    def _without_recorded(self, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The events that are not in the store yet."""

        def identity(row: dict[str, Any]) -> tuple[str, frozenset[str]]:
            return row["event"], frozenset([row["story_id"], row["other_id"]])

        recorded = {identity(row) for row in self._store.events(0)}
        return [row for row in events if identity(row) not in recorded]

    def _judge_batch(self, data: Any, judge: Callable[[Incoming], list[Verdict]], *, writing: bool) -> Any:
        tables = []
        for block in blocks(data, self.config, ReadLog()):
            with self._using(writing=writing):
                verdicts = judge(block.incoming) if block.incoming is not None else []
                tables.append(table_of(list(zip(block.rows, verdicts, strict=True)), block.rejects))
        return pa.concat_tables(tables) if tables else VERDICTS.empty_table()


def _verdicts(incoming: Incoming, decided: Decisions, known: list[Entry | None]) -> list[Verdict]:
    """The verdict on each page, with its parts."""
    items = zip(decided.entries, decided.canonicals, decided.held, known, decided.remarks, decided.same.tolist(), strict=True)
    verdicts = [verdict_of(*item, same=same) for *item, same in items]
    return verdicts if len(verdicts) == 1 else with_parts(verdicts, incoming.pages)


def _now() -> int:
    return time.time_ns() // 1000


def _datetime(micros: int | None) -> datetime | None:
    return None if micros is None else EPOCH + timedelta(microseconds=micros)
