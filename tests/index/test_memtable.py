"""Postings in memory are listed in the order in which they were added."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dedup.index.memtable import Memtable
from dedup.kernels.index.memtable import MARKED, append_chained, find_in_chains, rehash_chained
from tests import oracle, oracle_index

KEYS = st.sampled_from([0, 1, 2, 2**64 - 1, 2**63]) | st.integers(0, 2**64 - 1)
POSTINGS = st.lists(st.tuples(KEYS, st.integers(0, 9) | st.integers(0, 2**32 - 1)), max_size=60)
ROWS = st.lists(st.lists(KEYS, max_size=8), max_size=5)


def arrays(postings):
    return np.array([key for key, _ in postings], np.uint64), np.array([value for _, value in postings], np.uint32)


def lists_of(hits):
    return oracle.listed(hits.values, hits.offsets), hits.truncated.tolist()


@given(st.lists(POSTINGS, max_size=5), ROWS, st.integers(0, 5))
def test_a_memtable_lists_what_a_dict_of_lists_contains(batches, rows, most):
    memtable, added = Memtable(), []
    for batch in batches:
        memtable.add(*arrays(batch))
        added += batch
        assert lists_of(memtable.lookup(*oracle.flat(rows), most)) == oracle_index.find_in_chains(added, rows, most)
    assert len(memtable) == len(added)
    keys, values = memtable.entries()
    assert list(zip(keys.tolist(), values.tolist(), strict=True)) == added
    for key in {key for key, _ in added} | {3}:
        assert memtable.all_values(key).tolist() == [value for other, value in added if other == key]


def chains_of(slots, nexts):
    chains = {}
    for key, ends in slots.tolist():
        first, last = ends >> 32, ends & 0xFFFFFFFF
        if first:
            chain = [first - 1]
            while nexts[chain[-1]]:
                chain.append(int(nexts[chain[-1]]) - 1)
            assert chain[-1] == last - 1
            chains[key] = chain
    return chains


@given(st.lists(KEYS, max_size=30), st.lists(KEYS, max_size=30), st.sampled_from([64, 128]))
def test_chains_equal_the_reference_implementation_in_tables_of_any_size(one, other, n_slots):
    slots, marks, nexts, chains = np.zeros((64, 2), np.uint64), np.zeros(64 // MARKED, np.uint64), np.empty(60, np.uint32), {}
    assert append_chained(slots, marks, nexts, np.array(one, np.uint64), 0) == oracle_index.append_chained(chains, one, 0)
    (slots, marks), chains = rehash_chained(slots, n_slots), oracle_index.rehash_chained(chains)
    new = append_chained(slots, marks, nexts, np.array(other, np.uint64), len(one))
    assert new == oracle_index.append_chained(chains, other, len(one))
    assert chains_of(slots, nexts) == chains
    values, keys = np.arange(60, dtype=np.uint32), [*one, *other]
    found = find_in_chains(slots, marks, nexts, values, *oracle.flat([keys]), 2)
    expected = oracle_index.find_in_chains([(key, entry) for entry, key in enumerate(keys)], [keys], 2)
    assert (oracle.listed(*found[:2]), found[2].tolist()) == expected


def test_a_list_of_a_million_values_is_read_whole_or_truncated():
    memtable = Memtable()
    memtable.add(np.full(1_000_000, 7, np.uint64), np.arange(1_000_000, dtype=np.uint32))
    memtable.add(np.array([8], np.uint64), np.array([5], np.uint32))
    assert np.array_equal(memtable.all_values(7), np.arange(1_000_000))
    assert lists_of(memtable.lookup(*oracle.flat([[7, 8], [9]]), 2)) == ([[0, 1, 5], []], [1, 0])


def test_keys_added_in_small_steps_are_all_found():
    keys = np.random.default_rng(2).integers(0, 2**64, 30_000, np.uint64)
    memtable = Memtable()
    for start in range(0, len(keys), 70):
        part = keys[start : start + 70]
        memtable.add(part, np.arange(start, start + len(part), dtype=np.uint32))
    hits = memtable.lookup(keys, np.arange(len(keys) + 1), 9)
    assert np.array_equal(hits.values, np.arange(len(keys))) and np.array_equal(hits.offsets, np.arange(len(keys) + 1))


def test_views_of_entries_survive_clearing_and_refilling():
    memtable = Memtable()
    memtable.add(*arrays([(1, 2), (3, 4)]))
    keys, values = memtable.entries()
    memtable.clear()
    memtable.add(*arrays([(5, 6)]))
    assert (keys.tolist(), values.tolist()) == ([1, 3], [2, 4])
    assert len(memtable) == 1 and memtable.all_values(1).tolist() == [] and memtable.all_values(5).tolist() == [6]


def test_an_empty_memtable_lists_nothing():
    assert lists_of(Memtable().lookup(*oracle.flat([[], [0]]), 4)) == ([[], []], [0, 0])
    assert lists_of(Memtable().lookup(*oracle.flat([]), 4)) == ([], [])
