"""Headlines: they match if nothing is replaced; another number, name or negation makes a different headline."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from dedup.config import Config
from dedup.copies.headlines import Titles, match_headlines, unique_facts
from dedup.copies.pairs import EXACT, TITLE
from dedup.fingerprints.fingerprint import fingerprint
from tests.arabic import news


def matched(headlines, titles=(), ranks=None, threads=1):
    """Matches of headlines, followed by articles with these titles, as ``{(left, right): kind}``."""
    texts = [*headlines, *(news(seed) for seed in range(len(titles)))]
    prints = fingerprint(pa.array(texts), pa.array([*headlines, *titles]), Config())
    headline = np.arange(len(texts)) < len(headlines)
    facts = unique_facts(prints.title_terms)
    given = Titles(prints.title_shingles, prints.title_terms, facts, prints.title_words, headline, prints.digests)
    ranks = np.arange(len(texts)) if ranks is None else np.array(ranks)
    matches = match_headlines(given, ranks, np.full(len(texts), np.nan), Config(), threads=threads)
    return dict(zip(zip(matches.left.tolist(), matches.right.tolist(), strict=True), matches.kind.tolist(), strict=True))


VISIT = "بلينكن يلتقي الرئيس السيسي بمصر"
SAME = {
    "preposition": "بلينكن يلتقي الرئيس السيسي في مصر",
    "punctuation": "«بلينكن» يلتقي الرئيس السيسي.. بمصر!",
    "vowels": "بلينكن يَلتقي الرئيسَ السيسي بمصر",
    "house_style": "بلينكن يلتقى الرئيس السيسى بمصر",
    "tatweel": "بلينكن يلتقـي الرئيس السيسي بمصـــر",
}


@pytest.mark.parametrize("other", SAME.values(), ids=SAME)
def test_headlines_in_different_house_styles_match(other):
    assert matched([VISIT, other]).keys() == {(0, 1)}
    assert matched([other], [VISIT]) == {(0, 1): TITLE}


OTHERS = {
    "number": ("ارتفاع عدد ضحايا الزلزال في المدينة إلى 12 قتيلا", "ارتفاع عدد ضحايا الزلزال في المدينة إلى 15 قتيلا"),
    "number_missing": ("ارتفاع عدد ضحايا الزلزال في المدينة الساحلية إلى 12", "ارتفاع عدد ضحايا الزلزال في المدينة الساحلية"),
    "negation": ("وزارة الخارجية تؤكد استمرار المفاوضات", "وزارة الخارجية لا تؤكد استمرار المفاوضات"),
    "rare_name": ("الرئيس يستقبل السفير شهبندر في القصر الجمهوري", "الرئيس يستقبل السفير طرابيشي في القصر الجمهوري"),
    "verb": ("مجلس الأمن الدولي يرفض مشروع القرار الجديد بشأن المنطقة", "مجلس الأمن الدولي يقبل مشروع القرار الجديد بشأن المنطقة"),
    "place": ("مباحثات اقتصادية بين الوفدين في القاهرة اليوم", "مباحثات اقتصادية بين الوفدين في الرياض اليوم"),
}


@pytest.mark.parametrize(("one", "other"), OTHERS.values(), ids=OTHERS)
def test_headlines_with_different_facts_do_not_match(one, other):
    assert matched([one, other]) == {}
    assert matched([one], [other]) == {}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("مجلس الأمن الدولي يبحث الأزمة في المنطقة يوم الأحد المقبل", "مجلس الأمن الدولي يبحث الأزمة في المنطقة يوم السبت المقبل"),
        (
            "الولايات المتحدة تدين الهجوم المسلح على السفارة الفرنسية في العاصمة وتدعو جميع الأطراف إلى ضبط النفس",
            "الأمم المتحدة تدين الهجوم المسلح على السفارة الفرنسية في العاصمة وتدعو جميع الأطراف إلى ضبط النفس",
        ),
        ("جامعة الإمام تقيم حفل معايدة للطلاب وأعضاء هيئة التدريس", "جامعة الملك تقيم حفل معايدة للطلاب وأعضاء هيئة التدريس"),
    ],
    ids=["sunday", "states", "imam"],
)
def test_names_with_the_stem_of_a_stop_word_are_compared(one, other):
    assert matched([one, other]) == {}


def test_a_word_may_be_missing_on_one_side():
    assert (0, 1) in matched(["الرئيس السيسي يستقبل وزير الخارجية الأمريكي في القاهرة", "السيسي يستقبل وزير الخارجية الأمريكي في القاهرة"])


def test_headlines_with_the_same_words_are_exact_copies():
    assert matched([VISIT, VISIT]) == {(0, 1): EXACT}


def test_two_articles_never_match_by_title():
    assert matched([], [VISIT, VISIT]) == {}
    assert (1, 2) not in matched([VISIT], [VISIT, VISIT])


def test_a_headline_is_matched_with_the_first_headline_and_the_first_article():
    assert matched([VISIT] * 3, [VISIT] * 2, ranks=[2, 1, 0, 4, 3]).keys() == {(0, 2), (1, 2), (0, 4), (1, 4), (2, 4)}


def test_a_title_of_thousands_gives_one_match_each():
    assert len(matched([VISIT] * 3000)) == 2999


def test_headlines_that_are_too_short_never_match():
    assert matched(["السيسي يصل", "السيسي يصل"]) == {}


@pytest.mark.parametrize("headlines", [[], [VISIT], ["", ""]], ids=["none", "one", "empty"])
def test_one_headline_alone_has_no_match(headlines):
    assert matched(headlines) == {}


@pytest.mark.parametrize("threads", [2, 7])
def test_matches_do_not_depend_on_the_number_of_threads(threads):
    headlines = [f"{news(i % 20, 9)}{' اليوم' * (i % 2)}" for i in range(80)]
    assert matched(headlines, threads=threads) == matched(headlines)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("مجلس الأمن يصوت على مشروع القرار الأمريكي", "مجلس الأمن لن يصوت على مشروع القرار الأمريكي"),
        ("الوزير يلتقي الوفد قبل القمة في الرياض", "الوزير يلتقي الوفد بعد القمة في الرياض"),
        ("الشركة توقع العقد مع ضمانات من البنك", "الشركة توقع العقد بدون ضمانات من البنك"),
        ("إسرائيل تقصف مواقع في لبنان وسوريا", "لبنان وسوريا تقصف مواقع في إسرائيل"),
        (
            "الوزير يؤكد أن الحكومة لن ترفع الأسعار وأن البنك سيدعم الشركات",
            "الوزير يؤكد أن الحكومة لن ترفع الأسعار وأن البنك لن سيدعم الشركات",
        ),
        ("مقتل 9 من قوات الحرس الوطني في هجوم مسلح شمال البلاد", "مقتل 9 من قوات الحرس 9 الوطني في هجوم مسلح شمال البلاد"),
        (
            "زيارة الرئيس الأمريكي إلى المملكة العربية السعودية ودولة الإمارات مطلع الشهر المقبل",
            "إلغاء زيارة الرئيس الأمريكي إلى المملكة العربية السعودية ودولة الإمارات مطلع الشهر المقبل",
        ),
        (
            "وفاة وزير الخارجية المصري السابق في مستشفى القاهرة الجديدة عن عمر ناهز الثمانين عاما",
            "وفاة زوجة وزير الخارجية المصري السابق في مستشفى القاهرة الجديدة عن عمر ناهز الثمانين عاما",
        ),
        (
            "مقتل جنود من قوات الجيش الوطني في هجوم مسلح على مركز للشرطة شمال البلاد",
            "مقتل ثلاثة جنود من قوات الجيش الوطني في هجوم مسلح على مركز للشرطة شمال البلاد",
        ),
    ],
    ids=[
        "will_not",
        "before_after",
        "with_without",
        "roles_swapped",
        "negated_twice",
        "same_number_twice",
        "cancelled",
        "his_wife",
        "how_many",
    ],
)
def test_opposite_headlines_do_not_match(one, other):
    assert matched([one, other]) == {}
