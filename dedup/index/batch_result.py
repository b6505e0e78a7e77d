"""Reads the result of a batch run for an index, block by block, from memory, a folder or a URL."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..arrays.rows import Ints
from ..copies.verification import may_be_template
from ..errors import InputError, OutputError
from ..result import Result, ReuseChecks, files_in
from ..schema import DOCUMENTS, KINDS, MATCHES
from ..storage.remote import display_url
from ..storage.text_store import TEXT_ROWS, TextStore
from .decision import MOST_POSTED_COPIES

#: What to do about a result that cannot be used.
_REMEDY = "Run it again: 'dedup run INPUT... -o OUT', then 'dedup index build OUT -o INDEX'."
#: Documents in a block: several row groups of their texts.
BLOCK = 5 * TEXT_ROWS
#: ``DocumentColumns.published`` of a document without a date.
UNDATED = np.iinfo(np.int64).max


@dataclass(frozen=True, eq=False)
class DocumentColumns:
    """What must be known of all documents before the first one is added, in the order of the run.

    Attributes
    ----------
    canonical : int64[n], the row of each one's canonical
    published : int64[n], microseconds since 1970, UTC; ``UNDATED`` if unknown
    parts : int64[n], further documents of each one's page; 0 for those themselves
    extends : int64[n], the row of the document that each extended one extends, else -1
    posted_copy : bool[n], copies that are posted under their shingles, see ``Decisions``
    """

    canonical: Ints
    extends: Ints
    published: Ints
    parts: Ints
    posted_copy: npt.NDArray[np.bool_]


class BatchResult:
    """A result of a batch run.

    Parameters
    ----------
    run : the result, or the folder or URL that it was written to

    Raises
    ------
    InputError
        If there is no result, it has no texts, was written by another version, or is inconsistent.
    """

    def __init__(self, run: Result | str | os.PathLike[str]) -> None:
        self.name = "the result" if isinstance(run, Result) else display_url(run)
        self.checks = ReuseChecks(f"{self.name}:", _REMEDY)
        try:
            self.manifest = run.manifest if isinstance(run, Result) else Result.read_manifest(run)
            self.checks.check_version(self.manifest)
            self._documents, self._matches, texts = _open_tables(run)
        except OutputError as error:
            raise InputError(str(error)) from error
        except (OSError, ValueError) as error:
            raise InputError(f"{self.name}: contains a table that cannot be read ({error}). Run it again.") from error
        self._texts: TextStore = self.checks.require_texts(texts, "which an index needs to compare documents")
        for table, schema in ((self._documents, DOCUMENTS), (self._matches, MATCHES)):
            self.checks.check_schema(_schema_of(table), schema)
        self.checks.check_texts(self._texts, len(self))

    def __len__(self) -> int:
        """Number of documents."""
        documents = self._documents
        return int(documents.num_rows if isinstance(documents, pa.Table) else documents.metadata.num_rows)

    def columns(self) -> DocumentColumns:
        """Read what must be known of all documents at once: about 200 bytes a document."""
        names = ["doc_id", "page_id", "canonical_id", "extends_id", "published", "source", "kind", "containment"]
        table = self._documents.select(names) if isinstance(self._documents, pa.Table) else self._documents.read(names)
        ids, pages, canonicals, extended = (table.column(name).combine_chunks() for name in names[:4])
        canonical, extends = pc.index_in(canonicals, ids), pc.index_in(extended, ids, skip_nulls=True)
        # The documents of a page are adjacent, its article first.
        main = pc.equal(ids, pages).to_numpy(zero_copy_only=False)
        if canonical.null_count or extends.null_count > extended.null_count or (len(main) and not main[0]):
            raise self.checks.inconsistent("its documents refer to a canonical or a page that is missing")
        rows: Ints = canonical.to_numpy(zero_copy_only=False).astype(np.int64)
        first = np.flatnonzero(main)
        parts = np.zeros(len(main), np.int64)
        parts[first] = np.diff(np.append(first, len(main))) - 1
        published = table.column("published").cast(pa.int64()).fill_null(UNDATED).to_numpy()
        held: Ints = extends.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        return DocumentColumns(rows, held, published, parts, _find_posted_copies(table, rows))

    def blocks(self) -> Iterator[tuple[int, Any, Any]]:
        """(first row, Arrow table of up to ``BLOCK`` documents, column of their texts)."""
        first = 0
        documents = self._documents
        groups = [documents] if isinstance(documents, pa.Table) else (documents.read_row_group(i) for i in range(documents.num_row_groups))
        for rows, texts in zip(_rechunk(groups, BLOCK), _rechunk(self._texts.batches(), BLOCK), strict=True):
            if not rows.column("doc_id").equals(texts.column("doc_id")):
                raise self.checks.other_texts()
            yield first, rows, texts.column("text")
            first += rows.num_rows


def _open_tables(run: Result | str | os.PathLike[str]) -> tuple[Any, Any, TextStore | None]:
    """Documents and matches, in memory or as open files, and texts."""
    if isinstance(run, Result):
        return run.documents, run.matches, run.texts
    files = files_in(run)
    documents, matches = (pq.ParquetFile(files[name]()) if name in files else None for name in ("documents.parquet", "matches.parquet"))
    return documents, matches, TextStore(files["texts.parquet"]()) if "texts.parquet" in files else None


def _find_posted_copies(documents: Any, canonical: Ints) -> npt.NDArray[np.bool_]:
    """The first copies of each canonical and its outlet that may be a template; as in ``decision``."""
    sources = pc.fill_null(documents.column("source").combine_chunks().dictionary_encode().indices, -1).to_numpy()
    kinds = pc.fill_null(pc.index_in(documents.column("kind"), pa.array(KINDS)), len(KINDS)).to_numpy()
    containment = pc.fill_null(documents.column("containment"), 1.0).to_numpy().astype(float)
    chosen = np.flatnonzero(may_be_template(kinds, containment, sources, sources[canonical]) & (sources == sources[canonical]))
    by_canonical = chosen[np.argsort(canonical[chosen], kind="stable")]
    groups = canonical[by_canonical]
    ranks = np.arange(len(groups)) - np.searchsorted(groups, groups)
    posted = np.zeros(len(canonical), bool)
    posted[by_canonical[ranks < MOST_POSTED_COPIES - 1]] = True  # the canonical is posted too
    return posted


def _schema_of(table: Any) -> Any:
    if table is None:
        return None
    return table.schema_arrow if isinstance(table, pq.ParquetFile) else table.schema


def _rechunk(tables: Iterable[Any], rows: int) -> Iterator[Any]:
    """The same rows in tables of ``rows`` rows each, the last one shorter."""
    pieces: list[Any] = []
    count = 0
    for table in tables:
        rest = table
        while rest.num_rows:
            pieces.append(rest.slice(0, rows - count))
            count += pieces[-1].num_rows
            rest = rest.slice(pieces[-1].num_rows)
            if count == rows:
                yield pa.concat_tables(pieces)
                pieces, count = [], 0
    if pieces:
        yield pa.concat_tables(pieces)
