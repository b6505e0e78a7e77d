"""A connection to a Redis server: what a URL says, and what the server's refusals mean, without the credentials."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from ...errors import ConfigError, DedupError, InputError, OutputError

SCHEMES = ("redis://", "rediss://", "unix://")
DEFAULT_PREFIX = "dedup"
#: Seconds until a server that does not answer is given up, and until one that is not there is.
ANSWER_SECONDS, CONNECT_SECONDS = 30.0, 5.0
#: So often what failed for want of a connection is tried again.
RETRIES = 3
#: Settings of the connection that a URL may hold.
_OPTIONS = (
    "db",
    "username",
    "password",
    "client_name",
    "ssl_cert_reqs",
    "ssl_ca_certs",
    "ssl_certfile",
    "ssl_keyfile",
    "ssl_check_hostname",
)
_PREFIX = re.compile(r"[^\s{}*?\[\]\\]{1,64}")

T = TypeVar("T")


@dataclass(frozen=True)
class Address:
    """Where an index is: ``url`` for the client, ``prefix`` of its keys, and ``shown``, the URL without credentials, for messages."""

    url: str
    prefix: str
    shown: str


def read_url(url: str) -> Address:
    """Split ``redis://user:password@host:port/db?prefix=news`` (or ``rediss://...``, ``unix:///path?db=0``).

    Raises
    ------
    ConfigError
        If it is none, or says what is not known.
    """
    try:
        parts = urlsplit(url)
    except ValueError:  # whose message may hold the password
        raise ConfigError(f"{url.partition('://')[0]}://...: no address. Write redis://user:password@host:6379/0?prefix=news.") from None
    host = parts.netloc.rpartition("@")[2]
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.fragment or (parts.scheme != "unix" and "@" in parts.path) or any("@" in name for name in options):
        raise ConfigError(
            f"{parts.scheme}://...: a user or password with / ? or # in it must be percent-encoded (%2F %3F %23), or it cannot be told "
            "from the host."
        )
    prefix = options.pop("prefix", DEFAULT_PREFIX)
    shown = f"{parts.scheme}://{host}{parts.path}?{urlencode({'prefix': prefix})}"
    if parts.scheme + "://" not in SCHEMES or not (host or parts.path.strip("/")):
        raise ConfigError(
            f"{shown}: no address of a Redis server. Write redis://host:6379/0?prefix=news, rediss://... or unix:///path.sock."
        )
    if unknown := sorted(set(options) - set(_OPTIONS)):
        raise ConfigError(f"{shown}: unknown setting {unknown[0]!r} in the URL; known are prefix, {', '.join(_OPTIONS)}.")
    if not _PREFIX.fullmatch(prefix):
        raise ConfigError(f"{shown}: a prefix has 1 to 64 characters and no spaces, braces, brackets, *, ? or backslash.")
    return Address(f"{parts.scheme}://{parts.netloc}{parts.path}?{urlencode(options)}", prefix, shown)


class Link:
    """A server that is asked. All that is sent may be sent twice: scripts see to it, and reading changes nothing."""

    def __init__(self, url: str) -> None:
        self.address = read_url(url)
        try:
            import redis
        except ImportError:
            raise ConfigError(f"{self.address.shown}: the package redis is missing. Install it: pip install 'dedup-news[redis]'.") from None
        self.errors = redis.exceptions
        retry = redis.retry.Retry(redis.backoff.ExponentialBackoff(cap=0.5, base=0.05), RETRIES)
        try:
            self.client: Any = redis.Redis.from_url(
                self.address.url,
                protocol=2,
                decode_responses=False,
                socket_timeout=ANSWER_SECONDS,
                socket_connect_timeout=CONNECT_SECONDS,
                health_check_interval=30,
                retry=retry,
            )
        except (ValueError, TypeError) as error:
            raise ConfigError(f"{self.address.shown}: no address of a Redis server ({self._plain(error)}).") from None

    def script(self, source: str) -> Callable[..., Any]:
        """A script of ``redis_scripts`` as a function of its arguments, and of the client or pipeline that is to call it."""
        registered = self.client.register_script(source)
        return lambda arguments, client=None: registered(args=arguments, client=client)

    def ask(self, job: str, writing: bool, asked: Callable[[], T]) -> T:
        """What a call gives, or an error that says where, while doing what, and what to do.

        ``writing`` tells an OutputError from an InputError.
        """
        try:
            return asked()
        except (self.errors.RedisError, OSError) as error:
            kind: type[DedupError] = OutputError if writing else InputError
            raise kind(f"{self.address.shown}: {job}: {self._meaning(error)}") from error

    def close(self) -> None:
        """Close the connection."""
        self.client.close()

    def _meaning(self, error: BaseException) -> str:
        said, errors = self._plain(error), self.errors
        lower = said.lower()
        if isinstance(error, errors.AuthenticationError | errors.NoPermissionError) or lower.startswith(("noauth", "wrongpass", "noperm")):
            return f"the server does not let us ({said}). Check user and password in the URL, and what they allow."
        if isinstance(error, errors.OutOfMemoryError) or lower.startswith("oom") or "used memory > 'maxmemory'" in lower:
            return "the server's memory is used up; nothing was written. Raise its maxmemory, or remove documents and compact."
        if isinstance(error, errors.BusyLoadingError):
            return "the server is still loading its data. Try again later."
        if isinstance(error, errors.ReadOnlyError) or lower.startswith("readonly"):
            return "this server is a copy that only reads. Give the address of the one that writes."
        if "moved" in lower[:6] or "cluster support" in lower or lower.startswith("crossslot"):
            return "this is a Redis Cluster, which is not supported: an index lives in one server. Give the address of one that is none."
        if lower.startswith("wrongtype"):
            return f"keys of this prefix hold something else than an index. Choose another prefix ({said})."
        if lower.startswith("misconf"):
            return f"the server cannot save its data, and takes none ({said}). Look after its disk."
        if isinstance(error, errors.TimeoutError | TimeoutError):
            return "the server did not answer in time. Whether what was sent has been done is not known; see that the server is well."
        if isinstance(error, errors.ConnectionError | OSError):
            return f"the server cannot be reached ({said}). See that it runs and that host, port and network are right."
        return f"the server refuses: {said}."

    def _plain(self, error: BaseException) -> str:
        """A library's words in one line, without the credentials of the URL."""
        said = " ".join(str(error).split()) or type(error).__name__
        parts = urlsplit(self.address.url)
        secrets = {unquote(text) for text in (parts.username, parts.password) if text} | {
            text for text in (parts.username, parts.password) if text
        }
        secrets |= {value for name, value in parse_qsl(parts.query) if name in ("username", "password")}
        for secret in sorted(secrets, key=len, reverse=True):
            said = said.replace(secret, "***")
        return re.sub(r"://[^/@\s]*@", "://***@", said)[:300].rstrip(".")
