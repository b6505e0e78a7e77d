"""Token cache: cached tokens and terms equal those read letter by letter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dedup.arrays.threads import map_blocks
from dedup.kernels.text.token_cache import CHUNKS, ENTRY, WORDS, TokenCache, bits_of_ink, bytes_until, chunk_end, document_rows
from dedup.text.folding import fold_table
from dedup.text.lexicon import stem_table
from tests import oracle
from tests.kernels.text.test_terms import text_of_words
from tests.kernels.text.test_tokens import arabic_like

WHITE = "".join(map(chr, range(0x21)))


def memory(chunks=CHUNKS, words=WORDS):
    return TokenCache(np.zeros((chunks, ENTRY), np.uint64), np.zeros((words, 2), np.uint64))


def documents_of(texts, known):
    return document_rows(*oracle.utf8(texts), True, False, known, fold_table(), stem_table())


def check_against_reference(texts, known):
    tokens, token_offsets, digests, terms, term_offsets = documents_of(texts, known)
    assert [array.dtype for array in (tokens, digests, terms)] == [np.uint64] * 3
    rows, expected_digests = oracle.token_rows(texts)
    assert oracle.listed(tokens, token_offsets) == rows
    assert [tuple(digest) for digest in digests.tolist()] == expected_digests
    assert oracle.listed(terms, term_offsets) == oracle.term_rows(texts, 1 << 40)


@given(st.lists(text_of_words | arabic_like, max_size=4))
@example(["مسؤول مسئول أحمد احمد مدرسة مدرسه"])
@example(["«القاهرة»، (القاهرة) القاهرة", "12/7/2015 1,500 ،", "", " ", "\x00ا\x00"])
def test_the_first_and_the_second_pass_give_the_same_tokens_and_terms(texts):
    known = memory(1 << 8, 1 << 8)
    check_against_reference(texts, known)
    check_against_reference(texts, known)


@given(st.lists(st.lists(text_of_words | arabic_like, max_size=3), max_size=4), st.sampled_from([2, 8, 256]))
def test_cached_chunks_of_other_texts_change_nothing(batches, size):
    known = memory(size, size)
    for texts in [*batches, *batches]:
        again, fresh = documents_of(texts, known), documents_of(texts, memory(size, size))
        assert [array.tolist() for array in again] == [array.tolist() for array in fresh]


@pytest.mark.parametrize("letters", range(1, 40))
def test_chunks_of_any_length_are_read_completely_twice(letters):
    known = memory(1 << 8, 1 << 8)
    word = ("بتثجحخدذ" * 5)[:letters]
    for texts in ([word, word], [f"{word} x", f"x{word}", f"{word}،"], [word[:-1], word + "ب", word]):
        check_against_reference(texts, known)


@pytest.mark.parametrize("sign", WHITE + "\u00a0\u2028،/-")
def test_white_space_and_separators_end_tokens(sign):
    check_against_reference([f"قال{sign}الوزير{sign}5", f"{sign}قال{sign}", sign * 3], memory(1 << 8, 1 << 8))


@given(st.lists(st.binary(max_size=40), max_size=5))
@example([b"\xd9", b"\x84\xd8\xa7 \xd9", b"", b"\xd9\x82\xd8\xa7\xd9\x84"])
def test_any_bytes_are_read_safely_and_deterministically(rows):
    data, offsets = oracle.flat(rows, np.uint8)
    known = memory(1 << 8, 1 << 8)
    tables = fold_table(), stem_table()
    walks = [document_rows(data, offsets, True, False, known, *tables) for _ in range(2)]
    alone = [document_rows(*oracle.flat([row], np.uint8), True, False, memory(2, 2), *tables)[0].tolist() for row in rows]
    assert [array.tolist() for array in walks[0]] == [array.tolist() for array in walks[1]]
    assert oracle.listed(walks[0][0], walks[0][1]) == alone


def test_bytes_after_the_last_text_are_not_read():
    data, offsets = oracle.utf8(["قال الوزي"])
    longer = np.concatenate([data, np.frombuffer("ر إن".encode(), np.uint8)])
    tables = fold_table(), stem_table()
    assert (
        document_rows(longer, offsets, True, False, memory(), *tables)[0].tolist()
        == document_rows(data, offsets, True, False, memory(), *tables)[0].tolist()
    )


@given(st.binary(max_size=30), st.integers(0, 30))
def test_a_chunk_ends_at_the_first_byte_of_white_space(row, at):
    data = np.frombuffer(row, np.uint8)
    at = min(at, len(row))
    expected = next((i for i in range(at, len(row)) if row[i] <= 0x20), len(row))
    assert chunk_end(data, at, len(row)) == expected
    word = bytes_until(data, at, len(row))
    assert int(word).to_bytes(8, "little") == row[at : at + 8].ljust(8, b"\0")
    assert int(bits_of_ink(np.uint64(word))) == 8 * min(expected - at, 8)


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_tokens_and_terms_do_not_depend_on_the_number_of_threads(threads):
    texts = [f"قال وزير الخارجية رقم {i} في بيروت إن {i * 1000:,} شخص" for i in range(50)]
    data, offsets = oracle.utf8(texts)
    tables = fold_table(), stem_table()
    parts = map_blocks(lambda a, b: document_rows(data, offsets[a : b + 1], True, False, memory(64, 64), *tables), 50, threads, at_least=1)
    whole = documents_of(texts, memory())
    for place in (0, 2, 3):
        assert np.concatenate([part[place] for part in parts]).tolist() == whole[place].tolist()
