"""Terms to facts: what a template fills in. Numbers, and words that are rare in Arabic news at large."""

from __future__ import annotations

from .buffers import Rows, filter_rows
from .kernels.shingle import unique_rows
from .kernels.terms import FACT


def unique_facts(terms: Rows) -> Rows:
    """The facts among rows of terms, sorted and unique in each row."""
    facts: Rows = unique_rows(*filter_rows(*terms, (terms[0] & FACT) != 0))
    return facts
