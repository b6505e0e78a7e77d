"""Remote files and folders: object stores and other file systems, named by a URL; see ``locate``.

Paths are literal (``%20`` is no space). Messages never show options or credentials.
"""

from __future__ import annotations

import errno
import functools
import importlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..errors import DedupError

#: Pattern in a lower-case error message -> meaning and advice; the first match counts. The texts
#: are part of reject details in result tables, so they must not change.
_MEANINGS = (
    (r"no_such_bucket|nosuchbucket", "there is no such bucket. Check the spelling, and the endpoint if one is set"),
    (
        r"access_denied|accessdenied|invalid_access_key|invalidaccesskey|signature|http status 40[13]|forbidden|unauthorized|permission",
        "access is denied. Check the credentials (for S3: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE) and what they allow",
    ),
    (r"expired.?token|token.*expired", "the credentials have expired. Renew them and give the same command again"),
    (r"no_such_upload|nosuchupload", "an upload was cancelled by someone else. Give the same command again"),
    (r"slow_down|slowdown|throttl|http status 503", "the server says that it is asked too much. Give the same command again later"),
    (
        r"http status 301|permanent.?redirect|configured region|bucket is located",
        "the bucket is in another region. Name it with ?region=... or AWS_REGION",
    ),
    (
        r"curlcode: 28|timed? ?out|too slow|operation_aborted",
        "the server did not answer, or fell silent. Check the network, and AWS_ENDPOINT_URL if it is set",
    ),
    (
        r"curlcode: 18|partial file|connection.*(reset|closed|broken)|network_connection.*end of response",
        "the connection broke off. Give the same command again",
    ),
    (
        r"network_connection|curlcode|could not resolve|cannot connect|connect(ion)? (to|refused)|no response from",
        "the server cannot be reached. Check the network, and AWS_ENDPOINT_URL if it is set",
    ),
    (r"path does not exist|no such file|http status 404|not found", "there is no such file. Check the spelling"),
)
_PATTERNS = [(re.compile(pattern), meaning) for pattern, meaning in _MEANINGS]
#: Keys, tokens and signatures, which messages must not show.
_SECRETS = re.compile(r"(?i)(://)[^/@\s]*:[^/@\s]*@|([\w-]*(?:secret|token|key|sig|credential)[\w-]*=)[^&\s'\"]+")


def describe(error: BaseException) -> str:
    """Explain an error in a sentence or two, with the library's own message in brackets."""
    text = " ".join(str(error).split()) or type(error).__name__
    text = _SECRETS.sub(lambda found: (found[1] or found[2] or "") + "***", text)
    own = re.sub(r" ?\(Request ID:[^)]*\)", "", text)[:300].rstrip(".")
    for pattern, meaning in _PATTERNS:
        if pattern.search(text.lower()):
            return f"{meaning} ({own})."
    return f"{own}."


#: Timeouts in seconds for connecting and for a silent server, and attempts of a request. Nothing
#: waits for ever.
CONNECT, SILENCE, ATTEMPTS = 10.0, 30.0, 4
#: Bytes of one request, and so what is repeated when a connection breaks.
BLOCK = 8 << 20

_URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]+)://(?P<host>[^/?]*)(?P<path>.*?)(\?(?P<options>[\w.-]+=[^&?]*(&[\w.-]+=[^&?]*)*))?",
    re.IGNORECASE | re.DOTALL,
)
_ENVIRONMENT = ("AWS_", "GOOGLE_", "AZURE_")
_NATIVE = ("gs", "gcs", "abfs", "abfss", "hdfs", "viewfs")
_S3_FLAGS = ("anonymous", "allow_bucket_creation", "force_virtual_addressing")
_S3_OPTIONS = (*_S3_FLAGS, "region", "scheme", "endpoint_override", "tls_ca_file_path", "access_key", "secret_key", "session_token")


class RemoteError(DedupError):
    """A URL cannot be used. Callers turn this into an ``InputError`` or an ``OutputError``."""


