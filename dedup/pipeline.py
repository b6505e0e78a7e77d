"""The stages of a batch run in order, from inputs to the result.

Inputs (and base) -> pages -> documents -> fingerprints -> copies -> stories -> tables.
"""

from __future__ import annotations

import os
from typing import Any

import pyarrow as pa

from .arrays.spill import SpillPool
from .arrays.threads import thread_count
from .batch.base_run import BaseRun, open_base
from .batch.incremental import events_table, group_events, tied_groups
from .batch.losses import log_losses
from .batch.manifest import base_counts, build_manifest
from .batch.memory import memory_limit
from .batch.reading import input_files, read_corpus
from .batch.resume import start_or_resume
from .batch.stages import COPIES, RECALL, STORIES, Progress, StageTimer
from .batch.stories import FoundStories, find_stories
from .batch.tables import documents_table, matches_table
from .batch.workspace import Workspace
from .config import Config
from .copies.find import Copies
from .copies.find import find_copies as find_copy_groups
from .copies.recall import measure_recall, sample_size
from .copies.survivor_policy import survivor_ranks
from .errors import ConfigError
from .readers import ReadLog
from .result import Result
from .text.document_frequencies import DocumentFrequencies, background_of

#: Share of the memory limit that fingerprints may take; the stages work in the rest.
SPILLED_FROM = 0.2


def run(
    inputs: Any,
    config: Config | None = None,
    *,
    base: Result | str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    workspace: Workspace | None = None,
) -> Result:
    """Find copies and stories in a crawl.

    If every row was rejected, the tables are empty and ``rejects`` gives the reasons.

    Parameters
    ----------
    inputs : path, glob or list of them, or table
        A table is anything with the Arrow PyCapsule interface (pyarrow, polars, pandas, duckdb), or
        an iterable of mappings.
    config : settings; by default those of the base, or ``Config()`` without a base
    base : an earlier result, or its folder, to build on
        Its documents come first and keep their canonical, copy group and story; new documents join
        them. The result holds all documents, and ``events`` the changes to old stories and copy
        groups.
    progress : called with the name of a stage and the rows done
    workspace : saves each stage, so that the same call resumes an interrupted run
        The inputs must be files then.

    Returns
    -------
    Result
        All tables and the manifest, in memory until ``Result.write``.

    Raises
    ------
    InputError
        If an input is missing or has no usable column, if there is no row at all, or if the base
        cannot be used.
    ConfigError
        If ``signatures.scheme`` is not ``native``, ``stories.background`` cannot be used, or a
        setting conflicts with the base.
    OutputError
        If the workspace cannot be written, or holds another interrupted run.
    """
    base_run = None
    if base is not None:
        base_run, config = open_base(base, config)
    config = config or Config()
    if config.signatures.scheme != "native":
        raise ConfigError(
            f"signatures.scheme is {config.signatures.scheme!r}, but a run makes its signatures with 'native' and keeps none. "
            "Leave the setting out, or call dedup.sign() for signatures that datasketch can use."
        )
    setting = config.stories.background
    background = background_of(setting) if base_run is None else base_run.background_of(setting)
    if workspace is not None:
        start_or_resume(workspace, input_files(inputs), config, background, base)
        if finished := workspace.finished():
            return finished
    with SpillPool(int(memory_limit(config) * SPILLED_FROM)) as spill:
        return _run(inputs, config, background, base_run, StageTimer(progress, workspace), spill)


def find_copies(inputs: Any, config: Config | None = None, *, progress: Progress | None = None) -> Result:
    """Find copies only: like ``run``, but without story ids and without a table of stories.

    Parameters
    ----------
    inputs, config, progress : as for ``run``

    Returns
    -------
    Result
        Without stories.
    """
    return run(inputs, (config or Config()).replace({"stories.enabled": False}), progress=progress)


def _run(
    inputs: Any,
    config: Config,
    background: DocumentFrequencies,
    base: BaseRun | None,
    timer: StageTimer,
    spill: SpillPool,
) -> Result:
    log, threads = ReadLog(), thread_count(config.run.threads)
    corpus = read_corpus(inputs, config, base, log, timer, spill, threads)
    fingerprints, headline = corpus.fingerprints, corpus.is_headline()
    ranks = survivor_ranks(corpus.documents, fingerprints.words, config.copies.keep)
    if base is not None:
        ranks = base.rank_first(ranks)

    def find_all() -> Copies:
        known = base.copies if base is not None else None
        times, sources = corpus.seconds(), corpus.source_codes()
        return find_copy_groups(
            fingerprints, headline, ranks, config, times=times, sources=sources, base=known, spill=spill, threads=threads
        )

    copies = timer.run_or_resume("copies", COPIES, find_all, len)

    def measure() -> dict[str, Any]:
        compared = ~headline & ~copies.short
        shingles, digests = fingerprints.shingles, fingerprints.digests
        return measure_recall(shingles, digests, compared, copies.matches, config, threads=threads, release=spill.release)

    recall = None
    if sample_size(config):
        recall = timer.run_or_resume("recall", RECALL, measure, lambda recall: int(recall["sampled"]))

    found = FoundStories(None, pa.nulls(len(ranks), pa.string()))
    if config.stories.enabled:
        found = timer.run_or_resume(
            "stories",
            STORIES,
            lambda: find_stories(corpus, copies, background, config, base, threads),
            lambda found: int(found.stories.num_rows),
        )

    covered = copies.covered.shares()
    if base is not None:
        covered[: len(base)] = base.covered()
    documents = documents_table(corpus.documents, fingerprints.words, copies, covered, found.story_ids)
    log_losses(copies.covered, documents)
    matches = matches_table(corpus.documents.column("doc_id"), copies)
    manifest = build_manifest(config, background, log, timer.stages, corpus, copies, documents, found.stories)
    restarts = timer.workspace.restarts if timer.workspace is not None else 0
    manifest |= {"recall": recall, "restarts": restarts}
    events = None
    if base is not None:
        ties = tied_groups(copies.matches, copies.survivors, len(base))
        events = events_table(found.events + group_events(ties, corpus.documents, found.story_ids), base.events)
        manifest["base"] = {"documents": len(base), "inputs": base.inputs}
        manifest["counts"] |= base_counts(copies, found, events, base)
    return Result(documents, matches, found.stories, corpus.rejects, manifest, events, corpus.texts)
