"""A small search server on loopback: it parses bulk requests as strictly as OpenSearch and stores the documents."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

VERBS = {"index": 201, "create": 201, "update": 200, "delete": 200}


def parse_bulk(body: bytes) -> list[tuple[str, str, str, dict[str, Any] | None]]:
    """Read a bulk body as (verb, index, id, source); raises ValueError where OpenSearch would answer 400."""
    if not body.endswith(b"\n"):
        raise ValueError("The bulk request must be terminated by a newline [\\n]")
    lines = iter(body.decode("utf-8").split("\n")[:-1])
    found = []
    for line in lines:
        action = json.loads(line)
        if not isinstance(action, dict) or len(action) != 1:
            raise ValueError(f"Malformed action/metadata line, expected one field: {line[:80]}")
        [(verb, target)] = action.items()
        if verb not in VERBS or set(target) != {"_index", "_id"} or not 0 < len(target["_id"].encode()) <= 512:
            raise ValueError(f"Malformed action/metadata line: {line[:80]}")
        source = None if verb == "delete" else json.loads(next(lines))
        if verb == "update" and not set(source) <= {"doc", "doc_as_upsert"}:
            raise ValueError(f"unknown field in update: {sorted(source)}")
        if verb != "delete" and set(source) & set(VERBS):
            raise ValueError("an action where a source was expected")
        found.append((verb, target["_index"], target["_id"], source))
    return found


class SearchServer:
    """Documents by (index, id), and the failures that a test asks for."""

    def __init__(self) -> None:
        self.documents: dict[tuple[str, str], dict[str, Any]] = {}
        self.created: dict[str, Any] = {}
        self.requests: list[int] = []
        self.busy = 0
        self.refuse_once: set[str] = set()
        self.malformed: set[str] = set()
        self.address = ""

    def bulk(self, body: bytes) -> tuple[int, dict[str, Any]]:
        """The answer to ``POST /_bulk``."""
        self.requests.append(len(body))
        if self.busy:
            self.busy -= 1
            return 429, {
                "error": {"type": "rejected_execution_exception", "reason": "rejected execution of coordinating operation"},
                "status": 429,
            }
        try:
            actions = parse_bulk(body)
        except (ValueError, StopIteration) as error:
            return 400, {"error": {"type": "illegal_argument_exception", "reason": str(error)}, "status": 400}
        items = [{verb: {"_index": index, "_id": name} | self._do(verb, index, name, source)} for verb, index, name, source in actions]
        return 200, {"took": 3, "errors": any("error" in result for item in items for result in item.values()), "items": items}

    def _do(self, verb: str, index: str, name: str, source: dict[str, Any] | None) -> dict[str, Any]:
        key = (index, name)
        if name in self.refuse_once:
            self.refuse_once.remove(name)
            return {"status": 429, "error": {"type": "rejected_execution_exception", "reason": "rejected execution of primary operation"}}
        if name in self.malformed:
            return {"status": 400, "error": {"type": "mapper_parsing_exception", "reason": "failed to parse field [published]"}}
        if verb == "delete":
            gone = self.documents.pop(key, None)
            return {"result": "deleted", "status": 200} if gone else {"result": "not_found", "status": 404}
        assert source is not None
        if verb == "update":
            if key not in self.documents and not source.get("doc_as_upsert"):
                return {"status": 404, "error": {"type": "document_missing_exception", "reason": f"[{name}]: document missing"}}
            self.documents[key] = self.documents.get(key, {}) | source["doc"]
            return {"result": "updated", "status": 200}
        was_there = key in self.documents
        self.documents[key] = source
        return {"result": "updated", "status": 200} if was_there else {"result": "created", "status": 201}

    def create(self, name: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """The answer to ``PUT /name``."""
        if name in self.created:
            reason = f"index [{name}] already exists"
            return 400, {"error": {"type": "resource_already_exists_exception", "reason": reason}, "status": 400}
        self.created[name] = json.loads(body)
        return 200, {"acknowledged": True, "shards_acknowledged": True, "index": name}


@contextmanager
def search_server() -> Iterator[SearchServer]:
    """Run a server on a free port of loopback."""
    state = SearchServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            strict = self.path == "/_bulk" and self.headers["Content-Type"] == "application/x-ndjson"
            self._answer(*(state.bulk(self._body()) if strict else (406, {"error": "Content-Type header is not supported", "status": 406})))

        def do_PUT(self) -> None:
            self._answer(*state.create(self.path.strip("/"), self._body()))

        def _body(self) -> bytes:
            return self.rfile.read(int(self.headers["Content-Length"]))

        def _answer(self, status: int, answer: dict[str, Any]) -> None:
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=UTF-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            """Keep the test output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
