"""Documents to TF-IDF vectors as they arrive: the weights of ``vectors.py``, with what a window holds in the place of a corpus.

A document counts the ones before it and itself, so that a block of documents gets the vectors that they get one by one. Only the
heaviest terms of a vector are kept and counted: what is left out of it is as good as in every document.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..background import Background
from ..buffers import Rows
from ..config import StoryConfig
from ..kernels.weighing import fill_table, weigh_rows
from ..vectors import NATIVE

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

    def __init__(self, known: Background, config: StoryConfig) -> None:
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
