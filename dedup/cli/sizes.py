"""Sizes of memory as people write them: ``2GB``, ``1500MB``, ``1.5g``; a number alone is megabytes."""

from __future__ import annotations

import math
import re

import click

_SIZE = re.compile(r"\s*(\d{1,15}(?:\.\d{1,15})?)\s*([kmgt]?)i?b?\s*", re.IGNORECASE)
#: Megabytes in one of a unit, powers of 1024 as everywhere in this program.
_UNITS = {"k": 1 / 1024, "": 1, "m": 1, "g": 1024, "t": 1024 * 1024}


def megabytes(text: str) -> int:
    """Megabytes in a size; what is more than nothing is at least one.

    Raises
    ------
    ValueError
        If it is not a size.
    """
    match = _SIZE.fullmatch(text)
    if match is None or (text.strip()[-1:] in "bB" and not match[2]):
        raise ValueError(f"{text!r} is not a size of memory. Write for example 2GB, 1500MB or 1500 (megabytes).")
    return math.ceil(float(match[1]) * _UNITS[match[2].lower()])


def read_size(context: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    """The megabytes that an option means, for click."""
    try:
        return None if value is None else megabytes(value)
    except ValueError as error:
        raise click.BadParameter(str(error), context, parameter) from None
