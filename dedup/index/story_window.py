"""Stories of documents as they arrive: a new document joins the best story within the window, or founds one.

It is compared with the documents of the days around it, as in a batch (``stories/``): cosine, faded with time, in units of a cut
that rises with the crowd. It joins the story that it is most like on average over the story's documents in the window, absent pairs
counting 0, where that mean reaches 1. What was given is never changed. What a batch knows that this does not: what comes later. So
the crowd of a pair is the new document's own, over half as many neighbours, and joining takes a little more likeness (``CAUTION``);
bulletins are told apart by the crowd alone. A document that fits two stories may show that they are one: that is told
(``Assignment.merged``), and ``review`` tells what the batch rules make of all that is in the window.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arrays.rows import Floats, Ints, Rows
from ..config import DENSE_SIMILARITY, QUIET_DAY, QUIET_SHARE, StoryConfig
from ..kernels.index.story_assignment import hold_rows, place_rows
from ..schema import DAY
from ..stories.thresholds import FLOOR, HIGHEST, RISE
from ..text.document_frequencies import DocumentFrequencies
from .story_review import Finding, review
from .window_arrays import VectorRows, Weigher, WindowArrays

Flags = npt.NDArray[np.bool_]
#: A document joins if it is so many times as like a story as a batch asks for: nothing that is joined can be parted later.
CAUTION = 1.1
#: Postings read to find what is like a document, and what a document must share in them to be compared in full.
ADMIT, PARTIAL = 2500, 0.04
#: Seconds by which old documents may outstay.
LAZY = 3600.0
#: Documents put into the window at a time.
BLOCK = 4096


@dataclass(frozen=True, slots=True)
class Assignment:
    """Where a document belongs: ``story``, None if it founds one; ``merged``, further stories that it shows to be one with it."""

    story: int | None
    merged: tuple[int, ...] = ()


class StoryWindow:
    """The documents of the last days and their stories, in memory; of one thread at a time.

    Documents and stories have the numbers that the caller gives them; a story number is never -1. Times are seconds, never NaN. The same
    calls in the same order give the same stories.

    Parameters
    ----------
    known : counts that words are weighed by, besides those of the window
    config : ``dedup.Config().stories``
    """

    def __init__(self, known: DocumentFrequencies, config: StoryConfig) -> None:
        self._config = config
        self._weigher = Weigher(known, config)
        self._lists = WindowArrays()
        self._rules = _rules(config)
        self._told: set[tuple[int, int]] = set()
        self._proposed: tuple[VectorRows, int, Assignment] | None = None
        self._forgotten = -np.inf

    def __len__(self) -> int:
        return len(self._lists)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays, room to spare included."""
        return sum(array.nbytes for array in vars(self._lists).values() if isinstance(array, np.ndarray))

    def rows(self, titles: Rows, bodies: Rows, letters: Rows) -> VectorRows:
        """Vectors of documents, weighed by the background, the window, the documents before them in the block and themselves.

        Parameters
        ----------
        titles, bodies, letters : as ``vectors.vectorize`` takes them
        """
        lists = self._lists
        return self._weigher.rows(titles, bodies, letters, (lists.table, lists.columns, lists.live, lists.documents))

    def load(self, rows: VectorRows, numbers: Ints, times: Floats, headline: Flags, stories: Ints) -> None:
        """Put documents into the window of which the stories are known, the first arrived first.

        Parameters
        ----------
        numbers : int64[n], of documents; times : float64[n], seconds; headline : bool[n]; stories : int64[n]
        """
        self._check_new(numbers)
        self._proposed = None
        times, headline, stories = np.asarray(times, np.float64), np.asarray(headline, np.bool_), np.asarray(stories, np.int64)
        for first in range(0, len(numbers), BLOCK):
            block = slice(first, first + BLOCK)
            self._hold(rows.take(block), numbers[block], times[block], headline[block], stories[block])

    def _hold(self, rows: VectorRows, numbers: Ints, times: Floats, headline: Flags, stories: Ints) -> None:
        lists = self._lists
        lists.make_room(rows, len(numbers))
        of = lists.stories(stories)
        hold_rows(*_vectors(rows), times, headline, of, lists.n_rows, *lists.by_term(), *lists.by_row(), lists.hours, lists.documents)
        lists.held(numbers)

    def propose(self, rows: VectorRows, i: int, time: float, headline: bool) -> Assignment:
        """Where the document of row ``i`` belongs; nothing is changed."""
        one = rows.take(slice(i, i + 1))
        nowhere = np.full(1, -1, np.int64)
        stories, _, merged = self._place(one, np.array([time], np.float64), np.array([headline], np.bool_), nowhere, keep=False)
        if stories[0] < 0:
            place = Assignment(None)
        else:
            names = self._lists.names
            story = int(names[stories[0]])
            others = (int(names[other]) for other in merged.tolist())
            place = Assignment(story, tuple(other for other in others if _pair(story, other) not in self._told))
        self._proposed = rows, i, place
        return place

    def add(self, rows: VectorRows, i: int, number: int, time: float, headline: bool, story: int) -> None:
        """Put the document of row ``i`` into the window as a member of ``story``; what was proposed of it counts as told."""
        proposed = self._proposed
        one = rows.take(slice(i, i + 1))
        self.load(one, np.array([number], np.int64), np.array([time]), np.array([headline]), np.array([story], np.int64))
        if proposed is not None and proposed[0] is rows and proposed[1] == i and proposed[2].story == story:
            self._told.update(_pair(story, other) for other in proposed[2].merged)

    def place_all(
        self, rows: VectorRows, numbers: Ints, times: Floats, headline: Flags, founding: Ints
    ) -> tuple[Ints, list[tuple[int, int, int]]]:
        """Put documents into the window, each where it belongs: what ``propose`` and ``add`` do one after the other.

        Parameters
        ----------
        founding : int64[n], the number of the story that each founds if it joins none

        Returns
        -------
        (stories int64[n], merges)
            The story joined, -1 if the document founds one; (row, story, other) for each other story shown to be one with it.
        """
        lists = self._lists
        self._check_new(numbers)
        self._proposed = None
        lists.make_room(rows, len(numbers))
        founds = lists.stories(np.asarray(founding, np.int64))
        placed, by, merged = self._place(rows, np.asarray(times, np.float64), np.asarray(headline, np.bool_), founds, keep=True)
        lists.held(numbers)
        lists.forget_stories(founds)
        stories: Ints = np.where(placed >= 0, lists.names[placed], -1)
        merges = []
        for row, story, other in zip(by.tolist(), stories[by].tolist(), lists.names[merged].tolist(), strict=True):
            if _pair(story, other) not in self._told:
                self._told.add(_pair(story, other))
                merges.append((row, story, other))
        return stories, merges

    def remove(self, number: int) -> bool:
        """Take a document out of the window; whether it was there."""
        row = self._lists.row_of.get(number)
        if row is not None:
            self._drop(np.array([row]))
        return row is not None

    def forget_before(self, time: float) -> int:
        """Take the documents of earlier times out of the window; returns how many.

        All times are read for that, so a call is passed over that goes less than ``LAZY`` seconds beyond the last one that was not. What is
        older than ``window_days`` than a document counts for nothing in its place whether it is still there or not.
        """
        if self._forgotten <= time < self._forgotten + LAZY:
            return 0
        self._forgotten = time
        lists = self._lists
        rows = lists.rows()
        rows = rows[lists.times[rows] < time]
        if len(rows):
            self._drop(rows)
            held = set(lists.names[np.unique(lists.story[lists.rows()])].tolist()) if self._told else set()
            self._told = {pair for pair in self._told if held.issuperset(pair)}
        return len(rows)

    def review(self) -> list[Finding]:
        """What the batch rules make of the documents in the window: stories that are one, and parts that are not of theirs."""
        return review(self._lists, self._config)

    def _place(self, rows: VectorRows, times: Floats, headline: Flags, founds: Ints, *, keep: bool) -> Any:
        lists = self._lists
        return place_rows(
            *_vectors(rows), times, headline, founds, keep, lists.n_rows, self._rules, ADMIT, PARTIAL, *lists.by_term(), *lists.by_row(),
            lists.names, lists.hours, lists.documents, lists.scores, lists.touched, lists.dense, lists.likes, lists.sums,
        )  # fmt: skip

    def _drop(self, rows: Ints) -> None:
        self._proposed = None
        self._lists.drop(rows)

    def _check_new(self, numbers: Iterable[int]) -> None:
        held = self._lists.row_of
        known = np.asarray(numbers).tolist()
        if len(set(known)) < len(known) or any(number in held for number in known):
            raise ValueError("a document is in the window already: remove it before it is added again.")


def _vectors(rows: VectorRows) -> tuple[Any, ...]:
    return rows.terms, rows.weights, rows.words, rows.lengths, rows.native


def _pair(one: int, other: int) -> tuple[int, int]:
    return (one, other) if one < other else (other, one)


def _rules(config: StoryConfig) -> Floats:
    """What ``place_rows`` goes by."""
    return np.array([
        config.cut, config.headline_cut, config.crowd, HIGHEST, np.sqrt(1 - config.letters), config.decay_days, config.headline_decay_days,
        FLOOR, CAUTION, QUIET_DAY, QUIET_SHARE, RISE, config.window_days * DAY, DENSE_SIMILARITY,
    ])  # fmt: skip
