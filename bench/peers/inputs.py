"""Writes a corpus as the two Parquet files that all contenders read: raw pages, and the same documents folded.

``pages.parquet`` has id, title, text, published, source and url in the order of the corpus, for ``dedup``.
``folded.parquet`` has id and text of each document that ``dedup`` compares: articles and embedded articles that are
long enough, as shingle-level tokens with one space between them. Characters inside a token that are no letters or
digits (decimal points, percent signs) are spelled with letters that occur nowhere else, so that a tokenizer that
splits at punctuation finds our tokens.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import dedup
from dedup import Config
from dedup.readers import ReadLog, read_files
from dedup.segmentation.documents import documents_of
from dedup.text.normalization import tokenize

_COLUMNS = {"page_id": "id", "title": "title", "text": "text", "published": "published", "source": "source", "url": "url"}
_NO_WORD = re.compile(r"[\W_]")
#: A letter that no news uses (Latin letter dental click); two of them enclose the code of the character.
_CLICK = "ǀ"


@dataclass(frozen=True)
class Inputs:
    """The files, and the documents in ``folded.parquet``: ids, raw texts and URLs, row by row.

    ``folding_seconds`` is the time that the peers save: folding in Python, each distinct word once.
    """

    pages: Path
    folded: Path
    ids: list[str]
    texts: list[str]
    urls: list[str | None]
    raw_bytes: int
    folding_seconds: float


def make_inputs(corpus: str, folder: Path) -> Inputs:
    """Write both files into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    pages, folded = folder / "pages.parquet", folder / "folded.parquet"
    batches = [batch.pages.select(list(_COLUMNS)) for batch in read_files([corpus], config=Config(), log=ReadLog())]
    table = pa.Table.from_batches(batches).rename_columns(list(_COLUMNS.values()))
    pq.write_table(table, pages, compression="zstd")
    ids, texts, urls = documents_compared(str(pages))
    begun, fold = time.perf_counter(), Folder()
    tokens = pa.array([fold(text) for text in texts], pa.large_string())
    seconds = time.perf_counter() - begun
    pq.write_table(pa.table({"id": ids, "text": tokens}), folded, compression="zstd")
    return Inputs(pages, folded, ids, texts, urls, sum(len(text.encode()) for text in texts), seconds)


def documents_compared(path: str, result: dedup.Result | None = None) -> tuple[list[str], list[str], list[str | None]]:
    """Ids, raw texts and URLs of the documents that a run compares as articles, in its order."""
    result = result or dedup.find_copies(path)
    by_id: dict[str, str] = {}
    for batch in read_files([path], config=Config(), log=ReadLog()):
        documents, _ = documents_of(batch.pages)
        for doc_id, text in zip(documents.column("doc_id").to_pylist(), documents.column("text").to_pylist(), strict=True):
            by_id.setdefault(doc_id, text)
    rows = result.documents.select(["doc_id", "url", "role", "status"]).to_pylist()
    kept = [row for row in rows if row["role"] != "headline" and row["status"] != "short"]
    return [row["doc_id"] for row in kept], [by_id[row["doc_id"]] for row in kept], [row["url"] for row in kept]


class Folder:
    """Folds texts; each distinct word is folded once, since white space always separates tokens."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        """The tokens of a text, joined by one space."""
        words = [self._word(word) for word in text.split()]
        return " ".join(word for word in words if word)

    def _word(self, word: str) -> str:
        folded = self._known.get(word)
        if folded is None:
            folded = self._known[word] = " ".join(_NO_WORD.sub(_spelled, token) for token in tokenize(word, "shingle"))
        return folded


def _spelled(match: re.Match[str]) -> str:
    return f"{_CLICK}{ord(match[0])}{_CLICK}"
