"""Responses to valid requests."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from prometheus_client.parser import text_string_to_metric_families

from dedup.index.document import FIELDS
from dedup.serve.openapi import openapi
from dedup.serve.schemas import SCHEMAS
from dedup.serve.settings import ServeSettings
from tests.paths import SEED_PAGE

BRIDGE = (
    "افتتح محافظ مدينة النخيل صباح اليوم الجسر المعلق الجديد على نهر الوادي بعد أربع سنوات من أعمال البناء التي نفذتها "
    "شركة الأفق للإنشاءات بكلفة بلغت ستين مليون دينار. وقال المحافظ سالم الحارثي إن الجسر سيخفف الازدحام عن وسط المدينة "
    "وسيختصر زمن الرحلة بين الضفتين إلى خمس دقائق. وحضر الافتتاح مئات السكان الذين عبروا الجسر سيرا على الأقدام."
)
HONEY = (
    "أعلنت جمعية النحالين في جبال السرو أن موسم العسل هذا العام تضاعف مقارنة بالعام الماضي بفضل أمطار الربيع المتأخرة. "
    "وأوضح رئيس الجمعية كمال الراوي أن المناحل أنتجت ثلاثين طنا من عسل السدر والزعتر، وأن الأسعار انخفضت بنحو الربع في "
    "الأسواق الشعبية. ويستعد النحالون لمعرض سنوي يقام في ساحة البلدة القديمة الأسبوع المقبل."
)
LINES = {"content-type": "application/x-ndjson"}


def samples(text):
    """Parse metrics: values by name and labels."""
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_ingest_adds_a_document_and_check_does_not(client, index):
    document = {"id": "b1", "title": "افتتاح الجسر المعلق", "text": BRIDGE, "published": "2025-03-02T08:00:00Z"}
    for _ in range(2):
        answer = client.post("/check", json=document)
        assert answer.status_code == 200
        assert answer.json()["action"] == "index"
    assert len(index) == 0
    assert client.post("/ingest", json=document).json()["action"] == "index"
    assert len(index) == 1
    assert client.post("/ingest", json=document).json()["action"] == "skip"
    copy = client.post("/check", json={"id": "b2", "text": BRIDGE}).json()
    assert (copy["action"], copy["kind"], copy["canonical_id"], copy["status"]) == ("skip", "exact", "b1", "copy")
    assert copy["match"] == {"canonical_id": "b1", "kind": "exact", "jaccard": 1.0, "share": 1.0, "containment": 1.0}
    assert client.post("/ingest", json=document | {"text": HONEY}).json()["action"] == "update"


def test_a_report_that_holds_an_earlier_brief_is_indexed_as_extended(client):
    client.post("/ingest", json={"id": "b1", "text": BRIDGE})
    report = {"id": "r1", "text": f"{BRIDGE} {HONEY}"}
    verdict = client.post("/ingest", json=report).json()
    assert (verdict["action"], verdict["status"], verdict["canonical_id"], verdict["extends"]) == ("index", "extended", "r1", ["b1"])
    assert 0.2 < verdict["covered"] < 0.6
    assert (verdict["kind"], verdict["match"]) == (None, None)
    entry = client.get("/documents/r1").json()
    assert (entry["status"], entry["extends_id"], entry["covered"]) == ("extended", "b1", pytest.approx(verdict["covered"]))
    assert (entry["kind"], entry["share"]) == (None, None)
    reprint = client.post("/check", json={"id": "r2", "text": report["text"]}).json()
    assert (reprint["action"], reprint["canonical_id"], reprint["extends"]) == ("skip", "r1", [])
    assert (reprint["match"]["share"], reprint["covered"]) == (1.0, 1.0)


def test_verdicts_equal_those_of_the_library(client, index):
    client.post("/ingest", json={"id": "b1", "text": BRIDGE})
    document = {"id": "b2", "text": BRIDGE + " " + HONEY}
    assert client.post("/check", json=document).json() == json.loads(json.dumps(index.check(document).to_dict()))


def test_a_batch_gives_the_verdicts_of_single_calls_in_order(client, index):
    rows = [
        {"id": "b1", "text": BRIDGE, "published": "2025-03-02", "source": "الضفة", "url": "https://daffa.example/1"},
        {"id": "h1", "text": HONEY, "published": 1741082400},
        {"id": "b2", "text": BRIDGE, "title": "الجسر"},
        {"id": "t1", "title": "موسم وفير لعسل جبال السرو في هذا العام"},
        {"id": "b1", "text": HONEY},
    ]
    checked = client.post("/check/batch", json=rows).json()
    assert checked == [client.post("/check", json=row).json() for row in rows]
    assert len(index) == 0
    taken = client.post("/ingest/batch", json=rows).json()
    assert [verdict["doc_id"] for verdict in taken] == [row["id"] for row in rows]
    assert [verdict["action"] for verdict in taken] == ["index", "index", "skip", "index", "update"]
    assert len(index) == 4


def test_further_documents_of_a_page_are_parts_of_its_verdict(client):
    page = SEED_PAGE.read_text(encoding="utf-8")
    single = client.post("/check", json={"id": "p", "text": page}).json()
    assert client.post("/check/batch", json=[{"id": "p", "text": page}]).json() == [single]


def test_invalid_rows_get_rejections_in_their_place(client, index):
    rows = [
        {"id": "b1", "text": BRIDGE},
        5,
        {"id": "n1"},
        {"text": HONEY},
        {"id": "h1", "text": HONEY},
        {"id": "x", "text": 7},
        {"id": "y", "txt": "عسل"},
        {"id": "z", "text": HONEY, "published": "أمس"},
        {"id": "u\ud800", "text": HONEY},
    ]
    answers = client.post("/ingest/batch", content=json.dumps(rows), headers={"content-type": "application/json"}).json()
    assert [row["action"] for row in answers] == ["index", "reject", "reject", "reject", "index", *["reject"] * 4]
    assert answers[2] == {
        "action": "reject",
        "row": 2,
        "doc_id": "n1",
        "reason": "document 'n1' has neither text nor title: there is nothing to compare.",
    }
    assert [row["row"] for row in answers if row["action"] == "reject"] == [1, 2, 3, 5, 6, 7, 8]
    assert len(index) == 2


def test_json_lines_get_json_lines_and_a_broken_line_is_rejected_alone(client):
    lines = [
        "\ufeff" + json.dumps({"id": "b1", "text": BRIDGE}, ensure_ascii=False),
        "",
        "{broken",
        json.dumps({"id": "h1", "text": HONEY}),
        '{"id": NaN}',
    ]
    answer = client.post("/ingest/batch", content="\r\n".join(lines).encode(), headers=LINES)
    assert answer.headers["content-type"] == "application/x-ndjson"
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert [row["action"] for row in rows] == ["index", "reject", "index", "reject"]
    assert rows[1]["reason"].startswith("the line cannot be read: not JSON: Expecting property name")
    assert "NaN is not JSON" in rows[3]["reason"]


@pytest.mark.parametrize("media_type, body", [("application/json", b"[]"), ("application/x-ndjson", b"")])
def test_an_empty_batch_has_an_empty_response(client, media_type, body):
    answer = client.post("/ingest/batch", content=body, headers={"content-type": media_type})
    assert (answer.status_code, answer.content) == (200, body)


@pytest.mark.parametrize(
    "name", ["b1", "https://daffa.example/1?x=2&y=3#top", "أخبار/النخيل/١", "a b\x00\n", "..", "صفحة#1", "a//b/", "100%"], ids=ascii
)
def test_any_id_can_be_looked_up_and_removed(client, name):
    client.post("/ingest", json={"id": name, "text": BRIDGE, "title": "افتتاح الجسر", "published": "2025-03-02T08:00:00Z"})
    address = "/documents/" + quote(name, safe="").replace("..", "%2E%2E")
    found = client.get(address)
    assert found.status_code == 200
    assert found.json()["doc_id"] == name
    assert found.json()["title"] == "افتتاح الجسر"
    assert set(found.json()) == set(SCHEMAS["Entry"]["properties"])
    gone = client.delete(address)
    assert (gone.status_code, gone.content) == (204, b"")
    for answer in (client.get(address), client.delete(address)):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_slashes_in_ids_need_no_encoding(client):
    client.post("/ingest", json={"id": "news/2025/1", "text": BRIDGE})
    assert client.get("/documents/news/2025/1").json()["doc_id"] == "news/2025/1"


def test_stats_hide_where_the_index_is_stored(client, tmp_path):
    client.post("/ingest", json={"id": "b1", "text": BRIDGE})
    facts = client.get("/stats").json()
    assert facts["index"]["documents"] == 1
    assert facts["service"]["read_only"] is False
    assert str(tmp_path) not in client.get("/stats").text


def test_events_are_paged(client, index, monkeypatch):
    events = [
        {"number": number, "event": "story_merged", "story_id": "s1", "other_id": f"s{number}", "canonical_id": None, "at": 1_000_000,
         "recorded": 2_000_000, "documents": 1, "members": ["b1"]}
        for number in range(1, 6)
    ]  # fmt: skip
    monkeypatch.setattr(type(index), "story_events", lambda self, since=0: [row for row in events if row["number"] > since])
    seen, since, more = [], 0, True
    while more:
        answer = client.get("/stories/events", params={"since": since, "limit": 2}).json()
        seen += answer["events"]
        since, more = answer["next"], answer["more"]
    assert [row["number"] for row in seen] == [1, 2, 3, 4, 5]
    assert seen[0]["at"] == "1970-01-01T00:00:01Z"
    assert client.get("/stories/events?since=5").json() == {"events": [], "next": 5, "more": False}


def test_metrics_count_requests_verdicts_and_documents(client):
    client.post("/ingest", json={"id": "b1", "text": BRIDGE})
    client.post("/ingest", json={"id": "b2", "text": BRIDGE})
    client.post("/ingest/batch", json=[{"id": "h1", "text": HONEY}, 5])
    client.post("/check", content=b"{")
    client.get("/documents/b1")
    client.get("/nowhere/at/all")
    client.request("XYZ", "/check")
    answer = client.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = samples(answer.text)
    assert found["dedup_http_requests_total", "/ingest", "200", "POST"] == 2
    assert found["dedup_http_requests_total", "/check", "415", "POST"] == 1
    assert found["dedup_http_requests_total", "/documents/{id}", "200", "GET"] == 1
    assert found["dedup_http_requests_total", "404", "GET", "other"] == 1
    assert found["dedup_http_requests_total", "405", "other", "other"] == 1
    assert found["dedup_verdicts_total", "index", "ingest", "none"] == 2
    assert found["dedup_verdicts_total", "exact", "ingest", "skip"] == 1
    assert found["dedup_verdicts_total", "ingest", "none", "reject"] == 1
    assert found["dedup_http_request_seconds_count", "/ingest"] == 2
    assert found["dedup_documents",] == 3
    assert found["dedup_waiting_requests",] == 0
    assert found["dedup_held_bytes",] == 0


def test_openapi_names_every_path_and_limit(client):
    answer = client.get("/openapi.json")
    document = answer.json()
    pytest.importorskip("openapi_spec_validator").validate(document)
    assert document["openapi"] == "3.1.0"
    assert document == openapi(ServeSettings())
    routes = {(route.path.replace(":any", ""), method.lower()) for route in client.app.routes for method in route.methods - {"HEAD"}}
    documented = {(path, method) for path, item in document["paths"].items() for method in item if method != "parameters"}
    assert documented == routes
    assert "2,097,152 bytes" in document["info"]["description"] and "1,000 documents" in document["info"]["description"]


def test_document_fields_equal_those_of_the_library(index):
    assert tuple(SCHEMAS["Document"]["properties"]) == FIELDS
    assert set(SCHEMAS["Verdict"]["properties"]) == set(index.check({"id": "b1", "text": BRIDGE}).to_dict())


def test_no_response_is_an_html_page(client):
    for path in ("/", "/docs", "/redoc", "/debug", "/check/", "/static/x"):
        assert client.get(path).status_code == 404
