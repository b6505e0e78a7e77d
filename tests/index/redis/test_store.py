@pytest.mark.slow
"""The shared index, on a real server: the contract of stores, races, lost answers, and servers that are foreign, full or gone."""
@pytest.mark.slow

@pytest.mark.slow
from __future__ import annotations
@pytest.mark.slow

@pytest.mark.slow
import contextlib
@pytest.mark.slow
import json
@pytest.mark.slow
import multiprocessing
@pytest.mark.slow
import socket
@pytest.mark.slow
import threading
@pytest.mark.slow
import time
@pytest.mark.slow
import traceback
@pytest.mark.slow

@pytest.mark.slow
import numpy as np
@pytest.mark.slow
import pytest
@pytest.mark.slow

@pytest.mark.slow
pytest.importorskip("redis", reason="needs the package redis: pip install 'dedup-news[redis]'")
@pytest.mark.slow

@pytest.mark.slow
import redis
@pytest.mark.slow

@pytest.mark.slow
from dedup.errors import ConfigError, InputError, OutputError
@pytest.mark.slow
from dedup.index.redis import store as redis_store
@pytest.mark.slow
from dedup.index.redis.connection import read_url
@pytest.mark.slow
from dedup.index.redis.store import RedisStore
@pytest.mark.slow
from dedup.index.store import WriteBatch, WriteConflict
@pytest.mark.slow
from tests.index.redis.redis_server import MISSING, RedisServer, find_server
@pytest.mark.slow
from tests.index.store_contract import SharedStoreContract, add, entry, found, postings, read, words
@pytest.mark.slow

@pytest.mark.slow
pytestmark = pytest.mark.skipif(find_server() is None, reason=MISSING)
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
@pytest.fixture(scope="module")
@pytest.mark.slow
def running():
@pytest.mark.slow
    server = RedisServer()
@pytest.mark.slow
    yield server
@pytest.mark.slow
    server.close()
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
@pytest.fixture
@pytest.mark.slow
def server(running):
@pytest.mark.slow
    with redis.Redis.from_url(running.url) as client:
@pytest.mark.slow
        client.flushall()
@pytest.mark.slow
    return running
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
@pytest.fixture
@pytest.mark.slow
def opened(server):
@pytest.mark.slow
    stores = []
@pytest.mark.slow

@pytest.mark.slow
    def opener(mode="a", url=server.url, **settings):
@pytest.mark.slow
        stores.append(RedisStore(url, {"window": 8}, mode, **settings))
@pytest.mark.slow
        return stores[-1]
@pytest.mark.slow

@pytest.mark.slow
    yield opener
@pytest.mark.slow
    for store in stores:
@pytest.mark.slow
        store.close()
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
@pytest.fixture
@pytest.mark.slow
def own_server():
@pytest.mark.slow
    """A server of the test's own, with the settings that it asks for."""
@pytest.mark.slow
    servers = []
@pytest.mark.slow

@pytest.mark.slow
    def start(**settings):
@pytest.mark.slow
        servers.append(RedisServer(**settings))
@pytest.mark.slow
        return servers[-1]
@pytest.mark.slow

@pytest.mark.slow
    yield start
@pytest.mark.slow
    for each in servers:
@pytest.mark.slow
        each.close()
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
@pytest.fixture
@pytest.mark.slow
def client(server):
@pytest.mark.slow
    with redis.Redis.from_url(server.url) as client:
@pytest.mark.slow
        yield client
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
class TestContract(SharedStoreContract):
@pytest.mark.slow
    pass
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
# Addresses
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
@pytest.mark.parametrize(
@pytest.mark.slow
    "url, prefix, shown",
@pytest.mark.slow
    [
@pytest.mark.slow
        ("redis://host:6379/2", "dedup", "redis://host:6379/2?prefix=dedup"),
@pytest.mark.slow
        ("rediss://reader:geheim@host/0?prefix=news&ssl_cert_reqs=none", "news", "rediss://host/0?prefix=news"),
@pytest.mark.slow
        ("unix://:geheim@/run/redis.sock?db=3", "dedup", "unix:///run/redis.sock?prefix=dedup"),
@pytest.mark.slow
    ],
@pytest.mark.slow
)
@pytest.mark.slow
def test_urls_are_parsed_and_shown_without_credentials(url, prefix, shown):
@pytest.mark.slow
    address = read_url(url)
