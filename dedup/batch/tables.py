"""Builds the tables of documents and matches from arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..arrays.rows import Floats
from ..copies.find import Copies
from ..schema import DOCUMENTS, KINDS, MATCHES


def documents_table(documents: Any, words: npt.NDArray[np.int32], copies: Copies, covered: Floats, story_ids: Any) -> Any:
    """Build the table of documents, ``schema.DOCUMENTS``.

    Parameters
    ----------
    documents : Arrow table with the columns from the input
    words : int32[n], tokens of each text
    covered : float64[n], the share of each document that stands in kept ones before it
    story_ids : Arrow array of strings, all null if stories are switched off
    """
    n, survivors = len(copies), copies.survivors
    canonical = survivors.canonical
    is_copy, extended = ~survivors.kept(), survivors.extends >= 0
    has_copies = np.bincount(canonical, minlength=n) > 1
    status = np.select([is_copy, copies.short, extended, has_copies], ["copy", "short", "extended", "canonical"], "unique")
    matches = copies.matches
    rows = np.flatnonzero(is_copy)
    places = matches.find(rows, canonical[rows], n)
    kinds: Any = np.full(n, None, object)
    kinds[rows] = np.array(KINDS, object)[matches.kind[places]]
    jaccard, share, containment = (np.full(n, np.nan) for _ in range(3))
    jaccard[rows], containment[rows] = matches.jaccard[places], matches.containment[places]
    share[rows] = np.where(matches.left[places] == rows, matches.share_left[places], matches.share_right[places])
    ids = documents.column("doc_id")
    columns = {
        "words": pa.array(words, pa.int32()),
        "status": pa.array(status.tolist(), pa.string()),
        "kind": pa.array(kinds.tolist(), pa.string()),
        "canonical_id": ids.take(pa.array(canonical)),
        "extends_id": ids.take(pa.array(survivors.extends, mask=~extended)),
        "jaccard": pa.array(jaccard, pa.float32(), mask=~is_copy),
        "share": pa.array(share, pa.float32(), mask=~is_copy),
        "containment": pa.array(containment, pa.float32(), mask=~is_copy),
        "covered": pa.array(covered, pa.float32()),
        "fuller_id": ids.take(pa.array(survivors.fuller, mask=survivors.fuller < 0)),
        "copy_group": pa.array(survivors.family, pa.int64()),
        "story_id": story_ids,
    }
    named = {name: columns[name] if name in columns else documents.column(name) for name in DOCUMENTS.names}
    return pa.table(named, schema=DOCUMENTS).combine_chunks()


def matches_table(ids: Any, copies: Copies) -> Any:
    """Build the table of matches, ``schema.MATCHES``; ``ids`` is the column ``doc_id``."""
    matches = copies.matches
    columns = {
        "doc_id_a": ids.take(pa.array(matches.left)),
        "doc_id_b": ids.take(pa.array(matches.right)),
        "kind": pa.array(np.array(KINDS, object)[matches.kind].tolist(), pa.string()),
        "jaccard": pa.array(matches.jaccard, pa.float32()),
        "containment": pa.array(matches.containment, pa.float32()),
        "share_a": pa.array(matches.share_left, pa.float32()),
        "share_b": pa.array(matches.share_right, pa.float32()),
    }
    return pa.table(columns, schema=MATCHES).combine_chunks()
