"""What a run gives: the tables of the contract, and how they are written to a folder and read back.

A folder appears whole or not at all: files are written aside and renamed.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from .archive import Texts
from .errors import OutputError

#: Rows in a row group; fixed, so that files do not depend on how a run was batched.
ROW_GROUP = 1 << 16
MANIFEST = "manifest.json"
TABLES = ("documents", "matches", "stories", "rejects", "events")
TEXTS_FILE = "texts.parquet"


@dataclass(frozen=True, eq=False)
class Result:
    """The result of a run.

    ``documents``, ``matches``, ``stories`` (None if they were not asked for), ``rejects`` and ``events`` (None but in a run with
    a base) are Arrow tables, see ``schema.py``; ``manifest`` holds version, configuration, inputs, counts, seconds of each
    stage, warnings. ``texts`` reads the texts of the documents when it is asked for them (None if they were not kept).
    """

    documents: Any
    matches: Any
    stories: Any
    rejects: Any
    manifest: dict[str, Any]
    events: Any = None
    texts: Texts | None = None

    def write(self, folder: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write each table to a file of its name, the texts to ``texts.parquet`` and ``manifest.json``.

        Raises
        ------
        OutputError
            If the folder exists and is not empty (unless ``overwrite`` is given and it holds an earlier result),
            or cannot be written. What was there is left untouched.
        """
        target = check_folder(folder, overwrite=overwrite)
        try:
            with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as aside:
                fresh = Path(aside) / "result"
                fresh.mkdir()
                for name in TABLES:
                    if (table := getattr(self, name)) is not None:
                        pq.write_table(table, fresh / f"{name}.parquet", compression="zstd", row_group_size=ROW_GROUP)
                if self.texts is not None:
                    self.texts.copy(fresh / TEXTS_FILE)
                text = json.dumps(self.manifest, ensure_ascii=False, indent=2)
                (fresh / MANIFEST).write_text(text + "\n", encoding="utf-8", errors="surrogateescape")
                _put_in_place(fresh, target, Path(aside) / "replaced")
        except OSError as error:
            message = f"{folder}: cannot be written ({error.strerror or error}). Free some space or choose another folder."
            raise OutputError(message) from error

    @classmethod
    def read(cls, folder: str | os.PathLike[str]) -> Result:
        """Read a folder that ``write`` wrote.

        Raises
        ------
        OutputError
            If the folder does not hold a result.
        """
        source, manifest = Path(folder), cls.read_manifest(folder)
        try:
            tables: dict[str, Any] = {name: source / f"{name}.parquet" for name in TABLES}
            tables = {name: pq.read_table(path) if path.exists() else None for name, path in tables.items()}
            texts = Texts(source / TEXTS_FILE) if (source / TEXTS_FILE).exists() else None
        except (OSError, ValueError) as error:
            raise OutputError(f"{source}: holds a table that cannot be read ({error}). Run it anew.") from error
        return cls(**tables, manifest=manifest, texts=texts)

    @staticmethod
    def read_manifest(folder: str | os.PathLike[str]) -> dict[str, Any]:
        """The manifest alone of a folder that ``write`` wrote.

        Raises
        ------
        OutputError
            If the folder does not hold a result.
        """
        path = Path(folder) / MANIFEST
        if not path.is_file():
            raise OutputError(f"{path.parent}: holds no {MANIFEST}, so it is no result of a run. Give the folder that was named with -o.")
        try:
            manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8", errors="surrogateescape"))
        except (OSError, ValueError) as error:
            raise OutputError(f"{path}: cannot be read ({error}). Run it anew.") from error
        return manifest


def _put_in_place(fresh: Path, target: Path, aside: Path) -> None:
    """Rename ``fresh`` to ``target``; an earlier result there is moved aside, and back again if that fails."""
    replaced = target.exists()
    if replaced:
        target.rename(aside)
    try:
        fresh.rename(target)
    except BaseException:
        if replaced and not target.exists():
            aside.rename(target)
        raise


def check_folder(folder: str | os.PathLike[str], *, overwrite: bool) -> Path:
    """The folder, if a result can be written to it; called before the work is done as well as after it.

    Raises
    ------
    OutputError
        See ``Result.write``.
    """
    target = Path(folder).absolute()
    if target.exists() and not target.is_dir():
        raise OutputError(f"{folder}: is a file. Name a folder for the results.")
    held = sorted(item.name for item in target.iterdir()) if target.exists() else []
    if held and not overwrite:
        raise OutputError(f"{folder}: is not empty. Choose another folder, or give --overwrite to replace an earlier result.")
    if held and MANIFEST not in held:
        raise OutputError(
            f"{folder}: holds files but no {MANIFEST}, so it is no earlier result and is not overwritten. Choose another folder."
        )
    if foreign := [name for name in held if name not in (MANIFEST, TEXTS_FILE, *(f"{table}.parquet" for table in TABLES))]:
        raise OutputError(
            f"{folder}: holds {foreign[0]!r} beside an earlier result, and --overwrite would delete it. "
            "Move it away or choose another folder."
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made ({error.strerror}). Choose another folder.") from error
    if not os.access(target.parent, os.W_OK) or shutil.disk_usage(target.parent).free < 1 << 20:
        raise OutputError(f"{folder}: cannot be written, or its disk is full. Choose another folder.")
    return target
