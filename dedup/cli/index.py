"""``dedup index``: make an index of a run, ask it about documents, add them, look after it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, TypeVar

import click

from ..config import Config
from .exit_codes import EXIT_CODES, NO_INPUT, REJECTED, STOPPED, fail
from .logs import log_warnings, start_log, tells_json
from .options import SectionedCommand, SettingOption, parameter, read_config, with_settings
from .terminal import live_progress, say

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])


class AskingCommand(SectionedCommand):
    """A command that takes only those settings that say how pages are read, and where the counts of words are: all else is the index's."""

    SETTINGS: tuple[str, ...] = ("input.", "run.batch_rows", "stories.background")

    def __init__(self, *, params: list[click.Parameter], **kwargs: Any) -> None:
        kept = [param for param in params if not isinstance(param, SettingOption) or param.setting.startswith(self.SETTINGS)]
        super().__init__(params=kept, **kwargs)


class BuildingCommand(AskingCommand):
    """A command that takes only what may differ from the settings of the run."""

    SETTINGS: tuple[str, ...] = ("run.threads", "stories.background")


@click.group("index", epilog=EXIT_CODES, short_help="Ask an index whether texts are new, before they go anywhere.")
def index_group() -> None:
    """Make an index of texts, ask it whether others are new, add them.

    An INDEX is a folder, or redis://host:port/db?prefix=news
    """


_INDEX = click.option("--index", "path", required=True, metavar="INDEX", help="the index: a folder, or redis://host:port/db?prefix=news")
_DURABILITY = click.option(
    "--durability",
    type=click.Choice(["process", "sync"]),
    default="process",
    show_default=True,
    help="what is written outlives the process, or a power failure too",
)
_KEEP = click.option("--keep", metavar="TIME", help="forget documents so long after they arrived, as 90d, 12h or 8w  [never]")


def with_index(command: AnyFunction) -> AnyFunction:
    """Give a command an INDEX, as its argument or as ``--index``."""
    command = click.option("--index", "named", metavar="INDEX", help="the same as INDEX")(command)
    return click.argument("path", required=False, metavar="INDEX")(command)


def with_inputs(command: AnyFunction) -> AnyFunction:
    """Give a command what it reads, and the options of what it tells."""
    options = (
        click.argument("inputs", nargs=-1, required=True, metavar="INPUT...", type=click.Path(allow_dash=True)),
        _INDEX,
        click.option("-o", "--out", metavar="FILE", type=click.Path(), help="write verdicts to FILE.jsonl or FILE.parquet, not to stdout"),
        click.option("--overwrite", is_flag=True, help="replace FILE"),
        click.option("--strict", is_flag=True, help="exit with 5 if any row or file was rejected (verdicts are written all the same)"),
        click.option("-q", "--quiet", is_flag=True, help="print nothing but verdicts and errors"),
        click.option("-v", "--verbose", count=True, help="log to stderr"),
        click.option("--log-json", is_flag=True, help="log to stderr as JSON lines"),
    )
    for option in reversed(options):  # decorators work from the inside out
        command = option(command)
    return command


@index_group.command("build", cls=BuildingCommand, epilog=EXIT_CODES, short_help="Make an index of what a run found.")
@click.argument("run", metavar="OUT", type=click.Path())
@click.option(
    "-o", "--index", "path", required=True, metavar="INDEX", help="the index to make: a folder, or redis://host:port/db?prefix=news"
)
@click.option("--overwrite", is_flag=True, help="replace an index (anything else is never overwritten)")
@_DURABILITY
@click.option("--json", "as_json", is_flag=True, help="print the summary as one JSON object")
@click.option("-q", "--quiet", is_flag=True, help="print nothing but errors")
@with_settings
def build_command(
    run: str, path: str, overwrite: bool, durability: str, as_json: bool, quiet: bool, config_file: str | None, **given: Any
) -> None:
    """Make an index of the folder OUT that 'dedup run' wrote: the same canonicals, kinds and stories, nothing is decided anew.

    It needs the texts of the run (a run with --no-texts has none) and goes by its settings. Documents count as arrived now. The index
    is there when it is whole: one that is stopped leaves none.
    """
    if as_json and quiet:
        raise click.UsageError("--json and --quiet cannot be given together: one prints the summary, the other prints none.")
    # Numba takes a second to import.
    from ..index.batch_result import BatchResult
    from ..index.build import build_index, config_of_run

    past = BatchResult(run)
    config = read_config(config_file, given) if config_file is not None else config_of_run(past.manifest).replace(_set(given))
    try:
        with live_progress(wanted=not quiet) as progress:
            built = build_index(run, path, config=config, durability=durability, overwrite=overwrite, progress=progress)
    except KeyboardInterrupt:
        fail("stopped. No index was made.", STOPPED)
    done = f"The index is in {built.index}."
    if as_json:
        say(json.dumps(built.to_dict(), indent=2, ensure_ascii=False) + "\n", otherwise=done)
    elif not quiet:
        stories = "" if built.stories is None else f" and {built.stories:,} stories"
        say(
            f"{built.documents:,} documents with {built.copies:,} copies{stories} are in {built.index}: {built.bytes:,} bytes, "
            f"{built.seconds:.1f} s.\n",
            otherwise=done,
        )


