"""Random files and texts from a seed, whole or damaged, and what must be true of every run and every text."""

from __future__ import annotations

import gzip
import io
import json
import random
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import dedup
from dedup.errors import InputError
from dedup.segmentation.segment import needs_segmenting, segment

#: A trial is a few kilobytes; one that takes longer than this hangs.
SECONDS = 10.0
_WORDS = ["في", "مجلس", "الوزراء", "السعودي", "أرامكو", "الهلال", "١٢٣", "2015", "وكالة", "واس", "اقرأ", "المصدر", "كلمات", "شاهد", "صور"]
_CUES = ["اقرأ أيضا:", "المصدر: واس", "كلمات دلالية:", "شاهد أيضاً", "- عنوان خبر آخر من هنا", "رابط الخبر:", "•", "<p>", "</table>"]
_ODD = [
    "\0",
    "\ufeff",
    "\u202e",
    "\u2066",
    "\u200d",
    "\u0651" * 40,
    "\u0640" * 9,
    "\r",
    "\u2028",
    "\x85",
    "\ud800",
    "\U0001f600",
    "﷽",
    '"',
    "\\",
    "\t",
    "{",
    "]",
]
_SUFFIXES = [
    ".jsonl",
    ".json",
    ".csv",
    ".tsv",
    ".txt",
    ".html",
    ".warc",
    ".parquet",
    ".jsonl.gz",
    ".csv.gz",
    ".txt.gz",
    ".jsonl.zst",
    ".warc.gz",
]


def text_of(chance: random.Random) -> str:
    """A page of words, cues and odd characters."""
    parts = []
    for _ in range(chance.randrange(1, 60)):
        kind = chance.random()
        parts.append(chance.choice(_WORDS if kind < 0.7 else _CUES if kind < 0.85 else _ODD))
        parts.append(chance.choice([" ", " ", " ", "\n", "\n\n", ""]))
    return "".join(parts) * chance.choice([1, 1, 1, 2, 30])


def file_of(chance: random.Random, suffix: str) -> bytes:
    """The bytes of a file with a few pages; seven in ten are damaged."""
    plain, _, packed = suffix[1:].partition(".")
    rows = [{"id": str(i), "title": text_of(chance)[:80], "text": text_of(chance)} for i in range(chance.randrange(0, 6))]
    clean = [{key: value.encode("utf-8", "replace").decode() for key, value in row.items()} for row in rows]
    if plain == "parquet":
        sink = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(clean or [{"text": "x"}]), sink)
        data = sink.getvalue()
    elif plain == "jsonl":
        data = "\n".join(json.dumps(row) for row in rows).encode()
    elif plain == "json":
        data = json.dumps(rows).encode()
    elif plain in ("csv", "tsv"):
        mark = "," if plain == "csv" else "\t"
        lines = [mark.join(f'"{value.replace(chr(34), chr(34) * 2)}"' for value in row.values()) for row in clean]
        data = "\n".join([mark.join(["id", "title", "text"]), *lines]).encode()
    elif plain == "warc":
        records = []
        for row in clean:
            body = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html><title>{row['title']}</title><p>{row['text']}</p>".encode()
            head = f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.b/{row['id']}\r\nContent-Length: {len(body)}\r\n\r\n"
            records.append(head.encode() + body + b"\r\n\r\n")
        data = b"".join(records)
    else:
        data = (clean or [{"text": ""}])[0]["text"].encode(chance.choice(["utf-8", "cp1256", "utf-16"]), "replace")
    if packed == "gz":
        data = gzip.compress(data)
    elif packed == "zst":
        data = pa.Codec("zstd").compress(data, asbytes=True)
    return mutated(chance, data) if chance.random() < 0.7 else data


def mutated(chance: random.Random, data: bytes) -> bytes:
    """Change, remove, repeat or insert some bytes."""
    changed = bytearray(data)
    for _ in range(chance.randrange(1, 6)):
        at, length = chance.randrange(len(changed) + 1), chance.choice([1, 1, 2, 8, 64])
        kind = chance.randrange(5)
        if kind == 0:
            changed[at : at + length] = chance.randbytes(min(length, max(len(changed) - at, 0)))
        elif kind == 1:
            del changed[at : at + length]
        elif kind == 2:
            changed[at:at] = changed[at : at + length] * chance.choice([1, 2, 50])
        elif kind == 3:
            changed[at:at] = chance.choice(
                [b"\0", b"\n", b'"', b"\xff\xfe", b"{", b"[", b"\x1f\x8b\x08", b"<", b"\xed\xa0\x80", b"\r\n\r\n"]
            )
        else:
            del changed[at:]
    return bytes(changed)


def try_file(chance: random.Random, folder: Path) -> str:
    """Run over one file of a random type; its type."""
    suffix = chance.choice(_SUFFIXES)
    (folder / f"page{suffix}").write_bytes(file_of(chance, suffix))
    check_folder(folder)
    return f"file{suffix}"


def check_folder(folder: Path) -> None:
    """Run over a folder. It may be refused, but pages must not be lost and ids must be unique."""
    try:
        result = dedup.run(str(folder), dedup.Config().replace({"run.threads": 1}))
    except InputError:
        return
    counts = result.manifest["counts"]
    if counts["pages"] != counts["pages_with_documents"] + counts["rejects"]:
        raise AssertionError(f"pages are lost: {counts}")
    if len(set(result.documents.column("doc_id").to_pylist())) != result.documents.num_rows:
        raise AssertionError("two documents have one id")


def check_text(text: str) -> None:
    """Segmentation loses no letter, is idempotent, and its prefilter passes no page that it changes; kernels equal their reference."""
    from tests.kernels.text.test_tokens import check_against_reference

    page = segment(text)
    parts = [
        page.body,
        *(part for embedded in page.embedded for part in (embedded.title or "", embedded.text)),
        *page.headlines,
        *page.furniture,
    ]
    missing = _signs(text) - sum(map(_signs, parts), Counter())
    if any(sign.isalnum() and not sign.isdigit() for sign in missing):
        raise AssertionError(f"segmentation lost {missing}")
    if segment(page.body).body != page.body:
        raise AssertionError("segmentation of a body changes it")
    whole = text.encode("utf-8", "replace").decode()
    if page.body != text and whole == text and not needs_segmenting(pa.array([text], pa.large_string()))[0].as_py():
        raise AssertionError("the prefilter misses a page with furniture")
    check_against_reference([text])


def _signs(text: str) -> Counter[str]:
    return Counter("".join(text.split()))


def try_text(chance: random.Random, folder: Path) -> str:
    """Segment and tokenize one page."""
    text = text_of(chance)
    (folder / "text.json").write_text(json.dumps(text), encoding="utf-8")
    check_text(text)
    return "text"


def trial(seed: int, keep: Path | None) -> tuple[str, str | None]:
    """Run the trial of one seed: its kind, and the traceback if it failed. Files of failed trials are written to ``keep``."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        folder, begun, kind = Path(name), time.monotonic(), "file"
        try:
            kind = try_text(chance, folder) if chance.random() < 0.5 else try_file(chance, folder)
            if time.monotonic() - begun > SECONDS:
                raise AssertionError(f"it took {time.monotonic() - begun:.0f} s")
        except Exception:
            if keep is not None:
                (keep / str(seed)).mkdir(parents=True, exist_ok=True)
                for path in folder.iterdir():
                    (keep / str(seed) / path.name).write_bytes(path.read_bytes())
            return kind, traceback.format_exc()
    return kind, None
