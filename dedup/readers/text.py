"""Plain text files -> blocks: a file is a page, its name is the page's id, it has no title."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from ..config import Config
from . import source as limits
from .log import FileLog
from .rows import Block, Reject
from .source import Source, read_whole


def read_text(source: Source, config: Config, log: FileLog) -> Iterator[Block]:
    """Read one page."""
    data = read_whole(source)
    if data is None:
        yield _rejected("too_large", f"a text of more than {limits.MAX_UNIT_BYTES >> 20} MB")
        return
    try:
        text = decode(data)
    except UnicodeDecodeError as error:
        yield _rejected("invalid_utf8", f"byte {error.start} is not UTF-8 (0x{data[error.start]:02x})")
        return
    parts = {"text": pa.array([text], pa.large_string()), "id": pa.array([source.name], pa.large_string())}
    yield Block(np.zeros(1, dtype=np.int64), parts, [], is_utf8=True)


def decode(data: bytes) -> str:
    """The text of some bytes. The one place to change when other encodings are to be read."""
    return data.removeprefix(b"\xef\xbb\xbf").decode()


def _rejected(reason: str, detail: str) -> Block:
    return Block(np.zeros(0, dtype=np.int64), {}, [Reject(0, reason, detail)])
