"""The Redis store on a real server: contract of stores, races, lost replies, unsuitable servers."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import socket
import threading
import time
import traceback

import numpy as np
import pytest

pytest.importorskip("redis", reason="needs the package redis: pip install 'dedup-news[redis]'")

import redis

from dedup.errors import ConfigError, InputError, OutputError
from dedup.index.redis import store as redis_store
from dedup.index.redis.connection import read_url
from dedup.index.redis.store import RedisStore
from dedup.index.store import WriteBatch, WriteConflict
from tests.index.redis.redis_server import MISSING, RedisServer, find_server
from tests.index.store_contract import SharedStoreContract, add, entry, found, postings, read, recent, words

pytestmark = pytest.mark.skipif(find_server() is None, reason=MISSING)


@pytest.fixture(scope="module")
def running():
    server = RedisServer()
    yield server
    server.close()


@pytest.fixture
def server(running):
    with redis.Redis.from_url(running.url) as client:
        client.flushall()
    return running


@pytest.fixture
def opened(server):
    stores = []

    def opener(mode="a", url=server.url, **settings):
        stores.append(RedisStore(url, {"window": 8}, mode, **settings))
        return stores[-1]

    yield opener
    for store in stores:
        store.close()


@pytest.fixture
def own_server():
    """A server with given settings, for one test."""
    servers = []

    def start(**settings):
        servers.append(RedisServer(**settings))
        return servers[-1]

    yield start
    for each in servers:
        each.close()


@pytest.fixture
def client(server):
    with redis.Redis.from_url(server.url) as client:
        yield client


class TestContract(SharedStoreContract):
    pass


# Addresses


@pytest.mark.parametrize(
    "url, prefix, shown",
    [
        ("redis://host:6379/2", "dedup", "redis://host:6379/2?prefix=dedup"),
        ("rediss://reader:geheim@host/0?prefix=news&ssl_cert_reqs=none", "news", "rediss://host/0?prefix=news"),
        ("unix://:geheim@/run/redis.sock?db=3", "dedup", "unix:///run/redis.sock?prefix=dedup"),
    ],
)
def test_urls_are_parsed_and_shown_without_credentials(url, prefix, shown):
    address = read_url(url)
    assert (address.prefix, address.display_url) == (prefix, shown)


@pytest.mark.parametrize(
    "url", ["http://host/0", "redis://", "redis://host?prefix=a b", "redis://host?prefix={a}", "redis://:geheim@host?decode_responses=1"]
)
def test_invalid_urls_are_refused(url):
    with pytest.raises(ConfigError) as error:
        read_url(url)
    assert "geheim" not in str(error.value)


@pytest.mark.parametrize(
    "url",
    [
        "redis://:ge#heim@host:6379/0",
        "redis://:ge/heim@host:6379/0",
        "redis://:ge?heim@host:6379/0",
        "redis://:geheim@ho\u2100st:6379/0",
        "redis://:geheim@[::1/0",
    ],
)
def test_messages_never_contain_an_unencoded_password(url):
    with pytest.raises(ConfigError) as error:
        read_url(url)
    assert str(error.value).startswith("redis://...: ") and "heim" not in "".join(traceback.format_exception_only(error.value))
    assert error.value.__cause__ is None and (error.value.__context__ is None or error.value.__suppress_context__)


def test_sockets_and_prefixes_select_separate_indexes(server, opened):
    here, there = opened(), opened(url=server.url + "?prefix=sport")
    add(here)
    same = opened(url=server.unix_url)
    assert (len(here), len(there), len(same)) == (1, 0, 1)


# Opening


def test_an_index_keeps_the_metadata_it_was_made_with(server):
    made = RedisStore(server.url, {"window": 8, "seed": [1, 2]}, "a")
    add(made)
    again = RedisStore(server.url, {"window": 9}, "a")
    assert again.metadata == made.metadata == {"window": 8, "seed": [1, 2]} and len(again) == 1
    replaced = RedisStore.open(server.url, {"window": 9}, "w", "process")
    assert replaced.metadata == {"window": 9} and len(replaced) == 0
    for asked in (lambda: made.sync(), lambda: found(made, [[1]]), lambda: made.commit(WriteBatch([entry(0)], words([])))):
        with pytest.raises(InputError, match="deleted or replaced"):
            asked()
    with redis.Redis.from_url(server.url) as client:
        assert client.dbsize() == 2  # metadata and identity


def test_reading_needs_an_index_and_changes_nothing(opened, client):
    with pytest.raises(InputError, match="no index"):
        opened("r")
    assert client.dbsize() == 0
    add(opened())
    reader = opened("r")
    assert len(reader) == 1
    for change in (lambda: reader.allocate(1), lambda: reader.commit(WriteBatch()), lambda: reader.compact()):
        with pytest.raises(OutputError, match="open for reading"):
            change()


@pytest.mark.parametrize("held", [b"\x80\x04K\x01.", b"[]", b'{"format": "other"}'])
@pytest.mark.parametrize("mode", ["r", "a", "w"])
def test_foreign_data_under_the_prefix_is_refused_and_not_touched(opened, client, held, mode):
    client.set("{dedup}:facts", held)
    with pytest.raises(InputError, match="something other than an index"):
        opened(mode)
    assert client.get("{dedup}:facts") == held


def test_a_key_of_another_type_is_refused(opened, client):
    client.rpush("{dedup}:facts", "1")
    with pytest.raises(InputError, match="something other than an index"):
        opened()


@pytest.mark.parametrize("version", [1, 99])
def test_another_version_is_refused_with_the_commands_that_make_the_index_again(opened, client, version):
    opened()
    metadata = json.loads(client.get("{dedup}:facts"))
    client.set("{dedup}:facts", json.dumps(metadata | {"version": version}))
    with pytest.raises(
        InputError, match=f"of format {version}, this version of dedup reads 2.*'dedup run INPUT... -o OUT', then 'dedup index build OUT"
    ):
        opened()


def test_an_index_without_its_identity_is_refused(opened, client):
    opened()
    root = json.loads(client.get("{dedup}:facts"))["root"]
    client.delete("{dedup}:" + root + "i")
    with pytest.raises(InputError, match="is incomplete"):
        opened()


def test_an_index_that_is_deleted_while_it_is_open_is_an_error(opened, client):
    store = opened()
    add(store)
    client.flushall()
    with pytest.raises(InputError, match="deleted or replaced"):
        add(store)
    assert client.dbsize() <= 1  # at most the counter of numbers


# Races


def _check_and_commit(url: str, articles: list[int], barrier, answers) -> None:
    """A minimal index: an article is a copy if its key has a posting, else it gets one."""
    store = RedisStore(url)
    store.sync()
    barrier.wait()
    for article in articles:
        number = store.allocate(1)
        while True:
            if store.all_numbers(article).size:
                answers.put((article, "skip"))
                break
            try:
                store.commit(WriteBatch([entry(number, doc_id=f"خبر-{article}")], words([(article, 1)]), **postings((article, number))))
                answers.put((article, "index"))
                break
            except WriteConflict:
                store.sync()
    store.close()


@pytest.mark.slow
def test_racing_writers_index_each_article_once(server, opened):
    store, articles, writers = opened(), list(range(1, 61)), 2
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(writers), context.Queue()
    processes = [context.Process(target=_check_and_commit, args=(server.url, articles, barrier, answers)) for _ in range(writers)]
    for process in processes:
        process.start()
    got = [answers.get(timeout=60) for _ in range(writers * len(articles))]
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    for article in articles:
        assert sorted(verdict for each, verdict in got if each == article) == ["index"] + ["skip"] * (writers - 1)
    assert len(store) == len(articles) and all(store.all_numbers(article).size == 1 for article in articles)


def test_concurrent_writers_lose_and_duplicate_nothing(server, opened):
    reader, writers, commits = opened(), 4, 40
    reader.sync()
    seen, done = [], []

    def write(writer: int) -> None:
        store = RedisStore(server.url)
        for at in range(commits):
            first = store.allocate(2)
            batch = WriteBatch(
                [entry(first), entry(first + 1)], words([(1, 1)], [(2, 2)]), **postings((77, first), (writer * 1_000 + at, first + 1))
            )
            while True:
                store.sync()
                try:
                    store.commit(batch)
                    break
                except WriteConflict:
                    continue
            done.extend([first, first + 1])
        store.close()

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(1, writers + 1)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        seen += reader.sync()[0]
        time.sleep(0.002)
    seen += reader.sync()[0]
    assert sorted(seen) == sorted(done) == recent(reader, 0) and len(done) == 2 * writers * commits == len(reader)
    numbers, _ = found(reader, [[77]], most=10_000)
    assert len(numbers[0]) == len(set(numbers[0])) == writers * commits
    assert all(reader.all_numbers(writer * 1_000 + at).size == 1 for writer in range(1, writers + 1) for at in range(commits))


# Lost replies


class Wire:
    """A proxy that drops the next ``lose`` replies and closes the connection instead."""

    def __init__(self, port: int) -> None:
        self.target, self.lose, self.lost = port, 0, 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._listening.getsockname()[1]}/0"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.target))
            threading.Thread(target=self._pass, args=(near, far, False), daemon=True).start()
            threading.Thread(target=self._pass, args=(far, near, True), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                if answers and self.lose > self.lost:
                    self.lost += 1
                    break
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def close(self) -> None:
        self._listening.close()


@pytest.fixture
def wire(server):
    wire = Wire(server.port)
    yield wire
    wire.close()


def _lose(wire: Wire, answers: int) -> None:
    wire.lost, wire.lose = 0, answers


@pytest.mark.parametrize("count", [1, 5_000], ids=["small", "in_parts"])
@pytest.mark.parametrize("losses", [1, 2, 3])
def test_a_commit_whose_reply_was_lost_is_applied_once(opened, wire, count, losses):
    store, other = opened(url=wire.url), opened()
    other.sync()
    add(store)
    first = store.allocate(count)
    pairs = [(key, first + at) for at in range(count) for key in (9, 10 + at, 1_000_000 + at)]
    _lose(wire, losses)
    store.commit(
        WriteBatch(
            [entry(first + at) for at in range(count)], words(*[[(1, 1)]] * count), **postings(*pairs), events=[{"event": "story_merged"}]
        )
    )
    assert wire.lost == losses
    assert store.sync() == ([], []) and len(store) == count + 1 and store.stats()["changes"] == 2
    numbers, _ = found(other, [[9], [10]], most=1 << 20)
    assert numbers == [list(range(first, first + count)), [first]]
    assert len(other.events(0)) == 1 and len(other.sync()[0]) == count + 1
    add(store)


def test_the_next_sync_reports_a_commit_whose_reply_was_lost(opened, wire):
    store = opened(url=wire.url)
    add(store)
    number = store.allocate(1)
    _lose(wire, 50)
    with pytest.raises(OutputError, match="cannot be reached|in time"):
        store.commit(WriteBatch([entry(number)], words([]), **postings((5, number))))
    _lose(wire, 0)
    assert store.sync() == ([number], []) and store.all_numbers(5).tolist() == [number]
    add(store)
    assert len(store) == 3


def test_reading_survives_a_broken_connection(opened, wire):
    store = opened(url=wire.url)
    number = add(store)
    for asked in (
        lambda: store.fetch([number]),
        lambda: store.sync(),
        lambda: found(store, [[1]]),
        lambda: len(store),
        lambda: store.allocate(1),
    ):
        _lose(wire, 1)
        asked()
        assert wire.lost == 1


# Falling behind


def test_a_reader_too_far_behind_gets_all_entries(opened, monkeypatch):
    monkeypatch.setattr(redis_store, "FEED", 5)
    one, other = opened(), opened()
    first = add(one, 3)
    other.sync()
    one.commit(WriteBatch(removed=[first]))
    for _ in range(5):
        add(one)
    changed, removed = other.sync()
    assert sorted(changed) == recent(one, 0) and len(changed) == 7 and removed == [first]
    add(one)
    assert len(other.sync()[0]) == 1


# Servers


def test_an_unreachable_server_is_reported_without_the_password():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(InputError, match="cannot be reached") as error:
        RedisStore(f"redis://user:ge%2Fheim@127.0.0.1:{port}/0")
    assert "heim" not in str(error.value) and f"127.0.0.1:{port}" in str(error.value)


def test_a_wrong_password_is_reported(own_server):
    server = own_server(requirepass="geheim")
    for url in (server.url, server.url.replace("127", ":falsch@127")):
        with pytest.raises(InputError, match="user and password") as error:
            RedisStore(url)
        assert "falsch" not in str(error.value)
    assert len(RedisStore(server.url.replace("127", ":geheim@127"))) == 0


@pytest.mark.parametrize("count", [1, 5_000], ids=["small", "in_parts"])
def test_a_server_out_of_memory_refuses_writes_and_loses_nothing(own_server, count):
    server = own_server()
    store = RedisStore(server.url)
    kept = add(store, 3)
    first = store.allocate(count)
    batch = WriteBatch(
        [entry(first + at) for at in range(count)],
        words(*[[(1, 1)]] * count),
        **postings(*((key, first + at) for at in range(count) for key in (1, 2, 3))),
    )
    with redis.Redis.from_url(server.url) as client:
        client.config_set("maxmemory", 1 << 20)
        client.config_set("maxmemory", client.info("memory")["used_memory"] // 2)
        before = client.dbsize()
        with pytest.raises(OutputError, match="memory is used up"):
            store.commit(batch)
        with pytest.raises(OutputError, match="memory is used up"):
            store.allocate(1)
        assert client.dbsize() == before and store.sync() == ([], []) and len(store) == 3 and store.fetch([kept])[0] is not None
        client.config_set("maxmemory", 0)
    store.commit(batch)
    assert len(store) == count + 3 and store.all_numbers(2).size == count


def test_documents_can_be_removed_when_the_server_is_out_of_memory(own_server):
    server = own_server()
    store = RedisStore(server.url)
    first = store.allocate(50)
    store.commit(
        WriteBatch([entry(first + at) for at in range(50)], words(*[[(1, 1)]] * 50), **postings(*((1, first + at) for at in range(50))))
    )
    with redis.Redis.from_url(server.url) as client:
        client.config_set("maxmemory", 1 << 20)
        client.config_set("maxmemory", client.info("memory")["used_memory"] // 2)
        store.commit(WriteBatch(removed=list(range(first, first + 20))))
        store.compact()
    assert len(store) == 30 and store.all_numbers(1).tolist() == list(range(first + 20, first + 50))
    assert store.stats()["removed_but_listed"] == 0


def test_a_server_that_evicts_keys_is_refused(own_server):
    server = own_server(maxmemory="100mb", maxmemory_policy="allkeys-lru")
    with pytest.raises(ConfigError, match="allkeys-lru"):
        RedisStore(server.url)


def test_a_cluster_is_refused(own_server):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = own_server(cluster_enabled="yes", cluster_port=str(port))
    with pytest.raises(ConfigError, match="Cluster"):
        RedisStore(server.url)


def test_a_restarted_server_continues_with_its_data(own_server):
    server = own_server(appendonly="yes", appendfsync="always")
    store = RedisStore(server.url)
    number = add(store)
    server.kill()
    with pytest.raises(InputError, match="cannot be reached"):
        store.sync()
    with pytest.raises(OutputError, match="cannot be reached"):
        store.commit(WriteBatch([entry(number + 1)], words([])))
    server.start()
    assert store.sync() == ([], []) and add(store) > number and len(store) == 2


def test_a_server_that_lost_recent_writes_is_noticed(own_server):
    server = own_server(dbfilename="dump.rdb")
    store, other = RedisStore(server.url), RedisStore(server.url)
    kept = add(store)
    other.sync()
    with redis.Redis.from_url(server.url) as client:
        client.save()
    lost = add(store)
    other.sync()
    mine = store.allocate(1)
    server.kill()
    server.start()
    with pytest.raises(WriteConflict):
        store.commit(WriteBatch([entry(mine)], words([])))
    assert store.sync() == ([kept], [])
    # Another writer was faster and got the lost number, and a change with the lost sequence number.
    again = RedisStore(server.url)
    again.sync()
    assert add(again) == lost
    changed, _ = other.sync()
    assert sorted(changed) == [kept, lost]
    store.sync()
    store._new.add(lost)
    with pytest.raises(OutputError, match="gave numbers twice"):
        store.commit(WriteBatch([entry(lost)], words([])))


@pytest.mark.parametrize("settings", [{}, {"appendonly": "yes", "appendfsync": "everysec"}, {"appendonly": "yes", "appendfsync": "always"}])
def test_durability_sync_needs_a_server_that_confirms_writes_to_disk(own_server, settings):
    server = own_server(**settings)
    with redis.Redis.from_url(server.url) as client:
        details = client.info("server")
    knows = "valkey_version" in details or tuple(map(int, details["redis_version"].split(".")[:2])) >= (7, 2)
    if settings.get("appendfsync") == "always" or (settings and knows):
        store = RedisStore(server.url, durability="sync")
        first = add(store, 2)
        server.kill()
        server.start()
        assert store.fetch([first + 1])[0] is not None and store.sync() == ([], [])
    else:
        with pytest.raises(ConfigError, match="appendonly yes"):
            RedisStore(server.url, durability="sync")


def test_a_missing_redis_package_is_reported(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "redis", None)
    with pytest.raises(ConfigError, match=r"pip install 'dedup-news\[redis\]'"):
        RedisStore("redis://127.0.0.1/0")


@pytest.mark.parametrize("settings", [{"mode": "x"}, {"durability": "often"}])
def test_unknown_modes_are_refused(settings):
    with pytest.raises(ConfigError, match="mode must be"):
        RedisStore("redis://127.0.0.1/0", **settings)


# Long buckets and compacting


def test_a_key_in_the_bucket_of_a_frequent_one_is_found(opened, monkeypatch):
    # All keys in one bucket, which is split several times.
    monkeypatch.setattr(redis_store, "split_keys", lambda keys: (np.zeros(len(keys), np.int64), keys.astype(np.int64)))
    monkeypatch.setattr("dedup.index.redis.codec.split_keys", redis_store.split_keys)
    store = opened()
    first = add(store, 6_000)
    store.commit(WriteBatch(**postings((1, first))))
    for start in range(0, 6_000, 500):
        store.commit(WriteBatch(**postings(*((2, first + at) for at in range(start, start + 500)), (3, first + start))))
    store.commit(WriteBatch(**postings((1, first + 5))))
    numbers, cut = found(store, [[1], [3], [2, 1]], most=50)
    assert numbers == [[first, first + 5], list(range(first, first + 6_000, 500)), sorted([first, first + 5, *range(first, first + 50)])]
    assert cut == [0, 0, 1] and store.all_numbers(2).tolist() == list(range(first, first + 6_000))


def test_compacting_drops_only_removed_documents_and_duplicates(opened, monkeypatch):
    store = opened()
    first = add(store, 2_500)
    store.commit(WriteBatch(**postings(*((4, first + at) for at in range(2_500)), (5, first), (5, first + 1), (6, first + 1))))
    store.commit(WriteBatch(**postings((5, first), (5, first + 2)), removed=[first + 1, first + 600, first + 2_499]))
    in_flight = store.allocate(1)
    store.commit(WriteBatch(**postings((5, in_flight))))
    store.compact()
    assert found(store, [[5], [6]]) == ([[first, first + 2, in_flight], []], [0, 0])
    assert store.all_numbers(4).tolist() == [number for number in range(first, first + 2_499) if number not in (first + 1, first + 600)]
    assert store.stats()["removed_but_listed"] == 0 and read(store.words([first + 2]))[0]
