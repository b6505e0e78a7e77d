"""Reads the base and the inputs of a run into a corpus, from the last checkpoint on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ..arrays.spill import SpillPool
from ..config import Config
from ..errors import InputError
from ..readers import PageBatch, ReadLog, Source, discover, paths_of, read_data, read_files
from .base_run import BaseRun
from .checkpoints import ReadCheckpoints, ReadPosition, checkpoint_limit
from .corpus import Corpus, CorpusBuilder
from .stages import StageTimer


def read_corpus(
    inputs: Any,
    config: Config,
    base: BaseRun | None,
    log: ReadLog,
    timer: StageTimer,
    spill: SpillPool,
    threads: int,
) -> Corpus:
    """Read the documents of the base, then those of the inputs.

    Parameters
    ----------
    inputs : what ``dedup.run`` takes
    log : filled while reading
    """
    checkpoints = None
    if timer.workspace is not None:
        stored = sum(source.size() or 0 for source in input_files(inputs)) + (base.texts.stored_bytes() if base is not None else 0)
        limit = checkpoint_limit(config.run.checkpoint, stored)
        checkpoints = ReadCheckpoints(timer.workspace, spill, log, timer.seconds, limit)
    builder = CorpusBuilder(config, spill, threads, checkpoints)
    timer.seconds_before = checkpoints.seconds if checkpoints is not None else {}
    if base is not None:
        with timer.stage("base") as done:
            builder.add_base(base.batches(), done)
    with timer.stage("read") as done:
        if checkpoints is None or not checkpoints.is_complete:
            builder.add_pages(_unread_batches(inputs, config, log, builder.position), done)
        corpus = builder.corpus()
        timer.add(pages=corpus.pages, bytes=sum(file["bytes"] or 0 for file in log.inputs))
        return corpus


def input_files(inputs: Any) -> list[Source]:
    """Find the files of a run with a workspace.

    Raises
    ------
    InputError
        If the inputs are not files, or one is missing.
    """
    paths = paths_of(inputs)
    if not paths:
        raise InputError("a run with a workspace needs files as inputs, to read them again when it resumes. Save the data to a file first.")
    return discover(paths)


def _unread_batches(inputs: Any, config: Config, log: ReadLog, start: ReadPosition) -> Iterator[tuple[PageBatch, ReadPosition]]:
    """The batches after a position, each with the position at its end."""
    position = replace(start, file=-1, pages=0, rejects=0, log={})

    def opened(number: int) -> None:
        nonlocal position
        position = ReadPosition(start.base, number, log=log.state())

    paths = paths_of(inputs)
    if paths:
        state, entries = start.log or None, log.inputs
        batches = read_files(paths, config=config, log=log, first=max(start.file, 0), opened=opened)
        if state is not None:  # it includes the warnings of read_files, which has just searched the inputs again
            log.resume(state, entries)
    else:
        batches = read_data(inputs, config=config, log=log)
    for batch in batches:
        before, position = position, position.after(batch)
        if position.file == start.file and (start.pages or start.rejects):  # read in part before the interruption
            pages, rejects = max(start.pages - before.pages, 0), max(start.rejects - before.rejects, 0)
            batch = PageBatch(batch.pages.slice(pages), batch.rejects.slice(rejects))
        yield batch, position
