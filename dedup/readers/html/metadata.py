"""Extracts the metadata of an HTML page: title, date, URL, outlet, author.

Several standards state each of these; the first readable one counts, more exact standards before
more common ones. Must run before ``main_text``, which modifies the tree.
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
#: Last resort: blocks with a visible date. Only these, for many sites print today's date above the
#: page.
_DATE_BLOCKS = tuple(
    f'{place}[class*="{name}" i]' for place, name in (("article ", "date"), ("", "publish"), ("", "posted-on"), ("", "post-date"))
)
_AUTHORS = ("author", "article:author", "parsely-author", "dc.creator", "byl")
#: A tag without meaning in text, which ``page`` inserts into long stretches before parsing, in
#: scripts too.
NOTHING = "wbr"
#: Separator between the headline and the name of the site: «عنوان الخبر - صحيفة الوئام», «... |
#: CNN».
_SITE_SUFFIX = re.compile(r"\s+(?:[|•»«:–—-]|::)\s+")
_MOST_HEADS = 20
_MOST_METAS, _MOST_JSON, _JSON_DEPTH = 400, 1 << 20, 6
#: An earlier date is a mistake, or the epoch.
_FIRST_YEAR = 1990


@dataclass(frozen=True)
class PageMetadata:
    """The metadata found; ``body`` is the text in JSON-LD, for pages without any other."""

    title: str | None
    published: datetime | None
    url: str | None
    source: str | None
    author: str | None
    body: str | None


def page_metadata(tree: Any, *, url: str | None) -> PageMetadata:
    """Read the metadata of a page.

    Parameters
    ----------
    tree : ``resiliparse.parse.html.HTMLTree``
    url : the URL that the page was fetched from, if known
    """
    metas = _meta_tags(tree)
    linked = list(_json_ld_objects(tree))
    address = _canonical_url(tree, metas, url)
    site = _single_line(metas.get("og:site_name")) or _single_line(_first_text(linked, "publisher", "name"))
    return PageMetadata(
        title=_title(tree, metas, linked, site),
        published=_published(tree, metas, linked),
        url=address,
        source=site or host(address),
        author=next((found for name in _AUTHORS if (found := _single_line(metas.get(name))) and "://" not in found), None)
        or _single_line(_first_text(linked, "author", "name")),
        body=_first_text(linked, "articleBody"),
    )


def host(url: str | None) -> str | None:
    """The host of a URL, without ``www.``."""
    try:
        return (urlsplit(url or "").hostname or "").removeprefix("www.") or None
    except ValueError:  # a URL like http://[a
        return None


def _meta_tags(tree: Any) -> dict[str, str]:
    """Property or name, in lower case -> content of the first ``<meta>`` that has it."""
    metas: dict[str, str] = {}
    for meta in select(tree.document, "meta[content]")[:_MOST_METAS]:
        names = meta.getattr("property") or meta.getattr("name") or meta.getattr("itemprop") or ""
        for name in names.lower().split():
            metas.setdefault(name, meta.getattr("content") or "")
    return metas


def _json_ld_objects(tree: Any) -> Iterator[dict[str, Any]]:
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


def _first_text(objects: list[dict[str, Any]], *path: str) -> str | None:
    """The first text at a path of keys; of a list, the first element counts."""
    for item in objects:
        value: Any = item
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
            value = value[0] if isinstance(value, list) and value else value
        if isinstance(value, str) and value.strip():
            return value
    return None


def _title(tree: Any, metas: dict[str, str], linked: list[dict[str, Any]], site: str | None) -> str | None:
    heads = [line for head in select(tree.document, "h1")[:_MOST_HEADS] if (line := _single_line(head.text))]
    title = _single_line(tree.title)
    named = _single_line(metas.get("og:title")) or _single_line(_first_text(linked, "headline")) or (heads[0] if len(heads) == 1 else None)
    return _without_site(named or title or (heads[0] if heads else None), site, heads)


def _without_site(title: str | None, site: str | None, heads: list[str]) -> str | None:
    """A title without the name of the site at its end; an ``<h1>`` may show where it ends."""
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
    said = [metas.get(_DATES[0]), _first_text(linked, "datePublished"), *(metas.get(name) for name in _DATES[1:])]
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


def _canonical_url(tree: Any, metas: dict[str, str], url: str | None) -> str | None:
    """The canonical URL; one without a path is a mistake, except on a front page."""
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


def _single_line(text: Any) -> str | None:
    return (" ".join(text.split()) or None) if isinstance(text, str) else None
