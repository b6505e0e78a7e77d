"""The command line: the words of the library, said in a terminal.

    dedup run INPUT... -o OUT                  find copies and stories, write them to a folder
    dedup inspect OUT                          print what a run did
    dedup config                               print every setting as TOML
    dedup stories fit-idf INPUT... -o FILE     count how common words are in a corpus
    dedup index build OUT -o INDEX             make an index of a run; check, ingest, stats, remove, compact, events
    dedup serve --index INDEX                  answer over HTTP: check, ingest, documents, stories

Every setting of the configuration is an option with the same dotted name (``--copies.near 0.6``); options win over
a ``--config`` file, and the file over the defaults. Results go to stdout, progress and errors to stderr.

====  ==================================================================================
exit  meaning
====  ==================================================================================
0     done; rejected rows and files are no failure, the summary names them
1     an unexpected error (its traceback is shown), or the memory was not enough
2     wrong usage: an unknown option, or a setting that does not fit
3     an input is missing, or nothing in the inputs can be read
4     the results cannot be written
5     done and written, but rows or files were rejected (only with ``--strict``)
130   stopped with Ctrl-C
====  ==================================================================================

What needs Arrow and Numba is imported inside the commands, so that ``--help`` answers at once.
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
