"""Stories of documents as they arrive against those of one run: agreement with readers, seconds a document, events told.

    python -m bench.online_stories CORPUS [--gold GOLD.jsonl] [--block 500] [--review]

Copies come from one ``dedup.run`` over CORPUS, so that stories alone differ; its canonical documents go through
``dedup.index.stories_online.StoryWindow`` in order of publication, undated ones first, ``--block`` at a time (1: proposed and
added one by one). GOLD has lines with ``url``, ``story`` and ``sure``. *Told merges applied* is what a reader of the events would hold
for one story. ``--review`` clusters the last window by the batch rules and counts what differs.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

import dedup
from dedup import Config
from dedup.arrays.rows import take_rows
from dedup.fingerprints.fingerprint import fingerprint
from dedup.index.story_window import StoryWindow, VectorRows
from dedup.schema import DAY
from dedup.stories.evaluate import bcubed, harmonic
from dedup.stories.vectors import without_terms
from dedup.text.document_frequencies import background_of
from dedup.text.normalization import deciding_words, stop_words, term_hashes

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Stream:
    """Canonical documents in order of publication: what vectors are made of, times in seconds, headlines, rows in the run."""

    titles: Any
    bodies: Any
    letters: Any
    times: npt.NDArray[np.float64]
    headline: npt.NDArray[np.bool_]
    rows: Ints

    def vectors(self, window: StoryWindow, block: slice) -> VectorRows:
        """Vectors of some of them, as the window weighs their words."""
        titles, bodies, letters = (
            (values, offsets[block.start : block.stop + 1]) for values, offsets in (self.titles, self.bodies, self.letters)
        )
        return window.rows(titles, bodies, letters)


@dataclass(frozen=True, eq=False)
class Replay:
    """``stories`` int64[n] as given; ``merges`` (document, story, other) as told; seconds a document; the window at the end."""

    stories: Ints
    merges: list[tuple[int, int, int]]
    seconds: float
    window: StoryWindow

    def merged(self) -> Ints:
        """The stories, those told to be one counted as one."""
        parent = {int(story): int(story) for story in np.unique(self.stories)}

        def root(story: int) -> int:
            while parent[story] != story:
                story = parent[story]
            return story

        for _, story, other in self.merges:
            one, two = sorted((root(story), root(other)))
            parent[two] = one
        return np.array([root(story) for story in self.stories.tolist()], np.int64)


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus")
    parser.add_argument("--gold", help="JSON lines with url, story and sure")
    parser.add_argument("--block", type=int, default=500, help="documents placed at a time (default: %(default)s)")
    parser.add_argument("--review", action="store_true", help="compare the last window with the batch rules")
    options = parser.parse_args(arguments)
    gold = [json.loads(line) for line in Path(options.gold).read_text(encoding="utf-8").splitlines()] if options.gold else []
    result = dedup.run(options.corpus)
    stream, canonical = stream_of(result, Config())
    replay(stream, Config(), options.block, most=2 * options.block)  # kernels are compiled before anything is timed
    online = replay(stream, Config(), options.block)

    place = np.full(len(canonical), -1, np.int64)
    place[stream.rows] = np.arange(len(stream.rows))
    batch = result.documents.column("story_id").to_pylist()
    print(f"{len(stream.rows):,} canonical documents, {online.seconds * 1e6:.0f} microseconds each, {online.window.nbytes / 1e6:.0f} MB")
    for name, stories in (
        ("one run", batch),
        ("online", online.stories[place[canonical]].tolist()),
        ("online, told merges applied", online.merged()[place[canonical]].tolist()),
    ):
        print(f"{name}: {len(set(stories)):,} stories; {agreement(result.documents, stories, gold)}")
    alike = bcubed([batch[row] for row in stream.rows.tolist()], online.stories.tolist())
    print(f"online against one run: BCubed F1 {harmonic(*(float(np.mean(side)) for side in alike)):.4f}; {len(online.merges)} merges told")
    if options.review:
        begun = time.perf_counter()
        events = Counter(finding.event for finding in online.window.review())
        print(f"review of {len(online.window):,} documents: {dict(events)}, {time.perf_counter() - begun:.1f} s")
    return 0


def stream_of(result: dedup.Result, config: Config) -> tuple[Stream, Ints]:
    """The canonical documents of a run, and the row of each document's canonical."""
    documents = result.documents
    names = documents.column("doc_id").to_pylist()
    row_of = {name: row for row, name in enumerate(names)}
    canonical = np.array([row_of[name] for name in documents.column("canonical_id").to_pylist()], np.int64)
    times = documents.column("published").cast(pa.int64()).to_numpy(zero_copy_only=False).astype(float) / 1e6
    rows = np.flatnonzero(canonical == np.arange(len(canonical)))
    rows = rows[np.lexsort((rows, np.nan_to_num(times[rows], nan=-np.inf)))]
    prints = fingerprint(texts_of(result, rows), documents.column("title").take(pa.array(rows)), config)
    headline = pc.equal(documents.column("role"), "headline").to_numpy(zero_copy_only=False)[rows]
    judged, every = ~(headline & (prints.title_words < config.text.min_headline_words)), np.arange(len(rows))
    all_of_it, earliest = np.iinfo(np.int64).max, min(times[~np.isnan(times)], default=0.0)
    titles = take_rows(*prints.title_terms, every, np.where(judged, all_of_it, 0))
    return Stream(
        without_terms(titles, term_hashes(deciding_words() & stop_words())),
        take_rows(*prints.terms, every, np.where(headline, 0, config.stories.lead_words)),
        take_rows(*prints.title_shingles, every, np.where(headline & judged, all_of_it, 0)),
        np.where(np.isnan(times[rows]), earliest, times[rows]),
        headline,
        rows,
    ), canonical


