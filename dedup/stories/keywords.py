"""Turns the heaviest terms of a story into readable keywords: «مجلس الأمن», «الرياض», not «والرياض».

The words of a term, the hash of a stem, are looked up in titles and leads; the commonest spelling
is shown, without clitics. Verbs and everyday words are excluded; usual neighbours form a phrase.
"""

from __future__ import annotations

import re
from functools import cache, cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from ..arrays.rows import Ints
from ..kernels.hashing import GOLDEN
from ..text.document_frequencies import FLAGS, background
from ..text.lexicon import term_hashes, word_list
from ..text.normalization import tokenize, written_tokens
from ..text.stemming import light_stem, stem_lists
from .collocations import Bond, Phrase, link_phrases
from .surface_words import SurfaceWords

#: Keywords of a story, and the terms considered for them.
KEYWORDS, CANDIDATES = 8, 20
#: Background documents from which on a word is known, up to which it is hardly known, and from
#: which on it is well known.
KNOWN, LITTLE_KNOWN, WELL_KNOWN = 20, 15, 30
#: Letters of a word from which on its first letter may be a preposition that no list knows.
LONG = 6
#: Letters of a keyword; a longer token is no word.
LONGEST = 40
#: Read with the word that follows: part of a keyword, never one alone.
PARTICLES = frozenset({"بن", "ابن", "بنت", "ابو", "ابي", "ابا", "ال", "عبد", "ام"})
TANWIN, TATWEEL = "\u064b", 0x0640
#: Clitics: conjunctions and prepositions written together with a word.
_CLITICS = frozenset("وفبكل")
_LETTERS = re.compile("[\u0621-\u063a\u0641-\u064a]+")
#: Endings stripped to find forms of one word, in addition to those of the light stem; longest
#: first.
_ENDINGS = (
    "اتهما",
    "اتهم",
    "اتها",
    "يين",
    "يون",
    "اته",
    "هما",
    "تهم",
    "تها",
    "يا",
    "يه",
    "هم",
    "ها",
    "نا",
    "ته",
    "ات",
    "ان",
    "ين",
    "ون",
    "ا",
    "ه",
    "ي",
)
#: Possessive pronouns, and the ending that replaces each: a ta marbuta is written ت before a
#: pronoun.
_PRONOUNS = (
    ("تهما", "ه"),
    ("تهم", "ه"),
    ("تها", "ه"),
    ("ته", "ه"),
    ("تنا", "ه"),
    ("هما", ""),
    ("هم", ""),
    ("ها", ""),
    ("نا", ""),
    ("كم", ""),
)
_PRONOUN_ENDS = tuple(end for end, _ in _PRONOUNS)
#: Pronouns and personal endings of a verb.
_PERSONS = ("هما", "ها", "هم", "نا", "ون", "ان", "وا", "ني", "ه", "ك")


class Spelling:
    """A written word and its forms; those that few words need are computed on first use.

    ``raw``: without vowel marks; ``plain``: also without clitics; ``with_article``: ``plain`` at
    level *shingle*; ``folded``: that without the article; ``owned``: whether it ends in a
    possessive pronoun.
    """

    def __init__(self, word: str) -> None:
        """Read a written word."""
        self.raw = word if _LETTERS.fullmatch(word) else "".join(written_tokens(word))
        self.plain, self.with_article = without_clitic(self.raw)
        if TANWIN in word and self.plain[-1:] == "ا" and len(self.plain) > 3:
            self.plain, self.with_article = self.plain[:-1], self.with_article[:-1]  # «حرقًا» is «حرق»
        self.folded = self.with_article
        if self.folded[:2] == "ال" and len(self.folded) > 4 and self.folded not in stem_lists().whole:
            self.folded = self.folded[2:]
        self.owned = self.with_article.endswith(_PRONOUN_ENDS) and _is_owned(self.with_article)

    @cached_property
    def root(self) -> str:
        """The part that forms of one word share: «إيطاليا», «الإيطالي»; «أوضاع», «أوضاعهم»."""
        word = self.folded
        if word in stem_lists().ending or not word.endswith(_ENDINGS):
            return word
        return next((word[: -len(end)] for end in _ENDINGS if word.endswith(end) and len(word) - len(end) >= 3), word)

    @cached_property
    def key(self) -> bool:
        """Whether it can be a keyword, or begin or end one."""
        word = self.with_article
        return 1 < len(word) <= LONGEST and word[0].isalpha() and not self.owned and word not in PARTICLES and not is_verb(word)

    @cached_property
    def loose(self) -> bool:
        """Whether it begins with a preposition that no list knows («لتطعيم»): hardly known as it is, well known without it."""
        word = self.with_article
        if word[:1] not in ("ب", "ل", "ك") or len(word) < LONG or self.plain[1] in "اوي":
            return False
        whole, rest = (_frequency(light_stem(form)) for form in (word, word[1:]))
        return whole < LITTLE_KNOWN and rest >= WELL_KNOWN


