"""Who stands for a copy group: the order of precedence among documents."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


def precedence(documents: Any, words: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Rank the documents: the first of a copy group by this rank is its canonical.

    An article (or embedded article) before a headline, then the earliest published (undated ones last), then
    the longest, then the smallest id.

    Parameters
    ----------
    documents : Arrow table with ``doc_id``, ``role``, ``published``
    words : int32[n_documents]

    Returns
    -------
    int64[n_documents], a permutation of 0..n-1
    """
    order = pc.sort_indices(
        pa.table(
            {
                "headline": pc.equal(documents.column("role"), "headline"),
                "published": documents.column("published"),
                "words": pa.array(words),
                "doc_id": documents.column("doc_id"),
            }
        ),
        sort_keys=[("headline", "ascending"), ("published", "ascending"), ("words", "descending"), ("doc_id", "ascending")],
    ).to_numpy()
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    return ranks
