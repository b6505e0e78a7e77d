"""HTML pages per second and what comes out of them, beside the extractor alone.

    python -m bench.html FOLDER... [--column FILE.parquet] [--encoding windows-1256] [--rounds 5]

Reads the ``.html`` and ``.htm`` files of the folders, and the cells of the column of HTML of a table, into memory; then times, on one
thread, the best of some rounds: the parser, parser and extractor (with and without its own choice of the main content, bytes
decoded by its own detection), and ``dedup.readers.html.read_page``. Prints how many pages gave a text, the words of it, and how many
of its lines are still furniture as far as the cues of ``dedup/data/cues.toml`` tell; ``trafilatura`` too, if it is installed.
``--encoding`` rewrites all pages in that encoding first.
"""

from __future__ import annotations

import argparse
import importlib
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import pyarrow.parquet as pq
from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.encoding import bytes_to_str, detect_encoding
from resiliparse.parse.html import HTMLTree

from dedup.readers.columns import USUAL_NAMES
from dedup.readers.encodings import decode
from dedup.readers.html.page import BrokenPage, read_page
from dedup.segmentation.segment import segment


def pages_of(folders: Sequence[Path], column: Path | None) -> list[bytes]:
    """The bytes of all pages, in order of their names."""
    files = [file for folder in folders for file in sorted(folder.rglob("*")) if file.suffix.lower() in (".html", ".htm")]
    pages = [file.read_bytes() for file in files]
    if column is not None:
        names = pq.read_schema(column).names
        name = next(name for name in USUAL_NAMES["html"] if name in names)
        cells = pq.read_table(column, columns=[name]).column(0).to_pylist()
        pages += [cell if isinstance(cell, bytes) else cell.encode() for cell in cells if cell and cell.strip()]
    return pages


def _text(data: bytes) -> str:
    return bytes_to_str(data, detect_encoding(data) or "utf-8")


def _ours(data: bytes) -> str:
    try:
        return read_page(data).text
    except BrokenPage as finding:
        return f"\0{finding.reason}"


def ways() -> dict[str, Callable[[bytes], Any]]:
    """What is timed."""
    found: dict[str, Callable[[bytes], Any]] = {
        "decode alone (ours)": lambda data: decode(data) and "",
        "parser alone": lambda data: HTMLTree.parse(_text(data)) and "",
        "extractor, all text": lambda data: extract_plain_text(_text(data)),
        "extractor, main content": lambda data: extract_plain_text(_text(data), main_content=True),
        "dedup read_page": _ours,
    }
    try:
        trafilatura = importlib.import_module("trafilatura")
    except ImportError:
        return found
    return found | {"trafilatura, precision": lambda data: trafilatura.extract(data, favor_precision=True, include_comments=False) or ""}


def quality(texts: Sequence[str]) -> str:
    """Texts, words and furniture of what a way gave."""
    real = [text for text in texts if text.strip() and not text.startswith("\0")]
    parts = [segment(text) for text in real]
    furniture, headlines = sum(len(page.furniture) for page in parts), sum(len(page.headlines) for page in parts)
    reasons = Counter(text[1:] for text in texts if text.startswith("\0"))
    rejected = "".join(f", {count} {reason}" for reason, count in reasons.items())
    words = sum(len(text.split()) for text in real)
    return f"{len(real):6,} texts {words:10,} words {furniture:6,} furniture lines {headlines:5,} headlines{rejected}"


def main() -> None:
    """Time each way over all pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--column", type=Path)
    parser.add_argument("--encoding")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    pages = pages_of(arguments.folders, arguments.column)
    if arguments.encoding:
        pages = [_text(page).encode(arguments.encoding, "xmlcharrefreplace") for page in pages]
    if not pages:
        parser.error("no HTML page was found")
    size = sum(map(len, pages)) / 1e6
    print(f"{len(pages):,} pages, {size:.1f} MB, {1e3 * size / len(pages):.1f} kB a page")
    for name, way in ways().items():
        best = float("inf")
        for _ in range(arguments.rounds):
            started = perf_counter()
            texts = [way(page) for page in pages]
            best = min(best, perf_counter() - started)
        said = quality(texts) if any(texts) else ""
        print(f"{name:26} {len(pages) / best:8,.0f} pages/s {size / best:7.1f} MB/s {said}")


if __name__ == "__main__":
    main()