def keywords(words: SurfaceWords, story: Ints, stories: Ints, terms: npt.NDArray[np.uint64], n_stories: int) -> list[list[str]]:
    """The written keywords of each story.

    Parameters
    ----------
    words : words of the title and lead of each document
    story : int64[n_documents]
    stories, terms : int64[n], uint64[n]: the candidates, by story, best first
    n_stories : number of stories

    Returns
    -------
    A list for each story, best first. Terms without a word in titles and leads are omitted.
    """
    places, slots = _occurrences(words, story, stories, terms)
    if len(places) == 0:
        return [[] for _ in range(n_stories)]
    written = words.written(places)
    spellings = [spelling(word) for word in written.dictionary.to_pylist()]
    codes = written.indices.to_numpy().astype(np.int64)
    phrases = link_phrases(slots, words.next_to(places), codes, lambda first, second: _bond(spellings[first], spellings[second]))
    commonest = [spellings[code] if code >= 0 else None for code in _commonest(slots, codes, len(terms), spellings).tolist()]
    offsets = np.searchsorted(stories, np.arange(n_stories + 1)).tolist()
    return [_chosen(range(*offsets[i : i + 2]), commonest, phrases, spellings) for i in range(n_stories)]


def _occurrences(words: SurfaceWords, story: Ints, stories: Ints, terms: npt.NDArray[np.uint64]) -> tuple[Ints, Ints]:
    """Places of words that are candidates of their own story, and the number of the candidate."""
    wanted = terms ^ (stories.astype(np.uint64) * GOLDEN)
    order = np.argsort(wanted, kind="stable")
    if len(order) == 0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    wanted = wanted[order]
    found = words.terms ^ (story[words.rows].astype(np.uint64) * GOLDEN)
    at = np.minimum(np.searchsorted(wanted, found), len(order) - 1)
    places = np.flatnonzero(wanted[at] == found)
    return places, order[at[places]]


def _commonest(slots: Ints, codes: Ints, n_slots: int, spellings: list[Spelling]) -> Ints:
    """int64[n_slots]: a spelling of each candidate's commonest plain form; -1 if there is none.

    Forms that end in a pronoun come last; ties go to the shorter form, then by letters. If a form
    occurs with and without the alef of the accusative («حرقا», «حرق»), the one without is chosen.
    """
    names = sorted({one.plain for one in spellings}, key=lambda plain: (len(plain), plain))
    number = {plain: i for i, plain in enumerate(names)}
    plain_of = np.array([number[one.plain] for one in spellings])
    spelling_of, owned = np.zeros(len(names), np.int64), np.zeros(len(names), bool)
    spelling_of[plain_of[::-1]] = np.arange(len(spellings))[::-1]
    owned[plain_of] = [one.owned for one in spellings]
    nominative = np.array([number.get(plain[:-1], -1) if plain.endswith("ا") else -1 for plain in names])
    keys, counts = np.unique(slots * len(names) + plain_of[codes], return_counts=True)
    candidates, plain = np.divmod(keys, len(names))
    order = np.lexsort((plain, -counts, owned[plain], candidates))
    first = order[np.unique(candidates[order], return_index=True)[1]]
    answer = np.full(n_slots, -1, np.int64)
    best = plain[first]
    without = candidates[first] * len(names) + nominative[best]
    stands = (nominative[best] >= 0) & (keys[np.minimum(np.searchsorted(keys, without), len(keys) - 1)] == without)
    answer[candidates[first]] = spelling_of[np.where(stands, nominative[best], best)]
    return answer


def _chosen(slots: range, commonest: list[Spelling | None], phrases: dict[int, Phrase], spellings: list[Spelling]) -> list[str]:
    """The keywords of one story: its candidates in order, phrases as one."""
    forms: dict[str, Spelling] = {}
    for slot in reversed(slots):
        if found := commonest[slot]:
            forms[found.folded] = found
    chosen: list[str] = []
    shown: set[str] = set()
    for slot in slots:
        found = commonest[slot]
        if found is None or not found.key:
            continue
        parts = _phrase(phrases[slot], spellings) if slot in phrases else [found]
        first, *rest = parts if len(parts) > 1 else [found]
        # «بخيبر» if «خيبر» is a candidate too.
        if first.folded[0] in "بلكف" and (bare := forms.get(first.folded[1:])) and bare.key:
            first = bare
        elif first.loose:
            first = spelling(first.plain[1:])
        roots = {part.root for part in (first, *rest)}
        if not roots <= shown:
            chosen.append(" ".join([first.plain, *(part.raw for part in rest)]))
            shown |= roots
            if len(chosen) == KEYWORDS:
                break
    return chosen


