"""Clusters against stories: the main cluster of a story, the leading story of a cluster, more than half."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dedup.stories.changes import overlaps


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4)), max_size=30), st.permutations(range(5)))
def test_overlaps_match_the_reference(documents, seniority):
    cluster, story = (np.array([pair[side] for pair in documents], np.int64) for side in (0, 1))
    shared = overlaps(cluster, story, np.array(seniority), 6)
    counts, sizes = Counter(documents), Counter(story.tolist())
    pairs = list(zip(shared.cluster.tolist(), shared.story.tolist(), strict=True))
    assert pairs == sorted(counts)
    assert shared.counts.tolist() == [counts[pair] for pair in pairs]
    assert shared.most.tolist() == [2 * counts[where, whose] > sizes[whose] for where, whose in pairs]
    main = [
        min((where for where, of in pairs if of == whose), key=lambda w, of=whose: (-counts[w, of], w), default=-1) for whose in range(5)
    ]
    assert shared.main.tolist() == main
    led = [[whose for whose in range(5) if main[whose] == where] for where in range(6)]
    leading = [min(of, key=lambda one, w=where: (-counts[w, one], seniority[one]), default=-1) for where, of in enumerate(led)]
    assert shared.leading.tolist() == leading
