"""Finds the news agency that a text is credited to, or null when in doubt.

Reads only the author field, a dateline and a sign-off; a sentence that quotes an agency («وقالت
رويترز إن ...») is no credit, and «وكالات» names no agency.
"""

from __future__ import annotations

import re
import tomllib
from importlib import resources
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from ..arrays.rows import text_array, text_rows
from ..arrays.threads import computed_once
from ..kernels.text.tokens import last_characters
from ..text.spellings import BLANKS, fold, spelling_pattern

HEAD, TAIL = 120, 80
#: The last item of a dateline begins within this many characters and items, and an item has at most
#: this many words; an item with a date in two calendars may have more.
_DATELINE, _ITEMS, _ITEM_WORDS, _LONG_ITEM_WORDS = 90, 6, 6, 12
#: Most words of a last line that is a sign-off.
_SIGN_OFF_WORDS = 8
#: Signs that separate the items of a dateline. Brackets, quotes and commas separate those of an
#: author field or sign-off.
_DASHES = "\\-–—ـ:/|\\n\\r"
_BRACKETS = "(){}\\[\\]"
_QUOTES = '"«»“”'
_SEPARATOR = re.compile(f"[{_DASHES}]")
_FINE_SEPARATOR = re.compile(f"[{_DASHES}{_BRACKETS}{_QUOTES},،+*]| و(?=رويترز|فرانس)")
_BRACKETED = re.compile(r"[(\[{][ ]*([^()\[\]{}]{1,40}?)[ ]*[)\]}]")
#: «ذكرت وكالة الأنباء السورية (سانا) أن»: the agency is quoted, not credited, unless a full stop
#: stands in between.
_CITATION = re.compile(r"(?:وكال[هة]|م[وؤ]سس[هة]|لمراسل[هة])[^.!؟]{0,40}$")
#: A sentence that continues behind brackets.
_CONTINUES = re.compile(r" *[،,]?[ ]*\w")
#: «... الموافق 11 أغسطس 2015 م واس»: the Saudi agency puts its name behind the date without a
#: separator.
_DATED = re.compile(r"(?:[0-9٠-٩]{4}|[0-9٠-٩] ?[مه]) (واس)(?: |$)")
#: Words that may precede the name in its item: «وكالة رويترز», «عن رويترز», but not «لندن رويترز».
_LEADS = ("وكاله ", "عن ", "من ", "بقلم ", "المصدر ", "نقلا عن ")
#: First letters of a form, those that the prefilter looks for.
_STEM = 5
#: Signs that may stand between the letters of a form in the prefilter.
_GAP = f"[{BLANKS}.]*"
#: Inside a character class: Latin letters and Arabic ones, without tatweel, which some editors type
#: for a dash.
_ALPHABET = "ء-غف-يA-Za-z"


def find_agency(text: str, author: str | None = None) -> str | None:
    """The news agency that a text is credited to.

    Parameters
    ----------
    text : the text of a page or document; only its two ends are read
    author : the author field of the page, if it has one

    Returns
    -------
    the agency's code, or None if there is none or it is in doubt
    """
    return (_in_author(author) if author else None) or _in_head(text[:HEAD]) or _in_tail(text[-TAIL:], whole=len(text) <= TAIL)


def find_agencies(text: Any, author: Any = None) -> Any:
    """The news agency that each text of a column is credited to.

    Only texts with letters of an agency become Python strings.

    Parameters
    ----------
    text : string or large_string array
    author : array of the same length, or None

    Returns
    -------
    string array of the same length: codes as of ``find_agency``, null where there is none
    """
    text = text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text
    author = author.combine_chunks() if isinstance(author, pa.ChunkedArray) else author
    heads, tails = pc.utf8_slice_codeunits(text, 0, HEAD), text_array(*last_characters(*text_rows(text), TAIL))
    codes: list[str | None] = [None] * len(text)
    for row in _suspects(author) if author is not None else []:
        codes[row] = _in_author(author[row].as_py())
    for row in _suspects(heads):
        codes[row] = codes[row] or _in_head(heads[row].as_py())
    short = pc.less_equal(pc.utf8_length(heads), TAIL)
    for row in _suspects(tails):
        codes[row] = codes[row] or _in_tail(tails[row].as_py(), whole=short[row].as_py())
    return pa.array(codes, pa.string())


class _Forms(NamedTuple):
    """The folded forms of ``agencies.toml``, by kind, each with the code of its agency.

    Many short forms are also the start of a common word (واس / واسع, وفا / وفاة) or a common word
    themselves (قنا, بترا, صفا), so a form counts only as a whole item between separators, and some
    forms only in brackets.
    """

    names: dict[str, str]  # and the initials
    marked: dict[str, str]
    enclosed: dict[str, str]
    credits: dict[str, str]
    prefilter: str  # for RE2: true of every text with letters that may begin a form


@computed_once
def _load_forms() -> _Forms:
    written = resources.files("dedup").joinpath("data/agencies.toml").read_text(encoding="utf-8")
    tables = tomllib.loads(written)
    forms = {
        kind: {_fold_item(form): code for code, table in tables.items() for form in table.get(kind, [])}
        for kind in ("names", "marked", "enclosed", "credits")
    }
    for code, table in tables.items():
        for initials in table.get("initials", []):
            forms["names"].update(dict.fromkeys(_spacings(initials), code))
    every_form = (form for table in tables.values() for listed in table.values() for form in listed)
    return _Forms(**forms, prefilter=_prefilter_pattern({fold(form).replace(" ", "").replace(".", "")[:_STEM] for form in every_form}))


