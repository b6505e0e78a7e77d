"""Inputs in an object store: files, folders, globs, streaming, and all that can go wrong."""

from __future__ import annotations

import gzip
import hashlib
import importlib
import json
import socket
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dedup.config import Config
from dedup.errors import InputError
from dedup.readers import ReadLog, discover, read_files
from dedup.storage import remote
from tests.readers.warc.warc_files import gz, wet_record

ROWS = [{"id": f"d{i}", "text": f"قال المتحدث الرسمي إن الحادث رقم {i} وقع صباح اليوم في وسط المدينة"} for i in range(4)]
JSONL = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode()
IDS = [row["id"] for row in ROWS]


def read(*inputs):
    log = ReadLog()
    batches = list(read_files(inputs, config=Config(), log=log))
    pages = [page for batch in batches for page in batch.pages.to_pylist()]
    rejects = [reject for batch in batches for reject in batch.rejects.to_pylist()]
    return pages, rejects, log


def names(*inputs):
    return [source.name for source in discover(inputs)]


def parquet():
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(ROWS), sink)
    return sink.getvalue().to_pybytes()


def csv():
    return ("id,text\n" + "".join(f"{row['id']},{row['text']}\n" for row in ROWS)).encode()


def zst(content):
    return pa.compress(content, codec="zstd", asbytes=True)


# What is read


@pytest.mark.parametrize(
    "name, content",
    [
        ("a.jsonl", JSONL),
        ("a.jsonl.gz", gzip.compress(JSONL, mtime=0)),
        ("a.jsonl.zst", zst(JSONL)),
        ("a.csv", csv()),
        ("a.parquet", parquet()),
    ],
)
def test_a_remote_file_is_read_like_a_local_one(bucket, tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert read(bucket.put(f"crawl/{name}", content))[:2] == read(tmp_path / name)[:2]
    pages, rejects, _ = read(f"{bucket.url}/crawl/{name}")
    assert [page["page_id"] for page in pages] == IDS and rejects == []


def test_damaged_records_of_a_remote_crawl_are_skipped(bucket):
    pytest.importorskip("resiliparse", reason="the extra crawl is not installed")
    members = [gz(wet_record(number)) for number in range(3)]
    members[1] = members[1][:40] + b"\0" * 8 + members[1][48:]
    pages, rejects, log = read(bucket.put("a.warc.wet.gz", b"".join(members)))
    assert [page["input_row"] for page in pages] == [0, 2]
    assert [reject["reason"] for reject in rejects] == ["damaged_member"]


def test_the_digest_is_of_the_bytes_read_and_parquet_uses_the_etag(bucket):
    packed = gzip.compress(JSONL)
    _, _, log = read(bucket.put("a.jsonl.gz", packed), bucket.put("b.parquet", parquet()))
    first, second = log.inputs
    assert (first["bytes"], first["sha256"]) == (len(packed), hashlib.sha256(packed).hexdigest())
    assert (second["bytes"], second["sha256"]) == (len(parquet()), None)
    assert all(entry["etag"] and '"' not in entry["etag"] for entry in (first, second))


def test_a_folder_is_read_and_hidden_and_unknown_files_are_reported(bucket):
    for key in ("in/b/2.jsonl", "in/a.jsonl", "in/.hidden.jsonl", "in/.git/x.jsonl", "in/_SUCCESS", "other.jsonl"):
        bucket.put(key, JSONL)
    assert names(f"{bucket.url}/in") == names(f"{bucket.url}/in/") == ["a.jsonl", "b/2.jsonl"]
    _, _, log = read(f"{bucket.url}/in")
    assert any("1 file skipped, its suffix is not read" in warning for warning in log.warnings())
    assert any("2 hidden files" in warning for warning in log.warnings())
    assert names(bucket.url) == ["in/a.jsonl", "in/b/2.jsonl", "other.jsonl"]


@pytest.mark.parametrize(
    "pattern, expected",
    [
        ("2024/*.jsonl", ["1.jsonl", "2.jsonl"]),
        ("20*/*.jsonl", ["2024/1.jsonl", "2024/2.jsonl", "2025/1.jsonl"]),
        ("202?/[1x].jsonl", ["2024/1.jsonl", "2025/1.jsonl"]),
        ("**/1.jsonl", ["2024/1.jsonl", "2025/1.jsonl", "2025/deep/1.jsonl"]),
        ("2025/**", ["1.jsonl", "deep/1.jsonl", "deep/2.jsonl"]),
        ("20*", ["2024/1.jsonl", "2024/2.jsonl", "2025/1.jsonl", "2025/deep/1.jsonl", "2025/deep/2.jsonl"]),
    ],
)
def test_remote_globs_match_like_local_ones(bucket, tmp_path, pattern, expected):
    for key in ("2024/1.jsonl", "2024/2.jsonl", "2025/1.jsonl", "2025/deep/1.jsonl", "2025/deep/2.jsonl", "2025/.x/1.jsonl", "log/x.jsonl"):
        bucket.put(key, JSONL)
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / key).write_bytes(JSONL)
    assert names(f"{bucket.url}/{pattern}") == names(f"{tmp_path}/{pattern}") == expected


