"""The whole pipeline on small corpora: rules that hold across copies, headlines and stories."""

import pytest

import dedup
from dedup import schema
from tests.arabic import news
from tests.paths import SEED_PAGE

TITLE, OTHER = "افتتاح معرض الكتاب الدولي في المدينة القديمة", "المدينة القديمة تستقبل زوار معرض الكتاب"


def documents(rows, **changes):
    result = dedup.run(rows, dedup.Config().replace({name.replace("__", "."): value for name, value in changes.items()}))
    return {row["doc_id"]: row for row in result.documents.to_pylist()}


def row(number, **columns):
    return {"id": str(number), **columns}


def test_a_headline_of_an_exact_copy_is_not_chained_to_its_canonical():
    text = news(3, 70)
    found = documents([
        row(1, text=text, title=TITLE, published="2015-07-01"),
        row(2, text=text, title=OTHER, published="2015-07-02"),
        row(3, title=OTHER, published="2015-07-03"),
    ])  # fmt: skip
    assert found["2"]["canonical_id"] == "1"
    assert all(found[document["canonical_id"]]["status"] != "copy" for document in found.values())


def test_a_short_article_is_never_canonical_of_a_headline():
    found = documents([row(1, text="قصير", title=TITLE), row(2, title=TITLE)])
    assert {document["status"] for document in found.values()} == {"short", "unique"}


@pytest.mark.parametrize("outlets", [5, 20, 60, 120])
def test_a_wire_is_found_however_many_outlets_extend_it(outlets):
    wire = news(1, 150)
    rows = [row(i, text=f"{wire} {news(1000 + i, 50)}", source=f"outlet {i}") for i in range(outlets)]
    assert sum(document["status"] == "copy" for document in documents(rows, stories__enabled=False).values()) == outlets - 1


def test_boilerplate_of_an_outlet_makes_no_copies():
    blurb = news(1, 80)
    rows = [row(i, text=f"{news(1000 + i, 40)} {blurb}", source="outlet") for i in range(30)]
    assert not any(document["status"] == "copy" for document in documents(rows, stories__enabled=False).values())


def test_a_title_repeated_years_later_is_another_headline():
    found = documents([
        row(1, text=news(3, 70), title=TITLE, published="2010-01-01"),
        row(2, title=TITLE, published="2010-01-03"),
        row(3, title=TITLE, published="2015-12-01"),
        row(4, title=TITLE, published="2015-12-02"),
    ])  # fmt: skip
    assert [found[str(number)]["canonical_id"] for number in range(1, 5)] == ["1", "1", "3", "3"]


def test_hundreds_of_reports_on_one_event_are_one_story():
    rows = [row(i, text=news(7, 60) + " " + news(500 + i, 6), source=f"outlet {i}") for i in range(300)]
    found = documents(rows, copies__near=1.0, copies__excerpt=1.0)
    assert len({document["story_id"] for document in found.values()}) <= 2


def test_given_and_generated_ids_do_not_collide():
    page = SEED_PAGE.read_text(encoding="utf-8")
    found = documents([row("y", text=page), row("y#1", text=news(2, 60)), row("z", text=news(3, 60))])
    assert {"y", "y#2", "y#11", "z"} <= set(found)
    assert len(found) == 13


def test_tables_are_empty_and_rejects_give_reasons_if_every_row_is_rejected(tmp_path):
    result = dedup.run([{"id": "1", "text": None}])
    result.write(tmp_path / "out")
    read = dedup.Result.read(tmp_path / "out")
    assert (read.documents.num_rows, read.matches.num_rows, read.stories.num_rows) == (0, 0, 0)
    assert read.rejects["reason"].to_pylist() == ["empty_page"]
    assert read.documents.schema.equals(schema.DOCUMENTS)


@pytest.mark.parametrize("text", ["في من على إلى عن", "🙂 🙂 🙂", "...", "5"], ids=["stop_words", "emoji", "points", "digit"])
def test_a_text_without_content_is_a_short_document(text):
    (found,) = documents([row(1, text=text)]).values()
    assert (found["status"], found["story_id"] is None) == ("short", False)


def test_a_read_result_does_not_change_when_its_folder_is_overwritten(tmp_path):
    dedup.run([row(1, text=news(1))]).write(tmp_path / "out")
    old = dedup.Result.read(tmp_path / "out")
    dedup.run([row(2, text=news(2)), row(3, text=news(3))]).write(tmp_path / "out", overwrite=True)
    old.write(tmp_path / "copy")
    copy = dedup.Result.read(tmp_path / "copy")
    assert copy.texts.read().to_pydict() == {"doc_id": ["1"], "text": [news(1)]}
    assert copy.documents.equals(old.documents)
