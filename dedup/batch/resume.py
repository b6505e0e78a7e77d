"""Which run this is: what must be the same for a run that was stopped to be gone on with, and what is not, in words.

Settings of ``run.*`` are free, for they change no result; only whether texts are kept counts. A file that was read already must be
what it was: of the same size and the same time of change, or else of the same digest. One that was not read yet is read as it is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..config import Config
from ..readers import Source
from ..schema import SCHEMA_VERSION
from ..version import __version__

#: Differences that a message names; there may be thousands of files.
_MOST_SHOWN = 5


def identity(config: Config, contents: Mapping[str, str], base: str | None, sources: Sequence[Source]) -> dict[str, Any]:
    """What this run is, ready for JSON.

    Parameters
    ----------
    contents : setting -> what is in the file that it names, see ``Config.digest``
    base : digest of the base, None without one
    """
    tree = config.replace(contents).to_dict()
    settings = {f"{section}.{name}": value for section, values in tree.items() if section != "run" for name, value in values.items()}
    settings["run.keep_texts"] = config.run.keep_texts
    files = [[source.name, source.size(), source.changed_at()] for source in sources]
    return {"version": f"{__version__} ({SCHEMA_VERSION})", "settings": settings, "base": base, "inputs": files}


def digest_of_base(manifest: Mapping[str, Any]) -> str:
    """Changes when another result takes the place of the base: no two runs take the same seconds."""
    text = json.dumps(manifest, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def differences(
    now: Mapping[str, Any], then: Mapping[str, Any] | None, sources: Sequence[Source], reached: int, digests: Mapping[str, str | None]
) -> list[str]:
    """In what a run is not the one that was stopped.

    Parameters
    ----------
    now, then : as ``identity`` gives them; then : None if none was stopped
    sources : the files of this run
    reached : files that were read, the last one perhaps in part
    digests : SHA-256 of those that were read to their end, by name
    """
    if then is None:
        return []
    told = []
    if now["version"] != then["version"]:
        told.append(f"it was begun by dedup {then['version']}, this is {now['version']}")
    for name in sorted(now["settings"].keys() | then["settings"].keys()):
        ours, theirs = now["settings"].get(name), then["settings"].get(name)
        if ours != theirs:
            told.append(f"{name} is {_shown(ours)}, was {_shown(theirs)}")
    if now["base"] != then["base"]:
        told.append("it had no base" if then["base"] is None else "it had a base" if now["base"] is None else "the base is another one")
    names, old_names = ([name for name, *_ in run["inputs"]] for run in (now, then))
    if names != old_names:
        new, gone = ([name for name in these if name not in known] for these, known in ((names, set(old_names)), (old_names, set(names))))
        told += [f"{name} is a new input" for name in new] + [f"{name} is no input any more" for name in gone]
        told += [] if new or gone else ["the inputs are in another order"]
    else:
        pairs = zip(sources[:reached], now["inputs"], then["inputs"], strict=False)
        told += [f"{source.name} was changed" for source, ours, theirs in pairs if not _is_same(source, ours, theirs, digests)]
    more = len(told) - _MOST_SHOWN
    return told[:_MOST_SHOWN] + ([f"and {more:,} more"] if more > 0 else [])


def changed_unread(now: Mapping[str, Any], then: Mapping[str, Any], reached: int) -> list[str]:
    """Files that are others than when the run was begun, but had not been read yet."""
    pairs = zip(now["inputs"][reached:], then["inputs"][reached:], strict=False)
    return [ours[0] for ours, theirs in pairs if ours != list(theirs)]


def _is_same(source: Source, ours: Sequence[Any], theirs: Sequence[Any], digests: Mapping[str, str | None]) -> bool:
    if list(ours) == list(theirs):
        return True
    known = digests.get(source.name)
    return ours[1] == theirs[1] and known is not None and source.sha256() == known


def _shown(value: Any) -> str:
    return "not set" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)
