"""Stores the texts of a run in a Parquet file, which is read a row group at a time.

Row groups have a fixed number of rows, so the bytes of the file do not depend on batching.
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

#: Rows in a row group, which must be read whole to get one text.
TEXT_ROWS = 1024


class TextStore:
    """The texts of documents, row by row as in the table of documents; read on demand.

    Parameters
    ----------
    source
        Path of a Parquet file of ``schema.KEPT_TEXTS``, or an open file. It stays open until this
        object is gone, so replacing the file under its name has no effect.
    given_up
        Nobody else needs the file, so ``copy`` may link it instead of copying.
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
        """Return the compressed size of the texts in bytes."""
        groups = (self._file.metadata.row_group(i) for i in range(self._file.num_row_groups))
        return sum(group.column(i).total_compressed_size for group in groups for i in range(group.num_columns))

    @property
    def schema(self) -> Any:
        """Schema of the file."""
        return self._file.schema_arrow

    def batches(self) -> Iterator[Any]:
        """Iterate over the texts as Arrow tables of ``schema.KEPT_TEXTS``, a row group at a time."""
        for group in range(self._file.num_row_groups):
            yield self._file.read_row_group(group)

    def read(self) -> Any:
        """Read all texts as one Arrow table of ``schema.KEPT_TEXTS``."""
        return self._file.read()

    def take(self, rows: npt.ArrayLike) -> Any:
        """Read the texts of some documents as an Arrow ``large_string`` array.

        Only the row groups that contain them are read.

        Parameters
        ----------
        rows : int[n]
            Rows of the table of documents, in any order.
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
        """Write the file, byte for byte, to a path."""
        if self._given_up is not None:
            with contextlib.suppress(OSError):  # file systems without links: copy
                os.link(self._given_up, path)
                return
        self._source.seek(0)
        with open(path, "wb") as file:
            shutil.copyfileobj(self._source, file, 1 << 20)


class TextWriter:
    """Writes texts batch by batch to a file without a name, which vanishes with the process.

    Parameters
    ----------
    folder
        Folder of the file; the system's folder for temporary files if None.
    file
        An open file to use instead; ``close`` leaves it open.
    """

    def __init__(self, folder: str | None = None, file: Any = None) -> None:
        self._folder = folder
        with self._writing():
            self._file: Any = tempfile.TemporaryFile(dir=folder, prefix="dedup-") if file is None else file  # noqa: SIM115
        # Texts are all different, so dictionaries and statistics are useless.
        self._writer = pq.ParquetWriter(self._file, KEPT_TEXTS, compression="zstd", use_dictionary=False, write_statistics=False)
        self._abandoned = weakref.finalize(self, _abandon, self._writer, self._file)
        self._waiting: list[Any] = []
        self._rows = 0

    def add(self, texts: Any) -> None:
        """Append an Arrow table with the columns ``doc_id`` and ``text``."""
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
        """Finish the file and open it for reading."""
        self.close()
        self._file.seek(0)
        return TextStore(self._file)

    def close(self) -> None:
        """Write the last rows and the footer; the file itself stays open."""
        if self._rows:
            self._write(pa.concat_tables(self._waiting))
        with self._writing():
            self._writer.close()
            self._file.flush()
        self._abandoned.detach()

    def _write(self, texts: Any) -> None:
        # In one chunk, because Parquet pages end where chunks do.
        columns = [column.combine_chunks() for column in texts.columns]
        with self._writing():
            self._writer.write_table(pa.table(columns, schema=KEPT_TEXTS), row_group_size=TEXT_ROWS)

    def _writing(self) -> AbstractContextManager[None]:
        """A context for all writing that raises an ``OSError`` as an ``OutputError``."""
        place = Path(self._folder or tempfile.gettempdir())
        return os_errors_as(
            OutputError,
            lambda why: (
                f"{place}: cannot keep the texts there ({why}). "
                "Free some space, set TMPDIR to another folder, or keep none with --no-texts."
            ),
        )


def _abandon(writer: Any, file: IO[bytes]) -> None:
    """Close an unfinished file."""
    with contextlib.suppress(OSError):
        writer.close()
    writer.is_open = False
    with contextlib.suppress(OSError):
        file.close()


def filter_texts(texts: TextStore, kept: npt.NDArray[np.bool_], folder: str | None = None, *, ids: Any = None) -> TextStore:
    """Copy the texts of some documents to a new file.

    Parameters
    ----------
    texts
        All texts.
    kept : bool[len(texts)]
        Which of them to copy.
    folder
        See ``TextWriter``.
    ids
        Arrow text column with new ids of all texts; None keeps the ids.
    """
    writer, first = TextWriter(folder), 0
    for batch in texts.batches():
        if ids is not None:
            batch = batch.set_column(0, KEPT_TEXTS.field("doc_id"), ids.slice(first, batch.num_rows))
        writer.add(batch.filter(pa.array(kept[first : first + batch.num_rows])))
        first += batch.num_rows
    return writer.finish()
