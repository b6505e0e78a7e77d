"""What was decided, as what is put into the store: entries, their words, and what each is listed under."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..buffers import Rows, take_rows
from ..config import Config
from .deciding import Decided
from .entries import Batch, Entry, Hashes, Ints, Values
from .keys import copies_keys, digest_keys, id_keys, pack_values
from .lookup import only
from .reading import Arrivals


def batch_of(arrivals: Arrivals, decided: Decided, known: list[Entry | None], config: Config) -> Batch:
    """What arrivals add to the index, or change of ``known`` entries; those that it has already add nothing."""
    batch = _added(arrivals, decided, config)
    # A page may have more headlines, or fewer, beside the same article.
    reparted = [row for row in np.flatnonzero(decided.same).tolist() if (old := known[row]) and decided.entries[row].parts != old.parts]
    batch.entries += [decided.entries[row] for row in reparted]
    batch.kept_words |= {decided.entries[row].number for row in reparted}
    batch.words = batch.words.with_empty(len(reparted))
    return batch


def _added(arrivals: Arrivals, decided: Decided, config: Config) -> Batch:
    rows = np.flatnonzero(~decided.same)
    entries = [decided.entries[row] for row in rows.tolist()]
    keys, values = postings(
        entries,
        np.diff(arrivals.prints.shingles[1])[rows],
        take_rows(*arrivals.sampled, rows),
        take_rows(*arrivals.listed_titles, rows),
        arrivals.prints.digests[rows],
        arrivals.prints.title_words[rows],
        decided.witness[rows],
        config,
    )
    return Batch(entries, arrivals.words.take(rows), keys, values)


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
        only((id_keys([entry.doc_id for entry in entries]), np.arange(n + 1)), ones),
        only((digest_keys(digests), np.arange(n + 1)), ~short & ~headline & ~exact),
        only((copies_keys(canonical), np.arange(n + 1)), canonical != numbers),
        only(sampled, (stands | witness) & ~headline),
        only(titles, titled),
    ]
    values = pack_values(numbers, sizes)
    listed = [np.repeat(values, np.diff(offsets)) for _, offsets in parts]
    return np.concatenate([keys for keys, _ in parts]), np.concatenate(listed)


def _is_short(entry: Entry) -> bool:
    return entry.status == "short"


def _is_headline(entry: Entry) -> bool:
    return entry.role == "headline"
