"""The one way a kernel is compiled: lazily, without the GIL, cached on disk where that is possible.

Numba caches beside the source file, else in the user's cache folder. Where neither can be written
(a read-only installation and no home), it raises at import; then a private folder below the system's
temporary folder is used, and where even that fails kernels are compiled anew in each process.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numba.core.config


def jit(function: Callable[..., Any], **more: Any) -> Callable[..., Any]:
    """Compile at first call; releases the GIL; integer division by zero raises nothing."""
    options = {"nogil": True, "error_model": "numpy", "boundscheck": False, **more}
    try:
        return _compiled(function, cache=True, **options)
    except RuntimeError:
        folder = _private_folder()
        if folder is None:
            return _compiled(function, cache=False, **options)
        numba.core.config.CACHE_DIR = str(folder)
        return _compiled(function, cache=True, **options)


def leaf(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function that allocates no array: one that is called for each token or row.

    Numba counts references to every array argument at each call, with atomic instructions that cost more than
    the work itself; a leaf does without. Where Numba no longer knows the option, it is a plain kernel.
    """
    try:
        return jit(function, _nrt=False)
    except KeyError:
        return jit(function)


def _compiled(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    compiled: Callable[..., Any] = numba.njit(**options)(function)
    return compiled


def _private_folder() -> Path | None:
    """A folder that only this user can write: compiled code in it will be run."""
    owner = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir()) / f"dedup-kernels-{owner}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError:
        return None
    ours = stat.S_ISDIR(status.st_mode) and (not hasattr(os, "getuid") or status.st_uid == owner)
    return folder if ours and not status.st_mode & 0o022 and os.access(folder, os.W_OK) else None
