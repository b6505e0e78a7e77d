"""Errors to messages and exit codes: people see one message on stderr, and a traceback only of what is a bug."""

from __future__ import annotations

import traceback
from typing import Any, NoReturn

import click

from ..errors import ConfigError, DedupError, OutputError
from .logs import JSON, log_error, tells_json

UNEXPECTED = 1
WRONG_USAGE = 2
NO_INPUT = 3
NO_OUTPUT = 4
REJECTED = 5
STOPPED = 130

#: For the end of ``--help``; the first line keeps click from filling the paragraph.
EXIT_CODES = """\b
Exit codes:
  0    done; rejected rows and files are no failure, the summary names them
  1    an unexpected error (its traceback is shown), or the memory was not enough
  2    wrong usage: an unknown option, or a setting that does not fit
  3    an input is missing, or nothing in the inputs can be read
  4    the results cannot be written
  5    done and written, but rows or files were rejected (only with --strict)
  130  stopped with Ctrl-C
"""


def fail(message: str, exit_code: int, *, trace: str | None = None) -> NoReturn:
    """End the program with a message on stderr, a JSON line with ``--log-json``; ``trace`` is the traceback of a bug."""
    if tells_json():
        log_error(message, exit_code, trace)
    else:
        click.echo(f"{trace or ''}Error: {message}", err=True)
    raise click.exceptions.Exit(exit_code)


class CarefulGroup(click.Group):
    """A group of commands in which no error is shown as a traceback but the unexpected ones."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        # Looked up before click does it, for what it refuses is an error too.
        ctx.meta[JSON] = "--log-json" in ctx.args
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            if not tells_json():
                raise
            fail(error.format_message(), error.exit_code)
        except (click.Abort, click.exceptions.Exit, BrokenPipeError):
            raise
        except DedupError as error:
            fail(str(error), _exit_code(error))
        except KeyboardInterrupt:
            fail("stopped.", STOPPED)
        except MemoryError:
            fail("the memory was not enough. Lower --run.batch_rows or --threads, or give less input.", UNEXPECTED)
        except Exception as error:
            name, where = type(error).__name__, "traceback" if tells_json() else "lines above"
            message = f"unexpected {name}: this is a bug in dedup. Please report it with the {where} and the command."
            fail(message, UNEXPECTED, trace=traceback.format_exc())


def _exit_code(error: DedupError) -> int:
    if isinstance(error, ConfigError):
        return WRONG_USAGE
    return NO_OUTPUT if isinstance(error, OutputError) else NO_INPUT
