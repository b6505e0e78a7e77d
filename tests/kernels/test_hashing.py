"""Hashes: frozen by golden vectors, because signatures and indexes outlive the process that made them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.kernels.hashing import extend, mix64
from dedup.kernels.tokens import hash_letters
from tests import oracle

WORDS64 = st.integers(0, 2**64 - 1)


@pytest.mark.parametrize(
    "value, expected",
    [
        (0, 0),
        (1, 0x5692161D100B05E5),
        (0xF000000000000000, None),
        (2**64 - 1, None),
    ],
)
def test_mix64_never_changes(value, expected):
    assert mix64(np.uint64(value)) == oracle.mix64(value)


@given(WORDS64)
def test_mix64_is_its_twin(value):
    assert int(mix64(np.uint64(value))) == oracle.mix64(value)


@given(WORDS64, WORDS64)
def test_extend_is_its_twin(state, value):
    assert int(extend(np.uint64(state), np.uint64(value))) == oracle.extend(state, value)


@given(st.text(max_size=256))
def test_hash_letters_is_its_twin(word):
    letters = np.array([ord(letter) for letter in word], np.uint32)
    assert int(hash_letters(letters, len(word))) == oracle.hash_letters(word)
