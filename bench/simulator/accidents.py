"""Damage to texts in transit: invisible characters, odd blanks, presentation forms, typing errors."""

from __future__ import annotations

import random
import re

from .spelling import LETTERS

ZERO_WIDTH = ("\u200b", "\u200c", "\u200d", "\ufeff", "\u00ad")
BIDI = ("\u200e", "\u200f", "\u202b", "\u202c", "\u061c")
_INSIDE = re.compile(f"(?<=[{LETTERS}])(?=[{LETTERS}])")
_BEFORE_WORD = re.compile(f"(?<![{LETTERS}])(?=[{LETTERS}])")
_BLANK = re.compile(" ")
_WORD = re.compile(f"[{LETTERS}]{{4,}}")
#: Lam-alef and the forms that old converters leave.
_SHAPED = (("لا", "\ufefb"), ("لأ", "\ufef7"), ("لإ", "\ufef9"), ("لآ", "\ufef5"))
_FINAL_MEEM = re.compile(f"م(?![{LETTERS}])")

_RATES = {"light": 0.005, "medium": 0.03, "heavy": 0.15}
#: Errors per word: a careful editor, a hasty one, a bad scan.
_SLIPS = {"light": 0.004, "medium": 0.015, "heavy": 0.05}


def zero_width(text: str, strength: str, rng: random.Random) -> str:
    """Joiners, soft hyphens and byte order marks inside of words."""
    rate = _RATES[strength]
    return _INSIDE.sub(lambda _: rng.choice(ZERO_WIDTH) if rng.random() < rate else "", text)


def bidi_marks(text: str, strength: str, rng: random.Random) -> str:
    """Direction marks before words, numbers and quotations."""
    rate = 4 * _RATES[strength]
    return _BEFORE_WORD.sub(lambda _: rng.choice(BIDI) if rng.random() < rate else "", text)


def hard_blanks(text: str, strength: str, rng: random.Random) -> str:
    """No-break, thin and doubled blanks, tabs, and remains of broken blanks."""
    rate = 4 * _RATES[strength]
    blanks = ("\u00a0", "  ", "\u202f", "\t", " \u00a0", "\u2003")
    return _BLANK.sub(lambda _: rng.choice(blanks) if rng.random() < rate else " ", text)


def shaped(text: str, strength: str, rng: random.Random) -> str:
    """Presentation forms: the ligature ﻻ; medium with its hamza forms; heavy also a final ﻡ."""
    for letters, ligature in _SHAPED[:1] if strength == "light" else _SHAPED:
        text = text.replace(letters, ligature)
    return _FINAL_MEEM.sub("\ufee2", text) if strength == "heavy" else text


def typos(text: str, strength: str, rng: random.Random) -> str:
    """Letters swapped, lost or doubled, one per word."""
    rate = _SLIPS[strength]

    def slip(match: re.Match[str]) -> str:
        word = match[0]
        if rng.random() >= rate:
            return word
        at = rng.randrange(1, len(word) - 1)
        kind = rng.randrange(3)
        if kind == 0:
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        return word[:at] + word[at + 1 :] if kind == 1 else word[:at] + word[at] + word[at:]

    return _WORD.sub(slip, text)


def lost_blanks(text: str, strength: str, rng: random.Random) -> str:
    """Blanks lost between two words: «حفظهالله»."""
    rate = _SLIPS[strength]
    return _BLANK.sub(lambda _: "" if rng.random() < rate else " ", text)
