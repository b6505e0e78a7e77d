"""A local S3 server (moto) with a bucket for each test."""

from __future__ import annotations

import itertools
import logging

import pyarrow.fs as pf
import pytest

from dedup.storage import remote
from tests.object_stores import ENVIRONMENT, BadStore

_numbers = itertools.count()


class Bucket:
    """A bucket, filled and inspected with pyarrow's own file system, independently of dedup."""

    def __init__(self, files, name):
        self._files, self.name, self.url = files, name, f"s3://{name}"
        files.create_dir(name)

    def put(self, key, content):
        with self._files.open_output_stream(f"{self.name}/{key}", compression=None) as file:
            file.write(content)
        return f"{self.url}/{key}"

    def get(self, key):
        with self._files.open_input_file(f"{self.name}/{key}") as file:
            return file.read()

    def delete(self, key):
        self._files.delete_file(f"{self.name}/{key}")

    def keys(self, folder=""):
        selector = pf.FileSelector(f"{self.name}/{folder}".rstrip("/"), recursive=True, allow_not_found=True)
        found = [info.path.removeprefix(f"{self.name}/") for info in self._files.get_file_info(selector) if info.type == pf.FileType.File]
        return sorted(key.removeprefix(f"{folder}/") for key in found)


@pytest.fixture(scope="session")
def moto():
    server = pytest.importorskip("moto.server", reason="moto[server] is not installed (extra dev), so there is no S3 server to test with")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    yield "http://{}:{}".format(*running.get_host_and_port())
    running.stop()


@pytest.fixture
def environment(monkeypatch, tmp_path):
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return monkeypatch


@pytest.fixture
def bucket(moto, environment):
    environment.setenv("AWS_ENDPOINT_URL", moto)
    files = pf.S3FileSystem(
        access_key="testing", secret_key="testing", endpoint_override=moto, region="us-east-1", allow_bucket_creation=True
    )
    return Bucket(files, f"bucket-{next(_numbers)}")


@pytest.fixture
def bad_store(environment):
    """Make a misbehaving store; timeouts are short."""
    stores = []

    def make(content, mode):
        store = BadStore(content)
        stores.append(store)
        store.mode = mode
        environment.setenv("AWS_ENDPOINT_URL", store.url)
        return store

    environment.setattr(remote, "SILENCE", 2.0)
    environment.setattr(remote, "ATTEMPTS", 2)
    yield make
    for store in stores:
        store.close()
