"""What the service refuses, and with which problem."""

from __future__ import annotations

import json
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from dedup.errors import ConfigError, OutputError
from dedup.serve import ServeSettings

from .test_answers import BRIDGE, HONEY, LINES

JSON = {"content-type": "application/json"}


def problem(answer, status, code):
    """Check that a response is this problem; return its detail."""
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert set(answer.json()) == {"type", "title", "status", "detail", "code"}
    assert "Traceback" not in answer.text and ".py" not in answer.text
    return answer.json()["detail"]


def test_a_body_with_too_large_a_content_length_is_not_read(service):
    client = service(max_body=1000)
    assert problem(client.post("/check", content=b"x" * 1001, headers=JSON), 413, "too_large") == (
        "the body is larger than 1,000 bytes. Send less at a time."
    )
    assert client.post("/check", json={"id": "b", "text": "ق" * 400}).status_code == 200


def test_a_streamed_body_that_grows_too_large_is_refused(service):
    client = service(max_body=1000, max_batch_body=2000)
    sent = []

    def chunks():
        for number in range(100):
            sent.append(number)
            yield b" " * 100

    problem(client.post("/ingest", content=chunks(), headers=JSON), 413, "too_large")
    problem(client.post("/ingest/batch", content=iter([b"[" + b" " * 1999, b"]"]), headers=JSON), 413, "too_large")
    assert client.post("/ingest/batch", content=iter([b"[" + b" " * 1998, b"]"]), headers=JSON).status_code == 200


@pytest.mark.parametrize("length", ["9" * 30, "-5", "1e3", "١٢"])
def test_an_invalid_content_length_is_harmless(client, length):
    headers = [(b"content-type", b"application/json"), (b"content-length", length.encode())]
    assert client.post("/check", content=iter([b'{"id":"b","text":"x"}']), headers=headers).status_code in (200, 413)


@pytest.mark.parametrize("headers", [JSON, LINES])
def test_a_batch_of_too_many_documents_is_refused_whole(service, index, headers):
    client = service(max_batch=3)
    rows = [json.dumps({"id": str(number), "text": BRIDGE}) for number in range(4)]
    body = "\n".join(rows) if headers == LINES else f"[{','.join(rows)}]"
    assert problem(client.post("/ingest/batch", content=body, headers=headers), 413, "too_large") == (
        "the batch has 4 documents, more than 3. Split it into several batches."
    )
    assert len(index) == 0


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/json; charset=windows-1256"},
        {"content-type": "application/json", "content-encoding": "gzip"},
        LINES,
        {"content-type": "\x7f;;;="},
    ],
    ids=str,
)
def test_bodies_of_other_types_are_refused(client, headers):
    problem(client.post("/check", content=b"{}", headers=headers), 415, "media_type")


