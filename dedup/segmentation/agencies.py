"""Agencies: the wire service that a text is signed with.

In come the text of a page and its author field, out goes a code such as ``reuters`` or ``spa``, or null. Only places
where a signature may stand are read: the author field, a dateline in the first ``HEAD`` characters, and a sign-off in
the last ``TAIL``. A sentence that quotes an agency («وقالت رويترز إن ...») signs nothing. Of several agencies the first
in reading order wins: author, dateline, sign-off. Null when in doubt, and for «وكالات», which names no agency.

Many short forms are common words (واس / واسع, وفا / وفاة, قنا, بترا, صفا), so a form counts only as a whole item between
the separators of a dateline, and some only in brackets; see ``data/agencies.toml``. Texts without any form in these
places never become Python strings.
"""

from __future__ import annotations

import re
import tomllib
from importlib import resources
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ..arrays.rows import text_array, text_rows
from ..kernels.text.tokens import last_characters
from ..text.spellings import BLANKS, fold, spelling_pattern

HEAD, TAIL = 120, 80
#: The last item of a dateline begins within this many characters and items, each item of so many words.
_DATELINE, _ITEMS, _ITEM_WORDS, _LONG_ITEM_WORDS = 90, 6, 6, 12
#: Most words of a last line that is a sign-off.
_SIGN_OFF_WORDS = 8
#: What stands between the items of a dateline; a comma does so in an author field and in a sign-off.
_DASHES = "\\-–—ـ:/|\\n\\r"
_BRACKETS = "(){}\\[\\]"
_QUOTES = '"«»“”'
_SEPARATOR = re.compile(f"[{_DASHES}]")
_FINE_SEPARATOR = re.compile(f"[{_DASHES}{_BRACKETS}{_QUOTES},،+*]| و(?=رويترز|فرانس)")
_BRACKETED = re.compile(r"[(\[{][ ]*([^()\[\]{}]{1,40}?)[ ]*[)\]}]")
#: "ذكرت وكالة الأنباء السورية (سانا) أن": a source that is quoted, not one that signs; a full stop ends the suspicion.
_CITATION = re.compile(r"(?:وكال[هة]|م[وؤ]سس[هة]|لمراسل[هة])[^.!؟]{0,40}$")
#: Behind brackets a sentence goes on.
_GOES_ON = re.compile(r" *[،,]?[ ]*\w")
#: "... الموافق 11 أغسطس 2015 م واس": the Saudi agency signs behind the date without a separator.
_DATED = re.compile(r"(?:[0-9٠-٩]{4}|[0-9٠-٩] ?[مه]) (واس)(?: |$)")


#: Code of each folded form, by the key that it stands under in ``agencies.toml``; initials are among the names.
_NAMES: dict[str, str] = {}
_MARKED: dict[str, str] = {}
_ENCLOSED: dict[str, str] = {}
_CREDITS: dict[str, str] = {}


def _item(text: str) -> str:
    """Fold an item of a dateline; dots between initials read as blanks."""
    return " ".join(fold(text).replace(".", " ").replace("،", " ").split())


def _gapped(initials: str) -> list[str]:
    # Letters without any gap would be words: «دبا» is a town. At least one gap stays.
    first, *others = _item(initials).split()
    forms = [first]
    for letter in others:
        forms = [form + gap + letter for form in forms for gap in (" ", "")]
    return [form for form in forms if " " in form]


def _read_forms() -> list[str]:
    """Fill the tables above from the data file, and return all forms."""
    written = resources.files("dedup").joinpath("data/agencies.toml").read_text(encoding="utf-8")
    forms = []
    for code, table in tomllib.loads(written).items():
        for kind, into in (("names", _NAMES), ("marked", _MARKED), ("enclosed", _ENCLOSED), ("credits", _CREDITS)):
            into.update({_item(form): code for form in table.get(kind, [])})
        for initials in table.get("initials", []):
            _NAMES.update(dict.fromkeys(_gapped(initials), code))
        forms += [form for kind in table.values() for form in kind]
    return forms


_FORMS = _read_forms()
#: A word that may stand before the name in its item: «وكالة رويترز», «عن رويترز», but not «لندن رويترز».
_LEADS = ("وكاله ", "عن ", "من ", "بقلم ", "المصدر ", "نقلا عن ")
_LETTERS = f"[{BLANKS}.]*"
#: Letters of a form that the prefilter looks at.
_STEM = 5
#: Arabic letters without tatweel, which some desks type for a dash, and Latin ones: inside of a character class.
_ALPHABET = "ء-غف-يA-Za-z"