@pytest.mark.slow
    assert (address.prefix, address.shown) == (prefix, shown)
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
@pytest.mark.parametrize(
@pytest.mark.slow
    "url", ["http://host/0", "redis://", "redis://host?prefix=a b", "redis://host?prefix={a}", "redis://:geheim@host?decode_responses=1"]
@pytest.mark.slow
)
@pytest.mark.slow
def test_invalid_urls_are_refused(url):
@pytest.mark.slow
    with pytest.raises(ConfigError) as error:
@pytest.mark.slow
        read_url(url)
@pytest.mark.slow
    assert "geheim" not in str(error.value)
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
@pytest.mark.parametrize(
@pytest.mark.slow
    "url",
@pytest.mark.slow
    [
@pytest.mark.slow
        "redis://:ge#heim@host:6379/0",
@pytest.mark.slow
        "redis://:ge/heim@host:6379/0",
@pytest.mark.slow
        "redis://:ge?heim@host:6379/0",
@pytest.mark.slow
        "redis://:geheim@ho\u2100st:6379/0",
@pytest.mark.slow
        "redis://:geheim@[::1/0",
@pytest.mark.slow
    ],
@pytest.mark.slow
)
@pytest.mark.slow
def test_messages_never_contain_an_unencoded_password(url):
@pytest.mark.slow
    with pytest.raises(ConfigError) as error:
@pytest.mark.slow
        read_url(url)
@pytest.mark.slow
    assert str(error.value).startswith("redis://...: ") and "heim" not in "".join(traceback.format_exception_only(error.value))
@pytest.mark.slow
    assert error.value.__cause__ is None and (error.value.__context__ is None or error.value.__suppress_context__)
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
def test_sockets_and_prefixes_select_separate_indexes(server, opened):
@pytest.mark.slow
    here, there = opened(), opened(url=server.url + "?prefix=sport")
@pytest.mark.slow
    add(here)
@pytest.mark.slow
    same = opened(url=server.unix_url)
@pytest.mark.slow
    assert (len(here), len(there), len(same)) == (1, 0, 1)
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
# Opening
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
def test_an_index_keeps_the_metadata_it_was_made_with(server):
@pytest.mark.slow
    made = RedisStore(server.url, {"window": 8, "seed": [1, 2]}, "a")
@pytest.mark.slow
    add(made)
@pytest.mark.slow
    again = RedisStore(server.url, {"window": 9}, "a")
@pytest.mark.slow
    assert again.metadata == made.metadata == {"window": 8, "seed": [1, 2]} and len(again) == 1
@pytest.mark.slow
    anew = RedisStore.open(server.url, {"window": 9}, "w", "process")
@pytest.mark.slow
    assert anew.metadata == {"window": 9} and len(anew) == 0
@pytest.mark.slow
    for asked in (lambda: made.sync(), lambda: found(made, [[1]]), lambda: made.commit(WriteBatch([entry(0)], words([])))):
@pytest.mark.slow
        with pytest.raises(InputError, match="made anew"):
@pytest.mark.slow
            asked()
@pytest.mark.slow
    with redis.Redis.from_url(server.url) as client:
@pytest.mark.slow
        assert client.dbsize() == 2  # facts and identity
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
def test_reading_needs_an_index_and_changes_nothing(opened, client):
@pytest.mark.slow
    with pytest.raises(InputError, match="no index"):
@pytest.mark.slow
        opened("r")
@pytest.mark.slow
    assert client.dbsize() == 0
@pytest.mark.slow
    add(opened())
@pytest.mark.slow
    reader = opened("r")
@pytest.mark.slow
    assert len(reader) == 1
@pytest.mark.slow
    for change in (lambda: reader.allocate(1), lambda: reader.commit(WriteBatch()), lambda: reader.compact()):
@pytest.mark.slow
        with pytest.raises(OutputError, match="open for reading"):
