"""Which agency a text is credited to, and words that only look like a credit."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.segmentation.agencies import find_agencies, find_agency
from tests.effort import cases

BODY = "أعلنت بلدية المدينة اليوم عن افتتاح جسر جديد فوق الوادي الكبير بعد أعمال استمرت ثلاث سنوات كاملة وشارك فيها مئات العمال."


@pytest.mark.parametrize(
    "head, code",
    [
        ("القاهرة - رويترز:", "reuters"),
        ("باريس - أ.ف.ب:", "afp"),
        ("بكين - (د.ب.أ):", "dpa"),
        ("سيدني - د.ب.أ:", "dpa"),
        ("واس- الرياض :", "spa"),
        ("سبق - واس - الرياض:", "spa"),
        ("الرياض 26 شوال 1436 هـ الموافق 11 أغسطس 2015 م واس\n", "spa"),
        ("تونس 1 ديسمبر 2016 (وات) -", "tap"),
        ("صنعاء- قنا-", "qna"),
        ("الدوحة-قنا\n", "qna"),
        ("لندن ـ رويترز ـ", "reuters"),
        ("واشنطن (أ ب) -", "ap"),
        ("الكويت: كونا\n", "kuna"),
        ("الرباط\nو م ع\n", "map"),
        ("القاهرة – أ ش أ:", "mena"),
        ("دمشق - سانا:", "sana"),
        ("رويترز - أ ف ب:", "reuters"),
    ],
)
def test_a_dateline_names_the_agency(head, code):
    assert find_agency(f"{head} {BODY} {BODY}") == code


@pytest.mark.parametrize(
    "tail, code",
    [
        ("\nفرانس24/ أ ف ب", "afp"),
        ("\nفرانس 24/ ا ف ب/ رويترز", "afp"),
        (" (أ. ف. ب)", "afp"),
        (" (د ب أ)", "dpa"),
        ("\n-وات-", "tap"),
        ("\nواس", "spa"),
        (" (رويترز).", "reuters"),
        ("\n* بالاتفاق مع «بلومبيرغ»", "bloomberg"),
        ("\n(إعداد سامر الوادي للنشرة العربية - تحرير ليلى)", "reuters"),
        ("\nالمصدر: رويترز", "reuters"),
    ],
)
def test_a_sign_off_names_the_agency(tail, code):
    assert find_agency(f"{BODY} {BODY}{tail}") == code


@pytest.mark.parametrize(
    "author, code",
    [
        ("مانيلا - رويترز", "reuters"),
        ("الكويت - واس", "spa"),
        ("وكالات - بنغازي", None),
        ("بنا - المنامة", "bna"),
        ("نابلس، بيروت - أ ف ب", "afp"),
        ("سامر صفا", None),
        ("فارس القحطاني", None),
        ("موسكو (رويترز)", "reuters"),
        ("", None),
    ],
)
def test_the_author_field_names_the_agency(author, code):
    assert find_agency(BODY, author) == code


@pytest.mark.parametrize(
    "text",
    [
        f"وقالت رويترز إن الجسر افتتح اليوم. {BODY}",
        f"ذكرت وكالة الأنباء السورية (سانا) أن الجسر افتتح. {BODY}",
        f"واسع هو الجسر الجديد - {BODY}",
        f"وفاة عامل في الجسر: {BODY}",
        f"قنا: افتتاح جسر جديد {BODY}",
        f"بترا - مدينة وردية {BODY}",
        f"{BODY} كما نقلت وكالة الأنباء السعودية (واس).",
        f"{BODY}\nوكالات",
        f"وكالات - {BODY}",
        f"القاهرة (CNN) - {BODY}",
        f"دبا: افتتاح ميناء {BODY}",
        "",
    ],
)
def test_a_word_that_looks_like_an_agency_is_no_credit(text):
    assert find_agency(text) is None


def test_the_author_field_takes_precedence_over_the_text():
    assert find_agency(f"باريس - أ ف ب: {BODY}", "واس - الرياض") == "spa"


def test_a_column_gives_one_code_per_row():
    texts = [f"باريس - أ ف ب: {BODY}", BODY, None, f"{BODY}\n(واس)"]
    for kind in (pa.string(), pa.large_string()):
        array = pa.array(texts, kind)
        assert find_agencies(array).to_pylist() == ["afp", None, None, "spa"]
        assert find_agencies(array.slice(1), pa.array([None, "رويترز", ""])).to_pylist() == [None, "reuters", "spa"]
    assert find_agencies(pa.array([], pa.large_string())).type == pa.string()


PIECES = st.sampled_from(
    [
        "واس",
        "رويترز",
        "أ ف ب",
        "أ.ف.ب",
        "(د ب أ)",
        "قنا",
        "الرياض",
        "وات",
        " - ",
        ": ",
        "\n",
        " ",
        "ـ",
        "،",
        "/",
        "(",
        ")",
        "«بلومبيرغ»",
        BODY,
        BODY[:40],
        "م واس ",
        "2015",
        chr(0xA0),
        "و",
        "ل",
        "*",
        ".",
        "للنشرة العربية",
        "بنا",
        "أ ب",
    ]
)


@settings(max_examples=cases(500), deadline=None)
@given(st.lists(PIECES, max_size=14).map("".join), st.one_of(st.none(), st.lists(PIECES, max_size=4).map("".join)))
def test_column_and_single_text_agree(text, author):
    assert find_agencies(pa.array([text]), pa.array([author], pa.string())).to_pylist() == [find_agency(text, author)]
