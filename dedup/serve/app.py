"""The ASGI application: one handler for each path."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

import pyarrow as pa
from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..index.document import Checked
from ..index.verdict import REJECT, verdict_dict
from ..schema import TIMESTAMP
from ..version import __version__
from .metrics import TEXT, Metrics
from .middleware import ROUTE, ErrorMiddleware, http_error
from .openapi import EVENTS_AT_ONCE, LARGEST_SINCE, MOST_EVENTS, openapi
from .problems import Problem, busy
from .requests import MemoryBudget, Refused, media_type, read_body, read_document, read_rows
from .responses import JSON, JSON_LINES, answer, answer_rows, encoded
from .schemas import entry_json, event_json
from .settings import ServeSettings
from .worker import IndexWorker, closing

if TYPE_CHECKING:
    from ..index.index import Index


#: A batch always has all columns, whatever fields its rows have.
_DOCUMENTS = pa.schema(
    [
        pa.field("id", pa.string()),
        pa.field("text", pa.large_string()),
        pa.field("title", pa.string()),
        pa.field("published", TIMESTAMP),
        pa.field("source", pa.string()),
        pa.field("url", pa.string()),
    ]
)


def judge_rows(rows: Sequence[Checked | Refused], judge: Callable[[Any], Any]) -> list[dict[str, Any]]:
    """Answer each row of a batch with a verdict or a rejection, ready for JSON.

    Parameters
    ----------
    rows : sequence of Checked or Refused
        Rows of the batch.
    judge : callable
        ``Index.check_batch`` or ``Index.ingest_batch``.

    Returns
    -------
    list of dict
        One for each row, in the same order: a verdict in the form of ``Verdict.to_dict``, or a
        rejection.
    """
    places = [place for place, row in enumerate(rows) if isinstance(row, Checked)]
    answers: list[dict[str, Any] | None] = [_rejection(place, row) if isinstance(row, Refused) else None for place, row in enumerate(rows)]
    if places:
        documents = [row for row in rows if isinstance(row, Checked)]
        columns = {field.name: [getattr(document, field.name) for document in documents] for field in _DOCUMENTS}
        for verdict in judge(pa.table(columns, schema=_DOCUMENTS)).to_pylist():
            place = places[verdict["input_row"]]
            main = answers[place]
            if verdict["action"] == REJECT:
                answers[place] = _rejection(place, Refused(documents[verdict["input_row"]].id, verdict["reason"]))
            elif main is None:
                answers[place] = verdict_dict(verdict)
            else:
                main["parts"].append(verdict_dict(verdict))
    # Every row gets an answer, even if a bug loses its verdict.
    return [
        _rejection(place, Refused(None, "no verdict was given: this is a bug in dedup.")) if found is None else found
        for place, found in enumerate(answers)
    ]


def _rejection(place: int, row: Refused) -> dict[str, Any]:
    return {"action": REJECT, "row": place, "doc_id": row.doc_id, "reason": row.reason}


Handler = Callable[[Request], Awaitable[Response]]
#: How long a scrape waits for the number of documents before it reports the last known one.
_SCRAPE_SECONDS = 1.0
#: Statistics that clients must not see: where the index is stored and how to reach it.
_SECRET = frozenset({"path", "url", "name", "location"})


class _AnyText(Convertor[str]):
    """The rest of a path, including slashes and line breaks: ids may contain them."""

    regex = r"[\s\S]*"

    def convert(self, value: str) -> str:
        """Return the text unchanged."""
        return value

    def to_string(self, value: str) -> str:
        """Return the text unchanged."""
        return value


def create_app(index: Index, settings: ServeSettings | None = None) -> Starlette:
    """Make an ASGI application for an open index; the caller closes the index afterwards."""
    service = _Service(index, settings or ServeSettings())
    table: list[tuple[str, str, Handler]] = [
        ("POST", "/check", service.single("check")),
        ("POST", "/ingest", service.single("ingest")),
        ("POST", "/check/batch", service.batch("check")),
        ("POST", "/ingest/batch", service.batch("ingest")),
        ("GET", "/documents/{id:any}", service.document),
        ("DELETE", "/documents/{id:any}", service.remove),
        ("GET", "/stories/events", service.events),
        ("GET", "/stats", service.stats),
        ("GET", "/health", service.health),
        ("GET", "/ready", service.ready),
        ("GET", "/metrics", service.prometheus),
        ("GET", "/openapi.json", service.openapi),
    ]
    register_url_convertor("any", _AnyText())
    methods: dict[str, dict[str, Handler]] = {}
    for method, path, handler in table:
        methods.setdefault(path, {})[method] = handler
    app = Starlette(
        routes=[Route(path, _by_method(path, handlers), methods=list(handlers)) for path, handlers in methods.items()],
        middleware=[Middleware(ErrorMiddleware, service.metrics)],
        exception_handlers={HTTPException: http_error},
        lifespan=service.lifespan,
    )
    app.router.redirect_slashes = False
    return app


def _by_method(path: str, handlers: dict[str, Handler]) -> Handler:
    name = path.replace(":any", "")

    async def endpoint(request: Request) -> Response:
        request.scope[ROUTE] = name
        return await handlers["GET" if request.method == "HEAD" else request.method](request)

    return endpoint


class _Service:
    """The handlers and their shared state."""

    def __init__(self, index: Index, settings: ServeSettings) -> None:
        self._index = index
        self._settings = settings
        self._worker = IndexWorker(settings.max_waiting, settings.timeout)
        self._budget = MemoryBudget(settings.max_held)
        self._openapi = encoded(openapi(settings))
        self.metrics = Metrics()
        self.metrics.waiting.set_function(lambda: self._worker.waiting)
        self.metrics.buffered.set_function(lambda: self._budget.reserved)

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """Run the index worker; requests in progress finish before it stops."""
        if self._worker.closed:
            self._worker.open()
        yield
        self._worker.close()

    def single(self, call: str) -> Handler:
        """The handler of ``/check`` or ``/ingest``."""
        judge = getattr(self._index, call)

        async def handler(request: Request) -> Response:
            self._check_allowed(call)
            media_type(request, [JSON])
            with self._budget.reserve() as reservation:
                data = await read_body(request, reservation, most=self._settings.max_body, timeout=self._settings.timeout)
                document = read_document(data)
                verdict = (await self._worker.do(lambda: judge(document))).to_dict()
            self.metrics.judged(call, verdict)
            return answer(verdict)

        return handler

    def batch(self, call: str) -> Handler:
        """The handler of ``/check/batch`` or ``/ingest/batch``."""
        judge, most = getattr(self._index, f"{call}_batch"), self._settings.max_batch

        async def handler(request: Request) -> Response:
            self._check_allowed(call)
            media = media_type(request, [JSON, JSON_LINES])
            with self._budget.reserve() as reservation:
                data = await read_body(request, reservation, most=self._settings.max_batch_body, timeout=self._settings.timeout)
                # Parsed on the worker thread too: a large batch would block the event loop.
                answers = await self._worker.do(lambda: judge_rows(read_rows(data, media, most), judge))
            for verdict in answers:
                self.metrics.judged(call, verdict)
            return answer_rows((encoded(verdict) for verdict in answers), media)

        return handler

    async def document(self, request: Request) -> Response:
        """Return the index entry of a document."""
        name = _document_id(request)
        entry = await self._worker.do(lambda: self._index.get(name))
        if entry is None:
            raise _unknown()
        return answer(entry_json(entry))

    async def remove(self, request: Request) -> Response:
        """Remove a document."""
        self._check_allowed("remove")
        name = _document_id(request)
        if not await self._worker.do(lambda: self._index.remove(name)):
            raise _unknown()
        return Response(None, 204)

    async def events(self, request: Request) -> Response:
        """Return the first ``limit`` events after a number."""
        since = _whole_number(request, "since", 0, 0, LARGEST_SINCE)
        limit = _whole_number(request, "limit", EVENTS_AT_ONCE, 1, MOST_EVENTS)
        events = await self._worker.do(lambda: self._index.story_events(since))
        page = [event_json(event) for event in events[:limit]]
        return answer({"events": page, "next": page[-1]["number"] if page else since, "more": len(events) > limit})

    async def stats(self, request: Request) -> Response:
        """Return statistics of the index and the service."""
        stats = await self._worker.do(self._index.stats)
        service = {"version": __version__, "read_only": self._settings.read_only, "waiting": self._worker.waiting}
        return answer({"index": {name: value for name, value in stats.items() if name not in _SECRET}, "service": service})

    async def health(self, request: Request) -> Response:
        """Report that the process is alive, without asking the index."""
        return answer({"status": "alive", "version": __version__})

    async def ready(self, request: Request) -> Response:
        """Report whether the next request would be accepted."""
        if self._worker.closed:
            raise closing()
        if self._worker.full:
            raise busy("too many requests are waiting for the index.")
        if self._worker.failing:  # only an answer of the index ends this
            await self._worker.do(lambda: len(self._index), within=_SCRAPE_SECONDS)
        return answer({"status": "ready"})

    async def prometheus(self, request: Request) -> Response:
        """Return the metrics for Prometheus."""
        with suppress(Problem):  # report the last known number
            self.metrics.documents.set(await self._worker.do(lambda: len(self._index), within=_SCRAPE_SECONDS))
        return Response(self.metrics.text(), media_type=TEXT)

    async def openapi(self, request: Request) -> Response:
        """Return the OpenAPI document."""
        return Response(self._openapi, media_type=JSON)

    def _check_allowed(self, call: str) -> None:
        if self._settings.read_only and call != "check":
            raise Problem("read_only", "this service is read-only: it checks documents but cannot add or remove any.")


def _document_id(request: Request) -> str:
    raw = request.scope.get("raw_path")
    try:
        # Servers replace bytes that are not UTF-8 by U+FFFD, which could give the id of another
        # document.
        unquote_to_bytes(raw if raw is not None else b"").decode()
    except UnicodeDecodeError:
        raise Problem("bad_path", "the id in the path is not percent-encoded UTF-8.") from None
    name: str = request.path_params["id"]
    if not name:
        raise _unknown()
    return name


def _unknown() -> Problem:
    return Problem("not_found", "the index has no document with this id.")


def _whole_number(request: Request, name: str, default: int, least: int, most: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,19}", text) or not least <= int(text) <= most:
        raise Problem("bad_query", f"{name} is {text[:40]!r}, but must be a whole number from {least} to {most}.")
    return int(text)
