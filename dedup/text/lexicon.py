"""The shipped word lists (stop words, deciding words, stems) and the tables that kernels read."""

from __future__ import annotations

from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from ..kernels.text.terms import COMMON, COUNTED, ENDING, SPLIT, STOP, WHOLE, StemTable, lexicon_rows, term_rows
from ..kernels.text.token_cache import ENTRY, TokenCache, document_rows
from ..kernels.text.tokens import hash_letters
from .document_frequencies import FLAGS, background
from .folding import fold_table
from .normalization import tokenize
from .stemming import PREFIXES, SHORTEST, SUFFIXES, light_stem, stem_lists

#: A stem in a smaller share of the background documents is a fact term: a name, a rare thing.
RARE = 0.006
#: Endings of the dual and of the sound plural.
DUALS = ("ان", "ين", "ون")
#: The flag of a number in a term.
NUMBER = np.uint64(1)


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
def counted_nouns() -> frozenset[str]:
    """The shipped nouns whose dual says how many there are, at level *stem*."""
    return word_list("counted_nouns.txt", "stem")


@cache
def title_stop_words() -> frozenset[str]:
    """Words dropped from titles: stop words but no deciding words, and tags of pictures and alerts."""
    return (stop_words() - deciding_words()) | word_list("media_words.txt", "stem")


@cache
def stem_table() -> StemTable:
    """The light stem with the shipped stop words."""
    return _stem_table(stop_words(), frozenset(), frozenset())


@cache
def title_table() -> StemTable:
    """The light stem for titles: deciding words are always fact terms, duals of counted nouns are numbers, tags are stop words."""
    return _stem_table(title_stop_words(), deciding_words(), counted_nouns())


def _stem_table(stop: frozenset[str], deciding: frozenset[str], counted: frozenset[str]) -> StemTable:
    """The light stem with these stop words; ``deciding`` words are fact terms, however common, and duals of ``counted`` nouns."""
    lists = stem_lists()
    common = background().common_terms(RARE)
    marked = [
        (WHOLE, term_hashes(lists.whole)),
        (ENDING, term_hashes(lists.ending)),
        (SPLIT, term_hashes(lists.split)),
        (STOP, term_hashes(stop)),
        (COUNTED, term_hashes(counted)),
        (COMMON, common[~np.isin(common, term_hashes(deciding) & ~FLAGS)]),
    ]
    marks = np.concatenate([np.full(len(words), mark) for mark, words in marked])
    lexicon = lexicon_rows(np.concatenate([words for _, words in marked]), marks)
    return StemTable(lexicon, _affix_rows(PREFIXES), _affix_rows(tuple((suffix, SHORTEST) for suffix in SUFFIXES)))


def term_hashes(words: frozenset[str]) -> npt.NDArray[np.uint64]:
    """The hashes of folded words as kernels compute them, sorted."""
    return np.array(sorted(map(_hash, words)), np.uint64)


def _hash(word: str) -> int:
    return int(hash_letters(np.array([ord(letter) for letter in word], np.uint32), len(word)))


@cache
def title_stop_terms() -> npt.NDArray[np.uint64]:
    """Hashes of the stop words that titles keep.

    They can decide a match, but say nothing about a story.
    """
    return term_hashes(deciding_words() & stop_words())


@cache
def deciding_terms() -> npt.NDArray[np.uint64]:
    """Terms of the deciding words, sorted, without flags."""
    return np.unique(term_hashes(deciding_words()) & ~FLAGS)


@cache
def spelling_variants() -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """(terms, firsts): terms of words that are spelled in several ways, sorted, and the term of the first spelling; without flags."""
    text = resources.files("dedup.data").joinpath("spelling_variants.txt").read_text(encoding="utf-8")
    first_of: dict[int, int] = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        terms = [int(term_hashes(frozenset([word]))[0] & ~FLAGS) for word in tokenize(line, "stem")]
        for term in terms:
            first_of.setdefault(term, terms[0])
    known = sorted(first_of)
    return np.array(known, np.uint64), np.array([first_of[term] for term in known], np.uint64)


@cache
def tag_terms() -> npt.NDArray[np.uint64]:
    """Terms of the tags of pictures and alerts, sorted, without flags."""
    return np.unique(term_hashes(word_list("media_words.txt", "stem")) & ~FLAGS)


@cache
def deciding_tokens() -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """(tokens, terms): tokens, sorted, of which titles know more than texts, and their terms in titles.

    These are the stop words that decide, which have no term in a text, and the duals of counted nouns, which have the term of the
    singular there. Tokens are hashes at level *shingle*, with one prefix and one suffix.
    """
    stops = deciding_words() & stop_words()
    listed = word_list("stop_words.txt", "shingle") | word_list("deciding_words.txt", "shingle")
    roots = sorted({word for word in listed if light_stem(word) in stops} | stops)
    nouns = sorted(word_list("counted_nouns.txt", "shingle") | counted_nouns())
    prefixes = ["", "و", "ب", "ل", "ف", *(prefix for prefix, _ in PREFIXES)]
    written = {prefix + root + suffix for root in roots for prefix in prefixes for suffix in ("", *SUFFIXES)}
    written |= {prefix + noun + ending for noun in nouns for prefix in prefixes for ending in DUALS}
    words = [word.encode() for word in sorted(written)]
    data = np.frombuffer(b"".join(words), np.uint8)
    offsets = np.concatenate([[0], np.cumsum([len(word) for word in words])])
    cache = TokenCache(np.zeros((8, ENTRY), np.uint64), np.zeros((8, 2), np.uint64))
    tokens, _, _, in_texts, _ = document_rows(data, offsets, True, True, cache, fold_table(), stem_table())
    terms, rows, _, _ = term_rows(data, offsets, 1, fold_table(), title_table())
    kept = np.diff(rows) == 1
    tokens, in_texts = tokens[kept], in_texts[kept]
    more = (in_texts == 0) | (((in_texts ^ terms) & NUMBER) != 0)
    tokens, places = np.unique(tokens[more], return_index=True)
    return tokens, terms[more][places]


def _affix_rows(affixes: tuple[tuple[str, int], ...]) -> npt.NDArray[np.uint32]:
    longest = max(len(affix) for affix, _ in affixes)
    rows = [[len(affix), least, *map(ord, affix), *[0] * (longest - len(affix))] for affix, least in affixes]
    return np.array(rows, np.uint32)
