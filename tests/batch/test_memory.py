"""The peak of memory is that of this program, whatever started it."""

import subprocess
import sys

import pytest

from dedup.batch import memory
from tests.paths import ROOT

MEBIBYTE = 1 << 20
needs_proc = pytest.mark.skipif(not memory.STATUS.exists(), reason="needs /proc")


def told(program):
    """What a program of its own prints, started by a process that holds 300 MiB."""
    parent = (
        "import subprocess, sys\n"
        "held = bytearray(300 << 20)\n"
        "held[::4096] = b'x' * len(held[::4096])\n"
        "print(subprocess.run([sys.executable, '-c', sys.argv[1]], capture_output=True, text=True, check=True).stdout)\n"
    )
    done = subprocess.run([sys.executable, "-c", parent, program], cwd=ROOT, capture_output=True, text=True, check=True)
    return int(done.stdout)


@needs_proc
def test_what_a_large_parent_held_does_not_count():
    assert 5 * MEBIBYTE < told("from dedup.batch.memory import peak_memory; print(peak_memory())") < 150 * MEBIBYTE


@needs_proc
def test_memory_that_was_given_back_counts():
    program = (
        "from dedup.batch.memory import peak_memory; before = peak_memory(); x = b'x' * (200 << 20); del x; print(peak_memory() - before)"
    )
    assert told(program) > 190 * MEBIBYTE


def test_where_the_system_does_not_tell_it_there_the_usage_of_the_process_is_taken(monkeypatch, tmp_path):
    pytest.importorskip("resource")
    usual = memory.peak_memory()
    monkeypatch.setattr(memory, "STATUS", tmp_path / "status")
    assert memory.peak_memory() >= usual - MEBIBYTE
    (tmp_path / "status").write_text("VmHWM:\tmuch\n")
    assert memory.peak_memory() >= usual - MEBIBYTE
    (tmp_path / "status").write_text("Name:\tdedup\nVmHWM:\t  2048 kB\n")
    assert memory.peak_memory() == 2 * MEBIBYTE
