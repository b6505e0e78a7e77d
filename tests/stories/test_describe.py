"""Descriptions of stories: lead, timeline, sources, agency, keywords; the same in blocks of any size."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from scipy import sparse

from dedup import schema
from dedup.stories import describe as describe
from dedup.stories.describe import describe_stories, story_id
from dedup.stories.vectors import Vectors
from dedup.text.lexicon import term_hashes
from dedup.text.normalization import tokenize

START = dt.datetime(2015, 7, 21, tzinfo=dt.UTC)


def document(title, *, text="", hours=0.0, source="المدى", agency=None, role="article", copy_of=None, story=0):
    published = None if hours is None else START + dt.timedelta(hours=hours)
    return {
        "title": title, "text": text, "published": published, "source": source, "agency": agency, "role": role, "copy_of": copy_of, "story": story,
    }  # fmt: skip


def described(*rows):
    """The stories of these documents, their vectors words with equal weights."""
    ids = [f"d{i}" for i in range(len(rows))]
    columns = {name: [row[name] for row in rows] for name in ("title", "published", "source", "agency", "role")}
    fields = {"published": schema.TIMESTAMP}
    table = pa.table({"doc_id": ids} | {name: pa.array(values, fields.get(name, pa.string())) for name, values in columns.items()})
    canonical_of = np.array([i if row["copy_of"] is None else row["copy_of"] for i, row in enumerate(rows)])
    canonicals = np.flatnonzero(canonical_of == np.arange(len(rows)))
    leads = [f"{row['title'] or ''}\n{row['text']}" for row in rows]
    stems = [sorted(set(tokenize(leads[i], "stem"))) for i in canonicals]
    terms = term_hashes(frozenset(stem for row in stems for stem in row)) & ~np.uint64(3)
    hashes = [term_hashes(frozenset(row)) & ~np.uint64(3) for row in stems]
    entries = [(i, column, 1 / np.sqrt(len(row))) for i, row in enumerate(hashes) for column in np.searchsorted(terms, row)]
    at, column, weight = zip(*entries, strict=True)
    matrix = sparse.csr_matrix((np.array(weight, np.float32), (at, column)), shape=(len(canonicals), len(terms)))
    labels = np.array([rows[i]["story"] for i in canonicals])
    return describe_stories(table, pa.array(leads, pa.large_string()), Vectors(matrix, terms), canonicals, labels, canonical_of)


def story_of(*rows):
    (story,) = described(*rows).stories.to_pylist()
    return story


FIRE, OTHER = "حريق كبير يدمر سوق المدينة القديمة", "إخماد حريق سوق المدينة القديمة بعد ساعات"


def test_central_document_leads():
    story = story_of(document("زيارة الوزير للمصابين", text="حريق سوق"), document(FIRE, text=OTHER), document(OTHER, text=FIRE, hours=9))
    assert story["title"] == FIRE
    assert story["lead_id"] == "d1"


def test_ties_for_the_lead_go_to_the_first_published():
    assert story_of(document(FIRE, hours=5), document(FIRE, hours=1), document("حريق السوق")).get("lead_id") == "d1"


def test_document_of_more_sources_leads():
    rows = [document(FIRE), document(FIRE), *(document("x", source=name, copy_of=1) for name in ("الأفق", "النهار", "الوطن"))]
    assert story_of(*rows)["lead_id"] == "d1"
    same = [document(FIRE), document(FIRE), *(document("x", copy_of=1) for _ in range(3))]
    assert story_of(*same)["lead_id"] == "d0"  # three copies in one source are no variety


def test_title_that_names_the_event_leads():
    visit = "زيارة الوزير للمصابين في المستشفى"
    story = story_of(document(visit, text=FIRE), document(FIRE, text=visit, hours=1), document(None, text=FIRE, hours=2))
    assert story["title"] == FIRE


def test_section_name_leads_only_without_another_title():
    sections = [document("كاريكاتير", text=FIRE, hours=i) for i in range(3)]
    assert story_of(*sections, document(OTHER, hours=9))["title"] == OTHER
    assert story_of(*sections, document(OTHER, role="headline"))["title"] == OTHER
    assert story_of(*sections, document(None, text=FIRE))["title"] == "كاريكاتير"


@pytest.mark.parametrize(
    "worse",
    [
        f"{FIRE} - صحيفة المدى الإلكترونية",
        f"{FIRE} - فيديو",
        f"بالصور.. {FIRE}",
        f"{FIRE} (صور)",
        f"{FIRE} &quot;",
        f"{FIRE}...",
        f"{FIRE}؟",
    ],
)
def test_title_with_furniture_or_truncated_does_not_lead(worse):
    assert story_of(document(worse), document(FIRE, hours=1))["title"] == FIRE


def test_article_leads_before_headline_and_title_before_none():
    assert story_of(document(FIRE, role="headline"), document(FIRE, text=OTHER, hours=3))["lead_id"] == "d1"
    assert story_of(document(None, text=FIRE), document(FIRE, role="headline", hours=3))["lead_id"] == "d1"


def test_sources_are_sorted_by_documents_with_copies_then_by_name():
    rows = [document(FIRE, source=name) for name in ("جيم", "باء", "ألف", "باء")]
    story = story_of(*rows, document("x", source="جيم", copy_of=0), document("x", source="جيم", copy_of=0), document(FIRE, source=None))
    assert story["sources"] == ["جيم", "باء", "ألف"]
    assert story["source_documents"] == [3, 2, 1]
    assert (story["documents"], story["copies"]) == (5, 2)


def test_peak_is_the_start_of_the_fullest_six_hours():
    story = story_of(*(document(FIRE, hours=hours) for hours in (0, 1, 24, 29, 30, 31, 60)))
    assert story["first_published"] == START
    assert story["peak_published"] == START + dt.timedelta(hours=24)  # 24, 29 and 30; 31 is an hour too late
    assert story["last_published"] == START + dt.timedelta(hours=60)


def test_ties_for_the_peak_go_to_the_first():
    assert story_of(document(FIRE, hours=3), document(FIRE, hours=50))["peak_published"] == START + dt.timedelta(hours=3)


def test_copies_count_for_the_peak():
    story = story_of(document(FIRE, hours=0), document(FIRE, hours=40), document("x", hours=41, copy_of=0))
    assert story["peak_published"] == START + dt.timedelta(hours=40)


def test_undated_documents_do_not_count_in_the_timeline():
    undated = story_of(document(FIRE, hours=None), document(FIRE, hours=None))
    assert [undated[name] for name in ("first_published", "peak_published", "last_published")] == [None] * 3
    half = story_of(document(FIRE, hours=None), document(FIRE, hours=2))
    assert [half[name] for name in ("first_published", "peak_published", "last_published")] == [START + dt.timedelta(hours=2)] * 3
    assert half["members"] == ["d1", "d0"]


@pytest.mark.parametrize(
    ("named", "agency"),
    [
        (["afp", None, None], "afp"),
        (["afp", None, None, None], None),
        (["afp", "reuters", "reuters"], "reuters"),
        (["reuters", "afp"], "afp"),
        ([None], None),
    ],
)
def test_agency_is_the_most_frequent_one_from_a_third_of_the_documents(named, agency):
    assert story_of(*(document(FIRE, agency=name) for name in named))["agency"] == agency


def test_cohesion_is_the_mean_cosine_and_1_for_a_single_document():
    assert story_of(document(FIRE))["cohesion"] == 1
    assert story_of(document("حريق سوق"), document("سوق مدينة"))["cohesion"] == pytest.approx(0.5, abs=1e-6)
    assert story_of(document("حريق"), document("سوق"))["cohesion"] == 0
    three = story_of(document("حريق سوق"), document("سوق مدينة"), document("قصر ملعب"))
    assert three["cohesion"] == pytest.approx(0.5 / 3, abs=1e-6)


def test_keywords_of_several_documents_come_before_those_of_one():
    story = story_of(document("أعاصير"), document(FIRE), document(f"{FIRE} بالكامل"))
    assert len(story["keywords"]) > 1
    assert story["keywords"][-1] == "أعاصير"


def test_everyday_words_are_no_keywords():
    story = story_of(document("أكد المتحدث الأحد الماضي حريق السوق"), document("حريق السوق الأحد", hours=1))
    assert story["keywords"] == ["حريق السوق"]


def test_story_id_comes_from_the_earliest_document():
    described_table = described(document(FIRE, hours=5), document(OTHER, hours=2), document("مباراة النهائي", story=7))
    assert described_table.stories.column("story_id").to_pylist() == [story_id("d1"), story_id("d2")]
    assert described_table.story_of.tolist() == [0, 0, 1]
    assert described_table.stories.schema.equals(schema.STORIES)


def test_descriptions_do_not_depend_on_the_block_size(monkeypatch):
    titles = ["حريق السوق القديم", "فوز المنتخب بالكأس", "هبوط أسعار النفط", "افتتاح معرض الكتاب", "غرق مركب الصيد"]
    rows = [document(f"{titles[i % 5]} {word}", hours=i, story=i % 5) for i in range(20) for word in ("اليوم",)]
    whole = described(*rows).stories
    for size in (1, 3, 7):
        monkeypatch.setattr(describe, "BLOCK", size)
        assert described(*rows).stories.equals(whole)


def test_no_documents_give_an_empty_table():
    empty = pa.table({name: pa.array([], schema.TEXTS.field(name).type) for name in schema.TEXTS.names if name != "text"})
    none = np.empty(0, np.int64)
    described_table = describe_stories(
        empty,
        pa.array([], pa.large_string()),
        Vectors(sparse.csr_matrix((0, 0), dtype=np.float32), np.empty(0, np.uint64)),
        none,
        none,
        none,
    )
    assert described_table.stories.num_rows == 0
    assert described_table.stories.schema.equals(schema.STORIES)
