"""Writes local files so that a crash leaves the old bytes or the new ones; locks files."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows
    fcntl = None  # type: ignore[assignment]

_CHUNK = 1 << 20
#: Of Linux's ``renameat2``: paths are relative to the current folder; the two names are exchanged.
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


@contextmanager
def os_errors_as(
    error: type[Exception],
    message: Callable[[str], str],
    *,
    unless: type[OSError] | tuple[type[OSError], ...] = (),
) -> Iterator[None]:
    """Raise an ``OSError`` of the block as an error of another type.

    Parameters
    ----------
    error
        The exception class to raise.
    message
        Makes its message from the reason that the system gives ("No space left on device").
    unless
        Kinds of ``OSError`` to let through unchanged.
    """
    try:
        yield
    except unless:
        raise
    except OSError as refusal:
        raise error(message(refusal.strerror or str(refusal))) from refusal


class Mark(NamedTuple):
    """A range of bytes in a file and their SHA-256.

    SHA-256 because it is the fastest digest where the processor has instructions for it.
    """

    begin: int
    size: int
    sha256: str


class WorkFile(io.RawIOBase):
    """A file written sequentially, with a running digest.

    Parameters
    ----------
    path
        Its final name. A new file is written under a temporary one until ``settle``.
    guard
        Makes the context manager that translates disk errors.
    begin
        Append to an existing file from this byte on, and cut off what follows. None: a new file.
    """

    def __init__(
        self,
        path: Path,
        guard: Callable[[], AbstractContextManager[None]],
        *,
        begin: int | None = None,
    ) -> None:
        self.path, self._guard, self._grows = path, guard, begin is not None
        self._aside = path if self._grows else path.with_name(path.name + ".part")
        self._begin = self._size = begin or 0
        self._digest = hashlib.sha256()
        self._file = open(self._aside, "r+b" if begin else "w+b", buffering=_CHUNK)  # noqa: SIM115 - closed with this object
        self._file.truncate(self._size)
        self._file.seek(self._size)

    def __len__(self) -> int:
        return self._size

    def writable(self) -> bool:
        """Return True; Arrow asks before it writes."""
        return True

    def tell(self) -> int:
        """Return the number of bytes written so far."""
        return self._size

    def write(self, data: Any) -> int:
        """Append bytes."""
        if self._file.closed:
            raise OSError(errno.EBADF, "the file is closed")
        with self._guard(), memoryview(data) as view, view.cast("B") as values:
            self._file.write(values)
            self._digest.update(values)
            self._size += len(values)
            return len(values)

    def flush(self) -> None:
        """Hand buffered bytes to the operating system; does nothing once the file is closed."""
        if not self._file.closed:
            with self._guard():
                self._file.flush()

    def settle(self) -> Mark:
        """Sync to disk what was written since the last call, and return its mark.

        A new file also gets its final name and is closed; one that grows stays open. The caller
        syncs the folder.
        """
        self._file.flush()
        os.fsync(self._file.fileno())
        mark = Mark(self._begin, self._size - self._begin, self._digest.hexdigest())
        self._begin, self._digest = self._size, hashlib.sha256()
        if not self._grows:
            self._file.close()
            os.replace(self._aside, self.path)
        return mark

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self._file.fileno()

    def close(self) -> None:
        """Do nothing: Arrow closes the files it writes to, but ``settle`` still needs this one."""

    def abandon(self) -> None:
        """Close the file; what was not settled does not count."""
        with contextlib.suppress(OSError):
            self._file.close()


def is_as_marked(path: Path, mark: Sequence[Any]) -> bool:
    """Return whether the marked bytes of a file are unchanged; the file may have grown since."""
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
    """Sync a whole file to disk and return its mark."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        return Mark(0, os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").hexdigest())


def write_durably(path: Path, data: bytes) -> None:
    """Replace a small file: after a crash it holds the old bytes or the new ones."""
    fresh = path.with_name(path.name + ".part")
    fresh.write_bytes(data)
    replace_durably(fresh, path)


def replace_durably(fresh: Path, path: Path) -> None:
    """Rename a complete file to ``path`` so that the change survives a power failure."""
    sync_file(fresh)
    os.replace(fresh, path)
    sync_folder(path.parent)


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Give a path for a new file, which replaces ``path`` when the block succeeds.

    If the block fails, ``path`` stays as it was. Nothing is synced to disk.
    """
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as aside:
        fresh = Path(aside) / path.name
        yield fresh
        os.replace(fresh, path)


def replace_folder(fresh: Path, target: Path) -> None:
    """Rename a complete folder to ``target``.

    If ``target`` exists, the two exchange places, so that ``fresh`` then names the old folder.
    Linux does this in one step. Elsewhere ``target`` is missing for a moment.

    Parameters
    ----------
    fresh
        Must be on the file system of ``target``, in a folder of the caller's own.

    Raises
    ------
    OSError
        If it fails; the old folder is back in its place. If another process has taken that place
        meanwhile, the message says where the old folder is kept.
    """
    if not target.exists():
        fresh.rename(target)
        return
    if _exchange(fresh, target):
        return
    old = fresh.with_name(f"{fresh.name}.replaced")
    target.rename(old)
    try:
        fresh.rename(target)
    except BaseException as error:
        taken = target.exists()
        kept = target.with_name(f"{target.name}.{os.getpid()}.replaced") if taken else target
        old.rename(kept)
        if taken and isinstance(error, OSError):
            why = f"another program has taken its place, and the old one is kept in {kept}"
            raise OSError(error.errno, why) from error
        raise
    old.rename(fresh)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; False where the system cannot."""
    import ctypes  # slow to import, and rarely needed

    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    arguments = (_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE)
    return bool(rename(*arguments) == 0)


def sync_file(path: Path) -> None:
    """Sync the bytes of a file to disk."""
    with open(path, "r+b") as file:  # some systems sync only what is open for writing
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Sync the names in a folder to disk, on systems that can."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


class LockedError(Exception):
    """Another process holds the lock; the message names it."""


def lock(path: Path) -> IO[str] | None:
    """Lock a file, creating it if needed. It holds the process id of the owner.

    Returns
    -------
    file or None
        The open file, locked until it is closed. None if the file was deleted meanwhile, so that
        locking it keeps nobody out.

    Raises
    ------
    LockedError
        If it is locked, by another process or by this one.
    """
    file = open(path, "a+", encoding="ascii")  # noqa: SIM115 - open as long as it is locked
    try:
        _lock(file)
    except (BlockingIOError, PermissionError):
        file.seek(0)
        number = file.read(20).strip()
        file.close()
        raise LockedError(f"process {number}" if number.isdigit() else "process unknown") from None
    except OSError:
        pass  # a file system without locks cannot keep anyone out
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
    """Release a lock and close its file.

    Closing alone is not enough: a process forked meanwhile has inherited the open file, and with
    it the lock.
    """
    if fcntl is not None:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(file.fileno(), fcntl.LOCK_UN)
    file.close()


def _lock(file: IO[str]) -> None:
    if fcntl is not None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    else:  # pragma: no cover - Windows
        import msvcrt

        file.seek(1 << 30)  # far beyond the process id, which other processes may read
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        file.seek(0)
