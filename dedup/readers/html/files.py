"""Reads HTML files: a file is a page, and its name is the id of the page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from ...config import Config
from ...schema import TIMESTAMP
from ..batches import Block, Reject
from ..log import FileLog
from ..source import Source, read_whole
from .page import BrokenPage, need_extractor, read_page


def read_html(source: Source, config: Config, log: FileLog) -> Iterator[Block]:
    """Read a file as one page.

    Raises
    ------
    InputError
        If the extra ``crawl`` is not installed.
    """
    need_extractor()
    limit = config.input.page_bytes
    try:
        data = read_whole(source, limit)
        if data is None:
            raise BrokenPage("too_large", f"more than {limit:,} bytes (input.page_bytes)")
        page = read_page(data, limit=limit)
    except BrokenPage as broken:
        yield Block(np.zeros(0, dtype=np.int64), {}, [Reject(0, broken.reason, broken.detail)])
        return
    values: dict[str, Any] = {"id": source.name, "text": page.text, "title": page.title}
    values |= {"source": page.source, "url": page.url, "author": page.author}
    parts = {part: pa.array([value], pa.large_string()) for part, value in values.items()}
    published: list[datetime | None] = [page.published]
    parts["published"] = pa.array(published, TIMESTAMP)
    yield Block(np.zeros(1, dtype=np.int64), parts, [], is_utf8=True)
