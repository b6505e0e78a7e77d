"""``dedup stories``: what stories are weighed by, made from a corpus of one's own."""

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
    """A command that takes only those settings that say how pages are read."""

    SETTINGS = ("input.", "text.", "run.threads", "run.batch_rows")

    def __init__(self, *, params: list[click.Parameter], **kwargs: Any) -> None:
        kept = [param for param in params if not isinstance(param, SettingOption) or param.setting.startswith(self.SETTINGS)]
        super().__init__(params=kept, **kwargs)


@click.group("stories", epilog=EXIT_CODES, short_help="Make what stories are weighed by.")
def stories_group() -> None:
    """Make what stories are weighed by."""


@stories_group.command("fit-idf", cls=ReadingCommand, epilog=EXIT_CODES, short_help="Count in how many documents each word stands.")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...", type=click.Path())
@click.option("-o", "--out", required=True, metavar="FILE", type=click.Path(), help="file for the counts, for instance idf.npz")
@click.option("--overwrite", is_flag=True, help="replace earlier counts in FILE (anything else is never overwritten)")
@click.option("--least", type=int, metavar="N", help="leave out words in fewer documents  [4]")
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
    """Count in how many documents of some files each word stands, and write the counts to FILE.

    'dedup run ... --stories.background FILE' then weighs words by them in the place of the shipped counts. FILE holds hashes of
    stems and numbers, no text. INPUT is what it is for 'dedup run'; texts that are the same, word for word, count once.
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
        facts = _fit(inputs, out, config, overwrite=overwrite, least=least, quiet=quiet)
        if as_json:
            say(json.dumps(facts, indent=2) + "\n", otherwise=f"The counts are written to {out}.")
        elif not quiet:
            say(_summary(facts), otherwise=f"The counts are written to {out}.")
    except KeyboardInterrupt:
        done = _written_at(out) not in (before, None)
        fail(f"stopped. The counts are written to {out}." if done else "stopped. Nothing was written.", STOPPED)
    if strict and facts["rejects"]:
        fail(f"{_rejected(facts)} rejected (--strict). The counts are written to {out}.", REJECTED)


def _fit(inputs: tuple[str, ...], out: str, config: Config, *, overwrite: bool, least: int | None, quiet: bool) -> dict[str, Any]:
    """Check, count, write; what there is to tell is given back."""
    from ..readers import discover
    from ..text.document_frequencies import check_file

    discover(inputs)
    check_file(out, overwrite=overwrite)
    # Numba takes a second to import, and is not needed to find out that an input is missing.
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


def _summary(facts: dict[str, Any]) -> str:
    from rich.text import Text

    console, written = collecting_console()
    lines = [
        f"{facts['documents']:,} documents: {facts['counted']:,} counted, {facts['repeated']:,} repeat the words of another, "
        f"{facts['wordless']:,} have none.",
        f"{facts['terms']:,} different words: {facts['kept']:,} kept, which stand in {facts['least']:,} or more documents and make "
        f"{facts['coverage']:.1%} of a document's different words.",
    ]
    if facts["rejects"]:
        lines.append(f"{_rejected(facts)} rejected; 'dedup run' on the same inputs says which and why.")
    for line in lines:
        console.print(line, soft_wrap=True)
    for warning in facts["warnings"]:
        console.print(Text(f"Warning: {warning}", style="yellow"), soft_wrap=True)
    console.print(f"The counts are in {facts['file']}: {facts['bytes']:,} bytes, digest {facts['digest']}.", soft_wrap=True)
    return written()


def _rejected(facts: dict[str, Any]) -> str:
    return f"{facts['rejects']:,} {'row or file was' if facts['rejects'] == 1 else 'rows or files were'}"


def _written_at(out: str) -> tuple[int, int] | None:
    """What changes when the counts are written; None if there are none."""
    try:
        status = os.stat(out)
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns
