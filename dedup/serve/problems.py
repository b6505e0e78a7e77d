"""What goes wrong, as RFC 9457 problem details: what was wrong in a sentence, never a traceback."""

from __future__ import annotations

from http import HTTPStatus

from starlette.responses import Response

from .responses import answer

PROBLEM_JSON = "application/problem+json"

#: What ``code`` can be, the status that it comes with and what it means; the OpenAPI document lists them too.
CODES = {
    "bad_json": (400, "the body is not the JSON that it says it is"),
    "bad_path": (400, "the path is not UTF-8"),
    "not_found": (404, "there is no such document or page"),
    "method": (405, "the page does not take this method"),
    "slow_body": (408, "the body did not come in time"),
    "too_large": (413, "the body or the batch is larger than this service takes"),
    "media_type": (415, "the content type or the content coding is not one that this service reads"),
    "bad_document": (422, "the JSON is not a document that can be compared"),
    "bad_query": (422, "a parameter of the address does not fit"),
    "http": (400, "the request is not one that can be read"),
    "internal": (500, "a bug; the log of the service tells more"),
    "busy": (503, "too many requests wait, or one waited too long; nothing was done, try again"),
    "read_only": (503, "this service may not change its index"),
    "storage": (503, "the index cannot be read or written at present; the log of the service tells more"),
    "closing": (503, "the service is being stopped"),
}


class Problem(Exception):  # noqa: N818 - it is what RFC 9457 calls it
    """A request that ends with an error; ``code`` is one of ``CODES``."""

    def __init__(self, code: str, detail: str, *, status: int | None = None, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.status = CODES[code][0] if status is None else status
        self.headers = headers or {}

    def response(self) -> Response:
        """The answer that tells of it."""
        body = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        return answer(body, self.status, PROBLEM_JSON, self.headers)


def busy(detail: str) -> Problem:
    """A problem that goes by itself."""
    return Problem("busy", detail, headers={"Retry-After": "1"})
