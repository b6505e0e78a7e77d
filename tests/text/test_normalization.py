"""Folding: one test per rule, with typed and folded forms."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dedup.errors import ConfigError
from dedup.text import folding
from dedup.text.folding import (
    COMPOSE,
    DECIMAL,
    DIGIT,
    DROP,
    EXPAND,
    GROUP,
    LETTER,
    LEVELS,
    SEPARATOR,
    SIGN,
    SINGLE,
    build_table,
    fold_table,
)
from dedup.text.lexicon import stop_words
from dedup.text.normalization import normalize, tokenize
from dedup.text.stemming import light_stem, stem_lists
from tests.kernels.text.test_tokens import arabic_like, with_surrogates

any_level = pytest.mark.parametrize("level", LEVELS)


def rule(*cases):
    """Cases ``(what the case shows, typed, folded)`` of a rule."""
    return pytest.mark.parametrize(("typed", "folded"), [case[1:] for case in cases], ids=[case[0] for case in cases])


# Canonical


@rule(
    ("final_forms", "ﻣﺼﺮ", "مصر"),
    ("lam_alef", "ﻻعب", "لاعب"),
    ("lam_alef_hamza", "ﻷمم", "لامم"),
    ("alef_hamza", "ﺃمر", "امر"),
    ("allah", "عبد ﷲ", "عبد الله"),
    ("salla", "ﷺ", "صلي الله عليه وسلم"),
    ("muhammad", "ﷴ", "محمد"),
    ("full_width", "ＡＦＰ　２٠", "afp 20"),
    ("latin_ligature", "ﬁnal", "final"),
    ("superscript", "م²", "م 2"),
    ("fraction", "½", "1 2"),
    ("ellipsis", "قال…نعم", "قال نعم"),
    ("no_break_space", "في\u00a0مصر", "في مصر"),
)
def test_compatibility_forms_fold_to_their_letters(typed, folded):
    assert normalize(typed) == folded


@rule(
    ("isolated_fatha", "قﹶال", "قال"),
    ("isolated_fathatan", "جداﹰ", "جدا"),
    ("shadda_with_damma", "مدرﱡس", "مدرس"),
    ("rial", "5 ﷼", "5 ريال"),
    ("basmala", "﷽", "بسم الله الرحمن الرحيم"),
)
def test_forms_that_nfkc_splits_or_keeps_are_folded_first(typed, folded):
    assert normalize(typed) == folded


@rule(
    ("vowels", "قَالَ الرَّئِيسُ", "قال الرئيس"),
    ("tanwin_behind_alef", "سابقاً", "سابقا"),
    ("tanwin_before_alef", "سابقًا", "سابقا"),
    ("dagger_alef", "هٰذا", "هذا"),
    ("quranic", "ٱلۡعَٰلَمِينَۖ", "العلمين"),
    ("extended", "كتࣰاب", "كتاب"),
    ("honorific_sign", "النبيؐ", "النبي"),
    ("mark_alone", "َ", ""),
)
def test_vowels_and_marks_are_dropped(typed, folded):
    assert normalize(typed) == folded


@rule(
    ("inside", "مـــصر", "مصر"), ("before_a_number", "الـ51", "ال 51"), ("as_a_dash", "الرياضي ـ عاجل", "الرياضي عاجل"), ("alone", "ـ", "")
)
def test_tatweel_is_dropped(typed, folded):
    assert normalize(typed) == folded


INVISIBLE = "\u200b\u200c\u200d\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff\u00ad\ufe0f"


@pytest.mark.parametrize("sign", INVISIBLE, ids=[f"U+{ord(sign):04X}" for sign in INVISIBLE])
def test_invisible_characters_are_dropped_and_do_not_split_words(sign):
    assert normalize(f"و{sign}قال") == "وقال"


@rule(
    ("substitute", "قال\x1aنعم", "قال نعم"),
    ("line_separator", "قال\u2028نعم", "قال نعم"),
    ("next_line", "قال\u0085نعم", "قال نعم"),
    ("null", "قال\x00نعم", "قال نعم"),
    ("tab_and_newline", "قال\t\r\nنعم", "قال نعم"),
)
def test_control_characters_separate_tokens(typed, folded):
    assert normalize(typed) == folded


@rule(
    ("madda", "ا\u0653خر", "آخر"),
    ("hamza_above", "ا\u0654حمد", "أحمد"),
    ("hamza_below", "ا\u0655لى", "إلى"),
    ("waw", "مو\u0654من", "مؤمن"),
    ("yeh", "بي\u0654ر", "بئر"),
)
def test_hamza_marks_compose_before_marks_are_dropped(typed, folded):
    assert normalize(typed) == normalize(folded)
    assert normalize(f"{typed[0]}\u064e{typed[1:]}") == normalize(folded)


@rule(
    ("arabic", "٠١٢٣٤٥٦٧٨٩", "0123456789"),
    ("persian", "۰۱۲۳۴۵۶۷۸۹", "0123456789"),
    ("mixed", "٢0۱٥", "2015"),
    ("devanagari", "१२", "12"),
)
def test_digits_of_all_scripts_are_equal(typed, folded):
    assert normalize(typed) == folded


@rule(
    ("groups_ascii", "1,500", "1500"),
    ("groups_arabic", "١٬٥٠٠", "1500"),
    ("groups_persian", "۱۵۰۰", "1500"),
    ("groups_arabic_digits_ascii_comma", "١,٥٠٠", "1500"),
    ("many_groups", "1,234,567", "1234567"),
    ("decimal_ascii", "2.5", "2.5"),
    ("decimal_arabic", "٢٫٥", "2.5"),
    ("groups_and_decimals", "1,500.25", "1500.25"),
    ("full_stop_is_no_decimal", "عام 2015.", "عام 2015"),
    ("comma_is_no_group", "15,30", "15 30"),
    ("four_digits_are_no_group", "1,5000", "1 5000"),
    ("four_digits_have_no_group", "1500,300", "1500 300"),
    ("arabic_comma_is_no_group", "1،500", "1 500"),
    ("list_of_numbers", "1, 2, 3", "1 2 3"),
    ("time", "15:30", "15 30"),
    ("date", "3/7/2026", "3 7 2026"),
)
def test_numbers_keep_their_value(typed, folded):
    assert normalize(typed) == folded


@pytest.mark.parametrize(("one", "other"), [("2.5", "25"), ("5", "7"), ("15,30", "1530"), ("1.500", "1500"), ("0.5", ".5")])
def test_different_numbers_stay_different(one, other):
    assert all(normalize(one, level) != normalize(other, level) for level in LEVELS)


@rule(("ascii", "5%", "5 %"), ("arabic", "٥٪", "5 %"), ("full_width", "5％", "5 %"), ("spaced", "5 %", "5 %"))
def test_percent_signs_are_unified_and_kept(typed, folded):
    assert normalize(typed) == folded


@rule(("year", "2015م", "2015 م"), ("preposition", "بـ17", "ب 17"), ("name", "كوفيد19", "كوفيد 19"), ("latin", "G20", "g 20"))
def test_letters_and_digits_are_separate_tokens(typed, folded):
    assert normalize(typed) == folded


@rule(
    ("persian_yeh", "علی", "علي"),
    ("urdu_yeh", "ے", "ي"),
    ("barree_hamza", "ۓ", "ي"),
    ("persian_kaf", "کتاب", "كتاب"),
    ("swash_kaf", "ڪتاب", "كتاب"),
    ("heh_goal", "ہم", "هم"),
    ("heh_doachashmee", "ھذا", "هذا"),
    ("kurdish_ae", "بە", "به"),
    ("heh_yeh", "خانۀ", "خانه"),
    ("teh_marbuta_goal", "مدرسۃ", "مدرسه"),
    ("alef_wasla", "ٱلله", "الله"),
)
def test_letters_of_other_keyboards_fold_to_arabic_ones(typed, folded):
    assert normalize(typed) == folded


@rule(
    ("case", "Reuters AFP", "reuters afp"),
    ("accent", "Élysée", "elysee"),
    ("combining_accent", "e\u0301te", "ete"),
    ("sharp_s", "Straße", "strasse"),
    ("greek_sigma", "ΣΊΣΥΦΟΣ", "σισυφοσ"),
    ("cyrillic", "Новый", "новыи"),
)
def test_case_and_accents_are_dropped(typed, folded):
    assert normalize(typed) == folded


@rule(
    ("arabic", "نعم، لا؛ لماذا؟", "نعم لا لماذا"),
    ("quotes", "«قال» “نعم” ‹لا› ﴾آية﴿", "قال نعم لا ايه"),
    ("dashes", "الرياض–واس—عاجل", "الرياض واس عاجل"),
    ("hashtag", "#غزة_تحت_القصف", "غزه تحت القصف"),
    ("mention", "@reuters", "reuters"),
    ("dots_in_a_name", "بي.بي.سي", "بي بي سي"),
    ("urdu_full_stop", "ہے۔", "هي"),
    ("emoji", "عاجل🔴خبر", "عاجل خبر"),
    ("bullet", "• خبر *", "خبر"),
)
def test_punctuation_and_symbols_separate_tokens(typed, folded):
    assert normalize(typed) == folded


@rule(("hamza_above", "أحمد", "احمد"), ("hamza_below", "إلى", "الي"), ("madda", "القرآن", "القران"), ("wasla", "ٱمرأة", "امراه"))
def test_forms_of_alef_are_unified(typed, folded):
    assert normalize(typed) == folded


@rule(("final", "مستشفى", "مستشفي"), ("egyptian_habit", "فى", "في"))
def test_alef_maksura_folds_to_yeh(typed, folded):
    assert normalize(typed) == folded


@rule(("final", "القاهرة", "القاهره"), ("alone", "ة", "ه"))
def test_teh_marbuta_folds_to_heh(typed, folded):
    assert normalize(typed) == folded


@pytest.mark.parametrize("letter", "پچژگڤڨڭء")
def test_letters_with_their_own_sound_are_kept(letter):
    assert normalize(letter) == letter
    assert normalize(letter, "shingle") == letter


def test_the_canonical_level_keeps_the_seats_of_hamza():
    assert normalize("مسؤول") != normalize("مسئول")


@rule(("han", "中文ニュース", "中 文 ニ ュ ー ス"), ("mixed", "新华社 شينخوا", "新 华 社 شينخوا"))
def test_each_han_or_kana_character_is_a_token(typed, folded):
    assert normalize(typed) == folded


@rule(
    ("persian", "وزیر خارجهٔ ایران", "وزير خارجه ايران"),
    ("persian_joiner", "می\u200cگوید", "ميگويد"),
    ("urdu", "وزیراعظم نے کہا", "وزيراعظم ني كها"),
    ("russian", "Москва, 2024 год", "москва 2024 год"),
    ("french", "L’Élysée a démenti", "l elysee a dementi"),
    ("hangul", "한국 뉴스", "한국 뉴스"),
    ("thai_vowels_stay", "ข่าว", "ข่าว"),
)
def test_texts_in_other_languages_are_tokenized(typed, folded):
    assert normalize(typed) == unicodedata.normalize("NFD", folded)


# Shingle and stem


@rule(("seat", "مسؤول مسئول", "مسءول مسءول"), ("plural", "شؤون شئون", "شءون شءون"), ("hamza_alone_stays", "ماء بدء", "ماء بدء"))
def test_the_shingle_level_unifies_the_seats_of_hamza(typed, folded):
    assert normalize(typed, "shingle") == folded


@rule(
    ("peh", "پاریس", "باريس"),
    ("cheh", "چاد", "جاد"),
    ("zheh", "ژنو", "زنو"),
    ("gaf", "گوگل", "كوكل"),
    ("veh", "ڤيتو", "فيتو"),
    ("qaf", "ڨفصه", "قفص"),
)
def test_the_stem_level_maps_foreign_sounds_to_the_nearest_letter(typed, folded):
    assert normalize(typed, "stem") == folded


@any_level
def test_the_rules_of_a_level_hold_at_higher_levels(level):
    pairs = [
        ("قَالَ", "قال"),
        ("مـصر", "مصر"),
        ("ﻻعب", "لاعب"),
        ("١٬٥٠٠", "1500"),
        ("کتاب", "كتاب"),
        ("أحمد", "احمد"),
        ("فى", "في"),
        ("ثورة", "ثوره"),
    ]
    for one, other in pairs:
        assert normalize(one, level) == normalize(other, level)


@pytest.mark.parametrize("word", ["الحسن", "والحسن", "بالحسن", "كالحسن", "فالحسن", "حسن"])
def test_articles_and_conjunctions_are_removed(word):
    assert normalize(word, "stem") == "حسن"


@rule(("lil", "للآخر", "اخر"), ("her", "زوجها", "زوج"))
def test_other_affixes_are_removed(typed, folded):
    assert normalize(typed, "stem") == folded


@pytest.mark.parametrize("word", ["ساهدان", "ساهدات", "ساهدون", "ساهدين", "ساهدية", "ساهدة", "ساهدي", "ساهدها", "ساهده"])
def test_endings_are_removed(word):
    assert normalize(word, "stem") == "ساهد"


@pytest.mark.parametrize("word", ["وزير", "لبنان", "إيران", "واشنطن", "بيان", "السودان"])
def test_words_that_only_look_affixed_keep_their_root(word):
    root = normalize(word, "shingle").removeprefix("ال")
    assert normalize(word, "stem") == root


def test_the_agency_keeps_its_waw():
    assert normalize("وكالة", "stem") == normalize("الوكالة", "stem") == "وكال"


@pytest.mark.parametrize(
    "words",
    ["وزير الوزير والوزير", "بالرياض والرياض الرياض", "بمصر مصر", "لغزة غزة", "بيان البيان", "السودان بالسودان", "وكالة لوكالة الوكالة"],
)
def test_a_word_with_and_without_its_clitics_has_one_stem(words):
    assert len(set(tokenize(words, "stem"))) == 1


@pytest.mark.parametrize("word", ["washington", "reuters", "اﻟ", "و", "ال", "الو", "12", "новости", "中"])
def test_short_or_foreign_words_are_not_stemmed(word):
    assert normalize(word, "stem") == normalize(word, "shingle")


@rule(("urgent", "عااااجل", "عاجل"), ("laughter", "ههههه", "ه"), ("two_stay", "مممثل", "مثل"), ("doubled_letter_stays", "الممثل", "ممثل"))
def test_repeated_letters_of_emphasis_are_reduced_to_one(typed, folded):
    assert normalize(typed, "stem") == folded


@pytest.mark.parametrize("word", ["في", "من", "على", "إلى", "الى", "فى", "أن", "ان", "التي", "الذي"])
def test_stop_words_are_recognized_in_all_spellings(word):
    assert normalize(word, "stem") in stop_words()


@pytest.mark.parametrize("word", ["لا", "لم", "لن", "ليس", "غير", "نفى"])
def test_negations_are_not_stop_words(word):
    assert normalize(word, "stem") not in stop_words()


def test_the_lists_of_the_stemmer_contain_folded_words():
    for words in (stem_lists().whole, stem_lists().ending, stem_lists().split):
        assert {word for word in words if normalize(word, "shingle") != word} == set()


# Properties


@any_level
@given(text=with_surrogates)
def test_folding_is_idempotent_on_any_text(level, text):
    once = normalize(text, level)
    assert normalize(once, level) == once


@any_level
@given(text=arabic_like)
def test_folding_is_idempotent_on_arabic_text(level, text):
    once = normalize(text, level)
    assert normalize(once, level) == once


@given(st.text(st.sampled_from("والبكفلنيتهاسمدرعقحءه"), min_size=1, max_size=14))
def test_the_stem_is_idempotent_and_never_empty(word):
    stem = light_stem(word)
    assert stem
    assert light_stem(stem) == stem


def _kinds(text):
    table = fold_table()
    return [int(table.entries[table.blocks[ord(letter) >> 8], ord(letter) & 255]) >> 24 for letter in text]


def _reorders(text):
    """Whether two marks that matter are adjacent: canonical ordering may swap them and so change the text."""
    kept = [letter for letter, kind in zip(text, _kinds(text), strict=True) if kind != DROP]
    marks = [unicodedata.combining(letter) > 0 for part in kept for letter in unicodedata.normalize("NFD", part)]
    return any(one and other for one, other in zip(marks, marks[1:], strict=False))


@any_level
@given(text=st.text(max_size=40) | arabic_like)
def test_decomposed_text_folds_to_the_same(level, text):
    assume(not _reorders(text))
    assert normalize(unicodedata.normalize("NFD", text), level) == normalize(text, level)


@given(arabic_like)
def test_words_fold_independently_of_one_another(text):
    assert tokenize(f"{text} {text}") == tokenize(text) * 2


@given(arabic_like)
def test_equal_canonical_texts_are_equal_at_every_level(text):
    canonical = normalize(text)
    for level in ("shingle", "stem"):
        assert normalize(canonical, level) == normalize(text, level)


@given(with_surrogates)
def test_no_token_is_empty_or_contains_a_space(text):
    for level in LEVELS:
        assert all(token and not any(letter.isspace() for letter in token) for token in tokenize(text, level))


def test_an_unknown_level_is_refused():
    with pytest.raises(ConfigError) as error:
        normalize("قال", "root")
    assert str(error.value) == "unknown level of folding: 'root'. Choose one of: canonical, shingle, stem."


# The table


#: ``data/folding.npz`` was built from this version of Unicode.
BUILT_WITH = "14.0.0"


@pytest.mark.skipif(unicodedata.unidata_version != BUILT_WITH, reason=f"the table was built from Unicode {BUILT_WITH}")
def test_the_shipped_table_follows_from_the_rules():
    for shipped, built in zip(fold_table(), build_table(), strict=True):
        assert shipped.dtype == built.dtype
        assert np.array_equal(shipped, built)


def _whole_table():
    """The entry of every code point."""
    table = fold_table()
    return table.entries[table.blocks].reshape(-1)


def _results():
    """Every entry that can come out of the table: (kind, value) of letters, digits, signs and single ones."""
    entries = _whole_table()
    expansions = fold_table().expansions
    parts = np.concatenate([entries[entries >> 24 != EXPAND], expansions[expansions != folding.END_OF_EXPANSION]])
    return np.unique(parts[np.isin(parts >> 24, (LETTER, DIGIT, SINGLE, SIGN, DECIMAL, GROUP))])


def test_the_table_covers_all_of_unicode_with_known_kinds():
    entries = _whole_table()
    assert len(entries) == 0x110000
    known = (SEPARATOR, LETTER, DIGIT, DROP, EXPAND, SINGLE, COMPOSE, SIGN, DECIMAL, GROUP)
    assert set(np.unique(entries >> 24).tolist()) <= set(known)


def test_every_expansion_ends_and_is_not_nested():
    entries, expansions = _whole_table(), fold_table().expansions
    assert expansions[-1] == folding.END_OF_EXPANSION
    places = entries[entries >> 24 == EXPAND] & 0xFFFFFF
    assert places.max() < len(expansions)
    kinds = np.unique(expansions[expansions != folding.END_OF_EXPANSION] >> 24)
    assert not {EXPAND, DROP, COMPOSE} & set(kinds.tolist())


def test_the_table_maps_its_own_results_to_themselves():
    results = _results()
    letters = results[np.isin(results >> 24, (LETTER, DIGIT, SINGLE, SIGN, DECIMAL))]
    assert np.array_equal(_whole_table()[letters & 0xFFFFFF], letters)


def test_each_level_maps_its_own_letters_to_themselves():
    for level in fold_table().refine:
        again = level[level - folding.ARABIC_BLOCK]
        assert np.array_equal(again, level)


def test_each_level_includes_the_folding_of_the_previous_one():
    canonical, shingle, stem = fold_table().refine
    assert np.array_equal(shingle[canonical - folding.ARABIC_BLOCK], shingle)
    assert np.array_equal(stem[shingle - folding.ARABIC_BLOCK], stem)


def test_the_folded_form_of_every_code_point_is_stable():
    entries = _whole_table()
    everything = [chr(code) for code in np.flatnonzero(entries >> 24 != SEPARATOR).tolist()]
    once = tokenize(" ".join(everything))
    assert tokenize(" ".join(once)) == once
