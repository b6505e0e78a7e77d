"""The OpenAPI document of a service, with the limits that it runs with."""

from __future__ import annotations

from typing import Any

from ..version import __version__
from .problems import PROBLEM_JSON
from .responses import JSON, JSON_LINES
from .schemas import SCHEMAS, ref
from .settings import ServeSettings

#: Most events in an answer.
MOST_EVENTS = 10_000
EVENTS_AT_ONCE = 1000
LARGEST_SINCE = (1 << 63) - 1

_STATUS = {
    400: "The body is not JSON, or the address cannot be read.",
    404: "There is none.",
    408: "The body did not come in time.",
    413: "The body or the batch is too large.",
    415: "The content type or coding is not one that is read here.",
    422: "The JSON is no document that can be compared, or a parameter does not fit.",
    500: "A bug; the log of the service tells more.",
    503: "Busy (try again after the seconds of Retry-After), read-only, being stopped, or the index cannot be read or written.",
}
_OF_BODY = (400, 408, 413, 415, 422)


def openapi(settings: ServeSettings) -> dict[str, Any]:
    """The document, OpenAPI 3.1."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "dedup: near-duplicates and stories in Arabic news",
            "version": __version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": _description(settings),
        },
        "paths": _paths(settings),
        "components": {"schemas": SCHEMAS},
    }


def _description(settings: ServeSettings) -> str:
    readonly = " This service is read-only: what would change its index is answered with 503." if settings.read_only else ""
    return (
        "Is this article new, a copy, or an update, and which story does it belong to? A check looks, an ingest looks and adds.\n\n"
        f"Limits: a document {settings.max_body:,} bytes, a batch {settings.max_batch_body:,} bytes and {settings.max_batch:,} documents; "
        f"{settings.max_waiting:,} requests may wait, none longer than {settings.timeout:g} seconds. Bodies are UTF-8 and not compressed. "
        f"Errors are RFC 9457 problem details.{readonly}"
    )


def _paths(settings: ServeSettings) -> dict[str, Any]:
    one = f"At most {settings.max_body:,} bytes."
    return {
        "/check": {"post": _single("check", "Judge a document, without adding it", one)},
        "/ingest": {"post": _single("ingest", "Judge a document and add it, atomically", one)},
        "/check/batch": {"post": _batch("check_batch", "Judge documents, without adding them", settings)},
        "/ingest/batch": {"post": _batch("ingest_batch", "Judge documents and add them, in their order", settings)},
        "/documents/{id}": {
            "parameters": [
                {
                    "name": "id",
                    "in": "path",
                    "required": True,
                    "schema": {"type": "string", "minLength": 1},
                    "description": "its id, UTF-8 and percent-encoded; slashes may be given as they are or as %2F",
                }
            ],
            "get": _operation("get_document", "What the index knows of a document", "Entry", (400, 404)),
            "delete": {
                "operationId": "remove_document",
                "summary": "Remove a document, with the further documents of its page",
                "responses": {"204": {"description": "It is removed."}, **_errors(400, 404)},
            },
        },
        "/stories/events": {
            "get": _operation("story_events", "What became of stories: merged, split", "Events", (422,))
            | {
                "parameters": [
                    _query("since", "give events with a larger number", 0, 0, LARGEST_SINCE),
                    _query("limit", "most events in the answer", EVENTS_AT_ONCE, 1, MOST_EVENTS),
                ]
            }
        },
        "/stats": {"get": _operation("stats", "Facts about the index and the service", "Stats", ())},
        "/health": {"get": _operation("health", "The process lives; the index is not asked", "Health", (), asks=False)},
        "/ready": {"get": _operation("ready", "The service takes requests", "Ready", (), asks=True)},
        "/metrics": {
            "get": {
                "operationId": "metrics",
                "summary": "Numbers in the text format of Prometheus",
                "responses": {
                    "200": {"description": "All numbers.", "content": {"text/plain": {"schema": {"type": "string"}}}},
                    **_errors(500),
                },
            }
        },
        "/openapi.json": {
            "get": {
                "operationId": "openapi",
                "summary": "This document",
                "responses": {"200": {"description": "OpenAPI 3.1.", "content": {JSON: {"schema": {"type": "object"}}}}, **_errors(500)},
            }
        },
    }


def _single(name: str, summary: str, limit: str) -> dict[str, Any]:
    body = {"required": True, "description": limit, "content": {JSON: {"schema": ref("Document")}}}
    return _operation(name, summary, "Verdict", _OF_BODY) | {"requestBody": body}


def _batch(name: str, summary: str, settings: ServeSettings) -> dict[str, Any]:
    # A row that is no document does not make the batch wrong.
    anything = {"description": "anything else is answered with a Rejection"}
    rows = {"type": "array", "maxItems": settings.max_batch, "items": {"anyOf": [ref("Document"), anything]}}
    lines = {"type": "string", "description": "a Document as JSON on each line"}
    body = {
        "required": True,
        "description": f"At most {settings.max_batch:,} documents and {settings.max_batch_body:,} bytes.",
        "content": {JSON: {"schema": rows, "examples": _EXAMPLES}, JSON_LINES: {"schema": lines}},
    }
    answers = {
        JSON: {"schema": {"type": "array", "items": ref("Row")}},
        JSON_LINES: {"schema": {"type": "string", "description": "a Row as JSON on each line"}},
    }
    about = "One answer for each row, in the same order and in the form of the request. Blank lines are no rows."
    return {
        "operationId": name,
        "summary": summary,
        "requestBody": body,
        "responses": {"200": {"description": about, "content": answers}, **_errors(*_OF_BODY)},
    }


_EXAMPLES = {"two": {"value": [SCHEMAS["Document"]["examples"][0], {"id": "h-7", "title": "افتتاح الجسر المعلق في مدينة النخيل"}]}}


def _operation(name: str, summary: str, schema: str, errors: tuple[int, ...], *, asks: bool = True) -> dict[str, Any]:
    """An operation that answers with JSON; ``asks``: it can be told that there is no time for it."""
    return {
        "operationId": name,
        "summary": summary,
        "responses": {
            "200": {"description": SCHEMAS[schema].get("description", "Done."), "content": {JSON: {"schema": ref(schema)}}},
            **(_errors(*errors) if asks else {"500": _error(500)}),
        },
    }


def _errors(*statuses: int) -> dict[str, Any]:
    return {str(status): _error(status) for status in sorted({*statuses, 500, 503})}


def _error(status: int) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": _STATUS[status], "content": {PROBLEM_JSON: {"schema": ref("Problem")}}}
    if status == 503:
        answer["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "seconds; only where trying again can help"}}
    return answer


def _query(name: str, about: str, default: int, least: int, most: int) -> dict[str, Any]:
    schema = {"type": "integer", "minimum": least, "maximum": most, "default": default}
    return {"name": name, "in": "query", "schema": schema, "description": about}
