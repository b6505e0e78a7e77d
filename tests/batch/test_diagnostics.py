"""Warnings about a corpus as a whole: each where it helps, none where all is well."""

from __future__ import annotations

import random

import dedup
from dedup.batch.diagnostics import LEAST
from tests.arabic import news

ROWS = 2 * LEAST
ENGLISH = ["government", "minister", "people", "country", "market", "city", "police", "school", "water", "energy", "season", "team"]


def row(number, **changes):
    usual = {
        "id": str(number),
        "title": news(number + 9000, 6),
        "text": news(number, 40),
        "published": f"2025-03-{number % 28 + 1:02d}T08:00:00",
        "source": f"صحيفة {number % 5}",
        "url": f"https://www.site{number % 5}.example/{number}",
    }
    return {name: value for name, value in (usual | changes).items() if value is not None}


def corpus_warnings(rows, **changes):
    """What is said beyond what readers notice; each in one line that ends without a full stop, as readers' notes do."""
    told = [
        warning
        for warning in dedup.run(
            rows, dedup.Config().replace({name.replace("__", "."): value for name, value in changes.items()})
        ).manifest["warnings"]
        if not warning.startswith("<memory>")
    ]
    assert not any("\n" in warning or warning.endswith(".") for warning in told)
    return told


def english(number):
    return " ".join(random.Random(number).choices(ENGLISH, k=40))


def test_nothing_is_said_of_a_sound_corpus():
    assert corpus_warnings([row(number) for number in range(ROWS)]) == []


def test_nothing_is_said_of_a_trial_of_a_few_documents():
    assert corpus_warnings([{"text": english(number)} for number in range(LEAST - 1)]) == []


def test_most_documents_without_a_date_are_a_doubt_of_stories():
    rows = [row(number, published=None if number < ROWS // 2 + 1 else "2025-03-01") for number in range(ROWS)]
    assert corpus_warnings(rows) == [
        "51 of 100 documents have no publication date, so only their words decide about stories, and one story may mix news of "
        "different weeks. Name the date column with --input.published"
    ]
    assert corpus_warnings(rows, stories__enabled=False) == []
    assert corpus_warnings(rows[2:]) == []


def test_most_documents_without_an_outlet_are_a_doubt():
    [said] = corpus_warnings([row(number, source=None) for number in range(ROWS)])
    assert said.startswith("100 of 100 documents have no outlet, ")
    assert said.endswith("Name the outlet column with --input.source")


def test_one_outlet_with_the_urls_of_many_is_a_doubt_and_one_outlet_alone_is_none():
    rows = [row(number, source="الزاحف", url=f"http://www.site{number % 12}.example:80/{number}") for number in range(ROWS)]
    [said] = corpus_warnings(rows)
    assert said.startswith('all documents have the same outlet, "الزاحف", but their URLs have 12 hosts. ')
    assert corpus_warnings([row(number, source="الضفة", url=f"https://m.one.example/{number}") for number in range(ROWS)]) == []
    assert corpus_warnings([row(number, source="الضفة", url=None) for number in range(ROWS)]) == []


def test_most_articles_in_another_script_are_a_doubt_of_the_shipped_counts():
    rows = [row(number, title=None, text=english(number)) for number in range(ROWS)]
    [said] = corpus_warnings(rows)
    assert said.startswith("most articles are not in Arabic script (100 of 100 checked), ")
    assert corpus_warnings(rows, stories__background="none") == []
    assert corpus_warnings(rows[:40] + [row(number) for number in range(40, ROWS)]) == []


def test_most_pages_rejected_are_a_doubt_with_the_reason_and_the_first_of_them():
    rows = [row(number) for number in range(3)] + [row(1)] + [{"id": "x", "title": " "}] * 3
    [said] = corpus_warnings(rows)
    assert said == (
        "4 of 7 pages were rejected, 3 of them as empty_page (first: <memory>, row 4: neither text nor title). "
        "'dedup inspect' shows an example of each reason"
    )
    assert corpus_warnings(rows[:-1]) == []


def test_pages_that_the_base_has_already_are_no_doubt():
    base = dedup.run([row(number) for number in range(4)])
    again = dedup.run([row(number) for number in range(5)], base=base).manifest
    assert (again["counts"]["rejects"], [w for w in again["warnings"] if not w.startswith("<memory>")]) == (4, [])


def test_one_text_on_many_pages_is_a_doubt_with_its_title():
    notice = {"title": "نستخدم ملفات تعريف الارتباط", "text": news(7777, 40)}
    rows = [row(number, **(notice if number < LEAST else {})) for number in range(ROWS)]
    [said] = corpus_warnings(rows)
    assert said.startswith('50 of 100 documents are copies of one text, "نستخدم ملفات تعريف الارتباط" (')
    assert corpus_warnings(rows[1:]) == []
