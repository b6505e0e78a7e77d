"""Connects to a Redis server and explains its errors, without showing credentials."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from ...errors import ConfigError, DedupError, InputError, OutputError

SCHEMES = ("redis://", "rediss://", "unix://")
DEFAULT_PREFIX = "dedup"
#: Timeouts in seconds for a reply and for connecting.
ANSWER_SECONDS, CONNECT_SECONDS = 30.0, 5.0
#: Attempts after a connection error.
RETRIES = 3
#: Options of the connection that a URL may contain.
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
    """Where an index is: ``url``, ``prefix`` of its keys, ``display_url`` without credentials."""

    url: str
    prefix: str
    display_url: str


def read_url(url: str) -> Address:
    """Parse ``redis://user:password@host:port/db?prefix=news``, ``rediss://`` or ``unix://``.

    Raises
    ------
    ConfigError
        If it is not such a URL, or contains an unknown option.
    """
    try:
        parts = urlsplit(url)
    except ValueError:  # its message may contain the password
        raise ConfigError(
            f"{url.partition('://')[0]}://...: not a valid URL. Write redis://user:password@host:6379/0?prefix=news."
        ) from None
    host = parts.netloc.rpartition("@")[2]
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.fragment or (parts.scheme != "unix" and "@" in parts.path) or any("@" in name for name in options):
        raise ConfigError(
            f"{parts.scheme}://...: a user or password that contains / ? or # must be percent-encoded (%2F %3F %23), to keep it apart "
            "from the host."
        )
    prefix = options.pop("prefix", DEFAULT_PREFIX)
    display_url = f"{parts.scheme}://{host}{parts.path}?{urlencode({'prefix': prefix})}"
    if parts.scheme + "://" not in SCHEMES or not (host or parts.path.strip("/")):
        raise ConfigError(
            f"{display_url}: not the URL of a Redis server. Write redis://host:6379/0?prefix=news, rediss://... or unix:///path.sock."
        )
    if unknown := sorted(set(options) - set(_OPTIONS)):
        raise ConfigError(f"{display_url}: unknown option {unknown[0]!r} in the URL. Options are prefix, {', '.join(_OPTIONS)}.")
    if not _PREFIX.fullmatch(prefix):
        raise ConfigError(f"{display_url}: a prefix must have 1 to 64 characters without spaces, braces, brackets, *, ? or backslash.")
    return Address(f"{parts.scheme}://{parts.netloc}{parts.path}?{urlencode(options)}", prefix, display_url)


class Connection:
    """A connection to a server. Repeated requests are safe: scripts apply a write only once."""

    def __init__(self, url: str) -> None:
        self.address = read_url(url)
        try:
            import redis
        except ImportError:
            raise ConfigError(
                f"{self.address.display_url}: the package redis is missing. Install it with: pip install 'dedup-news[redis]'."
            ) from None
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
            raise ConfigError(f"{self.address.display_url}: not the URL of a Redis server ({self._plain(error)}).") from None

    def script(self, source: str) -> Callable[..., Any]:
        """Register a Lua script; return a function of its arguments and an optional pipeline."""
        registered = self.client.register_script(source)
        return lambda arguments, client=None: registered(args=arguments, client=client)

    def ask(self, job: str, writing: bool, asked: Callable[[], T]) -> T:
        """Call a function that talks to the server, and return its result.

        Parameters
        ----------
        job
            What is being done, for messages.
        writing
            Whether an error is an ``OutputError`` rather than an ``InputError``.
        asked
            The function.
        """
        try:
            return asked()
        except (self.errors.RedisError, OSError) as error:
            kind: type[DedupError] = OutputError if writing else InputError
            raise kind(f"{self.address.display_url}: {job}: {self._meaning(error)}") from error

    def close(self) -> None:
        """Close the connection."""
        self.client.close()

    def _meaning(self, error: BaseException) -> str:
        said, errors = self._plain(error), self.errors
        lower = said.lower()
        if isinstance(error, errors.AuthenticationError | errors.NoPermissionError) or lower.startswith(("noauth", "wrongpass", "noperm")):
            return f"access is denied ({said}). Check user and password in the URL, and their permissions."
        if isinstance(error, errors.OutOfMemoryError) or lower.startswith("oom") or "used memory > 'maxmemory'" in lower:
            return "the server's memory is used up; nothing was written. Raise its maxmemory, or remove documents and compact."
        if isinstance(error, errors.BusyLoadingError):
            return "the server is still loading its data. Try again later."
        if isinstance(error, errors.ReadOnlyError) or lower.startswith("readonly"):
            return "this server is a read-only replica. Use the URL of the primary server."
        if "moved" in lower[:6] or "cluster support" in lower or lower.startswith("crossslot"):
            return "this is a Redis Cluster, which is not supported: an index needs a single server."
        if lower.startswith("wrongtype"):
            return f"keys of this prefix contain something other than an index ({said}). Choose another prefix."
        if lower.startswith("misconf"):
            return f"the server cannot save its data, so it accepts no writes ({said}). Check its disk."
        if isinstance(error, errors.TimeoutError | TimeoutError):
            return "the server did not reply in time, so the request may or may not have been executed. Check the server."
        if isinstance(error, errors.ConnectionError | OSError):
            return f"the server cannot be reached ({said}). Check that it runs, and check host, port and network."
        return f"the server reports: {said}."

    def _plain(self, error: BaseException) -> str:
        """Message of a library in one line, without the credentials of the URL."""
        said = " ".join(str(error).split()) or type(error).__name__
        parts = urlsplit(self.address.url)
        secrets = {unquote(text) for text in (parts.username, parts.password) if text} | {
            text for text in (parts.username, parts.password) if text
        }
        secrets |= {value for name, value in parse_qsl(parts.query) if name in ("username", "password")}
        for secret in sorted(secrets, key=len, reverse=True):
            said = said.replace(secret, "***")
        return re.sub(r"://[^/@\s]*@", "://***@", said)[:300].rstrip(".")
