"""Bytes of unknown encoding -> text. The bytes decide; what a header or a tag says of them only breaks ties.

Declared encodings of Arabic pages are often wrong: a template says UTF-8 or ISO-8859-1, the text was pasted in
windows-1256. In order: a byte order mark; UTF-16 without one; UTF-8 if the bytes are (all but) valid; else the single-byte
encoding under which the words look most like words. A word of one script, of letters that are common in Arabic, or of Latin letters
with an accent here and there, speaks for an encoding; words of mixed scripts, control characters and unused bytes
speak against it. Where no reading looks like words, an encoding that was declared is believed if the bytes fit it, and else
the page is given up (``None``): what is read wrongly would be indexed as noise.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

#: Words that are looked at to choose among single-byte encodings: the first with foreign letters.
SAMPLE_WORDS = 200
#: A page of UTF-8 may have one damaged character in so many good ones (crawlers cut pages at a byte).
_GOOD_PER_DAMAGED = 25
#: A reading scores between -1 and 1 per foreign letter. Below this it is none: a few letters may be a name, sixty are not.
_LEAST_OF_FEW, _LEAST_OF_MANY, _MANY = 0.25, 0.62, 60
#: Two readings so close are a tie.
_TIE = 0.03
_CANDIDATES = ("windows-1256", "iso-8859-6", "windows-1252")
#: Letters of Arabic news by how often they stand in it (per thousand).
_LETTERS = {
    "ا": 151, "ل": 115, "ي": 77, "م": 65, "و": 55, "ن": 51, "ت": 46, "ر": 46, "ب": 34, "ع": 34, "ة": 32, "د": 31, "ف": 26, "ه": 24,
    "س": 24, "ق": 22, "أ": 21, "ك": 19, "ح": 18, "ج": 14, "ش": 10, "ط": 9, "ص": 9, "إ": 9, "ى": 8, "خ": 8, "ض": 7, "ز": 6, "ذ": 6,
    "ث": 6, "ئ": 4, "غ": 4, "ء": 3, "ظ": 2, "ؤ": 1, "آ": 1,
}  # fmt: skip
_MARKS = "ـًٌٍَُِّْ"
_NO_MARKS = dict.fromkeys(map(ord, _MARKS))
_ARABIC = frozenset(_LETTERS) | frozenset(_MARKS)
#: Letters that Persian and Urdu have besides; windows-1256 has most of them.
_PERSIAN = frozenset("پچژگکیےہھٹڈڑں")
_LAST_LATIN = "\u02ff"
_NOISE = re.compile("[\x80-\x9f\ufffd]")
_ACCENTED = frozenset("àâäçèéêëîïôöùûüáíóúñßœæÀÂÇÈÉÊËÎÏÔÙÛÜŒÖÄÁÍÓÚÑğışİĞŞąćęłńśźżĄĆĘŁŃŚŹŻčďěňřťůČĎĚŇŘŤŮăţșțőű")
_WORD = re.compile(r"[^\W\d_]+(?:[\u064b-\u0652]+[^\W\d_]*)*")
_FOREIGN_WORD = re.compile(rb"[A-Za-z]*[\x80-\xff][A-Za-z\x80-\xff]*")
_META = re.compile(
    rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:\-]{2,40})|<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([\w.:\-]{2,40})", re.I
)
_HEADER = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:\-]{2,40})", re.I)
_META_BYTES = 4096
#: Longer marks first: UTF-32 begins like UTF-16.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True)
class Decoded:
    """A text, the encoding that it was read as, and how many of its characters were damaged (now U+FFFD)."""

    text: str
    encoding: str
    damaged: int = 0


def decode(data: bytes, header: str | None = None) -> Decoded | None:
    """Read bytes as text.

    Parameters
    ----------
    data : the content of a file or page, decompressed
    header : an HTTP header ``Content-Type``, if there was one; HTML and XML declarations are found in the bytes

    Returns
    -------
    the text, without byte order mark; None if no encoding makes words of the bytes
    """
    for mark, name in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _read(data[len(mark) :], name)
    try:
        text = data.decode()  # most pages, hence first
        if "\0" not in text or not (wide := _wide(data)):
            return Decoded(text, "utf-8")
        return _read(data, wide)
    except UnicodeDecodeError as error:
        cut_off = error.reason == "unexpected end of data"
    if wide := _wide(data):
        return _read(data, wide)
    damaged = _read(data, "utf-8")
    good = len(damaged.text) - len(damaged.text.encode("ascii", "ignore")) - damaged.damaged
    if cut_off or damaged.damaged * _GOOD_PER_DAMAGED <= good:
        return damaged
    return _single_byte(data, _declared(data, header))


def _wide(data: bytes) -> str | None:
    """UTF-16 without a mark: every other byte is the high one of a Latin or Arabic letter."""
    head = data[: 4096 - len(data[:4096]) % 2]
    if len(head) < 4:
        return None
    pairs = len(head) // 2
    for name, high in (("utf-16-le", head[1::2]), ("utf-16-be", head[::2])):
        if high.count(0) + high.count(6) >= 0.9 * pairs:
            return name
    return None


def _read(data: bytes, encoding: str) -> Decoded:
    text = data.decode(encoding, "replace")
    own = data.count(b"\xef\xbf\xbd") if encoding == "utf-8" else 0
    return Decoded(text, encoding, max(0, text.count("\ufffd") - own))


def _single_byte(data: bytes, declared: tuple[str, ...]) -> Decoded | None:
    words = [found.group() for found in islice(_FOREIGN_WORD.finditer(data), SAMPLE_WORDS)]
    sample = b" ".join(words)
    many = min(1.0, sum(byte > 0x7F for byte in sample) / _MANY)
    least = _LEAST_OF_FEW + (_LEAST_OF_MANY - _LEAST_OF_FEW) * many
    scores = {name: likeness(sample.decode(name, "replace")) for name in _CANDIDATES}
    best = max(scores.values())
    if best < _LEAST_OF_MANY:
        for name in declared:
            if name != "utf-8" and likeness(sample.decode(name, "replace")) >= _LEAST_OF_FEW:
                return _read(data, name)
    if best < least:
        return None
    tied = [name for name in _CANDIDATES if scores[name] >= best - _TIE]
    return _read(data, next((name for name in declared if name in tied), tied[0]))


def likeness(text: str) -> float:
    """How much the words with foreign letters look like words: from -1 (noise) to 1, per such letter.

    Control characters and U+FFFD, which no word has, count as noise.
    """
    noise = len(_NOISE.findall(text))
    total, letters = -float(noise), noise
    for word in _WORD.findall(text):
        if not word.isascii():
            foreign = len(word) - len(word.encode("ascii", "ignore"))
            letters += foreign
            total += foreign * _word_likeness(word, foreign)
    return total / letters if letters else 0.5  # only quotation marks, dashes and the like


def _word_likeness(word: str, foreign: int) -> float:
    kinds = set(word)
    if kinds <= _ARABIC:
        # The average letter of a page stands 74 times in a thousand; a page of rare letters is another one read wrongly.
        marks = len(word) - len(word.translate(_NO_MARKS))
        common = sum([_LETTERS.get(sign, 0) for sign in word]) / ((len(word) - marks) or 1)
        article = 0.3 if word.startswith(("ال", "وال", "بال", "لل")) else 0.0
        return min(1.0, common / 60 + article) - 0.2 * marks / len(word)
    if kinds <= _ARABIC | _PERSIAN:
        return 0.6
    if kinds & _ARABIC:
        return -1.0 if min(word) < _LAST_LATIN else 0.0  # letters of Persian or Urdu are no noise, Latin ones are
    if all(sign in _ACCENTED or sign.isascii() for sign in word):
        return 0.8 if foreign <= max(2, len(word) // 2) else -0.8
    # Another script: all letters of it, no capitals in the middle.
    return 0.5 if min(word) > _LAST_LATIN and word[1:] == word[1:].lower() else -1.0


def _declared(data: bytes, header: str | None) -> tuple[str, ...]:
    """Encodings that the header and the first tags name, those that Python knows."""
    names = [found.group(1) for found in [_HEADER.search(header or "")] if found]
    if found := _META.search(data[:_META_BYTES]):
        names.append((found.group(1) or found.group(2)).decode("ascii", "ignore"))
    return tuple(dict.fromkeys(name for name in map(_canonical, names) if name))


@cache
def _canonical(name: str) -> str | None:
    """The name used here for a declared encoding; as in browsers, ISO-8859-1 means windows-1252."""
    try:
        known = codecs.lookup(name.strip().lower().removesuffix("-i").removesuffix("-e")).name
        b"".decode(known)  # not of the codecs that give bytes
    except (LookupError, ValueError):
        return None
    same = {
        "cp1256": "windows-1256",
        "iso8859-6": "iso-8859-6",
        "cp1252": "windows-1252",
        "iso8859-1": "windows-1252",
        "ascii": "windows-1252",
    }
    return same.get(known, known)


#: Characters at the beginning of a text that are looked at.
HEAD = 400
#: This share of the signs that are not blank must be part of mojibake.
_SHARE = 0.5
#: Bytes of the window, and how many of them must be foreign for a text to be looked at: «ط§ظ„» has one in four or five.
_WINDOW, _SUSPECT = 32, 5
#: In UTF-8, Latin letters with accents and signs begin with these; "?" and U+FFFD stand for lost letters.
_IS_FOREIGN = np.zeros(256, np.uint8)
_IS_FOREIGN[[0xC2, 0xC3, 0xC5, 0xC6, 0xCB, 0xE2, 0xEF, 0x3F]] = 1

_PRINTED_1252 = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_PRINTED_1256 = "€پ‚ƒ„…†‡ˆ‰ٹ‹Œچژڈگ‘’“”•–—ک™ڑ›œں،؛؟ھ"
_TRAILING = "\u0080-\u00bf"
#: What is seen -> a run of two or more letters of it. Lead bytes of Arabic in UTF-8 are D8 to DB, of its punctuation C2 and E2.
_KINDS = {
    "UTF-8 read as windows-1256 (ط§ظ„)": f"(?:[طظعغآ][{_TRAILING}{_PRINTED_1256}]){{3,}}",
    "UTF-8 read as windows-1252 (Ø§Ù„)": f"(?:[ØÙÚÛÂ][{_TRAILING}{_PRINTED_1252}]?){{4,}}",
    "windows-1256 read as windows-1252 (ÇáÃÎÈÇÑ)": "[À-ÖØ-öø-ÿ]{4,}",
    "letters lost to question marks (????)": r"\?{4,}",
    "letters lost to U+FFFD": "\ufffd{3,}",
}
_ANY = "|".join(_KINDS.values())
#: Shorter runs count too once a longer one was seen: «في» has two letters.
_RUNS = {kind: re.compile(re.sub(r"\{[34],\}$", "+", pattern)) for kind, pattern in _KINDS.items()}
_BLANK = re.compile(r"\s+")
#: Signs of which at least one is in the head of every mojibake; those that stand in ordinary Arabic news are not among them.
_TELLING = frozenset(map(chr, range(0x80, 0x100))) - set("«»\xa0") | set("?\ufffd‚ƒ„†‡ˆ‰")


def mojibake(text: str) -> str | None:
    """What is wrong with a text that is mojibake, in words; None if it is none."""
    head = text[:HEAD]
    if _TELLING.isdisjoint(head):
        return None
    head = _BLANK.sub(" ", head)
    if re.search(_ANY, head) is None:
        return None
    signs = len(head.replace(" ", "")) or 1
    shares = {kind: sum(len(run) for run in pattern.findall(head)) / signs for kind, pattern in _RUNS.items()}
    kind = max(shares, key=lambda name: shares[name])
    if shares[kind] < _SHARE:
        return None
    return kind


def find_mojibake(texts: Any) -> dict[int, str]:
    """Mojibake in a column of texts.

    Parameters
    ----------
    texts : Arrow array of large_string, nulls allowed; valid UTF-8

    Returns
    -------
    row -> what is wrong with it
    """
    _, offsets, data = texts.buffers()
    if data is None or data.size < _WINDOW:
        suspects = np.arange(len(texts))
    else:
        bounds = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
        suspects = np.flatnonzero(_foreign_bytes(np.frombuffer(data, np.uint8), bounds) >= _SUSPECT)
    found = {int(row): mojibake(texts[int(row)].as_py() or "") for row in suspects}
    return {row: kind for row, kind in found.items() if kind is not None}


def _foreign_bytes(data: npt.NDArray[np.uint8], bounds: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """How many bytes of a window, a few words into each text, are not what Arabic is made of.

    Parameters
    ----------
    data : uint8, the bytes of all texts
    bounds : int64[n + 1], where each text begins and ends

    Returns
    -------
    int64[n]; of a text shorter than the window, some bytes of its neighbours are counted with it
    """
    starts = bounds[:-1] + np.clip(np.diff(bounds) - _WINDOW, 0, _WINDOW)
    starts = np.minimum(starts, len(data) - _WINDOW)
    windows = np.lib.stride_tricks.sliding_window_view(data, _WINDOW)
    counts: npt.NDArray[np.int64] = _IS_FOREIGN[windows[starts]].sum(axis=1, dtype=np.int64)
    return counts
