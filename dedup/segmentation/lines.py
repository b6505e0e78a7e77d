"""Lines: a flattened page line by line, each with the cue that it may be and the shape that it has.

In comes a text, out comes a list of :class:`Line`; lines of blanks are left out. Everything said here about a line
follows from that line alone (its words, its bullet, its final stop), never from its neighbours: what a line *is*
depends on those and is settled in ``pages``. The cost of a line is linear in its length, and constant beyond the
first ``cues.HEAD`` characters but for one count of blanks.
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
#: A headline has this many words; with a bullet, or a cue before it, fewer or more will do.
_HEADLINE_WORDS = range(3, 21)
_BULLET_WORDS = range(2, 26)
#: A paragraph of prose: this long, or shorter with a full stop.
_FULL_WORDS, _STOPPED_WORDS = 12, 6
#: Prefixes that a name or noun may carry in one place and not in another.
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
    """One line that is not blank: as it stood, stripped, and read as a cue."""

    raw: str
    text: str
    role: str | None = None
    rest: str = ""
    words: int = 0
    part: Part = Part.BODY
    article: int = 0  # which embedded article, from 1; 0 = the main one

    @property
    def is_alone(self) -> bool:
        """The cue has nothing behind it on its line."""
        return not any(sign.isalnum() for sign in self.rest)

    @property
    def has_bullet(self) -> bool:
        """The line opens with a list sign."""
        return _BULLET.match(self.text[:HEAD]) is not None

    @property
    def is_headline(self) -> bool:
        """The line could be a headline: some words, no final stop, no word that only opens paragraphs."""
        return self.words in _HEADLINE_WORDS and not ends_a_sentence(self.text) and load_cues().prose_opener.match(self.text[:HEAD]) is None

    @property
    def is_list_item(self) -> bool:
        """The line could stand in a list of related headlines."""
        return self.words in _BULLET_WORDS and not ends_a_sentence(self.text) if self.has_bullet else self.is_headline

    @property
    def is_paragraph(self) -> bool:
        """The line is long enough, or closed like a sentence, to be prose."""
        return self.words >= _FULL_WORDS or (self.words >= _STOPPED_WORDS and ends_a_sentence(self.text))

    @property
    def headline(self) -> str:
        """The line without its bullet and with single blanks."""
        bullet = _BULLET.match(self.text)
        return " ".join(self.text[bullet.end() if bullet else 0 :].split())

    @property
    def tokens(self) -> frozenset[str]:
        """The folded words without common prefixes, to ask whether a headline and a paragraph speak of the same thing."""
        return frozenset(_bare(word) for word in re.findall(r"\w{3,}", fold(self.text[: 4 * HEAD])))


def read_lines(text: str) -> list[Line]:
    """Split a text into its lines and read each as a cue.

    Parameters
    ----------
    text : any text; lines end with LF, CR LF or CR

    Returns
    -------
    the lines that are not blank, in order
    """
    return [read_line(raw) for raw in _LINE_END.split(text) if raw.strip()]


def read_line(raw: str) -> Line:
    """Read one line: its words, and the role that its form allows, if any."""
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
        return said  # «شاهد:» alone may be a speaker's label
    # «اقرأ أيضا» with a headline right behind it: a headline has no final stop and more than one word.
    return role == "related_list" or separated or not said or (len(rest.split()) > 1 and not ends_a_sentence(text))


def _bare(word: str) -> str:
    for prefix in _PREFIXES:
        if word.startswith(prefix) and len(word) - len(prefix) >= 3:
            return word[len(prefix) :]
    return word
