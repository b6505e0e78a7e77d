"""Candidates to matches: every pair is measured exactly, and a rule says what it is.

Jaccard and containment are set arithmetic on shingle hashes. Two further numbers only decide, they are not
reported as similarities: *distinct containment* weighs a shingle by its rarity in the corpus, so that a form
shared by hundreds (cables, forecasts, furniture) counts little; *facts*, numbers and rare words, tell a form
filled in anew: too few of the smaller text's are in the larger one, or too many stand replaced by others in the
same place. A pair that fails them is a template, however much it shares: it is listed as ``partial`` and never
grouped.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .buffers import Rows, take_rows
from .config import CopyConfig
from .facts import Facts
from .kernels.overlap import count_in_sources, count_values, overlap_pairs, rarity_weights, row_sums
from .kernels.replaced import replaced_facts
from .pairs import EXCERPT, LEFT, NEAR, NEITHER, PARTIAL, RIGHT, Ints, Matches
from .threads import map_blocks

#: A pair that shares more than this is no form, however common its shingles are: hundreds print one wire too.
FORM_BELOW = 0.8
#: Facts that must be missing before they can speak: one alone may be a slip.
LEAST_MISSING = 2
#: Facts replaced in place make a template: at least so many, and so many in a hundred terms. A pair that
#: shares more than this has too little room for it.
REPLACED_LEAST, REPLACED_DENSITY, REPLACED_BELOW = 3, 3.9, 0.75


@dataclass(frozen=True, eq=False)
class Measured:
    """Shingle rows and facts of documents, with the weights that verification needs."""

    shingles: Rows
    weights: npt.NDArray[np.float32]
    weight_sums: npt.NDArray[np.float64]
    facts: Facts

    @classmethod
    def of(cls, shingles: Rows, facts: Facts, sources: Ints, config: CopyConfig) -> Measured:
        """Weigh the shingles by their rarity.

        What one outlet prints in several documents is a form of its own, or furniture; what many outlets print
        once each is a wire. So documents are counted by outlet, and the outlet that has most decides.

        Parameters
        ----------
        sources : int64[n], a number for each outlet, -1 where it is unknown
        """
        values, offsets = shingles
        slots = _counter_slots(len(values))
        order = np.argsort(sources, kind="stable")
        known = int(np.count_nonzero(sources < 0))
        ends = known + np.flatnonzero(np.diff(sources[order[known:]], append=-1)) + 1
        in_source = np.zeros(slots, np.uint8)
        count_in_sources(values, offsets, order[known:], ends - known, in_source, np.zeros(slots, np.uint8))
        weights = rarity_weights(values, in_source, config.common_in_source)
        if known:
            unknown = np.zeros(slots, np.uint8)
            count_values(take_rows(values, offsets, order[:known])[0], unknown)
            weights = np.minimum(weights, rarity_weights(values, unknown, config.common))
        return cls(shingles, weights, row_sums(weights, offsets), facts)


def verify(left: Ints, right: Ints, measured: Measured, config: CopyConfig, *, threads: int = 1) -> Matches:
    """Measure each pair exactly and keep those that share enough to be listed.

    Parameters
    ----------
    left, right : int64[n_pairs], rows of ``measured``, left < right
    """

    def block(first: int, last: int) -> Matches:
        return _verify_block(left[first:last], right[first:last], measured, config)

    return Matches.join([*map_blocks(block, len(left), threads, at_least=4096), Matches.none()])


def _verify_block(left: Ints, right: Ints, measured: Measured, config: CopyConfig) -> Matches:
    offsets = measured.shingles[1]
    shared, shared_weight = overlap_pairs(*measured.shingles, measured.weights, left, right)
    size_left, size_right = offsets[left + 1] - offsets[left], offsets[right + 1] - offsets[right]
    smaller = np.minimum(size_left, size_right)
    jaccard = shared / np.maximum(size_left + size_right - shared, 1)
    containment = shared / np.maximum(smaller, 1)
    listed = (jaccard >= config.near) | (containment >= config.partial)
    left, right, jaccard, containment = left[listed], right[listed], jaccard[listed], containment[listed]
    distinct = shared_weight[listed] / np.maximum(np.minimum(measured.weight_sums[left], measured.weight_sums[right]), 1e-9)
    left_is_smaller = (size_left <= size_right)[listed]
    kind = np.full(len(left), PARTIAL, np.uint8)
    kind[containment >= config.excerpt] = EXCERPT
    kind[jaccard >= config.near] = NEAR
    kind[(distinct < config.distinct) & (containment < FORM_BELOW)] = PARTIAL
    tying = np.flatnonzero(kind != PARTIAL)
    form = _same_form(left[tying], right[tying], left_is_smaller[tying], containment[tying], measured.facts, config)
    kind[tying[form]] = PARTIAL
    contained = np.where(kind != EXCERPT, NEITHER, np.where(left_is_smaller, LEFT, RIGHT)).astype(np.uint8)
    return Matches(left, right, kind, jaccard, containment, contained)


def _same_form(
    left: Ints,
    right: Ints,
    left_is_smaller: npt.NDArray[np.bool_],
    containment: npt.NDArray[np.float64],
    facts: Facts,
    config: CopyConfig,
) -> npt.NDArray[np.bool_]:
    """Whether the facts of a pair say that both fill in one form: too few are shared, or too many replaced in place."""
    smaller, larger = np.where(left_is_smaller, left, right), np.where(left_is_smaller, right, left)
    values, offsets = facts.unique
    shared, _ = overlap_pairs(values, offsets, np.ones(len(values), np.float32), smaller, larger)
    own = offsets[smaller + 1] - offsets[smaller]
    form: npt.NDArray[np.bool_] = (shared < config.facts * own) & (own - shared >= LEAST_MISSING) & (containment < FORM_BELOW)
    asked = np.flatnonzero(~form & (containment < REPLACED_BELOW))
    counts, densities = replaced_facts(*facts.terms, facts.flags, left[asked], right[asked])
    form[asked] = (counts >= REPLACED_LEAST) & (densities >= REPLACED_DENSITY)
    return form


def _counter_slots(values: int) -> int:
    """A power of two with room for four times the values, from 2**12 to 2**28."""
    return 1 << min(28, max(12, (4 * values).bit_length()))
