"""Sketches, sorts and intersections: what the literature offers, measured against what dedup does, in one run.

    python -m bench.sketches CORPUS [-o FILE.json]

Four comparisons on the shingles of a real corpus, one thread, seconds of processor time, contenders in turns:
signing (one-permutation hashing, C-MinHash), storing fewer bits of a signature (b-bit), bringing equal band keys
together (radix sorts and others), and verifying candidate pairs (filters, galloping, bitmap). Each is an own kernel
of equal care in ``bench/sketching``; the last part says what share of the copies stage each winner would save.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from bench.sketching import bits, signing, sorting, stage, verification
from bench.sketching.corpus import compared, read, truth
from dedup import Config
from dedup.fingerprints.minhash import band_rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus")
    parser.add_argument("-o", "--out")
    options = parser.parse_args()
    text = json.dumps(measure(options.corpus), indent=2)
    print(text)
    if options.out:
        Path(options.out).write_text(text + "\n", encoding="utf-8")


def measure(path: str, sizes: tuple[int, ...] = sorting.SIZES) -> dict[str, Any]:
    """Run all comparisons on a corpus; ``sizes`` are the numbers of random keys to sort."""
    config = Config()
    corpus = read(path, config)
    rows = compared(corpus, config)
    known = truth(rows)
    bands = band_rows(rows.pair, np.arange(len(rows.sizes)), config.signatures, *config.banding())
    parts: dict[str, Any] = {
        "documents": len(corpus.headline),
        "compared": len(rows.sizes),
        "shingles": len(rows.values),
        "copies_stage": stage.report(corpus, rows, config),
        "signing": signing.report(rows, known, config),
        "bits": bits.report(rows, known, config),
        "sorting": sorting.report(bands, sizes),
        "verification": verification.report(rows, config),
    }
    return {**parts, "savings": stage.savings(parts)}


if __name__ == "__main__":
    main()
