"""Which document of a copy group is its canonical: the first by precedence."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


def precedence_key(role: str, published: int | None, words: int, doc_id: str) -> tuple[bool, bool, int, int, str]:
    """Sort key of one document: the first of a copy group by this key is its canonical.

    An article (or embedded article) before a headline, then the earliest published (undated ones
    last), then the longest, then the smallest id. ``precedence`` orders a table by the same rule.

    Parameters
    ----------
    published : in any unit; None where unknown
    """
    return role == "headline", published is None, published or 0, -words, doc_id


def precedence(documents: Any, words: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Rank the documents of a table by ``precedence_key``, without a Python object for each.

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
