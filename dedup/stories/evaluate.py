"""Measures how well labels of stories agree with gold labels, with bootstrap intervals.

BCubed weighs documents equally, so small stories count; pairwise measures and ARI weigh pairs
equally, so the largest stories dominate; the V-measure is high if there are many small stories.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..arrays.rows import Floats, Ints

Interval = tuple[float, float]


@dataclass(frozen=True)
class Scores:
    """Agreement of found stories with gold ones; ``str()`` is one line.

    ``intervals`` maps the name of a measure to its bootstrap interval; empty if there were no
    samples.
    """

    documents: int
    gold_stories: int
    found_stories: int
    largest_gold: int
    largest_found: int
    bcubed_precision: float
    bcubed_recall: float
    bcubed_f1: float
    pairwise_precision: float
    pairwise_recall: float
    pairwise_f1: float
    ari: float
    v_measure: float
    intervals: dict[str, Interval] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        return (
            f"BCubed F1 {self._shown('bcubed_f1')} (P {self.bcubed_precision:.3f} R {self.bcubed_recall:.3f}); "
            f"pairwise F1 {self._shown('pairwise_f1')} (P {self.pairwise_precision:.3f} R {self.pairwise_recall:.3f}); "
            f"ARI {self._shown('ari')}; V {self._shown('v_measure')}; {self.documents} documents, "
            f"{self.gold_stories} stories (largest {self.largest_gold}), {self.found_stories} found (largest {self.largest_found})"
        )

    def _shown(self, name: str) -> str:
        low_high = self.intervals.get(name)
        return f"{getattr(self, name):.3f}" + (f" [{low_high[0]:.3f}, {low_high[1]:.3f}]" if low_high else "")


def score(gold: Any, found: Any, *, samples: int = 1000, level: float = 0.95, seed: int = 0) -> Scores:
    """Compare found stories with gold ones.

    Parameters
    ----------
    gold, found : array [n_documents]
        The story of each document: numbers, strings or anything hashable. A document in no story
        needs a label of its own.
    samples : int
        Bootstrap samples for the intervals; 0 for none.
    level : float
        Share of the samples inside an interval.
    seed : int
        Seed of the random draws.

    Returns
    -------
    Scores

    Raises
    ------
    ValueError
        If lengths differ, there is no document, or a label is missing (None or NaN).

    Notes
    -----
    BCubed (Bagga and Baldwin 1998, as examined by Amigo et al. 2009): precision is the mean over
    documents of the share of a document's found story that is of its gold story, recall the mean of
    the share of its gold story that is in its found story, F1 the harmonic mean of the two.
    Pairwise: precision, recall and F1 of "these two documents are one story", each 0 instead of
    0/0. ARI: the share of agreeing pairs, corrected for chance (Hubert and Arabie 1985), 1 if all
    pairs agree. V-measure: Rosenberg and Hirschberg 2007.

    Intervals are percentile intervals (Efron and Tibshirani 1993, chapter 13) over gold stories
    drawn with replacement, as many as there are: documents of one story succeed and fail together,
    so drawing documents would make the intervals too narrow. Story sizes are those of the whole set
    in each draw: a story drawn twice counts twice and is no rival of itself. A wrongly joined pair
    counts half for the story of each of its two documents.

    Examples
    --------
    >>> scores = score(["a", "a", "a", "b", "b"], [1, 1, 2, 2, 2], samples=0)
    >>> round(scores.bcubed_f1, 3)
    0.733
    """
    of_gold, of_found = _numbered(gold, found)
    sums = _sums(of_gold, of_found)
    measures = _measures(sums.sum(axis=0))
    intervals: dict[str, Interval] = {}
    if samples:
        for name, values in _measures(_draws(sums, samples, seed)).items():
            low, high = np.quantile(values, ((1 - level) / 2, (1 + level) / 2))
            intervals[name] = float(low), float(high)
    gold_sizes, found_sizes = np.bincount(of_gold), np.bincount(of_found)
    return Scores(
        len(of_gold), len(gold_sizes), len(found_sizes), int(gold_sizes.max()), int(found_sizes.max()),
        **{name: float(value) for name, value in measures.items()}, intervals=intervals,
    )  # fmt: skip


def bcubed(gold: Any, found: Any) -> tuple[Floats, Floats]:
    """BCubed precision and recall of each document, two float64[n_documents]; see ``score``."""
    gold_sizes, found_sizes, both_sizes = _sizes(*_numbered(gold, found))
    return both_sizes / found_sizes, both_sizes / gold_sizes


def harmonic(precision: Any, recall: Any) -> Any:
    """F1 of precision and recall, numbers or arrays; 0 if both are 0."""
    total = np.asarray(precision) + recall
    return np.divide(2 * np.asarray(precision) * recall, total, out=np.zeros_like(total, np.float64), where=total > 0)


def _numbered(gold: Any, found: Any) -> tuple[Ints, Ints]:
    """Both labellings as numbers; they must be of the same documents, at least one."""
    of_gold, of_found = _numbers(gold, "gold"), _numbers(found, "found")
    if len(of_gold) != len(of_found):
        raise ValueError(f"gold has {len(of_gold)} labels and found {len(of_found)}: they must be of the same documents.")
    if len(of_gold) == 0:
        raise ValueError("there is no document to score.")
    return of_gold, of_found


def _numbers(labels: Any, name: str) -> Ints:
    """int64[n]: labels as numbers from 0 in order of first appearance, so that no score depends on names."""
    array = _array(labels) if isinstance(labels, Sequence) else np.asarray(labels)
    if array.ndim != 1:
        raise ValueError(f"{name} must be one label for each document, got an array of the shape {array.shape}.")
    if array.dtype.kind == "O":
        items = array.tolist()
        missing = [row for row, item in enumerate(items) if item is None or item != item]
    else:
        missing = np.flatnonzero(array != array).tolist()  # NaN and NaT
    if missing:
        raise ValueError(f"{name} has no label in row {missing[0]}: give a document that is in no story a label of its own.")
    if array.dtype.kind == "O":
        numbers: dict[Any, int] = {}
        return np.fromiter((numbers.setdefault(item, len(numbers)) for item in items), np.int64, len(items))
    _, firsts, places = np.unique(array, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(firsts))[places].astype(np.int64)


def _array(labels: Sequence[Any]) -> Any:
    """A list as an array that keeps labels apart: 1 does not become "1", nor a tuple a row."""
    kinds = {type(item) for item in labels}
    if kinds == {int} and all(abs(item) < 1 << 63 for item in labels):
        return np.asarray(labels, np.int64)
    if kinds == {str} and not any(item.endswith("\0") for item in labels):  # NumPy drops trailing NULs
        return np.asarray(labels)
    array = np.empty(len(labels), object)
    array[:] = list(labels)
    return array


def _sizes(gold: Ints, found: Ints) -> tuple[Ints, Ints, Ints]:
    """For each document the sizes of its gold story, of its found story and of their intersection."""
    both = np.unique(gold * (found.max(initial=0) + 1) + found, return_inverse=True)[1]
    return np.bincount(gold)[gold], np.bincount(found)[found], np.bincount(both)[both]


def _sums(gold: Ints, found: Ints) -> Floats:
    """float64[n_gold_stories, 10]: the sums over the documents of each gold story from which all measures follow."""
    n = len(gold)
    in_gold, in_found, in_both = _sizes(gold, found)
    of_documents = (
        np.ones(n), in_both / in_found, in_both / in_gold,
        (in_both - 1) / 2, (in_found - 1) / 2, (in_gold - 1) / 2,
        -np.log(in_both / in_found), -np.log(in_both / in_gold), -np.log(in_gold / n), -np.log(in_found / n),
    )  # fmt: skip
    return np.stack([np.bincount(gold, weights=values) for values in of_documents], axis=1)


def _draws(sums: Floats, samples: int, seed: int) -> Floats:
    """float64[samples, 10]: the totals of stories drawn with replacement."""
    random = np.random.default_rng(seed)
    stories = len(sums)
    return np.stack([np.bincount(random.integers(0, stories, stories), minlength=stories) @ sums for _ in range(samples)])


def _measures(totals: Floats) -> dict[str, Floats]:
    """All measures from totals of ``_sums``, [..., 10]."""
    n, precision, recall, right, found, gold, impurity, spread, of_gold, of_found = np.moveaxis(totals, -1, 0)
    pair_precision, pair_recall = _ratio(right, found, 0.0), _ratio(right, gold, 0.0)
    by_chance = _ratio(found * gold, n * (n - 1) / 2, 0.0)
    homogeneity, completeness = 1 - _ratio(impurity, of_gold, 0.0), 1 - _ratio(spread, of_found, 0.0)
    return {
        "bcubed_precision": precision / n,
        "bcubed_recall": recall / n,
        "bcubed_f1": harmonic(precision / n, recall / n),
        "pairwise_precision": pair_precision,
        "pairwise_recall": pair_recall,
        "pairwise_f1": harmonic(pair_precision, pair_recall),
        "ari": _ratio(right - by_chance, (found + gold) / 2 - by_chance, 1.0),
        "v_measure": harmonic(homogeneity, completeness),
    }


def _ratio(above: Any, below: Any, else_: float) -> Floats:
    """``above / below``, or ``else_`` if that would divide by 0."""
    below = np.asarray(below, np.float64)
    ratio: Floats = np.divide(above, below, out=np.full_like(below, else_), where=np.abs(below) > 1e-12)
    return ratio
