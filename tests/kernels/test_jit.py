"""The cache of compiled kernels: where it is, and that an edit in any kernel file invalidates it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import numba.core.config
import pytest

from dedup.kernels import jit as compiling


@pytest.fixture
def calls(monkeypatch, tmp_path):
    """Calls of ``numba.njit`` where only the temporary folder is writable and no setting names a folder."""
    made = []

    def njit(**options):
        made.append((options["cache"], numba.core.config.CACHE_DIR))
        return lambda function: function

    (tmp_path / "temporary").mkdir()
    (tmp_path / "file").touch()  # no folder can be created below a file
    monkeypatch.setattr(numba, "njit", njit)
    monkeypatch.setattr(numba.core.config, "CACHE_DIR", "")
    monkeypatch.setattr(compiling, "KERNELS", tmp_path / "file")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(compiling.tempfile, "gettempdir", lambda: str(tmp_path / "temporary"))
    compiling.cache_folder.cache_clear()
    yield made
    compiling.cache_folder.cache_clear()


@pytest.fixture
def kernels(monkeypatch, tmp_path):
    """A writable folder of kernels."""
    folder = tmp_path / "kernels"
    folder.mkdir()
    (folder / "rows.py").write_text("one = 1")
    monkeypatch.setattr(compiling, "KERNELS", folder)
    return folder


def private_folder():
    """The private temporary folder, which is created."""
    *_, private = compiling._cache_places()
    return private


def folder_now():
    compiling.cache_folder.cache_clear()
    return compiling.cache_folder()


def test_without_a_users_cache_folder_kernels_are_cached_beside_their_source(calls, kernels):
    compiling.jit(len)
    ((cache, folder),) = calls
    assert cache
    assert Path(folder).parent == kernels / "__pycache__"


def test_the_setting_of_numba_has_precedence(calls, kernels, monkeypatch, tmp_path):
    monkeypatch.setattr(numba.core.config, "CACHE_DIR", str(tmp_path / "set"))
    compiling.jit(len)
    ((_, folder),) = calls
    assert Path(folder).parent == tmp_path / "set"
    assert str(tmp_path / "set") == numba.core.config.CACHE_DIR


def test_kernels_are_cached_in_the_users_cache_folder(calls, kernels, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    compiling.jit(len)
    assert not (kernels / "__pycache__").exists()
    ((_, folder),) = calls
    assert Path(folder).parent == tmp_path / "home" / "dedup"


def test_a_cache_folder_of_another_user_is_not_trusted(calls, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "dedup").mkdir(mode=0o777)
    (tmp_path / "home" / "dedup").chmod(0o777)
    compiling.jit(len)
    ((_, folder),) = calls
    assert tmp_path / "temporary" in Path(folder).parents


def test_a_user_without_a_home_gets_a_private_temporary_folder(calls, monkeypatch, tmp_path):
    def home():
        raise RuntimeError("no home")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(compiling.Path, "home", home)
    compiling.jit(len)
    ((_, folder),) = calls
    assert Path(folder).parent.parent == tmp_path / "temporary"


def test_the_private_temporary_folder_is_only_for_the_user(calls, tmp_path):
    compiling.jit(len)
    (private,) = (tmp_path / "temporary").iterdir()
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    ((cache, folder),) = calls
    assert (cache, Path(folder).parent) == (True, private)


def test_a_folder_that_others_can_write_is_not_trusted(calls):
    private_folder().chmod(0o777)
    compiling.jit(len)
    assert calls == [(False, "")]


def test_a_symbolic_link_instead_of_the_folder_is_not_followed(calls, tmp_path):
    folder = private_folder()
    folder.rmdir()
    (tmp_path / "other").mkdir()
    folder.symlink_to(tmp_path / "other")
    compiling.jit(len)
    assert calls == [(False, "")]


def test_without_any_folder_kernels_are_compiled_in_each_process(calls, monkeypatch):
    monkeypatch.setattr(compiling, "_private_folder", lambda folder: None)
    compiling.jit(len)
    assert calls == [(False, "")]


def test_a_folder_that_numba_refuses_is_not_used(calls, monkeypatch):
    def refuse(**options):
        if options["cache"]:
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: function

    monkeypatch.setattr(numba, "njit", refuse)
    assert compiling.jit(len) is len
    assert numba.core.config.CACHE_DIR == ""


def test_the_setting_of_numba_is_restored(calls, kernels):
    compiling.jit(len)
    assert numba.core.config.CACHE_DIR == ""


def test_a_change_in_any_kernel_file_changes_the_folder(calls, kernels):
    before = folder_now()
    assert folder_now() == before
    (kernels / "rows.py").write_text("one = 2")
    changed = folder_now()
    assert changed != before
    (kernels / "more").mkdir()
    (kernels / "more" / "new.py").touch()
    assert folder_now() not in (before, changed)
    (kernels / "more" / "new.py").unlink()
    (kernels / "rows.py").write_text("one = 1")
    assert folder_now() == before


def test_only_the_most_recently_used_folders_are_kept(calls, kernels):
    made = []
    for number in range(compiling.KEPT_FOLDERS + 3):
        (kernels / "rows.py").write_text(f"one = {number}")
        made.append(folder_now())
        os.utime(made[-1], (number, number))
        (made[-1] / "kernel.nbi").touch()
        os.utime(made[-1], (number, number))
    assert sorted((kernels / "__pycache__").iterdir()) == sorted(made[3:])


KERNEL = """
from .called import jit, number


@jit
def doubled(value):
    return 2 * number(value)
"""
LEAF = """
from .jit import jit, leaf


@leaf
def number(value):
    return value + {number}
"""


def test_an_edit_in_another_kernel_file_reaches_its_callers(tmp_path):
    kernels = tmp_path / "dedup" / "kernels"
    kernels.mkdir(parents=True)
    for package in (kernels.parent, kernels):
        (package / "__init__.py").touch()
    (kernels / "jit.py").write_bytes(Path(compiling.__file__).read_bytes())
    (kernels / "caller.py").write_text(KERNEL)
    command = [sys.executable, "-c", "from dedup.kernels.caller import doubled; print(doubled(1))"]
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    environment["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    answers = []
    for number in (1, 1, 2):
        (kernels / "called.py").write_text(LEAF.format(number=number))
        answers.append(subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stdout)
    assert answers == ["4\n", "4\n", "6\n"]
    assert len(list((tmp_path / "cache" / "dedup").glob("dedup-*/*/*.nbc"))) == 4
