"""Classifies an edited text by construction, with the definitions of the labels.

*copy*: at least about two thirds of both in common; *excerpt*: about two thirds of the shorter one is in the other, and
the longer has clearly more; *partial*: shared passages, but much own text in each; *template*: the same template, other
facts. Where readers would differ (about half in common; a few new numbers in a long report) it is *unsure*.
"""

from __future__ import annotations

from typing import NamedTuple

from .drafts import FOREIGN, OWN, Draft

ORIGINAL, COPY, EXCERPT, PARTIAL, TEMPLATE, UNSURE = "original", "copy", "excerpt", "partial", "template", "unsure"
#: About two thirds in common; below the second number readers say *partial*.
MOST, HALF = 2 / 3, 0.5
#: A template has at least so many replaced facts, and so many per hundred words.
FACTS, FACT_SHARE = 3, 0.06


class Truth(NamedTuple):
    """``kept``: share of the original's words that are in the text; ``own``: share of the text's words that are the original's."""

    relation: str
    kept: float
    own: float


def truth(draft: Draft, original_words: int) -> Truth:
    """Classify a draft against an original of so many words. Furniture is ignored; reworded passages count as kept."""
    own, foreign = draft.words(OWN), draft.words(FOREIGN)
    kept, share = min(1.0, own / max(original_words, 1)), own / max(own + foreign, 1)
    return Truth(_relation(draft.replaced, own + foreign, original_words, kept, share), kept, share)


def _relation(replaced: int, words: int, original_words: int, kept: float, own: float) -> str:
    if replaced:
        return TEMPLATE if replaced >= FACTS and replaced >= FACT_SHARE * words else UNSURE
    of_shorter = own if words < original_words else kept
    if kept >= MOST and own >= MOST:
        return COPY
    if of_shorter >= MOST:
        return EXCERPT
    return UNSURE if of_shorter >= HALF else PARTIAL