@index_group.command("check", cls=AskingCommand, epilog=EXIT_CODES, short_help="Say of documents whether they are new.")
@with_inputs
@with_settings
def check_command(path: str, config_file: str | None, **options: Any) -> None:
    """Say of documents whether they are new, copies or updates, and of which story; the index stays as it is.

    An INPUT is what 'dedup run' reads, or - for JSON lines on stdin: each is answered as soon as no other one waits behind it. Verdicts are
    JSON lines, one for each page, in the order of the input; of a Parquet file the rows are documents.
    """
    config = None
    if config_file is not None or options[parameter("stories.background")] is not None:
        config = read_config(config_file, options)
    _answer(path, config, read_config(config_file, options), ingested=False, opened={"mode": "r"}, **options)


@index_group.command("ingest", cls=SectionedCommand, epilog=EXIT_CODES, short_help="Say of documents whether they are new, and add them.")
@with_inputs
@_DURABILITY
@_KEEP
@with_settings
def ingest_command(path: str, config_file: str | None, durability: str, keep: str | None, **options: Any) -> None:
    """Say of documents what they are and add them, one after the other; the index is made if there is none.

    What has its verdict is in the index. INPUT is what it is for 'dedup index check'. Settings other than input.* and run.* must be those
    of the index; a new one is made with them.
    """
    free = ("input.", "run.", "signatures.")
    asked = config_file is not None or any(not name.startswith(free) for name in _set(options))
    config = read_config(config_file, options)
    opened = {"mode": "a", "durability": durability, "keep": keep}
    _answer(path, config if asked else None, config, ingested=True, opened=opened, **options)


