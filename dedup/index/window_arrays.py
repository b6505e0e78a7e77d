"""The documents of a window as arrays that kernels read and write: rows of terms, lists of rows by term, members of stories.

Whatever grows has room to spare; where it has not, everything is written anew, without what is gone and with room for half as much
again. Numbers of rows, columns and stories change then; those of documents and the names of stories, which the caller gives, do not.
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
from ..stories.vectors import NATIVE
from ..text.document_frequencies import DocumentFrequencies

#: Terms kept of a document.
TERMS = 48


@dataclass(frozen=True, eq=False)
class VectorRows:
    """Vectors of documents: ``terms`` uint64[n, TERMS], ``weights`` float32[n, TERMS], of row i the first ``lengths[i]`` entries.

    The first ``words[i]`` entries are words, the rest runs of letters; ``native`` bool[n], in the language of the background.
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
    """The weights of a background, in tables that kernels read."""

    def __init__(self, known: DocumentFrequencies, config: StoryConfig) -> None:
        size = 16
        while size < 2 * len(known.terms):
            size *= 2
        self._keys, self._counts, self._documents = np.zeros(size, np.uint64), np.zeros(size, np.int64), known.documents
        fill_table(self._keys, self._counts, known.terms, known.counts.astype(np.int64))
        self._config = config

    def rows(self, titles: Rows, bodies: Rows, letters: Rows, window: tuple[Any, ...]) -> VectorRows:
        """Vectors of documents; see ``vectors.vectorize`` for the rows and ``weigh_rows`` for ``window``."""
        config = self._config
        return VectorRows(
            *weigh_rows(
                *titles,
                *bodies,
                *letters,
                config.title_weight,
                config.lead_words,
                config.letters,
                NATIVE,
                self._keys,
                self._counts,
                self._documents,
                *window,
                TERMS,
            )  # fmt: skip
        )


#: Rows, columns and stories that there is room for at first.
FIRST = 1024
#: Hours that documents are counted by, a ring.
HOURS = 8192
#: Rows that may be gone before everything is written anew, besides a quarter of all.
GONE = 2048


