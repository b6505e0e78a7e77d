"""Makes ids unique after reading: renames generated ids, rejects all other duplicates.

A generated id (file and row) comes again in the ``news.jsonl`` of each day. If the base has it for
another text, ``~`` and 16 digits of the digest follow: a repeated page has one id.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ..arrays.rows import Ints
from ..readers.batches import made_ids
from ..schema import REJECTS


def resolve_ids(documents: Any, digests: npt.NDArray[np.uint64], pages: Ints, n_base: int) -> tuple[Any, npt.NDArray[np.bool_], Any]:
    """Make the ids of documents unique, or reject their pages.

    Parameters
    ----------
    documents : Arrow table of ``schema.TEXTS`` without ``text``
        The first ``n_base`` belong to the base and keep their ids.
    digests : uint64[n, 2], equal if the words are equal
    pages : int64[n], ascending, the number of each document's page

    Returns
    -------
    documents
        The table with new ids for the renamed pages.
    kept
        bool[n], documents that are not rejected.
    rejects
        Arrow table of ``schema.REJECTS``.
    """
    if not _has_duplicates(documents):
        return documents, np.ones(len(pages), bool), REJECTS.empty_table()
    documents = _rename_generated(documents, digests, pages, n_base)
    duplicates, holders = _find_duplicates(documents.column("doc_id"), pages)
    kept = ~np.isin(pages, pages[duplicates])
    return documents, kept, _rejects_of(documents, digests, duplicates, holders, n_base)


def _has_duplicates(documents: Any) -> bool:
    return bool(pc.count_distinct(documents.column("doc_id")).as_py() < documents.num_rows)


def _rename_generated(documents: Any, digests: npt.NDArray[np.uint64], pages: Ints, n_base: int) -> Any:
    """Rename pages whose generated id belongs to another text in the base."""
    ids, page_ids = (documents.column(name).combine_chunks() for name in ("doc_id", "page_id"))
    generated = made_ids(documents.column("input_file"), documents.column("input_row"))
    first = pc.and_(pc.equal(ids, page_ids), pc.equal(page_ids, generated)).to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(first & (np.arange(len(pages)) >= n_base))
    holders = pc.fill_null(pc.index_in(ids.take(pa.array(rows)), ids.slice(0, n_base)), -1).to_numpy()
    other_words = (holders >= 0) & (digests[rows] != digests[holders]).any(axis=1)
    if not other_words.any():
        return documents
    words = {int(pages[row]): f"~{digests[row, 0]:016x}" for row in rows[other_words]}
    renamed = pa.array(np.isin(pages, list(words)))
    of_pages, of_documents = page_ids.filter(renamed).to_pylist(), ids.filter(renamed).to_pylist()
    new_pages = [page_id + words[page] for page_id, page in zip(of_pages, pages[renamed].tolist(), strict=True)]
    # The id of an embedded article or headline is the id of its page plus a number.
    new_ids = [new + doc_id[len(old) :] for new, old, doc_id in zip(new_pages, of_pages, of_documents, strict=True)]
    for name, old, new in (("doc_id", ids, new_ids), ("page_id", page_ids, new_pages)):
        column = pc.replace_with_mask(old, renamed, pa.array(new, pa.string()))
        documents = documents.set_column(documents.schema.get_field_index(name), documents.schema.field(name), column)
    return documents


def _find_duplicates(ids: Any, pages: Ints) -> tuple[Ints, Ints]:
    """For each page with a duplicate id: its first such document, and the holder of the id."""
    encoded = ids.combine_chunks().dictionary_encode()
    codes = encoded.indices.to_numpy()
    holder = np.full(len(encoded.dictionary), -1, np.int64)  # row of the document that has the id, by code
    starts = np.flatnonzero(np.diff(pages, prepend=-1))
    duplicates, holders = [], []
    for start, stop in zip(starts, [*starts[1:], len(codes)], strict=True):
        taken = np.flatnonzero(holder[codes[start:stop]] >= 0)
        if len(taken):
            duplicates.append(start + taken[0])
            holders.append(holder[codes[start + taken[0]]])
        else:
            holder[codes[start:stop]] = np.arange(start, stop)
    return np.array(duplicates, np.int64), np.array(holders, np.int64)


def _rejects_of(documents: Any, digests: npt.NDArray[np.uint64], duplicates: Ints, holders: Ints, n_base: int) -> Any:
    """Build the rejects of pages whose documents have the ids of the ``holders``."""
    seen = documents.select(["doc_id", "input_file", "input_row"])
    here, there = seen.take(pa.array(duplicates)).to_pylist(), seen.take(pa.array(holders)).to_pylist()
    of_base = holders < n_base
    same = (digests[duplicates] == digests[holders]).all(axis=1)
    advice = "Name another column with --input.id, or give 'none' to number the pages by file and row."
    rows = []
    for row, other, in_base, again in zip(here, there, of_base, same, strict=True):
        place = f"{other['input_file']}, row {other['input_row']}"
        reason, detail = "duplicate_id", f"id {row['doc_id']!r} was already used in {place}. {advice}"
        if in_base:
            held = f"id {row['doc_id']!r} is that of a document of the base, from {place}"
            detail = f"{held}, with other words. The base keeps those that it has. {advice}"
            if again:
                reason, detail = "already_in_base", f"{held}, with the same words."
        rows.append({"input_file": row["input_file"], "input_row": row["input_row"], "reason": reason, "detail": detail})
    return pa.Table.from_pylist(rows, schema=REJECTS)
