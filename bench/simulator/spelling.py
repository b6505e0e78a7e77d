"""How outlets type: hamza, ya, ta marbuta, vowels, tatweel, digits, quotation marks, punctuation.

Every edit is a pure function ``(text, strength, rng) -> text`` that keeps words, their order and the number of lines.
All but those in ``UNFOLDED`` leave ``dedup.normalize(text, level="shingle")`` unchanged; tests check this.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

#: Share of the possible places that an edit changes.
SHARES = {"light": 0.3, "medium": 0.7, "heavy": 1.0}

LETTERS = "ء-غف-ي"
MARKS = "ً-ْٰ"

_HAMZA = str.maketrans("أإآ", "ااا")
_HAMZA_WORD = re.compile(f"[{LETTERS}]*[أإآ][{LETTERS}{MARKS}]*")
_FINAL_YEH = re.compile(f"ي(?![{LETTERS}{MARKS}])")
_FINAL_TEH = re.compile(f"ة(?![{LETTERS}{MARKS}])")
_VOWELLED = re.compile(f"(?<=[{LETTERS}])([بتجدرسعفقلمن])(?=[{LETTERS}])")
_FINAL_ALEF = re.compile(f"(?<=[بتدرسعفقلمن])ا(?![{LETTERS}{MARKS}])")
_STRETCHED = re.compile(f"([بتجسشصطعفقكلمنهي])(?=[{LETTERS}])")
_DIGITS = re.compile("[0-9]+")
_EASTERN_RUN = re.compile("[٠-٩]+")
_EASTERN = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
_WESTERN = str.maketrans("٠١٢٣٤٥٦٧٨٩", "0123456789")
_LONG_NUMBER = re.compile(r"(?<![\d.,٫٬/:-])([1-9]\d{3,8})(?![\d.,٫٬/:-])")
_GROUPED = re.compile(r"(?<![\d.,٫٬])(\d{1,3}(?:,\d{3})+)(?![\d,٫٬])")
_DECIMAL = re.compile(r"(?<![\d.,٫٬/:-])(\d{1,4})\.(\d{1,2})(?![\d.,٫٬/:-])")
_ABD_APART = re.compile(f"(?<![{LETTERS}])عبد (ال[{LETTERS}]{{3,}})")
_ABD_JOINED = re.compile(f"(?<![{LETTERS}])عبد(ال[{LETTERS}]{{3,}})")
_TOGETHER = (("ما زال", "مازال"), ("لا سيما", "لاسيما"), ("في ما", "فيما"), ("إن شاء الله", "إنشاء الله"), ("ان شاء الله", "انشاء الله"))
_AND = re.compile(f"(?<![{LETTERS}])و(?:ال|أ|ت|ي)[{LETTERS}]{{3,}}")
_LONG_WORD = re.compile(f"[{LETTERS}]{{5,}}")
_TWO_WORDS = re.compile(f"ال[{LETTERS}]{{3,}} ال[{LETTERS}]{{3,}}|[{LETTERS}]{{4,}} ال[{LETTERS}]{{3,}}")
_QUOTED = re.compile('[«»“”„"]')
_KEYBOARD = str.maketrans("يك", "یک")
_SEATS = (("سؤول", "سئول"), ("شؤون", "شئون"), ("رؤوس", "رءوس"), ("هيئة", "هيأة"), ("مائة", "مئة"), ("ؤول", "ئول"))
_FINAL_SEAT = re.compile(f"ئ(?![{LETTERS}{MARKS}])")

#: Edits, by name and strength, that folding does not undo.
UNFOLDED = frozenset(
    [
        ("seats", "heavy"),
        ("grouping", "heavy"),
        *((name, s) for name in ("decimals", "joined") for s in SHARES if (name, s) != ("decimals", "light")),
    ]
)
QUOTES = {"light": ('"', '"'), "medium": ("«", "»"), "heavy": ("“", "”")}


def _some(pattern: re.Pattern[str], change: Callable[[str], str], text: str, share: float, rng: random.Random) -> str:
    """The text with a share of the pattern's matches changed."""
    if share >= 1:
        return pattern.sub(lambda match: change(match[0]), text)
    draw = rng.random
    return pattern.sub(lambda match: change(match[0]) if draw() < share else match[0], text)


def hamza(text: str, strength: str, rng: random.Random) -> str:
    """أ إ آ lose their hamza: «أعلن» -> «اعلن», «إلى» -> «الى»."""
    if strength == "heavy":
        return text.replace("أ", "ا").replace("إ", "ا").replace("آ", "ا")
    return _some(_HAMZA_WORD, lambda word: word.translate(_HAMZA), text, SHARES[strength], rng)


def final_ya(text: str, strength: str, rng: random.Random) -> str:
    """The Egyptian habit: a final ي is written ى: «في» -> «فى»."""
    return _some(_FINAL_YEH, lambda _: "ى", text, SHARES[strength], rng)


def ta_marbuta(text: str, strength: str, rng: random.Random) -> str:
    """A final ة loses its dots: «برتبة» -> «برتبه»."""
    return _some(_FINAL_TEH, lambda _: "ه", text, SHARES[strength], rng)


