"""How editors reword: names, verbs of speech, synonyms, honorifics, days, numbers in words.

Every edit is a pure function ``(text, strength, rng) -> text`` that keeps the number of lines.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence

from . import lexicon
from .spelling import LETTERS, MARKS, SHARES

_WORD = re.compile(f"[{LETTERS}ڤپ{MARKS}]{{2,}}")
_PROCLITICS = "وفبلك"
_PERCENT = re.compile(r"(?:٪|%|في المئة|في المائة|بالمئة|بالمائة)")
_PERCENTS = ("%", "في المائة", "بالمئة", "٪", "في المئة")
_DIGIT = re.compile(r"(?<![\d.,٫٬/:-])(3|4|5|6|7|8|9|10)(?= [ء-ي])")
_TWO_DIGITS = re.compile(r"(?<![\d.,٫٬/:-])[2-9](\d)(?= [ء-ي])")
_UNITS = ("", "واحد و", "اثنين و", *(f"{word} و" for word in lexicon.NUMBERS[:-1]))
_ROUND = re.compile(r"(?<![\d.,٫٬/:-])(\d{1,3}(?=[.,]000|000000)|\d{2,3}(?=000))([.,]000[.,]000|[.,]000|000000|000)(?![\d.,٫٬/:-])")
_WORDED = re.compile(f"(?<![{LETTERS}])({'|'.join(lexicon.NUMBERS)})(?= [{LETTERS}])")
_VALUE = dict(zip(lexicon.NUMBERS, range(3, 11), strict=True))
_TODAY = re.compile(f"(?<![{LETTERS}])(اليوم|أمس)(?![{LETTERS}])")
_MONTH = re.compile(f"(?<![{LETTERS}/])({'|'.join(lexicon.GREGORIAN)})(?![{LETTERS}]| [(]|/)")
_YEAR = re.compile(r"(?<![\d.,/-])(14\d\d|20\d\d)(?![\d.,/-]|هـ|م| هـ)")
_INSERTED = ("قد", "كافة", "اليوم", "وذلك", "أيضا", "كذلك", "حاليا", "أمس")
_PART = re.compile("، [^،.\n]{8,90}(?=[،.])")


def word_swaps(rows: Sequence[Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """For each word of a row the other words of its row; spelled without hamza too."""
    table: dict[str, tuple[str, ...]] = {}
    for row in rows:
        for word in row:
            if " " not in word:
                others = tuple(other for other in row if other != word)
                table.setdefault(word, others)
                table.setdefault(word.replace("أ", "ا").replace("إ", "ا").replace("آ", "ا"), others)
    return table


def swap_words(text: str, table: Mapping[str, tuple[str, ...]], pick: Callable[[tuple[str, ...]], str | None]) -> str:
    """Replace words of a table, also after one of و ف ب ل ك; a word stays where ``pick`` returns None."""

    def swapped(match: re.Match[str]) -> str:
        word = match[0]
        others = table.get(word)
        clitic = ""
        if others is None:
            if word[0] not in _PROCLITICS or (others := table.get(word[1:])) is None:
                return word
            clitic = word[0]
        other = pick(others)
        return word if other is None else clitic + other

    return _WORD.sub(swapped, text)


_NAMES, _VERBS, _SYNONYMS = word_swaps(lexicon.NAMES), word_swaps(lexicon.VERBS), word_swaps(lexicon.SYNONYMS)


def _sometimes(share: float, rng: random.Random) -> Callable[[tuple[str, ...]], str | None]:
    return lambda others: rng.choice(others) if rng.random() < share else None


def names(text: str, strength: str, rng: random.Random) -> str:
    """Foreign names in another transliteration, the same one all through the text: «غوتيريش» -> «جوتيريش»."""
    chosen: dict[tuple[str, ...], str | None] = {}
    pick = _sometimes(SHARES[strength], rng)

    def same(others: tuple[str, ...]) -> str | None:
        if others not in chosen:
            chosen[others] = pick(others)
        return chosen[others]

    return swap_words(text, _NAMES, same)


def verbs(text: str, strength: str, rng: random.Random) -> str:
    """Another verb of speech: «وأضاف» -> «وتابع»."""
    return swap_words(text, _VERBS, _sometimes(SHARES[strength], rng))


def synonyms(text: str, strength: str, rng: random.Random) -> str:
    """Near synonyms and connectives: «كافة» -> «جميع», «أن» -> «بأن»."""
    return swap_words(text, _SYNONYMS, _sometimes({"light": 0.1, "medium": 0.35, "heavy": 0.8}[strength], rng))


def honorifics(text: str, strength: str, rng: random.Random) -> str:
    """Titles dropped: «صاحب السمو الملكي الأمير» -> «الأمير»; light shortens, «الدكتور» -> «د.», and drops formulas of piety."""
    if strength == "light":
        for title, short in lexicon.ABBREVIATED:
            text = text.replace(title, short)
    dropped = {"light": lexicon.HONORIFICS[-7:], "medium": lexicon.HONORIFICS[6:], "heavy": lexicon.HONORIFICS}[strength]
    for phrase in dropped:
        text = text.replace(phrase, "")
    return text


def days(text: str, strength: str, rng: random.Random) -> str:
    """Time words: «اليوم» -> «أمس» or «الخميس»; medium doubles months, «يوليو (تموز)»; heavy marks years too, «1436هـ»."""
    today = rng.choice(("أمس", "أول من أمس", *(f"يوم {day}" for day in lexicon.WEEKDAYS)))
    text = _TODAY.sub(lambda match: today if match[0] == "اليوم" else "أول من أمس", text)
    if strength == "light":
        return text
    form = rng.choice(("{0} ({1})", "{1}/{0}", "{1} ({0})"))
    other = dict(zip(lexicon.GREGORIAN, lexicon.LEVANTINE, strict=True))
    text = _MONTH.sub(lambda match: form.format(match[0], other[match[0]]), text)
    return text if strength == "medium" else _YEAR.sub(lambda match: match[0] + ("هـ" if match[0][:2] == "14" else "م"), text)


def plain_numbers(text: str, strength: str, rng: random.Random) -> str:
    """The same numbers in other words.

    Light «5%» -> «5 في المائة»; medium also «5 أشخاص» -> «خمسة أشخاص» and «150000» -> «150 ألف»; heavy instead of the
    former «35» -> «خمسة وثلاثين» and, the other way, «سبعة» -> «7».
    """
    percent = rng.choice(_PERCENTS)
    text = _PERCENT.sub(lambda _: percent if percent in "%٪" else f" {percent}", text).replace("  ", " ")
    if strength == "light":
        return text
    if strength == "heavy":
        text = _WORDED.sub(lambda match: str(_VALUE[match[0]]), text)
        text = _TWO_DIGITS.sub(lambda match: f"{_UNITS[int(match[1])]}{lexicon.TENS[int(match[0][0]) - 2]}", text)
    else:
        text = _DIGIT.sub(lambda match: lexicon.NUMBERS[int(match[0]) - 3], text)
    return _ROUND.sub(lambda match: match[1] + (" مليون" if len(match[2]) > 4 else " ألف"), text)


def small_words(text: str, strength: str, rng: random.Random) -> str:
    """Single words dropped or inserted: «قد», «كافة», «وذلك», one in 80, 30 or 12."""
    rate = {"light": 80, "medium": 30, "heavy": 12}[strength]
    lines = []
    for line in text.split("\n"):
        words: list[str] = []
        for word in line.split(" "):
            if rng.random() * rate < 1:
                if rng.random() < 0.5:
                    words.append(rng.choice(_INSERTED))
                else:
                    continue
            words.append(word)
        lines.append(" ".join(words))
    return "\n".join(lines)


def asides(text: str, strength: str, rng: random.Random) -> str:
    """Drop parts of sentences between commas: «، وذلك في قصر السلام بجدة،»."""
    share = {"light": 0.08, "medium": 0.2, "heavy": 0.45}[strength]
    return _PART.sub(lambda match: "" if rng.random() < share else match[0], text)
