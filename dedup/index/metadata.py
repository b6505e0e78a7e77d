"""What an index was made with, and whether that fits what it is opened with now."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from ..config import Config
from ..errors import ConfigError, InputError
from ..fingerprints.minhash import SIGNATURE_VERSION
from ..text.document_frequencies import DocumentFrequencies, background_of, term_rules

#: Raised whenever the same text would be listed under other keys, or judged by other numbers.
RULES = 1
#: Sections that change nothing that an index holds.
FREE = ("input", "run", "signatures")
_SPANS = {"h": 3600, "d": 86_400, "w": 7 * 86_400}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)([hdw])")


def metadata_of(config: Config, known: DocumentFrequencies) -> dict[str, Any]:
    """What an index is made with, ready for JSON."""
    return {
        "rules": RULES,
        "signatures": SIGNATURE_VERSION,
        "terms": str(term_rules()),
        "background": known.digest(),
        "config": {name: section for name, section in config.to_dict().items() if name not in FREE},
    }


def config_of(name: str, metadata: Mapping[str, Any], config: Config | None) -> tuple[Config, DocumentFrequencies]:
    """The configuration to open an index with, and the counts of words that it weighs by.

    Parameters
    ----------
    name : of the index, for messages; metadata : what it was made with; config : what is asked for, None if nothing is

    Raises
    ------
    InputError
        If it was made by a version that compares in another way.
    ConfigError
        If settings that decide what is found are others; the message names them.
    """
    if "unfinished" in metadata:
        raise InputError(f"{name}: its build has not come to an end. Wait for it, or make it anew: 'dedup index build ... --overwrite'.")
    for key, value in (("rules", RULES), ("signatures", SIGNATURE_VERSION), ("terms", str(term_rules()))):
        if metadata.get(key) != value:
            raise InputError(
                f"{name}: was made by another version of dedup, which compares texts in another way. Make it anew from the texts, "
                "with 'dedup index build' or by ingesting them."
            )
    stored = Config.from_dict(metadata["config"])
    if config is None:
        config = stored
    differing = [f"{name} is {ours!r}, of the index {theirs!r}" for name, ours, theirs in config.differences(stored, FREE)]
    if differing:
        raise ConfigError(f"{name}: {'; '.join(differing)}. Leave these settings out, or make an index of its own for them.")
    known = background_of(config.stories.background)
    if known.digest() != metadata.get("background"):
        raise ConfigError(
            f"{name}: the counts that stories.background names ({config.stories.background}) are not those that the index was made with "
            f"(digest {metadata.get('background')}). Name that file."
        )
    return config, known


def span_of(keep: str | timedelta | None) -> int | None:
    """How long documents are kept, in microseconds; None for ever.

    Parameters
    ----------
    keep : a ``timedelta``, or a number and h, d or w: ``90d``

    Raises
    ------
    ConfigError
        If it is neither, or not above zero.
    """
    if keep is None:
        return None
    if isinstance(keep, str):
        found = _SPAN.fullmatch(keep.strip())
        keep = timedelta(seconds=float(found[1]) * _SPANS[found[2]]) if found else None
    if not isinstance(keep, timedelta) or keep <= timedelta(0):
        raise ConfigError("keep must be a time above zero: a timedelta, or a number and h, d or w such as 90d.")
    return round(keep.total_seconds() * 1e6)
