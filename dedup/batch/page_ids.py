"""Ids of pages, settled when all is read: a made-up one that the base has gives way, any other one that is taken makes a reject.

A page without an id of its own is called by its file and row (``readers/rows.py``), and the ``news.jsonl`` of every day has a row 0.
Where the base has that name for other words, the page is called by its words besides: ``news.jsonl:0~`` and 16 hex digits of their
digest. So one page has one id however often it comes, and a page that comes again is known as such.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ..arrays.rows import Ints
from ..schema import REJECTS


def resolve_ids(documents: Any, digests: npt.NDArray[np.uint64], pages: Ints, n_earlier: int) -> tuple[Any, npt.NDArray[np.bool_], Any]:
    """Give each document an id of its own, or reject its page.

    Parameters
    ----------
    documents : Arrow table, ``schema.TEXTS`` without ``text``; the first ``n_earlier`` are those of the base and keep their ids
    digests : uint64[n, 2], equal if the words are
    pages : int64[n], ascending, the number of each document's page

    Returns
    -------
    (documents, kept bool[n], rejects)
        The same table, with other ids where made-up ones were taken; which documents stay; an Arrow table of ``schema.REJECTS``.
    """
    if not _has_doubles(documents):
        return documents, np.ones(len(pages), bool), REJECTS.empty_table()
    documents = _made_anew(documents, digests, pages, n_earlier)
    double, holders = _doubles(documents.column("doc_id"), pages)
    kept = ~np.isin(pages, pages[double])
    return documents, kept, _rejected(documents, digests, double, holders, n_earlier)


def _has_doubles(documents: Any) -> bool:
    return bool(pc.count_distinct(documents.column("doc_id")).as_py() < documents.num_rows)


def _made_anew(documents: Any, digests: npt.NDArray[np.uint64], pages: Ints, n_earlier: int) -> Any:
    """The documents, with new ids for pages that the base has other words for under the id that was made for them."""
    ids, page_ids = (documents.column(name).combine_chunks() for name in ("doc_id", "page_id"))
    made = pc.binary_join_element_wise(documents.column("input_file"), documents.column("input_row").cast(pa.string()), ":")
    first = pc.and_(pc.equal(ids, page_ids), pc.equal(page_ids, made)).to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(first & (np.arange(len(pages)) >= n_earlier))
    holders = pc.fill_null(pc.index_in(ids.take(pa.array(rows)), ids.slice(0, n_earlier)), -1).to_numpy()
    other_words = (holders >= 0) & (digests[rows] != digests[holders]).any(axis=1)
    if not other_words.any():
        return documents
    words = {int(pages[row]): f"~{digests[row, 0]:016x}" for row in rows[other_words]}
    renamed = pa.array(np.isin(pages, list(words)))
    of_pages, of_documents = page_ids.filter(renamed).to_pylist(), ids.filter(renamed).to_pylist()
    new_pages = [page_id + words[page] for page_id, page in zip(of_pages, pages[renamed].tolist(), strict=True)]
    # Behind the id of its page, that of a further document has a number.
    new_ids = [new + doc_id[len(old) :] for new, old, doc_id in zip(new_pages, of_pages, of_documents, strict=True)]
    for name, old, new in (("doc_id", ids, new_ids), ("page_id", page_ids, new_pages)):
        column = pc.replace_with_mask(old, renamed, pa.array(new, pa.string()))
        documents = documents.set_column(documents.schema.get_field_index(name), documents.schema.field(name), column)
    return documents


def _doubles(ids: Any, pages: Ints) -> tuple[Ints, Ints]:
    """A document of each page that has an id which an earlier document has, and that earlier one."""
    encoded = ids.combine_chunks().dictionary_encode()
    codes = encoded.indices.to_numpy()
    holder = np.full(len(encoded.dictionary), -1, np.int64)  # the document that has an id
    starts = np.flatnonzero(np.diff(pages, prepend=-1))
    double, holders = [], []
    for start, stop in zip(starts, [*starts[1:], len(codes)], strict=True):
        taken = np.flatnonzero(holder[codes[start:stop]] >= 0)
        if len(taken):
            double.append(start + taken[0])
            holders.append(holder[codes[start + taken[0]]])
        else:
            holder[codes[start:stop]] = np.arange(start, stop)
    return np.array(double, np.int64), np.array(holders, np.int64)


def _rejected(documents: Any, digests: npt.NDArray[np.uint64], double: Ints, holders: Ints, n_earlier: int) -> Any:
    """The rejects of pages by their documents whose ids the ``holders`` have."""
    seen = documents.select(["doc_id", "input_file", "input_row"])
    here, there = seen.take(pa.array(double)).to_pylist(), seen.take(pa.array(holders)).to_pylist()
    of_base = holders < n_earlier
    same = (digests[double] == digests[holders]).all(axis=1)
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
