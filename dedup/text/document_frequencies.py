"""Document frequencies of terms in a background corpus, and the file format that stores them.

With them a corpus of twelve documents weighs words like one of a million. ``data/background.npz``
is shipped; ``stories/fit_idf.py`` counts other corpora.
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

#: The two lowest bits of a term are flags, not part of its hash: see ``kernels/text/terms.py``.
FLAGS = np.uint64(3)
FORMAT = 1
#: To be increased when kernels change the term of a word although the tables of folding and
#: stemming are the same.
TERM_VERSION = 1

_ARRAYS = {"terms": (np.uint64, 1), "counts": (np.uint32, 1), "documents": (np.int64, 0), "format": (np.int64, 0), "rules": (np.uint64, 0)}
#: Raised by NumPy, zipfile and zlib for files that are damaged, truncated, encrypted or malicious.
_BROKEN = (ValueError, EOFError, KeyError, MemoryError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error)
WHAT_TO_DO = "Use a file that 'dedup stories fit-idf' wrote, or leave stories.background out."


@cache
def term_rules() -> int:
    """A fingerprint of the rules that turn words into terms.

    Counts made by other rules do not fit this version.
    """
    lists = stem_lists()
    words = [sorted(group) for group in (lists.whole, lists.ending, lists.split)]
    digest = hashlib.sha256(repr((TERM_VERSION, PREFIXES, SUFFIXES, SHORTEST, words)).encode())
    for array in fold_table():
        digest.update(np.ascontiguousarray(array).tobytes())
    return int.from_bytes(digest.digest()[:8], "little")


def read_counts(path: str | os.PathLike[str]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint32], int]:
    """Read a file: (terms, counts, number of documents).

    Raises
    ------
    ConfigError
        See ``DocumentFrequencies.read``.
    """
    try:
        with open(path, "rb") as file:
            arrays = _read_arrays(file)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror or error}). {WHAT_TO_DO}") from error
    except _BROKEN as error:
        raise ConfigError(f"{path}: the file is damaged ({error or type(error).__name__}). {WHAT_TO_DO}") from error
    if problem := _problem(arrays):
        raise ConfigError(f"{path}: {problem}. {WHAT_TO_DO}")
    return arrays["terms"], arrays["counts"], int(arrays["documents"])


def _read_arrays(file: IO[bytes]) -> dict[str, Any]:
    """The arrays of an ``.npz`` with known names; an empty dict if the file is not one."""
    if not zipfile.is_zipfile(file):
        return {}
    file.seek(0)
    with np.load(file, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in _ARRAYS if name in stored.files}
    return {name: array for name, array in arrays.items() if isinstance(array, np.ndarray)}


def _problem(arrays: dict[str, Any]) -> str | None:
    """Why some arrays are not usable counts; None if they are."""
    if "terms" not in arrays or "counts" not in arrays:
        return "not a file of document frequencies, or only a part of one"
    if (version := arrays.get("format", np.int64(FORMAT))).ndim == 0 and version != FORMAT:
        return f"the file has format {version}, but this version of dedup reads format {FORMAT}"
    for name, (dtype, dimensions) in _ARRAYS.items():
        array = arrays.get(name)
        if array is None or array.dtype != dtype or array.ndim != dimensions:
            return f"not a file of document frequencies: it needs '{name}' as a {dimensions}-dimensional array of {np.dtype(dtype)}"
    if int(arrays["rules"]) != term_rules():
        return "the file was made by a version of dedup with other rules of folding or stemming; make it again"
    terms, counts, documents = arrays["terms"], arrays["counts"], int(arrays["documents"])
    if len(terms) != len(counts) or len(terms) == 0:
        return f"the file is damaged: it has {len(terms):,} terms and {len(counts):,} counts"
    if (terms[1:] <= terms[:-1]).any() or (terms & FLAGS).any():
        return "the file is damaged: its terms are not sorted hashes"
    if counts.min() < 1 or counts.max() > documents:
        return f"the file is damaged: it has {documents:,} documents, but terms in {counts.min():,} to {counts.max():,} of them"
    return None


def check_file(path: str | os.PathLike[str], *, overwrite: bool) -> None:
    """Check that ``write_counts`` can write to a path; called before and after the counting.

    Raises
    ------
    OutputError
        See ``DocumentFrequencies.write``.
    """
    target = Path(path).absolute()
    if target.is_dir():
        raise OutputError(f"{path}: is a folder. Give the name of a file.")
    if target.exists():
        if not overwrite:
            raise OutputError(f"{path}: exists. Choose another name, or replace it with --overwrite.")
        try:
            with open(target, "rb") as file:
                ours = {"terms", "counts"} <= set(_read_arrays(file))
        except (OSError, *_BROKEN):
            ours = False
        if not ours:
            raise OutputError(f"{path}: is not a file of document frequencies, so it is not overwritten. Choose another name.")
    folder = next(parent for parent in target.parents if parent.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise OutputError(f"{path}: cannot be written, since {folder.name or folder} is read-only or no folder. Choose another place.")


def write_counts(
    terms: npt.NDArray[np.uint64], counts: npt.NDArray[np.uint32], documents: int, path: str | os.PathLike[str], *, overwrite: bool
) -> None:
    """Write a file that ``read_counts`` reads.

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
    """How many documents of a background corpus contain each term.

    Attributes
    ----------
    terms : uint64[n], sorted, without flags
    counts : uint32[n], documents that contain each term
    documents : number of documents of the corpus
    """

    terms: npt.NDArray[np.uint64]
    counts: npt.NDArray[np.uint32]
    documents: int

    def document_frequency(self, terms: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """int64[len(terms)]: the number of documents that contain each term; 0 if it is unknown."""
        if len(self.terms) == 0:
            return np.zeros(len(terms), np.int64)
        terms = terms & ~FLAGS
        places = np.minimum(np.searchsorted(self.terms, terms), len(self.terms) - 1)
        return np.where(self.terms[places] == terms, self.counts[places], 0).astype(np.int64)

    def common_terms(self, share: float) -> npt.NDArray[np.uint64]:
        """Sorted terms in at least this share of the documents."""
        return self.terms[self.counts >= share * self.documents]

    def digest(self) -> str:
        """Sixteen hex digits of the content."""
        parts = np.array([self.documents], "<i8"), self.terms.astype("<u8"), self.counts.astype("<u4")
        return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()[:16]

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> DocumentFrequencies:
        """Read a file that ``write`` wrote.

        Raises
        ------
        ConfigError
            If the file is missing or damaged, is something else, or was made by other rules than
            this version's.
        """
        return cls(*read_counts(path))

    def write(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write to a file, which appears complete or not at all. Equal counts give equal bytes.

        Raises
        ------
        OutputError
            If the file cannot be written, or exists and ``overwrite`` is not given or it is
            something else.
        """
        write_counts(self.terms, self.counts, self.documents, path, overwrite=overwrite)


@cache
def background() -> DocumentFrequencies:
    """The shipped document frequencies."""
    with resources.files("dedup.data").joinpath("background.npz").open("rb") as file, np.load(file) as arrays:
        return DocumentFrequencies(arrays["terms"], arrays["counts"], int(arrays["documents"]))


def background_of(setting: str) -> DocumentFrequencies:
    """Resolve the setting ``stories.background``: ``shipped`` (or empty), ``none``, or a file.

    Raises
    ------
    ConfigError
        See ``DocumentFrequencies.read``.
    """
    if setting in (SHIPPED, ""):
        return background()
    return DocumentFrequencies(np.empty(0, np.uint64), np.empty(0, np.uint32), 0) if setting == NONE else DocumentFrequencies.read(setting)


def content_name(known: DocumentFrequencies) -> str:
    """The name that configuration digests use: ``shipped``, ``none``, or the digest of the content."""
    if known.documents == 0:
        return NONE
    digest = known.digest()
    return SHIPPED if digest == background().digest() else digest
