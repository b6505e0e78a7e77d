"""Metadata of an index: its rules, settings and word counts, and checks against those in use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from ..config import Config
from ..errors import ConfigError, InputError
from ..text.document_frequencies import DocumentFrequencies, background_of, term_rules

#: To be raised whenever the same text would be posted under other keys, or judged by other numbers.
RULES = 2
#: Sections of the configuration that affect nothing in an index.
FREE = ("input", "run", "signatures")
_SPANS = {"h": 3600, "d": 86_400, "w": 7 * 86_400}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)([hdw])")


def metadata_of(config: Config, known: DocumentFrequencies) -> dict[str, Any]:
    """The metadata of an index that is made now, ready for JSON.

    Parameters
    ----------
    known : the word counts that it weighs terms by
    """
    return {
        "rules": RULES,
        "terms": str(term_rules()),
        "background": known.digest(),
        "config": {name: section for name, section in config.to_dict().items() if name not in FREE},
    }


def config_of(name: str, metadata: Mapping[str, Any], config: Config | None) -> tuple[Config, DocumentFrequencies]:
    """The configuration to open an index with, and the word counts that it weighs terms by.

    Parameters
    ----------
    name : of the index, for messages
    metadata : of the index
    config : the requested settings; None for those of the index

    Raises
    ------
    InputError
        If it is incomplete, or was made by a version that compares texts in another way.
    ConfigError
        If settings that affect results differ from those of the index; the message names them.
    """
    if "unfinished" in metadata:
        raise InputError(f"{name}: its build is not finished. Wait for it, or build it again: 'dedup index build ... --overwrite'.")
    for key, value in (("rules", RULES), ("terms", str(term_rules()))):
        if metadata.get(key) != value:
            raise InputError(
                f"{name}: was made by another version of dedup, which compares texts in another way. Make it again from the texts, "
                "with 'dedup index build' or by ingesting them."
            )
    stored = Config.from_dict(metadata["config"])
    if config is None:
        config = stored
    differing = [f"{setting} is {ours!r}, but {theirs!r} in the index" for setting, ours, theirs in config.differences(stored, FREE)]
    if differing:
        raise ConfigError(f"{name}: {'; '.join(differing)}. Leave these settings out, or make another index for them.")
    known = background_of(config.stories.background)
    if known.digest() != metadata.get("background"):
        raise ConfigError(
            f"{name}: the word counts of stories.background ({config.stories.background}) are not those of the index "
            f"(digest {metadata.get('background')}). Name that file."
        )
    return config, known


def span_of(keep: str | timedelta | None) -> int | None:
    """How long documents are kept, in microseconds; None means for ever.

    Parameters
    ----------
    keep : a ``timedelta``, or a number of hours (h), days (d) or weeks (w): ``90d``

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
        raise ConfigError("keep must be a positive duration: a timedelta, or a number with h, d or w, such as 90d.")
    return round(keep.total_seconds() * 1e6)
