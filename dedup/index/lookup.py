"""Looks up incoming documents by id, digest, shingles and title, with one query for a block."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..arrays.rows import Ints, Rows, concat_rows, empty_rows, mask_rows, row_offsets
from ..config import Config
from ..errors import InputError
from ..kernels.index.tally import tally
from ..readers.values import safe_text, without_surrogates
from .incoming import Incoming
from .keys import copies_key, digest_keys, id_key, id_keys, least_shared, numbers_of, pack_values
from .matching import MOST_COMPARED
from .memtable import Memtable
from .store import CLASS_BITS, Entry, PostingLists, Store

_NONE: Ints = np.empty(0, np.int64)
#: Documents read for one id: more than one only if hashes collide, or if it was added again.
_MOST_OF_ID = 64


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
    needed : int32[n_rows, 16], keys that must be shared with a document of each size class
    most : documents kept of a row: those that share most, of equals the smaller numbers

    Returns
    -------
    (numbers int64[n], ascending in each row; shared int32[n]; offsets int64[n_rows + 1])
        Memory: two bytes a thread for every number up to the largest met, rounded up to a power of
        two.
    """
    needed = np.ascontiguousarray(needed, np.int32).reshape(len(hits.offsets) - 1, 1 << CLASS_BITS)
    largest = int(hits.values.max()) >> CLASS_BITS if len(hits.values) else 0
    numbers, shared, offsets = tally(hits.values, hits.offsets, needed, _scratch.up_to(largest), most)
    return numbers, shared, offsets


@dataclass(frozen=True, eq=False)
class LookupResult:
    """What is known of each incoming document, a list item for each.

    Attributes
    ----------
    known : the entry with its id, None if there is none
    same_text : entries of other articles with its digest
    alike : int64, numbers of documents that share shingles with it
    titled : int64, numbers of documents that share a title with it, or parts of one; of a headline
        only
    block_alike, block_titled : int64, rows of earlier documents of the block, likewise
    block_same_text : of an article, the first earlier row with its digest
    entries : all entries found, by number
    stays : rows of updates to which other documents stay tied, so that they are kept, see
        ``updates.update_canonicals``
    """

    known: list[Entry | None]
    same_text: list[list[Entry]]
    alike: list[Ints]
    titled: list[Ints]
    block_alike: list[Ints]
    block_titled: list[Ints]
    block_same_text: dict[int, int]
    entries: dict[int, Entry]
    stays: frozenset[int] = frozenset()


def look_up(incoming: Incoming, store: Store, config: Config, *, together: bool) -> LookupResult:
    """Find all that the decision about incoming documents depends on.

    Parameters
    ----------
    together : compare documents with all earlier ones of the block; otherwise only with those of
        their own page
    """
    n = len(incoming)
    compared = ~incoming.short & ~incoming.headline
    by_headline = incoming.headline & ~incoming.short
    shingles = mask_rows(*incoming.fingerprints.shingles, compared)
    titles = mask_rows(*incoming.title_keys, by_headline) if by_headline.any() else empty_rows(n)
    whole_titles, letters = _split_titles(titles) if by_headline.any() else (titles, titles)
    one_each = np.arange(n + 1)
    digests = mask_rows(digest_keys(incoming.fingerprints.digests), one_each, compared)
    ids, cap = (id_keys(incoming.doc_ids), one_each), config.candidates.list_cap
    hits = store.lookup(*concat_rows([ids, digests, whole_titles, letters, shingles]), cap)
    by_id, by_digest, by_title, by_letters, by_shingle = (_section(hits, k * n, (k + 1) * n) for k in range(5))

    needed = least_shared(np.diff(shingles[1]), by_shingle.truncated, config.copies)
    with_id, with_digest = _untruncated(by_id, ids, store), _untruncated(by_digest, digests, store)
    # Of a title that returns every day the latest documents count.
    with_title = _untruncated(by_title, whole_titles, store, cap)
    titled = [np.union1d(*both) if len(both[0]) else both[1] for both in zip(with_title, _numbers_of_rows(by_letters), strict=True)]
    entries = _fetch_entries(store, [*with_id, *with_digest])
    known = [_entry_with_id(doc_id, with_id[row], entries) for row, doc_id in enumerate(incoming.doc_ids)]
    own = [-1 if entry is None else entry.number for entry in known]
    same_text = [_with_digest(with_digest[row], entries, incoming.digest(row), own[row]) for row in range(n)]
    # A document with the same words as another one needs no further comparison.
    alike = [_NONE if same_text[row] else numbers for row, numbers in enumerate(_candidate_numbers(by_shingle, needed))]
    entries |= _fetch_entries(store, [*alike, *titled])
    in_block = _look_in_block(incoming, shingles, titles, compared, config, together) if n > 1 else ([_NONE] * n, [_NONE] * n)
    return LookupResult(
        known,
        same_text,
        [_comparable(alike[row], entries, own[row]) for row in range(n)],
        [_comparable(titled[row], entries, own[row]) for row in range(n)],
        *in_block,
        _same_text_in_block(incoming, compared, together),
        entries,
    )


