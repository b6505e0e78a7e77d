"""The result of a batch run as an index takes it in: checked and read block by block, be it in memory, in a folder or elsewhere."""

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
from ..copies.pairs import EXCERPT, LEFT, NEAR, NEITHER, RIGHT
from ..copies.verification import TEMPLATE_BELOW
from ..errors import InputError, OutputError
from ..result import Result, files_in
from ..schema import DOCUMENTS, KEPT_TEXTS, KINDS, MATCHES, SCHEMA_VERSION
from ..storage.remote import display_url
from ..storage.text_store import TEXT_ROWS, TextStore
from ..version import __version__
from .decision import MOST_POSTED_COPIES

#: Documents in a block: some row groups of their texts.
BLOCK = 5 * TEXT_ROWS


@dataclass(frozen=True, eq=False)
class Frame:
    """What must be known of all documents before the first of them is taken in, row by row in the order of the run.

    ``canonical`` int64[n], the row of each one's canonical; ``published`` int64[n], microseconds, ``UNDATED`` if unknown; ``parts``
    int64[n], how many further documents the page of each has, 0 of those themselves; ``contained`` int8[n]; ``posted_copy`` bool[n], copies
    that are listed by their shingles, see ``Decisions``.
    """

    canonical: Ints
    published: Ints
    parts: Ints
    contained: npt.NDArray[np.int8]
    posted_copy: npt.NDArray[np.bool_]


UNDATED = np.iinfo(np.int64).max


class BatchResult:
    """A result, or the folder or URL that it was written to.

    Raises
    ------
    InputError
        If there is no result, it holds no texts, was made by another version, or does not fit together.
    """

    def __init__(self, run: Result | str | os.PathLike[str]) -> None:
        self.name = "the result" if isinstance(run, Result) else display_url(run)
        try:
            self.manifest = run.manifest if isinstance(run, Result) else Result.read_manifest(run)
            self._check_version()
            self._documents, self._matches, texts = _tables(run)
        except OutputError as error:
            raise InputError(str(error)) from error
        except (OSError, ValueError) as error:
            raise InputError(f"{self.name}: holds a table that cannot be read ({error}). Run it anew.") from error
        if texts is None:
            raise InputError(
                f"{self.name}: holds no texts (no texts.parquet), and an index compares with texts. "
                "Run it again without --no-texts (run.keep_texts false)."
            )
        self._texts: TextStore = texts
        fitting = ((self._documents, DOCUMENTS), (self._matches, MATCHES), (texts, KEPT_TEXTS))
        if any(table is None or not _schema(table).equals(schema) for table, schema in fitting):
            raise self._torn("its tables are not as a run of this version writes them")
        if len(texts) != len(self):
            raise self._torn("it has other texts than documents")

    def __len__(self) -> int:
        """Documents."""
        documents = self._documents
        return int(documents.num_rows if isinstance(documents, pa.Table) else documents.metadata.num_rows)

    def frame(self) -> Frame:
        """Read the columns of which all rows are needed at once: some 200 bytes a document."""
        names = ["doc_id", "page_id", "canonical_id", "published", "source", "kind", "containment"]
        table = self._documents.select(names) if isinstance(self._documents, pa.Table) else self._documents.read(names)
        ids, pages, canonicals = (table.column(name).combine_chunks() for name in names[:3])
        canonical = pc.index_in(canonicals, ids)
        # The documents of a page stand together, its article first.
        main = pc.equal(ids, pages).to_numpy(zero_copy_only=False)
        if canonical.null_count or (len(main) and not main[0]):
            raise self._torn("its documents name a canonical or a page that is not there")
        rows: Ints = canonical.to_numpy(zero_copy_only=False).astype(np.int64)
        first = np.flatnonzero(main)
        parts = np.zeros(len(main), np.int64)
        parts[first] = np.diff(np.append(first, len(main))) - 1
        published = table.column("published").cast(pa.int64()).fill_null(UNDATED).to_numpy()
        return Frame(rows, published, parts, self._contained(ids, rows), _find_posted_copies(table, rows))

    def blocks(self) -> Iterator[tuple[int, Any, Any]]:
        """(row of the first document, an Arrow table of up to ``BLOCK`` documents, the column of their texts)."""
        first = 0
        documents = self._documents
        groups = [documents] if isinstance(documents, pa.Table) else (documents.read_row_group(i) for i in range(documents.num_row_groups))
        for rows, texts in zip(_cut(groups, BLOCK), _cut(self._texts.batches(), BLOCK), strict=True):
            if not rows.column("doc_id").equals(texts.column("doc_id")):
                raise self._torn("its texts are those of other documents")
            yield first, rows, texts.column("text")
            first += rows.num_rows

    def _contained(self, ids: Any, canonical: Ints) -> npt.NDArray[np.int8]:
        """Of each copy, whether it or its canonical is the excerpt."""
        answer = np.full(len(canonical), NEITHER, np.int8)
        matches, names = self._matches, ["doc_id_a", "doc_id_b", "contained"]
        groups = (
            [matches.select(names)]
            if isinstance(matches, pa.Table)
            else (matches.read_row_group(i, names) for i in range(matches.num_row_groups))
        )
        for group in groups:
            held = group.filter(pc.is_valid(group.column("contained"))).combine_chunks()
            a, b = (pc.fill_null(pc.index_in(held.column(name), ids), -1).to_numpy() for name in names[:2])
            if (a < 0).any() or (b < 0).any():
                raise self._torn("its matches name documents that are not there")
            of_a = pc.equal(held.column("contained"), "a").to_numpy()
            forth, back = canonical[a] == b, canonical[b] == a
            answer[a[forth]] = np.where(of_a[forth], RIGHT, LEFT)
            answer[b[back]] = np.where(of_a[back], LEFT, RIGHT)
        return answer

    def _check_version(self) -> None:
        made, needed = (self.manifest.get("version"), self.manifest.get("schema_version")), (__version__, SCHEMA_VERSION)
        if made != needed:
            raise InputError(
                f"{self.name}: was written by dedup {made[0]} (tables of version {made[1]}), and this is dedup {needed[0]} (tables of "
                f"version {needed[1]}), which compares texts in another way. Run it anew."
            )

    def _torn(self, what: str) -> InputError:
        return InputError(f"{self.name}: does not fit together: {what}. Run it anew.")


