"""Verification: counting what real candidate pairs share, in several ways that must all come to the same list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.sketching.corpus import IN_MEMORY, Shingled
from bench.sketching.intersections import bitmapped, filtered_merged, galloped, merged
from bench.sketching.timing import race
from dedup import Config
from dedup.arrays.spill import SpillPool
from dedup.config import CopyConfig
from dedup.copies.inverted_index import posting_candidates
from dedup.copies.lsh import band_candidates
from dedup.fingerprints.minhash import band_rows

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Candidate pairs, left < right, sorted; the sizes of their rows and of what they share."""

    left: Ints
    right: Ints
    size_left: Ints
    size_right: Ints
    shared: Ints

    @property
    def jaccard(self) -> npt.NDArray[np.float64]:
        """What they share of what both have."""
        answer: npt.NDArray[np.float64] = self.shared / np.maximum(self.size_left + self.size_right - self.shared, 1)
        return answer

    def listed(self, config: CopyConfig) -> npt.NDArray[np.bool_]:
        """Whether a pair shares enough to become a match, by the rule of ``matches.py``."""
        smaller = np.maximum(np.minimum(self.size_left, self.size_right), 1)
        return (self.jaccard >= config.near) | (self.shared / smaller >= config.partial)

    def needed(self, config: CopyConfig) -> Ints:
        """The least overlap at which a pair is listed: the smaller of what the two rules ask for."""
        both, smaller = self.size_left + self.size_right, np.minimum(self.size_left, self.size_right)
        near = np.ceil(config.near * both / (1 + config.near) - 1e-9)
        answer: Ints = np.maximum(np.minimum(near, np.ceil(config.partial * smaller - 1e-9)), 1).astype(np.int64)
        return answer


def candidate_pairs(rows: Shingled, config: Config) -> Pairs:
    """The pairs that the copies stage verifies: those of bands and those of sampled shingles."""
    least_share = min(config.copies.partial, config.copies.excerpt)
    every = np.arange(len(rows.sizes))
    found = band_candidates(band_rows(rows.pair, every, config.signatures, *config.banding()), rows.sizes > 0, every, config.candidates)
    with SpillPool(IN_MEMORY) as spill:
        found = found.join(posting_candidates(rows.pair, every, config.candidates, least_share, spill), len(every))
    shared = merged(rows.values, rows.offsets, found.left, found.right)
    return Pairs(found.left, found.right, rows.sizes[found.left], rows.sizes[found.right], shared)


def report(rows: Shingled, config: Config) -> dict[str, Any]:
    """Seconds of each way over all candidate pairs, and whether each gives the same list with the same numbers."""
    pairs = candidate_pairs(rows, config)
    listed, needed = pairs.listed(config.copies), pairs.needed(config.copies)
    ways = counters(rows, pairs, needed)
    seconds = race(ways)
    smaller = np.minimum(pairs.size_left, pairs.size_right)
    ratio = np.maximum(pairs.size_left, pairs.size_right) / np.maximum(smaller, 1)
    return {
        "candidates": len(listed),
        "listed": int(listed.sum()),
        "mean_length_of_both_rows": round(float((pairs.size_left + pairs.size_right).mean()), 1),
        "share_with_one_row_8_times_the_other": round(float((ratio > 8).mean()), 4),
        "rejected_by_length_alone": int((needed > smaller).sum()),
        "ways": {
            name: {
                "seconds": seconds[name],
                "given_up": int((count() < 0).sum()),
                "equal": bool((count()[listed] == pairs.shared[listed]).all() and same_list(count(), needed, listed)),
            }
            for name, count in ways.items()
        },
    }


def counters(rows: Shingled, pairs: Pairs, needed: Ints) -> dict[str, Callable[[], Ints]]:
    """Every way to count, by its name."""
    both = *rows.pair, pairs.left, pairs.right
    return {
        "merge": lambda: merged(*both),
        "merge_with_prefix_and_positional_filter": lambda: filtered_merged(*both, needed),
        "galloping": lambda: galloped(*both),
        "bitmap_then_merge": lambda: bitmapped(*both, needed),
        "bitmap_then_merge_without_giving_up": lambda: bitmapped(*both, np.zeros_like(needed)),
    }


def same_list(shared: Ints, needed: Ints, listed: npt.NDArray[np.bool_]) -> bool:
    """Whether the pairs that reach what they need are those that are listed."""
    return bool(((shared >= needed) == listed).all())