def _look_in_block(
    incoming: Incoming, shingles: Rows, titles: Rows, compared: npt.NDArray[np.bool_], config: Config, together: bool
) -> tuple[list[Ints], list[Ints]]:
    """For each document, earlier rows of the block with common shingles, and with its title."""
    n = len(incoming)
    posted = Memtable()
    sampled = mask_rows(*incoming.sampled, compared)
    judged = compared | (incoming.headline & ~incoming.short)
    has_title = incoming.fingerprints.title_words >= config.text.min_headline_words
    own_titles = mask_rows(*incoming.title_keys, judged & has_title)
    values = pack_values(np.arange(n), np.diff(incoming.fingerprints.shingles[1]))
    for keys, offsets in (sampled, own_titles):
        posted.add(keys, np.repeat(values, np.diff(offsets)))
    hits = posted.lookup(*concat_rows([shingles, titles]), n)
    by_shingle, by_title = _section(hits, 0, n), _section(hits, n, 2 * n)
    needed = least_shared(np.diff(shingles[1]), by_shingle.truncated, config.copies)
    # The documents of a page are adjacent, so those of a row's page come after its first row.
    first = np.zeros(n, np.int64) if together else np.searchsorted(incoming.pages, incoming.pages)

    def earlier(found: list[Ints]) -> list[Ints]:
        return [rows[(rows < row) & (rows >= first[row])] for row, rows in enumerate(found)]

    return earlier(_candidate_numbers(by_shingle, needed, most=n)), earlier(_numbers_of_rows(by_title))


def _same_text_in_block(incoming: Incoming, compared: npt.NDArray[np.bool_], together: bool) -> dict[int, int]:
    """For each article with the digest of earlier ones, the first of those."""
    first: dict[tuple[bytes, int], int] = {}
    found = {}
    for row in np.flatnonzero(compared).tolist():
        key = incoming.digest(row), 0 if together else int(incoming.pages[row])
        earlier = first.setdefault(key, row)
        if earlier != row:
            found[row] = earlier
    return found


def find_known(incoming: Incoming, store: Store) -> list[Entry | None]:
    """The entry with the id of each document, None if there is none."""
    ids = id_keys(incoming.doc_ids), np.arange(len(incoming) + 1)
    numbers = _untruncated(store.lookup(*ids, _MOST_OF_ID), ids, store)
    entries = _fetch_entries(store, numbers)
    return [_entry_with_id(doc_id, numbers[row], entries) for row, doc_id in enumerate(incoming.doc_ids)]


def find_entry(store: Store, doc_id: str) -> Entry | None:
    """The entry of an id; halves of surrogate pairs are replaced as when it was stored.

    Raises
    ------
    InputError
        If the id is no string.
    """
    if not isinstance(doc_id, str):
        raise InputError(f"the id of a document must be a string, got {safe_text(repr(doc_id))}.")
    doc_id = without_surrogates(doc_id)
    entries = store.fetch(store.all_numbers(id_key(doc_id)).tolist())
    return next((entry for entry in entries if entry is not None and entry.doc_id == doc_id), None)


