"""Clustering of vectors: thresholds depend on headlines, density and day; languages are weighed by themselves."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
import pytest
from scipy import sparse

from dedup import Config
from dedup.config import StoryConfig
from dedup.fingerprints.fingerprint import fingerprint
from dedup.schema import DAY
from dedup.stories import cluster
from dedup.stories.thresholds import per_day
from dedup.stories.vectors import vectorize
from dedup.text.document_frequencies import DocumentFrequencies, background

ARTICLES = StoryConfig()


def rows(*lists):
    return np.array([term for one in lists for term in one], np.uint64), np.cumsum([0, *map(len, lists)])


def pair(cosine):
    """Two unit vectors with this cosine."""
    return sparse.csr_matrix(np.array([[1.0, 0.0], [cosine, np.sqrt(1 - cosine**2)]], np.float32))


def joined(cosine, headline, days=0.0, config=ARTICLES):
    labels = cluster(pair(cosine), np.array([0.0, days * DAY]), np.array(headline), config)
    return bool(labels[0] == labels[1])


def among_look_alikes(cosine, others):
    """The two documents of ``pair`` in front of ``others`` that are as like all documents as 0.3 makes them."""
    size = others + 2
    gram = np.full((size, size), 0.3) + 0.7 * np.eye(size)
    gram[0, 1] = gram[1, 0] = cosine
    return sparse.csr_matrix(np.linalg.cholesky(gram).astype(np.float32))


@pytest.mark.parametrize(
    ("cosine", "headline", "expected"),
    [(0.18, (False, False), True), (0.16, (False, False), False), (0.09, (True, True), True), (0.07, (True, True), False)],
)
def test_articles_and_headlines_have_different_thresholds(cosine, headline, expected):
    assert joined(cosine, headline) is expected


@pytest.mark.parametrize(("strangers", "expected"), [(0, True), (20, True), (200, False)])
def test_headline_threshold_rises_with_documents_a_day(strangers, expected):
    matrix = sparse.block_diag([pair(0.12), sparse.eye(strangers)], "csr").astype(np.float32)
    headline = np.arange(strangers + 2) < 2
    labels = cluster(matrix, np.zeros(strangers + 2), headline, ARTICLES)
    assert (labels[0] == labels[1]) is np.bool_(expected)


def daily(cosine, days, each):
    """``each`` documents on each of ``days`` days, all with one cosine; their vectors and times."""
    n = days * each
    gram = np.full((n, n), cosine) + (1 - cosine) * np.eye(n)
    return sparse.csr_matrix(np.linalg.cholesky(gram).astype(np.float32)), np.repeat(np.arange(days), each) * DAY


def test_daily_bulletins_are_separate_stories():
    """Closings of an exchange: ten outlets report each, in much the same words."""
    matrix, times = daily(0.2, 6, 10)
    assert cluster(matrix, times, np.zeros(60, bool), StoryConfig(crowd=0.0)).tolist() == np.repeat(np.arange(0, 60, 10), 10).tolist()


def test_follow_up_of_another_day_joins_its_event():
    """Nine reports of one day and one of two days later: no bulletin, whatever else happens on these days."""
    similar, _ = daily(0.45, 10, 1)
    matrix = sparse.block_diag([similar, sparse.eye(60)], "csr").astype(np.float32)
    times = np.concatenate([np.zeros(9), [2 * DAY], np.repeat(np.arange(6), 10) * DAY])
    labels = cluster(matrix, times, np.zeros(70, bool), ARTICLES)
    assert set(labels[:10].tolist()) == {0}
    assert len(set(labels[10:].tolist())) == 60


def test_two_similar_documents_alone_are_no_bulletins():
    config = StoryConfig(window_days=10.0, decay_days=10.0)
    assert joined(0.5, (False, False), days=9.0, config=config)


def test_event_longer_than_the_window_is_one_story():
    """Day by day other words: each document is like those of the four days around it, and of them more in its own."""
    days = np.arange(20)
    profile = np.exp(-0.5 * ((days[:, None] - np.linspace(-3, 23, 80)[None]) / 1.6) ** 2)
    matrix = sparse.csr_matrix((profile / np.linalg.norm(profile, axis=1, keepdims=True)).astype(np.float32))
    labels = cluster(matrix, days * DAY, np.zeros(20, bool), StoryConfig(crowd=0.0))
    assert np.ptp(days[labels == np.bincount(labels).argmax()]) > 5


def test_headline_and_article_are_compared_by_words_only():
    """Half of a headline's vector are letters, which no article has."""
    least = ARTICLES.cut * np.sqrt(1 - ARTICLES.letters)
    assert joined(least + 0.01, (True, False))
    assert not joined(least - 0.01, (True, False))


def test_headlines_decay_faster_than_articles():
    assert not joined(0.4, (True, True), days=2.0)
    assert joined(0.4, (False, False), days=2.0)
    assert joined(0.4, (True, True), days=2.0, config=StoryConfig(headline_decay_days=3.0))


def test_undated_documents_do_not_decay():
    labels = cluster(pair(0.1), np.array([np.nan, 0.0]), np.array([True, True]), ARTICLES)
    assert labels.tolist() == [0, 0]


def test_density_raises_the_threshold():
    times, headline = np.zeros(102), np.zeros(102, bool)
    in_a_crowd = cluster(among_look_alikes(0.35, 100), times, headline, ARTICLES)
    assert len(set(in_a_crowd[:2].tolist())) == 2
    closer = cluster(among_look_alikes(0.75, 100), times, headline, ARTICLES)
    assert closer[:2].tolist() == [0, 0]
    in_company = cluster(among_look_alikes(0.35, 5), times[:7], headline[:7], ARTICLES)
    assert in_company[:2].tolist() == [0, 0]


