"""The workspace: a file counts only if the journal lists it and its bytes agree."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from dedup.arrays.spill import PersistentArray, SpillPool
from dedup.batch import workspace
from dedup.batch.checkpoints import array_of, load, save
from dedup.batch.workspace import Workspace
from dedup.errors import OutputError
from dedup.storage import files
from dedup.storage.files import LockedError, Mark, WorkFile, is_as_marked, lock, mark_of, write_durably
from tests.paths import ROOT

RUN = {"version": "1", "settings": {}, "base": None, "inputs": []}
TABLE = pa.table({"row": [1, 2, 3], "text": ["نص", None, "x"]})


def stopped(out, *, steps=("read", "copies"), **options):
    """Leave a workspace with some finished steps."""
    with Workspace(out, **options) as work:
        work.begin(RUN, [])
        for step in steps:
            save(work, step, {"rows": TABLE}, {"name": step})


def steps_of(out, **options):
    """The steps that can still be loaded."""
    with Workspace(out, **options) as work:
        work.begin(RUN, [])
        return [step for step in ("read", "copies") if load(work, step)]


def test_a_saved_step_is_loaded_again(tmp_path):
    stopped(tmp_path / "out")
    with Workspace(tmp_path / "out") as work:
        work.begin(RUN, [])
        tables, facts = load(work, "read")
        assert tables["rows"].equals(TABLE)
        assert (facts["name"], work.restarts, load(work, "stories")) == ("read", 1, None)
        assert array_of(tables["rows"].column("row")).flags.writeable


def torn(path):
    path.write_bytes(path.read_bytes()[:-1])


def flipped(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("damage", [torn, flipped, Path.unlink])
@pytest.mark.parametrize(("file", "left"), [("read.arrow", []), ("copies.arrow", ["read"])])
def test_a_damaged_file_invalidates_its_step_and_all_later_ones(tmp_path, caplog, damage, file, left):
    stopped(tmp_path / "out")
    damage(tmp_path / "out/.work" / file)
    assert steps_of(tmp_path / "out") == left
    assert f"{file}: is missing or damaged" in caplog.text
    assert steps_of(tmp_path / "out") == left


@pytest.mark.parametrize("damage", [torn, flipped, lambda path: path.write_text("")])
def test_a_damaged_journal_is_reported_and_the_run_starts_over(tmp_path, caplog, damage):
    stopped(tmp_path / "out")
    damage(tmp_path / "out/.work/journal.json")
    assert steps_of(tmp_path / "out") == []
    assert "journal.json: cannot be resumed" in caplog.text


def test_a_journal_of_another_format_starts_over(tmp_path, monkeypatch, caplog):
    stopped(tmp_path / "out")
    monkeypatch.setattr(workspace, "FORMAT", 2)
    assert steps_of(tmp_path / "out") == []
    assert "its format is 1, but 2 is needed" in caplog.text


def test_an_unfinished_step_does_not_count(tmp_path):
    with Workspace(tmp_path / "out") as work:
        work.begin(RUN, [])
        save(work, "read", {"rows": TABLE}, {})
        work.create("copies.arrow").write(b"half of it")
    assert steps_of(tmp_path / "out") == ["read"]


def test_no_folder_is_left_if_no_step_was_finished(tmp_path):
    with Workspace(tmp_path / "new" / "out") as work:
        work.begin(RUN, [])
        work.create("read.arrow").write(b"half of it")
    assert not (tmp_path / "new" / "out").exists()


def test_an_existing_empty_folder_stays(tmp_path):
    (tmp_path / "out").mkdir()
    with Workspace(tmp_path / "out"):
        pass
    assert list((tmp_path / "out").iterdir()) == []


def test_another_run_is_refused_with_the_differences(tmp_path):
    stopped(tmp_path / "out")
    with (
        Workspace(tmp_path / "out") as work,
        pytest.raises(OutputError, match=r"copies.near is 0.6, was 0.5\. Repeat the original command"),
    ):
        work.begin(RUN, ["copies.near is 0.6, was 0.5"])
    assert steps_of(tmp_path / "out") == ["read", "copies"]


def test_overwrite_starts_over_unless_the_interrupted_run_had_it_too(tmp_path):
    stopped(tmp_path / "out")
    assert steps_of(tmp_path / "out", overwrite=True) == []
    stopped(tmp_path / "out", overwrite=True)
    assert steps_of(tmp_path / "out", overwrite=True) == ["read", "copies"]
    with Workspace(tmp_path / "out", overwrite=True) as work:
        work.begin(RUN, ["another input"])
        assert work.steps == []


# The lock


def test_a_second_run_is_refused_and_leaves_the_first_one_intact(tmp_path):
    with Workspace(tmp_path / "out") as work:
        work.begin(RUN, [])
        save(work, "read", {"rows": TABLE}, {})
        with pytest.raises(OutputError, match=rf"another run is writing to it \(process {os.getpid()}\)"), Workspace(tmp_path / "out"):
            pass
        assert load(work, "read")
    assert steps_of(tmp_path / "out") == ["read"]


def test_the_lock_of_a_killed_process_is_released(tmp_path):
    program = "import sys; from pathlib import Path; from dedup.storage.files import lock\nheld = lock(Path(sys.argv[1])); print(1, flush=True); input()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    with process:
        process.stdout.readline()
        with pytest.raises(LockedError, match=f"process {process.pid}"):
            lock(tmp_path / "lock")
        process.kill()
    lock(tmp_path / "lock").close()


def test_a_lock_on_a_deleted_file_does_not_count(tmp_path, monkeypatch):
    path, there = tmp_path / "lock", os.stat
    monkeypatch.setattr("dedup.storage.files.os.stat", lambda name: path.unlink() or there(name))
    assert lock(path) is None


# Files


def no_guard():
    return workspace.suppress()


def test_a_new_file_gets_its_name_when_it_is_settled(tmp_path):
    file = WorkFile(tmp_path / "file", no_guard)
    file.write(b"abc")
    file.write(np.arange(3, dtype=np.uint64).data)
    assert not (tmp_path / "file").exists()
    mark = file.settle()
    assert mark == mark_of(tmp_path / "file")
    assert (mark.size, os.listdir(tmp_path)) == (27, ["file"])
    assert is_as_marked(tmp_path / "file", mark)


def test_a_growing_file_is_marked_in_pieces_and_cut_off_after_the_last_one(tmp_path):
    with SpillPool(1 << 30) as spill:
        file = WorkFile(tmp_path / "file", no_guard, begin=0)
        pile = PersistentArray(spill, file, np.uint64)
        pile.add(np.arange(5, dtype=np.uint64))
        first = file.settle()
        pile.add(np.arange(5, 9, dtype=np.uint64))
        second = file.settle()
        pile.add(np.full(1000, 7, np.uint64))
        file.flush()
        assert (first[:2], second[:2]) == ((0, 40), (40, 32))
        again = PersistentArray(spill, WorkFile(tmp_path / "file", no_guard, begin=72), np.uint64)
        assert len(again) == 9
        again.add(np.array([9], np.uint64))
        array = again.array()
        assert array.tolist() == list(range(10))
        array[0] = 77
        assert is_as_marked(tmp_path / "file", first)
        assert is_as_marked(tmp_path / "file", second)
        assert not is_as_marked(tmp_path / "file", Mark(40, 33, second.sha256))
        file.abandon()


def test_a_small_file_is_replaced_atomically(tmp_path, monkeypatch):
    write_durably(tmp_path / "file", b"old")
    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_durably(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"old"


def full(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_is_reported_with_advice_and_finished_steps_are_kept(tmp_path, monkeypatch, call):
    stopped(tmp_path / "out", steps=["read"])
    with Workspace(tmp_path / "out") as work:
        work.begin(RUN, [])
        monkeypatch.setattr(files.os, call, full)
        with pytest.raises(OutputError, match="No space left on device.*Free some space and repeat the command"):
            save(work, "copies", {"rows": TABLE}, {})
        monkeypatch.undo()
    assert steps_of(tmp_path / "out") == ["read"]


def test_a_disk_that_fills_up_within_a_file_is_reported(tmp_path):
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Workspace(tmp_path / "out") as work:
        work.begin(RUN, [])
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
        try:
            with pytest.raises(OutputError, match="File too large"):
                save(work, "read", {"rows": pa.table({"row": np.arange(1 << 20)})}, {})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not (tmp_path / "out").exists()


def test_a_read_only_folder_is_reported_at_once(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(workspace.Path, "mkdir", refuse)
    with pytest.raises(OutputError, match="Read-only file system"), Workspace(tmp_path / "out"):
        pass


def test_the_journal_is_plain_json_after_its_digest(tmp_path):
    stopped(tmp_path / "out")
    journal = json.loads((tmp_path / "out/.work/journal.json").read_bytes().partition(b"\n")[2])
    assert [step["name"] for step in journal["steps"]] == ["read", "copies"]
