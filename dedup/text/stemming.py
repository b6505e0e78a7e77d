"""A light stemmer for Arabic words: "بالرياض", "والرياض" and "الرياض" have one stem.

Light10 alone breaks the most common words of news (وزير -> زير, لبنان -> لبن, إيران -> اير), so
``bench/make_data/word_lists.py`` made the exceptions in ``data/stems.txt`` from word counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

#: Article and conjunction prefixes, longest first, with the number of letters that must remain.
PREFIXES = (("وبال", 3), ("وكال", 3), ("ولل", 3), ("فلل", 3), ("وال", 3), ("بال", 3), ("كال", 3), ("فال", 3), ("لل", 3), ("ال", 2))
#: Suffixes, longest first; at least three letters must remain.
SUFFIXES = ("ها", "ان", "ات", "ون", "ين", "يه", "ه", "ي")
SHORTEST = 3
#: Longer runs of letters are not words.
LONGEST = 255

_FIRST_LETTER, _LAST_LETTER = "\u0621", "\u064a"


@dataclass(frozen=True)
class StemLists:
    """Exceptions of the stemmer: words at level *shingle* with the letters of level *stem*."""

    whole: frozenset[str]  #: keep their prefix: the first waw is a root letter, for example
    ending: frozenset[str]  #: keep their suffix: names that end like a plural, for example
    split: frozenset[str]  #: begin with ب or ل as a preposition


@cache
def stem_lists() -> StemLists:
    """The shipped lists."""
    lists: dict[str, set[str]] = {"whole": set(), "ending": set(), "split": set()}
    for line in resources.files("dedup.data").joinpath("stems.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, word = line.split()
            lists[name].add(word)
    return StemLists(*(frozenset(lists[name]) for name in ("whole", "ending", "split")))


def light_stem(word: str) -> str:
    """Stem one folded word; words that are not Arabic are returned unchanged.

    Idempotent: the stem of a stem is the stem. Prefixes and suffixes are those of light10 (Larkey,
    Ballesteros, Connell 2002, "Improving stemming for Arabic information retrieval").
    """
    if not word or len(word) > LONGEST or not _FIRST_LETTER <= word[0] <= _LAST_LETTER:
        return word
    word = _collapse(word)
    lists = stem_lists()
    while True:
        stem = _without_suffix(_without_prefix(word, lists), lists)
        if stem == word:
            return stem
        word = stem


def _collapse(word: str) -> str:
    """Reduce three or more equal letters, which are emphasis (عااااجل), to one."""
    letters: list[str] = []
    at = 0
    while at < len(word):
        run = 1
        while at + run < len(word) and word[at + run] == word[at]:
            run += 1
        letters.append(word[at] * (1 if run >= 3 else run))
        at += run
    return "".join(letters)


def _without_prefix(word: str, lists: StemLists) -> str:
    if word in lists.whole:
        return word
    for prefix, shortest in PREFIXES:
        if word.startswith(prefix) and len(word) - len(prefix) >= shortest:
            return word[len(prefix) :]
    if (word[0] == "و" and len(word) > SHORTEST) or word in lists.split:
        return word[1:]
    return word


def _without_suffix(word: str, lists: StemLists) -> str:
    if word in lists.ending:
        return word
    for suffix in SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= SHORTEST:
            return word[: -len(suffix)]
    return word
