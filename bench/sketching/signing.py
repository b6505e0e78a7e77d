"""Signing: our multiply-and-take-the-minimum beside schemes that hash a row once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.sketching.c_minhash import circle, sign_circulant
from bench.sketching.corpus import Shingled, Truth
from bench.sketching.one_permutation import sign_optimal, sign_rotated
from bench.sketching.timing import race
from dedup import Config
from dedup.config import CandidateConfig
from dedup.copies.lsh import band_candidates
from dedup.copies.pairs import is_among, pair_keys
from dedup.fingerprints.minhash import sign_rows
from dedup.kernels.fingerprints.minhash import band_keys

Signer = Callable[[Shingled], npt.NDArray[np.uint32]]
#: Bands of true jaccard, from and below.
JACCARDS = ((0.3, 0.5), (0.5, 0.7), (0.7, 1.01))
SLOTS_LOG2 = 7
#: log2 of the places of C-MinHash's one permutation: 0.25, 1 and 4 MB of table.
PLACES = (16, 18, 20)
#: Random functions that errors and recall are averaged over.
DRAWS = 3


def signers(config: Config) -> dict[str, Signer]:
    """Every scheme by its name; all make 128 slots of 32 bits."""
    slots = 1 << SLOTS_LOG2
    settings = Config().replace({"signatures.permutations": slots, "signatures.seed": config.signatures.seed}).signatures
    answer: dict[str, Signer] = {
        "ours": lambda rows: sign_rows(rows.pair, settings),
        "oph_optimal": lambda rows: sign_optimal(rows.values, rows.offsets, SLOTS_LOG2),
        "oph_rotation": lambda rows: sign_rotated(rows.values, rows.offsets, SLOTS_LOG2),
    }
    for places in PLACES:
        table = circle(places, slots, seed=1)
        answer[f"c_minhash_2^{places}"] = lambda rows, table=table, places=places: sign_circulant(rows.values, rows.offsets, table, places)
    return answer


def compare(rows: Shingled, known: Truth, config: Config) -> dict[str, Any]:
    """Seconds, error of the estimated jaccard, and what 32 bands of 4 rows find, of each scheme.

    ``known`` is the truth about ``rows``; under other hashes it is the same, up to collisions of 64 bits.
    """
    schemes = signers(config)
    seconds = race({name: lambda sign=sign: sign(rows) for name, sign in schemes.items()})
    measured: dict[str, list[dict[str, Any]]] = {name: [] for name in schemes}
    for draw in range(DRAWS):
        redrawn = rows.redrawn(draw)
        for name, sign in schemes.items():
            measured[name].append(quality(sign(redrawn), redrawn, known, config.candidates))
    return {name: {"seconds": seconds[name], **_mean(measured[name])} for name in schemes}


def quality(signatures: npt.NDArray[np.uint32], rows: Shingled, known: Truth, config: CandidateConfig) -> dict[str, Any]:
    """Root mean square error of the estimate by bands of true jaccard; recall at 0.5 and candidates of the bands."""
    estimate = estimated(signatures, known)
    wrong = (estimate - known.jaccard) ** 2
    answer: dict[str, Any] = {}
    for low, high in JACCARDS:
        within = (known.jaccard >= low) & (known.jaccard < high)
        answer[f"rmse_{low}_{min(high, 1.0)}"] = root_mean(wrong[within])
    slots = signatures.shape[1]
    short = np.minimum(rows.sizes[known.left], rows.sizes[known.right]) < slots
    answer[f"rmse_below_{slots}_shingles"] = root_mean(wrong[short])
    answer["bias"] = float(np.mean(estimate - known.jaccard)) if len(estimate) else 0.0
    n_rows = len(signatures)
    keys = band_keys(signatures, config.bands, config.rows)
    proposed = band_candidates(keys, rows.sizes > 0, np.arange(n_rows), config)
    alike = known.jaccard >= 0.5
    wanted = pair_keys(known.left[alike], known.right[alike], n_rows)
    found = is_among(wanted, pair_keys(proposed.left, proposed.right, n_rows))
    answer["recall_0.5"] = float(found.mean()) if len(found) else 1.0
    answer["candidates"] = len(proposed.left)
    return answer


def estimated(signatures: npt.NDArray[np.uint32], pairs: Truth, block: int = 8192) -> npt.NDArray[np.float64]:
    """The jaccard that signatures give each pair: the share of slots that agree."""
    answer = np.empty(len(pairs.left))
    for first in range(0, len(answer), block):
        left, right = pairs.left[first : first + block], pairs.right[first : first + block]
        answer[first : first + block] = (signatures[left] == signatures[right]).mean(axis=1)
    return answer


def root_mean(squares: npt.NDArray[np.float64]) -> float:
    """The root of the mean; 0 of nothing."""
    return float(np.sqrt(squares.mean())) if len(squares) else 0.0


def expected(known: Truth, slots: int) -> dict[str, float]:
    """The error that ``slots`` independent permutations would have: sqrt(mean of j(1-j)/slots)."""
    answer = {}
    for low, high in JACCARDS:
        j = known.jaccard[(known.jaccard >= low) & (known.jaccard < high)]
        answer[f"rmse_{low}_{min(high, 1.0)}"] = round(root_mean(j * (1 - j) / slots), 5)
    return answer


def report(rows: Shingled, known: Truth, config: Config) -> dict[str, Any]:
    """The whole comparison; ``known`` is the truth about ``rows``."""
    return {
        "pairs": {
            f"{low}_{min(high, 1.0)}": int(np.count_nonzero((known.jaccard >= low) & (known.jaccard < high))) for low, high in JACCARDS
        },
        "draws": DRAWS,
        "independent_permutations_in_theory": expected(known, 1 << SLOTS_LOG2),
        "schemes": compare(rows, known, config),
    }


def _mean(draws: list[dict[str, Any]]) -> dict[str, float]:
    """The mean over draws; errors by their squares."""
    answer = {}
    for name in draws[0]:
        numbers = np.array([draw[name] for draw in draws], float)
        answer[name] = round(root_mean(numbers**2) if name.startswith("rmse") else float(numbers.mean()), 5)
    return answer
