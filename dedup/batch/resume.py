"""Identifies a run, and lists in words what changed since it was interrupted.

Settings in ``run.*`` change no result and may differ, except ``run.keep_texts``. A file that was
read must have the same size, and the same time or digest; a file not yet read may change.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Mapping, Sequence
from typing import Any

from ..config import Config
from ..readers import Source
from ..result import Result
from ..schema import SCHEMA_VERSION
from ..text.document_frequencies import DocumentFrequencies, content_name
from ..version import __version__
from .checkpoints import files_read
from .workspace import Workspace

logger = logging.getLogger(__name__)

#: Differences that a message lists; there may be thousands of files.
_MOST_SHOWN = 5


def start_or_resume(
    work: Workspace,
    sources: Sequence[Source],
    config: Config,
    background: DocumentFrequencies,
    base: Result | str | os.PathLike[str] | None,
) -> None:
    """Resume the interrupted run in a workspace if it is this one, else start a new one.

    Parameters
    ----------
    sources : the input files
    base : the base as given to ``dedup.run``

    Raises
    ------
    OutputError
        If the workspace holds another run that must not be overwritten.
    """
    then = work.run
    if base is None:
        digest = None
    elif isinstance(base, Result):
        digest = digest_of_base(base.manifest)
    elif work.has_replaced(base) and then is not None:
        digest = then["base"]
    else:
        digest = digest_of_base(Result.read_manifest(base))
    now = run_identity(config, {"stories.background": content_name(background)}, digest, sources)
    reached, digests = files_read(work)
    work.begin(now, differences(now, then, sources, reached, digests))
    if then is not None and reached < len(sources):
        for name in changed_unread(now, then, reached):
            logger.warning("%s: has changed since the interruption; it had not been read yet, so the new content is read", name)


def run_identity(config: Config, contents: Mapping[str, str], base: str | None, sources: Sequence[Source]) -> dict[str, Any]:
    """Describe a run by version, settings, base and inputs, ready for JSON.

    Parameters
    ----------
    contents : setting -> name of the content of the file that it names, see ``Config.digest``
    base : digest of the base, None without one
    """
    tree = config.replace(contents).to_dict()
    settings = {f"{section}.{name}": value for section, values in tree.items() if section != "run" for name, value in values.items()}
    settings["run.keep_texts"] = config.run.keep_texts
    files = [[source.name, source.size(), source.changed_at()] for source in sources]
    return {"version": f"{__version__} ({SCHEMA_VERSION})", "settings": settings, "base": base, "inputs": files}


def digest_of_base(manifest: Mapping[str, Any]) -> str:
    """Digest of a manifest. No two runs share it, because their seconds differ."""
    text = json.dumps(manifest, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def differences(
    now: Mapping[str, Any],
    then: Mapping[str, Any] | None,
    sources: Sequence[Source],
    reached: int,
    digests: Mapping[str, str | None],
) -> list[str]:
    """List in words how a run differs from the interrupted one.

    Parameters
    ----------
    now, then : identities of the two runs, see ``run_identity``
        ``then`` is None if no run was interrupted.
    sources : the input files of this run
    reached : number of files that were read, the last one perhaps in part
    digests : SHA-256 of the completely read files, by name
    """
    if then is None:
        return []
    found = []
    if now["version"] != then["version"]:
        found.append(f"it was started by dedup {then['version']}, this is {now['version']}")
    for name in sorted(now["settings"].keys() | then["settings"].keys()):
        ours, theirs = now["settings"].get(name), then["settings"].get(name)
        if ours != theirs:
            found.append(f"{name} is {_setting_text(ours)}, was {_setting_text(theirs)}")
    if now["base"] != then["base"]:
        found.append("it had no base" if then["base"] is None else "it had a base" if now["base"] is None else "the base is another one")
    names, old_names = ([name for name, *_ in run["inputs"]] for run in (now, then))
    if names != old_names:
        new, gone = ([name for name in these if name not in known] for these, known in ((names, set(old_names)), (old_names, set(names))))
        found += [f"{name} is a new input" for name in new] + [f"{name} is no longer an input" for name in gone]
        found += [] if new or gone else ["the inputs are in another order"]
    else:
        pairs = zip(sources[:reached], now["inputs"], then["inputs"], strict=False)
        found += [f"{source.name} has changed" for source, ours, theirs in pairs if not _is_unchanged(source, ours, theirs, digests)]
    more = len(found) - _MOST_SHOWN
    return found[:_MOST_SHOWN] + ([f"and {more:,} more"] if more > 0 else [])


def changed_unread(now: Mapping[str, Any], then: Mapping[str, Any], reached: int) -> list[str]:
    """Names of the files that have changed since the run was started, but had not been read yet."""
    pairs = zip(now["inputs"][reached:], then["inputs"][reached:], strict=False)
    return [ours[0] for ours, theirs in pairs if ours != list(theirs)]


def _is_unchanged(source: Source, ours: Sequence[Any], theirs: Sequence[Any], digests: Mapping[str, str | None]) -> bool:
    if list(ours) == list(theirs):
        return True
    known = digests.get(source.name)
    return ours[1] == theirs[1] and known is not None and source.sha256() == known


def _setting_text(value: Any) -> str:
    return "not set" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)
