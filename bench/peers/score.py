"""Scores the answers of peers against brute force on our shingles.

A pair is a duplicate if it has jaccard >= 0.5 or containment >= 0.57. *Recall* is the share of all such pairs that a
peer names; *precision* is the share of named pairs that are duplicates. For clusters, every pair inside a cluster is
named. ``documents`` has both shares for the question whether a document has a duplicate, which is all that some peers
answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from bench.brute_force import all_pairs
from dedup import Config
from dedup.fingerprints.fingerprint import fingerprint

Ints = npt.NDArray[np.int64]
JACCARD, CONTAINMENT, EXCERPT = 0.5, 0.7, 0.57


@dataclass(frozen=True, eq=False)
class Truth:
    """All pairs of ``rows`` documents with jaccard >= 0.5 or containment >= 0.57, left < right, with both numbers."""

    rows: int
    left: Ints
    right: Ints
    jaccard: npt.NDArray[np.float64]
    containment: npt.NDArray[np.float64]

    @property
    def near(self) -> npt.NDArray[np.bool_]:
        """Which of the pairs have jaccard >= 0.5."""
        return self.jaccard >= JACCARD

    @property
    def contained(self) -> npt.NDArray[np.bool_]:
        """Which of the pairs have containment >= 0.7."""
        return self.containment >= CONTAINMENT


def brute_force(texts: list[str]) -> Truth:
    """Measure all pairs of texts."""
    values, offsets = fingerprint(pa.array(texts, pa.large_string()), pa.nulls(len(texts), pa.string()), Config()).shingles
    left, right, shared = all_pairs(values, offsets, jaccard=JACCARD, containment=EXCERPT)
    sizes = np.diff(offsets)
    union, smaller = sizes[left] + sizes[right] - shared, np.minimum(sizes[left], sizes[right])
    return Truth(len(texts), left, right, shared / union, shared / smaller)


def scores(answer: dict[str, Any], ids: list[str], truth: Truth) -> dict[str, dict[str, float]]:
    """Score an answer of ``bench.peers`` by ``pairs``, ``listed``, ``groups`` and ``documents``, as far as it has them.

    Parameters
    ----------
    answer : pairs, listed, labels, flags and ids as ``python -m bench.peers`` writes them
    ids : the documents of ``truth``; other documents of the answer are ignored
    """
    here = {doc_id: row for row, doc_id in enumerate(ids)}
    place = np.array([here.get(doc_id, -1) for doc_id in answer["ids"] or ids], np.int64)
    scored: dict[str, dict[str, float]] = {}
    if answer["listed"] is not None:  # not duplicates, so no precision
        listed = of_pairs(*_pairs(answer["listed"], place), truth)
        scored["listed"] = {name: listed[name] for name in ("named", "recall_jaccard", "recall_containment")}
    if answer["pairs"] is not None:
        scored["pairs"] = of_pairs(*_pairs(answer["pairs"], place), truth)
        scored["documents"] = of_flags(np.isin(np.arange(truth.rows), _pairs(answer["pairs"], place)), truth)
    if answer["labels"] is not None:
        labels = _labels(answer["labels"], place, truth.rows)
        scored["groups"] = of_labels(labels, truth)
        scored.setdefault("documents", of_flags(np.bincount(labels)[labels] > 1, truth))
    if answer["flags"] is not None:
        scored["documents"] = of_flags(np.array(answer["flags"], bool), truth)
    return scored


def against_readers(answer: dict[str, Any], ids: list[str], urls: list[str | None], labels: list[dict[str, Any]]) -> dict[str, Any]:
    """Score an answer on labelled pairs: {copy, excerpt} against {template, same_story, unrelated}.

    Parameters
    ----------
    ids, urls : the documents of ``folded.parquet``
    labels : rows ``a``, ``b`` (URLs), ``label``, ``sure``; ``partial`` and unsure ones are left out
    """
    row_of = {url: row for row, url in reversed(list(enumerate(urls)))}
    here = {doc_id: row for row, doc_id in enumerate(ids)}
    place = np.array([here.get(doc_id, -1) for doc_id in answer["ids"] or ids], np.int64)
    read = [pair for pair in labels if pair["sure"] and pair["label"] != "partial" and {pair["a"], pair["b"]} <= row_of.keys()]
    left, right = (np.array([row_of[pair[side]] for pair in read], np.int64) for side in "ab")
    real = np.array([pair["label"] in ("copy", "excerpt") for pair in read])
    answers: dict[str, npt.NDArray[np.bool_]] = {}
    if answer["pairs"] is not None:
        one, other = _pairs(answer["pairs"], place)
        answers["pairs"] = np.isin(np.minimum(left, right) * len(ids) + np.maximum(left, right), one * len(ids) + other)
    if answer["labels"] is not None:
        groups = _labels(answer["labels"], place, len(ids))
        answers["groups"] = groups[left] == groups[right]
    return {kind: {"pairs": len(read), **_f1(called, real)} for kind, called in answers.items()}


def _f1(called: npt.NDArray[np.bool_], real: npt.NDArray[np.bool_]) -> dict[str, float]:
    precision, recall = _share(real[called]), _share(called[real])
    return {"precision": precision, "recall": recall, "f1": 2 * precision * recall / (precision + recall) if precision + recall else 0.0}


def _pairs(pairs: list[tuple[int, int]], place: Ints) -> tuple[Ints, Ints]:
    """Pairs of rows as pairs of scored documents, left < right."""
    placed = place[np.array(pairs, np.int64).reshape(-1, 2)]
    placed = np.sort(placed[(placed >= 0).all(axis=1)], axis=1)
    return placed[:, 0], placed[:, 1]


def _labels(labels: list[int], place: Ints, rows: int) -> Ints:
    """The cluster of each document; documents that the answer lacks are alone."""
    known = place >= 0
    clusters = np.arange(rows) + max(labels, default=0) + 1
    clusters[place[known]] = np.array(labels, np.int64)[known]
    numbers: Ints = np.unique(clusters, return_inverse=True)[1]
    return numbers


def of_pairs(left: Ints, right: Ints, truth: Truth) -> dict[str, float]:
    """Score pairs, left < right; ``largest_if_closed`` is the largest cluster of their transitive closure."""
    named = np.unique(left * truth.rows + right)
    found = np.isin(truth.left * truth.rows + truth.right, named)
    graph = coo_array((np.ones(len(named), bool), (named // truth.rows, named % truth.rows)), shape=(truth.rows, truth.rows))
    closed = np.bincount(connected_components(graph, directed=False)[1]).max()
    return _shares(found, len(named), truth) | {"largest_if_closed": int(closed)}


def of_labels(labels: Ints, truth: Truth) -> dict[str, float]:
    """Score clusters: int64[rows], the number of each row's cluster."""
    sizes = np.bincount(labels)
    found = labels[truth.left] == labels[truth.right]
    return _shares(found, int((sizes * (sizes - 1) // 2).sum()), truth) | {"largest": int(sizes.max())}


def of_flags(flags: npt.NDArray[np.bool_], truth: Truth) -> dict[str, float]:
    """Score bool[rows], whether a row has a duplicate."""
    real = np.isin(np.arange(truth.rows), np.concatenate([truth.left, truth.right]))
    near = np.isin(np.arange(truth.rows), np.concatenate([truth.left[truth.near], truth.right[truth.near]]))
    return {"named": int(flags.sum()), "recall_jaccard": _share(flags[near]), "precision": _share(real[flags])}


def _shares(found: npt.NDArray[np.bool_], named: int, truth: Truth) -> dict[str, float]:
    return {
        "named": named,
        "recall_jaccard": _share(found[truth.near]),
        "recall_containment": _share(found[truth.contained]),
        "precision": float(found.sum()) / named if named else 1.0,
    }


def _share(hits: npt.NDArray[np.bool_]) -> float:
    return float(hits.mean()) if len(hits) else 1.0
