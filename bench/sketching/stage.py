"""What the copies stage spends, piece by piece, and how much of it each winner would save."""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.sketching.corpus import IN_MEMORY, Corpus, Shingled
from bench.sketching.timing import race
from dedup import Config
from dedup.arrays.spill import SpillPool
from dedup.copies.find import find_copies
from dedup.copies.inverted_index import posting_candidates
from dedup.copies.lsh import band_candidates
from dedup.fingerprints.minhash import band_rows, sign_rows


def report(corpus: Corpus, rows: Shingled, config: Config) -> dict[str, float]:
    """Seconds of the whole stage on one thread, and of its pieces that have something to do with sketches."""
    ranks, every = np.arange(len(corpus.headline)), np.arange(len(rows.sizes))
    keys = band_rows(rows.pair, every, config.signatures, *config.banding())
    least_share = min(config.copies.partial, config.copies.excerpt)
    with SpillPool(IN_MEMORY) as spill:
        return race(
            {
                "whole": lambda: find_copies(corpus.prints, corpus.headline, ranks, config, sources=corpus.sources),
                "signing": lambda: sign_rows(rows.pair, config.signatures),
                "bands": lambda: band_candidates(keys, rows.sizes > 0, every, config.candidates),
                "postings": lambda: posting_candidates(rows.pair, every, config.candidates, least_share, spill),
            },
            rounds=3,
        )


def savings(parts: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """For each part the quickest way, the seconds that it saves beside the plain one, and their share of the whole stage.

    A scheme of signing must find what ours finds, half a percent less at most, among no more than a tenth more
    candidates. Fewer bits must discard no pair that is near.
    """
    whole = parts["copies_stage"]["whole"]
    schemes, bits = parts["signing"]["schemes"], parts["bits"]
    ours = schemes["ours"]
    as_good = {
        name: scheme["seconds"]
        for name, scheme in schemes.items()
        if scheme["recall_0.5"] >= ours["recall_0.5"] - 0.005 and scheme["candidates"] <= 1.1 * ours["candidates"]
    }
    bands = {name: way["seconds"] for name, way in next(iter(parts["sorting"].values())).items()}
    ways = {name: way["seconds"] for name, way in parts["verification"]["ways"].items() if way["equal"]}
    kept = {name: row for name, row in bits.items() if name.startswith("b=") and row["near_pairs_wrongly_discarded"] == 0}
    filters = {"none": 0.0, **{name: -row["seconds_saved"] for name, row in kept.items()}}
    after_bitmap = {"none": 0.0, **{name: -row["seconds_saved_before_bitmap"] for name, row in kept.items()}}
    return {
        "signing": _saving(as_good, "ours", whole),
        "bits_before_merge": _saving(filters, "none", whole),
        "bits_before_bitmap": _saving(after_bitmap, "none", whole),
        "sorting": _saving(bands, "lexsort_of_two_keys", whole),
        "verification": _saving(ways, "merge", whole),
    }


def _saving(seconds: dict[str, float], plain: str, whole: float) -> dict[str, Any]:
    best = min(seconds, key=lambda name: seconds[name])
    saved = seconds[plain] - seconds[best]
    return {"quickest": best, "seconds_saved": round(saved, 4), "share_of_copies_stage": round(saved / whole, 4)}
