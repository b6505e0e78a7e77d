"""Compiles kernels at their first call, without the GIL, and caches them on disk.

The cache folder is named by a digest of all kernel files. Numba checks only the file that defines a
function, so after an edit in another one it would keep using the old code of its callers.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numba
import numba.core.config

KERNELS = Path(__file__).parent
#: Cache folders kept in one place, the last used ones. Installations of several versions may share
#: a place.
KEPT_FOLDERS = 8
_PREFIX = "dedup-"
_LOCK = threading.Lock()


def jit(function: Callable[..., Any], **more: Any) -> Callable[..., Any]:
    """Compile at first call; releases the GIL; integer division by zero raises nothing."""
    options = {"nogil": True, "error_model": "numpy", "boundscheck": False, **more}
    folder = cache_folder()
    if folder is not None:
        try:
            return _compiled(function, folder, cache=True, **options)
        except RuntimeError:  # Numba cannot write there after all
            pass
    return _compiled(function, None, cache=False, **options)


def leaf(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function that allocates no array: one that is called for each token or row.

    Numba counts references to every array argument at each call, with atomic instructions that cost
    more than the work itself; a leaf does without. Where Numba no longer knows the option, it is a
    plain kernel.
    """
    try:
        return jit(function, _nrt=False)
    except KeyError:
        return jit(function)


def _compiled(function: Callable[..., Any], folder: Path | None, **options: Any) -> Callable[..., Any]:
    # Numba reads the setting while it decorates. Restored at once, it leaves the caches of other
    # libraries alone.
    with _LOCK:
        before, numba.core.config.CACHE_DIR = numba.core.config.CACHE_DIR, "" if folder is None else str(folder)
        try:
            compiled: Callable[..., Any] = numba.njit(**options)(function)
        finally:
            numba.core.config.CACHE_DIR = before
    return compiled


@functools.cache
def cache_folder() -> Path | None:
    """The folder of compiled kernels for the present source; None if no place can be written.

    The first of: ``NUMBA_CACHE_DIR`` where it is set, the user's cache folder, ``__pycache__``
    beside the source, a private folder below the system's temporary folder.
    """
    name = _PREFIX + _source_digest()
    for place in _cache_places():
        folder = place / name
        try:
            if not folder.is_dir():
                folder.mkdir(parents=True, exist_ok=True)
                _remove_unused(place)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError:
            continue
        _mark_used(folder)
        return folder
    return None


def _source_digest() -> str:
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(KERNELS.rglob("*.py")):
        digest.update(path.relative_to(KERNELS).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _cache_places() -> Iterator[Path]:
    """Folders that may contain cache folders, in order of preference."""
    if numba.core.config.CACHE_DIR:
        yield Path(numba.core.config.CACHE_DIR)
    # Before the source: what pip does not know stays behind when it uninstalls, and the remains of
    # the package would hide another installation.
    users = _users_folder()
    if users is not None:
        yield users
    yield KERNELS / "__pycache__"
    private = _private_folder(Path(tempfile.gettempdir()) / f"dedup-kernels-{_user()}")
    if private is not None:
        yield private


def _users_folder() -> Path | None:
    """The folder of this program in the user's cache folder."""
    try:
        place = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        place.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # it cannot be created, or the user has no home
        return None
    return _private_folder(place / "dedup")


def _private_folder(folder: Path) -> Path | None:
    """A folder that only this user can write: compiled code in it will be run."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError:
        return None
    ours = stat.S_ISDIR(status.st_mode) and (not hasattr(os, "getuid") or status.st_uid == _user())
    return folder if ours and not status.st_mode & 0o022 and os.access(folder, os.W_OK) else None


def _user() -> int:
    return os.getuid() if hasattr(os, "getuid") else 0


def _mark_used(folder: Path) -> None:
    try:
        os.utime(folder)
    except OSError:  # another user's folder that this one may write
        pass


def _remove_unused(place: Path) -> None:
    """Remove the cache folders of a place but for those used last."""
    used = []
    for folder in place.glob(f"{_PREFIX}*"):
        try:
            used.append((folder.stat().st_mtime, folder))
        except OSError:  # another process has just removed it
            continue
    for _, folder in sorted(used, reverse=True)[KEPT_FOLDERS:]:
        shutil.rmtree(folder, ignore_errors=True)
