"""Verdicts against labels: precision, recall and F1 on labelled pairs, and thresholds by cross-validation.

    python -m bench.verdicts CORPUS LABELS.jsonl [LABELS.jsonl ...] [--tune] [-o FILE.json]

Labels are JSON lines with ``a``, ``b`` (URLs), ``label`` and ``sure``; see ``bench/labels/README.md``. Two figures:
the *pair*, whether its own match is a copy (as in matches.parquet), and the *group*, whether both documents are in
one copy group. They differ where a text contains two wires, since it can be in one group only. ``partial`` pairs
count in no F1; the number of them that are copies is printed separately.

``--tune`` chooses ``coverage`` and ``distinct`` on nine tenths of the pairs and scores them on the other tenth, ten
times, and prints this F1 of pairs beside that of the shipped thresholds.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import dedup
from bench.pair_sample import read_labels
from dedup import Config

COPIES, NO_COPIES = ("copy", "excerpt"), ("template", "same_story", "unrelated")
COVERAGES, DISTINCTS, FOLDS = np.arange(0.62, 0.9, 0.02), np.arange(0.6, 0.95, 0.05), 10

Bools = npt.NDArray[np.bool_]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus")
    parser.add_argument("labels", nargs="+")
    parser.add_argument("--tune", action="store_true")
    parser.add_argument("-o", "--out")
    options = parser.parse_args()
    sets = {Path(name).stem: read_labels(name) for name in options.labels}
    result = dedup.find_copies(options.corpus)
    report: dict[str, Any] = {
        name: {"pairs": scored(pairs, copies_by_pair(result, pairs)), "groups": scored(pairs, copies_by_group(result, pairs))}
        for name, pairs in sets.items()
    }
    if options.tune:
        report["cross_validation"] = cross_validated(options.corpus, [pair for pairs in sets.values() for pair in pairs])
    text = json.dumps(report, indent=1, ensure_ascii=False)
    print(text)
    if options.out:
        Path(options.out).write_text(text + "\n", encoding="utf-8")


def copies_by_pair(result: dedup.Result, pairs: list[dict[str, Any]]) -> Bools:
    """Whether the match of each pair, or of the texts that represent it, is a copy."""
    ids = _articles(result)
    kinds = {frozenset((row["doc_id_a"], row["doc_id_b"])): row["kind"] for row in result.matches.to_pylist()}
    return np.array([kinds.get(frozenset((ids[pair["a"]]["doc_id"], ids[pair["b"]]["doc_id"])), "partial") != "partial" for pair in pairs])


def copies_by_group(result: dedup.Result, pairs: list[dict[str, Any]]) -> Bools:
    """Whether both documents of each pair are in one copy group."""
    ids = _articles(result)
    return np.array([ids[pair["a"]]["copy_group"] == ids[pair["b"]]["copy_group"] for pair in pairs])


def scored(pairs: list[dict[str, Any]], called: Bools) -> dict[str, Any]:
    """Precision, recall and F1 of the sure pairs and of all pairs, and the copies among the pairs of each label."""
    truth = np.array([pair["label"] in COPIES for pair in pairs])
    judged = np.array([pair["label"] in COPIES + NO_COPIES for pair in pairs])
    sure = np.array([bool(pair["sure"]) for pair in pairs])
    labels = sorted({pair["label"] for pair in pairs})
    return {
        "sure": _f1(truth, called, judged & sure),
        "all": _f1(truth, called, judged),
        "called_copies": {label: f"{_count(called, pairs, label)} of {sum(pair['label'] == label for pair in pairs)}" for label in labels},
    }


def cross_validated(corpus: str, pairs: list[dict[str, Any]], seed: int = 0) -> dict[str, Any]:
    """F1 of pairs by thresholds chosen without them, and by the shipped thresholds."""
    called = {}
    for coverage, distinct in itertools.product(COVERAGES, DISTINCTS):
        config = Config().replace({"copies.coverage": float(coverage), "copies.distinct": float(distinct)})
        called[coverage, distinct] = copies_by_pair(dedup.find_copies(corpus, config), pairs)
    fold = np.random.default_rng(seed).permutation(np.arange(len(pairs)) % FOLDS)
    unseen = np.zeros(len(pairs), bool)
    chosen = []
    for left_out in range(FOLDS):
        best = max(called, key=lambda setting: _gain(pairs, called[setting], fold != left_out))
        unseen[fold == left_out] = called[best][fold == left_out]
        chosen.append([round(float(value), 2) for value in best])
    shipped = copies_by_pair(dedup.find_copies(corpus), pairs)
    return {"unseen": scored(pairs, unseen), "shipped": scored(pairs, shipped), "chosen_coverage_and_distinct": chosen}


def _gain(pairs: list[dict[str, Any]], called: Bools, among: Bools) -> float:
    """The objective: F1 of sure pairs and, with less weight, of all; a partial pair that is a copy costs a little."""
    few = list(itertools.compress(pairs, among))
    score = scored(few, called[among])
    partial = sum(called and pair["label"] == "partial" and bool(pair["sure"]) for pair, called in zip(few, called[among], strict=True))
    return 0.7 * float(score["sure"]["f1"]) + 0.3 * float(score["all"]["f1"]) - 0.002 * partial


def _articles(result: dedup.Result) -> dict[str, dict[str, Any]]:
    return {row["url"]: row for row in result.documents.to_pylist() if row["role"] == "article"}


def _count(called: Bools, pairs: Iterable[dict[str, Any]], label: str) -> int:
    return sum(bool(one) and pair["label"] == label for one, pair in zip(called, pairs, strict=True))


def _f1(truth: Bools, called: Bools, among: Bools) -> dict[str, Any]:
    right, wrong, missed = (int(both.sum()) for both in (truth & called & among, ~truth & called & among, truth & ~called & among))
    return {
        "precision": round(right / max(right + wrong, 1), 4),
        "recall": round(right / max(right + missed, 1), 4),
        "f1": round(2 * right / max(2 * right + wrong + missed, 1), 4),
        "right_wrong_missed": [right, wrong, missed],
    }


if __name__ == "__main__":
    main()
