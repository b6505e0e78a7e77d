"""Segments: lookup, merging, kernels, files and their damage."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.index.sqlite import segments as module
from dedup.index.sqlite.segments import DamagedFileError, Segment, join_hits
from dedup.kernels.index.segment_reader import SegmentArrays, find_in_segment, join_rows
from dedup.kernels.index.segment_writer import count_remaining, keep_first, partition_postings, read_part, write_parts
from tests import oracle, oracle_index

#: Keys in one bucket, keys that agree in the 40 bits kept, and arbitrary ones.
CLOSE = st.builds(lambda kept, rest: oracle_index.key_of(kept, rest), st.integers(0, 3), st.integers(0, 2))
TAGS = st.builds(
    lambda bucket, tag: oracle_index.key_of(bucket << 24 | tag), st.sampled_from([0, 1, 9, 2**16 - 1]), st.integers(0, 2**24 - 1)
)
KEYS = st.sampled_from([0, 1, 2**64 - 1]) | CLOSE | TAGS | st.integers(0, 2**64 - 1)
VALUES = st.integers(0, 40) | st.integers(0, 2**32 - 1)
POSTINGS = st.lists(st.tuples(KEYS, VALUES), max_size=60)
ROWS = st.lists(st.lists(KEYS, max_size=8), max_size=5)
BITS = st.sampled_from([16, 16, 17, 19, 24])


def arrays(postings):
    return np.array([key for key, _ in postings], np.uint64), np.array([value for _, value in postings], np.uint32)


def built(postings):
    return Segment.build(*arrays(postings))


def lists_of(hits):
    return oracle.listed(hits.values, hits.offsets), hits.truncated.tolist()


def entries_of(segment):
    """Bits kept and value of each entry, in order."""
    sizes = np.diff(segment.directory.astype(np.int64))
    kept = np.repeat(np.arange(len(sizes)) << (40 - segment.bits), sizes) | segment.low
    if len(segment.high):
        kept |= segment.high.astype(np.int64) << 16
    return list(zip(kept.tolist(), segment.values.tolist(), strict=True))


def merged(lists, gone=()):
    """Expected content of a merge."""
    left = [(key, value) for postings in lists for key, value in postings if value >> 4 not in gone]
    return oracle_index.write_parts(oracle_index.partition_postings(left, 8), 8, True)


# Lookup


@given(POSTINGS, ROWS, st.integers(0, 5), BITS)
def test_a_segment_equals_a_dict_of_lists_for_any_bits(postings, rows, most, bits):
    rows = [*rows, [key for key, _ in postings]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_bits_for", lambda count: bits)
        segment = built(postings)
    assert (segment.bits, len(segment)) == (bits, len(postings))
    assert lists_of(segment.lookup(*oracle.flat(rows), most)) == oracle_index.find_in_segment(postings, rows, most)
    for key, _ in postings:
        assert segment.all_values(key).tolist() == oracle_index.find_in_segment(postings, [[key]], 99)[0][0]


def test_an_empty_segment_finds_nothing(tmp_path):
    built([]).write(tmp_path / "a")
    for segment in (built([]), Segment.open(tmp_path / "a"), Segment.merge([], np.empty(0, np.int64))):
        assert len(segment) == 0
        assert lists_of(segment.lookup(*oracle.flat([[], [0, 2**64 - 1]]), 4)) == ([[], []], [0, 0])
        assert lists_of(segment.lookup(*oracle.flat([]), 4)) == ([], [])


def test_rows_in_the_middle_of_an_array_of_keys_are_found():
    segment = built([(5, 1), (6, 2), (7, 3)])
    hits = segment.lookup(np.array([5, 6, 7], np.uint64), np.array([1, 1, 2]), 9)
    assert lists_of(hits) == ([[], [2]], [0, 0])


def test_a_list_of_a_million_is_read_in_order_and_truncated_on_request():
    hot = oracle_index.key_of(9 << 24 | 50)
    beside = [oracle_index.key_of(9 << 24 | tag) for tag in (49, 51)]
    keys = np.array([beside[1], *[hot] * 1_000_000, beside[0]], np.uint64)
    values = np.arange(len(keys), dtype=np.uint32)[::-1]
    segment = Segment.build(keys, values)
    assert np.array_equal(segment.all_values(hot), values[1:-1])
    expected = [[1_000_000, 999_999, 1_000_001], [0]], [1, 0]
    assert lists_of(segment.lookup(*oracle.flat([[hot, beside[1]], [beside[0], 8]]), 2)) == expected
    again = Segment.merge([segment, segment], np.array([1_000_001 >> 4]))
    assert np.array_equal(again.all_values(hot), values[values >> 4 != 1_000_001 >> 4][:-1])


def test_small_keys_spread_over_all_buckets():
    keys = np.sort(np.random.default_rng(3).integers(0, 2**64, 1_000_000, np.uint64))[:100_000]
    sizes = np.diff(Segment.build(keys, np.zeros(len(keys), np.uint32)).directory.astype(np.int64))
    assert sizes.max() < 20


@pytest.mark.parametrize("count", [0, 1, 10**5, 3 * 10**7, 7 * 10**7, 2 * 10**8, 10**10])
def test_a_posting_takes_at_most_eight_bytes_in_large_segments(count):
    bits = module._bits_for(count)
    nbytes = sum(dtype.itemsize * length for dtype, length in module._shapes(bits, count).values())
    assert 16 <= bits <= 32 and nbytes <= 9 * count + (1 << 19)
    assert count < 10**7 or nbytes <= 8 * count


# Merging


@settings(max_examples=30)
@given(st.lists(POSTINGS, max_size=4), st.lists(BITS, min_size=5, max_size=5), st.sets(st.integers(0, 70), max_size=6))
def test_a_merge_drops_removed_documents_and_duplicates(lists, bits, gone):
    bits = iter(bits)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_bits_for", lambda count: next(bits))
        segment = Segment.merge([built(postings) for postings in lists], np.array(sorted(gone), np.int64))
    assert entries_of(segment) == merged(lists, gone)


def test_merging_at_once_equals_merging_in_steps():
    rng = np.random.default_rng(4)
    parts = [Segment.build(rng.integers(0, 2**64, n, np.uint64), rng.integers(0, 2**32, n, np.uint32)) for n in (90_000, 30_000, 500, 0, 7)]
    none = np.empty(0, np.int64)
    whole, steps = Segment.merge(parts, none), Segment.merge([Segment.merge(parts[:2], none), Segment.merge(parts[2:], none)], none)
    assert len(whole) == 120_507 and entries_of(whole) == entries_of(steps)


@pytest.mark.parametrize("count", [3, 16, 17, 300])
def test_a_merge_keeps_the_first_of_duplicate_values(count):
    values = [(i * 7) % count for i in range(2 * count)]
    postings = [(0, value) for value in values]
    assert Segment.merge([built(postings[:count]), built(postings[count:])], np.empty(0, np.int64)).all_values(0).tolist() == values[:count]


# Kernels


@settings(max_examples=20)
@given(POSTINGS, st.integers(8, 16), BITS, st.booleans(), st.sets(st.integers(0, 70), max_size=6))
def test_building_kernels_equal_the_reference(postings, part_bits, bits, once, gone):
    packed, starts = partition_postings(*arrays(postings), part_bits)
    rows = [[(entry >> 32, entry & 0xFFFFFFFF) for entry in row] for row in oracle.listed(packed, starts)]
    parts = oracle_index.partition_postings(postings, part_bits)
    assert rows == parts
    room = [np.empty(length, dtype) for dtype, length in module._shapes(bits, len(postings)).values()]
    used = write_parts(packed, starts, 0, part_bits, once, SegmentArrays(*room, bits), 0)
    segment = Segment(bits, room[0], *(array[:used] for array in room[1:]))
    assert entries_of(segment) == oracle_index.write_parts(parts, part_bits, once)
    marks = module._marked(np.array(sorted(gone), np.int64))
    assert count_remaining(segment.values, marks) == oracle_index.count_remaining(segment.values.tolist(), gone)
    for part in (0, 1, (1 << part_bits) - 1):
        out = np.empty(used + 1, np.uint64)
        read = read_part(SegmentArrays(room[0], segment.low, segment.high, segment.values, bits), part, part_bits, marks, out, 0)
        found = [(entry >> 32, entry & 0xFFFFFFFF) for entry in out[:read].tolist()]
        assert found == oracle_index.read_part(entries_of(segment), part, part_bits, gone)


@given(st.lists(st.integers(0, 2**32 - 1) | st.integers(0, 30), max_size=50), st.integers(0, 3))
def test_first_occurrences_equal_the_reference(values, ahead):
    packed = np.array([9] * ahead + values + [9], np.uint64)
    end = keep_first(packed, ahead, ahead + len(values))
    assert packed[ahead:end].tolist() == oracle_index.keep_first(values)
    assert packed[:ahead].tolist() == [9] * ahead and packed[-1] == 9


def test_overfull_buckets_are_sorted_and_searched():
    rng = np.random.default_rng(6)
    tags = rng.integers(0, 2**24, 4000)
    postings = [(oracle_index.key_of(9 << 24 | tag), place) for place, tag in enumerate(tags.tolist() * 2)]
    segment, keys = built(postings), [key for key, _ in postings[:4000]]
    assert lists_of(segment.lookup(*oracle.flat([keys]), 1)) == oracle_index.find_in_segment(postings, [keys], 1)
    absent = [oracle_index.key_of(9 << 24 | tag) for tag in set(range(0, 2**24, 4099)) - set(tags.tolist())]
    assert len(segment.lookup(*oracle.flat([absent]), 9).values) == 0


@given(st.lists(POSTINGS, max_size=4), ROWS, st.integers(0, 3))
def test_joined_hits_concatenate_the_parts_row_by_row(lists, rows, most):
    parts = [oracle_index.find_in_segment(postings, rows, most) for postings in lists]
    joined = join_hits([built(postings).lookup(*oracle.flat(rows), most) for postings in lists])
    if not lists:
        assert lists_of(joined) == ([], [])
        return
    expected = oracle_index.join_rows([found for found, _ in parts])
    assert lists_of(joined) == (expected, [sum(cuts) for cuts in zip(*(cut for _, cut in parts), strict=True)])
    flat = [oracle.flat(found, np.uint32) for found, _ in parts]
    bases = np.cumsum([0, *(len(values) for values, _ in flat[:-1])])
    found = join_rows(np.concatenate([values for values, _ in flat]), bases, np.stack([offsets for _, offsets in flat]))
    assert oracle.listed(*found) == expected


# Files


def test_an_open_segment_survives_the_deletion_of_its_file(tmp_path):
    keys = np.random.default_rng(7).integers(0, 2**64, 5000, np.uint64)
    segment = Segment.build(keys, np.arange(5000, dtype=np.uint32))
    segment.write(tmp_path / "a")
    again = Segment.open(tmp_path / "a")
    again.verify()
    assert (len(again), entries_of(again)) == (5000, entries_of(segment))
    assert [array.nbytes for array in again.arrays[:4]] == [array.nbytes for array in segment.arrays[:4]]
    assert all(array.ctypes.data % 64 == 0 for array in (again.directory, again.low, again.high, again.values))
    (tmp_path / "a").unlink()
    assert lists_of(again.lookup(*oracle.flat([keys.tolist()]), 9)) == ([list(range(5000))], [0])


@pytest.fixture
def written(tmp_path):
    built([(key, key) for key in range(3000)]).write(tmp_path / "a")
    return tmp_path / "a"


@pytest.mark.parametrize("length", [0, 3, 20, 90, 5000, -1, -8])
def test_a_truncated_file_is_reported(written, length):
    data = written.read_bytes()
    written.write_bytes(data[:length])
    with pytest.raises(DamagedFileError, match="begin|truncated|bytes"):
        Segment.open(written)


def test_a_file_that_has_grown_is_reported(written):
    written.write_bytes(written.read_bytes() + b"\0")
    with pytest.raises(DamagedFileError, match="bytes and should have"):
        Segment.open(written)


@pytest.mark.parametrize(
    "place, message", [(0, "begin"), (8, "format version"), (13, "truncated"), (25, "truncated or changed"), (-1, "end")]
)
def test_open_reports_a_changed_header_or_end(written, place, message):
    data = bytearray(written.read_bytes())
    data[place] ^= 255
    written.write_bytes(data)
    with pytest.raises(DamagedFileError, match=message):
        Segment.open(written)


def test_a_missing_posting_file_is_reported(tmp_path):
    with pytest.raises(DamagedFileError, match="no such file"):
        Segment.open(tmp_path / "a")


def test_verify_reports_any_changed_byte_and_lookups_stay_in_bounds(written):
    rng = np.random.default_rng(8)
    good = written.read_bytes()
    keys = np.array(range(4000), np.uint64)
    for place in [*rng.integers(400, len(good) - 30_000, 20).tolist(), *rng.integers(len(good) - 20_000, len(good) - 4, 20).tolist()]:
        data = bytearray(good)
        data[place] ^= 255
        written.write_bytes(data)
        segment = Segment.open(written)
        segment.lookup(keys, np.array([0, len(keys)]), 9)
        with suppress(DamagedFileError):
            assert len(Segment.merge([segment], np.empty(0, np.int64))) <= 3000
        with pytest.raises(DamagedFileError, match="checksum"):
            segment.verify()
        del segment


def test_kernels_stay_in_bounds_with_a_damaged_directory():
    segment = built([(key, key) for key in range(3000)])
    wild = np.random.default_rng(9).integers(0, 2**32, len(segment.directory), np.uint32)
    keys = np.random.default_rng(10).integers(0, 2**64, 5000, np.uint64)
    found, offsets, _ = find_in_segment(segment.arrays._replace(directory=wild), keys, np.array([0, 5000]), 9)
    assert len(found) == offsets[-1] <= 9 * 5000
    with pytest.raises(DamagedFileError, match="out of order"):
        Segment.merge([Segment(segment.bits, wild, segment.low, segment.high, segment.values)], np.empty(0, np.int64))
