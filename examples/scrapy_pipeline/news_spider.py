"""A spider of news sites; the pipeline beside it drops copies.

scrapy runspider examples/scrapy_pipeline/news_spider.py -a start=https://news.example.com/ -s DEDUP_INDEX=news.index -o articles.jsonl
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import scrapy
from pipelines import DedupPipeline
from scrapy.http import Request, Response


@dataclass(repr=False)
class Article:
    """An item of the output feed; the pipeline fills in the last four fields."""

    url: str
    source: str | None
    title: str | None
    published: str | None
    text: str
    dedup_action: str | None = None
    dedup_reason: str | None = None
    canonical_id: str | None = None
    story_id: str | None = None

    def __repr__(self) -> str:
        """Show only the URL: Scrapy logs every dropped item."""
        return f"Article({self.url})"


class NewsSpider(scrapy.Spider):
    """Front pages (``-a start=URL,URL``) and the articles they link to."""

    name = "news"
    custom_settings = {
        "ITEM_PIPELINES": {DedupPipeline: 300},
        "FEED_EXPORT_ENCODING": "utf-8",
        "ROBOTSTXT_OBEY": True,
        # Pages in the order in which they are found; Scrapy's own order is last in, first out.
        "SCHEDULER_MEMORY_QUEUE": "scrapy.squeues.FifoMemoryQueue",
        "SCHEDULER_DISK_QUEUE": "scrapy.squeues.PickleFifoDiskQueue",
    }

    def __init__(self, start: str, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.start_urls = start.split(",")

    def parse(self, response: Response) -> Iterator[Request]:
        """Follow the articles of a front page, oldest first: the index takes the first text for the original."""
        for link in reversed(response.css("main a::attr(href)").getall()):
            yield response.follow(link, self.parse_article)

    def parse_article(self, response: Response) -> Iterator[Article]:
        """Extract the article, line by line.

        Lists of headlines inside the article (اقرأ أيضا) may stay in the text: dedup removes them.
        """
        lines = (" ".join(block.xpath("string()").get("").split()) for block in response.css("article p, article h3, article li"))
        yield Article(
            url=response.css("link[rel=canonical]::attr(href)").get(response.url),
            source=response.css("meta[property='og:site_name']::attr(content)").get(),
            title=response.css("h1::text").get(),
            published=response.css("meta[property='article:published_time']::attr(content)").get(),
            text="\n".join(line for line in lines if line),
        )
