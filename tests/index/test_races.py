"""Two processes add the same articles to one shared index at the same time, on a real server."""

from __future__ import annotations

import multiprocessing

import pytest

pytest.importorskip("redis", reason="needs the package redis: pip install 'dedup-news[redis]'")

import dedup
from tests.arabic import news
from tests.index.redis.redis_server import MISSING, RedisServer, find_server

pytestmark = [pytest.mark.slow, pytest.mark.skipif(find_server() is None, reason=MISSING)]

ARTICLES = 40


@pytest.fixture
def server():
    running = RedisServer()
    yield running
    running.close()


def race(url, writer, shared_ids, start, answers):
    """Add all articles; before each one, wait until the other writer is ready for it too."""
    with dedup.Index.open(f"{url}?prefix=race", mode="a") as index:
        for number in range(ARTICLES):
            name = f"a{number}" if shared_ids else f"{writer}-{number}"
            document = dedup.Document(id=name, text=news(number, 120), title=news(number, 8), source=writer)
            start.wait(60)
            verdict = index.ingest(document)
            answers.put((number, verdict.action, verdict.doc_id, verdict.canonical_id, verdict.kind, verdict.story_id))


def both(server, shared_ids):
    context = multiprocessing.get_context("spawn")
    start, answers = context.Barrier(2), context.Queue()
    writers = [context.Process(target=race, args=(server.url, name, shared_ids, start, answers)) for name in ("one", "other")]
    for writer in writers:
        writer.start()
    verdicts = {}
    for _ in range(2 * ARTICLES):
        number, *said = answers.get(timeout=90)
        verdicts.setdefault(number, []).append(said)
    for writer in writers:
        writer.join(30)
        assert writer.exitcode == 0
    answers.close()
    return verdicts


def test_of_two_simultaneous_equal_texts_one_is_indexed_and_one_is_its_copy(server):
    verdicts = both(server, shared_ids=False)
    for number in range(ARTICLES):
        first, second = sorted(verdicts[number])
        assert (first[0], second[0]) == ("index", "skip"), verdicts[number]
        assert second[2] == first[1] == first[2] and second[3] == "exact"
        assert first[4] == second[4]
    with dedup.Index.open(f"{server.url}?prefix=race") as index:
        assert len(index) == 2 * ARTICLES
        assert index.stats()["copies"] == ARTICLES


def test_of_two_simultaneous_writers_of_one_document_one_indexes_and_one_skips_it(server):
    verdicts = both(server, shared_ids=True)
    for number in range(ARTICLES):
        assert sorted(answer[0] for answer in verdicts[number]) == ["index", "skip"], verdicts[number]
        assert {answer[2] for answer in verdicts[number]} == {f"a{number}"}
    with dedup.Index.open(f"{server.url}?prefix=race") as index:
        assert len(index) == ARTICLES
