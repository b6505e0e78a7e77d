"""``dedup stories``: fits the word counts of stories to a corpus."""

from __future__ import annotations

import json
import os
from typing import Any

import click

from ..config import Config
from ..storage.remote import is_url
from .exit_codes import EXIT_CODES, REJECTED, STOPPED, fail
from .logs import log_warnings, logs_json, start_log
from .options import SectionedCommand, SettingOption, read_config, with_reports, with_settings
from .terminal import collecting_console, live_progress, say


class ReadingCommand(SectionedCommand):
    """A command with only those settings that decide how pages are read."""

    SETTINGS = ("input.", "text.", "run.threads", "run.batch_rows")

    def __init__(self, *, params: list[click.Parameter], **kwargs: Any) -> None:
        kept = [param for param in params if not isinstance(param, SettingOption) or param.setting.startswith(self.SETTINGS)]
        super().__init__(params=kept, **kwargs)


@click.group("stories", epilog=EXIT_CODES, short_help="Fit word counts for stories to a corpus.")
def stories_group() -> None:
    """Fit word counts for stories to a corpus."""


@stories_group.command("fit-idf", cls=ReadingCommand, epilog=EXIT_CODES, short_help="Count in how many documents each word occurs.")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...", type=click.Path())
@click.option("-o", "--out", required=True, metavar="FILE", type=click.Path(), help="file for the counts, for instance idf.npz")
@click.option("--overwrite", is_flag=True, help="replace earlier counts in FILE (anything else is never overwritten)")
@click.option("--least", type=int, metavar="N", help="omit words in fewer documents  [4]")
@with_reports("counts")
@with_settings
def fit_idf_command(
    inputs: tuple[str, ...],
    out: str,
    overwrite: bool,
    least: int | None,
    strict: bool,
    as_json: bool,
    quiet: bool,
    verbose: int,
    log_json: bool,
    config_file: str | None,
    **given: Any,
) -> None:
    """Count in how many documents of the inputs each word occurs, and write the counts to FILE.

    'dedup run ... --stories.background FILE' then uses them instead of the shipped counts. FILE
    contains hashes of stems and numbers, no text. INPUT is the same as for 'dedup run'; identical
    texts count once.
    """
    if as_json and quiet:
        raise click.UsageError("--json and --quiet cannot be given together: one prints the summary, the other prints none.")
    if not out:
        raise click.UsageError("the name of FILE is empty. Name a file for the counts.")
    if is_url(out):
        raise click.UsageError("FILE must be on this machine; copy it to an object store afterwards.")
    config = read_config(config_file, given)
    start_log(verbose, as_json=log_json)
    before = _written_at(out)
    try:
        summary = _fit(inputs, out, config, overwrite=overwrite, least=least, quiet=quiet)
        if as_json:
            say(json.dumps(summary, indent=2) + "\n", on_failure=f"The counts are written to {out}.")
        elif not quiet:
            say(_summary_text(summary), on_failure=f"The counts are written to {out}.")
    except KeyboardInterrupt:
        done = _written_at(out) not in (before, None)
        fail(f"stopped. The counts are written to {out}." if done else "stopped. Nothing was written.", STOPPED)
    if strict and summary["rejects"]:
        fail(f"{_rejected(summary)} rejected (--strict). The counts are written to {out}.", REJECTED)


def _fit(inputs: tuple[str, ...], out: str, config: Config, *, overwrite: bool, least: int | None, quiet: bool) -> dict[str, Any]:
    """Check the inputs, count and write; returns the summary as for ``--json``."""
    from ..readers import discover
    from ..text.document_frequencies import check_file

    discover(inputs)
    check_file(out, overwrite=overwrite)
    # Numba takes a second to import and is not needed to report a missing input.
    from ..batch.stages import StageTimer
    from ..stories.fit_idf import LEAST, fit_idf

    least = LEAST if least is None else least
    with live_progress(wanted=not quiet and not logs_json()) as progress, StageTimer(progress).stage("read") as done:
        fit = fit_idf(inputs, config, least=least, progress=lambda stage, rows: done(rows))
        fit.background.write(out, overwrite=overwrite)
    log_warnings(fit.warnings)
    return {
        "file": out,
        "bytes": os.path.getsize(out),
        "digest": fit.background.digest(),
        "documents": fit.documents,
        "counted": fit.background.documents,
        "repeated": fit.repeated,
        "wordless": fit.wordless,
        "terms": fit.terms,
        "kept": len(fit.background.terms),
        "least": least,
        "coverage": round(fit.coverage, 4),
        "rejects": fit.rejects,
        "warnings": fit.warnings,
    }


def _summary_text(summary: dict[str, Any]) -> str:
    from rich.text import Text

    console, written = collecting_console()
    lines = [
        f"{summary['documents']:,} documents: {summary['counted']:,} counted, {summary['repeated']:,} repeat another, "
        f"{summary['wordless']:,} have no words.",
        f"{summary['terms']:,} different words: {summary['kept']:,} kept, those in {summary['least']:,} or more documents, which make up "
        f"{summary['coverage']:.1%} of a document's different words.",
    ]
    if summary["rejects"]:
        lines.append(f"{_rejected(summary)} rejected; 'dedup run' on the same inputs lists them with reasons.")
    for line in lines:
        console.print(line, soft_wrap=True)
    for warning in summary["warnings"]:
        console.print(Text(f"Warning: {warning}", style="yellow"), soft_wrap=True)
    console.print(f"The counts are in {summary['file']}: {summary['bytes']:,} bytes, digest {summary['digest']}.", soft_wrap=True)
    return written()


def _rejected(summary: dict[str, Any]) -> str:
    return f"{summary['rejects']:,} {'row or file was' if summary['rejects'] == 1 else 'rows or files were'}"


def _written_at(out: str) -> tuple[int, int] | None:
    """Inode and modification time of the counts file; None if there is none."""
    try:
        status = os.stat(out)
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns
