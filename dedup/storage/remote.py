"""Files and folders that are elsewhere: object stores and other file systems, named by a URL.

pyarrow speaks ``s3``, ``gs``, ``abfs`` and ``hdfs`` by itself; every other scheme goes through fsspec (extra ``remote``). Credentials
are taken from where these libraries take them. A path is meant as it is written: ``%20`` is no blank. What follows the last ``?`` is
options if it reads ``name=value&...``, else ``?`` stands for any character; neither options nor credentials are ever shown.

Nothing waits for ever: a server that falls silent is given up after ``SILENCE`` seconds and ``ATTEMPTS`` tries, and a file that ends
before its size is an error, not an end.
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

#: What is found in a message (in lower case) -> what it means and what to do; the first that fits.
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
#: Keys, tokens and signatures do not belong into a message.
_SECRETS = re.compile(r"(?i)(://)[^/@\s]*:[^/@\s]*@|([\w-]*(?:secret|token|key|sig|credential)[\w-]*=)[^&\s'\"]+")


def describe(error: BaseException) -> str:
    """An error in a sentence or two; the library's own words stand in brackets where they say more."""
    text = " ".join(str(error).split()) or type(error).__name__
    text = _SECRETS.sub(lambda found: (found[1] or found[2] or "") + "***", text)
    own = re.sub(r" ?\(Request ID:[^)]*\)", "", text)[:300].rstrip(".")
    for pattern, meaning in _PATTERNS:
        if pattern.search(text.lower()):
            return f"{meaning} ({own})."
    return f"{own}."


#: Seconds until a server that does not answer, or falls silent, is given up; and how often a request is tried.
CONNECT, SILENCE, ATTEMPTS = 10.0, 30.0, 4
#: Bytes asked for at a time: each is a request of its own, and what is tried again when a connection breaks.
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
    """A URL cannot be used; the message says why and what to do. Callers turn it into an error of an input or an output."""


@dataclass(frozen=True)
class RemotePath:
    """A file or folder elsewhere, or the name of one.

    Attributes
    ----------
    files : the ``pyarrow.fs.FileSystem`` that it is on
    path : where it is there
    url : what it is called, without credentials and options
    size, changed : bytes and nanoseconds since 1970, where a listing told them
    is_folder : what a listing told
    """

    files: Any = field(repr=False)
    path: str
    url: str
    size: int | None = None
    changed: int | None = None
    is_folder: bool = False

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def _is_in_bucket(self) -> bool:
        return self.files.type_name in ("s3", "gcs", "abfs")

    def __truediv__(self, name: str) -> RemotePath:
        slash = "" if self.path.endswith("/") else "/"
        return RemotePath(self.files, f"{self.path}{slash}{name}", f"{self.url.rstrip('/')}/{name}")

    def look(self) -> RemotePath | None:
        """The same with what can be seen of it; None if there is nothing.

        Raises
        ------
        RemoteError
            If it cannot be looked at, or the bucket does not exist.
        """
        from pyarrow.fs import FileType

        info = self._told(lambda: self.files.get_file_info(self.path))
        if info.type != FileType.NotFound:
            return self._seen(info, self.url)
        bucket = self.path.partition("/")[0]
        if self._is_in_bucket and self._told(lambda: self.files.get_file_info(bucket)).type == FileType.NotFound:
            raise RemoteError(f"{self.url}: there is no bucket {bucket!r} there. Check the spelling, and the endpoint if one is set.")
        return None

    def list(self, *, recursive: bool = False) -> list[RemotePath]:
        """What is in the folder, sorted; nothing if there is no such folder.

        Raises
        ------
        RemoteError
            If it cannot be listed.
        """
        from pyarrow.fs import FileSelector

        selector = FileSelector(self.path, recursive=recursive, allow_not_found=True)
        root = self.path.strip("/")
        found = []
        for info in self._told(lambda: self.files.get_file_info(selector)):
            below = info.path.strip("/").removeprefix(root).strip("/")
            if below:
                found.append(self._seen(info, f"{self.url.rstrip('/')}/{below}"))
        return sorted(found, key=lambda item: item.path.split("/"))

    def below(self, root: RemotePath) -> str:
        """The path of this within a folder."""
        return self.path.strip("/").removeprefix(root.path.strip("/")).strip("/")

    def open(self) -> Any:
        """The file for reading at random, a ``pyarrow.NativeFile``."""
        return self.files.open_input_file(self.path)

    def stream(self) -> Stream:
        """The file for reading from its begin to its end."""
        return Stream(self)

    def put(self, content: Any) -> None:
        """Write a file from an open local one."""
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

    def _told(self, action: Any) -> Any:
        try:
            return action()
        except (OSError, ValueError) as error:
            raise RemoteError(f"{self.url}: {describe(error)}") from error


class Stream:
    """A remote file from its begin to its end, read in blocks; notices an end that comes too early, and a change of the file."""

    def __init__(self, source: RemotePath) -> None:
        self._source = source
        try:
            self._file = source.open()
            self._size: int = self._file.size()
        except OSError as error:
            raise OSError(error.errno or errno.EIO, describe(error)) from error
        self._at = 0  # behind the bytes that are held
        self._held = memoryview(b"")
        self.etag = etag_of(self._file)

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return bool(self._file.closed)

    def read(self, size: int = -1) -> bytes:
        """Some bytes, at most ``size``; none at the end."""
        if not self._held and self._at < self._size:
            try:
                self._fill()
            except OSError as error:
                raise OSError(errno.EIO, describe(error)) from error
        piece = self._held if size < 0 else self._held[:size]
        self._held = self._held[len(piece) :]
        return bytes(piece)

    def _fill(self) -> None:
        wanted = min(BLOCK, self._size - self._at)
        block = self._file.read_at(wanted, self._at)
        if len(block) < wanted:
            raise OSError(f"it ended after {self._at + len(block):,} of {self._size:,} bytes")
        self._at += wanted
        self._held = memoryview(block)
        if self._at == self._size > BLOCK and self.etag is not None:
            with self._source.open() as now:
                if etag_of(now) != self.etag:
                    raise OSError("it was changed while it was read")


def etag_of(file: Any) -> str | None:
    """What an object store calls the content of an open file; None where it has no such name."""
    try:
        value = (file.metadata() or {}).get("ETag")
    except (OSError, ValueError, NotImplementedError):
        return None
    text = value.decode() if isinstance(value, bytes) else value
    return text.strip('"') if text else None


def is_url(name: str | os.PathLike[str]) -> bool:
    """Whether this names something elsewhere; ``file://`` does not."""
    found = _URL.fullmatch(os.fspath(name))
    return found is not None and found["scheme"].lower() != "file"


def without_scheme(name: str) -> str:
    """``/data`` of ``file:///data``; anything else as it is."""
    return "/" + name.partition("://")[2].lstrip("/") if name.lower().startswith("file:///") else name


def display_url(name: str | os.PathLike[str]) -> str:
    """A path as it is; a URL without credentials and options."""
    found = _URL.fullmatch(os.fspath(name))
    return os.fspath(name) if found is None else f"{found['scheme']}://{_without_password(found['host'])}{found['path']}"


def locate(url: str | os.PathLike[str]) -> RemotePath:
    """What a URL names; the server is not asked whether it is there.

    Raises
    ------
    RemoteError
        If the scheme or an option is unknown, or a package is missing.
    """
    found = _URL.fullmatch(os.fspath(url))
    if found is None:
        raise RemoteError(f"{url}: is no URL.")
    scheme, host, path = found["scheme"].lower(), found["host"], found["path"].strip("/")
    display_url = f"{scheme}://{_without_password(host)}" + (f"/{path}" if path else "")
    if not host and scheme in ("s3", "gs", "gcs"):
        raise RemoteError(f"{display_url}: names no bucket. Write {scheme}://bucket/folder.")
    environment = tuple(sorted(item for item in os.environ.items() if item[0].startswith(_ENVIRONMENT)))
    # What stands behind the path of a web address is part of it (a signature, say), though it is not shown.
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
    """The file system behind a URL, and the root of the URL's paths there; one for all files of a bucket."""
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
    """``FileSystem.from_uri`` would do, but knows no limits of time: with it, a silent server is waited for without end."""
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
    """Every file below a folder, hidden ones too."""
    return (item for item in folder.list(recursive=True) if not item.is_folder)
