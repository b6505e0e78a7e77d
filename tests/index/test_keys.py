"""Keys of different kinds never collide by construction; values contain a number and a size class."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.index.keys import (
    CLASS_SIZES,
    WINDOWS,
    copies_key,
    copies_keys,
    digest_keys,
    id_key,
    id_keys,
    letter_keys,
    numbers_of,
    pack_values,
    title_keys,
)


def classes_of(values):
    return values & 15


WORDS = st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=5)

#: Keys that existing indexes on disk contain.
FROZEN = {
    "id": 0xABFCD05F40A3AB4E,
    "copies": 0x8851D17006775D9,
    "title": 0xE7100FA5D659D354,
    "letter": 0x605283A0A2410601,
    "digest": 0x52D9FC5126B9ECD3,
}


def test_keys_are_frozen():
    one = np.array([1], np.uint64)
    assert id_key("خبر-١") == FROZEN["id"]
    assert copies_key(1) == FROZEN["copies"]
    assert title_keys(one).tolist() == [FROZEN["title"]]
    assert letter_keys(one).tolist() == [FROZEN["letter"]]
    assert digest_keys(np.array([[1, 2]], np.uint64)).tolist() == [FROZEN["digest"]]


@given(WORDS)
def test_equal_numbers_of_different_kinds_have_different_keys(words):
    array = np.array([word >> 36 for word in words], np.uint64)
    kinds = [array, title_keys(array), letter_keys(array), copies_keys(array.astype(np.int64)), digest_keys(np.stack([array, array], 1))]
    for place, kind in enumerate(kinds):
        for other in kinds[place + 1 :]:
            assert not set(kind.tolist()) & set(other.tolist())


@pytest.mark.parametrize("keys_of", [title_keys, letter_keys, lambda words: copies_keys(words.astype(np.int64))])
def test_consecutive_numbers_have_evenly_spread_keys(keys_of):
    keys = keys_of(np.arange(65536, dtype=np.uint64))
    assert len(set(keys.tolist())) == len(keys)
    counts = np.bincount((keys >> np.uint64(56)).astype(np.int64), minlength=256)
    assert counts.min() > 256 - 6 * 16 and counts.max() < 256 + 6 * 16


def test_digests_that_differ_in_a_half_or_in_order_have_different_keys():
    assert len(set(digest_keys(np.array([[1, 2], [1, 3], [2, 2], [2, 1], [0, 0]], np.uint64)).tolist())) == 5


@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1)), min_size=2, max_size=5))
def test_the_key_of_a_digest_does_not_depend_on_its_neighbours(digests):
    together = digest_keys(np.array(digests, np.uint64))
    assert together.tolist() == [int(digest_keys(np.array([digest], np.uint64))[0]) for digest in digests]


@given(st.lists(st.text(max_size=9), max_size=5))
def test_id_keys_agree_with_id_key_and_differ_for_different_ids(ids):
    keys = id_keys(ids)
    assert keys.dtype == np.uint64 and keys.tolist() == [id_key(doc_id) for doc_id in ids]
    assert len(set(keys.tolist())) == len(set(ids))


def test_an_id_with_half_a_surrogate_has_a_key():
    assert id_key("\ud800") != id_key("?")


@given(st.lists(st.tuples(st.integers(0, 2**28 - 1), st.integers(0, 2**40)), max_size=20))
def test_values_contain_the_number_and_the_size_class(rows):
    numbers, sizes = (np.array([row[column] for row in rows], np.int64) for column in (0, 1))
    values = pack_values(numbers, sizes)
    assert values.dtype == np.uint32
    assert np.array_equal(numbers_of(values), numbers) and numbers_of(values).dtype == np.int64
    assert classes_of(values).tolist() == [max(k for k in range(16) if k == 0 or size >= CLASS_SIZES[k]) for _, size in rows]


def test_size_classes_begin_every_half_octave_and_imply_the_window():
    sizes = np.array([0, 1, 11, 12, 31, 32, 181, 182, 1448, 1449, 9999])
    assert classes_of(pack_values(np.zeros(11, np.int64), sizes)).tolist() == [0, 0, 0, 1, 3, 4, 8, 9, 14, 15, 15]
    assert {bound for bound, _ in WINDOWS} <= set(CLASS_SIZES.tolist())


def test_empty_input_gives_empty_keys():
    none = np.empty(0, np.uint64)
    for keys in (title_keys(none), letter_keys(none), copies_keys(none.astype(np.int64)), digest_keys(none.reshape(0, 2)), id_keys([])):
        assert keys.dtype == np.uint64 and len(keys) == 0
    assert len(pack_values(none.astype(np.int64), none.astype(np.int64))) == 0
