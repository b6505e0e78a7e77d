"""A URL as given by a person -> the files that it names: a file, a folder or a glob of an object store.

A folder is one listing. A glob is a listing of each folder that its parts lead to, and from ``**`` on a single one of all
that is below.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from ..storage.remote import RemoteError, RemotePath, locate, walk

#: Signs that make a path a glob.
GLOB_SIGNS = re.compile(r"[*?\[]")


@dataclass
class RemoteListing:
    """``files`` of a URL, sorted, and the folder ``root`` that their names are relative to; ``hidden`` ones are only counted."""

    shown: str
    root: RemotePath
    what: str
    files: list[RemotePath] = field(default_factory=list)
    hidden: int = 0


def list_remote(given: str) -> RemoteListing:
    """Find the files of a URL; none of them is opened.

    Raises
    ------
    RemoteError
        If there is nothing of this name, or the server does not let it be seen.
    """
    place = locate(given)
    if GLOB_SIGNS.search(place.path.strip("/").partition("/")[0]):
        raise RemoteError(f"{place.url}: a pattern in the name of the bucket, but buckets are not listed. Name one bucket.")
    # A bucket is listed, not looked at: who may read what is in it need not see it.
    found = place.look() if "/" in place.path.strip("/") else None
    if found is not None and not found.is_folder:
        return RemoteListing(place.url, place, "file", [found])
    if found is None and GLOB_SIGNS.search(place.path):
        return _glob(place)
    answer = RemoteListing(place.url, place, "folder")
    _take(walk(place), place, answer)
    if found is None and not answer.files and not answer.hidden and place.look() is None:
        raise RemoteError(f"{place.url}: there is no such file or folder, but an input must exist. Check the spelling.")
    return answer


def _glob(place: RemotePath) -> RemoteListing:
    parts = place.path.split("/")
    first = next(i for i, part in enumerate(parts) if GLOB_SIGNS.search(part))
    behind = len(parts) - first
    root = RemotePath(place.files, "/".join(parts[:first]), place.url.rsplit("/", behind)[0])
    answer = RemoteListing(place.url, root, "pattern")
    for item in _expand(root, parts[first:]):
        if item.is_folder:
            _take(walk(item), item, answer)
        else:
            answer.files.append(item)
    answer.files = sorted({item.path: item for item in answer.files}.values(), key=lambda item: item.path.split("/"))
    return answer


def _take(items: Iterator[RemotePath], root: RemotePath, answer: RemoteListing) -> None:
    for item in items:
        if any(part.startswith(".") for part in item.below(root).split("/")):
            answer.hidden += 1
        else:
            answer.files.append(item)


def _expand(root: RemotePath, pattern: Sequence[str]) -> Iterator[RemotePath]:
    """What matches ``pattern`` below ``root``; behind ``**`` files only."""
    if pattern[0] == "**":
        for item in walk(root):
            if _matches(item.below(root).split("/"), pattern):
                yield item
        return
    for item in root.list():
        if name_matches(item.name, pattern[0]):
            if len(pattern) == 1:
                yield item
            elif item.is_folder:
                yield from _expand(item, pattern[1:])


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    if not pattern or not parts:
        return not pattern and not parts
    if pattern[0] != "**":
        return name_matches(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])
    rest = pattern[1:] or ["*"]
    return _matches(parts, rest) or (not parts[0].startswith(".") and _matches(parts[1:], pattern))


def name_matches(name: str, pattern: str) -> bool:
    """Whether the name of a file or folder fits one part of a glob; only a part that begins with a dot fits hidden ones."""
    return fnmatchcase(name, pattern) and (pattern.startswith(".") or not name.startswith("."))