def texts_of(result: dedup.Result, rows: Ints) -> Any:
    """The texts of some documents of a run."""
    if result.texts is None:
        sys.exit("the run kept no texts")
    texts = result.texts.read()
    place = {name: row for row, name in enumerate(texts.column("doc_id").to_pylist())}
    names = result.documents.column("doc_id").take(pa.array(rows)).to_pylist()
    return texts.column("text").take(pa.array([place[name] for name in names])).combine_chunks()


def replay(stream: Stream, config: Config, block: int, most: int | None = None) -> Replay:
    """Let documents arrive, a block at a time; each founds the story of its own number."""
    n = min(len(stream.rows), most or len(stream.rows))
    window = StoryWindow(background_of(config.stories.background), config.stories)
    stories, merges = np.empty(n, np.int64), []
    begun = time.perf_counter()
    for first in range(0, n, block):
        part = slice(first, min(first + block, n))
        numbers = np.arange(part.start, part.stop)
        window.forget_before(stream.times[first] - config.stories.window_days * DAY)
        vectors = stream.vectors(window, part)
        if block == 1:
            place = window.propose(vectors, 0, stream.times[first], bool(stream.headline[first]))
            stories[first] = first if place.story is None else place.story
            merges += [(first, int(stories[first]), other) for other in place.merged]
            window.add(vectors, 0, first, stream.times[first], bool(stream.headline[first]), int(stories[first]))
        else:
            placed, told = window.place_all(vectors, numbers, stream.times[part], stream.headline[part], numbers)
            stories[part] = np.where(placed < 0, numbers, placed)
            merges += [(first + row, story, other) for row, story, other in told]
    return Replay(stories, merges, (time.perf_counter() - begun) / max(n, 1), window)


def agreement(documents: Any, stories: list[Any], gold: list[dict[str, Any]]) -> str:
    """BCubed of stories on the labelled documents, all of them and the sure ones."""
    story_of: dict[str, Any] = {}
    for role, url, story in zip(documents.column("role").to_pylist(), documents.column("url").to_pylist(), stories, strict=True):
        if role != "embedded":
            story_of.setdefault(url, story)
    said = []
    for name, lines in (("all", gold), ("sure", [line for line in gold if line.get("sure", True)])):
        labelled = [line for line in lines if line["url"] in story_of]
        if labelled:
            sides = bcubed([line["story"] for line in labelled], [str(story_of[line["url"]]) for line in labelled])
            precision, recall = (float(np.mean(side)) for side in sides)
            said.append(f"{name} {harmonic(precision, recall):.4f} (precision {precision:.4f}, recall {recall:.4f})")
    return "BCubed F1 " + ", ".join(said) if said else "no labels"


if __name__ == "__main__":
    sys.exit(main())
