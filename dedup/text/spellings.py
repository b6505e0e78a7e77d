"""A short Arabic phrase to its folded form, or to a regular expression for all its spellings.

Both ignore vowel marks, tatweel and invisible signs, and unify أ إ آ ٱ and ا, ى and ي, ة and ه.
Patterns work in ``re`` and in RE2 (Arrow). ``folding.py`` folds documents, and does more.
"""

from __future__ import annotations

import re

FATHATAN, LAST_MARK = 0x064B, 0x065F
SUPERSCRIPT_ALEF = 0x0670
TATWEEL = 0x0640
ZERO_WIDTH_SPACE, RIGHT_TO_LEFT_MARK = 0x200B, 0x200F
FIRST_EMBEDDING, LAST_OVERRIDE = 0x202A, 0x202E
WORD_JOINER = 0x2060
FIRST_ISOLATE, LAST_ISOLATE = 0x2066, 0x2069
ARABIC_LETTER_MARK = 0x061C
BYTE_ORDER_MARK = 0xFEFF
TAB, VERTICAL_TAB, FORM_FEED = 0x09, 0x0B, 0x0C
FILE_SEPARATOR, SPACE = 0x1C, 0x20
NEXT_LINE, NO_BREAK_SPACE, OGHAM_SPACE = 0x85, 0xA0, 0x1680
EN_QUAD, HAIR_SPACE = 0x2000, 0x200A
LINE_SEPARATOR, PARAGRAPH_SEPARATOR = 0x2028, 0x2029
NARROW_NO_BREAK_SPACE, MATHEMATICAL_SPACE, IDEOGRAPHIC_SPACE = 0x202F, 0x205F, 0x3000

#: Ignored code points, as ranges: first and last.
_WEIGHTLESS_RANGES = (
    (FATHATAN, LAST_MARK),
    (SUPERSCRIPT_ALEF, SUPERSCRIPT_ALEF),
    (TATWEEL, TATWEEL),
    (ZERO_WIDTH_SPACE, RIGHT_TO_LEFT_MARK),
    (FIRST_EMBEDDING, LAST_OVERRIDE),
    (WORD_JOINER, WORD_JOINER),
    (FIRST_ISOLATE, LAST_ISOLATE),
    (ARABIC_LETTER_MARK, ARABIC_LETTER_MARK),
    (BYTE_ORDER_MARK, BYTE_ORDER_MARK),
)
#: Blanks, as ranges: all characters that ``str.strip`` removes, except the two that end a line.
_BLANK_RANGES = (
    (TAB, TAB),
    (VERTICAL_TAB, FORM_FEED),
    (FILE_SEPARATOR, SPACE),
    (NEXT_LINE, NEXT_LINE),
    (NO_BREAK_SPACE, NO_BREAK_SPACE),
    (OGHAM_SPACE, OGHAM_SPACE),
    (EN_QUAD, HAIR_SPACE),
    (LINE_SEPARATOR, PARAGRAPH_SEPARATOR),
    (NARROW_NO_BREAK_SPACE, NARROW_NO_BREAK_SPACE),
    (MATHEMATICAL_SPACE, MATHEMATICAL_SPACE),
    (IDEOGRAPHIC_SPACE, IDEOGRAPHIC_SPACE),
)
#: Spellings of a letter, by the letter that represents them.
_SPELLINGS = {"ا": "اأإآٱ", "ي": "يى", "ه": "هة"}


def _inside_class(ranges: tuple[tuple[int, int], ...]) -> str:
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)


#: For use inside a character class of a pattern.
WEIGHTLESS = _inside_class(_WEIGHTLESS_RANGES)
BLANKS = _inside_class(_BLANK_RANGES)

_FOLDING: dict[int, str | None] = {code: None for first, last in _WEIGHTLESS_RANGES for code in range(first, last + 1)}
_FOLDING.update({ord(other): letter for letter, others in _SPELLINGS.items() for other in others[1:]})


def fold(text: str) -> str:
    """Fold a phrase or line.

    Drop ignored signs, unify spellings of letters, lower-case Latin letters.
    """
    return text.translate(_FOLDING).lower()


def spelling_pattern(phrase: str) -> str:
    """Build a regular expression that finds a phrase in unfolded text, so that offsets stay valid.

    Parameters
    ----------
    phrase : words in readable Arabic; a blank matches any run of blanks

    Returns
    -------
    str
        A pattern without groups or anchors, for ``re`` and for RE2; matching takes linear time.
    """
    between = f"[{WEIGHTLESS}]*"
    pieces = []
    for sign in " ".join(fold(phrase).split()):
        if sign == " ":
            pieces.append(f"[{BLANKS}][{BLANKS}{WEIGHTLESS}]*")
            continue
        cases = _SPELLINGS.get(sign) or "".join(sorted({sign, sign.upper()}))
        pieces.append((f"[{cases}]" if len(cases) > 1 else re.escape(sign)) + between)
    return "".join(pieces)
