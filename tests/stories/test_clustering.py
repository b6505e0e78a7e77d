"""The estimator passes the checks of scikit-learn, accepts all types of input, and agrees with the pipeline."""

from __future__ import annotations

import dataclasses
import doctest
import inspect
import math
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pyarrow as pa
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks

import dedup
from dedup import ConfigError, RunConfig, StoryClusterer, StoryConfig
from dedup.schema import DAY
from dedup.stories import cluster, clustering

#: Story settings of vectors, not of clustering.
OF_VECTORS = {"background", "enabled", "title_weight", "lead_words"}
#: Checks that must fail, and their messages.
EXPECTED_FAILURES = {
    # Hands over negative values, which no weight of a word is; 'positive_only' does not keep it from that.
    "check_clustering": "Negative values in data",
    # The second argument of fit is called 'times': the place of y has a meaning here.
    "check_fit_score_takes_y": "Expected y or Y as second argument",
}
NOON = datetime(2015, 7, 24, 12, tzinfo=UTC)


def corpus(seed=0, stories=12, documents=80, columns=60):
    """float64 CSR of documents, each with words of its story and some of its own; times over twelve days; headlines."""
    random = np.random.default_rng(seed)
    words = random.random((stories, columns)) * (random.random((stories, columns)) < 0.15)
    story = random.integers(0, stories, documents)
    dense = words[story] * (random.random((documents, columns)) < 0.7) + random.random((documents, columns)) * (
        random.random((documents, columns)) < 0.05
    )
    return sparse.csr_matrix(dense), story * DAY + random.random(documents) * DAY, random.random(documents) < 0.2


def unit(matrix):
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return sparse.csr_matrix(matrix.multiply(1 / np.where(lengths > 0, lengths, 1)[:, np.newaxis]), dtype=np.float32)


def pair(cosine=0.5):
    return np.array([[1.0, 0.0], [cosine, math.sqrt(1 - cosine**2)]])


def joined(*arguments, **parameters):
    return StoryClusterer(**parameters).fit_predict(*arguments).tolist() == [0, 0]


def checks():
    """Scikit-learn's checks of an estimator. ``parametrize_with_checks`` of some versions warns under pytest 9."""
    return list(estimator_checks.estimator_checks_generator(StoryClusterer()))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.parametrize(("estimator", "check"), checks(), ids=lambda value: value.func.__name__ if hasattr(value, "func") else "")
def test_estimator_passes_the_checks_of_scikit_learn(estimator, check):
    if check.func.__name__ in EXPECTED_FAILURES:
        with pytest.raises((AssertionError, ValueError), match=EXPECTED_FAILURES[check.func.__name__]):
            check(estimator)
    else:
        check(estimator)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix, sparse.coo_matrix, sparse.csr_array, sparse.csc_matrix])
def test_labels_do_not_depend_on_the_matrix_type(form, dtype):
    counts, times, headline = corpus()
    counts = np.ceil(counts.toarray() * 5)
    expected = StoryClusterer().fit_predict(counts, times, headline)
    assert StoryClusterer().fit_predict(form(counts.astype(dtype)), times, headline).tolist() == expected.tolist()


@pytest.mark.parametrize("seed", range(5))
def test_labels_match_the_pipeline_numbered_by_first_appearance(seed):
    matrix, times, headline = corpus(seed)
    times[::7] = np.nan
    estimator = StoryClusterer().fit(matrix, times, headline)
    firsts = cluster(unit(matrix), times, headline, StoryConfig())
    numbers = {first: number for number, first in enumerate(dict.fromkeys(firsts.tolist()))}
    assert estimator.labels_.tolist() == [numbers[first] for first in firsts.tolist()]
    assert (estimator.labels_.dtype, estimator.n_stories_, estimator.n_features_in_) == (np.int64, len(numbers), 60)
    assert 1 < estimator.n_stories_ < 80


