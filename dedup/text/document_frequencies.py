"""How common a term is in news at large: in how many documents of a background corpus each stem occurs.

The counts make a corpus of twelve documents and one of a million weigh words alike. Those that are shipped are
``data/background.npz``; ``idf.py`` counts other corpora, and ``counts_file.py`` knows how counts are kept.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from ..errors import ConfigError, OutputError
from .folding import fold_table
from .stemming import PREFIXES, SHORTEST, SUFFIXES, stem_lists

#: The two lowest bits of a term tell what it is, not which: see ``kernels/terms.py``.
FLAGS = np.uint64(3)
FORMAT = 1
#: To be raised when kernels give another term for a word though the tables of folding and stemming are the same.
TERM_VERSION = 1

_ARRAYS = {"terms": (np.uint64, 1), "counts": (np.uint32, 1), "documents": (np.int64, 0), "format": (np.int64, 0), "rules": (np.uint64, 0)}
#: What NumPy, zipfile and zlib raise over files that are damaged, torn, encrypted or made to mislead.
_BROKEN = (ValueError, EOFError, KeyError, MemoryError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error)
WHAT_TO_DO = "Give a file that 'dedup stories fit-idf' wrote, or leave stories.background out."


@cache
def term_rules() -> int:
    """A number for the rules by which words become terms: counts by other rules say nothing of this version's terms."""
    lists = stem_lists()
    words = [sorted(group) for group in (lists.whole, lists.ending, lists.split)]
    digest = hashlib.sha256(repr((TERM_VERSION, PREFIXES, SUFFIXES, SHORTEST, words)).encode())
    for array in fold_table():
        digest.update(np.ascontiguousarray(array).tobytes())
    return int.from_bytes(digest.digest()[:8], "little")


def read_counts(path: str | os.PathLike[str]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint32], int]:
    """Terms, counts and the number of documents of a file; what is no file of counts is refused.

    Raises
    ------
    ConfigError
        See ``DocumentFrequencies.read``.
    """
    try:
        with open(path, "rb") as file:
            arrays = _read_arrays(file)
    except OSError as error:
        raise ConfigError(f"{path}: cannot read these counts ({error.strerror or error}). {WHAT_TO_DO}") from error
    except _BROKEN as error:
        raise ConfigError(f"{path}: this file of counts is damaged ({error or type(error).__name__}). {WHAT_TO_DO}") from error
    if problem := _problem(arrays):
        raise ConfigError(f"{path}: {problem}. {WHAT_TO_DO}")
    return arrays["terms"], arrays["counts"], int(arrays["documents"])


def _read_arrays(file: IO[bytes]) -> dict[str, Any]:
    """The arrays of an ``.npz`` that have a known name; none of a file that is something else."""
    if not zipfile.is_zipfile(file):
        return {}
    file.seek(0)
    with np.load(file, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in _ARRAYS if name in stored.files}
    return {name: array for name, array in arrays.items() if isinstance(array, np.ndarray)}


def _problem(arrays: dict[str, Any]) -> str | None:
    """What keeps some arrays from being counts that can be used."""
    if "terms" not in arrays or "counts" not in arrays:
        return "this is no file of counts, or only a part of one"
    if (version := arrays.get("format", np.int64(FORMAT))).ndim == 0 and version != FORMAT:
        return f"these counts have the format {version}, but this version of dedup reads format {FORMAT}"
    for name, (dtype, dimensions) in _ARRAYS.items():
        array = arrays.get(name)
        if array is None or array.dtype != dtype or array.ndim != dimensions:
            return f"this is no file of counts: it should hold '{name}' as a {dimensions}-dimensional array of {np.dtype(dtype)}"
    if int(arrays["rules"]) != term_rules():
        return "these counts were made by a version of dedup that folds or stems words by other rules, so they must be made anew"
    terms, counts, documents = arrays["terms"], arrays["counts"], int(arrays["documents"])
    if len(terms) != len(counts) or len(terms) == 0:
        return f"this file of counts is damaged: it has {len(terms):,} terms and {len(counts):,} counts"
    if (terms[1:] <= terms[:-1]).any() or (terms & FLAGS).any():
        return "this file of counts is damaged: its terms are not sorted hashes"
    if counts.min() < 1 or counts.max() > documents:
        return f"this file of counts is damaged: a term in {counts.min():,} to {counts.max():,} of {documents:,} documents cannot be"
    return None


