"""Cues: the phrases of ``data/cues.toml`` that may open a line of page furniture.

A cue only says that a line *may* be furniture; ``segment`` decides. Only the first ``HEAD``
characters of a line count.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from typing import Any

from ..arrays.threads import computed_once
from ..text.spellings import BLANKS, WEIGHTLESS, fold, spelling_pattern

#: A line longer than this is a paragraph, whatever it says.
HEAD = 400
#: Signs that may precede a cue or a headline on its line: bullets, stars, dashes.
BULLETS = "•▪●◄►◦‣⁃○■□◆*–—\\-·»>"
_OPENING_ANY = f"[{BLANKS}{WEIGHTLESS}{BULLETS}(\\[#|]*"
_OPENING = _OPENING_ANY[:-1] + "{0,24}"
#: First letters of a phrase, those that the prefilter looks for.
_STEM = 5
#: Signs and blanks between a cue and the words that belong to it.
_SEPARATOR = f"[{BLANKS}{WEIGHTLESS}]*([:|/–—….،\\-]*)[{BLANKS}{WEIGHTLESS}]*"
_WORD_END = rf"(?![{WEIGHTLESS}]*\w)"
_QUOTES = re.compile('["«»“”„]')
_DIGITS = "[0-9٠-٩]"
_DIGIT = re.compile(_DIGITS)
_WORD = re.compile(r"\w")
_LINE_ENDS = re.compile(r"[\r\n]")
#: Whole lines: an e-mail address; an SMS number and its carrier ("88591 - Stc"); a time of day.
_ADDRESS = r"[\w.+\-]{1,64}@[\w\-]{1,64}(?:\.[\w\-]{1,24}){1,4}"
_CARRIER = rf"{_DIGITS}{{4,7}}[ \-–]{{1,4}}(?:[Ss][Tt][Cc]|[Mm]obily|[Zz]ain|زين|موبايلي|الاتصالات)"
_SIGN_OFF = rf"{_DIGITS}{{1,2}}:{_DIGITS}{{2}} ?ت ?م"
_BARE_LINE = re.compile(rf"[{BLANKS}{WEIGHTLESS}]*(?:{_ADDRESS}|{_CARRIER}|{_SIGN_OFF})[{BLANKS}{WEIGHTLESS}.]*")
#: Two letters that all link phrases share: a pattern that begins with a literal is searched fast.
LINK_LETTERS = "بط"
_LINK_LETTERS = re.compile(spelling_pattern(LINK_LETTERS))
#: Tables of the file that are no roles of a line.
_NO_ROLES = ("prose", "self_link", "gallery")


@dataclass(frozen=True)
class Cue:
    """One role of ``cues.toml``: phrases, and conditions on a line that begins with one.

    Attributes
    ----------
    separators : signs of which one must follow the phrase; empty if none is needed
    words : most words behind the phrase
    edge : where on the page the line counts: ``any``, ``start``, ``end`` or ``edges``
    stop : whether the line may end as a sentence does
    digits : whether digits behind the phrase are ``needed``, forbidden (``none``) or allowed
        (``any``)
    quotes : whether quotation marks may follow
    """

    role: str
    pattern: re.Pattern[str]
    separators: str
    words: int
    edge: str
    stop: bool
    digits: str
    quotes: bool

    def find(self, line: str) -> tuple[str, bool] | None:
        """Match a line; the position of the line on the page is for the caller to judge.

        Parameters
        ----------
        line : one line, stripped, of at most ``HEAD`` characters

        Returns
        -------
        (rest, separated), or None if the line does not meet the conditions
            The text behind the phrase, which may be empty, and whether a separator precedes it.
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
    """Whether a line ends as prose does: full stop, comma or colon, perhaps in quotes."""
    core = line[-HEAD:].rstrip(" \"'»”)]}" + chr(0xA0))
    return core.endswith((".", "،", "؛", ":", ",")) and not core.endswith("..")


def is_bare_contact(line: str) -> bool:
    """Whether a line is only an e-mail address, an SMS number and carrier, or a time."""
    return len(line) <= HEAD and _BARE_LINE.fullmatch(line) is not None


