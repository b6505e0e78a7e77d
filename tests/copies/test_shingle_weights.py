"""Shingle weights: exact, however the counting is split."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.arrays.spill import SpillPool
from dedup.config import CopyConfig
from dedup.copies import shingle_weights as commonness
from dedup.copies.shingle_weights import weigh
from tests import oracle

HASHES = st.integers(1, 9).map(oracle.mix64)
DOCUMENTS = st.lists(st.tuples(st.sets(HASHES, max_size=8).map(sorted), st.integers(-1, 2)), max_size=20)


def weighed(rows, sources, compared=None, threads=1, **settings):
    """The weights below 1."""
    compared = np.arange(len(rows)) if compared is None else np.array(compared, np.int64)
    given_sources = np.array(sources, np.int64)
    weights = weigh(oracle.flat(rows), compared, given_sources, CopyConfig(**settings), SpillPool(1 << 62), threads=threads)
    keys, held = weights.arrays()
    return {key: weight for key, weight in zip(keys.tolist(), held.tolist(), strict=True) if key}


def exact(rows, sources, common, common_in_source):
    """The same by plain counting."""
    answer = {}
    for (value, source), count in Counter((value, s) for row, s in zip(rows, sources, strict=True) for value in row).items():
        weight = (common if source < 0 else common_in_source) / count
        if weight < 1:
            answer[value] = min(answer.get(value, 1.0), weight)
    return answer


@given(DOCUMENTS, st.integers(1, 4), st.integers(1, 4))
def test_weights_are_exact(documents, common, common_in_source):
    rows, sources = [row for row, _ in documents], [source for _, source in documents]
    found = weighed(rows, sources, common=common, common_in_source=common_in_source)
    assert found == pytest.approx(exact(rows, sources, common, common_in_source), rel=1e-12)


@pytest.mark.parametrize("threads", [1, 2, 7])
@pytest.mark.parametrize(("parts", "slots", "block"), [(2, 1 << 12, 7), (4, 1 << 26, 1 << 16), (64, 1 << 12, 50)])
def test_weights_do_not_depend_on_parts_blocks_and_threads(monkeypatch, parts, slots, block, threads):
    for name, value in (("_LEAST_PARTS", parts), ("_MOST_SLOTS", slots), ("_BLOCK", block)):
        monkeypatch.setattr(commonness, name, value)
    rng = np.random.default_rng(4)
    rows = [sorted(map(oracle.mix64, {int(n) for n in rng.zipf(1.3, 120) if n < 10**9})) for _ in range(300)]
    sources = rng.integers(-1, 12, 300).tolist()
    expected = exact(rows, sources, 10, 2)
    assert len(expected) > 100
    assert weighed(rows, sources, threads=threads) == pytest.approx(expected, rel=1e-12)


def test_the_order_of_documents_does_not_matter():
    rows = [sorted(map(oracle.mix64, range(i % 5, i % 7 + 3))) for i in range(60)]
    sources = [i * 11 % 4 - 1 for i in range(60)]
    assert weighed(rows, sources) == weighed(rows, sources, compared=range(59, -1, -1)) == weighed(rows[::-1], sources[::-1])


def test_a_shingle_of_many_outlets_is_not_common_but_one_repeated_by_an_outlet_is():
    rows = [[5]] * 300
    assert weighed(rows, range(300)) == {}
    assert weighed(rows[:3], [8, 8, 8]) == {5: 2 / 3}
    assert weighed(rows[:3], [8, 8, 9]) == {}
    assert weighed(rows[:11], [-1] * 11) == {5: 10 / 11}


@pytest.mark.parametrize("bound", [253, 254, 255])
def test_counts_exceed_a_byte(bound):
    for n in (bound, bound + 1, 600):
        assert weighed([[5]] * n, [3] * n, common_in_source=bound) == ({5: bound / n} if n > bound else {})
        assert weighed([[5]] * n, [-1] * n, common=bound) == ({5: bound / n} if n > bound else {})


def test_documents_that_are_not_compared_are_not_counted():
    rows = [[5, 6]] * 9
    assert weighed(rows, [3] * 9, compared=[1, 4]) == {}
    assert weighed(rows, [3] * 9, compared=[1, 4, 8]) == {5: 2 / 3, 6: 2 / 3}


@pytest.mark.parametrize("rows", [[], [[]], [[5]]], ids=["none", "empty", "one"])
def test_few_documents_have_no_common_shingles(rows):
    assert weighed(rows, [-1] * len(rows)) == {}
