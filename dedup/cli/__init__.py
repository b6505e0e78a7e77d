"""The command ``dedup``. Results go to stdout; progress, logs and errors to stderr.

Arrow and Numba are imported inside the commands, so that ``--help`` answers at once.
"""

from __future__ import annotations

import click

from ..version import __version__
from .config import config_command
from .exit_codes import EXIT_CODES, CarefulGroup
from .index import index_group
from .inspect import inspect_command
from .run import run_command
from .serve import serve_command
from .stories import stories_group

__all__ = ["main"]


@click.group(cls=CarefulGroup, epilog=EXIT_CODES, context_settings={"max_content_width": 120, "help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="dedup")
def main() -> None:
    """Find near-duplicates and stories in Arabic news."""


main.add_command(run_command)
main.add_command(inspect_command)
main.add_command(index_group)
main.add_command(serve_command)
main.add_command(config_command)
main.add_command(stories_group)
