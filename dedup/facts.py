"""Terms to facts: what a template fills in. Numbers, and words that are rare in Arabic news at large."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .background import Background
from .kernels.shingle import unique_rows

Rows = tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]
#: A word in fewer documents of the background than this share is a fact.
RARE = 0.006


def fact_rows(terms: Rows, known: Background) -> Rows:
    """Sorted unique facts of each row of terms."""
    values, offsets = terms
    unique, places = np.unique(values, return_inverse=True)
    rare = known.document_frequency(unique) < RARE * known.documents
    fact = (rare | ((unique & np.uint64(1)) == 1))[places]
    kept = np.zeros(len(values) + 1, np.int64)
    np.cumsum(fact, out=kept[1:])
    rows: Rows = unique_rows(values[fact], kept[offsets])
    return rows
