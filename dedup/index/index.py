"""The index: whether a text is new, a copy of what, and of which story. Asked of one text or of many, before they go anywhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from ..config import Config
from ..errors import ConfigError, InputError, OutputError
from ..readers import ReadLog
from ..schema import EPOCH, VERDICTS
from ..text.document_frequencies import background_of
from .changes import batch_of, entry_of, expired, joined, parts_of, removal, rewritten
from .decision import Decisions, decide
from .document import Document, checked
from .incoming import Incoming, blocks, read_page, spans_of, split_crowded, take
from .lookup import changed, look_up
from .metadata import config_of, metadata_of, span_of
from .open_store import open_store
from .store import MOST_DOCUMENTS, Entry, Store, WriteBatch, WriteConflict
from .stories import OnlineStories
from .verdict import Verdict, story_name, table_of, verdict_of, with_parts

#: Documents that are forgotten at a time, and ingested before the next are.
_FORGOTTEN, _BETWEEN = 2000, 500
#: A number that no entry has: arrivals that are only looked at are numbered from here.
_NOWHERE = MOST_DOCUMENTS


class Index:
    """An index of texts on disk or in Redis; open it with ``Index.open``.

    One thread at a time works on it; others wait. The README says what it promises when the power fails.

    Examples
    --------
    >>> with dedup.Index.open("news.index") as index:  # doctest: +SKIP
    ...     verdict = index.ingest(dedup.Document(id="spa-1", text=text, title="أمير الرياض يستقبل السفير الياباني"))
    ...     verdict.action, verdict.story_id
    ('index', 's5c2f9b1f0a4e7d36')
    """

    def __init__(self, store: Store, config: Config, storyline: OnlineStories | None, keep: int | None, *, writes: bool, name: str) -> None:
        self._store, self.config, self._storyline, self._keep = store, config, storyline, keep
        self._writes, self._name = writes, name
        self._lock = threading.RLock()
        self._since = _BETWEEN
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
        path : a folder, or a URL ``redis://host:port/db?prefix=news``
        config : settings; if left out those of the index, or the defaults for a new one. Sections ``input``, ``run`` and ``signatures``
            are free, all others must be those that the index was made with
        mode : ``a`` reads and adds, and makes the index if there is none; ``r`` reads, as many processes as like; ``w`` makes a new one
            in the place of what is there. One process at a time writes to a folder, many to Redis
        durability : ``process``, what was acknowledged outlives the process, however it ends; ``sync``, it outlives a power failure too
        keep : forget documents so long after they arrived (``"90d"``); a canonical stays as long as a copy of it does

        Raises
        ------
        InputError
            If there is no index, it is damaged, or was made by a version that compares in another way.
        OutputError
            If it cannot be written, or another process writes to it.
        ConfigError
            If settings do not fit those of the index, or a parameter is none of the above.
        """
        if mode not in ("r", "a", "w"):
            raise ConfigError(f"mode must be 'r', 'a' or 'w', got {mode!r}.")
        if durability not in ("process", "sync"):
            raise ConfigError(f"durability must be 'process' or 'sync', got {durability!r}.")
        kept = span_of(keep)
        if kept is not None and mode == "r":
            raise ConfigError("keep forgets documents, which needs an index that is open for writing: give mode 'a', or leave it out.")
        asked = config or Config()
        metadata = metadata_of(asked, background_of(asked.stories.background)) if mode != "r" else {}
        store, name = open_store(path, metadata, mode, durability)
        try:
            config, known = config_of(name, store.metadata, config)
            store.sync()
        except BaseException:
            store.close()
            raise
        storyline = OnlineStories(store, config, known) if config.stories.enabled else None
        return cls(store, config, storyline, kept, writes=mode != "r", name=name)

    def check(self, document: Document | Mapping[str, Any]) -> Verdict:
        """Say what a document is, without adding it.

        Raises
        ------
        InputError
            If the document cannot be used; the message says why.
        """
        page = checked(Document.of(document))
        with self._using():
            return self._look_at(read_page(page, self.config))[0]

    def ingest(self, document: Document | Mapping[str, Any]) -> Verdict:
        """Say what a document is and add it, in one step: it is in the index when this returns, see ``durability``.

        Raises
        ------
        InputError
            If the document cannot be used.
        OutputError
            If the index is open for reading, or cannot be written; then nothing was added.
        """
        page = checked(Document.of(document))
        with self._using(writing=True):
            verdict = self._take_in(read_page(page, self.config))[0]
            self._forget_some()
            return verdict

    def check_batch(self, data: Any) -> Any:
        """Say what documents are, each as if it came alone.

        Parameters
        ----------
        data : what ``dedup.run`` takes in memory: any Arrow table, or an iterable of mappings. A row without an id is known by its URL

        Returns
        -------
        pyarrow.Table, ``schema.VERDICTS``
            One row for each document, those of a page together, and for each row that cannot be used: ``action`` is ``reject``, and
            ``reason`` says why.
        """
        return self._batch(data, self._look_at, writing=False)

    def ingest_batch(self, data: Any) -> Any:
        """Say what documents are and add them, one after the other; parameters and result as of ``check_batch``.

        Rows are added in blocks, each whole or not at all: when this fails the first ones may be there, when it returns all are.
        """
        table = self._batch(data, self._take_in, writing=True)
        with self._using(writing=True):
            self._forget_some(len(table))
        return table

    def remove(self, doc_id: str) -> bool:
        """Take a document out of the index; whether it was there.

        The further documents of its page go with it. Where it was a canonical, the first of its copies comes to stand for those that
        it matches. Stories keep their ids.
        """
        with self._using(writing=True):
            self._follow()
            entry = entry_of(self._store, doc_id)
            if entry is None:
                return False
            for gone in [*parts_of(self._store, entry.doc_id, 1, entry.parts), entry]:
                self._withdraw(gone.number)
            return True

    def get(self, doc_id: str) -> dict[str, Any] | None:
        """What the index has of a document, its text aside; None if it has none of this id."""
        with self._using():
            self._follow()
            entry = entry_of(self._store, doc_id)
            if entry is None:
                return None
            canonical = self._store.fetch([entry.canonical])[0]
            details = {name: value for name, value in asdict(entry).items() if name not in ("number", "canonical", "story", "digest")}
            return details | {
                "canonical_id": canonical.doc_id if canonical is not None else entry.doc_id,
                "story_id": None if entry.story is None else story_name(entry.story),
                "published": _moment(entry.published),
                "arrived": _moment(entry.arrived),
            }

    def __len__(self) -> int:
        """Documents in the index."""
        with self._using():
            self._follow()
            return len(self._store)

    def __contains__(self, doc_id: str) -> bool:
        """Whether a document of this id is in the index."""
        return self.get(doc_id) is not None

    def stats(self) -> dict[str, Any]:
        """Facts about the index: documents, copies, bytes and more."""
        with self._using():
            self._follow()
            return self._store.stats()

    def story_events(self, since: int = 0) -> list[dict[str, Any]]:
        """What became of stories after they got their ids: ``story_merged``, ``story_split``.

        Parameters
        ----------
        since : the ``number`` of the last event that is known already

        Returns
        -------
        list of dict, columns of ``schema.EVENTS`` and ``number``, ``recorded``
        """
        with self._using():
            self._follow()
            return [row | {name: _moment(row[name]) for name in ("at", "recorded")} for row in self._store.events(since)]

    def review_stories(self) -> int:
        """Look at all documents of the window at once and record merges and splits that show only then; how many were recorded.

        It takes as long as the stories of a batch run over the window (some seconds for ten thousand documents).
        """
        with self._using(writing=True):
            if self._storyline is None:
                return 0
            self._follow()
            found = self._storyline.review()
            while fresh := self._untold(found):
                if self._is_committed(WriteBatch(events=fresh)):
                    return len(fresh)
            return 0

    def compact(self) -> None:
        """Forget what is too old (see ``keep``), give back its room, put files in order, and review stories."""
        with self._using(writing=True):
            self._follow()
            if self._keep is not None:
                self._forget(self._keep)
            self._store.compact()
            self.review_stories()

    def close(self) -> None:
        """Let go of files, connections and the lock; more calls change nothing."""
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
        if writing and not self._writes and not self._closed:
            raise OutputError(f"{self._name}: the index is open for reading. Open it with mode 'a' to change it.")
        with self._lock:
            if self._closed:  # perhaps by another thread, while this one waited
                raise InputError(f"{self._name}: the index is closed. Open it again.")
            try:
                yield
            except BaseException as error:
                if self._storyline is not None and not isinstance(error, InputError):
                    self._storyline.reset()  # it may have been broken off anywhere
                raise

    def _follow(self) -> None:
        added, removed = self._store.sync()
        if self._storyline is not None and (added or removed):
            self._storyline.follow(added, removed)

    def _look_at(self, arrivals: Incoming) -> list[Verdict]:
        """Decide what each page is as if it came alone."""
        return [verdict for part in self._apart(arrivals) for verdict in self._told(part, *self._look(part))]

    def _apart(self, arrivals: Incoming) -> Iterator[Incoming]:
        """Whole pages that can be decided together."""
        spans = [slice(0, len(arrivals))]
        if arrivals.pages[0] != arrivals.pages[-1]:
            self._follow()
            spans = spans_of(arrivals, changed(arrivals, self._store))
        for span in spans:
            yield from split_crowded(take(arrivals, span))

    def _look(self, arrivals: Incoming) -> tuple[Decisions, list[Entry | None]]:
        """Decide what arrivals are, without adding them."""
        self._follow()
        found, _ = rewritten(arrivals, look_up(arrivals, self._store, self.config, together=False), self._store, self.config)
        decided = decide(arrivals, found, self._store, self.config, [_NOWHERE + row for row in range(len(arrivals))], _now())
        if self._storyline is not None:
            self._storyline.propose(arrivals, decided)
        return decided, found.known

    def _take_in(self, arrivals: Incoming) -> list[Verdict]:
        """Decide what arrivals are and add them; of two documents of one id the second is an update."""
        return [verdict for part in self._apart(arrivals) for verdict in self._told(part, *self._add(part))]

    def _add(self, arrivals: Incoming) -> tuple[Decisions, list[Entry | None]]:
        first, events = -1, []
        while True:
            self._follow()
            found = look_up(arrivals, self._store, self.config, together=True)
            if self._drop_old_parts(arrivals, found.known):
                continue
            found, moved = rewritten(arrivals, found, self._store, self.config)
            new = sum(known is None for known in found.known)
            if new and first < 0:
                first = self._store.allocate(len(arrivals))
            decided = decide(arrivals, found, self._store, self.config, [first + row for row in range(len(arrivals))], _now())
            if self._storyline is not None:
                events += self._storyline.place(arrivals, decided)  # a merge is told once, also where the commit has to wait
            batch = joined(batch_of(arrivals, decided, found.known, self.config), moved)
            batch.events = events
            if not batch.entries:
                return decided, found.known
            try:
                self._store.commit(batch)
            except WriteConflict:
                if self._storyline is not None:
                    self._storyline.forget([entry.number for entry in batch.entries])
                continue
            if self._storyline is not None and moved.entries:
                self._storyline.follow([entry.number for entry in moved.entries], [])
            return decided, found.known

    def _drop_old_parts(self, arrivals: Incoming, known: list[Entry | None]) -> bool:
        """Take out further documents that a page does not have any more; whether there were any."""
        gone = []
        for row, entry in enumerate(known):
            if entry is not None and entry.doc_id == entry.page_id and entry.parts > arrivals.parts[row]:
                gone += parts_of(self._store, entry.page_id, arrivals.parts[row] + 1, entry.parts)
        for entry in gone:
            self._withdraw(entry.number)
        return bool(gone)

    def _withdraw(self, number: int) -> None:
        while (leaving := removal(self._store, number, self.config)) is not None:
            batch, copies = leaving
            if self._is_committed(batch):
                if self._storyline is not None:
                    self._storyline.follow(copies, [number])
                return

    def _is_committed(self, batch: WriteBatch) -> bool:
        """Make a batch last; False if another writer was faster: then what it did is seen, and the batch must be made anew."""
        try:
            self._store.commit(batch)
        except WriteConflict:
            self._follow()
            return False
        return True

    def _forget_some(self, ingested: int = 1) -> None:
        self._since += ingested
        if self._keep is not None and self._since >= _BETWEEN:
            self._since = 0
            self._forget(self._keep)

    def _forget(self, keep: int) -> None:
        while gone := expired(self._store, _now() - keep, _FORGOTTEN):
            if self._is_committed(WriteBatch(removed=gone)) and self._storyline is not None:
                self._storyline.forget(gone)

    def _untold(self, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        told = {(row["event"], frozenset([row["story_id"], row["other_id"]])) for row in self._store.events(0)}
        return [row for row in events if (row["event"], frozenset([row["story_id"], row["other_id"]])) not in told]

    def _told(self, arrivals: Incoming, decided: Decisions, known: list[Entry | None]) -> list[Verdict]:
        """A verdict for each page, with its parts."""
        verdicts = [verdict_of(*item) for item in zip(decided.entries, decided.canonicals, known, decided.remarks, strict=True)]
        return verdicts if len(verdicts) == 1 else with_parts(verdicts, arrivals.pages)

    def _batch(self, data: Any, judge: Callable[[Incoming], list[Verdict]], *, writing: bool) -> Any:
        tables = []
        for taken in blocks(data, self.config, ReadLog()):
            with self._using(writing=writing):
                verdicts = judge(taken.arrivals) if taken.arrivals is not None else []
                tables.append(table_of(list(zip(taken.rows, verdicts, strict=True)), taken.rejects))
        return pa.concat_tables(tables) if tables else VERDICTS.empty_table()


def _now() -> int:
    return time.time_ns() // 1000


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else EPOCH + timedelta(microseconds=micros)
