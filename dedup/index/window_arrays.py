"""Arrays of the story window: vectors of documents, posting lists by term, members of stories.

When an array is full, all are rewritten without dropped documents and with room for half as much
again: row, column and story numbers change then, the numbers that the caller gave do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arrays.rows import Ints, Rows
from ..config import StoryConfig
from ..kernels.index.tfidf import fill_table, weigh_rows
from ..kernels.index.window_arrays import drop_rows, fill_lists, make_room, take_columns
from ..kernels.index.window_tuples import KnownTerms, TermRows, Weighting, Window
from ..stories.vectors import NATIVE
from ..text.document_frequencies import DocumentFrequencies

#: Terms kept of a document, the heaviest.
TERMS = 48
#: Initial capacity for rows, columns, stories and postings.
INITIAL = 1024
#: Places in the ring that counts documents by hour.
HOURS = 8192
#: All arrays are rewritten when this many rows are dropped, or a quarter of the live ones if that
#: is more.
DROPPED = 2048


@dataclass(frozen=True, eq=False)
class VectorRows:
    """Vectors of documents: ``terms`` uint64[n, TERMS], ``weights`` float32[n, TERMS]; row i has ``lengths[i]`` entries.

    The first ``words[i]`` entries are words, the rest runs of letters; ``native`` bool[n], in the
    language of the background.
    """

    terms: npt.NDArray[np.uint64]
    weights: npt.NDArray[np.float32]
    words: npt.NDArray[np.int32]
    lengths: npt.NDArray[np.int32]
    native: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.lengths)

    def take(self, chosen: Any) -> VectorRows:
        """Some of the documents, by numbers, a mask or a slice."""
        return VectorRows(self.terms[chosen], self.weights[chosen], self.words[chosen], self.lengths[chosen], self.native[chosen])


class Weigher:
    """Weighs documents by background counts, kept in a hash table."""

    def __init__(self, known: DocumentFrequencies, config: StoryConfig) -> None:
        size = 16
        while size < 2 * len(known.terms):
            size *= 2
        self._known = KnownTerms(np.zeros(size, np.uint64), np.zeros(size, np.int64), known.documents)
        fill_table(self._known.keys, self._known.counts, known.terms, known.counts.astype(np.int64))
        self._weighting = Weighting(float(config.title_weight), int(config.lead_words), float(config.letters), NATIVE)

    def rows(self, titles: Rows, bodies: Rows, letters: Rows, window: Window) -> VectorRows:
        """Vectors of documents; see ``vectors.vectorize`` for the term rows."""
        texts = TermRows(*titles, *bodies, *letters)
        counted = window.table, window.columns, window.live, window.documents
        return VectorRows(*weigh_rows(texts, self._weighting, self._known, *counted, TERMS))


class WindowArrays:
    """Owns the arrays of a story window.

    Kernels read and write ``arrays``, which ``make_room`` may replace. ``row_of`` and
    ``story_of`` find the row of a document and the place of a story by the caller's numbers.
    """

    arrays: Window

    def __init__(self) -> None:
        self.n_rows = self.n_columns = self.n_stories = self.used = self.dropped = 0
        self.row_of: dict[int, int] = {}
        self.story_of: dict[int, int] = {}
        self.arrays = _allocate(INITIAL, INITIAL, INITIAL, INITIAL, np.zeros(HOURS, np.int32), np.zeros(3, np.int64))

    def __len__(self) -> int:
        return self.n_rows - self.dropped

    def make_room(self, rows: VectorRows, stories: int) -> None:
        """Make room for more documents and as many as ``stories`` new stories."""
        n, entries = len(rows), int(rows.lengths.sum())
        if (
            self.n_rows + n > len(self.arrays.times)
            or self.n_columns + entries > len(self.arrays.lists)
            or self.n_stories + stories > len(self.arrays.newest)
            or self.dropped > max(DROPPED, len(self) // 4)
        ):
            self._rewrite(n, entries, stories)
        used = self._lengthen(rows)
        if used < 0:
            self._rewrite(n, entries, stories)
            used = self._lengthen(rows)
        self.used = used

    def _lengthen(self, rows: VectorRows) -> int:
        """Lengthen the posting lists for new rows; the end of the used part of the pool, -1 if it is too small."""
        self.n_columns = take_columns(rows.terms, rows.lengths, self.arrays.table, self.arrays.columns, self.n_columns)
        used: int = make_room(rows.terms, rows.lengths, self.arrays, self.used)
        return used

    def stories(self, names: Ints) -> Ints:
        """int64[n]: the places of stories by the caller's numbers; a new number gets a place."""
        places = np.empty(len(names), np.int64)
        for i, name in enumerate(names.tolist()):
            place = self.story_of.get(name)
            if place is None:
                place = self.story_of[name] = self.n_stories
                self.arrays.names[place], self.arrays.newest[place] = name, -1
                self.n_stories += 1
            places[i] = place
        return places

    def forget_stories(self, stories: Ints) -> None:
        """Forget those of the given stories that have no document."""
        for story in stories[self.arrays.newest[stories] < 0].tolist():
            self.story_of.pop(int(self.arrays.names[story]), None)

    def register(self, numbers: Ints) -> None:
        """Record the numbers of the documents that a kernel has written to the next rows."""
        first, n = self.n_rows, len(numbers)
        self.arrays.numbers[first : first + n] = numbers
        self.row_of.update(zip(numbers.tolist(), range(first, first + n), strict=True))
        self.n_rows += n

    def drop(self, rows: Ints) -> None:
        """Take rows out of the window."""
        drop_rows(rows, self.arrays)
        for number in self.arrays.numbers[rows].tolist():
            del self.row_of[number]
        self.dropped += len(rows)

    def rows(self) -> Ints:
        """Live rows, ascending."""
        return np.flatnonzero(self.arrays.story[: self.n_rows] >= 0)

    def _rewrite(self, rows: int, entries: int, stories: int) -> None:
        """Rewrite all arrays, with room for more rows, terms and stories and for half as much again."""
        old, alive = self.arrays, self.rows()
        fields = ("row_columns", "row_weights", "row_lengths", "row_words", "natives", "headlines", "times", "story", "numbers")
        kept = {field: getattr(old, field)[alive] for field in fields}
        taken = old.table != 0
        terms = np.zeros(self.n_columns, np.uint64)
        terms[old.columns[taken]] = old.table[taken]
        used = old.live[: self.n_columns].any(axis=1)
        new_column = np.maximum(np.cumsum(used) - 1, 0)
        with_members, kept["story"] = np.unique(kept["story"], return_inverse=True)
        story_names = old.names[with_members]
        kept["row_columns"] = new_column[kept["row_columns"]].astype(np.int32) if self.n_columns else kept["row_columns"]
        n_columns, n_stories, n_postings = int(used.sum()), len(with_members), int(kept["row_lengths"].sum())
        hours, documents = old.hours, old.documents
        # The old arrays are freed before the new ones are allocated.
        del old, self.arrays

        def roomy(size: int) -> int:
            return size + size // 2 + INITIAL

        # Stretches are longer than their lists, and a stretch that grows leaves its old place
        # unused.
        postings = 3 * (n_postings + entries) // 2 + 4 * (n_columns + entries)
        capacity = roomy(len(alive) + rows), roomy(n_columns + entries), roomy(n_stories + stories), roomy(postings)
        new = self.arrays = _allocate(*capacity, hours, documents)
        for field, values in kept.items():
            getattr(new, field)[: len(alive)] = values
        own = terms[used]
        take_columns(own[np.newaxis], np.array([len(own)], np.int32), new.table, new.columns, 0)
        self.used = fill_lists(len(alive), n_columns, new)
        self.n_rows, self.n_columns, self.n_stories, self.dropped = len(alive), n_columns, n_stories, 0
        new.names[:n_stories] = story_names
        self._link_members()
        self.row_of = dict(zip(kept["numbers"].tolist(), range(len(alive)), strict=True))
        self.story_of = dict(zip(story_names.tolist(), range(n_stories), strict=True))

    def _link_members(self) -> None:
        """Link the rows of each story from the newest to the oldest."""
        story = self.arrays.story[: self.n_rows]
        order = np.argsort(story, kind="stable")
        same = story[order][1:] == story[order][:-1]
        self.arrays.older[order[1:][same]] = order[:-1][same]
        self.arrays.newest[story] = np.arange(self.n_rows)


