"""The posting files of an index folder: opens, merges and searches them as one inverted index."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ...arrays.rows import Ints
from ...storage.files import sync_folder
from ..store import Hashes, PostingLists, Values
from .segments import DamagedFileError, Segment

_PATTERN = "postings-*.seg"
#: A file is merged with the newer ones as soon as they have half as many postings, so each posting
#: is written about log2(all / FLUSH) times. Above this many postings only ``compact`` merges,
#: because a merge is done in memory.
_MOST_MERGED = 1 << 26
#: With more files than this, small ones are merged too: writers that add little and close leave
#: many of them.
_MOST_FILES = 8


class NamedFile(NamedTuple):
    """A row of the table ``segments``: file name, number of postings, size in bytes."""

    name: str
    postings: int
    bytes: int


class PostingFiles:
    """Open posting files, oldest first; still readable through this object when deleted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.named: list[NamedFile] = []
        self._segments: list[Segment] = []

    def __len__(self) -> int:
        return len(self._segments)

    def follow(self, named: Sequence[NamedFile]) -> None:
        """Open the named files and release all others.

        Raises
        ------
        DamagedFileError
            If a file is damaged.
        FileNotFoundError
            If one is missing: it was merged after the table was read, or somebody deleted it.
        """
        known = dict(zip(self.named, self._segments, strict=True))
        segments = []
        for file in named:
            segment = known.get(file)
            if segment is None:
                segment = self._open_segment(file)
            segments.append(segment)
        self.named, self._segments = list(named), segments

    def _open_segment(self, file: NamedFile) -> Segment:
        path = self._folder / file.name
        try:
            segment = Segment.open(path)
        except DamagedFileError as error:
            if not path.exists():
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path)) from error
            raise
        if len(segment) != file.postings:
            raise DamagedFileError(f"{path}: has {len(segment)} postings, the index says {file.postings}")
        return segment

    def lookup(self, keys: Hashes, offsets: Ints, most: int) -> list[PostingLists]:
        """Look up the keys of each row in each file."""
        return [segment.lookup(keys, offsets, most) for segment in self._segments]

    def all_values(self, key: int) -> list[Values]:
        """Return all values of a key in each file."""
        return [segment.all_values(key) for segment in self._segments]

    def merged_from(self, added: int) -> int:
        """Return the index of the first file to merge when ``added`` postings are written."""
        sizes, first, total = [file.postings for file in self.named], len(self.named), added
        while first and sizes[first - 1] + total <= _MOST_MERGED and (sizes[first - 1] <= 2 * total or first >= _MOST_FILES):
            first -= 1
            total += sizes[first]
        return first

    def write(self, name: str, added: tuple[Hashes, Values], first: int, gone: Ints) -> NamedFile:
        """Merge the files from ``first`` on and added postings, except those of documents in ``gone``.

        The file is synced to disk when this returns, and counts once the table ``segments`` names
        it.
        """
        segment = Segment.build(*added)
        if first < len(self) or len(gone):
            segment = Segment.merge([*self._segments[first:], segment], gone)
        path = self._folder / name
        try:
            segment.write(path)
            sync_folder(self._folder)
            return NamedFile(name, len(segment), path.stat().st_size)
        except BaseException:
            with suppress(OSError):
                path.unlink(missing_ok=True)
            raise

    def delete(self, names: Iterable[str]) -> None:
        """Delete files; one that is in use and cannot be deleted is left to the next writer."""
        for name in names:
            with suppress(OSError):
                (self._folder / name).unlink(missing_ok=True)

    def delete_unnamed(self) -> None:
        """Delete files left behind by a killed writer."""
        named = {file.name for file in self.named}
        self.delete(path.name for path in self._folder.glob(_PATTERN) if path.name not in named)


def file_name(place: int) -> str:
    """Return the file name of posting file ``place``. Names are never reused."""
    return f"postings-{place:06d}.seg"
