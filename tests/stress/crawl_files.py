"""Writes a crawl file of known content, with damaged records where asked, and counts what is read from it.

Around each page stand the records that crawls have: requests, redirects, images, revisits, pages that were not found.
"""

from __future__ import annotations

import gzip
import io
import random
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from dedup.config import Config
from dedup.readers import ReadLog, read_files

_START = datetime(2015, 7, 1, 6)
_NEWS = (
    "أعلنت وزارة الصحة اليوم أن عدد المستفيدين من الحملة الوطنية ارتفع خلال الأسبوع الماضي في جميع المحافظات "
    "وأكد المتحدث الرسمي استمرار العمل على توسيع الخدمات ونقل التجهيزات إلى المراكز الجديدة وقال مدير "
    "المستشفى إن الفرق الطبية تعمل بكامل طاقتها وأضاف أن نتائج البرنامج ستظهر قريبا وشدد رئيس البلدية على "
    "أهمية التعاون بين السكان والجهات المختصة وأوضح أن المشروع سيبدأ في الربيع بعد انتهاء أعمال الطرق والجسور"
)
#: All words of generated pages but those of menus and lists.
WORDS = _NEWS.split()

_MODERN = """<!doctype html><html lang="ar" dir="rtl"><head>{meta}<title>{title} | صحيفة المدينة</title>
<meta property="og:title" content="{title}"><link rel="canonical" href="{url}">{date}</head><body><header><nav><ul>
<li><a href="/">الرئيسية</a></li><li><a href="/local">محليات</a></li><li><a href="/sport">رياضة</a></li></ul></nav></header>
<main><article><h1>{title}</h1>{paragraphs}</article><aside><h3>اقرأ أيضا</h3><ul>{related}</ul></aside></main>
<footer><p>جميع الحقوق محفوظة</p></footer></body></html>"""
_TABLES = """<html dir=rtl><head>{meta}<title>{title}</title></head><body bgcolor=white><table width=100%><tr><td width=20%><font size=2>
<a href=/>الرئيسية</a><br><a href=/archive>الأرشيف</a></font></td><td><h2><font color=navy>{title}</font></h2>
<div class=story>{paragraphs}</div></td></tr></table></body></html>"""
_BLOCKS = """<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "">
<html><head>{meta}<title>{title} - الأخبار</title>{date}</head><body>
<div id="menu"><a href="/">الأولى</a> <a href="/world">عالم</a></div>
<div id="content"><div class="post"><h1 class="entry-title">{title}</h1>
<div class="entry-content">{paragraphs}</div></div>
<div class="related"><h4>مواضيع ذات صلة</h4><ul>{related}</ul></div></div></body></html>"""
#: Layout, encoding, encoding in the meta tag (it may be wrong), HTTP ``Content-Type``.
LAYOUTS = (
    (_MODERN, "utf-8", "utf-8", "text/html; charset=utf-8"),
    (_MODERN, "utf-8", "", "text/html"),
    (_TABLES, "cp1256", "windows-1256", "text/html"),
    (_TABLES, "cp1256", "utf-8", "text/html"),
    (_BLOCKS, "cp1256", "iso-8859-1", "text/html; charset=iso-8859-1"),
    (_BLOCKS, "iso-8859-6", "iso-8859-6", "text/html; charset=iso-8859-6"),
    (_BLOCKS, "utf-8", "windows-1256", "text/html"),
)


class Written(NamedTuple):
    """The bytes of a record, and what a reader makes of it: ``page`` or the reason to skip it."""

    bytes: bytes
    fate: str


