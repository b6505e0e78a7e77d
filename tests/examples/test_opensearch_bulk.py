"""The OpenSearch example on the example crawl: into a file, and into a server that parses bulk requests as strictly as OpenSearch."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.paths import ROOT

from .bulk_endpoint import SearchServer, parse_bulk, search_server

pytestmark = pytest.mark.slow

SCRIPT = ROOT / "examples" / "opensearch_bulk.py"
TRUTH = json.loads((ROOT / "examples" / "truth.json").read_text(encoding="utf-8"))
ROWS = {row["id"]: row for row in map(json.loads, (ROOT / "examples" / "crawl" / "news.jsonl").read_text(encoding="utf-8").splitlines())}
#: In the order of a crawler: the original comes before its copies.
BY_DATE = sorted(ROWS.values(), key=lambda row: row["date"])
COPIES = {copy: canonical for canonical, copy, _ in TRUTH["copies"] if copy in ROWS}


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def bulk(folder: Path, *arguments: str | Path, fails: bool = False) -> str:
    """Run the example in a process of its own and return its stderr."""
    run = subprocess.run(
        [sys.executable, str(SCRIPT), "--index", str(folder / "news.index"), "--backoff", "0.01", *map(str, arguments)],
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
    )
    assert "Traceback" not in run.stderr, run.stderr
    assert run.returncode == int(fails), run.stderr
    return run.stderr


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("opensearch_bulk", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def server() -> Any:
    with search_server() as server:
        yield server


@pytest.fixture
def crawl(tmp_path: Path) -> Path:
    return write(tmp_path / "crawl.jsonl", BY_DATE)


def ids(server: SearchServer, index: str = "news") -> set[str]:
    return {name for place, name in server.documents if place == index}


def test_the_file_is_a_strict_bulk_body_of_all_originals(tmp_path: Path, crawl: Path) -> None:
    stderr = bulk(tmp_path, crawl, "--out", tmp_path / "bulk.ndjson")
    body = (tmp_path / "bulk.ndjson").read_bytes()
    actions = parse_bulk(body)
    assert {verb for verb, *_ in actions} == {"index"}
    assert sorted(name for _, _, name, _ in actions) == sorted(set(ROWS) - set(COPIES))
    for _, index, name, source in actions:
        assert index == "news"
        assert source is not None
        assert set(source) == {"title", "text", "source", "url", "published", "story_id", "canonical_id"}
        assert (source["text"] or "") == ROWS[name]["content"]
        assert source["canonical_id"] == name
        assert source["story_id"]
    assert ROWS["nil-01"]["title"].encode() in body, "Arabic is written as UTF-8, not as escapes"
    assert f"'index': {len(actions)}" in stderr


def test_one_story_has_one_id(tmp_path: Path, crawl: Path, server: SearchServer) -> None:
    bulk(tmp_path, crawl, "--url", server.address)
    story_of = {name: source["story_id"] for (_, name), source in server.documents.items()}
    assert story_of["ufq-01"] == story_of["nil-02"]
    for a, b in TRUTH["different_stories"]:
        assert story_of[a] != story_of[b]


def test_requests_respect_the_limit_and_a_busy_server_is_retried(tmp_path: Path, crawl: Path, server: SearchServer) -> None:
    server.busy = 2
    server.refuse_once = {"nil-01", "ufq-01"}
    bulk(tmp_path, crawl, "--url", server.address, "--bytes", "20000")
    assert max(server.requests) <= 20000
    assert len(server.requests) > 5
    assert ids(server) == set(ROWS) - set(COPIES)


def test_failed_items_are_reported_and_the_others_are_stored(tmp_path: Path, crawl: Path, server: SearchServer) -> None:
    server.malformed = {"nil-02", "arz-03"}
    stderr = bulk(tmp_path, crawl, "--url", server.address, fails=True)
    assert "news/nil-02: 400" in stderr
    assert "news/arz-03: 400" in stderr
    assert "mapper_parsing_exception" in stderr
    assert "failed: 2" in stderr
    assert ids(server) == set(ROWS) - set(COPIES) - server.malformed


def test_an_unreachable_server_is_reported_and_the_file_can_be_sent_again(tmp_path: Path, crawl: Path, server: SearchServer) -> None:
    assert "news/nil-01" in bulk(tmp_path, crawl, "--url", "http://127.0.0.1:9", fails=True)
    bulk(tmp_path, crawl, "--url", server.address)
    assert not server.documents, "the index knows all of them"
    bulk(tmp_path, crawl, "--url", server.address, "--again")
    assert ids(server) == set(ROWS) - set(COPIES)


def test_an_update_replaces_its_document_and_a_new_copy_is_deleted(tmp_path: Path, crawl: Path, server: SearchServer) -> None:
    bulk(tmp_path, crawl, "--url", server.address)
    story = server.documents["news", "nil-01"]["story_id"]
    longer = ROWS["nil-01"] | {
        "content": ROWS["nil-01"]["content"] + "\nوتفقد الوزير أمس محطة مدينة الزهور الجديدة واستمع إلى ملاحظات السائقين."
    }
    now_a_copy = ROWS["nil-02"] | {"content": ROWS["ufq-01"]["content"], "title": ROWS["ufq-01"]["title"]}
    bulk(tmp_path, write(tmp_path / "next.jsonl", [longer, now_a_copy, ROWS["mar-03"]]), "--url", server.address)
    assert server.documents["news", "nil-01"]["text"] == longer["content"]
    assert server.documents["news", "nil-01"]["story_id"] == story
    assert ("news", "nil-02") not in server.documents
    assert len(server.requests) == 2


def test_keep_copies_indexes_copies_with_their_canonical(tmp_path: Path, crawl: Path, server: SearchServer) -> None:
    bulk(tmp_path, crawl, "--url", server.address, "--keep-copies")
    assert {name: source["copy_of"] for (_, name), source in server.documents.items() if "copy_of" in source} == COPIES
    assert ids(server) == set(ROWS)


def test_removed_articles_are_deleted_in_both_places(tmp_path: Path, crawl: Path, server: SearchServer) -> None:
    bulk(tmp_path, crawl, "--url", server.address)
    (tmp_path / "gone.txt").write_text("sah-01\nno-such-id\n", encoding="utf-8")
    bulk(tmp_path, "--remove", tmp_path / "gone.txt", "--url", server.address)
    assert ids(server) == set(ROWS) - set(COPIES) - {"sah-01"}
    bulk(tmp_path, write(tmp_path / "back.jsonl", [ROWS["sah-01"]]), "--url", server.address)
    assert "sah-01" in ids(server)


def test_bad_lines_are_reported_and_the_others_are_sent(tmp_path: Path) -> None:
    lines = [
        "{",
        "[]",
        '{"text": "بلا معرف"}',
        json.dumps(ROWS["nil-01"]),
        json.dumps({"id": "half", "title": "نصف \ud83d رمز في عنوان طويل بعض الشيء"}),
    ]
    (tmp_path / "in.jsonl").write_text("\n".join(lines), encoding="utf-8")
    stderr = bulk(tmp_path, tmp_path / "in.jsonl", "--out", tmp_path / "out.ndjson")
    for number in (1, 2, 3):
        assert f"line {number} is no article" in stderr
    assert [name for _, _, name, _ in parse_bulk((tmp_path / "out.ndjson").read_bytes())] == ["nil-01", "half"]


def test_a_rejected_row_is_reported(tmp_path: Path) -> None:
    rows = [{"id": "empty", "title": "", "content": ""}, ROWS["nil-01"]]
    stderr = bulk(tmp_path, write(tmp_path / "in.jsonl", rows), "--out", tmp_path / "out.ndjson")
    assert "rejected: empty" in stderr
    assert "'reject': 1" in stderr


def test_an_article_larger_than_a_request_is_reported_and_not_sent(tmp_path: Path, crawl: Path, server: SearchServer) -> None:
    stderr = bulk(tmp_path, crawl, "--url", server.address, "--bytes", "1500", fails=True)
    assert "news/nil-01: larger than --bytes" in stderr
    assert max(server.requests) <= 1500


def test_the_indices_are_created_once_with_arabic_text_and_keywords(tmp_path: Path, crawl: Path, server: SearchServer) -> None:
    for _ in range(2):
        bulk(tmp_path, crawl, "--url", server.address, "--create")
    assert set(server.created) == {"news", "stories"}
    properties = server.created["news"]["mappings"]["properties"]
    assert properties["text"] == {"type": "text", "analyzer": "arabic"}
    assert properties["story_id"] == {"type": "keyword"}
    assert set().union(*(source for (index, _), source in server.documents.items() if index == "news")) <= set(properties)


def test_a_document_occurs_once_in_a_request(example: ModuleType) -> None:
    old, new, other = (example.action("index", "news", name, {"text": text}) for name, text in [("a", "قديم"), ("a", "جديد"), ("b", "آخر")])
    assert list(example.requests([old, other, new], 10_000)) == [[old, other], [new]]


def test_long_ids_are_hashed_consistently(example: ModuleType) -> None:
    url = "https://waha.example.com/" + "%D8%A7" * 200
    first, again = example.action("index", "news", url, {}), example.action("delete", "news", url)
    assert first.target == again.target
    [(_, _, name, _), _] = parse_bulk(first.body + again.body)
    assert 0 < len(name.encode()) <= 512


def test_merges_and_splits_become_small_updates_of_stories(example: ModuleType, server: SearchServer) -> None:
    events = [
        {"event": "story_merged", "story_id": "s1", "other_id": "s2", "canonical_id": None, "number": 1},
        {"event": "story_split", "story_id": "s1", "other_id": "s3", "canonical_id": None, "number": 2},
    ]
    for request in example.requests(example.event_actions(events), 10_000):
        assert example.send(request, server.address, 0.01) == []
    assert server.documents["stories", "story-s2"] == {"merged_into": "s1"}
    assert server.documents["stories", "story-s3"] == {"split_from": "s1"}


def test_events_of_the_index_are_sent_once(tmp_path: Path, crawl: Path, server: SearchServer) -> None:
    import dedup

    cursor = tmp_path / "events.cursor"
    bulk(tmp_path, crawl, "--url", server.address)
    with dedup.Index.open(tmp_path / "news.index", mode="a") as index:
        assert index.review_stories(), "two cables of the example crawl turn out to be one story"
        events = index.story_events()
    bulk(tmp_path, "--url", server.address, "--events", cursor)
    assert {name: server.documents["stories", name] for name in ids(server, "stories")} == {
        f"story-{event['other_id']}": {"merged_into": event["story_id"]} for event in events if event["event"] == "story_merged"
    }
    server.documents.clear()
    bulk(tmp_path, "--url", server.address, "--events", cursor)
    assert not server.documents
