"""``dedup inspect``: print what a run did, read from its result folder."""

from __future__ import annotations

import json
from typing import Any

import click

from .exit_codes import EXIT_CODES, NO_INPUT, fail
from .terminal import say


@click.command("inspect", epilog=EXIT_CODES, short_help="Print what a run did, from its result folder.")
@click.argument("out", metavar="OUT", type=click.Path())
@click.option("-n", "--top", type=click.IntRange(min=0), default=5, metavar="N", help="rows per list, largest first  [5]")
@click.option("--json", "as_json", is_flag=True, help="print one JSON object")
def inspect_command(out: str, top: int, as_json: bool) -> None:
    """Print what a run did: settings, inputs, counts, rejects, largest stories, times.

    OUT is the result folder of the run. If one of its tables is missing or damaged, the command
    prints the rest and exits with code 3.
    """
    # Importing Arrow takes a moment.
    from ..batch.inspection import inspect_result

    inspection = inspect_result(out, top=top)
    if as_json:
        say(json.dumps(_clean(inspection.summary | {"faults": inspection.faults}), indent=2) + "\n")
    else:
        from .inspection_text import inspection_text

        say(inspection_text(inspection.summary))
    if inspection.faults:
        fail(
            f"{out}: {'; '.join(inspection.faults)}. The output leaves out what depends on it. Repeat the run.",
            NO_INPUT,
        )


def _clean(value: Any) -> Any:
    """Replace NaN, which JSON lacks, by null."""
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item) for item in value]
    return None if isinstance(value, float) and value != value else value
