"""A Scrapy item pipeline that drops copies before they reach your search engine or database.

Copy this file into your project and enable it in ``settings.py``, ahead of the pipeline that stores items (Scrapy 2.14 or
later):

    ITEM_PIPELINES = {"my_project.pipelines.DedupPipeline": 300, ...}
    DEDUP_INDEX = "news.index"      # a folder, or "redis://host:6379/0" where several crawlers run at once
    DEDUP_FIELDS = {"id": "url", "text": "body", "title": "headline", "published": "date", "source": "outlet", "url": "url"}
    DEDUP_COPIES = "drop"           # or "mark": copies and known pages pass, with dedup_action "skip"
    DEDUP_UPDATES = "keep"          # or "drop": a known page with a new text is dropped too
    DEDUP_KEEP = "90d"              # forget older documents; without it, none

``DEDUP_FIELDS`` maps the names of dedup to fields of an item. ``id`` identifies a page across crawls; its canonical URL is
best. Items that pass get ``dedup_action`` (``index``, ``update`` or ``skip``), ``dedup_reason``, ``canonical_id`` and
``story_id``; an ``Item`` or a dataclass must declare these fields.
"""

from __future__ import annotations

import logging
from typing import Any, Self

from itemadapter import ItemAdapter
from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem
from scrapy.settings import BaseSettings

import dedup

# Scrapy logs everything; Numba would log each instruction that it compiles, thousands of lines.
logging.getLogger("numba").setLevel(logging.WARNING)

FIELDS = {"id": "url", "text": "text", "title": "title", "published": "published", "source": "source", "url": "url"}


class DedupPipeline:
    """Ingest each item into the index, and drop it if it is a copy.

    The calls block the reactor on purpose. One takes about half a millisecond, less than parsing the page, and pages are
    decided in the order in which they arrive: of two copies, the first is the original. Threads (``deferToThread``) would
    leave that order to chance.
    """

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        self.path = settings.get("DEDUP_INDEX")
        if not self.path:
            # Not NotConfigured: Scrapy would continue without the pipeline and let every copy pass.
            raise ValueError("DEDUP_INDEX is not set. Name the folder of an index (created if missing) or a redis:// URL.")
        self.fields: dict[str, str] = settings.getdict("DEDUP_FIELDS") or FIELDS
        self.keep: str | None = settings.get("DEDUP_KEEP")
        self.drops_copies = _choice(settings, "DEDUP_COPIES", "drop", "mark") == "drop"
        self.drops_updates = _choice(settings, "DEDUP_UPDATES", "keep", "drop") == "drop"
        self.stats = crawler.stats
        self.index: Any = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Create the pipeline from the settings of a crawl."""
        pipeline = cls(crawler)
        crawler.signals.connect(pipeline.item_error, signals.item_error)
        return pipeline

    def open_spider(self) -> None:
        """Open the index, or create it."""
        self.index = dedup.Index.open(self.path, mode="a", keep=self.keep)

    def process_item(self, item: Any) -> Any:
        """Drop a copy with the reason of its verdict; write action, canonical and story into any other item."""
        fields = ItemAdapter(item)
        try:
            verdict = self.index.ingest({name: fields.get(field) for name, field in self.fields.items()})
        except dedup.InputError as error:
            self.stats.inc_value("dedup/rejected")
            raise DropItem(str(error), log_level="WARNING") from error
        self.stats.inc_value(f"dedup/{verdict.action}" + (f"/{verdict.kind}" if verdict.kind else ""))
        # A page may hold a second article; it passes if one of them does.
        articles = [verdict, *(part for part in verdict.parts if part.role == "embedded")]
        passed = next((article for article in articles if self.passes(article)), None)
        if passed is None:
            raise DropItem(verdict.reason, log_level="INFO")
        fields["dedup_action"] = passed.action
        fields["dedup_reason"] = passed.reason
        fields["canonical_id"] = passed.canonical_id
        fields["story_id"] = passed.story_id
        return item

    def passes(self, verdict: Any) -> bool:
        """Whether the settings let a document pass."""
        if verdict.action == "update" and self.drops_updates:
            return False
        return not self.drops_copies or (verdict.action != "skip" and verdict.status != "copy")

    def item_error(self, item: Any) -> None:
        """Remove an item that a later pipeline failed to store, so that the next crawl brings it again."""
        fields = ItemAdapter(item)
        if fields.get("dedup_action") in ("index", "update"):
            self.index.remove(fields[self.fields["id"]])

    def close_spider(self) -> None:
        """Close the index, so that others can write to it."""
        self.index.close()


def _choice(settings: BaseSettings, name: str, default: str, other: str) -> str:
    value = str(settings.get(name, default))
    if value not in (default, other):
        raise ValueError(f"{name} is {value!r}. It must be {default!r} or {other!r}.")
    return value
