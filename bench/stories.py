"""Stories against labels: agreement on labelled sets, with the shipped settings and with tuned ones.

    python -m bench.stories arabic CORPUS GOLD.jsonl       (lines with url, story, sure; the whole corpus is run)
    python -m bench.stories headlines FILE.parquet         (id, title, date, lang, story; each language by itself)
    python -m bench.stories leads FILE.parquet             (id, title, body, split, story; 'dev' is scored, no times)

Each set goes through ``dedup.run`` with the default settings or those of ``--config FILE.toml``; copies take the story
of their canonical. Intervals are 95 % by bootstrap over gold stories, see ``dedup.stories.evaluate``.

``--tune`` runs a grid of ``stories.cut`` and adds two lines to each set: *cross-validated* scores each document with
the value that is best on the other half of the gold stories (mean of ten random halvings); *best on labels* uses the
value that is best on the same labels, which nobody can know beforehand.

``leads`` also clusters the set without the pipeline, by ``dedup.vectors`` and ``dedup.StoryClusterer``: with the shipped
document frequencies, which are Arabic, so that the set weighs its terms by itself, and with those of the split 'train'.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import dedup
from dedup import Config, StoryClusterer
from dedup.fingerprints.fingerprint import fingerprint
from dedup.stories.evaluate import Scores, bcubed, harmonic, score
from dedup.stories.vectors import vectorize
from dedup.text.document_frequencies import FLAGS, DocumentFrequencies, background

CUTS = [0.10, 0.12, 0.14, 0.16, 0.17, 0.18, 0.19, 0.20, 0.22, 0.24, 0.26, 0.28, 0.30]
HEADLINE_CUTS = [0.06, 0.08, 0.09, 0.10, 0.11, 0.12, 0.13, 0.14, 0.15, 0.16, 0.17, 0.18, 0.19, 0.20, 0.22, 0.24, 0.26, 0.28, 0.30]
HALVINGS = 10
#: Columns of the table beside BCubed F1, and their scores.
COLUMNS = {
    "precision": "bcubed_precision",
    "recall": "bcubed_recall",
    "pairwise F1": "pairwise_f1",
    "ARI": "ari",
    "documents": "documents",
    "stories": "gold_stories",
    "found": "found_stories",
    "largest": "largest_found",
}

#: Documents by id to labels of stories.
Stories = dict[str, str]


@dataclass(frozen=True)
class LabelledSet:
    """Gold stories, and a function that finds stories of the same documents with given settings, with seconds."""

    name: str
    gold: Stories
    find: Callable[[Config], tuple[Stories, float]]
    setting: str = "stories.cut"
    grid: list[float] = field(default_factory=lambda: CUTS)


@dataclass(frozen=True)
class Line:
    """One line of the table: a set, how the cut was chosen, the cut, and its scores."""

    name: str
    chosen: str
    cut: str
    scores: dict[str, Any]
    missing: int = 0
    seconds: float | None = None


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--tune", action="store_true", help="also choose the cut on the labels")
    common.add_argument("--json", action="store_true", help="print JSON instead of a table")
    common.add_argument("--threads", type=int, default=0, help="0: one per core")
    common.add_argument("--config", help="settings other than the default ones, as TOML")
    sets = parser.add_subparsers(required=True)
    for name, files, read in (
        ("arabic", ("corpus", "gold"), arabic_sets),
        ("headlines", ("file",), headline_sets),
        ("leads", ("file",), lead_sets),
    ):
        one = sets.add_parser(name, parents=[common])
        one.set_defaults(read=read, files=files)
        for file in files:
            one.add_argument(file)
    options = parser.parse_args(arguments)
    config = (Config.from_toml(options.config) if options.config else Config()).replace({"run.threads": options.threads})
    labelled = options.read(*(getattr(options, file) for file in options.files))
    lines = [line for one in labelled for line in measured(one, config, tune=options.tune)]
    if options.json:
        print(json.dumps([asdict(line) for line in lines], indent=1, ensure_ascii=False))
    else:
        print(table(lines))
    for line in lines:
        if line.missing:
            print(f"{line.name}, {line.chosen}: {line.missing} labelled documents are not among the results", file=sys.stderr)


def arabic_sets(corpus: str, gold: str) -> list[LabelledSet]:
    """The labelled documents of a corpus, all and the sure ones; the rest of the corpus is clustered with them."""
    rows = [json.loads(line) for line in Path(gold).read_text(encoding="utf-8").splitlines()]
    done: dict[str, tuple[Stories, float]] = {}

    def find(config: Config) -> tuple[Stories, float]:
        key = config.digest()  # one run for both sets
        if key not in done:
            done[key] = found_by_run(corpus, "url", config)
        return done[key]

    return [
        LabelledSet(name, _gold_of([row["url"] for row in kept], [row["story"] for row in kept]), find)
        for name, kept in (("Arabic, all", rows), ("Arabic, sure", [row for row in rows if row["sure"]]))
    ]


def headline_sets(path: str) -> list[LabelledSet]:
    """Headlines with times, a set for each language."""
    rows = pq.read_table(path)
    sets = []
    for language in pc.unique(rows["lang"]).to_pylist():
        own = rows.filter(pc.equal(rows["lang"], language))
        pages = pa.table({"id": own["id"], "title": own["title"], "published": own["date"]})
        find = partial(found_by_run, pages, "page_id")
        sets.append(LabelledSet(f"headlines, {language}", _gold(own), find, "stories.headline_cut", HEADLINE_CUTS))
    return sets


def lead_sets(path: str) -> list[LabelledSet]:
    """Titles with leads of the split 'dev': by the pipeline, and by vectors with two kinds of document frequencies."""
    rows = pq.read_table(path)
    dev, train = (rows.filter(pc.equal(rows["split"], split)) for split in ("dev", "train"))
    pages = pa.table({"id": dev["id"], "title": dev["title"], "text": dev["body"]})
    return [
        LabelledSet("leads, dedup.run", _gold(dev), partial(found_by_run, pages, "page_id")),
        LabelledSet("leads, StoryClusterer", _gold(dev), partial(found_by_vectors, dev, background())),
        LabelledSet("leads, StoryClusterer, train", _gold(dev), partial(found_by_vectors, dev, background_of(train))),
    ]


def _gold(rows: Any) -> Stories:
    return _gold_of(rows["id"].to_pylist(), rows["story"].to_pylist())


def _gold_of(names: list[str], stories: list[str]) -> Stories:
    gold = dict(zip(names, stories, strict=True))
    if len(gold) != len(names):
        sys.exit(f"{len(names) - len(gold)} labelled documents have the id of another one: each needs its own")
    return gold


def found_by_run(inputs: Any, key: str, config: Config) -> tuple[Stories, float]:
    """The story of each page by the column ``key``; of the documents of a page the first counts."""
    result = dedup.run(inputs, config)
    documents = result.documents.filter(pc.not_equal(result.documents["role"], "embedded"))
    stories: Stories = {}
    # A document without a story is a story by itself.
    for name, story, own in zip(*(documents[column].to_pylist() for column in (key, "story_id", "doc_id")), strict=True):
        stories.setdefault(name, story or own)
    return stories, next(stage["seconds"] for stage in result.manifest["stages"] if stage["stage"] == "stories")


def found_by_vectors(rows: Any, known: DocumentFrequencies, config: Config) -> tuple[Stories, float]:
    """The story of each article, without copies and pages, and the seconds of vectors and clustering."""
    prints = _prints(rows, config)
    begun = time.perf_counter()
    no_letters = np.empty(0, np.uint64), np.zeros(rows.num_rows + 1, np.int64)
    vectors = vectorize(prints.title_terms, prints.terms, no_letters, known, config.stories)
    clusterer = StoryClusterer(threads=config.run.threads)
    clusterer.set_params(**{name: getattr(config.stories, name) for name in clusterer.get_params() if name != "threads"})
    labels = clusterer.fit_predict(vectors.matrix)
    return dict(zip(rows["id"].to_pylist(), map(str, labels), strict=True)), time.perf_counter() - begun


def background_of(rows: Any) -> DocumentFrequencies:
    """The number of these articles in which each term of title and text occurs."""
    prints = _prints(rows, Config())
    parts = (prints.title_terms, prints.terms)
    terms = np.concatenate([terms for terms, _ in parts]) & ~FLAGS
    documents = np.concatenate([np.repeat(np.arange(rows.num_rows, dtype=np.uint64), np.diff(offsets)) for _, offsets in parts])
    found, counts = np.unique(np.unique(np.stack([terms, documents]), axis=1)[0], return_counts=True)
    return DocumentFrequencies(found, counts.astype(np.uint32), rows.num_rows)


def _prints(rows: Any, config: Config) -> Any:
    return fingerprint(*(rows[name].combine_chunks().cast(pa.large_string()).fill_null("") for name in ("body", "title")), config)


def measured(one: LabelledSet, config: Config, *, tune: bool) -> list[Line]:
    """The lines of a set: with the given settings, and tuned if asked for."""
    section, _, name = one.setting.partition(".")
    default = getattr(getattr(config, section), name)
    lines = [_line(one, "default", default, one.find(config))]
    if not tune:
        return lines
    found = {cut: one.find(config.replace({one.setting: cut})) for cut in sorted({*one.grid, default})}
    judged = {cut: bcubed(*_paired(one.gold, stories)) for cut, (stories, _) in found.items()}
    best = max(judged, key=lambda cut: _f1(judged[cut], slice(None)))
    lines.append(Line(one.name, "cross-validated", *cross_validated(_paired(one.gold, found[default][0])[0], judged)))
    lines.append(_line(one, "best on labels", best, found[best]))
    return lines


def cross_validated(gold: list[str], judged: dict[float, tuple[Any, Any]]) -> tuple[str, dict[str, Any]]:
    """The chosen cuts, and BCubed with cuts chosen on the other half of the gold stories.

    Precision and recall of a document are those in the whole set, so that mixing a story with one of the other half counts.
    """
    codes = np.unique(gold, return_inverse=True)[1]
    chosen: Counter[float] = Counter()
    unseen = []
    for halving in range(HALVINGS):
        half = np.random.default_rng(halving).permutation(np.arange(codes.max() + 1) % 2)[codes]
        precision, recall = np.empty(len(gold)), np.empty(len(gold))
        for side in (0, 1):
            best = max(judged, key=lambda cut: _f1(judged[cut], half != side))
            chosen[best] += 1
            precision[half == side], recall[half == side] = (values[half == side] for values in judged[best])
        unseen.append((precision.mean(), recall.mean(), float(harmonic(precision.mean(), recall.mean()))))
    means = np.mean(unseen, axis=0)
    names = ("bcubed_precision", "bcubed_recall", "bcubed_f1")
    low, high = min(chosen), max(chosen)
    return (f"{low:g}" if low == high else f"{low:g} to {high:g}"), dict(zip(names, map(float, means), strict=True))


def _f1(judged: tuple[Any, Any], among: Any) -> float:
    precision, recall = (values[among].mean() for values in judged)
    return float(harmonic(precision, recall))


def _paired(gold: Stories, stories: Stories) -> tuple[list[str], list[str]]:
    """Labels of the documents that have both."""
    both = [name for name in gold if name in stories]
    return [gold[name] for name in both], [stories[name] for name in both]


def _line(one: LabelledSet, chosen: str, cut: float, found: tuple[Stories, float]) -> Line:
    stories, seconds = found
    scores: Scores = score(*_paired(one.gold, stories))
    missing = sum(name not in stories for name in one.gold)
    return Line(one.name, chosen, f"{cut:g}", asdict(scores), missing, round(seconds, 3))


def table(lines: list[Line]) -> str:
    """The lines as a Markdown table."""
    rows = [["set", "cut", "BCubed F1 [95 %]", *COLUMNS, "seconds"], ["---"] * 2 + ["--:"] * (len(COLUMNS) + 2)]
    for line in lines:
        low_high = line.scores.get("intervals", {}).get("bcubed_f1")
        f1 = f"{line.scores['bcubed_f1']:.3f}" + (" [{:.3f}, {:.3f}]".format(*low_high) if low_high else "")
        numbers = [_shown(line.scores.get(name)) for name in COLUMNS.values()]
        rows.append([line.name, f"{line.chosen} ({line.cut})", f1, *numbers, "" if line.seconds is None else f"{line.seconds:.2f}"])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
