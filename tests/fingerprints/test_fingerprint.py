"""Fingerprints: independent of chunks and batches, and equal to the reference."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.arrays.spill import SpillPool
from dedup.config import Config
from dedup.fingerprints.fingerprint import FingerprintBuilder, Fingerprints, brief_words, fingerprint, take_spilled
from tests import oracle
from tests.arabic import news
from tests.kernels.text.test_tokens import arabic_like

TEXTS = [news(1), None, "", "في على", news(2, 5), "خبر", news(3, 300)]
TITLES = ["الرئيس يلتقي الوزير", "", None, "عاجل", "في من", "قتيلان في حادث", None]


def as_lists(prints):
    listed = {}
    for item in fields(Fingerprints):
        value = getattr(prints, item.name)
        listed[item.name] = oracle.listed(*value) if isinstance(value, tuple) else value.tolist()
    return listed


def of(texts, titles, config=None):
    return fingerprint(pa.array(texts, pa.string()), pa.array(titles, pa.string()), config or Config())


def test_fingerprints_do_not_depend_on_the_chunks_of_the_columns(text_column):
    assert as_lists(fingerprint(text_column(TEXTS), text_column(TITLES), Config())) == as_lists(of(TEXTS, TITLES))


@given(st.lists(st.tuples(arabic_like, arabic_like), max_size=4), st.integers(1, 5), st.integers(2, 5))
def test_fingerprints_match_the_reference(documents, words, chars):
    texts, titles = [text for text, _ in documents], [title for _, title in documents]
    config = Config().replace({"shingles.words": words, "shingles.headline_chars": chars})
    tokens, digests = oracle.token_rows(texts)
    letters, counts = oracle.stem_letter_rows(titles, 1000, title=True)
    found = as_lists(of(texts, titles, config))
    assert all(not row or len(words) <= brief_words(config) for row, words in zip(found.pop("brief_terms"), tokens, strict=True))
    assert found == {
        "words": [len(row) for row in tokens],
        "digests": [list(digest) for digest in digests],
        "shingles": oracle.shingle_rows(tokens, words),
        "terms": oracle.term_rows(texts, 1 << 40),
        "title_terms": oracle.term_rows(titles, 1000, title=True),
        "title_shingles": oracle.shingle_rows(letters, chars),
        "title_words": counts,
    }


@pytest.mark.parametrize("limit", [0, 300, 1 << 30], ids=["in_files", "in_files_from_the_second_batch_on", "in_memory"])
def test_fingerprints_built_in_batches_equal_those_of_the_whole(limit):
    with SpillPool(limit) as spill:
        builder = FingerprintBuilder(spill)
        for a, b in ((0, 2), (2, 2), (2, 7)):
            builder.add(of(TEXTS[a:b], TITLES[a:b]))
        joined = builder.build()
        assert spill.spilled == (limit < 1 << 30)
        spill.release()
        chosen = take_spilled(joined, np.array([0, 3]), spill)
    assert as_lists(joined) == as_lists(of(TEXTS, TITLES))
    assert as_lists(chosen) == as_lists(of([TEXTS[0], TEXTS[3]], [TITLES[0], TITLES[3]]))
    types = [value.dtype if not isinstance(value, tuple) else value[0].dtype for value in vars(joined).values()]
    assert types == [np.int32, *[np.uint64] * 6, np.int32]


@pytest.mark.parametrize("words", [47, 48, 49])
def test_only_a_text_that_can_be_a_copy_of_a_brief_has_its_terms(words):
    assert brief_words(Config()) == 48
    text = " ".join(["وزير"] * words)
    assert len(as_lists(of([text], [None]))["brief_terms"][0]) == (words if words <= 48 else 0)


def test_a_brief_has_the_terms_that_it_would_have_as_a_title():
    text = "محكمة الاستئناف في الواحة ترفض طعن رئيس البلدية السابق ولا تقبل 3 دعاوى"
    found = of([text], [text])
    assert found.brief_terms[0].tolist() == found.title_terms[0].tolist()


def test_take_selects_the_chosen_documents():
    rows = [6, 0, 0, 3]
    chosen = of([TEXTS[i] for i in rows], [TITLES[i] for i in rows])
    assert as_lists(of(TEXTS, TITLES).take(np.array(rows))) == as_lists(chosen)


@pytest.mark.parametrize(
    "typed",
    ["قَالَ الوزيرُ في القاهرةِ ١٬٥٠٠", "قال الوزير فى القاهره 1,500!", "ﻗﺎﻝ الوزيـــر في القاهرة 1500", "قال\u200f الوزیر في القاهرة ۱۵۰۰"],
    ids=["vowels", "house_style", "presentation_forms", "keyboard"],
)
def test_spelling_variants_of_a_text_have_one_digest(typed):
    digests = of([typed, "قال الوزير في القاهرة 1500"], ["", ""]).digests
    assert digests[0].tolist() == digests[1].tolist()


@pytest.mark.parametrize("changed", ["قال الوزير في القاهرة 1501", "قال الوزير في القاهرة", "الوزير قال في القاهرة 1500", ""])
def test_another_text_has_another_digest(changed):
    digests = of([changed, "قال الوزير في القاهرة 1500"], ["", ""]).digests
    assert digests[0].tolist() != digests[1].tolist()


def test_long_titles_are_read_to_the_end():
    title = news(5, 200)
    assert of([""], [title]).title_words[0] == len(oracle.stems(title, 1000, title=True))


def test_signatures_are_made_of_the_shingles_that_a_run_compares():
    assert dedup.sign(pa.array(TEXTS)).values.tolist() == dedup.sign([text or "" for text in TEXTS]).values.tolist()


def test_shingles_are_sequences_of_folded_words():
    assert dedup.shingle("قَالَ الوزيرُ في القاهرةِ") == ["قال الوزير في", "الوزير في القاهره"]
    assert dedup.shingle("قال الوزير", Config()) == ["قال الوزير"]
    assert dedup.shingle("،") == []
