"""Large arrays that grow batch by batch: in memory while they fit, then in temporary files.

Files are read through memory maps, so stages use them like any array. They have no name and vanish
with the process, however it ends.
"""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import numpy.typing as npt

from ..errors import OutputError
from ..storage.files import WorkFile, os_errors_as

#: A stage calls it after reading a block, to release the memory of what it has read.
Release = Callable[[], None]


def no_release() -> None:
    """A ``Release`` for arrays in memory: does nothing."""


class SpillPool:
    """Creates growing arrays, and moves them to files when together they exceed a limit.

    Parameters
    ----------
    limit : most bytes in memory; beyond it all growing arrays move to files
    folder : folder of the files; by default the system's folder for temporary files
    """

    def __init__(self, limit: int, folder: str | None = None) -> None:
        self.limit, self.folder = limit, folder
        self.spilled = False
        self._bytes = 0
        self._growing: list[SpilledArray] = []
        self._maps: list[mmap.mmap] = []

    def __enter__(self) -> SpillPool:
        return self

    def __exit__(self, *_: object) -> None:
        """Close the files that were never read; mapped files live as long as their arrays."""
        for array in self._growing:
            array.close()

    def new_array(self, dtype: npt.DTypeLike) -> SpilledArray:
        """Create an empty array that grows."""
        array = SpilledArray(self, np.dtype(dtype))
        self._growing.append(array)
        if self.spilled:
            array.spill()
        return array

    def release(self) -> None:
        """Release the memory of mapped pages; they are read from the files again when needed."""
        if hasattr(mmap, "MADV_DONTNEED"):  # other systems reclaim the memory when they need it
            for part in self._maps:
                part.madvise(mmap.MADV_DONTNEED)

    def added(self, size: int) -> None:
        """Count added bytes, and move all growing arrays to files once the limit is exceeded."""
        self._bytes += size
        if self._bytes > self.limit and not self.spilled:
            self.spilled = True
            for array in self._growing:
                array.spill()

    def temporary_file(self) -> IO[bytes]:
        """Open a file that has no name and vanishes when it is closed."""
        with self.writing():
            return cast(IO[bytes], tempfile.TemporaryFile(dir=self.folder, prefix="dedup-"))

    def writing(self) -> AbstractContextManager[None]:
        """A context for all writing that raises an ``OSError`` as an ``OutputError``."""
        place = Path(self.folder or tempfile.gettempdir())
        return os_errors_as(
            OutputError,
            lambda why: (
                f"{place}: cannot keep {self._bytes >> 20:,} MB of fingerprints there ({why}). "
                "Free some space, set TMPDIR to another folder, or allow more memory with --run.memory."
            ),
        )

    def forget(self, array: SpilledArray) -> None:
        """Exclude an array from spilling: its values are about to be used."""
        self._growing.remove(array)

    def mapped(self, number: int, n: int, dtype: np.dtype[Any], access: int = mmap.ACCESS_WRITE) -> npt.NDArray[Any]:
        """Map the first ``n`` values of an open file, which may be closed afterwards."""
        # All maps are writable, though few are written to: Numba would compile kernels again for
        # read-only arrays.
        mapped = mmap.mmap(number, n * dtype.itemsize, access=access)
        self._maps.append(mapped)
        return np.frombuffer(mapped, dtype, n)


class SpilledArray:
    """A growing array; see ``SpillPool``."""

    def __init__(self, spill: SpillPool, dtype: np.dtype[Any]) -> None:
        self._spill, self._dtype = spill, dtype
        self._parts: list[npt.NDArray[Any]] = []
        self._file: IO[bytes] | None = None
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def add(self, values: npt.NDArray[Any]) -> None:
        """Append values."""
        self._size += len(values)
        if self._file is None:
            self._parts.append(values)
            self._spill.added(values.nbytes)
        else:
            self._write([values])

    def spill(self) -> None:
        """Move the values to a file."""
        self._file = self._spill.temporary_file()
        self._write(self._parts)
        self._parts = []

    def array(self) -> npt.NDArray[Any]:
        """All values; nothing can be added afterwards."""
        if self._file is None:
            self._spill.forget(self)
            parts, self._parts = self._parts, []
            return parts[0] if len(parts) == 1 else np.concatenate([np.empty(0, self._dtype), *parts])
        if self._size == 0:
            return np.empty(0, self._dtype)
        with self._spill.writing():
            self._file.flush()
        with self._file as file:
            return self._spill.mapped(file.fileno(), self._size, self._dtype)

    def close(self) -> None:
        """Close the file, if there is one."""
        if self._file is not None:
            self._file.close()

    def _write(self, parts: Sequence[npt.NDArray[Any]]) -> None:
        if self._file is not None:
            with self._spill.writing():
                for part in parts:
                    if len(part):
                        self._file.write(np.ascontiguousarray(part).data.cast("B"))


class PersistentArray:
    """A growing array in a file of a workspace, so that another process can continue it.

    Parameters
    ----------
    file : its content are the first values
    """

    def __init__(self, spill: SpillPool, file: WorkFile, dtype: npt.DTypeLike) -> None:
        self._spill, self._file, self._dtype = spill, file, np.dtype(dtype)
        spill.added(len(file))

    def __len__(self) -> int:
        return len(self._file) // self._dtype.itemsize

    def add(self, values: npt.NDArray[Any]) -> None:
        """Append values."""
        if len(values):
            self._file.write(np.ascontiguousarray(values).data)
            self._spill.added(values.nbytes)

    def array(self) -> npt.NDArray[Any]:
        """All values; nothing can be added afterwards.

        Writes to the array do not reach the file.
        """
        self._file.flush()
        array = np.empty(0, self._dtype)
        if len(self):
            array = self._spill.mapped(self._file.fileno(), len(self), self._dtype, mmap.ACCESS_COPY)
        self._file.abandon()
        return array
