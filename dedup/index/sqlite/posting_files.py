"""The posting files of a folder: which there are, when they are merged, and what they list together."""

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
from .segments import Damaged, Segment

_PATTERN = "postings-*.seg"
#: A file is merged with those written after it as soon as they have half as many postings, so that each posting is written about
#: log2(all / FLUSH) times. Larger files than this are only merged by ``compact``, for a merge is made in memory.
_MOST_MERGED = 1 << 26
#: Small files, which a writer leaves that adds little and closes, are merged when there are more files than this.
_MOST_FILES = 8


class Named(NamedTuple):
    """A file as the table ``segments`` names it."""

    name: str
    postings: int
    bytes: int


class PostingFiles:
    """Posting files, the older ones first. Whoever holds this object keeps their bytes, even after they are deleted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.named: list[Named] = []
        self._segments: list[Segment] = []

    def __len__(self) -> int:
        return len(self._segments)

    def follow(self, named: Sequence[Named]) -> None:
        """Open the files that are named, and let go of others.

        Raises
        ------
        Damaged
            If a file is not what was written.
        FileNotFoundError
            If one is gone: it was merged, and the table that names it is old; or somebody deleted it.
        """
        known = dict(zip(self.named, self._segments, strict=True))
        segments = []
        for file in named:
            segment = known.get(file)
            if segment is None:
                segment = self._open(file)
            segments.append(segment)
        self.named, self._segments = list(named), segments

    def _open(self, file: Named) -> Segment:
        path = self._folder / file.name
        try:
            segment = Segment.open(path)
        except Damaged as error:
            if not path.exists():
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path)) from error
            raise
        if len(segment) != file.postings:
            raise Damaged(f"{path}: has {len(segment)} postings, the index says {file.postings}")
        return segment

    def lookup(self, keys: Hashes, offsets: Ints, most: int) -> list[PostingLists]:
        """What the keys of each row list in each file."""
        return [segment.lookup(keys, offsets, most) for segment in self._segments]

    def all_values(self, key: int) -> list[Values]:
        """What a key lists in each file."""
        return [segment.all_values(key) for segment in self._segments]

    def merged_from(self, added: int) -> int:
        """The first of the files that become one with ``added`` postings that are to be written."""
        sizes, first, total = [file.postings for file in self.named], len(self.named), added
        while first and sizes[first - 1] + total <= _MOST_MERGED and (sizes[first - 1] <= 2 * total or first >= _MOST_FILES):
            first -= 1
            total += sizes[first]
        return first

    def write(self, name: str, added: tuple[Hashes, Values], first: int, gone: Ints) -> Named:
        """Write a file of the postings of the files from ``first`` on and of added ones, without those of the numbers in ``gone``.

        It is on the disk when this returns, and counts as soon as the table names it.
        """
        segment = Segment.build(*added)
        if first < len(self) or len(gone):
            segment = Segment.merge([*self._segments[first:], segment], gone)
        path = self._folder / name
        try:
            segment.write(path)
            sync_folder(self._folder)
            return Named(name, len(segment), path.stat().st_size)
        except BaseException:
            with suppress(OSError):
                path.unlink(missing_ok=True)
            raise

    def delete(self, names: Iterable[str]) -> None:
        """Delete files that are no longer named; where the system keeps a file that is in use, the next writer does it."""
        for name in names:
            with suppress(OSError):
                (self._folder / name).unlink(missing_ok=True)

    def delete_unnamed(self) -> None:
        """Delete what a writer that was killed has left."""
        named = {file.name for file in self.named}
        self.delete(path.name for path in self._folder.glob(_PATTERN) if path.name not in named)


def name_of(place: int) -> str:
    """The name of the so manieth file; no name is used again."""
    return f"postings-{place:06d}.seg"