@pytest.mark.parametrize("media_type", ["application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"'])
def test_spellings_of_the_json_media_type_are_accepted(client, media_type):
    assert client.post("/check", content=json.dumps({"id": "b", "text": BRIDGE}), headers={"content-type": media_type}).status_code == 200


@pytest.mark.parametrize(
    "body, says",
    [
        (b"", "not JSON: Expecting value at line 1 column 1"),
        (b"{", "not JSON"),
        (b'{"id":"b","text":"x"} {}', "Extra data"),
        (b"\xff\xfe{\x00", "byte 0 is not UTF-8 (0xff)"),
        ('{"id":"ب'.encode()[:-1], "is not UTF-8"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"id":' * 100_000, "nested too deeply"),
        (b'{"id":"b","text":"x","published":NaN}', "NaN is not JSON"),
        (b'{"id":"b","text":"x","published":-Infinity}', "-Infinity is not JSON"),
        (b'{"id":"b","text":"x","published":' + b"9" * 5000 + b"}", "a number is too long"),
        (b'{"id":"b\n","text":"x"}', "Invalid control character"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_invalid_json_is_refused(client, body, says):
    assert says in problem(client.post("/check", content=body, headers=JSON), 400, "bad_json")
    assert says in problem(client.post("/check/batch", content=body, headers=JSON), 400, "bad_json")


@pytest.mark.parametrize(
    "document, says",
    [
        ("[]", "a document must be an object with the fields id, text, title, published, source, url, got an array."),
        ("null", "got null"),
        ("{}", "a document needs an id"),
        ('{"id":""}', "must be a non-empty string"),
        ('{"id":5,"text":"x"}', "must be a non-empty string, got 5"),
        ('{"id":null,"text":"x"}', "must be a non-empty string"),
        ('{"id":"b"}', "has neither text nor title"),
        ('{"id":"b","text":" \\n","title":" "}', "has neither text nor title"),
        ('{"id":"b","text":["x"]}', "its text must be a string"),
        ('{"id":"b","text":"x","url":{}}', "its url must be a string"),
        ('{"id":"b","text":"x","html":"y"}', "a document has no field"),
        ('{"id":"b","text":"x","published":true}', "its published must be a text or a number, got true or false"),
        ('{"id":"b","text":"x","published":[1]}', "its published must be a text or a number, got an array"),
        ('{"id":"b","text":"x","published":1e999}', "cannot be parsed"),
        ('{"id":"b","text":"x","published":' + "9" * 400 + "}", "cannot be parsed"),
        ('{"id":"b","text":"x","published":"غدا"}', "cannot be parsed"),
        ('{"id":"\\ud800","text":"x"}', "contains a lone surrogate"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_json_that_is_not_a_document_is_refused(client, document, says):
    assert says in problem(client.post("/ingest", content=document.encode(), headers=JSON), 422, "bad_document")
    if document != "[]":
        (row,) = client.post("/ingest/batch", content=f"[{document}]".encode(), headers=JSON).json()
        assert row["action"] == "reject" and says in row["reason"]


def test_a_batch_must_be_an_array(client):
    assert problem(client.post("/check/batch", json={"id": "b", "text": BRIDGE}), 422, "bad_document") == (
        "a batch must be an array of documents, got an object."
    )


def test_null_and_lone_surrogates_in_texts_are_harmless(client):
    body = json.dumps({"id": "b1", "text": BRIDGE + " \x00 ", "title": "عنوان مكسور"}).replace("\\u0000", "\\u0000 \\ud800 \\udfff")
    assert "\\ud800" in body
    assert client.post("/ingest", content=body, headers=JSON).json()["action"] == "index"
    titled = json.dumps({"id": "t\x00", "title": "افتتاح الجسر المعلق"}).replace('"}', ' \\ud83d"}')
    assert client.post("/ingest", content=titled, headers=JSON).status_code == 200
    assert client.get("/documents/t%00").json()["doc_id"] == "t\x00"


def test_a_path_that_is_not_utf8_is_refused(client):
    client.post("/ingest", json={"id": "b\ufffd", "text": BRIDGE})
    problem(client.delete("/documents/b%FF"), 400, "bad_path")
    assert client.get("/documents/b%EF%BF%BD").status_code == 200


@pytest.mark.parametrize(
    "query", ["since=-1", "since=x", "since=1.5", "since=١", "since=9223372036854775808", "limit=0", "limit=10001", "since="]
)
def test_parameters_out_of_range_are_refused(client, query):
    assert "must be a whole number from" in problem(client.get(f"/stories/events?{query}"), 422, "bad_query")


def test_unknown_paths_and_methods_are_refused(client):
    problem(client.get("/checks"), 404, "not_found")
    problem(client.get("/documents/"), 404, "not_found")
    answer = client.get("/check")
    problem(answer, 405, "method")
    assert answer.headers["allow"] == "POST"


def test_a_read_only_service_adds_and_removes_nothing(service, index):
    index.ingest({"id": "b1", "text": BRIDGE})
    client = service(read_only=True)
    for answer in (
        client.post("/ingest", json={"id": "h1", "text": HONEY}),
        client.post("/ingest/batch", json=[{"id": "h1", "text": HONEY}]),
        client.delete("/documents/b1"),
    ):
        assert "read-only" in problem(answer, 503, "read_only")
    assert client.post("/check", json={"id": "b2", "text": BRIDGE}).json()["canonical_id"] == "b1"
    assert len(index) == 1


class Slow:
    """Block ``ingest`` of an index until ``release`` is set."""

    def __init__(self, index, monkeypatch):
        self.begun, self.release = threading.Event(), threading.Event()
        self.calls = 0
        ingest = type(index).ingest

        def slowly(index, document):
            self.calls += 1
            self.begun.set()
            assert self.release.wait(20)
            return ingest(index, document)

        monkeypatch.setattr(type(index), "ingest", slowly)


def test_health_answers_while_the_index_is_busy_and_a_timed_out_request_changes_nothing(service, index, monkeypatch):
    slow = Slow(index, monkeypatch)
    client = service(timeout=0.3, max_waiting=3)
    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(client.post, "/ingest", json={"id": "b1", "text": BRIDGE})
        assert slow.begun.wait(10)
        assert client.get("/health").status_code == 200
        assert client.get("/ready").status_code == 200
        second = threads.submit(client.post, "/ingest", json={"id": "h1", "text": HONEY}).result()
        assert "within 0.3 seconds. Nothing was changed" in problem(second, 503, "busy")
        assert second.headers["retry-after"] == "1"
        slow.release.set()
        assert first.result().json()["action"] == "index"  # it started in time, so it is not abandoned
    assert (len(index), slow.calls) == (1, 1)


def test_requests_beyond_the_queue_are_refused_at_once(service, index, monkeypatch):
    slow = Slow(index, monkeypatch)
    client = service(max_waiting=1)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(client.post, "/ingest", json={"id": "b1", "text": BRIDGE})
        assert slow.begun.wait(10)
        problem(client.post("/check", json={"id": "h1", "text": HONEY}), 503, "busy")
        problem(client.get("/ready"), 503, "busy")
        assert client.get("/metrics").status_code == 200
        slow.release.set()
        assert first.result().status_code == 200
    assert client.get("/ready").json() == {"status": "ready"}


def test_bodies_in_memory_are_limited(service, index, monkeypatch):
    slow = Slow(index, monkeypatch)
    client = service(max_held=3000, max_body=3000, max_batch_body=3000)
    large = {"id": "b1", "text": BRIDGE, "title": "x" * 500}
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(client.post, "/ingest", content=json.dumps(large, ensure_ascii=False).encode(), headers=JSON)
        assert slow.begun.wait(10)
        answer = client.post("/check", content=json.dumps({"id": "c", "text": "x" * 2900}), headers=JSON)
        assert "bodies fill the memory" in problem(answer, 503, "busy")
        slow.release.set()
        assert first.result().status_code == 200
    assert client.post("/check", content=json.dumps({"id": "c", "text": "x" * 2900}), headers=JSON).status_code == 200


def test_the_same_article_sent_twice_at_once_gets_one_index_and_one_skip(service):
    client = service()
    for round_ in range(10):
        words = random.Random(round_).choices(BRIDGE.split() + HONEY.split(), k=80)
        text = " ".join(words)
        start = threading.Barrier(2)

        def bring(name, start=start, text=text):
            start.wait()
            return client.post("/ingest", json={"id": name, "text": text}).json()

        with ThreadPoolExecutor(2) as threads:
            answers = list(threads.map(bring, [f"a{round_}", f"b{round_}"]))
        first, second = sorted(answers, key=lambda verdict: verdict["action"])
        assert (first["action"], second["action"]) == ("index", "skip")
        assert second["canonical_id"] == first["doc_id"]


def test_internal_errors_are_logged_and_hidden_from_clients(service, index, monkeypatch, caplog):
    def broken(self, document):
        raise RuntimeError("a secret of /srv/news.index")

    def full(self, document):
        raise OutputError("/srv/news.index: no space left on the device")

    monkeypatch.setattr(type(index), "ingest", broken)
    detail = problem(service().post("/ingest", json={"id": "b1", "text": BRIDGE}), 500, "internal")
    assert "secret" not in detail and "a secret" in caplog.text
    monkeypatch.setattr(type(index), "ingest", full)
    detail = problem(service().post("/ingest", json={"id": "b1", "text": BRIDGE}), 503, "storage")
    assert "/srv" not in detail and "no space left" in caplog.text


def test_a_service_whose_index_fails_is_not_ready_until_it_answers_again(service, index, monkeypatch):
    client = service()
    failing = True

    def length(self):
        if failing:
            raise OutputError("/srv/news.index: the disk is gone")
        return 1

    monkeypatch.setattr(type(index), "__len__", length)
    assert client.get("/ready").status_code == 200
    assert client.get("/metrics").status_code == 200  # this asks for the number of documents
    problem(client.get("/ready"), 503, "storage")
    assert client.get("/health").status_code == 200
    failing = False
    assert [client.get("/ready").status_code for _ in range(2)] == [200, 200]


def test_impossible_limits_are_refused():
    with pytest.raises(ConfigError, match="max_batch is 0, but must be more than 0; max_held is 5, but must not be less"):
        ServeSettings(max_batch=0, max_held=5)
