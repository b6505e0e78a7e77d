"""Sorting band keys: what ``np.lexsort`` costs beside radix sorts, a partition, and sorts that move less."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.sketching.sorts import FIRST_DEAL, SECOND_DEAL, packed, partitioned, radix_sorted, repeated_packed, row_bits
from bench.sketching.timing import race

Ints = npt.NDArray[np.int64]
Runs = tuple[Ints, Ints]
SIZES = (15_000, 1_000_000, 10_000_000)
#: Keys that repeat another one, as band keys of news do.
REPEATED = 0.1


def report(bands: npt.NDArray[np.uint64], sizes: tuple[int, ...] = SIZES) -> dict[str, Any]:
    """Seconds of each way on real band keys, uint64[n_bands, n_rows], and on random keys; and what each brings together."""
    n_bands, n_rows = bands.shape
    every = [sorters(keys, next_keys) for keys, next_keys in zip(bands, np.roll(bands, -1, axis=0), strict=True)]
    seconds = race({name: lambda name=name: [ways[name][0]() for ways in every] for name in every[0]})
    answer = {f"{n_bands} bands of {n_rows} rows": {name: {"seconds": seconds[name]} for name in seconds}}
    for n in sizes:
        keys = drawn(n, seed=1)
        ways = sorters(keys, drawn(n, seed=2))
        seconds = race({name: way for name, (way, _) in ways.items()}, rounds=5 if n < 1_000_000 else 2)
        order = np.argsort(keys, kind="stable")
        expected = runs(keys[order], order)
        answer[f"{n} keys"] = {name: {"seconds": seconds[name], **against(found(), expected)} for name, (_, found) in ways.items()}
    return answer


def drawn(n: int, seed: int) -> npt.NDArray[np.uint64]:
    """Random keys, one in ten a repeat of another."""
    random = np.random.default_rng(seed)
    keys = random.integers(0, 1 << 64, n, np.uint64)
    places = random.permutation(n)
    cut = int(n * REPEATED)
    keys[places[:cut]] = keys[places[cut + random.integers(0, n - cut, cut)]]
    return keys


def sorters(keys: npt.NDArray[np.uint64], next_keys: npt.NDArray[np.uint64]) -> dict[str, tuple[Callable[[], Any], Callable[[], Runs]]]:
    """For each way: the call that is timed, and one that gives its runs of equal keys."""
    low, mask = row_bits(len(keys)), np.uint64((1 << int(row_bits(len(keys)))) - 1)

    def ordered(order: Ints) -> Runs:
        return runs(keys[order], order)

    def unpacked(numbers: npt.NDArray[np.uint64]) -> Runs:
        return runs(numbers >> low, (numbers & mask).astype(np.int64))

    def kept(sort: Callable[[], tuple[npt.NDArray[np.uint64], Ints]]) -> Runs:
        return runs(*sort())

    def two_keys() -> Ints:
        return np.lexsort((next_keys, keys))

    def stable() -> Ints:
        return np.argsort(keys, kind="stable")

    def radix() -> tuple[npt.NDArray[np.uint64], Ints]:
        return radix_sorted(keys)

    def partition() -> tuple[npt.NDArray[np.uint64], Ints]:
        second = max(2, min(SECOND_DEAL + 2, len(keys).bit_length() - FIRST_DEAL))
        return partitioned(keys, FIRST_DEAL, second)

    return {
        # numpy's stable sort is a radix sort for 16-bit numbers only; for 64 bits it merges.
        "lexsort_of_two_keys": (two_keys, lambda: ordered(np.lexsort((np.arange(len(keys)), keys)))),
        "argsort_stable": (stable, lambda: ordered(stable())),
        "radix_of_pairs": (radix, lambda: kept(radix)),
        "partition_of_pairs": (partition, lambda: kept(partition)),
        "packed_sort": (lambda: packed(keys), lambda: unpacked(packed(keys))),
        "repeated_then_packed_sort": (lambda: repeated_packed(keys), lambda: unpacked(repeated_packed(keys))),
    }


def runs(keys: npt.NDArray[np.uint64], rows: npt.NDArray[Any]) -> Runs:
    """The runs of equal keys with more than one row, in an order that does not depend on the keys.

    Returns
    -------
    (heads int64[n], rows int64[n])
        Of each row in such a run the first row of the run; ordered by it.
    """
    rows = rows.astype(np.int64)
    heads = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])[: len(keys)])
    sizes = np.diff(np.concatenate([heads, [len(keys)]]))
    of_run = np.repeat(rows[heads], sizes)
    crowded = np.repeat(sizes > 1, sizes)
    of_run, rows = of_run[crowded], rows[crowded]
    order = np.argsort(of_run, kind="stable")
    return of_run[order], rows[order]


def against(found: Runs, expected: Runs) -> dict[str, Any]:
    """Whether the same rows stand together in the same order; else how many stand with strangers, and how many are lost."""
    return {
        "equal": bool(np.array_equal(found[0], expected[0]) and np.array_equal(found[1], expected[1])),
        "rows_too_many": int((~np.isin(found[1], expected[1])).sum()),
        "rows_lost": int((~np.isin(expected[1], found[1])).sum()),
    }