def _prefilter() -> str:
    # Few letters keep RE2 in its automaton; what passes is looked at properly. Short forms must begin a word.
    forms = {fold(form).replace(" ", "").replace(".", "")[:_STEM] for form in _FORMS}
    short = {form for form in forms if len(form) < _STEM}
    begins = f"(?:^|[^{_ALPHABET}]|ل)"
    spelt = ["|".join(_LETTERS.join(spelling_pattern(sign) for sign in form) for form in sorted(kind)) for kind in (short, forms - short)]
    return f"{begins}(?:{spelt[0]})(?:$|[^{_ALPHABET}])|{spelt[1]}"


_PREFILTER = _prefilter()


def find_agency(text: str, author: str | None = None) -> str | None:
    """Name the wire service that signs a text.

    Parameters
    ----------
    text : the text of a page or document; only its ends are read
    author : the author field of the page, if it has one

    Returns
    -------
    the agency's code, or None if none signs or it is doubtful
    """
    return (_in_author(author) if author else None) or _in_head(text[:HEAD]) or _in_tail(text[-TAIL:], whole=len(text) <= TAIL)


def agencies(text: Any, author: Any = None) -> Any:
    """Name the wire service that signs each text.

    Parameters
    ----------
    text : string or large_string array
    author : array of the same length, or None

    Returns
    -------
    string array of the same length: codes, null where no agency signs
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


def _suspects(column: Any) -> list[int]:
    """The rows in which the letters of an agency stand."""
    rows: list[int] = pc.indices_nonzero(pc.fill_null(pc.match_substring_regex(column, pattern=_PREFILTER), pa.scalar(False))).to_pylist()
    return rows


def _in_author(author: str) -> str | None:
    """Any agency that is a whole item of the author field."""
    for piece in _FINE_SEPARATOR.split(_fold_dashes(author)):
        item = _item(piece)
        code = _named(item) or _MARKED.get(item) or _ENCLOSED.get(item)
        if code is None and " من " in item:
            code = _named(item.split(" من ")[0])
        if code is not None:
            return code
    return None


def _in_head(head: str) -> str | None:
    """An agency in the dateline: an item followed by a separator, or in brackets near the start."""
    line = _fold_dashes(head)
    dated = _DATED.search(_item(line[:HEAD]))
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
    code = _in_brackets(piece, _ITEM_WORDS)
    if code is not None:
        return code
    item = _item(re.sub(f"[{_QUOTES}{_BRACKETS}*]", " ", piece))
    return _named(item) or (_MARKED.get(item) if behind else None)


def _in_brackets(piece: str, words_before: int) -> str | None:
    """An agency in brackets that a dash, a colon or the line's end follows, with only a place name before it."""
    for match in _BRACKETED.finditer(piece):
        before = piece[: match.start()]
        if len(before.split()) > words_before or _CITATION.search(fold(before)):
            return None
        if _GOES_ON.match(piece, match.end()):
            continue
        for part in _FINE_SEPARATOR.split(match.group(1)):
            code = _of_any_kind(_item(part))
            if code is not None:
                return code
    return None


def _in_tail(tail: str, *, whole: bool) -> str | None:
    """An agency that closes the text: in brackets at the very end, or a short last line made of names."""
    end = tail.rstrip(" \t\r\n.•*/" + chr(0xA0))
    lines = end.splitlines()
    if not lines:
        return None
    last = _fold_dashes(lines[-1])
    if end.endswith(")"):
        folded = fold(last)
        credited = next((code for phrase, code in _CREDITS.items() if phrase in folded), None)
        if credited is not None:
            return credited
    closing = list(_BRACKETED.finditer(last))
    if closing and not last[closing[-1].end() :].strip(" .") and not _CITATION.search(fold(last[: closing[-1].start()])):
        for part in _FINE_SEPARATOR.split(closing[-1].group(1)):
            code = _of_any_kind(_item(part))
            if code is not None:
                return code
    if (len(lines) > 1 or whole) and len(last.split()) <= _SIGN_OFF_WORDS:
        pieces = [_item(piece) for piece in _FINE_SEPARATOR.split(last)]
        for item in filter(None, pieces):
            code = _named(item) or (_MARKED.get(item) if len(pieces) > 1 or len(lines) > 1 else None)
            if code is not None:
                return code
    return None


def _of_any_kind(item: str) -> str | None:
    return _named(item) or _MARKED.get(item) or _ENCLOSED.get(item)


def _named(item: str) -> str | None:
    for lead in _LEADS:
        item = item.removeprefix(lead)
    return _NAMES.get(item) or _NAMES.get(item.removeprefix("ل"))


def _fold_dashes(text: str) -> str:
    """Read a tatweel between blanks, which some desks type for a dash, as a dash."""
    return text.replace(" ـ", " -").replace("ـ ", "- ")
