"""``dedup serve``: runs the HTTP service of an index until Ctrl-C or SIGTERM."""

from __future__ import annotations

import logging
import os
import re
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..config import settings
from .exit_codes import EXIT_CODES, WRONG_USAGE, fail
from .logs import start_log
from .options import SectionedCommand, parameter, read_config, with_settings

if TYPE_CHECKING:
    import uvicorn

    from ..serve import ServeSettings

logger = logging.getLogger(__name__)

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])

_SIZE = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)\s*([kmg]?)i?b?", re.IGNORECASE)
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
#: Seconds that requests in progress may take to finish when the server stops.
_GRACE = 30
#: Largest request line with headers: an id in the path may be long.
_HEAD_BYTES = 64 << 10


class _Stopped(BaseException):
    """SIGTERM was received."""


def read_bytes(context: click.Context, param: click.Parameter, value: str) -> int:
    """Convert ``2MB``, ``500KB`` or a bare number to bytes, for click."""
    match = _SIZE.fullmatch(value.strip())
    if match is None:
        raise click.BadParameter(f"{value!r} is not a size. Write for example 2MB, 500KB or 100000 (bytes).", context, param)
    return int(float(match[1]) * _UNITS[match[2].lower()])


def with_limits(command: AnyFunction) -> AnyFunction:
    """Add the options of ``ServeSettings`` to a command."""
    size: dict[str, Any] = {"callback": read_bytes, "metavar": "SIZE", "show_default": True}
    number: dict[str, Any] = {"type": click.IntRange(min=1), "metavar": "N", "show_default": True}
    options = (
        click.option("--max-body", default="2MB", help="largest request body with one document", **size),
        click.option("--max-batch-body", default="16MB", help="largest request body of a batch", **size),
        click.option("--max-batch", default=1000, help="most documents in a batch", **number),
        click.option("--max-held", default="128MB", help="most request bodies in memory at once; beyond that, 503", **size),
        click.option("--max-waiting", default=64, help="most requests waiting for the index; beyond that, 503", **number),
        click.option(
            "--timeout",
            default=30.0,
            type=click.FloatRange(min=0, min_open=True),
            metavar="SECONDS",
            show_default=True,
            help="longest time to receive a body (then 408), and to wait for the index (then 503)",
        ),
    )
    for option in reversed(options):  # decorators apply from the inside out
        command = option(command)
    return command


@click.command("serve", cls=SectionedCommand, epilog=EXIT_CODES, short_help="Serve an index over HTTP.")
@click.option("--index", "path", required=True, metavar="INDEX", help="folder of the index, created if missing, or redis://host:port/db")
@click.option("--host", default="127.0.0.1", metavar="ADDRESS", show_default=True, help="address to listen on; 0.0.0.0 is every interface")
@click.option(
    "--port", default=8000, type=click.IntRange(0, 65535), metavar="N", show_default=True, help="port to listen on; 0 picks a free one"
)
@click.option("--read-only", is_flag=True, help="only check documents, while another process writes to the index")
@click.option(
    "--durability",
    type=click.Choice(["process", "sync"]),
    default="process",
    show_default=True,
    help="acknowledged documents survive the end of the process, or (sync) a power failure too",
)
@click.option("--keep", metavar="TIME", help="remove documents this long after they were added, as 90d, 12h or 8w  [never]")
@with_limits
@click.option("-v", "--verbose", count=True, help="log requests to stderr")
@click.option("--log-json", is_flag=True, help="log to stderr as JSON lines")
@with_settings
def serve_command(
    path: str,
    host: str,
    port: int,
    read_only: bool,
    durability: str,
    keep: str | None,
    verbose: int,
    log_json: bool,
    config_file: str | None,
    **given: Any,
) -> None:
    """Serve an index over HTTP: find copies, updates and stories of incoming articles.

    POST a document as JSON to /check or /ingest, or many to /check/batch or /ingest/batch. See
    /openapi.json for all requests. There is one process, because only one may write to an index.
    Ctrl-C or SIGTERM stops it: requests in progress are answered, then the index is closed.

    There is no authentication: anyone who reaches the port can add and remove documents. Use a
    private address, or a proxy.
    """
    if read_only and keep is not None:
        raise click.UsageError("--keep removes documents, which --read-only does not allow.")
    _check_extra()
    from ..serve import ServeSettings

    limits = {name: given.pop(name) for name in ("max_body", "max_batch_body", "max_batch", "max_held", "max_waiting", "timeout")}
    allowed = ServeSettings(read_only=read_only, **limits)
    asked = config_file is not None or any(given[parameter(name)] is not None for name, *_ in settings())
    config = read_config(config_file, given) if asked else None
    # Always at least -v, as errors of the service appear only in the log.
    start_log(max(verbose, 1), as_json=log_json)
    with _until_stopped(), _listening(host, port) as listener:
        from ..index.index import Index

        mode = "r" if read_only else "a"
        with Index.open(path, config, mode, durability=durability, keep=keep) as index:
            server = _server(index, allowed, requests=verbose > 0)
            address = _address(listener)
            click.echo(f"dedup serves {_display_path(path)} at {address} (see {address}/openapi.json). Press Ctrl-C to stop.", err=True)
            server.run(sockets=[listener])
    click.echo("dedup has stopped; the index is closed.", err=True)


def _check_extra() -> None:
    try:
        import prometheus_client  # noqa: F401
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ModuleNotFoundError as error:
        fail(f"the service needs the package {error.name}. Install it with: pip install 'dedup-news[serve]'", WRONG_USAGE)


@contextmanager
def _until_stopped() -> Iterator[None]:
    """Let SIGTERM end the block successfully; uvicorn raises it again when it has finished."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise _Stopped

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except _Stopped:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    """Listen on a socket; an address that cannot be used is reported before the index is opened."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        # asyncio sets TCP_NODELAY only on sockets made with this protocol; without it small
        # responses wait 40 ms.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            if os.name == "posix":  # on Windows it would let two servers share a port
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(128)
        except BaseException:
            listener.close()
            raise
    except (OSError, UnicodeError) as error:
        # Python may add the address to the system's message.
        code = getattr(error, "errno", None)
        reason = os.strerror(code) if code and not isinstance(error, socket.gaierror) else getattr(error, "strerror", None) or str(error)
        fail(f"cannot listen on {host} port {port}: {reason}. Choose another --host or --port.", WRONG_USAGE)
    with listener:
        yield listener


def _server(index: Any, allowed: ServeSettings, *, requests: bool) -> uvicorn.Server:
    import uvicorn

    from ..serve import create_app

    # uvicorn logs to the same place as dedup.
    for name, level in (("uvicorn.error", logging.WARNING), ("uvicorn.access", logging.INFO)):
        theirs = logging.getLogger(name)
        theirs.handlers, theirs.propagate = logging.getLogger("dedup").handlers, False
        theirs.setLevel(level)
    return uvicorn.Server(
        uvicorn.Config(
            create_app(index, allowed),
            http="h11",  # unlike httptools, it limits the size of request line and headers
            log_config=None,
            access_log=requests,
            lifespan="on",
            ws="none",
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_GRACE,
            h11_max_incomplete_event_size=_HEAD_BYTES,
        )
    )


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _display_path(path: str) -> str:
    """Return the name of an index without a password."""
    from ..index.redis.connection import SCHEMES, read_url

    return read_url(path).display_url if path.startswith(SCHEMES) else path
