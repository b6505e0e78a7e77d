"""Splits a text into lines, each with the cue that it may be and its shape.

Properties of a line depend on that line alone; ``segment`` decides what a line is, for that depends
on its neighbours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from ..text.spellings import BLANKS, WEIGHTLESS, fold
from .cues import BULLETS, HEAD, ends_a_sentence, is_bare_contact, load_cues

_LINE_END = re.compile(r"\r\n?|\n")
_BULLET = re.compile(f"[{BLANKS}{WEIGHTLESS}]*(?:[{BULLETS}]{{1,3}}[{BLANKS}{WEIGHTLESS}]*|[0-9٠-٩]{{1,2}}[.)\\-–][{BLANKS}]+)")
_WORDS = re.compile(r"\w[^\s]*")
#: Words of a headline, and of one with a bullet.
_HEADLINE_WORDS = range(3, 21)
_BULLET_WORDS = range(2, 26)
#: Fewest words of a paragraph, and of one that ends as a sentence does.
_FULL_WORDS, _STOPPED_WORDS = 12, 6
#: Prefixes that the same name or noun may have in one place and not in another.
_PREFIXES = ("وال", "بال", "لل", "ال", "و", "ب", "ل")


class Part(Enum):
    """The part of the page that a line belongs to."""

    BODY = "body"
    EMBEDDED = "embedded"
    TITLE = "title"
    HEADLINE = "headline"
    FURNITURE = "furniture"


@dataclass(slots=True)
class Line:
    """One line that is not blank."""

    raw: str
    text: str  # stripped
    role: str | None = None  # of the cue that it may be
    rest: str = ""  # the text behind the cue
    words: int = 0
    part: Part = Part.BODY
    article: int = 0  # number of its embedded article, from 1; 0 is the main article

    @property
    def is_alone(self) -> bool:
        """Whether the line is nothing but its cue."""
        return not any(sign.isalnum() for sign in self.rest)

    @property
    def has_bullet(self) -> bool:
        """Whether the line begins with a list sign."""
        return _BULLET.match(self.text[:HEAD]) is not None

    @property
    def is_headline(self) -> bool:
        """Whether the line may be a headline: some words, no final stop, no opener of prose."""
        return self.words in _HEADLINE_WORDS and not ends_a_sentence(self.text) and load_cues().prose_opener.match(self.text[:HEAD]) is None

    @property
    def is_list_item(self) -> bool:
        """Whether the line may be an item of a list of related headlines."""
        return self.words in _BULLET_WORDS and not ends_a_sentence(self.text) if self.has_bullet else self.is_headline

    @property
    def is_paragraph(self) -> bool:
        """Whether the line is prose: long, or shorter and ending as a sentence does."""
        return self.words >= _FULL_WORDS or (self.words >= _STOPPED_WORDS and ends_a_sentence(self.text))

    @property
    def headline(self) -> str:
        """The line without its bullet, with single blanks."""
        bullet = _BULLET.match(self.text)
        return " ".join(self.text[bullet.end() if bullet else 0 :].split())

    @property
    def tokens(self) -> frozenset[str]:
        """The folded words without common prefixes, to compare a headline with a paragraph."""
        return frozenset(_without_prefix(word) for word in re.findall(r"\w{3,}", fold(self.text[: 4 * HEAD])))


def read_lines(text: str) -> list[Line]:
    """Split a text at LF, CR LF or CR and read each line; blank lines are left out.

    Takes time linear in the text.
    """
    return [read_line(raw) for raw in _LINE_END.split(text) if raw.strip()]


def read_line(raw: str) -> Line:
    """Read one line: its words, and the role of the first cue whose conditions it meets."""
    text = raw.strip()
    if len(text) > HEAD:
        return Line(raw, text, words=text.count(" ") + 1)
    line = Line(raw, text, words=len(_WORDS.findall(text)))
    if is_bare_contact(text):
        line.role = "bare_contact"
    elif (cues := load_cues()).any_cue.match(text):
        for role, cue in cues.by_role.items():
            found = cue.find(text)
            if found is None or (role.startswith("related") and not _is_related(role, text, *found)):
                continue
            line.role, line.rest = role, found[0]
            break
    return line


def _is_related(role: str, text: str, rest: str, separated: bool) -> bool:
    said = any(sign.isalnum() for sign in rest)
    if role.startswith("related_weak"):
        return said  # «شاهد:» alone may name a speaker
    # «اقرأ أيضا» directly followed by a headline: more than one word and no final stop.
    return role == "related_list" or separated or not said or (len(rest.split()) > 1 and not ends_a_sentence(text))


def _without_prefix(word: str) -> str:
    for prefix in _PREFIXES:
        if word.startswith(prefix) and len(word) - len(prefix) >= 3:
            return word[len(prefix) :]
    return word
