"""Spilling: values in files equal those in memory, and a full disk is reported with advice."""

from __future__ import annotations

import errno

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.arrays.spill import SpillPool
from dedup.errors import OutputError


@given(st.lists(st.lists(st.integers(0, 2**64 - 1), max_size=6), max_size=8), st.integers(0, 200))
def test_an_array_contains_all_added_values_whatever_the_limit(parts, limit):
    with SpillPool(limit) as spill:
        growing, other = spill.new_array(np.uint64), spill.new_array(np.int32)
        for part in parts:
            growing.add(np.array(part, np.uint64))
            other.add(np.arange(len(part), dtype=np.int32))
        array = growing.array()
        assert (array.dtype, array.tolist()) == (np.uint64, [value for part in parts for value in part])
        assert other.array().tolist() == [i for part in parts for i in range(len(part))]
        assert spill.spilled == (12 * sum(map(len, parts)) > limit)
    spill.release()
    assert array.tolist() == [value for part in parts for value in part]


def test_an_array_created_after_spilling_is_in_a_file(tmp_path):
    with SpillPool(10, str(tmp_path)) as spill:
        spill.new_array(np.uint8).add(np.zeros(100, np.uint8))
        later = spill.new_array(np.uint8)
        later.add(np.arange(5, dtype=np.uint8))
        array = later.array()
    assert not array.flags.owndata
    assert array.tolist() == [0, 1, 2, 3, 4]


def test_no_temporary_file_remains(tmp_path):
    with SpillPool(0, str(tmp_path)) as spill:
        growing = spill.new_array(np.uint64)
        growing.add(np.arange(1000, dtype=np.uint64))
        array = growing.array()
    assert array.sum() == 499_500
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_folder_is_reported_with_advice(tmp_path):
    growing = SpillPool(0, str(tmp_path / "missing")).new_array(np.uint8)
    with pytest.raises(OutputError, match="missing: cannot keep .* TMPDIR to another folder, or allow more memory with --run.memory"):
        growing.add(np.zeros(9, np.uint8))


def test_a_full_disk_is_reported(tmp_path, monkeypatch):
    spill = SpillPool(0, str(tmp_path))

    class Full:
        def write(self, _):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(spill, "temporary_file", Full)
    with pytest.raises(OutputError, match="No space left on device"):
        spill.new_array(np.uint8).add(np.zeros(9, np.uint8))
