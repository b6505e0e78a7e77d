"""Turns the blocks of a reader into batches of pages and rejects, in the types of ``schema.PAGES``.

A row with neither text nor title is rejected, and so is one whose text is mojibake. Large blocks
are split; where they are split changes no row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from ..config import Config
from ..schema import PAGES, REJECTS
from .dates import parse_dates
from .encodings import find_mojibake
from .html.column import or_else, read_html_column
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

#: Most bytes of a batch, about.
BATCH_BYTES = 64 << 20

#: Rows at the start of a batch that are searched for markup.
_MARKUP_SAMPLE = 20
_MARKUP = r"</(?:p|div|span|a|h[1-6]|li)\s*>|<br\s*/?>"
_SPACES = r"[\s\p{Z}\x{0b}\x{1c}-\x{1f}\x{85}]+"
_TEXT_PARTS = ("id", "title", "text", "source", "url", "author")


class PageBatch(NamedTuple):
    """What readers return: record batches of ``schema.PAGES`` and ``schema.REJECTS``."""

    pages: pa.RecordBatch
    rejects: pa.RecordBatch


class Reject(NamedTuple):
    """An input unit that could not be read; ``row`` is None if it is the whole file.

    ``reason`` is a key of ``reasons.REJECT_REASONS``.
    """

    row: int | None
    reason: str
    detail: str


class Block(NamedTuple):
    """Rows as a reader found them.

    Attributes
    ----------
    rows : int64[n], the position of each row in the input
    parts : part -> Arrow array of n values, or a list of them for dates of mixed types; only parts
        that the input has
    rejects : units of the same stretch of the input that could not be read
    is_utf8 : the strings were made from Python strings and need no check
    """

    rows: npt.NDArray[np.int64]
    parts: dict[str, Any]
    rejects: list[Reject]
    is_utf8: bool = False


class BlockBuilder:
    """Collects rows of Python values until there are enough for a block.

    Parameters
    ----------
    parts : the parts whose values ``add`` takes, in this order
    """

    def __init__(self, parts: Sequence[str], *, max_rows: int, log: FileLog) -> None:
        self.parts = list(parts)
        self._max_rows = max_rows
        self._log = log
        self._text_at = self.parts.index("text") if "text" in self.parts else None
        self._clear()

    def _clear(self) -> None:
        self._rows: list[int] = []
        self._values: list[Sequence[Any]] = []
        self._rejects: list[Reject] = []
        self._bytes = 0

    def add(self, row: int, values: Sequence[Any], size: int) -> None:
        """Add a row of about ``size`` bytes, or reject it if its text is a list or an object."""
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
    def is_full(self) -> bool:
        """Whether it is time to call ``take``."""
        return len(self._rows) + len(self._rejects) >= self._max_rows or self._bytes >= BATCH_BYTES

    def take(self) -> Iterator[Block]:
        """The rows collected since the last call as one block, or nothing if there are none."""
        if self._rows or self._rejects:
            columns = zip(*self._values, strict=True) if self._values else [()] * len(self.parts)
            parts = {part: self._column(part, list(values)) for part, values in zip(self.parts, columns, strict=False)}
            yield Block(np.array(self._rows, dtype=np.int64), parts, self._rejects, is_utf8=True)
            self._clear()

    def _column(self, part: str, values: list[Any]) -> Any:
        if part == "published" and not all(value is None or isinstance(value, str) for value in values):
            return values
        try:
            return pa.array(values, pa.large_string())
        except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError):
            return self._mixed_column(part, values)

    def _mixed_column(self, part: str, values: list[Any]) -> Any:
        """A column in which some values are numbers or lists, or have half of a surrogate pair."""
        to_text = names_text if part == "author" else as_text
        texts = [to_text(value) for value in values]
        lost = sum(text is None and not is_plain(value) for text, value in zip(texts, values, strict=True))
        self._log.warn(f"{{n}} value for {part} is a list or an object and is left empty",
                       f"{{n}} values for {part} are lists or objects and are left empty", count=lost)  # fmt: skip
        if has_surrogates(texts):
            whole = [None if text is None else without_surrogates(text) for text in texts]
            changed = sum(a != b for a, b in zip(texts, whole, strict=True))
            self._log.warn("{n} value had half of a surrogate pair, replaced by U+FFFD",
                           "{n} values had half of a surrogate pair, replaced by U+FFFD", count=changed)  # fmt: skip
            texts = whole
        return pa.array(texts, pa.large_string())


def to_batches(block: Block, config: Config, log: FileLog) -> Iterator[PageBatch]:
    """Convert a block into batches, and count their rows in the log.

    A batch has at most ``run.batch_rows`` pages and about ``BATCH_BYTES`` bytes.
    """
    for piece in _split(block, config.run.batch_rows):
        batch = _to_batch(piece, log, config.input.page_bytes)
        log.count_rows(batch.pages.num_rows, batch.rejects.num_rows)
        yield batch


def _split(block: Block, max_rows: int) -> Iterator[Block]:
    """Pieces of a block that are small enough, in order."""
    waiting = [block]
    while waiting:
        block = waiting.pop()
        count = len(block.rows)
        if count <= max_rows and (count < 2 or _bytes_of(block) <= BATCH_BYTES):
            yield block
            continue
        at = max_rows if count > max_rows else count // 2
        boundary = int(block.rows[at])
        early = [reject for reject in block.rejects if reject.row is not None and reject.row < boundary]
        late = [reject for reject in block.rejects if reject.row is None or reject.row >= boundary]
        for half, rejects in ((slice(at, None), late), (slice(at), early)):
            parts = {part: column[half] for part, column in block.parts.items()}
            waiting.append(block._replace(rows=block.rows[half], parts=parts, rejects=rejects))


def _bytes_of(block: Block) -> int:
    # A slice of a dictionary column counts its whole dictionary, so splitting would not make it
    # smaller.
    columns = [column for column in block.parts.values() if not isinstance(column, list) and not pt.is_dictionary(column.type)]
    return sum(column.nbytes for column in columns)


class _KeptRows:
    """The rows of a block that become pages, and the rejects; the first reason counts."""

    def __init__(self, block: Block) -> None:
        self._positions = block.rows
        self.mask = np.ones(len(block.rows), dtype=np.bool_)
        self.rejects = list(block.rejects)

    def reject(self, row: int, reason: str, detail: str) -> None:
        if self.mask[row]:
            self.mask[row] = False
            self.rejects.append(Reject(int(self._positions[row]), reason, detail))


def _to_batch(block: Block, log: FileLog, page_bytes: int) -> PageBatch:
    kept = _KeptRows(block)
    dates = block.parts.get("published")
    texts = [*_TEXT_PARTS, "published"] if _is_text(dates) else _TEXT_PARTS
    columns = {part: _text_part(block, part, kept) for part in texts}
    html_dates = None
    if "html" not in block.parts:
        _warn_of_markup(columns["text"], log)
    elif not pt.is_null(block.parts["html"].type):
        html_dates = _fill_from_html(columns, block.parts["html"], kept, page_bytes)

    text, title = _without_blank_texts(columns["text"]), _one_line(columns["title"])
    has_no_text = text.is_null().to_numpy(zero_copy_only=False)
    for row in np.flatnonzero(has_no_text & title.is_null().to_numpy(zero_copy_only=False)):
        kept.reject(int(row), "empty_page", "neither text nor title")
    _reject_mojibake(text, title, has_no_text, kept)
    if block.parts.keys() & {"text", "html"}:
        log.warn("{n} row has no text", "{n} rows have no text", count=int((kept.mask & has_no_text).sum()))
    published = _published(columns.get("published", dates), block, kept, log)

    found = {
        "page_id": _page_ids(columns["id"], block, log.file),
        "title": title,
        "text": text,
        "published": published if html_dates is None else pc.coalesce(published, html_dates),
        "source": _trimmed(columns["source"]),
        "url": _trimmed(columns["url"]),
        "author": _trimmed(columns["author"]),
        "input_file": pa.repeat(log.file, len(block.rows)),
        "input_row": pa.array(block.rows),
    }
    pages = pa.RecordBatch.from_arrays([found[field.name].cast(field.type) for field in PAGES], schema=PAGES)
    if not kept.mask.all():
        pages = pages.filter(pa.array(kept.mask))
    kept.rejects.sort(key=lambda reject: (reject.row is None, reject.row))
    return PageBatch(pages, _reject_table(log.file, kept.rejects))


def _is_text(dates: Any) -> bool:
    return dates is not None and not isinstance(dates, list) and is_string_type(plain_column(dates).type)


def _text_part(block: Block, part: str, kept: _KeptRows) -> Any:
    """A part as large_string, of nulls if the input has no column for it."""
    column = block.parts.get(part)
    if column is None:
        return pa.nulls(len(block.rows), pa.large_string())
    column = text_column(column)
    return column if block.is_utf8 else _valid_utf8(part, column, kept)


def _valid_utf8(part: str, column: Any, kept: _KeptRows) -> Any:
    """Reject rows whose bytes are not UTF-8 (Arrow files promise it, but nobody checks)."""
    try:
        column.validate(full=True)
        return column
    except pa.ArrowInvalid:
        values: list[str | None] = []
        for row, data in enumerate(column.cast(pa.large_binary()).to_pylist()):
            try:
                values.append(None if data is None else data.decode())
            except UnicodeDecodeError as error:
                kept.reject(row, "invalid_utf8", f"{part}: {utf8_problem(error)}")
                values.append(None)
        return pa.array(values, pa.large_string())


def _fill_from_html(columns: dict[str, Any], html: Any, kept: _KeptRows, page_bytes: int) -> Any:
    """Fill gaps of ``columns`` from a column of HTML; returns the dates of its pages."""
    has_text = columns["text"].is_valid()
    read = read_html_column(html, columns["url"], columns["title"], limit=page_bytes)
    for part in ("text", "title", "source", "url", "author"):
        columns[part] = or_else(columns[part], read.parts[part])
    for row, broken in read.broken.items():
        if not has_text[row].as_py():
            kept.reject(row, broken.reason, broken.detail)
    return read.parts["published"]


def _reject_mojibake(text: Any, title: Any, has_no_text: Any, kept: _KeptRows) -> None:
    """Reject rows whose text, or title where there is no text, is mojibake."""
    garbled = find_mojibake(text)
    if text.null_count:
        headlines = np.flatnonzero(has_no_text)
        garbled |= {int(headlines[at]): kind for at, kind in find_mojibake(title.take(headlines)).items()}
    for row, kind in garbled.items():
        example = safe_text((text[row].as_py() or title[row].as_py())[:80])
        kept.reject(row, "mojibake", f"{kind}: {example}")


def _published(column: Any, block: Block, kept: _KeptRows, log: FileLog) -> Any:
    if column is None:
        return pa.nulls(len(block.rows), PAGES.field("published").type)
    dates, bad = parse_dates(column)
    bad &= kept.mask
    if bad.any():
        first = int(np.argmax(bad))
        value = column[first] if isinstance(column, list) else column[first].as_py()
        example = f'row {block.rows[first]}, "{safe_text(str(value), 40)}"'
        log.warn("{n} date could not be parsed and is left empty", "{n} dates could not be parsed and are left empty",
                 count=int(bad.sum()), example=example)  # fmt: skip
    return dates


def _page_ids(ids: Any, block: Block, file: str) -> Any:
    """The ids of the input; a page without one is named after its file and row."""
    return pc.if_else(_is_blank(ids), made_ids(pa.scalar(file, pa.large_string()), pa.array(block.rows)), ids)


def made_ids(files: Any, rows: Any) -> Any:
    """The ids of pages without one of their own, ``file:row``; ``files`` is a column or a scalar of text."""
    return pc.binary_join_element_wise(files, rows.cast(files.type), pa.scalar(":", files.type))


def _warn_of_markup(text: Any, log: FileLog) -> None:
    """Warn of a text column that contains HTML: its tags would become words."""
    name = (log.columns or {}).get("text")
    sample = text.slice(0, _MARKUP_SAMPLE).drop_null()
    if name and len(sample) and pc.mean(pc.match_substring_regex(sample, _MARKUP)).as_py() > 0.5:
        log.warn(f'column "{safe_text(name)}" contains HTML, but is read as plain text; name it with --input.html {safe_text(name)}')


def _is_blank(column: Any) -> Any:
    """True where there is nothing but white space, or nothing."""
    return pc.fill_null(pc.or_(pc.equal(pc.binary_length(column), 0), pc.utf8_is_space(column)), True)


def _without_blank_texts(text: Any) -> Any:
    blank = _is_blank(text)
    if pc.sum(blank).as_py() == text.null_count:  # spares a copy of all texts
        return text
    return pc.if_else(blank, pa.scalar(None, text.type), text)


def _trimmed(column: Any) -> Any:
    column = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.equal(pc.binary_length(column), 0), pa.scalar(None, column.type), column)


def _one_line(column: Any) -> Any:
    return _trimmed(pc.replace_substring_regex(column, _SPACES, " "))


def reject_batch(file: str, rejects: Sequence[Reject]) -> PageBatch:
    """A batch of rejects without pages."""
    return PageBatch(pa.RecordBatch.from_pylist([], schema=PAGES), _reject_table(file, rejects))


def _reject_table(file: str, rejects: Sequence[Reject]) -> pa.RecordBatch:
    rows = [{"input_file": file, "input_row": row, "reason": reason, "detail": detail} for row, reason, detail in rejects]
    return pa.RecordBatch.from_pylist(rows, schema=REJECTS)


Position = TypeVar("Position")


def join_batches(batches: Iterable[tuple[PageBatch, Position]], max_rows: int) -> Iterator[tuple[PageBatch, Position]]:
    """Join consecutive batches to at most ``max_rows`` rows and about ``BATCH_BYTES`` bytes.

    Parameters
    ----------
    batches : each with the input position at its end

    Yields
    ------
    (batch, position) : the same pages and rejects in the same order, and the position at the end of
        the batch
    """
    waiting: list[PageBatch] = []
    rows = size = 0
    end: Any = None
    for batch, position in batches:
        own_rows, own_size = batch.pages.num_rows + batch.rejects.num_rows, batch.pages.nbytes
        if waiting and (rows + own_rows > max_rows or size + own_size > BATCH_BYTES):
            yield _concatenate(waiting), end
            waiting, rows, size = [], 0, 0
        waiting.append(batch)
        rows, size, end = rows + own_rows, size + own_size, position
    if waiting:
        yield _concatenate(waiting), end


def _concatenate(batches: list[PageBatch]) -> PageBatch:
    if len(batches) == 1:
        return batches[0]
    return PageBatch(_concat([batch.pages for batch in batches], PAGES), _concat([batch.rejects for batch in batches], REJECTS))


def _concat(parts: list[Any], schema: Any) -> Any:
    table = pa.Table.from_batches([part for part in parts if part.num_rows], schema=schema).combine_chunks()
    return table.to_batches()[0] if table.num_rows else parts[0].slice(0, 0)
