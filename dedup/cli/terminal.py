"""What is written to the terminal: text that is safe to show, on a stdout that may be closed, full or not UTF-8.

Titles are printed in their logical order: terminals that know Arabic put it in its visual order themselves.
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

#: Around a title, so that its direction does not move what stands beside it: first strong isolate, pop directional isolate.
FIRST_STRONG_ISOLATE, POP_ISOLATE = "\u2068", "\u2069"
#: They join letters or keep them apart, and do no harm.
ZERO_WIDTH_NON_JOINER, ZERO_WIDTH_JOINER = "\u200c", "\u200d"
#: A title is looked at no further than this, for each cell that it may fill.
_CHARACTERS_PER_CELL = 8
#: What the rows of a stage are called while it runs.
_UNITS = {"read": "documents read", "copies": "documents compared", "stories": "stories found"}


def say(text: str, *, otherwise: str = "") -> None:
    """Write to stdout. A reader that has gone away is no error: ``dedup config | head -3``.

    If stdout cannot be written, for instance because its disk is full, the program ends; ``otherwise`` is added to its message.
    """
    encoding = _encoding()
    try:
        click.echo(text.encode(encoding, "replace").decode(encoding), nl=False)
    except BrokenPipeError:
        discard_stdout()
    except OSError as error:
        discard_stdout()
        fail(" ".join([f"stdout cannot be written ({error.strerror}).", otherwise]).rstrip(), NO_OUTPUT)


def discard_stdout() -> None:
    """Send stdout to nowhere; else Python reports the error again when it flushes stdout at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _encoding() -> str:
    return getattr(sys.stdout, "encoding", None) or "utf-8"


def paper() -> tuple[Console, Callable[[], str]]:
    """A console that looks like stdout but only collects, and a function that gives what was collected."""
    from rich.console import Console

    pages = io.BytesIO()
    file = io.TextIOWrapper(pages, _encoding(), "replace", newline="\n", write_through=True)
    console = Console(file=file, width=Console().width, force_terminal=sys.stdout.isatty(), highlight=False, markup=False, emoji=False)
    return console, lambda: pages.getvalue().decode(file.encoding)


def shown_title(title: str | None, width: int) -> str:
    """A title on one line of at most ``width`` cells, without anything that commands the terminal, isolated from its surroundings."""
    from rich.cells import cell_len

    begin = (title or "")[: _CHARACTERS_PER_CELL * width]  # signs without a width of their own can be any number
    kept = "".join(c if _is_harmless(c) else " " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else "" for c in begin)
    line = " ".join(kept.split()) or "(no title)"
    if cell_len(line) > width or len(begin) < len(title or ""):
        while cell_len(line) > width - 1:
            line = line[:-1]
        line = line.rstrip() + "…"
    return FIRST_STRONG_ISOLATE + line + POP_ISOLATE


def _is_harmless(character: str) -> bool:
    return character.isprintable() or character in (ZERO_WIDTH_NON_JOINER, ZERO_WIDTH_JOINER)


@contextmanager
def live_progress(*, wanted: bool) -> Iterator[Callable[[str, int], None]]:
    """Show the stages on stderr while they run, if it is a terminal."""
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
