"""Reads plain text files of any encoding: a file is a page, its name the id of the page."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from ..config import Config
from . import source as limits
from .batches import Block, Reject
from .encodings import decode
from .log import FileLog
from .source import Source, read_whole
from .values import safe_text


def read_text(source: Source, config: Config, log: FileLog) -> Iterator[Block]:
    """Read a file as one page."""
    data = read_whole(source, limits.MAX_UNIT_BYTES)
    if data is None:
        yield _rejected("too_large", f"a text of more than {limits.MAX_UNIT_BYTES >> 20} MB")
        return
    decoded = decode(data)
    if decoded is None:
        yield _rejected("unknown_charset", f"no encoding makes words of it: {safe_text(data[:80].decode('latin-1'))}")
        return
    if decoded.encoding != "utf-8":
        log.warn("read as " + decoded.encoding)
    parts = {"text": pa.array([decoded.text], pa.large_string()), "id": pa.array([source.name], pa.large_string())}
    yield Block(np.zeros(1, dtype=np.int64), parts, [], is_utf8=True)


def _rejected(reason: str, detail: str) -> Block:
    return Block(np.zeros(0, dtype=np.int64), {}, [Reject(0, reason, detail)])
