"""Tokens: the kernel reads bytes as ``text/normalization.py`` reads strings."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dedup.arrays.rows import text_rows
from dedup.arrays.threads import map_blocks
from dedup.kernels.text.token_cache import ENTRY, TokenCache, document_rows
from dedup.text.folding import fold_table
from dedup.text.lexicon import stem_table
from tests import oracle

#: Every character that a rule of folding mentions, frequent enough to meet in one string.
ALPHABET = "".join(
    [
        "ابتثجحخدذرزسشصضطظعغفقكلمنهوي" * 2,
        "أإآٱىةؤئءپچژگڤڨڭ",
        "\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652\u0670\u0653\u0654\u0655" * 2,
        "\u0640\u06d6\u06d7\u06da\ufe70\ufc60",
        "یےکڪہھەۀۃ",
        "٠١٢٣٤٥٦٧٨٩۰۱۲۵۹0123456789" * 2,
        "٫٬,.،%٪" * 3,
        "؛؟«»“”…–-_#@ \n\t\x1a\u00a0" * 2,
        "aZéйЁßǅΣςｆ",
        "ﷺﷲ﷽﷼ﻻﺃﻷ½²①ﬁ",
        "中文カな한국क्षिไทย्🙂",
        "\u200c\u200d\u200e\u200f\u202b\u2066\ufeff\u00ad",
    ]
)
arabic_like = st.text(st.sampled_from(ALPHABET), max_size=80)
anything = st.text(max_size=60)
with_surrogates = st.text(st.characters() | st.sampled_from(ALPHABET), max_size=40)


def token_rows(data, offsets):
    """Tokens, offsets and digests, with a tiny cache, so that nearly every chunk is read letter by letter."""
    cache = TokenCache(np.zeros((2, ENTRY), np.uint64), np.zeros((2, 2), np.uint64))
    return document_rows(data, offsets, False, False, cache, fold_table(), stem_table())[:3]


def tokens_of(texts):
    return token_rows(*oracle.utf8(texts))


def check_against_reference(texts):
    tokens, offsets, digests = tokens_of(texts)
    rows, expected_digests = oracle.token_rows(texts)
    assert oracle.listed(tokens, offsets) == rows
    assert [tuple(digest) for digest in digests.tolist()] == expected_digests


@given(st.lists(arabic_like, max_size=4))
@example(["1,500", "15,30", "2.5.", "1,500,0", "1,500.25,000", "1.500,000", "١٬٥٠٠", "1,", "1,2", ".5", "5..5", "1,ً500"])
@example(
    ["ا\u0653", "ا\u0654\u0655", "ا\u0655\u0654", "و\u0654", "ي\u064e\u0654", "ى\u0654", "\u0654ا", "ﺍ\u0654", "ا\u200c\u0654", "5\u06545"]
)
@example(["½,500", "1½", "1,½½½", "٪٪", "5%5", "²", "中5文", "ﷺﷺ", "1ﷲ2"])
def test_tokens_and_digests_match_the_reference_on_arabic(texts):
    check_against_reference(texts)


@given(st.lists(anything, max_size=4))
def test_tokens_and_digests_match_the_reference_on_any_text(texts):
    check_against_reference(texts)


@given(with_surrogates)
@example("\ud800")
@example("قا\udfffل")
def test_tokens_match_the_reference_with_lone_surrogates(text):
    check_against_reference([text])


@given(st.lists(arabic_like, min_size=1, max_size=9))
def test_tokens_do_not_depend_on_the_position_of_the_text(texts):
    tokens, offsets, digests = tokens_of(texts)
    for i, text in enumerate(texts):
        alone, _, digest = tokens_of([text])
        assert tokens[offsets[i] : offsets[i + 1]].tolist() == alone.tolist()
        assert digests[i].tolist() == digest[0].tolist()


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=5))
@example([b"\xd9", b"\x82", b"\xe0\xa4", b"\xf0\x9f\x99", b"\xff\xfe", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xef\xb7"])
def test_any_bytes_are_read_safely_and_deterministically(rows):
    data, offsets = oracle.flat(rows, np.uint8)
    first = token_rows(data, offsets)
    # Bytes after the last row must not matter: a broken sequence at the end must not read on.
    second = token_rows(np.concatenate([data, np.frombuffer("ن٣".encode(), np.uint8)]), offsets)
    for one, other in zip(first, second, strict=True):
        assert one.tolist() == other.tolist()


@given(st.lists(st.binary(max_size=40), max_size=5))
def test_valid_bytes_between_broken_ones_are_read(rows):
    texts = [row.decode("utf-8", "ignore") for row in rows]
    data, offsets = oracle.flat([b"\xff" + text.encode() + b"\xc3" for text in texts], np.uint8)
    tokens, token_offsets, _ = token_rows(data, offsets)
    assert oracle.listed(tokens, token_offsets) == oracle.token_rows(texts)[0]


@pytest.mark.parametrize("texts", [[], [""], ["قال"], ["", "", "ـَ", "،"]], ids=["no_text", "empty_text", "one_word", "nothing_left"])
def test_small_inputs_have_the_right_shape_and_types(texts):
    tokens, offsets, digests = tokens_of(texts)
    assert (tokens.dtype, offsets.dtype, digests.dtype) == (np.uint64, np.int64, np.uint64)
    assert (offsets.shape, digests.shape) == ((len(texts) + 1,), (len(texts), 2))
    check_against_reference(texts)


def test_texts_without_tokens_share_one_digest():
    _, _, digests = tokens_of(["", "،", "ـَ", "\u200f"])
    assert len({tuple(digest) for digest in digests.tolist()}) == 1


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_tokens_do_not_depend_on_the_number_of_threads(threads):
    texts = [f"قال المسؤول رقم {i} إن العدد بلغ {i},000 شخص" * (i % 3) for i in range(50)]
    data, offsets = oracle.utf8(texts)
    parts = map_blocks(lambda a, b: token_rows(data, offsets[a : b + 1]), 50, threads, at_least=1)
    whole = tokens_of(texts)
    assert np.concatenate([part[0] for part in parts]).tolist() == whole[0].tolist()
    assert np.concatenate([part[2] for part in parts]).tolist() == whole[2].tolist()


def test_tokens_do_not_depend_on_the_chunks_of_the_column(text_column):
    texts = ["قال الوزير", "", "1,500 دولار", "ﷺ", "مُحَمَّد", "end.", "في\u200fمصر"]
    tokens, offsets, digests = token_rows(*text_rows(text_column(texts)))
    assert oracle.listed(tokens, offsets) == oracle.token_rows(texts)[0]
    assert [tuple(digest) for digest in digests.tolist()] == oracle.token_rows(texts)[1]


def test_a_text_that_grows_by_folding_fits():
    for text in ("ﷺ" * 200, "﷽" * 200, "a1" * 400, "㌀" * 100, "中" * 300, "%" * 300):
        check_against_reference([text, text])


@pytest.mark.parametrize("length", [254, 255])
def test_a_word_of_up_to_255_letters_matches_the_reference(length):
    check_against_reference(["ب" * length, "إ" * length, "7" * length, "ب" * length + "!"])


@pytest.mark.parametrize("changed", [0, 254, 256, 300, 999])
def test_words_of_a_thousand_letters_differ_wherever_a_letter_does(changed):
    word = ["ب"] * 1000
    other = [*word]
    other[changed] = "ت"
    tokens, _, _ = tokens_of(["".join(word), "".join(other)])
    assert tokens[0] != tokens[1]


def test_words_of_a_thousand_letters_differ_where_the_256th_does():
    tokens, _, _ = tokens_of(["ب" * 1000, "ب" * 255 + "ت" + "ب" * 744])
    assert tokens[0] != tokens[1]


def test_a_full_stop_after_a_number_of_256_digits_does_not_change_it():
    tokens, offsets, _ = tokens_of(["7" * 256 + ".", "7" * 256])
    assert oracle.listed(tokens, offsets)[0] == oracle.listed(tokens, offsets)[1]


def test_a_column_of_another_text_type_has_the_same_tokens():
    texts = ["قال الوزير", None, "١٬٥٠٠"]
    rows = [token_rows(*text_rows(pa.array(texts, kind)))[0].tolist() for kind in (pa.string(), pa.large_string())]
    assert rows[0] == rows[1]
