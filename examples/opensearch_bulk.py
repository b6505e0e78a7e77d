"""Articles through the index of dedup into OpenSearch (or Elasticsearch), by its bulk API; copies stay out.

python examples/opensearch_bulk.py examples/crawl/news.jsonl --index news.index --out bulk.ndjson
python examples/opensearch_bulk.py day.jsonl --index news.index --url https://localhost:9200 --create --events events.cursor

Needs nothing but dedup. User and password, if the server asks for them: ``OPENSEARCH_AUTH=user:password`` in the environment.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import dedup

KEYWORD, ARABIC = {"type": "keyword"}, {"type": "text", "analyzer": "arabic"}
DATE = {"type": "date", "format": "strict_date_optional_time||yyyy-MM-dd HH:mm:ss", "ignore_malformed": True}
ARTICLE = {"title": ARABIC, "text": ARABIC, "source": KEYWORD, "url": KEYWORD, "published": DATE}
#: What ``--create`` makes. Group hits by story with ``"collapse": {"field": "story_id"}``.
INDICES = {
    "news": {"mappings": {"dynamic": False, "properties": ARTICLE | dict.fromkeys(("story_id", "canonical_id", "copy_of"), KEYWORD)}},
    "stories": {"mappings": {"dynamic": False, "properties": dict.fromkeys(("merged_into", "split_from"), KEYWORD)}},
}
#: Other names of fields in the input.
ALSO = {"text": "content", "published": "date"}
ROWS, ATTEMPTS = 1000, 6


class Action(NamedTuple):
    """One action of a bulk request: whom it is about (``news/id``), and its line or two of JSON."""

    target: str
    body: bytes


def action(verb: str, index: str, name: str, source: dict[str, Any] | None = None) -> Action:
    """Make an action; ``source`` is the document, or with ``update`` what to change."""
    # OpenSearch takes ids of up to 512 bytes; an Arabic URL, percent-encoded, may be longer.
    known_as = name if len(name.encode()) <= 512 else hashlib.sha256(name.encode()).hexdigest()
    lines = [{verb: {"_index": index, "_id": known_as}}, *([] if source is None else [source])]
    return Action(f"{index}/{known_as}", b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines))


def article_actions(index: Any, rows: list[dict[str, Any]], args: argparse.Namespace, seen: Counter[str]) -> Iterator[Action]:
    """Ingest rows, and say what their verdicts mean for the search engine."""
    pages: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for verdict in index.ingest_batch(rows).to_pylist():
        if verdict["action"] == "reject":
            seen["reject"] += 1
            print(f"rejected: {rows[verdict['input_row']]['id']}: {verdict['reason']}", file=sys.stderr)
        elif verdict["role"] != "headline" or verdict["doc_id"] == verdict["page_id"]:  # not the headlines that a page lists
            seen[verdict["action"]] += 1
            pages[verdict["input_row"]].append(verdict)
    for number, found in sorted(pages.items()):
        # A page may hold a second article; it goes in if one of them is no copy. What is known already goes in with --again only.
        originals = [verdict for verdict in found if verdict["status"] != "copy"]
        news = [verdict for verdict in originals if args.again or verdict["action"] != "skip"]
        name, said = found[0]["page_id"], (news or found)[0]
        source = {field: rows[number][field] for field in ARTICLE} | {field: said[field] for field in ("story_id", "canonical_id")}
        if news:
            yield action("index", "news", name, source)
        elif not originals and args.keep_copies:
            yield action("index", "news", name, source | {"copy_of": said["canonical_id"]})
        elif not originals and any(verdict["action"] == "update" for verdict in found):
            yield action("delete", "news", name)  # its new text is a copy; the old one may have been an original


def event_actions(events: Iterable[dict[str, Any]]) -> Iterator[Action]:
    """Merges and splits as small updates: articles keep their ``story_id``, the story says where it went."""
    field = {"story_merged": "merged_into", "story_split": "split_from"}
    for event in events:
        change = {"doc": {field[event["event"]]: event["story_id"]}, "doc_as_upsert": True}
        yield action("update", "stories", f"story-{event['other_id']}", change)


def requests(actions: Iterable[Action], most_bytes: int) -> Iterator[list[Action]]:
    """Actions in requests of at most so many bytes, each document once in a request: a retry must not overtake what came later."""
    request: dict[str, Action] = {}
    size = 0
    for item in actions:
        if request and (size + len(item.body) > most_bytes or item.target in request):
            yield list(request.values())
            request, size = {}, 0
        request[item.target] = item
        size += len(item.body)
    if request:
        yield list(request.values())


def call(method: str, url: str, body: bytes, kind: str = "application/x-ndjson") -> tuple[int, dict[str, Any], float]:
    """Status, answer, and seconds that the server asks to wait; status 0 if it cannot be reached."""
    request = urllib.request.Request(url, body, {"Content-Type": kind}, method=method)
    if credentials := os.environ.get("OPENSEARCH_AUTH"):
        request.add_header("Authorization", "Basic " + base64.b64encode(credentials.encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, json.load(answer), 0.0
    except urllib.error.HTTPError as error:
        after = error.headers.get("Retry-After", "")
        return error.code, {"error": error.read().decode(errors="replace")[:300]}, float(after) if after.isdigit() else 0.0
    except OSError as error:
        return 0, {"error": str(error)}, 0.0


def send(request: list[Action], url: str, backoff: float) -> list[str]:
    """Send a request; what the server has no room for (429) is sent again, the rest of what failed is told item by item."""
    failures: list[str] = []
    for attempt in range(ATTEMPTS):
        status, answer, wait = call("POST", f"{url}/_bulk", b"".join(item.body for item in request))
        if status == 200:
            results = [(item, *result.values()) for item, result in zip(request, answer["items"], strict=True)]
            failures += [f"{item.target}: {r['status']} {r['error']}" for item, r in results if "error" in r and r["status"] != 429]
            request = [item for item, r in results if r["status"] == 429]
        elif status not in (0, 429, 502, 503, 504):
            break
        if not request:
            return failures
        if attempt + 1 < ATTEMPTS:
            time.sleep(max(wait, backoff * 2**attempt))
    return failures + [f"{item.target}: {status} {answer.get('error', 'still refused')}" for item in request]


def articles(path: str) -> Iterator[dict[str, Any]]:
    """Rows of a file of JSON lines (``-``: standard input), with the names of fields that dedup and the search engine know."""
    with sys.stdin.buffer if path == "-" else open(path, "rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                # There and back: half of a surrogate pair has no UTF-8.
                row = json.loads(json.dumps(json.loads(line), ensure_ascii=False).encode("utf-8", "replace"))
                yield {"id": str(row["id"])} | {field: row.get(field) or row.get(ALSO.get(field)) for field in ARTICLE}
            except (ValueError, LookupError, TypeError) as error:
                print(f"{path}, line {number} is no article with an id: {error!r}", file=sys.stderr)


def all_actions(index: Any, args: argparse.Namespace, seen: Counter[str], told: list[int]) -> Iterator[Action]:
    """What the command line asks for, in order: removals, articles, events."""
    for name in filter(None, args.remove.read_text(encoding="utf-8").splitlines() if args.remove else ()):
        index.remove(name)
        yield action("delete", "news", name)
    rows = articles(args.articles) if args.articles else iter(())
    while batch := list(islice(rows, ROWS)):
        yield from article_actions(index, batch, args, seen)
    if args.events:
        events = index.story_events(since=int(args.events.read_text()) if args.events.exists() else 0)
        told += [event["number"] for event in events]
        yield from event_actions(events)


def main() -> int:
    """Read the command line and do it; 1 if anything failed."""
    parser = argparse.ArgumentParser(description="Articles through the index of dedup into a search engine.")
    parser.add_argument("articles", nargs="?", help="JSON lines; - for standard input")
    parser.add_argument("--index", required=True, help="the index of dedup, a folder or a redis:// URL")
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("--out", type=Path, help="add the bodies of the bulk requests to this file")
    target.add_argument("--url", help="send them to this server")
    parser.add_argument("--create", action="store_true", help="make the indices first, if they are not there")
    parser.add_argument("--keep-copies", action="store_true", help="index copies too, with copy_of")
    parser.add_argument("--again", action="store_true", help="send what is known too: after a failure, the same file once more")
    parser.add_argument("--remove", type=Path, metavar="FILE", help="ids, one a line, to take out of the index and of the search engine")
    parser.add_argument("--events", type=Path, metavar="FILE", help="tell of merges and splits; FILE remembers the last one told")
    parser.add_argument("--bytes", type=int, default=8_000_000, help="most bytes in a request (default: 8 million)")
    parser.add_argument("--backoff", type=float, default=1.0, help="seconds before the first retry; they double (default: 1)")
    args = parser.parse_args()
    failures: list[str] = []
    seen, told, done = Counter[str](), list[int](), 0
    for name, body in INDICES.items() if args.create and args.url else ():
        status, answer, _ = call("PUT", f"{args.url}/{name}", json.dumps(body).encode(), "application/json")
        if status != 200 and "resource_already_exists" not in str(answer):
            failures.append(f"{name}: {status} {answer['error']}")
    with dedup.Index.open(args.index, mode="a") as index:
        for request in requests(all_actions(index, args, seen, told), args.bytes):
            done += len(request)
            if len(request[0].body) > args.bytes:
                failures.append(f"{request[0].target}: larger than --bytes")
            elif args.url:
                failures += send(request, args.url, args.backoff)
            else:
                with open(args.out, "ab") as file:
                    file.writelines(item.body for item in request)
    if told and not failures:
        args.events.write_text(str(max(told)))
    print(*failures, f"articles: {dict(seen)}; actions: {done}, failed: {len(failures)}", sep="\n", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
