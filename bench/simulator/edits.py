"""The edits by name, with their stage and how often outlets make them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from . import accidents, facts, furniture, outlets, spelling, structure, wording
from .drafts import STRENGTHS, Article, Draft, Lenders, draft_of

#: In the order in which outlets make them.
STAGES = ("facts", "structure", "wording", "outlet", "layout", "spelling", "page", "accidents")
_NOBODY = Lenders(())


@dataclass(frozen=True)
class Edit:
    """A named edit.

    ``rate`` is the share of reprints with this edit, counted on 1,500 pairs of reprints of fourteen papers where possible;
    ``of_words`` says that the function takes and returns the text, else the draft.
    """

    name: str
    stage: str
    rate: float
    function: Callable[..., Any]
    of_words: bool

    def apply(self, draft: Draft, strength: str, rng: random.Random, lenders: Lenders = _NOBODY) -> Draft:
        """The draft after this edit."""
        if not self.of_words:
            edited: Draft = self.function(draft, strength, rng, lenders)
            return edited
        before = draft.text
        after = self.function(before, strength, rng)
        edited = draft.with_text(after)
        return replace(edited, replaced=edited.replaced + facts.replaced(before, after)) if self.stage == "facts" else edited

    def __call__(self, text: str, strength: str, rng: random.Random, lenders: Lenders = _NOBODY) -> str:
        """The same for a plain text."""
        return self.apply(draft_of(Article("", None, text)), strength, rng, lenders).text


def _edits() -> Iterable[Edit]:
    for rate, function in (
        (0.0, facts.facts),
    ):  # fmt: skip
        yield Edit(function.__name__, "facts", rate, function, True)
    for rate, function in (
        (0.25, structure.trim), (0.12, structure.trim_sentences), (0.15, structure.drop_middle), (0.04, structure.reorder),
        (0.25, structure.lead), (0.12, structure.background), (0.08, structure.introduction), (0.04, structure.interleave),
        (0.04, structure.merge),
    ):  # fmt: skip
        yield Edit(function.__name__, "structure", rate, function, False)
    for rate, function in (
        (0.08, wording.names), (0.05, wording.verbs), (0.22, wording.synonyms), (0.2, wording.honorifics), (0.15, wording.days),
        (0.1, wording.plain_numbers), (0.5, wording.small_words), (0.3, wording.asides),
    ):  # fmt: skip
        yield Edit(function.__name__, "wording", rate, function, True)
    for rate, function in ((0.33, outlets.dateline), (0.15, outlets.agency), (0.92, outlets.headline)):
        yield Edit(function.__name__, "outlet", rate, function, False)
    yield Edit("layout", "layout", 0.4, structure.layout, False)
    for rate, function in (
        (0.2, spelling.hamza), (0.04, spelling.final_ya), (0.05, spelling.ta_marbuta), (0.02, spelling.seats), (0.3, spelling.vowels),
        (0.05, spelling.tatweel), (0.02, spelling.digits), (0.1, spelling.grouping), (0.45, spelling.quotes), (0.5, spelling.punctuation),
        (0.01, spelling.keyboard), (0.03, spelling.decimals), (0.1, spelling.joined), (0.03, spelling.hashtags),
    ):  # fmt: skip
        yield Edit(function.__name__, "spelling", rate, function, True)
    for rate, function in ((0.04, furniture.page), (0.03, furniture.links), (0.04, furniture.frame)):
        yield Edit(function.__name__, "page", rate, function, False)
    for rate, function in (
        (0.02, accidents.zero_width), (0.02, accidents.bidi_marks), (0.15, accidents.hard_blanks), (0.01, accidents.shaped),
        (0.1, accidents.typos), (0.03, accidents.lost_blanks),
    ):  # fmt: skip
        yield Edit(function.__name__, "accidents", rate, function, True)


EDITS: dict[str, Edit] = {edit.name: edit for edit in _edits()}


def parse(step: str) -> tuple[Edit, str]:
    """Read ``name:strength``."""
    name, _, strength = step.partition(":")
    if name not in EDITS or strength not in STRENGTHS:
        raise ValueError(f"{step!r} is no edit. Write name:strength with one of {', '.join(EDITS)} and one of {', '.join(STRENGTHS)}.")
    return EDITS[name], strength


def in_order(steps: Iterable[str]) -> list[str]:
    """The steps by stage, in the given order within a stage; of a repeated name the first counts."""
    first: dict[str, str] = {}
    for step in steps:
        first.setdefault(step.partition(":")[0], step)
    return sorted(first.values(), key=lambda step: STAGES.index(EDITS[step.partition(":")[0]].stage))


def make(draft: Draft, steps: Iterable[str], rng: random.Random, lenders: Lenders = _NOBODY) -> Draft:
    """Make edits one after the other."""
    for step in steps:
        edit, strength = parse(step)
        draft = edit.apply(draft, strength, rng, lenders)
    return draft


def draw(rng: random.Random, mix: Sequence[tuple[str, float]] | None = None) -> list[str]:
    """Draw steps, each ``name:strength`` of ``mix`` at its rate; by default every edit as in real reprints, mostly light."""
    if mix is not None:
        return in_order(step for step, rate in mix if rng.random() < rate)
    drawn = [edit.name for edit in EDITS.values() if rng.random() < edit.rate]
    return in_order(f"{name}:{rng.choices(STRENGTHS, (5, 3, 2))[0]}" for name in drawn)
