"""Describes each cluster: lead, title, timeline, sources, agency, keywords, cohesion, and a stable id.

Works in blocks, so that memory does not grow with the number of stories. A description depends on
the story's own documents only, except for names of sections, which are found in all documents.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ..arrays.rows import Ints, run_starts
from ..schema import STORIES, TIMESTAMP
from .centroids import Centroids, Terms
from .keywords import CANDIDATES, keywords, plain_terms
from .leads import choose_leads, titles_as_sections
from .surface_words import SurfaceWords
from .vectors import Vectors

#: Canonical documents described at a time.
BLOCK = 1 << 14
#: Microseconds of the window by which the peak of a story is found.
PEAK = 6 * 3_600_000_000
#: A story has an agency if at least this share of its documents, copies included, name the same
#: one.
AGENCY = 1 / 3
_UNDATED = np.iinfo(np.int64).max


@dataclass(frozen=True, eq=False)
class StoryTable:
    """``stories`` an Arrow table, ``schema.STORIES``; ``story_of`` int64[n_documents], the row of each document's story."""

    stories: Any
    story_of: Ints


def describe_stories(documents: Any, leads: Any, vectors: Vectors, canonicals: Ints, labels: Ints, canonical_of: Ints) -> StoryTable:
    """Describe each story.

    Parameters
    ----------
    documents : Arrow table of all documents (``doc_id``, ``title``, ``published``, ``source``,
        ``role``, ``agency``)
    leads : Arrow text column, title and lead of each document
    vectors : of the canonical documents
    canonicals : int64[n_canonicals], their rows
    labels : int64[n_canonicals], the cluster of each
    canonical_of : int64[n_documents], the row of each document's canonical
    """
    # Stories are in the order of their labels (the first canonical), so that the same input gives
    # the same order.
    _, story = np.unique(labels, return_inverse=True)
    n_stories = int(story.max(initial=-1)) + 1
    story_of = np.empty(len(canonical_of), np.int64)
    story_of[canonicals] = story
    story_of = story_of[canonical_of]
    # Members by time, undated ones last, then by id: the first one names the story, whatever the
    # order of the input.
    when = documents.column("published").cast(pa.int64()).fill_null(_UNDATED).to_numpy()
    ids = documents.column("doc_id").combine_chunks()
    ranks = np.empty(len(ids), np.int64)
    ranks[pc.array_sort_indices(ids).to_numpy()] = np.arange(len(ids))
    order = np.lexsort((ranks, when, story_of))
    offsets = np.searchsorted(story_of[order], np.arange(n_stories + 1)).astype(np.int32)
    lead, words, cohesion = _leads_keywords_cohesion(documents, leads, vectors, canonicals, story, canonical_of, when, n_stories)
    n_canonical = np.bincount(story, minlength=n_stories)
    first, peak, last = _timeline(when[order], offsets)
    sources, source_documents = _source_lists(documents.column("source"), story_of, n_stories)
    founders = ids.take(pa.array(order[offsets[:-1]])).to_pylist()
    table = pa.table(
        {
            "story_id": pa.array([story_id(founder) for founder in founders], pa.string()),
            "title": documents.column("title").take(pa.array(lead)),
            "lead_id": ids.take(pa.array(lead)),
            "first_published": first,
            "peak_published": peak,
            "last_published": last,
            "documents": pa.array(n_canonical, pa.int32()),
            "copies": pa.array(np.diff(offsets) - n_canonical, pa.int32()),
            "sources": sources,
            "source_documents": source_documents,
            "agency": _agencies(documents.column("agency"), story_of, np.diff(offsets)),
            "keywords": pa.array(words, pa.list_(pa.string())),
            "members": pa.ListArray.from_arrays(pa.array(offsets), ids.take(pa.array(order))),
            "cohesion": pa.array(cohesion, pa.float32()),
        },
        schema=STORIES,
    )
    return StoryTable(table, story_of)


