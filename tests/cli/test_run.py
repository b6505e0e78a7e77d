"""``dedup run``, ``dedup config`` and the program as a whole: messages and exit codes."""

import errno
import io
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest

import dedup.pipeline
from dedup.cli import main, summary
from dedup.cli.config import to_toml
from dedup.cli.terminal import live_progress, terminal_text
from dedup.config import Config, settings
from dedup.schema import SCHEMA_VERSION
from tests.cli.commands import (
    BRIDGE_EDITED,
    BRIDGE_IN_OTHER_WORDS,
    HONEY,
    ROWS,
    TABLES,
    content,
    dedup_command,
    error_of,
    lines_of,
    must_not_run,
    raising,
    rejects,
    run,
    table,
)
from tests.paths import ROOT, SEED_PAGE


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty current folder with ``news.jsonl`` in it."""
    monkeypatch.chdir(tmp_path)
    Path("news.jsonl").write_text(lines_of(*ROWS), encoding="utf-8")
    return tmp_path


# The summary


def test_the_seed_page_gives_twelve_documents(here):
    counts = run(SEED_PAGE, "-o", "out")["counts"]
    assert (counts["pages"], counts["documents"]) == (1, 12)
    assert counts["documents_by_role"] == {"article": 1, "embedded": 1, "headline": 10}


def test_the_summary_adds_up_and_equals_the_tables(here):
    Path("more.csv").write_text("id,title,text\nb1,,نص قصير\nz,عنوان فقط لهذا الخبر القصير,\nq,,\n", encoding="utf-8")
    counts = run("news.jsonl", "more.csv", SEED_PAGE, "-o", "out")["counts"]
    documents = table("documents")
    assert counts["pages"] == 5 + 3 + 1 == counts["pages_with_documents"] + counts["rejects"]
    assert counts["pages_with_documents"] == len({row["page_id"] for row in documents})
    assert counts["documents"] == len(documents) == sum(counts["documents_by_role"].values())
    assert counts["rejects"] == len(table("rejects")) == sum(counts["rejects_by_reason"].values()) == 2
    assert counts["rejects_by_reason"] == {"duplicate_id": 1, "empty_page": 1}
    assert counts["copies"] == sum(row["status"] == "copy" for row in documents) == sum(counts["copies_by_kind"].values())
    assert counts["copies_by_kind"]["exact"] == counts["copies_by_kind"]["near"] == 1
    assert counts["copy_groups"] == len({row["copy_group"] for row in documents if row["status"] in ("copy", "extended")})
    assert counts["extended"] == sum(row["status"] == "extended" for row in documents)
    assert counts["matches"] == len(table("matches"))
    assert counts["stories"] == len(table("stories"))
    assert counts["stories_of_several"] == sum(row["documents"] > 1 for row in table("stories"))


def test_the_printed_summary_has_the_same_numbers(here):
    Path("news.jsonl").write_text(lines_of(*ROWS) + "{broken\n", encoding="utf-8")
    counts = run("news.jsonl", "-o", "out")["counts"]
    result = dedup_command("run", "news.jsonl", "-o", "again")
    assert (result.exit_code, result.stderr) == (0, "")
    shown = dict(re.findall(r"^ *(\w[\w ]*?) {2,}([\d,]+) *$", result.stdout, re.MULTILINE))
    assert {name: int(number) for name, number in shown.items()} == {
        "Pages": 6, "with documents": 5, "rejected": 1, "bad_json": 1,
        "Documents": 5, "articles": 5, "embedded articles": 0, "headlines": 0, "too short to compare": 0,
        "Copies": 2, "exact": 1, "near": 1, "excerpt": 0, "title": 0,
        "Extended documents": 0, "Copy groups": 1, "Stories": counts["stories"], "of two or more documents": counts["stories_of_several"],
    }  # fmt: skip
    assert "6 pages in = 5 pages with documents + 1 reject. Nothing was dropped silently.\n" in result.stdout
    assert "Rejects are no failure of the run; rejects.parquet gives the reason for each row or file.\n" in result.stdout
    assert re.search(
        r"^Seconds: read \d+\.\d\d, copies \d+\.\d\d, stories \d+\.\d\d\. Peak memory: [\d,]+ MiB\.$", result.stdout, re.MULTILINE
    )
    files = "documents.parquet, manifest.json, matches.parquet, rejects.parquet, stories.parquet, texts.parquet"
    assert result.stdout.endswith(f"Results are in again: {files}\n")
    assert str(here) not in result.stdout


def test_an_extended_document_is_counted_and_kept_in_its_copy_group(here):
    report = BRIDGE_EDITED + " " + BRIDGE_IN_OTHER_WORDS
    Path("report.jsonl").write_text(lines_of(*ROWS[:2], {"id": "r", "text": report, "date": "2025-03-03"}), encoding="utf-8")
    counts = run("report.jsonl", "-o", "out")["counts"]
    assert (counts["copies"], counts["extended"], counts["copy_groups"]) == (1, 1, 1)
    [extended] = [row for row in table("documents") if row["status"] == "extended"]
    assert (extended["doc_id"], extended["extends_id"]) == ("r", "b1")
    assert re.search(r"^Extended documents +1 *$", dedup_command("inspect", "out").stdout, re.MULTILINE)


def test_the_summary_says_what_dropping_copies_would_lose(here):
    printed, measured = run("news.jsonl", "-o", "out"), ("lost", "repeated", "losing_copies")
    manifest = json.loads(Path("out/manifest.json").read_bytes())
    assert {name: printed[name] for name in measured} == {name: manifest[name] for name in measured}
    assert 0 < printed["lost"] < 0.2
    lines = [
        f"Lost: {printed['lost'] * 100:.1f} % of the text of dropped copies stands in no kept document.",
        f"Repeated: {printed['repeated'] * 100:.1f} % of the text of kept documents stands in a kept document before them.",
        "Copies that lose more than 40 % of their text: 0; more than 50 % of their text: 0.",
    ]
    assert "\n".join(lines) + "\n" in dedup_command("run", "news.jsonl", "-o", "again").stdout
    assert "\n".join(lines) + "\n" in dedup_command("inspect", "out").stdout


@pytest.mark.parametrize(
    ("share", "shown"), [(0.0, "0.0 %"), (0.0004, "less than 0.1 %"), (0.001, "0.1 %"), (0.0826, "8.3 %"), (1.0, "100.0 %")]
)
def test_a_loss_is_never_shown_as_none(share, shown):
    measured = {"lost": share, "repeated": 0.0, "losing_copies": {"0.4": 1200, "0.5": 3}}
    lost, _, copies = summary.loss_lines(measured)
    assert lost == f"Lost: {shown} of the text of dropped copies stands in no kept document."
    assert copies == "Copies that lose more than 40 % of their text: 1,200; more than 50 % of their text: 3."


def test_missing_pages_are_reported_as_a_bug():
    assert summary.balance({"pages": 9, "pages_with_documents": 6, "rejects": 1}) == (
        "9 pages in, but 6 pages with documents + 1 rejects: 2 pages are missing. This is a bug in dedup; please report it."
    )


def test_the_summary_lists_the_largest_stories(here):
    result = dedup_command("run", "news.jsonl", "-o", "out")
    largest = max(table("stories"), key=lambda row: row["documents"])
    assert (largest["documents"], largest["copies"], len(largest["sources"])) == (2, 2, 4)
    assert re.search(rf"^\u2068{largest['title']}\u2069 +2 +2 +4 *$", result.stdout, re.MULTILINE)


def test_a_title_is_printed_on_one_line_without_control_characters():
    assert terminal_text("عنوان\x1b[31m\n  \u202eثان", 40) == "\u2068عنوان [31m ثان\u2069"
    assert terminal_text(None, 40) == "\u2068(no title)\u2069"
    assert terminal_text("قصير جدا", 5) == "\u2068قصير…\u2069"
    assert terminal_text("مى\u200cشود", 10) == "\u2068مى\u200cشود\u2069"


def test_markup_in_a_title_is_printed_literally(here):
    rows = [row | {"title": f"[red]{row['title']}[/red]"} for row in ROWS]
    Path("news.jsonl").write_text(lines_of(*rows), encoding="utf-8")
    result = dedup_command("run", "news.jsonl", "-o", "out")
    assert result.exit_code == 0
    assert "\u2068[red]" in result.stdout


def test_json_is_one_object_with_counts_seconds_and_folder(here):
    result = dedup_command("run", "news.jsonl", "-o", "out", "--json")
    printed = json.loads(result.stdout)
    assert (result.exit_code, result.stderr) == (0, "")
    assert printed["folder"] == "out"
    assert list(printed["seconds"]) == ["read", "copies", "stories"]
    assert printed["config_digest"] == Config().digest()
    assert printed["peak_memory_bytes"] > 1 << 20


def test_a_requested_recall_is_measured_and_printed(here):
    result = dedup_command("run", "news.jsonl", "-o", "out", "--recall", "0.99", "--at", "0.6")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Recall at jaccard >= 0.6: 1.000, on 1 pairs of all 4 articles.\n" in result.stdout
    manifest = json.loads(Path("out/manifest.json").read_bytes())
    assert (manifest["recall"]["target"], manifest["recall"]["at"]) == (0.99, 0.6)
    assert (manifest["config"]["candidates"]["recall"], manifest["config"]["candidates"]["at"]) == (0.99, 0.6)
    printed = json.loads(dedup_command("run", "news.jsonl", "-o", "again", "--recall", "0.99", "--at", "0.6", "--json").stdout)
    assert printed["recall"] == manifest["recall"]
    assert list(printed["seconds"]) == ["read", "copies", "recall", "stories"]


def test_recall_is_not_measured_unless_requested(here):
    assert "Recall" not in dedup_command("run", "news.jsonl", "-o", "out").stdout
    assert run("news.jsonl", "-o", "again")["recall"] is None


def found(share, low, high, pairs, at):
    return {"from": at, "pairs": pairs, "listed": 0, "recall": share, "low": low, "high": high}


def test_recall_is_printed_with_its_interval_and_never_rounded_up():
    recall = {"target": 0.99, "texts": 14096, "sampled": 500}
    recall |= {"jaccard": found(0.99951, 0.981, 0.9991, 1214, 0.6), "containment": found(None, None, None, 0, 0.57)}
    assert summary.recall_lines(recall) == [
        "Recall at jaccard >= 0.6: 0.999 (95 %: 0.981-1.000), on 1,214 pairs of 500 sampled articles.",
        "Recall at containment >= 0.57: unknown, because 500 sampled articles have no such pair.",
    ]


def test_a_recall_below_the_requested_one_is_reported():
    recall = {"target": 0.99, "texts": 80, "sampled": 80}
    recall |= {"jaccard": found(0.9, 0.9, 0.9, 10, 0.5), "containment": found(1.0, 1.0, 1.0, 7, 0.57)}
    assert summary.recall_lines(recall) == [
        "Recall at jaccard >= 0.5: 0.900, on 10 pairs of all 80 articles.",
        "Recall at containment >= 0.57: 1.000, on 7 pairs of all 80 articles.",
        "This is below the requested recall of 0.99. Raise --recall or --candidates.bucket_cap.",
    ]


def test_quiet_prints_nothing(here):
    result = dedup_command("run", "news.jsonl", "-o", "out", "--quiet")
    assert (result.exit_code, result.output) == (0, "")
    assert table("documents")


def test_verbose_logs_the_stages(here):
    result = dedup_command("run", "news.jsonl", "-o", "out", "--quiet", "-v")
    assert re.findall(r"^INFO dedup\.\S+: (\w+) started$", result.stderr, re.MULTILINE) == ["read", "copies", "stories"]
    assert dedup_command("run", "news.jsonl", "-o", "again", "--quiet").stderr == ""


class Terminal(io.StringIO):
    """A stderr that claims to be a terminal."""

    def isatty(self):
        return True


@pytest.mark.parametrize("wanted", [True, False])
def test_progress_is_shown_on_a_terminal_only_if_wanted(monkeypatch, wanted):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with live_progress(wanted=wanted) as progress:
        for stage, rows in (("read", 0), ("read", 1200), ("copies", 0)):
            progress(stage, rows)
    assert ("1,200 documents read" in terminal.getvalue()) == wanted
    assert bool(terminal.getvalue()) == wanted


# Inputs


def test_a_file_named_by_several_inputs_is_read_once(here):
    Path("crawl").mkdir()
    for row in ROWS:
        (Path("crawl") / f"{row['id']}.jsonl").write_text(lines_of(row), encoding="utf-8")
    counts = run("crawl/b*.jsonl", "crawl", SEED_PAGE, "-o", "out")["counts"]
    assert counts["pages"] == len(ROWS) + 1
    assert table("documents")[0]["input_file"] == "b1.jsonl"


@pytest.mark.parametrize("row", [ROWS[0], {"title": ROWS[0]["title"]}, {"text": "قصير"}], ids=["article", "headline", "short"])
def test_one_page_is_enough_for_a_run(here, row):
    Path("news.jsonl").write_text(lines_of(row), encoding="utf-8")
    counts = run("news.jsonl", "-o", "out")["counts"]
    assert (counts["documents"], counts["stories"], counts["copies"]) == (1, 1, 0)


def test_a_broken_line_is_rejected_and_the_run_continues(here):
    Path("news.jsonl").write_text(lines_of(*ROWS[:2]) + '{"id": "x", "text": \n' + lines_of(*ROWS[2:]), encoding="utf-8")
    assert run("news.jsonl", "-o", "out")["counts"]["rejects_by_reason"] == {"bad_json": 1}
    assert rejects() == [("news.jsonl", 2, "bad_json")]
    assert [row["doc_id"] for row in table("documents")] == ["b1", "b2", "b3", "b4", "h1"]


def test_a_line_that_is_not_utf8_is_rejected(here):
    Path("news.jsonl").write_bytes(lines_of(*ROWS).encode() + b'{"id": "x", "text": "\xc7\xe1\xde\xc7\xe5\xd1\xc9"}\n')
    assert run("news.jsonl", "-o", "out")["counts"]["pages_with_documents"] == 5
    assert rejects() == [("news.jsonl", 5, "invalid_utf8")]


def test_a_row_with_a_title_only_is_a_headline_and_an_empty_row_is_rejected(here):
    more = [{"id": "t", "title": "افتتاح الجسر المعلق في مدينة النخيل", "text": None}, {"id": "n", "title": None, "text": None}]
    Path("news.jsonl").write_text(lines_of(*ROWS, *more), encoding="utf-8")
    facts = run("news.jsonl", "-o", "out")
    assert {row["doc_id"]: row["role"] for row in table("documents")}["t"] == "headline"
    assert rejects() == [("news.jsonl", 6, "empty_page")]
    assert "news.jsonl: 1 row has no text" in facts["warnings"]


def test_a_page_with_a_duplicate_id_is_rejected(here):
    Path("news.jsonl").write_text(lines_of(*ROWS, ROWS[0] | {"text": HONEY}), encoding="utf-8")
    counts = run("news.jsonl", "-o", "out")["counts"]
    assert counts["rejects_by_reason"] == {"duplicate_id": 1}
    assert table("rejects")[0] == {
        "input_file": "news.jsonl",
        "input_row": 5,
        "reason": "duplicate_id",
        "detail": "id 'b1' was already used in news.jsonl, row 0. Name another column with --input.id, or give 'none' to number "
        "the pages by file and row.",
    }
    assert run("news.jsonl", "-o", "numbered", "--input.id", "none")["counts"]["rejects"] == 0


def test_an_unreadable_date_is_left_empty_with_a_warning(here):
    Path("news.jsonl").write_text(lines_of(*ROWS, ROWS[4] | {"id": "h2", "date": "ذات يوم"}), encoding="utf-8")
    result = dedup_command("run", "news.jsonl", "-o", "out")
    assert result.exit_code == 0
    assert 'Warning: news.jsonl: 1 date could not be parsed and is left empty (first: row 5, "ذات يوم")\n' in result.stdout
    assert [row["published"] is None for row in table("documents")] == [False] * 5 + [True]


def test_columns_can_be_named(here):
    rows = [{"رقم": row["id"], "نص": row["text"]} for row in ROWS]
    Path("news.jsonl").write_text(lines_of(*rows), encoding="utf-8")
    run("news.jsonl", "-o", "out", "--input.id", "رقم", "--input.text", "نص")
    assert [row["doc_id"] for row in table("documents")] == ["b1", "b2", "b3", "b4", "h1"]


# Exit codes and messages


def test_all_missing_inputs_are_listed_and_nothing_is_created(here):
    result = dedup_command("run", "gone.jsonl", "lost", "-o", "new/out")
    wanted = "there is no such file or folder, but an input must exist. Check the spelling and the current folder."
    assert error_of(result, 3) == f"Error: gone.jsonl: {wanted}\nlost: {wanted}"
    assert not Path("new").exists()


def test_a_missing_column_is_reported_with_the_existing_ones(here):
    result = dedup_command("run", "news.jsonl", "-o", "out", "--input.text", "body")
    assert error_of(result, 3) == (
        "Error: news.jsonl: there is no column 'body' (input.text), found columns 'id', 'source', 'date', 'title', 'text'. "
        "Name one of these with --input.text NAME, or leave the setting out."
    )
    assert not Path("out").exists()


def test_an_empty_file_alone_is_an_error(here):
    Path("empty.jsonl").write_bytes(b"")
    assert error_of(dedup_command("run", "empty.jsonl", "-o", "out"), 3) == (
        "Error: no pages found in empty.jsonl: all files are empty, but at least one row is needed. Check the inputs."
    )


def test_it_is_an_error_if_every_row_is_rejected(here):
    Path("broken.jsonl").write_text("{\n{\n", encoding="utf-8")
    message = error_of(dedup_command("run", "broken.jsonl", "-o", "out", "-q"), 3)
    assert message.startswith("Error: no page could be read: every row or file was rejected. The results are written to out.")
    assert dedup.Result.read("out").rejects.num_rows == 2


def test_a_non_empty_folder_is_refused_before_the_run_starts(here, monkeypatch):
    Path("out").mkdir()
    Path("out/notes.txt").write_text("keep")
    monkeypatch.setattr(dedup.pipeline, "run", must_not_run)
    assert error_of(dedup_command("run", "news.jsonl", "-o", "out"), 4) == (
        "Error: out: is not empty. Choose another folder, or add --overwrite to replace an earlier result."
    )


def test_an_out_that_is_a_file_is_refused(here):
    Path("out").write_text("keep")
    assert error_of(dedup_command("run", "news.jsonl", "-o", "out"), 4) == "Error: out: is a file. Name a folder for the results."


def test_a_folder_that_contains_an_input_is_never_replaced(here):
    run("news.jsonl", "-o", "out")
    Path("out/raw.jsonl").write_text(lines_of(*ROWS), encoding="utf-8")
    result = dedup_command("run", "out/raw.jsonl", "-o", "out", "--overwrite")
    assert error_of(result, 4) == "Error: out: contains raw.jsonl, an input of this run. Choose a folder outside the inputs."
    assert Path("out/raw.jsonl").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--copies.near", "7"], "Error: copies.near must be between 0.01 and 1.0, got 7.0"),
        (["--copies.near", "much"], "Error: Invalid value for '--copies.near': 'much' is not a valid float."),
        (["--text.segment", "perhaps"], "Error: Invalid value for '--text.segment': 'perhaps' is not a valid boolean."),
        (["--no-stories", "--stories.enabled", "true"], "Error: --no-stories and --stories.enabled true contradict each other."),
        (
            ["--json", "--quiet"],
            "Error: --json and --quiet exclude each other: --json prints the summary, --quiet none.",
        ),
        (["-o", ""], "Error: OUT is empty. Name a folder for the results."),
        (["--recall", "1"], "Error: candidates.recall must be between 0.5 and 0.9999, got 1.0"),
        (
            ["--recall", "0.99", "--at", "0.2"],
            "Error: candidates.recall 0.99 at candidates.at 0.2 cannot be reached with 128 permutations, at most 0.9266: "
            "raise signatures.permutations to 226, or raise candidates.at to 0.264, or lower candidates.recall to 0.9266",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_refused_before_the_run_starts(here, monkeypatch, arguments, message):
    monkeypatch.setattr(dedup.pipeline, "run", must_not_run)
    said = error_of(dedup_command("run", "news.jsonl", "-o", "out", *arguments), 2)
    assert said.splitlines()[-1].startswith(message)  # click appends the accepted booleans


def test_an_unknown_option_is_refused_with_a_suggestion(here):
    said = error_of(dedup_command("run", "news.jsonl", "-o", "out", "--copies.nea", "0.6"), 2)
    assert "No such option" in said
    assert "--copies.near" in said


def test_a_run_without_inputs_or_without_a_folder_is_wrong_usage(here):
    assert "Missing argument 'INPUT...'" in error_of(dedup_command("run", "-o", "out"), 2)
    assert "Missing option '-o' / '--out'" in error_of(dedup_command("run", "news.jsonl"), 2)


def test_an_unknown_setting_in_a_toml_file_is_refused(here):
    Path("my.toml").write_text("[shingles]\nsize = 3\n")
    assert error_of(dedup_command("run", "news.jsonl", "-o", "out", "--config", "my.toml"), 2) == (
        "Error: my.toml: there is no setting 'shingles.size'. Settings of shingles: words, headline_chars."
    )


def test_a_missing_configuration_file_is_refused(here):
    result = dedup_command("run", "news.jsonl", "-o", "out", "--config", "gone.toml")
    assert error_of(result, 2) == "Error: gone.toml: cannot read the configuration (No such file or directory)."


def test_strict_fails_after_writing_if_anything_was_rejected(here):
    assert dedup_command("run", "news.jsonl", "-o", "clean", "--strict", "--quiet").exit_code == 0
    Path("news.jsonl").write_text(lines_of(*ROWS) + "{\n", encoding="utf-8")
    assert error_of(dedup_command("run", "news.jsonl", "-o", "out", "--strict", "--quiet"), 5) == (
        "Error: 1 row or file was rejected (--strict). The results are written to out. See rejects.parquet for the reasons."
    )
    assert len(table("documents")) == 5


def test_an_unexpected_error_shows_its_traceback_and_asks_for_a_report(here, monkeypatch):
    monkeypatch.setattr(dedup.pipeline, "run", lambda *_, **__: 1 // 0)
    said = error_of(dedup_command("run", "news.jsonl", "-o", "out"), 1)
    assert said.startswith("Traceback (most recent call last):\n")
    assert said.endswith(
        "\nError: unexpected ZeroDivisionError: this is a bug in dedup. Please report it with the command and the traceback above."
    )


def test_out_of_memory_is_reported_without_a_traceback(here, monkeypatch):
    monkeypatch.setattr(dedup.pipeline, "run", raising(MemoryError()))
    assert error_of(dedup_command("run", "news.jsonl", "-o", "out"), 1) == (
        "Error: out of memory. Lower --run.batch_rows or --threads, or split the input."
    )


def test_a_full_disk_is_reported_and_keeps_the_earlier_result(here, monkeypatch):
    run("news.jsonl", "-o", "out")
    before = content("out")
    with monkeypatch.context() as patched:
        patched.setattr("dedup.result.pq.write_table", raising(OSError(errno.ENOSPC, "No space left on device")))
        said = error_of(dedup_command("run", "news.jsonl", "-o", "out", "--overwrite"), 4)
    assert said.endswith(
        "out: cannot be written (No space left on device). Free some space and repeat the command: it resumes where it stopped."
    )
    assert {name: Path("out", name).read_bytes() for name in before} == before
    assert sorted(os.listdir()) == ["news.jsonl", "out"]
    assert run("news.jsonl", "-o", "out", "--overwrite")["counts"]["documents"] == 5
    assert content("out").keys() == before.keys()


def test_ctrl_c_reports_that_nothing_was_written_and_keeps_the_earlier_result(here, monkeypatch):
    run("news.jsonl", "-o", "out")
    before = content("out")
    monkeypatch.setattr(dedup.pipeline, "run", raising(KeyboardInterrupt()))
    assert error_of(dedup_command("run", "news.jsonl", "-o", "out", "--overwrite"), 130) == "Error: stopped. Nothing was written."
    assert content("out") == before


def test_ctrl_c_after_writing_reports_where_the_results_are(here, monkeypatch):
    monkeypatch.setattr(summary, "summary_of", raising(KeyboardInterrupt()))
    assert error_of(dedup_command("run", "news.jsonl", "-o", "out"), 130) == "Error: stopped. The results are written to out."
    assert table("documents")


# Results


def test_overwrite_replaces_an_earlier_result(here):
    run("news.jsonl", "-o", "out")
    Path("news.jsonl").write_text(lines_of(*ROWS[:3]), encoding="utf-8")
    run("news.jsonl", "-o", "out", "--overwrite", "--no-stories")
    assert len(table("documents")) == 3
    assert sorted(os.listdir("out")) == [
        "documents.parquet", "manifest.json", "matches.parquet", "rejects.parquet", "texts.parquet"
    ]  # fmt: skip
    assert sorted(os.listdir()) == ["news.jsonl", "out"]


def test_overwrite_does_not_touch_a_folder_with_other_files(here):
    Path("out").mkdir()
    Path("out/thesis.txt").write_text("keep")
    assert error_of(dedup_command("run", "news.jsonl", "-o", "out", "--overwrite"), 4) == (
        "Error: out: holds files but no manifest.json, so it is not an earlier result and is not overwritten. Choose another folder."
    )
    assert content("out") == {"thesis.txt": b"keep"}


def test_without_stories_there_is_no_stories_table_and_no_story_id(here):
    result = dedup_command("run", "news.jsonl", "-o", "out", "--no-stories")
    assert result.exit_code == 0
    assert re.search(r"^Stories +switched off *$", result.stdout, re.MULTILINE)
    assert not Path("out/stories.parquet").exists()
    assert {row["story_id"] for row in table("documents")} == {None}
    assert run("news.jsonl", "-o", "again", "--stories.enabled", "false")["counts"]["stories"] is None


@pytest.mark.parametrize(("threads", "batch_rows"), [(1, 1), (3, 2), (7, 4)])
def test_threads_and_batches_change_no_byte_of_the_tables(here, threads, batch_rows):
    inputs = ["news.jsonl", SEED_PAGE, ROOT / "examples" / "crawl" / "more.csv"]
    run(*inputs, "-o", "out")
    run(*inputs, "-o", "other", "--threads", threads, "--run.batch_rows", batch_rows)
    assert json.loads(Path("other/manifest.json").read_bytes())["config"]["run"] == {
        "threads": threads,
        "batch_rows": batch_rows,
        "memory": 0,
        "checkpoint": 128,
        "keep_texts": True,
    }
    ours, others = content("out"), content("other")
    for name in (*TABLES, "texts"):
        assert ours[f"{name}.parquet"] == others[f"{name}.parquet"], name


# A base


@pytest.fixture
def two_days(here):
    """The result of the first day in ``day1``, and the crawl of the second day in ``new.jsonl``."""
    run("news.jsonl", "-o", "day1")
    new = [
        {
            "id": "n1",
            "source": "السد",
            "date": "2025-03-03T08:00:00Z",
            "title": "جسر النخيل مفتوح للمشاة",
            "text": BRIDGE_EDITED + " انتهى",
        },
        {"id": "n2", "source": "السد", "date": "2025-03-05T08:00:00Z", "title": "عنوان آخر", "text": HONEY + " " + BRIDGE_IN_OTHER_WORDS},
        ROWS[0],
        ROWS[1] | {"text": HONEY},
    ]
    Path("new.jsonl").write_text(lines_of(*new), encoding="utf-8")
    return here


def test_a_run_with_a_base_has_all_documents_and_its_counts_add_up(two_days):
    counts = run("new.jsonl", "--base", "day1", "-o", "day2")["counts"]
    assert (counts["pages"], counts["pages_with_documents"], counts["rejects"]) == (4, 2, 2)
    assert counts["rejects_by_reason"] == {"already_in_base": 1, "duplicate_id": 1}
    assert (counts["base_documents"], counts["new_documents"], counts["documents"]) == (5, 2, 7)
    assert [row["doc_id"] for row in table("documents", "day2")] == ["b1", "b2", "b3", "b4", "h1", "n1", "n2"]
    assert counts["stories"] == len(table("stories", "day2"))
    assert sum(counts["events"].values()) == len(table("events", "day2"))
    assert [row["doc_id"] for row in table("texts", "day2")] == [row["doc_id"] for row in table("documents", "day2")]
    details = [row["detail"] for row in table("rejects", "day2")]
    assert details == [
        "id 'b1' is that of a document of the base, from news.jsonl, row 0, with the same words.",
        "id 'b2' is that of a document of the base, from news.jsonl, row 1, with other words. The base keeps those that it has. "
        "Name another column with --input.id, or give 'none' to number the pages by file and row.",
    ]


def test_the_summary_reports_changes_to_the_base(two_days):
    said = dedup_command("run", "new.jsonl", "--base", "day1", "-o", "day2").stdout
    assert "4 pages in = 2 pages with documents + 2 rejects. Nothing was dropped silently.\n" in said
    assert re.search(r"^7 documents = 5 of the base \+ 2 new; \d new documents are copies of old ones\.$", said, re.MULTILINE)
    assert re.search(r"^New documents joined \d old stor\w+ and started \d new ones\.$", said, re.MULTILINE)
    assert re.search(
        r"^New events: stories merged \d, stories split \d, copy groups merged \d \(see events.parquet\)\.$", said, re.MULTILINE
    )


def test_a_result_can_replace_its_base(two_days):
    run("new.jsonl", "--base", "day1", "-o", "day2")
    run("new.jsonl", "--base", "day1", "-o", "day1", "--overwrite")
    ours, others = content("day1"), content("day2")
    for name in (*TABLES, "events", "texts"):
        assert ours[f"{name}.parquet"] == others[f"{name}.parquet"], name
    run("news.jsonl", "-o", "day1", "--overwrite")
    assert "events.parquet" not in os.listdir("day1")


def test_settings_default_to_those_of_the_base_and_others_are_refused(two_days):
    run("news.jsonl", "-o", "strict", "--copies.near", 0.9, "--no-stories")
    assert run("new.jsonl", "--base", "strict", "-o", "next", "--threads", 1)["counts"]["stories"] is None
    assert json.loads(Path("next/manifest.json").read_bytes())["config"]["copies"]["near"] == 0.9
    said = error_of(
        dedup_command("run", "new.jsonl", "--base", "strict", "-o", "no", "--copies.near", "0.8", "--stories.enabled", "true"), 2
    )
    assert said.startswith("Error: copies.near is 0.8, but 0.9 in the base; stories.enabled is True, but False in the base. ")
    Path("settings.toml").write_text("[copies]\npartial = 0.2\n")
    said = error_of(dedup_command("run", "new.jsonl", "--base", "day1", "-o", "no", "--config", "settings.toml"), 2)
    assert said.startswith("Error: copies.partial is 0.2, but 0.3 in the base. ")
    assert not Path("no").exists()


def test_a_base_without_texts_or_without_a_result_is_refused_with_advice(two_days):
    run("news.jsonl", "-o", "bare", "--no-texts")
    assert "texts.parquet" not in os.listdir("bare")
    said = error_of(dedup_command("run", "new.jsonl", "--base", "bare", "-o", "no"), 3)
    assert said == (
        "Error: the base has no texts (no texts.parquet), so new documents cannot be compared with it. "
        "Run it again without --no-texts (run.keep_texts false)."
    )
    said = error_of(dedup_command("run", "new.jsonl", "--base", "nowhere", "-o", "no"), 3)
    assert said.startswith("Error: the base cannot be read: nowhere: holds no manifest.json")
    assert dedup_command("run", "new.jsonl", "--no-texts", "--run.keep_texts", "true", "-o", "no").exit_code == 2


def test_a_base_of_an_earlier_table_version_is_refused_with_the_command_that_makes_a_new_one(two_days):
    settings = ("--copies.near", "0.6", "--copies.keep", "المنارة,الضفة", "--no-stories", "--run.memory", "900")
    dedup_command("run", "news.jsonl", "-o", "day1", "--overwrite", *settings)
    older("day1")
    said = error_of(dedup_command("run", "new.jsonl", "--base", "day1", "-o", "day2"), 3)
    assert said == (
        f"Error: the base was written by dedup {dedup.__version__} (table version 2), but this is dedup {dedup.__version__} (table "
        f"version {SCHEMA_VERSION}), which may compare documents in another way. Run the whole corpus again without a base. In the "
        "folder of its inputs: dedup run news.jsonl -o NEW --copies.keep 'المنارة,الضفة' --copies.near 0.6 --stories.enabled false"
    )
    assert not Path("day2").exists()
    words = shlex.split(said.partition(": dedup ")[2])
    assert dedup_command(*words).exit_code == 0
    config = json.loads(Path("NEW/manifest.json").read_bytes())["config"]
    assert (config["copies"]["keep"], config["copies"]["near"], config["stories"]["enabled"]) == ("المنارة,الضفة", 0.6, False)
    assert dedup_command("run", "new.jsonl", "--base", "NEW", "-o", "day2").exit_code == 0


def test_the_command_for_a_new_base_names_the_inputs_of_all_earlier_ones(two_days):
    Path("ثالث يوم.jsonl").write_text(lines_of({"id": "t", "text": HONEY}), encoding="utf-8")
    run("new.jsonl", "--base", "day1", "-o", "day2")
    older("day2")
    said = error_of(dedup_command("run", "ثالث يوم.jsonl", "--base", "day2", "-o", "day3"), 3)
    assert said.endswith("In the folder of its inputs: dedup run news.jsonl new.jsonl -o NEW")
    run("ثالث يوم.jsonl", "-o", "third")
    older("third")
    said = error_of(dedup_command("run", "new.jsonl", "--base", "third", "-o", "fourth"), 3)
    assert said.endswith(": dedup run 'ثالث يوم.jsonl' -o NEW")


def test_the_command_for_a_new_base_leaves_many_inputs_to_the_manifest(two_days):
    older("day1", lambda manifest: manifest | {"inputs": [manifest["inputs"][0] | {"file": f"{number}.jsonl"} for number in range(21)]})
    said = error_of(dedup_command("run", "new.jsonl", "--base", "day1", "-o", "day2"), 3)
    assert said.endswith("without a base. With the inputs that its manifest.json lists: dedup run INPUT... -o NEW")


def older(folder, change=lambda manifest: manifest):
    """Make the manifest in a folder one of table version 2."""
    path = Path(folder) / "manifest.json"
    manifest = change(json.loads(path.read_bytes())) | {"schema_version": 2}
    path.write_text(json.dumps(manifest, ensure_ascii=False), encoding="utf-8")


# The configuration


def test_config_prints_toml_that_reads_back_unchanged(here):
    result = dedup_command("config")
    assert (result.exit_code, result.stderr) == (0, "")
    Path("all.toml").write_text(result.stdout, encoding="utf-8")
    assert Config.from_toml("all.toml") == Config()
    assert dedup_command("config", "--config", "all.toml").stdout == result.stdout


def test_config_prints_every_setting_with_its_help_and_unset_ones_as_comments():
    shown = dedup_command("config").stdout
    tree = tomllib.loads(shown)
    for name, _, value, help_text in settings():
        section, _, setting = name.partition(".")
        assert f"# {help_text}\n" in shown
        assert tree[section].get(setting) == value
        assert value is not None or f'# {setting} = ""\n' in shown


@pytest.mark.parametrize("name", ["النص", 'a"b\\c', "two\nlines\tand\x7f", "😀", "'"])
def test_config_can_print_any_column_name(here, name):
    config = Config().replace({"input.text": name, "stories.enabled": False, "copies.near": 1})
    Path("all.toml").write_text(to_toml(config), encoding="utf-8")
    assert Config.from_toml("all.toml") == config


def test_options_override_the_file_and_the_file_overrides_the_defaults(here):
    Path("my.toml").write_text("[copies]\nnear = 0.6\ntitle = 0.7\n")
    shown = dedup_command("config", "--config", "my.toml", "--copies.near", "0.8", "--text.segment", "false").stdout
    tree = tomllib.loads(shown)
    assert (tree["copies"]["near"], tree["copies"]["title"], tree["copies"]["excerpt"]) == (0.8, 0.7, Config().copies.excerpt)
    assert tree["text"]["segment"] is False


def test_a_run_uses_the_file_and_the_options(here):
    Path("my.toml").write_text("[copies]\nnear = 0.99\n[text]\nmin_words = 9\n")
    run("news.jsonl", "-o", "out", "--config", "my.toml", "--text.min_words", "10")
    used = json.loads(Path("out/manifest.json").read_bytes())["config"]
    assert (used["copies"]["near"], used["text"]["min_words"]) == (0.99, 10)


# The help, and the program itself


@pytest.mark.parametrize("command", ["run", "config"])
def test_help_lists_every_setting_with_its_default_in_its_section(command):
    help_text = dedup_command(command, "--help").stdout
    flat = " ".join(help_text.split())
    for name, kind, value, sentence in settings():
        default = "" if value is None else f" [{str(value).lower() if kind is bool else value}]"
        assert f"--{name}" in help_text
        assert " ".join(sentence.split()) + default in flat
    assert re.findall(r"^([a-z]+): ", help_text, re.MULTILINE) == [*Config().to_dict()]


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"]], ids=" ".join)
def test_help_lists_every_exit_code(arguments):
    help_text = dedup_command(*arguments).stdout
    assert re.findall(r"^ +(\d+) +\w", help_text[help_text.index("Exit codes:") :], re.MULTILINE) == ["0", "1", "2", "3", "4", "5", "130"]


def test_every_command_has_help():
    for command in main.commands.values():
        assert isinstance(command, click.Command)
        assert command.help
        assert command.get_short_help_str().endswith(".")


def test_version_prints_the_version():
    assert dedup_command("--version").stdout == f"dedup, version {dedup.__version__}\n"


def python(*arguments, **options):
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False, **options)


def test_help_imports_neither_arrow_nor_numba():
    program = (
        "import sys, types\n"
        "package = types.ModuleType('dedup')\n"
        "package.__path__ = ['dedup']\n"
        "sys.modules['dedup'] = package\n"
        "import dedup.cli\n"
        "print(sorted({'numba', 'numpy', 'pyarrow', 'rich', 'scipy', 'sklearn'} & set(sys.modules)))\n"
    )
    assert python("-c", program).stdout == "[]\n"


def test_a_closed_pipe_is_no_error():
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "wb") as pipe:
        done = subprocess.run([sys.executable, "-m", "dedup", "config"], cwd=ROOT, stdout=pipe, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_behind_stdout_is_reported():
    with open("/dev/full", "wb") as full:
        done = subprocess.run([sys.executable, "-m", "dedup", "config"], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (4, b"Error: stdout cannot be written (No space left on device).\n")


@pytest.mark.slow
def test_a_stdout_without_arabic_still_gets_the_summary(here):
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "dedup", "run", "news.jsonl", "-o", "out"]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"5 pages in = 5 pages with documents + 0 rejects." in done.stdout
    assert done.stdout.isascii()
