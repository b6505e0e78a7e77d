"""The files in a result folder, and the check that a result can be written there."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ..errors import OutputError
from .files import os_errors_as

MANIFEST = "manifest.json"
TABLES = ("documents", "matches", "stories", "rejects", "events")
TEXTS_FILE = "texts.parquet"
#: All files that a result can have.
RESULT_FILES = (MANIFEST, TEXTS_FILE, *(f"{table}.parquet" for table in TABLES))
#: Folder of an unfinished run in the result folder, and the file that lists its finished steps.
WORK, JOURNAL = ".work", "journal.json"
#: A disk with fewer free bytes counts as full.
_LEAST_FREE = 1 << 20


def check_folder(folder: str | os.PathLike[str], *, overwrite: bool, resuming: bool = False) -> Path:
    """Check that a result can be written to a folder; called both before and after the work.

    Parameters
    ----------
    overwrite : an earlier result in the folder may be replaced
    resuming : so may the unfinished run in the folder

    Returns
    -------
    The absolute path of the folder, which need not exist; its parent does.

    Raises
    ------
    OutputError
        If the folder is a file, holds something that must not be replaced, or cannot be written.
    """
    target = Path(folder).absolute()
    if target.exists() and not target.is_dir():
        raise OutputError(f"{folder}: is a file. Name a folder for the results.")
    names = sorted(item.name for item in target.iterdir()) if target.exists() else []
    if WORK in names:
        if not resuming and (target / WORK / JOURNAL).exists():
            raise OutputError(f"{folder}: holds an interrupted run. Resume it with the same command, or choose another folder.")
        names.remove(WORK)
    if names and not overwrite:
        raise OutputError(f"{folder}: is not empty. Choose another folder, or add --overwrite to replace an earlier result.")
    if names and MANIFEST not in names:
        raise OutputError(
            f"{folder}: holds files but no {MANIFEST}, so it is not an earlier result and is not overwritten. Choose another folder."
        )
    if foreign := [name for name in names if name not in RESULT_FILES]:
        raise OutputError(
            f"{folder}: holds {foreign[0]!r} beside an earlier result, and --overwrite would delete it. "
            "Move it away or choose another folder."
        )
    with os_errors_as(OutputError, lambda why: f"{folder}: cannot be created ({why}). Choose another folder."):
        target.parent.mkdir(parents=True, exist_ok=True)
    written = target if resuming and target.exists() else target.parent
    if not os.access(written, os.W_OK) or shutil.disk_usage(target.parent).free < _LEAST_FREE:
        raise OutputError(f"{folder}: cannot be written, or its disk is full. Choose another folder.")
    return target
