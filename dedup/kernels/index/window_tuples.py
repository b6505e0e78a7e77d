"""Named tuples of arrays that the kernels of online stories take: documents, the window, search limits.

``index/window_arrays.py`` owns the arrays of the window and replaces the tuple when they grow.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class TermRows(NamedTuple):
    """Terms of documents: uint64 hashes, rows by int64[n + 1] offsets; ``letters`` only of headlines."""

    titles: Any
    title_offsets: Any
    bodies: Any
    body_offsets: Any
    letters: Any
    letter_offsets: Any


class Weighting(NamedTuple):
    """How often title words count, body words read, weight of letters, known share of a native document."""

    title_weight: float
    lead_words: int
    letters: float
    native: float


class KnownTerms(NamedTuple):
    """Background counts: hash table ``keys`` uint64 (flags 0), ``counts`` int64; ``documents`` in all."""

    keys: Any
    counts: Any
    documents: int


class Documents(NamedTuple):
    """Vectors as ``weigh_rows`` returns them; ``times`` float64[n], seconds; ``headlines`` bool[n]."""

    terms: Any
    weights: Any
    words: Any
    lengths: Any
    native: Any
    times: Any
    headlines: Any


class SearchLimits(NamedTuple):
    """Postings read for one document, and the score in them from which a row is compared in full."""

    postings: int
    score: float


class Window(NamedTuple):
    """The documents of a window; capacities exceed what is in use.

    A *column* is the number of a term; its posting list is a stretch of a shared pool. Rows of one
    story are linked from the newest to the oldest.
    """

    #: Hash table of terms and the column of each, see ``slot_of``.
    table: Any
    columns: Any
    #: int32[n_columns, 3]: where the posting list begins in the pool, its length, its capacity.
    lists: Any
    #: int32[n_columns, 2]: native and other documents with the term that are still in the window.
    live: Any
    #: The pool: int32 rows and float32 weights.
    posting_rows: Any
    posting_weights: Any
    #: [n_rows, TERMS]: the vector of each document; int32[n_rows]: its length, and how many are
    #: words.
    row_columns: Any
    row_weights: Any
    row_lengths: Any
    row_words: Any
    natives: Any
    headlines: Any
    #: float64[n_rows], seconds.
    times: Any
    #: int64[n_rows]: the story, -1 once the document is dropped; the next older row of the story,
    #: -1 if none.
    story: Any
    older: Any
    #: int64[n_rows]: the number by which the caller knows the document.
    numbers: Any
    #: int64[n_stories]: the newest row, -1 if none, and the number by which the caller knows the
    #: story.
    newest: Any
    names: Any
    #: int32[8192], a ring: documents by hour.
    hours: Any
    #: int64[3]: native documents with words, other documents with words, documents with letters.
    documents: Any
    #: Scratch by column, by row and by story; all but ``touched`` and ``likes`` are zeros between
    #: calls.
    dense: Any
    wanted: Any
    scores: Any
    touched: Any
    likes: Any
    sums: Any
