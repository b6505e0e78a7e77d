"""Terms of stories to keywords as people write them: «الرياض», not a stem and not «والرياض».

A term is the hash of a stem. The words behind it are found in the titles and leads of the story's own
documents; of several spellings the commonest is shown, without a leading conjunction or preposition.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from .buffers import text_rows
from .folding import fold_table
from .kernels.hashing import GOLDEN
from .kernels.terms import term_rows
from .stems import stem_lists
from .texts import stem_table, tokenize, written_tokens

Ints = npt.NDArray[np.int64]
#: Words of a text in which a keyword is looked for.
SEARCHED_WORDS = 200


def keywords(texts: Any, documents: Ints, terms: list[npt.NDArray[np.uint64]], offsets: Ints) -> list[list[str]]:
    """The written form of each story's terms.

    Parameters
    ----------
    texts : Arrow text column, title and lead of each document
    documents, offsets : the documents of story i are ``documents[offsets[i]:offsets[i + 1]]``
    terms : the term hashes of each story, best first

    Returns
    -------
    A list for each story, in the order of its terms; a term whose word is not found is left out.
    """
    data, text_offsets = text_rows(texts)
    found, rows, starts, stops = term_rows(data, text_offsets, SEARCHED_WORDS, *fold_table().arrays(), *stem_table().arrays())
    story_of = np.full(len(text_offsets) - 1, -1, np.int64)
    story_of[documents] = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    stories = np.repeat(story_of, np.diff(rows))
    wanted_stories = np.repeat(np.arange(len(terms)), [len(part) for part in terms])
    wanted = np.concatenate([*terms, np.empty(0, np.uint64)])
    spelled: dict[tuple[int, int], Counter[str]] = {}
    for place in _occurrences(found, stories, wanted, wanted_stories):
        word = bytes(data[starts[place] : stops[place]]).decode("utf-8", "replace")
        if word:  # a phrase in one sign (ﷺ) has words without bytes of their own
            spelled.setdefault((int(stories[place]), int(found[place])), Counter())[word] += 1
    return [_written(spelled, story, part) for story, part in enumerate(terms)]


def _occurrences(found: npt.NDArray[np.uint64], stories: Ints, wanted: npt.NDArray[np.uint64], wanted_stories: Ints) -> Ints:
    """Places in ``found`` that hold a term wanted by the story they stand in."""
    mixed = found ^ (stories.astype(np.uint64) * GOLDEN)
    wanted_mixed = wanted ^ (wanted_stories.astype(np.uint64) * GOLDEN)
    places: Ints = np.flatnonzero(np.isin(mixed, wanted_mixed))
    return places


def _written(spelled: dict[tuple[int, int], Counter[str]], story: int, terms: npt.NDArray[np.uint64]) -> list[str]:
    words = []
    for term in terms.tolist():
        if counts := spelled.get((story, term)):
            plain: Counter[str] = Counter()
            for word, count in counts.items():
                plain[without_clitic(word)] += count
            words.append(min(plain, key=lambda word: (-plain[word], len(word), word)))
    return words


@lru_cache(1 << 16)
def without_clitic(word: str) -> str:
    """A written word without vowel marks, and without a conjunction or preposition in front of it.

    Examples
    --------
    >>> without_clitic("وبالرياض"), without_clitic("للأمم"), without_clitic("وزير")
    ('الرياض', 'الأمم', 'وزير')
    """
    word = "".join(written_tokens(word))
    folded = "".join(tokenize(word, "shingle"))
    if len(folded) != len(word):
        return word
    lists = stem_lists()
    while folded not in lists.whole and len(folded) > 3:
        if folded.startswith("لل"):
            word, folded = "ال" + word[2:], "ال" + folded[2:]
        elif (
            (folded[0] in "وفبك" and folded[1:3] == "ال" and len(folded) > 5)
            or (folded[0] == "و" and folded[1] != "ا")
            or folded in lists.split
        ):
            word, folded = word[1:], folded[1:]
        else:
            break
    return word
