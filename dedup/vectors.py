"""Terms to TF-IDF vectors, as one sparse matrix; no text and no Python object per document.

A document is its title, counted several times, and the first words of its text: news says what it is about
at the top. Document frequencies come from a background corpus and this one together, so that weights, and with
them the cuts of the clustering, mean the same in a corpus of twelve documents and of a million.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.feature_extraction.text import TfidfTransformer

from .background import FLAGS, Background
from .buffers import Rows, filter_rows
from .config import StoryConfig


@dataclass(frozen=True, eq=False)
class Vectors:
    """TF-IDF vectors of documents.

    ``matrix`` float32 CSR [n_documents, n_terms], rows of length 1 (or 0); ``terms`` uint64[n_terms], the term
    hash of each column.
    """

    matrix: Any
    terms: npt.NDArray[np.uint64]


def vectorize(titles: Rows, bodies: Rows, known: Background, config: StoryConfig) -> Vectors:
    """Weigh terms by TF-IDF.

    Parameters
    ----------
    titles, bodies : term rows, see ``fingerprint.py``; of a body the first ``lead_words`` terms count
    known : the background corpus
    """
    n = len(titles[1]) - 1
    title_rows, body_rows = _row_numbers(titles[1]), _row_numbers(bodies[1])
    lead = np.arange(len(bodies[0])) - bodies[1][body_rows] < config.lead_words
    terms, columns = np.unique(np.concatenate([titles[0], bodies[0][lead]]), return_inverse=True)
    weights = np.concatenate([np.full(len(titles[0]), config.title_weight), np.ones(np.count_nonzero(lead))]).astype(np.float32)
    rows = np.concatenate([title_rows, body_rows[lead]])
    counts = sparse.csr_matrix((weights, (rows, columns)), shape=(n, len(terms)), dtype=np.float32)
    if 0 in counts.shape:
        return Vectors(counts, terms)
    counts.sum_duplicates()
    transformer = TfidfTransformer(sublinear_tf=True)
    transformer.idf_ = _idf(counts, terms, known)
    matrix = transformer.transform(counts).astype(np.float32)
    matrix.eliminate_zeros()
    matrix.sort_indices()
    return Vectors(matrix, terms)


def without_terms(rows: Rows, terms: npt.NDArray[np.uint64]) -> Rows:
    """Rows of terms without the given ones, whatever their flags."""
    return filter_rows(*rows, ~np.isin(rows[0] & ~FLAGS, terms & ~FLAGS))


def _row_numbers(offsets: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))


def _idf(counts: Any, terms: npt.NDArray[np.uint64], known: Background) -> npt.NDArray[np.float64]:
    """Smoothed inverse document frequency over the background and this corpus."""
    here = np.bincount(counts.indices, minlength=len(terms))
    frequency = here + known.document_frequency(terms)
    idf: npt.NDArray[np.float64] = np.log((1 + counts.shape[0] + known.documents) / (1 + frequency)) + 1
    return idf
