"""The example page, end to end: twelve documents, one copy group, and their stories."""

import pytest

import dedup
from tests.paths import SEED_PAGE


@pytest.fixture(scope="module")
def result():
    return dedup.run(SEED_PAGE)


def by_title(result, part):
    return [document for document in result.documents.to_pylist() if part in (document["title"] or "")]


def test_the_page_has_an_article_an_embedded_article_and_ten_headlines(result):
    documents = result.documents.to_pylist()
    assert [document["role"] for document in documents] == ["article", "embedded", *["headline"] * 10]
    assert [document["doc_id"] for document in documents] == ["seed_page.txt", *[f"seed_page.txt#{i}" for i in range(1, 12)]]
    assert documents[1]["title"].endswith("بلينكن يلتقي السيسي بمصر")
    assert documents[0]["source"] == "صدى البلد"


def test_both_blinken_headlines_and_the_embedded_article_are_one_copy_group(result):
    group = by_title(result, "بلينكن يلتقي السيسي")
    assert {document["role"] for document in group} == {"embedded", "headline"}
    assert len(group) == 3
    assert len({document["copy_group"] for document in group}) == 1
    assert {document["canonical_id"] for document in group} == {"seed_page.txt#1"}
    assert result.manifest["counts"]["copies"] == 2


def test_the_security_council_headlines_are_one_story_without_the_article_on_the_talks(result):
    council = by_title(result, "مجلس الأمن")
    stories = [document["story_id"] for document in council]
    shared = max(set(stories), key=stories.count)
    assert stories.count(shared) >= 3
    assert result.documents.to_pylist()[0]["story_id"] != shared


def test_keywords_have_their_written_form(result):
    words = [word for story in result.stories.to_pylist() for word in story["keywords"]]
    assert "غزة" in words
    assert not {"لغزة", "وقال", "في", "بمصر"} & set(words)
