"""Chooses the lead of each story: the document with the title that best says what happened.

It is central, names what the story is about (focus), is early, and has several sources (variety).
Names of sections («كاريكاتير») come last; page furniture («- صحيفة المدى», «بالصور») costs a little.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ..arrays.rows import Floats, Ints, run_starts
from .centroids import Centroids
from .surface_words import SurfaceWords

# The lead score; ``tests/stories/test_describe.py`` pins which title wins.
#: Weights of the four merits, each from 0 to 1 within a story.
CENTRALITY, FOCUS, EARLINESS, VARIETY = 1.5, 0.7, 0.25, 0.3
#: Deductions for a title with page furniture, a truncated title, and a question.
FURNITURE, TRUNCATED, QUESTION = 0.4, 0.4, 0.3
#: Deduction of SHORT for each word, without stop words, that a title has fewer than FEWEST_WORDS.
FEWEST_WORDS, SHORT = 4, 0.2
#: A title of this many canonical documents is the name of a section.
SECTION = 3
#: Sources that give the full merit: a wire report in hundreds of outlets is no better lead than one
#: in eight.
MANY_SOURCES = 8

_OUTLET = r"(صحيفة|صحيفه|جريدة|جريده|موقع|وكالة|وكاله|قناة|قناه|شبكة|شبكه|بوابة|بوابه|مجلة|مجله)"
_TAG = r"(فيديو|بالفيديو|صور|بالصور|صورة|عاجل|شاهد|كاريكاتير|إنفوجرافيك|انفوجرافيك|إنفوغرافيك|انفوغرافيك)"
#: An outlet after a dash, a tag set off by punctuation or the end of the title, remains of HTML
#: (&quot;).
_FURNITURE = rf"[-–—|]\s*{_OUTLET}\s\S+(\s\S+){{0,3}}\s*$|(^|[-–—|:!.(\[«\"“]\s*){_TAG}\s*($|[-–—|:!.)\]»\"”])|^{_TAG}\s|&#?[a-z0-9]+;"
_QUESTION = r"[؟?]\s*[»\"”]?\s*$"
_TRUNCATED = r"(\.{2,}|…)\s*$"


def titles_as_sections(titles: Any) -> npt.NDArray[np.bool_]:
    """bool[n]: titles that name a section, since ``SECTION`` canonical documents or more have them."""
    encoded = pc.utf8_trim_whitespace(titles.cast(pa.large_string())).combine_chunks().dictionary_encode()
    codes = encoded.indices.fill_null(len(encoded.dictionary)).to_numpy()
    counts = np.bincount(codes, minlength=len(encoded.dictionary) + 1)
    section: npt.NDArray[np.bool_] = (counts[codes] >= SECTION) & (codes < len(encoded.dictionary))
    return section


def choose_leads(
    titles: Any,
    words: SurfaceWords,
    centroids: Centroids,
    story: Ints,
    when: Ints,
    sources: Ints,
    headline: npt.NDArray[np.bool_],
    section: npt.NDArray[np.bool_],
) -> Ints:
    """The row of each story's lead.

    Parameters
    ----------
    titles : Arrow text column
    words : words of title and text of the same documents
    centroids : of the same documents and stories
    story : int64[n], stories numbered from 0, none empty
    when : int64[n], times of publication, unknown ones last
    sources : int64[n], different sources of each document and its copies
    headline : bool[n], documents that are only a headline
    section : bool[n], titles that name a section

    Returns
    -------
    int64[n_stories]; of equally good documents the first published, then the first
    """
    has_title = pc.greater(pc.binary_length(titles), 0).fill_null(False).to_numpy(zero_copy_only=False)
    n = len(story)
    ties = np.arange(n)
    score = (
        CENTRALITY * _share_of_best(centroids.centrality, story, centroids)
        + FOCUS * _share_of_best(_focus(titles, words, centroids, story), story, centroids)
        + EARLINESS * _earliness(when, story, centroids.sizes)
        + VARIETY * np.log2(np.clip(sources, 1, MANY_SOURCES)) / np.log2(MANY_SOURCES)
        - _faults(titles, words)
    )
    order = np.lexsort((ties, when, -np.round(score, 6), headline, section, ~has_title, story))
    return order[np.searchsorted(story[order], np.arange(len(centroids.sizes)))]


def _share_of_best(values: Floats, story: Ints, centroids: Centroids) -> Floats:
    best = np.zeros(len(centroids.sizes))
    np.maximum.at(best, story, values)
    return values / np.maximum(best[story], 1e-12)


def _earliness(when: Ints, story: Ints, sizes: Ints) -> Floats:
    """From 1 for the first document of a story to 0 for its last, by rank; documents of one time share a rank."""
    order = np.lexsort((when, story))
    stories, times = story[order], when[order]
    new = run_starts(stories, times)
    rank = np.empty(len(order))
    rank[order] = np.flatnonzero(new)[np.cumsum(new) - 1] - np.searchsorted(stories, stories)
    return 1 - rank / np.maximum(sizes[story] - 1, 1)


def _title_words(titles: Any, words: SurfaceWords) -> npt.NDArray[np.bool_]:
    return words.within(pc.binary_length(titles).fill_null(0).to_numpy().astype(np.int64))


def _focus(titles: Any, words: SurfaceWords, centroids: Centroids, story: Ints) -> Floats:
    """How much each title says about its story: the weights of its different words over the root of their number."""
    places = np.flatnonzero(_title_words(titles, words))
    rows, terms = words.rows[places], words.terms[places]
    order = np.lexsort((terms, rows))
    rows, terms = rows[order], terms[order]
    new = run_starts(rows, terms)
    rows, terms = rows[new], terms[new]
    sums = np.bincount(rows, weights=centroids.weights_of(story[rows], terms), minlength=len(story))
    return sums / np.sqrt(np.maximum(np.bincount(rows, minlength=len(story)), 1))


def _faults(titles: Any, words: SurfaceWords) -> Floats:
    faults = np.zeros(len(titles))
    for pattern, loss in ((_FURNITURE, FURNITURE), (_TRUNCATED, TRUNCATED), (_QUESTION, QUESTION)):
        found = pc.match_substring_regex(titles, pattern).fill_null(False)
        faults += loss * found.to_numpy(zero_copy_only=False)
    count = np.bincount(words.rows[_title_words(titles, words)], minlength=len(titles))
    return faults + SHORT * np.maximum(FEWEST_WORDS - count, 0)
