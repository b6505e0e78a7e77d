"""Decodes bytes of unknown encoding, and detects mojibake (text decoded wrongly before).

The bytes decide and a declared encoding only breaks ties: Arabic pages often declare UTF-8 or
ISO-8859-1 over a text in windows-1256.
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

# --- decoding ---
# In this order: a byte order mark; UTF-16 without one; UTF-8 if nearly all bytes are valid; else
# the single-byte encoding whose words score best. Words of one script, of letters common in Arabic,
# or of Latin letters with a few accents score high; words of mixed scripts, control characters and
# unused bytes score low. If all scores are low, a declared encoding is used if the bytes fit it.

#: Words, the first with bytes above 0x7F, that choose among the single-byte encodings.
SAMPLE_WORDS = 200
#: UTF-8 may have one damaged character for this many good ones (crawlers cut pages at any byte).
_GOOD_PER_DAMAGED = 25
#: Scores are between -1 and 1 per foreign letter; below these an encoding is ruled out. A few
#: letters may be a name, so the bound rises from the first to the second value until the sample has
#: ``_MANY`` letters.
_LEAST_OF_FEW, _LEAST_OF_MANY, _MANY = 0.25, 0.62, 60
#: Scores that differ by no more than this are a tie.
_TIE = 0.03
_CANDIDATES = ("windows-1256", "iso-8859-6", "windows-1252")
#: Frequency of letters in Arabic news, per thousand.
_LETTERS = {
    "ا": 151, "ل": 115, "ي": 77, "م": 65, "و": 55, "ن": 51, "ت": 46, "ر": 46, "ب": 34, "ع": 34, "ة": 32, "د": 31, "ف": 26, "ه": 24,
    "س": 24, "ق": 22, "أ": 21, "ك": 19, "ح": 18, "ج": 14, "ش": 10, "ط": 9, "ص": 9, "إ": 9, "ى": 8, "خ": 8, "ض": 7, "ز": 6, "ذ": 6,
    "ث": 6, "ئ": 4, "غ": 4, "ء": 3, "ظ": 2, "ؤ": 1, "آ": 1,
}  # fmt: skip
_MARKS = "ـًٌٍَُِّْ"
_NO_MARKS = dict.fromkeys(map(ord, _MARKS))
_ARABIC = frozenset(_LETTERS) | frozenset(_MARKS)
#: Further letters of Persian and Urdu; windows-1256 has most of them.
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
    """A decoded text; ``damaged`` is the number of its damaged characters, now U+FFFD."""

    text: str
    encoding: str
    damaged: int = 0


def decode(data: bytes, header: str | None = None) -> Decoded | None:
    """Decode bytes of unknown encoding.

    Parameters
    ----------
    data : the content of a file or page, decompressed
    header : the HTTP header ``Content-Type``, if there was one; HTML and XML declarations are found
        in the bytes

    Returns
    -------
    the text, without byte order mark; None if no encoding turns the bytes into words
    """
    for mark, name in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _decode_as(data[len(mark) :], name)
    try:
        text = data.decode()  # most pages, hence first
        if "\0" not in text or not (wide := _utf16_kind(data)):
            return Decoded(text, "utf-8")
        return _decode_as(data, wide)
    except UnicodeDecodeError as error:
        cut_off = error.reason == "unexpected end of data"
    if wide := _utf16_kind(data):
        return _decode_as(data, wide)
    damaged = _decode_as(data, "utf-8")
    good = len(damaged.text) - len(damaged.text.encode("ascii", "ignore")) - damaged.damaged
    if cut_off or damaged.damaged * _GOOD_PER_DAMAGED <= good:
        return damaged
    return _decode_single_byte(data, _declared_encodings(data, header))


def _utf16_kind(data: bytes) -> str | None:
    """The kind of UTF-16: every other byte is the high byte of a Latin or Arabic letter."""
    head = data[: 4096 - len(data[:4096]) % 2]
    if len(head) < 4:
        return None
    pairs = len(head) // 2
    for name, high in (("utf-16-le", head[1::2]), ("utf-16-be", head[::2])):
        if high.count(0) + high.count(6) >= 0.9 * pairs:
            return name
    return None


def _decode_as(data: bytes, encoding: str) -> Decoded:
    text = data.decode(encoding, "replace")
    own = data.count(b"\xef\xbf\xbd") if encoding == "utf-8" else 0
    return Decoded(text, encoding, max(0, text.count("\ufffd") - own))


def _decode_single_byte(data: bytes, declared: tuple[str, ...]) -> Decoded | None:
    words = [found.group() for found in islice(_FOREIGN_WORD.finditer(data), SAMPLE_WORDS)]
    sample = b" ".join(words)
    many = min(1.0, sum(byte > 0x7F for byte in sample) / _MANY)
    least = _LEAST_OF_FEW + (_LEAST_OF_MANY - _LEAST_OF_FEW) * many
    scores = {name: likeness(sample.decode(name, "replace")) for name in _CANDIDATES}
    best = max(scores.values())
    if best < _LEAST_OF_MANY:
        for name in declared:
            if name != "utf-8" and likeness(sample.decode(name, "replace")) >= _LEAST_OF_FEW:
                return _decode_as(data, name)
    if best < least:
        return None
    tied = [name for name in _CANDIDATES if scores[name] >= best - _TIE]
    return _decode_as(data, next((name for name in declared if name in tied), tied[0]))


def likeness(text: str) -> float:
    """The mean score of words with non-ASCII letters, per such letter: -1 (noise) to 1.

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
        # The average letter of a page has a frequency of 74 per thousand; rare letters mean a wrong
        # encoding.
        marks = len(word) - len(word.translate(_NO_MARKS))
        common = sum([_LETTERS.get(sign, 0) for sign in word]) / ((len(word) - marks) or 1)
        article = 0.3 if word.startswith(("ال", "وال", "بال", "لل")) else 0.0
        return min(1.0, common / 60 + article) - 0.2 * marks / len(word)
    if kinds <= _ARABIC | _PERSIAN:
        return 0.6
    if kinds & _ARABIC:
        return -1.0 if min(word) < _LAST_LATIN else 0.0  # Latin letters in an Arabic word are noise, Persian or Urdu ones are not
    if all(sign in _ACCENTED or sign.isascii() for sign in word):
        return 0.8 if foreign <= max(2, len(word) // 2) else -0.8
    # Another script: all letters of it, no capitals in the middle.
    return 0.5 if min(word) > _LAST_LATIN and word[1:] == word[1:].lower() else -1.0


def _declared_encodings(data: bytes, header: str | None) -> tuple[str, ...]:
    """The encodings that the header and the first tags declare, if Python knows them."""
    names = [found.group(1) for found in [_HEADER.search(header or "")] if found]
    if found := _META.search(data[:_META_BYTES]):
        names.append((found.group(1) or found.group(2)).decode("ascii", "ignore"))
    return tuple(dict.fromkeys(name for name in map(_canonical_name, names) if name))


@cache
def _canonical_name(name: str) -> str | None:
    """The name used here for an encoding; as in browsers, ISO-8859-1 means windows-1252."""
    try:
        known = codecs.lookup(name.strip().lower().removesuffix("-i").removesuffix("-e")).name
        b"".decode(known)  # fails for codecs from bytes to bytes
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


# --- mojibake ---

#: Characters at the start of a text that are examined.
HEAD = 400
#: At least this share of the characters that are not blank must belong to garbled runs.
_SHARE = 0.5
#: Bytes of a window in each text, and how many of them must be foreign for the text to be examined:
#: «ط§ظ„» has one in four or five.
_WINDOW, _SUSPECT = 32, 5
#: First bytes of accented Latin letters and signs in UTF-8; "?" and U+FFFD replace lost letters.
_IS_FOREIGN = np.zeros(256, np.uint8)
_IS_FOREIGN[[0xC2, 0xC3, 0xC5, 0xC6, 0xCB, 0xE2, 0xEF, 0x3F]] = 1

_PRINTED_1252 = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_PRINTED_1256 = "€پ‚ƒ„…†‡ˆ‰ٹ‹Œچژڈگ‘’“”•–—ک™ڑ›œں،؛؟ھ"
_TRAILING = "\u0080-\u00bf"
#: Kind of mojibake -> pattern of a run of it. In UTF-8, Arabic letters begin with D8 to DB, its
#: punctuation with C2 or E2.
_KINDS = {
    "UTF-8 read as windows-1256 (ط§ظ„)": f"(?:[طظعغآ][{_TRAILING}{_PRINTED_1256}]){{3,}}",
    "UTF-8 read as windows-1252 (Ø§Ù„)": f"(?:[ØÙÚÛÂ][{_TRAILING}{_PRINTED_1252}]?){{4,}}",
    "windows-1256 read as windows-1252 (ÇáÃÎÈÇÑ)": "[À-ÖØ-öø-ÿ]{4,}",
    "letters lost to question marks (????)": r"\?{4,}",
    "letters lost to U+FFFD": "\ufffd{3,}",
}
_ANY = "|".join(_KINDS.values())
#: The same without a minimum length: once a long run is found, short ones count too, for «في» has
#: two letters.
_RUNS = {kind: re.compile(re.sub(r"\{[34],\}$", "+", pattern)) for kind, pattern in _KINDS.items()}
_BLANK = re.compile(r"\s+")
#: Every garbled text has at least one of these in its head; characters of ordinary Arabic news are
#: left out.
_SUSPICIOUS = frozenset(map(chr, range(0x80, 0x100))) - set("«»\xa0") | set("?\ufffd‚ƒ„†‡ˆ‰")


def mojibake(text: str) -> str | None:
    """The kind of mojibake that a text is, in words, or None."""
    head = text[:HEAD]
    if _SUSPICIOUS.isdisjoint(head):
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
    """The rows of a column that are mojibake.

    Parameters
    ----------
    texts : Arrow array of large_string, nulls allowed; valid UTF-8

    Returns
    -------
    row -> kind of mojibake, in words
    """
    _, offsets, data = texts.buffers()
    if data is None or data.size < _WINDOW:
        suspects = np.arange(len(texts))
    else:
        bounds = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
        foreign = _foreign_bytes(np.frombuffer(data, np.uint8), bounds)
        # The window of a shorter text reaches into its neighbours, and those depend on the batch.
        suspects = np.flatnonzero((foreign >= _SUSPECT) | (np.diff(bounds) < _WINDOW))
    found = {int(row): mojibake(texts[int(row)].as_py() or "") for row in suspects}
    return {row: kind for row, kind in found.items() if kind is not None}


def _foreign_bytes(data: npt.NDArray[np.uint8], bounds: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Number of foreign bytes in a window of each text, a few words from its start.

    Parameters
    ----------
    data : uint8, the bytes of all texts
    bounds : int64[n + 1], row i is ``data[bounds[i]:bounds[i + 1]]``

    Returns
    -------
    int64[n]
        Of a text that is shorter than the window, bytes of its neighbours are counted too.
    """
    starts = bounds[:-1] + np.clip(np.diff(bounds) - _WINDOW, 0, _WINDOW)
    starts = np.minimum(starts, len(data) - _WINDOW)
    windows = np.lib.stride_tricks.sliding_window_view(data, _WINDOW)
    counts: npt.NDArray[np.int64] = _IS_FOREIGN[windows[starts]].sum(axis=1, dtype=np.int64)
    return counts
