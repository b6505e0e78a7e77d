"""The vocabulary: numbering of words, and packed rows of numbers."""

from __future__ import annotations

import gzip
import itertools
import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dedup.config import Config
from dedup.fingerprints.fingerprint import fingerprint_with_tokens
from dedup.index.sqlite import vocabulary as module
from dedup.index.sqlite.vocabulary import WORD_BYTES, UnknownWordError, Vocabulary, pack, unpack
from dedup.kernels.index.vocabulary import MOST, number_words, pack_rows, place_words, unpack_rows, words_at
from tests import oracle_index as oracle
from tests.paths import JULY, needs_july

numbers = st.integers(0, MOST - 1) | st.integers(0, 64) | st.integers(0, 1 << 17)
some_words = st.lists(st.tuples(st.sampled_from([0, 1, 7, 1 << 63, (1 << 64) - 1]), st.integers(0, 3)), max_size=60)


def flat(rows):
    return np.array([number for row in rows for number in row], np.int64), np.cumsum([0, *map(len, rows)], dtype=np.int64)


def columns(words):
    return np.array([token for token, _ in words], np.uint64), np.array([term for _, term in words], np.uint64)


@given(st.lists(st.lists(numbers, max_size=40), max_size=6))
@example([[0], [], [1 << 20, (1 << 20) - 17, (1 << 20) - 16, MOST - 1] * 9, [15, 16, 17]])
def test_packed_rows_are_unpacked_unchanged(rows):
    expected = oracle.pack_rows(rows)
    data, byte_offsets = pack_rows(*flat(rows))
    assert [data[begin:end].tobytes() for begin, end in itertools.pairwise(byte_offsets)] == expected == pack(*flat(rows))
    ids, offsets = unpack(expected)
    assert [ids[begin:end].tolist() for begin, end in itertools.pairwise(offsets)] == rows == oracle.unpack_rows(expected)


def test_codes_of_existing_indexes_never_change():
    row = [0, 15, 16, 47, 48, 1000, 40_000, 200_000, 600_000, 1 << 20, MOST - 1]
    assert pack(*flat([row]))[0].hex() == "3ff0f301e227d0f8178af34135fc833ec93f040000fcffffff3f"


@given(st.lists(st.binary(max_size=40), max_size=4))
def test_unpacking_arbitrary_bytes_is_safe(rows):
    ids, offsets = unpack(rows)
    assert offsets[-1] == len(ids) and (ids >= 0).all()
    byte_offsets = np.cumsum([0, *map(len, rows)], dtype=np.int64)
    assert unpack_rows(np.frombuffer(b"".join(rows) + bytes(8), np.uint8), byte_offsets)[0].tolist() == ids.tolist()


@given(st.lists(some_words, max_size=4), st.integers(0, 60))
def test_words_are_numbered_in_order_of_appearance(batches, since):
    vocabulary, known = Vocabulary(), {}
    for words in batches:
        assert vocabulary.ids_of(*columns(words)).tolist() == oracle.number_words(words, known)
    assert len(vocabulary) == len(known) and oracle.place_words(list(known)) == known
    asked = [number for number in (3, 0, 3, since) if number < len(known)]
    tokens, terms = vocabulary.words_of(np.array(asked, np.int64))
    assert list(zip(tokens.tolist(), terms.tolist(), strict=True)) == oracle.words_at(list(known), asked)
    other = Vocabulary()
    other.load(vocabulary.added(0)[: since * WORD_BYTES])
    other.load(vocabulary.added(min(since, len(known))))
    every = columns(list(known))
    assert other.ids_of(*every).tolist() == list(range(len(known)))


@pytest.mark.parametrize("room", [1, 2, 8])
def test_a_full_hash_table_is_rebuilt(room):
    tokens, terms = columns([(token, token % 2) for token in [5, 5, 6, 7, 5, 8, 9]])
    slots, words = np.zeros(2 * room, np.uint32), np.zeros((room, 2), np.uint64)
    given_numbers, count = number_words(tokens, terms, 0, slots, words, 0)
    assert given_numbers.tolist() == [0, 0, 1, 2, 0, 3, 4][: {1: 2, 2: 3, 8: 7}[room]] and count == min(room, 5)
    again = np.zeros_like(slots)
    place_words(words, count, again)
    assert sorted(again.tolist()) == sorted(slots.tolist())
    assert number_words(tokens[:2], terms[:2], 0, again, words, count)[0].tolist() == [0, 0]


def test_a_vocabulary_grows_with_new_words():
    vocabulary = Vocabulary()
    tokens = np.random.default_rng(1).integers(0, 1 << 64, 20_000, dtype=np.uint64)
    for part in np.split(tokens, 4):
        vocabulary.ids_of(part, part >> np.uint64(1))
    assert (vocabulary.words_of(np.arange(20_000))[0] == tokens).all()
    assert (vocabulary.ids_of(tokens[::-1], tokens[::-1] >> np.uint64(1)) == np.arange(20_000)[::-1]).all()


def test_a_number_without_a_word_is_an_error():
    vocabulary = Vocabulary()
    vocabulary.ids_of(*columns([(1, 1)]))
    for number in (1, -1, 1 << 40):
        with pytest.raises(UnknownWordError):
            vocabulary.words_of(np.array([0, number]))
    assert words_at(np.ones((3, 2), np.uint64), 2, np.array([0, 1, 2]))[2] == 2


def test_running_out_of_codes_is_an_error(monkeypatch):
    monkeypatch.setattr(module, "MOST", 1 << 10)
    with pytest.raises(OverflowError, match="codes"):
        Vocabulary().ids_of(*columns([(token, 0) for token in range(2_000)]))


@pytest.mark.slow
@needs_july
def test_a_month_of_news_takes_less_than_1_85_bytes_a_word():
    with gzip.open(JULY, "rt", encoding="utf-8") as file:
        texts = pa.array([json.loads(line)["content"] for line in file], pa.large_string())
    _, (tokens, offsets), terms = fingerprint_with_tokens(texts, pa.nulls(len(texts), pa.large_string()), Config())
    vocabulary = Vocabulary()
    rows = pack(vocabulary.ids_of(tokens, terms), offsets)
    assert sum(map(len, rows)) <= 1.85 * len(tokens)
    assert (vocabulary.words_of(unpack(rows)[0])[0] == tokens).all()
