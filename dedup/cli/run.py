"""``dedup run``: check first, then work, then write, then tell. A run that was stopped goes on when it is given again."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from ..config import Config, settings
from ..errors import OutputError
from ..storage.remote import display_url, is_url
from ..storage.result_folder import JOURNAL, MANIFEST
from ..version import __version__
from .exit_codes import EXIT_CODES, NO_INPUT, REJECTED, STOPPED, fail
from .logs import log_warnings, start_log, tells_json
from .options import SectionedCommand, parameter, read_config, read_size, with_reports, with_settings
from .terminal import live_progress, say

if TYPE_CHECKING:
    from ..batch.workspace import Workspace

logger = logging.getLogger(__name__)


@click.command("run", cls=SectionedCommand, epilog=EXIT_CODES, short_help="Find copies and stories, write them to a folder.")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...", type=click.Path())
@click.option(
    "-o",
    "--out",
    required=True,
    metavar="OUT",
    type=click.Path(),
    help="folder for the results: new, empty, or that of this run when it was stopped",
)
@click.option(
    "--overwrite", is_flag=True, help="replace an earlier result in OUT, or start a stopped run anew (anything else is never overwritten)"
)
@click.option("--keep-work", is_flag=True, help="leave OUT/.work, what the stages have found, in place when the run has succeeded")
@click.option(
    "--work",
    metavar="FOLDER",
    type=click.Path(file_okay=False),
    help="where a run with an OUT in an object store keeps what it has done until it is sent  [~/.cache/dedup]",
)
@click.option(
    "--base", metavar="OLD", type=click.Path(), help="folder of an earlier result that this one builds on: its documents keep their ids"
)
@click.option("--no-texts", is_flag=True, help="keep no texts in OUT; it cannot be a --base then. The same as --run.keep_texts false")
@click.option("--no-stories", is_flag=True, help="stop after the copies; the same as --stories.enabled false")
@click.option(
    "--memory", metavar="SIZE", callback=read_size, help="memory to keep to, as 2GB, by working in files. The same as --run.memory 2048"
)
@with_reports("results")
@with_settings
def run_command(
    inputs: tuple[str, ...],
    out: str,
    overwrite: bool,
    keep_work: bool,
    work: str | None,
    base: str | None,
    no_texts: bool,
    no_stories: bool,
    memory: int | None,
    strict: bool,
    as_json: bool,
    quiet: bool,
    verbose: int,
    log_json: bool,
    config_file: str | None,
    **given: Any,
) -> None:
    """Find the copies and stories in some files and write them to the folder OUT.

    An INPUT is a file, a folder (read whole) or a glob in quotes: Parquet, JSON lines, JSON, CSV, TSV and plain text (a file is
    a page), also as .gz and .zst. INPUT, OUT and OLD can be URLs of an object store: s3://bucket/folder/*.jsonl.gz
    """
    if as_json and quiet:
        raise click.UsageError("--json and --quiet cannot be given together: one prints the summary, the other prints none.")
    if not out:
        raise click.UsageError("the name of OUT is empty. Name a folder for the results.")
    if work is not None and not is_url(out):
        raise click.UsageError("--work is for an OUT in an object store; any other run works in OUT itself.")
    for flag, unwanted, setting in (("--no-stories", no_stories, "stories.enabled"), ("--no-texts", no_texts, "run.keep_texts")):
        if unwanted:
            if given[parameter(setting)]:
                raise click.UsageError(f"{flag} and --{setting} true cannot be given together.")
            given[parameter(setting)] = False
    if memory is not None:
        if given[parameter("run.memory")] is not None:
            raise click.UsageError("--memory and --run.memory cannot be given together: they are one setting.")
        given[parameter("run.memory")] = memory
    if base is None:
        read_config(config_file, given)  # what is wrong with it is said before anything is made
    start_log(verbose, as_json=log_json)
    told = {"inputs": [display_url(name) for name in inputs], "out": display_url(out)}
    logger.info("dedup %s begins", __version__, extra={"event": "run_started", "version": __version__, **told})
    before, place = _written_at(out), None
    try:
        _check_inputs(inputs, out)
        from ..batch.remote_workspace import workspace_for

        with workspace_for(out, overwrite=overwrite, keep=keep_work, work=work) as place:
            config = _config(config_file, given, base)
            documents, rejects = _run(inputs, place, config, base, as_json=as_json, quiet=quiet)
    except KeyboardInterrupt:
        fail(f"stopped. {_left(place, before)}", STOPPED)
    out = place.name
    if not documents:
        fail(f"no page could be read: every row or file was rejected. {_written_to(out)} rejects.parquet says why.", NO_INPUT)
    if strict and rejects:
        units = "row or file was" if rejects == 1 else "rows or files were"
        fail(f"{rejects:,} {units} rejected (--strict). {_written_to(out)} rejects.parquet says why.", REJECTED)


def _config(config_file: str | None, given: dict[str, Any], base: str | None) -> Config:
    """The settings of the run; where no file names them, those of the base are what options change."""
    if base is None or config_file is not None:
        return read_config(config_file, given)
    from ..batch.base_run import base_config

    options = {name: given[parameter(name)] for name, *_ in settings()}
    return base_config(base).replace({name: value for name, value in options.items() if value is not None})


def _run(inputs: Sequence[str], work: Workspace, config: Config, base: str | None, *, as_json: bool, quiet: bool) -> tuple[int, int]:
    """Do it all; the numbers of documents and of rejects are given back."""
    # Numba takes a second to import, and is not needed to find out that an input is missing.
    from ..pipeline import run
    from .summary import summary_of, summary_text

    begun = time.perf_counter()
    with live_progress(wanted=not quiet and not tells_json()) as progress:
        result = run(list(inputs), config, base=base, progress=progress, workspace=work)
        work.publish(result)
    out = work.name
    facts = summary_of(result, out)
    _log_end(facts, time.perf_counter() - begun)
    if as_json:
        say(json.dumps(facts, indent=2) + "\n", otherwise=_written_to(out))
    elif not quiet:
        say(summary_text(result, facts, work.listing()), otherwise=_written_to(out))
    return int(facts["counts"]["documents"]), int(facts["counts"]["rejects"])


def _log_end(facts: dict[str, Any], seconds: float) -> None:
    log_warnings(facts["warnings"])
    counts = {name: facts["counts"][name] for name in ("pages", "rejects", "documents", "copies", "stories")}
    told = {"event": "run_finished", "out": facts["folder"], "seconds": round(seconds, 4), "peak_memory_bytes": facts["peak_memory_bytes"]}
    logger.info("the results are written to %s", facts["folder"], extra=told | counts)


def _check_inputs(inputs: Sequence[str], out: str) -> None:
    """Find what would stop the run at its start, before anything is made.

    Raises
    ------
    InputError, OutputError
        If an input is missing, or lies where the results would replace it.
    """
    from ..readers import discover

    folder = display_url(out).rstrip("/") + "/" if is_url(out) else os.path.realpath(out) + os.sep
    for source in discover(inputs):
        path = os.path.realpath(source.path) if source.remote is None else source.path
        if path.startswith(folder) and is_url(out) == (source.remote is not None):
            raise OutputError(
                f"{display_url(out)}: holds {source.name}, which is an input of this run. Choose a folder apart from the inputs."
            )


def _written_to(out: str) -> str:
    return f"The results are written to {out}."


def _left(place: Workspace | None, before: tuple[int, int] | None) -> str:
    """What a run that was stopped leaves; ``before`` is what ``_written_at`` told when it began."""
    if place is not None and (place.uploaded or _written_at(place.name) not in (before, None)):
        return _written_to(place.name)
    if place is not None and (place.folder / JOURNAL).exists():
        return f"What is done is kept in {place.folder}: give the same command again to go on."
    return "Nothing was written."


def _written_at(out: str) -> tuple[int, int] | None:
    """What changes when a result is written; None if there is none."""
    try:
        status = os.stat(os.path.join(out, MANIFEST))
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns
