"""Terms to facts: what a template fills in. Numbers, and words that are rare in Arabic news at large."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .background import Background
from .kernels.shingle import unique_rows

Rows = tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]
#: A word in fewer documents of the background than this share is a fact.
RARE = 0.006


@dataclass(frozen=True, eq=False)
class Facts:
    """``terms`` of documents in text order, ``flags`` bool, which of them are facts, ``unique`` the sorted unique
    facts of each row."""

    terms: Rows
    flags: npt.NDArray[np.bool_]
    unique: Rows

    @classmethod
    def of(cls, terms: Rows, known: Background) -> Facts:
        """Tell facts from common words by the background corpus."""
        values, offsets = terms
        unique, places = np.unique(values, return_inverse=True)
        rare = known.document_frequency(unique) < RARE * known.documents
        flags = (rare | ((unique & np.uint64(1)) == 1))[places]
        kept = np.zeros(len(values) + 1, np.int64)
        np.cumsum(flags, out=kept[1:])
        return cls(terms, flags, unique_rows(values[flags], kept[offsets]))
