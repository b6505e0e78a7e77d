"""Turns errors into exit codes and one message on stderr; only bugs show a traceback."""

from __future__ import annotations

import traceback
from typing import Any, NoReturn

import click

from ..errors import ConfigError, DedupError, OutputError
from .logs import JSON, log_error, logs_json

UNEXPECTED = 1
WRONG_USAGE = 2
NO_INPUT = 3
NO_OUTPUT = 4
REJECTED = 5
STOPPED = 130

#: Shown at the end of ``--help``; the first line keeps click from rewrapping the paragraph.
EXIT_CODES = """\b
Exit codes:
  0    success; the summary counts rejected rows and files, which are no failure
  1    unexpected error, shown with its traceback; or out of memory
  2    wrong usage: unknown option or invalid setting
  3    missing input, or nothing readable in the inputs
  4    the results cannot be written
  5    results written, but rows or files were rejected (only with --strict)
  130  stopped with Ctrl-C
"""


def fail(message: str, exit_code: int, *, trace: str | None = None) -> NoReturn:
    """Exit with a message on stderr, or a JSON line; ``trace`` is the traceback of a bug."""
    if logs_json():
        log_error(message, exit_code, trace)
    else:
        click.echo(f"{trace or ''}Error: {message}", err=True)
    raise click.exceptions.Exit(exit_code)


class CarefulGroup(click.Group):
    """A command group that shows a traceback for unexpected errors only."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; turn its errors into messages and exit codes."""
        # Read before click parses the options, because usage errors are logged too.
        ctx.meta[JSON] = "--log-json" in ctx.args
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            if not logs_json():
                raise
            fail(error.format_message(), error.exit_code)
        except (click.Abort, click.exceptions.Exit, BrokenPipeError):
            raise
        except DedupError as error:
            fail(str(error), _exit_code(error))
        except KeyboardInterrupt:
            fail("stopped.", STOPPED)
        except MemoryError:
            fail("out of memory. Lower --run.batch_rows or --threads, or split the input.", UNEXPECTED)
        except Exception as error:
            name, trace = type(error).__name__, "traceback" if logs_json() else "traceback above"
            message = f"unexpected {name}: this is a bug in dedup. Please report it with the command and the {trace}."
            fail(message, UNEXPECTED, trace=traceback.format_exc())


def _exit_code(error: DedupError) -> int:
    if isinstance(error, ConfigError):
        return WRONG_USAGE
    return NO_OUTPUT if isinstance(error, OutputError) else NO_INPUT
