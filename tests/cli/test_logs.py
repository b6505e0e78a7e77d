"""``--log-json``: one JSON object per line on stderr, with the documented keys."""

import datetime
import json
import logging
import re
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import dedup.pipeline
from dedup.cli import logs, main, terminal
from dedup.cli.logs import EVENTS
from dedup.schema import HAPPENINGS
from tests.paths import ROOT

CRAWL = str(ROOT / "examples" / "crawl")
ALWAYS = {"time", "level", "event", "message"}
KEYS = {
    "run_started": {"version", "inputs", "out"},
    "stage_started": {"stage"},
    "batch": {"stage", "rows", "seconds"},
    "stage_finished": {"stage", "rows", "seconds"},
    "stage_resumed": {"stage", "rows", "seconds"},
    "loss": {"doc_id", "canonical_id", "lost", "title"},
    "note": set(),
    "warning": set(),
    "run_finished": {"out", "seconds", "peak_memory_bytes", "pages", "rejects", "documents", "copies", "extended", "stories"}
    | {"lost", "repeated"},
    "error": {"exit"},
}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def command(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments], prog_name="dedup")


def logged(result):
    """The lines of stderr; checks that each one has the keys of its event."""
    lines = [json.loads(line) for line in result.stderr.splitlines()]
    for line in lines:
        assert list(line)[:4] == ["time", "level", "event", "message"]
        assert datetime.datetime.fromisoformat(line["time"]).utcoffset() == datetime.timedelta(0)
        assert line.keys() >= KEYS[line["event"]] | ALWAYS
        allowed = {"pages", "bytes"} if line.get("stage") == "read" else {"traceback"} if line["event"] == "error" else set()
        assert line.keys() <= KEYS[line["event"]] | ALWAYS | allowed
    return lines


def test_a_run_logs_its_start_stages_warnings_and_end_only():
    result = command("run", CRAWL, "-o", "out", "--log-json", "--json")
    assert result.exit_code == 0
    lines, summary = logged(result), json.loads(result.stdout)
    assert [(line["event"], line.get("stage")) for line in lines if line["event"] not in ("warning", "loss")] == [
        ("run_started", None),
        ("stage_started", "read"), ("stage_finished", "read"),
        ("stage_started", "copies"), ("stage_finished", "copies"),
        ("stage_started", "stories"), ("stage_finished", "stories"),
        ("run_finished", None),
    ]  # fmt: skip
    assert {line["event"] for line in lines if line["level"] != "info"} == {"warning"}
    last = lines[-1]
    assert {name: last[name] for name in ("pages", "rejects", "documents", "copies", "stories")} == {
        name: summary["counts"][name] for name in ("pages", "rejects", "documents", "copies", "stories")
    }
    assert (last["lost"], last["repeated"]) == (summary["lost"], summary["repeated"])
    assert (last["out"], lines[0]["inputs"]) == ("out", [CRAWL])


def test_the_copies_that_lose_most_are_logged_by_name_the_worst_first():
    losses = [line for line in logged(command("run", CRAWL, "-o", "out", "--log-json", "-q")) if line["event"] == "loss"]
    assert len(losses) == 10
    assert [(-loss["lost"], loss["doc_id"]) for loss in losses] == sorted((-loss["lost"], loss["doc_id"]) for loss in losses)
    documents = {row["doc_id"]: row for row in pq.read_table("out/documents.parquet").to_pylist()}
    for loss in losses:
        copy = documents[loss["doc_id"]]
        assert (copy["status"], copy["canonical_id"], copy["title"]) == ("copy", loss["canonical_id"], loss["title"])
        assert 0 < loss["lost"] <= 1 - copy["share"] + 1e-6
    said = command("run", CRAWL, "-o", "again", "-q", "-v").stderr
    shown = re.findall(r"^INFO dedup\.batch\.losses: ([\d.]+) % of '(\S+)' stands in no kept document, ", said, re.MULTILINE)
    assert shown == [(f"{loss['lost'] * 100:.1f}", loss["doc_id"]) for loss in losses]
    assert "losses" not in command("run", CRAWL, "-o", "quiet", "-q").stderr


