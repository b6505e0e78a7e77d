"""The Scrapy example on a small site on loopback, in a process of its own: a reactor cannot be started twice."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.paths import ROOT

from .news_site import LIBRARY, LIBRARY_RETITLED, LIBRARY_UPDATED, Page, outlets, serve

pytest.importorskip("scrapy", reason="needs Scrapy, which is in the extra dev")

pytestmark = pytest.mark.slow
SPIDER = ROOT / "examples" / "scrapy_pipeline" / "news_spider.py"

#: Page -> (kind, original), for pages read outlet by outlet, oldest first.
COPIES = {
    "dif-01": ("near", "nil-01"),
    "dif-02": ("excerpt", "ufq-01"),
    "mar-01": ("exact", "ufq-01"),
    "mir-01": ("excerpt", "nil-01"),
    "mir-02": ("near", "mar-03"),
    "raf-01": ("exact", "nil-01"),
    "wah-77": ("exact", "mid-01"),
}


@dataclass
class Crawl:
    """Items of the feed by URL, reasons of dropped items by URL, and the log of a crawl."""

    feed: dict[str, dict[str, Any]]
    dropped: dict[str, str]
    log: str


def crawl(site: dict[str, list[Page]], folder: Path, *settings: str) -> Crawl:
    """Run the spider over all outlets, one page at a time, so that the order of pages is fixed."""
    feed = folder / "articles.jsonl"
    options = [argument for setting in ("DEDUP_INDEX=news.index", "CONCURRENT_REQUESTS=1", *settings) for argument in ("-s", setting)]
    with serve(site) as address:
        fronts = ",".join(f"{address}/{outlet}/" for outlet in site)
        run = subprocess.run(
            [sys.executable, "-m", "scrapy", "runspider", str(SPIDER), "-a", f"start={fronts}", "-O", str(feed), *options],
            cwd=folder,
            env=os.environ
            | {"PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])), "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=300,
        )
    assert run.returncode == 0, run.stderr
    items = [json.loads(line) for line in feed.read_text(encoding="utf-8").splitlines()]
    dropped = re.findall(r"Dropped: (.*)\nArticle\((.*)\)", run.stderr)
    return Crawl({item["url"]: item for item in items}, {url: reason for reason, url in dropped}, run.stderr)


@pytest.fixture(scope="module")
def urls() -> dict[str, str]:
    return {page.name: page.url for pages in outlets().values() for page in pages}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("crawls")


@pytest.fixture(scope="module")
def first(folder: Path) -> Crawl:
    return crawl(outlets(), folder)


@pytest.fixture(scope="module")
def second(folder: Path, first: Crawl) -> Crawl:
    """The next day: one article was rewritten, and a new one changes the headline lists of its neighbours."""
    site = outlets()
    site["mid"] = [LIBRARY_UPDATED]
    site["nil"].append(
        Page(
            "nil-99",
            "النيل اليوم",
            "https://nil-alyawm.example.org/news/4199",
            "جسر خشبي جديد للمشاة فوق ترعة البساتين",
            "2025-03-08T07:00:00Z",
            "افتتح أهالي حي البساتين جسرا خشبيا للمشاة فوق الترعة، بناه نجارو الحي في ستة أسابيع بتبرعات أصحاب المتاجر.\n"
            "ويختصر الجسر طريق تلاميذ المدرسة الإعدادية ربع ساعة، وقد علقت البلدية على طرفيه مصابيح تعمل بالطاقة الشمسية.",
        )
    )
    return crawl(site, folder)


def test_each_copy_is_dropped_and_the_reason_names_its_original(first: Crawl, urls: dict[str, str]) -> None:
    assert set(first.dropped) == {urls[name] for name in COPIES}
    for name, (_, original) in COPIES.items():
        assert urls[original] in first.dropped[urls[name]]


def test_all_other_pages_reach_the_feed_with_their_story(first: Crawl, urls: dict[str, str]) -> None:
    assert set(first.feed) == set(urls.values()) - {urls[name] for name in COPIES}
    for url, item in first.feed.items():
        assert (item["dedup_action"], item["canonical_id"]) == ("index", url)
        assert item["story_id"]
    # Two outlets report one earthquake in their own words; two weather bulletins share a template and are two articles.
    assert first.feed[urls["nil-02"]]["story_id"] == first.feed[urls["ufq-01"]]["story_id"]
    others = ["nil-01", "ufq-01", "mid-01", "mar-03", "mir-90"]
    assert len({first.feed[urls[name]]["story_id"] for name in others}) == len(others)
    assert {urls["dif-06"], urls["dif-07"]} <= set(first.feed)


def test_the_statistics_of_the_crawl_hold_the_counts(first: Crawl) -> None:
    for count in (
        "'dedup/index': 8",
        "'dedup/skip/exact': 3",
        "'dedup/skip/near': 2",
        "'dedup/skip/excerpt': 2",
        "'item_dropped_count': 7",
    ):
        assert count in first.log


def test_the_log_has_no_deprecation_and_no_error(first: Crawl, second: Crawl) -> None:
    for run in (first, second):
        assert "Deprecat" not in run.log
        assert not re.search(r"\] (WARNING|ERROR|CRITICAL)", run.log)
        assert "Traceback" not in run.log


def test_a_second_crawl_passes_new_and_updated_pages_and_drops_known_ones(second: Crawl, urls: dict[str, str]) -> None:
    assert {url: item["dedup_action"] for url, item in second.feed.items()} == {
        LIBRARY.url: "update",
        "https://nil-alyawm.example.org/news/4199": "index",
    }
    assert "52 ألف كتاب" in second.feed[LIBRARY.url]["text"]
    assert set(second.dropped) == set(urls.values()) - {LIBRARY.url}


def test_an_update_keeps_its_story(first: Crawl, second: Crawl) -> None:
    assert second.feed[LIBRARY.url]["story_id"] == first.feed[LIBRARY.url]["story_id"]


def test_marked_copies_pass_with_their_canonical(tmp_path: Path, urls: dict[str, str]) -> None:
    run = crawl(outlets(), tmp_path, "DEDUP_COPIES=mark")
    assert not run.dropped
    marked = {url: item["canonical_id"] for url, item in run.feed.items() if item["dedup_action"] == "skip"}
    assert marked == {urls[name]: urls[original] for name, (_, original) in COPIES.items()}


def test_updates_can_be_dropped_and_fields_renamed(tmp_path: Path) -> None:
    fields = json.dumps({"id": "url", "text": "text", "published": "published"})
    crawl({"mid": [LIBRARY]}, tmp_path, f"DEDUP_FIELDS={fields}")
    run = crawl({"mid": [LIBRARY_UPDATED], "wah": [LIBRARY_RETITLED]}, tmp_path, f"DEDUP_FIELDS={fields}", "DEDUP_UPDATES=drop")
    assert LIBRARY.url in run.dropped


def test_a_page_without_words_is_dropped_with_a_warning(tmp_path: Path) -> None:
    from dataclasses import replace

    run = crawl({"mid": [replace(LIBRARY, text="", title="")]}, tmp_path)
    assert not run.feed
    assert re.search(r"WARNING: Dropped: .*neither text nor title", run.log)
