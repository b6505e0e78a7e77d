"""Arrivals to what an index has of them: by id, by digest, by shingles, by title. One question to the store for a whole block."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..arrays.rows import Ints, Rows, row_offsets, take_rows
from ..config import Config
from ..kernels.index.tally import tally
from .incoming import Incoming
from .keys import digest_keys, id_keys, least_shared, numbers_of, pack_values
from .matching import MOST_COMPARED
from .memtable import Memtable
from .store import CLASS_BITS, Entry, PostingLists, Store


class _Scratch(threading.local):
    """Counters of a thread, one for each document number, zero between calls."""

    def __init__(self) -> None:
        self.counts = np.zeros(1 << 12, np.uint16)

    def up_to(self, number: int) -> npt.NDArray[np.uint16]:
        if number >= len(self.counts):
            self.counts = np.zeros(1 << number.bit_length(), np.uint16)
        return self.counts


_scratch = _Scratch()


def candidates(hits: PostingLists, needed: npt.NDArray[np.int32], most: int) -> tuple[Ints, npt.NDArray[np.int32], Ints]:
    """The documents that share enough keys with each row.

    Parameters
    ----------
    hits : what the keys of each row list
    needed : int32[n_rows, 16], how many keys must be shared with a document of each size class
    most : so many are kept of a row, those that share most, of equals the smaller numbers

    Returns
    -------
    (numbers int64[n], ascending in each row; shared int32[n]; offsets int64[n_rows + 1])
        Memory: two bytes a thread for every number up to the largest met, rounded up to a power of two.
    """
    needed = np.ascontiguousarray(needed, np.int32).reshape(len(hits.offsets) - 1, 1 << CLASS_BITS)
    largest = int(hits.values.max()) >> CLASS_BITS if len(hits.values) else 0
    numbers, shared, offsets = tally(hits.values, hits.offsets, needed, _scratch.up_to(largest), most)
    return numbers, shared, offsets


#: Documents that one id can list: those that had it before, and chance.
_FEW = 64


@dataclass(frozen=True, eq=False)
class LookupResult:
    """What there is for each arrival.

    ``known`` the entry of its id; ``twins`` entries with its digest; ``alike`` rows of numbers of documents that share shingles
    with it, ``titled`` of those that share runs of letters of its title (of a headline). In ``alike_here`` and ``titled_here`` are rows
    of earlier arrivals; ``twins_here`` the first arrival with the same words, of an article that has one. ``entries`` has all entries by
    number; ``standing`` rows of updates that stand for copies still, see ``rewriting.py``.
    """

    known: list[Entry | None]
    twins: list[list[Entry]]
    alike: list[Ints]
    titled: list[Ints]
    alike_here: list[Ints]
    titled_here: list[Ints]
    twins_here: dict[int, int]
    entries: dict[int, Entry]
    standing: frozenset[int] = frozenset()


def look_up(arrivals: Incoming, store: Store, config: Config, *, together: bool) -> LookupResult:
    """Look for the entries that decide what arrivals are.

    Parameters
    ----------
    together : arrivals are compared with all earlier ones of the block too, else with those of their own page
    """
    n = len(arrivals)
    compared = ~arrivals.short & ~arrivals.headline
    asked = arrivals.headline & ~arrivals.short
    shingles = only(arrivals.prints.shingles, compared)
    titles = only(arrivals.listed_titles, asked) if asked.any() else _none(n)
    whole, letters = _apart(titles) if asked.any() else (titles, titles)
    ones = np.arange(n + 1)
    digests = only((digest_keys(arrivals.prints.digests), ones), compared)
    named, cap = (id_keys(arrivals.doc_ids), ones), config.candidates.list_cap
    hits = store.lookup(*_joined([named, digests, whole, letters, shingles]), cap)
    by_id, by_digest, by_title, by_letters, by_shingle = (_section(hits, k * n, (k + 1) * n) for k in range(5))
    needed = least_shared(np.diff(shingles[1]), by_shingle.cut, config.copies)
    ids, twins = _uncut(by_id, named, store), _uncut(by_digest, digests, store)
    # Of a title that comes back every day those that came last count.
    last = _uncut(by_title, whole, store, cap)
    titled = [np.union1d(*both) if len(both[0]) else both[1] for both in zip(last, _each(by_letters), strict=True)]
    entries = _fetched(store, [*ids, *twins])
    known = [_named(doc_id, ids[i], entries) for i, doc_id in enumerate(arrivals.doc_ids)]
    own = [-1 if entry is None else entry.number for entry in known]
    same_words = [_twins(twins[i], entries, arrivals.prints.digests[i].tobytes(), own[i]) for i in range(n)]
    # Who has the same words as another one needs no further comparison.
    alike = [_NONE if same_words[i] else numbers for i, numbers in enumerate(_numbers(by_shingle, needed))]
    entries |= _fetched(store, [*alike, *titled])
    here = _look_here(arrivals, shingles, titles, compared, config, together) if n > 1 else ([_NONE] * n, [_NONE] * n)
    return LookupResult(
        known,
        same_words,
        [_others(alike[i], entries, own[i]) for i in range(n)],
        [_others(titled[i], entries, own[i]) for i in range(n)],
        *here,
        _twins_here(arrivals, compared, together),
        entries,
    )


_NONE: Ints = np.empty(0, np.int64)


def changed(arrivals: Incoming, store: Store) -> npt.NDArray[np.bool_]:
    """bool[n]: documents that the index has with another text."""
    named = id_keys(arrivals.doc_ids), np.arange(len(arrivals) + 1)
    numbers = np.unique(np.concatenate(_uncut(store.lookup(*named, _FEW), named, store))).tolist()
    known = {entry.doc_id: entry for entry in store.fetch(numbers) if entry is not None}
    return np.array([name in known and not says_the_same(arrivals, row, known[name]) for row, name in enumerate(arrivals.doc_ids)], bool)


def says_the_same(arrivals: Incoming, row: int, known: Entry) -> bool:
    """Whether an arrival says what the entry of its id says, see ``verdict.is_same``."""
    digest = arrivals.prints.digests[row].tobytes()
    return known.digest == digest and known.title == arrivals.titles[row] and known.role == arrivals.roles[row]


def _look_here(
    arrivals: Incoming, shingles: Rows, titles: Rows, compared: npt.NDArray[np.bool_], config: Config, together: bool
) -> tuple[list[Ints], list[Ints]]:
    """For each arrival, earlier ones of the block that share shingles, or the title."""
    n = len(arrivals)
    tail = Memtable()
    sampled = only(arrivals.sampled, compared)
    judged = compared | (arrivals.headline & ~arrivals.short)
    own_titles = only(arrivals.listed_titles, judged & (arrivals.prints.title_words >= config.text.min_headline_words))
    values = pack_values(np.arange(n), np.diff(arrivals.prints.shingles[1]))
    for keys, offsets in (sampled, own_titles):
        tail.add(keys, np.repeat(values, np.diff(offsets)))
    hits = tail.lookup(*_joined([shingles, titles]), n)
    by_shingle, by_title = _section(hits, 0, n), _section(hits, n, 2 * n)
    needed = least_shared(np.diff(shingles[1]), by_shingle.cut, config.copies)
    alike = _numbers(by_shingle, needed, most=n)
    titled = _each(by_title)
    # Pages stand together, so those of a row's page are the ones behind its first.
    first = np.zeros(n, np.int64) if together else np.searchsorted(arrivals.pages, arrivals.pages)
    earlier = ([rows[(rows < i) & (rows >= first[i])] for i, rows in enumerate(side)] for side in (alike, titled))
    one, other = earlier
    return one, other


def _twins_here(arrivals: Incoming, compared: npt.NDArray[np.bool_], together: bool) -> dict[int, int]:
    """For each article with the very words of an earlier one, the first of those."""
    first: dict[tuple[bytes, int], int] = {}
    answer = {}
    for row in np.flatnonzero(compared).tolist():
        key = arrivals.prints.digests[row].tobytes(), 0 if together else int(arrivals.pages[row])
        earlier = first.setdefault(key, row)
        if earlier != row:
            answer[row] = earlier
    return answer


def _numbers(hits: PostingLists, needed: npt.NDArray[np.int32], most: int = MOST_COMPARED) -> list[Ints]:
    numbers, _, offsets = candidates(hits, needed, most)
    return [numbers[a:b] for a, b in _spans(offsets)]


def _named(doc_id: str, numbers: Ints, entries: dict[int, Entry]) -> Entry | None:
    return next((entries[k] for k in numbers.tolist() if k in entries and entries[k].doc_id == doc_id), None)


def _fetched(store: Store, numbers: list[Ints]) -> dict[int, Entry]:
    wanted = sorted({number for row in numbers for number in row.tolist()})
    return {entry.number: entry for entry in store.fetch(wanted) if entry is not None} if wanted else {}


def _each(hits: PostingLists) -> list[Ints]:
    """The numbers of each row, ascending, each once."""
    numbers = numbers_of(hits.values)
    return [np.unique(numbers[a:b]) if b - a > 1 else numbers[a:b] for a, b in _spans(hits.offsets)]


def _uncut(hits: PostingLists, keys: Rows, store: Store, most: int | None = None) -> list[Ints]:
    """The numbers of each row of at most one key; all of them, or those that came last, where that lists more than was read."""
    numbers = _each(hits)
    for row in np.flatnonzero(hits.cut).tolist():
        numbers[row] = store.all_numbers(int(keys[0][keys[1][row]]))[-(most or 0) :]
    return numbers


def _apart(titles: Rows) -> tuple[Rows, Rows]:
    """Of what titles are looked up by the key of all words, and those of letters."""
    keys, offsets = titles
    there = np.diff(offsets) > 0
    whole = offsets[:-1][there]
    behind = row_offsets(there.astype(np.int64))
    return (keys[whole], behind), (np.delete(keys, whole), offsets - behind)


def _others(numbers: Ints, entries: dict[int, Entry], own: int) -> Ints:
    """Those that are there still and can be compared, but for an arrival's own former text."""
    return np.array([k for k in numbers.tolist() if k != own and k in entries and entries[k].status != "short"], np.int64)


