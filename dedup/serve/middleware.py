"""Around every request: its time is taken, and whatever goes wrong becomes a problem that can be read."""

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

#: Where the path of a route is noted in the scope of its request; the path itself would make a label of every id.
ROUTE = "dedup.route"


class ErrorMiddleware:
    """ASGI middleware, the outermost that is ours."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.perf_counter()
        status = 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception as error:
            if status:  # the answer has begun: it cannot be taken back
                raise
            await _answer(error, scope)(scope, receive, noting)
        finally:
            self._metrics.answered(scope["method"], scope.get(ROUTE, "other"), status, time.perf_counter() - begun)


def _answer(error: Exception, scope: Scope) -> Response:
    if isinstance(error, Problem):
        return error.response()
    if isinstance(error, InputError):  # of a document: what an index raises has become a problem already
        return Problem("bad_document", str(error)).response()
    logger.error("%s %s failed", scope["method"], scope.get(ROUTE, "other"), exc_info=error)
    return Problem("internal", "this is a bug in dedup; the log of the service tells more.").response()


async def http_error(request: Request, error: Exception) -> Response:
    """What Starlette itself refuses: unknown paths and methods."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    if status == 404:
        problem = Problem("not_found", "there is nothing under this address. See /openapi.json.", headers=headers)
    elif status == 405:
        problem = Problem("method", f"this address does not take {request.method[:20]}. See /openapi.json.", headers=headers)
    else:
        problem = Problem("http", "the request cannot be read.", status=status, headers=headers)
    return problem.response()