@dataclass(frozen=True)
class RemotePath:
    """A remote file or folder, which may not exist.

    Attributes
    ----------
    files
        Its ``pyarrow.fs.FileSystem``.
    path
        Its path there.
    url
        Its name for messages, without credentials and options.
    size, changed
        Bytes, and nanoseconds since 1970; None unless it comes from a listing.
    is_folder
        Whether a listing shows it as a folder.
    """

    files: Any = field(repr=False)
    path: str
    url: str
    size: int | None = None
    changed: int | None = None
    is_folder: bool = False

    @property
    def name(self) -> str:
        """Last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def _is_in_bucket(self) -> bool:
        return self.files.type_name in ("s3", "gcs", "abfs")

    def __truediv__(self, name: str) -> RemotePath:
        slash = "" if self.path.endswith("/") else "/"
        return RemotePath(self.files, f"{self.path}{slash}{name}", f"{self.url.rstrip('/')}/{name}")

    def look(self) -> RemotePath | None:
        """Ask the server for size, time and kind; None if there is nothing at this path.

        Raises
        ------
        RemoteError
            If the request fails, or the bucket does not exist.
        """
        from pyarrow.fs import FileType

        info = self._ask(lambda: self.files.get_file_info(self.path))
        if info.type != FileType.NotFound:
            return self._seen(info, self.url)
        bucket = self.path.partition("/")[0]
        if self._is_in_bucket and self._ask(lambda: self.files.get_file_info(bucket)).type == FileType.NotFound:
            raise RemoteError(f"{self.url}: there is no bucket {bucket!r} there. Check the spelling, and the endpoint if one is set.")
        return None

    def list(self, *, recursive: bool = False) -> list[RemotePath]:
        """List the folder, sorted; empty if there is no such folder.

        Raises
        ------
        RemoteError
            If it cannot be listed.
        """
        from pyarrow.fs import FileSelector

        selector = FileSelector(self.path, recursive=recursive, allow_not_found=True)
        root = self.path.strip("/")
        found = []
        for info in self._ask(lambda: self.files.get_file_info(selector)):
            below = info.path.strip("/").removeprefix(root).strip("/")
            if below:
                found.append(self._seen(info, f"{self.url.rstrip('/')}/{below}"))
        return sorted(found, key=lambda item: item.path.split("/"))

    def below(self, root: RemotePath) -> str:
        """Return the path relative to a folder."""
        return self.path.strip("/").removeprefix(root.path.strip("/")).strip("/")

    def open(self) -> Any:
        """Open the file for random access, as a ``pyarrow.NativeFile``."""
        return self.files.open_input_file(self.path)

    def stream(self) -> Stream:
        """Open the file for reading sequentially."""
        return Stream(self)

    def put(self, content: Any) -> None:
        """Upload an open local file."""
        if not self._is_in_bucket and "/" in self.path.strip("/"):  # buckets have no folders
            self.files.create_dir(self.path.rpartition("/")[0], recursive=True)
        with self.files.open_output_stream(self.path, compression=None) as file:
            while piece := content.read(BLOCK):
                file.write(piece)

    def delete(self) -> None:
        """Delete a file."""
        self.files.delete_file(self.path)

    def _seen(self, info: Any, url: str) -> RemotePath:
        from pyarrow.fs import FileType

        is_folder = info.type == FileType.Directory
        return RemotePath(self.files, info.path, url, None if is_folder else info.size, info.mtime_ns, is_folder)

    def _ask(self, action: Any) -> Any:
        """Call the file system; its errors become a ``RemoteError``."""
        try:
            return action()
        except (OSError, ValueError) as error:
            raise RemoteError(f"{self.url}: {describe(error)}") from error


class Stream:
    """Reads a remote file in blocks; a premature end or a change of the file is an ``OSError``."""

    def __init__(self, source: RemotePath) -> None:
        self._source = source
        try:
            self._file = source.open()
            self._size: int = self._file.size()
        except OSError as error:
            raise OSError(error.errno or errno.EIO, describe(error)) from error
        self._at = 0  # end of the buffered bytes
        self._buffer = memoryview(b"")
        self.etag = etag_of(self._file)

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def closed(self) -> bool:
        """Whether the file is closed."""
        return bool(self._file.closed)

    def read(self, size: int = -1) -> bytes:
        """Read at most ``size`` bytes; none at the end."""
        if not self._buffer and self._at < self._size:
            try:
                self._fill()
            except OSError as error:
                raise OSError(errno.EIO, describe(error)) from error
        piece = self._buffer if size < 0 else self._buffer[:size]
        self._buffer = self._buffer[len(piece) :]
        return bytes(piece)

    def _fill(self) -> None:
        wanted = min(BLOCK, self._size - self._at)
        block = self._file.read_at(wanted, self._at)
        if len(block) < wanted:
            raise OSError(f"it ended after {self._at + len(block):,} of {self._size:,} bytes")
        self._at += wanted
        self._buffer = memoryview(block)
        if self._at == self._size > BLOCK and self.etag is not None:
            with self._source.open() as now:
                if etag_of(now) != self.etag:
                    raise OSError("it was changed while it was read")


def etag_of(file: Any) -> str | None:
    """Return the ETag of an open file; None if its file system has none."""
    try:
        value = (file.metadata() or {}).get("ETag")
    except (OSError, ValueError, NotImplementedError):
        return None
    text = value.decode() if isinstance(value, bytes) else value
    return text.strip('"') if text else None


def is_url(name: str | os.PathLike[str]) -> bool:
    """Return whether a name is that of a remote file; ``file://`` is local."""
    found = _URL.fullmatch(os.fspath(name))
    return found is not None and found["scheme"].lower() != "file"


def without_scheme(name: str) -> str:
    """Turn ``file:///data`` into ``/data``; anything else stays as it is."""
    return "/" + name.partition("://")[2].lstrip("/") if name.lower().startswith("file:///") else name


