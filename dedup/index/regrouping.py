"""A copy group that lost its canonical: the first of its copies comes to stand for it, by matches of its own with the others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from ..buffers import Rows, row_offsets, take_rows
from ..config import Config
from ..fingerprint import print_titles, print_words
from ..pairs import LEFT, NEITHER, PARTIAL, Ints, Matches
from ..schema import KINDS
from .entries import Batch, Entry, Hashes, Values, Words
from .filing import postings
from .judging import judge
from .reading import title_listing
from .sampling import sample
from .titles import judge_titles

_NEVER = 1 << 62


def regroup(copies: list[Entry], words: Words, config: Config, head: Entry | None = None) -> Batch:
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
    return Batch(entries, Words.none(len(entries)), *group.postings(entries, rows), kept_words={entry.number for entry in entries})


class _Group:
    def __init__(self, copies: list[Entry], words: Words, config: Config) -> None:
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
