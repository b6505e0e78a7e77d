"""Stories of incoming documents: each joins the best story of the last days, or founds one.

Decisions are final, and made without later documents or bulletins, so thresholds are a little
higher than in a batch run (``CAUTION``); ``review`` compares its stories with those of such a run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arrays.rows import Floats, Ints, Rows
from ..config import StoryConfig
from ..kernels.index.story_assignment import add_documents, assign_documents
from ..kernels.index.window_tuples import Documents, SearchLimits
from ..stories.changes import StoryChange
from ..stories.thresholds import story_rules
from ..text.document_frequencies import DocumentFrequencies
from .story_review import review
from .window_arrays import VectorRows, Weigher, WindowArrays

Flags = npt.NDArray[np.bool_]
#: Factor on the thresholds of a batch run: a wrong join cannot be undone later.
CAUTION = 1.1
#: Postings read to find documents similar to a new one, and the score in them from which a document
#: is compared in full.
POSTINGS, SCORE = 2500, 0.04
#: Seconds by which old documents may stay too long: dropping them reads all times.
LAZY = 3600.0
#: Documents put into the window at a time.
BLOCK = 4096


@dataclass(frozen=True, slots=True)
class Assignment:
    """The story that a document belongs to, None if it founds one; ``merged``: stories it shows to be the same."""

    story: int | None
    merged: tuple[int, ...] = ()


class StoryWindow:
    """The documents of the last days and their stories, in memory; not thread-safe.

    The caller numbers documents and stories; a story number is never -1. Times are seconds, never
    NaN. The same calls in the same order give the same stories.

    Parameters
    ----------
    known : background counts; words are weighed by them and by the documents of the window
    config : ``dedup.Config().stories``
    """

    def __init__(self, known: DocumentFrequencies, config: StoryConfig) -> None:
        self._config = config
        self._weigher = Weigher(known, config)
        self._contents = WindowArrays()
        self._rules = story_rules(config, caution=CAUTION)
        self._reported: set[tuple[int, int]] = set()
        self._forgotten = -np.inf

    def __len__(self) -> int:
        return len(self._contents)

    def rows(self, titles: Rows, bodies: Rows, letters: Rows) -> VectorRows:
        """Weigh documents by the background, the window, the documents before them in the block and themselves.

        Parameters
        ----------
        titles, bodies, letters : term rows, see ``vectors.vectorize``
        """
        return self._weigher.rows(titles, bodies, letters, self._contents.arrays)

    def load(self, rows: VectorRows, numbers: Ints, times: Floats, headline: Flags, stories: Ints) -> None:
        """Put documents into the window whose stories are known, in the order of their arrival.

        Parameters
        ----------
        numbers : int64[n], of documents
        times : float64[n], seconds
        headline : bool[n]
        stories : int64[n]

        Raises
        ------
        ValueError
            If a document is in the window already.
        """
        self._check_new(numbers)
        contents = self._contents
        for first in range(0, len(numbers), BLOCK):
            block = slice(first, first + BLOCK)
            part = rows.take(block)
            contents.make_room(part, len(part))
            members = contents.stories(np.asarray(stories, np.int64)[block])
            add_documents(_documents(part, times[block], headline[block]), members, contents.n_rows, contents.arrays)
            contents.register(numbers[block])

    def propose(self, rows: VectorRows, i: int, time: float, headline: bool) -> Assignment:
        """The story of the document in row ``i``; changes nothing."""
        nowhere = np.full(1, -1, np.int64)
        stories, _, merged = self._assign(rows.take(slice(i, i + 1)), np.array([time]), np.array([headline]), nowhere, keep=False)
        if stories[0] < 0:
            return Assignment(None)
        names = self._contents.arrays.names
        story = int(names[stories[0]])
        others = (int(names[other]) for other in merged.tolist())
        return Assignment(story, tuple(other for other in others if _pair(story, other) not in self._reported))

    def assign(
        self, rows: VectorRows, numbers: Ints, times: Floats, headline: Flags, founding: Ints
    ) -> tuple[Ints, list[tuple[int, int, int]]]:
        """Assign documents to stories and put them into the window, one after the other.

        Parameters
        ----------
        numbers : int64[n], of documents
        times : float64[n], seconds
        headline : bool[n]
        founding : int64[n], the number of the story that each document founds if it joins none

        Returns
        -------
        (stories int64[n], merges)
            The story joined, -1 if the document founds one. For each other story shown to be the
            same: (row, story, other); a pair of stories is reported once.

        Raises
        ------
        ValueError
            If a document is in the window already.
        """
        contents = self._contents
        self._check_new(numbers)
        contents.make_room(rows, len(numbers))
        founds = contents.stories(np.asarray(founding, np.int64))
        joined, by, merged = self._assign(rows, times, headline, founds, keep=True)
        contents.register(numbers)
        contents.forget_stories(founds)
        names = contents.arrays.names
        stories: Ints = np.where(joined >= 0, names[joined], -1)
        merges = []
        for row, story, other in zip(by.tolist(), stories[by].tolist(), names[merged].tolist(), strict=True):
            if _pair(story, other) not in self._reported:
                self._reported.add(_pair(story, other))
                merges.append((row, story, other))
        return stories, merges

    def remove(self, number: int) -> bool:
        """Take a document out of the window; returns whether it was there."""
        row = self._contents.row_of.get(number)
        if row is not None:
            self._contents.drop(np.array([row]))
        return row is not None

    def forget_before(self, time: float) -> int:
        """Take documents of earlier times out of the window; returns their number.

        A call less than ``LAZY`` seconds after the last effective one does nothing. Documents older
        than ``window_days`` do not change an assignment, whether they are still there or not.
        """
        if self._forgotten <= time < self._forgotten + LAZY:
            return 0
        self._forgotten = time
        contents = self._contents
        rows = contents.rows()
        rows = rows[contents.arrays.times[rows] < time]
        if len(rows):
            contents.drop(rows)
            arrays = contents.arrays
            alive = set(arrays.names[np.unique(arrays.story[contents.rows()])].tolist()) if self._reported else set()
            self._reported = {pair for pair in self._reported if alive.issuperset(pair)}
        return len(rows)

    def numbers(self) -> list[int]:
        """The numbers of the documents in the window."""
        return list(self._contents.row_of)

    def review(self, extends: Mapping[int, int] | None = None) -> list[StoryChange]:
        """Compare the stories of the window with the clusters of a batch run over its documents.

        Parameters
        ----------
        extends : the number of the document that each extended one extends
        """
        return review(self._contents, self._config, extends or {})

    def _assign(self, rows: VectorRows, times: Floats, headline: Flags, founds: Ints, *, keep: bool) -> Any:
        contents = self._contents
        limits = SearchLimits(POSTINGS, SCORE)
        return assign_documents(_documents(rows, times, headline), founds, keep, contents.n_rows, contents.arrays, self._rules, limits)

    def _check_new(self, numbers: Iterable[int]) -> None:
        known = self._contents.row_of
        given = np.asarray(numbers).tolist()
        if len(set(given)) < len(given) or any(number in known for number in given):
            raise ValueError("a document is in the window already: remove it before it is added again.")


def _documents(rows: VectorRows, times: Floats, headline: Flags) -> Documents:
    times, headline = np.asarray(times, np.float64), np.asarray(headline, np.bool_)
    return Documents(rows.terms, rows.weights, rows.words, rows.lengths, rows.native, times, headline)


def _pair(one: int, other: int) -> tuple[int, int]:
    return (one, other) if one < other else (other, one)
