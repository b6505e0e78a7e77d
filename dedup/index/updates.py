"""Builds the write batch of a block of decisions, of a removal, and of an updated canonical.

A copy always needs a canonical that it matches: when a canonical is removed or its text changes,
its copies are regrouped.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..arrays.rows import Ints, row_offsets
from ..config import Config
from ..copies.canonical import precedence_key
from ..copies.pairs import EXACT, PARTIAL, Matches, contained_of_document
from ..fingerprints.fingerprint import fingerprint_titles, text_fingerprints
from ..kernels.index.local_weights import Neighbourhood
from ..schema import KINDS
from .decision import Decisions
from .incoming import Incoming
from .keys import PostingKeys, postings, sample, title_rows
from .lookup import LookupResult, find_copies
from .matching import TextRows, TitleRows, match_texts, match_titles
from .store import Entry, Hashes, Store, TokenRows, Values, WriteBatch


def block_change(incoming: Incoming, decided: Decisions, known: list[Entry | None], config: Config) -> WriteBatch:
    """What a block of decisions writes: new documents, updates, and changed numbers of parts.

    Parameters
    ----------
    known : the entry that each document had, None if it is new
    """
    rows = np.flatnonzero(~decided.same)
    entries = [decided.entries[row] for row in rows.tolist()]
    posted = postings(entries, incoming.posting_keys().take(rows), decided.posted_copy[rows], config)
    # A page may have other headlines now, beside the same article.
    recounted = [row for row in np.flatnonzero(decided.same).tolist() if (old := known[row]) and decided.entries[row].parts != old.parts]
    changed = [decided.entries[row] for row in recounted]
    return WriteBatch(
        entries + changed,
        incoming.words.take(rows).with_empty(len(changed)),
        *posted,
        kept_words={entry.number for entry in changed},
    )


def expired(store: Store, before: int, most: int) -> list[int]:
    """Up to ``most`` entries older than a time (microseconds) that are no canonicals of later copies."""
    while True:
        numbers = store.older_than(before, most)
        entries = [entry for entry in store.fetch(numbers) if entry is not None]
        gone = [entry.number for entry in entries if all(copy.arrived < before for copy in find_copies(store, entry))]
        if gone or len(numbers) < most:
            return gone
        most *= 4  # canonicals that stay for a copy must not hide the entries after them


def removal(store: Store, number: int, config: Config) -> tuple[WriteBatch, list[int]] | None:
    """What the removal of an entry writes, and the numbers of its copies; None if it is gone."""
    entry = store.fetch([number])[0]
    if entry is None:
        return None
    copies = find_copies(store, entry)
    batch = regroup(copies, store.words([copy.number for copy in copies]), config) if copies else WriteBatch()
    batch.removed = [number]
    return batch, [copy.number for copy in copies]


def update_canonicals(incoming: Incoming, found: LookupResult, store: Store, config: Config) -> tuple[LookupResult, WriteBatch]:
    """Verify the copies of updated canonicals, all of one page, against the new text.

    Copies that match the new text keep their canonical and get new numbers; the others find one
    among themselves.

    Returns
    -------
    (found, change)
        What was found, with copies as they are afterwards, and the change to write with the
        incoming documents.
    """
    updates = [(row, known) for row, known in enumerate(found.known) if known is not None and not incoming.is_same(row, known)]
    change = WriteBatch()
    if not updates:
        return found, change
    updated, keeps_copies = {known.number for _, known in updates}, set()
    for row, known in updates:
        copies = [copy for copy in find_copies(store, known) if copy.number not in updated]
        if not copies:
            continue
        regrouped = _regroup_around_update(incoming, row, known, copies, store, config)
        kept = {copy.number for copy in copies} - {entry.number for entry in regrouped.entries}
        if kept or any(entry.canonical == known.number for entry in regrouped.entries):
            keeps_copies.add(row)
        change = change.join(regrouped)
    now = {entry.number: entry for entry in change.entries}

    def as_now(entry: Entry) -> Entry:
        return now.get(entry.number, entry)

    def without_updated(rows: list[Ints]) -> list[Ints]:
        # The earlier texts of a page are no longer there to compare with: its parts may have
        # changed places.
        return [numbers[~np.isin(numbers, list(updated))] for numbers in rows]

    found = replace(
        found,
        known=[entry if entry is None else as_now(entry) for entry in found.known],
        same_text=[[as_now(entry) for entry in row if entry.number not in updated] for row in found.same_text],
        alike=without_updated(found.alike),
        titled=without_updated(found.titled),
        entries={number: as_now(entry) for number, entry in found.entries.items()},
        keeps_copies=frozenset(keeps_copies),
    )
    return found, change


def _regroup_around_update(incoming: Incoming, row: int, known: Entry, copies: list[Entry], store: Store, config: Config) -> WriteBatch:
    """Regroup the copies of an updated canonical; without it if its new text is too short."""
    words = store.words([copy.number for copy in copies])
    if incoming.short[row]:
        return regroup(copies, words, config)
    head = replace(known, role=incoming.roles[row], title=incoming.titles[row], digest=incoming.digest(row))
    own = incoming.words.take(np.array([row], np.int64))
    with_head = TokenRows(
        np.concatenate([own.tokens, words.tokens]),
        np.concatenate([own.terms, words.terms]),
        np.append(0, own.offsets[1] + words.offsets),
    )
    return regroup(copies, with_head, config, head)


def regroup(copies: list[Entry], words: TokenRows, config: Config, head: Entry | None = None) -> WriteBatch:
    """Regroup the copies of a canonical that was removed or updated.

    The first by precedence becomes canonical of all that it matches; of those it does not match,
    again the first.

    Parameters
    ----------
    copies : in any order
    words : their tokens, after those of ``head`` if there is one
    head : the updated canonical, which precedes all copies

    Returns
    -------
    WriteBatch
        The entries that change.
    """
    members = copies if head is None else [head, *copies]
    keys = [precedence_key(entry.role, entry.published, entry.words, entry.doc_id) for entry in members]
    order = sorted(range(len(members)), key=lambda row: (members[row] is not head, keys[row]))
    group = _Group([members[row] for row in order], words.take(np.array(order, np.int64)), config)
    regrouped = group.regrouped()
    rows = [row for row, entry in enumerate(regrouped) if members[order[row]] is not head and entry != members[order[row]]]
    entries = [regrouped[row] for row in rows]
    return WriteBatch(entries, TokenRows.none(len(entries)), *group.postings(entries, rows), kept_words={entry.number for entry in entries})


class _Group:
    """Documents to regroup, in order of precedence."""

    def __init__(self, members: list[Entry], words: TokenRows, config: Config) -> None:
        self._members, self._config = members, config
        self._tokens = words.tokens, words.offsets
        self._texts = TextRows(*text_fingerprints(self._tokens, words.terms, config))
        titles = pa.array([member.title for member in members], pa.large_string())
        title_terms, title_shingles, self._title_words = fingerprint_titles(titles, config)
        digests = np.frombuffer(b"".join(member.digest for member in members), np.uint64).reshape(-1, 2)
        headline = np.array([member.role == "headline" for member in members], bool)
        self._titles = TitleRows(title_shingles, title_terms, digests, headline)

    def regrouped(self) -> list[Entry]:
        entries: list[Entry | None] = [None] * len(self._members)
        while open_rows := [row for row, entry in enumerate(entries) if entry is None]:
            first, rest = open_rows[0], np.array(open_rows[1:], np.int64)
            number = self._members[first].number
            entries[first] = replace(
                self._members[first], status="unique", canonical=number, kind=None, jaccard=None, containment=None, contained=None
            )
            matches = self._matches(first, rest)
            for place in np.flatnonzero(matches.kind != PARTIAL).tolist():
                row = int(matches.right[place])
                entries[row] = replace(
                    self._members[row],
                    canonical=number,
                    kind=KINDS[matches.kind[place]],
                    jaccard=float(matches.jaccard[place]),
                    containment=float(matches.containment[place]),
                    contained=contained_of_document(int(matches.contained[place])),
                )
        return [entry for entry in entries if entry is not None]

    def _matches(self, first: int, rest: Ints) -> Matches:
        """Matches of the row ``first``, on the left, with other rows."""
        headline, digests = self._titles.headline, self._titles.digests
        headlines, articles = rest[headline[rest]], rest[~headline[rest] & ~headline[first]]
        n, config = len(self._members), self._config.copies
        alone = Neighbourhood(np.empty(0, np.int64), row_offsets(np.zeros(n, np.int64)), 0, np.full(n, -1, np.int64))
        by_text = match_texts(np.full(len(articles), first), articles, self._texts, alone, config)
        same = (digests[by_text.left] == digests[by_text.right]).all(axis=1)
        by_text = replace(by_text, kind=np.where(same, EXACT, by_text.kind).astype(np.uint8))
        return Matches.join([by_text, match_titles(np.full(len(headlines), first), headlines, self._titles, config)])

    def postings(self, entries: list[Entry], rows: list[int]) -> tuple[Hashes, Values]:
        """The postings of entries, those of some rows."""
        sizes, chosen = np.diff(self._texts.shingles[1]), np.array(rows, np.int64)
        sampled = sample(self._tokens, sizes, self._config)
        titles = title_rows(self._titles.terms, self._titles.shingles)
        keys = PostingKeys(sizes, sampled, titles, self._titles.digests, self._title_words).take(chosen)
        no_posted_copies: npt.NDArray[np.bool_] = np.zeros(len(entries), bool)
        return postings(entries, keys, no_posted_copies, self._config)
