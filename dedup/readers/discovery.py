"""Inputs as given by a person -> files to read, in a fixed order, each once.

Files, folders (recursive) and globs (``**`` too: the shell does not always expand them) come in. All that
is wrong with them is said in one ``InputError`` before anything is read. A file is called by its path
relative to the folder or glob it came from; when two files would be called the same, by the path as given.
Symbolic links are followed, but no folder is entered twice. URLs are looked up by ``elsewhere``.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from ..errors import InputError
from ..storage.remote import RemoteError, RemotePath, is_url, without_scheme
from .log import ReadLog
from .remote_discovery import GLOB_SIGNS, list_remote, name_matches
from .source import DECOMPRESSORS, Source
from .values import safe_name

_MOST_SHOWN = 10


@dataclass
class _Found:
    """A file, and the two names it may get."""

    path: str
    short: str  # relative to the input
    long: str  # as given
    remote: RemotePath | None = None

    @property
    def key(self) -> str:
        """The same for the same file."""
        return self.path if self.remote is not None else os.path.realpath(self.path)


@dataclass
class _Search:
    """What is collected while the inputs are looked through."""

    suffixes: Collection[str]
    problems: list[str] = field(default_factory=list)
    hidden: Counter[str] = field(default_factory=Counter)
    unknown: dict[str, Counter[str]] = field(default_factory=dict)
    irregular: Counter[str] = field(default_factory=Counter)
    results: Counter[str] = field(default_factory=Counter)

    def skip_hidden(self, given: str) -> None:
        self.hidden[given] += 1

    def skip_irregular(self, given: str) -> None:
        self.irregular[given] += 1

    def skip_unknown(self, given: str, path: str) -> None:
        suffix = safe_name(os.path.splitext(path)[1].lower()) or "no suffix"
        self.unknown.setdefault(given, Counter())[suffix] += 1


def find_files(inputs: Sequence[str | os.PathLike[str]], *, suffixes: Collection[str], log: ReadLog) -> list[Source]:
    """Find every file of the inputs, in the order of the inputs, sorted within each.

    Raises
    ------
    InputError
        If an input is missing, is of an unknown kind, or holds no file that can be read. All problems are named.
    """
    given = [inputs] if isinstance(inputs, (str, os.PathLike)) else list(inputs)
    if not given:
        raise InputError("no input was given. Name at least one file, folder or glob.")
    search = _Search(suffixes)
    found: list[_Found] = []
    seen: set[str] = set()
    for item in given:
        for file in _look(without_scheme(os.fspath(item)), search):
            if file.key not in seen:
                seen.add(file.key)
                found.append(file)
    if search.problems:
        raise InputError("\n".join(search.problems))
    _tell_skipped(search, log)
    return [_source(file, name, suffixes) for file, name in zip(found, _names(found), strict=True)]


def split_suffix(path: str, suffixes: Collection[str]) -> tuple[str, str] | None:
    """``('.jsonl', '.gz')`` of ``crawl.jsonl.gz``; None if the suffix is unknown."""
    name = os.path.basename(path).lower()
    for compression in sorted(DECOMPRESSORS, key=len, reverse=True):
        if name.endswith(compression):
            suffix = os.path.splitext(name.removesuffix(compression))[1]
            return (suffix, compression) if suffix + compression in suffixes else None
    return None


def _look(given: str, search: _Search) -> list[_Found]:
    """The files of one input."""
    if is_url(given):
        return _elsewhere(given, search)
    if os.path.isdir(given):
        return _folder(given, search)
    if os.path.exists(given):
        return _file(given, search)
    if GLOB_SIGNS.search(given):
        return _glob(given, search)
    search.problems.append(f"{given}: there is no such file or folder, but an input must exist. Check the spelling and the current folder.")
    return []


def _elsewhere(given: str, search: _Search) -> list[_Found]:
    try:
        found = list_remote(given)
    except RemoteError as error:
        search.problems.append(str(error))
        return []
    search.hidden[found.shown] += found.hidden
    files = []
    for item in found.files:
        if split_suffix(item.path, search.suffixes) is not None:
            files.append(_Found(item.url, item.below(found.root) or item.name, item.url, item))
        else:
            search.skip_unknown(found.shown, item.path)
    if not files:
        search.problems.append(_nothing_in(found.shown, found.what, search))
    return files


def _file(given: str, search: _Search) -> list[_Found]:
    if not os.path.isfile(given):
        search.problems.append(f"{given}: neither a file nor a folder, but one of them is needed. Save its content to a file first.")
    elif split_suffix(given, search.suffixes) is None:
        known = ", ".join(search.suffixes)
        search.problems.append(f"{given}: the suffix is unknown, known are {known}. Rename the file if it is one of these, or convert it.")
    else:
        return [_Found(given, os.path.basename(given), _as_given(given))]
    return []


def _folder(given: str, search: _Search) -> list[_Found]:
    problems = len(search.problems)
    files = _sorted(_walk(given, given, search, set()), given)
    if not files and len(search.problems) == problems:  # else it is said already why there is nothing
        search.problems.append(_nothing_in(given, "folder", search))
    return files


def _glob(given: str, search: _Search) -> list[_Found]:
    parts = given.replace(os.sep, "/").split("/")
    first = next(i for i, part in enumerate(parts) if GLOB_SIGNS.search(part))
    root = "/".join(parts[:first]) or ("/" if first else "")
    pattern = [part for part in parts[first:] if part]
    problems = len(search.problems)
    paths: list[str] = []
    for path in dict.fromkeys(_expand(root, pattern, search)):
        if os.path.isfile(path):
            if split_suffix(path, search.suffixes) is None:
                search.skip_unknown(given, path)
            else:
                paths.append(path)
        elif os.path.isdir(path) and "**" not in pattern:  # ** reaches what is inside by itself
            paths.extend(_walk(path, given, search, set()))
        elif not os.path.isdir(path):
            search.skip_irregular(given)
    if not paths and len(search.problems) == problems:
        search.problems.append(_nothing_in(given, "pattern", search))
    return _sorted(dict.fromkeys(paths), root or ".")


def _nothing_in(given: str, what: str, search: _Search) -> str:
    skipped = search.unknown.get(given)
    seen = f"only files with other suffixes ({', '.join(sorted(skipped)[:_MOST_SHOWN])})" if skipped else "nothing"
    return f"{given}: the {what} gives {seen}, but needs at least one of {', '.join(search.suffixes)}. Check the path."


def _expand(root: str, pattern: Sequence[str], search: _Search) -> Iterator[str]:
    """Paths that match ``pattern`` below ``root``, part by part."""
    part, rest = pattern[0], pattern[1:]
    if part == "**":
        for folder in _folders(root, search, set()):
            yield from _expand(folder, rest or ["*"], search)
        return
    if GLOB_SIGNS.search(part):
        matches = [os.path.join(root, name) for name in _list(root or ".", search) if name_matches(name, part)]
    else:
        path = os.path.join(root, part)
        matches = [path] if os.path.exists(path) else []
    for path in matches:
        if not rest:
            yield path
        elif os.path.isdir(path):
            yield from _expand(path, rest, search)


def _folders(root: str, search: _Search, entered: set[tuple[int, int]]) -> Iterator[str]:
    """``root`` and every folder below it, each once."""
    waiting = [root]  # a list, for folders can be nested deeper than functions
    while waiting:
        folder = waiting.pop()
        if not _enter(folder or ".", entered):
            continue
        yield folder
        paths = [os.path.join(folder, name) for name in _list(folder or ".", search) if not name.startswith(".")]
        waiting.extend(path for path in reversed(paths) if os.path.isdir(path))


def _walk(root: str, given: str, search: _Search, entered: set[tuple[int, int]]) -> Iterator[str]:
    """Every readable file below ``root``; counts what is skipped."""
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        if not _enter(folder, entered):
            continue
        names = _list(folder, search)
        if folder != root and _holds_result(folder, names):
            search.results[given] += 1
            continue
        for name in names:
            path = os.path.join(folder, name)
            if name.startswith("."):
                search.skip_hidden(given)
            elif os.path.isdir(path):
                waiting.append(path)
            elif split_suffix(path, search.suffixes) is None:
                search.skip_unknown(given, path)
            elif os.path.isfile(path):
                yield path
            else:
                search.skip_irregular(given)


def _holds_result(folder: str, names: list[str]) -> bool:
    """Whether a folder below an input holds the result of a run, whole or half, which is no crawl."""
    return {"manifest.json", "documents.parquet", "rejects.parquet"} <= set(names) or (
        ".work" in names and os.path.isfile(os.path.join(folder, ".work", "journal.json"))
    )


def _enter(folder: str, entered: set[tuple[int, int]]) -> bool:
    """True the first time; a link that leads back to a folder must not be followed for ever."""
    try:
        status = os.stat(folder)
    except OSError:
        return False
    key = (status.st_dev, status.st_ino)
    fresh = key not in entered
    entered.add(key)
    return fresh


def _list(folder: str, search: _Search) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError as error:
        search.problems.append(
            f"{safe_name(folder)}: the folder cannot be listed ({error.strerror}), but all of it is to be read. Check its permissions."
        )
        return []


def _sorted(paths: Iterator[str] | Collection[str], root: str) -> list[_Found]:
    files = [_Found(path, _slashes(os.path.relpath(path, root)), _as_given(path)) for path in paths]
    return sorted(files, key=lambda file: file.short.split("/"))


def _names(found: Sequence[_Found]) -> list[str]:
    """The short name where it is unique, else the path as given."""
    names = [safe_name(file.short) for file in found]
    for better in ([file.long for file in found], [_slashes(file.key) for file in found]):
        taken = Counter(names)
        names = [name if taken[name] == 1 else safe_name(long) for name, long in zip(names, better, strict=True)]
    return names


def _source(file: _Found, name: str, suffixes: Collection[str]) -> Source:
    suffix, compression = split_suffix(file.path, suffixes) or ("", "")
    return Source(file.path, name, suffix, compression, file.remote)


def _tell_skipped(search: _Search, log: ReadLog) -> None:
    for given in dict.fromkeys([*search.unknown, *search.hidden, *search.irregular, *search.results]):
        shown = safe_name(os.path.basename(os.path.normpath(given)))
        kinds = search.unknown.get(given, Counter())
        if kinds:
            listed = ", ".join(sorted(kinds)[:_MOST_SHOWN])
            one, many = (
                f"{{n}} file skipped, its suffix is not read ({listed})",
                f"{{n}} files skipped, their suffixes are not read ({listed})",
            )
            log.note(shown, one, many, count=kinds.total())
        log.note(
            shown, "{n} folder with the result of a run skipped", "{n} folders with results of runs skipped", count=search.results[given]
        )
        log.note(shown, "{n} hidden file or folder skipped", "{n} hidden files or folders skipped", count=search.hidden[given])
        special, count = "pipe, a socket, a device or a link that leads nowhere", search.irregular[given]
        log.note(shown, f"{{n}} file skipped, it is a {special}", f"{{n}} files skipped, each is a {special}", count=count)


def _as_given(path: str) -> str:
    return _slashes(os.path.normpath(path))


def _slashes(path: str) -> str:
    return path.replace(os.sep, "/")