def display_url(name: str | os.PathLike[str]) -> str:
    """Return a name that is safe to show: a URL without credentials and options."""
    found = _URL.fullmatch(os.fspath(name))
    return os.fspath(name) if found is None else f"{found['scheme']}://{_without_password(found['host'])}{found['path']}"


def locate(url: str | os.PathLike[str]) -> RemotePath:
    """Parse a URL, without asking the server whether the file exists.

    pyarrow handles ``s3``, ``gs``, ``abfs`` and ``hdfs``; all other schemes go through fsspec
    (extra ``remote``). Both take credentials from their usual places. What follows the last ``?``
    are options if it has the form ``name=value&...``; otherwise ``?`` is a wildcard.

    Raises
    ------
    RemoteError
        If the scheme or an option is unknown, or a package is missing.
    """
    found = _URL.fullmatch(os.fspath(url))
    if found is None:
        raise RemoteError(f"{url}: is not a URL.")
    scheme, host, path = found["scheme"].lower(), found["host"], found["path"].strip("/")
    display_url = f"{scheme}://{_without_password(host)}" + (f"/{path}" if path else "")
    if not host and scheme in ("s3", "gs", "gcs"):
        raise RemoteError(f"{display_url}: names no bucket. Write {scheme}://bucket/folder.")
    environment = tuple(sorted(item for item in os.environ.items() if item[0].startswith(_ENVIRONMENT)))
    # The query of a web address belongs to it (a signature, say), although it is never shown.
    options, query = (
        (found["options"] or "", "") if scheme not in ("http", "https") else ("", f"?{found['options']}" * bool(found["options"]))
    )
    try:
        files, root = _connect(scheme, host, options, (CONNECT, SILENCE, ATTEMPTS, *environment))
    except (OSError, ValueError, TypeError) as error:
        raise RemoteError(f"{display_url}: {describe(error)}") from error
    joined = f"{root.rstrip('/')}/{path}" if path else root
    return RemotePath(files, joined + query, display_url)


@functools.lru_cache(maxsize=64)
def _connect(scheme: str, host: str, options: str, _environment: tuple[Any, ...]) -> tuple[Any, str]:
    """File system of a URL, and the root of its paths there; cached for all files of a bucket."""
    from pyarrow.fs import FileSystem

    if scheme == "s3":
        return _s3(host, options), host.rpartition("@")[2]
    if scheme in _NATIVE:
        if scheme in ("gs", "gcs") and "retry_limit_seconds" not in options:
            options += "&" * bool(options) + f"retry_limit_seconds={SILENCE * ATTEMPTS:g}"
        files, root = FileSystem.from_uri(f"{scheme}://{host}/" + (f"?{options}" if options else ""))
        return files, root
    return _fsspec(scheme, host, options)


def _s3(host: str, options: str) -> Any:
    """S3 with timeouts: ``FileSystem.from_uri`` would wait for a silent server for ever."""
    from pyarrow.fs import AwsStandardS3RetryStrategy, S3FileSystem, resolve_s3_region

    given: dict[str, Any] = dict(option.split("=", 1) for option in options.split("&") if option)
    if unknown := sorted(given.keys() - set(_S3_OPTIONS)):
        raise ValueError(f"the option {unknown[0]!r} is unknown, known are {', '.join(_S3_OPTIONS)}")
    for name in _S3_FLAGS:
        if name in given:
            given[name] = given[name].lower() in ("true", "1")
    keys, _, bucket = host.rpartition("@")
    if keys:
        given["access_key"], _, given["secret_key"] = keys.partition(":")
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        given.setdefault("endpoint_override", endpoint)
    if "region" not in given and not os.environ.get("AWS_DEFAULT_REGION"):
        if os.environ.get("AWS_REGION"):
            given["region"] = os.environ["AWS_REGION"]
        elif "endpoint_override" not in given:
            given["region"] = resolve_s3_region(bucket)
    retry = AwsStandardS3RetryStrategy(max_attempts=ATTEMPTS)
    return S3FileSystem(connect_timeout=CONNECT, request_timeout=SILENCE, retry_strategy=retry, **given)


def _fsspec(scheme: str, host: str, options: str) -> tuple[Any, str]:
    from pyarrow.fs import FSSpecHandler, PyFileSystem

    try:
        fsspec = importlib.import_module("fsspec")
        files, root = fsspec.core.url_to_fs(f"{scheme}://{host}/" + (f"?{options}" if options else ""))
    except ImportError as error:
        missing = "" if error.name in (None, "fsspec") else f" ({error.name} is missing)"
        message = f"{scheme}:// needs the package fsspec, with what it takes for this scheme{missing}. Install it with: "
        raise ValueError(message + "pip install 'dedup-news[remote]'") from None
    return PyFileSystem(FSSpecHandler(files)), root


def _without_password(host: str) -> str:
    user, at, rest = host.rpartition("@")
    return rest if ":" in user else f"{user}{at}{rest}"


def walk(folder: RemotePath) -> Iterator[RemotePath]:
    """Return every file below a folder, including hidden ones."""
    return (item for item in folder.list(recursive=True) if not item.is_folder)
