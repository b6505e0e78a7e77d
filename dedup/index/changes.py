"""What was decided, as what is put into the store: entries, their words, and what each is listed under."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..arrays.rows import Ints, Rows, row_offsets, take_rows
from ..config import Config
from ..copies.pairs import LEFT, NEITHER, PARTIAL, Matches
from ..errors import InputError
from ..fingerprints.fingerprint import print_titles, print_words
from ..readers.values import safe_text, without_surrogates
from ..schema import KINDS
from .decision import Decisions
from .incoming import Incoming, title_listing
from .keys import copies_key, copies_keys, digest_keys, id_key, id_keys, pack_values, sample
from .lookup import LookupResult, only, says_the_same
from .matching import judge, judge_titles
from .store import Entry, Hashes, Store, TokenRows, Values, WriteBatch


def batch_of(arrivals: Incoming, decided: Decisions, known: list[Entry | None], config: Config) -> WriteBatch:
    """What arrivals add to the index, or change of ``known`` entries; those that it has already add nothing."""
    batch = _added(arrivals, decided, config)
    # A page may have more headlines, or fewer, beside the same article.
    reparted = [row for row in np.flatnonzero(decided.same).tolist() if (old := known[row]) and decided.entries[row].parts != old.parts]
    batch.entries += [decided.entries[row] for row in reparted]
    batch.kept_words |= {decided.entries[row].number for row in reparted}
    batch.words = batch.words.with_empty(len(reparted))
    return batch


def _added(arrivals: Incoming, decided: Decisions, config: Config) -> WriteBatch:
    rows = np.flatnonzero(~decided.same)
    entries = [decided.entries[row] for row in rows.tolist()]
    keys, values = postings(
        entries,
        np.diff(arrivals.prints.shingles[1])[rows],
        take_rows(*arrivals.sampled, rows),
        take_rows(*arrivals.listed_titles, rows),
        arrivals.prints.digests[rows],
        arrivals.prints.title_words[rows],
        decided.witness[rows],
        config,
    )
    return WriteBatch(entries, arrivals.words.take(rows), keys, values)


def postings(
    entries: list[Entry],
    sizes: Ints,
    sampled: Rows,
    titles: Rows,
    digests: Hashes,
    title_words: npt.NDArray[np.int32],
    witness: npt.NDArray[np.bool_],
    config: Config,
) -> tuple[Hashes, Values]:
    """What entries are listed under.

    All by their id. An article that stands for itself by its shingles, its words and its title; a headline that does by its title; a
    copy under its canonical, and by its words where they are others than that one's; a ``witness`` by its shingles too.

    Parameters
    ----------
    sizes : int64[n], how many shingles each has; sampled, titles : keys of each; witness : bool[n], see ``Decisions``
    """
    n = len(entries)
    numbers = np.array([entry.number for entry in entries], np.int64)
    canonical = np.array([entry.canonical for entry in entries], np.int64)
    short, headline = (np.array([test(entry) for entry in entries], bool) for test in (_is_short, _is_headline))
    stands = (canonical == numbers) & ~short
    exact = np.array([entry.kind == "exact" for entry in entries], bool)
    titled = stands & (title_words >= config.text.min_headline_words)
    ones = np.ones(n, bool)
    parts = [
        only((id_keys([entry.doc_id for entry in entries]), np.arange(n + 1)), ones),
        only((digest_keys(digests), np.arange(n + 1)), ~short & ~headline & ~exact),
        only((copies_keys(canonical), np.arange(n + 1)), canonical != numbers),
        only(sampled, (stands | witness) & ~headline),
        only(titles, titled),
    ]
    values = pack_values(numbers, sizes)
    listed = [np.repeat(values, np.diff(offsets)) for _, offsets in parts]
    return np.concatenate([keys for keys, _ in parts]), np.concatenate(listed)


def _is_short(entry: Entry) -> bool:
    return entry.status == "short"


def _is_headline(entry: Entry) -> bool:
    return entry.role == "headline"


_NEVER = 1 << 62


def regroup(copies: list[Entry], words: TokenRows, config: Config, head: Entry | None = None) -> WriteBatch:
    """Group the copies of a canonical that is gone, or whose text is another one now.

    Parameters
    ----------
    copies : in any order; words : a row for each, behind that of ``head``
    head : the canonical as it is now, which comes before all others

    Returns
    -------
    Batch
        The entries as they are now: by precedence (articles before headlines, then the earliest, the longest, the smallest id) the first
        stands for all that it matches; of those that it does not match, the first again. Those that are as they were are left out.
    """
    members = copies if head is None else [head, *copies]
    order = sorted(range(len(members)), key=lambda row: (members[row] is not head, _precedence(members[row])))
    group = _Group([members[row] for row in order], words.take(np.array(order, np.int64)), config)
    settled = group.settled()
    rows = [row for row, entry in enumerate(settled) if members[order[row]] is not head and entry != members[order[row]]]
    entries = [settled[row] for row in rows]
    return WriteBatch(entries, TokenRows.none(len(entries)), *group.postings(entries, rows), kept_words={entry.number for entry in entries})


class _Group:
    def __init__(self, copies: list[Entry], words: TokenRows, config: Config) -> None:
        self._copies, self._config = copies, config
        self._tokens: Rows = (words.tokens, words.offsets)
        self._shingles, self._terms = print_words(self._tokens, words.terms, config)
        titles = pa.array([copy.title for copy in copies], pa.large_string())
        self._title_terms, self._letters, self._title_words = print_titles(titles, config)
        self._headline = np.array([copy.role == "headline" for copy in copies], bool)
        self._digests = np.frombuffer(b"".join(copy.digest for copy in copies), np.uint64).reshape(-1, 2)

    def settled(self) -> list[Entry]:
        entries: list[Entry | None] = [None] * len(self._copies)
        while open_rows := [row for row, entry in enumerate(entries) if entry is None]:
            first, rest = open_rows[0], np.array(open_rows[1:], np.int64)
            head = replace(
                self._copies[first],
                status="unique",
                canonical=self._copies[first].number,
                kind=None,
                jaccard=None,
                containment=None,
                contained=None,
            )
            entries[first] = head
            matches = self._matches(first, rest)
            for place in np.flatnonzero(matches.kind != PARTIAL).tolist():
                row, side = int(matches.right[place]), int(matches.contained[place])
                entries[row] = replace(
                    self._copies[row],
                    canonical=head.number,
                    kind=KINDS[matches.kind[place]],
                    jaccard=float(matches.jaccard[place]),
                    containment=float(matches.containment[place]),
                    contained={NEITHER: None, LEFT: "match"}.get(side, "this"),
                )
        return [entry for entry in entries if entry is not None]

    def _matches(self, first: int, rest: Ints) -> Matches:
        """Matches of the first one, ``left``, with others."""
        titled, bodied = rest[self._headline[rest]], rest[~self._headline[rest] & ~self._headline[first]]
        n = len(self._copies)
        sources = np.full(n, -1, np.int64)
        alone = (np.empty(0, np.int64), row_offsets(np.zeros(n, np.int64)))
        by_words = judge(np.full(len(bodied), first), bodied, 0, alone, self._shingles, self._terms, sources, self._config.copies)
        same = (self._digests[by_words.left] == self._digests[by_words.right]).all(axis=1)
        by_words = replace(by_words, kind=np.where(same, 0, by_words.kind).astype(np.uint8))
        by_title = judge_titles(
            np.full(len(titled), first), titled, self._letters, self._title_terms, self._digests, self._headline, self._config.copies
        )
        return Matches.join([by_words, by_title])

    def postings(self, entries: list[Entry], rows: list[int]) -> tuple[Hashes, Values]:
        """What entries, those of some rows, are listed under."""
        sizes, chosen = np.diff(self._shingles[1]), np.array(rows, np.int64)
        sampled = sample(self._tokens, sizes, self._config)
        titles = title_listing(self._title_terms, self._letters)
        return postings(
            entries,
            sizes[chosen],
            take_rows(*sampled, chosen),
            take_rows(*titles, chosen),
            self._digests[chosen],
            self._title_words[chosen],
            np.zeros(len(entries), bool),
            self._config,
        )


def _precedence(entry: Entry) -> tuple[bool, int, int, str]:
    return entry.role == "headline", entry.published if entry.published is not None else _NEVER, -entry.words, entry.doc_id


def entry_of(store: Store, doc_id: str) -> Entry | None:
    """The entry of an id, written as it is kept: without halves of surrogate pairs.

    Raises
    ------
    InputError
        If it is no text.
    """
    if not isinstance(doc_id, str):
        raise InputError(f"the id of a document is a text, got {safe_text(repr(doc_id))}.")
    doc_id = without_surrogates(doc_id)
    entries = store.fetch(store.all_numbers(id_key(doc_id)).tolist())
    return next((entry for entry in entries if entry is not None and entry.doc_id == doc_id), None)


def parts_of(store: Store, page_id: str, first: int, last: int) -> list[Entry]:
    """The further documents of a page by their numbers on it, from ``first`` to ``last``, as far as they are there."""
    parts = (entry_of(store, f"{page_id}#{number}") for number in range(first, last + 1))
    return [part for part in parts if part is not None and part.page_id == page_id]


def copies_of(store: Store, entry: Entry) -> list[Entry]:
    """The copies that an entry stands for."""
    if entry.canonical != entry.number:
        return []
    numbers = [number for number in store.all_numbers(copies_key(entry.number)).tolist() if number != entry.number]
    return [copy for copy in store.fetch(numbers) if copy is not None and copy.canonical == entry.number]


def removal(store: Store, number: int, config: Config) -> tuple[WriteBatch, list[int]] | None:
    """What takes an entry out and lets its copies find another canonical, and the numbers of those; None if it is gone already."""
    entry = store.fetch([number])[0]
    if entry is None:
        return None
    copies = copies_of(store, entry)
    batch = regroup(copies, store.words([copy.number for copy in copies]), config) if copies else WriteBatch()
    batch.removed = [number]
    return batch, [copy.number for copy in copies]


def expired(store: Store, before: int, most: int) -> list[int]:
    """Up to ``most`` entries that arrived before a time (microseconds), those aside that stand for a copy that came later."""
    while True:
        numbers = store.older_than(before, most)
        entries = [entry for entry in store.fetch(numbers) if entry is not None]
        gone = [entry.number for entry in entries if all(copy.arrived < before for copy in copies_of(store, entry))]
        if gone or len(numbers) < most:
            return gone
        most *= 4  # what stays for the sake of a copy must not hide what is behind it


def rewritten(arrivals: Incoming, found: LookupResult, store: Store, config: Config) -> tuple[LookupResult, WriteBatch]:
    """Measure the copies of canonicals that arrive with another text against that text. Arrivals with another text are of one page.

    Returns
    -------
    What was found, with copies as they are afterwards; and those copies, which are to be made to last with the arrivals: those that
    match the new text keep their canonical, with the numbers of now, the others find another one among themselves.
    """
    renewed = [(row, known) for row, known in enumerate(found.known) if known is not None and not says_the_same(arrivals, row, known)]
    decided_anew = {known.number for _, known in renewed}
    moved, standing = WriteBatch(), set()
    for row, known in renewed:
        copies = [copy for copy in copies_of(store, known) if copy.number not in decided_anew]
        if not copies:
            continue
        words = store.words([copy.number for copy in copies])
        if arrivals.short[row]:
            batch = regroup(copies, words, config)
        else:
            head = replace(known, role=arrivals.roles[row], title=arrivals.titles[row], digest=arrivals.prints.digests[row].tobytes())
            batch = regroup(copies, _behind(arrivals, row, words), config, head)
        kept = {copy.number for copy in copies} - {entry.number for entry in batch.entries}
        if kept or any(entry.canonical == known.number for entry in batch.entries):
            standing.add(row)
        moved = joined(moved, batch)
    if not renewed:
        return found, moved
    now = {entry.number: entry for entry in moved.entries}

    def as_now(entry: Entry) -> Entry:
        return now.get(entry.number, entry)

    def there(rows: list[Ints]) -> list[Ints]:
        # What one page had is no longer there to be compared with: its parts may have changed places.
        return [numbers[~np.isin(numbers, list(decided_anew))] for numbers in rows]

    return (
        replace(
            found,
            known=[entry if entry is None else as_now(entry) for entry in found.known],
            twins=[[as_now(entry) for entry in row if entry.number not in decided_anew] for row in found.twins],
            alike=there(found.alike),
            titled=there(found.titled),
            entries={number: as_now(entry) for number, entry in found.entries.items()},
            standing=frozenset(standing),
        ),
        moved,
    )


def joined(one: WriteBatch, other: WriteBatch) -> WriteBatch:
    """Both as one; of two entries of one number that of ``one``. ``other`` has no words of its own."""
    there = {entry.number for entry in one.entries}
    added = [entry for entry in other.entries if entry.number not in there]
    return WriteBatch(
        one.entries + added,
        one.words.with_empty(len(added)),
        np.concatenate([one.keys, other.keys]),
        np.concatenate([one.values, other.values]),
        one.kept_words | {entry.number for entry in added},
        one.removed + other.removed,
        one.events + other.events,
    )


def _behind(arrivals: Incoming, row: int, words: TokenRows) -> TokenRows:
    """The words of an arrival, and behind it other rows."""
    own = np.array([row], np.int64)
    tokens, offsets = take_rows(arrivals.words.tokens, arrivals.words.offsets, own)
    terms, _ = take_rows(arrivals.words.terms, arrivals.words.offsets, own)
    return TokenRows(np.concatenate([tokens, words.tokens]), np.concatenate([terms, words.terms]), np.append(0, offsets[1] + words.offsets))
