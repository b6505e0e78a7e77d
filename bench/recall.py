"""Recall of one run against brute force on the shingles of the same documents."""

from __future__ import annotations

import numpy as np

import dedup
from bench.peers.inputs import documents_compared
from bench.peers.score import CONTAINMENT, JACCARD, brute_force


def recall(result: dedup.Result, corpus: str) -> dict[str, object]:
    """The share of all pairs above the thresholds that a run lists, exact copies included.

    Parameters
    ----------
    result : of ``dedup.run`` or ``dedup.find_copies`` over ``corpus``
    """
    ids, texts, _ = documents_compared(corpus, result)
    truth = brute_force(texts)
    listed = {(row["doc_id_a"], row["doc_id_b"]): row for row in result.matches.to_pylist()}
    pairs = [(ids[a], ids[b]) for a, b in zip(truth.left, truth.right, strict=True)]
    found = np.array([pair in listed for pair in pairs])
    wrong = sum(
        abs(listed[pair]["jaccard"] - jaccard) > 1e-6 or abs(listed[pair]["containment"] - containment) > 1e-6
        for pair, jaccard, containment in zip(pairs, truth.jaccard, truth.containment, strict=True)
        if pair in listed
    )
    return {
        f"pairs_jaccard_{JACCARD}": int(truth.near.sum()),
        f"recall_jaccard_{JACCARD}": round(float(found[truth.near].mean()), 5),
        f"pairs_containment_{CONTAINMENT}": int(truth.contained.sum()),
        f"recall_containment_{CONTAINMENT}": round(float(found[truth.contained].mean()), 5),
        "numbers_that_differ_from_brute_force": int(wrong),
    }
