"""Briefs: texts of a sentence or two are judged by what they say, as headlines are.

Word shingles of ten words break at each «في مصر» for «بمصر», and hardly notice that «ترفض» has become «تقبل».
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..arrays.rows import Ints, Rows, take_rows
from ..config import CopyConfig
from ..fingerprints.fingerprint import BRIEF_WORDS
from ..kernels.copies.briefs import insertions
from ..text.document_frequencies import FLAGS
from ..text.lexicon import deciding_terms, spelling_variants, title_stop_terms
from .pairs import EXCERPT, NEAR, PARTIAL, TITLE, Overlap

#: Terms that one of two briefs that say the same may have more, per term of the fuller one; one is always allowed.
MOST_MORE = 0.15
#: Terms that a longer text may put between those of a brief that it holds, per term of the brief.
MOST_BETWEEN = 0.5
#: Shingles that a word put in breaks, at least (there are more of it if shingles are longer than three words).
_BROKEN = 2


def is_brief(shingles: Rows, briefs: Rows, rows: Ints) -> npt.NDArray[np.bool_]:
    """bool[len(rows)]: whether the text of a row has terms of a brief and at most BRIEF_WORDS shingles."""
    sizes, filled = np.diff(shingles[1])[rows], np.diff(briefs[1])[rows] > 0
    found: npt.NDArray[np.bool_] = filled & (sizes <= BRIEF_WORDS)
    return found


def kinds_of_briefs(left: Ints, right: Ints, overlap: Overlap, briefs: Rows, config: CopyConfig) -> npt.NDArray[np.uint8]:
    """The kinds of pairs of a brief and another short text.

    - Both say the same if one is the other with words left out, and no fact is among these (see ``headlines.close_titles``). They
      are copies; ``title`` if too few of their shingles agree.
    - A longer one can hold a brief and add to it, so much that it is no copy of the brief itself: ``excerpt``.
    - All others are ``partial``: a changed fact makes another text.

    Parameters
    ----------
    left, right : int64[n_pairs], rows; overlap : of their shingles
    briefs : terms of short texts, see ``Fingerprints.brief_terms``

    Returns
    -------
    uint8[n_pairs]
    """
    counts = np.diff(briefs[1])
    turned = (counts[left] > counts[right]) | ((counts[left] == counts[right]) & ~overlap.left_is_smaller)
    shorter, longer = np.where(turned, right, left), np.where(turned, left, right)
    more = _insertions(briefs, shorter, longer, False, True)
    same = (more >= 0) & (more <= np.maximum(1, MOST_MORE * counts[longer]))
    shares = np.where(turned, overlap.share_right, overlap.share_left), np.where(turned, overlap.share_left, overlap.share_right)
    between = _insertions(briefs, shorter, longer, True, True)
    held = (between >= 0) & (between <= MOST_MORE * counts[shorter]) & (shares[0] >= config.contained) & (shares[1] < config.contained)
    kind = np.full(len(left), PARTIAL, np.uint8)
    kind[held] = EXCERPT
    kind[same] = np.where(overlap.jaccard[same] >= config.near, NEAR, EXCERPT)
    kind[same & (np.minimum(*shares) < config.contained)] = TITLE
    return kind


def stand_in_longer(brief: Ints, longer: Ints, overlap: Overlap, shingles: Rows, terms: Rows, briefs: Rows) -> npt.NDArray[np.bool_]:
    """bool[n_pairs]: whether a longer text says all that a brief says, in one passage.

    Parameters
    ----------
    brief, longer : int64[n_pairs], rows; overlap : of their shingles
    shingles, terms, briefs : see ``verification.VerificationInput``
    """
    between = _insertions(terms, brief, longer, True, False)
    stands = (between >= 0) & (between <= MOST_BETWEEN * np.diff(terms[1])[brief])
    # The longer text keeps no term of a stop word, so a deciding one is looked for in the shingles.
    sizes = np.diff(shingles[1])[brief]
    missing = np.rint((1 - overlap.containment) * sizes)
    of_stop_word = np.isin(briefs[0] & ~FLAGS, title_stop_terms() & ~FLAGS)
    counts = np.concatenate([[0], np.cumsum(of_stop_word)])[briefs[1]]
    decided = counts[brief + 1] > counts[brief]
    found: npt.NDArray[np.bool_] = stands & ~(decided & (missing > _BROKEN * between))
    return found


def _insertions(terms: Rows, brief: Ints, text: Ints, passage: bool, facts: bool) -> Ints:
    """What the kernel says of pairs of rows, where the spellings of one word are one term."""
    rows, places = np.unique(np.concatenate([brief, text]), return_inverse=True)
    values, offsets = take_rows(*terms, rows)
    known, firsts = spelling_variants()
    bare = values & ~FLAGS
    at = np.minimum(np.searchsorted(known, bare), len(known) - 1)
    values = np.where(known[at] == bare, firsts[at], values)
    found: Ints = insertions(values, offsets, places[: len(brief)], places[len(brief) :], deciding_terms(), passage, facts)
    return found
