"""Terms: stems as hashes or letters, equal to those of ``tokenize(text, "stem")``."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dedup.arrays.threads import map_blocks
from dedup.kernels.text.terms import LETTERS, lexicon_rows, marks_of, stem, stem_letter_rows, term_rows
from dedup.text.folding import fold_table
from dedup.text.lexicon import stem_table, stop_words
from dedup.text.normalization import normalize
from dedup.text.stemming import stem_lists
from tests import oracle

SENTENCE = (
    "وزير الوزير والوزير وزارة لبنان اللبناني إيران بالرياض والرياض بمصر في على لغزة زوجها للآخر عااااجل ساهدية گوگل "
    "ههههه 12 1,500 قال reuters و ال الو"
)
WORDS = SENTENCE.split()
stem_letters = st.text(st.sampled_from("والبكفلنيتهاسمدرعقحء"), min_size=1, max_size=12)
text_of_words = st.lists(st.sampled_from(WORDS) | stem_letters | st.text(max_size=5), max_size=20).map(" ".join)


def tables():
    return fold_table(), stem_table()


def terms_of(texts, limit=1 << 40):
    return term_rows(*oracle.utf8(texts), limit, *tables())


@given(st.lists(text_of_words, max_size=3), st.sampled_from([0, 1, 3, 64, 1 << 40]))
def test_terms_match_the_reference(texts, limit):
    terms, offsets, _, _ = terms_of(texts, limit)
    assert oracle.listed(terms, offsets) == oracle.term_rows(texts, limit)


@given(st.lists(text_of_words, max_size=3), st.sampled_from([0, 1, 3, 64]))
@example(["", "في على", "ﷺ"], 64)
def test_stem_letters_match_the_reference(texts, limit):
    letters, offsets, counts = stem_letter_rows(*oracle.utf8(texts), limit, *tables())
    assert (oracle.listed(letters, offsets), counts.tolist()) == oracle.stem_letter_rows(texts, limit)


@given(stem_letters | st.sampled_from(sorted(stem_lists().whole | stem_lists().ending | stem_lists().split)))
def test_the_stem_matches_the_reference(word):
    letters = np.zeros(LETTERS, np.uint32)
    letters[: len(word)] = [ord(letter) for letter in word]
    length = stem(letters, len(word), stem_table())
    assert "".join(map(chr, letters[:length])) == oracle.stem(word)


def test_every_listed_word_is_stemmed_as_in_the_reference():
    words = sorted(stem_lists().whole | stem_lists().ending | stem_lists().split)
    terms, offsets, _, _ = terms_of(words)
    assert oracle.listed(terms, offsets) == oracle.term_rows(words, 1)


def test_the_lowest_bit_marks_numbers():
    terms, _, _, _ = terms_of(["رئيس 12 1,500 ٣ reuters covid19 5.5"])
    assert (terms & np.uint64(1)).tolist() == [0, 1, 1, 1, 0, 0, 1, 1]


def test_the_second_bit_marks_facts():
    terms, _, _, _ = terms_of(["رئيس وزارة 12 بلتيموراش"])
    assert (terms & np.uint64(2)).tolist() == [0, 0, 2, 2]


def test_stop_words_have_no_term():
    terms, offsets, _, _ = terms_of([" ".join(sorted(stop_words())), "في مصر"])
    assert offsets.tolist() == [0, 0, 1]
    assert terms.tolist() == oracle.term_rows(["مصر"], 1)[0]


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("قَالَ الرئيسُ: ١٬٥٠٠ دولار", ["الرئيسُ", "١٬٥٠٠", "دولار"]),
        ("«وزارة» الصحة!", ["وزارة", "الصحة"]),
        ("2.5%", ["2.5", "%"]),
        ("كوفيد19", ["كوفيد", "19"]),
    ],
)
def test_a_term_has_the_bytes_of_its_word(text, spans):
    data = text.encode()
    _, _, starts, stops = terms_of([text])
    found = [data[start:stop].decode() for start, stop in zip(starts, stops, strict=True)]
    assert [normalize(span, "shingle") for span in found] == [normalize(span, "shingle") for span in spans]


def test_a_word_that_begins_with_a_ligature_spans_it():
    data = "ﻻعب".encode()
    _, _, starts, stops = terms_of(["ﻻعب"])
    assert data[starts[0] : stops[0]].decode() == "ﻻعب"


@pytest.mark.parametrize("texts", [[], [""], ["في"], ["رئيس"]], ids=["no_text", "empty_text", "a_stop_word", "one_word"])
def test_small_inputs_have_the_right_shape_and_types(texts):
    terms, offsets, starts, stops = terms_of(texts)
    assert [array.dtype for array in (terms, offsets, starts, stops)] == [np.uint64, np.int64, np.int64, np.int64]
    assert len(terms) == len(starts) == len(stops) == offsets[-1]
    letters, letter_offsets, counts = stem_letter_rows(*oracle.utf8(texts), 64, *tables())
    assert [array.dtype for array in (letters, letter_offsets, counts)] == [np.uint64, np.int64, np.int64]
    assert len(counts) == len(texts)
    assert oracle.listed(terms, offsets) == oracle.term_rows(texts, 64)


@given(st.lists(st.binary(max_size=40), max_size=5))
def test_any_bytes_are_read_safely_and_deterministically(rows):
    data, offsets = oracle.flat(rows, np.uint8)
    for kernel in (term_rows, stem_letter_rows):
        first, second = (kernel(data, offsets, 64, *tables()) for _ in range(2))
        assert [array.tolist() for array in first] == [array.tolist() for array in second]
    _, _, starts, stops = term_rows(data, offsets, 64, *tables())
    assert (starts <= stops).all()


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_terms_do_not_depend_on_the_number_of_threads(threads):
    texts = [f"قال وزير الخارجية رقم {i} في بيروت إن {' '.join(WORDS[i % 20 :])}" for i in range(50)]
    data, offsets = oracle.utf8(texts)
    parts = map_blocks(lambda a, b: term_rows(data, offsets[a : b + 1], 64, *tables()), 50, threads, at_least=1)
    for i in (0, 2, 3):
        assert np.concatenate([part[i] for part in parts]).tolist() == terms_of(texts, 64)[i].tolist()


def test_a_text_that_grows_by_folding_fits():
    for text in ("ﷺ" * 100, "﷽" * 100, "a1" * 400, "中" * 300):
        terms, offsets, _, _ = terms_of([text, text])
        assert oracle.listed(terms, offsets) == oracle.term_rows([text, text], 1 << 40)
        letters, offsets, counts = stem_letter_rows(*oracle.utf8([text, text]), 64, *tables())
        assert (oracle.listed(letters, offsets), counts.tolist()) == oracle.stem_letter_rows([text, text], 64)


@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), st.sampled_from([1, 2, 4, 8, 16])), max_size=60), st.integers(0, 2**64 - 1))
@example([(4, 1), (4, 8), (7, 2), (2**63, 4)], 4)
@example([(i << 40, 1) for i in range(1, 50)], 3 << 40)
def test_the_lexicon_matches_the_reference(words, other):
    words = [(word, mark) for word, mark in words if word >= 4]
    lexicon = lexicon_rows(np.array([word for word, _ in words], np.uint64), np.array([mark for _, mark in words], np.uint64))
    expected = oracle.lexicon_rows([word for word, _ in words], [mark for _, mark in words])
    assert sorted(map(tuple, lexicon[lexicon[:, 0] > 0].tolist())) == sorted(expected.items())
    for word in [other, *(word for word, _ in words)]:
        assert marks_of(lexicon, np.uint64(word)) == expected.get(word & ~3, 0)
