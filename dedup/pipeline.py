"""The order of the stages, from inputs to results.

    (documents of the base) pages -> documents -> fingerprints -> copies -> stories -> tables

Pages are read in batches and forgotten once they are fingerprinted; what stays in memory are the arrays of
``fingerprint.py`` and the columns that the results repeat. With a base, its documents come first and keep what they were
given: canonicals, copy groups, stories. With a workspace, what each stage found lasts, and a run that was killed goes on with it.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .arrays.spill import SpillPool
from .arrays.threads import thread_count
from .batch.base_run import BaseRun, open_base
from .batch.checkpoints import ReadCheckpoints, ReadPosition, load, part_limit, reached, save, with_positions
from .batch.corpus import Corpus, CorpusBuilder
from .batch.diagnostics import corpus_warnings
from .batch.incremental import events_table, group_events, tied_groups
from .batch.peak_memory import peak_memory
from .batch.resume import changed_unread, differences, digest_of_base, identity
from .batch.stages import CHRONICLE, COPIES, RECALL, StageCodec
from .batch.stories import FoundStories, find_stories
from .batch.tables import documents_table, matches_table
from .batch.workspace import Workspace
from .config import Config
from .copies.find import Copies
from .copies.find import find_copies as find
from .copies.grouping import precedence
from .copies.recall import measure_recall, sample_size
from .errors import ConfigError, InputError
from .readers import PageBatch, ReadLog, Source, discover, paths_of, read_data, read_files
from .result import Result
from .schema import HAPPENINGS, KINDS, SCHEMA_VERSION
from .text.document_frequencies import DocumentFrequencies, background_of, content_name
from .version import __version__

Found = TypeVar("Found")
logger = logging.getLogger(__name__)

#: Called as ``progress(stage, done)`` with the rows that a stage has done so far.
Progress = Callable[[str, int], None]
#: Share of the allowed memory that fingerprints may take before they go to files; the rest is for what stages work with.
SPILLED_FROM = 0.2


@dataclass
class StageTimer:
    """Seconds and rows of each stage, in the order in which they ran; each is logged when it begins and ends.

    ``before`` are the seconds of the run that was stopped and is gone on with.
    """

    progress: Progress | None = None
    work: Workspace | None = None
    stages: list[dict[str, Any]] = field(default_factory=list)
    before: dict[str, float] = field(default_factory=dict)
    _running: dict[str, Any] = field(default_factory=dict, repr=False)

    @contextmanager
    def stage(self, name: str) -> Iterator[Callable[[int], None]]:
        """Time a stage; what is yielded takes the number of rows done so far."""
        begun = time.perf_counter() - self.before.get(name, 0.0)
        entry: dict[str, Any] = {"stage": name, "seconds": 0.0, "rows": 0}
        self._running = entry

        def done(rows: int) -> None:
            entry["rows"] = int(rows)
            entry["seconds"] = round(time.perf_counter() - begun, 4)
            if rows:
                logger.debug("%s: %d rows", name, rows, extra={"event": "batch", **entry})
            if self.progress:
                self.progress(name, int(rows))

        logger.info("%s begins", name, extra={"event": "stage_started", "stage": name})
        done(0)
        yield done
        entry["seconds"] = round(time.perf_counter() - begun, 4)
        self.stages.append(entry)
        logger.info("%s ends: %d rows in %.2f s", name, entry["rows"], entry["seconds"], extra={"event": "stage_finished", **entry})

    def add(self, **facts: int) -> None:
        """Say more of the stage that is running."""
        self._running |= facts

    def seconds(self) -> dict[str, float]:
        """Seconds of each stage so far, the one that is running included."""
        stages = [*self.stages, self._running] if self._running else self.stages
        return self.before | {stage["stage"]: stage["seconds"] for stage in stages}

    def run_or_resume(self, name: str, form: StageCodec[Found], find: Callable[[], Found], rows: Callable[[Found], int]) -> Found:
        """What a stage finds, or has found in the run that was stopped; ``rows`` counts it."""
        if self.work is not None and (saved := load(self.work, name)):
            tables, facts = saved
            self.stages.append(facts["stage"])
            logger.info("%s was done before the run was stopped", name, extra={"event": "stage_resumed", **facts["stage"]})
            return form.together(tables, facts["found"])
        with self.stage(name) as done:
            found = find()
            done(rows(found))
            if self.work is not None:
                tables, facts = form.apart(found)
                save(self.work, name, tables, {"found": facts, "stage": self._running})
        return found


def run(
    inputs: Any,
    config: Config | None = None,
    *,
    base: Result | str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    workspace: Workspace | None = None,
) -> Result:
    """Find copies and stories in a crawl.

    Where every row was rejected the tables are empty and ``rejects`` says why.

    Parameters
    ----------
    inputs : a path, a glob or a list of them; or a table: anything with the Arrow PyCapsule interface (pyarrow,
        polars, pandas, duckdb), or an iterable of mappings
    config : settings; if left out the defaults, or those of the base
    base : an earlier result, or its folder, that this one builds on: its documents come first and keep their canonical, copy
        group and story, new ones join them. The result holds all, and ``events`` what became of stories and groups
    progress : called with the name of a stage and the rows done
    workspace : where what is done lasts, so that the same call goes on where it was stopped; then the inputs must be files

    Raises
    ------
    InputError
        If an input is missing, has no column that can be used, or all files together hold no row; or if the base cannot be
        built on.
    ConfigError
        If ``signatures.scheme`` is not ``native``, ``stories.background`` cannot be used, or settings do not fit those of the base.
    OutputError
        If the workspace cannot be written, or holds another run that was stopped.
    """
    earlier = None
    if base is not None:
        earlier, config = open_base(base, config)
    config = config or Config()
    if config.signatures.scheme != "native":
        raise ConfigError(
            f"signatures.scheme is {config.signatures.scheme!r}, but a run keeps no signatures and makes its own with 'native'. "
            "Leave it out, or call dedup.sign() for signatures that datasketch can use."
        )
    known = background_of(config.stories.background) if earlier is None else earlier.background_of(config.stories.background)
    if workspace is not None:
        _take_up(workspace, _sources(inputs), config, known, base)
        if finished := workspace.finished():
            return finished
    with SpillPool(int(_memory(config) * SPILLED_FROM)) as spill:
        return _run(inputs, config, known, earlier, StageTimer(progress, workspace), spill)


def _run(inputs: Any, config: Config, known: DocumentFrequencies, earlier: BaseRun | None, clock: StageTimer, spill: SpillPool) -> Result:
    log = ReadLog()
    threads = thread_count(config.run.threads)
    corpus = _read(inputs, config, earlier, log, clock, spill, threads)
    ranks = precedence(corpus.documents, corpus.prints.words)
    if earlier is not None:
        ranks = earlier.ahead(ranks)
    headline = corpus.is_headline()

    def find_all() -> Copies:
        settled = earlier.settled if earlier is not None else None
        times, sources = corpus.seconds(), corpus.source_codes()
        return find(corpus.prints, headline, ranks, config, times=times, sources=sources, settled=settled, spill=spill, threads=threads)

    copies = clock.run_or_resume("copies", COPIES, find_all, lambda copies: len(copies.canonical))
    recall = None
    if sample_size(config):

        def measure() -> dict[str, Any]:
            prints, compared = corpus.prints, ~headline & ~copies.short
            return measure_recall(prints.shingles, prints.digests, compared, copies.matches, config, threads=threads, release=spill.release)

        recall = clock.run_or_resume("recall", RECALL, measure, lambda recall: int(recall["sampled"]))
    told = FoundStories(None, pa.nulls(len(ranks), pa.string()))
    if config.stories.enabled:
        told = clock.run_or_resume(
            "stories",
            CHRONICLE,
            lambda: find_stories(corpus, copies, known, config, earlier, threads),
            lambda told: int(told.stories.num_rows),
        )
    documents = documents_table(corpus.documents, corpus.prints.words, copies, told.story_ids)
    matches = matches_table(corpus.documents.column("doc_id"), copies)
    restarts = clock.work.restarts if clock.work is not None else 0
    manifest = _manifest(config, known, log, clock, corpus, copies, documents, told.stories) | {"recall": recall, "restarts": restarts}
    events = None
    if earlier is not None:
        events = _events(corpus, copies, told, earlier)
        manifest["base"] = {"documents": len(earlier), "inputs": earlier.inputs}
        manifest["counts"] |= _counts_beside_base(corpus, copies, told, events, earlier)
    return Result(documents, matches, told.stories, corpus.rejects, manifest, events, corpus.texts)


def find_copies(inputs: Any, config: Config | None = None, *, progress: Progress | None = None) -> Result:
    """Find copies only: as ``run``, but the story columns are null and there is no table of stories."""
    return run(inputs, (config or Config()).replace({"stories.enabled": False}), progress=progress)


def _read(inputs: Any, config: Config, earlier: BaseRun | None, log: ReadLog, clock: StageTimer, spill: SpillPool, threads: int) -> Corpus:
    parts = None
    if clock.work is not None:
        stored = sum(source.size() or 0 for source in _sources(inputs)) + (earlier.texts.stored_bytes() if earlier is not None else 0)
        parts = ReadCheckpoints(clock.work, spill, log, clock.seconds, part_limit(config.run.checkpoint, stored))
    intake = CorpusBuilder(config, spill, threads, parts)
    clock.before = parts.seconds if parts is not None else {}
    if earlier is not None:
        with clock.stage("base") as done:
            intake.add_base(earlier.batches(), done)
    with clock.stage("read") as done:
        if parts is None or not parts.is_read:
            intake.add_pages(_batches(inputs, config, log, intake.place), done)
        corpus = intake.corpus()
        clock.add(pages=corpus.pages, bytes=sum(file["bytes"] or 0 for file in log.inputs))
        return corpus


def _batches(inputs: Any, config: Config, log: ReadLog, start: ReadPosition) -> Iterator[tuple[PageBatch, ReadPosition]]:
    """What is to be read behind a place, each batch with the place behind it."""
    here = ReadPosition(start.base)

    def opened(number: int) -> None:
        here.file, here.pages, here.rejects, here.log = number, 0, 0, log.state()

    paths = paths_of(inputs)
    if not paths:
        return with_positions(read_data(inputs, config=config, log=log), here, start)
    state, entries = start.log or None, log.inputs
    batches = read_files(paths, config=config, log=log, first=max(start.file, 0), opened=opened)
    if state is not None:  # what the files were found to be is said in it too
        log.resume(state, entries)
    return with_positions(batches, here, start)


def _sources(inputs: Any) -> list[Source]:
    paths = paths_of(inputs)
    if not paths:
        raise InputError("a run with a workspace reads files, for it must be able to read them again. Save the data to a file first.")
    return discover(paths)


def _take_up(
    work: Workspace, sources: list[Source], config: Config, known: DocumentFrequencies, base: Result | str | os.PathLike[str] | None
) -> None:
    """Go on with the run that was stopped in a workspace if it is this one, else begin it."""
    digest, then = None, work.run
    if isinstance(base, Result):
        digest = digest_of_base(base.manifest)
    elif base is not None:
        replaced = work.has_replaced(base)
        digest = then["base"] if replaced and then is not None else digest_of_base(Result.read_manifest(base))
    now = identity(config, {"stories.background": content_name(known)}, digest, sources)
    files, digests = reached(work)
    work.begin(now, differences(now, then, sources, files, digests))
    if then is not None and files < len(sources):
        for name in changed_unread(now, then, files):
            logger.warning("%s: has changed since the run was stopped; it had not been read, so it is read as it is now", name)


def _events(corpus: Corpus, copies: Copies, told: FoundStories, earlier: BaseRun) -> Any:
    """What became of old stories and copy groups, after what was told of them before."""
    ties = tied_groups(copies.matches, copies.canonical, len(earlier))
    return events_table(told.events + group_events(ties, corpus.documents, told.story_ids), earlier.events)


def _manifest(
    config: Config,
    known: DocumentFrequencies,
    log: ReadLog,
    clock: StageTimer,
    corpus: Corpus,
    copies: Copies,
    documents: Any,
    stories: Any,
) -> dict[str, Any]:
    kinds = pc.value_counts(documents.column("kind").drop_null()).to_pylist()
    roles = {item["values"]: item["counts"] for item in pc.value_counts(documents.column("role")).to_pylist()}
    copies_by_kind = {kind: sum(item["counts"] for item in kinds if item["values"] == kind) for kind in KINDS[:-1]}
    pages = pc.count_distinct(documents.column("page_id").slice(corpus.earlier)).as_py()
    return {
        "version": __version__,
        "schema_version": SCHEMA_VERSION,
        "config": config.to_dict(),
        "config_digest": config.digest({"stories.background": content_name(known)}),
        "background": {"from": config.stories.background, "digest": known.digest(), "documents": known.documents},
        "inputs": log.inputs,
        "counts": {
            "pages": corpus.pages,
            "pages_with_documents": pages,
            "rejects": corpus.rejects.num_rows,
            "documents": documents.num_rows,
            "documents_by_role": dict(sorted(roles.items())),
            "copies": int(np.count_nonzero(copies.canonical != np.arange(documents.num_rows))),
            "copies_by_kind": copies_by_kind,
            "matches": len(copies.matches),
            "stories": stories.num_rows if stories is not None else None,
            **copies.counts,
        },
        "stages": clock.stages,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "peak_memory_bytes": peak_memory(),
        "warnings": log.warnings() + corpus_warnings(corpus, copies, config),
    }


def _counts_beside_base(corpus: Corpus, copies: Copies, told: FoundStories, events: Any, earlier: BaseRun) -> dict[str, Any]:
    """What a run with a base counts besides: how its documents are divided, what joined what, and the new events."""
    n_old, new = len(earlier), np.arange(len(earlier), len(copies.canonical))
    fresh = events.slice(0 if earlier.events is None else earlier.events.num_rows).column("event").to_pylist()
    return {
        "base_documents": n_old,
        "new_documents": len(new),
        "joined_copy_groups": int(np.count_nonzero(copies.canonical[new] < n_old)),
        **told.counts,
        "events": {event: fresh.count(event) for event in HAPPENINGS},
    }


def _memory(config: Config) -> int:
    """Bytes that a run may take: as set, else half of what the machine has."""
    if config.run.memory:
        return config.run.memory << 20
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return int(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2)
    return 4 << 30
