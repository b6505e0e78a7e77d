"""A template filled in again: the same words, other numbers, days, places and names. Never a copy, however much is shared.

The edit replaces word for word and keeps the order. The number of replaced words decides what the text is
(``truth.py``): two or three new numbers in a long report are an update, not another filling of a template.
"""

from __future__ import annotations

import random
import re

from . import lexicon
from .wording import swap_words, word_swaps

_NUMBER = re.compile(r"[0-9]+|[٠-٩]+")
_ROWS = {
    "light": (lexicon.WEEKDAYS,),
    "medium": (lexicon.WEEKDAYS, lexicon.GREGORIAN, lexicon.HIJRI, lexicon.PLACES, lexicon.COUNTRIES, lexicon.NUMBERS, lexicon.NUMBERS_F),
    "heavy": (
        lexicon.WEEKDAYS, lexicon.GREGORIAN, lexicon.HIJRI, lexicon.PLACES, lexicon.COUNTRIES, lexicon.NUMBERS, lexicon.NUMBERS_F,
        lexicon.ORDINALS, lexicon.ORDINALS_F, lexicon.TENS, lexicon.DIRECTIONS, lexicon.FIRST_NAMES, lexicon.FAMILY_NAMES,
    ),
}  # fmt: skip
_SWAPS = {strength: word_swaps(rows) for strength, rows in _ROWS.items()}
_ZEROS = {"0": "0123456789", "٠": "٠١٢٣٤٥٦٧٨٩"}


def facts(text: str, strength: str, rng: random.Random) -> str:
    """Fill in again: light numbers and weekdays, medium also months, places and small numbers, heavy also names and ordinals.

    A number becomes one of as many digits, and a repeated fact is replaced alike, as in a real template.
    """
    numbers: dict[str, str] = {}
    words: dict[tuple[str, ...], str] = {}

    def number(match: re.Match[str]) -> str:
        old = match[0]
        if old not in numbers:
            numbers[old] = _other_number(old, rng)
        return numbers[old]

    def word(others: tuple[str, ...]) -> str:
        if others not in words:
            words[others] = rng.choice([other for other in others if " " not in other])
        return words[others]

    return swap_words(_NUMBER.sub(number, text), _SWAPS[strength], word)


def replaced(before: str, after: str) -> int:
    """Number of words that differ, place by place, between a text and the same template filled in again."""
    return sum(old != new for old, new in zip(before.split(), after.split(), strict=True))


def _other_number(old: str, rng: random.Random) -> str:
    digits = _ZEROS["0" if old[0] in _ZEROS["0"] else "٠"]
    year = len(old) == 4 and digits.index(old[0]) in (1, 2) and digits.index(old[1]) in (0, 4, 9)
    fixed = 3 if year else 0  # another filling of a template is from the same years
    while True:
        first = "" if fixed else rng.choice(digits[1:])
        new = old[:fixed] + first + "".join(rng.choice(digits) for _ in range(len(old) - fixed - len(first)))
        if new != old:
            return new
