"""Records what happened while reading: counts, warnings, and a summary of every file.

Equal warnings of many files are merged, so that ten thousand files give no more of them than one.
They are listed in the order of their first occurrence, which depends on the inputs alone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class ReadWarning:
    """One kind of warning: the file of its first occurrence, its number of files, and its count."""

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
    """The record of one or several readings.

    Attributes
    ----------
    pages, rejects : number of rows so far
    skipped : reason -> number of units that are neither page nor reject (records of a crawl without
        a page)
    inputs : one entry for each finished file: ``file``, ``bytes``, ``sha256``, ``pages``,
        ``rejects``, ``columns``. ``bytes`` and ``sha256`` are None for data in memory and for a
        file that could not be opened. A file of an object store also has an ``etag``, and no
        ``sha256`` unless it was read from start to end (Parquet is not). A crawl file also has
        ``records`` and ``skipped``: ``records`` is ``pages`` plus ``rejects`` plus all of
        ``skipped``.
    """

    pages: int = 0
    rejects: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    inputs: list[dict[str, Any]] = field(default_factory=list)
    _warnings: dict[str, ReadWarning] = field(default_factory=dict, repr=False)

    def warnings(self) -> list[str]:
        """All warnings, one sentence each."""
        return [str(warning) for warning in self._warnings.values()]

    def state(self) -> dict[str, Any]:
        """The state of the log for a checkpoint, as JSON values; ``inputs`` as a number only."""
        notes = [asdict(warning) for warning in self._warnings.values()]
        return {"pages": self.pages, "rejects": self.rejects, "skipped": dict(self.skipped), "inputs": len(self.inputs), "notes": notes}

    def resume(self, state: dict[str, Any], inputs: list[dict[str, Any]]) -> None:
        """Go back to a ``state``; ``inputs`` has at least the entries that it counts."""
        self.pages, self.rejects, self.skipped = state["pages"], state["rejects"], Counter(state["skipped"])
        self.inputs = inputs[: state["inputs"]]
        self._warnings = {warning["one"]: ReadWarning(**warning) for warning in state["notes"]}

    def warn(self, file: str, one: str, many: str = "", *, count: int = 1, example: str = "") -> None:
        """Add a warning, or count it again; ``{n}`` becomes the count over all files."""
        if not count:
            return
        known = self._warnings.get(one)
        if known is None:
            known = self._warnings[one] = ReadWarning(one, many or one, file, file, example)
        elif known.last_file != file:  # files are read one after another: the last name is enough to count them
            known.files += 1
            known.last_file = file
        known.count += count


@dataclass
class FileLog:
    """The record of the file that is being read."""

    log: ReadLog
    file: str
    pages: int = 0
    rejects: int = 0
    columns: dict[str, str] = field(default_factory=dict)
    records: int | None = None
    skipped: Counter[str] = field(default_factory=Counter)

    def warn(self, one: str, many: str = "", *, count: int = 1, example: str = "") -> None:
        """Add a warning about this file; ``{n}`` becomes the count over all files."""
        self.log.warn(self.file, one, many, count=count, example=example)

    def count_rows(self, pages: int, rejects: int) -> None:
        """Count the rows of a batch."""
        self.pages += pages
        self.rejects += rejects
        self.log.pages += pages
        self.log.rejects += rejects

    def skip(self, reason: str) -> None:
        """Count a unit that contains no page."""
        self.skipped[reason] += 1
        self.log.skipped[reason] += 1

    def close(self, *, size: int | None, sha256: str | None, etag: str | None = None) -> None:
        """Add the summary of the file to ``log.inputs``."""
        entry: dict[str, Any] = {"file": self.file, "bytes": size, "sha256": sha256}
        if etag is not None:
            entry["etag"] = etag
        entry |= {"pages": self.pages, "rejects": self.rejects, "columns": dict(self.columns)}
        if self.records is not None:
            entry |= {"records": self.records, "skipped": dict(sorted(self.skipped.items()))}
        self.log.inputs.append(entry)