def _bond(first: Spelling, second: Spelling) -> Bond:
    """The bond of two neighbours: none for verbs and for a second word with a clitic («الفريق بجنيف»).

    After a word with an article, one without belongs to the phrase only as a name («الملا عمر», not
    «السلطات حجب»).
    """
    if not first.folded or not second.folded or second.raw != second.plain or is_verb(first.with_article) or is_verb(second.with_article):
        return Bond.NONE
    return Bond.NAME if first.raw.startswith("ال") and not second.raw.startswith("ال") else Bond.PHRASE


def _phrase(phrase: Phrase, spellings: list[Spelling]) -> list[Spelling]:
    """The words of a phrase without those that cannot begin or end one."""
    parts = [spellings[code] for _, code in phrase]
    while parts and not (parts[0].key or parts[0].folded in PARTICLES):
        parts = parts[1:]
    while parts and not parts[-1].key:
        parts = parts[:-1]
    return parts


@cache
def plain_terms() -> npt.NDArray[np.uint64]:
    """Terms of the shipped list of words that are no keywords, without flags."""
    return term_hashes(word_list("plain_words.txt", "stem")) & ~FLAGS


@cache
def verbs() -> frozenset[str]:
    """The shipped list of finite verbs, at level *shingle*."""
    return word_list("verbs.txt", "shingle")


@lru_cache(1 << 17)
def spelling(word: str) -> Spelling:
    """The ``Spelling`` of a written word, cached."""
    return Spelling(word)


def is_verb(folded: str) -> bool:
    """Whether a word at level *shingle* is a finite verb, with or without future س and personal ending."""
    while folded not in verbs() and len(folded) > 4 and (folded[0] in "وف" or (folded[0] == "س" and folded[1] in "يت")):
        folded = folded[1:]
    if folded in verbs():
        return True
    if folded[:1] in ("ي", "ت"):
        return any(folded.endswith(person) and folded[: -len(person)] in verbs() for person in _PERSONS)
    return folded.endswith("وا") and folded[:-2] in verbs()


def _is_owned(word: str) -> bool:
    """Whether a word ends in a possessive pronoun: without it, it is a known word («هواتفهم»)."""
    end, instead = next((end, instead) for end, instead in _PRONOUNS if word.endswith(end))
    rest = word[: -len(end)]
    if len(rest) < 3 or word.startswith("ال"):
        return False
    return _frequency(light_stem(rest + instead)) >= KNOWN


def _frequency(stem: str) -> int:
    return int(background().document_frequency(term_hashes(frozenset({stem})))[0])


@cache
def _folds() -> dict[int, str]:
    """Plain Arabic letters at level *shingle*."""
    return {code: "".join(tokenize(chr(code), "shingle")) for code in range(0x0621, 0x064B) if code != TATWEEL}


def without_clitic(word: str) -> tuple[str, str]:
    """Strip leading conjunctions and prepositions: the word as written without them, and that at level *shingle*.

    Parameters
    ----------
    word : without vowel marks

    Examples
    --------
    >>> [without_clitic(word)[0] for word in ("وبالرياض", "للأمم", "وإصابة", "وزير")]
    ['الرياض', 'الأمم', 'إصابة', 'وزير']
    """
    # Nearly all words have plain letters only, which are folded one by one.
    folded = word.translate(_folds()) if _LETTERS.fullmatch(word) else "".join(tokenize(word, "shingle"))
    if folded[:1] not in _CLITICS or len(folded) != len(word):
        return word, folded
    lists = stem_lists()
    while folded not in lists.whole and len(folded) > 3:
        if folded.startswith("لل") and _frequency(light_stem(folded[1:])) > _frequency(light_stem("ال" + folded[2:])):
            word, folded = word[1:], folded[1:]  # «للجنة» is «لجنة», not «جنة»
            break
        if folded.startswith("لل"):
            word, folded = "ال" + word[2:], "ال" + folded[2:]
        elif (
            (folded[0] in "وفبك" and folded[1:3] == "ال" and len(folded) > 5)
            or (folded[0] == "و" and (folded[1] != "ا" or word[1] in "أإآ" or folded.startswith("واست")))
            or folded in lists.split
        ):
            word, folded = word[1:], folded[1:]
        else:
            break
    return word, folded
