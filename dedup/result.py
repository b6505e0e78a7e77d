"""What a run gives: the tables of the contract, and how they are written to a folder and read back.

A folder appears whole or not at all: files are written aside and renamed. (``workspace.py`` does it in another way, because it works
inside the folder.) A folder elsewhere, named by a URL, is filled by ``upload.py``.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from .errors import OutputError
from .storage.files import os_errors_as, replace_folder
from .storage.remote import RemoteError, display_url, is_url
from .storage.result_folder import MANIFEST, RESULT_FILES, TABLES, TEXTS_FILE, check_folder
from .storage.text_store import TextStore
from .storage.upload import check_target, remote_folder, upload

#: Rows in a row group; fixed, so that files do not depend on how a run was batched.
ROW_GROUP = 1 << 16


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
    texts: TextStore | None = None

    def write(self, folder: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write each table to a file of its name, the texts to ``texts.parquet`` and ``manifest.json``.

        Raises
        ------
        OutputError
            If the folder exists and is not empty (unless ``overwrite`` is given and it holds an earlier result),
            or cannot be written. What was there is left untouched.
        """
        if is_url(folder):
            self._send(folder, overwrite=overwrite)
            return
        target = check_folder(folder, overwrite=overwrite)
        with (
            os_errors_as(OutputError, lambda why: f"{folder}: cannot be written ({why}). Free some space or choose another folder."),
            tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as aside,
        ):
            fresh = Path(aside) / "result"
            fresh.mkdir()
            self.save(fresh)
            replace_folder(fresh, target)

    def _send(self, url: str | os.PathLike[str], *, overwrite: bool) -> None:
        target = remote_folder(url)
        check_target(target, RESULT_FILES, MANIFEST, overwrite=overwrite)
        place = tempfile.gettempdir()
        with (
            os_errors_as(OutputError, lambda why: f"{place}: cannot be written ({why}). Free some space or set TMPDIR to another folder."),
            tempfile.TemporaryDirectory(prefix="dedup-") as aside,
        ):
            self.save(Path(aside))
            upload(Path(aside), target, RESULT_FILES, MANIFEST, overwrite=overwrite)

    def save(self, folder: Path) -> list[str]:
        """Write the files of the result into a folder of one's own; their names are given back."""
        files = []
        for name in TABLES:
            if (table := getattr(self, name)) is not None:
                files.append(f"{name}.parquet")
                # In one piece: a page of the file ends where a piece does.
                pq.write_table(table.combine_chunks(), folder / files[-1], compression="zstd", row_group_size=ROW_GROUP)
        if self.texts is not None:
            files.append(TEXTS_FILE)
            self.texts.copy(folder / TEXTS_FILE)
        text = json.dumps(self.manifest, ensure_ascii=False, indent=2)
        (folder / MANIFEST).write_text(text + "\n", encoding="utf-8", errors="surrogateescape")
        return [*files, MANIFEST]

    @classmethod
    def read(cls, folder: str | os.PathLike[str]) -> Result:
        """Read a folder that ``write`` wrote.

        Raises
        ------
        OutputError
            If the folder does not hold a result.
        """
        manifest = cls.read_manifest(folder)
        try:
            files = files_in(folder)
            tables: dict[str, Any] = {name: files.get(f"{name}.parquet") for name in TABLES}
            tables = {name: pq.read_table(file()) if file is not None else None for name, file in tables.items()}
            texts = TextStore(files[TEXTS_FILE]()) if TEXTS_FILE in files else None
        except (OSError, ValueError) as error:
            raise OutputError(f"{display_url(folder)}: holds a table that cannot be read ({error}). Run it anew.") from error
        return cls(**tables, manifest=manifest, texts=texts)

    @staticmethod
    def read_manifest(folder: str | os.PathLike[str]) -> dict[str, Any]:
        """The manifest alone of a folder that ``write`` wrote.

        Raises
        ------
        OutputError
            If the folder does not hold a result.
        """
        name = display_url(folder)
        file = files_in(folder).get(MANIFEST)
        if file is None:
            raise OutputError(f"{name}: holds no {MANIFEST}, so it is no result of a run. Give the folder that was named with -o.")
        try:
            with file() if is_url(folder) else open(file(), "rb") as opened:
                manifest: dict[str, Any] = json.loads(opened.read().decode(errors="surrogateescape"))
        except (OSError, ValueError) as error:
            raise OutputError(f"{name}/{MANIFEST}: cannot be read ({error}). Run it anew.") from error
        return manifest


def files_in(folder: str | os.PathLike[str]) -> dict[str, Callable[[], Any]]:
    """The files of a result by name, each as what gives its path, or the open file if it is elsewhere.

    Raises
    ------
    OutputError
        If a URL cannot be listed.
    """
    if not is_url(folder):
        paths = {name: Path(folder) / name for name in RESULT_FILES}
        return {name: partial(Path, path) for name, path in paths.items() if path.is_file()}
    try:
        return {item.name: item.open for item in remote_folder(folder).list() if not item.is_folder}
    except RemoteError as error:
        raise OutputError(str(error)) from error
