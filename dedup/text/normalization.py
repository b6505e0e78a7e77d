"""Text to folded text and tokens, in plain Python, by the same table that the kernels read.

What comes in is one string; what comes out is the list of its tokens at a level of folding. Use it for
single texts, for display and for tests; whole corpora go through ``kernels/tokens.py``, which gives the
same tokens (a property test says so for any input).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from ..errors import ConfigError
from ..kernels.text.terms import COMMON, ENDING, SPLIT, STOP, WHOLE, lexicon_rows
from ..kernels.text.tokens import hash_letters
from . import folding
from .document_frequencies import FLAGS, background
from .folding import COMPOSE, DECIMAL, DIGIT, DROP, EXPAND, GROUP, LEVELS, SEPARATOR, SIGN, SINGLE, fold_table
from .stemming import PREFIXES, SHORTEST, SUFFIXES, light_stem, stem_lists

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
    level : ``canonical`` (what two typings of one text have in common), ``shingle`` (seats of hamza are one
        too: what copies are compared by) or ``stem`` (light stem: what headlines and stories are compared
        by); the rules stand in ``dedup/folding.py``

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
        raise ConfigError(f"there is no level {level!r} of folding. Choose one of: {', '.join(LEVELS)}.")
    folded = [token.translate(_refinement(level)) for token in written_tokens(text)]
    return [light_stem(token) for token in folded] if level == "stem" else folded


@cache
def _refinement(level: str) -> dict[int, int]:
    """How letters change on the way to ``level``."""
    codes = fold_table().refine[LEVELS.index(level)].tolist()
    return {folding.ARABIC_BLOCK + i: code for i, code in enumerate(codes) if code != folding.ARABIC_BLOCK + i}


def written_tokens(text: str) -> list[str]:
    """The tokens of a text before any level: without marks, but with the hamza and ta marbuta of their writer."""
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
    """(kind, folded letter, raw code point or 0 inside an expansion) of each character that counts."""
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
    """The letter at ``at`` with the marks behind it composed, and the place of the last mark used."""
    letter = entries[at][1]
    while at + 1 < len(entries) and entries[at + 1][0] == COMPOSE:
        if raw in (folding.ALEF, folding.WAW, folding.YEH):
            composed = _COMPOSITIONS.get((letter, entries[at + 1][1]), letter)
            raw = raw if composed == letter else 0
            letter = composed
        at += 1
    return letter, at


def _number(entries: list[tuple[int, int, int]], at: int) -> tuple[str, int]:
    """Read digits (,digits digits digits)* (.digits)*; the number and the place behind it."""
    digits, at = _digits(entries, at)
    run, decimals = len(digits), False
    while at < len(entries) and entries[at][0] in (DECIMAL, GROUP):
        more, behind = _digits(entries, at + 1)
        if entries[at][0] == DECIMAL and more:
            decimals = True
            digits += "." + more
        elif entries[at][0] == GROUP and not decimals and 1 <= run <= 3 and len(more) == 3:
            digits += more
        else:
            break
        run, at = len(more), behind
    return digits, at


def _digits(entries: list[tuple[int, int, int]], at: int) -> tuple[str, int]:
    digits = ""
    while at < len(entries) and entries[at][0] in (DIGIT, COMPOSE):
        if entries[at][0] == DIGIT:
            digits += chr(entries[at][1])
        at += 1
    return digits, at


@cache
def stop_words() -> frozenset[str]:
    """The shipped stop words, at level *stem*."""
    return _word_list("stop_words.txt")


@cache
def deciding_words() -> frozenset[str]:
    """The shipped words that turn a headline round (negations, before and after), at level *stem*."""
    return _word_list("deciding_words.txt")


@cache
def title_stop_words() -> frozenset[str]:
    """What is left out of a title: stop words but for those that decide, and the tags of pictures and alarms."""
    return (stop_words() - deciding_words()) | _word_list("media_words.txt")


def _word_list(name: str) -> frozenset[str]:
    text = resources.files("dedup.data").joinpath(name).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return frozenset(tokenize(" ".join(lines), "stem"))


#: A word in fewer documents of the background corpus than this share is a fact: a name, a rare thing.
RARE = 0.006


@dataclass(frozen=True)
class StemTable:
    """``lexicon``, what is said of words, see ``kernels.terms.lexicon_rows``; affixes as uint32 rows of letters."""

    lexicon: npt.NDArray[np.uint64]
    prefixes: npt.NDArray[np.uint32]
    suffixes: npt.NDArray[np.uint32]

    @classmethod
    def of(cls, stop: frozenset[str], deciding: frozenset[str]) -> StemTable:
        """The lists of the light stem, these stop words, and what is common but for the ``deciding`` words."""
        lists = stem_lists()
        common = background().common_terms(RARE)
        said = [
            (WHOLE, term_hashes(lists.whole)),
            (ENDING, term_hashes(lists.ending)),
            (SPLIT, term_hashes(lists.split)),
            (STOP, term_hashes(stop)),
            (COMMON, common[~np.isin(common, term_hashes(deciding) & ~FLAGS)]),
        ]
        marks = np.concatenate([np.full(len(words), mark) for mark, words in said])
        lexicon = lexicon_rows(np.concatenate([words for _, words in said]), marks)
        return cls(lexicon, _affix_rows(PREFIXES), _affix_rows(tuple((suffix, SHORTEST) for suffix in SUFFIXES)))

    def arrays(self) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
        """The arrays in the order in which kernels take them."""
        return self.lexicon, self.prefixes, self.suffixes


@cache
def stem_table() -> StemTable:
    """The shipped lists and stop words as arrays."""
    return StemTable.of(stop_words(), frozenset())


@cache
def title_table() -> StemTable:
    """As ``stem_table`` for titles: deciding words are facts however common they are, and tags are left out."""
    return StemTable.of(title_stop_words(), deciding_words())


def term_hashes(words: frozenset[str]) -> npt.NDArray[np.uint64]:
    """The hashes that kernels give to these folded words, sorted."""
    hashes = [int(hash_letters(np.array([ord(letter) for letter in word], np.uint32), len(word))) for word in words]
    return np.array(sorted(hashes), np.uint64)


@cache
def title_stop_terms() -> npt.NDArray[np.uint64]:
    """The hashes of stop words that titles keep, for they may decide a match, but that tell nothing of a story."""
    return term_hashes(deciding_words() & stop_words())


def _affix_rows(affixes: tuple[tuple[str, int], ...]) -> npt.NDArray[np.uint32]:
    longest = max(len(affix) for affix, _ in affixes)
    rows = [[len(affix), least, *map(ord, affix), *[0] * (longest - len(affix))] for affix, least in affixes]
    return np.array(rows, np.uint32)
