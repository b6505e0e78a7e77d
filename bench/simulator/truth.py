"""What an edited text is to its original, by construction and by the definitions that readers label by.

*copy*: at least about two thirds of both in common; *excerpt*: about two thirds of the shorter one is the other's, and
the longer has clearly more; *partial*: shared passages, but much text of its own in each; *template*: the same form,
other facts. Where readers would differ (about half in common; a few new numbers in a long report) it is *unsure*.
"""

from __future__ import annotations

from typing import NamedTuple

from .drafts import FOREIGN, OWN, Draft

ORIGINAL, COPY, EXCERPT, PARTIAL, TEMPLATE, UNSURE = "original", "copy", "excerpt", "partial", "template", "unsure"
#: About two thirds in common; below the second number readers say *partial*.
MOST, HALF = 2 / 3, 0.5
#: A form filled in anew has at least so many new facts, and so many in a hundred words.
FACTS, FACT_SHARE = 3, 0.06


class Truth(NamedTuple):
    """``kept``: share of the original's words that are in the text; ``own``: share of the text's words that are the original's."""

    relation: str
    kept: float
    own: float


def truth(draft: Draft, original_words: int) -> Truth:
    """Tell what a draft is to an original of so many words. Furniture is left out; reworded passages count as kept."""
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
