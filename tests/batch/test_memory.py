"""The memory of a process: the peak does not include its parent."""

import subprocess
import sys

import pytest

from dedup.batch import memory
from tests.paths import ROOT

MEBIBYTE = 1 << 20
needs_proc = pytest.mark.skipif(not memory.STATUS.exists(), reason="needs /proc")


def number_printed_by(program):
    """The number printed by a program that a process of 300 MiB started."""
    parent = (
        "import subprocess, sys\n"
        "held = bytearray(300 << 20)\n"
        "held[::4096] = b'x' * len(held[::4096])\n"
        "print(subprocess.run([sys.executable, '-c', sys.argv[1]], capture_output=True, text=True, check=True).stdout)\n"
    )
    done = subprocess.run([sys.executable, "-c", parent, program], cwd=ROOT, capture_output=True, text=True, check=True)
    return int(done.stdout)


@needs_proc
def test_the_memory_of_a_large_parent_does_not_count():
    assert 5 * MEBIBYTE < number_printed_by("from dedup.batch.memory import peak_memory; print(peak_memory())") < 150 * MEBIBYTE


@needs_proc
def test_released_memory_counts_towards_the_peak():
    program = (
        "from dedup.batch.memory import peak_memory; before = peak_memory(); x = b'x' * (200 << 20); del x; print(peak_memory() - before)"
    )
    assert number_printed_by(program) > 190 * MEBIBYTE


def test_falls_back_to_getrusage_without_a_status_file(monkeypatch, tmp_path):
    pytest.importorskip("resource")
    usual = memory.peak_memory()
    monkeypatch.setattr(memory, "STATUS", tmp_path / "status")
    assert memory.peak_memory() >= usual - MEBIBYTE
    (tmp_path / "status").write_text("VmHWM:\tmuch\n")
    assert memory.peak_memory() >= usual - MEBIBYTE
    (tmp_path / "status").write_text("Name:\tdedup\nVmHWM:\t  2048 kB\n")
    assert memory.peak_memory() == 2 * MEBIBYTE
