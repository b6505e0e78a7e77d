"""What happened while reading: counts, a few warnings, and the facts of every file.

Notes of the same kind are merged over files, so that a folder of ten thousand files gives the same
handful of warnings as a single one. The order is the order in which the notes first came up, and
depends on the inputs only.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Note:
    """One kind of note: where it came up first, in how many files, and how often."""

    one: str
    many: str
    first_file: str
    last_file: str
    example: str
    files: int = 1
    count: int = 0

    def __str__(self) -> str:
        where = self.first_file
        if self.files > 1:
            where += f" and {self.files - 1:,} more file{'s' if self.files > 2 else ''}"
        message = (self.one if self.count == 1 else self.many).replace("{n}", f"{self.count:,}", 1)
        return f"{where}: {message}" + (f" (first: {self.example})" if self.example else "")


@dataclass
class ReadLog:
    """Filled while reading; one log can be given to several reads in a row.

    Attributes
    ----------
    pages, rejects : rows given out so far
    skipped : reason -> units that were read but are no pages, and no rejects either (records of a crawl that hold no page)
    inputs : one entry per finished file: ``file``, ``bytes``, ``sha256``, ``pages``, ``rejects``, ``columns``.
        ``bytes`` and ``sha256`` are None for data in memory and for a file that could not be opened. A file of an object store
        has an ``etag`` too, and no ``sha256`` if it was not read from begin to end (Parquet, or a break). A crawl file has
        ``records`` and ``skipped`` too: ``records`` is ``pages`` plus ``rejects`` plus all of ``skipped``.
    """

    pages: int = 0
    rejects: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    inputs: list[dict[str, Any]] = field(default_factory=list)
    _notes: dict[str, Note] = field(default_factory=dict, repr=False)

    def warnings(self) -> list[str]:
        """What a person should know about the inputs, one sentence each."""
        return [str(note) for note in self._notes.values()]

    def state(self) -> dict[str, Any]:
        """What the log says now, ready for JSON: of ``inputs`` only how many there are, for they never change."""
        notes = [asdict(note) for note in self._notes.values()]
        return {"pages": self.pages, "rejects": self.rejects, "skipped": dict(self.skipped), "inputs": len(self.inputs), "notes": notes}

    def resume(self, state: dict[str, Any], inputs: list[dict[str, Any]]) -> None:
        """Say again what ``state`` gave, and nothing else."""
        self.pages, self.rejects, self.skipped = state["pages"], state["rejects"], Counter(state["skipped"])
        self.inputs = inputs[: state["inputs"]]
        self._notes = {note["one"]: Note(**note) for note in state["notes"]}

    def note(self, file: str, one: str, many: str = "", *, count: int = 1, example: str = "") -> None:
        """Add to the note with this wording; ``{n}`` stands for the count over all files."""
        if not count:
            return
        known = self._notes.get(one)
        if known is None:
            known = self._notes[one] = Note(one, many or one, file, file, example)
        elif known.last_file != file:  # files are read one after the other: the last name is enough to count them
            known.files += 1
            known.last_file = file
        known.count += count


@dataclass
class FileLog:
    """The part of the log that belongs to the file being read."""

    log: ReadLog
    file: str
    pages: int = 0
    rejects: int = 0
    columns: dict[str, str] = field(default_factory=dict)
    records: int | None = None
    skipped: Counter[str] = field(default_factory=Counter)

    def note(self, one: str, many: str = "", *, count: int = 1, example: str = "") -> None:
        """A note about this file, see :meth:`ReadLog.note`."""
        self.log.note(self.file, one, many, count=count, example=example)

    def count_rows(self, pages: int, rejects: int) -> None:
        """Count rows that leave the reader."""
        self.pages += pages
        self.rejects += rejects
        self.log.pages += pages
        self.log.rejects += rejects

    def skip(self, reason: str) -> None:
        """Count a unit that holds no page."""
        self.skipped[reason] += 1
        self.log.skipped[reason] += 1

    def close(self, *, size: int | None, sha256: str | None, etag: str | None = None) -> None:
        """Enter the facts of the file into ``log.inputs``."""
        facts: dict[str, Any] = {"file": self.file, "bytes": size, "sha256": sha256}
        if etag is not None:
            facts["etag"] = etag
        facts |= {"pages": self.pages, "rejects": self.rejects, "columns": dict(self.columns)}
        if self.records is not None:
            facts |= {"records": self.records, "skipped": dict(sorted(self.skipped.items()))}
        self.log.inputs.append(facts)
