"""The folding rules, as a table from each code point to its folded form.

Kernels and Python code read ``data/folding.npz``, shipped so that every Python version folds alike;
``python -m dedup.text.folding`` builds it from the Unicode database.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from ..kernels.text.tokens import FoldTable

# Rules of the level *canonical*, which unifies the ways to type one text:
#
# - compatibility forms (NFKC): presentation forms, ligatures (ﻻ -> لا, ﷲ -> الله), full width, case
# - vowel marks, Quranic marks, tatweel, bidi controls, joiners and soft hyphens are dropped
# - U+0653..0655 after ا و ي compose to آ أ إ ؤ ئ before marks are dropped
# - letters typed on Persian, Urdu or Kurdish keyboards:
#   ی ے -> ي, ک ڪ -> ك, ہ ھ ە ۀ -> ه, ۃ -> ة, ٱ -> ا
# - house styles: أ إ آ -> ا, final ى -> ي, ة -> ه
# - every decimal digit -> 0..9; ٪ -> %; ٫ -> decimal point; ٬ and , in groups of three are dropped
# - accents of Latin, Greek, Cyrillic and Hebrew are dropped; other marks (Indic, Thai) are vowels
#   and stay
# - each Han or kana character is a token; anything else that is no letter or digit separates tokens
#
# The level *shingle* adds the seats of hamza, ؤ ئ -> ء (مسؤول and مسئول are one). The level *stem*
# adds پ -> ب, چ -> ج, ژ -> ز, گ ڭ -> ك, ڤ -> ف, ڨ -> ق, and the light stem of ``stemming.py``.
LEVELS = ("canonical", "shingle", "stem")

# Kinds of entries, in the top byte; the low 24 bits are a code point or a place in `expansions`.
SEPARATOR, LETTER, DIGIT, DROP, EXPAND, SINGLE, COMPOSE, SIGN, DECIMAL, GROUP = range(10)

ALEF, WAW, YEH, HEH, KAF, TEH_MARBUTA = 0x0627, 0x0648, 0x064A, 0x0647, 0x0643, 0x0629
ALEF_MADDA, ALEF_HAMZA, WAW_HAMZA, ALEF_HAMZA_BELOW, YEH_HAMZA = 0x0622, 0x0623, 0x0624, 0x0625, 0x0626
HAMZA, ALEF_MAKSURA, TATWEEL = 0x0621, 0x0649, 0x0640
MADDA_ABOVE, HAMZA_ABOVE, HAMZA_BELOW = 0x0653, 0x0654, 0x0655
ARABIC_BLOCK = 0x0600

_COMPOSED = {ALEF_MADDA, ALEF_HAMZA, WAW_HAMZA, ALEF_HAMZA_BELOW, YEH_HAMZA}
_KEYBOARD = {
    0x06CC: YEH, 0x06D2: YEH, 0x06D3: YEH,  # ی ے ۓ
    0x06A9: KAF, 0x06AA: KAF, 0x06AC: KAF,  # ک ڪ ڬ
    0x06C1: HEH, 0x06BE: HEH, 0x06D5: HEH, 0x06C0: HEH, 0x06C2: HEH,  # ہ ھ ە ۀ ۂ
    0x06C3: TEH_MARBUTA, 0x0671: ALEF,  # ۃ ٱ
}  # fmt: skip
_CANONICAL = {ALEF_HAMZA: ALEF, ALEF_HAMZA_BELOW: ALEF, ALEF_MADDA: ALEF, ALEF_MAKSURA: YEH, TEH_MARBUTA: HEH}
_SHINGLE = {WAW_HAMZA: HAMZA, YEH_HAMZA: HAMZA}
_STEM = {0x067E: 0x0628, 0x0686: 0x062C, 0x0698: 0x0632, 0x06AF: KAF, 0x06AD: KAF, 0x06A4: 0x0641, 0x06A8: 0x0642}

# Isolated vowel signs: NFKC would turn them into SPACE + mark and split a word.
_ISOLATED_MARKS = {0xFE70, 0xFE72, 0xFE74, 0xFE76, 0xFE78, 0xFE7A, 0xFE7C, 0xFE7E, *range(0xFC5E, 0xFC64)}
_PHRASES = {0xFDFC: "ريال", 0xFDFD: "بسم الله الرحمن الرحيم"}
_INVISIBLE = {
    0x00AD, 0x034F, 0x061C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F),
    *range(0x2060, 0x2070), 0x3164, *range(0xFE00, 0xFE10), 0xFEFF, 0xFFA0, *range(0xE0000, 0xE1000),
}  # fmt: skip
_DROPPED_MARKS = (
    (0x0300, 0x036F), (0x0483, 0x0489), (0x0591, 0x05C7), (0x0610, 0x061A), (0x064B, 0x065F), (0x0670, 0x0670),
    (0x06D6, 0x06ED), (0x0711, 0x0711), (0x0730, 0x074A), (0x07A6, 0x07B0), (0x0897, 0x089F), (0x08CA, 0x08FF),
    (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0x3099, 0x309A), (0xFE20, 0xFE2F),
)  # fmt: skip
_ONE_TOKEN_EACH = ((0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3041, 0x30FF), (0x31F0, 0x31FF), (0x3400, 0x4DBF),
                   (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x1AFF0, 0x1B16F), (0x20000, 0x3FFFF))  # fmt: skip

_SIGNS = {ord("%"): SIGN, ord("."): DECIMAL, 0x066B: DECIMAL, ord(","): GROUP, 0x066C: GROUP}
_LAST_UNICODE = 0x110000


END_OF_EXPANSION = 0xFFFFFFFF


@cache
def fold_table() -> FoldTable:
    """The shipped table."""
    with resources.files("dedup.data").joinpath("folding.npz").open("rb") as file, np.load(file) as arrays:
        return FoldTable(arrays["blocks"], arrays["entries"], arrays["expansions"], arrays["refine"])


def build_table() -> FoldTable:
    """Build the table from the rules and this Python's Unicode database."""
    expansions: list[int] = []
    rows: dict[bytes, int] = {}
    blocks = np.zeros(_LAST_UNICODE >> 8, np.uint16)
    entries: list[npt.NDArray[np.uint32]] = []
    for block in range(_LAST_UNICODE >> 8):
        row = np.array([_entry(code, expansions) for code in range(block << 8, (block + 1) << 8)], np.uint32)
        key = row.tobytes()
        if key not in rows:
            rows[key] = len(entries)
            entries.append(row)
        blocks[block] = rows[key]
    refine = np.tile(np.arange(ARABIC_BLOCK, ARABIC_BLOCK + 256, dtype=np.uint32), (len(LEVELS), 1))
    for least, letters in enumerate((_CANONICAL, _SHINGLE, _STEM)):
        for source, target in letters.items():
            refine[least:, source - ARABIC_BLOCK] = target
    return FoldTable(blocks, np.stack(entries), np.array(expansions, np.uint32), refine)


