"""Writes safe text to the terminal, on a stdout that may be closed, full or not UTF-8.

Titles are printed in logical order: terminals reorder Arabic themselves.
"""

from __future__ import annotations

import io
import os
import sys
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from .exit_codes import NO_OUTPUT, fail

if TYPE_CHECKING:
    from rich.console import Console

#: They surround a title, so that its direction does not reorder the text beside it.
FIRST_STRONG_ISOLATE, POP_ISOLATE = "\u2068", "\u2069"
#: They join letters or keep them apart; harmless.
ZERO_WIDTH_NON_JOINER, ZERO_WIDTH_JOINER = "\u200c", "\u200d"
#: Characters of a title that are read, per cell of its width.
_CHARACTERS_PER_CELL = 8
#: Names of the rows of each stage, for the progress display.
_UNITS = {"read": "documents read", "copies": "documents compared", "stories": "stories found"}


def say(text: str, *, on_failure: str = "") -> None:
    """Write to stdout. A closed pipe is no error: ``dedup config | head -3``.

    If stdout cannot be written, for example because the disk is full, the command fails;
    ``on_failure`` is added to its message.
    """
    encoding = _encoding()
    try:
        click.echo(text.encode(encoding, "replace").decode(encoding), nl=False)
    except BrokenPipeError:
        discard_stdout()
    except OSError as error:
        discard_stdout()
        fail(" ".join([f"stdout cannot be written ({error.strerror}).", on_failure]).rstrip(), NO_OUTPUT)


def discard_stdout() -> None:
    """Redirect stdout to nowhere; else Python repeats the error when it flushes stdout at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _encoding() -> str:
    return getattr(sys.stdout, "encoding", None) or "utf-8"


def collecting_console() -> tuple[Console, Callable[[], str]]:
    """A console like stdout that collects its output, and a function that returns the output."""
    from rich.console import Console

    buffer = io.BytesIO()
    file = io.TextIOWrapper(buffer, _encoding(), "replace", newline="\n", write_through=True)
    console = Console(file=file, width=Console().width, force_terminal=sys.stdout.isatty(), highlight=False, markup=False, emoji=False)
    return console, lambda: buffer.getvalue().decode(file.encoding)


def terminal_text(title: str | None, width: int) -> str:
    """A title on one line of ``width`` cells, without control characters, in a bidi isolate."""
    from rich.cells import cell_len

    start = (title or "")[: _CHARACTERS_PER_CELL * width]  # there may be any number of zero-width characters
    printable = "".join(c if _is_printable(c) else " " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else "" for c in start)
    line = " ".join(printable.split()) or "(no title)"
    if cell_len(line) > width or len(start) < len(title or ""):
        while cell_len(line) > width - 1:
            line = line[:-1]
        line = line.rstrip() + "…"
    return FIRST_STRONG_ISOLATE + line + POP_ISOLATE


def _is_printable(character: str) -> bool:
    return character.isprintable() or character in (ZERO_WIDTH_NON_JOINER, ZERO_WIDTH_JOINER)


@contextmanager
def live_progress(*, wanted: bool) -> Iterator[Callable[[str, int], None]]:
    """Show the progress of the stages on stderr, if it is a terminal."""
    from rich.console import Console

    console = Console(stderr=True)
    if not wanted or not sys.stderr.isatty() or not console.is_interactive:
        yield lambda stage, rows: None
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = SpinnerColumn(finished_text="✓"), TextColumn("{task.description:8}"), TimeElapsedColumn(), TextColumn("{task.fields[rows]}")
    tasks: dict[str, Any] = {}
    with Progress(*columns, console=console, transient=True) as bar:

        def show(stage: str, rows: int) -> None:
            if stage not in tasks:
                for task in tasks.values():
                    bar.update(task, total=1, completed=1)
                tasks[stage] = bar.add_task(stage, total=None, rows="")
            bar.update(tasks[stage], rows=f"{rows:,} {_UNITS.get(stage, 'rows')}" if rows else "")

        yield show
