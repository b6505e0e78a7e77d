"""``dedup run``: check first, then work, then write, then tell."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from typing import Any

import click

from ..config import Config, settings
from ..errors import OutputError
from .failures import EXIT_CODES, NO_INPUT, REJECTED, STOPPED, fail
from .options import SectionedCommand, parameter, read_config, with_settings
from .terminal import live_progress, say


@click.command("run", cls=SectionedCommand, epilog=EXIT_CODES, short_help="Find copies and stories, write them to a folder.")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...", type=click.Path())
@click.option("-o", "--out", required=True, metavar="OUT", type=click.Path(), help="folder for the results; it must be new or empty")
@click.option("--overwrite", is_flag=True, help="replace an earlier result in OUT (anything else is never overwritten)")
@click.option(
    "--base", metavar="OLD", type=click.Path(), help="folder of an earlier result that this one builds on: its documents keep their ids"
)
@click.option("--no-texts", is_flag=True, help="keep no texts in OUT; it cannot be a --base then. The same as --run.keep_texts false")
@click.option("--no-stories", is_flag=True, help="stop after the copies; the same as --stories.enabled false")
@click.option("--strict", is_flag=True, help="exit with 5 if any row or file was rejected (the results are written all the same)")
@click.option("--json", "as_json", is_flag=True, help="print the summary as one JSON object")
@click.option("-q", "--quiet", is_flag=True, help="print nothing but errors")
@click.option("-v", "--verbose", count=True, help="log the stages to stderr; -vv logs each batch")
@with_settings
def run_command(
    inputs: tuple[str, ...],
    out: str,
    overwrite: bool,
    base: str | None,
    no_texts: bool,
    no_stories: bool,
    strict: bool,
    as_json: bool,
    quiet: bool,
    verbose: int,
    config_file: str | None,
    **given: Any,
) -> None:
    """Find the copies and stories in some files and write them to the folder OUT.

    An INPUT is a file, a folder (read whole) or a glob in quotes: Parquet, JSON lines, JSON, CSV, TSV and plain text (a file is
    a page), also as .gz and .zst.
    """
    if as_json and quiet:
        raise click.UsageError("--json and --quiet cannot be given together: one prints the summary, the other prints none.")
    if not out:
        raise click.UsageError("the name of OUT is empty. Name a folder for the results.")
    for flag, unwanted, setting in (("--no-stories", no_stories, "stories.enabled"), ("--no-texts", no_texts, "run.keep_texts")):
        if unwanted:
            if given[parameter(setting)]:
                raise click.UsageError(f"{flag} and --{setting} true cannot be given together.")
            given[parameter(setting)] = False
    config = _config(config_file, given, base)
    if verbose:
        _log_to_stderr(logging.DEBUG if verbose > 1 else logging.INFO)
    before = _written_at(out)
    try:
        documents, rejects = _run(inputs, out, config, base, overwrite=overwrite, as_json=as_json, quiet=quiet)
    except KeyboardInterrupt:
        done = _written_at(out) not in (before, None)
        fail(f"stopped. {_written_to(out)}" if done else "stopped. Nothing was written.", STOPPED)
    if not documents:
        fail(f"no page could be read: every row or file was rejected. {_written_to(out)} rejects.parquet says why.", NO_INPUT)
    if strict and rejects:
        units = "row or file was" if rejects == 1 else "rows or files were"
        fail(f"{rejects:,} {units} rejected (--strict). {_written_to(out)} rejects.parquet says why.", REJECTED)


def _config(config_file: str | None, given: dict[str, Any], base: str | None) -> Config:
    """The settings of the run; where no file names them, those of the base are what options change."""
    if base is None or config_file is not None:
        return read_config(config_file, given)
    from ..earlier import base_config

    options = {name: given[parameter(name)] for name, *_ in settings()}
    return base_config(base).replace({name: value for name, value in options.items() if value is not None})


def _run(
    inputs: Sequence[str], out: str, config: Config, base: str | None, *, overwrite: bool, as_json: bool, quiet: bool
) -> tuple[int, int]:
    """Do it all; the numbers of documents and of rejects are given back."""
    _check_places(inputs, out, overwrite=overwrite)
    # Numba takes a second to import, and is not needed to find out that an input is missing.
    from ..pipeline import run
    from .summary import facts_of, summary_text

    with live_progress(wanted=not quiet) as progress:
        result = run(list(inputs), config, base=base, progress=progress)
        result.write(out, overwrite=overwrite)
    facts = facts_of(result, out)
    if as_json:
        say(json.dumps(facts, indent=2) + "\n", otherwise=_written_to(out))
    elif not quiet:
        say(summary_text(result, facts, sorted(os.listdir(out))), otherwise=_written_to(out))
    return int(facts["counts"]["documents"]), int(facts["counts"]["rejects"])


def _check_places(inputs: Sequence[str], out: str, *, overwrite: bool) -> None:
    """Find what would stop the run at its start or its end, before any work is done.

    Raises
    ------
    InputError, OutputError
        If an input is missing, or the results cannot be written to ``out``.
    """
    from ..readers import discover
    from ..result import check_folder

    folder = os.path.realpath(out)
    for source in discover(inputs):
        if os.path.realpath(source.path).startswith(folder + os.sep):
            raise OutputError(f"{out}: holds {source.name}, which is an input of this run. Choose a folder apart from the inputs.")
    check_folder(out, overwrite=overwrite)


def _written_to(out: str) -> str:
    return f"The results are written to {out}."


def _written_at(out: str) -> tuple[int, int] | None:
    """What changes when a result is written; None if there is none."""
    try:
        status = os.stat(os.path.join(out, "manifest.json"))
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def _log_to_stderr(level: int) -> None:
    """Log what dedup says, and nothing of the libraries below it, until the command ends."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    logger = logging.getLogger("dedup")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(level)
    context = click.get_current_context()
    context.call_on_close(lambda: logger.removeHandler(handler))
    context.call_on_close(lambda: logger.setLevel(before))
