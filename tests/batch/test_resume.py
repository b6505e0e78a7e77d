"""Interrupted runs resume after any step and write the same bytes, or are refused."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path

import pytest

import dedup
from dedup.batch.workspace import Workspace
from dedup.storage import files
from tests.batch.crashes import Crash, Steps, command, content, crash_at, manifest, page, run, steps_of, write
from tests.batch.crashes import here as here  # a fixture


@pytest.mark.slow
def test_a_run_killed_at_any_step_resumes_and_writes_the_same_bytes(here, monkeypatch):
    count = steps_of(monkeypatch, "in", "-o", "whole")
    assert count > 60
    for step in range(1, count + 1):
        crash_at(monkeypatch, step, "in", "-o", "out")
        if not (Path("out/manifest.json").exists() and not Path("out/.work/journal.json").exists()):
            run("in", "-o", "out")
        assert content("out") == content("whole"), step
        if step < count - 5:  # after that, only the workspace is left to delete
            assert sorted(os.listdir("out")) == sorted(os.listdir("whole")), step
        shutil.rmtree("out")


def test_a_run_killed_again_and_again_writes_the_same_manifest(here, monkeypatch):
    run("in", "-o", "whole")
    step, crashes = 25, 0
    while not Path("out/manifest.json").exists():
        with monkeypatch.context() as patched:
            Steps(patched, step)
            try:
                run("in", "-o", "out")
            except Crash:
                crashes += 1
    ours, theirs = manifest("out"), manifest("whole")
    assert crashes > 2
    assert content("out") == content("whole")
    for name in ("inputs", "counts", "warnings", "config_digest"):
        assert ours[name] == theirs[name]
    assert [stage["stage"] for stage in ours["stages"]] == [stage["stage"] for stage in theirs["stages"]]
    assert (ours["restarts"] > 0, theirs["restarts"]) == (True, 0)


@pytest.mark.slow
def test_an_earlier_result_stays_complete_until_the_new_one_is(here, monkeypatch):
    write("old.jsonl", range(40, 44))
    run("old.jsonl", "-o", "earlier")
    run("in", "-o", "whole")
    before = content("earlier")
    shutil.copytree("earlier", "out")
    count = steps_of(monkeypatch, "in", "-o", "out", "--overwrite")
    mixed = 0
    for step in range(count - 40, count + 1):
        shutil.rmtree("out")
        shutil.copytree("earlier", "out")
        crash_at(monkeypatch, step, "in", "-o", "out", "--overwrite")
        if Path("out/manifest.json").exists():
            assert content("out") in (before, content("whole")), step
        else:
            mixed += 1
        if Path("out/.work/journal.json").exists():
            run("in", "-o", "out", "--overwrite")
        assert content("out") == content("whole"), step
    assert mixed


@pytest.mark.slow
@pytest.mark.parametrize("place", ["tuesday", "monday"])
def test_a_run_with_a_base_resumes_even_if_it_replaces_its_base(here, monkeypatch, place):
    write("tuesday.jsonl", range(18, 26))
    run("in", "-o", "monday")
    run("tuesday.jsonl", "--base", "monday", "-o", "whole")
    shutil.copytree("monday", "kept")
    arguments = ["tuesday.jsonl", "--base", "monday", "-o", place] + (["--overwrite"] if place == "monday" else [])
    count = steps_of(monkeypatch, *arguments)
    for step in [*range(1, count, 9), *range(count - 16, count + 1)]:
        shutil.rmtree("monday")
        shutil.copytree("kept", "monday")
        shutil.rmtree("tuesday", ignore_errors=True)
        crash_at(monkeypatch, step, *arguments)
        if Path(place, ".work/journal.json").exists() or not Path(place).exists() or content(place) != content("whole"):
            run(*arguments)
        assert content(place) == content("whole"), step


def stop(monkeypatch, *arguments, step=45):
    crash_at(monkeypatch, step, *arguments)
    assert Path("out/.work/journal.json").exists()


def error_of(result):
    assert result.exit_code == 4, result.output
    return result.stderr


def test_resuming_refuses_changed_settings_by_name_but_not_those_in_run(here, monkeypatch):
    run("in", "-o", "whole")
    stop(monkeypatch, "in", "-o", "out")
    said = error_of(command("in", "-o", "out", "--copies.near", "0.6", "--no-texts"))
    assert "copies.near is 0.6, was 0.5; run.keep_texts is false, was true. Repeat the original command to resume it" in said
    assert command("in", "-o", "out", "-q", "--threads", 2, "--run.batch_rows", 5, "--run.memory", 300).exit_code == 0
    assert content("out") == content("whole")
    assert manifest("out")["restarts"] == 1


def test_overwrite_starts_an_interrupted_run_over(here, monkeypatch):
    stop(monkeypatch, "in", "-o", "out")
    run("in", "-o", "out", "--overwrite", "--copies.near", "0.6")
    assert manifest("out")["restarts"] == 0


def test_resuming_refuses_another_version_and_another_input(here, monkeypatch):
    stop(monkeypatch, "in", "-o", "out")
    with monkeypatch.context() as patched:
        patched.setattr("dedup.batch.resume.__version__", "7.0")
        assert "it was started by dedup 0.1" in error_of(command("in", "-o", "out"))
    write("in/c.jsonl", [50])
    assert "c.jsonl is a new input" in error_of(command("in", "-o", "out"))


def test_resuming_refuses_a_changed_input_but_not_a_touched_one(here, monkeypatch):
    run("in", "-o", "whole")
    count = steps_of(monkeypatch, "in", "-o", "other")
    stop(monkeypatch, "in", "-o", "out", step=count - 40)
    os.utime("in/a.jsonl", (1, 1))
    text = Path("in/a.jsonl").read_text(encoding="utf-8")
    Path("in/a.jsonl").write_text(text.replace("p0", "q0"), encoding="utf-8")
    assert "a.jsonl has changed" in error_of(command("in", "-o", "out"))
    Path("in/a.jsonl").write_text(text, encoding="utf-8")
    run("in", "-o", "out")
    assert content("out") == content("whole")


def test_a_changed_unread_input_is_read_with_a_warning(here, monkeypatch, caplog):
    stop(monkeypatch, "in", "-o", "out", step=20)
    write("in/b.jsonl", range(12, 23))
    run("in", "-o", "out")
    assert "b.jsonl: has changed since the interruption; it had not been read" in caplog.text
    run("in", "-o", "whole")
    assert content("out") == content("whole")


def test_a_damaged_checkpoint_is_read_again(here, monkeypatch, caplog):
    run("in", "-o", "whole")
    for name in ("part-00001.arrow", "shingles.u64", "texts-00000.arrow"):
        stop(monkeypatch, "in", "-o", "out", step=40)
        path = Path("out/.work", name)
        data = bytearray(path.read_bytes())
        data[len(data) // 3] ^= 4
        path.write_bytes(data)
        run("in", "-o", "out")
        assert f"{name}: is missing or damaged" in caplog.text
        assert content("out") == content("whole")
        shutil.rmtree("out")


def test_keep_work_keeps_the_workspace_and_repeating_the_command_only_prints(here):
    run("in", "-o", "out", "--keep-work")
    before = content("out")
    assert Path("out/.work/journal.json").exists()
    result = command("in", "-o", "out", "--json")
    assert json.loads(result.stdout)["counts"]["documents"] == 20
    assert content("out") == before
    assert "is not empty" in error_of(command("in", "-o", "out", "--copies.near", "0.6"))
    assert content("out") == before


def test_a_second_run_on_the_same_folder_is_refused_at_once(here, monkeypatch):
    with Workspace("out"):
        assert "out: another run is writing to it (process" in error_of(command("in", "-o", "out"))


def full(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("when", [10, 45, 80])
def test_a_full_disk_keeps_the_earlier_result_and_the_run_resumes_later(here, monkeypatch, when):
    write("old.jsonl", range(40, 44))
    run("in", "-o", "whole")
    run("old.jsonl", "-o", "out")
    before = content("out")
    with monkeypatch.context() as patched:
        steps = Steps(patched)
        fsync = files.os.fsync
        patched.setattr(files.os, "fsync", lambda number: full() if steps.count >= when else fsync(number))
        assert "No space left on device" in error_of(command("in", "-o", "out", "--overwrite", "--run.batch_rows", 3))
    assert content("out") == before
    run("in", "-o", "out", "--overwrite")
    assert content("out") == content("whole")


def test_ctrl_c_says_what_is_kept_and_how_to_resume(here, monkeypatch):
    run("in", "-o", "whole")

    def stopped(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("dedup.pipeline.find_stories", stopped)
        result = command("in", "-o", "out")
    assert result.exit_code == 130
    assert "stopped. Intermediate results are kept in" in result.stderr
    assert result.stderr.endswith("out/.work: repeat the command to resume.\n")
    run("in", "-o", "out")
    assert content("out") == content("whole")


def test_result_write_refuses_a_folder_with_an_interrupted_run(here, monkeypatch):
    stop(monkeypatch, "in", "-o", "out")
    result = dedup.run("in")
    with pytest.raises(dedup.OutputError, match="holds an interrupted run"):
        result.write("out")
    with Workspace("other") as work, pytest.raises(dedup.InputError, match="needs files as inputs"):
        dedup.run([page(1)], workspace=work)
    assert not Path("other").exists()
