"""The shipped word lists (stop words, deciding words, stems) and the tables that kernels read."""

from __future__ import annotations

from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from ..kernels.text.terms import COMMON, ENDING, SPLIT, STOP, WHOLE, StemTable, lexicon_rows
from ..kernels.text.tokens import hash_letters
from .document_frequencies import FLAGS, background
from .normalization import tokenize
from .stemming import PREFIXES, SHORTEST, SUFFIXES, stem_lists

#: A stem in a smaller share of the background documents is a fact term: a name, a rare thing.
RARE = 0.006


def word_list(name: str, level: str) -> frozenset[str]:
    """The words of a data file, folded to ``level``. Lines that begin with ``#`` are comments."""
    text = resources.files("dedup.data").joinpath(name).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return frozenset(tokenize(" ".join(lines), level))


@cache
def stop_words() -> frozenset[str]:
    """The shipped stop words, at level *stem*."""
    return word_list("stop_words.txt", "stem")


@cache
def deciding_words() -> frozenset[str]:
    """The shipped words that reverse a headline (negations, before, after), at level *stem*."""
    return word_list("deciding_words.txt", "stem")


@cache
def title_stop_words() -> frozenset[str]:
    """Words dropped from titles: stop words but no deciding words, and tags of pictures and alerts."""
    return (stop_words() - deciding_words()) | word_list("media_words.txt", "stem")


@cache
def stem_table() -> StemTable:
    """The light stem with the shipped stop words."""
    return _stem_table(stop_words(), frozenset())


@cache
def title_table() -> StemTable:
    """The light stem for titles: deciding words are always fact terms, tags are stop words."""
    return _stem_table(title_stop_words(), deciding_words())


def _stem_table(stop: frozenset[str], deciding: frozenset[str]) -> StemTable:
    """The light stem with these stop words; ``deciding`` words are fact terms, however common."""
    lists = stem_lists()
    common = background().common_terms(RARE)
    marked = [
        (WHOLE, term_hashes(lists.whole)),
        (ENDING, term_hashes(lists.ending)),
        (SPLIT, term_hashes(lists.split)),
        (STOP, term_hashes(stop)),
        (COMMON, common[~np.isin(common, term_hashes(deciding) & ~FLAGS)]),
    ]
    marks = np.concatenate([np.full(len(words), mark) for mark, words in marked])
    lexicon = lexicon_rows(np.concatenate([words for _, words in marked]), marks)
    return StemTable(lexicon, _affix_rows(PREFIXES), _affix_rows(tuple((suffix, SHORTEST) for suffix in SUFFIXES)))


def term_hashes(words: frozenset[str]) -> npt.NDArray[np.uint64]:
    """The hashes of folded words as kernels compute them, sorted."""
    hashes = [int(hash_letters(np.array([ord(letter) for letter in word], np.uint32), len(word))) for word in words]
    return np.array(sorted(hashes), np.uint64)


@cache
def title_stop_terms() -> npt.NDArray[np.uint64]:
    """Hashes of the stop words that titles keep.

    They can decide a match, but say nothing about a story.
    """
    return term_hashes(deciding_words() & stop_words())


def _affix_rows(affixes: tuple[tuple[str, int], ...]) -> npt.NDArray[np.uint32]:
    longest = max(len(affix) for affix, _ in affixes)
    rows = [[len(affix), least, *map(ord, affix), *[0] * (longest - len(affix))] for affix, least in affixes]
    return np.array(rows, np.uint32)