def _allocate(rows: int, columns: int, stories: int, postings: int, hours: Any, documents: Any) -> Window:
    """Empty arrays with these capacities; memory that is never written to costs nothing."""
    size = 1024
    while size < 2 * columns:
        size *= 2
    return Window(
        table=np.zeros(size, np.uint64),
        columns=np.zeros(size, np.int32),
        lists=np.zeros((columns, 3), np.int32),
        live=np.zeros((columns, 2), np.int32),
        posting_rows=np.zeros(postings, np.int32),
        posting_weights=np.zeros(postings, np.float32),
        row_columns=np.zeros((rows, TERMS), np.int32),
        row_weights=np.zeros((rows, TERMS), np.float32),
        row_lengths=np.zeros(rows, np.int32),
        row_words=np.zeros(rows, np.int32),
        natives=np.zeros(rows, np.bool_),
        headlines=np.zeros(rows, np.bool_),
        times=np.zeros(rows, np.float64),
        story=np.full(rows, -1, np.int64),
        older=np.full(rows, -1, np.int64),
        numbers=np.zeros(rows, np.int64),
        newest=np.full(stories, -1, np.int64),
        names=np.zeros(stories, np.int64),
        hours=hours,
        documents=documents,
        dense=np.zeros(columns, np.float32),
        wanted=np.zeros(columns, np.int32),
        scores=np.zeros(rows, np.float32),
        touched=np.zeros(rows, np.int64),
        likes=np.zeros(rows, np.float32),
        sums=np.zeros(stories, np.float64),
    )
