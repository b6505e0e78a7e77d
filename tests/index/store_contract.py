"""The contract that every store of an index must fulfil, as classes of tests to inherit from.

A subclass has a fixture ``opened``: a function that opens the same index, empty at first, and takes
``mode``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pytest

from dedup.index.store import CLASS_BITS, Entry, TokenRows, WriteBatch, WriteConflict


def entry(number: int, **changes) -> Entry:
    plain = {
        "number": number, "doc_id": f"خبر-{number}", "page_id": f"خبر-{number}", "role": "article", "status": "unique", "canonical": number,
        "kind": None, "jaccard": None, "share": None, "containment": None, "extends": None, "covered": 0.0, "story": None, "published": None,
        "arrived": 1_000 + number,
"source": "وكالة الأنباء", "url": None, "title": "افتتاح معرض الكتاب", "words": 3, "digest": bytes(range(16)), "parts": 0,
    }  # fmt: skip
    return Entry(**plain | changes)


def words(*rows: Sequence[tuple[int, int]]) -> TokenRows:
    flat = [pair for row in rows for pair in row]
    offsets = np.cumsum([0, *(len(row) for row in rows)]).astype(np.int64)
    return TokenRows(np.array([token for token, _ in flat], np.uint64), np.array([term for _, term in flat], np.uint64), offsets)


def recent(store, since: int) -> list[int]:
    """Numbers of the entries that arrived at or after a time, ascending."""
    found = store.fetch(range(store.last_number() + 1))
    return [item.number for item in found if item is not None and item.arrived >= since]


def read(kept: TokenRows) -> list[list[tuple[int, int]]]:
    pairs = list(zip(kept.tokens.tolist(), kept.terms.tolist(), strict=True))
    return [pairs[start:end] for start, end in zip(kept.offsets.tolist(), kept.offsets.tolist()[1:], strict=False)]


def postings(*pairs: tuple[int, int]) -> dict:
    """(key, number) pairs as the two arrays of a batch, all of size class 3."""
    return {
        "keys": np.array([key for key, _ in pairs], np.uint64),
        "values": np.array([number << CLASS_BITS | 3 for _, number in pairs], np.uint32),
    }


def found(store, rows: Sequence[Sequence[int]], most: int = 100) -> tuple[list[list[int]], list[int]]:
    """(numbers that the keys of each row list, sorted; how many lists of each row were truncated)."""
    offsets = np.cumsum([0, *(len(row) for row in rows)]).astype(np.int64)
    hits = store.lookup(np.array([key for row in rows for key in row], np.uint64), offsets, most)
    assert hits.values.dtype == np.uint32 and hits.offsets.dtype == np.int64
    assert (hits.values & (1 << CLASS_BITS) - 1 == 3).all()
    numbers = (hits.values >> CLASS_BITS).tolist()
    return [sorted(numbers[start:end]) for start, end in zip(hits.offsets, hits.offsets[1:], strict=False)], hits.truncated.tolist()


def add(store, count: int = 1, **changes) -> int:
    """Commit ``count`` plain entries, each with three words; returns the first number."""
    first = store.allocate(count)
    numbers = range(first, first + count)
    store.commit(
        WriteBatch([entry(number, **changes) for number in numbers], words(*([(number, 0), (7, 8), (number, 0)] for number in numbers)))
    )
    return first


#: Keys with equal lowest and highest bits, as those of winnowed shingles have.
KEYS = [1, 2, 3, 1 << 32, 1 << 63, (1 << 64) - 1]


class StoreContract:
    def test_a_new_store_is_empty(self, opened):
        store = opened()
        assert len(store) == 0 and store.sync() == ([], []) and store.events(0) == []
        assert recent(store, 0) == [] and store.older_than(1 << 60, 10) == [] and store.fetch([]) == []
        assert read(store.words([])) == [] and read(store.words([5])) == [[]] and store.fetch([5]) == [None]
        assert found(store, [KEYS, []]) == ([[], []], [0, 0]) and found(store, []) == ([], [])
        assert store.all_numbers(1).tolist() == []

    def test_entries_are_returned_as_they_were_committed(self, opened):
        store = opened()
        first = store.allocate(3)
        kept = [
            entry(first, published=-5, story=0, title="", source=None, parts=65_000, arrived=1 << 50),
            entry(
                first + 1, status="copy", kind="near", canonical=first, jaccard=0.1 + 0.2, share=0.7, containment=1.0, covered=0.9,
                story=12, published=1_700_000_000_000_000, url="https://example.org/؟a=\x00b", page_id="صفحة", role="embedded",
            ),
            entry(first + 2, doc_id="", page_id="", title="ع" * 70_000, words=0, status="extended", extends=first, covered=1 / 3),
        ]  # fmt: skip
        store.commit(WriteBatch(list(kept), TokenRows.none(3)))
        assert store.fetch([first + 2, first, first + 1, first]) == [kept[2], kept[0], kept[1], kept[0]]
        assert opened().fetch([first + 1]) == [kept[1]]

    def test_words_are_returned_in_order_with_their_terms(self, opened):
        store = opened()
        first = store.allocate(4)
        many = [(int(word) * 0x9E3779B97F4A7C15 % (1 << 64), int(word) % 3) for word in np.random.default_rng(1).zipf(1.4, 3_000) % 700]
        same_token = [(5, 1), (5, 2), (5, 1), (6, 0), (5, 2)]
        rows = [many, [], same_token, [((1 << 64) - 1, (1 << 64) - 1)]]
        store.commit(WriteBatch([entry(first + at) for at in range(4)], words(*rows)))
        assert read(store.words([first + 2, first, first + 1, first + 3])) == [rows[2], rows[0], rows[1], rows[3]]

    def test_lookups_return_the_posted_numbers_of_each_row(self, opened):
        store = opened()
        first = add(store, 3)
        store.commit(WriteBatch(**postings((1, first), (1 << 63, first), (1, first + 1), (3, first + 2))))
        assert found(store, [[1, 2], [], [1 << 63, 1, 3], [3]]) == (
            [[first, first + 1], [], [first, first, first + 1, first + 2], [first + 2]],
            [0] * 4,
        )
        store.commit(WriteBatch(**postings((1, first + 2))))
        assert found(opened(), [[1]]) == ([[first, first + 1, first + 2]], [0])
        assert store.all_numbers(1).tolist() == [first, first + 1, first + 2] and store.all_numbers(2).tolist() == []

    def test_long_lists_are_truncated_to_the_first_values(self, opened):
        store = opened()
        first = add(store, 5_000)
        for start in range(0, 5_000, 1_000):
            store.commit(WriteBatch(**postings(*((9, first + at) for at in range(start, start + 1_000)), (8, first + start))))
        numbers, truncated = found(store, [[9, 8], [8], [9]], most=700)
        assert numbers[0] == sorted([*range(first, first + 700), *range(first, first + 5_000, 1_000)])
        assert numbers[2] == list(range(first, first + 700)) and truncated == [1, 0, 1]
        assert found(store, [[9]], most=5_000) == ([list(range(first, first + 5_000))], [0])
        assert store.all_numbers(9).tolist() == list(range(first, first + 5_000))

    def test_an_entry_replaces_the_one_with_its_number(self, opened):
        store = opened()
        number = add(store)
        before = read(store.words([number]))
        store.commit(WriteBatch([entry(number, title="عنوان جديد", arrived=9_000, status="copy")], words([]), kept_words={number}))
        assert len(store) == 1 and store.stats()["copies"] == 1
        assert store.fetch([number])[0].title == "عنوان جديد" and read(store.words([number])) == before
        assert recent(store, 9_000) == [number] and store.older_than(9_000, 5) == []
        store.commit(WriteBatch([entry(number)], words([(4, 4)])))
        assert read(store.words([number])) == [[(4, 4)]] and store.stats()["copies"] == 0
        store.commit(WriteBatch([entry(number)], words([])))
        assert read(store.words([number])) == [[]]

    def test_removed_entries_are_gone_and_their_numbers_are_not_reused(self, opened):
        store = opened()
        first = add(store, 3, status="copy")
        store.commit(WriteBatch(removed=[first + 1, first + 2], **postings((1, first), (1, first + 1))))
        assert len(store) == 1 and store.fetch([first, first + 1, first + 2])[1:] == [None, None] and store.stats()["copies"] == 1
        assert read(store.words([first + 1])) == [[]] and recent(store, 0) == [first]
        assert store.allocate(1) > first + 2
        store.compact()
        assert store.all_numbers(1).tolist() == [first] and opened().fetch([first + 2]) == [None]

    def test_entries_are_found_by_time_of_arrival(self, opened):
        store = opened()
        first = store.allocate(4)
        arrived = [500, 300, 300, 1 << 51]
        store.commit(WriteBatch([entry(first + at, arrived=when) for at, when in enumerate(arrived)], TokenRows.none(4)))
        assert recent(store, 301) == [first, first + 3] and recent(store, 300) == [first + at for at in range(4)]
        assert store.older_than(500, 10) == [first + 1, first + 2] and store.older_than(501, 1) == [first + 1]
        assert store.older_than(300, 10) == []

    def test_the_last_number_counts_removed_entries_but_not_unused_numbers(self, opened):
        store = opened()
        assert store.last_number() == -1
        first = add(store, 3)
        store.allocate(5)
        assert store.last_number() == first + 2
        store.commit(WriteBatch([entry(first)], words([]), removed=[first + 2]))
        store.commit(WriteBatch())
        assert opened().last_number() == first + 2

    def test_events_are_numbered_in_order(self, opened):
        store = opened()
        at = datetime(2024, 5, 1, 12, 30, 0, 123456, tzinfo=UTC)
        merged = {
            "event": "story_merged",
            "story_id": "s1",
            "other_id": "s2",
            "canonical_id": None,
            "at": at,
            "documents": 2,
            "members": ["خبر-1", "ب"],
        }
        split = merged | {"event": "story_split", "story_id": None, "at": None, "members": []}
        store.commit(WriteBatch(events=[merged, split]))
        store.commit(WriteBatch(events=[split]))
        store = opened()
        events = store.events(0)
        assert [{name: event[name] for name in merged} for event in events] == [merged, split, split]
        numbers = [event["number"] for event in events]
        assert numbers == sorted(set(numbers)) and min(numbers) > 0 and all(isinstance(event["recorded"], int) for event in events)
        assert [event["number"] for event in store.events(numbers[0])] == numbers[1:] and store.events(numbers[2]) == []

    def test_an_empty_batch_changes_nothing(self, opened):
        store = opened()
        add(store)
        store.commit(WriteBatch())
        assert len(store) == 1


class SharedStoreContract(StoreContract):
    """The contract of a store with several simultaneous writers."""

    def test_numbers_are_allocated_only_once(self, opened):
        one, other = opened(), opened()
        given = [set(range(first, first + 10)) for store in (one, other, one) for first in [store.allocate(10)]]
        assert len(set.union(*given)) == 30

    def test_sync_returns_the_changes_of_others_only(self, opened):
        one, other = opened(), opened()
        assert one.sync() == other.sync() == ([], [])
        first = add(one, 3)
        one.commit(WriteBatch([entry(first)], words([(1, 1)]), removed=[first + 2]))
        assert one.sync() == ([], [])
        changed, removed = other.sync()
        assert sorted(changed) == [first, first + 1] and removed == [first + 2]
        assert other.sync() == ([], []) and opened().sync() == ([], [])

    def test_a_commit_after_another_writer_conflicts_and_changes_nothing(self, opened):
        one, other = opened(), opened()
        one.sync()
        other.sync()
        theirs, ours = other.allocate(1), one.allocate(1)
        add(one)
        batch = WriteBatch([entry(theirs)], words([(1, 1)]), **postings((5, theirs)), events=[])
        with pytest.raises(WriteConflict):
            other.commit(batch)
        with pytest.raises(WriteConflict):
            other.commit(batch)
        assert len(other) == 1 and other.all_numbers(5).tolist() == [] and other.fetch([theirs]) == [None]
        assert len(other.sync()[0]) == 1
        other.commit(batch)
        assert len(one) == 2 and one.sync() == ([theirs], []) and ours not in recent(one, 0)

    def test_a_large_batch_becomes_visible_as_a_whole(self, opened):
        one, other = opened(), opened()
        other.sync()
        count = 3_000
        first = one.allocate(count)
        pairs = [(key, first + at) for at in range(count) for key in (at + 1_000_000, at % 50, 77)]
        rows = [[(at, at), (3, 0)] for at in range(count)]
        one.commit(WriteBatch([entry(first + at) for at in range(count)], words(*rows), **postings(*pairs)))
        assert len(other) == count and sorted(other.sync()[0]) == list(range(first, first + count))
        assert other.all_numbers(77).tolist() == list(range(first, first + count)) and len(other.all_numbers(3)) == 60
        assert read(other.words([first + 2_999, first])) == [rows[2_999], rows[0]]
