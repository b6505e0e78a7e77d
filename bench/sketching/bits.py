"""b-bit storage: what fewer bits a slot cost in error and save in memory, and whether they pay as a filter before verification."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bench.sketching.corpus import Shingled, Truth
from bench.sketching.intersections import bitmapped, merged
from bench.sketching.packing import packed_rows, unequal_pairs
from bench.sketching.signing import JACCARDS, root_mean
from bench.sketching.timing import race
from bench.sketching.verification import Pairs, candidate_pairs
from dedup import Config
from dedup.config import CopyConfig
from dedup.fingerprints.minhash import sign_rows

BITS = (1, 2, 4, 8, 16)
#: Standard errors below what a listed pair needs, at which the filter discards.
MARGIN = 3.0


def report(rows: Shingled, known: Truth, config: Config) -> dict[str, Any]:
    """Error, memory and filter for each number of bits."""
    signatures = sign_rows(rows.pair, config.signatures)
    pairs = candidate_pairs(rows, config)
    listed, near = pairs.listed(config.copies), pairs.jaccard >= config.copies.near
    needed, slots = pairs.needed(config.copies), signatures.shape[1]
    answer: dict[str, Any] = {"candidates": len(pairs.left), "listed": int(listed.sum()), "margin_in_standard_errors": MARGIN}
    for bits in BITS:
        words = packed_rows(signatures, bits)
        kept = filtered(words, bits, slots, pairs, config.copies)
        left, right = pairs.left[kept], pairs.right[kept]
        seconds = race(
            {
                "filter": lambda words=words, bits=bits: filtered(words, bits, slots, pairs, config.copies),
                "verify_all": lambda: merged(rows.values, rows.offsets, pairs.left, pairs.right),
                "verify_kept": lambda left=left, right=right: merged(rows.values, rows.offsets, left, right),
                "bitmap_all": lambda: bitmapped(rows.values, rows.offsets, pairs.left, pairs.right, needed),
                "bitmap_kept": lambda left=left, right=right, least=needed[kept]: bitmapped(rows.values, rows.offsets, left, right, least),
            }
        )
        answer[f"b={bits}"] = {
            "bytes_a_document": words.shape[1] * 8,
            **errors(words, bits, slots, known),
            "discarded": round(float(1 - kept.mean()), 4),
            "listed_pairs_wrongly_discarded": int((listed & ~kept).sum()),
            "near_pairs_wrongly_discarded": int((near & ~kept).sum()),
            **{f"{name}_seconds": value for name, value in seconds.items()},
            "seconds_saved": round(seconds["verify_all"] - seconds["verify_kept"] - seconds["filter"], 4),
            "seconds_saved_before_bitmap": round(seconds["bitmap_all"] - seconds["bitmap_kept"] - seconds["filter"], 4),
        }
    return answer


def errors(words: npt.NDArray[np.uint64], bits: int, slots: int, known: Truth) -> dict[str, float]:
    """Root mean square error of the estimated jaccard, by bands of the true one."""
    wrong = (estimated(unequal_pairs(words, bits, known.left, known.right), bits, slots) - known.jaccard) ** 2
    answer = {}
    for low, high in JACCARDS:
        within = (known.jaccard >= low) & (known.jaccard < high)
        answer[f"rmse_{low}_{min(high, 1.0)}"] = round(root_mean(wrong[within]), 5)
    return answer


def estimated(unequal: npt.NDArray[np.int64], bits: int, slots: int) -> npt.NDArray[np.float64]:
    """The jaccard that ``slots`` slots of ``bits`` bits tell: by chance one in 2**bits agrees, which is taken off."""
    chance = 0.5**bits
    answer: npt.NDArray[np.float64] = ((1 - unequal / slots) - chance) / (1 - chance)
    return answer


def filtered(words: npt.NDArray[np.uint64], bits: int, slots: int, pairs: Pairs, config: CopyConfig) -> npt.NDArray[np.bool_]:
    """bool[n_pairs]: whether a pair may still be one to list, by its signatures and the sizes of its rows.

    The least jaccard of a listed pair follows from the sizes: that of as many common shingles as the cheaper of the
    two rules asks for. A pair is discarded if fewer slots agree than a pair with that jaccard has, less ``MARGIN``
    standard errors (Li & König 2010, the variance of their estimator).
    """
    needed = pairs.needed(config)
    agree = needed / (pairs.size_left + pairs.size_right - needed)
    agree = 0.5**bits + (1 - 0.5**bits) * agree
    most_unequal = slots * (1 - agree) + MARGIN * np.sqrt(slots * agree * (1 - agree))
    kept: npt.NDArray[np.bool_] = unequal_pairs(words, bits, pairs.left, pairs.right) <= most_unequal
    return kept