@pytest.mark.slow
            change()
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
@pytest.mark.parametrize("held", [b"\x80\x04K\x01.", b"[]", b'{"format": "other"}'])
@pytest.mark.slow
@pytest.mark.parametrize("mode", ["r", "a", "w"])
@pytest.mark.slow
def test_foreign_data_under_the_prefix_is_refused_and_not_touched(opened, client, held, mode):
@pytest.mark.slow
    client.set("{dedup}:facts", held)
@pytest.mark.slow
    with pytest.raises(InputError, match="something else than an index"):
@pytest.mark.slow
        opened(mode)
@pytest.mark.slow
    assert client.get("{dedup}:facts") == held
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
def test_a_key_of_another_type_is_refused(opened, client):
@pytest.mark.slow
    client.rpush("{dedup}:facts", "1")
@pytest.mark.slow
    with pytest.raises(InputError, match="something else than an index"):
@pytest.mark.slow
        opened()
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
def test_another_version_is_refused(opened, client):
@pytest.mark.slow
    opened()
@pytest.mark.slow
    metadata = json.loads(client.get("{dedup}:facts"))
@pytest.mark.slow
    client.set("{dedup}:facts", json.dumps(metadata | {"version": 99}))
@pytest.mark.slow
    with pytest.raises(InputError, match="of format 99"):
@pytest.mark.slow
        opened()
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
def test_an_index_without_its_identity_is_refused(opened, client):
@pytest.mark.slow
    opened()
@pytest.mark.slow
    root = json.loads(client.get("{dedup}:facts"))["root"]
@pytest.mark.slow
    client.delete("{dedup}:" + root + "i")
@pytest.mark.slow
    with pytest.raises(InputError, match="not whole"):
@pytest.mark.slow
        opened()
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
def test_an_index_that_is_deleted_while_it_is_open_is_an_error(opened, client):
@pytest.mark.slow
    store = opened()
@pytest.mark.slow
    add(store)
@pytest.mark.slow
    client.flushall()
@pytest.mark.slow
    with pytest.raises(InputError, match="deleted or made anew"):
@pytest.mark.slow
        add(store)
@pytest.mark.slow
    assert client.dbsize() <= 1  # the counter of numbers at most
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
# Races
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
def _check_and_commit(url: str, articles: list[int], barrier, answers) -> None:
@pytest.mark.slow
    """A small index: what the key of an article lists decides; whoever comes first lists it."""
@pytest.mark.slow
    store = RedisStore(url)
@pytest.mark.slow
    store.sync()
@pytest.mark.slow
    barrier.wait()
@pytest.mark.slow
    for article in articles:
@pytest.mark.slow
        number = store.allocate(1)
@pytest.mark.slow
        while True:
@pytest.mark.slow
            if store.all_numbers(article).size:
@pytest.mark.slow
                answers.put((article, "skip"))
@pytest.mark.slow
                break
@pytest.mark.slow
            try:
@pytest.mark.slow
                store.commit(WriteBatch([entry(number, doc_id=f"خبر-{article}")], words([(article, 1)]), **postings((article, number))))
@pytest.mark.slow
                answers.put((article, "index"))
@pytest.mark.slow
                break
@pytest.mark.slow
            except WriteConflict:
@pytest.mark.slow
                store.sync()
@pytest.mark.slow
    store.close()
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
def test_racing_writers_index_each_article_once(server, opened):
@pytest.mark.slow
    store, articles, writers = opened(), list(range(1, 61)), 2
@pytest.mark.slow
    context = multiprocessing.get_context("spawn")
@pytest.mark.slow
    barrier, answers = context.Barrier(writers), context.Queue()
@pytest.mark.slow
    processes = [context.Process(target=_check_and_commit, args=(server.url, articles, barrier, answers)) for _ in range(writers)]
@pytest.mark.slow
    for process in processes:
@pytest.mark.slow
        process.start()
@pytest.mark.slow
    got = [answers.get(timeout=60) for _ in range(writers * len(articles))]
@pytest.mark.slow
    for process in processes:
@pytest.mark.slow
        process.join(60)
@pytest.mark.slow
        assert process.exitcode == 0
@pytest.mark.slow
    for article in articles:
