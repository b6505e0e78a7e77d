"""Native signatures beside MinHash of the same shingles: errors, recall and candidates of bands, seconds.

    python -m bench.sketches CORPUS [--seeds 100] [-o FILE.json]

The pairs are all pairs of documents with jaccard 0.5 to 0.6, by brute force. ``rmse`` is the error of the estimated
jaccard, ``recall`` the share of these pairs that share a band, by banding, each as mean over the seeds. Many pairs are of
one family and are missed together, so a few seeds say little: see ``standard_error``. ``formula`` is what
``1 - (1 - jaccard**rows)**bands`` predicts; ``candidates`` are all pairs of documents that are proposed, ``seconds`` the
best of the seeds for signing all documents on one thread.
``minhash`` are the permutations of datasketch 2, on the 64-bit hashes of this package.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bench.brute_force import all_pairs
from bench.peers.inputs import documents_compared
from dedup import Config, SignatureConfig
from dedup.arrays.rows import Rows
from dedup.config import CandidateConfig
from dedup.config.bands import band_recall
from dedup.copies.lsh import band_candidates
from dedup.fingerprints.datasketch_schemes import permutations
from dedup.fingerprints.fingerprint import fingerprint
from dedup.fingerprints.minhash import sign_rows
from dedup.kernels.fingerprints.minhash import band_keys, signature_rows

LEAST, MOST = 0.5, 0.6
#: Lengths of signatures, and the bandings measured with each.
LENGTHS = {128: [(32, 4), (42, 3)], 64: [(16, 4), (21, 3)]}


def minhash(shingles: Rows, config: SignatureConfig) -> npt.NDArray[np.uint32]:
    """Sign all rows with MinHash."""
    values, offsets = shingles
    signed: npt.NDArray[np.uint32] = signature_rows(
        values, offsets, np.arange(len(offsets) - 1), *permutations(config.permutations, config.seed)
    )
    return signed


def measure(shingles: Rows, seeds: int) -> list[dict[str, Any]]:
    """One row of figures for each scheme and length."""
    left, right, shared = all_pairs(*shingles, jaccard=LEAST, containment=2)
    sizes = np.diff(shingles[1])
    jaccard = shared / (sizes[left] + sizes[right] - shared)
    near = jaccard < MOST
    left, right, jaccard = left[near], right[near], jaccard[near]
    schemes: dict[str, Callable[[Rows, SignatureConfig], npt.NDArray[np.uint32]]] = {"minhash": minhash, "native": sign_rows}
    report = []
    for length, bandings in LENGTHS.items():
        for name, sign in schemes.items():
            squares, seconds = [], []
            shares: dict[str, list[float]] = {f"{bands}x{rows}": [] for bands, rows in bandings}
            found: dict[str, list[int]] = {banding: [] for banding in shares}
            for seed in range(seeds + 1):
                begun = time.perf_counter()
                signatures = sign(shingles, SignatureConfig(permutations=length, seed=seed))
                if not seed:  # compiled by this call
                    continue
                seconds.append(time.perf_counter() - begun)
                squares.append(np.mean(((signatures[left] == signatures[right]).mean(axis=1) - jaccard) ** 2))
                for (bands, rows), banding in zip(bandings, shares, strict=True):
                    keys = band_keys(signatures, bands, rows)
                    shares[banding].append(float((keys[:, left] == keys[:, right]).any(axis=0).mean()))
                    proposed = band_candidates(keys, sizes > 0, np.arange(len(sizes)), CandidateConfig())
                    found[banding].append(len(proposed.left))
            report.append(
                {
                    "scheme": name,
                    "slots": length,
                    "pairs": len(left),
                    "rmse": round(float(np.sqrt(np.mean(squares))), 4),
                    "recall": {banding: round(float(np.mean(each)), 4) for banding, each in shares.items()},
                    "standard_error": {banding: round(float(np.std(each) / np.sqrt(seeds)), 4) for banding, each in shares.items()},
                    "formula": {
                        f"{bands}x{rows}": round(float(np.mean([band_recall(bands, rows, s) for s in jaccard])), 4)
                        for bands, rows in bandings
                    },
                    "candidates": {banding: round(np.mean(each)) for banding, each in found.items()},
                    "seconds": round(min(seconds), 3),
                }
            )
    return report


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus")
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("-o", "--out", type=Path)
    options = parser.parse_args()
    _, texts, _ = documents_compared(options.corpus)
    shingles = fingerprint(pa.array(texts, pa.large_string()), pa.nulls(len(texts), pa.string()), Config()).shingles
    report = measure(shingles, options.seeds)
    for row in report:
        print(row)
    if options.out:
        options.out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
