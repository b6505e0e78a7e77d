"""What was read, part by part, in a workspace: a reading that was stopped goes on behind the last part that was finished.

A part is a table of documents with what fingerprints count of them, the values of their fingerprints in files that grow, their
texts, and the place in the inputs where it ends. The last part is the step ``read``; with it the file of all texts is there, and those of
the parts are needed no more. Where parts end depends on how much was read, and changes no result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
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


def save(work: Workspace, step: str, tables: Mapping[str, Any], facts: Mapping[str, Any], *, besides: Sequence[WorkFile] = ()) -> None:
    """Finish a step with some tables and facts; ``besides`` are further files of it."""
    files = list(besides)
    if tables:
        file = work.create(f"{step}.arrow")
        for table in tables.values():
            with pa.ipc.new_stream(pa.PythonFile(file, "w"), table.schema) as writer:
                writer.write_table(table)
        files.append(file)
    work.finish(step, files, {**facts, "tables": list(tables)})


def load(work: Workspace, step: str, *, gone: Sequence[str] = ()) -> tuple[Tables, dict[str, Any]] | None:
    """The tables and facts of a step, None if it is not done (any more)."""
    facts = work.taken(step, gone=gone)
    if facts is None:
        return None
    tables: Tables = {}
    if facts["tables"]:
        with pa.OSFile(str(work.path(f"{step}.arrow"))) as file:
            for name in facts["tables"]:
                tables[name] = pa.ipc.open_stream(file).read_all().combine_chunks()
    return tables, facts


def array_of(column: Any) -> npt.NDArray[Any]:
    """A column of numbers as an array of its own."""
    array: npt.NDArray[Any] = np.array(column.to_numpy(zero_copy_only=False) if isinstance(column, pa.Array) else column.to_numpy())
    return array


READ = "read"
#: Input of less than this share of a checkpoint, as it is stored, is read in one go: few seconds are lost with it.
SMALL = 0.25
MEGABYTE = 1 << 20
_TEXTS = "texts.parquet"


@dataclass
class ReadPosition:
    """How far the inputs were read: so many documents of the base; then so many pages and rejects of a file, all before it read.

    ``file`` is -1 before the first one; ``log`` is what the log said when the file was reached.
    """

    base: int = 0
    file: int = -1
    pages: int = 0
    rejects: int = 0
    log: dict[str, Any] = field(default_factory=dict)


def with_positions(batches: Iterator[PageBatch], reached: ReadPosition, start: ReadPosition) -> Iterator[tuple[PageBatch, ReadPosition]]:
    """Each batch with the place behind it, without what lies before ``start``.

    Parameters
    ----------
    reached : moves with what is read: whoever opens a file sets its number and sets its counts to 0
    """
    for batch in batches:
        before = reached.pages, reached.rejects
        reached.pages += batch.pages.num_rows
        reached.rejects += batch.rejects.num_rows
        if reached.file == start.file and (start.pages or start.rejects):
            pages, rejects = max(start.pages - before[0], 0), max(start.rejects - before[1], 0)
            batch = PageBatch(batch.pages.slice(pages), batch.rejects.slice(rejects))
        yield batch, ReadPosition(**vars(reached))


def reached(work: Workspace) -> tuple[int, dict[str, str | None]]:
    """How many files the run that was stopped has reached, and the digests of those that it has read to their end, by name."""
    facts = [work.facts(step) for step in work.steps if step == READ or step.startswith("part-")]
    digests = {entry["file"]: entry["sha256"] for part in facts for entry in part["inputs"]}
    return (facts[-1]["place"]["file"] + 1 if facts else 0), digests


def part_limit(checkpoint: int, stored: int) -> int | None:
    """Bytes of text after which a part ends, None if there is to be but one: ``checkpoint`` in megabytes, input as it is stored."""
    limit = checkpoint * MEGABYTE
    return limit if stored >= limit * SMALL else None


class ReadCheckpoints:
    """The parts of one run.

    Parameters
    ----------
    log : that of the reading; what was read before is entered again
    seconds : gives the seconds that each stage has taken so far
    limit : as ``part_limit`` gives it
    """

    def __init__(self, work: Workspace, spill: SpillPool, log: ReadLog, seconds: Callable[[], dict[str, float]], limit: int | None) -> None:
        self._work, self._spill, self._log, self._so_far, self._limit = work, spill, log, seconds, limit
        self._piles: dict[str, WorkFile] = {}
        self._texts: tuple[WorkFile, Any] | None = None  # of the part that is being read
        self._number = self._bytes = self._inputs = 0
        self.seconds: dict[str, float] = {}  # that the parts which were there have taken

    def taken(self) -> list[tuple[Tables, dict[str, Any], ReadPosition]]:
        """The parts that are finished: tables and facts as ``finish`` took them, and where each ends."""
        while True:
            done = self.is_read
            steps = [*(step for step in self._work.steps if step.startswith("part-")), READ]
            gone = [_texts_of(number) for number in range(len(steps))] if done else []
            found = [load(self._work, step, gone=gone) for step in steps]
            if done == self.is_read:  # else a part is damaged, and texts that are gone are needed once more
                break
        parts = [(tables, facts["intake"], ReadPosition(**facts["place"])) for tables, facts in filter(None, found)]
        inputs = [entry for item in filter(None, found) for entry in item[1]["inputs"]]
        if parts:
            self.seconds = [item for item in found if item][-1][1]["seconds"]
            if parts[-1][2].log:
                self._log.resume(parts[-1][2].log, inputs)
        self._number, self._inputs = len(parts), len(inputs)
        return parts

    @property
    def is_read(self) -> bool:
        """Whether all is read."""
        return READ in self._work.steps

    def texts_of(self, number: int) -> Iterator[Any]:
        """The texts of a part, as Arrow tables, while not all is read."""
        path = self._work.path(_texts_of(number))
        if path.exists():
            with pa.OSFile(str(path)) as file:
                for batch in pa.ipc.open_stream(file):
                    yield pa.Table.from_batches([batch])

    def texts(self) -> TextStore:
        """All texts, when all is read."""
        return TextStore(self._work.path(_TEXTS), given_up=True)

    def pile(self, name: str) -> PersistentArray:
        """Where the values of fingerprints go."""
        self._piles[name] = self._work.grow(f"{name}.u64")
        return PersistentArray(self._spill, self._piles[name], np.uint64)

    def texts_file(self) -> WorkFile:
        """The file of all texts, finished with the last part."""
        return self._work.create(_TEXTS)

    def add_texts(self, documents: Any) -> bool:
        """Take the texts of a batch; the answer is whether the part should end here."""
        self._bytes += documents.column("text").nbytes
        if self._limit is None:
            return False
        if self._texts is None:
            file = self._work.create(_texts_of(self._number))
            options = pa.ipc.IpcWriteOptions(compression="lz4")
            self._texts = file, pa.ipc.new_stream(pa.PythonFile(file, "w"), KEPT_TEXTS, options=options)
        self._texts[1].write_table(documents.select(KEPT_TEXTS.names))
        return self._bytes >= self._limit

    def finish(self, tables: dict[str, Any], facts: dict[str, Any], place: ReadPosition, *, last: WorkFile | None, is_last: bool) -> None:
        """End the part: ``tables`` of its documents and rejects, ``facts`` of the one who takes documents in."""
        files = list(self._piles.values())
        if self._texts is not None:
            self._texts[1].close()
            files += [] if is_last else [self._texts[0]]
        files += [last] if last is not None else []
        if is_last:
            place = ReadPosition(place.base, len(self._log.inputs), log=self._log.state())
        inputs = self._log.inputs[self._inputs : place.log.get("inputs", 0)]
        self._inputs += len(inputs)
        facts = {"intake": facts, "place": asdict(place), "inputs": inputs, "seconds": self._so_far()}
        save(self._work, READ if is_last else f"part-{self._number:05}", tables, facts, besides=files)
        if is_last:
            self._work.discard([_texts_of(number) + aside for number in range(self._number + 1) for aside in ("", ".part")])
        self._texts, self._bytes = None, 0
        self._number += 1


def _texts_of(number: int) -> str:
    return f"texts-{number:05}.arrow"
