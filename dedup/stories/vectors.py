"""TF-IDF vectors of documents, from the title (weighted) and the first words of the text.

A background corpus adds to the document frequencies, so that thresholds mean the same for twelve
documents and a million. Documents in another language than its are weighed by themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.preprocessing import normalize

from ..arrays.rows import Rows, filter_rows, take_rows
from ..config import StoryConfig
from ..kernels.stories.tfidf import smoothed_idf
from ..text.document_frequencies import FLAGS, DocumentFrequencies

#: A document is *native*, in the language of the background, if the background knows this share of
#: its different terms.
NATIVE = 0.7
BLOCK = 1 << 20


@dataclass(frozen=True, eq=False)
class Vectors:
    """TF-IDF vectors of documents.

    ``matrix`` float32 CSR [n_documents, n_terms], rows of length 1 (or 0); ``terms``
    uint64[n_terms], the term hash of each column.
    """

    matrix: Any
    terms: npt.NDArray[np.uint64]


def vectorize(
    titles: Rows, bodies: Rows, letters: Rows, known: DocumentFrequencies, config: StoryConfig, stories: npt.NDArray[np.int64] | None = None
) -> Vectors:
    """Weigh terms by TF-IDF.

    Parameters
    ----------
    titles, bodies : term rows, see ``fingerprint.py``; the first ``lead_words`` terms of a body
        count
    letters : the character shingles of a headline's title, else an empty row; a headline has few
        words, and runs of letters match where endings differ
    known : the background corpus
    stories : int64[n_documents], optional
        A first clustering: documents of one story count once in document frequencies. A name is not
        common because the one event that it belongs to has a hundred headlines.
    """
    n = len(titles[1]) - 1
    leads = take_rows(*bodies, np.arange(n), np.full(n, config.lead_words))
    counts, terms = _count([titles, leads], [config.title_weight, 1.0])
    stories = np.arange(counts.shape[0]) if stories is None else np.unique(stories, return_inverse=True)[1]
    words = _weigh(counts, _idf(counts, terms, known, stories))
    if len(letters[0]) == 0:
        return Vectors(words, terms)
    counts, shingles = _count([letters], [1.0])
    with_letters = (np.diff(letters[1]) > 0)[:, np.newaxis]
    share = np.where(with_letters, config.letters, 0.0)
    own = _weigh(counts, _letter_idf(counts, stories))
    matrix = sparse.hstack([words.multiply(np.sqrt(1 - share)), own.multiply(np.sqrt(share))]).tocsr().astype(np.float32)
    # Runs of letters get the flags of numbers: neither can be a keyword.
    return Vectors(_tidy(matrix), np.concatenate([terms, shingles | FLAGS]))


def story_rows(
    terms: Rows,
    title_terms: Rows,
    letters: Rows,
    rows: npt.NDArray[np.int64],
    headline: npt.NDArray[np.bool_],
    short: npt.NDArray[np.bool_],
    left_out: npt.NDArray[np.uint64],
    config: StoryConfig,
) -> tuple[Rows, Rows, Rows]:
    """The rows of chosen documents that ``vectorize`` takes: (titles, bodies, letters).

    The text of a headline is its title, which counts once. A headline that is too short to judge
    gets empty rows and stays alone: «كاريكاتير» is no story. Only headlines have letters.

    Parameters
    ----------
    terms, title_terms, letters : ``terms``, ``title_terms`` and ``title_shingles`` of
        ``Fingerprints``
    rows : int64[n], the chosen documents
    headline, short : bool[n], of the chosen documents
    left_out : uint64, terms that do not count in titles
    """
    judged, all_of_it = ~(headline & short), np.iinfo(np.int64).max
    bodies = take_rows(*terms, rows, np.where(headline, 0, config.lead_words))
    titles = without_terms(take_rows(*title_terms, rows, np.where(judged, all_of_it, 0)), left_out)
    return titles, bodies, take_rows(*letters, rows, np.where(headline & judged, all_of_it, 0))


def without_terms(rows: Rows, terms: npt.NDArray[np.uint64]) -> Rows:
    """Remove the given terms from all rows, whatever their flags."""
    left_out, plain = np.unique(terms & ~FLAGS), rows[0] & ~FLAGS
    if not len(left_out):
        return rows
    places = np.minimum(np.searchsorted(left_out, plain), len(left_out) - 1)
    return filter_rows(*rows, left_out[places] != plain)


def _row_numbers(offsets: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    return np.repeat(np.arange(len(offsets) - 1, dtype=np.int32), np.diff(offsets))


def _count(parts: list[Rows], weights: list[float]) -> tuple[Any, npt.NDArray[np.uint64]]:
    """Count terms, weighted by part: a matrix [n, n_terms], and the term of each column."""
    columns = np.unique(np.concatenate([np.unique(terms) for terms, _ in parts]))
    rows = np.concatenate([_row_numbers(offsets) for _, offsets in parts])
    places = np.concatenate([_columns_of(columns, terms) for terms, _ in parts])
    values = np.repeat(np.array(weights, np.float32), [len(terms) for terms, _ in parts])
    counts = sparse.csr_matrix((values, (rows, places)), shape=(len(parts[0][1]) - 1, len(columns)), dtype=np.float32)
    counts.sum_duplicates()
    return counts, columns


def _columns_of(columns: npt.NDArray[np.uint64], terms: npt.NDArray[np.uint64]) -> npt.NDArray[np.int32]:
    """The column of each term, looked up in blocks: one look-up of all terms would double the memory."""
    places = np.empty(len(terms), np.int32)
    for start in range(0, len(terms), BLOCK):
        places[start : start + BLOCK] = np.searchsorted(columns, terms[start : start + BLOCK])
    return places


def _weigh(counts: Any, idf: npt.NDArray[np.float32]) -> Any:
    """Unit rows of ``(1 + log(count)) * idf``; overwrites ``counts``."""
    np.log(counts.data, out=counts.data)
    counts.data += 1
    counts.data *= idf
    return _tidy(normalize(counts, copy=False) if counts.nnz else counts)


def _tidy(matrix: Any) -> Any:
    matrix.eliminate_zeros()
    matrix.sort_indices()
    return matrix


def _idf(counts: Any, terms: npt.NDArray[np.uint64], known: DocumentFrequencies, stories: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Smoothed idf of each entry: native documents over background and corpus, others over themselves alone."""
    background = known.document_frequency(terms)
    shares = sparse.csr_matrix(((background > 0).astype(np.float32)[counts.indices], counts.indices, counts.indptr), counts.shape)
    lengths = np.diff(counts.indptr)
    native = np.asarray(shares.sum(axis=1)).ravel() >= NATIVE * lengths
    documents, frequency = _frequency(counts, native & (lengths > 0), stories)
    idf: npt.NDArray[np.float32] = _smoothed(documents + known.documents, frequency + background)[counts.indices]
    if not native.all():
        foreign = np.repeat(~native, lengths)
        idf[foreign] = _smoothed(*_frequency(counts, ~native, stories))[counts.indices[foreign]]
    return idf


def _letter_idf(counts: Any, stories: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Smoothed idf of each run of letters, over the documents that have any."""
    idf: npt.NDArray[np.float32] = _smoothed(*_frequency(counts, np.diff(counts.indptr) > 0, stories))[counts.indices]
    return idf


def _smoothed(documents: int, frequency: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    idf: npt.NDArray[np.float32] = smoothed_idf(documents, frequency).astype(np.float32)
    return idf


def _frequency(counts: Any, chosen: npt.NDArray[np.bool_], stories: npt.NDArray[np.int64]) -> tuple[int, npt.NDArray[np.int64]]:
    """The number of stories among the chosen documents, and in how many of them each term occurs."""
    rows = np.flatnonzero(chosen)
    numbers, places = np.unique(stories[rows], return_inverse=True)
    terms = counts if chosen.all() else counts[rows]
    if len(numbers) < len(rows):
        terms = sparse.csr_matrix((np.ones(len(rows), np.float32), (places, np.arange(len(rows)))), (len(numbers), len(rows))) @ terms
    return len(numbers), np.bincount(terms.indices, minlength=counts.shape[1])
