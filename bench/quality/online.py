"""Stories of documents in order of publication against those of one run. Copies come from the run, so stories alone differ."""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

import dedup
from bench.quality.scores import Row, Tables, agreement, f1, story_of_url
from dedup import Config
from dedup.arrays.rows import take_rows
from dedup.fingerprints.fingerprint import fingerprint
from dedup.index.story_window import StoryWindow, VectorRows
from dedup.schema import DAY
from dedup.stories.vectors import without_terms
from dedup.text.document_frequencies import background_of
from dedup.text.lexicon import title_stop_terms

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Stream:
    """Canonical documents in order of publication: inputs of their vectors, seconds, headline flags, rows in the run."""

    titles: Any
    bodies: Any
    letters: Any
    times: npt.NDArray[np.float64]
    headline: npt.NDArray[np.bool_]
    rows: Ints

    def vectors(self, window: StoryWindow, block: slice) -> VectorRows:
        """Vectors of a block, weighed by the window."""
        rows = [(values, offsets[block.start : block.stop + 1]) for values, offsets in (self.titles, self.bodies, self.letters)]
        return window.rows(*rows)


@dataclass(frozen=True, eq=False)
class Replay:
    """``stories`` int64[n] as assigned; ``merges`` (document, story, other); seconds a document; the window at the end."""

    stories: Ints
    merges: list[tuple[int, int, int]]
    seconds: float
    window: StoryWindow

    def merged(self) -> Ints:
        """The stories after all merges."""
        parent = {int(story): int(story) for story in np.unique(self.stories)}

        def root(story: int) -> int:
            while parent[story] != story:
                story = parent[story]
            return story

        for _, story, other in self.merges:
            one, two = sorted((root(story), root(other)))
            parent[two] = one
        return np.array([root(story) for story in self.stories.tolist()], np.int64)


def report(result: dedup.Result, gold: list[Row], block: int = 500) -> Tables:
    """Stories of documents as they come against those of one run: agreement with labels, microseconds a document, merges."""
    stream, canonical = stream_of(result, Config())
    replay(stream, Config(), block, most=2 * block)  # compiles the kernels
    replayed = replay(stream, Config(), block)
    position = np.full(len(canonical), -1, np.int64)
    position[stream.rows] = np.arange(len(stream.rows))
    batch = result.documents.column("story_id").to_pylist()
    rows = []
    for name, stories in (
        ("one run", batch),
        ("online", replayed.stories[position[canonical]].tolist()),
        ("online, after merges", replayed.merged()[position[canonical]].tolist()),
    ):
        against = f1([batch[row] for row in stream.rows.tolist()], [stories[row] for row in stream.rows.tolist()])
        counted = {"stories": name, "number": len(set(stories)), "F1 against one run": against}
        rows.append(counted | agreement(story_of_url(result, stories), gold))
    begun = time.perf_counter()
    review = Counter(finding.event for finding in replayed.window.review())
    last = {"event": "seconds of the review", "number": round(time.perf_counter() - begun, 1)}
    title = f"{len(stream.rows):,} canonical documents, {replayed.seconds * 1e6:.0f} microseconds each, {len(replayed.merges)} merges"
    return {title: rows, "review of the last window": [*({"event": name, "number": n} for name, n in review.items()), last]}


def stream_of(result: dedup.Result, config: Config) -> tuple[Stream, Ints]:
    """The canonical documents of a run, and the row of each document's canonical."""
    documents = result.documents
    names = documents.column("doc_id").to_pylist()
    row_of = {name: row for row, name in enumerate(names)}
    canonical = np.array([row_of[name] for name in documents.column("canonical_id").to_pylist()], np.int64)
    times = documents.column("published").cast(pa.int64()).to_numpy(zero_copy_only=False).astype(float) / 1e6
    rows = np.flatnonzero(canonical == np.arange(len(canonical)))
    rows = rows[np.lexsort((rows, np.nan_to_num(times[rows], nan=-np.inf)))]
    fingerprints = fingerprint(_texts_of(result, rows), documents.column("title").take(pa.array(rows)), config)
    headline = pc.equal(documents.column("role"), "headline").to_numpy(zero_copy_only=False)[rows]
    judged, every = ~(headline & (fingerprints.title_words < config.text.min_headline_words)), np.arange(len(rows))
    all_of_it, earliest = np.iinfo(np.int64).max, min(times[~np.isnan(times)], default=0.0)
    titles = take_rows(*fingerprints.title_terms, every, np.where(judged, all_of_it, 0))
    return Stream(
        without_terms(titles, title_stop_terms()),
        take_rows(*fingerprints.terms, every, np.where(headline, 0, config.stories.lead_words)),
        take_rows(*fingerprints.title_shingles, every, np.where(headline & judged, all_of_it, 0)),
        np.where(np.isnan(times[rows]), earliest, times[rows]),
        headline,
        rows,
    ), canonical


def _texts_of(result: dedup.Result, rows: Ints) -> Any:
    if result.texts is None:
        sys.exit("the run kept no texts")
    texts = result.texts.read()
    row_of = {name: row for row, name in enumerate(texts.column("doc_id").to_pylist())}
    names = result.documents.column("doc_id").take(pa.array(rows)).to_pylist()
    return texts.column("text").take(pa.array([row_of[name] for name in names])).combine_chunks()


def replay(stream: Stream, config: Config, block: int, most: int | None = None) -> Replay:
    """Assign documents to stories, a block at a time; a new story has the number of its first document."""
    n = min(len(stream.rows), most or len(stream.rows))
    window = StoryWindow(background_of(config.stories.background), config.stories)
    stories, merges = np.empty(n, np.int64), []
    begun = time.perf_counter()
    for first in range(0, n, block):
        part = slice(first, min(first + block, n))
        numbers = np.arange(part.start, part.stop)
        window.forget_before(stream.times[first] - config.stories.window_days * DAY)
        placed, merged = window.assign(stream.vectors(window, part), numbers, stream.times[part], stream.headline[part], numbers)
        stories[part] = np.where(placed < 0, numbers, placed)
        merges += [(first + row, story, other) for row, story, other in merged]
    return Replay(stories, merges, (time.perf_counter() - begun) / max(n, 1), window)