@pytest.mark.slow
        assert sorted(verdict for each, verdict in got if each == article) == ["index"] + ["skip"] * (writers - 1)
@pytest.mark.slow
    assert len(store) == len(articles) and all(store.all_numbers(article).size == 1 for article in articles)
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
def test_concurrent_writers_lose_and_duplicate_nothing(server, opened):
@pytest.mark.slow
    reader, writers, commits = opened(), 4, 40
@pytest.mark.slow
    reader.sync()
@pytest.mark.slow
    seen, done = [], []
@pytest.mark.slow

@pytest.mark.slow
    def write(writer: int) -> None:
@pytest.mark.slow
        store = RedisStore(server.url)
@pytest.mark.slow
        for at in range(commits):
@pytest.mark.slow
            first = store.allocate(2)
@pytest.mark.slow
            batch = WriteBatch(
@pytest.mark.slow
                [entry(first), entry(first + 1)], words([(1, 1)], [(2, 2)]), **postings((77, first), (writer * 1_000 + at, first + 1))
@pytest.mark.slow
            )
@pytest.mark.slow
            while True:
@pytest.mark.slow
                store.sync()
@pytest.mark.slow
                try:
@pytest.mark.slow
                    store.commit(batch)
@pytest.mark.slow
                    break
@pytest.mark.slow
                except WriteConflict:
@pytest.mark.slow
                    continue
@pytest.mark.slow
            done.extend([first, first + 1])
@pytest.mark.slow
        store.close()
@pytest.mark.slow

@pytest.mark.slow
    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(1, writers + 1)]
@pytest.mark.slow
    for thread in threads:
@pytest.mark.slow
        thread.start()
@pytest.mark.slow
    while any(thread.is_alive() for thread in threads):
@pytest.mark.slow
        seen += reader.sync()[0]
@pytest.mark.slow
        time.sleep(0.002)
@pytest.mark.slow
    seen += reader.sync()[0]
@pytest.mark.slow
    assert sorted(seen) == sorted(done) == reader.recent(0) and len(done) == 2 * writers * commits == len(reader)
@pytest.mark.slow
    numbers, _ = found(reader, [[77]], most=10_000)
@pytest.mark.slow
    assert len(numbers[0]) == len(set(numbers[0])) == writers * commits
@pytest.mark.slow
    assert all(reader.all_numbers(writer * 1_000 + at).size == 1 for writer in range(1, writers + 1) for at in range(commits))
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
# Answers that are lost
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
class Wire:
@pytest.mark.slow
    """Passes bytes between a client and the server; ``lose`` answers are swallowed, and the connection closed in their place."""
@pytest.mark.slow

@pytest.mark.slow
    def __init__(self, port: int) -> None:
@pytest.mark.slow
        self.target, self.lose, self.lost = port, 0, 0
@pytest.mark.slow
        self._listening = socket.create_server(("127.0.0.1", 0))
@pytest.mark.slow
        self.url = f"redis://127.0.0.1:{self._listening.getsockname()[1]}/0"
@pytest.mark.slow
        threading.Thread(target=self._accept, daemon=True).start()
@pytest.mark.slow

@pytest.mark.slow
    def _accept(self) -> None:
@pytest.mark.slow
        while True:
@pytest.mark.slow
            try:
@pytest.mark.slow
                near, _ = self._listening.accept()
@pytest.mark.slow
            except OSError:
@pytest.mark.slow
                return
@pytest.mark.slow
            far = socket.create_connection(("127.0.0.1", self.target))
@pytest.mark.slow
            threading.Thread(target=self._pass, args=(near, far, False), daemon=True).start()
@pytest.mark.slow
            threading.Thread(target=self._pass, args=(far, near, True), daemon=True).start()
@pytest.mark.slow

