"""Texts and titles to fingerprints: word counts, digests, shingles and terms as arrays.

Batch runs and the index share this path. It keeps no text and creates no Python strings.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..arrays.rows import Rows, filter_rows, row_offsets, take_rows, text_rows
from ..arrays.spill import PersistentArray, SpilledArray, SpillPool
from ..config import Config
from ..kernels.copies.briefs import brief_term_rows
from ..kernels.fingerprints.shingles import shingle_hashes, shingle_rows
from ..kernels.text.terms import stem_letter_rows, term_rows
from ..kernels.text.token_cache import CHUNKS, ENTRY, WORDS, TokenCache, document_rows
from ..text.folding import fold_table
from ..text.lexicon import deciding_terms, deciding_tokens, stem_table, tag_terms, title_table
from ..text.normalization import tokenize
from .datasketch_schemes import PERMUTATION_SCHEMES, sign_shingles
from .minhash import Signatures, sign_rows

Terms = npt.NDArray[np.uint64]
_NO_LIMIT = 1 << 40
#: A text of at most this many words is a brief: it is judged as a headline is.
BRIEF_WORDS = 30
#: Documents copied at a time.
_CHOSEN = 1 << 14
_per_thread = threading.local()
#: The fields of ``Fingerprints`` that are rows of hashes.
ROWS = ("shingles", "terms", "brief_terms", "title_terms", "title_shingles")


def shingle_strings(tokens: list[str], words: int) -> list[str]:
    """The shingles of a token list: ``words`` consecutive tokens joined by spaces, repeats included.

    A list of one to ``words`` tokens has one shingle, the whole list; an empty list has none.
    """
    if not tokens:
        return []
    width = min(words, len(tokens))
    return [" ".join(tokens[i : i + width]) for i in range(len(tokens) - width + 1)]


@dataclass(frozen=True, eq=False)
class Fingerprints:
    """The fingerprints of documents, row by row. Rows of hashes are ``(values, offsets)``.

    Attributes
    ----------
    words : int32[n], tokens of the text
    digests : uint64[n, 2], equal if the canonical token streams are equal
    shingles : word shingles of the text, sorted and unique
    terms : stems of the text in order, without stop words
    brief_terms : stems of a short text in order, as those of a title; empty for longer texts, see ``brief_words``
    title_terms : stems of the title in order, without stop words but with negations and the like
    title_shingles : character shingles of the stems of the title, sorted and unique
    title_words : int32[n], stems of the title
    """

    words: npt.NDArray[np.int32]
    digests: npt.NDArray[np.uint64]
    shingles: Rows
    terms: Rows
    brief_terms: Rows
    title_terms: Rows
    title_shingles: Rows
    title_words: npt.NDArray[np.int32]

    def take(self, rows: npt.NDArray[np.int64]) -> Fingerprints:
        """The chosen documents."""
        taken: dict[str, Any] = {}
        for item in fields(self):
            value = getattr(self, item.name)
            taken[item.name] = take_rows(value[0], value[1], rows) if isinstance(value, tuple) else value[rows]
        return Fingerprints(**taken)


class FingerprintBuilder:
    """Collects fingerprints batch by batch: values of rows in arrays of ``spill``, the rest in memory.

    Parameters
    ----------
    kept : opens the persistent array of a name, to be used instead of an array of ``spill``
    """

    def __init__(self, spill: SpillPool, kept: Callable[[str], PersistentArray] | None = None) -> None:
        self._spill, self._kept = spill, kept
        self._values: dict[str, SpilledArray | PersistentArray] = {}
        self._counts: dict[str, list[npt.NDArray[Any]]] = {item.name: [] for item in fields(Fingerprints)}

    def add(self, fingerprints: Fingerprints) -> None:
        """Append the documents of a batch."""
        for name, counts in document_columns(fingerprints).items():
            part = getattr(fingerprints, name)
            if isinstance(part, tuple):
                values, offsets = part
                self._array(name).add(values[offsets[0] : offsets[-1]])
            self._counts[name].append(counts)

    def resume(self, counts: Mapping[str, npt.NDArray[Any]]) -> None:
        """Append documents whose values are in persistent arrays already.

        ``counts`` are their ``document_columns``.
        """
        for item in fields(Fingerprints):
            if item.name in ROWS:
                self._array(item.name)
            self._counts[item.name].append(counts[item.name])

    def build(self) -> Fingerprints:
        """The fingerprints of all documents; needs at least one batch."""
        joined: dict[str, Any] = {}
        for name, parts in self._counts.items():
            together = np.concatenate(parts)
            joined[name] = (self._values[name].array(), row_offsets(together)) if name in self._values else together
            parts.clear()
        return Fingerprints(**joined)

    def _array(self, name: str) -> SpilledArray | PersistentArray:
        if name not in self._values:
            self._values[name] = self._kept(name) if self._kept else self._spill.new_array(np.uint64)
        return self._values[name]


def document_columns(fingerprints: Fingerprints) -> dict[str, npt.NDArray[Any]]:
    """One value per document for each field: the field itself, or the lengths of its rows."""
    return {
        item.name: np.diff(getattr(fingerprints, item.name)[1]) if item.name in ROWS else getattr(fingerprints, item.name)
        for item in fields(Fingerprints)
    }


def take_spilled(fingerprints: Fingerprints, rows: npt.NDArray[np.int64], spill: SpillPool) -> Fingerprints:
    """The fingerprints of the chosen documents, as arrays of ``spill``."""
    builder = FingerprintBuilder(spill)
    for first in range(0, max(len(rows), 1), _CHOSEN):
        builder.add(fingerprints.take(rows[first : first + _CHOSEN]))
        spill.release()
    return builder.build()


def fingerprint(texts: Any, titles: Any, config: Config) -> Fingerprints:
    """Fingerprint a batch of documents.

    Parameters
    ----------
    texts, titles : Arrow text columns of equal length; a null is an empty text
    """
    rows = text_rows(texts)
    tokens, token_offsets, digests, terms, term_offsets = _read_documents(rows, aligned=False)
    shingles = shingle_rows(tokens, token_offsets, config.shingles.words)
    words = np.diff(token_offsets).astype(np.int32)
    short = words <= brief_words(config)
    short_tokens, short_offsets, _, aligned, _ = _read_documents(take_rows(*rows, np.flatnonzero(short)), aligned=True)
    values, offsets = _brief_terms((short_tokens, short_offsets), aligned, config)
    counts = np.zeros(len(words), np.int64)
    counts[short] = np.diff(offsets)
    briefs = values, row_offsets(counts)
    return Fingerprints(words, digests, shingles, (terms, term_offsets), briefs, *fingerprint_titles(titles, config))


def brief_words(config: Config) -> int:
    """The most words of a text that can be a copy of a brief of BRIEF_WORDS: more than ``copies.contained`` of it would be new."""
    return int(BRIEF_WORDS / config.copies.contained)


def _brief_terms(tokens: Rows, aligned: Terms, config: Config) -> Rows:
    """The field ``brief_terms``."""
    lists = *deciding_tokens(), deciding_terms(), tag_terms()
    rows: Rows = brief_term_rows(*tokens, aligned, brief_words(config), *lists)
    return rows


def fingerprint_with_tokens(texts: Any, titles: Any, config: Config) -> tuple[Fingerprints, Rows, Terms]:
    """Fingerprint a batch of documents, and return their tokens too.

    Returns
    -------
    (fingerprints, tokens, terms)
        Rows of token hashes, and the term of each token, 0 for a stop word.
    """
    tokens, offsets, digests, aligned, _ = _read_documents(text_rows(texts), aligned=True)
    rows = text_fingerprints((tokens, offsets), aligned, config)
    fingerprints = Fingerprints(np.diff(offsets).astype(np.int32), digests, *rows, *fingerprint_titles(titles, config))
    return fingerprints, (tokens, offsets), aligned


def text_fingerprints(tokens: Rows, aligned: Terms, config: Config) -> tuple[Rows, Rows, Rows]:
    """The fields ``shingles``, ``terms`` and ``brief_terms``, from the results of ``fingerprint_with_tokens``."""
    terms = filter_rows(aligned, tokens[1], aligned != 0)
    return shingle_rows(*tokens, config.shingles.words), terms, _brief_terms(tokens, aligned, config)


def _read_documents(rows: tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]], *, aligned: bool) -> Any:
    return document_rows(*rows, True, aligned, _cache_of_thread(True), fold_table(), stem_table())


def fingerprint_titles(titles: Any, config: Config) -> tuple[Rows, Rows, npt.NDArray[np.int32]]:
    """The fields ``title_terms``, ``title_shingles`` and ``title_words`` of titles."""
    title, tables = text_rows(titles), (fold_table(), title_table())
    terms, offsets, _, _ = term_rows(*title, _NO_LIMIT, *tables)
    letters, letter_offsets, words = stem_letter_rows(*title, _NO_LIMIT, *tables)
    return (terms, offsets), shingle_rows(letters, letter_offsets, config.shingles.headline_chars), words.astype(np.int32)


def _cache_of_thread(stemmed: bool) -> TokenCache:
    """The token cache of this thread; each thread has its own, so that none waits for another."""
    caches: dict[bool, TokenCache] = _per_thread.__dict__.setdefault("caches", {})
    if stemmed not in caches:
        caches[stemmed] = TokenCache(np.zeros((CHUNKS, ENTRY), np.uint64), np.zeros((WORDS if stemmed else 2, 2), np.uint64))
    return caches[stemmed]


def sign(texts: Any, config: Config | None = None) -> Signatures:
    """Compute the signatures of texts; those of scheme ``native`` as a batch run computes those of articles.

    Parameters
    ----------
    texts : an Arrow text column or a sequence of strings
    config : its ``shingles.words`` and ``signatures`` count

    Returns
    -------
    Signatures
        One row per text; ``to_datasketch`` converts them.
    """
    config = config or Config()
    settings = config.signatures
    if not isinstance(texts, pa.Array | pa.ChunkedArray):
        texts = pa.array(list(texts), pa.large_string())
    if settings.scheme in PERMUTATION_SCHEMES:
        rows = [shingle_strings(tokenize(text or "", "shingle"), config.shingles.words) for text in texts.to_pylist()]
        return Signatures(sign_shingles(rows, settings), settings.scheme, settings.seed)
    tokens, offsets, _, _, _ = document_rows(*text_rows(texts), False, False, _cache_of_thread(False), fold_table(), stem_table())
    return Signatures(sign_rows(shingle_hashes(tokens, offsets, config.shingles.words), settings), settings.scheme, settings.seed)


def shingle(text: str, config: Config | None = None) -> list[str]:
    """The shingles of one text as strings, in text order, as a run compares articles."""
    config = config or Config()
    return shingle_strings(tokenize(text, "shingle"), config.shingles.words)
