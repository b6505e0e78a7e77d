"""``dedup index``: build an index, check and ingest documents, maintain it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, TypeVar

import click

from ..config import Config
from ..errors import InputError
from .exit_codes import EXIT_CODES, NO_INPUT, REJECTED, STOPPED, fail
from .logs import log_warnings, logs_json, start_log
from .options import SectionedCommand, SettingOption, parameter, read_config, with_settings
from .terminal import live_progress, say

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])


class CheckCommand(SectionedCommand):
    """A command with the settings for pages and word counts; the index has all others."""

    SETTINGS: tuple[str, ...] = ("input.", "run.batch_rows", "stories.background")

    def __init__(self, *, params: list[click.Parameter], **kwargs: Any) -> None:
        kept = [param for param in params if not isinstance(param, SettingOption) or param.setting.startswith(self.SETTINGS)]
        super().__init__(params=kept, **kwargs)


class BuildCommand(CheckCommand):
    """A command with those settings that may differ from the run."""

    SETTINGS: tuple[str, ...] = ("run.threads", "stories.background")


@click.group("index", epilog=EXIT_CODES, short_help="Build an index, and check new documents against it.")
def index_group() -> None:
    """Build an index of documents, and check whether new documents are copies.

    An INDEX is a folder, or a URL such as redis://host:port/db?prefix=news
    """


_INDEX = click.option("--index", "path", required=True, metavar="INDEX", help="the index: a folder, or redis://host:port/db?prefix=news")
_DURABILITY = click.option(
    "--durability",
    type=click.Choice(["process", "sync"]),
    default="process",
    show_default=True,
    help="whether writes survive a crash of the process, or a power failure as well",
)
_KEEP = click.option("--keep", metavar="TIME", help="remove documents this long after they arrived: 90d, 12h, 8w  [never]")


def with_index(command: AnyFunction) -> AnyFunction:
    """Add INDEX to a command, as an argument or as ``--index``."""
    command = click.option("--index", "named", metavar="INDEX", help="same as INDEX")(command)
    return click.argument("path", required=False, metavar="INDEX")(command)


def with_inputs(command: AnyFunction) -> AnyFunction:
    """Add the inputs and the options for output and log to a command."""
    options = (
        click.argument("inputs", nargs=-1, required=True, metavar="INPUT...", type=click.Path(allow_dash=True)),
        _INDEX,
        click.option("-o", "--out", metavar="FILE", type=click.Path(), help="write verdicts to a .jsonl or .parquet file, not to stdout"),
        click.option("--overwrite", is_flag=True, help="replace FILE"),
        click.option("--strict", is_flag=True, help="exit with code 5 if any row or file was rejected (verdicts are still written)"),
        click.option("-q", "--quiet", is_flag=True, help="print only verdicts and errors"),
        click.option("-v", "--verbose", count=True, help="log to stderr"),
        click.option("--log-json", is_flag=True, help="log to stderr as JSON lines"),
    )
    for option in reversed(options):  # decorators apply from the inside out
        command = option(command)
    return command


@index_group.command("build", cls=BuildCommand, epilog=EXIT_CODES, short_help="Build an index from the result of a run.")
@click.argument("run", metavar="OUT", type=click.Path())
@click.option("-o", "--index", "path", required=True, metavar="INDEX", help="the new index: a folder, or redis://host:port/db?prefix=news")
@click.option("--overwrite", is_flag=True, help="replace an index (other files are never overwritten)")
@_DURABILITY
@click.option("--json", "as_json", is_flag=True, help="print the summary as one JSON object")
@click.option("-q", "--quiet", is_flag=True, help="print only errors")
@with_settings
def build_command(
    run: str, path: str, overwrite: bool, durability: str, as_json: bool, quiet: bool, config_file: str | None, **given: Any
) -> None:
    """Build an index from OUT, the result folder of 'dedup run'.

    The index has the same canonicals, copies, extended documents, stories and settings. The run must
    have kept its texts (no --no-texts). Documents count as arrived now. The index appears only when it
    is complete: an interrupted build leaves nothing.
    """
    if as_json and quiet:
        raise click.UsageError("--json and --quiet exclude each other: --json prints the summary, --quiet none.")
    # Importing Numba takes a second.
    from ..index.batch_result import BatchResult
    from ..index.build import build_index, config_of_run

    past = BatchResult(run)
    config = read_config(config_file, given) if config_file is not None else config_of_run(past.manifest).replace(_settings_given(given))
    try:
        with live_progress(wanted=not quiet) as progress:
            built = build_index(run, path, config=config, durability=durability, overwrite=overwrite, progress=progress)
    except KeyboardInterrupt:
        fail("stopped. No index was built.", STOPPED)
    done = f"The index is in {built.index}."
    if as_json:
        say(json.dumps(built.to_dict(), indent=2, ensure_ascii=False) + "\n", on_failure=done)
    elif not quiet:
        stories = "" if built.stories is None else f" and {built.stories:,} stories"
        say(
            f"Indexed {built.documents:,} documents with {built.copies:,} copies{stories} in {built.index}: {built.bytes:,} bytes, "
            f"{built.seconds:.1f} s.\n",
            on_failure=done,
        )


@index_group.command("check", cls=CheckCommand, epilog=EXIT_CODES, short_help="Print whether documents are new.")
@with_inputs
@with_settings
def check_command(path: str, config_file: str | None, **options: Any) -> None:
    """Print whether documents are new, copies or updates, without changing the index.

    An INPUT is what 'dedup run' reads, or - for JSON lines on stdin; their verdicts appear as soon
    as input pauses. Verdicts are JSON lines, one per page, in input order; in a Parquet FILE, each
    row is a document.
    """
    config = None
    if config_file is not None or options[parameter("stories.background")] is not None:
        config = read_config(config_file, options)
    _check_or_ingest(path, config, read_config(config_file, options), ingested=False, opened={"mode": "r"}, **options)


@index_group.command("ingest", cls=SectionedCommand, epilog=EXIT_CODES, short_help="Print whether documents are new, and add them.")
@with_inputs
@_DURABILITY
@_KEEP
@with_settings
def ingest_command(path: str, config_file: str | None, durability: str, keep: str | None, **options: Any) -> None:
    """Print the verdicts of 'dedup index check', and add the documents to the index.

    A missing index is created. A document is in the index once its verdict is printed. Settings
    other than input.* and run.* must equal those of the index; a new index is created with them.
    """
    free = ("input.", "run.", "signatures.")
    asked = config_file is not None or any(not name.startswith(free) for name in _settings_given(options))
    config = read_config(config_file, options)
    opened = {"mode": "a", "durability": durability, "keep": keep}
    _check_or_ingest(path, config if asked else None, config, ingested=True, opened=opened, **options)


def _check_or_ingest(
    path: str,
    config: Config | None,
    reading: Config,
    *,
    ingested: bool,
    opened: dict[str, Any],
    inputs: tuple[str, ...],
    out: str | None,
    overwrite: bool,
    strict: bool,
    quiet: bool,
    verbose: int,
    log_json: bool,
    **_: Any,
) -> None:
    """Check the arguments, open the index, then read pages and write their verdicts."""
    from .verdict_output import (
        STDIN,
        log_counts,
        open_output,
        print_counts,
        read_batches,
        rejects_text,
        stop_at_closed_pipe,
        write_verdicts,
    )

    if STDIN in inputs and len(inputs) > 1:
        raise click.UsageError("- (stdin) must be the only INPUT.")
    start_log(verbose, as_json=log_json)
    from ..readers import ReadLog, discover

    log = ReadLog()
    if STDIN not in inputs:
        discover(inputs)
    from ..index.index import Index

    if config is not None:  # columns are renamed before pages reach the index
        config = Config.from_dict({name: section for name, section in config.to_dict().items() if name != "input"})
    with ExitStack() as stack:
        started = ingested and not _exists(path)
        index = stack.enter_context(Index.open(path, config, **opened))
        if started:
            # A URL may contain a password.
            note = f"Started a new index in {path if '://' not in path else 'the Redis server'}."
            if verbose or logs_json():
                log_warnings([note])
            elif not quiet:
                click.echo(note, err=True)
        # The index gets one batch at a time, so more threads would only cost their start.
        index.config = index.config.replace({"run.threads": 1, "run.batch_rows": reading.run.batch_rows})
        output = open_output(out, overwrite=overwrite)
        # Verdicts given so far are kept, however this ends.
        stack.callback(output.close)
        progress = stack.enter_context(live_progress(wanted=not quiet and not logs_json() and out is not None and STDIN not in inputs))
        job = "ingest" if ingested else "check"
        with stop_at_closed_pipe() as closed:
            ask = index.ingest_batch if ingested else index.check_batch
            counts = write_verdicts(read_batches(inputs, reading, log), ask, output, lambda rows: progress(job, rows))
    if closed:
        return
    log_warnings(log.warnings())
    log_counts(counts, ingested=ingested)
    if not quiet and not logs_json():
        print_counts(counts, log.warnings(), ingested=ingested)
    rejects = counts["reject"]
    if rejects and rejects == counts.total():
        fail("no page could be read: every row or file was rejected. Their verdicts give the reasons.", NO_INPUT)
    if strict and rejects:
        fail(f"{rejects_text(rejects)} rejected (--strict). Their verdicts give the reasons.", REJECTED)


@index_group.command("stats", epilog=EXIT_CODES, short_help="Print the size of an index.")
@with_index
@click.option("--json", "as_json", is_flag=True, help="print one JSON object")
def stats_command(path: str | None, named: str | None, as_json: bool) -> None:
    """Print how many documents and stories an index has, and its size in bytes."""
    from ..index.index import Index

    with Index.open(_index_name(path, named), mode="r") as index:
        stats = index.stats()
    if as_json:
        say(json.dumps(stats, indent=2, ensure_ascii=False) + "\n")
        return
    flat = {name: value for name, value in stats.items() if not isinstance(value, dict)}
    for name, value in stats.items():
        flat |= {f"{name} {part}": size for part, size in value.items()} if isinstance(value, dict) else {}
    cells = {
        name.replace("_", " "): f"{value:,}" if isinstance(value, int) else str(value) for name, value in flat.items() if value is not None
    }
    left, right = max(map(len, cells)), max(map(len, cells.values()))
    say("".join(f"{name:{left}}  {value:>{right}}\n" for name, value in cells.items()))


@index_group.command("remove", epilog=EXIT_CODES, short_help="Remove documents from an index.")
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@_INDEX
@_DURABILITY
def remove_command(ids: tuple[str, ...], path: str, durability: str) -> None:
    """Remove documents by id from an index, with the other documents of their pages.

    If a canonical is removed, the first of its copies takes its place. The exit code is 3 if an id
    is not in the index.
    """
    from ..index.index import Index

    _check_exists(path)
    with Index.open(path, mode="a", durability=durability) as index:
        missing = [doc_id for doc_id in ids if not index.remove(doc_id)]
    removed = len(ids) - len(missing)
    say(f"{removed:,} removed.\n" if not missing else "")
    if missing:
        listed = ", ".join(missing[:5]) + (f" and {len(missing) - 5:,} more" if len(missing) > 5 else "")
        fail(f"{removed:,} removed; not in the index: {listed}.", NO_INPUT)


@index_group.command("compact", epilog=EXIT_CODES, short_help="Shrink an index and review its stories.")
@with_index
@_KEEP
def compact_command(path: str | None, named: str | None, keep: str | None) -> None:
    """Remove expired documents (--keep), free their space, and review stories.

    'dedup index events' lists the stories that should be merged or split.
    """
    from ..index.index import Index
    from .summary import counted

    name = _index_name(path, named)
    _check_exists(name)
    with Index.open(name, mode="a", keep=keep) as index:
        before = index.stats()
        index.compact()
        after = index.stats()
    expired = before["documents"] - after["documents"]
    # A folder grows when what was in memory and in the log is written as segment files.
    is_folder, grew = "://" not in name, ""
    if is_folder and after["bytes"] > before["bytes"]:
        grew = " It grew because the memtable and the log were written as segment files."
    say(
        f"Removed {counted(expired, 'document')}, {after['documents']:,} left; "
        f"{before['bytes']:,} bytes before, {after['bytes']:,} now.{grew}\n"
    )


@index_group.command("events", epilog=EXIT_CODES, short_help="Print stories that should be merged or split.")
@with_index
@click.option("--since", type=click.IntRange(min=0), default=0, metavar="N", help="only events with a higher number  [0]")
def events_command(path: str | None, named: str | None, since: int) -> None:
    """Print stories that should be merged or split, as numbered JSON lines.

    The story ids of verdicts given before do not change.
    """
    from ..index.index import Index

    with Index.open(_index_name(path, named), mode="r") as index:
        none = True
        for event in index.story_events(since):
            none = False
            say(json.dumps(event, ensure_ascii=False, default=_iso) + "\n")
    if none:
        click.echo("No events.", err=True)


def _iso(value: Any) -> str:
    return str(value.isoformat())


def _index_name(path: str | None, named: str | None) -> str:
    """INDEX, which may be given as an argument or as an option."""
    if path is None and named is None:
        raise click.UsageError("Missing argument 'INDEX'.")
    if path is not None and named is not None:
        raise click.UsageError("INDEX is given twice, as an argument and as --index.")
    return path or named or ""


def _check_exists(path: str) -> None:
    """Raise if there is no index: opening it to read creates none, opening it to write does."""
    from ..index.index import Index

    Index.open(path, mode="r").close()


def _exists(path: str) -> bool:
    """Whether there is an index; opening it for writing reports any other fault."""
    try:
        _check_exists(path)
    except InputError:
        return False
    return True


def _settings_given(given: dict[str, Any]) -> dict[str, Any]:
    """Settings given as options, by name."""
    return {name.replace("__", "."): value for name, value in given.items() if "__" in name and value is not None}
