"""What was decided, as what is put into the store: entries, their words, and what each is listed under."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..buffers import Rows, row_offsets, take_rows
from ..config import Config
from .deciding import Decided
from .entries import Batch, Entry, Hashes, Ints, Values, Words
from .keys import copies_keys, digest_keys, id_keys, pack_values
from .lookup import listed_titles
from .reading import Arrivals
from .verdict import is_same


def batch_of(arrivals: Arrivals, decided: Decided, known: list[Entry | None], config: Config) -> Batch:
    """What arrivals add to the index, or change of ``known`` entries; those that it has already add nothing."""
    batch = _added(arrivals, decided, config)
    # A page may have more headlines, or fewer, beside the same article.
    for entry, old in zip(decided.entries, known, strict=True):
        if old is not None and is_same(entry, old) and entry.parts != old.parts:
            batch.entries.append(entry)
            batch.kept_words.add(entry.number)
    offsets = batch.words.offsets
    rows = np.append(offsets, np.full(len(batch.entries) + 1 - len(offsets), offsets[-1]))
    batch.words = Words(batch.words.tokens, batch.words.terms, rows)
    return batch


def _added(arrivals: Arrivals, decided: Decided, config: Config) -> Batch:
    rows = np.flatnonzero(~decided.same)
    entries = [decided.entries[row] for row in rows.tolist()]
    tokens, offsets = take_rows(arrivals.words.tokens, arrivals.words.offsets, rows)
    terms, _ = take_rows(arrivals.words.terms, arrivals.words.offsets, rows)
    keys, values = postings(
        entries,
        np.diff(arrivals.prints.shingles[1])[rows],
        take_rows(*arrivals.sampled, rows),
        take_rows(*listed_titles(arrivals), rows),
        arrivals.prints.digests[rows],
        arrivals.prints.title_words[rows],
        decided.witness[rows],
        config,
    )
    return Batch(entries, Words(tokens, terms, offsets), keys, values)


def postings(
    entries: list[Entry],
    sizes: Ints,
    sampled: Rows,
    titles: Rows,
    digests: Hashes,
    title_words: npt.NDArray[np.int32],
    witness: npt.NDArray[np.bool_],
    config: Config,
) -> tuple[Hashes, Values]:
    """What entries are listed under.

    All by their id. An article that stands for itself by its shingles, its words and its title; a headline that does by its title; a
    copy under its canonical, and by its words where they are others than that one's; a ``witness`` by its shingles too.

    Parameters
    ----------
    sizes : int64[n], how many shingles each has; sampled, titles : keys of each; witness : bool[n], see ``Decided``
    """
    n = len(entries)
    numbers = np.array([entry.number for entry in entries], np.int64)
    canonical = np.array([entry.canonical for entry in entries], np.int64)
    short, headline = (np.array([test(entry) for entry in entries], bool) for test in (_is_short, _is_headline))
    stands = (canonical == numbers) & ~short
    exact = np.array([entry.kind == "exact" for entry in entries], bool)
    titled = stands & (title_words >= config.text.min_headline_words)
    ones = np.ones(n, bool)
    parts = [
        _listed((id_keys([entry.doc_id for entry in entries]), np.arange(n + 1)), ones),
        _listed((digest_keys(digests), np.arange(n + 1)), ~short & ~headline & ~exact),
        _listed((copies_keys(canonical), np.arange(n + 1)), canonical != numbers),
        _listed(sampled, (stands | witness) & ~headline),
        _listed(titles, titled),
    ]
    values = pack_values(numbers, sizes)
    listed = [np.repeat(values, np.diff(offsets)) for _, offsets in parts]
    return np.concatenate([keys for keys, _ in parts]), np.concatenate(listed)


def _is_short(entry: Entry) -> bool:
    return entry.status == "short"


def _is_headline(entry: Entry) -> bool:
    return entry.role == "headline"


def _listed(rows: Rows, chosen: npt.NDArray[np.bool_]) -> tuple[Hashes, Ints]:
    sizes = np.where(chosen, np.diff(rows[1]), 0)
    keys, _ = take_rows(*rows, np.arange(len(sizes)), sizes)
    return keys, row_offsets(sizes)
