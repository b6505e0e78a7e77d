"""Warnings about the corpus as a whole, each just below and just above its limits."""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
import pytest

import dedup
from dedup import schema
from dedup.batch import warnings
from dedup.batch.corpus import Corpus
from dedup.batch.warnings import LEAST
from dedup.copies.covered import Covered
from dedup.copies.find import Copies
from dedup.copies.pairs import Matches
from dedup.copies.survivors import Survivors
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
    """The warnings of a run but for those of the readers; checks that each is one line."""
    warnings = [
        warning
        for warning in dedup.run(
            rows, dedup.Config().replace({name.replace("__", "."): value for name, value in changes.items()})
        ).manifest["warnings"]
        if not warning.startswith("<memory>")
    ]
    assert not any("\n" in warning or warning.endswith(".") for warning in warnings)
    return warnings


def english(number):
    return " ".join(random.Random(number).choices(ENGLISH, k=40))


def test_a_sound_corpus_gets_no_warning():
    assert corpus_warnings([row(number) for number in range(ROWS)]) == []


def test_a_trial_with_few_documents_gets_no_warning():
    assert corpus_warnings([{"text": english(number)} for number in range(LEAST - 1)]) == []


def test_warns_if_most_documents_are_undated_and_stories_are_on():
    rows = [row(number, published=None if number < ROWS // 2 + 1 else "2025-03-01") for number in range(ROWS)]
    assert corpus_warnings(rows) == [
        "51 of 100 documents have no publication date, so only their words decide about stories, and one story may mix news of "
        "different weeks. Name the date column with --input.published"
    ]
    assert corpus_warnings(rows, stories__enabled=False) == []
    assert corpus_warnings(rows[2:]) == []


def test_warns_if_most_documents_have_no_outlet():
    [said] = corpus_warnings([row(number, source=None) for number in range(ROWS)])
    assert said.startswith("100 of 100 documents have no outlet, ")
    assert said.endswith("Name the outlet column with --input.source")


def test_warns_if_one_outlet_has_urls_of_many_hosts():
    rows = [row(number, source="الزاحف", url=f"http://www.site{number % 12}.example:80/{number}") for number in range(ROWS)]
    [said] = corpus_warnings(rows)
    assert said.startswith('all documents have the same outlet, "الزاحف", but their URLs have 12 hosts. ')
    assert corpus_warnings([row(number, source="الضفة", url=f"https://m.one.example/{number}") for number in range(ROWS)]) == []
    assert corpus_warnings([row(number, source="الضفة", url=None) for number in range(ROWS)]) == []


def test_warns_if_most_articles_are_in_another_script_and_the_shipped_counts_are_used():
    rows = [row(number, title=None, text=english(number)) for number in range(ROWS)]
    [said] = corpus_warnings(rows)
    assert said.startswith("most articles are not in Arabic script (100 of 100 checked), ")
    assert corpus_warnings(rows, stories__background="none") == []
    assert corpus_warnings(rows[:40] + [row(number) for number in range(40, ROWS)]) == []


def test_warns_if_most_pages_are_rejected_with_the_main_reason_and_its_first_page():
    rows = [row(number) for number in range(3)] + [row(1)] + [{"id": "x", "title": " "}] * 3
    [said] = corpus_warnings(rows)
    assert said == (
        "4 of 7 pages were rejected, 3 of them as empty_page (first: <memory>, row 4: neither text nor title). "
        "'dedup inspect' shows an example of each reason"
    )
    assert corpus_warnings(rows[:-1]) == []


def test_pages_already_in_the_base_are_no_reason_to_warn():
    base = dedup.run([row(number) for number in range(4)])
    again = dedup.run([row(number) for number in range(5)], base=base).manifest
    assert (again["counts"]["rejects"], [w for w in again["warnings"] if not w.startswith("<memory>")]) == (4, [])


def test_warns_if_many_pages_have_one_text_and_names_its_title():
    notice = {"title": "نستخدم ملفات تعريف الارتباط", "text": news(7777, 40)}
    rows = [row(number, **(notice if number < LEAST else {})) for number in range(ROWS)]
    [said] = corpus_warnings(rows)
    assert said.startswith('50 of 100 documents are copies of one text, "نستخدم ملفات تعريف الارتباط" (')
    assert corpus_warnings(rows[1:]) == []


# The limits, on a corpus made of columns


def corpus_of(count, *, leads=None, url=lambda number: None, source="الزاحف", date=0):
    columns = {
        "doc_id": [str(number) for number in range(count)],
        "page_id": [str(number) for number in range(count)],
        "role": ["article"] * count,
        "source": [source] * count,
        "url": [url(number) for number in range(count)],
        "title": [None] * count,
        "published": [date] * count,
        "input_file": ["news.jsonl"] * count,
        "input_row": list(range(count)),
        "agency": [None] * count,
    }
    names = [field for field in schema.TEXTS if field.name != "text"]
    documents = pa.table({field.name: pa.array(columns[field.name], field.type) for field in names})
    leads = pa.array(leads or ["خبر " * 20] * count, pa.large_string())
    return Corpus(documents, leads, None, None, schema.REJECTS.empty_table(), count, 0)


def warnings_of(corpus, canonical=None):
    n = corpus.documents.num_rows
    canonical = np.arange(n) if canonical is None else canonical
    nothing, none = np.full(n, -1), np.zeros(n, np.int64)
    survivors = Survivors(canonical, nothing, canonical, nothing)
    copies = Copies(survivors, np.zeros(n, bool), Matches.none(), Covered(none, none, none, survivors.kept()), {})
    return warnings.corpus_warnings(corpus, copies, dedup.Config())


@pytest.mark.parametrize(("count", "warned"), [(49, False), (50, True)])
def test_the_corpus_is_checked_from_fifty_documents_on(count, warned):
    assert bool(warnings_of(corpus_of(count, date=None))) == warned


@pytest.mark.parametrize(("unknown", "warned"), [(50, False), (51, True)])
def test_more_than_half_of_the_outlets_unknown_are_most(unknown, warned):
    sources = [None if number < unknown else f"صحيفة {number % 3}" for number in range(100)]
    corpus = corpus_of(100)
    place = corpus.documents.schema.get_field_index("source")
    corpus.documents = corpus.documents.set_column(place, "source", pa.array(sources, pa.string()))
    assert bool(warnings_of(corpus)) == warned


@pytest.mark.parametrize(("hosts", "warned"), [(9, False), (10, True)])
def test_ten_hosts_are_too_many_for_one_outlet(hosts, warned):
    corpus = corpus_of(100, url=lambda number: f"https://site{number % hosts}.example/{number}")
    assert bool(warnings_of(corpus)) == warned


@pytest.mark.parametrize(("first", "warned"), [(9_991, True), (9_992, False)])
def test_hosts_are_counted_in_the_first_ten_thousand_documents(first, warned):
    """One host before the document ``first``, and one for each document from there on."""
    corpus = corpus_of(10_100, url=lambda number: f"https://{'one' if number < first else number}.example/")
    assert bool(warnings_of(corpus)) == warned


@pytest.mark.parametrize(("copies", "warned"), [(100, False), (101, True)])
def test_one_text_on_more_than_five_percent_of_the_pages_is_a_notice(copies, warned):
    canonical = np.arange(2000)
    canonical[:copies] = 0
    assert bool(warnings_of(corpus_of(2000), canonical)) == warned


@pytest.mark.parametrize(("latin", "warned"), [(10, False), (11, True)])
def test_an_article_is_foreign_if_less_than_half_of_its_letters_are_arabic(latin, warned):
    assert bool(warnings_of(corpus_of(50, leads=["a" * latin + "خ" * (20 - latin)] * 50))) == warned


@pytest.mark.parametrize(("letters", "warned"), [(19, False), (20, True)])
def test_a_lead_of_less_than_twenty_letters_is_not_checked_for_its_script(letters, warned):
    assert bool(warnings_of(corpus_of(50, leads=["a" * letters] * 50))) == warned


@pytest.mark.parametrize(("foreign", "warned"), [(250, False), (251, True)])
def test_every_second_of_a_thousand_articles_is_checked_for_its_script(foreign, warned):
    """Five hundred articles are checked, spread evenly; the others count for nothing."""
    leads = ["a" * 40 if number % 2 or number < 2 * foreign else "خ" * 40 for number in range(1000)]
    assert bool(warnings_of(corpus_of(1000, leads=leads))) == warned


@pytest.mark.parametrize("rows", [3, ROWS])
def test_warns_of_a_trusted_outlet_that_no_document_has(rows):
    pages = [row(number) for number in range(rows)]
    assert corpus_warnings(pages, copies__keep="صحيفة 1, صحيفة 2") == []
    (warning,) = corpus_warnings(pages, copies__keep="صحيفة 1,Fullest")
    assert warning.startswith('copies.keep lists "Fullest", but no document has that outlet')
