"""``dedup index``: streaming verdicts, exact messages, exit codes, pipes."""

import itertools
import json
import os
import re
import select
import sqlite3
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from dedup.cli import main
from dedup.cli import verdict_output as verdicts
from dedup.errors import InputError
from dedup.index import Index
from dedup.schema import VERDICTS
from tests.cli.commands import BRIDGE, BRIDGE_EDITED, BRIDGE_IN_OTHER_WORDS, HONEY, ROWS, dedup_command, error_of, lines_of
from tests.index.redis.redis_server import MISSING, RedisServer, find_server
from tests.paths import SEED_PAGE

NEW = [
    {"id": "n1", "source": "الفجر", "date": "2025-03-02T16:00:00Z", "title": "محافظ النخيل يدشن الجسر المعلق", "text": BRIDGE_EDITED},
    {"id": "n2", "source": "الفجر", "date": "2025-03-02T17:00:00Z", "title": "سكان النخيل فوق الجسر المعلق", "text": BRIDGE_IN_OTHER_WORDS},
    {"id": "b1", "source": "الضفة", "date": "2025-03-02T08:00:00Z", "title": ROWS[0]["title"], "text": BRIDGE},
]
KEYS = [
    "input_file",
    "input_row",
    "doc_id",
    "page_id",
    "role",
    "action",
    "status",
    "kind",
    "canonical_id",
    "extends",
    "covered",
    "match",
    "story_id",
    "reason",
    "parts",
]
REJECTED = "1 row or file was rejected; see 'reason' in their verdicts.\n"
#: Seconds to wait for an answer: kernels may have to be compiled first.
PATIENCE = 120


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with ``new.jsonl`` and ``news.index``, built from all rows but ``b4``."""
    monkeypatch.chdir(tmp_path)
    Path("old.jsonl").write_text(lines_of(*(row for row in ROWS if row["id"] != "b4")), encoding="utf-8")
    Path("new.jsonl").write_text(lines_of(*NEW), encoding="utf-8")
    assert dedup_command("run", "old.jsonl", "-o", "out", "-q").exit_code == 0
    assert dedup_command("index", "build", "out", "-o", "news.index", "-q").output == ""
    return tmp_path


def index(*arguments, stdin=None):
    return CliRunner().invoke(main, ["index", *map(str, arguments)], prog_name="dedup", input=stdin)


def answers(result, exit_code=0):
    assert result.exit_code == exit_code, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def short(lines):
    return [(line["doc_id"], line["action"], line["kind"], line["canonical_id"]) for line in lines]


def started(*arguments, **options):
    """Start a real process with pipes."""
    command = [sys.executable, "-W", "ignore", "-m", "dedup", "index", *arguments]
    environment = os.environ | {"PYTHONPATH": str(Path(verdicts.__file__).parents[2]), "LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, **options)


def line_of(process):
    """The next line of a process, which must arrive without further input."""
    assert select.select([process.stdout], [], [], PATIENCE)[0], "no answer"
    return process.stdout.readline()


@pytest.mark.slow
def test_closed_streams_are_reported(here):
    for closed, says in (("<&-", "Error: stdin is closed"), (">&-", "Error: stdout is closed")):
        command = f"{sys.executable} -W ignore -m dedup index check - --index news.index {closed}"
        environment = os.environ | {"PYTHONPATH": str(Path(verdicts.__file__).parents[2])}
        done = subprocess.run(
            ["sh", "-c", command],
            stdin=subprocess.DEVNULL if closed == ">&-" else None,
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        assert done.returncode in (3, 4) and done.stderr.startswith(says), done.stderr


def test_a_report_that_holds_an_earlier_brief_is_indexed_as_extended(here):
    Path("report.jsonl").write_text(lines_of({"id": "r1", "text": f"{BRIDGE} {BRIDGE_IN_OTHER_WORDS} {HONEY * 2}"}), encoding="utf-8")
    [line] = answers(index("check", "report.jsonl", "--index", "news.index"))
    assert (line["action"], line["status"], line["canonical_id"], line["match"]) == ("index", "extended", "r1", None)
    assert sorted(line["extends"]) == ["b1", "h1"]
    index("check", "report.jsonl", "--index", "news.index", "-o", "verdicts.parquet")
    [row] = pq.read_table("verdicts.parquet").to_pylist()
    assert {name: row[name] for name in ("extends", "covered", "share")} == {
        "extends": line["extends"], "covered": line["covered"], "share": None
    }  # fmt: skip


# build


def test_build_prints_what_it_built(here):
    result = index("build", "out", "-o", "again.index")
    assert re.fullmatch(r"Indexed 4 documents with 2 copies and 2 stories in again\.index: [\d,]+ bytes, \d+\.\d s\.\n", result.stdout)
    facts = json.loads(index("build", "out", "-o", "third.index", "--json").stdout)
    assert {name: facts[name] for name in ("index", "documents", "copies", "stories")} == {
        "index": "third.index", "documents": 4, "copies": 2, "stories": 2
    }  # fmt: skip
    assert facts["bytes"] == sum(path.stat().st_size for path in Path("third.index").iterdir())


def test_build_refuses_a_run_without_texts(here):
    dedup_command("run", "old.jsonl", "-o", "bare", "--no-texts", "-q")
    assert error_of(index("build", "bare", "-o", "bare.index"), 3) == (
        "Error: bare: has no texts (no texts.parquet), which an index needs to compare documents. "
        "Run it again without --no-texts (run.keep_texts false)."
    )
    assert not Path("bare.index").exists()


def test_build_replaces_an_index_only_with_overwrite(here):
    assert error_of(index("build", "out", "-o", "news.index"), 4) == (
        "Error: news.index: there is an index already. Choose another path, or give --overwrite to replace it."
    )
    assert index("build", "out", "-o", "news.index", "--overwrite").exit_code == 0


def test_build_uses_the_settings_of_the_run(here):
    dedup_command("run", "old.jsonl", "-o", "other", "--copies.near", "0.9", "-q")
    assert index("build", "other", "-o", "other.index").exit_code == 0
    with Index.open("other.index", mode="r") as opened:
        assert opened.config.copies.near == 0.9
    assert index("build", "other", "-o", "x", "--copies.near", "0.5").exit_code == 2


# check


def test_check_writes_a_line_per_page_in_input_order(here):
    result = index("check", "new.jsonl", "--index", "news.index")
    lines = answers(result)
    assert result.stderr == ""
    assert [list(line) for line in lines] == [KEYS] * 3
    assert short(lines) == [("n1", "skip", "near", "b1"), ("n2", "index", None, "n2"), ("b1", "skip", None, "b1")]
    assert [(line["input_file"], line["input_row"]) for line in lines] == [("new.jsonl", row) for row in range(3)]
    assert len({line["story_id"] for line in lines}) == 1


def test_lines_equal_the_verdicts_of_the_library(here):
    lines = answers(index("check", "new.jsonl", "--index", "news.index"))
    with Index.open("news.index", mode="r") as opened:
        documents = [{"published" if name == "date" else name: value for name, value in row.items()} for row in NEW]
        expected = [opened.check(document).to_dict() for document in documents]
    assert [{name: line[name] for name in expected[0]} for line in lines] == expected


def test_check_changes_nothing_and_ingest_adds(here):
    index("check", "new.jsonl", "--index", "news.index")
    with Index.open("news.index", mode="r") as opened:
        assert len(opened) == 4
    assert short(answers(index("ingest", "new.jsonl", "--index", "news.index"))) == [
        ("n1", "skip", "near", "b1"), ("n2", "index", None, "n2"), ("b1", "skip", None, "b1")
    ]  # fmt: skip
    with Index.open("news.index", mode="r") as opened:
        assert len(opened) == 6
    again = answers(index("check", "new.jsonl", "--index", "news.index"))
    assert [line["action"] for line in again] == ["skip"] * 3


def test_a_page_gives_one_line_with_all_its_documents(here):
    (line,) = answers(index("check", SEED_PAGE, "--index", "news.index"))
    assert line["doc_id"] == line["page_id"] == SEED_PAGE.name
    assert [part["doc_id"] for part in line["parts"]] == [f"{SEED_PAGE.name}#{number}" for number in range(1, 12)]
    assert {part["role"] for part in line["parts"]} == {"embedded", "headline"}


def test_ingest_creates_an_index_with_the_given_settings(here):
    assert len(answers(index("ingest", "new.jsonl", "--index", "own.index", "--copies.near", "0.7"))) == 3
    with Index.open("own.index", mode="r") as opened:
        assert opened.config.copies.near == 0.7
    assert answers(index("ingest", "new.jsonl", "--index", "own.index"))[0]["action"] == "skip"
    assert "copies.near is 0.6, but 0.7 in the index" in error_of(
        index("ingest", "new.jsonl", "--index", "own.index", "--copies.near", "0.6"), 2
    )


def test_columns_can_be_named(here):
    rows = [{"id": "n1", "story_text": BRIDGE}, {"id": "n2", "story_text": HONEY}]
    Path("other.jsonl").write_text(lines_of(*rows), encoding="utf-8")
    lines = answers(index("check", "other.jsonl", "--index", "news.index", "--input.text", "story_text"))
    assert short(lines) == [("n1", "skip", "exact", "b1"), ("n2", "skip", "exact", "h1")]


def test_a_row_without_an_id_is_named_after_its_file_and_row(here):
    Path("nameless.jsonl").write_text(lines_of({"text": HONEY}), encoding="utf-8")
    assert short(answers(index("check", "nameless.jsonl", "--index", "news.index"))) == [("nameless.jsonl:0", "skip", "exact", "h1")]


# Rejects


def test_rejects_are_lines_and_are_counted(here):
    Path("new.jsonl").write_text(lines_of(NEW[0]) + "{broken\n" + lines_of(NEW[1]), encoding="utf-8")
    result = index("check", "new.jsonl", "--index", "news.index")
    first, broken, last = answers(result)
    assert (first["doc_id"], last["doc_id"], broken["action"], broken["input_row"]) == ("n1", "n2", "reject", 1)
    assert list(broken) == KEYS
    assert broken["reason"].startswith("bad_json: line 2: ")
    assert result.stderr == REJECTED
    strict = index("check", "new.jsonl", "--index", "news.index", "--strict", "-q")
    assert len(answers(strict, 5)) == 3
    assert strict.stderr == "Error: 1 row or file was rejected (--strict). Their verdicts give the reasons.\n"


def test_check_fails_if_every_row_was_rejected(here):
    result = index("check", "-", "--index", "news.index", stdin="{broken\n")
    assert [line["action"] for line in answers(result, 3)] == ["reject"]
    assert result.stderr == REJECTED + "Error: no page could be read: every row or file was rejected. Their verdicts give the reasons.\n"


def test_rows_of_stdin_need_no_file_name(here):
    rows = [{"id": 5}, {"id": "n1", "content": BRIDGE}, {"text": HONEY}, {"url": "https://diffa.example/7", "text": HONEY}, ["no object"]]
    lines = answers(index("check", "-", "--index", "news.index", stdin="\n" + lines_of(*rows)))
    assert [(line["input_row"], line["doc_id"], line["action"]) for line in lines] == [
        (1, None, "reject"), (2, "n1", "skip"), (3, None, "reject"), (4, "https://diffa.example/7", "skip"), (5, None, "reject")
    ]  # fmt: skip
    assert lines[0]["reason"].startswith("no_column: found columns 'id', but none that holds the text or the title.")
    assert "neither an id nor a URL" in lines[2]["reason"]
    assert lines[4]["reason"].startswith("bad_json: line 6: ")


def test_empty_stdin_gives_no_line(here):
    result = index("check", "-", "--index", "news.index", stdin="\n\n")
    assert (result.exit_code, result.output) == (0, "")


# Pipes


def test_a_verdict_is_printed_while_stdin_stays_open(here):
    with started("check", "-", "--index", "news.index") as process:
        for row in (NEW[0], NEW[1]):
            process.stdin.write(lines_of(row).encode())
            process.stdin.flush()
            line = line_of(process)
            assert json.loads(line)["doc_id"] == row["id"]
        process.stdin.write(b"{broken\n\n")
        process.stdin.flush()
        assert json.loads(line_of(process))["action"] == "reject"
        process.stdin.write(lines_of(NEW[2]).removesuffix("\n").encode())
        rest, errors = process.communicate(timeout=PATIENCE)
        assert json.loads(rest)["doc_id"] == "b1"
    assert (process.returncode, errors.decode()) == (0, REJECTED)


@pytest.mark.slow
def test_arabic_stays_readable_in_any_locale(here):
    row = NEW[0] | {"id": "وكالة-١"}
    with started("check", "-", "--index", "news.index") as process:
        answered, _ = process.communicate(lines_of(row).encode(), timeout=PATIENCE)
    assert '"doc_id": "وكالة-١"'.encode() in answered
    assert b"\\u" not in answered


@pytest.mark.slow
def test_a_document_is_in_the_index_once_its_verdict_is_printed(here):
    with started("ingest", "-", "--index", "news.index") as process:
        process.stdin.write(lines_of(NEW[1]).encode())
        process.stdin.flush()
        assert json.loads(line_of(process))["action"] == "index"
        with Index.open("news.index", mode="r") as opened:
            assert "n2" in opened
        process.kill()
    with Index.open("news.index", mode="a") as opened:
        assert "n2" in opened


@pytest.mark.slow
def test_a_closed_pipe_ends_the_command_without_an_error(here):
    with started("check", "-", "--index", "news.index") as process:
        process.stdin.write(lines_of(NEW[0]).encode())
        process.stdin.flush()
        line_of(process)
        process.stdout.close()
        process.stdin.write(lines_of(NEW[1]).encode())
        process.stdin.flush()
        assert process.wait(PATIENCE) == 0
        assert process.stderr.read() == b""


@pytest.mark.slow
def test_a_full_stdout_is_reported(here):
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with open("/dev/full", "wb") as full:
        process = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "dedup", "index", "check", "new.jsonl", "--index", "news.index"],
            stdout=full, stderr=subprocess.PIPE, check=False, env=os.environ | {"PYTHONPATH": str(Path(verdicts.__file__).parents[2])},
        )  # fmt: skip
    assert process.returncode == 4
    assert process.stderr.decode().startswith("Error: stdout: verdicts cannot be written (No space left on device).")


# Files


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_verdicts_can_be_written_to_a_file(here, suffix):
    Path("new.jsonl").write_text(lines_of(*NEW) + "{broken\n", encoding="utf-8")
    result = index("check", "new.jsonl", "--index", "news.index", "-o", f"v.{suffix}", "-q")
    assert (result.exit_code, result.output) == (0, "")
    if suffix == "jsonl":
        rows = [json.loads(line) for line in Path("v.jsonl").read_text(encoding="utf-8").splitlines()]
    else:
        table = pq.read_table("v.parquet")
        assert table.schema.names == ["input_file", *VERDICTS.names]
        rows = table.to_pylist()
    assert [(row["doc_id"], row["action"], row["input_row"]) for row in rows] == [
        ("n1", "skip", 0), ("n2", "index", 1), ("b1", "skip", 2), (None, "reject", 3)
    ]  # fmt: skip
    assert "exists" in error_of(index("check", "new.jsonl", "--index", "news.index", "-o", f"v.{suffix}"), 4)
    assert index("check", "new.jsonl", "--index", "news.index", "-o", f"v.{suffix}", "--overwrite", "-q").exit_code == 0
    assert sorted(os.listdir()) == sorted(["news.index", "new.jsonl", "old.jsonl", "out", f"v.{suffix}"])


def test_verdicts_before_a_failure_are_in_the_file(here, monkeypatch):
    asked, calls = Index.check_batch, itertools.count()

    def breaks(self, data):
        if next(calls):
            raise InputError("the index is damaged.")
        return asked(self, data)

    monkeypatch.setattr(Index, "check_batch", breaks)
    result = index("check", "new.jsonl", "--index", "news.index", "-o", "v.parquet", "--run.batch_rows", "1")
    assert error_of(result, 3) == "Error: the index is damaged."
    assert pq.read_table("v.parquet")["doc_id"].to_pylist() == ["n1"]


@pytest.mark.parametrize("name", ["v.csv", "out", "s3://bucket/v.jsonl", "no/such/v.jsonl"])
def test_an_unwritable_file_is_refused_at_once(here, name):
    assert error_of(index("ingest", "new.jsonl", "--index", "news.index", "-o", name), 4).startswith(f"Error: {name}: ")
    with Index.open("news.index", mode="r") as opened:
        assert len(opened) == 4


# Missing and foreign indexes


@pytest.mark.parametrize("command", [("check", "new.jsonl"), ("stats",), ("remove", "b1"), ("compact",), ("events",)], ids=lambda c: c[0])
def test_a_missing_index_is_reported_and_not_created(here, command):
    assert error_of(index(*command, "--index", "no.index"), 3) == (
        "Error: no.index: there is no index. Check the path, or make one with 'dedup index build' or 'ingest'."
    )
    assert not Path("no.index").exists()


def test_a_folder_without_an_index_is_refused(here):
    assert error_of(index("check", "new.jsonl", "--index", "out"), 3).startswith("Error: out: is the result of a run, not an index.")


def test_ingest_says_once_that_it_started_an_index(here):
    note = "Started a new index in no/such/dir.index."
    assert index("ingest", "new.jsonl", "--index", "no/such/dir.index").stderr.count(note) == 1
    assert note not in index("ingest", "new.jsonl", "--index", "no/such/dir.index").stderr


def test_events_says_that_there_are_none(here):
    result = index("events", "--index", "news.index")
    assert (result.stdout, result.stderr) == ("", "No events.\n")


def test_an_index_of_another_version_is_refused(here):
    with sqlite3.connect("news.index/index.sqlite") as connection:
        connection.execute("UPDATE meta SET value = '99' WHERE name = 'rules'")
    connection.close()
    message = error_of(index("check", "new.jsonl", "--index", "news.index"), 3)
    assert message.startswith("Error: news.index: was made by another version of dedup, which compares texts in another way.")


def test_a_missing_input_is_reported_before_an_index_is_created(here):
    assert "nothing.jsonl" in error_of(index("ingest", "nothing.jsonl", "--index", "new.index"), 3)
    assert not Path("new.index").exists()


def test_stdin_must_be_the_only_input(here):
    assert "- (stdin) must be the only INPUT." in error_of(index("check", "-", "new.jsonl", "--index", "news.index"), 2)


# Maintenance


def test_stats_print_the_size_of_the_index(here):
    facts = json.loads(index("stats", "news.index", "--json").stdout)
    assert (facts["documents"], facts["copies"]) == (4, 2)
    text = index("stats", "--index", "news.index").stdout
    assert re.search(r"^documents +4$", text, re.MULTILINE)
    assert re.search(r"^copies +2$", text, re.MULTILINE)
    assert "{" not in text


def test_an_index_must_be_named_once(here):
    assert "Missing argument 'INDEX'" in error_of(index("stats"), 2)
    assert "given twice" in error_of(index("stats", "news.index", "--index", "news.index"), 2)


def test_remove_removes_documents(here):
    assert index("remove", "h1", "--index", "news.index").stdout == "1 removed.\n"
    result = index("remove", "b1", "h1", "--index", "news.index")
    assert error_of(result, 3) == "Error: 1 removed; not in the index: h1."
    with Index.open("news.index", mode="r") as opened:
        assert ("b1" in opened, "h1" in opened, len(opened)) == (False, False, 2)


def test_compact_removes_expired_documents(here):
    assert index("compact", "news.index").stdout.startswith("Removed 0 documents, 4 left; ")
    assert index("compact", "news.index", "--keep", "0.0000001h").stdout.startswith("Removed 4 documents, 0 left; ")
    assert "keep must be a positive duration" in error_of(index("compact", "news.index", "--keep", "soon"), 2)


def test_events_are_numbered_lines(here, monkeypatch):
    none = index("events", "news.index")
    assert (none.stdout, none.stderr) == ("", "No events.\n")
    from datetime import UTC, datetime

    when = datetime(2025, 3, 2, 8, tzinfo=UTC)
    event = {
        "event": "story_merged",
        "story_id": "s1",
        "other_id": "s2",
        "canonical_id": None,
        "at": when,
        "documents": 1,
        "members": ["خبر"],
    }
    events = [event | {"number": number, "recorded": when} for number in (1, 2)]
    monkeypatch.setattr(Index, "story_events", lambda self, since: [row for row in events if row["number"] > since])
    lines = index("events", "news.index", "--since", "1").stdout.splitlines()
    assert [json.loads(line)["number"] for line in lines] == [2]
    assert json.loads(lines[0])["at"] == "2025-03-02T08:00:00+00:00"
    assert "خبر" in lines[0]


@pytest.mark.skipif(find_server() is None, reason=MISSING)
def test_an_index_in_redis_is_named_by_its_url(here):
    pytest.importorskip("redis")
    server = RedisServer()
    try:
        url = f"{server.url}?prefix=news"
        assert index("build", "out", "-o", url).exit_code == 0
        assert short(answers(index("check", "new.jsonl", "--index", url)))[0] == ("n1", "skip", "near", "b1")
        assert json.loads(index("stats", url, "--json").stdout)["documents"] == 4
    finally:
        server.close()


def test_the_json_log_has_the_counts(here):
    result = index("check", "new.jsonl", "--index", "news.index", "--log-json")
    events = [json.loads(line) for line in result.stderr.splitlines()]
    (event,) = (event for event in events if event["event"] == "verdicts_finished")
    assert {name: event[name] for name in ("documents", "rejects", "index", "skip", "update")} == {
        "documents": 3, "rejects": 0, "index": 1, "skip": 2, "update": 0
    }  # fmt: skip