def _spacings(initials: str) -> list[str]:
    """Initials with and without a blank between any two letters."""
    # Letters without any gap would be words: «دبا» is a town. At least one gap stays.
    first, *others = _fold_item(initials).split()
    forms = [first]
    for letter in others:
        forms = [form + gap + letter for form in forms for gap in (" ", "")]
    return [form for form in forms if " " in form]


def _prefilter_pattern(stems: set[str]) -> str:
    # Few letters keep RE2 in its automaton; matches are looked at again. Short forms must begin a
    # word.
    short = {stem for stem in stems if len(stem) < _STEM}
    short_forms, long_forms = ("|".join(_GAP.join(map(spelling_pattern, stem)) for stem in sorted(kind)) for kind in (short, stems - short))
    return f"(?:^|[^{_ALPHABET}]|ل)(?:{short_forms})(?:$|[^{_ALPHABET}])|{long_forms}"


def _suspects(column: Any) -> list[int]:
    """The rows that contain letters of an agency."""
    found = pc.match_substring_regex(column, pattern=_load_forms().prefilter)
    rows: list[int] = pc.indices_nonzero(pc.fill_null(found, pa.scalar(False))).to_pylist()
    return rows


def _in_author(author: str) -> str | None:
    """The first agency that is a whole item of the author field."""
    for piece in _FINE_SEPARATOR.split(_fold_dashes(author)):
        item = _fold_item(piece)
        code = _code_of_item(item)
        if code is None and " من " in item:
            code = _code_of_name(item.split(" من ")[0])
        if code is not None:
            return code
    return None


def _in_head(head: str) -> str | None:
    """An agency in the dateline: an item followed by a separator, or in brackets near the start."""
    line = _fold_dashes(head)
    dated = _DATED.search(_fold_item(line[:HEAD]))
    start, items = 0, 0
    for match in _SEPARATOR.finditer(line[:_DATELINE]):
        piece = line[start : match.start()]
        words = piece.split()
        if len(words) > (_LONG_ITEM_WORDS if "الموافق" in piece else _ITEM_WORDS) or items == _ITEMS:
            break
        code = _in_item(piece, behind=items > 0)
        if code is not None:
            return code
        items += bool(words)
        start = match.end()
    else:
        code = _in_brackets(line[start:_DATELINE], _ITEM_WORDS)
        if code is not None:
            return code
    return "spa" if dated is not None else None


def _in_item(piece: str, *, behind: bool) -> str | None:
    """An agency that is an item of a dateline; ``behind`` another, ``marked`` forms count too."""
    code = _in_brackets(piece, _ITEM_WORDS)
    if code is not None:
        return code
    item = _fold_item(re.sub(f"[{_QUOTES}{_BRACKETS}*]", " ", piece))
    return _code_of_name(item) or (_load_forms().marked.get(item) if behind else None)


def _in_brackets(piece: str, words_before: int) -> str | None:
    """An agency in brackets behind a place name only, before a dash, a colon or the line end."""
    for match in _BRACKETED.finditer(piece):
        before = piece[: match.start()]
        if len(before.split()) > words_before or _CITATION.search(fold(before)):
            return None
        if _CONTINUES.match(piece, match.end()):
            continue
        for part in _FINE_SEPARATOR.split(match.group(1)):
            code = _code_of_item(_fold_item(part))
            if code is not None:
                return code
    return None


def _in_tail(tail: str, *, whole: bool) -> str | None:
    """An agency at the end of the text: in brackets, or in a short last line made of names."""
    end = tail.rstrip(" \t\r\n.•*/" + chr(0xA0))
    lines = end.splitlines()
    if not lines:
        return None
    last = _fold_dashes(lines[-1])
    if end.endswith(")"):
        folded = fold(last)
        credited = next((code for phrase, code in _load_forms().credits.items() if phrase in folded), None)
        if credited is not None:
            return credited
    closing = list(_BRACKETED.finditer(last))
    if closing and not last[closing[-1].end() :].strip(" .") and not _CITATION.search(fold(last[: closing[-1].start()])):
        for part in _FINE_SEPARATOR.split(closing[-1].group(1)):
            code = _code_of_item(_fold_item(part))
            if code is not None:
                return code
    if (len(lines) > 1 or whole) and len(last.split()) <= _SIGN_OFF_WORDS:
        pieces = [_fold_item(piece) for piece in _FINE_SEPARATOR.split(last)]
        for item in filter(None, pieces):
            code = _code_of_name(item) or (_load_forms().marked.get(item) if len(pieces) > 1 or len(lines) > 1 else None)
            if code is not None:
                return code
    return None


def _code_of_item(item: str) -> str | None:
    """The agency of a folded item where forms of all kinds count."""
    forms = _load_forms()
    return _code_of_name(item) or forms.marked.get(item) or forms.enclosed.get(item)


def _code_of_name(item: str) -> str | None:
    """The agency of a folded item where only unmistakable names count."""
    names = _load_forms().names
    for lead in _LEADS:
        item = item.removeprefix(lead)
    return names.get(item) or names.get(item.removeprefix("ل"))


def _fold_item(text: str) -> str:
    """Fold an item of a dateline; dots between initials become blanks."""
    return " ".join(fold(text).replace(".", " ").replace("،", " ").split())


def _fold_dashes(text: str) -> str:
    """Replace a tatweel beside a blank, which some editors type for a dash, by a dash."""
    return text.replace(" ـ", " -").replace("ـ ", "- ")