def test_row_length_does_not_matter():
    matrix, times, headline = corpus()
    scales = sparse.diags_array(10.0 ** np.random.default_rng(1).integers(-180, 180, matrix.shape[0]))
    expected = StoryClusterer().fit_predict(matrix, times, headline)
    assert StoryClusterer().fit_predict(scales @ matrix, times, headline).tolist() == expected.tolist()


def test_unit_rows_are_not_copied_and_inputs_are_not_changed():
    matrix, times, headline = corpus()
    fine = unit(matrix)
    assert clustering._unit_rows(fine) is fine
    kept = matrix.copy()
    StoryClusterer().fit(matrix, times, headline)
    assert (matrix != kept).nnz == 0
    assert matrix.data.tolist() == kept.data.tolist()


def test_read_only_arrays_are_accepted():
    matrix, times, headline = corpus()
    fine = unit(matrix)
    for array in (fine.data, fine.indices, fine.indptr, times, headline):
        array.flags.writeable = False
    assert StoryClusterer().fit(fine, times, headline).n_stories_ > 1


def test_explicit_zeros_and_faint_weights_change_nothing():
    """Thousands of products of them underflow to 0: the kernel takes a score of 0 for a row it has not met."""
    matrix, times, headline = corpus()
    fine, n = unit(matrix), matrix.shape[0]
    faint = np.full((n, 300), np.float32(1e-25))
    faint[:, ::3] = 0
    rows, columns = np.indices(faint.shape).reshape(2, -1)
    written = sparse.csr_matrix((faint.ravel(), (rows, columns)), shape=faint.shape)
    assert written.nnz == faint.size
    expected = StoryClusterer().fit_predict(fine, times, headline)
    assert StoryClusterer().fit_predict(sparse.hstack([fine, written]).tocsr(), times, headline).tolist() == expected.tolist()


def test_duplicate_entries_add_up():
    twice = sparse.csr_matrix((np.array([0.5, 0.5, 1.0]), np.array([0, 0, 0]), np.array([0, 2, 3])), shape=(2, 1))
    assert joined(twice)
    assert twice.nnz == 3


def test_documents_without_words_are_separate_stories():
    matrix = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 0.0], [1.0, 0.0]])
    assert StoryClusterer().fit_predict(matrix).tolist() == [0, 1, 2, 1]


TIMES = {
    "seconds": [0, 86400],
    "floats": np.array([0.0, 86400.0]),
    "datetime64[s]": np.array(["2015-07-24", "2015-07-25"], "datetime64[s]"),
    "datetime64[ns]": np.array(["2015-07-24", "2015-07-25"], "datetime64[ns]"),
    "datetime64[D]": np.array(["2015-07-24", "2015-07-25"], "datetime64[D]"),
    "datetimes": [NOON, NOON + timedelta(1)],
    "datetimes of two zones": [NOON, (NOON + timedelta(1)).astimezone(timezone(timedelta(hours=3)))],
    "datetimes without zone": [NOON.replace(tzinfo=None), (NOON + timedelta(1)).replace(tzinfo=None)],
    "objects": np.array([0, np.float64(86400)], object),
    "objects of datetime64": np.array([np.datetime64("2015-07-24"), np.datetime64("2015-07-25T01")], object),
    "arrow": pa.chunked_array([pa.array([NOON]), pa.array([NOON + timedelta(1)])]),
}


@pytest.mark.parametrize("times", TIMES.values(), ids=TIMES)
def test_times_of_every_type_are_understood(times):
    assert not joined(pair(0.9), times, window_days=0.9)
    assert joined(pair(0.9), times, window_days=1.1)


UNKNOWN = {
    "None": [None, 86400],
    "NaN": [math.nan, 86400],
    "NaT": np.array(["NaT", "2015-07-25"], "datetime64[s]"),
    "NaT among objects": np.array([np.datetime64("NaT"), NOON], object),
    "None among datetimes": [None, NOON],
    "all": [None, None],
    "left out": None,
}