def _tables(run: Result | str | os.PathLike[str]) -> tuple[Any, Any, TextStore | None]:
    """Documents and matches, in memory or as open files, and texts."""
    if isinstance(run, Result):
        return run.documents, run.matches, run.texts
    files = files_in(run)
    documents, matches = (pq.ParquetFile(files[name]()) if name in files else None for name in ("documents.parquet", "matches.parquet"))
    return documents, matches, TextStore(files["texts.parquet"]()) if "texts.parquet" in files else None


def _find_posted_copies(documents: Any, canonical: Ints) -> npt.NDArray[np.bool_]:
    """Of the copies that share little with a canonical of their own outlet the first ones, as ``deciding.py`` chooses them."""
    sources = pc.fill_null(documents.column("source").combine_chunks().dictionary_encode().indices, -1).to_numpy()
    little = pc.and_(
        pc.is_in(documents.column("kind"), pa.array([KINDS[NEAR], KINDS[EXCERPT]])),
        pc.less(documents.column("containment"), TEMPLATE_BELOW),
    )
    chosen = np.flatnonzero(little.fill_null(False).to_numpy() & (sources == sources[canonical]))
    by_canonical = chosen[np.argsort(canonical[chosen], kind="stable")]
    groups = canonical[by_canonical]
    ranks = np.arange(len(groups)) - np.searchsorted(groups, groups)
    answer = np.zeros(len(canonical), bool)
    answer[by_canonical[ranks < MOST_POSTED_COPIES - 1]] = True  # the canonical is one of them
    return answer


def _schema(table: Any) -> Any:
    return table.schema_arrow if isinstance(table, pq.ParquetFile) else table.schema


def _cut(tables: Iterable[Any], rows: int) -> Iterator[Any]:
    """The same rows in tables of ``rows`` rows each, the last one shorter."""
    held: list[Any] = []
    count = 0
    for table in tables:
        rest = table
        while rest.num_rows:
            held.append(rest.slice(0, rows - count))
            count += held[-1].num_rows
            rest = rest.slice(held[-1].num_rows)
            if count == rows:
                yield pa.concat_tables(held)
                held, count = [], 0
    if held:
        yield pa.concat_tables(held)