def find_parts(store: Store, page_id: str, first: int, last: int) -> list[Entry]:
    """The further documents ``page_id#first`` to ``page_id#last`` of a page, those that exist."""
    parts = (find_entry(store, f"{page_id}#{number}") for number in range(first, last + 1))
    return [part for part in parts if part is not None and part.page_id == page_id]


def find_tied(store: Store, entry: Entry) -> tuple[list[Entry], list[Entry]]:
    """The copies whose canonical an entry is, and the documents that extend it."""
    if entry.canonical != entry.number:
        return [], []
    numbers = [number for number in store.all_numbers(copies_key(entry.number)).tolist() if number != entry.number]
    tied = [other for other in store.fetch(numbers) if other is not None]
    return [other for other in tied if other.canonical == entry.number], [other for other in tied if other.extends == entry.number]


def _candidate_numbers(hits: PostingLists, needed: npt.NDArray[np.int32], most: int = MOST_COMPARED) -> list[Ints]:
    numbers, _, offsets = candidates(hits, needed, most)
    return [numbers[a:b] for a, b in _spans(offsets)]


def _entry_with_id(doc_id: str, numbers: Ints, entries: dict[int, Entry]) -> Entry | None:
    return next((entries[k] for k in numbers.tolist() if k in entries and entries[k].doc_id == doc_id), None)


def _fetch_entries(store: Store, numbers: list[Ints]) -> dict[int, Entry]:
    wanted = sorted({number for row in numbers for number in row.tolist()})
    return {entry.number: entry for entry in store.fetch(wanted) if entry is not None} if wanted else {}


def _numbers_of_rows(hits: PostingLists) -> list[Ints]:
    """The numbers of each row, ascending, each once."""
    numbers = numbers_of(hits.values)
    return [np.unique(numbers[a:b]) if b - a > 1 else numbers[a:b] for a, b in _spans(hits.offsets)]


def _untruncated(hits: PostingLists, keys: Rows, store: Store, most: int | None = None) -> list[Ints]:
    """The numbers of rows of at most one key; of a truncated list all, or the ``most`` latest."""
    numbers = _numbers_of_rows(hits)
    for row in np.flatnonzero(hits.truncated).tolist():
        numbers[row] = store.all_numbers(int(keys[0][keys[1][row]]))[-(most or 0) :]
    return numbers


def _split_titles(titles: Rows) -> tuple[Rows, Rows]:
    """Split ``keys.title_rows`` into keys of whole titles and keys of character shingles."""
    keys, offsets = titles
    filled = np.diff(offsets) > 0
    whole = offsets[:-1][filled]
    before = row_offsets(filled.astype(np.int64))
    return (keys[whole], before), (np.delete(keys, whole), offsets - before)


def _comparable(numbers: Ints, entries: dict[int, Entry], own: int) -> Ints:
    """Those that still exist and can be compared, without a document's own earlier version."""
    return np.array([k for k in numbers.tolist() if k != own and k in entries and entries[k].status != "short"], np.int64)


def _with_digest(numbers: Ints, entries: dict[int, Entry], digest: bytes, own: int) -> list[Entry]:
    found = (entries[k] for k in numbers.tolist() if k != own and k in entries)
    return [entry for entry in found if entry.digest == digest and entry.role != "headline" and entry.status != "short"]


def _section(hits: PostingLists, first: int, last: int) -> PostingLists:
    begin, end = hits.offsets[first], hits.offsets[last]
    return PostingLists(hits.values[begin:end], hits.offsets[first : last + 1] - begin, hits.truncated[first:last])


def _spans(offsets: Ints) -> list[tuple[int, int]]:
    bounds = offsets.tolist()
    return list(zip(bounds[:-1], bounds[1:], strict=True))