def _answer(
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
    """Check first, then open, then read, ask and write."""
    from .verdict_output import STDIN, batches_of, judge, log_counts, open_written, rejects_of, silent_pipe, tell

    if STDIN in inputs and len(inputs) > 1:
        raise click.UsageError("- stands for stdin and is the only INPUT then.")
    start_log(verbose, as_json=log_json)
    from ..readers import ReadLog, discover

    log = ReadLog()
    if STDIN not in inputs:
        discover(inputs)
    from ..index.index import Index

    if config is not None:  # pages come to the index under the names that it knows
        config = Config.from_dict({name: section for name, section in config.to_dict().items() if name != "input"})
    with ExitStack() as stack:
        index = stack.enter_context(Index.open(path, config, **opened))
        # One batch at a time comes to the index: threads would only be started.
        index.config = index.config.replace({"run.threads": 1, "run.batch_rows": reading.run.batch_rows})
        written = open_written(out, overwrite=overwrite)
        # What was given out is kept, however this ends.
        stack.callback(written.close)
        shown = stack.enter_context(live_progress(wanted=not quiet and not tells_json() and out is not None and STDIN not in inputs))
        job = "ingest" if ingested else "check"
        with silent_pipe() as gone:
            ask = index.ingest_batch if ingested else index.check_batch
            counts = judge(batches_of(inputs, reading, log), ask, written, lambda rows: shown(job, rows))
    if gone:
        return
    log_warnings(log.warnings())
    log_counts(counts, ingested=ingested)
    if not quiet and not tells_json():
        tell(counts, log.warnings(), ingested=ingested)
    rejects = counts["reject"]
    if rejects and rejects == counts.total():
        fail("no page could be read: every row or file was rejected. Their verdicts say why.", NO_INPUT)
    if strict and rejects:
        fail(f"{rejects_of(rejects)} rejected (--strict). Their verdicts say why.", REJECTED)


@index_group.command("stats", epilog=EXIT_CODES, short_help="Print how much is in an index.")
@with_index
@click.option("--json", "as_json", is_flag=True, help="print it as one JSON object")
def stats_command(path: str | None, named: str | None, as_json: bool) -> None:
    """Print how much is in an index, and how much room it takes."""
    from ..index.index import Index

    with Index.open(_one(path, named), mode="r") as index:
        stats = index.stats()
    if as_json:
        say(json.dumps(stats, indent=2, ensure_ascii=False) + "\n")
        return
    flat = {name: value for name, value in stats.items() if not isinstance(value, dict)}
    for name, value in stats.items():
        flat |= {f"{name} {part}": size for part, size in value.items()} if isinstance(value, dict) else {}
    shown = {
        name.replace("_", " "): f"{value:,}" if isinstance(value, int) else str(value) for name, value in flat.items() if value is not None
    }
    left, right = max(map(len, shown)), max(map(len, shown.values()))
    say("".join(f"{name:{left}}  {value:>{right}}\n" for name, value in shown.items()))


@index_group.command("remove", epilog=EXIT_CODES, short_help="Take documents out of an index.")
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@_INDEX
@_DURABILITY
def remove_command(ids: tuple[str, ...], path: str, durability: str) -> None:
    """Take the documents of these ids out of an index, with the further documents of their pages.

    The first of the copies of one that is removed comes to stand for the others. It ends with exit code 3 if one of them was not there.
    """
    from ..index.index import Index

    _check_there(path)
    with Index.open(path, mode="a", durability=durability) as index:
        missing = [doc_id for doc_id in ids if not index.remove(doc_id)]
    removed = len(ids) - len(missing)
    say(f"{removed:,} removed.\n" if not missing else "")
    if missing:
        listed = ", ".join(missing[:5]) + (f" and {len(missing) - 5:,} more" if len(missing) > 5 else "")
        fail(f"{removed:,} removed; not in the index: {listed}.", NO_INPUT)


@index_group.command("compact", epilog=EXIT_CODES, short_help="Put an index in order.")
@with_index
@_KEEP
def compact_command(path: str | None, named: str | None, keep: str | None) -> None:
    """Forget what is too old (--keep), give back its room, put files in order, and look for stories that should be one or two."""
    from ..index.index import Index

    name = _one(path, named)
    _check_there(name)
    with Index.open(name, mode="a", keep=keep) as index:
        before = index.stats()
        index.compact()
        after = index.stats()
    forgotten = before["documents"] - after["documents"]
    say(f"{forgotten:,} documents forgotten, {after['documents']:,} left; {before['bytes']:,} bytes before, {after['bytes']:,} now.\n")


@index_group.command("events", epilog=EXIT_CODES, short_help="Print what became of stories.")
@with_index
@click.option("--since", type=click.IntRange(min=0), default=0, metavar="N", help="only events with a higher number  [0]")
def events_command(path: str | None, named: str | None, since: int) -> None:
    """Print what became of stories after documents got their ids, as JSON lines: story_merged, story_split, each with its number."""
    from ..index.index import Index

    with Index.open(_one(path, named), mode="r") as index:
        for event in index.story_events(since):
            say(json.dumps(event, ensure_ascii=False, default=_moment) + "\n")


def _moment(value: Any) -> str:
    return str(value.isoformat())


def _one(path: str | None, named: str | None) -> str:
    if path is None and named is None:
        raise click.UsageError("Missing argument 'INDEX'.")
    if path is not None and named is not None:
        raise click.UsageError("INDEX was given twice: as an argument and as --index.")
    return path or named or ""


def _check_there(path: str) -> None:
    """Open an index for a moment to read, which makes none: only what is there can be changed."""
    from ..index.index import Index

    Index.open(path, mode="r").close()


def _set(given: dict[str, Any]) -> dict[str, Any]:
    """Settings that were given as options, by name."""
    return {name.replace("__", "."): value for name, value in given.items() if "__" in name and value is not None}
