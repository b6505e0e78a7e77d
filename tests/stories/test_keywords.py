"""Keywords as a reader would choose them: surface forms, no clitics, no verbs, phrases, each word once."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from dedup.stories.keywords import is_verb, keywords, spelling, without_clitic
from dedup.stories.surface_words import SurfaceWords
from dedup.text.lexicon import term_hashes
from dedup.text.normalization import tokenize


def keywords_of(texts, *wanted):
    """Keywords of one story whose candidates are the terms of these words."""
    terms = np.array([term_hashes(frozenset(tokenize(word, "stem")))[0] & ~np.uint64(3) for word in wanted], np.uint64)
    words = SurfaceWords.of(pa.array(texts, pa.large_string()))
    (answer,) = keywords(words, np.zeros(len(texts), np.int64), np.zeros(len(terms), np.int64), terms, 1)
    return answer


@pytest.mark.parametrize(
    ("word", "plain"),
    [
        ("وبالرياض", "الرياض"), ("للأمم", "الأمم"), ("للجنة", "لجنة"), ("للاعبين", "لاعبين"), ("للرياض", "الرياض"), ("وإثيوبيا", "إثيوبيا"), ("وأسعار", "أسعار"), ("والرياض", "الرياض"), ("واستقالة", "استقالة"),
        ("وزير", "وزير"), ("واشنطن", "واشنطن"), ("بيان", "بيان"), ("لبنان", "لبنان"), ("G20", "G20"),
    ],
)  # fmt: skip
def test_clitics_are_stripped_and_first_letters_are_not(word, plain):
    assert without_clitic(word)[0] == plain


def test_commonest_spelling_is_shown():
    assert keywords_of(["المخطوطات مخطوطة", "مخطوطة نادرة"], "مخطوطة") == ["مخطوطة"]


def test_keyword_loses_its_clitic_even_if_it_never_occurs_without():
    assert keywords_of(["سافر الوفد وإثيوبيا", "تحدث عن السودان وإثيوبيا"], "إثيوبيا") == ["إثيوبيا"]


@pytest.mark.parametrize(("word", "plain"), [("لتطعيم", "تطعيم"), ("كمرحلة", "مرحلة"), ("بأقسام", "أقسام")])
def test_unlisted_preposition_is_stripped_from_a_well_known_word(word, plain):
    assert keywords_of([f"حملة {word}"], word) == [plain]


@pytest.mark.parametrize("name", ["بلاتيني", "كاميرون", "برشلونة", "كريستيان", "لندن", "بوغاتي", "كايمان", "ليفربول"])
def test_name_keeps_its_first_letter(name):
    assert keywords_of([f"زيارة {name}"], name) == [name]


def test_vowel_marks_and_accusative_alef_are_stripped():
    assert keywords_of(["مات حرقًا في المنزل", "مات حرقا", "ماتوا حرقا"], "حرقا") == ["حرق"]
    assert keywords_of(["اعتُقِلَ مُتَّهَمٌ"], "متهم") == ["متهم"]


@pytest.mark.parametrize("word", ["تستأنف", "يتفقد", "سيتوجه", "أطلقت", "باشرت", "يحاولون", "استهدفوا", "واستهدف"])
def test_finite_verb_is_no_keyword(word):
    assert is_verb("".join(tokenize(word, "shingle")))
    assert keywords_of([f"{word} الدوريات"] * 2, word, "الدوريات") == ["الدوريات"]


@pytest.mark.parametrize("word", ["تونس", "تدمر", "ينبع", "تدريب", "يوفنتوس", "قتل", "بحث", "ياسر", "مارس"])
def test_noun_that_looks_like_a_verb_is_none(word):
    assert not is_verb("".join(tokenize(word, "shingle")))


def test_word_with_a_possessive_pronoun_is_no_keyword():
    assert keywords_of(["ضاعت هواتفهم في الزحام"], "هواتفهم", "الزحام") == ["الزحام"]
    assert spelling("مدينتنا").owned
    assert not any(spelling(name).owned for name in ("سهم", "لانا", "إبراهيم", "القرية"))


def test_single_letters_and_numbers_are_no_keywords():
    assert keywords_of(["س ص طائرات"], "س", "ص", "طائرات") == ["طائرات"]


def test_usual_neighbours_are_one_keyword():
    texts = ["ناقش مجلس الأمن الأزمة", "جلسة في مجلس الأمن غدا"]
    assert keywords_of(texts, "الأمن", "الأزمة", "مجلس") == ["مجلس الأمن", "الأزمة"]


def test_neighbours_of_one_occurrence_are_two_keywords():
    assert keywords_of(["سفينة النفط غرقت", "سفينة أخرى", "أسعار النفط", "النفط"], "سفينة", "النفط") == ["سفينة", "النفط"]


def test_word_without_article_joins_one_with_article_only_as_a_name():
    assert keywords_of(["الملا عمر", "الملا عمر", "الملا عمر"], "عمر", "الملا") == ["الملا عمر"]
    apart = ["السلطات حجب", "السلطات حجب", "السلطات هنا", "السلطات هناك", "السلطات"]
    assert keywords_of(apart, "السلطات", "حجب") == ["السلطات", "حجب"]


def test_punctuation_separates_phrases():
    assert keywords_of(["بلاتيني، الفيفا"] * 3, "بلاتيني", "الفيفا") == ["بلاتيني", "الفيفا"]


def test_phrase_has_no_clitic_inside():
    assert keywords_of(["قذائف الهاون بجازان"] * 3, "قذائف", "الهاون", "بجازان")[0] == "قذائف الهاون"


def test_particle_is_part_of_a_name_and_never_a_keyword():
    assert keywords_of(["سلمان بن عبدالعزيز"] * 2, "بن", "سلمان", "عبدالعزيز") == ["سلمان بن عبدالعزيز"]
    assert keywords_of(["بن"] * 2, "بن") == []


@pytest.mark.parametrize(("one", "other"), [("إيطاليا", "الإيطالي"), ("أوضاع", "أوضاعهم"), ("تركيا", "التركية"), ("خيبر", "بخيبر")])
def test_forms_of_one_word_are_one_keyword(one, other):
    assert keywords_of([f"{one}، {other}، {one}"], one, other) == [one]


def test_at_most_eight_keywords_are_listed():
    words = ["ألمانيا", "المجر", "اليابان", "الصين", "البرازيل", "النرويج", "السويد", "فنلندا", "كندا", "الهند"]
    assert keywords_of(["، ".join(words)], *words) == words[:8]


def test_keywords_come_from_the_story_itself():
    words = SurfaceWords.of(pa.array(["مدينة غزة", "مدينة حلب"], pa.large_string()))
    city = term_hashes(frozenset(tokenize("غزة", "stem"))) & ~np.uint64(3)
    assert keywords(words, np.array([0, 1]), np.array([0, 1]), np.repeat(city, 2), 2) == [["غزة"], []]