@pytest.mark.parametrize("times", UNKNOWN.values(), ids=UNKNOWN)
def test_undated_document_is_compared_with_all(times):
    assert joined(pair(), times, window_days=0.01)


def test_headlines_have_their_own_threshold():
    thresholds = {"headline_cut": 0.1, "cut": 0.9}
    assert joined(pair(), None, [True, True], **thresholds)
    assert joined(pair(), None, np.array([1, 1]), **thresholds)
    assert not joined(pair(), None, [False, False], **thresholds)
    assert not joined(pair(), **thresholds)


BAD = {
    "negative weights": ((-pair(),), "Negative values"),
    "NaN weights": ((np.array([[np.nan]]),), "NaN"),
    "infinite weights": ((np.array([[np.inf]]),), "infinity"),
    "no rows": ((np.empty((0, 2)),), "minimum of 1 is required"),
    "fewer times": ((pair(), [0.0]), r"times have the shape \(1,\), but X has 2 rows"),
    "a column of times": ((pair(), [[0.0], [1.0]]), r"times have the shape \(2, 1\)"),
    "infinite time": ((pair(), [0.0, math.inf]), "infinite value in row 1"),
    "written times": ((pair(), ["2015-07-24", "2015-07-25"]), "must be seconds or datetime64"),
    "written time among others": ((pair(), [None, "2015-07-25"]), "got '2015-07-25': parse"),
    "more headlines": ((pair(), None, [True] * 3), r"headline has the shape \(3,\), but X has 2 rows"),
    "headlines that are no flags": ((pair(), None, [0.0, 0.5]), "headline must be True or False"),
}


@pytest.mark.parametrize(("arguments", "message"), BAD.values(), ids=BAD)
def test_invalid_input_raises_a_value_error(arguments, message):
    with pytest.raises(ValueError, match=message):
        StoryClusterer().fit(*arguments)


def test_parameters_are_the_story_settings_with_their_defaults():
    """A setting that clusters and is not listed here would be one that only the pipeline obeys."""
    defaults = {name: parameter.default for name, parameter in inspect.signature(StoryClusterer).parameters.items()}
    settings = {field.name: field.default for field in dataclasses.fields(StoryConfig) if field.name not in OF_VECTORS}
    assert defaults == {**settings, "threads": RunConfig().threads}


@pytest.mark.parametrize("parameters", [{"cut": 1.0}, {"headline_cut": 1.0}, {"cut": np.float64(1), "neighbours": np.int64(3)}])
def test_parameters_take_effect(parameters):
    headline = [True, True] if "headline_cut" in parameters else None
    assert joined(pair(0.3), None, headline)
    assert not joined(pair(0.3), None, headline, **parameters)
    assert not joined(pair(0.3), None, headline, **clone(StoryClusterer(**parameters)).get_params())


@pytest.mark.parametrize(
    "parameters", [{"cut": 0.0}, {"cut": "0.2"}, {"window_days": -1.0}, {"neighbours": 0}, {"neighbours": 1.5}, {"threads": -1}]
)
def test_out_of_range_parameter_fails_in_fit(parameters):
    estimator = StoryClusterer(**parameters)
    with pytest.raises(ConfigError, match=next(iter(parameters))):
        estimator.fit(pair())


def test_pipeline_passes_times_as_y():
    titles = ["زلزال يضرب شمال البلاد", "زلزال قوي يضرب شمال البلاد", "زلزال يضرب شمال البلاد مجددا"]
    times = [NOON, NOON + timedelta(hours=2), NOON + timedelta(30)]
    pipeline = make_pipeline(TfidfVectorizer(), StoryClusterer())
    assert pipeline.fit_predict(titles, times).tolist() == [0, 0, 1]


def test_docstring_example_runs():
    example = doctest.DocTestParser().get_doctest(
        StoryClusterer.__doc__, {"np": np, "StoryClusterer": dedup.StoryClusterer}, "example", None, 0
    )
    assert len(example.examples) == 4
    assert doctest.DocTestRunner().run(example).failed == 0
