"""Finds the stories of a corpus, from scratch or continuing those of a base.

Stories of the base stay as they are unless they gain documents or copies. Only new documents and
stories within their time window are clustered, so a day's cost does not grow with history.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..arrays.rows import Ints
from ..config import Config
from ..copies.find import Copies
from ..schema import DAY
from ..stories import cluster
from ..stories.describe import StoryTable, describe_stories
from ..stories.vectors import Vectors, story_rows, vectorize
from ..text.document_frequencies import DocumentFrequencies
from ..text.lexicon import title_stop_terms
from .base_run import BaseRun
from .corpus import Corpus
from .incremental import Continuation, active_stories, continue_stories, story_events


@dataclass(frozen=True, eq=False)
class FoundStories:
    """``stories`` an Arrow table, ``schema.STORIES``; ``story_ids`` an Arrow array, the story id of each document.

    ``events``: rows for ``incremental.events_table``; ``counts``: what a run with a base adds to
    the manifest's counts.
    """

    stories: Any
    story_ids: Any
    events: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


def find_stories(
    corpus: Corpus, copies: Copies, known: DocumentFrequencies, config: Config, earlier: BaseRun | None, threads: int
) -> FoundStories:
    """Find the stories of a corpus.

    Parameters
    ----------
    known : background counts, by which words are weighed together with the corpus
    earlier : the base whose stories are continued, or None
    """
    if earlier is None:
        rows = np.flatnonzero(copies.survivors.kept())
        vectors = _vectors(corpus, copies, rows, known, config, threads)
        labels = _cluster(corpus, vectors, rows, config, threads)
        # An extended document stays with what it extends.
        labels = labels[np.searchsorted(rows, copies.survivors.roots()[rows])]
        described_table = describe_stories(corpus.documents, corpus.leads, vectors, rows, labels, copies.survivors.canonical)
        return FoundStories(described_table.stories, _story_ids_of(described_table.stories, described_table.story_of))
    return _continue_base(corpus, copies, known, config, earlier, threads)


def _continue_base(
    corpus: Corpus, copies: Copies, known: DocumentFrequencies, config: Config, earlier: BaseRun, threads: int
) -> FoundStories:
    n, n_old, n_stories = len(copies), len(earlier), earlier.stories.num_rows
    new, kept, roots = np.arange(n) >= n_old, copies.survivors.kept(), copies.survivors.roots()
    story_of = np.full(n, -1, np.int64)
    story_of[:n_old] = earlier.story_of()
    times = corpus.seconds()
    # A new document that extends an old one is in its story before anything is clustered.
    settled = new & (roots < n_old)
    story_of[settled] = story_of[roots[settled]]
    old_kept = kept & ~new
    active = active_stories(story_of[old_kept], times[old_kept], times[kept & new & ~settled], config.stories.window_days * DAY, n_stories)
    # A story outside the window gets no other document, but it may get these and copies.
    joined = np.zeros(n_stories, bool)
    joined[story_of[settled]] = True
    # A document without a story has -1, which takes the appended True.
    rows = np.flatnonzero(kept & np.append(active | joined, True)[story_of])
    vectors = _vectors(corpus, copies, rows, known, config, threads)

    clustered = np.flatnonzero(np.append(active, True)[story_of[rows]])
    near = rows[clustered]
    labels = _cluster(corpus, _subset(vectors, clustered), near, config, threads)
    unsettled = np.flatnonzero(new[near] & ~settled[near])
    labels[unsettled] = labels[np.searchsorted(near, roots[near[unsettled]])]
    continued = continue_stories(labels, story_of[near], _seniority(earlier.stories))
    story_of[near] = continued.stories
    story_of[n_old:] = story_of[copies.survivors.canonical[n_old:]]
    stories = _describe_again(corpus, copies, vectors, rows, story_of, earlier)
    ids = stories.column("story_id").to_pylist()
    events = story_events(continued.changes, corpus.documents, near, ids)
    counts = _manifest_counts(continued, story_of[n_old:], n_stories, len(near)) | {"new_undated": int(np.isnan(times[kept & new]).sum())}
    return FoundStories(stories, _story_ids_of(stories, story_of), events, counts)


def _describe_again(corpus: Corpus, copies: Copies, vectors: Vectors, rows: Ints, story_of: Ints, earlier: BaseRun) -> Any:
    """All stories, old ones first; those with new documents are described again, from ``vectors`` of ``rows``."""
    n_stories, touched = earlier.stories.num_rows, np.unique(story_of[len(earlier) :])
    if not len(touched):
        return earlier.stories
    members = np.flatnonzero(np.isin(story_of, touched))
    canonicals = members[copies.survivors.canonical[members] == members]
    described_table: StoryTable = describe_stories(
        corpus.documents.take(pa.array(members)),
        corpus.leads.take(pa.array(members)),
        _subset(vectors, np.searchsorted(rows, canonicals)),
        np.searchsorted(members, canonicals),
        np.searchsorted(touched, story_of[canonicals]),
        np.searchsorted(members, copies.survivors.canonical[members]),
    )
    place = np.empty(len(touched), np.int64)  # the row of each touched story in the described table
    place[np.searchsorted(touched, story_of[members])] = described_table.story_of
    described = described_table.stories.take(pa.array(place))
    old = touched[touched < n_stories]
    kept = earlier.stories.column("story_id").take(pa.array(old)).combine_chunks()
    ids = pa.concat_arrays([kept, described.column("story_id").combine_chunks()[len(old) :]])
    described = described.set_column(described.schema.get_field_index("story_id"), described.schema.field("story_id"), ids)
    order = np.arange(max(n_stories, int(touched[-1]) + 1))
    order[touched] = n_stories + np.arange(len(touched))
    return pa.concat_tables([earlier.stories, described]).take(pa.array(order)).combine_chunks()


def _vectors(corpus: Corpus, copies: Copies, rows: Ints, known: DocumentFrequencies, config: Config, threads: int) -> Vectors:
    """The vectors of some documents, int64[n] rows."""
    headline, fingerprints = corpus.is_headline()[rows], corpus.fingerprints
    titles, bodies, letters = story_rows(
        fingerprints.terms,
        fingerprints.title_terms,
        fingerprints.title_shingles,
        rows,
        headline,
        copies.short[rows],
        title_stop_terms(),
        config.stories,
    )
    vectors = vectorize(titles, bodies, letters, known, config.stories)
    if not headline.any():
        return vectors
    # A first clustering of the headlines: those of one event count once in document frequencies.
    stories, headlines = np.arange(len(rows)), np.flatnonzero(headline)
    stories[headlines] = headlines[_cluster(corpus, _subset(vectors, headlines), rows[headlines], config, threads)]
    if np.array_equal(stories, np.arange(len(rows))):
        return vectors
    return vectorize(titles, bodies, letters, known, config.stories, stories)


def _cluster(corpus: Corpus, vectors: Vectors, rows: Ints, config: Config, threads: int) -> Ints:
    labels: Ints = cluster(vectors.matrix, corpus.seconds()[rows], corpus.is_headline()[rows], config.stories, threads=threads)
    return labels


def _subset(vectors: Vectors, places: Ints) -> Vectors:
    return replace(vectors, matrix=vectors.matrix[places])


def _story_ids_of(stories: Any, story_of: Ints) -> Any:
    """Arrow array: the story id of each document."""
    ids = stories.column("story_id").take(pa.array(story_of))
    return ids.combine_chunks() if isinstance(ids, pa.ChunkedArray) else ids


def _seniority(stories: Any) -> Ints:
    """int64[n_stories]: ranks, the first published first, then by id; undated stories last."""
    order = pc.sort_indices(stories, sort_keys=[("first_published", "ascending"), ("story_id", "ascending")]).to_numpy()
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    return ranks


def _manifest_counts(continued: Continuation, story_of_new: Ints, n_stories: int, clustered: int) -> dict[str, int]:
    joined = np.unique(story_of_new[story_of_new < n_stories])
    return {"clustered": clustered, "stories_continued": len(joined), "stories_founded": continued.count - n_stories}