@dataclass(frozen=True)
class Cues:
    """All tables of ``cues.toml``, compiled.

    Attributes
    ----------
    by_role : the cues, in the order in which a line is tried
    anywhere : roles that make their line furniture wherever it is on the page
    any_cue : matches every line that a cue may open; one match instead of one per role
    self_link, self_link_words : finds the page's own link anywhere in a line, and the most words
        that may follow it
    gallery : gallery buttons that open a line, with the blanks behind them
    prose_opener : words that open a paragraph and never a headline
    prefilter : pattern for RE2, true of every text that ``segment`` would change and of few others
    openers, links : the two halves of ``prefilter`` for one text: the start of a line, and anywhere
        in the text
    """

    by_role: dict[str, Cue]
    anywhere: frozenset[str]
    any_cue: re.Pattern[str]
    self_link: re.Pattern[str]
    self_link_words: int
    gallery: re.Pattern[str]
    prose_opener: re.Pattern[str]
    prefilter: str
    openers: re.Pattern[str]
    links: re.Pattern[str]


@computed_once
def load_cues() -> Cues:
    """Read and compile ``data/cues.toml``, once per process."""
    written = resources.files("dedup").joinpath("data/cues.toml").read_text(encoding="utf-8")
    tables = tomllib.loads(written)
    by_role = {role: _build_cue(role, table) for role, table in tables.items() if role not in _NO_ROLES}
    phrases = {role: table["phrases"] for role, table in tables.items()}
    gallery = f"(?:{_alternatives(phrases['gallery'], whole=True)})[{BLANKS}{WEIGHTLESS}]*"
    openers, links = _prefilter_patterns(phrases)
    return Cues(
        by_role=by_role,
        anywhere=frozenset(role for role, cue in by_role.items() if cue.edge == "any" and not role.startswith("related")),
        any_cue=re.compile(f"{_OPENING}(?:{_alternatives(phrase for role in by_role for phrase in phrases[role])})"),
        # A sign must follow, then the headline up to the end of the line.
        self_link=re.compile(rf"(?:{_alternatives(phrases['self_link'], whole=True)})[^:\r\n]{{0,40}}:"),
        self_link_words=tables["self_link"]["words"],
        gallery=re.compile(rf"[{WEIGHTLESS}]*(?:{gallery})+"),
        prose_opener=re.compile(_alternatives(phrases["prose"], whole=True)),
        prefilter=rf"(?:^|[\r\n]){openers}|{links}",
        openers=re.compile(openers),
        links=re.compile(links),
    )


def may_have_furniture(text: str) -> bool:
    """Whether ``Cues.prefilter`` finds something in a text.

    Goes line by line: Python's engine would try the start of a line at every letter.
    """
    cues = load_cues()
    if any(cues.openers.match(line) for line in _LINE_ENDS.split(text)):
        return True
    return _LINK_LETTERS.search(text) is not None and cues.links.search(text) is not None


def _build_cue(role: str, table: dict[str, Any]) -> Cue:
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


def _prefilter_patterns(phrases: dict[str, list[str]]) -> tuple[str, str]:
    """Patterns for the start of a line with furniture, and for furniture anywhere in a line."""
    # The first letters are enough, for matches are looked at again. With five, RE2 keeps to its
    # automaton (560 MB/s); with eight, the automaton outgrows its memory and RE2 falls back to 20
    # MB/s.
    opening = [phrase for role, listed in phrases.items() if role not in ("prose", "self_link") for phrase in listed]
    links = {fold(phrase)[: 2 * _STEM].strip() for phrase in phrases["self_link"]}
    bare = rf"[^\r\n@ ]+@|{_DIGITS}+[ \-–]+[SsMmZzزما]|{_DIGITS}+:{_DIGITS}+ ?ت"
    # An opening bracket is part of some phrases and of the signs before all of them.
    stems = {fold(phrase)[:_STEM].strip().lstrip("(") for phrase in opening}
    return f"{_OPENING_ANY}(?:{_alternatives(stems)}|{bare})", _alternatives(links)


def _alternatives(phrases: Iterable[str], *, whole: bool = False) -> str:
    """A pattern for any spelling of any phrase."""
    # Longest first: «قد يهمك» must not win over «قد يهمك أيضا» where both are listed. A whole
    # phrase that ends in a letter ends a word; the look-ahead repeats the weightless signs, or
    # giving one back would satisfy it.
    ordered = sorted(phrases, key=lambda phrase: (-len(phrase), phrase))
    return "|".join(spelling_pattern(phrase) + (_WORD_END if whole and phrase[-1].isalnum() else "") for phrase in ordered)
