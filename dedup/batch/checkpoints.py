"""Checkpoints of the reading stage: an interrupted run resumes after the last complete one.

Where a checkpoint ends depends on how much was read and changes no result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..arrays.spill import PersistentArray, SpillPool
from ..readers import PageBatch, ReadLog
from ..schema import KEPT_TEXTS
from ..storage.files import WorkFile
from ..storage.text_store import TextStore
from .workspace import Workspace

Tables = dict[str, Any]

#: The last checkpoint. The earlier ones are ``part-00000``, ``part-00001`` and so on.
READ = "read"
#: Input below this share of a checkpoint is read in one go: an interruption costs few seconds.
SMALL = 0.25
MEGABYTE = 1 << 20
_TEXTS = "texts.parquet"


def save(
    work: Workspace,
    step: str,
    tables: Mapping[str, Any],
    metadata: Mapping[str, Any],
    *,
    other_files: Sequence[WorkFile] = (),
) -> None:
    """Finish a step of the workspace with its tables, metadata and other files."""
    files = list(other_files)
    if tables:
        file = work.create(f"{step}.arrow")
        for table in tables.values():
            with pa.ipc.new_stream(pa.PythonFile(file, "w"), table.schema) as writer:
                writer.write_table(table)
        files.append(file)
    work.finish(step, files, {**metadata, "tables": list(tables)})


def load(work: Workspace, step: str, *, deleted: Sequence[str] = ()) -> tuple[Tables, dict[str, Any]] | None:
    """Load the tables and metadata of a step; None if it is not finished or its files are damaged.

    Parameters
    ----------
    deleted : files of the step that a later step has deleted
    """
    metadata = work.verified(step, deleted=deleted)
    if metadata is None:
        return None
    tables: Tables = {}
    if metadata["tables"]:
        with pa.OSFile(str(work.path(f"{step}.arrow"))) as file:
            for name in metadata["tables"]:
                tables[name] = pa.ipc.open_stream(file).read_all().combine_chunks()
    return tables, metadata


def array_of(column: Any) -> npt.NDArray[Any]:
    """Copy a numeric Arrow column into a writable array."""
    array: npt.NDArray[Any] = np.array(column.to_numpy(zero_copy_only=False) if isinstance(column, pa.Array) else column.to_numpy())
    return array


@dataclass(frozen=True)
class ReadPosition:
    """How far the base and the inputs were read.

    Attributes
    ----------
    base : documents of the base
    file : number of the current file, -1 before the first one; all files before it are complete
    pages, rejects : rows of the current file
    log : state of the log when the current file was opened
    """

    base: int = 0
    file: int = -1
    pages: int = 0
    rejects: int = 0
    log: dict[str, Any] = field(default_factory=dict)

    def after(self, batch: PageBatch) -> ReadPosition:
        """The position at the end of a batch that starts here."""
        return replace(self, pages=self.pages + batch.pages.num_rows, rejects=self.rejects + batch.rejects.num_rows)


def files_read(work: Workspace) -> tuple[int, dict[str, str | None]]:
    """Files that the interrupted run opened, and the SHA-256 of each complete one by name."""
    parts = [work.metadata(step) for step in work.steps if step == READ or step.startswith("part-")]
    digests = {entry["file"]: entry["sha256"] for part in parts for entry in part["inputs"]}
    return (parts[-1]["place"]["file"] + 1 if parts else 0), digests


def checkpoint_limit(megabytes: int, stored: int) -> int | None:
    """Bytes of text per checkpoint, None for a single one; ``stored`` is the size of the inputs."""
    limit = megabytes * MEGABYTE
    return limit if stored >= limit * SMALL else None


class ReadCheckpoints:
    """Writes and loads the checkpoints of one run.

    A checkpoint holds a table of documents with the counts of their fingerprints, the values of the
    fingerprints (in files that grow), the texts, and the position in the inputs. The last one,
    ``read``, comes with the file of all texts; it deletes the texts of the others.

    Parameters
    ----------
    log : of the reading; the entries of an interrupted run are restored in it
    seconds : returns the seconds of each stage so far
    limit : bytes of text per checkpoint, see ``checkpoint_limit``
    """

    def __init__(
        self,
        work: Workspace,
        spill: SpillPool,
        log: ReadLog,
        seconds: Callable[[], dict[str, float]],
        limit: int | None,
    ) -> None:
        self._work, self._spill, self._log, self._seconds_so_far, self._limit = work, spill, log, seconds, limit
        self._arrays: dict[str, WorkFile] = {}
        self._texts: tuple[WorkFile, Any] | None = None  # of the current checkpoint
        self._number = self._bytes = self._inputs = 0
        self.seconds: dict[str, float] = {}  # per stage, spent by the interrupted run

    def load_all(self) -> list[tuple[Tables, dict[str, Any], ReadPosition]]:
        """Load all checkpoints: the tables and totals given to ``finish``, and the end position."""
        while True:
            was_complete = self.is_complete
            steps = [*(step for step in self._work.steps if step.startswith("part-")), READ]
            deleted = [_texts_of(number) for number in range(len(steps))] if was_complete else []
            found = [load(self._work, step, deleted=deleted) for step in steps]
            if was_complete == self.is_complete:  # else a checkpoint is damaged, and deleted texts are needed again
                break
        loaded = [(tables, metadata["intake"], ReadPosition(**metadata["place"])) for tables, metadata in filter(None, found)]
        inputs = [entry for item in filter(None, found) for entry in item[1]["inputs"]]
        if loaded:
            self.seconds = [item for item in found if item][-1][1]["seconds"]
            if loaded[-1][2].log:
                self._log.resume(loaded[-1][2].log, inputs)
        self._number, self._inputs = len(loaded), len(inputs)
        return loaded

    @property
    def is_complete(self) -> bool:
        """Whether all inputs are read."""
        return READ in self._work.steps

    def texts_of(self, number: int) -> Iterator[Any]:
        """The texts of a checkpoint as Arrow tables, as long as reading is not complete."""
        path = self._work.path(_texts_of(number))
        if path.exists():
            with pa.OSFile(str(path)) as file:
                for batch in pa.ipc.open_stream(file):
                    yield pa.Table.from_batches([batch])

    def texts(self) -> TextStore:
        """All texts, once reading is complete."""
        return TextStore(self._work.path(_TEXTS), given_up=True)

    def open_array(self, name: str) -> PersistentArray:
        """Open the array of fingerprint values that all checkpoints extend."""
        self._arrays[name] = self._work.grow(f"{name}.u64")
        return PersistentArray(self._spill, self._arrays[name], np.uint64)

    def texts_file(self) -> WorkFile:
        """The file of all texts; the last checkpoint finishes it."""
        return self._work.create(_TEXTS)

    def add_texts(self, documents: Any) -> bool:
        """Add the texts of a batch; true if the checkpoint should end here."""
        self._bytes += documents.column("text").nbytes
        if self._limit is None:
            return False
        if self._texts is None:
            file = self._work.create(_texts_of(self._number))
            options = pa.ipc.IpcWriteOptions(compression="lz4")
            self._texts = file, pa.ipc.new_stream(pa.PythonFile(file, "w"), KEPT_TEXTS, options=options)
        self._texts[1].write_table(documents.select(KEPT_TEXTS.names))
        return self._bytes >= self._limit

    def finish(
        self,
        tables: dict[str, Any],
        totals: dict[str, int],
        position: ReadPosition,
        *,
        all_texts: WorkFile | None,
        is_last: bool,
    ) -> None:
        """Finish the current checkpoint.

        Parameters
        ----------
        tables : documents, their fingerprint counts, leads and rejects since the last checkpoint
        totals : documents, base documents and pages so far
        all_texts : the file from ``texts_file``, with the last checkpoint
        """
        files = list(self._arrays.values())
        if self._texts is not None:
            self._texts[1].close()
            files += [] if is_last else [self._texts[0]]
        files += [all_texts] if all_texts is not None else []
        if is_last:
            position = ReadPosition(position.base, len(self._log.inputs), log=self._log.state())
        inputs = self._log.inputs[self._inputs : position.log.get("inputs", 0)]
        self._inputs += len(inputs)
        metadata = {"intake": totals, "place": asdict(position), "inputs": inputs, "seconds": self._seconds_so_far()}
        save(self._work, READ if is_last else f"part-{self._number:05}", tables, metadata, other_files=files)
        if is_last:
            self._work.discard([_texts_of(number) + suffix for number in range(self._number + 1) for suffix in ("", ".part")])
        self._texts, self._bytes = None, 0
        self._number += 1


def _texts_of(number: int) -> str:
    return f"texts-{number:05}.arrow"
