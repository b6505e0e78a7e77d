"""Known recall: what runs say of their recall, from samples of many seeds, against all pairs by brute force.

    python -m bench.known_recall CORPUS [--seeds 20] [--sample 500] [-o FILE.json]

For each target (none, 0.9 at 0.7, 0.99 at 0.5, 0.999 at 0.6) it runs once, counts the true recall of its matches over all
pairs of different texts, and draws a sample for each seed: how far are the figures off, and in how many cases does the
interval hold the truth? ``weak`` is a banding that misses a third, so that there is something to measure.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

import dedup
from bench.brute_force import all_pairs
from bench.peers.inputs import documents_compared
from dedup import Config
from dedup.copies.pairs import Matches
from dedup.copies.recall import measure_recall
from dedup.fingerprints.fingerprint import Fingerprints, fingerprint

TARGETS: dict[str, dict[str, Any]] = {
    "as set": {},
    "0.9 at 0.7": {"candidates.recall": 0.9, "candidates.at": 0.7},
    "0.99 at 0.5": {"candidates.recall": 0.99, "candidates.at": 0.5},
    "0.999 at 0.6": {"candidates.recall": 0.999, "candidates.at": 0.6},
    "weak": {"candidates.bands": 4, "candidates.rows": 8, "candidates.sampled": 1, "candidates.list_cap": 5, "candidates.bucket_cap": 4},
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--sample", type=int, default=500)
    parser.add_argument("-o", "--out")
    options = parser.parse_args()
    report = measure(options.corpus, options.seeds, options.sample)
    heads = "target", "bands x rows", "measure", "pairs", "true recall", "mean of samples", "spread", "mean interval", "holds the truth"
    print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|")
    for row in report["rows"]:
        low, high = row["interval"]
        banding, level = f"{row['bands']} x {row['rows']}", f"{row['measure']} >= {row['from']}"
        shown = f"{row['truth']:.4f} | {row['mean']:.4f} | {row['spread']:.4f} | {low:.3f}-{high:.3f}"
        print(f"| {row['target']} | {banding} | {level} | {row['pairs']:,} | {shown} | {row['held']} of {options.seeds} |")
    if options.out:
        Path(options.out).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def measure(corpus: str, seeds: int, sample: int) -> dict[str, Any]:
    """Run each target on ``corpus``."""
    ids, texts, _ = documents_compared(corpus, dedup.find_copies(corpus))
    prints = fingerprint(pa.array(texts, pa.large_string()), pa.nulls(len(texts), pa.string()), Config())
    copies = Config().copies
    least = min(float(change.get("candidates.at", Config().candidates.at)) for change in TARGETS.values())
    truth = _different(all_pairs(*prints.shingles, jaccard=least, containment=copies.excerpt), prints)
    rows: list[dict[str, Any]] = []
    for name, changes in TARGETS.items():
        config = Config().replace({**changes, "candidates.recall_sample": sample})
        rows += [{"target": name, **row} for row in _of_target(config, corpus, seeds, ids, prints, truth)]
    return {"corpus": Path(corpus).name, "documents": len(ids), "sample": sample, "seeds": seeds, "rows": rows}


def _of_target(
    config: Config, corpus: str, seeds: int, ids: list[str], prints: Fingerprints, truth: tuple[np.ndarray, ...]
) -> list[dict[str, Any]]:
    matches = _matches(dedup.find_copies(corpus, config), ids)
    left, right, jaccard, containment = truth
    text_of = np.unique(prints.digests[:, 0], return_inverse=True)[1]
    listed = {(min(a, b), max(a, b)) for a, b in zip(text_of[matches.left].tolist(), text_of[matches.right].tolist(), strict=True)}
    texts = zip(text_of[left].tolist(), text_of[right].tolist(), strict=True)
    hit = np.array([(min(a, b), max(a, b)) in listed for a, b in texts])
    every = np.ones(len(ids), bool)
    reports = [measure_recall(prints.shingles, prints.digests, every, matches, config, threads=2, seed=seed) for seed in range(seeds)]
    rows = []
    for measure, figures, level in (("jaccard", jaccard, config.candidates.at), ("containment", containment, config.copies.excerpt)):
        true = float(hit[figures >= level].mean())
        found = [report[measure] for report in reports]
        recalls = np.array([one["recall"] for one in found])
        rows.append({
            "bands": reports[0]["bands"], "rows": reports[0]["rows"], "measure": measure, "from": level,
            "pairs": int((figures >= level).sum()), "truth": true, "mean": float(recalls.mean()), "spread": float(recalls.std()),
            "interval": [float(np.mean([one[end] for one in found])) for end in ("low", "high")],
            "held": sum(one["low"] <= true + 1e-6 and true - 1e-6 <= one["high"] for one in found),
        })  # fmt: skip
    return rows


def _matches(result: dedup.Result, ids: list[str]) -> Matches:
    """The matches of a result between documents, as places in ``ids``."""
    place = {doc_id: row for row, doc_id in enumerate(ids)}
    pairs = zip(result.matches.column("doc_id_a").to_pylist(), result.matches.column("doc_id_b").to_pylist(), strict=True)
    ends = np.array([(place[a], place[b]) for a, b in pairs if a in place and b in place], np.int64).reshape(-1, 2)
    left, right = ends.min(axis=1), ends.max(axis=1)
    zeros = np.zeros(len(left))
    return Matches(left, right, zeros.astype(np.uint8), zeros, zeros, zeros.astype(np.uint8))


def _different(pairs: tuple[np.ndarray, ...], prints: Fingerprints) -> tuple[np.ndarray, ...]:
    """The pairs of different texts, each once, with jaccard and containment."""
    left, right, shared = pairs
    text_of, sizes = np.unique(prints.digests[:, 0], return_inverse=True)[1], np.diff(prints.shingles[1])
    one, other = text_of[left], text_of[right]
    _, once = np.unique(np.minimum(one, other) * len(sizes) + np.maximum(one, other), return_index=True)
    kept = once[one[once] != other[once]]
    left, right, shared = left[kept], right[kept], shared[kept]
    return left, right, shared / (sizes[left] + sizes[right] - shared), shared / np.minimum(sizes[left], sizes[right])


if __name__ == "__main__":
    main()
