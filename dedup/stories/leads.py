"""The lead of a story: the document whose title says best what happened.

A lead stands in the middle of its story (centrality), its title names what the story is about (focus), it came early,
and several sources printed it (variety). What is no real title comes last: the name of a section («كاريكاتير»), which
stands over other documents too. Site furniture («- صحيفة المدى», «بالصور») and titles cut short cost a little.
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

#: What counts for a lead, each from 0 to 1 within its story.
CENTRALITY, FOCUS, EARLINESS, VARIETY = 1.5, 0.7, 0.25, 0.3
#: What a title with furniture loses, one that does not end, and one that only asks.
FURNITURE, TRUNCATED, QUESTION = 0.4, 0.4, 0.3
#: A title with fewer words than this, stop words apart, loses SHORT for each that is missing.
FEWEST_WORDS, SHORT = 4, 0.2
#: A title that stands over so many canonical documents is the name of a section.
SECTION = 3
#: Documents whose sources count in full: a wire that hundreds print is no better lead than one of eight sources.
MANY_SOURCES = 8

_OUTLET = r"(صحيفة|صحيفه|جريدة|جريده|موقع|وكالة|وكاله|قناة|قناه|شبكة|شبكه|بوابة|بوابه|مجلة|مجله)"
_TAG = r"(فيديو|بالفيديو|صور|بالصور|صورة|عاجل|شاهد|كاريكاتير|إنفوجرافيك|انفوجرافيك|إنفوغرافيك|انفوغرافيك)"
#: The outlet behind a dash, a tag set off from the title by signs or the end of it, what is left of a page's code (&quot;).
_FURNITURE = rf"[-–—|]\s*{_OUTLET}\s\S+(\s\S+){{0,3}}\s*$|(^|[-–—|:!.(\[«\"“]\s*){_TAG}\s*($|[-–—|:!.)\]»\"”])|^{_TAG}\s|&#?[a-z0-9]+;"
_QUESTION = r"[؟?]\s*[»\"”]?\s*$"
_TRUNCATED = r"(\.{2,}|…)\s*$"


def titles_as_sections(titles: Any) -> npt.NDArray[np.bool_]:
    """Which titles name a section: they stand over several of these documents, none a copy of another."""
    encoded = pc.utf8_trim_whitespace(titles.cast(pa.large_string())).combine_chunks().dictionary_encode()
    codes = encoded.indices.fill_null(len(encoded.dictionary)).to_numpy()
    counts = np.bincount(codes, minlength=len(encoded.dictionary) + 1)
    section: npt.NDArray[np.bool_] = (counts[codes] >= SECTION) & (codes < len(encoded.dictionary))
    return section


def choose_leads(
    titles: Any,
    words: SurfaceWords,
    profiles: Centroids,
    story: Ints,
    when: Ints,
    sources: Ints,
    headline: npt.NDArray[np.bool_],
    section: npt.NDArray[np.bool_],
) -> Ints:
    """The row of each story's lead.

    Parameters
    ----------
    titles : Arrow text column; words : of title and text of the same documents
    story : int64[n], stories numbered from 0, none empty
    when : int64[n], times of publication, unknown ones last
    sources : int64[n], different sources of each document and its copies
    headline, section : bool[n], documents that are a headline, titles that name a section

    Returns
    -------
    int64[n_stories]; of documents of equal worth the first published, then the first
    """
    has_title = pc.greater(pc.binary_length(titles), 0).fill_null(False).to_numpy(zero_copy_only=False)
    n = len(story)
    ties = np.arange(n)
    score = (
        CENTRALITY * _share_of_best(profiles.centrality, story, profiles)
        + FOCUS * _share_of_best(_focus(titles, words, profiles, story), story, profiles)
        + EARLINESS * _earliness(when, story, profiles.sizes)
        + VARIETY * np.log2(np.clip(sources, 1, MANY_SOURCES)) / np.log2(MANY_SOURCES)
        - _faults(titles, words)
    )
    order = np.lexsort((ties, when, -np.round(score, 6), headline, section, ~has_title, story))
    return order[np.searchsorted(story[order], np.arange(len(profiles.sizes)))]


def _share_of_best(values: Floats, story: Ints, profiles: Centroids) -> Floats:
    best = np.zeros(len(profiles.sizes))
    np.maximum.at(best, story, values)
    return values / np.maximum(best[story], 1e-12)


def _earliness(when: Ints, story: Ints, sizes: Ints) -> Floats:
    """From 1 for the first documents of a story down to 0 for its last, by how many were published before each."""
    order = np.lexsort((when, story))
    stories, times = story[order], when[order]
    new = run_starts(stories, times)
    rank = np.empty(len(order))
    rank[order] = np.flatnonzero(new)[np.cumsum(new) - 1] - np.searchsorted(stories, stories)
    return 1 - rank / np.maximum(sizes[story] - 1, 1)


def _title_words(titles: Any, words: SurfaceWords) -> npt.NDArray[np.bool_]:
    return words.within(pc.binary_length(titles).fill_null(0).to_numpy().astype(np.int64))


def _focus(titles: Any, words: SurfaceWords, profiles: Centroids, story: Ints) -> Floats:
    """How much each title says of its story: the weights of its different words, over the root of their number."""
    places = np.flatnonzero(_title_words(titles, words))
    rows, terms = words.rows[places], words.terms[places]
    order = np.lexsort((terms, rows))
    rows, terms = rows[order], terms[order]
    new = run_starts(rows, terms)
    rows, terms = rows[new], terms[new]
    sums = np.bincount(rows, weights=profiles.weights_of(story[rows], terms), minlength=len(story))
    return sums / np.sqrt(np.maximum(np.bincount(rows, minlength=len(story)), 1))


def _faults(titles: Any, words: SurfaceWords) -> Floats:
    faults = np.zeros(len(titles))
    for pattern, loss in ((_FURNITURE, FURNITURE), (_TRUNCATED, TRUNCATED), (_QUESTION, QUESTION)):
        found = pc.match_substring_regex(titles, pattern).fill_null(False)
        faults += loss * found.to_numpy(zero_copy_only=False)
    count = np.bincount(words.rows[_title_words(titles, words)], minlength=len(titles))
    return faults + SHORT * np.maximum(FEWEST_WORDS - count, 0)
