"""What an HTML page says of itself, outside of its text: title, date, address, outlet, author.

Several standards say each of these; the first that can be read counts, the more exact one before the more common.
Everything is read from the tree of Resiliparse before ``main_text`` changes it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit

from ...schema import EPOCH
from ..dates import parse_text
from .main_text import select

_DATES = (
    *("article:published_time", "og:published_time", "datepublished", "article:published", "pubdate", "publishdate", "publish_date"),
    *("publish-date", "parsely-pub-date", "sailthru.date", "dc.date.issued", "dcterms.created", "dc.date", "article.published", "date"),
)
#: Last, a date that readers see. Not any: many sites print today's above the page.
_DATE_BLOCKS = tuple(
    f'{place}[class*="{name}" i]' for place, name in (("article ", "date"), ("", "publish"), ("", "posted-on"), ("", "post-date"))
)
_AUTHORS = ("author", "article:author", "parsely-author", "dc.creator", "byl")
#: A tag that means nothing; long texts are broken up by it before they are parsed, scripts too.
NOTHING = "wbr"
#: Before it the headline, behind it the site: «عنوان الخبر - صحيفة الوئام», «... | CNN».
_SITE_SUFFIX = re.compile(r"\s+(?:[|•»«:–—-]|::)\s+")
_MOST_HEADS = 20
_MOST_METAS, _MOST_JSON, _JSON_DEPTH = 400, 1 << 20, 6
#: A time further away than this from any crawl is a mistake, or the epoch.
_FIRST_YEAR = 1990


@dataclass(frozen=True)
class PageMetadata:
    """What was found; ``body`` is the text in JSON-LD, where the page itself has none."""

    title: str | None
    published: datetime | None
    url: str | None
    source: str | None
    author: str | None
    body: str | None


def page_facts(tree: Any, *, url: str | None) -> PageMetadata:
    """Read a page's own words about itself.

    Parameters
    ----------
    tree : ``resiliparse.parse.html.HTMLTree``
    url : where the page was fetched from, if that is known
    """
    metas = _metas(tree)
    linked = list(_linked_data(tree))
    address = _address(tree, metas, url)
    site = _line(metas.get("og:site_name")) or _line(_first_of(linked, "publisher", "name"))
    return PageMetadata(
        title=_title(tree, metas, linked, site),
        published=_published(tree, metas, linked),
        url=address,
        source=site or host(address),
        author=next((found for name in _AUTHORS if (found := _line(metas.get(name))) and "://" not in found), None)
        or _line(_first_of(linked, "author", "name")),
        body=_first_of(linked, "articleBody"),
    )


def host(url: str | None) -> str | None:
    """The host of an address, without ``www.``."""
    try:
        return (urlsplit(url or "").hostname or "").removeprefix("www.") or None
    except ValueError:  # an address like http://[a
        return None


def _metas(tree: Any) -> dict[str, str]:
    """``<meta>`` by its property or name, in lower case; the first of each."""
    metas: dict[str, str] = {}
    for meta in select(tree.document, "meta[content]")[:_MOST_METAS]:
        names = meta.getattr("property") or meta.getattr("name") or meta.getattr("itemprop") or ""
        for name in names.lower().split():
            metas.setdefault(name, meta.getattr("content") or "")
    return metas


def _linked_data(tree: Any) -> Iterator[dict[str, Any]]:
    """The objects in the page's JSON-LD, outer ones first."""
    for script in select(tree.document, 'script[type="application/ld+json"]')[:_MOST_METAS]:
        text = (script.text or "").replace(f"<{NOTHING}>", "")
        if len(text) > _MOST_JSON:
            continue
        try:
            waiting = [json.loads(text, strict=False)]
        except (ValueError, RecursionError):
            continue
        for _ in range(_JSON_DEPTH):
            objects = [item for item in waiting if isinstance(item, dict)]
            yield from objects
            inner = [item.get("@graph") for item in objects] + [item for item in waiting if isinstance(item, list)]
            waiting = [item for items in inner if isinstance(items, list) for item in items]


def _first_of(objects: list[dict[str, Any]], *path: str) -> str | None:
    """The first text at a path of keys; of a list its first element counts."""
    for item in objects:
        value: Any = item
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
            value = value[0] if isinstance(value, list) and value else value
        if isinstance(value, str) and value.strip():
            return value
    return None


def _title(tree: Any, metas: dict[str, str], linked: list[dict[str, Any]], site: str | None) -> str | None:
    heads = [line for head in select(tree.document, "h1")[:_MOST_HEADS] if (line := _line(head.text))]
    title = _line(tree.title)
    named = _line(metas.get("og:title")) or _line(_first_of(linked, "headline")) or (heads[0] if len(heads) == 1 else None)
    return _without_site(named or title or (heads[0] if heads else None), site, heads)


def _without_site(title: str | None, site: str | None, heads: list[str]) -> str | None:
    """A title without the site's name at its end; an ``<h1>`` that the title begins with says where it ends."""
    if title is None or title in heads:
        return title
    begun = [head for head in heads if len(head) >= 8 and title.startswith(head) and _SITE_SUFFIX.match(title, len(head))]
    if begun:
        return max(begun, key=len)
    parts = list(_SITE_SUFFIX.finditer(title))
    if parts:
        head, tail = title[: parts[-1].start()], title[parts[-1].end() :]
        named = site is not None and (tail.casefold() in site.casefold() or site.casefold() in tail.casefold())
        if head.count(" ") >= 2 and (named or parts[-1].group().strip() in "|•»" or re.search(r"\.(?:com|net|org)\b", tail, re.I)):
            return head
    return title


def _published(tree: Any, metas: dict[str, str], linked: list[dict[str, Any]]) -> datetime | None:
    said = [metas.get(_DATES[0]), _first_of(linked, "datePublished"), *(metas.get(name) for name in _DATES[1:])]
    for selector in ('[itemprop="datePublished"]', "time[pubdate]", "article time[datetime]", "time[datetime]", *_DATE_BLOCKS):
        found = tree.document.query_selector(selector)
        if found is not None:
            said += [found.getattr("datetime"), found.getattr("content"), found.text]
    for text in said:
        micros = parse_text(text.strip()[:80]) if text else None
        if micros is not None:
            moment = EPOCH + timedelta(microseconds=micros)
            if moment.year >= _FIRST_YEAR:
                return moment
    return None


def _address(tree: Any, metas: dict[str, str], url: str | None) -> str | None:
    """The canonical address. One that names only the site, for a page that is not its front, is a mistake of the template."""
    link = tree.document.query_selector('link[rel~="canonical"][href]')
    for said in (link.getattr("href") if link is not None else None, metas.get("og:url"), url):
        try:
            address = urljoin(url or "", (said or "").strip())
            parts = urlsplit(address)
        except ValueError:
            continue
        if parts.scheme in ("http", "https") and parts.netloc and (parts.path.strip("/") or parts.query or not url or said == url):
            return str(address)
    return url


def _line(text: Any) -> str | None:
    return (" ".join(text.split()) or None) if isinstance(text, str) else None
