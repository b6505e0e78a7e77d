"""Candidates to matches: exact jaccard and containment of each pair, and its kind of match.

A pair that looks like a copy must also pass three tests, or it is listed as ``partial`` and never
grouped: distinct containment, coverage and facts (see ``verify_pairs``).
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
from .briefs import is_brief, kinds_of_briefs, stand_in_longer
from .pairs import EXCERPT, NEAR, PARTIAL, Matches, Overlap, measure_overlap
from .shingle_weights import Weights

# Deciding constants beyond the settings of ``CopyConfig``; chosen on labelled pairs of Arabic news
# (see ``bench/labels``).
#: Containment from which a pair is no template, however common its shingles: hundreds of outlets print one
#: wire. Two documents of one outlet may be one at any containment.
TEMPLATE_BELOW = 0.8
#: Facts that must be missing from the larger text to count against a copy; a single one may be an
#: edit.
LEAST_MISSING = 2
#: A pair is a template if at least this many facts are replaced in place ...
REPLACED_LEAST = 3
#: ... and at least this many per hundred terms of the shorter text ...
REPLACED_DENSITY = 3.9
#: ... unless its containment is at least this: then replacements are edits of one text.
REPLACED_BELOW = 0.75

#: Pairs verified at a time, in memory and where fingerprints are in files.
_PAIRS, _SPILLED_PAIRS = 4096, 512


@dataclass(frozen=True, eq=False)
class VerificationInput:
    """What verification reads of the documents.

    Attributes
    ----------
    shingles : sorted and unique in each row
    weights : of the common shingles
    terms : stems of the texts in order
    briefs : stems of the short texts, see ``Fingerprints.brief_terms``
    sources : int64[n], numbers of outlets, -1 where unknown
    spill : the pool of these arrays
    """

    shingles: Rows
    weights: Weights
    terms: Rows
    briefs: Rows
    sources: Ints
    spill: SpillPool


def verify(left: Ints, right: Ints, documents: VerificationInput, config: CopyConfig, *, threads: int = 1) -> Matches:
    """Verify candidate pairs on threads; see ``verify_pairs``.

    Parameters
    ----------
    left, right : int64[n_pairs], rows of ``documents``, left < right
    """

    def block(first: int, last: int) -> Matches:
        texts = documents.shingles, documents.terms, documents.briefs
        matches = verify_pairs(left[first:last], right[first:last], *texts, documents.sources, distinct, config)
        documents.spill.release()
        return matches

    def distinct(left: Ints, right: Ints) -> Floats:
        return _distinct_containment(left, right, documents)

    spilled = documents.spill.spilled
    blocks = map_blocks(block, len(left), threads, at_least=_PAIRS, at_most=_SPILLED_PAIRS if spilled else None)
    return Matches.join([*blocks, Matches.none()])


def verify_pairs(
    left: Ints,
    right: Ints,
    shingles: Rows,
    terms: Rows,
    briefs: Rows,
    sources: Ints,
    distinct: Callable[[Ints, Ints], Floats],
    config: CopyConfig,
) -> Matches:
    """Measure each pair exactly and return those that share enough to be listed, with their kinds.

    Parameters
    ----------
    left, right : int64[n_pairs], rows
    shingles, terms, briefs, sources : see ``VerificationInput``
    distinct : returns the distinct containment of pairs, float64[n_pairs]

    Notes
    -----
    A pair that reaches ``near`` or ``excerpt`` below ``TEMPLATE_BELOW`` becomes ``partial`` if it fails one
    of these tests; two documents of one outlet are asked the first at any containment. Their measures
    only decide, and are not reported.

    - *Distinct containment* weighs shingles that an outlet repeats less, so a template that is
      filled in day by day (cables, forecasts, page furniture) loses most of it.
    - *Coverage* is the share of the shorter text's words that occur in the longer one next to the
      same neighbour. A copy edited throughout keeps it, a text that is half new does not.
    - *Facts* are numbers and rare words. In a template filled in again, too few facts of the
      smaller text are in the larger one, or too many are replaced in place.

    A brief and another short text are judged by their facts alone (``briefs.kinds_of_briefs``); a longer text must also say all that
    a brief says (``briefs.stand_in_longer``).
    """
    overlap = measure_overlap(shingles, left, right)
    listed = is_listed(overlap, config)
    left, right, overlap = left[listed], right[listed], overlap.take(listed)
    kind = kinds_by_overlap(overlap, config)
    left_brief, right_brief = (is_brief(shingles, briefs, side) for side in (left, right))
    short = np.diff(briefs[1]) > 0
    both = (left_brief | right_brief) & short[left] & short[right]
    kind[both] = kinds_of_briefs(left[both], right[both], overlap.take(both), briefs, config)
    containment = overlap.containment
    pending = np.flatnonzero(may_be_template(kind, containment, sources[left], sources[right]) & ~both)
    if len(pending):
        template = distinct(left[pending], right[pending]) < config.distinct * containment[pending]
        kind[pending[template]] = PARTIAL
        pending = pending[~template & (containment[pending] < TEMPLATE_BELOW)]
        copied = _is_copied(left[pending], right[pending], overlap.take(pending), terms, config)
        kind[pending[~copied]] = PARTIAL
    # A brief of which less stands in the longer text is no copy of it whatever it says.
    of_brief = np.where(right_brief, overlap.share_right, overlap.share_left)
    pending = np.flatnonzero((kind != PARTIAL) & (left_brief | right_brief) & ~both & (of_brief >= config.contained))
    if len(pending):
        turned = right_brief[pending]
        brief, longer = np.where(turned, right[pending], left[pending]), np.where(turned, left[pending], right[pending])
        stands = stand_in_longer(brief, longer, overlap.take(pending), shingles, terms, briefs)
        kind[pending[~stands]] = PARTIAL
    return Matches(left, right, kind, *overlap)


def is_listed(overlap: Overlap, config: CopyConfig) -> npt.NDArray[np.bool_]:
    """bool[n_pairs]: whether a pair shares enough to be listed as a match, whatever its kind."""
    return (overlap.jaccard >= config.near) | (overlap.containment >= config.partial)


def kinds_by_overlap(overlap: Overlap, config: CopyConfig) -> npt.NDArray[np.uint8]:
    """uint8[n_pairs]: the kind of each listed pair, unless it is a template (``may_be_template``)."""
    kind = np.full(len(overlap.jaccard), PARTIAL, np.uint8)
    kind[overlap.containment >= config.excerpt] = EXCERPT
    kind[overlap.jaccard >= config.near] = NEAR
    return kind


def may_be_template(kind: npt.NDArray[np.uint8], containment: Floats, source: Ints, other_source: Ints) -> npt.NDArray[np.bool_]:
    """bool[n_pairs]: whether a pair of this kind and containment may be a template filled in twice.

    Parameters
    ----------
    source, other_source : int64[n_pairs], numbers of the outlets of both documents, -1 where unknown
    """
    one_outlet = (source == other_source) & (source >= 0)
    unclear: npt.NDArray[np.bool_] = ((kind == NEAR) | (kind == EXCERPT)) & ((containment < TEMPLATE_BELOW) | one_outlet)
    return unclear


def _distinct_containment(left: Ints, right: Ints, documents: VerificationInput) -> Floats:
    weights = documents.weights.arrays()
    shared = shared_weights(*documents.shingles, left, right, *weights)
    rows, places = np.unique(np.concatenate([left, right]), return_inverse=True)
    sums = weight_sums(*documents.shingles, rows, *weights)[places]
    distinct: Floats = shared / np.maximum(np.minimum(sums[: len(left)], sums[len(left) :]), 1e-9)
    return distinct


def _is_copied(left: Ints, right: Ints, overlap: Overlap, terms: Rows, config: CopyConfig) -> npt.NDArray[np.bool_]:
    """bool[n_pairs]: whether the larger text covers the smaller one and facts show no template."""
    jaccard, containment = overlap.jaccard, overlap.containment
    smaller, larger = np.where(overlap.left_is_smaller, left, right), np.where(overlap.left_is_smaller, right, left)
    covered = (jaccard >= config.near) | (containment >= config.contained)
    unclear = np.flatnonzero(~covered)
    covered[unclear] = coverage_pairs(*terms, smaller[unclear], larger[unclear]) >= config.coverage
    own, shared = shared_facts(*terms, smaller, larger)
    copied: npt.NDArray[np.bool_] = covered & ((shared >= config.facts * own) | (own - shared < LEAST_MISSING))
    pending = np.flatnonzero(copied & (containment < REPLACED_BELOW))
    counts, densities = replaced_facts(*terms, left[pending], right[pending])
    copied[pending] = (counts < REPLACED_LEAST) | (densities < REPLACED_DENSITY)
    return copied
