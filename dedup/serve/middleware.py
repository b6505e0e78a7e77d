"""Middleware: times each request and turns errors into problem responses (RFC 9457)."""

from __future__ import annotations

import logging
import time

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..errors import InputError
from .metrics import Metrics
from .problems import Problem

logger = logging.getLogger(__name__)

#: Key of the ASGI scope that holds the path of the route; the path itself would make a label of
#: every id.
ROUTE = "dedup.route"


class ErrorMiddleware:
    """The outermost ASGI middleware of the service."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.perf_counter()
        status = 0

        async def send_and_record(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_record)
        except Exception as error:
            if status:  # the response has started and cannot be replaced
                raise
            await _problem_response(error, scope)(scope, receive, send_and_record)
        finally:
            self._metrics.answered(scope["method"], scope.get(ROUTE, "other"), status, time.perf_counter() - begun)


def _problem_response(error: Exception, scope: Scope) -> Response:
    if isinstance(error, Problem):
        return error.response()
    if isinstance(error, InputError):  # about a document: the worker has already turned errors of the index into problems
        return Problem("bad_document", str(error)).response()
    logger.error("%s %s failed", scope["method"], scope.get(ROUTE, "other"), exc_info=error)
    return Problem("internal", "this is a bug in dedup; see the log of the service.").response()


async def http_error(request: Request, error: Exception) -> Response:
    """Answer what Starlette itself refuses: unknown paths and methods."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    if status == 404:
        problem = Problem("not_found", "there is no such path. See /openapi.json.", headers=headers)
    elif status == 405:
        problem = Problem("method", f"this path does not support {request.method[:20]}. See /openapi.json.", headers=headers)
    else:
        problem = Problem("http", "the request cannot be read.", status=status, headers=headers)
    return problem.response()