def check_file(path: str | os.PathLike[str], *, overwrite: bool) -> None:
    """Find what would keep ``write_counts`` from writing; called before the work is done as well as after it.

    Raises
    ------
    OutputError
        See ``DocumentFrequencies.write``.
    """
    target = Path(path).absolute()
    if target.is_dir():
        raise OutputError(f"{path}: is a folder. Name a file for the counts.")
    if target.exists():
        if not overwrite:
            raise OutputError(f"{path}: exists. Choose another name, or give --overwrite to replace earlier counts.")
        try:
            with open(target, "rb") as file:
                ours = {"terms", "counts"} <= set(_read_arrays(file))
        except (OSError, *_BROKEN):
            ours = False
        if not ours:
            raise OutputError(f"{path}: is no earlier file of counts and is not overwritten. Choose another name.")
    folder = next(parent for parent in target.parents if parent.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise OutputError(f"{path}: cannot be written, {folder.name or folder} takes no files. Choose another place.")


def write_counts(
    terms: npt.NDArray[np.uint64], counts: npt.NDArray[np.uint32], documents: int, path: str | os.PathLike[str], *, overwrite: bool
) -> None:
    """Write a file of counts.

    Raises
    ------
    OutputError
        See ``DocumentFrequencies.write``.
    """
    check_file(path, overwrite=overwrite)
    target = Path(path).absolute()
    arrays = {
        "terms": terms,
        "counts": counts,
        "documents": np.int64(documents),
        "format": np.int64(FORMAT),
        "rules": np.uint64(term_rules()),
    }
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as aside:
            fresh = Path(aside) / target.name
            with zipfile.ZipFile(fresh, "w") as archive:
                for name, array in arrays.items():
                    member = zipfile.ZipInfo(f"{name}.npy")  # dated 1980, whenever it is written
                    content = io.BytesIO()
                    np.lib.format.write_array(content, np.asarray(array), allow_pickle=False)
                    archive.writestr(member, content.getvalue(), zipfile.ZIP_DEFLATED)
            fresh.replace(target)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error}). Free some space or choose another place.") from error


#: Values of the setting ``stories.background`` that name no file.
SHIPPED, NONE = "shipped", "none"


@dataclass(frozen=True)
class DocumentFrequencies:
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
    def read(cls, path: str | os.PathLike[str]) -> DocumentFrequencies:
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
def background() -> DocumentFrequencies:
    """The shipped counts."""
    with resources.files("dedup.data").joinpath("background.npz").open("rb") as file, np.load(file) as arrays:
        return DocumentFrequencies(arrays["terms"], arrays["counts"], int(arrays["documents"]))


def background_of(setting: str) -> DocumentFrequencies:
    """The counts that ``stories.background`` asks for: ``shipped`` (or nothing), ``none``, or those of a file.

    Raises
    ------
    ConfigError
        See ``DocumentFrequencies.read``.
    """
    if setting in (SHIPPED, ""):
        return background()
    return DocumentFrequencies(np.empty(0, np.uint64), np.empty(0, np.uint32), 0) if setting == NONE else DocumentFrequencies.read(setting)


def content_name(known: DocumentFrequencies) -> str:
    """What counts are called in digests of configurations, by what is in them: ``shipped``, ``none`` or their digest."""
    if known.documents == 0:
        return NONE
    digest = known.digest()
    return SHIPPED if digest == background().digest() else digest
