"""Errors as RFC 9457 problem details: a sentence for the client, never a traceback."""

from __future__ import annotations

from http import HTTPStatus

from starlette.responses import Response

from .responses import answer

PROBLEM_JSON = "application/problem+json"

#: Each error code with its HTTP status and its meaning; the OpenAPI document lists them too.
CODES = {
    "bad_json": (400, "the body is not valid JSON"),
    "bad_path": (400, "the path is not UTF-8"),
    "not_found": (404, "there is no such document or path"),
    "method": (405, "the path does not support this method"),
    "slow_body": (408, "the body was not received in time"),
    "too_large": (413, "the body or the batch exceeds the limits of this service"),
    "media_type": (415, "the content type or content encoding is not supported"),
    "bad_document": (422, "the JSON is not a valid document"),
    "bad_query": (422, "a query parameter is out of range or not a number"),
    "http": (400, "the request is malformed"),
    "internal": (500, "a bug in dedup; see the log of the service"),
    "busy": (503, "too many requests are waiting, or this one waited too long; nothing was changed, try again"),
    "read_only": (503, "this service does not change its index"),
    "storage": (503, "the index cannot be read or written at present; see the log of the service"),
    "closing": (503, "the service is shutting down"),
}


class Problem(Exception):  # noqa: N818 - the term of RFC 9457
    """An error response; ``code`` is one of ``CODES``."""

    def __init__(self, code: str, detail: str, *, status: int | None = None, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.status = CODES[code][0] if status is None else status
        self.headers = headers or {}

    def response(self) -> Response:
        """Return the HTTP response."""
        body = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        return answer(body, self.status, PROBLEM_JSON, self.headers)


def busy(detail: str) -> Problem:
    """Make a problem that a later attempt may not meet; clients may retry after a second."""
    return Problem("busy", detail, headers={"Retry-After": "1"})
