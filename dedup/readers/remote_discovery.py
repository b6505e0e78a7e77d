"""Finds the files of a URL on an object store: a file, a folder or a glob.

A folder takes one request. A glob takes one for each folder that its parts lead to; from ``**`` on,
one for everything below.
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
    """The files of a URL.

    Attributes
    ----------
    shown : the URL, without credentials
    root : the folder to which the names of the files are relative
    what : ``file``, ``folder`` or ``pattern``
    files : sorted, without hidden ones
    hidden : number of hidden files
    """

    shown: str
    root: RemotePath
    what: str
    files: list[RemotePath] = field(default_factory=list)
    hidden: int = 0


def list_remote(given: str) -> RemoteListing:
    """List the files of a URL without opening any.

    Raises
    ------
    RemoteError
        If there is no file or folder of this name, or the server refuses access.
    """
    place = locate(given)
    if GLOB_SIGNS.search(place.path.strip("/").partition("/")[0]):
        raise RemoteError(f"{place.url}: a pattern in the name of the bucket, but buckets are not listed. Name one bucket.")
    # A bucket is listed, not looked up: the right to read its files does not include the right to
    # look up the bucket.
    found = place.look() if "/" in place.path.strip("/") else None
    if found is not None and not found.is_folder:
        return RemoteListing(place.url, place, "file", [found])
    if found is None and GLOB_SIGNS.search(place.path):
        return _list_glob(place)
    answer = RemoteListing(place.url, place, "folder")
    _add_files(walk(place), place, answer)
    if found is None and not answer.files and not answer.hidden and place.look() is None:
        raise RemoteError(f"{place.url}: there is no such file or folder, but an input must exist. Check the spelling.")
    return answer


def _list_glob(place: RemotePath) -> RemoteListing:
    parts = place.path.split("/")
    first = next(i for i, part in enumerate(parts) if GLOB_SIGNS.search(part))
    behind = len(parts) - first
    root = RemotePath(place.files, "/".join(parts[:first]), place.url.rsplit("/", behind)[0])
    answer = RemoteListing(place.url, root, "pattern")
    for item in _expand_glob(root, parts[first:]):
        if item.is_folder:
            _add_files(walk(item), item, answer)
        else:
            answer.files.append(item)
    answer.files = sorted({item.path: item for item in answer.files}.values(), key=lambda item: item.path.split("/"))
    return answer


def _add_files(items: Iterator[RemotePath], root: RemotePath, answer: RemoteListing) -> None:
    for item in items:
        if any(part.startswith(".") for part in item.below(root).split("/")):
            answer.hidden += 1
        else:
            answer.files.append(item)


def _expand_glob(root: RemotePath, pattern: Sequence[str]) -> Iterator[RemotePath]:
    """The files and folders below ``root`` that match a split glob; after ``**`` only files."""
    if pattern[0] == "**":
        for item in walk(root):
            if _path_matches(item.below(root).split("/"), pattern):
                yield item
        return
    for item in root.list():
        if name_matches(item.name, pattern[0]):
            if len(pattern) == 1:
                yield item
            elif item.is_folder:
                yield from _expand_glob(item, pattern[1:])


def _path_matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    if not pattern or not parts:
        return not pattern and not parts
    if pattern[0] != "**":
        return name_matches(parts[0], pattern[0]) and _path_matches(parts[1:], pattern[1:])
    rest = pattern[1:] or ["*"]
    return _path_matches(parts, rest) or (not parts[0].startswith(".") and _path_matches(parts[1:], pattern))


def name_matches(name: str, pattern: str) -> bool:
    """Whether a name fits one part of a glob; hidden names need a part that begins with a dot."""
    return fnmatchcase(name, pattern) and (pattern.startswith(".") or not name.startswith("."))
