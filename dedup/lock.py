"""A lock on a file that the system lets go of, however the process that holds it ends."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows
    fcntl = None  # type: ignore[assignment]


class Held(Exception):  # noqa: N818 - it is no error of the program
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
        raise Held(f"process {number}" if number.isdigit() else "its number is not known") from None
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
