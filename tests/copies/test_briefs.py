"""Briefs: one changed fact makes another text of a sentence or two, at any distance in time; another spelling does not."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.config import Config
from dedup.copies.briefs import is_brief
from dedup.fingerprints.fingerprint import BRIEF_WORDS, brief_words, fingerprint, fingerprint_with_tokens
from tests.arabic import news
from tests.copies.brief_pairs import OTHER_FACT, OTHER_SPELLING

#: A day, a week, and most of a year after the first.
DAYS = {"same_day": "2025-03-09", "days_later": "2025-03-12", "months_later": "2025-11-20"}


def statuses(one, other, column="text", later="2025-03-09"):
    """The status of each of two texts, or titles."""
    rows = [
        {"id": "a", column: one, "source": "مدار", "published": "2025-03-09T06:00:00Z"},
        {"id": "b", column: other, "source": "قبس", "published": f"{later}T07:00:00Z"},
    ]
    return [document["status"] for document in dedup.find_copies(rows).documents.to_pylist()]


@pytest.mark.parametrize("column", ["text", "title"])
@pytest.mark.parametrize(("one", "other"), OTHER_FACT.values(), ids=OTHER_FACT)
def test_a_brief_with_another_fact_is_no_copy(one, other, column):
    assert statuses(one, other, column) == ["unique", "unique"]


@pytest.mark.parametrize("column", ["text", "title"])
@pytest.mark.parametrize(("one", "other"), OTHER_SPELLING.values(), ids=OTHER_SPELLING)
def test_a_brief_in_another_spelling_is_a_copy(one, other, column):
    assert sorted(statuses(one, other, column)) == ["canonical", "copy"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("الرئيس الأميركي يصل إلى الرياض في زيارة رسمية", "الرئيس الأمريكي يصل إلى الرياض في زيارة رسمية"),
        ("ترامب يعلن التوصل إلى اتفاق تجاري مع الصين هذا الأسبوع", "ترمب يعلن التوصل إلى إتفاق تجاري مع الصين هذا الاسبوع"),
        ("مسؤول بريطاني يزور مقر التلفزيون الرسمي في العاصمة", "مسئول بريطاني يزور مقر التليفزيون الرسمي في العاصمة"),
    ],
)
def test_names_in_another_spelling_make_no_other_text(one, other):
    assert sorted(statuses(one, other)) == ["canonical", "copy"]


@pytest.mark.parametrize("later", DAYS.values(), ids=DAYS)
def test_the_distance_in_time_decides_nothing(later):
    assert statuses(*OTHER_FACT["refuses_accepts"], later=later) == ["unique", "unique"]
    assert statuses(*OTHER_SPELLING["all_at_once"], later=later) == ["canonical", "copy"]
    assert statuses(*[OTHER_FACT["magnitude"][0]] * 2, later=later) == ["canonical", "copy"]


SLOTS = [
    ("ترفض", "تقبل", "تؤجل"),
    ("الواحة", "القاهرة", "الرياض", "صفاقس"),
    ("12", "13", "21", "7"),
    ("الوزير", "النائب", "المحافظ"),
    ("السبت", "الأحد", "الخميس"),
    ("قبل", "بعد"),
]
FORM = "محكمة الاستئناف {} طعنا في مدينة {} قدمه {} من موظفي مكتب {} يوم {} المقبل {} جلسة مجلس البلدية"
facts = st.tuples(*(st.integers(0, len(words) - 1) for words in SLOTS))
SPELLINGS = [
    lambda text: text.replace("أ", "ا").replace("إ", "ا"),
    lambda text: text.replace("ة", "ه"),
    lambda text: text.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")),
    lambda text: text.replace("م", "مـ").replace("ك", "كَ"),
    lambda text: f"عاجل | {text}",
    lambda text: text.replace("في مدينة", "بمدينة"),
    lambda text: f"«{text}».",
]


def written(chosen):
    return FORM.format(*(words[place] for words, place in zip(SLOTS, chosen, strict=True)))


@given(facts, facts)
def test_the_same_form_with_other_facts_is_another_text(one, other):
    assert ("copy" in statuses(written(one), written(other))) == (one == other)


@given(facts, st.lists(st.sampled_from(SPELLINGS), max_size=4))
def test_respelling_never_makes_another_text(chosen, spellings):
    text = respelt = written(chosen)
    for spelling in spellings:
        respelt = spelling(respelt)
    assert "copy" in statuses(text, respelt)


BRIEF = "محكمة الاستئناف في الواحة ترفض طعن رئيس البلدية السابق في حكم سجنه 12 عاما"


def test_a_brief_stands_in_a_report_that_says_all_of_it():
    assert statuses(f"{BRIEF} {news(1, 200)}", BRIEF) == ["canonical", "copy"]
    assert statuses(f"{BRIEF.replace('السابق', 'السابق خالد')} {news(1, 200)}", BRIEF) == ["canonical", "copy"]


@pytest.mark.parametrize(
    "changed",
    [
        BRIEF.replace("12", "15"),
        BRIEF.replace("ترفض", "تقبل"),
        BRIEF.replace("الواحة", "القاهرة"),
        BRIEF.replace("ترفض", "لم ترفض"),
        BRIEF.replace("12", ""),
        f"نفي خبر أن {BRIEF}",
    ],
    ids=["number", "verb", "place", "negated", "number_missing", "denied"],
)
def test_a_brief_is_no_copy_of_a_report_that_says_something_else(changed):
    assert "copy" not in statuses(f"{changed} {news(1, 200)}", BRIEF)


def test_a_word_of_time_in_a_brief_must_stand_in_the_report():
    brief = "الوزير يلتقي الوفد المفاوض قبل القمة العربية في العاصمة ويشدد على وحدة الصف العربي"
    assert statuses(f"{brief} {news(1, 200)}", brief) == ["canonical", "copy"]
    assert "copy" not in statuses(f"{brief.replace('قبل', 'بعد')} {news(1, 200)}", brief)


def test_a_reworded_brief_is_an_excerpt_of_a_report_but_no_copy_where_too_little_of_it_stands_there():
    brief = "وافق سالم الحارثي وزير الثقافة والفنون على ترشيح مجلس إدارة مؤسسة الضفة للطباعة والنشر للزميل ماجد الوادي رئيسا لتحرير صحيفة النخيل"
    report = (
        "وافق معالي وزير الثقافة والفنون الدكتور سالم بن حمد الحارثي على ترشيح مجلس إدارة مؤسسة الضفة للطباعة والنشر للأستاذ ماجد الوادي رئيسا "
        "لتحرير صحيفة النخيل. وتقلد الوادي عددا من المناصب الصحافية خلال حياته المهنية التي امتدت لأكثر من عشرين عاما كان آخرها منصب مدير عام "
        "المؤسسة. كما يشغل الوادي حاليا عددا من العضويات في مجالس إدارة الشركة الوطنية للتوزيع والمجلس البلدي واتحاد الناشرين والرابطة الأدبية"
    )
    result = dedup.find_copies([{"id": "brief", "text": brief}, {"id": "report", "text": report}])
    (match,) = result.matches.to_pylist()
    assert match["kind"] == "excerpt"
    assert 0.4 < match["share_a"] < 0.62
    assert result.documents["status"].to_pylist() == ["unique", "unique"]


def test_a_report_that_grew_out_of_a_brief_is_kept():
    assert "copy" not in statuses(BRIEF, f"{BRIEF} {news(2, 14)}")


def test_a_second_sentence_makes_no_other_text_of_the_first():
    assert statuses(f"{BRIEF} وهيئة الدفاع تعلن أنها ستلجأ إلى محكمة النقض خلال الأيام القليلة المقبلة", BRIEF) == ["canonical", "copy"]


def rows_of(rows):
    values, offsets = rows
    return [values[offsets[i] : offsets[i + 1]].tolist() for i in range(len(offsets) - 1)]


TEXTS = [text for pairs in (OTHER_FACT, OTHER_SPELLING) for pair in pairs.values() for text in pair]


def test_terms_of_a_brief_are_those_of_a_title():
    column = pa.array(TEXTS)
    prints = fingerprint(column, column, Config())
    assert rows_of(prints.brief_terms) == rows_of(prints.title_terms)


def test_terms_of_a_brief_follow_from_its_tokens():
    column = pa.array([*TEXTS, news(1, 200), "", "في على من"])
    prints, _, _ = fingerprint_with_tokens(column, column, Config())
    assert rows_of(prints.brief_terms) == rows_of(fingerprint(column, column, Config()).brief_terms)


def test_longer_texts_have_no_terms_of_a_brief():
    most = brief_words(Config())
    prints = fingerprint(pa.array([news(1, most), news(1, most + 1)]), pa.array(["", ""]), Config())
    assert [bool(row) for row in rows_of(prints.brief_terms)] == (prints.words <= most).tolist()


def test_a_brief_has_at_most_so_many_shingles():
    briefs = np.ones(2, np.uint64), np.array([0, 1, 2])
    shingles = np.arange(2 * BRIEF_WORDS + 1).astype(np.uint64), np.array([0, BRIEF_WORDS, 2 * BRIEF_WORDS + 1])
    assert is_brief(shingles, briefs, np.array([0, 1])).tolist() == [True, False]