def test_event_of_hundreds_of_reports_is_one_story():
    gram = np.full((200, 200), 0.5) + 0.5 * np.eye(200)
    matrix = sparse.csr_matrix(np.linalg.cholesky(gram).astype(np.float32))
    assert not cluster(matrix, np.zeros(200), np.zeros(200, bool), ARTICLES).any()


@pytest.mark.parametrize("days", [1.0, 0.0, np.nan], ids=["over_a_day", "at_one_second", "undated"])
def test_event_with_more_reports_than_the_neighbour_limit_is_one_story(days):
    """Nine hundred reports, each with half of its words of its own, beside a hundred strangers; 400 neighbours are kept."""
    random = np.random.default_rng(1)
    shared = sparse.csr_matrix(np.repeat([[np.sqrt(0.6)]], 900, axis=0))
    similar = sparse.hstack([shared, np.sqrt(0.4) * sparse.eye(900)])
    matrix = sparse.block_diag([similar, sparse.eye(100)], "csr").astype(np.float32)
    order = random.permutation(1000)
    labels = cluster(matrix[order], random.random(1000) * days * DAY, np.zeros(1000, bool), ARTICLES)
    assert len(set(labels[order < 900].tolist())) == 1
    assert len(set(labels.tolist())) == 101


def test_two_large_events_are_two_stories():
    each = sparse.hstack([sparse.csr_matrix(np.repeat([[np.sqrt(0.6)]], 500, axis=0)), np.sqrt(0.4) * sparse.eye(500)])
    matrix = sparse.block_diag([each, each], "csr").astype(np.float32)
    labels = cluster(matrix, np.zeros(1000), np.zeros(1000, bool), ARTICLES)
    assert labels.tolist() == [0] * 500 + [500] * 500


def test_per_day_counts_around_each_document():
    days = np.array([0.0, 0.5, 0.9, 3.0, np.nan])
    assert per_day(days * DAY).tolist() == [1.5, 1.5, 1.5, 1.0, 5.0]


@pytest.mark.parametrize("threads", [2, 5])
def test_labels_do_not_depend_on_threads(threads):
    random = np.random.default_rng(3)
    matrix = sparse.random(5000, 300, 0.02, "csr", np.float32, rng=random)
    matrix = sparse.csr_matrix(matrix.multiply(1 / np.maximum(np.sqrt(matrix.multiply(matrix).sum(axis=1)), 1e-9)), dtype=np.float32)
    times, headline = random.random(5000) * 9 * DAY, random.random(5000) < 0.3
    one, many = (cluster(matrix, times, headline, ARTICLES, threads=number) for number in (1, threads))
    assert one.tolist() == many.tolist()
    assert len(set(one.tolist())) < 5000


def test_vectors_have_unit_length_and_only_headlines_have_letters():
    titles, bodies, letters = rows([4, 8], [12], []), rows([], [4, 16], []), rows([40, 44], [], [])
    vectors = vectorize(titles, bodies, letters, background(), ARTICLES)
    assert np.asarray(vectors.matrix.multiply(vectors.matrix).sum(axis=1)).ravel() == pytest.approx([1, 1, 0], abs=1e-6)
    is_letter = np.isin(vectors.terms & ~np.uint64(3), [40, 44])
    shares = np.asarray(vectors.matrix[:, is_letter].power(2).sum(axis=1)).ravel()
    assert shares == pytest.approx([ARTICLES.letters, 0, 0], abs=1e-6)
    assert (vectors.terms[is_letter] & np.uint64(1)).all()  # marked as numbers are, so that none becomes a keyword


def test_foreign_language_is_weighed_by_itself():
    """A word of every document weighs little, although the background does not know it."""
    known = DocumentFrequencies(np.array([4, 8, 12], np.uint64), np.array([900, 10, 10], np.uint32), 1000)
    foreign = [[100, 200 + 4 * i] for i in range(20)]
    titles, none = rows([4, 8], *foreign), rows(*[[]] * 21)
    matrix = vectorize(titles, none, none, known, dataclasses.replace(ARTICLES, title_weight=1.0))
    weight = {int(term): column for term, column in zip(matrix.terms, matrix.matrix.toarray().T, strict=True)}
    assert weight[100][1] < 0.4 * weight[200][1]
    assert weight[4][0] < 0.4 * weight[8][0]


def test_headlines_match_by_letters_if_endings_differ():
    column = pa.array(["Germany beats Norway", "German victory over Norwegians"], pa.large_string())
    prints = fingerprint(column, column, Config())
    empty = rows([], [])
    with_letters, words = (
        vectorize(prints.title_terms, empty, letters, background(), ARTICLES) for letters in (prints.title_shingles, empty)
    )
    cosine = [(vectors.matrix[0] @ vectors.matrix[1].T).toarray()[0, 0] for vectors in (with_letters, words)]
    assert cosine[0] > 0.05
    assert cosine[1] == 0


def test_headlines_of_one_event_count_once_in_document_frequencies():
    titles = rows(*[[100, 200 + 4 * i] for i in range(20)], *[[300 + 4 * i, 400] for i in range(20)])
    none, known = rows(*[[]] * 40), DocumentFrequencies(np.empty(0, np.uint64), np.empty(0, np.uint32), 0)
    stories = np.concatenate([np.zeros(20, np.int64), np.arange(1, 21)])
    weights = vectorize(titles, none, none, known, ARTICLES, stories)
    weight = {int(term): column for term, column in zip(weights.terms, weights.matrix.toarray().T, strict=True)}
    assert weight[100][0] > 1.2 * weight[400][20]  # one story of twenty headlines, and twenty stories of one
    each = vectorize(titles, none, none, known, ARTICLES).matrix.toarray().max(axis=0)
    assert each[weights.terms == 100] == each[weights.terms == 400]
