"""Inspects a result folder for ``dedup inspect``: its manifest, and counts from its tables.

Reads only the counted columns, and whole rows only for the listed items. Results of older versions
are read as far as possible.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..config import changed_settings
from ..errors import InputError, OutputError
from ..result import Result, files_in
from ..schema import DOCUMENTS, REJECTS, SCHEMA_VERSION, STORIES
from ..storage.remote import display_url, is_url
from ..storage.result_folder import JOURNAL, MANIFEST, RESULT_FILES, WORK
from ..version import __version__

#: Default number of rows per list.
TOP = 5
_FOREIGN, _FOLDER = "is not a manifest of dedup", "Name the folder that the run got with -o."
#: Counts that manifests of all versions have.
_COUNTS = (
    "pages", "pages_with_documents", "rejects", "documents", "documents_by_role", "copies", "copies_by_kind", "matches", "stories"
)  # fmt: skip
#: What manifests have since table version 3.
_LOSSES = ("lost", "repeated", "losing_copies")
_SCHEMAS = {"documents": DOCUMENTS, "rejects": REJECTS, "stories": STORIES}


@dataclass(frozen=True)
class Inspection:
    """What a result folder says about its run.

    Attributes
    ----------
    summary : ready for JSON
    faults : files that are missing, damaged or inconsistent, in words
    """

    summary: dict[str, Any]
    faults: list[str] = field(default_factory=list)


def inspect_result(folder: str | os.PathLike[str], *, top: int = TOP) -> Inspection:
    """Inspect the result of a run.

    Parameters
    ----------
    folder : result folder or URL
    top : length of each list (sources, agencies, inputs, copy groups, stories), largest first

    Raises
    ------
    InputError
        If the folder contains no result.
    """
    manifest, place = _read_manifest(folder), display_url(folder).rstrip("/")
    try:
        from_manifest = _inspect_manifest(manifest, top)
    except (AttributeError, KeyError, TypeError) as error:
        raise InputError(f"{place}/{MANIFEST}: {_FOREIGN} ({type(error).__name__}: {error}). {_FOLDER}") from error
    files = files_in(folder)
    tables = _Tables(files, manifest)
    documents = tables.columns("documents", ["status", "source", "agency", "published", "copy_group"])
    stories = tables.columns("stories", ["documents", "copies"])
    reasons = tables.columns("rejects", ["reason"])
    summary = {
        "folder": display_url(folder),
        **from_manifest,
        "counts": manifest["counts"] | counts_of(documents, _column(reasons, "reason"), stories),
        "published": _publication_span(documents),
        "sources": _largest_sources(documents, top),
        "agencies": _largest_agencies(documents, top),
        "rejects": _reject_reasons(tables, reasons),
        "copy_groups": _largest_copy_groups(tables, documents, top),
        "stories": _listed_stories(tables, stories, top),
        "files": {name: _file_size(files[name]()) for name in RESULT_FILES if name in files},
    }
    return Inspection(summary | {"notes": _version_notes(manifest, tables.missing_columns)}, tables.faults)


def counts_of(documents: Any, reasons: Any, stories: Any) -> dict[str, Any]:
    """Counts that the manifest lacks: reject reasons, copy groups, short documents, larger stories.

    Parameters
    ----------
    documents : a table with the columns ``status`` and ``copy_group``
    reasons : the column ``rejects.reason``
    stories : a table with the column ``documents``

    Returns
    -------
    A count is None if its argument, or the column that it needs, is missing. A copy group has two or more documents.
    """
    statuses, groups = _column(documents, "status"), _column(documents, "copy_group")
    return {
        "rejects_by_reason": None if reasons is None else _tally(reasons),
        "copy_groups": None if groups is None else int(np.count_nonzero(np.unique(groups.to_numpy(), return_counts=True)[1] > 1)),
        "short": None if statuses is None else int(pc.sum(pc.equal(statuses, "short"), min_count=0).as_py()),
        "stories_of_several": None if stories is None else int(pc.sum(pc.greater(stories.column("documents"), 1), min_count=0).as_py()),
    }


def largest_stories(stories: Any, top: int) -> Any:
    """Rows of the largest stories: most documents first, then most copies, then table order."""
    ranked = stories.select(["documents", "copies"]).append_column("row", pa.array(range(stories.num_rows), pa.int64()))
    return pc.sort_indices(ranked, [("documents", "descending"), ("copies", "descending"), ("row", "ascending")])[:top]


class _Tables:
    """The tables of a result folder, read on demand; collects their faults."""

    def __init__(self, files: dict[str, Callable[[], Any]], manifest: dict[str, Any]) -> None:
        self.faults: list[str] = []
        self.missing_columns: list[str] = []  # which an older version did not write
        self._files: dict[str, Any] = {}
        counts = manifest["counts"]
        for name in ("documents", "matches", "stories", "rejects"):
            if counts.get(name) is not None:
                self._open_table(files, name, counts[name])

    def columns(self, table: str, names: list[str]) -> Any:
        """Read the existing ones of some columns; None if the table is missing or damaged."""
        if (file := self._files.get(table)) is None:
            return None
        present = [name for name in names if name in file.schema_arrow.names]
        self.missing_columns += [f"{table}.{name}" for name in names if name not in present]
        try:
            return file.read(columns=present)
        except (OSError, ValueError) as error:
            self._drop(table, error)
            return None

    def take(self, table: str, rows: Any, names: list[str]) -> list[dict[str, Any]]:
        """Read some rows, and only their row groups; values of missing columns are None."""
        if (file := self._files.get(table)) is None or not len(rows):
            return []
        rows, schema = np.asarray(rows, np.int64), _SCHEMAS[table]
        present = [name for name in names if name in file.schema_arrow.names]
        starts = np.cumsum([0, *(file.metadata.row_group(i).num_rows for i in range(file.num_row_groups))])
        groups = np.searchsorted(starts, rows, side="right") - 1
        taken: list[dict[str, Any]] = [{} for _ in rows]
        try:
            for group in np.unique(groups).tolist():
                places = np.flatnonzero(groups == group)
                read = file.read_row_group(group, columns=present).take(pa.array(rows[places] - starts[group]))
                for place, row in zip(places.tolist(), read.to_pylist(), strict=True):
                    taken[place] = {name: row.get(name, [] if pa.types.is_list(schema.field(name).type) else None) for name in names}
        except (OSError, ValueError) as error:
            self._drop(table, error)
            return []
        return taken

    def _open_table(self, files: dict[str, Callable[[], Any]], name: str, rows: int) -> None:
        if (opened := files.get(f"{name}.parquet")) is None:
            self.faults.append(f"{name}.parquet is missing")
            return
        try:
            file = pq.ParquetFile(opened())
        except (OSError, ValueError) as error:
            self._drop(name, error)
            return
        if file.metadata.num_rows != rows:
            self.faults.append(f"{name}.parquet has {file.metadata.num_rows:,} rows, but the manifest says {rows:,}")
        self._files[name] = file

    def _drop(self, name: str, error: Exception) -> None:
        self._files.pop(name, None)
        reason = str(error).splitlines() or [type(error).__name__]
        self.faults.append(f"{name}.parquet cannot be read ({reason[0]})")


def _read_manifest(folder: str | os.PathLike[str]) -> dict[str, Any]:
    name = display_url(folder)
    if not is_url(folder):
        place = Path(folder)
        if not place.is_dir():
            raise InputError(f"{name}: {'is a file' if place.exists() else 'there is no such folder'}. {_FOLDER}")
        if not (place / MANIFEST).is_file() and (place / WORK).is_dir():
            steps = _finished_steps(place / WORK / JOURNAL)
            raise InputError(f"{name}: holds an unfinished run{steps}. If it was interrupted, repeat its command to resume it.")
    try:
        manifest = Result.read_manifest(folder)
    except OutputError as error:
        raise InputError(str(error)) from error
    if not isinstance(manifest, dict):
        raise InputError(f"{name.rstrip('/')}/{MANIFEST}: {_FOREIGN}. {_FOLDER}")
    return manifest


def _file_size(file: Any) -> int:
    """Size in bytes of a path or of an open remote file."""
    if isinstance(file, Path):
        return file.stat().st_size
    with file:
        return int(file.size())


def _inspect_manifest(manifest: dict[str, Any], top: int) -> dict[str, Any]:
    """The part of the summary that needs no tables."""
    if missing := [name for name in _COUNTS if name not in manifest["counts"]]:
        raise KeyError(f"counts.{missing[0]}")
    return {
        "version": manifest["version"],
        "schema_version": int(manifest["schema_version"]),
        "finished": manifest.get("finished"),
        "config": changed_settings(manifest["config"]),
        "config_digest": manifest["config_digest"],
        "background": manifest.get("background"),
        "restarts": int(manifest.get("restarts", 0)),
        "base": _base_summary(manifest),
        "inputs": _inputs_summary(manifest["inputs"], top),
        "stages": [_stage_with_rate(stage) for stage in manifest["stages"]],
        **{name: manifest.get(name) for name in _LOSSES},
        "recall": manifest.get("recall"),
        "peak_memory_bytes": manifest.get("peak_memory_bytes"),
        "warnings": list(manifest["warnings"]),
    }


def _finished_steps(journal: Path) -> str:
    try:
        digest, _, text = journal.read_bytes().partition(b"\n")
        steps = [str(step["name"]) for step in json.loads(text)["steps"]]
        if digest.decode() != hashlib.sha256(text).hexdigest() or not steps:
            return ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return f" (finished steps: {', '.join(steps)})"


def _version_notes(manifest: dict[str, Any], missing_columns: list[str]) -> list[str]:
    made = manifest["schema_version"]
    if made == SCHEMA_VERSION and not missing_columns:
        return []
    age = "an older" if made < SCHEMA_VERSION else "a newer" if made > SCHEMA_VERSION else "another"
    ours = f"{__version__}, table version {SCHEMA_VERSION}"
    note = f"written by {age} version: dedup {manifest.get('version')}, table version {made}; this is {ours}"
    unknown = missing_columns + [name for name in ("background", "finished", *_LOSSES) if name not in manifest]
    return [note + (f". Unknown: {', '.join(unknown)}" if unknown else "")]


def _base_summary(manifest: dict[str, Any]) -> dict[str, Any] | None:
    base = manifest.get("base")
    return None if base is None else {"documents": base["documents"], "files": len(base["inputs"])}


def _inputs_summary(inputs: list[dict[str, Any]], top: int) -> dict[str, Any]:
    skipped: Counter[str] = Counter()
    for file in inputs:
        skipped.update(file.get("skipped", {}))
    largest = sorted(inputs, key=lambda file: -(file.get("records") or file["pages"] + file["rejects"]))[:top]
    return {
        "files": len(inputs),
        "bytes": sum(file["bytes"] or 0 for file in inputs),
        "pages": sum(file["pages"] for file in inputs),
        "rejects": sum(file["rejects"] for file in inputs),
        "records": sum(file["records"] for file in inputs if file.get("records") is not None),
        "skipped": dict(sorted(skipped.items(), key=lambda item: (-item[1], item[0]))),
        "largest": largest,
    }


def _publication_span(documents: Any) -> dict[str, Any] | None:
    if (dates := _column(documents, "published")) is None:
        return None
    span = pc.min_max(dates).as_py()
    return {"first": _iso(span["min"]), "last": _iso(span["max"]), "undated": dates.null_count}


def _largest_sources(documents: Any, top: int) -> dict[str, Any] | None:
    sources = _column(documents, "source")
    if sources is None:
        return None
    copies = Counter(_tally(sources.filter(pc.equal(documents.column("status"), "copy")))) if _column(documents, "status") else Counter()
    ranked = _ranked(sources)
    listed = [{"source": name, "documents": count, "copies": copies[name]} for name, count in ranked[:top]]
    return {"different": len(ranked), "unknown": sources.null_count, "largest": listed}


def _largest_agencies(documents: Any, top: int) -> dict[str, Any] | None:
    if (agencies := _column(documents, "agency")) is None:
        return None
    ranked = _ranked(agencies)
    listed = [{"agency": name, "documents": count} for name, count in ranked[:top]]
    return {"different": len(ranked), "unknown": agencies.null_count, "largest": listed}


def _reject_reasons(tables: _Tables, reasons: Any) -> list[dict[str, Any]] | None:
    """Each reject reason with its count and its first reject."""
    if (column := _column(reasons, "reason")) is None:
        return None
    ranked = _ranked(column)
    examples = tables.take("rejects", [pc.index(column, reason).as_py() for reason, _ in ranked], ["input_file", "input_row", "detail"])
    return [{"reason": reason, "count": count, "example": example} for (reason, count), example in zip(ranked, examples, strict=False)]


def _largest_copy_groups(tables: _Tables, documents: Any, top: int) -> list[dict[str, Any]] | None:
    groups = _column(documents, "copy_group")
    if groups is None:
        return None
    values, counts = np.unique(groups.to_numpy(), return_counts=True)
    order = np.argsort(-counts, kind="stable")[:top]
    largest = [(int(values[i]), int(counts[i])) for i in order if counts[i] > 1]
    listed = []
    for group, count in largest:
        rows = np.flatnonzero(pc.equal(groups, group).to_numpy())
        members = documents.take(pa.array(rows))
        # The number of a group is the row of its first document.
        first = tables.take("documents", [group], ["doc_id", "title"]) if group < documents.num_rows else []
        listed.append({
            "copy_group": group,
            "first_id": first[0]["doc_id"] if first else None,
            "title": first[0]["title"] if first else None,
            "documents": count,
            "copies": int(pc.sum(pc.equal(members.column("status"), "copy"), min_count=0).as_py()),
            "sources": pc.count_distinct(members.column("source"), mode="only_valid").as_py(),
            **_span(members.column("published")),
        })  # fmt: skip
    return listed


def _listed_stories(tables: _Tables, stories: Any, top: int) -> list[dict[str, Any]] | None:
    if stories is None:
        return None
    columns = ["story_id", "title", "documents", "copies", "sources", "first_published", "last_published", "agency"]
    listed = []
    for story in tables.take("stories", largest_stories(stories, top), columns):
        first, last = story.pop("first_published"), story.pop("last_published")
        listed.append(story | {"sources": len(story["sources"]), "first": _iso(first), "last": _iso(last)})
    return listed


def _stage_with_rate(stage: dict[str, Any]) -> dict[str, Any]:
    return stage | {"rows_per_second": round(stage["rows"] / stage["seconds"], 1) if stage["seconds"] else None}


def _span(dates: Any) -> dict[str, str | None]:
    span = pc.min_max(dates).as_py()
    return {"first": _iso(span["min"]), "last": _iso(span["max"])}


def _iso(time: Any) -> str | None:
    return None if time is None else time.isoformat()


def _column(table: Any, name: str) -> Any:
    return table.column(name) if table is not None and name in table.column_names else None


def _tally(column: Any) -> dict[str, int]:
    counted = pc.value_counts(column.drop_null()).to_pylist()
    return dict(sorted((item["values"], item["counts"]) for item in counted))


def _ranked(column: Any) -> list[tuple[str, int]]:
    """Values with their counts, most frequent first."""
    return sorted(_tally(column).items(), key=lambda item: (-item[1], item[0]))
