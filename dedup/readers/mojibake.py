"""Mojibake: text that was read in the wrong encoding before it came here, and is no text any more.

«أخبار» in UTF-8 read as windows-1252 is «Ø£Ø®Ø¨Ø§Ø±», read as windows-1256 «ط£ط®ط¨ط§ط±»; windows-1256 read as windows-1252 is «ÃÎÈÇÑ»;
where the letters were not there at all, «?????» or U+FFFD is left. Such a text shares no word with its copies, and all its
"words" with other mojibake, so it must not be indexed. It cannot be repaired with certainty here; the crawl can.

Every word of such a text is like that, so a few tell: in a column, the bytes of a short window find the texts to look at,
whatever their length, and most of the letters in their first ``HEAD`` must be part of such runs. A page that only shows an
example stays.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt

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
