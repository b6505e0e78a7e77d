"""A small news site on loopback: front pages of seven outlets, and articles of the example crawl as RTL pages with furniture."""

from __future__ import annotations

import html
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.paths import CRAWL


@dataclass(frozen=True)
class Page:
    """An article of an outlet; ``name`` is its path on the site, ``url`` its canonical address."""

    name: str
    outlet: str
    url: str
    title: str
    published: str
    text: str


def _of_the_crawl() -> dict[str, Page]:
    rows = map(json.loads, (CRAWL / "news.jsonl").read_text(encoding="utf-8").splitlines())
    return {row["id"]: Page(row["id"], row["source"], row["url"], row["title"], row["date"], row["content"]) for row in rows}


LIBRARY = Page(
    "mid-01",
    "ميدان الخبر",
    "https://midan.example.com/culture/77",
    "مكتبة الميناء القديم تفتح أبوابها بعد ثلاث سنوات من الترميم",
    "2025-03-06T09:00:00Z",
    "فتحت مكتبة الميناء القديم أبوابها للقراء صباح الخميس بعد ترميم استغرق ثلاث سنوات، شمل سقف القاعة الكبرى ونوافذها المطلة على المرفأ.\n"
    "وقالت مديرة المكتبة سلوى القاضي إن الرفوف تضم الآن 48 ألف كتاب، بينها مخطوطات بحرية نقلت من مستودع البلدية، وإن الدخول مجاني طوال شهر مارس.\n"
    "وخصصت البلدية طابقا كاملا للأطفال، فيه ورشة لتجليد الكتب ومسرح صغير للدمى، على أن تعلن مواعيد العروض نهاية الأسبوع.",
)
#: The same words under another headline, in another outlet.
LIBRARY_RETITLED = replace(
    LIBRARY,
    name="wah-77",
    outlet="يومية الواحة",
    url="https://waha.example.com/news/77",
    title="48 ألف كتاب في انتظار القراء على رصيف المرفأ",
    published="2025-03-06T13:00:00Z",
)
#: The page at the second crawl: another number and two more paragraphs.
LIBRARY_UPDATED = replace(
    LIBRARY,
    text=LIBRARY.text.replace("48 ألف كتاب", "52 ألف كتاب")
    + "\nواستقبلت المكتبة في يومها الأول أكثر من ألفي زائر، واضطرت إلى تمديد ساعات العمل حتى العاشرة ليلا بسبب الطوابير أمام قسم الخرائط.\n"
    "وأعلنت القاضي أن مجموعة من البحارة المتقاعدين ستقرأ كل ثلاثاء فصولا من يوميات السفن على تلاميذ المدارس المجاورة.",
)


def outlets() -> dict[str, list[Page]]:
    """The pages of each outlet, oldest first; an outlet is a folder of the site."""
    crawl = _of_the_crawl()
    talks = Page(
        "mir-90",
        "مرايا الأخبار",
        "https://maraya.example.net/news/4190",
        "محادثات جديدة في مصر",
        "2025-03-07T08:00:00Z",
        (CRAWL / "page.txt").read_text(encoding="utf-8"),
    )
    site = {
        "nil": [crawl["nil-01"], crawl["nil-02"]],
        "ufq": [crawl["ufq-01"]],
        "mid": [LIBRARY],
        "dif": [crawl["dif-06"], crawl["dif-01"], crawl["dif-02"], crawl["dif-07"]],
        "mar": [crawl["mar-01"], crawl["mar-03"]],
        "mir": [crawl["mir-01"], crawl["mir-02"], talks],
        "wah": [crawl["raf-01"], LIBRARY_RETITLED],
    }
    return site


def front_page(folder: str, pages: list[Page]) -> str:
    """Headlines with links, newest first."""
    items = "\n".join(f'<li><a href="/{folder}/{page.name}">{html.escape(page.title)}</a></li>' for page in reversed(pages))
    return _document(pages[0].outlet, "", f"<main><ul>{items}</ul></main>")


def article_page(page: Page, others: list[Page]) -> str:
    """The article with a menu around it and a list of further headlines of the site at its end."""
    blocks = [f"<p>{html.escape(line)}</p>" for line in page.text.split("\n")]
    more = "".join(f'<li><a href="#">{html.escape(other.title)}</a></li>' for other in others)
    blocks.append(f"<h3>إقرأ أيضاً</h3><ul>{more}</ul>" if more else "")
    head = f"""<link rel="canonical" href="{page.url}">
<meta property="og:site_name" content="{html.escape(page.outlet)}">
<meta property="article:published_time" content="{page.published}">"""
    return _document(page.title, head, f"<article><h1>{html.escape(page.title)}</h1>{''.join(blocks)}</article>")


def _document(title: str, head: str, body: str) -> str:
    return f"""<!DOCTYPE html>
<html lang="ar" dir="rtl"><head><meta charset="utf-8"><title>{html.escape(title)}</title>{head}</head>
<body><nav><a href="/">الرئيسية</a> <a href="/sport">رياضة</a></nav>
{body}
<footer>جميع الحقوق محفوظة</footer></body></html>"""


@contextmanager
def serve(site: dict[str, list[Page]]) -> Iterator[str]:
    """Serve the outlets on a free port of loopback and yield the address. Changes of ``site`` take effect at once."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            folder, _, name = self.path.strip("/").partition("/")
            pages = site.get(folder, [])
            found = next((page for page in pages if page.name == name), None)
            if pages and not name:
                self._send(200, front_page(folder, pages))
            elif found:
                self._send(200, article_page(found, [page for page in pages if page != found]))
            else:
                self._send(404, "")

        def _send(self, status: int, page: str) -> None:
            body = page.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            """Keep the test output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
