"""The check of a folder before results are written to it."""

import shutil
from collections import namedtuple

import pytest

from dedup.errors import OutputError
from dedup.storage.result_folder import check_folder

Usage = namedtuple("Usage", "total used free")


def free(monkeypatch, size):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(1 << 40, 0, size))


def test_a_disk_with_a_megabyte_left_is_not_full(tmp_path, monkeypatch):
    free(monkeypatch, 1 << 20)
    assert check_folder(tmp_path / "out", overwrite=False) == tmp_path / "out"


def test_a_disk_with_less_than_a_megabyte_left_is_full(tmp_path, monkeypatch):
    free(monkeypatch, (1 << 20) - 1)
    with pytest.raises(OutputError, match="its disk is full"):
        check_folder(tmp_path / "out", overwrite=False)


def test_an_unfinished_run_may_be_in_the_folder_only_for_the_run_that_resumes_it(tmp_path):
    (tmp_path / ".work").mkdir()
    (tmp_path / ".work" / "journal.json").touch()
    assert check_folder(tmp_path, overwrite=False, resuming=True) == tmp_path
    with pytest.raises(OutputError, match="holds an interrupted run"):
        check_folder(tmp_path, overwrite=False)


def test_a_work_folder_without_a_journal_is_ignored(tmp_path):
    (tmp_path / ".work").mkdir()
    assert check_folder(tmp_path, overwrite=False) == tmp_path


def test_overwriting_needs_a_manifest_and_no_other_files(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(OutputError, match="is not empty"):
        check_folder(tmp_path, overwrite=False)
    with pytest.raises(OutputError, match=r"no manifest\.json"):
        check_folder(tmp_path, overwrite=True)
    (tmp_path / "manifest.json").touch()
    with pytest.raises(OutputError, match=r"'notes\.txt' beside an earlier result"):
        check_folder(tmp_path, overwrite=True)
    (tmp_path / "notes.txt").unlink()
    assert check_folder(tmp_path, overwrite=True) == tmp_path
