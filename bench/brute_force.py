"""All pairs of documents above a similarity, by exact counting: the truth for candidates."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

Ints = npt.NDArray[np.int64]
BLOCK = 1000


def all_pairs(shingles: npt.NDArray[np.uint64], offsets: Ints, *, jaccard: float, containment: float) -> tuple[Ints, Ints, Ints]:
    """All pairs of rows with at least this jaccard or this containment.

    Returns
    -------
    (left, right, shared), left < right; ``shared`` is the size of the intersection
    """
    sizes = np.diff(offsets)
    unique, columns = np.unique(shingles, return_inverse=True)
    matrix = sparse.csr_matrix((np.ones(len(shingles), np.int32), columns, offsets), shape=(len(sizes), len(unique)))
    parts = []
    for first in range(0, len(sizes), BLOCK):
        product = (matrix[first : first + BLOCK] @ matrix.T).tocoo()
        left, right, shared = product.row.astype(np.int64) + first, product.col.astype(np.int64), product.data.astype(np.int64)
        smaller = np.minimum(sizes[left], sizes[right])
        union = sizes[left] + sizes[right] - shared
        kept = (left < right) & ((shared >= jaccard * union) | (shared >= containment * smaller))
        parts.append((left[kept], right[kept], shared[kept]))
    left, right, shared = (np.concatenate([part[i] for part in parts]) for i in range(3))
    return left, right, shared
