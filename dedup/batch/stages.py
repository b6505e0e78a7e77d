"""Times and logs the stages of a run, and loads their results if the workspace has them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import Any, Generic, TypeVar

import pyarrow as pa

from ..copies.covered import Covered
from ..copies.find import Copies
from ..copies.pairs import Matches
from ..copies.survivors import Survivors
from ..schema import EVENTS
from .checkpoints import Tables, array_of, load, save
from .stories import FoundStories
from .workspace import Workspace

Value = TypeVar("Value")
logger = logging.getLogger(__name__)

#: Called as ``progress(stage, done)`` with the rows that a stage has done so far.
Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class StageCodec(Generic[Value]):
    """Converts a stage's result to Arrow tables and JSON metadata, and back."""

    to_tables: Callable[[Value], tuple[Tables, Any]]
    from_tables: Callable[[Tables, Any], Value]


def _copies_to_tables(copies: Copies) -> tuple[Tables, Any]:
    documents = pa.table({"short": copies.short} | _columns(copies.survivors) | _columns(copies.covered))
    return {"documents": documents, "matches": pa.table(_columns(copies.matches))}, copies.counts


def _copies_from_tables(tables: Tables, counts: Any) -> Copies:
    documents = tables["documents"]
    survivors, covered = _from_columns(Survivors, documents), _from_columns(Covered, documents)
    matches = _from_columns(Matches, tables["matches"])
    return Copies(survivors, array_of(documents.column("short")), matches, covered, counts)


def _columns(arrays: Any) -> dict[str, Any]:
    """The fields of a dataclass of arrays, by name."""
    return {item.name: getattr(arrays, item.name) for item in fields(arrays)}


def _from_columns(kind: type[Value], table: Any) -> Value:
    """A dataclass of arrays from the columns of its fields."""
    return kind(**{item.name: array_of(table.column(item.name)) for item in fields(kind)})  # type: ignore[arg-type]


def _stories_to_tables(found: FoundStories) -> tuple[Tables, Any]:
    ids = pa.table({"story_id": found.story_ids})
    return {"stories": found.stories, "ids": ids, "events": pa.Table.from_pylist(found.events, schema=EVENTS)}, found.counts


def _stories_from_tables(tables: Tables, counts: Any) -> FoundStories:
    ids = tables["ids"].column("story_id").combine_chunks()
    return FoundStories(tables["stories"], ids, tables["events"].to_pylist(), counts)


COPIES = StageCodec(_copies_to_tables, _copies_from_tables)
STORIES = StageCodec(_stories_to_tables, _stories_from_tables)
#: The recall is JSON already.
RECALL: StageCodec[dict[str, Any]] = StageCodec(lambda recall: ({}, recall), lambda _, recall: recall)


@dataclass
class StageTimer:
    """Times, logs and resumes the stages of one run.

    Attributes
    ----------
    stages : ``stage``, ``seconds`` and ``rows`` of the finished stages, in order
    seconds_before : seconds per stage that the interrupted run spent before this one resumed it
    """

    progress: Progress | None = None
    workspace: Workspace | None = None
    stages: list[dict[str, Any]] = field(default_factory=list)
    seconds_before: dict[str, float] = field(default_factory=dict)
    _running: dict[str, Any] = field(default_factory=dict, repr=False)

    @contextmanager
    def stage(self, name: str) -> Iterator[Callable[[int], None]]:
        """Time a stage; the yielded function takes the number of rows done so far."""
        begun = time.perf_counter() - self.seconds_before.get(name, 0.0)
        entry: dict[str, Any] = {"stage": name, "seconds": 0.0, "rows": 0}
        self._running = entry

        def done(rows: int) -> None:
            entry["rows"] = int(rows)
            entry["seconds"] = round(time.perf_counter() - begun, 4)
            if rows:
                logger.debug("%s: %d rows", name, rows, extra={"event": "batch", **entry})
            if self.progress:
                self.progress(name, int(rows))

        logger.info("%s started", name, extra={"event": "stage_started", "stage": name})
        done(0)
        yield done
        entry["seconds"] = round(time.perf_counter() - begun, 4)
        self.stages.append(entry)
        logger.info("%s finished: %d rows in %.2f s", name, entry["rows"], entry["seconds"], extra={"event": "stage_finished", **entry})

    def add(self, **details: int) -> None:
        """Add details to the entry of the running stage."""
        self._running |= details

    def seconds(self) -> dict[str, float]:
        """Seconds of each stage so far, the running one included."""
        stages = [*self.stages, self._running] if self._running else self.stages
        return self.seconds_before | {stage["stage"]: stage["seconds"] for stage in stages}

    def run_or_resume(
        self,
        name: str,
        codec: StageCodec[Value],
        find: Callable[[], Value],
        count: Callable[[Value], int],
    ) -> Value:
        """Load the result of a stage from the workspace, or run the stage and save its result.

        Parameters
        ----------
        find : runs the stage
        count : rows of its result
        """
        if self.workspace is not None and (saved := load(self.workspace, name)):
            tables, metadata = saved
            self.stages.append(metadata["stage"])
            logger.info("%s was finished before the interruption", name, extra={"event": "stage_resumed", **metadata["stage"]})
            return codec.from_tables(tables, metadata["found"])
        with self.stage(name) as done:
            found = find()
            done(count(found))
            if self.workspace is not None:
                tables, metadata = codec.to_tables(found)
                save(self.workspace, name, tables, {"found": metadata, "stage": self._running})
        return found
