"""``dedup inspect``: what a run did, told from the folder that it wrote."""

from __future__ import annotations

import json
from typing import Any

import click

from .exit_codes import EXIT_CODES, NO_INPUT, fail
from .terminal import say


@click.command("inspect", epilog=EXIT_CODES, short_help="Print what a run did.")
@click.argument("out", metavar="OUT", type=click.Path())
@click.option("-n", "--top", type=click.IntRange(min=0), default=5, metavar="N", help="rows of each list, the largest first  [5]")
@click.option("--json", "as_json", is_flag=True, help="print it as one JSON object")
def inspect_command(out: str, top: int, as_json: bool) -> None:
    """Print what the run did that wrote the folder OUT: settings, inputs, counts, the largest groups and stories, rejects, times.

    It is read from OUT/manifest.json and a few columns of the tables. If a table is missing or damaged, the rest is printed and the
    command ends with exit code 3.
    """
    # Arrow takes a moment to import.
    from ..batch.inspection import inspect_result

    inspection = inspect_result(out, top=top)
    if as_json:
        say(json.dumps(_clean(inspection.facts | {"faults": inspection.faults}), indent=2) + "\n")
    else:
        from .inspection_text import inspection_text

        say(inspection_text(inspection.facts))
    if inspection.faults:
        fail(f"{out}: {'; '.join(inspection.faults)}. What depends on it is left out. Run it anew.", NO_INPUT)


def _clean(value: Any) -> Any:
    """Facts without what JSON has no word for: NaN is null."""
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item) for item in value]
    return None if isinstance(value, float) and value != value else value