@pytest.mark.slow
    def _pass(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
@pytest.mark.slow
        with contextlib.suppress(OSError):
@pytest.mark.slow
            while data := source.recv(1 << 16):
@pytest.mark.slow
                if answers and self.lose > self.lost:
@pytest.mark.slow
                    self.lost += 1
@pytest.mark.slow
                    break
@pytest.mark.slow
                sink.sendall(data)
@pytest.mark.slow
        for end in (source, sink):
@pytest.mark.slow
            with contextlib.suppress(OSError):
@pytest.mark.slow
                end.shutdown(socket.SHUT_RDWR)
@pytest.mark.slow
            end.close()
@pytest.mark.slow

@pytest.mark.slow
    def close(self) -> None:
@pytest.mark.slow
        self._listening.close()
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
@pytest.fixture
@pytest.mark.slow
def wire(server):
@pytest.mark.slow
    wire = Wire(server.port)
@pytest.mark.slow
    yield wire
@pytest.mark.slow
    wire.close()
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
def _lose(wire: Wire, answers: int) -> None:
@pytest.mark.slow
    wire.lost, wire.lose = 0, answers
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 5_000], ids=["small", "in_parts"])
@pytest.mark.slow
@pytest.mark.parametrize("losses", [1, 2, 3])
@pytest.mark.slow
def test_a_commit_whose_reply_was_lost_is_applied_once(opened, wire, count, losses):
@pytest.mark.slow
    store, other = opened(url=wire.url), opened()
@pytest.mark.slow
    other.sync()
@pytest.mark.slow
    add(store)
@pytest.mark.slow
    first = store.allocate(count)
@pytest.mark.slow
    pairs = [(key, first + at) for at in range(count) for key in (9, 10 + at, 1_000_000 + at)]
@pytest.mark.slow
    _lose(wire, losses)
@pytest.mark.slow
    store.commit(
@pytest.mark.slow
        WriteBatch(
@pytest.mark.slow
            [entry(first + at) for at in range(count)], words(*[[(1, 1)]] * count), **postings(*pairs), events=[{"event": "story_merged"}]
@pytest.mark.slow
        )
@pytest.mark.slow
    )
@pytest.mark.slow
    assert wire.lost == losses
@pytest.mark.slow
    assert store.sync() == ([], []) and len(store) == count + 1 and store.stats()["changes"] == 2
@pytest.mark.slow
    numbers, _ = found(other, [[9], [10]], most=1 << 20)
@pytest.mark.slow
    assert numbers == [list(range(first, first + count)), [first]]
@pytest.mark.slow
    assert len(other.events(0)) == 1 and len(other.sync()[0]) == count + 1
@pytest.mark.slow
    add(store)
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
def test_the_next_sync_reports_a_commit_whose_reply_was_lost(opened, wire):
@pytest.mark.slow
    store = opened(url=wire.url)
@pytest.mark.slow
    add(store)
@pytest.mark.slow
    number = store.allocate(1)
@pytest.mark.slow
    _lose(wire, 50)
@pytest.mark.slow
    with pytest.raises(OutputError, match="cannot be reached|in time"):
@pytest.mark.slow
        store.commit(WriteBatch([entry(number)], words([]), **postings((5, number))))
@pytest.mark.slow
    _lose(wire, 0)
@pytest.mark.slow
    assert store.sync() == ([number], []) and store.all_numbers(5).tolist() == [number]
@pytest.mark.slow
    add(store)
@pytest.mark.slow
    assert len(store) == 3
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
def test_reading_survives_a_broken_connection(opened, wire):
@pytest.mark.slow
    store = opened(url=wire.url)
@pytest.mark.slow
    number = add(store)
@pytest.mark.slow
    for asked in (
@pytest.mark.slow
        lambda: store.fetch([number]),
@pytest.mark.slow
        lambda: store.sync(),
@pytest.mark.slow
        lambda: found(store, [[1]]),
@pytest.mark.slow
        lambda: len(store),
@pytest.mark.slow
        lambda: store.allocate(1),
@pytest.mark.slow
    ):
@pytest.mark.slow
        _lose(wire, 1)
@pytest.mark.slow
        asked()
@pytest.mark.slow
        assert wire.lost == 1
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
# Falling behind
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
def test_a_reader_too_far_behind_gets_all_entries(opened, monkeypatch):
@pytest.mark.slow
    monkeypatch.setattr(redis_store, "FEED", 5)
@pytest.mark.slow
    one, other = opened(), opened()
@pytest.mark.slow
    first = add(one, 3)
@pytest.mark.slow
    other.sync()
