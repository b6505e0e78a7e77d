"""Large arrays that grow batch by batch: in memory while they fit, in temporary files when they no longer do.

What is in a file is read through a memory map, so that every stage works on it as on any array. The files have no name
from the moment they are made, and vanish with the process, however it ends.
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

#: Called where a stage is done with what it has read so far.
Release = Callable[[], None]


def no_release() -> None:
    """A ``Release`` for arrays that are in memory anyway."""


class SpillPool:
    """Where large arrays are kept.

    Parameters
    ----------
    limit : bytes that may be held in memory; when more has come in, all that is still growing goes to files
    folder : where the files are made; the system's folder for temporary files if left out
    """

    def __init__(self, limit: int, folder: str | None = None) -> None:
        self.limit, self.folder = limit, folder
        self.spilled = False
        self._held = 0
        self._piles: list[SpilledArray] = []
        self._maps: list[mmap.mmap] = []

    def __enter__(self) -> SpillPool:
        return self

    def __exit__(self, *_: object) -> None:
        """Close the files that were never read; those that were live as long as their arrays."""
        for pile in self._piles:
            pile.close()

    def new_array(self, dtype: npt.DTypeLike) -> SpilledArray:
        """A new array to which values are added."""
        pile = SpilledArray(self, np.dtype(dtype))
        self._piles.append(pile)
        if self.spilled:
            pile.spill()
        return pile

    def release(self) -> None:
        """Give back the memory of what was read from the files; what is read again is read again."""
        if hasattr(mmap, "MADV_DONTNEED"):  # elsewhere the system takes it back when it needs it
            for part in self._maps:
                part.madvise(mmap.MADV_DONTNEED)

    def added(self, size: int) -> None:
        """So many bytes have come in."""
        self._held += size
        if self._held > self.limit and not self.spilled:
            self.spilled = True
            for pile in self._piles:
                pile.spill()

    def temporary_file(self) -> IO[bytes]:
        """Open a file that has no name and vanishes when it is closed."""
        with self.writing():
            return cast(IO[bytes], tempfile.TemporaryFile(dir=self.folder, prefix="dedup-"))

    def writing(self) -> AbstractContextManager[None]:
        """Around all writing: what the system refuses becomes an ``OutputError``."""
        place = Path(self.folder or tempfile.gettempdir())
        return os_errors_as(
            OutputError,
            lambda why: (
                f"{place}: cannot keep {self._held >> 20:,} MB of fingerprints there ({why}). "
                "Free some space, set TMPDIR to another folder, or allow more memory with --run.memory."
            ),
        )

    def forget(self, pile: SpilledArray) -> None:
        """Spill this array no more: its values are about to be handed out."""
        self._piles.remove(pile)

    def mapped(self, number: int, n: int, dtype: np.dtype[Any], access: int = mmap.ACCESS_WRITE) -> npt.NDArray[Any]:
        """The first values of an open file, which may be closed now: the map holds it open."""
        # Writable all, though few are written: kernels are compiled anew for arrays that are not.
        mapped = mmap.mmap(number, n * dtype.itemsize, access=access)
        self._maps.append(mapped)
        return np.frombuffer(mapped, dtype, n)


class SpilledArray:
    """An array that grows; see ``SpillPool``."""

    def __init__(self, spill: SpillPool, dtype: np.dtype[Any]) -> None:
        self._spill, self._dtype = spill, dtype
        self._parts: list[npt.NDArray[Any]] = []
        self._file: IO[bytes] | None = None
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def add(self, values: npt.NDArray[Any]) -> None:
        """Add values behind those that are there."""
        self._size += len(values)
        if self._file is None:
            self._parts.append(values)
            self._spill.added(values.nbytes)
        else:
            self._write([values])

    def spill(self) -> None:
        """Move what is there to a file."""
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
    """An array that grows in a file of a workspace, so that another process can go on with it.

    Parameters
    ----------
    file : what is in it are the first values
    """

    def __init__(self, spill: SpillPool, file: WorkFile, dtype: npt.DTypeLike) -> None:
        self._spill, self._file, self._dtype = spill, file, np.dtype(dtype)
        spill.added(len(file))

    def __len__(self) -> int:
        return len(self._file) // self._dtype.itemsize

    def add(self, values: npt.NDArray[Any]) -> None:
        """Add values behind those that are there."""
        if len(values):
            self._file.write(np.ascontiguousarray(values).data)
            self._spill.added(values.nbytes)

    def array(self) -> npt.NDArray[Any]:
        """All values; nothing can be added afterwards. What is written to the array does not reach the file."""
        self._file.flush()
        array = np.empty(0, self._dtype)
        if len(self):
            array = self._spill.mapped(self._file.fileno(), len(self), self._dtype, mmap.ACCESS_COPY)
        self._file.abandon()
        return array
