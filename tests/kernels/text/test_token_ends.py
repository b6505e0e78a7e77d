"""The last characters of texts, as Python slices them."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from dedup.kernels.text.tokens import last_characters
from tests import oracle


@given(st.lists(st.text(max_size=12), max_size=5), st.integers(0, 9))
@example(["قال (واس)", "", "🙂🙂", "a\u0301"], 3)
def test_last_characters_match_the_reference(texts, most):
    data, offsets = last_characters(*oracle.utf8(texts), most)
    assert (data.dtype, offsets.dtype) == (np.uint8, np.int64)
    assert [bytes(row).decode() for row in oracle.listed(data, offsets)] == oracle.last_characters(texts, most)


def test_texts_of_a_slice_are_read():
    data, offsets = oracle.utf8(["قال", "الوزير", "أمس"])
    out, out_offsets = last_characters(data, offsets[1:], 2)
    assert [bytes(row).decode() for row in oracle.listed(out, out_offsets)] == ["ير", "مس"]
