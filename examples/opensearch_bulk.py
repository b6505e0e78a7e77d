"""Send articles through an index of dedup into OpenSearch or Elasticsearch, by the bulk API; copies stay out.

python examples/opensearch_bulk.py examples/crawl/news.jsonl --index news.index --out bulk.ndjson
python examples/opensearch_bulk.py day.jsonl --index news.index --url https://localhost:9200 --create --events events.cursor

Needs only dedup. Set ``OPENSEARCH_AUTH=user:password`` if the server asks for a password.
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
#: The indices that ``--create`` makes. Group hits by story with ``"collapse": {"field": "story_id"}``.
INDICES = {
    "news": {"mappings": {"dynamic": False, "properties": ARTICLE | dict.fromkeys(("story_id", "canonical_id", "copy_of"), KEYWORD)}},
    "stories": {"mappings": {"dynamic": False, "properties": dict.fromkeys(("merged_into", "split_from"), KEYWORD)}},
}
#: Alternative names of fields in the input.
ALSO = {"text": "content", "published": "date"}
ROWS, ATTEMPTS = 1000, 6


class Action(NamedTuple):
    """One action of a bulk request: its document (``news/id``), and one or two lines of JSON."""

    target: str
    body: bytes


def action(verb: str, index: str, name: str, source: dict[str, Any] | None = None) -> Action:
    """Make an action; ``source`` is the document, or the changes of an ``update``."""
    # OpenSearch accepts ids of up to 512 bytes; a percent-encoded Arabic URL may be longer.
    known_as = name if len(name.encode()) <= 512 else hashlib.sha256(name.encode()).hexdigest()
    lines = [{verb: {"_index": index, "_id": known_as}}, *([] if source is None else [source])]
    return Action(f"{index}/{known_as}", b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines))


def article_actions(index: Any, rows: list[dict[str, Any]], args: argparse.Namespace, seen: Counter[str]) -> Iterator[Action]:
    """Ingest rows and turn their verdicts into actions."""
    pages: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for verdict in index.ingest_batch(rows).to_pylist():
        if verdict["action"] == "reject":
            seen["reject"] += 1
            print(f"rejected: {rows[verdict['input_row']]['id']}: {verdict['reason']}", file=sys.stderr)
        elif verdict["role"] != "headline" or verdict["doc_id"] == verdict["page_id"]:  # not the headlines that a page lists
            seen[verdict["action"]] += 1
            pages[verdict["input_row"]].append(verdict)
    for number, found in sorted(pages.items()):
        # A page may hold a second article; it is indexed if one of them is no copy. Known articles are sent with --again only.
        originals = [verdict for verdict in found if verdict["status"] != "copy"]
        news = [verdict for verdict in originals if args.again or verdict["action"] != "skip"]
        name, verdict = found[0]["page_id"], (news or found)[0]
        source = {field: rows[number][field] for field in ARTICLE} | {field: verdict[field] for field in ("story_id", "canonical_id")}
        if news:
            yield action("index", "news", name, source)
        elif not originals and args.keep_copies:
            yield action("index", "news", name, source | {"copy_of": verdict["canonical_id"]})
        elif not originals and any(verdict["action"] == "update" for verdict in found):
            yield action("delete", "news", name)  # its new text is a copy; the old text may have been an original


def event_actions(events: Iterable[dict[str, Any]]) -> Iterator[Action]:
    """Write merges and splits as small updates of stories; articles keep their ``story_id``."""
    field = {"story_merged": "merged_into", "story_split": "split_from"}
    for event in events:
        change = {"doc": {field[event["event"]]: event["story_id"]}, "doc_as_upsert": True}
        yield action("update", "stories", f"story-{event['other_id']}", change)


def requests(actions: Iterable[Action], most_bytes: int) -> Iterator[list[Action]]:
    """Group actions into requests of at most ``most_bytes``.

    A document occurs once in a request: a retry of an older action must not overtake a newer one.
    """
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
    """Return status, answer and the seconds of ``Retry-After``; status 0 if the server cannot be reached."""
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
    """Send a request, retry items that the server is too busy for (429), and return all other failures."""
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
    """Read JSON lines (``-``: standard input), with the field names of dedup and of the search engine."""
    with sys.stdin.buffer if path == "-" else open(path, "rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                # Encoded and decoded: half of a surrogate pair has no UTF-8.
                row = json.loads(json.dumps(json.loads(line), ensure_ascii=False).encode("utf-8", "replace"))
                yield {"id": str(row["id"])} | {field: row.get(field) or row.get(ALSO.get(field)) for field in ARTICLE}
            except (ValueError, LookupError, TypeError) as error:
                print(f"{path}, line {number} is no article with an id: {error!r}", file=sys.stderr)


def all_actions(index: Any, args: argparse.Namespace, seen: Counter[str], sent: list[int]) -> Iterator[Action]:
    """Make all actions in order: removals, articles, events."""
    for name in filter(None, args.remove.read_text(encoding="utf-8").splitlines() if args.remove else ()):
        index.remove(name)
        yield action("delete", "news", name)
    rows = articles(args.articles) if args.articles else iter(())
    while batch := list(islice(rows, ROWS)):
        yield from article_actions(index, batch, args, seen)
    if args.events:
        events = index.story_events(since=int(args.events.read_text()) if args.events.exists() else 0)
        sent += [event["number"] for event in events]
        yield from event_actions(events)


def main() -> int:
    """Run the command; return 1 if anything failed."""
    parser = argparse.ArgumentParser(description="Send articles through an index of dedup into a search engine.")
    parser.add_argument("articles", nargs="?", help="JSON lines; - for standard input")
    parser.add_argument("--index", required=True, help="the index of dedup, a folder or a redis:// URL")
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("--out", type=Path, help="append the bodies of the bulk requests to this file")
    target.add_argument("--url", help="send them to this server")
    parser.add_argument("--create", action="store_true", help="create the indices first if they are missing")
    parser.add_argument("--keep-copies", action="store_true", help="index copies too, with copy_of")
    parser.add_argument("--again", action="store_true", help="send known articles too: use it to repeat a file after a failure")
    parser.add_argument("--remove", type=Path, metavar="FILE", help="ids, one a line, to remove from the index and the search engine")
    parser.add_argument("--events", type=Path, metavar="FILE", help="send merges and splits; FILE holds the number of the last one sent")
    parser.add_argument("--bytes", type=int, default=8_000_000, help="largest request in bytes (default: 8 million)")
    parser.add_argument("--backoff", type=float, default=1.0, help="seconds before the first retry; they double (default: 1)")
    args = parser.parse_args()
    failures: list[str] = []
    seen, sent, done = Counter[str](), list[int](), 0
    for name, body in INDICES.items() if args.create and args.url else ():
        status, answer, _ = call("PUT", f"{args.url}/{name}", json.dumps(body).encode(), "application/json")
        if status != 200 and "resource_already_exists" not in str(answer):
            failures.append(f"{name}: {status} {answer['error']}")
    with dedup.Index.open(args.index, mode="a") as index:
        for request in requests(all_actions(index, args, seen, sent), args.bytes):
            done += len(request)
            if len(request[0].body) > args.bytes:
                failures.append(f"{request[0].target}: larger than --bytes")
            elif args.url:
                failures += send(request, args.url, args.backoff)
            else:
                with open(args.out, "ab") as file:
                    file.writelines(item.body for item in request)
    if sent and not failures:
        args.events.write_text(str(max(sent)))
    print(*failures, f"articles: {dict(seen)}; actions: {done}, failed: {len(failures)}", sep="\n", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
