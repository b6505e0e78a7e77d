"""``dedup stories fit-idf`` at the command line, and its file in ``dedup run``: exact words and exit codes."""

import errno
import json
import os
import re
import zipfile
from pathlib import Path

import pytest

import dedup.pipeline
import dedup.stories.fit_idf
from dedup.config import Config
from dedup.text.document_frequencies import DocumentFrequencies, background
from tests.cli.commands import ROWS, content, dedup_command, error_of, lines_of, must_not_run, raising, run

FIT = ("stories", "fit-idf", "news.jsonl", "-o", "idf.npz")
COUNTS = (5, 4, 1)  # documents, counted, repeated: b2 has the words of b1


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty current folder with ``news.jsonl`` in it."""
    monkeypatch.chdir(tmp_path)
    Path("news.jsonl").write_text(lines_of(*ROWS), encoding="utf-8")
    return tmp_path


def fit(*arguments):
    """Run ``fit-idf``, which must succeed; returns its ``--json``."""
    result = dedup_command(*FIT, "--least", 1, *arguments, "--json")
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return json.loads(result.stdout)


def test_fit_idf_writes_counts_and_prints_a_summary(here):
    facts = fit()
    known = DocumentFrequencies.read("idf.npz")
    assert (facts["documents"], facts["counted"], facts["repeated"]) == COUNTS
    assert (facts["counted"], facts["kept"], facts["digest"]) == (known.documents, len(known.terms), known.digest())
    assert (facts["file"], facts["bytes"], facts["least"]) == ("idf.npz", os.path.getsize("idf.npz"), 1)
    assert (facts["terms"], facts["coverage"], facts["rejects"], facts["warnings"]) == (facts["kept"], 1.0, 0, [])
    assert sorted(os.listdir()) == ["idf.npz", "news.jsonl"]


def test_text_summary_has_the_numbers_of_json(here):
    Path("news.jsonl").write_text(lines_of(*ROWS) + "{broken\n", encoding="utf-8")
    facts = fit()
    result = dedup_command(*FIT, "--least", 2, "--overwrite")
    assert (result.exit_code, result.stderr) == (0, "")
    kept, coverage, size, digest = re.search(r"(\d+) kept.* make up ([\d.]+)%[^!]*: ([\d,]+) bytes, digest (\w+)\.", result.stdout).groups()
    assert result.stdout == (
        "5 documents: 4 counted, 1 repeat another, 0 have no words.\n"
        f"{facts['terms']} different words: {kept} kept, those in 2 or more documents, which make up {coverage}% of a document's "
        "different words.\n"
        "1 row or file was rejected; 'dedup run' on the same inputs lists them with reasons.\n"
        f"Warning: the counts cover {float(coverage):.0f}% of a document's different words on average, and documents that they cover to "
        "less than 70% are weighed without them. Use more documents, or lower --least\n"
        f"The counts are in idf.npz: {size} bytes, digest {digest}.\n"
    )
    known = DocumentFrequencies.read("idf.npz")
    assert (int(kept), digest, size) == (len(known.terms), known.digest(), f"{os.path.getsize('idf.npz'):,}")


def test_run_uses_the_counts_and_names_them(here):
    digest = fit()["digest"]
    own = run("news.jsonl", "-o", "out", "--stories.background", "idf.npz")
    manifest = json.loads(Path("out/manifest.json").read_bytes())
    assert manifest["background"] == {"from": "idf.npz", "digest": digest, "documents": 4}
    assert manifest["config"]["stories"]["background"] == "idf.npz"
    Path("idf.npz").rename("moved.npz")
    moved = run("news.jsonl", "-o", "moved", "--stories.background", "moved.npz")
    assert own["config_digest"] == moved["config_digest"] == manifest["config_digest"] != Config().digest()
    for name in ("documents", "matches", "stories", "rejects"):
        assert content("out")[f"{name}.parquet"] == content("moved")[f"{name}.parquet"]
    run("news.jsonl", "-o", "shipped")
    assert content("shipped")["stories.parquet"] != content("out")["stories.parquet"]
    assert content("shipped")["matches.parquet"] == content("out")["matches.parquet"]


def test_default_counts_are_named_shipped(here):
    assert run("news.jsonl", "-o", "out")["config_digest"] == Config().digest()
    shipped = {"from": "shipped", "digest": background().digest(), "documents": background().documents}
    assert json.loads(Path("out/manifest.json").read_bytes())["background"] == shipped
    background().write("copy.npz")
    assert run("news.jsonl", "-o", "copy", "--stories.background", "copy.npz")["config_digest"] == Config().digest()
    assert content("copy")["stories.parquet"] == content("out")["stories.parquet"]
    assert run("news.jsonl", "-o", "alone", "--stories.background", "none")["config_digest"] != Config().digest()
    assert content("alone")["stories.parquet"] != content("out")["stories.parquet"]


def test_columns_and_configuration_file_work_as_in_a_run(here):
    rows = [{"العنوان": row["title"], "المتن": row["text"]} for row in ROWS]
    Path("news.jsonl").write_text(lines_of(*rows), encoding="utf-8")
    Path("my.toml").write_text('[input]\ntext = "المتن"\n[copies]\nnear = 0.6\n', encoding="utf-8")
    assert fit("--config", "my.toml")["counted"] == 4
    without_titles = fit("--overwrite", "--config", "my.toml")["terms"]
    assert fit("--overwrite", "--config", "my.toml", "--input.title", "العنوان")["terms"] > without_titles


def test_counts_do_not_depend_on_threads_and_batches(here):
    fit()
    before = Path("idf.npz").read_bytes()
    fit("--overwrite", "--threads", 3, "--run.batch_rows", 2)
    assert Path("idf.npz").read_bytes() == before


def test_quiet_prints_nothing(here):
    result = dedup_command(*FIT, "--least", 1, "-q")
    assert (result.exit_code, result.output) == (0, "")
    assert DocumentFrequencies.read("idf.npz").documents == 4


def test_strict_fails_after_writing_if_anything_was_rejected(here):
    assert dedup_command(*FIT, "--least", 1, "--strict", "-q").exit_code == 0
    Path("news.jsonl").write_text(lines_of(*ROWS) + "{\n", encoding="utf-8")
    assert error_of(dedup_command(*FIT, "--least", 1, "--strict", "-q", "--overwrite"), 5) == (
        "Error: 1 row or file was rejected (--strict). The counts are written to idf.npz."
    )


# Refused input


def test_missing_inputs_and_existing_files_are_refused_first(here, monkeypatch):
    monkeypatch.setattr(dedup.stories.fit_idf, "fit_idf", must_not_run)
    said = error_of(dedup_command("stories", "fit-idf", "gone.jsonl", "-o", "idf.npz"), 3)
    assert said.startswith("Error: gone.jsonl: there is no such file or folder")
    Path("idf.npz").write_text("keep")
    assert error_of(dedup_command(*FIT), 4) == "Error: idf.npz: exists. Choose another name, or replace it with --overwrite."
    assert error_of(dedup_command(*FIT, "--overwrite"), 4) == (
        "Error: idf.npz: is not a file of document frequencies, so it is not overwritten. Choose another name."
    )
    assert error_of(dedup_command(*FIT[:-1], "."), 4) == "Error: .: is a folder. Give the name of a file."
    assert Path("idf.npz").read_text() == "keep"


def test_input_is_never_overwritten(here):
    said = error_of(dedup_command(*FIT[:-1], "news.jsonl", "--overwrite"), 4)
    assert said == "Error: news.jsonl: is not a file of document frequencies, so it is not overwritten. Choose another name."
    assert Path("news.jsonl").read_text(encoding="utf-8") == lines_of(*ROWS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--least", "0"], "Error: least must be 1 or more, got 0."),
        (["--least", "few"], "Error: Invalid value for '--least': 'few' is not a valid integer."),
        (["--json", "--quiet"], "Error: --json and --quiet cannot be given together: one prints the summary, the other prints none."),
        (["-o", ""], "Error: the name of FILE is empty. Name a file for the counts."),
        (["--run.batch_rows", "0"], "Error: run.batch_rows must be between 1 and 10000000, got 0"),
        (["--copies.near", "0.6"], "Error: No such option"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_refused_and_nothing_is_written(here, arguments, message):
    assert error_of(dedup_command(*FIT, *arguments), 2).splitlines()[-1].startswith(message)
    assert os.listdir() == ["news.jsonl"]


def test_nothing_to_count_is_an_error(here):
    said = error_of(dedup_command(*FIT, "--least", 5), 3)
    assert said.startswith("Error: no word occurs in 5 or more of the 4 different documents")
    Path("news.jsonl").write_text("{\n{\n", encoding="utf-8")
    assert error_of(dedup_command(*FIT), 3).startswith("Error: no page could be read: all rows and files were rejected.")
    Path("news.jsonl").write_bytes(b"")
    assert error_of(dedup_command(*FIT), 3).startswith("Error: no pages found in news.jsonl")
    assert os.listdir() == ["news.jsonl"]


def test_full_disk_leaves_the_earlier_counts(here, monkeypatch):
    fit()
    before = Path("idf.npz").read_bytes()
    monkeypatch.setattr(zipfile.ZipFile, "writestr", raising(OSError(errno.ENOSPC, "No space left on device")))
    assert error_of(dedup_command(*FIT, "--least", 1, "--overwrite"), 4) == (
        "Error: idf.npz: cannot be written (No space left on device). Free some space or choose another place."
    )
    assert Path("idf.npz").read_bytes() == before
    assert sorted(os.listdir()) == ["idf.npz", "news.jsonl"]


def test_ctrl_c_says_whether_the_counts_were_written(here, monkeypatch):
    monkeypatch.setattr(dedup.stories.fit_idf, "fit_idf", raising(KeyboardInterrupt()))
    assert error_of(dedup_command(*FIT), 130) == "Error: stopped. Nothing was written."
    monkeypatch.undo()
    os.chdir(here)
    monkeypatch.setattr("dedup.cli.stories._summary_text", raising(KeyboardInterrupt()))
    assert error_of(dedup_command(*FIT, "--least", 1), 130) == "Error: stopped. The counts are written to idf.npz."
    assert DocumentFrequencies.read("idf.npz").documents == 4


@pytest.mark.parametrize("damage", ["gone", "torn", "text"])
def test_unusable_counts_are_refused_before_a_run(here, monkeypatch, damage):
    fit()
    whole = Path("idf.npz").read_bytes()
    if damage == "gone":
        Path("idf.npz").unlink()
    else:
        Path("idf.npz").write_bytes(whole[: len(whole) // 2] if damage == "torn" else b"keep")
    monkeypatch.setattr("dedup.batch.reading.read_files", must_not_run)
    said = error_of(dedup_command("run", "news.jsonl", "-o", "out", "--stories.background", "idf.npz"), 2)
    reason = {"gone": "cannot be read (No such file or directory)"}.get(damage, "not a file of document frequencies, or only a part of one")
    assert said == f"Error: idf.npz: {reason}. Use a file that 'dedup stories fit-idf' wrote, or leave stories.background out."
    assert not Path("out").exists()


def test_base_with_moved_counts_explains_how_to_name_them(here):
    digest = fit()["digest"]
    run("news.jsonl", "-o", "day1", "--stories.background", "idf.npz")
    Path("new.jsonl").write_text(lines_of(ROWS[0] | {"id": "n1"}), encoding="utf-8")
    os.mkdir("elsewhere")
    os.rename("idf.npz", "elsewhere/counts.npz")
    what_to_do = (
        f"The base used the file idf.npz (digest {digest}): pass its current path with --stories.background, "
        "or run the whole corpus again without a base."
    )
    command = ("run", "new.jsonl", "--base", "day1", "-o", "day2")
    said = error_of(dedup_command(*command), 2)
    assert said == f"Error: idf.npz: cannot be read (No such file or directory). {what_to_do}"
    background().write("idf.npz")
    for other in ((), ("--stories.background", "shipped")):
        name = other[-1] if other else "idf.npz"
        said = error_of(dedup_command(*command, *other), 2)
        assert said == f"Error: the word counts of stories.background ({name}) are not those of the base. {what_to_do}"
    assert run(*command[1:], "--stories.background", "elsewhere/counts.npz")["counts"]["new_documents"] == 1
    run("news.jsonl", "-o", "plain")
    said = error_of(dedup_command(*command[:2], "--base", "plain", "-o", "day3", "--stories.background", "none"), 2)
    assert "The base used stories.background shipped (digest " in said and "): use the same setting, or run" in said


def test_help_lists_only_reading_settings():
    help_text = dedup_command("stories", "fit-idf", "--help").stdout
    assert re.findall(r"^([a-z]+): ", help_text, re.MULTILINE) == ["input", "text", "run"]
    assert "fit-idf  Count" in dedup_command("stories", "--help").stdout
    assert "--stories.background" in dedup_command("run", "--help").stdout
    for shown in (help_text, dedup_command("stories", "--help").stdout):
        codes = re.findall(r"^ +(\d+) +\w", shown[shown.index("Exit codes:") :], re.MULTILINE)
        assert codes == ["0", "1", "2", "3", "4", "5", "130"]
