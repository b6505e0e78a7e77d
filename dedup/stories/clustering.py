"""Clusters TF-IDF vectors into stories: a function for the pipeline, a scikit-learn estimator for everybody else."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.preprocessing import normalize
from sklearn.utils.validation import check_non_negative, validate_data

from ..arrays.rows import Ints
from ..arrays.threads import thread_count
from ..config import Config, RunConfig, StoryConfig
from ..kernels.stories.linkage import average_linkage
from ..schema import DAY
from .rejoin import rejoin_truncated
from .similarity import neighbours
from .thresholds import least_similarities, relative_similarities


def seconds(times: Any, n: int) -> npt.NDArray[np.float64]:
    """float64[n]: seconds, NaN where a time is unknown.

    Parameters
    ----------
    times : numbers, ``datetime64``, or objects that are numbers, ``datetime`` or None; None if no
        time is known
    n : the number of documents

    Raises
    ------
    ValueError
        If there are not n times, one is infinite, or they are of another type.
    """
    if times is None:
        return np.full(n, np.nan)
    array = np.asarray(times)
    if array.shape != (n,):
        raise ValueError(f"times have the shape {array.shape}, but X has {n} rows: give one time for each, None where it is unknown.")
    if array.dtype.kind == "M":
        known = ~np.isnat(array)
        answer = np.full(n, np.nan)
        answer[known] = array[known].astype("datetime64[us]").astype(np.int64) / 1e6
        return answer
    if array.dtype.kind == "O":
        array = np.array([_number(item) for item in array.tolist()], np.float64)
    if array.dtype.kind not in "iufb":
        raise ValueError(f"times must be seconds or datetime64, got {array.dtype}: parse them first.")
    answer = array.astype(np.float64)
    infinite = np.flatnonzero(np.isinf(answer))
    if len(infinite):
        raise ValueError(f"times have an infinite value in row {infinite[0]}: use NaN where a time is unknown.")
    return answer


def _number(item: Any) -> float:
    if item is None or type(item).__name__ in ("NAType", "NaTType") or item != item:  # pandas' missing values, then NaN
        return np.nan
    if isinstance(item, datetime):
        return (item if item.tzinfo else item.replace(tzinfo=UTC)).timestamp()
    if isinstance(item, np.datetime64):
        return float(item.astype("datetime64[us]").astype(np.int64)) / 1e6
    if isinstance(item, int | float | np.number):
        return float(item)
    raise ValueError(f"times must be seconds or datetime64, got {item!r}: parse them first.")


#: At least this share of the pairs of two stories is counted, however few of them lie in one
#: window.
LEAST_COUNTED = 0.25
_STORY, _RUN = StoryConfig(), RunConfig()
#: Tolerance of unit length; float32 vectors of thousands of terms are within it.
UNIT = 1e-4
#: Weights below this in a row of unit length change no cosine in float32; products of two of them
#: could underflow to 0.
FAINT = 1e-12


def cluster(matrix: Any, times: npt.NDArray[np.float64], headline: npt.NDArray[np.bool_], config: StoryConfig, *, threads: int = 1) -> Ints:
    """Cluster documents into stories.

    Parameters
    ----------
    matrix : float32 CSR, rows of unit length without explicit zeros
    times : float64[n], seconds; NaN where unknown: such a document is compared with all, without
        decay
    headline : bool[n], documents that are only a headline

    Returns
    -------
    int64[n], the smallest row of each document's story
    """
    # The list of all pairs is long: no variable keeps it alive.
    edges, relative, truncated = relative_similarities(
        neighbours(matrix, times, headline, least_similarities(config), config, threads=threads), times, headline, config
    )
    labels: Ints = average_linkage(len(headline), edges.left, edges.right, relative, times / DAY, config.window_days, LEAST_COUNTED, 1.0)
    return rejoin_truncated(labels, truncated, matrix, times, headline, config)


class StoryClusterer(ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """Cluster TF-IDF vectors of news into stories, by average linkage in a window of days.

    This is the story stage of ``dedup.run`` for vectors of any origin. The number of stories is not
    a parameter: stories merge until no two are similar enough on average. Parameters have the names
    and defaults of ``dedup.StoryConfig``. The defaults suit vectors like those of ``dedup.vectors``
    (words of title and lead, document frequencies of a large background); for others, tune ``cut``.

    Parameters
    ----------
    letters : float
        Share of runs of letters, which articles do not have, in a headline's vector.
    window_days : float
        Documents further apart in time are never compared.
    decay_days : float
        Standard deviation of the Gaussian by which similarity fades with time.
    headline_decay_days : float
        The same between two headlines, if it is shorter.
    cut : float
        Average cosine at which the stories of two articles are merged.
    headline_cut : float
        The same for two headlines on a day of hundreds of documents; less is needed on a quiet day.
    crowd : float
        How far the threshold of articles rises with the mean similarity to the nearest documents.
    neighbours : int
        Nearest documents kept for each document.
    threads : int
        Threads; 0 is one per core. Labels do not depend on it.

    Attributes
    ----------
    labels_ : int64[n_documents]
        The story of each document, numbered from 0 in order of first appearance.
    n_stories_ : int
        Number of stories, those of one document included.
    n_features_in_ : int
        Number of columns of ``X``.
    feature_names_in_ : object[n_features]
        Names of the columns, if ``X`` has any.

    Notes
    -----
    In a ``sklearn.pipeline.Pipeline`` the times take the place of ``y``, which scikit-learn passes
    on by position:
    ``make_pipeline(TfidfVectorizer(), StoryClusterer()).fit_predict(texts, times)``.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import TfidfVectorizer
    >>> titles = ["أرامكو توقع عقدا لتوسعة حقل السفانية", "عقد جديد لتوسعة حقل السفانية", "الهلال يفوز على النصر"]
    >>> times = np.array(["2015-07-24T08:00", "2015-07-24T11:30", "2015-07-24T21:00"], "datetime64[s]")
    >>> StoryClusterer().fit_predict(TfidfVectorizer().fit_transform(titles), times)
    array([0, 0, 1])
    """

    def __init__(
        self,
        *,
        letters: float = _STORY.letters,
        window_days: float = _STORY.window_days,
        decay_days: float = _STORY.decay_days,
        headline_decay_days: float = _STORY.headline_decay_days,
        cut: float = _STORY.cut,
        headline_cut: float = _STORY.headline_cut,
        crowd: float = _STORY.crowd,
        neighbours: int = _STORY.neighbours,
        threads: int = _RUN.threads,
    ) -> None:
        self.letters = letters
        self.window_days = window_days
        self.decay_days = decay_days
        self.headline_decay_days = headline_decay_days
        self.cut = cut
        self.headline_cut = headline_cut
        self.crowd = crowd
        self.neighbours = neighbours
        self.threads = threads

    def fit(self, X: Any, times: Any = None, headline: Any = None) -> StoryClusterer:  # noqa: N803
        """Cluster documents.

        Parameters
        ----------
        X : array or sparse matrix [n_documents, n_terms]
            Weights of terms, none negative. Rows are scaled to unit length; a float32 CSR matrix of
            such rows is not copied. A row of zeros is a story of its own.
        times : array [n_documents], optional
            Seconds as numbers, or ``datetime64`` or ``datetime`` (UTC if they have no zone). A
            document without a time (``None``, NaN, NaT, or no ``times`` at all) is compared with
            all others, without decay.
        headline : bool array [n_documents], optional
            Documents that are only a headline; none if left out.

        Returns
        -------
        StoryClusterer
            Itself, with ``labels_``.

        Raises
        ------
        ValueError
            If ``X`` has NaN or negative values, a time is infinite, lengths differ, or a parameter
            is out of range (``dedup.ConfigError``).
        """
        config = self._config()
        matrix = _unit_rows(_checked(self, X))
        n = matrix.shape[0]
        labels = cluster(matrix, seconds(times, n), _flags(headline, n), config.stories, threads=thread_count(config.run.threads))
        # A label is the first row of its story, so sorted labels are in order of appearance.
        firsts, places = np.unique(labels, return_inverse=True)
        self.labels_ = places.astype(np.int64)
        self.n_stories_ = len(firsts)
        return self

    def fit_predict(self, X: Any, times: Any = None, headline: Any = None) -> Ints:  # noqa: N803
        """Cluster documents and return ``labels_``; see ``fit``."""
        labels: Ints = self.fit(X, times, headline).labels_
        return labels

    def _config(self) -> Config:
        """The parameters as a checked configuration."""
        # A grid search sets NumPy numbers.
        values = {name: value.item() if isinstance(value, np.generic) else value for name, value in self.get_params(deep=False).items()}
        threads = values.pop("threads")
        return Config(stories=dataclasses.replace(_STORY, **values), run=RunConfig(threads=threads))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.positive_only = True
        return tags


def _checked(estimator: StoryClusterer, X: Any) -> Any:  # noqa: N803
    """``X`` as float CSR, shape and values checked."""
    checked = validate_data(estimator, X, accept_sparse="csr", dtype=(np.float32, np.float64))
    check_non_negative(checked, "StoryClusterer")
    return sparse.csr_matrix(checked)


def _unit_rows(matrix: Any) -> Any:
    """float32 CSR with rows of unit length or empty, each entry once and above 0; the same object if it already is."""
    squares = matrix.multiply(matrix).sum(axis=1)
    lengths = np.sqrt(np.asarray(squares, np.float64).ravel())
    fine = np.abs(lengths - 1) <= UNIT
    fine |= np.diff(matrix.indptr) == 0
    if matrix.dtype == np.float32 and fine.all() and matrix.has_canonical_format and (matrix.nnz == 0 or matrix.data.min() > FAINT):
        return matrix
    unit = matrix.astype(np.float64)  # a copy
    unit.sum_duplicates()
    # First by the largest weight: otherwise a square may be too large or too small for a float.
    unit = normalize(normalize(unit, "max", copy=False), copy=False)
    unit.data[unit.data <= FAINT] = 0
    unit.eliminate_zeros()
    return unit.astype(np.float32)


def _flags(headline: Any, n: int) -> npt.NDArray[np.bool_]:
    """``headline`` as bool[n]."""
    if headline is None:
        return np.zeros(n, bool)
    flags = np.asarray(headline)
    if flags.shape != (n,):
        raise ValueError(f"headline has the shape {flags.shape}, but X has {n} rows: give one value for each.")
    if not np.isin(flags, (0, 1)).all():
        raise ValueError(f"headline must be True or False, got {flags.dtype} values.")
    return flags.astype(bool)