def test_the_numbers_of_a_stage_equal_those_of_the_manifest():
    lines = logged(command("run", CRAWL, "-o", "out", "--log-json", "-q"))
    stages = json.loads(Path("out/manifest.json").read_bytes())["stages"]
    finished = [{key: line[key] for key in line.keys() - ALWAYS} for line in lines if line["event"] == "stage_finished"]
    assert finished == stages
    size = sum(path.stat().st_size for path in Path(CRAWL).iterdir())
    assert (stages[0]["rows"], stages[0]["pages"], stages[0]["bytes"]) == (101, 77, size)
    assert all(stage["seconds"] > 0 and stage["rows"] > 0 for stage in stages)


def test_a_warning_is_the_same_in_the_log_the_summary_and_the_manifest():
    result = command("run", CRAWL, "-o", "out", "--log-json")
    manifest = json.loads(Path("out/manifest.json").read_bytes())["warnings"]
    assert [line["message"] for line in logged(result) if line["level"] == "warning"] == manifest
    assert re.findall(r"^Warning: (.*)$", result.stdout, re.MULTILINE) == manifest
    assert len(manifest) == len(set(manifest)) == 3
    assert re.findall(r"^Warning: (.*)$", command("inspect", "out").stdout, re.MULTILINE) == manifest


def test_batches_are_logged_only_with_vv():
    assert not [line for line in logged(command("run", CRAWL, "-o", "one", "--log-json", "-v")) if line["event"] == "batch"]
    lines = logged(command("run", CRAWL, "-o", "two", "--log-json", "-vv", "--run.batch_rows", "20"))
    rows = [line["rows"] for line in lines if line["event"] == "batch" and line["stage"] == "read"]
    assert len(rows) >= 5
    assert rows == sorted(rows)
    assert rows[-1] == 101


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [
        (("missing.jsonl", "-o", "out"), 3, "missing.jsonl: there is no such file or folder"),
        ((CRAWL, "-o", "out", "--copies.near", "7"), 2, "copies.near must be between"),
        ((CRAWL, "-o", "out", "--copies.near", "many"), 2, "'many' is not a valid float"),
        ((CRAWL, "-o", "out", "--nonsense"), 2, "No such option"),
        ((CRAWL,), 2, "Missing option '-o'"),
        ((CRAWL, "-o", "out", "--json", "-q"), 2, "--json and --quiet exclude each other"),
        ((CRAWL, "-o", "full"), 4, "full: is not empty"),
    ],
    ids=["input", "setting", "type", "option", "missing", "both", "output"],
)
def test_an_error_is_one_object_with_its_message_and_exit_code(arguments, exit_code, words):
    Path("full").mkdir()
    Path("full/thesis.txt").write_text("keep")
    result = command("run", *arguments, "--log-json")
    assert (result.exit_code, result.stdout) == (exit_code, "")
    last = logged(result)[-1]
    assert (last["event"], last["level"], last["exit"]) == ("error", "error", exit_code)
    assert words in last["message"]


def test_without_log_json_an_error_is_plain_text():
    assert command("run", "missing.jsonl", "-o", "out").stderr.startswith("Error: missing.jsonl: ")
    assert command("run", "--nonsense").stderr.startswith("Usage: dedup run ")


