"""Cues: the phrases that may announce page furniture, and what must stand around them to be believed.

In come the phrases of ``data/cues.toml``, out go one :class:`Cue` per role and two expressions made of the same
phrases: :meth:`Cue.find` for one line, and :data:`PREFILTER` for a whole Arrow column. This module says which *lines*
may be furniture. Whether one is, and what it means for the lines around it, is decided in ``pages``: a cue word is not
a cut point. Only the first ``HEAD`` characters of a line are looked at, so a line of any length costs the same.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from typing import Any

from ..text.spellings import BLANKS, WEIGHTLESS, fold, spelling_pattern

#: A line longer than this is a paragraph, whatever it says.
HEAD = 400
#: What may stand before a cue or a headline on its line: bullets, stars, brackets, dashes.
BULLETS = "•▪●◄►◦‣⁃○■□◆*–—\\-·»>"
_OPENING_ANY = f"[{BLANKS}{WEIGHTLESS}{BULLETS}(\\[#|]*"
_OPENING = _OPENING_ANY[:-1] + "{0,24}"
#: Letters of a phrase that the prefilter looks at.
_STEM = 5
#: What may stand between a cue and the words that belong to it.
_SEPARATOR = f"[{BLANKS}{WEIGHTLESS}]*([:|/–—….،\\-]*)[{BLANKS}{WEIGHTLESS}]*"
_WORD_END = rf"(?![{WEIGHTLESS}]*\w)"
_QUOTES = re.compile('["«»“”„]')
_DIGITS = "[0-9٠-٩]"
_DIGIT = re.compile(_DIGITS)
_WORD = re.compile(r"\w")
_LINE_ENDS = re.compile(r"[\r\n]")
#: A line that is only an e-mail address, and one that is only a number and a carrier's name ("88591 - Stc").
_ADDRESS = r"[\w.+\-]{1,64}@[\w\-]{1,64}(?:\.[\w\-]{1,24}){1,4}"
_CARRIER = rf"{_DIGITS}{{4,7}}[ \-–]{{1,4}}(?:[Ss][Tt][Cc]|[Mm]obily|[Zz]ain|زين|موبايلي|الاتصالات)"
_SIGN_OFF = rf"{_DIGITS}{{1,2}}:{_DIGITS}{{2}} ?ت ?م"
_BARE_LINE = re.compile(rf"[{BLANKS}{WEIGHTLESS}]*(?:{_ADDRESS}|{_CARRIER}|{_SIGN_OFF})[{BLANKS}{WEIGHTLESS}.]*")


@dataclass(frozen=True)
class Cue:
    """One role of ``cues.toml``: its phrases and the conditions on the line that they open."""

    role: str
    pattern: re.Pattern[str]
    separators: str
    words: int
    edge: str
    stop: bool
    digits: str
    quotes: bool

    def find(self, line: str) -> tuple[str, bool] | None:
        """Read a line as an instance of this cue.

        Parameters
        ----------
        line : one line, stripped, no longer than ``HEAD``

        Returns
        -------
        the text behind the cue (may be empty) and whether a separator stood between, or None if the line's form
        does not fit; where the line stands is for the caller to judge
        """
        match = self.pattern.match(line)
        if match is None:
            return None
        signs, rest = match.group(1), line[match.end() :]
        said = _WORD.search(rest) is not None
        separated = any(sign in self.separators and (sign != "." or ".." in signs) for sign in signs)
        if self.separators and not separated:
            return None
        if len(rest.split()) > self.words and said:
            return None
        if said and not self.stop and ends_a_sentence(line):
            return None
        if self.digits != "any" and (_DIGIT.search(rest) is not None) != (self.digits == "needed"):
            return None
        if not self.quotes and _QUOTES.search(rest) is not None:
            return None
        return rest, bool(signs)


def ends_a_sentence(line: str) -> bool:
    """Tell whether a line ends as prose does: a full stop, comma or colon, inside or outside of closing quotes."""
    core = line[-HEAD:].rstrip(" \"'»”)]}" + chr(0xA0))
    return core.endswith((".", "،", "؛", ":", ",")) and not core.endswith("..")


def is_bare_contact(line: str) -> bool:
    """Tell whether a line is nothing but an e-mail address, an SMS number with its carrier, or a sign-off time."""
    return len(line) <= HEAD and _BARE_LINE.fullmatch(line) is not None


def _read_tables() -> dict[str, dict[str, Any]]:
    return tomllib.loads(resources.files("dedup").joinpath("data/cues.toml").read_text(encoding="utf-8"))


def _alternatives(phrases: Iterable[str], *, whole: bool = False) -> str:
    # Longest first: «قد يهمك» must not win over «قد يهمك أيضا» where both are listed. A whole phrase that ends in a
    # letter ends a word; the look-ahead repeats the weightless signs, or giving one back would satisfy it.
    ordered = sorted(phrases, key=lambda phrase: (-len(phrase), phrase))
    return "|".join(spelling_pattern(phrase) + (_WORD_END if whole and phrase[-1].isalnum() else "") for phrase in ordered)


def _build(role: str, table: dict[str, Any]) -> Cue:
    return Cue(
        role=role,
        pattern=re.compile(f"{_OPENING}(?:{_alternatives(table['phrases'], whole=True)}){_SEPARATOR}"),
        separators=table["separators"],
        words=table.get("words", 0),
        edge=table.get("edge", "any"),
        stop=table.get("stop", True),
        digits=table.get("digits", "any"),
        quotes=table.get("quotes", True),
    )


def _prefilter(tables: dict[str, dict[str, Any]]) -> tuple[str, str]:
    """What a line with furniture begins with, and what stands anywhere in one."""
    # The first letters are enough: what passes is looked at properly. With five, RE2 keeps to its automaton (560 MB/s);
    # with eight, the automaton outgrows its memory and RE2 falls back to 20 MB/s.
    opening = [phrase for role, table in tables.items() if role not in ("prose", "self_link") for phrase in table["phrases"]]
    links = {fold(phrase)[: 2 * _STEM].strip() for phrase in tables["self_link"]["phrases"]}
    bare = rf"[^\r\n@ ]+@|{_DIGITS}+[ \-–]+[SsMmZzزما]|{_DIGITS}+:{_DIGITS}+ ?ت"
    # An opening bracket is part of some phrases and of the signs before all of them.
    stems = {fold(phrase)[:_STEM].strip().lstrip("(") for phrase in opening}
    return f"{_OPENING_ANY}(?:{_alternatives(stems)}|{bare})", _alternatives(links)


_TABLES = _read_tables()
#: The cues by role, in the order in which a line is tried.
CUES: dict[str, Cue] = {role: _build(role, table) for role, table in _TABLES.items() if role not in ("prose", "self_link", "gallery")}
#: Finds the page's own link anywhere in a line; a sign must follow, then the headline to the end.
SELF_LINK = re.compile(rf"(?:{_alternatives(_TABLES['self_link']['phrases'], whole=True)})[^:\r\n]{{0,40}}:")
SELF_LINK_WORDS: int = _TABLES["self_link"]["words"]
#: Gallery buttons that open a line, with the blanks behind them.
GALLERY = re.compile(rf"[{WEIGHTLESS}]*(?:(?:{_alternatives(_TABLES['gallery']['phrases'], whole=True)})[{BLANKS}{WEIGHTLESS}]*)+")
#: Words that open a paragraph and never a headline.
PROSE_OPENER = re.compile(_alternatives(_TABLES["prose"]["phrases"], whole=True))
#: Any line that a cue may open: one look instead of one per role.
ANY_CUE = re.compile(f"{_OPENING}(?:{_alternatives(phrase for role in CUES for phrase in _TABLES[role]['phrases'])})")
_OPENERS, _LINKS = _prefilter(_TABLES)
#: For RE2: true of every text that ``pages.segment`` would change, and of few others.
PREFILTER = rf"(?:^|[\r\n]){_OPENERS}|{_LINKS}"
#: The same for one text, line by line: Python's engine would try every line's beginning at every letter.
_OPENS, _LINKED = re.compile(_OPENERS), re.compile(_LINKS)
#: Two letters that all links have in common: an expression that begins with a letter is looked for fast.
LINK_LETTERS = "بط"
_PERHAPS_LINKED = re.compile(spelling_pattern(LINK_LETTERS))


def may_have_furniture(text: str) -> bool:
    """Tell whether ``PREFILTER`` finds something in a text."""
    if any(_OPENS.match(line) for line in _LINE_ENDS.split(text)):
        return True
    return _PERHAPS_LINKED.search(text) is not None and _LINKED.search(text) is not None