def seats(text: str, strength: str, rng: random.Random) -> str:
    """Seats of hamza: «مسؤول» -> «مسئول»; heavy also «الطوارئ» -> «الطواريء», «هيئة» -> «هيأة», «مائة» -> «مئة», which no fold undoes."""
    for usual, other in _SEATS if strength == "heavy" else _SEATS[:2]:
        text = text.replace(usual, other)
    return _some(_FINAL_SEAT, lambda _: "يء", text, 1.0, rng) if strength == "heavy" else text


def vowels(text: str, strength: str, rng: random.Random) -> str:
    """Vowel marks: tanwin alone («سابقا» -> «سابقاً»), some shaddas and vowels, or most of them."""
    text = _some(_FINAL_ALEF, lambda _: "اً" if strength == "light" else "ًا", text, SHARES[strength], rng)
    if strength == "light":
        return text
    marks = "َُِّْ"
    return _some(_VOWELLED, lambda letter: letter + rng.choice(marks), text, 0.15 if strength == "medium" else 0.7, rng)


def tatweel(text: str, strength: str, rng: random.Random) -> str:
    """Letters are stretched: «عاجل» -> «عـاجل»."""
    return _some(_STRETCHED, lambda letter: letter + "ـ", text, {"light": 0.01, "medium": 0.05, "heavy": 0.3}[strength], rng)


def digits(text: str, strength: str, rng: random.Random) -> str:
    """2015 -> ٢٠١٥ and, where a text is written so, the other way round."""
    if _EASTERN_RUN.search(text):
        return _some(_EASTERN_RUN, lambda run: run.translate(_WESTERN), text, SHARES[strength], rng)
    return _some(_DIGITS, lambda run: run.translate(_EASTERN), text, SHARES[strength], rng)


def grouping(text: str, strength: str, rng: random.Random) -> str:
    """Thousands: 15000 -> 15,000, medium ١٥٬٠٠٠, heavy 15 000, which no fold undoes; 15,000 -> 15000. Years stay."""

    def group(run: str) -> str:
        if len(run) == 4 and run[:2] in ("14", "19", "20"):
            return run
        grouped = f"{int(run):,}"
        return (
            grouped.translate(_EASTERN).replace(",", "٬")
            if strength == "medium"
            else grouped.replace(",", "," if strength == "light" else " ")
        )

    if strength == "heavy":
        return _some(_LONG_NUMBER, group, _some(_GROUPED, lambda run: run.replace(",", " "), text, 1.0, rng), 1.0, rng)
    marked = _some(_GROUPED, lambda run: run.replace(",", ""), text, 1.0, rng)
    return marked if marked != text else _some(_LONG_NUMBER, group, text, 1.0, rng)


def decimals(text: str, strength: str, rng: random.Random) -> str:
    """Decimal points: 64.5 -> 64٫5; medium 64,5 or 64ر5; heavy the parts turned round, 5ر64 or 5.64 with a mark of direction."""
    forms = {"light": ("{0}٫{1}",), "medium": ("{0},{1}", "{0}ر{1}"), "heavy": ("{1}ر{0}", "{1}.\u200f{0}")}
    form = rng.choice(forms[strength])
    return _DECIMAL.sub(lambda match: form.format(match[1], match[2]), text)


def joined(text: str, strength: str, rng: random.Random) -> str:
    """Blanks within names: «عبد العزيز» -> «عبدالعزيز» or the other way; medium also «ما زال» -> «مازال»; heavy sets «و» apart."""
    text = _ABD_APART.sub(r"عبد\1", text) if _ABD_APART.search(text) else _ABD_JOINED.sub(r"عبد \1", text)
    if strength != "light":
        for apart, together in _TOGETHER:
            text = text.replace(apart, together)
    return _some(_AND, lambda word: f"{word[0]} {word[1:]}", text, 0.3, rng) if strength == "heavy" else text


def hashtags(text: str, strength: str, rng: random.Random) -> str:
    """Words with #, as sites link them; from medium on two words as one tag: «مجلس الأمن» -> «#مجلس_الأمن»."""
    rate = {"light": 0.02, "medium": 0.03, "heavy": 0.08}[strength]
    pattern = _LONG_WORD if strength == "light" else _TWO_WORDS
    return _some(pattern, lambda words: "#" + words.replace(" ", "_"), text, rate, rng)


def quotes(text: str, strength: str, rng: random.Random) -> str:
    """All quotation marks become "these", «these» or “these”, by strength."""
    opening, closing = QUOTES[strength]
    inside = False

    def turn(mark: str) -> str:
        nonlocal inside
        inside = mark in "«“„" or (mark == '"' and not inside)
        return opening if inside else closing

    return _QUOTED.sub(lambda match: turn(match[0]), text)


def punctuation(text: str, strength: str, rng: random.Random) -> str:
    """Commas and dashes: Latin for Arabic ones; medium with blanks before them; heavy without commas."""
    text = text.replace("؛", ";").replace("–", "-").replace("؟", "?")
    if strength == "light":
        return text.replace("، ", ", ")
    return text.replace("، ", " ، ").replace(" - ", " – ") if strength == "medium" else text.replace("، ", " ").replace("..", ".")


def keyboard(text: str, strength: str, rng: random.Random) -> str:
    """Letters of a Persian keyboard: ي ك -> ی ک, of single words (as pasted names are) or of all."""
    if strength == "heavy":
        return text.translate(_KEYBOARD)
    words = re.compile(f"[{LETTERS}]*[يك][{LETTERS}]*")
    return _some(words, lambda word: word.translate(_KEYBOARD), text, SHARES[strength], rng)
