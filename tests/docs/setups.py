"""What a page presumes: files of its own, a Redis server, an object store."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from tests.examples.bulk_endpoint import search_server
from tests.examples.news_site import outlets, serve
from tests.index.redis.redis_server import MISSING, RedisServer, find_server
from tests.object_stores import ENVIRONMENT
from tests.paths import CRAWL

from .blocks import World

Setup = Callable[[World, pytest.MonkeyPatch], AbstractContextManager[None]]


@contextmanager
def warc_files(world: World, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """Two crawl files of two pages, and one of extracted texts."""
    pytest.importorskip("warcio", reason="warcio is not installed (extra dev)")
    pytest.importorskip("resiliparse", reason="the extra crawl is not installed")
    from tests.readers.warc.warc_files import gz, html, response, warc_record, wet_record

    (world.folder / "crawl").mkdir()
    for name, numbers in (("a", (1, 2)), ("b", (3, 4))):
        records = [gz(warc_record("response", response(html(f"عنوان الصفحة رقم {number}")), number=number)) for number in numbers]
        (world.folder / "crawl" / f"{name}.warc.gz").write_bytes(b"".join(records))
    (world.folder / "texts.warc.wet.gz").write_bytes(gz(wet_record(5)))
    yield


@contextmanager
def html_files(world: World, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """HTML needs its extra."""
    pytest.importorskip("resiliparse", reason="the extra crawl is not installed")
    yield


@contextmanager
def object_store(world: World, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """An S3 server with the example crawl in three places."""
    moto = pytest.importorskip("moto.server", reason="moto[server] is not installed (extra dev), so there is no S3 server to test with")
    import pyarrow.fs as pf

    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        address = "http://{}:{}".format(*server.get_host_and_port())
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        world.replaced["http://127.0.0.1:9000"] = address
        files = pf.S3FileSystem(
            access_key="testing", secret_key="testing", endpoint_override=address, region="us-east-1", allow_bucket_creation=True
        )
        files.create_dir("results")
        files.create_dir("crawls")
        for key, name in (("2015/07/news.jsonl", "news.jsonl"), ("feed.csv", "more.csv"), ("2015/08/page.txt", "page.txt")):
            with files.open_output_stream(f"crawls/{key}", compression=None) as file:
                file.write((CRAWL / name).read_bytes())
        yield
    finally:
        server.stop()


@contextmanager
def redis(world: World, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """A Redis server."""
    pytest.importorskip("redis", reason="the extra redis is not installed")
    if find_server() is None:
        pytest.skip(MISSING)
    server = RedisServer()
    try:
        world.replaced["redis://127.0.0.1:6379/0"] = server.url
        yield
    finally:
        server.close()


@contextmanager
def service(world: World, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """The service needs its extra."""
    pytest.importorskip("uvicorn", reason="the extra serve is not installed")
    yield


@contextmanager
def search_engine(world: World, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """A server that takes bulk requests as OpenSearch does, and a file of today's articles."""
    (world.folder / "day.jsonl").write_bytes((CRAWL / "news.jsonl").read_bytes())
    with search_server() as server:
        world.replaced["https://localhost:9200"] = server.address
        yield
        assert server.created


@contextmanager
def news_site(world: World, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """A news site of one outlet, to be crawled."""
    pytest.importorskip("scrapy", reason="needs Scrapy, which is in the extra dev")
    with serve({"nil": outlets()["nil"]}) as address:
        world.replaced["https://news.example.com/"] = f"{address}/nil/"
        yield
        assert len((world.folder / "articles.jsonl").read_text(encoding="utf-8").splitlines()) == 2


SETUPS: dict[str, Setup] = {
    "README.md": service,
    "docs/how-to/html.md": html_files,
    "docs/how-to/http.md": service,
    "docs/how-to/object-stores.md": object_store,
    "docs/how-to/opensearch.md": search_engine,
    "docs/how-to/redis.md": redis,
    "docs/how-to/scrapy.md": news_site,
    "docs/how-to/warc.md": warc_files,
}
#: Pages that take more than a few seconds.
SLOW: set[str] = {f"docs/how-to/{name}.md" for name in ("before-indexing", "http", "object-stores", "opensearch", "scrapy")}


@contextmanager
def services(page: str, world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make what a page presumes, while its blocks run."""
    if page not in SETUPS:
        yield
        return
    with SETUPS[page](world, monkeypatch):
        yield
