"""The result of a run: its tables, written to a folder or URL and read back.

A folder appears complete or not at all. Object stores cannot rename folders; ``storage/upload.py``
fills them in another order.
"""

from __future__ import annotations

import json
import os
import shlex
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from .config import changed_settings, settings
from .errors import InputError, OutputError
from .schema import KEPT_TEXTS, SCHEMA_VERSION
from .storage.files import os_errors_as, replace_folder
from .storage.remote import RemoteError, display_url, is_url
from .storage.result_folder import MANIFEST, RESULT_FILES, TABLES, TEXTS_FILE, check_folder
from .storage.text_store import TextStore
from .storage.upload import check_target, remote_folder, upload
from .version import __version__

#: Rows in a row group; fixed, so that files do not depend on the batches of a run.
ROW_GROUP = 1 << 16
#: Inputs that a command in an error names; of more, it shows a placeholder.
_MOST_NAMED = 20


@dataclass(frozen=True, eq=False)
class Result:
    """The result of a run.

    Attributes
    ----------
    documents, matches, stories, rejects, events : Arrow tables, see ``schema.py``
        ``stories`` is None if stories are switched off, ``events`` is None without a base.
    manifest : version, settings, inputs, counts, stages and warnings
    texts : reads the texts of the documents on demand; None if they were not kept
    """

    documents: Any
    matches: Any
    stories: Any
    rejects: Any
    manifest: dict[str, Any]
    events: Any = None
    texts: TextStore | None = None

    def write(self, folder: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write the tables, the texts and the manifest to a folder or URL.

        Parameters
        ----------
        overwrite : replace an earlier result in the folder

        Raises
        ------
        OutputError
            If the folder is not empty and contains no result to overwrite, or cannot be written.
            Its contents stay as they were.
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
        """Write the files into an empty folder; returns their names."""
        files = []
        for name in TABLES:
            if (table := getattr(self, name)) is not None:
                files.append(f"{name}.parquet")
                # As one chunk, because pages of the file end where chunks do.
                pq.write_table(table.combine_chunks(), folder / files[-1], compression="zstd", row_group_size=ROW_GROUP)
        if self.texts is not None:
            files.append(TEXTS_FILE)
            self.texts.copy(folder / TEXTS_FILE)
        text = json.dumps(self.manifest, ensure_ascii=False, indent=2)
        (folder / MANIFEST).write_text(text + "\n", encoding="utf-8", errors="surrogateescape")
        return [*files, MANIFEST]

    @classmethod
    def read(cls, folder: str | os.PathLike[str]) -> Result:
        """Read a result from the folder or URL that ``write`` filled.

        Raises
        ------
        OutputError
            If there is no result, or a table cannot be read.
        """
        manifest = cls.read_manifest(folder)
        try:
            files = files_in(folder)
            tables: dict[str, Any] = {name: files.get(f"{name}.parquet") for name in TABLES}
            tables = {name: pq.read_table(file()) if file is not None else None for name, file in tables.items()}
            texts = TextStore(files[TEXTS_FILE]()) if TEXTS_FILE in files else None
        except (OSError, ValueError) as error:
            raise OutputError(f"{display_url(folder)}: contains a table that cannot be read ({error}). Repeat the run.") from error
        return cls(**tables, manifest=manifest, texts=texts)

    @staticmethod
    def read_manifest(folder: str | os.PathLike[str]) -> dict[str, Any]:
        """Read only the manifest of a result.

        Raises
        ------
        OutputError
            If there is no result, or its manifest cannot be read.
        """
        name = display_url(folder)
        file = files_in(folder).get(MANIFEST)
        if file is None:
            raise OutputError(f"{name}: holds no {MANIFEST}, so it is not the result of a run. Name the folder that the run got with -o.")
        try:
            with file() if is_url(folder) else open(file(), "rb") as opened:
                manifest: dict[str, Any] = json.loads(opened.read().decode(errors="surrogateescape"))
        except (OSError, ValueError) as error:
            raise OutputError(f"{name}/{MANIFEST}: cannot be read ({error}). Repeat the run.") from error
        return manifest


def files_in(folder: str | os.PathLike[str]) -> dict[str, Callable[[], Any]]:
    """List the files of a result: name -> function that returns its path, or opens it at a URL.

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


def command_of(manifest: Mapping[str, Any]) -> str:
    """The ``dedup run`` command, as a sentence, that makes a result like this one with the present version.

    It names the inputs as the manifest does, those of its bases included, and the changed settings that this version knows. A
    result of data in memory has none: the sentence is empty.
    """
    inputs = [str(item["file"]) for part in (manifest.get("base") or {}, manifest) for item in part.get("inputs", [])]
    if any(name.startswith("<") for name in inputs):
        return ""
    known = {name for name, *_ in settings() if not name.startswith("run.")}
    changed = {name: item["value"] for name, item in changed_settings(manifest.get("config", {})).items() if name in known}
    options = [part for name, value in changed.items() if value is not None for part in (f"--{name}", _option(value))]
    listed = 0 < len(inputs) <= _MOST_NAMED
    words = [*inputs, "-o", "NEW", *options] if listed else ["-o", "NEW", *options]
    where = "In the folder of its inputs" if listed else f"With the inputs that its {MANIFEST} lists"
    return f"{where}: dedup run {'' if listed else 'INPUT... '}{shlex.join(words)}"


def _option(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True)
class ReuseChecks:
    """Checks of a result that is to be used again, as the base of a run or to build an index.

    ``subject`` begins the messages (``the base``), ``remedy`` ends them.
    """

    subject: str
    remedy: str

    def check_version(self, manifest: Mapping[str, Any]) -> None:
        """Refuse a result of another version.

        Raises
        ------
        InputError
            If the package or the tables had another version.
        """
        made, needed = (manifest.get("version"), manifest.get("schema_version")), (__version__, SCHEMA_VERSION)
        if made != needed:
            raise InputError(
                f"{self.subject} was written by dedup {made[0]} (table version {made[1]}), but this is dedup {needed[0]} "
                f"(table version {needed[1]}), which may compare documents in another way. {self.remedy} {command_of(manifest)}".rstrip()
            )

    def require_texts(self, texts: TextStore | None, consequence: str) -> TextStore:
        """The texts of a result, if it has any; ``consequence`` says why they are needed.

        Raises
        ------
        InputError
            If it has none.
        """
        if texts is None:
            raise InputError(
                f"{self.subject} has no texts (no texts.parquet), {consequence}. Run it again without --no-texts (run.keep_texts false)."
            )
        return texts

    def check_schema(self, schema: Any, expected: Any) -> None:
        """Refuse a missing table (``schema`` is None), or one with other columns than expected.

        Raises
        ------
        InputError
            If they differ.
        """
        if schema is None or not schema.equals(expected):
            raise self.inconsistent("a table does not have the columns that this version writes")

    def check_texts(self, texts: TextStore, documents: int) -> None:
        """Refuse texts whose number differs from that of the documents.

        Raises
        ------
        InputError
            If their number or their columns differ.
        """
        if not texts.schema.equals(KEPT_TEXTS) or len(texts) != documents:
            raise self.other_texts()

    def inconsistent(self, what: str) -> InputError:
        """The error for a result whose tables contradict one another."""
        return InputError(f"{self.subject} is inconsistent: {what}. {self.remedy}")

    def other_texts(self) -> InputError:
        """The error for texts that belong to other documents."""
        return self.inconsistent("its texts belong to other documents")
