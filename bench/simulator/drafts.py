"""Drafts: a text during its edits, passage by passage, with the origin of each passage.

Edits that move, cut or add passages work on drafts, so the overlap of an edited text with its original is known by
construction. Edits of words work on the whole text.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

STRENGTHS = ("light", "medium", "heavy")
#: Origin of a passage: the original, another text, or the page around the article.
OWN, FOREIGN, FURNITURE = "own", "foreign", "furniture"
#: No article lends a larger share of its words, so that an edited text is never a copy of a lender.
MOST_LENT = 0.3

_STOPS = ".!؟?…"


class Article(NamedTuple):
    """A real text to start from."""

    id: str
    title: str | None
    text: str
    published: datetime | None = None
    source: str | None = None


class Passage(NamedTuple):
    """A paragraph and its origin."""

    text: str
    part: str = OWN


@dataclass(frozen=True)
class Draft:
    """A title and its passages, one a line.

    ``replaced`` is the number of facts replaced; ``second`` is the id of another whole article in it.
    """

    title: str | None
    passages: tuple[Passage, ...]
    replaced: int = 0
    second: str | None = None

    @property
    def text(self) -> str:
        """The passages as lines."""
        return "\n".join(passage.text for passage in self.passages)

    def words(self, *parts: str) -> int:
        """Number of words in the passages of these origins."""
        return sum(len(passage.text.split()) for passage in self.passages if passage.part in parts)

    def with_text(self, text: str) -> Draft:
        """The same passages with the lines of ``text``, which must be as many."""
        lines = text.split("\n") if self.passages else []
        if len(lines) != len(self.passages):
            raise ValueError(f"an edit of words made {len(lines)} lines of {len(self.passages)}")
        return replace(self, passages=tuple(Passage(line, old.part) for line, old in zip(lines, self.passages, strict=True)))


@dataclass(frozen=True)
class Lenders:
    """Other articles from which passages and headlines are borrowed, except those in ``without``."""

    articles: Sequence[Article]
    without: frozenset[str] = field(default_factory=frozenset)

    def article(self, rng: random.Random) -> Article:
        """One of them at random."""
        for _ in range(1000):
            lender = rng.choice(self.articles)
            if lender.id not in self.without:
                return lender
        raise ValueError("an edit needs a passage of another article, but there is none to borrow from")

    def passages(self, words: int, rng: random.Random, behind: float = 0.0) -> list[Passage]:
        """About ``words`` words in whole sentences, a few from each of several articles, none before this share of them."""
        borrowed: list[Passage] = []
        missing = words
        for _ in range(100):
            if missing <= words // 20:
                break
            lender = self.article(rng)
            lines = sentences(lender.text)
            start = rng.randrange(int(behind * len(lines)), len(lines)) if lines else 0
            taken = first_words(lines[start:], min(missing, int(MOST_LENT * len(lender.text.split()))))
            if taken:
                borrowed.append(Passage(" ".join(taken), FOREIGN))
                missing -= len(borrowed[-1].text.split())
        return borrowed


def draft_of(article: Article) -> Draft:
    """The draft of an unedited article, without blank lines."""
    return Draft(article.title, tuple(Passage(line) for line in paragraphs(article.text)))


def paragraphs(text: str) -> list[str]:
    """The lines of a text, stripped, without blank ones."""
    return [line for line in map(str.strip, text.splitlines()) if line]


def sentences(text: str) -> list[str]:
    """The sentences of a text: up to a full stop, question or exclamation mark before a blank, or to the end of the line."""
    for stop in _STOPS:
        text = text.replace(f"{stop} ", f"{stop}\n")
    return paragraphs(text)


def first_words(pieces: Sequence[str], words: int) -> list[str]:
    """The first pieces with at most about ``words`` words; the last one is cut if it is far too long."""
    taken: list[str] = []
    for piece in pieces:
        if words <= 0:
            break
        own = piece.split()
        taken.append(piece if len(own) <= words + 8 else " ".join(own[:words]))
        words -= len(own)
    return taken
