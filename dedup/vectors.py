"""Terms to TF-IDF vectors, as one sparse matrix; no text and no Python object per document.

A document is its title, counted several times, and the first words of its text: news says what it is about
at the top. Document frequencies come from a background corpus and this one together, so that weights, and with
them the cuts of the clustering, mean the same in a corpus of twelve documents and of a million. A document in another
language than the background's is weighed by the others of its kind alone. A headline has few words, so half of its
vector are runs of letters: they meet where endings differ. Where a first clustering is known, the headlines of a story
count as one: a name is not common because the one event that it belongs to has a hundred headlines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.preprocessing import normalize

from .background import FLAGS, Background
from .buffers import Rows, filter_rows
from .config import StoryConfig

#: A document is in the language of the background if the background knows this share of its different terms.
NATIVE = 0.7


@dataclass(frozen=True, eq=False)
class Vectors:
    """TF-IDF vectors of documents.

    ``matrix`` float32 CSR [n_documents, n_terms], rows of length 1 (or 0); ``terms`` uint64[n_terms], the term
    hash of each column.
    """

    matrix: Any
    terms: npt.NDArray[np.uint64]


def vectorize(
    titles: Rows, bodies: Rows, letters: Rows, known: Background, config: StoryConfig, stories: npt.NDArray[np.int64] | None = None
) -> Vectors:
    """Weigh terms by TF-IDF.

    Parameters
    ----------
    titles, bodies : term rows, see ``fingerprint.py``; of a body the first ``lead_words`` terms count
    letters : for a headline the character shingles of its title, else an empty row
    known : the background corpus
    stories : int64[n_documents], numbers of documents that count once in document frequencies; each its own if left out
    """
    title_rows, body_rows = _row_numbers(titles[1]), _row_numbers(bodies[1])
    lead = np.arange(len(bodies[0])) - bodies[1][body_rows] < config.lead_words
    weights = np.concatenate([np.full(len(titles[0]), config.title_weight), np.ones(np.count_nonzero(lead))])
    rows = np.concatenate([title_rows, body_rows[lead]])
    counts, terms = _count(np.concatenate([titles[0], bodies[0][lead]]), rows, weights, len(titles[1]) - 1)
    stories = np.arange(counts.shape[0]) if stories is None else np.unique(stories, return_inverse=True)[1]
    words = _weigh(counts, _idf(counts, terms, known, stories))
    if len(letters[0]) == 0:
        return Vectors(words, terms)
    counts, shingles = _count(letters[0], _row_numbers(letters[1]), np.ones(len(letters[0])), len(letters[1]) - 1)
    with_letters = (np.diff(letters[1]) > 0)[:, np.newaxis]
    share = np.where(with_letters, config.letters, 0.0)
    own = _weigh(counts, _letter_idf(counts, stories))
    matrix = sparse.hstack([words.multiply(np.sqrt(1 - share)), own.multiply(np.sqrt(share))]).tocsr().astype(np.float32)
    # Runs of letters are marked as numbers are: neither is a keyword.
    return Vectors(_tidy(matrix), np.concatenate([terms, shingles | FLAGS]))


def without_terms(rows: Rows, terms: npt.NDArray[np.uint64]) -> Rows:
    """Rows of terms without the given ones, whatever their flags."""
    return filter_rows(*rows, ~np.isin(rows[0] & ~FLAGS, terms & ~FLAGS))


def _row_numbers(offsets: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))


def _count(terms: npt.NDArray[np.uint64], rows: npt.NDArray[np.int64], weights: npt.NDArray[Any], n: int) -> tuple[Any, Any]:
    """Weights of terms as a matrix [n, n_terms], and the term of each column."""
    columns, places = np.unique(terms, return_inverse=True)
    counts = sparse.csr_matrix((weights.astype(np.float32), (rows, places)), shape=(n, len(columns)), dtype=np.float32)
    counts.sum_duplicates()
    return counts, columns


def _weigh(counts: Any, idf: npt.NDArray[np.float64]) -> Any:
    """Rows of ``1 + log(count)`` times the weight of each entry, of unit length."""
    matrix = sparse.csr_matrix(((1 + np.log(counts.data)) * idf, counts.indices, counts.indptr), shape=counts.shape)
    unit = normalize(matrix, copy=False) if matrix.nnz else matrix
    return _tidy(unit.astype(np.float32))


def _tidy(matrix: Any) -> Any:
    matrix.eliminate_zeros()
    matrix.sort_indices()
    return matrix


def _idf(counts: Any, terms: npt.NDArray[np.uint64], known: Background, stories: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Smoothed inverse document frequency of each entry.

    Over the background and the documents in its language; for other documents, which the background says nothing of, over
    those alone.
    """
    background = known.document_frequency(terms)
    rows = _row_numbers(counts.indptr)
    seen = np.bincount(rows, weights=background[counts.indices] > 0, minlength=counts.shape[0])
    native = seen >= NATIVE * np.diff(counts.indptr)
    of_native = native[rows]
    idf = np.empty(len(rows))
    for entries, chosen, documents, frequency in (
        (of_native, native, known.documents, background),
        (~of_native, ~native, 0, np.zeros(len(terms), np.int64)),
    ):
        columns = counts.indices[entries]
        own_documents, own_frequency = _frequency(counts, chosen, stories)
        idf[entries] = np.log((1 + documents + own_documents) / (1 + frequency + own_frequency)[columns]) + 1
    return idf


def _letter_idf(counts: Any, stories: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """The same of runs of letters, over the documents that have any."""
    documents, frequency = _frequency(counts, np.diff(counts.indptr) > 0, stories)
    idf: npt.NDArray[np.float64] = np.log((1 + documents) / (1 + frequency[counts.indices])) + 1
    return idf


def _frequency(counts: Any, chosen: npt.NDArray[np.bool_], stories: npt.NDArray[np.int64]) -> tuple[int, npt.NDArray[np.int64]]:
    """How many stories the chosen documents are, and in how many of them each term occurs."""
    rows = np.flatnonzero(chosen)
    numbers, places = np.unique(stories[rows], return_inverse=True)
    terms = counts[rows]
    if len(numbers) < len(rows):
        terms = sparse.csr_matrix((np.ones(len(rows), np.float32), (places, np.arange(len(rows)))), (len(numbers), len(rows))) @ terms
    return len(numbers), np.bincount(terms.indices, minlength=counts.shape[1])
