"""An in-process client of an app around an index in a folder; the lifespan of the app runs."""

from __future__ import annotations

import pytest

pytest.importorskip("starlette", reason="the extra serve is not installed")

from starlette.testclient import TestClient

from dedup.index.index import Index
from dedup.serve import ServeSettings, create_app


@pytest.fixture
def index(tmp_path):
    with Index.open(tmp_path / "news.index", mode="a") as opened:
        yield opened


@pytest.fixture
def service(index):
    """Make a client of an app with given settings; exceptions become responses."""
    clients = []

    def make(**settings):
        client = TestClient(create_app(index, ServeSettings(**settings)), raise_server_exceptions=False)
        clients.append(client)
        return client.__enter__()

    yield make
    for client in clients:
        client.__exit__(None, None, None)


@pytest.fixture
def client(service):
    return service()