def build(path: Path, *, pages: int, damage: int = 0, seed: int = 0) -> Counter[str]:
    """Write a crawl file: ``.warc``, or a member a record in ``.warc.gz`` and ``.warc.zst``; ``.one.warc.gz`` is one member.

    Returns
    -------
    number of records by what they are: ``page``, a reason to skip, or ``damaged <way>``
    """
    chance = random.Random(seed)
    written = list(_records(pages, chance))
    # Every other record at most: a reader may take two damages side by side for one.
    odd = range(1, len(written), 2)
    places = sorted(chance.sample(odd, min(damage, len(odd))))
    ways = dict(zip(places, (list(DAMAGES) * len(places))[: len(places)], strict=True))
    pack = packer(path)
    account: Counter[str] = Counter()
    content = bytearray()
    for number, record in enumerate(written):
        way = ways.get(number)
        content += pack(record.bytes) if way is None else DAMAGES[way](record.bytes, pack, chance)
        if way != "garbage before it":
            account[record.fate if way is None else f"damaged {way}"] += 1
        else:
            account.update([record.fate, f"damaged {way}"])
    path.write_bytes(gzip.compress(content, mtime=0) if ".one." in path.name else content)
    return account


def packer(path: Path) -> Callable[[bytes], bytes]:
    """The function that compresses a record of this file."""
    if path.suffix == ".gz" and ".one." not in path.name:
        return lambda record: gzip.compress(record, 6, mtime=0)
    if path.suffix == ".zst":
        from zstandard import ZstdCompressor

        return ZstdCompressor(write_checksum=True).compress
    return bytes


def page_html(number: int, chance: random.Random) -> tuple[bytes, str]:
    """A generated page and its HTTP ``Content-Type``."""
    layout, encoding, meta, header = LAYOUTS[number % len(LAYOUTS)]
    title = sentence(chance, 8)
    paragraphs = "".join(f"<p>{sentence(chance, 35)}.</p>\n" for _ in range(chance.randint(3, 9)))
    related = "".join(f"<li><a href='/news/{i}'>{sentence(chance, 7)}</a></li>" for i in range(4))
    date = f'<meta property="article:published_time" content="{when(number).isoformat()}Z">' if number % 3 else ""
    said = f'<meta http-equiv="Content-Type" content="text/html; charset={meta}">' if meta else ""
    text = layout.format(meta=said, title=title, url=url_of(number), date=date, paragraphs=paragraphs, related=related)
    return text.encode(encoding), header


def sentence(chance: random.Random, words: int) -> str:
    """Random Arabic words of news."""
    return " ".join(chance.choices(WORDS, k=words))


def url_of(number: int) -> str:
    """The address of a page."""
    return f"http://news{number % 5}.example/{number}"


def when(number: int) -> datetime:
    """The time of a page."""
    return _START + timedelta(minutes=number)


def _records(pages: int, chance: random.Random) -> Iterator[Written]:
    record = _Recorder(chance)
    yield record("warcinfo", "", b"software: generated\r\n", content_type="application/warc-fields")
    sent: tuple[bytes, str] = (b"", "")
    for number in range(pages):
        url = url_of(number)
        yield record("request", url, b"GET / HTTP/1.1\r\nHost: news.example\r\n\r\n", content_type="application/http; msgtype=request")
        sent = page_html(number, chance) if number % 12 != 11 else sent  # the same page under two addresses
        yield record.response(url, 200, sent[1], sent[0], way=number % 5)
        if number % 10 == 3:
            yield record.response(url + "/old", 301, "text/html", b"<html>moved</html>", fields=[("Location", url)])
        if number % 10 == 5:
            yield record.response(url + "/gone", 404, "text/html", "<html><p>الصفحة غير موجودة</p></html>".encode())
        if number % 10 == 7:
            yield record.response(url + "/photo.jpg", 200, "image/jpeg", chance.randbytes(3000), fate="not_html")
        if number % 10 == 8:
            yield record("revisit", url + "/again", b"HTTP/1.1 200 OK\r\n\r\n", content_type="application/http; msgtype=response")
        if number % 10 == 9:
            yield record("metadata", url, b"fetchTimeMs: 12\r\n", content_type="application/warc-fields")


