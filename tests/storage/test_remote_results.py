"""Results in an object store: written atomically, read back, used as a base, resumed."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

import dedup
from dedup.cli import main
from dedup.errors import OutputError
from dedup.result import Result
from dedup.storage import upload
from dedup.storage.remote import RemotePath
from dedup.storage.result_folder import RESULT_FILES

pytestmark = pytest.mark.slow

NAMES = ["documents.parquet", "manifest.json", "matches.parquet", "rejects.parquet", "stories.parquet", "texts.parquet"]


def rows(first, last, extra=""):
    text = "قال المتحدث الرسمي باسم الوزارة إن الحادث رقم {} وقع صباح اليوم في وسط المدينة وأسفر عن أضرار مادية فقط دون إصابات تذكر {}"
    made = (
        {"id": f"d{i}", "title": f"حادث رقم {i}", "text": " ".join(text.format(i * 7 + k, extra) for k in range(4))}
        for i in range(first, last)
    )
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in made).encode()


def run(*arguments, exit_code=0):
    answer = CliRunner().invoke(main, ["run", *map(str, arguments)])
    assert answer.exit_code == exit_code, answer.output
    return answer.output


@pytest.fixture
def crawl(tmp_path):
    (tmp_path / "crawl.jsonl").write_bytes(rows(0, 6) + rows(3, 5).replace(b'"d', b'"copy-'))
    return tmp_path / "crawl.jsonl"


@pytest.fixture
def result(crawl):
    return dedup.run(crawl)


def interrupt(*_, **__):
    raise KeyboardInterrupt


def stopped_after(monkeypatch, puts=None, moves=None):
    """Interrupt the process (as by Ctrl-C) after some files were uploaded or renamed."""
    done = {"put": 0, "move": 0}

    def counted(name, limit, real):
        def action(*arguments):
            if limit is not None and done[name] == limit:
                raise KeyboardInterrupt
            done[name] += 1
            return real(*arguments)

        return action

    monkeypatch.setattr(upload, "_put", counted("put", puts, upload._put))
    monkeypatch.setattr(upload, "_move", counted("move", moves, upload._move))


# Written and read


def test_a_remote_result_equals_a_local_one_byte_for_byte(bucket, result, tmp_path):
    result.write(f"{bucket.url}/out")
    result.write(tmp_path / "out")
    assert bucket.keys("out") == NAMES
    assert all(bucket.get(f"out/{name}") == (tmp_path / "out" / name).read_bytes() for name in NAMES)


def test_a_remote_result_is_read_back_with_its_texts(bucket, result):
    result.write(f"{bucket.url}/out/")
    again = Result.read(f"{bucket.url}/out")
    assert again.manifest == result.manifest
    assert all(getattr(again, table).equals(getattr(result, table)) for table in ("documents", "matches", "rejects"))
    assert again.texts.take([2, 0]).equals(result.texts.take([2, 0]))
    assert again.events is None


def test_the_manifest_comes_last_and_the_earlier_one_goes_first(bucket, result, monkeypatch):
    result.write(f"{bucket.url}/out")
    order = []
    real_move, real_delete = upload._move, RemotePath.delete
    monkeypatch.setattr(upload, "_move", lambda here, there, local: (order.append(f"+{there.name}"), real_move(here, there, local)))
    monkeypatch.setattr(RemotePath, "delete", lambda path: (order.append(f"-{path.name}"), real_delete(path)))
    result.manifest["warnings"].append("another run")
    result.write(f"{bucket.url}/out", overwrite=True)
    order = [step for step in order if not step.startswith("-.incoming")]
    assert order[0] == "-manifest.json" and order[-1] == "+manifest.json"
    assert sorted(order[1:-1]) == [f"+{name}" for name in NAMES if name != "manifest.json"]


def test_overwriting_deletes_tables_missing_from_the_new_result(bucket, crawl):
    dedup.run(crawl).write(f"{bucket.url}/out")
    dedup.find_copies(crawl).write(f"{bucket.url}/out", overwrite=True)
    assert bucket.keys("out") == [name for name in NAMES if name != "stories.parquet"]
    assert Result.read(f"{bucket.url}/out").stories is None


def test_only_a_result_is_overwritten_and_only_on_request(bucket, result):
    result.write(f"{bucket.url}/out")
    with pytest.raises(OutputError, match="is not empty.*--overwrite"):
        result.write(f"{bucket.url}/out")
    bucket.put("out/notes.txt", b"mine")
    with pytest.raises(OutputError, match="'notes.txt' beside an earlier result"):
        result.write(f"{bucket.url}/out", overwrite=True)
    bucket.put("other/documents.parquet", b"mine")
    with pytest.raises(OutputError, match="no manifest.json, so it is not an earlier result"):
        result.write(f"{bucket.url}/other", overwrite=True)
    with pytest.raises(OutputError, match="is a file"):
        result.write(f"{bucket.url}/out/notes.txt")
    assert bucket.get("out/notes.txt") == bucket.get("other/documents.parquet") == b"mine"


def test_missing_bucket_denied_access_and_missing_result_are_reported(bucket, result, bad_store):
    with pytest.raises(OutputError, match="there is no bucket 'no-such-bucket'"):
        result.write("s3://no-such-bucket/out")
    with pytest.raises(OutputError, match="holds no manifest.json"):
        Result.read(f"{bucket.url}/nothing")
    bad_store(b"", "denied")
    with pytest.raises(OutputError, match="access is denied"):
        result.write("s3://bucket/out")
    with pytest.raises(OutputError, match="access is denied"):
        Result.read("s3://bucket/out")


# Stopped uploads


@pytest.mark.parametrize("stop", [{"puts": 0}, {"puts": 3}, {"moves": 0}, {"moves": 2}, {"moves": 5}])
def test_an_interrupted_upload_is_no_result_and_is_replaced_by_the_next(bucket, result, monkeypatch, stop):
    with monkeypatch.context() as patched:
        stopped_after(patched, **stop)
        with pytest.raises(KeyboardInterrupt):
            result.write(f"{bucket.url}/out")
    with pytest.raises(OutputError, match="holds no manifest.json"):
        Result.read(f"{bucket.url}/out")
    result.write(f"{bucket.url}/out")
    assert bucket.keys("out") == NAMES
    assert Result.read(f"{bucket.url}/out").documents.equals(result.documents)


def test_an_earlier_result_stays_until_the_new_one_is_uploaded(bucket, result, crawl, monkeypatch):
    result.write(f"{bucket.url}/out")
    before = {name: bucket.get(f"out/{name}") for name in NAMES}
    other = dedup.find_copies(crawl)
    with monkeypatch.context() as patched:
        stopped_after(patched, puts=3)
        with pytest.raises(KeyboardInterrupt):
            other.write(f"{bucket.url}/out", overwrite=True)
    assert {name: bucket.get(f"out/{name}") for name in NAMES} == before
    other.write(f"{bucket.url}/out", overwrite=True)
    assert bucket.keys("out") == [name for name in NAMES if name != "stories.parquet"]


def test_files_the_store_cannot_rename_are_uploaded_again(bucket, result, monkeypatch):
    import pyarrow.fs as pf

    class NoMoves(pf.SubTreeFileSystem):
        def move(self, *_):
            raise OSError("the copy source is larger than the maximum allowable size")

    there = upload.remote_folder(f"{bucket.url}/out")
    monkeypatch.setattr("dedup.result.remote_folder", lambda url: RemotePath(NoMoves("", there.files), there.path, there.url))
    result.write(f"{bucket.url}/out")
    assert bucket.keys("out") == NAMES


# The command


def test_a_run_reads_and_writes_buckets_and_leaves_nothing_on_the_disk(bucket, crawl, tmp_path):
    bucket.put("in/a.jsonl", crawl.read_bytes())
    said = run(f"{bucket.url}/in/*.jsonl", "-o", f"{bucket.url}/out")
    assert f"Results are in {bucket.url}/out: {', '.join(NAMES)}" in said
    run(crawl, "-o", tmp_path / "out")
    for name in ("matches.parquet", "texts.parquet"):
        assert bucket.get(f"out/{name}") == (tmp_path / "out" / name).read_bytes()
    assert list((tmp_path / "cache" / "dedup").iterdir()) == []
    assert not (tmp_path / "s3:").exists()


def test_a_second_run_without_overwrite_fails_before_reading(bucket, crawl):
    out = f"{bucket.url}/out"
    run(crawl, "-o", out, "-q")
    assert "is not empty" in run(crawl, "-o", out, exit_code=4)
    run(crawl, "-o", out, "-q", "--overwrite", "--no-stories")
    assert "stories.parquet" not in bucket.keys("out")


def test_daily_runs_in_a_bucket_use_the_result_as_their_base(bucket, crawl, tmp_path):
    out = f"{bucket.url}/out"
    run(crawl, "-o", out, "-q")
    bucket.put("in/tuesday.jsonl", rows(6, 9))
    run(f"{bucket.url}/in", "--base", out, "-o", out, "--overwrite", "-q")
    result = Result.read(out)
    assert result.manifest["counts"]["base_documents"] == 8 and result.manifest["counts"]["new_documents"] == 3
    assert bucket.keys("out") == sorted([*NAMES, "events.parquet"])


def test_an_input_below_out_is_refused(bucket, crawl):
    bucket.put("out/in/a.jsonl", crawl.read_bytes())
    assert "a.jsonl, an input of this run" in run(f"{bucket.url}/out/in", "-o", f"{bucket.url}/out", exit_code=4)


@pytest.mark.parametrize("stop", [{"puts": 2}, {"moves": 3}])
@pytest.mark.parametrize("on_itself", [False, True])
def test_a_run_interrupted_during_upload_resumes_without_reading_again(bucket, crawl, tmp_path, monkeypatch, stop, on_itself):
    out, arguments = f"{bucket.url}/out", []
    if on_itself:
        run(crawl, "-o", out, "-q")
        bucket.put("in/b.jsonl", rows(6, 9))
        arguments = ["--base", out, "--overwrite"]
    source = bucket.put("in/a.jsonl", crawl.read_bytes()) if not on_itself else f"{bucket.url}/in/b.jsonl"
    with monkeypatch.context() as patched:
        stopped_after(patched, **stop)
        said = run(source, "-o", out, *arguments, "-q", exit_code=130)
    assert "repeat the command to resume" in said
    with monkeypatch.context() as patched:
        patched.setattr("dedup.pipeline._run", None)
        run(source, "-o", out, *arguments, "-q")
    result = Result.read(out)
    assert result.manifest["counts"]["documents"] == (11 if on_itself else 8)
    assert set(bucket.keys("out")) <= set(RESULT_FILES)
    assert list((tmp_path / "cache" / "dedup").iterdir()) == []


def test_a_failed_upload_reports_where_the_results_are_kept(bucket, crawl, monkeypatch, tmp_path):
    def denied(*_):
        raise OSError("AWS Error ACCESS_DENIED during PutObject operation")

    with monkeypatch.context() as patched:
        patched.setattr(upload, "_put", denied)
        said = run(crawl, "-o", f"{bucket.url}/out", "--work", tmp_path / "work", exit_code=4)
    assert "access is denied" in said
    (folder,) = (tmp_path / "work").iterdir()
    assert f"The results are kept in {folder}" in said
    assert Result.read(folder).documents.num_rows == 8
    run(crawl, "-o", f"{bucket.url}/out", "--work", tmp_path / "work", "-q")
    assert Result.read(f"{bucket.url}/out").documents.num_rows == 8
    assert list((tmp_path / "work").iterdir()) == []


def test_a_file_in_a_bucket_that_changes_between_two_attempts_is_noticed(bucket, crawl, monkeypatch):
    out, source = f"{bucket.url}/out", bucket.put("in/a.jsonl", crawl.read_bytes())
    with monkeypatch.context() as patched:
        patched.setattr("dedup.pipeline.find_stories", interrupt)
        run(source, "-o", out, "-q", exit_code=130)
    bucket.put("in/a.jsonl", rows(0, 3))
    assert "a.jsonl has changed" in run(source, "-o", out, exit_code=4)


def test_work_is_for_remote_results_only(crawl, tmp_path):
    assert "--work needs an OUT in an object store" in run(crawl, "-o", tmp_path / "out", "--work", tmp_path, exit_code=2)


def test_output_and_manifest_never_contain_secrets_of_a_url(bucket, crawl, environment):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        environment.delenv(name)
    with_keys = bucket.url.replace("://", "://AKIAX:geheim@")
    bucket.put("in/a.jsonl", crawl.read_bytes())
    said = run(f"{with_keys}/in/a.jsonl", f"{with_keys}/in/*.jsonl", "-o", f"{with_keys}/out", "--log-json", "-vv")
    said += run(f"{with_keys}/in/a.jsonl", "-o", f"{with_keys}/out", exit_code=4)
    assert "geheim" not in said and "AKIAX" not in said
    assert b"geheim" not in bucket.get("out/manifest.json")
