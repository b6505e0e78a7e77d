"""How common a term is in news at large: in how many documents of a background corpus each stem occurs.

The counts make a corpus of twelve documents and one of a million weigh words alike. Those that are shipped are
``data/background.npz``; ``idf.py`` counts other corpora, and ``counts_file.py`` knows how counts are kept.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from .counts_file import FLAGS as FLAGS  # for those who know only what is counted
from .counts_file import WHAT_TO_DO as WHAT_TO_DO
from .counts_file import read_counts, write_counts

#: Values of the setting ``stories.background`` that name no file.
SHIPPED, NONE = "shipped", "none"


@dataclass(frozen=True)
class Background:
    """``terms`` uint64[n] sorted, flags 0, ``counts`` uint32[n] documents that hold each, of ``documents`` in all."""

    terms: npt.NDArray[np.uint64]
    counts: npt.NDArray[np.uint32]
    documents: int

    def document_frequency(self, terms: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """int64[len(terms)]: documents of the background that hold each term; 0 where it is unknown."""
        if len(self.terms) == 0:
            return np.zeros(len(terms), np.int64)
        terms = terms & ~FLAGS
        places = np.minimum(np.searchsorted(self.terms, terms), len(self.terms) - 1)
        return np.where(self.terms[places] == terms, self.counts[places], 0).astype(np.int64)

    def common_terms(self, share: float) -> npt.NDArray[np.uint64]:
        """Sorted terms that stand in at least this share of the documents."""
        return self.terms[self.counts >= share * self.documents]

    def digest(self) -> str:
        """Sixteen hex digits of what is counted, wherever it is kept."""
        parts = np.array([self.documents], "<i8"), self.terms.astype("<u8"), self.counts.astype("<u4")
        return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()[:16]

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Background:
        """Read a file that ``write`` wrote.

        Raises
        ------
        ConfigError
            If the file is missing, is no file of counts, is damaged, or was made by other rules than this version's.
        """
        return cls(*read_counts(path))

    def write(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write the counts to a file, which appears whole or not at all; the same counts give the same bytes.

        Raises
        ------
        OutputError
            If the file exists (unless ``overwrite`` is given and it holds earlier counts), or cannot be written.
        """
        write_counts(self.terms, self.counts, self.documents, path, overwrite=overwrite)


@cache
def background() -> Background:
    """The shipped counts."""
    with resources.files("dedup.data").joinpath("background.npz").open("rb") as file, np.load(file) as arrays:
        return Background(arrays["terms"], arrays["counts"], int(arrays["documents"]))


def background_of(setting: str) -> Background:
    """The counts that ``stories.background`` asks for: ``shipped`` (or nothing), ``none``, or those of a file.

    Raises
    ------
    ConfigError
        See ``Background.read``.
    """
    if setting in (SHIPPED, ""):
        return background()
    return Background(np.empty(0, np.uint64), np.empty(0, np.uint32), 0) if setting == NONE else Background.read(setting)


def content_name(known: Background) -> str:
    """What counts are called in digests of configurations, by what is in them: ``shipped``, ``none`` or their digest."""
    if known.documents == 0:
        return NONE
    digest = known.digest()
    return SHIPPED if digest == background().digest() else digest