@pytest.mark.slow
    one.commit(WriteBatch(removed=[first]))
@pytest.mark.slow
    for _ in range(5):
@pytest.mark.slow
        add(one)
@pytest.mark.slow
    changed, removed = other.sync()
@pytest.mark.slow
    assert sorted(changed) == one.recent(0) and len(changed) == 7 and removed == [first]
@pytest.mark.slow
    add(one)
@pytest.mark.slow
    assert len(other.sync()[0]) == 1
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
# Servers
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
def test_an_unreachable_server_is_reported_without_the_password():
@pytest.mark.slow
    with socket.socket() as probe:
@pytest.mark.slow
        probe.bind(("127.0.0.1", 0))
@pytest.mark.slow
        port = probe.getsockname()[1]
@pytest.mark.slow
    with pytest.raises(InputError, match="cannot be reached") as error:
@pytest.mark.slow
        RedisStore(f"redis://user:ge%2Fheim@127.0.0.1:{port}/0")
@pytest.mark.slow
    assert "heim" not in str(error.value) and f"127.0.0.1:{port}" in str(error.value)
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
def test_a_wrong_password_is_reported(own_server):
@pytest.mark.slow
    server = own_server(requirepass="geheim")
@pytest.mark.slow
    for url in (server.url, server.url.replace("127", ":falsch@127")):
@pytest.mark.slow
        with pytest.raises(InputError, match="user and password") as error:
@pytest.mark.slow
            RedisStore(url)
@pytest.mark.slow
        assert "falsch" not in str(error.value)
@pytest.mark.slow
    assert len(RedisStore(server.url.replace("127", ":geheim@127"))) == 0
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 5_000], ids=["small", "in_parts"])
@pytest.mark.slow
def test_a_server_out_of_memory_refuses_writes_and_loses_nothing(own_server, count):
@pytest.mark.slow
    server = own_server()
@pytest.mark.slow
    store = RedisStore(server.url)
@pytest.mark.slow
    kept = add(store, 3)
@pytest.mark.slow
    first = store.allocate(count)
@pytest.mark.slow
    batch = WriteBatch(
@pytest.mark.slow
        [entry(first + at) for at in range(count)],
@pytest.mark.slow
        words(*[[(1, 1)]] * count),
@pytest.mark.slow
        **postings(*((key, first + at) for at in range(count) for key in (1, 2, 3))),
@pytest.mark.slow
    )
@pytest.mark.slow
    with redis.Redis.from_url(server.url) as client:
@pytest.mark.slow
        client.config_set("maxmemory", 1 << 20)
