"""How common a term is in Arabic news at large: counts of hashed stems from a background corpus.

The counts make a corpus of twelve documents and one of a million weigh words alike. They are
``data/background.npz``, made by ``bench/background.py``: hashes and counts only, no text.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt

#: The two lowest bits of a term tell what it is, not which: see ``kernels/terms.py``.
FLAGS = np.uint64(3)


@dataclass(frozen=True)
class Background:
    """``terms`` uint64[n] sorted, flags 0, ``counts`` uint32[n] documents that hold each, of ``documents`` in all."""

    terms: npt.NDArray[np.uint64]
    counts: npt.NDArray[np.uint32]
    documents: int

    def document_frequency(self, terms: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """int64[len(terms)]: documents of the background that hold each term; 0 where it is unknown."""
        if len(self.terms) == 0:
            return np.zeros(len(terms), np.int64)
        terms = terms & ~FLAGS
        places = np.minimum(np.searchsorted(self.terms, terms), len(self.terms) - 1)
        return np.where(self.terms[places] == terms, self.counts[places], 0).astype(np.int64)

    def common_terms(self, share: float) -> npt.NDArray[np.uint64]:
        """Sorted terms that stand in at least this share of the documents."""
        return self.terms[self.counts >= share * self.documents]


@cache
def background() -> Background:
    """The shipped counts."""
    with resources.files("dedup.data").joinpath("background.npz").open("rb") as file, np.load(file) as arrays:
        return Background(arrays["terms"], arrays["counts"], int(arrays["documents"]))
