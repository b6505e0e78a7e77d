"""One string to its folded text or tokens, in plain Python: for single texts, display and tests.

Corpora go through ``kernels/text/tokens.py``. Both read the same table and give the same tokens.
"""

from __future__ import annotations

from functools import cache

from ..errors import ConfigError
from . import folding
from .folding import COMPOSE, DECIMAL, DIGIT, DROP, EXPAND, GROUP, LEVELS, SEPARATOR, SIGN, SINGLE, fold_table
from .stemming import light_stem

_COMPOSITIONS = {
    (folding.ALEF, folding.MADDA_ABOVE): folding.ALEF_MADDA,
    (folding.ALEF, folding.HAMZA_ABOVE): folding.ALEF_HAMZA,
    (folding.ALEF, folding.HAMZA_BELOW): folding.ALEF_HAMZA_BELOW,
    (folding.WAW, folding.HAMZA_ABOVE): folding.WAW_HAMZA,
    (folding.YEH, folding.HAMZA_ABOVE): folding.YEH_HAMZA,
}


def normalize(text: str, level: str = "canonical") -> str:
    """Fold a text: its tokens at ``level``, joined by single spaces.

    Parameters
    ----------
    text : any string; lone surrogates separate tokens
    level : ``canonical`` unifies the ways to type one text; ``shingle`` also unifies the seats of
        hamza (copies are compared at this level); ``stem`` also reduces words to light stems
        (headlines and stories are compared at this level). The rules are in
        ``dedup/text/folding.py``.

    Raises
    ------
    ConfigError
        If ``level`` is none of the three.

    Examples
    --------
    >>> normalize("قَالَ الرئيسُ: ١٬٥٠٠ دولار")
    'قال الرئيس 1500 دولار'
    >>> normalize("مسئول في القاهرة", level="shingle")
    'مسءول في القاهره'
    """
    return " ".join(tokenize(text, level))


def tokenize(text: str, level: str = "canonical") -> list[str]:
    """The tokens of a text at ``level``; see ``normalize``."""
    if level not in LEVELS:
        raise ConfigError(f"unknown level of folding: {level!r}. Choose one of: {', '.join(LEVELS)}.")
    folded = [token.translate(_refinement(level)) for token in written_tokens(text)]
    return [light_stem(token) for token in folded] if level == "stem" else folded


@cache
def _refinement(level: str) -> dict[int, int]:
    """The letters that ``level`` maps to others."""
    codes = fold_table().refine[LEVELS.index(level)].tolist()
    return {folding.ARABIC_BLOCK + i: code for i, code in enumerate(codes) if code != folding.ARABIC_BLOCK + i}


def written_tokens(text: str) -> list[str]:
    """The tokens of a text before any level.

    Without vowel marks, but with hamza and ta marbuta as written.
    """
    tokens: list[str] = []
    letters: list[int] = []
    kind_now = SEPARATOR
    entries = _entries(text)
    at = 0
    while at < len(entries):
        kind, letter, raw = entries[at]
        if kind == COMPOSE:
            at += 1
            continue
        if kind in (DECIMAL, GROUP):
            kind = SEPARATOR
        if letters and (kind != kind_now or kind in (SINGLE, SIGN)):
            tokens.append("".join(map(chr, letters)))
            letters = []
        kind_now = kind
        if kind == DIGIT:
            number, at = _number(entries, at)
            tokens.append(number)
            kind_now = SEPARATOR
            continue
        if kind != SEPARATOR:
            letters.append(letter)
            letters[-1], at = _compose(entries, at, raw)
        at += 1
    if letters:
        tokens.append("".join(map(chr, letters)))
    return tokens


def _entries(text: str) -> list[tuple[int, int, int]]:
    """(kind, folded letter, raw code point or 0 in an expansion) of each character not dropped."""
    table = fold_table()
    entries: list[tuple[int, int, int]] = []
    for character in text:
        code = ord(character)
        entry = int(table.entries[table.blocks[code >> 8], code & 255])
        kind, value = entry >> 24, entry & 0xFFFFFF
        if kind == EXPAND:
            while (part := int(table.expansions[value])) != folding.END_OF_EXPANSION:
                kind = part >> 24
                entries.append((SEPARATOR if kind in (DECIMAL, GROUP) else kind, part & 0xFFFFFF, 0))
                value += 1
        elif kind != DROP:
            entries.append((kind, value, code))
    return entries


def _compose(entries: list[tuple[int, int, int]], at: int, raw: int) -> tuple[int, int]:
    """The letter at ``at`` composed with the marks after it, and the place of the last of them."""
    letter = entries[at][1]
    while at + 1 < len(entries) and entries[at + 1][0] == COMPOSE:
        if raw in (folding.ALEF, folding.WAW, folding.YEH):
            composed = _COMPOSITIONS.get((letter, entries[at + 1][1]), letter)
            raw = raw if composed == letter else 0
            letter = composed
        at += 1
    return letter, at


def _number(entries: list[tuple[int, int, int]], at: int) -> tuple[str, int]:
    """Read digits (,digits digits digits)* (.digits)*; return the number and the place after it."""
    digits, at = _digits(entries, at)
    run, decimals = len(digits), False
    while at < len(entries) and entries[at][0] in (DECIMAL, GROUP):
        more, end = _digits(entries, at + 1)
        if entries[at][0] == DECIMAL and more:
            decimals = True
            digits += "." + more
        elif entries[at][0] == GROUP and not decimals and 1 <= run <= 3 and len(more) == 3:
            digits += more
        else:
            break
        run, at = len(more), end
    return digits, at


def _digits(entries: list[tuple[int, int, int]], at: int) -> tuple[str, int]:
    digits = ""
    while at < len(entries) and entries[at][0] in (DIGIT, COMPOSE):
        if entries[at][0] == DIGIT:
            digits += chr(entries[at][1])
        at += 1
    return digits, at