def _twins(numbers: Ints, entries: dict[int, Entry], digest: bytes, own: int) -> list[Entry]:
    found = (entries[k] for k in numbers.tolist() if k != own and k in entries)
    return [entry for entry in found if entry.digest == digest and entry.role != "headline" and entry.status != "short"]


def only(rows: Rows, chosen: npt.NDArray[np.bool_]) -> Rows:
    """The same rows, those that are not chosen empty."""
    if chosen.all():
        return rows
    if not chosen.any():
        return _none(len(chosen))
    sizes = np.diff(rows[1])
    return take_rows(*rows, np.arange(len(sizes)), np.where(chosen, sizes, 0))


def _none(n: int) -> Rows:
    """So many empty rows."""
    return np.empty(0, np.uint64), np.zeros(n + 1, np.int64)


def _joined(parts: list[Rows]) -> Rows:
    """Rows of several kinds, one kind behind the other."""
    sizes = np.concatenate([np.diff(offsets) for _, offsets in parts])
    return np.concatenate([keys for keys, _ in parts]), row_offsets(sizes)


def _section(hits: PostingLists, first: int, last: int) -> PostingLists:
    begin, end = hits.offsets[first], hits.offsets[last]
    return PostingLists(hits.values[begin:end], hits.offsets[first : last + 1] - begin, hits.cut[first:last])


def _spans(offsets: Ints) -> list[tuple[int, int]]:
    bounds = offsets.tolist()
    return list(zip(bounds[:-1], bounds[1:], strict=True))