def test_arabic_names_spaces_and_percent_signs_are_taken_literally(bucket):
    for name in ("أخبار ٢٠٢٤.jsonl", "50%20 off+.jsonl", "a[1].jsonl"):
        bucket.put(name, JSONL)
        assert names(f"{bucket.url}/{name}") == [name]


def test_repeated_inputs_are_read_once_and_equal_names_are_told_apart(bucket, tmp_path):
    one, two = bucket.put("x/a.jsonl", JSONL), bucket.put("y/a.jsonl", JSONL)
    assert names(one, f"{bucket.url}/x/*.jsonl") == ["a.jsonl"]
    assert names(one, two) == [one, two]


def test_endpoint_and_region_in_the_url_are_used_and_hidden(bucket, moto, environment):
    bucket.put("a?.jsonl", JSONL)
    environment.delenv("AWS_ENDPOINT_URL")
    environment.delenv("AWS_DEFAULT_REGION")
    host = moto.removeprefix("http://")
    (source,) = discover([f"{bucket.url}/a?.jsonl?region=us-east-1&scheme=http&endpoint_override={host}"])
    assert source.path == f"{bucket.url}/a?.jsonl"
    assert b"".join(source.chunks()) == JSONL


def test_a_large_file_is_read_in_blocks_and_never_whole(bucket, environment):
    environment.setattr(remote, "BLOCK", 1 << 16)
    content = bytes(range(256)) * 1024 + b"end"
    stream = remote.locate(bucket.put("a.bin", content)).stream()
    pieces = []
    while piece := stream.read(1 << 20):
        pieces.append(piece)
    assert b"".join(pieces) == content
    assert max(map(len, pieces)) <= 1 << 16


# What can be wrong


@pytest.mark.parametrize(
    "url, said",
    [
        ("{bucket}/none.jsonl", "no such file or folder"),
        ("{bucket}/none/*.jsonl", "the pattern gives nothing"),
        ("{bucket}/x.pdf", "only files with other suffixes (.pdf)"),
        ("s3://no-such-bucket/a.jsonl", "no bucket 'no-such-bucket'"),
        ("s3://no-such-bucket/*.jsonl", "no bucket 'no-such-bucket'"),
        ("s3://no-such-bucket", "no bucket 'no-such-bucket'"),
        ("s3://buck*/a.jsonl", "Name one bucket"),
        ("s3:///a.jsonl", "names no bucket"),
        ("{bucket}/a.jsonl?regoin=eu-west-1", "the option 'regoin' is unknown, known are"),
    ],
)
def test_missing_or_misspelt_inputs_are_reported_before_reading(bucket, url, said):
    bucket.put("x.pdf", b"x")
    with pytest.raises(InputError) as raised:
        discover([url.format(bucket=bucket.url)])
    assert said in str(raised.value)
    assert str(raised.value).count("\n") == 0


def test_messages_never_contain_secrets_of_a_url(bucket):
    for url in ("s3://AKIA:geheim@no-such-bucket/a", "s3://no-such-bucket/a?access_key=AKIA&secret_key=geheim", "s3://AKIA:geheim@b/a?x=1"):
        with pytest.raises(InputError) as raised:
            discover([url])
        assert "geheim" not in str(raised.value) and "AKIA" not in str(raised.value)


def test_denied_access_is_reported_with_what_to_check(bad_store):
    bad_store(b"", "denied")
    for url in ("s3://bucket/a.jsonl", "s3://bucket/in/*.jsonl", "s3://bucket"):
        with pytest.raises(InputError, match=r"access is denied. Check the credentials \(for S3: AWS_ACCESS_KEY_ID"):
            discover([url])


def test_an_unreachable_server_is_reported_with_what_to_check(environment):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        environment.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{taken.getsockname()[1]}")
        environment.setattr(remote, "ATTEMPTS", 2)
        with pytest.raises(InputError, match="the server cannot be reached. Check the network, and AWS_ENDPOINT_URL"):
            discover(["s3://bucket/a.jsonl"])


