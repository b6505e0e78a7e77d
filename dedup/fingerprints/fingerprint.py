"""Text to what is compared: the one path for batch runs, single texts and, later, other engines.

A batch of documents comes in; its words, digests, shingles and terms come out as arrays, row by row. No
text is kept and no Python string is made.
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
from ..kernels.fingerprints.shingles import shingle_hashes, shingle_rows
from ..kernels.text.terms import stem_letter_rows, term_rows
from ..kernels.text.token_cache import CHUNKS, ENTRY, WORDS, TokenCache, document_rows
from ..text.folding import fold_table
from ..text.lexicon import stem_table, title_table
from ..text.normalization import tokenize
from .minhash import Signatures, sign_rows, sign_shingles


def shingle_strings(tokens: list[str], words: int) -> list[str]:
    """The shingles of a token list: ``words`` consecutive tokens joined by a space, in text order, repeats kept.

    A list of one to ``words`` tokens has one shingle, all of it; an empty one has none.
    """
    if not tokens:
        return []
    width = min(words, len(tokens))
    return [" ".join(tokens[i : i + width]) for i in range(len(tokens) - width + 1)]


Terms = npt.NDArray[np.uint64]
_NO_LIMIT = 1 << 40
#: Documents that are copied at a time.
_CHOSEN = 1 << 14
_per_thread = threading.local()
#: The parts of a fingerprint that are rows of hashes.
ROWS = ("shingles", "terms", "title_terms", "title_shingles")


@dataclass(frozen=True, eq=False)
class Fingerprints:
    """Documents as arrays.

    ``words`` int32[n] tokens of the text; ``digests`` uint64[n, 2], equal if the canonical token streams are;
    ``shingles`` sorted unique word shingles of the text; ``terms`` stems of the text in order, no stop words;
    ``title_terms`` the same of the title, negations and the like included; ``title_shingles`` sorted unique character shingles over the
    stems of the title; ``title_words`` int32[n] stems of the title. Rows are ``(values, offsets)``.
    """

    words: npt.NDArray[np.int32]
    digests: npt.NDArray[np.uint64]
    shingles: Rows
    terms: Rows
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
    """Fingerprints batch by batch: the values of rows where ``spill`` keeps them, the rest in memory.

    Parameters
    ----------
    kept : makes the pile of a name in a file that lasts, in the place of those of ``spill``
    """

    def __init__(self, spill: SpillPool, kept: Callable[[str], PersistentArray] | None = None) -> None:
        self._spill, self._kept = spill, kept
        self._values: dict[str, SpilledArray | PersistentArray] = {}
        self._counts: dict[str, list[npt.NDArray[Any]]] = {item.name: [] for item in fields(Fingerprints)}

    def add(self, fingerprints: Fingerprints) -> None:
        """Add the documents of a batch behind those that are there."""
        for name, counts in document_columns(fingerprints).items():
            part = getattr(fingerprints, name)
            if isinstance(part, tuple):
                values, offsets = part
                self._array(name).add(values[offsets[0] : offsets[-1]])
            self._counts[name].append(counts)

    def resume(self, counts: Mapping[str, npt.NDArray[Any]]) -> None:
        """Count documents of which the values are in kept files already, see ``document_columns``."""
        for item in fields(Fingerprints):
            if item.name in ROWS:
                self._array(item.name)
            self._counts[item.name].append(counts[item.name])

    def build(self) -> Fingerprints:
        """All documents; at least one batch must have been added."""
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
    """What each document has of its own, by name: words, digests, and how many values in each of its rows."""
    return {
        item.name: np.diff(getattr(fingerprints, item.name)[1]) if item.name in ROWS else getattr(fingerprints, item.name)
        for item in fields(Fingerprints)
    }


def take_spilled(fingerprints: Fingerprints, rows: npt.NDArray[np.int64], spill: SpillPool) -> Fingerprints:
    """The chosen documents as fingerprints of their own, kept in ``spill``."""
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
    tokens, token_offsets, digests, terms, term_offsets = _read(texts, aligned=False)
    shingles = shingle_rows(tokens, token_offsets, config.shingles.words)
    words = np.diff(token_offsets).astype(np.int32)
    return Fingerprints(words, digests, shingles, (terms, term_offsets), *fingerprint_titles(titles, config))


def fingerprint_with_tokens(texts: Any, titles: Any, config: Config) -> tuple[Fingerprints, Rows, Terms]:
    """As ``fingerprint``, with what documents are made of: rows of tokens, and the term of each token, 0 for a stop word."""
    tokens, offsets, digests, aligned, _ = _read(texts, aligned=True)
    shingles, terms = shingles_and_terms((tokens, offsets), aligned, config)
    fingerprints = Fingerprints(np.diff(offsets).astype(np.int32), digests, shingles, terms, *fingerprint_titles(titles, config))
    return fingerprints, (tokens, offsets), aligned


def shingles_and_terms(tokens: Rows, aligned: Terms, config: Config) -> tuple[Rows, Rows]:
    """Shingles and terms of documents of which the words are known, as ``fingerprint_with_tokens`` gives them."""
    return shingle_rows(*tokens, config.shingles.words), filter_rows(aligned, tokens[1], aligned != 0)


def _read(texts: Any, *, aligned: bool) -> Any:
    return document_rows(*text_rows(texts), True, aligned, _cache_of_thread(True), fold_table(), stem_table())


def fingerprint_titles(titles: Any, config: Config) -> tuple[Rows, Rows, npt.NDArray[np.int32]]:
    """Stems and character shingles of titles, and how many stems each has: ``title_terms``, ``title_shingles``, ``title_words``."""
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
    """MinHash signatures of texts, as a batch run makes them of articles.

    Parameters
    ----------
    texts : an Arrow text column or a sequence of strings
    config : its ``shingles.words`` and ``signatures`` count

    Returns
    -------
    Signatures, one row per text; see ``Signatures.to_datasketch`` to use them with datasketch
    """
    config = config or Config()
    settings = config.signatures
    if not isinstance(texts, pa.Array | pa.ChunkedArray):
        texts = pa.array(list(texts), pa.large_string())
    if settings.scheme == "datasketch":
        rows = [shingle_strings(tokenize(text or "", "shingle"), config.shingles.words) for text in texts.to_pylist()]
        return Signatures(sign_shingles(rows, settings), settings.scheme, settings.seed)
    tokens, offsets, _, _, _ = document_rows(*text_rows(texts), False, False, _cache_of_thread(False), fold_table(), stem_table())
    return Signatures(sign_rows(shingle_hashes(tokens, offsets, config.shingles.words), settings), settings.scheme, settings.seed)


def shingle(text: str, config: Config | None = None) -> list[str]:
    """The shingles of one text as strings, in text order: what an article is compared by."""
    config = config or Config()
    return shingle_strings(tokenize(text, "shingle"), config.shingles.words)
