"""The SQLite store in read-only folders."""

# ruff: noqa: F811
from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from dedup.index.sqlite.store import SqliteStore
from tests.index.sqlite.test_faults import folder, ingest, opener, small_files  # noqa: F401 - fixtures

pytestmark = pytest.mark.slow

#: A process without write access that reads an index and reports in its last line.
POWERLESS = """
import os, sys
sys.dont_write_bytecode = True
from tests.index.sqlite.test_faults import *
folder, count = sys.argv[1], int(sys.argv[2])
check = SqliteStore.open  # compiled code is loaded before root privileges are dropped
warm = check(sys.argv[3], {}, "r", "process"); check_whole(warm, len(warm))
writer = check(sys.argv[3], {}, "a", "process")
for _ in range(3):
    ingest(writer)
    warm.sync(); check_whole(warm, len(warm))
warm.close(); writer.close()
if os.getuid() == 0:
    os.setgid(65534); os.setuid(65534)
try:
    store = SqliteStore.open(folder, {}, sys.argv[4], "process")
    check_whole(store, count)
    print("whole", store.sync(), flush=True)
    for _ in sys.stdin:
        changed = store.sync()[0]
        check_whole(store, len(store))
        print("follows", len(changed), flush=True)
except (InputError, OutputError) as error:
    print(type(error).__name__, error, flush=True)
"""


@pytest.fixture
def tmp_path():
    """A folder that every user can reach; pytest makes its own private again whenever another run starts."""
    with tempfile.TemporaryDirectory(prefix="dedup-tests-") as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


@pytest.fixture
def powerless(opener, folder, tmp_path, small_files):
    """Start a process that can read the index but not write to its folder."""
    if os.name != "posix":
        pytest.skip("rights of folders are those of POSIX")
    warm = SqliteStore.open(tmp_path / "warm", {}, "a", "process")
    for _ in range(10):  # several posting files, as in the tests: the same kernels are compiled
        ingest(warm)
    warm.close()
    children = []

    def starts(count, mode="r"):
        for path in folder.iterdir():
            path.chmod(0o444)
        folder.chmod(0o555)
        command = [sys.executable, "-c", POWERLESS, str(folder), str(count), str(tmp_path / "warm"), mode]
        children.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        return children[-1]

    yield starts
    folder.chmod(0o755)
    for child in children:
        child.communicate()


def test_an_index_in_a_read_only_folder_can_be_read(opener, folder, powerless):
    store = opener()
    for _ in range(10):
        ingest(store)
    store.close()
    assert not (folder / "index.sqlite-wal").exists()
    child = powerless(10)
    assert child.stdout.readline() == "whole ([], [])\n"
    child.stdin.write("\n")
    child.stdin.flush()
    assert child.stdout.readline() == "follows 0\n"


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="needs a user who can write where another one cannot: root")
def test_a_reader_without_write_access_follows_a_writer(opener, folder, powerless):
    store = opener()
    for _ in range(10):
        ingest(store)
    store.close()
    child = powerless(10)
    assert child.stdout.readline() == "whole ([], [])\n"
    store = opener()
    (folder / "index.sqlite-wal").chmod(0o444)
    (folder / "index.sqlite-shm").chmod(0o444)
    for count in (3, 4):
        for _ in range(count):
            ingest(store)
        for path in folder.iterdir():
            path.chmod(0o644)
        child.stdin.write("\n")
        child.stdin.flush()
        assert child.stdout.readline() == f"follows {count}\n"


def test_a_log_that_needs_write_access_to_recover_is_reported(opener, folder, powerless, tmp_path):
    store = opener()
    for _ in range(10):
        ingest(store)
    for name in ("index.sqlite", "index.sqlite-wal"):
        shutil.copy(folder / name, tmp_path / name)
    store.close()
    for name in ("index.sqlite", "index.sqlite-wal"):
        shutil.move(tmp_path / name, folder / name)
    child = powerless(10)
    assert "InputError" in (line := child.stdout.readline()) and "Open it once for writing" in line


def test_mode_a_reports_a_read_only_folder(opener, folder, powerless):
    opener().close()
    line = powerless(0, "a").stdout.readline()
    assert "OutputError" in line and "cannot be written" in line
