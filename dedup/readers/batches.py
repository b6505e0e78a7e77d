"""Rows as a reader found them -> a batch of pages and rejects.

A reader gives blocks: one array per part, the position of each row, and what it could not read. Here values
get their types, titles their single spaces, empty values their null, and pages their id. A row with neither text
nor title is rejected. Blocks are cut to the configured number of rows; how they are cut changes no row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from ..schema import PAGES, REJECTS
from .dates import parse_dates
from .encodings import find_mojibake
from .html.column import or_else, read_html_column
from .html.page import MAX_PAGE_BYTES
from .log import FileLog
from .values import (
    as_text,
    has_surrogates,
    is_plain,
    is_string_type,
    names_text,
    plain_column,
    safe_text,
    text_column,
    utf8_problem,
    without_surrogates,
)

#: A batch holds at most about this many bytes.
BATCH_BYTES = 64 << 20

#: Rows of a batch that are looked at for markup.
SAMPLE = 20
_MARKUP = r"</(?:p|div|span|a|h[1-6]|li)\s*>|<br\s*/?>"
_SPACES = r"[\s\p{Z}\x{0b}\x{1c}-\x{1f}\x{85}]+"
_STRINGS = ("id", "title", "text", "source", "url", "author")


class PageBatch(NamedTuple):
    """What readers give to the pipeline."""

    pages: pa.RecordBatch
    rejects: pa.RecordBatch


class Reject(NamedTuple):
    """A unit of the input that could not be read; ``row`` is None if it is the file itself."""

    row: int | None
    reason: str
    detail: str


class Block(NamedTuple):
    """Rows as a reader found them.

    ``parts`` holds an Arrow array (or, for dates of mixed types, a list) for each part that the input has.
    """

    rows: npt.NDArray[np.int64]
    parts: dict[str, Any]
    rejects: list[Reject]
    is_utf8: bool = False  # strings made from Python strings need no check


class BlockBuilder:
    """Collects rows of Python values until there are enough for a block.

    Parameters
    ----------
    parts : the parts whose values ``add`` gets, in this order
    """

    def __init__(self, parts: Sequence[str], *, max_rows: int, log: FileLog) -> None:
        self.parts = list(parts)
        self._max_rows = max_rows
        self._log = log
        self._text_at = self.parts.index("text") if "text" in self.parts else None
        self._start()

    def _start(self) -> None:
        self._rows: list[int] = []
        self._values: list[Sequence[Any]] = []
        self._rejects: list[Reject] = []
        self._bytes = 0

    def add(self, row: int, values: Sequence[Any], size: int) -> None:
        """Add one row; ``size`` is about its bytes. A text that is a list or an object is rejected."""
        if self._text_at is not None and not is_plain(text := values[self._text_at]):
            detail = f"the text is a {type(text).__name__}, but must be a string: {safe_text(repr(text))}"
            self.reject(Reject(row, "bad_value", detail))
            return
        self._rows.append(row)
        self._values.append(values)
        self._bytes += size

    def reject(self, reject: Reject) -> None:
        """Add a row that could not be read."""
        self._rejects.append(reject)

    @property
    def full(self) -> bool:
        """Whether ``take`` is due."""
        return len(self._rows) + len(self._rejects) >= self._max_rows or self._bytes >= BATCH_BYTES

    def take(self) -> Iterator[Block]:
        """Give what was collected, if anything, and start anew."""
        if self._rows or self._rejects:
            columns = zip(*self._values, strict=True) if self._values else [()] * len(self.parts)
            parts = {part: self._column(part, list(values)) for part, values in zip(self.parts, columns, strict=False)}
            yield Block(np.array(self._rows, dtype=np.int64), parts, self._rejects, is_utf8=True)
            self._start()

    def _column(self, part: str, values: list[Any]) -> Any:
        if part == "published" and not all(value is None or isinstance(value, str) for value in values):
            return values
        try:
            return pa.array(values, pa.large_string())
        except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError):
            return self._mixed_column(part, values)

    def _mixed_column(self, part: str, values: list[Any]) -> Any:
        """A column with numbers, lists or half surrogates in it."""
        read = names_text if part == "author" else as_text
        texts = [read(value) for value in values]
        lost = sum(text is None and not is_plain(value) for text, value in zip(texts, values, strict=True))
        self._log.note(f"{{n}} value for {part} is a list or an object and is left empty",
                       f"{{n}} values for {part} are lists or objects and are left empty", count=lost)  # fmt: skip
        if has_surrogates(texts):
            whole = [None if text is None else without_surrogates(text) for text in texts]
            changed = sum(a != b for a, b in zip(texts, whole, strict=True))
            self._log.note("{n} value had half of a surrogate pair, replaced by U+FFFD",
                           "{n} values had half of a surrogate pair, replaced by U+FFFD", count=changed)  # fmt: skip
            texts = whole
        return pa.array(texts, pa.large_string())


def to_batches(block: Block, *, max_rows: int, log: FileLog, page_bytes: int = MAX_PAGE_BYTES) -> Iterator[PageBatch]:
    """Turn a block into batches of at most ``max_rows`` pages and about ``BATCH_BYTES`` bytes."""
    for piece in _cut(block, max_rows):
        yield _to_batch(piece, log, page_bytes)


def reject_batch(file: str, rejects: Sequence[Reject], pages: Any = None) -> PageBatch:
    """A batch with these rejects, and with ``pages`` if given."""
    rows = [{"input_file": file, "input_row": row, "reason": reason, "detail": detail} for row, reason, detail in rejects]
    pages = pa.RecordBatch.from_pylist([], schema=PAGES) if pages is None else pages
    return PageBatch(pages, pa.RecordBatch.from_pylist(rows, schema=REJECTS))


def _cut(block: Block, max_rows: int) -> Iterator[Block]:
    """Pieces of a block that are small enough, in order."""
    waiting = [block]
    while waiting:
        block = waiting.pop()
        count = len(block.rows)
        if count <= max_rows and (count < 2 or _bytes(block) <= BATCH_BYTES):
            yield block
            continue
        at = max_rows if count > max_rows else count // 2
        boundary = int(block.rows[at])
        early = [reject for reject in block.rejects if reject.row is not None and reject.row < boundary]
        late = [reject for reject in block.rejects if reject.row is None or reject.row >= boundary]
        for place, rejects in ((slice(at, None), late), (slice(at), early)):
            parts = {part: column[place] for part, column in block.parts.items()}
            waiting.append(block._replace(rows=block.rows[place], parts=parts, rejects=rejects))


def _bytes(block: Block) -> int:
    # A slice of a dictionary column counts its whole dictionary, so cutting would not make it smaller.
    columns = [column for column in block.parts.values() if not isinstance(column, list) and not pt.is_dictionary(column.type)]
    return sum(column.nbytes for column in columns)


def _to_batch(block: Block, log: FileLog, page_bytes: int) -> PageBatch:
    count = len(block.rows)
    rejects = list(block.rejects)
    keep = np.ones(count, dtype=np.bool_)
    columns = {part: _strings(block.parts.get(part), count) for part in _STRINGS}
    dates = block.parts.get("published")
    if dates is not None and not isinstance(dates, list) and is_string_type(plain_column(dates).type):
        columns["published"] = _strings(dates, count)
    if not block.is_utf8:
        columns = {part: _only_utf8(part, column, block.rows, keep, rejects) for part, column in columns.items()}

    from_html = None
    if "html" in block.parts and not pt.is_null(block.parts["html"].type):
        given = columns["text"]
        read = read_html_column(block.parts["html"], columns["url"], columns["title"], limit=page_bytes)
        columns |= {part: or_else(columns[part], read.parts[part]) for part in ("text", "title", "source", "url", "author")}
        from_html = read.parts["published"]
        for at, broken in read.broken.items():
            if keep[at] and not given[at].is_valid:
                rejects.append(Reject(int(block.rows[at]), broken.reason, broken.detail))
                keep[at] = False

    text = columns["text"]
    if "html" not in block.parts:
        _tell_markup(text, log)
    blank = _blank(text)
    if pc.sum(blank).as_py() != text.null_count:  # else spare a copy of all texts
        text = pc.if_else(blank, pa.scalar(None, text.type), text)
    title = _one_line(columns["title"])
    no_text = text.is_null().to_numpy(zero_copy_only=False)
    empty = keep & no_text & title.is_null().to_numpy(zero_copy_only=False)
    rejects += [Reject(int(row), "empty_page", "neither text nor title") for row in block.rows[empty]]
    keep &= ~empty
    garbled = find_mojibake(text)
    if text.null_count:
        headlines = np.flatnonzero(no_text)
        garbled |= {int(headlines[at]): wrong for at, wrong in find_mojibake(title.take(headlines)).items()}
    for at, wrong in garbled.items():
        if keep[at]:
            example = safe_text((text[at].as_py() or title[at].as_py())[:80])
            rejects.append(Reject(int(block.rows[at]), "mojibake", f"{wrong}: {example}"))
            keep[at] = False
    if block.parts.keys() & {"text", "html"}:
        log.note("{n} row has no text", "{n} rows have no text", count=int((keep & no_text).sum()))

    published = _published(columns.get("published", dates), block.rows, keep, log)
    if from_html is not None:
        published = pc.coalesce(published, from_html)
    rows = pa.array(block.rows)
    made_ids = pc.binary_join_element_wise(
        pa.scalar(log.file, pa.large_string()), rows.cast(pa.large_string()), pa.scalar(":", pa.large_string())
    )
    page_id = columns["id"]
    page_id = pc.if_else(_blank(page_id), made_ids, page_id)
    found = {
        "page_id": page_id, "title": title, "text": text, "published": published, "source": _trimmed(columns["source"]),
        "url": _trimmed(columns["url"]), "author": _trimmed(columns["author"]),
        "input_file": pa.repeat(log.file, count), "input_row": rows,
    }  # fmt: skip
    pages = pa.RecordBatch.from_arrays([found[field.name].cast(field.type) for field in PAGES], schema=PAGES)
    if not keep.all():
        pages = pages.filter(pa.array(keep))
    rejects.sort(key=lambda reject: (reject.row is None, reject.row))
    return reject_batch(log.file, rejects, pages)


def _strings(column: Any, count: int) -> Any:
    """Any usable column as large_string."""
    if column is None:
        return pa.nulls(count, pa.large_string())
    return text_column(column)


def _only_utf8(part: str, column: Any, rows: npt.NDArray[np.int64], keep: npt.NDArray[np.bool_], rejects: list[Reject]) -> Any:
    """Reject rows whose bytes are not UTF-8 (Arrow files promise it, but nobody checks)."""
    try:
        column.validate(full=True)
        return column
    except pa.ArrowInvalid:
        values: list[str | None] = []
        for i, data in enumerate(column.cast(pa.large_binary()).to_pylist()):
            try:
                values.append(None if data is None else data.decode())
            except UnicodeDecodeError as error:
                if keep[i]:
                    rejects.append(Reject(int(rows[i]), "invalid_utf8", f"{part}: {utf8_problem(error)}"))
                keep[i] = False
                values.append(None)
        return pa.array(values, pa.large_string())


def _published(column: Any, rows: npt.NDArray[np.int64], keep: npt.NDArray[np.bool_], log: FileLog) -> Any:
    if column is None:
        return pa.nulls(len(rows), PAGES.field("published").type)
    dates, bad = parse_dates(column)
    bad &= keep
    if bad.any():
        first = int(np.argmax(bad))
        value = column[first] if isinstance(column, list) else column[first].as_py()
        example = f'row {rows[first]}, "{safe_text(str(value), 40)}"'
        log.note("{n} date could not be parsed and is left empty", "{n} dates could not be parsed and are left empty",
                 count=int(bad.sum()), example=example)  # fmt: skip
    return dates


def _tell_markup(text: Any, log: FileLog) -> None:
    """Warn of a column that is taken for text and holds HTML: its tags would become words."""
    name = (log.columns or {}).get("text")
    sample = text.slice(0, SAMPLE).drop_null()
    if name and len(sample) and pc.mean(pc.match_substring_regex(sample, _MARKUP)).as_py() > 0.5:
        log.note(f'column "{safe_text(name)}" holds HTML and is read as plain text; name it with --input.html {safe_text(name)}')


def _blank(column: Any) -> Any:
    """True where there is nothing but white space, or nothing."""
    return pc.fill_null(pc.or_(pc.equal(pc.binary_length(column), 0), pc.utf8_is_space(column)), True)


def _trimmed(column: Any) -> Any:
    column = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.equal(pc.binary_length(column), 0), pa.scalar(None, column.type), column)


def _one_line(column: Any) -> Any:
    return _trimmed(pc.replace_substring_regex(column, _SPACES, " "))


Place = TypeVar("Place")


def joined(batches: Iterable[tuple[PageBatch, Place]], rows: int) -> Iterator[tuple[PageBatch, Place]]:
    """Join batches that follow each other while they hold no more than ``rows`` pages and rejects, nor too many bytes.

    Parameters
    ----------
    batches : each with the place behind it

    Returns
    -------
    the same pages and rejects in the same order, each batch with the place behind the last one in it
    """
    waiting: list[tuple[PageBatch, Place]] = []
    held = size = 0
    for batch, place in batches:
        own, own_size = batch.pages.num_rows + batch.rejects.num_rows, batch.pages.nbytes
        if waiting and (held + own > rows or size + own_size > BATCH_BYTES):
            yield _one(waiting)
            waiting, held, size = [], 0, 0
        waiting.append((batch, place))
        held, size = held + own, size + own_size
    if waiting:
        yield _one(waiting)


def _one(waiting: list[tuple[PageBatch, Place]]) -> tuple[PageBatch, Place]:
    if len(waiting) == 1:
        return waiting[0]
    parts = [batch for batch, _ in waiting]
    return PageBatch(_together([part.pages for part in parts], PAGES), _together([part.rejects for part in parts], REJECTS)), waiting[-1][1]


def _together(parts: list[Any], schema: Any) -> Any:
    table = pa.Table.from_batches([part for part in parts if part.num_rows], schema=schema).combine_chunks()
    return table.to_batches()[0] if table.num_rows else parts[0].slice(0, 0)
