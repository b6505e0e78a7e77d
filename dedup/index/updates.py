"""Builds the write batch of a block of decisions, of a removal, and of the update of a document to which others are tied.

A copy always needs a canonical in which its text stands, and an extended document one that it holds: when that one is removed or
its text changes, what is tied to it is tied again, by the rule of ``copies.survivors``. What is kept stays kept; the survivor
policy orders the copies.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..arrays.rows import Ints, row_offsets
from ..config import Config
from ..copies.pairs import EXACT, PARTIAL, Matches, measure_overlap
from ..copies.survivor_policy import survivor_key
from ..copies.survivors import judge_new
from ..copies.verification import is_listed
from ..fingerprints.fingerprint import fingerprint_titles, text_fingerprints
from ..kernels.index.covered import count_covered
from ..kernels.index.local_weights import Neighbourhood
from ..schema import KINDS
from .decision import Decisions
from .incoming import Incoming
from .keys import PostingKeys, postings, sample, tie_postings, title_rows
from .lookup import LookupResult, find_tied
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


def expired(store: Store, before: int, most: int) -> WriteBatch:
    """Remove up to ``most`` entries older than a time (microseconds) that are no canonicals of later copies.

    What extended one of them is unique from then on.
    """
    while True:
        numbers = store.older_than(before, most)
        tied = [(entry.number, *find_tied(store, entry)) for entry in store.fetch(numbers) if entry is not None]
        gone = [number for number, copies, _ in tied if all(copy.arrived < before for copy in copies)]
        if gone or len(numbers) < most:
            left = {other.number: other for number, _, extending in tied if number in set(gone) for other in extending}
            freed = [replace(other, status="unique", extends=None) for number, other in left.items() if number not in set(gone)]
            return WriteBatch(freed, TokenRows.none(len(freed)), kept_words={entry.number for entry in freed}, removed=gone)
        most *= 4  # canonicals that stay for a copy must not hide the entries after them


def removal(store: Store, number: int, config: Config) -> tuple[WriteBatch, list[int]] | None:
    """What the removal of an entry writes, and the numbers of what was tied to it; None if it is gone."""
    entry = store.fetch([number])[0]
    if entry is None:
        return None
    copies, extending = find_tied(store, entry)
    batch = _tie_again(entry, copies, extending, store, config)
    batch.removed = [number]
    return batch, [other.number for other in (*copies, *extending)]


def update_canonicals(incoming: Incoming, found: LookupResult, store: Store, config: Config) -> tuple[LookupResult, WriteBatch]:
    """Verify what is tied to updated documents, all of one page, against the new text.

    Copies whose text stands in the new text keep their canonical and get new numbers, and what still holds the new text extends
    it; the others are tied among themselves.

    Returns
    -------
    (found, change)
        What was found, with entries as they are afterwards, and the change to write with the
        incoming documents.
    """
    updates = [(row, known) for row, known in enumerate(found.known) if known is not None and not incoming.is_same(row, known)]
    change = WriteBatch()
    if not updates:
        return found, change
    updated, stays = {known.number for _, known in updates}, set()
    for row, known in updates:
        copies, extending = ([other for other in tied if other.number not in updated] for tied in find_tied(store, known))
        if not copies and not extending:
            continue
        head = None
        if not incoming.short[row]:
            head = replace(known, role=incoming.roles[row], title=incoming.titles[row], digest=incoming.digest(row))
        words = incoming.words.take(np.array([row], np.int64))
        tied_again = _tie_again(known, copies, extending, store, config, head, words, updated)
        now = {entry.number: entry for entry in (*copies, *extending, *tied_again.entries)}
        if any(known.number in (entry.canonical, entry.extends) for entry in now.values()):
            stays.add(row)
        change = change.join(tied_again)
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
        stays=frozenset(stays),
    )
    return found, change


def _tie_again(
    gone: Entry,
    copies: list[Entry],
    extending: list[Entry],
    store: Store,
    config: Config,
    head: Entry | None = None,
    head_words: TokenRows | None = None,
    updated: Set[int] = frozenset(),
) -> WriteBatch:
    """Tie copies of a document, and what extends it, again when it is removed or updated.

    Parameters
    ----------
    gone : the document as it was
    head, head_words : the document as it is now; None if it is removed, or too short to judge
    updated : numbers of documents that change at the same time

    Returns
    -------
    WriteBatch
        The entries that change.
    """
    if not copies and not extending:
        return WriteBatch()
    base = store.fetch([gone.extends])[0] if gone.extends is not None and gone.extends not in updated else None
    fixed = [entry for entry in (head, base) if entry is not None]

    def key(entry: Entry) -> Any:
        return survivor_key(config.copies.keep, entry.role, entry.source, entry.published, entry.words, entry.doc_id)

    members = [*fixed, *sorted(extending, key=key), *sorted(copies, key=key)]
    words = store.words([entry.number for entry in members[head is not None :]])
    if head is not None and head_words is not None:
        words = head_words.join(words)
    return _Group(members, len(fixed), len(fixed) + len(extending), words, config).change()


class _Group:
    """Documents to tie again, in the order of survivors.

    Parameters
    ----------
    fixed, kept : how many of the first stay as they are; how many stay kept, those included
    """

    def __init__(self, members: list[Entry], fixed: int, kept: int, words: TokenRows, config: Config) -> None:
        self._members, self._fixed, self._kept, self._config = members, fixed, kept, config
        self._tokens = words.tokens, words.offsets
        self._texts = TextRows(*text_fingerprints(self._tokens, words.terms, config))
        self._sizes = np.diff(self._texts.shingles[1])
        titles = pa.array([member.title for member in members], pa.large_string())
        title_terms, title_shingles, self._title_words = fingerprint_titles(titles, config)
        digests = np.frombuffer(b"".join(member.digest for member in members), np.uint64).reshape(-1, 2)
        headline = np.array([member.role == "headline" for member in members], bool)
        self._titles = TitleRows(title_shingles, title_terms, digests, headline)

    def change(self) -> WriteBatch:
        """The entries that change, with their postings."""
        tied = self._tied()
        rows = [row for row, entry in enumerate(tied) if row >= self._fixed and entry != self._members[row]]
        entries = [tied[row] for row in rows]
        posted = self._postings(entries, rows)
        return WriteBatch(entries, TokenRows.none(len(entries)), *posted, kept_words={entry.number for entry in entries})

    def _tied(self) -> list[Entry]:
        """The members as they are afterwards, decided one after the other."""
        entries, n = list(self._members), len(self._members)
        kept: list[int] = []
        matches = Matches.none()
        for row in range(n):
            if row >= self._fixed:
                own = matches.take(matches.right == row)
                judged = judge_new(own, np.array([row]), self._sizes, self._config.copies, self._related)
                copied, extended = (int(places[0]) for places in judged)
                if row < self._kept:
                    copied = -1
                entries[row] = self._entry(row, own, copied, extended, self._covered(row, kept))
            if entries[row].status != "copy":
                kept.append(row)
                found = self._matches(row, np.arange(max(row + 1, self._fixed), n))
                matches = Matches.join([matches, found.take(found.kind != PARTIAL)])
        return entries

    def _entry(self, row: int, matches: Matches, copied: int, extended: int, covered: float) -> Entry:
        """A member as it is afterwards; ``copied`` and ``extended`` are places in its matches, -1 if there is none."""
        member = self._members[row]
        if copied >= 0:
            return replace(
                member,
                status="copy",
                canonical=self._members[int(matches.left[copied])].number,
                kind=KINDS[matches.kind[copied]],
                jaccard=float(matches.jaccard[copied]),
                share=float(matches.share_right[copied]),
                containment=float(matches.containment[copied]),
                extends=None,
                covered=covered if member.role != "headline" else float(matches.share_right[copied]),
            )
        extends = self._members[int(matches.left[extended])].number if extended >= 0 else None
        status = "unique" if extends is None else "extended"
        if (member.canonical, member.status, member.extends) == (member.number, status, extends):
            return member
        kept = replace(member, status=status, canonical=member.number, extends=extends, covered=covered)
        return replace(kept, kind=None, jaccard=None, share=None, containment=None)

    def _covered(self, row: int, kept: list[int]) -> float:
        """The share of a member's own shingles that stands in kept ones before it."""
        if self._titles.headline[row] or not self._sizes[row]:
            return 0.0
        others = np.array([other for other in kept if not self._titles.headline[other]], np.int64)
        counts = count_covered(*self._texts.shingles, np.array([row]), others, np.ones(len(others), bool), np.array([0, len(others)]))
        return float(counts[0] / self._sizes[row])

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

    def _related(self, one: Ints, other: Ints) -> npt.NDArray[np.bool_]:
        """bool[n_pairs], whether pairs of articles share enough to be listed as a match."""
        return is_listed(measure_overlap(self._texts.shingles, one, other), self._config.copies)

    def _postings(self, entries: list[Entry], rows: list[int]) -> tuple[Hashes, Values]:
        """The postings of entries, those of some rows; what was kept before is posted under all but what it extends."""
        chosen = np.array(rows, np.int64)
        sampled = sample(self._tokens, self._sizes, self._config)
        titles = title_rows(self._titles.terms, self._titles.shingles)
        keys = PostingKeys(self._sizes, sampled, titles, self._titles.digests, self._title_words)
        old, new = np.flatnonzero(chosen < self._kept), np.flatnonzero(chosen >= self._kept)
        ties = tie_postings([entries[place] for place in old.tolist()], self._sizes[chosen[old]])
        no_posted_copies: npt.NDArray[np.bool_] = np.zeros(len(new), bool)
        full = postings([entries[place] for place in new.tolist()], keys.take(chosen[new]), no_posted_copies, self._config)
        return np.concatenate([ties[0], full[0]]), np.concatenate([ties[1], full[1]])
