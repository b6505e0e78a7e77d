"""Clusters to the table of stories: lead, title, times, sources, keywords, cohesion, and ids that last."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from .keywords import keywords
from .schema import STORIES, TIMESTAMP
from .vectors import Vectors

Ints = npt.NDArray[np.int64]
#: Keywords listed for a story.
KEYWORDS = 8


@dataclass(frozen=True, eq=False)
class Storybook:
    """``stories`` an Arrow table, ``schema.STORIES``; ``story_of`` int64[n_documents], the row of each one's story."""

    stories: Any
    story_of: Ints


def tell(documents: Any, leads: Any, vectors: Vectors, canonicals: Ints, labels: Ints, canonical_of: Ints) -> Storybook:
    """Describe each story.

    Parameters
    ----------
    documents : Arrow table of all documents (``doc_id``, ``title``, ``published``, ``source``, ``role``)
    leads : Arrow text column, title and lead of each document
    vectors, labels : of the canonical documents, whose rows are ``canonicals``
    canonical_of : int64[n_documents], the row of each document's canonical
    """
    _, story = np.unique(labels, return_inverse=True)
    n_stories = int(story.max(initial=-1)) + 1
    story_of = np.empty(len(canonical_of), np.int64)
    story_of[canonicals] = story
    story_of = story_of[canonical_of]
    # Members by time, undated last, then in input order.
    when = documents.column("published").cast(pa.int64()).fill_null(np.iinfo(np.int64).max).to_numpy()
    order = np.lexsort((np.arange(len(story_of)), when, story_of))
    offsets = np.searchsorted(story_of[order], np.arange(n_stories + 1))
    centrality, cohesion = _cohesion(vectors, story, n_stories)
    lead = _leads(documents, canonicals, story, centrality, when)
    ids = documents.column("doc_id").to_pylist()
    sources = documents.column("source").to_pylist()
    members = [order[offsets[i] : offsets[i + 1]] for i in range(n_stories)]
    dated = [rows[when[rows] != np.iinfo(np.int64).max] for rows in members]
    is_canonical = canonical_of == np.arange(len(canonical_of))
    n_canonical = np.bincount(story_of[is_canonical], minlength=n_stories)
    terms = _best_terms(vectors, story, n_stories)
    by_story = np.argsort(story, kind="stable")
    story_offsets = np.searchsorted(story[by_story], np.arange(n_stories + 1))
    # A story is numbered by its first member, so that a run on the same input lists them alike.
    table = pa.table(
        {
            "story_id": pa.array([story_id(ids[rows[0]]) for rows in members], pa.string()),
            "title": documents.column("title").take(pa.array(lead)),
            "lead_id": documents.column("doc_id").take(pa.array(lead)),
            "first_published": pa.array([int(when[rows[0]]) if len(rows) else None for rows in dated], pa.int64()).cast(TIMESTAMP),
            "last_published": pa.array([int(when[rows[-1]]) if len(rows) else None for rows in dated], pa.int64()).cast(TIMESTAMP),
            "documents": pa.array(n_canonical, pa.int32()),
            "copies": pa.array(np.diff(offsets) - n_canonical, pa.int32()),
            "sources": pa.array([sorted({sources[row] for row in rows} - {None}) for rows in members], pa.list_(pa.string())),
            "keywords": pa.array(keywords(leads, canonicals[by_story], terms, story_offsets), pa.list_(pa.string())),
            "members": pa.array([[ids[row] for row in rows] for rows in members], pa.list_(pa.string())),
            "cohesion": pa.array(cohesion, pa.float32()),
        },
        schema=STORIES,
    )
    return Storybook(table, story_of)


def story_id(founder: str) -> str:
    """The id of the story whose earliest document is ``founder``: the same document, the same id."""
    return "s" + hashlib.sha256(founder.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _cohesion(vectors: Vectors, story: Ints, n_stories: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Mean cosine of each document with the others of its story, and the mean of that over each story; 1 for one alone."""
    from scipy import sparse

    n = len(story)
    member = sparse.csr_matrix((np.ones(n, np.float32), (story, np.arange(n))), shape=(n_stories, n))
    sums = (member @ vectors.matrix).tocsr()
    sizes = np.bincount(story, minlength=n_stories)
    with_all = np.asarray(vectors.matrix.multiply(sums[story]).sum(axis=1)).ravel()
    own = np.asarray(vectors.matrix.multiply(vectors.matrix).sum(axis=1)).ravel()
    others = sizes[story] - 1
    centrality = np.where(others > 0, (with_all - own) / np.maximum(others, 1), 1.0)
    cohesion = np.bincount(story, weights=centrality, minlength=n_stories) / np.maximum(sizes, 1)
    return centrality, cohesion


def _leads(documents: Any, canonicals: Ints, story: Ints, centrality: npt.NDArray[np.float64], when: Ints) -> Ints:
    """The lead document of each story: one with a title, an article before a headline, most central, then earliest."""
    has_title = pc.is_valid(documents.column("title")).to_numpy(zero_copy_only=False)[canonicals]
    is_headline = pc.equal(documents.column("role"), "headline").to_numpy(zero_copy_only=False)[canonicals]
    order = np.lexsort((canonicals, when[canonicals], -np.round(centrality, 2), is_headline, ~has_title, story))
    first = np.ones(len(order), bool)
    first[1:] = story[order[1:]] != story[order[:-1]]
    lead: Ints = canonicals[order[first]]
    return lead


def _best_terms(vectors: Vectors, story: Ints, n_stories: int) -> list[npt.NDArray[np.uint64]]:
    """The heaviest terms of each story that are no numbers; where there are several documents, those of two or more."""
    from scipy import sparse

    n = len(story)
    member = sparse.csr_matrix((np.ones(n, np.float32), (story, np.arange(n))), shape=(n_stories, n))
    sums = (member @ vectors.matrix).tocsr()
    presence = vectors.matrix.copy()
    presence.data[:] = 1
    spread = (member @ presence).tocsr()
    sums.sort_indices()
    spread.sort_indices()
    sizes = np.bincount(story, minlength=n_stories)
    best = []
    for row in range(n_stories):
        span = slice(sums.indptr[row], sums.indptr[row + 1])
        columns, weights = sums.indices[span], sums.data[span]
        word = (vectors.terms[columns] & np.uint64(1)) == 0
        common = spread.data[span] >= min(2, sizes[row])
        order = np.lexsort((columns, -(weights * np.where(common, 1.0, 0.1) * word)))[:KEYWORDS]
        best.append(vectors.terms[columns[order][word[order]]])
    return best
