"""Candidates to matches: every pair is measured exactly, and a rule says what it is.

Jaccard and containment are set arithmetic on shingle hashes. Further numbers only decide, they are not reported as
similarities. *Coverage* is the share of the shorter text's words that stand in the longer one beside the same
neighbour: a copy that was touched up all over keeps it, a text of which half is new does not. *Distinct containment*
weighs a shingle by its rarity within outlets: a form that is filled in day by day (cables, forecasts, furniture) counts
little. *Facts*, numbers and rare words, tell a form that was filled in anew: too few of the smaller text's are in the
larger one, or too many stand replaced by others in the same place. A pair that fails one of them is listed as
``partial`` and never grouped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..arrays.rows import Floats, Ints, Rows
from ..arrays.spill import SpillPool
from ..arrays.threads import map_blocks
from ..config import CopyConfig
from ..kernels.copies.coverage import coverage_pairs
from ..kernels.copies.replaced_facts import replaced_facts, shared_facts
from ..kernels.copies.shingle_weights import shared_weights, weight_sums
from .pairs import EXCERPT, LEFT, NEAR, NEITHER, PARTIAL, RIGHT, Matches, Overlap, measure_overlap
from .shingle_weights import Weights

#: A pair that shares more than this is no form, however common its shingles are: hundreds print one wire too.
TEMPLATE_BELOW = 0.8
#: Facts that must be missing before they can speak: one alone may be a slip.
LEAST_MISSING = 2
#: Facts replaced in place make a template: at least so many, and so many in a hundred terms. A pair that
#: shares more than this has too little room for it.
REPLACED_LEAST, REPLACED_DENSITY, REPLACED_BELOW = 3, 3.9, 0.75
#: Pairs verified at a time, and the same where what they need is in files.
_PAIRS, _SPILLED_PAIRS = 4096, 512


@dataclass(frozen=True, eq=False)
class VerificationInput:
    """Documents as verification needs them.

    ``shingles`` sorted unique rows; ``weights`` of those that are common; ``terms`` stems of the text in order; ``spill``
    where they are kept.
    """

    shingles: Rows
    weights: Weights
    terms: Rows
    spill: SpillPool


def verify(left: Ints, right: Ints, measured: VerificationInput, config: CopyConfig, *, threads: int = 1) -> Matches:
    """Measure each pair exactly and keep those that share enough to be listed.

    Parameters
    ----------
    left, right : int64[n_pairs], rows of ``measured``, left < right
    """

    def block(first: int, last: int) -> Matches:
        matches = verify_pairs(left[first:last], right[first:last], measured.shingles, measured.terms, distinct, config)
        measured.spill.release()
        return matches

    def distinct(left: Ints, right: Ints) -> Floats:
        return _distinct_containment(left, right, measured)

    spilled = measured.spill.spilled
    blocks = map_blocks(block, len(left), threads, at_least=_PAIRS, at_most=_SPILLED_PAIRS if spilled else None)
    return Matches.join([*blocks, Matches.none()])


def verify_pairs(
    left: Ints, right: Ints, shingles: Rows, terms: Rows, distinct: Callable[[Ints, Ints], Floats], config: CopyConfig
) -> Matches:
    """Measure each pair exactly and keep those that share enough to be listed.

    Parameters
    ----------
    left, right : int64[n_pairs], rows; shingles, terms : as ``VerificationInput`` has them
    distinct : gives float64, the distinct containment of pairs: what is left of it when common shingles weigh less
    """
    overlap = measure_overlap(shingles, left, right)
    listed = is_listed(overlap, config)
    left, right, overlap = left[listed], right[listed], overlap.take(listed)
    jaccard, containment, left_is_smaller = overlap
    kind = kinds_by_overlap(overlap, config)
    asked = np.flatnonzero(may_be_template(kind, containment))
    if len(asked):
        template = distinct(left[asked], right[asked]) < config.distinct * containment[asked]
        kind[asked[template]] = PARTIAL
        asked = asked[~template]
        copied = _is_copied(left[asked], right[asked], left_is_smaller[asked], jaccard[asked], containment[asked], terms, config)
        kind[asked[~copied]] = PARTIAL
    contained = np.where(kind != EXCERPT, NEITHER, np.where(left_is_smaller, LEFT, RIGHT)).astype(np.uint8)
    return Matches(left, right, kind, jaccard, containment, contained)


def is_listed(overlap: Overlap, config: CopyConfig) -> npt.NDArray[np.bool_]:
    """bool[n_pairs]: whether a pair shares enough to be listed as a match, whatever its kind."""
    return (overlap.jaccard >= config.near) | (overlap.containment >= config.partial)


def kinds_by_overlap(overlap: Overlap, config: CopyConfig) -> npt.NDArray[np.uint8]:
    """uint8[n_pairs]: the kind of each listed pair, unless it turns out to be a template (see ``may_be_template``)."""
    kind = np.full(len(overlap.jaccard), PARTIAL, np.uint8)
    kind[overlap.containment >= config.excerpt] = EXCERPT
    kind[overlap.jaccard >= config.near] = NEAR
    return kind


def may_be_template(kind: npt.NDArray[np.uint8], containment: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """bool[n_pairs]: whether a pair of this kind and containment has yet to be told from a template filled in twice."""
    unclear: npt.NDArray[np.bool_] = ((kind == NEAR) | (kind == EXCERPT)) & (containment < TEMPLATE_BELOW)
    return unclear


def _distinct_containment(left: Ints, right: Ints, measured: VerificationInput) -> Floats:
    weights = measured.weights.arrays()
    shared = shared_weights(*measured.shingles, left, right, *weights)
    rows, places = np.unique(np.concatenate([left, right]), return_inverse=True)
    sums = weight_sums(*measured.shingles, rows, *weights)[places]
    distinct: Floats = shared / np.maximum(np.minimum(sums[: len(left)], sums[len(left) :]), 1e-9)
    return distinct


def _is_copied(
    left: Ints,
    right: Ints,
    left_is_smaller: npt.NDArray[np.bool_],
    jaccard: npt.NDArray[np.float64],
    containment: npt.NDArray[np.float64],
    terms: Rows,
    config: CopyConfig,
) -> npt.NDArray[np.bool_]:
    """Whether the smaller text of each pair is covered by the larger one, and its facts do not say that both fill in one form."""
    smaller, larger = np.where(left_is_smaller, left, right), np.where(left_is_smaller, right, left)
    covered = (jaccard >= config.near) | (containment >= config.contained)
    unclear = np.flatnonzero(~covered)
    covered[unclear] = coverage_pairs(*terms, smaller[unclear], larger[unclear]) >= config.coverage
    own, shared = shared_facts(*terms, smaller, larger)
    copied: npt.NDArray[np.bool_] = covered & ((shared >= config.facts * own) | (own - shared < LEAST_MISSING))
    asked = np.flatnonzero(copied & (containment < REPLACED_BELOW))
    counts, densities = replaced_facts(*terms, left[asked], right[asked])
    copied[asked] = (counts < REPLACED_LEAST) | (densities < REPLACED_DENSITY)
    return copied
