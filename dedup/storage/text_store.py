"""The texts of a run, kept for later ones: one Parquet file that is written while pages are read, and read piece by piece.

Row groups have a fixed number of rows, so that the bytes do not depend on how a run was batched. Until a result is
written, the file has no name and vanishes with the process, however it ends.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import OutputError
from ..schema import KEPT_TEXTS
from .files import os_errors_as

#: Rows in a row group: what has to be read to see one text.
TEXT_ROWS = 1024


class TextStore:
    """The texts of documents, row by row as in the table of documents; nothing is read before it is asked for.

    Parameters
    ----------
    source : a Parquet file of ``schema.KEPT_TEXTS``, or an open one; it is closed with this object, and until then it is the file that
        was there at first, whatever takes its name
    given_up : the file is needed by nobody else, so that it may become the file of a result
    """

    def __init__(self, source: str | os.PathLike[str] | IO[bytes], *, given_up: bool = False) -> None:
        path = os.fspath(source) if isinstance(source, str | os.PathLike) else None
        self._given_up = path if given_up else None
        self._source: Any = pa.OSFile(path) if path is not None else cast(Any, source)
        weakref.finalize(self, self._source.close)
        self._file = pq.ParquetFile(self._source)
        self._starts = np.cumsum([0, *(self._file.metadata.row_group(i).num_rows for i in range(self._file.num_row_groups))])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def stored_bytes(self) -> int:
        """Bytes that the file holds of texts, compressed."""
        groups = (self._file.metadata.row_group(i) for i in range(self._file.num_row_groups))
        return sum(group.column(i).total_compressed_size for group in groups for i in range(group.num_columns))

    @property
    def schema(self) -> Any:
        """The columns that the file holds."""
        return self._file.schema_arrow

    def batches(self) -> Iterator[Any]:
        """All texts as Arrow tables of ``schema.KEPT_TEXTS``, in order; one is in memory at a time."""
        for group in range(self._file.num_row_groups):
            yield self._file.read_row_group(group)

    def read(self) -> Any:
        """All texts as one Arrow table of ``schema.KEPT_TEXTS``."""
        return self._file.read()

    def take(self, rows: npt.ArrayLike) -> Any:
        """The texts of some documents, an Arrow ``large_string`` array; only what holds them is read.

        Parameters
        ----------
        rows : int[n], rows of the table of documents, in any order
        """
        wanted = np.asarray(rows, np.int64)
        groups = np.searchsorted(self._starts, wanted, side="right") - 1
        needed, places = np.unique(groups, return_inverse=True)
        if not len(needed):
            return pa.array([], pa.large_string())
        texts = self._file.read_row_groups(needed.tolist(), columns=["text"]).column("text").combine_chunks()
        firsts = np.cumsum([0, *(self._starts[needed + 1] - self._starts[needed])])[:-1]
        return texts.take(pa.array(firsts[places] + wanted - self._starts[groups]))

    def copy(self, path: Path) -> None:
        """Write the same file, byte for byte, under a name."""
        if self._given_up is not None:
            with contextlib.suppress(OSError):  # where there are no links, there are copies
                os.link(self._given_up, path)
                return
        self._source.seek(0)
        with open(path, "wb") as file:
            shutil.copyfileobj(self._source, file, 1 << 20)


class TextWriter:
    """Texts that come batch by batch, to a file without a name.

    Parameters
    ----------
    folder : where the file is made; the system's folder for temporary files if left out
    file : an open file to take in its place; see ``close``
    """

    def __init__(self, folder: str | None = None, file: Any = None) -> None:
        self._folder = folder
        with self._writing():
            self._file: Any = tempfile.TemporaryFile(dir=folder, prefix="dedup-") if file is None else file  # noqa: SIM115
        # Texts are unlike one another: neither dictionaries nor extremes would be of use.
        self._writer = pq.ParquetWriter(self._file, KEPT_TEXTS, compression="zstd", use_dictionary=False, write_statistics=False)
        self._abandoned = weakref.finalize(self, _abandon, self._writer, self._file)
        self._waiting: list[Any] = []
        self._rows = 0

    def add(self, texts: Any) -> None:
        """Add an Arrow table with ``doc_id`` and ``text`` behind those that are there."""
        self._waiting.append(texts.select(KEPT_TEXTS.names))
        self._rows += texts.num_rows
        if self._rows >= TEXT_ROWS:
            waiting = pa.concat_tables(self._waiting)
            whole = self._rows - self._rows % TEXT_ROWS
            for first in range(0, whole, TEXT_ROWS):
                self._write(waiting.slice(first, TEXT_ROWS))
            self._rows -= whole
            self._waiting = [waiting.slice(whole)] if self._rows else []

    def finish(self) -> TextStore:
        """All texts; nothing can be added afterwards."""
        self.close()
        self._file.seek(0)
        return TextStore(self._file)

    def close(self) -> None:
        """Write what is left to be written; the file is left to whoever gave it."""
        if self._rows:
            self._write(pa.concat_tables(self._waiting))
        with self._writing():
            self._writer.close()
            self._file.flush()
        self._abandoned.detach()

    def _write(self, texts: Any) -> None:
        # In one piece, for a page of the file ends where a piece does.
        columns = [column.combine_chunks() for column in texts.columns]
        with self._writing():
            self._writer.write_table(pa.table(columns, schema=KEPT_TEXTS), row_group_size=TEXT_ROWS)

    def _writing(self) -> AbstractContextManager[None]:
        """Around all writing: what the system refuses becomes an ``OutputError``."""
        place = Path(self._folder or tempfile.gettempdir())
        return os_errors_as(
            OutputError,
            lambda why: (
                f"{place}: cannot keep the texts there ({why}). "
                "Free some space, set TMPDIR to another folder, or keep none with --no-texts."
            ),
        )


def _abandon(writer: Any, file: IO[bytes]) -> None:
    """Close a file that nobody will read, whatever is left to be written to it."""
    with contextlib.suppress(OSError):
        writer.close()
    writer.is_open = False
    with contextlib.suppress(OSError):
        file.close()


def chosen(texts: TextStore, kept: npt.NDArray[np.bool_], folder: str | None = None, *, ids: Any = None) -> TextStore:
    """The texts of some documents as a file of their own.

    Parameters
    ----------
    kept : bool[len(texts)]
    ids : Arrow text column of the ids of all texts, if they are others now
    """
    writer, first = TextWriter(folder), 0
    for batch in texts.batches():
        if ids is not None:
            batch = batch.set_column(0, KEPT_TEXTS.field("doc_id"), ids.slice(first, batch.num_rows))
        writer.add(batch.filter(pa.array(kept[first : first + batch.num_rows])))
        first += batch.num_rows
    return writer.finish()
