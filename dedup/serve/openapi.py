"""Builds the OpenAPI document of a service, including its limits."""

from __future__ import annotations

from typing import Any

from ..version import __version__
from .problems import PROBLEM_JSON
from .responses import JSON, JSON_LINES
from .schemas import SCHEMAS, ref
from .settings import ServeSettings

#: Events in a response: the largest ``limit`` and its default.
MOST_EVENTS, EVENTS_AT_ONCE = 10_000, 1000
LARGEST_SINCE = (1 << 63) - 1

_STATUS = {
    400: "The body is not JSON, or the path is not UTF-8.",
    404: "There is no such document.",
    408: "The body was not received in time.",
    413: "The body or the batch is too large.",
    415: "The content type or content encoding is not supported.",
    422: "The JSON is not a valid document, or a query parameter is out of range.",
    500: "A bug in dedup; see the log of the service.",
    503: "Busy (try again after Retry-After seconds), read-only, shutting down, or the index cannot be read or written.",
}
#: Errors of every request with a body.
_BODY_ERRORS = (400, 408, 413, 415, 422)


def openapi(settings: ServeSettings) -> dict[str, Any]:
    """Return the document, in version 3.1 of OpenAPI."""
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
    readonly = " This service is read-only: requests that would change its index get status 503." if settings.read_only else ""
    return (
        "Is this article new, a copy, or an update, and which story does it belong to? "
        "Check compares a document with the index; ingest compares it and adds it.\n\n"
        f"Limits: {settings.max_body:,} bytes for a document; {settings.max_batch_body:,} bytes and {settings.max_batch:,} documents for a "
        f"batch; at most {settings.max_waiting:,} waiting requests, each for up to {settings.timeout:g} seconds. "
        f"Bodies are UTF-8, not compressed. Errors are RFC 9457 problem details.{readonly}"
    )


def _paths(settings: ServeSettings) -> dict[str, Any]:
    one = f"At most {settings.max_body:,} bytes."
    return {
        "/check": {"post": _single("check", "Compare a document with the index, without adding it", one)},
        "/ingest": {"post": _single("ingest", "Compare a document with the index and add it, atomically", one)},
        "/check/batch": {"post": _batch("check_batch", "Compare documents with the index, without adding them", settings)},
        "/ingest/batch": {"post": _batch("ingest_batch", "Compare documents with the index and add them, in their order", settings)},
        "/documents/{id}": {
            "parameters": [
                {
                    "name": "id",
                    "in": "path",
                    "required": True,
                    "schema": {"type": "string", "minLength": 1},
                    "description": "the id, as percent-encoded UTF-8; slashes may stay as they are or be written as %2F",
                }
            ],
            "get": _operation("get_document", "Get the index entry of a document", "Entry", (400, 404)),
            "delete": {
                "operationId": "remove_document",
                "summary": "Remove a document and the further documents of its page",
                "responses": {"204": {"description": "The document was removed."}, **_errors(400, 404)},
            },
        },
        "/stories/events": {
            "get": _operation("story_events", "List events: stories that were merged or split", "Events", (422,))
            | {
                "parameters": [
                    _query("since", "return events with a larger number", 0, 0, LARGEST_SINCE),
                    _query("limit", "largest number of events to return", EVENTS_AT_ONCE, 1, MOST_EVENTS),
                ]
            }
        },
        "/stats": {"get": _operation("stats", "Statistics of the index and the service", "Stats", ())},
        "/health": {"get": _operation("health", "Liveness: the process runs (does not use the index)", "Health", (), uses_index=False)},
        "/ready": {"get": _operation("ready", "Readiness: the service accepts requests", "Ready", (), uses_index=True)},
        "/metrics": {
            "get": {
                "operationId": "metrics",
                "summary": "Metrics in the text format of Prometheus",
                "responses": {
                    "200": {"description": "All metrics.", "content": {"text/plain": {"schema": {"type": "string"}}}},
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
    return _operation(name, summary, "Verdict", _BODY_ERRORS) | {"requestBody": body}


def _batch(name: str, summary: str, settings: ServeSettings) -> dict[str, Any]:
    # An invalid row does not make the batch invalid.
    anything = {"description": "any other value gets a Rejection"}
    rows = {"type": "array", "maxItems": settings.max_batch, "items": {"anyOf": [ref("Document"), anything]}}
    lines = {"type": "string", "description": "one Document as JSON on each line"}
    body = {
        "required": True,
        "description": f"At most {settings.max_batch:,} documents and {settings.max_batch_body:,} bytes.",
        "content": {JSON: {"schema": rows, "examples": _EXAMPLES}, JSON_LINES: {"schema": lines}},
    }
    answers = {
        JSON: {"schema": {"type": "array", "items": ref("Row")}},
        JSON_LINES: {"schema": {"type": "string", "description": "one Row as JSON on each line"}},
    }
    about = "One Row for each row of the request, in the same order and format. Blank lines are not rows."
    return {
        "operationId": name,
        "summary": summary,
        "requestBody": body,
        "responses": {"200": {"description": about, "content": answers}, **_errors(*_BODY_ERRORS)},
    }


_EXAMPLES = {"two": {"value": [SCHEMAS["Document"]["examples"][0], {"id": "h-7", "title": "افتتاح الجسر المعلق في مدينة النخيل"}]}}


def _operation(name: str, summary: str, schema: str, errors: tuple[int, ...], *, uses_index: bool = True) -> dict[str, Any]:
    """Describe an operation that returns JSON; one that uses the index may be answered with 503."""
    return {
        "operationId": name,
        "summary": summary,
        "responses": {
            "200": {"description": SCHEMAS[schema].get("description", "Done."), "content": {JSON: {"schema": ref(schema)}}},
            **(_errors(*errors) if uses_index else {"500": _error(500)}),
        },
    }


def _errors(*statuses: int) -> dict[str, Any]:
    return {str(status): _error(status) for status in sorted({*statuses, 500, 503})}


def _error(status: int) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": _STATUS[status], "content": {PROBLEM_JSON: {"schema": ref("Problem")}}}
    if status == 503:
        answer["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "seconds; only if trying again can help"}}
    return answer


def _query(name: str, about: str, default: int, least: int, most: int) -> dict[str, Any]:
    schema = {"type": "integer", "minimum": least, "maximum": most, "default": default}
    return {"name": name, "in": "query", "schema": schema, "description": about}