def story_id(founder: str) -> str:
    """The id of a story from the ``doc_id`` of its earliest document."""
    return "s" + hashlib.sha256(founder.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _leads_keywords_cohesion(
    documents: Any, leads: Any, vectors: Vectors, canonicals: Ints, story: Ints, canonical_of: Ints, when: Ints, n_stories: int
) -> tuple[Ints, list[list[str]], npt.NDArray[np.float64]]:
    """The row of each story's lead, its keywords and its cohesion."""
    lead, cohesion, listed = np.empty(n_stories, np.int64), np.empty(n_stories), []
    terms = Terms.of(vectors.terms, plain_terms())
    n_sources = _sources_of_copies(documents.column("source"), canonical_of)
    titles = documents.column("title").take(pa.array(canonicals))
    sections = titles_as_sections(titles)
    headline = pc.equal(documents.column("role"), "headline").to_numpy(zero_copy_only=False)
    by_story = np.argsort(story, kind="stable")
    offsets = np.searchsorted(story[by_story], np.arange(n_stories + 1))
    for begin, end in _blocks(offsets):
        chosen = by_story[offsets[begin] : offsets[end]]
        rows, own = canonicals[chosen], story[chosen] - begin
        words = SurfaceWords.of(leads.take(pa.array(rows)))
        centroids = Centroids.of(vectors.matrix[chosen], terms, own, end - begin)
        block_titles = titles.take(pa.array(chosen)).combine_chunks()
        best = choose_leads(block_titles, words, centroids, own, when[rows], n_sources[rows], headline[rows], sections[chosen])
        lead[begin:end] = rows[best]
        cohesion[begin:end] = centroids.cohesion(own)
        listed += keywords(words, own, *centroids.heaviest(CANDIDATES), end - begin)
    return lead, listed, cohesion


def _blocks(offsets: Ints) -> list[tuple[int, int]]:
    """Runs of stories with about BLOCK documents each; a larger story is a block of its own."""
    ends = [0]
    while ends[-1] < len(offsets) - 1:
        end = int(np.searchsorted(offsets, offsets[ends[-1]] + BLOCK, "right")) - 1
        ends.append(max(end, ends[-1] + 1))
    return list(pairwise(ends))


def _timeline(when: Ints, offsets: npt.NDArray[np.int32]) -> tuple[Any, Any, Any]:
    """First, peak and last time of each story, null if no document has one; ``when`` is sorted within each story.

    The peak begins the window of six hours with most documents, copies included; of equal ones, the
    first.
    """
    sizes = np.diff(offsets)
    story = np.repeat(np.arange(len(sizes)), sizes)
    dated = when != _UNDATED
    last = np.maximum(offsets[:-1] + np.bincount(story, weights=dated, minlength=len(sizes)).astype(np.int64) - 1, offsets[:-1])
    none = ~dated[offsets[:-1]]
    # Times and ends of their windows in one order: an end comes after the times that it includes.
    times, stories = when[dated], story[dated]
    n = len(times)
    order = np.lexsort((np.repeat([0, 1], n), np.concatenate([times, times + PEAK]), np.tile(stories, 2)))
    is_end = order >= n
    until = np.empty(n, np.int64)
    until[order[is_end] - n] = np.cumsum(~is_end)[is_end]
    within = until - np.arange(n)
    fullest = np.lexsort((np.arange(n), -within, stories))
    peak = np.zeros(len(sizes), np.int64)
    peak[~none] = times[fullest[np.searchsorted(stories[fullest], np.flatnonzero(~none))]]
    columns = when[offsets[:-1]], peak, when[last]
    first, middle, end = (pa.array(np.where(none, 0, column), pa.int64(), mask=none).cast(TIMESTAMP) for column in columns)
    return first, middle, end


def _source_lists(column: Any, story_of: Ints, n_stories: int) -> tuple[Any, Any]:
    """The sources of each story, and the documents of each source: most documents first, then by name."""
    names, stories, numbers, counts = _names_by_story(column, story_of)
    offsets = pa.array(np.searchsorted(stories, np.arange(n_stories + 1)).astype(np.int32))
    listed = names.take(pa.array(numbers)), pa.array(counts.astype(np.int32))
    lists: tuple[Any, Any] = tuple(pa.ListArray.from_arrays(offsets, values) for values in listed)
    return lists


def _names_by_story(column: Any, story_of: Ints) -> tuple[Any, Ints, Ints, Ints]:
    """Count the names in a column by story: (names, sorted; stories, numbers of names, documents).

    By story, then most documents first, then by name.
    """
    encoded = column.combine_chunks().dictionary_encode()
    names = encoded.dictionary.take(pc.sort_indices(encoded.dictionary))
    codes = pc.index_in(column.combine_chunks(), names)
    rows = np.flatnonzero(codes.is_valid().to_numpy(zero_copy_only=False))
    n = max(len(names), 1)
    keys, counts = np.unique(story_of[rows] * n + codes.fill_null(0).to_numpy()[rows], return_counts=True)
    stories, numbers = np.divmod(keys, n)
    order = np.lexsort((numbers, -counts, stories))
    return names, stories[order], numbers[order], counts[order]


def _sources_of_copies(column: Any, canonical_of: Ints) -> Ints:
    """int64[n_documents]: different sources of each canonical and its copies."""
    encoded = column.combine_chunks().dictionary_encode()
    n = len(encoded.dictionary) + 1
    pairs = np.unique(canonical_of * n + encoded.indices.fill_null(n - 1).to_numpy())
    return np.bincount(pairs // n, minlength=len(canonical_of))


def _agencies(column: Any, story_of: Ints, sizes: Ints) -> Any:
    """The wire service that most documents of each story name; null below ``AGENCY``."""
    names, stories, numbers, counts = _names_by_story(column, story_of)
    first = np.flatnonzero(run_starts(stories))
    first = first[counts[first] >= AGENCY * sizes[stories[first]]]
    agency = np.full(len(sizes), -1, np.int64)
    agency[stories[first]] = numbers[first]
    return names.take(pa.array(agency, mask=agency < 0))
