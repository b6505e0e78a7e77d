"""The survivor policy: of documents with one text, which is kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ..arrays.rows import Ints

#: Policies by name; any other value of ``copies.keep`` lists outlets in order of trust.
EARLIEST, FULLEST = "earliest", "fullest"


def trusted_sources(keep: str) -> list[str]:
    """The outlets that ``copies.keep`` lists, most trusted first; none if it names a policy."""
    return [] if keep in (EARLIEST, FULLEST) else [name.strip() for name in keep.split(",")]


def survivor_key(
    keep: str, role: str, source: str | None, published: int | None, words: int, doc_id: str
) -> tuple[bool, int, int, bool, int, int, str]:
    """Sort key of one document: of documents with one text, the first by this key is kept.

    ``survivor_ranks`` orders a table by the same rule.

    Parameters
    ----------
    keep : value of ``copies.keep``
    published : in any unit; None where unknown
    """
    sources = trusted_sources(keep)
    trust = sources.index(source) if source in sources else len(sources)
    longest = -words if keep == FULLEST else 0
    return role == "headline", trust, longest, published is None, published or 0, -words, doc_id


def survivor_ranks(documents: Any, words: npt.NDArray[np.int32], keep: str = EARLIEST) -> Ints:
    """Rank documents by the survivor policy: of documents with one text, the first is kept.

    An article (or embedded article) comes before a headline. ``earliest``: then the earliest published (undated
    ones last), then the longest, then the smallest id. ``fullest``: the longest first, then as ``earliest``. A list
    of outlets: the first in the list, then as ``earliest``; outlets that are not in it come last.

    Parameters
    ----------
    documents : Arrow table with ``doc_id``, ``role``, ``published``, ``source``
    words : int32[n_documents]
    keep : value of ``copies.keep``

    Returns
    -------
    int64[n_documents], a permutation of 0..n-1
    """
    sources = trusted_sources(keep)
    columns = {
        "headline": pc.equal(documents.column("role"), "headline"),
        "trust": pc.fill_null(pc.index_in(documents.column("source"), pa.array(sources, pa.string())), len(sources)),
        "longest": pa.array(words if keep == FULLEST else np.zeros(len(words), np.int32)),
        "published": documents.column("published"),
        "words": pa.array(words),
        "doc_id": documents.column("doc_id"),
    }
    descending = ("longest", "words")
    order = pc.sort_indices(
        pa.table(columns), sort_keys=[(name, "descending" if name in descending else "ascending") for name in columns]
    ).to_numpy()
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    return ranks