def test_a_bug_is_one_object_with_its_traceback(monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError("نص")

    monkeypatch.setattr(dedup.pipeline, "run", broken)
    result = command("run", CRAWL, "-o", "out", "--log-json")
    last = logged(result)[-1]
    assert (result.exit_code, last["exit"]) == (1, 1)
    assert last["message"].startswith(
        "unexpected ZeroDivisionError: this is a bug in dedup. Please report it with the command and the traceback"
    )
    assert last["traceback"].startswith("Traceback (most recent call last):\n")
    assert last["traceback"].endswith("ZeroDivisionError: نص\n")


def test_ctrl_c_is_an_error_with_exit_code_130(monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(dedup.pipeline, "run", stopped)
    result = command("run", CRAWL, "-o", "out", "--log-json")
    assert (result.exit_code, logged(result)[-1]["exit"]) == (130, 130)


def test_a_resumed_run_logs_the_stages_finished_before(monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(dedup.pipeline, "find_stories", stopped)
        assert command("run", CRAWL, "-o", "out", "-q").exit_code == 130
    assert command("inspect", "out").stderr.startswith("Error: out: holds an unfinished run (finished steps: read, copies). ")
    lines = logged(command("run", CRAWL, "-o", "out", "--log-json", "-q"))
    events = [(line["event"], line["stage"]) for line in lines if line.get("stage") in ("copies", "stories")]
    assert events == [("stage_resumed", "copies"), ("stage_started", "stories"), ("stage_finished", "stories")]
    assert "It was interrupted and resumed once.\n" in command("inspect", "out").stdout


def test_fit_idf_logs_in_the_same_way():
    lines = logged(command("stories", "fit-idf", CRAWL, "-o", "idf.npz", "--least", "1", "--log-json", "-q"))
    assert [line["event"] for line in lines if line["event"] != "warning"] == ["stage_started", "stage_finished"]
    assert lines[-1]["event"] == "warning"
    failed = command("stories", "fit-idf", "missing", "-o", "idf2.npz", "--log-json")
    assert (failed.exit_code, logged(failed)[-1]["exit"]) == (3, 3)


def test_no_progress_is_drawn_between_json_lines(monkeypatch):
    asked = []
    monkeypatch.setattr(dedup.cli.run, "live_progress", lambda *, wanted: asked.append(wanted) or terminal.live_progress(wanted=False))
    command("run", CRAWL, "-o", "out", "--log-json")
    command("run", CRAWL, "-o", "out", "--overwrite")
    assert asked == [False, True]


def test_verbose_logs_plain_lines():
    said = command("run", CRAWL, "-o", "out", "-q", "-v").stderr
    assert re.findall(r"^INFO dedup\.batch\.stages: (\w+) started$", said, re.MULTILINE) == ["read", "copies", "stories"]
    assert re.search(r"^INFO dedup\.batch\.stages: read finished: 101 rows in \d+\.\d\d s$", said, re.MULTILINE)
    assert len(re.findall(r"^WARNING dedup\.\S+: ", said, re.MULTILINE)) == 3


def test_a_log_ends_with_its_command():
    command("run", CRAWL, "-o", "out", "--log-json", "-q")
    logger = logging.getLogger("dedup")
    assert (logger.handlers, logger.level, logger.propagate) == ([], logging.NOTSET, True)
    assert command("run", CRAWL, "-o", "again", "-q").stderr == ""


def test_values_that_are_no_json_or_no_ascii_are_written_too():
    record = logging.makeLogRecord(
        {"msg": "ملف %s", "args": ("أ\ud800\n",), "levelno": logging.INFO, "levelname": "INFO", "path": Path("ب")}
    )
    line = logs.JsonLines().format(record)
    assert line.isascii() and "\n" not in line
    assert json.loads(line) == {**json.loads(line), "level": "info", "event": "note", "message": "ملف أ\ud800\n", "path": "ب"}


@pytest.mark.skipif(sys.platform == "win32", reason="the first lines of help differ")
def test_help_lists_log_json():
    for arguments in (("run", "--help"), ("stories", "fit-idf", "--help")):
        assert "--log-json" in command(*arguments).stdout


def test_every_event_that_the_code_logs_is_described():
    package = Path(dedup.__file__).parent
    named = {name for path in package.rglob("*.py") for name in re.findall(r'"event": "([a-z_]+)"', path.read_text(encoding="utf-8"))}
    assert named - set(HAPPENINGS) == set(EVENTS) - {"note"}  # ``note`` stands for records without an event
    assert set(KEYS) <= set(EVENTS)
    assert set(logs.ALWAYS) == ALWAYS