class _Recorder:
    """Makes the bytes of records; their ids and dates depend on the seed alone."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._count = 0

    def __call__(self, kind: str, url: str, block: bytes, *, content_type: str, fate: str | None = None) -> Written:
        from warcio.warcwriter import WARCWriter

        self._count += 1
        fields = {"WARC-Record-ID": f"<urn:uuid:{UUID(int=self._chance.getrandbits(128), version=4)}>"}
        fields["WARC-Date"] = (when(self._count) + timedelta(days=30)).isoformat() + "Z"
        out = io.BytesIO()
        writer = WARCWriter(out, gzip=False)
        record = writer.create_warc_record(
            url, kind, payload=io.BytesIO(block), length=len(block), warc_content_type=content_type, warc_headers_dict=fields
        )
        writer.write_record(record)
        return Written(out.getvalue(), fate or kind)

    def response(
        self,
        url: str,
        status: int,
        media_type: str,
        body: bytes,
        *,
        way: int = 0,
        fields: list[tuple[str, str]] | None = None,
        fate: str = "",
    ) -> Written:
        headers = [("Content-Type", media_type), *(fields or [])]
        packed, encoding = _packed_body(body, way)
        if encoding:
            headers.append(("Content-Encoding", encoding))
        if way in (1, 2):
            packed = (
                b"".join(b"%x\r\n%s\r\n" % (len(packed[i : i + 1000]), packed[i : i + 1000]) for i in range(0, len(packed), 1000))
                + b"0\r\n\r\n"
            )
            headers.append(("Transfer-Encoding", "chunked"))
        head = f"HTTP/1.1 {status} X\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers) + "\r\n"
        known = fate or ("page" if status == 200 else f"status_{status}")
        return self("response", url, head.encode() + packed, content_type="application/http; msgtype=response", fate=known)


def _packed_body(body: bytes, way: int) -> tuple[bytes, str]:
    if way == 2:
        return gzip.compress(body, mtime=0), "gzip"
    if way == 3:
        return zlib.compress(body), "deflate"
    if way == 4:
        import brotli

        return brotli.compress(body, quality=4), "br"
    return body, ""


_Pack = Callable[[bytes], bytes]


def _cut(record: bytes, pack: _Pack, chance: random.Random) -> bytes:
    packed = pack(record)
    return packed[: chance.randint(len(packed) // 4, 3 * len(packed) // 4)]


def _flip(record: bytes, pack: _Pack, chance: random.Random) -> bytes:
    packed = bytearray(pack(record))
    # In a plain record only the block: no digest covers the header.
    first = packed.find(b"\r\n\r\n") + 4 if packed.startswith(b"WARC/") else len(packed) * 2 // 3
    at = chance.randint(first, len(packed) - 12)
    packed[at] ^= 0x55
    return bytes(packed)


def _with_length(record: bytes, change: Callable[[int], str]) -> bytes:
    head, end, block = record.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    at = next(i for i, line in enumerate(lines) if line.lower().startswith(b"content-length:"))
    lines[at] = f"Content-Length: {change(int(lines[at].split(b':')[1]))}".encode()
    return b"\r\n".join(lines) + end + block


#: Each damage turns its record into one reject; garbage is a reject itself and leaves the record whole.
DAMAGES: dict[str, Callable[[bytes, _Pack, random.Random], bytes]] = {
    "cut off": _cut,
    "a byte changed": _flip,
    "length too large": lambda record, pack, chance: pack(_with_length(record, lambda n: str(n + chance.randint(10, 500)))),
    "length too small": lambda record, pack, chance: pack(_with_length(record, lambda n: str(n - chance.randint(5, 10)))),
    "length far too large": lambda record, pack, chance: pack(_with_length(record, lambda n: str(n + 10**12))),
    "length not a number": lambda record, pack, chance: pack(_with_length(record, lambda n: f"{n}x")),
    "garbage before it": lambda record, pack, chance: b"\n" + chance.randbytes(chance.randint(50, 3000)) + b"\r\n" + pack(record),
}


def account_of(path: Path) -> tuple[dict[str, Any], Counter[str]]:
    """Read a crawl file: its entry in the log, and its rejects by reason."""
    log, rejects = ReadLog(), Counter[str]()
    for batch in read_files([path], config=Config(), log=log):
        rejects.update(batch.rejects.column("reason").to_pylist())
    return log.inputs[0], rejects
