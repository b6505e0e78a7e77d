"""Summed vectors of stories: the weight of each term in a story, and how close each document is to the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arrays.rows import Floats, Ints
from ..text.document_frequencies import FLAGS

Hashes = npt.NDArray[np.uint64]
#: Factor on the weight of a term that only one of several documents has.
LONE = 0.1


@dataclass(frozen=True, eq=False)
class Terms:
    """The different terms of vectors.

    ``terms`` uint64[n_terms], sorted, flags 0; ``of_column`` int64[n_columns], the number of each
    column's term (a term with different flags in titles and texts has two columns); ``is_keyword``
    bool[n_terms], False for numbers, runs of letters and excluded words.
    """

    terms: Hashes
    of_column: Ints
    is_keyword: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, columns: Hashes, excluded: Hashes) -> Terms:
        """From the terms of columns, with their flags, and excluded terms, without flags."""
        terms, numbers = np.unique(columns & ~FLAGS, return_inverse=True)
        is_keyword = np.zeros(len(terms), bool)
        is_keyword[numbers[columns & np.uint64(1) == 0]] = True
        return cls(terms, numbers.astype(np.int64), is_keyword & ~np.isin(terms, excluded))

    def find(self, wanted: Hashes) -> Ints:
        """int64[len(wanted)]: the number of each term, flags ignored; -1 if it is unknown."""
        wanted = wanted & ~FLAGS
        if len(self.terms) == 0:
            return np.full(len(wanted), -1, np.int64)
        places = np.minimum(np.searchsorted(self.terms, wanted), len(self.terms) - 1)
        return np.where(self.terms[places] == wanted, places, -1).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Centroids:
    """Terms of stories: an entry for each term of each story, by story and then by the number of the term.

    ``stories``, ``numbers`` int64[n_entries]; ``weights`` float64[n_entries], summed over the
    story's documents; ``spread`` int64[n_entries], documents with the term; ``sizes``
    int64[n_stories], documents; ``centrality`` float64[n_documents], the mean cosine of each
    document with the others of its story, 1 if there are none.
    """

    stories: Ints
    numbers: Ints
    weights: Floats
    spread: Ints
    sizes: Ints
    centrality: Floats
    terms: Terms

    @classmethod
    def of(cls, matrix: Any, terms: Terms, story: Ints, n_stories: int) -> Centroids:
        """From the vectors of documents, CSR with rows of unit length, and the story of each document."""
        rows = np.repeat(np.arange(len(story)), np.diff(matrix.indptr))
        data = matrix.data.astype(np.float64)
        keys, places = np.unique(story[rows] * len(terms.terms) + terms.of_column[matrix.indices], return_inverse=True)
        weights: Floats = np.bincount(places, weights=data, minlength=len(keys)).astype(np.float64)
        with_all = np.bincount(rows, weights=data * weights[places], minlength=len(story))
        own = np.bincount(rows, weights=data * data, minlength=len(story))
        sizes = np.bincount(story, minlength=n_stories)
        others = sizes[story] - 1
        centrality = np.where(others > 0, (with_all - own) / np.maximum(others, 1), 1.0).clip(0, 1)
        stories, numbers = np.divmod(keys, max(len(terms.terms), 1))
        return cls(stories, numbers, weights, np.bincount(places, minlength=len(keys)), sizes, centrality, terms)

    def cohesion(self, story: Ints) -> Floats:
        """float64[n_stories]: the mean cosine of two documents of each story, in [0, 1]; 1 if it has one document."""
        return np.bincount(story, weights=self.centrality, minlength=len(self.sizes)) / np.maximum(self.sizes, 1)

    def weights_of(self, stories: Ints, terms: Hashes) -> Floats:
        """float64[n]: the weight of ``terms[i]`` in story ``stories[i]``, 0 if the story lacks it."""
        n_terms = len(self.terms.terms)
        numbers = self.terms.find(terms)
        wanted, keys = stories * n_terms + numbers, self.stories * n_terms + self.numbers
        if len(keys) == 0:
            return np.zeros(len(terms))
        places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return np.where((numbers >= 0) & (keys[places] == wanted), self.weights[places], 0.0)

    def heaviest(self, most: int) -> tuple[Ints, Hashes]:
        """The ``most`` heaviest possible keywords of each story: (story int64[n], term uint64[n]), by story, best first.

        Words of several documents come before those of one.
        """
        words = np.flatnonzero(self.terms.is_keyword[self.numbers])
        stories = self.stories[words]
        shared = self.spread[words] >= np.minimum(2, self.sizes[stories])
        scores = (self.weights[words] * np.where(shared, 1.0, LONE)).astype(np.float32)
        # The bits of positive floats sort as the floats do, so story and score sort as one number;
        # ties keep the order of terms.
        falling = np.uint64(0xFFFFFFFF) - scores.view(np.uint32).astype(np.uint64)
        order = np.argsort(stories.astype(np.uint64) << np.uint64(32) | falling, kind="stable")
        stories = stories[order]
        rank = np.arange(len(order)) - np.searchsorted(stories, stories)
        kept = rank < most
        return stories[kept], self.terms.terms[self.numbers[words[order[kept]]]]
