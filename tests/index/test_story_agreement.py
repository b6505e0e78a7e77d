"""Batch runs and the story window apply the same rules: weights of terms and thresholds agree row by row."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup import Config
from dedup.index.story_window import StoryWindow
from dedup.kernels.index import story_similarity
from dedup.stories.similarity import Edges
from dedup.stories.thresholds import relative_similarity, story_rules
from dedup.stories.vectors import vectorize
from dedup.text.document_frequencies import DocumentFrequencies

CONFIG = Config().stories
TERM = st.integers(1, 30).map(lambda number: number * 4)
DOCUMENTS = st.lists(st.tuples(*[st.lists(TERM, max_size=8)] * 3), min_size=1, max_size=8)


def rows(lists):
    return np.array([term for one in lists for term in one], np.uint64), np.cumsum([0, *map(len, lists)])


@settings(max_examples=50, deadline=None)
@given(DOCUMENTS, st.dictionaries(TERM, st.integers(1, 90), max_size=25))
def test_window_vectors_match_a_batch_run_over_the_documents_so_far(documents, known):
    terms = np.array(sorted(known), np.uint64)
    background = DocumentFrequencies(terms, np.array([known[int(term)] for term in terms], np.uint32), 100)
    parts = [rows(part) for part in zip(*documents, strict=True)]
    online = StoryWindow(background, CONFIG).rows(*parts)
    for i in range(len(documents)):
        batch = vectorize(*(rows(part[: i + 1]) for part in zip(*documents, strict=True)), background, CONFIG)
        last = batch.matrix[i]
        expected = dict(zip(batch.terms[last.indices].tolist(), last.data.tolist(), strict=True))
        length = online.lengths[i]
        found = dict(zip(online.terms[i, :length].tolist(), online.weights[i, :length].tolist(), strict=True))
        assert found == pytest.approx(expected, abs=1e-6)


@settings(max_examples=300, deadline=None)
@given(
    st.integers(1, 1000).map(lambda thousandths: thousandths / 1000),
    st.floats(-5.0, 5.0),
    st.tuples(st.booleans(), st.booleans()),
    st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0)),
    st.tuples(st.floats(1.0, 5000.0), st.floats(1.0, 5000.0)),
)
def test_window_relative_similarity_matches_a_batch_run(similarity, days, headline, density, daily):
    """Without bulletins, which the window does not know, and without its caution."""
    rules = story_rules(CONFIG)
    pair = Edges(np.array([1], np.int32), np.array([0], np.int32), np.array([similarity], np.float32))
    times = np.array([0.0, days * 86400])
    both = np.array(headline), np.zeros(2), np.array(density), np.array(daily)
    (batch,) = relative_similarity(pair, times, *both, rules)
    online = story_similarity.relative_similarity(
        float(np.float32(similarity)), (times[1] - times[0]) / 86400, sum(headline), max(density), np.sqrt(daily[0] * daily[1]), rules
    )
    if abs(batch - rules.least) > 1e-9:
        assert online == pytest.approx(batch if batch >= rules.least else 0.0, rel=1e-9)
