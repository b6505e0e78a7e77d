"""Files that are on the disk for good before anything is said of them: flushed, renamed, with a digest to know them by."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any, NamedTuple

_CHUNK = 1 << 20


class Mark(NamedTuple):
    """A piece of a file: where it begins, how many bytes it has, and their SHA-256 (the fastest digest where the processor knows it)."""

    begin: int
    size: int
    sha256: str


class WorkFile(io.RawIOBase):
    """A file that is written from its beginning to its end; its digest is taken on the way.

    Parameters
    ----------
    path : its name when it is settled; until then it is written aside
    told : around everything that the disk can refuse
    begin : not None: the file grows under its name, and what is behind this place is cut off
    """

    def __init__(self, path: Path, told: Callable[[], AbstractContextManager[None]], *, begin: int | None = None) -> None:
        self.path, self._told, self._grows = path, told, begin is not None
        self._aside = path if self._grows else path.with_name(path.name + ".part")
        self._begin = self._size = begin or 0
        self._digest = hashlib.sha256()
        self._file = open(self._aside, "r+b" if begin else "w+b", buffering=_CHUNK)  # noqa: SIM115 - closed with this object
        self._file.truncate(self._size)
        self._file.seek(self._size)

    def __len__(self) -> int:
        return self._size

    def writable(self) -> bool:
        """True, for Arrow asks."""
        return True

    def tell(self) -> int:
        """Bytes so far."""
        return self._size

    def write(self, data: Any) -> int:
        """Add bytes."""
        if self._file.closed:
            raise OSError(errno.EBADF, "the file is closed")
        with self._told(), memoryview(data) as view, view.cast("B") as values:
            self._file.write(values)
            self._digest.update(values)
            self._size += len(values)
            return len(values)

    def flush(self) -> None:
        """Hand what was written to the system."""
        if not self._file.closed:
            with self._told():
                self._file.flush()

    def settle(self) -> Mark:
        """Put on the disk what was written since the last time; a file that does not grow gets its name and is closed."""
        self._file.flush()
        os.fsync(self._file.fileno())
        mark = Mark(self._begin, self._size - self._begin, self._digest.hexdigest())
        self._begin, self._digest = self._size, hashlib.sha256()
        if not self._grows:
            self._file.close()
            os.replace(self._aside, self.path)
        return mark

    def fileno(self) -> int:
        """The file as the system knows it."""
        return self._file.fileno()

    def close(self) -> None:
        """Close the file; what was not settled does not count. Arrow closes what it has written to, which changes nothing."""

    def abandon(self) -> None:
        """Close the file for good, whatever of it has not been written."""
        with contextlib.suppress(OSError):
            self._file.close()


def is_as_marked(path: Path, mark: Sequence[Any]) -> bool:
    """Whether a file holds the piece that was marked; one that was marked from its beginning may have grown since."""
    begin, left, wanted = int(mark[0]), int(mark[1]), str(mark[2])
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            file.seek(begin)
            while left and (data := file.read(min(_CHUNK, left))):
                digest.update(data)
                left -= len(data)
    except OSError:
        return False
    return left == 0 and digest.hexdigest() == wanted


def mark_of(path: Path) -> Mark:
    """Put a whole file on the disk and mark it."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        return Mark(0, os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").hexdigest())


def write_durably(path: Path, data: bytes) -> None:
    """Replace a small file: it holds the old bytes or the new ones, whatever happens."""
    aside = path.with_name(path.name + ".part")
    with open(aside, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Put the names in a folder on the disk, where the system can."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


try:
    import fcntl
except ImportError:  # pragma: no cover - Windows
    fcntl = None  # type: ignore[assignment]


class LockedError(Exception):
    """Another process has the lock; the message says which."""


def lock(path: Path) -> IO[str] | None:
    """Lock a file, which is made if it is not there.

    Returns
    -------
    the open file, locked until it is closed; None if the file was deleted meanwhile, so that the lock is worth nothing

    Raises
    ------
    Held
        If it is locked, by another process or by this one.
    """
    file = open(path, "a+", encoding="ascii")  # noqa: SIM115 - open as long as it is locked
    try:
        _lock(file)
    except (BlockingIOError, PermissionError):
        file.seek(0)
        number = file.read(20).strip()
        file.close()
        raise LockedError(f"process {number}" if number.isdigit() else "its number is not known") from None
    except OSError:
        pass  # a file system without locks: nobody can be kept out
    try:
        if os.stat(path).st_ino == os.fstat(file.fileno()).st_ino:
            file.truncate(0)
            file.write(f"{os.getpid()}\n")
            file.flush()
            return file
    except FileNotFoundError:
        pass
    file.close()
    return None


def unlock(file: IO[str]) -> None:
    """Let go of a lock and close its file: processes that were forked meanwhile have the same file open, and would go on holding it."""
    if fcntl is not None:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(file.fileno(), fcntl.LOCK_UN)
    file.close()


def _lock(file: IO[str]) -> None:
    if fcntl is not None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    else:  # pragma: no cover - Windows
        import msvcrt

        file.seek(1 << 30)  # far behind the number, which others may read
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        file.seek(0)