@pytest.mark.slow
        client.config_set("maxmemory", client.info("memory")["used_memory"] // 2)
@pytest.mark.slow
        before = client.dbsize()
@pytest.mark.slow
        with pytest.raises(OutputError, match="memory is used up"):
@pytest.mark.slow
            store.commit(batch)
@pytest.mark.slow
        with pytest.raises(OutputError, match="memory is used up"):
@pytest.mark.slow
            store.allocate(1)
@pytest.mark.slow
        assert client.dbsize() == before and store.sync() == ([], []) and len(store) == 3 and store.fetch([kept])[0] is not None
@pytest.mark.slow
        client.config_set("maxmemory", 0)
@pytest.mark.slow
    store.commit(batch)
@pytest.mark.slow
    assert len(store) == count + 3 and store.all_numbers(2).size == count
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
def test_documents_can_be_removed_when_the_server_is_out_of_memory(own_server):
@pytest.mark.slow
    server = own_server()
@pytest.mark.slow
    store = RedisStore(server.url)
@pytest.mark.slow
    first = store.allocate(50)
@pytest.mark.slow
    store.commit(
@pytest.mark.slow
        WriteBatch([entry(first + at) for at in range(50)], words(*[[(1, 1)]] * 50), **postings(*((1, first + at) for at in range(50))))
@pytest.mark.slow
    )
@pytest.mark.slow
    with redis.Redis.from_url(server.url) as client:
@pytest.mark.slow
        client.config_set("maxmemory", 1 << 20)
@pytest.mark.slow
        client.config_set("maxmemory", client.info("memory")["used_memory"] // 2)
@pytest.mark.slow
        store.commit(WriteBatch(removed=list(range(first, first + 20))))
@pytest.mark.slow
        store.compact()
@pytest.mark.slow
    assert len(store) == 30 and store.all_numbers(1).tolist() == list(range(first + 20, first + 50))
@pytest.mark.slow
    assert store.stats()["removed_but_listed"] == 0
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
def test_a_server_that_evicts_keys_is_refused(own_server):
@pytest.mark.slow
    server = own_server(maxmemory="100mb", maxmemory_policy="allkeys-lru")
@pytest.mark.slow
    with pytest.raises(ConfigError, match="allkeys-lru"):
@pytest.mark.slow
        RedisStore(server.url)
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
def test_a_cluster_is_refused(own_server):
@pytest.mark.slow
    with socket.socket() as probe:
@pytest.mark.slow
        probe.bind(("127.0.0.1", 0))
@pytest.mark.slow
        port = probe.getsockname()[1]
@pytest.mark.slow
    server = own_server(cluster_enabled="yes", cluster_port=str(port))
@pytest.mark.slow
    with pytest.raises(ConfigError, match="Cluster"):
@pytest.mark.slow
        RedisStore(server.url)
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
def test_a_restarted_server_continues_with_its_data(own_server):
@pytest.mark.slow
    server = own_server(appendonly="yes", appendfsync="always")
@pytest.mark.slow
    store = RedisStore(server.url)
@pytest.mark.slow
    number = add(store)
@pytest.mark.slow
    server.kill()
@pytest.mark.slow
    with pytest.raises(InputError, match="cannot be reached"):
@pytest.mark.slow
        store.sync()
@pytest.mark.slow
    with pytest.raises(OutputError, match="cannot be reached"):
@pytest.mark.slow
        store.commit(WriteBatch([entry(number + 1)], words([])))
@pytest.mark.slow
    server.start()
@pytest.mark.slow
    assert store.sync() == ([], []) and add(store) > number and len(store) == 2
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
def test_a_server_that_lost_recent_writes_is_noticed(own_server):
@pytest.mark.slow
    server = own_server(dbfilename="dump.rdb")
@pytest.mark.slow
    store, other = RedisStore(server.url), RedisStore(server.url)
@pytest.mark.slow
    kept = add(store)
@pytest.mark.slow
    other.sync()
@pytest.mark.slow
    with redis.Redis.from_url(server.url) as client:
@pytest.mark.slow
        client.save()
@pytest.mark.slow
    lost = add(store)
@pytest.mark.slow
    other.sync()
@pytest.mark.slow
    mine = store.allocate(1)
@pytest.mark.slow
    server.kill()
@pytest.mark.slow
    server.start()
@pytest.mark.slow
    with pytest.raises(WriteConflict):
@pytest.mark.slow
        store.commit(WriteBatch([entry(mine)], words([])))
@pytest.mark.slow
    assert store.sync() == ([kept], [])
@pytest.mark.slow
    # Another one came first and was given the number that is lost, and a change with the number of the one that is lost.
@pytest.mark.slow
    again = RedisStore(server.url)
@pytest.mark.slow
    again.sync()
@pytest.mark.slow
    assert add(again) == lost
@pytest.mark.slow
    changed, _ = other.sync()
@pytest.mark.slow
    assert sorted(changed) == [kept, lost]
@pytest.mark.slow
    store.sync()
@pytest.mark.slow
    store._new.add(lost)
@pytest.mark.slow
    with pytest.raises(OutputError, match="gave numbers twice"):
@pytest.mark.slow
        store.commit(WriteBatch([entry(lost)], words([])))
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
@pytest.mark.parametrize("settings", [{}, {"appendonly": "yes", "appendfsync": "everysec"}, {"appendonly": "yes", "appendfsync": "always"}])
@pytest.mark.slow
def test_durability_sync_needs_a_server_that_confirms_writes_to_disk(own_server, settings):
@pytest.mark.slow
    server = own_server(**settings)
@pytest.mark.slow
    with redis.Redis.from_url(server.url) as client:
@pytest.mark.slow
        details = client.info("server")
@pytest.mark.slow
    knows = "valkey_version" in details or tuple(map(int, details["redis_version"].split(".")[:2])) >= (7, 2)
@pytest.mark.slow
    if settings.get("appendfsync") == "always" or (settings and knows):
@pytest.mark.slow
        store = RedisStore(server.url, durability="sync")
@pytest.mark.slow
        first = add(store, 2)
@pytest.mark.slow
        server.kill()
@pytest.mark.slow
        server.start()
@pytest.mark.slow
        assert store.fetch([first + 1])[0] is not None and store.sync() == ([], [])
@pytest.mark.slow
    else:
@pytest.mark.slow
        with pytest.raises(ConfigError, match="appendonly yes"):
@pytest.mark.slow
            RedisStore(server.url, durability="sync")
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
def test_a_missing_redis_package_is_reported(monkeypatch):
@pytest.mark.slow
    monkeypatch.setitem(__import__("sys").modules, "redis", None)
@pytest.mark.slow
    with pytest.raises(ConfigError, match=r"pip install 'dedup-news\[redis\]'"):
@pytest.mark.slow
        RedisStore("redis://127.0.0.1/0")
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
@pytest.mark.parametrize("settings", [{"mode": "x"}, {"durability": "often"}])
@pytest.mark.slow
def test_unknown_modes_are_refused(settings):
@pytest.mark.slow
    with pytest.raises(ConfigError, match="mode must be"):
@pytest.mark.slow
        RedisStore("redis://127.0.0.1/0", **settings)
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
# Long lists and compacting
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
def test_a_key_in_the_bucket_of_a_frequent_one_is_found(opened, monkeypatch):
@pytest.mark.slow
    # All keys in one list, which is parted several times.
@pytest.mark.slow
    monkeypatch.setattr(redis_store, "placed", lambda keys: (np.zeros(len(keys), np.int64), keys.astype(np.int64)))
@pytest.mark.slow
    monkeypatch.setattr("dedup.index.redis.codec.placed", redis_store.placed)
@pytest.mark.slow
    store = opened()
@pytest.mark.slow
    first = add(store, 6_000)
@pytest.mark.slow
    store.commit(WriteBatch(**postings((1, first))))
@pytest.mark.slow
    for start in range(0, 6_000, 500):
@pytest.mark.slow
        store.commit(WriteBatch(**postings(*((2, first + at) for at in range(start, start + 500)), (3, first + start))))
@pytest.mark.slow
    store.commit(WriteBatch(**postings((1, first + 5))))
@pytest.mark.slow
    numbers, cut = found(store, [[1], [3], [2, 1]], most=50)
@pytest.mark.slow
    assert numbers == [[first, first + 5], list(range(first, first + 6_000, 500)), sorted([first, first + 5, *range(first, first + 50)])]
@pytest.mark.slow
    assert cut == [0, 0, 1] and store.all_numbers(2).tolist() == list(range(first, first + 6_000))
@pytest.mark.slow

@pytest.mark.slow

@pytest.mark.slow
def test_compacting_drops_only_removed_documents_and_duplicates(opened, monkeypatch):
@pytest.mark.slow
    store = opened()
@pytest.mark.slow
    first = add(store, 2_500)
@pytest.mark.slow
    store.commit(WriteBatch(**postings(*((4, first + at) for at in range(2_500)), (5, first), (5, first + 1), (6, first + 1))))
@pytest.mark.slow
    store.commit(WriteBatch(**postings((5, first), (5, first + 2)), removed=[first + 1, first + 600, first + 2_499]))
@pytest.mark.slow
    in_flight = store.allocate(1)
@pytest.mark.slow
    store.commit(WriteBatch(**postings((5, in_flight))))
@pytest.mark.slow
    store.compact()
@pytest.mark.slow
    assert found(store, [[5], [6]]) == ([[first, first + 2, in_flight], []], [0, 0])
@pytest.mark.slow
    assert store.all_numbers(4).tolist() == [number for number in range(first, first + 2_499) if number not in (first + 1, first + 600)]
@pytest.mark.slow
    assert store.stats()["removed_but_listed"] == 0 and read(store.words([first + 2]))[0]