class WindowArrays:
    """Arrays of a window.

    ``table``, ``columns``: the column of each term; ``lists`` int32[n_columns, 3], where in ``posting_rows`` and ``posting_weights``
    the list of each begins, how long it is and may grow; ``live`` int32[n_columns, 2], native and other documents in it. By row:
    ``row_columns``, ``row_weights`` [n, TERMS], ``row_lengths``, ``row_words`` (of these the words), ``natives``, ``times`` (seconds),
    ``briefs`` (headlines), ``story`` (-1: gone), ``following`` (the row that joined the story before it, -1: none), ``numbers``. By story:
    ``head``, the row that joined last, and ``names``. ``hours``: documents by hour. ``documents``: native, other, with letters.
    """

    def __init__(self) -> None:
        self.documents = np.zeros(3, np.int64)
        self.hours = np.zeros(HOURS, np.int32)
        self.n_rows = self.n_columns = self.n_stories = self.used = self.gone = 0
        self.row_of: dict[int, int] = {}
        self.story_of: dict[int, int] = {}
        self._allocate(FIRST, FIRST, FIRST, FIRST)

    def __len__(self) -> int:
        return self.n_rows - self.gone

    def _allocate(self, rows: int, columns: int, stories: int, postings: int) -> None:
        """Arrays with room for so many of each; memory that is not written to costs nothing."""
        size = 1024
        while size < 2 * columns:
            size *= 2
        self.table, self.columns = np.zeros(size, np.uint64), np.zeros(size, np.int32)
        self.lists, self.live = np.zeros((columns, 3), np.int32), np.zeros((columns, 2), np.int32)
        self.dense, self.wanted = np.zeros(columns, np.float32), np.zeros(columns, np.int32)
        self.posting_rows, self.posting_weights = np.zeros(postings, np.int32), np.zeros(postings, np.float32)
        self.row_columns, self.row_weights = np.zeros((rows, TERMS), np.int32), np.zeros((rows, TERMS), np.float32)
        self.row_lengths, self.row_words = np.zeros(rows, np.int32), np.zeros(rows, np.int32)
        self.natives, self.briefs = np.zeros(rows, np.bool_), np.zeros(rows, np.bool_)
        self.times, self.story = np.zeros(rows, np.float64), np.full(rows, -1, np.int64)
        self.following, self.numbers = np.full(rows, -1, np.int64), np.zeros(rows, np.int64)
        self.scores, self.likes = np.zeros(rows, np.float32), np.zeros(rows, np.float32)
        self.touched = np.zeros(rows, np.int64)
        self.head, self.names = np.full(stories, -1, np.int64), np.zeros(stories, np.int64)
        self.sums = np.zeros(stories, np.float64)

    def by_term(self) -> tuple[Any, ...]:
        """The arrays that lists are."""
        return self.table, self.columns, self.live, self.lists, self.posting_rows, self.posting_weights

    def by_row(self) -> tuple[Any, ...]:
        """The arrays that rows are, and the heads of stories."""
        return (
            self.row_columns, self.row_weights, self.row_lengths, self.row_words, self.natives, self.times, self.briefs, self.story,
            self.following, self.head,
        )  # fmt: skip

    def make_room(self, rows: VectorRows, stories: int) -> None:
        """Make room for more documents and so many more stories."""
        n, entries = len(rows), int(rows.lengths.sum())
        if (
            self.n_rows + n > len(self.times)
            or self.n_columns + entries > len(self.lists)
            or self.n_stories + stories > len(self.head)
            or self.gone > max(GONE, len(self) // 4)
        ):
            self._renew(n, entries, stories)
        self.n_columns = take_columns(rows.terms, rows.lengths, self.table, self.columns, self.n_columns)
        used = self._lengthen(rows)
        if used < 0:
            self._renew(n, entries, stories)
            self.n_columns = take_columns(rows.terms, rows.lengths, self.table, self.columns, self.n_columns)
            used = self._lengthen(rows)
        self.used = used

    def _lengthen(self, rows: VectorRows) -> int:
        used: int = make_room(
            rows.terms, rows.lengths, self.table, self.columns, self.lists, self.posting_rows, self.posting_weights, self.used, self.wanted
        )
        return used

    def stories(self, names: Ints) -> Ints:
        """The numbers of stories here; a name that is new gets one."""
        numbers = np.empty(len(names), np.int64)
        for place, name in enumerate(names.tolist()):
            number = self.story_of.get(name)
            if number is None:
                number = self.story_of[name] = self.n_stories
                self.names[number], self.head[number] = name, -1
                self.n_stories += 1
            numbers[place] = number
        return numbers

    def forget_stories(self, stories: Ints) -> None:
        """Forget the names of stories that have no document, of those given."""
        for story in stories[self.head[stories] < 0].tolist():
            self.story_of.pop(int(self.names[story]), None)

    def held(self, numbers: Ints) -> None:
        """Note that the next rows, which kernels have written, are the documents of these numbers."""
        first, n = self.n_rows, len(numbers)
        self.numbers[first : first + n] = numbers
        self.row_of.update(zip(numbers.tolist(), range(first, first + n), strict=True))
        self.n_rows += n

    def drop(self, rows: Ints) -> None:
        """Take rows out of the window."""
        drop_rows(
            rows, self.row_columns, self.row_lengths, self.row_words, self.natives, self.times, self.story, self.live, self.hours,
            self.documents,
        )  # fmt: skip
        for number in self.numbers[rows].tolist():
            del self.row_of[number]
        self.gone += len(rows)

    def rows(self) -> Ints:
        """Rows that are not gone, ascending."""
        return np.flatnonzero(self.story[: self.n_rows] >= 0)

    def _renew(self, rows: int, entries: int, stories: int) -> None:
        """Write everything anew, with room for so many more rows, terms and stories, and for half as much again."""
        alive = self.rows()
        names = ("row_columns", "row_weights", "row_lengths", "row_words", "natives", "briefs", "times", "story", "numbers")
        kept = {name: getattr(self, name)[alive] for name in names}
        taken = self.table != 0
        terms = np.zeros(self.n_columns, np.uint64)
        terms[self.columns[taken]] = self.table[taken]
        used = self.live[: self.n_columns].any(axis=1)
        new_column = np.maximum(np.cumsum(used) - 1, 0)
        held, kept["story"] = np.unique(kept["story"], return_inverse=True)
        story_names = self.names[held]
        kept["row_columns"] = new_column[kept["row_columns"]].astype(np.int32) if self.n_columns else kept["row_columns"]
        n_columns, n_stories, n_postings = int(used.sum()), len(held), int(kept["row_lengths"].sum())

        def roomy(size: int) -> int:
            return size + size // 2 + FIRST

        # Stretches are longer than what is in them, and are left behind where they grow.
        postings = 3 * (n_postings + entries) // 2 + 4 * (n_columns + entries)
        # What is old goes before what is new is made.
        self.posting_rows, self.posting_weights = np.empty(0, np.int32), np.empty(0, np.float32)
        self.row_columns, self.row_weights = np.empty((0, TERMS), np.int32), np.empty((0, TERMS), np.float32)
        self._allocate(roomy(len(alive) + rows), roomy(n_columns + entries), roomy(n_stories + stories), roomy(postings))
        for name, values in kept.items():
            getattr(self, name)[: len(alive)] = values
        own = terms[used]
        take_columns(own[np.newaxis], np.array([len(own)], np.int32), self.table, self.columns, 0)
        self.used = fill_lists(
            self.row_columns, self.row_weights, self.row_lengths[: len(alive)], self.row_words, self.natives, n_columns,
            self.lists, self.live, self.posting_rows, self.posting_weights,
        )  # fmt: skip
        self.n_rows, self.n_columns, self.n_stories, self.gone = len(alive), n_columns, n_stories, 0
        self.names[:n_stories] = story_names
        self._chain()
        self.row_of = dict(zip(kept["numbers"].tolist(), range(len(alive)), strict=True))
        self.story_of = dict(zip(story_names.tolist(), range(n_stories), strict=True))

    def _chain(self) -> None:
        """Chain the rows of each story, the last first."""
        story = self.story[: self.n_rows]
        order = np.argsort(story, kind="stable")
        same = story[order][1:] == story[order][:-1]
        self.following[order[1:][same]] = order[:-1][same]
        self.head[story] = np.arange(self.n_rows)
