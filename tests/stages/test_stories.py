"""Vectors to stories: length and crowd decide the cut; languages weigh by themselves."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
import pytest
from scipy import sparse

from dedup import Config
from dedup.background import Background, background
from dedup.config import StoryConfig
from dedup.fingerprint import fingerprint
from dedup.schema import DAY
from dedup.stories import cluster
from dedup.vectors import vectorize

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
    [(0.19, (False, False), True), (0.17, (False, False), False), (0.15, (True, True), True), (0.13, (True, True), False)],
)
def test_articles_and_headlines_have_cuts_of_their_own(cosine, headline, expected):
    assert joined(cosine, headline) is expected


def test_a_headline_and_an_article_meet_in_words_alone():
    """Half of a headline's vector are letters, which no article has."""
    least = ARTICLES.cut * np.sqrt(1 - ARTICLES.letters)
    assert joined(least + 0.01, (True, False))
    assert not joined(least - 0.01, (True, False))


def test_headlines_fade_sooner_than_articles():
    assert not joined(0.4, (True, True), days=2.0)
    assert joined(0.4, (False, False), days=2.0)
    assert joined(0.4, (True, True), days=2.0, config=StoryConfig(headline_decay_days=3.0))


def test_documents_of_no_known_day_do_not_fade():
    labels = cluster(pair(0.15), np.array([np.nan, 0.0]), np.array([True, True]), ARTICLES)
    assert labels.tolist() == [0, 0]


def test_a_crowd_of_look_alikes_raises_the_cut():
    times, headline = np.zeros(102), np.zeros(102, bool)
    in_a_crowd = cluster(among_look_alikes(0.35, 100), times, headline, ARTICLES)
    assert len(set(in_a_crowd[:2].tolist())) == 2
    closer = cluster(among_look_alikes(0.75, 100), times, headline, ARTICLES)
    assert closer[:2].tolist() == [0, 0]
    in_company = cluster(among_look_alikes(0.35, 5), times[:7], headline[:7], ARTICLES)
    assert in_company[:2].tolist() == [0, 0]


def test_an_event_of_which_hundreds_report_is_one_story():
    gram = np.full((200, 200), 0.5) + 0.5 * np.eye(200)
    matrix = sparse.csr_matrix(np.linalg.cholesky(gram).astype(np.float32))
    assert not cluster(matrix, np.zeros(200), np.zeros(200, bool), ARTICLES).any()


@pytest.mark.parametrize("threads", [2, 5])
def test_stories_do_not_depend_on_the_number_of_threads(threads):
    random = np.random.default_rng(3)
    matrix = sparse.random(5000, 300, 0.02, "csr", np.float32, rng=random)
    matrix = sparse.csr_matrix(matrix.multiply(1 / np.maximum(np.sqrt(matrix.multiply(matrix).sum(axis=1)), 1e-9)), dtype=np.float32)
    times, headline = random.random(5000) * 9 * DAY, random.random(5000) < 0.3
    one, many = (cluster(matrix, times, headline, ARTICLES, threads=number) for number in (1, threads))
    assert one.tolist() == many.tolist()
    assert len(set(one.tolist())) < 5000


def test_rows_have_unit_length_and_only_headlines_have_letters():
    titles, bodies, letters = rows([4, 8], [12], []), rows([], [4, 16], []), rows([40, 44], [], [])
    vectors = vectorize(titles, bodies, letters, background(), ARTICLES)
    assert np.asarray(vectors.matrix.multiply(vectors.matrix).sum(axis=1)).ravel() == pytest.approx([1, 1, 0], abs=1e-6)
    is_letter = np.isin(vectors.terms & ~np.uint64(3), [40, 44])
    shares = np.asarray(vectors.matrix[:, is_letter].power(2).sum(axis=1)).ravel()
    assert shares == pytest.approx([ARTICLES.letters, 0, 0], abs=1e-6)
    assert (vectors.terms[is_letter] & np.uint64(1)).all()  # marked as numbers are, so that none becomes a keyword


def test_a_language_that_the_background_does_not_know_is_weighed_by_itself():
    """What every document says weighs little, though the background has never seen it."""
    known = Background(np.array([4, 8, 12], np.uint64), np.array([900, 10, 10], np.uint32), 1000)
    foreign = [[100, 200 + 4 * i] for i in range(20)]
    titles, none = rows([4, 8], *foreign), rows(*[[]] * 21)
    matrix = vectorize(titles, none, none, known, dataclasses.replace(ARTICLES, title_weight=1.0))
    weight = {int(term): column for term, column in zip(matrix.terms, matrix.matrix.toarray().T, strict=True)}
    assert weight[100][1] < 0.4 * weight[200][1]
    assert weight[4][0] < 0.4 * weight[8][0]


def test_headlines_meet_in_letters_where_endings_differ():
    column = pa.array(["Germany beats Norway", "German victory over Norwegians"], pa.large_string())
    prints = fingerprint(column, column, Config())
    empty = rows([], [])
    with_letters, words = (
        vectorize(prints.title_terms, empty, letters, background(), ARTICLES) for letters in (prints.title_shingles, empty)
    )
    cosine = [(vectors.matrix[0] @ vectors.matrix[1].T).toarray()[0, 0] for vectors in (with_letters, words)]
    assert cosine[0] > 0.05
    assert cosine[1] == 0
