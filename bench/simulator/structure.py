"""How editors cut and join: trimmed ends, dropped middles, added background, new leads, other order, two wires in one.

Every edit is a pure function ``(draft, strength, rng, lenders) -> draft``. Passages of other texts are marked as
foreign, so the remaining share of the original is known.
"""

from __future__ import annotations

import random
from dataclasses import replace

from .drafts import FOREIGN, FURNITURE, OWN, Draft, Lenders, Passage, first_words, paragraphs, sentences
from .wording import verbs

#: Lowest and highest share of the text that a trim keeps, that is dropped from the middle, and of the new text that is
#: background or a new introduction.
KEPT = {"light": (0.75, 0.9), "medium": (0.4, 0.75), "heavy": (0.1, 0.4)}
DROPPED = {"light": (0.05, 0.15), "medium": (0.15, 0.35), "heavy": (0.35, 0.6)}
BACKGROUND = {"light": (0.05, 0.25), "medium": (0.25, 0.5), "heavy": (0.5, 0.8)}
INTRODUCTION = {"light": (0.03, 0.1), "medium": (0.1, 0.3), "heavy": (0.3, 0.5)}
_BRIDGES = ("وفي سياق متصل، ", "من جهة أخرى، ", "على صعيد آخر، ", "من جانب آخر، ", "إلى ذلك، ")


def trim(draft: Draft, strength: str, rng: random.Random, lenders: Lenders) -> Draft:
    """Cut the end between two paragraphs, or between sentences if there are too few paragraphs."""
    units = _units(draft, at_least=6)
    return replace(draft, passages=tuple(_up_to(units, rng.uniform(*KEPT[strength]))))


def trim_sentences(draft: Draft, strength: str, rng: random.Random, lenders: Lenders) -> Draft:
    """Cut the end between two sentences."""
    return replace(draft, passages=tuple(_up_to(_sentence_units(draft), rng.uniform(*KEPT[strength]))))


def drop_middle(draft: Draft, strength: str, rng: random.Random, lenders: Lenders) -> Draft:
    """Drop a run of paragraphs (or sentences) from the middle; the first and the last stay."""
    units = _units(draft, at_least=5)
    if len(units) < 3:
        return draft
    sizes = [len(unit.text.split()) for unit in units]
    share = rng.uniform(*DROPPED[strength])
    goal = share * sum(sizes)
    first = rng.randrange(1, max(2, int((1 - share) * len(units))))
    last = first
    while last < len(units) - 1 and sum(sizes[first : last + 1]) <= goal:
        last += 1
    return replace(draft, passages=tuple(units[:first] + units[max(last, first + 1) :]))


def reorder(draft: Draft, strength: str, rng: random.Random, lenders: Lenders) -> Draft:
    """Other order: two neighbours swapped; the end moved up behind the lead; all but the lead shuffled."""
    units = _units(draft, at_least=4)
    if len(units) < 3:
        return draft
    if strength == "light":
        at = rng.randrange(1, len(units) - 1)
        units[at], units[at + 1] = units[at + 1], units[at]
    elif strength == "medium":
        at = max(2, 2 * len(units) // 3)
        units = units[:1] + units[at:] + units[1:at]
    else:
        rest = units[1:]
        rng.shuffle(rest)
        units = units[:1] + rest
    return replace(draft, passages=tuple(units))


def lead(draft: Draft, strength: str, rng: random.Random, lenders: Lenders) -> Draft:
    """Make another lead: swap the halves of the first sentence, drop the sentence, or rewrite two sentences."""
    units = _sentence_units(draft)
    if len(units) < 3:
        return draft
    if strength == "light":
        words = verbs(units[0].text, "heavy", rng).rstrip(".").split()
        half = len(words) // 2
        return replace(draft, passages=(Passage(" ".join(words[half:] + words[:half]) + ".", units[0].part), *units[1:]))
    if strength == "medium":
        return replace(draft, passages=tuple(units[1:]))
    lost = sum(len(unit.text.split()) for unit in units[:2])
    return replace(draft, passages=(*lenders.passages(lost, rng), *units[2:]))


def background(draft: Draft, strength: str, rng: random.Random, lenders: Lenders) -> Draft:
    """Background behind the text, from the ends of other articles."""
    words = _added(draft, rng.uniform(*BACKGROUND[strength]))
    return replace(draft, passages=(*draft.passages, *lenders.passages(words, rng, behind=0.5)))


def introduction(draft: Draft, strength: str, rng: random.Random, lenders: Lenders) -> Draft:
    """The paper's own introduction before the text."""
    words = _added(draft, rng.uniform(*INTRODUCTION[strength]))
    return replace(draft, passages=(*lenders.passages(words, rng), *draft.passages))


def interleave(draft: Draft, strength: str, rng: random.Random, lenders: Lenders) -> Draft:
    """The paper's own paragraphs between those of the wire."""
    units = _units(draft, at_least=4)
    for passage in lenders.passages(_added(draft, rng.uniform(*BACKGROUND[strength])), rng):
        units.insert(rng.randrange(1, len(units) + 1), passage)
    return replace(draft, passages=tuple(units))


def merge(draft: Draft, strength: str, rng: random.Random, lenders: Lenders) -> Draft:
    """Two wires in one: the first sentences of a second article, the whole of it, or the whole of it behind our first half."""
    second = lenders.article(rng)
    if strength == "light":
        kept = draft.passages
        lines = [" ".join(first_words(sentences(second.text), draft.words(OWN, FOREIGN) // 2))]
    else:
        kept = tuple(_up_to(_sentence_units(draft), 0.5)) if strength == "heavy" else draft.passages
        lines = paragraphs(second.text)
    joined = [Passage(rng.choice(_BRIDGES) + lines[0], FOREIGN), *(Passage(line, FOREIGN) for line in lines[1:])]
    return replace(draft, passages=(*kept, *joined), second=second.id)


def layout(draft: Draft, strength: str, rng: random.Random, lenders: Lenders) -> Draft:
    """Paragraph marks: two paragraphs joined, every sentence on a line of its own, or one block."""
    if strength == "medium":
        return replace(draft, passages=tuple(_sentence_units(draft)))
    joined: list[Passage] = []
    for passage in draft.passages:
        alike = joined and joined[-1].part == passage.part != FURNITURE
        if alike and (strength == "heavy" or rng.random() < 0.5):
            joined[-1] = Passage(f"{joined[-1].text} {passage.text}", passage.part)
        else:
            joined.append(passage)
    return replace(draft, passages=tuple(joined))


def _units(draft: Draft, *, at_least: int) -> list[Passage]:
    """The paragraphs, or the sentences where there are fewer paragraphs than ``at_least``."""
    return list(draft.passages) if len(draft.passages) >= at_least else _sentence_units(draft)


def _sentence_units(draft: Draft) -> list[Passage]:
    return [Passage(sentence, passage.part) for passage in draft.passages for sentence in sentences(passage.text)]


def _up_to(units: list[Passage], share: float) -> list[Passage]:
    """The first units with at most about this share of the words; at least one."""
    sizes = [len(unit.text.split()) for unit in units]
    goal, done, count = share * sum(sizes), 0, 0
    while count < len(units) and (done + sizes[count] / 2 <= goal or count == 0):
        done += sizes[count]
        count += 1
    return units[:count]


def _added(draft: Draft, share: float) -> int:
    """Number of words that make up this share when added."""
    return int(draft.words(OWN, FOREIGN) * share / (1 - share))