def _entry(code: int, expansions: list[int]) -> int:
    if code in (MADDA_ABOVE, HAMZA_ABOVE, HAMZA_BELOW):
        return COMPOSE << 24 | code
    parts = _parts(code)
    if not parts:
        return DROP << 24
    if len(parts) == 1:
        return parts[0]
    place = len(expansions)
    expansions.extend([*parts, END_OF_EXPANSION])
    return EXPAND << 24 | place


def _parts(code: int) -> list[int]:
    """The entries of one code point."""
    if 0xD800 <= code < 0xE000:
        return [SEPARATOR << 24]
    if code in _ISOLATED_MARKS or code in _INVISIBLE or code == TATWEEL:
        return []
    text = _PHRASES.get(code) or chr(code)
    for _ in range(3):  # case folding and NFKC affect each other; three rounds reach a fixed point for all of Unicode
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    parts: list[int] = []
    for letter in text:
        parts.extend(_letter(ord(letter)))
    return [part for part in parts if part >> 24 != DROP]


def _letter(code: int) -> list[int]:
    if code in _SIGNS:
        return [_SIGNS[code] << 24 | (ord(".") if _SIGNS[code] == DECIMAL else code)]
    if code == 0x066A:
        return [SIGN << 24 | ord("%")]
    if code in _KEYBOARD:
        return [LETTER << 24 | _KEYBOARD[code]]
    if code in _COMPOSED:
        return [LETTER << 24 | code]
    if code in _INVISIBLE or code == TATWEEL:
        return []
    decomposed = unicodedata.normalize("NFD", chr(code))
    if len(decomposed) > 1:
        return [part for letter in decomposed for part in _letter(ord(letter))]
    category = unicodedata.category(chr(code))
    if category == "Nd":
        return [DIGIT << 24 | ord("0") + unicodedata.digit(chr(code))]
    if category[0] == "M":
        return [DROP << 24] if _within(code, _DROPPED_MARKS) else [LETTER << 24 | code]
    if category[0] in "LN":
        return [(SINGLE if _within(code, _ONE_TOKEN_EACH) else LETTER) << 24 | code]
    return [SEPARATOR << 24]


def _within(code: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= code <= last for first, last in ranges)


def _write_table() -> None:
    table = build_table()
    path = resources.files("dedup.data").joinpath("folding.npz")
    with resources.as_file(path) as target:
        np.savez_compressed(target, blocks=table.blocks, entries=table.entries, expansions=table.expansions, refine=table.refine)


if __name__ == "__main__":
    _write_table()
