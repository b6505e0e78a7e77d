"""A document that comes to an index is judged by the rule of a batch run."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dedup.config import CopyConfig
from dedup.copies.pairs import EXCERPT, NEAR, TITLE, Matches
from dedup.copies.survivors import choose, judge_new

CONFIG = CopyConfig()


def matches_of(facts, left, right):
    kind, share_left, share_right = (np.array([fact[i] for fact in facts]) for i in range(3))
    return Matches(np.array(left, np.int64), np.array(right, np.int64), kind.astype(np.uint8), share_left / 2, share_left, share_right)


FACTS = st.tuples(st.sampled_from([NEAR, EXCERPT, TITLE]), st.sampled_from([0.3, 0.62, 0.8, 1.0]), st.sampled_from([0.5, 0.62, 0.9, 1.0]))


@given(st.lists(st.tuples(FACTS, st.integers(20, 900)), min_size=1, max_size=6), st.integers(20, 900))
def test_the_verdict_on_one_more_document_is_that_of_a_run_over_all(known, size):
    n = len(known)
    matches = matches_of([fact for fact, _ in known], range(n), [n] * n)
    sizes = np.array([*(size for _, size in known), size], np.int64)
    survivors, _ = choose(matches, np.arange(n + 1), sizes, lambda left, right: Matches.none(), CONFIG)
    copied, extended = (int(places[0]) for places in judge_new(matches, np.array([n]), sizes, CONFIG))
    assert survivors.canonical[n] == (n if copied < 0 else matches.left[copied])
    assert survivors.extends[n] == (matches.left[extended] if copied < 0 <= extended else -1)


def test_documents_are_judged_each_by_its_own_matches():
    matches = matches_of([(NEAR, 0.9, 0.9), (EXCERPT, 1.0, 0.2), (EXCERPT, 0.9, 0.3)], [0, 0, 1], [2, 3, 3])
    copied, extended = judge_new(matches, np.array([2, 3, 4]), np.array([100, 150, 100, 500, 40]), CONFIG)
    assert (copied.tolist(), extended.tolist()) == ([0, -1, -1], [0, 2, -1])
