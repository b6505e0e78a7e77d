"""``dedup run``: find copies and stories in files. A repeated command resumes its run."""

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
from .logs import log_warnings, logs_json, start_log
from .options import SectionedCommand, parameter, read_config, read_size, with_reports, with_settings
from .terminal import live_progress, say

if TYPE_CHECKING:
    from ..batch.workspace import Workspace

logger = logging.getLogger(__name__)


@click.command("run", cls=SectionedCommand, epilog=EXIT_CODES, short_help="Find copies and stories in files.")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...", type=click.Path())
@click.option(
    "-o",
    "--out",
    required=True,
    metavar="OUT",
    type=click.Path(),
    help="folder for the results: new, empty, or with this run unfinished in it",
)
@click.option(
    "--overwrite",
    is_flag=True,
    help="replace an earlier result in OUT or start an interrupted run over; never overwrites other files",
)
@click.option("--keep-work", is_flag=True, help="keep OUT/.work, the intermediate results, after the run")
@click.option(
    "--work",
    "work_folder",
    metavar="FOLDER",
    type=click.Path(file_okay=False),
    help="local folder for intermediate results if OUT is in an object store  [~/.cache/dedup]",
)
@click.option(
    "--base",
    metavar="OLD",
    type=click.Path(),
    help="folder of the result to extend: its documents keep their copy groups and stories",
)
@click.option("--no-texts", is_flag=True, help="write no texts to OUT, so it cannot be a --base later; same as --run.keep_texts false")
@click.option("--no-stories", is_flag=True, help="find copies only; same as --stories.enabled false")
@click.option(
    "--memory", metavar="SIZE", callback=read_size, help="memory limit, e.g. 2GB; beyond it, data moves to files; same as --run.memory 2048"
)
@with_reports("results")
@with_settings
def run_command(
    inputs: tuple[str, ...],
    out: str,
    overwrite: bool,
    keep_work: bool,
    work_folder: str | None,
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
    """Find copies and stories in files and write them to the folder OUT.

    An INPUT is a file, a folder (with all subfolders) or a quoted glob. Formats: Parquet, JSON
    lines, JSON, CSV, TSV, plain text and HTML (one page per file), WARC; also compressed as .gz or
    .zst. INPUT, OUT and OLD may be URLs: 's3://bucket/folder/*.jsonl.gz'

    If the run is interrupted, the same command resumes it.
    """
    if as_json and quiet:
        raise click.UsageError("--json and --quiet exclude each other: --json prints the summary, --quiet none.")
    if not out:
        raise click.UsageError("OUT is empty. Name a folder for the results.")
    if work_folder is not None and not is_url(out):
        raise click.UsageError("--work needs an OUT in an object store; other runs keep intermediate results in OUT.")
    for flag, unwanted, setting in (("--no-stories", no_stories, "stories.enabled"), ("--no-texts", no_texts, "run.keep_texts")):
        if unwanted:
            if given[parameter(setting)]:
                raise click.UsageError(f"{flag} and --{setting} true contradict each other.")
            given[parameter(setting)] = False
    if memory is not None:
        if given[parameter("run.memory")] is not None:
            raise click.UsageError("--memory and --run.memory are the same setting. Give one of them.")
        given[parameter("run.memory")] = memory
    if base is None:
        read_config(config_file, given)  # reports invalid settings before anything is created
    start_log(verbose, as_json=log_json)
    paths = {"inputs": [display_url(name) for name in inputs], "out": display_url(out)}
    logger.info("dedup %s started", __version__, extra={"event": "run_started", "version": __version__, **paths})
    before, work = _manifest_state(out), None
    try:
        _check_inputs(inputs, out)
        from ..batch.remote_workspace import workspace_for

        with workspace_for(out, overwrite=overwrite, keep=keep_work, work=work_folder) as work:
            config = _config(config_file, given, base)
            documents, rejects = _run(inputs, work, config, base, as_json=as_json, quiet=quiet)
    except KeyboardInterrupt:
        fail(f"stopped. {_what_remains(work, before)}", STOPPED)
    out = work.name
    if not documents:
        fail(f"no page could be read: every row or file was rejected. {_written_to(out)} See rejects.parquet for the reasons.", NO_INPUT)
    if strict and rejects:
        units = "row or file was" if rejects == 1 else "rows or files were"
        fail(f"{rejects:,} {units} rejected (--strict). {_written_to(out)} See rejects.parquet for the reasons.", REJECTED)


def _config(config_file: str | None, given: dict[str, Any], base: str | None) -> Config:
    """The settings of the run: options override the file, or the base if there is no file."""
    if base is None or config_file is not None:
        return read_config(config_file, given)
    from ..batch.base_run import base_config

    options = {name: given[parameter(name)] for name, *_ in settings()}
    return base_config(base).replace({name: value for name, value in options.items() if value is not None})


def _run(inputs: Sequence[str], work: Workspace, config: Config, base: str | None, *, as_json: bool, quiet: bool) -> tuple[int, int]:
    """Run and print the summary; returns the numbers of documents and rejects."""
    # Imported late: Numba takes a second to import, and a missing input is reported without it.
    from ..pipeline import run
    from .summary import summary_of, summary_text

    begun = time.perf_counter()
    with live_progress(wanted=not quiet and not logs_json()) as progress:
        result = run(list(inputs), config, base=base, progress=progress, workspace=work)
        work.publish(result)
    out = work.name
    summary = summary_of(result, out)
    _log_end(summary, time.perf_counter() - begun)
    if as_json:
        say(json.dumps(summary, indent=2) + "\n", on_failure=_written_to(out))
    elif not quiet:
        say(summary_text(result, summary, work.listing()), on_failure=_written_to(out))
    return int(summary["counts"]["documents"]), int(summary["counts"]["rejects"])


def _log_end(summary: dict[str, Any], seconds: float) -> None:
    log_warnings(summary["warnings"])
    counts = {name: summary["counts"][name] for name in ("pages", "rejects", "documents", "copies", "extended", "stories")}
    event = {
        "event": "run_finished",
        "out": summary["folder"],
        "seconds": round(seconds, 4),
        "peak_memory_bytes": summary["peak_memory_bytes"],
        "lost": summary["lost"],
        "repeated": summary["repeated"],
    }
    logger.info("the results are written to %s", summary["folder"], extra=event | counts)


def _check_inputs(inputs: Sequence[str], out: str) -> None:
    """Check the inputs before anything is created.

    Raises
    ------
    InputError
        If an input is missing.
    OutputError
        If an input lies in the folder for the results, which would replace it.
    """
    from ..readers import discover

    folder = display_url(out).rstrip("/") + "/" if is_url(out) else os.path.realpath(out) + os.sep
    for source in discover(inputs):
        path = os.path.realpath(source.path) if source.remote is None else source.path
        if path.startswith(folder) and is_url(out) == (source.remote is not None):
            raise OutputError(f"{display_url(out)}: contains {source.name}, an input of this run. Choose a folder outside the inputs.")


def _written_to(out: str) -> str:
    return f"The results are written to {out}."


def _what_remains(work: Workspace | None, before: tuple[int, int] | None) -> str:
    """Say what an interrupted run leaves; ``before`` is ``_manifest_state`` at its start."""
    if work is not None and (work.uploaded or _manifest_state(work.name) not in (before, None)):
        return _written_to(work.name)
    if work is not None and (work.folder / JOURNAL).exists():
        return f"Intermediate results are kept in {work.folder}: repeat the command to resume."
    return "Nothing was written."


def _manifest_state(out: str) -> tuple[int, int] | None:
    """Identifies the result in a folder: changes when another one is written; None without one."""
    try:
        status = os.stat(os.path.join(out, MANIFEST))
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns
