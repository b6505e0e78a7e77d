"""An index in Redis that is not whole yet: its facts say so, and are replaced in one step when it is."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

from ..errors import OutputError
from .redis_link import Link


def draft_of(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts that no version of dedup opens an index with, and that no other builder has."""
    return {**facts, "rules": None, "unfinished": secrets.token_hex(8)}


def publish(url: str, draft: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    """Put the facts of an index in the place of its draft.

    Raises
    ------
    OutputError
        If another program has put something else there.
    """
    link = Link(url)
    try:
        key = f"{{{link.address.prefix}}}:facts"
        held: dict[str, Any] = json.loads(link.ask("finishing an index", False, lambda: link.client.get(key)) or b"{}")
        if held.get("facts") != draft:
            raise OutputError(f"{link.address.shown}: another program has replaced the index while it was built. Choose another prefix.")
        held["facts"] = dict(facts)
        link.ask("finishing an index", True, lambda: link.client.set(key, json.dumps(held)))
    finally:
        link.close()