@pytest.mark.parametrize("mode, said", [("closes", "the connection broke off"), ("silent", "the server did not answer, or fell silent")])
@pytest.mark.parametrize("suffix", [".jsonl", ".parquet", ".warc.wet.gz"])
def test_an_interrupted_file_is_a_reject_and_never_hangs(bad_store, mode, said, suffix):
    store = bad_store({".jsonl": JSONL, ".parquet": parquet(), ".warc.wet.gz": gz(wet_record(1))}[suffix], mode)
    begun = time.monotonic()
    pages, (reject,), log = read(f"s3://bucket/a{suffix}")
    assert (reject["reason"], pages) == ("unreadable_file", [])
    assert reject["detail"].startswith(said)
    assert log.inputs[0]["sha256"] is None
    assert store.asked["GET"] <= 4
    assert time.monotonic() - begun < 20


def test_pages_read_before_an_interruption_are_kept(bad_store, environment):
    environment.setattr(remote, "BLOCK", 256)
    store = bad_store(JSONL, "good")
    (source,) = discover(["s3://bucket/a.jsonl"])
    chunks = source.chunks()
    assert next(chunks) == JSONL[:256]
    store.mode = "closes"
    with pytest.raises(OSError, match="the connection broke off"):
        next(chunks)


def test_a_broken_connection_is_retried(bad_store):
    store = bad_store(JSONL, "closes_once")
    pages, rejects, _ = read("s3://bucket/a.jsonl")
    assert [page["page_id"] for page in pages] == IDS and rejects == []
    assert store.asked["GET"] == 2


def test_a_file_changed_during_reading_is_reported(bad_store, environment):
    environment.setattr(remote, "BLOCK", 256)
    bad_store(JSONL, "changes")
    pages, (reject,), _ = read("s3://bucket/a.jsonl")
    assert reject["reason"] == "truncated_file" and "it was changed while it was read" in reject["detail"]


def test_one_interrupted_file_does_not_end_the_run(bad_store, tmp_path):
    bad_store(JSONL, "closes")
    (tmp_path / "b.jsonl").write_bytes(JSONL)
    pages, rejects, _ = read("s3://bucket/a.jsonl", tmp_path / "b.jsonl")
    assert len(pages) == 4 and [reject["input_file"] for reject in rejects] == ["a.jsonl"]


def test_a_file_shorter_than_its_size_is_reported(bucket):
    stream = remote.locate(bucket.put("a.jsonl", JSONL)).stream()
    stream._size += 1
    with pytest.raises(OSError, match=rf"it ended after {len(JSONL)} of {len(JSONL) + 1} bytes"):
        stream.read()


# Other schemes


def test_a_file_url_is_a_path(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(JSONL)
    assert [page["page_id"] for page in read(f"file://{tmp_path}/a.jsonl")[0]] == IDS


def test_other_schemes_go_through_fsspec():
    fsspec = pytest.importorskip("fsspec", reason="the extra remote is not installed")
    memory = fsspec.filesystem("memory")
    for key in ("/in/a.jsonl", "/in/b/c.jsonl.gz"):
        memory.pipe(key, gzip.compress(JSONL) if key.endswith("gz") else JSONL)
    assert names("memory://in") == ["a.jsonl", "b/c.jsonl.gz"]
    assert names("memory://in/*.jsonl") == ["a.jsonl"]
    pages, rejects, log = read("memory://in/**/*.jsonl*")
    assert len(pages) == 8 and rejects == []
    assert log.inputs[0]["sha256"] == hashlib.sha256(JSONL).hexdigest()


def test_a_scheme_without_its_package_says_what_to_install(environment):
    real = importlib.import_module

    def without(name, *rest):
        if name == "fsspec":
            raise ModuleNotFoundError("No module named 'fsspec'", name="fsspec")
        return real(name, *rest)

    environment.setattr(importlib, "import_module", without)
    remote._connect.cache_clear()
    with pytest.raises(InputError, match=r"sftp:// needs the package fsspec.*pip install 'dedup-news\[remote\]'"):
        discover(["sftp://host/a.jsonl"])


def test_the_signature_of_a_web_address_is_sent_but_hidden():
    from dedup.storage.remote import display_url, locate

    url = "https://store.example/x.jsonl.gz?X-Amz-Credential=AKIA&X-Amz-Signature=deadbeef"
    assert display_url(url) == "https://store.example/x.jsonl.gz"
    pytest.importorskip("fsspec")
    place = locate(url)
    assert place.url == "https://store.example/x.jsonl.gz"
    assert place.path.endswith("x.jsonl.gz?X-Amz-Credential=AKIA&X-Amz-Signature=deadbeef")
