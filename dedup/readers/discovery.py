"""Finds the files of the inputs: each once, in a fixed order, before any is read.

A file is named by its path relative to the folder or glob, or by its path as given where two names
would be equal. Symbolic links are followed, but no folder is entered twice.
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
    """A file, and the names that it may get."""

    path: str
    short: str  # relative to the input
    long: str  # as given
    remote: RemotePath | None = None

    @property
    def key(self) -> str:
        """Equal for the same file, whatever path led to it."""
        return self.path if self.remote is not None else os.path.realpath(self.path)


@dataclass
class _Search:
    """Collects problems and skipped files (input -> count) while the inputs are searched."""

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
    """Find the files of the inputs, in the order of the inputs, sorted within each.

    Parameters
    ----------
    inputs : files, folders, globs and URLs
    suffixes : of files that can be read, including that of the compression
    log : receives warnings about skipped files

    Raises
    ------
    InputError
        If an input is missing, is of an unknown kind or contains no readable file. The message
        lists all problems.
    """
    given = [inputs] if isinstance(inputs, (str, os.PathLike)) else list(inputs)
    if not given:
        raise InputError("no input was given. Name at least one file, folder or glob.")
    search = _Search(suffixes)
    found: list[_Found] = []
    seen: set[str] = set()
    for item in given:
        for file in _files_of_input(without_scheme(os.fspath(item)), search):
            if file.key not in seen:
                seen.add(file.key)
                found.append(file)
    if search.problems:
        raise InputError("\n".join(search.problems))
    _warn_of_skipped(search, log)
    return [_source_of(file, name, suffixes) for file, name in zip(found, _result_names(found), strict=True)]


def split_suffix(path: str, suffixes: Collection[str]) -> tuple[str, str] | None:
    """``('.jsonl', '.gz')`` of ``crawl.jsonl.gz``; None if the suffix is unknown."""
    name = os.path.basename(path).lower()
    for compression in sorted(DECOMPRESSORS, key=len, reverse=True):
        if name.endswith(compression):
            suffix = os.path.splitext(name.removesuffix(compression))[1]
            return (suffix, compression) if suffix + compression in suffixes else None
    return None


def _files_of_input(given: str, search: _Search) -> list[_Found]:
    """The files of one input, sorted."""
    if is_url(given):
        return _remote_files(given, search)
    if os.path.isdir(given):
        return _files_of_folder(given, search)
    if os.path.exists(given):
        return _single_file(given, search)
    if GLOB_SIGNS.search(given):
        return _files_of_glob(given, search)
    search.problems.append(f"{given}: there is no such file or folder, but an input must exist. Check the spelling and the current folder.")
    return []


def _remote_files(given: str, search: _Search) -> list[_Found]:
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
        search.problems.append(_no_files_problem(found.shown, found.what, search))
    return files


def _single_file(given: str, search: _Search) -> list[_Found]:
    if not os.path.isfile(given):
        search.problems.append(f"{given}: neither a file nor a folder, but one of them is needed. Save its content to a file first.")
    elif split_suffix(given, search.suffixes) is None:
        known = ", ".join(search.suffixes)
        search.problems.append(f"{given}: the suffix is unknown, known are {known}. Rename the file if it is one of these, or convert it.")
    else:
        return [_Found(given, os.path.basename(given), _as_given(given))]
    return []


def _files_of_folder(given: str, search: _Search) -> list[_Found]:
    problems = len(search.problems)
    files = _found_files(_walk(given, given, search, set()), given)
    if not files and len(search.problems) == problems:  # else the reason is already in the list
        search.problems.append(_no_files_problem(given, "folder", search))
    return files


def _files_of_glob(given: str, search: _Search) -> list[_Found]:
    parts = given.replace(os.sep, "/").split("/")
    first = next(i for i, part in enumerate(parts) if GLOB_SIGNS.search(part))
    root = "/".join(parts[:first]) or ("/" if first else "")
    pattern = [part for part in parts[first:] if part]
    problems = len(search.problems)
    paths: list[str] = []
    for path in dict.fromkeys(_expand_glob(root, pattern, search)):
        if os.path.isfile(path):
            if split_suffix(path, search.suffixes) is None:
                search.skip_unknown(given, path)
            else:
                paths.append(path)
        elif os.path.isdir(path) and "**" not in pattern:  # ** reaches the files inside by itself
            paths.extend(_walk(path, given, search, set()))
        elif not os.path.isdir(path):
            search.skip_irregular(given)
    if not paths and len(search.problems) == problems:
        search.problems.append(_no_files_problem(given, "pattern", search))
    return _found_files(dict.fromkeys(paths), root or ".")


def _no_files_problem(given: str, what: str, search: _Search) -> str:
    skipped = search.unknown.get(given)
    seen = f"only files with other suffixes ({', '.join(sorted(skipped)[:_MOST_SHOWN])})" if skipped else "nothing"
    return f"{given}: the {what} gives {seen}, but needs at least one of {', '.join(search.suffixes)}. Check the path."


def _expand_glob(root: str, pattern: Sequence[str], search: _Search) -> Iterator[str]:
    """The paths below ``root`` that match ``pattern``, a glob split at its slashes."""
    part, rest = pattern[0], pattern[1:]
    if part == "**":
        for folder in _folders(root, search, set()):
            yield from _expand_glob(folder, rest or ["*"], search)
        return
    if GLOB_SIGNS.search(part):
        matches = [os.path.join(root, name) for name in _list_folder(root or ".", search) if name_matches(name, part)]
    else:
        path = os.path.join(root, part)
        matches = [path] if os.path.exists(path) else []
    for path in matches:
        if not rest:
            yield path
        elif os.path.isdir(path):
            yield from _expand_glob(path, rest, search)


def _folders(root: str, search: _Search, entered: set[tuple[int, int]]) -> Iterator[str]:
    """``root`` and every folder below it, each once."""
    waiting = [root]  # no recursion, for folders can be nested deeper than Python functions
    while waiting:
        folder = waiting.pop()
        if not _is_first_visit(folder or ".", entered):
            continue
        yield folder
        paths = [os.path.join(folder, name) for name in _list_folder(folder or ".", search) if not name.startswith(".")]
        waiting.extend(path for path in reversed(paths) if os.path.isdir(path))


def _walk(root: str, given: str, search: _Search, entered: set[tuple[int, int]]) -> Iterator[str]:
    """The readable files below ``root``; counts skipped ones."""
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        if not _is_first_visit(folder, entered):
            continue
        names = _list_folder(folder, search)
        if folder != root and _is_result(folder, names):
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


def _is_result(folder: str, names: list[str]) -> bool:
    """Whether a folder contains the result of a run, finished or not, which is no input."""
    return {"manifest.json", "documents.parquet", "rejects.parquet"} <= set(names) or (
        ".work" in names and os.path.isfile(os.path.join(folder, ".work", "journal.json"))
    )


def _is_first_visit(folder: str, entered: set[tuple[int, int]]) -> bool:
    """Whether this folder is entered for the first time; links may lead in a circle."""
    try:
        status = os.stat(folder)
    except OSError:
        return False
    key = (status.st_dev, status.st_ino)
    fresh = key not in entered
    entered.add(key)
    return fresh


def _list_folder(folder: str, search: _Search) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError as error:
        search.problems.append(
            f"{safe_name(folder)}: cannot list the folder ({error.strerror}), but all of it must be read. Check its permissions."
        )
        return []


def _found_files(paths: Iterator[str] | Collection[str], root: str) -> list[_Found]:
    """The files of these paths, sorted by their path relative to ``root``."""
    files = [_Found(path, _slashes(os.path.relpath(path, root)), _as_given(path)) for path in paths]
    return sorted(files, key=lambda file: file.short.split("/"))


def _result_names(found: Sequence[_Found]) -> list[str]:
    """The short name of each file if it is unique, else its path as given, else its full path."""
    names = [safe_name(file.short) for file in found]
    for better in ([file.long for file in found], [_slashes(file.key) for file in found]):
        taken = Counter(names)
        names = [name if taken[name] == 1 else safe_name(long) for name, long in zip(names, better, strict=True)]
    return names


def _source_of(file: _Found, name: str, suffixes: Collection[str]) -> Source:
    suffix, compression = split_suffix(file.path, suffixes) or ("", "")
    return Source(file.path, name, suffix, compression, file.remote)


def _warn_of_skipped(search: _Search, log: ReadLog) -> None:
    for given in dict.fromkeys([*search.unknown, *search.hidden, *search.irregular, *search.results]):
        shown = safe_name(os.path.basename(os.path.normpath(given)))
        kinds = search.unknown.get(given, Counter())
        if kinds:
            listed = ", ".join(sorted(kinds)[:_MOST_SHOWN])
            one, many = (
                f"{{n}} file skipped, its suffix is not read ({listed})",
                f"{{n}} files skipped, their suffixes are not read ({listed})",
            )
            log.warn(shown, one, many, count=kinds.total())
        log.warn(
            shown, "{n} folder with the result of a run skipped", "{n} folders with results of runs skipped", count=search.results[given]
        )
        log.warn(shown, "{n} hidden file or folder skipped", "{n} hidden files or folders skipped", count=search.hidden[given])
        special, count = "pipe, a socket, a device or a link that leads nowhere", search.irregular[given]
        log.warn(shown, f"{{n}} file skipped, it is a {special}", f"{{n}} files skipped, each is a {special}", count=count)


def _as_given(path: str) -> str:
    return _slashes(os.path.normpath(path))


def _slashes(path: str) -> str:
    return path.replace(os.sep, "/")
