"""Canonicals whose text is another one now: which of their copies they still stand for, and what becomes of the others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..buffers import take_rows
from ..config import Config
from .entries import Batch, Entry, Ints, Store, Words
from .leaving import copies_of
from .lookup import Found, says_the_same
from .reading import Arrivals
from .regrouping import regroup


def rewritten(arrivals: Arrivals, found: Found, store: Store, config: Config) -> tuple[Found, Batch]:
    """Measure the copies of canonicals that arrive with another text against that text. Arrivals with another text are of one page.

    Returns
    -------
    What was found, with copies as they are afterwards; and those copies, which are to be made to last with the arrivals: those that
    match the new text keep their canonical, with the numbers of now, the others find another one among themselves.
    """
    renewed = [(row, known) for row, known in enumerate(found.known) if known is not None and not says_the_same(arrivals, row, known)]
    decided_anew = {known.number for _, known in renewed}
    moved, standing = Batch(), set()
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


def joined(one: Batch, other: Batch) -> Batch:
    """Both as one; of two entries of one number that of ``one``. ``other`` has no words of its own."""
    there = {entry.number for entry in one.entries}
    added = [entry for entry in other.entries if entry.number not in there]
    return Batch(
        one.entries + added,
        one.words.with_empty(len(added)),
        np.concatenate([one.keys, other.keys]),
        np.concatenate([one.values, other.values]),
        one.kept_words | {entry.number for entry in added},
        one.removed + other.removed,
        one.events + other.events,
    )


def _behind(arrivals: Arrivals, row: int, words: Words) -> Words:
    """The words of an arrival, and behind it other rows."""
    own = np.array([row], np.int64)
    tokens, offsets = take_rows(arrivals.words.tokens, arrivals.words.offsets, own)
    terms, _ = take_rows(arrivals.words.terms, arrivals.words.offsets, own)
    return Words(np.concatenate([tokens, words.tokens]), np.concatenate([terms, words.terms]), np.append(0, offsets[1] + words.offsets))
