"""Draws pairs of articles to label, evenly over bands of containment.

    python -m bench.pair_sample CORPUS --seed 7 --per-band 27 [--without LABELS.jsonl ...] -o pairs.jsonl

Containment of 3-word shingles is found by brute force, without any rule of the engine, so that the sample does not
favour what the engine finds. The output has the texts for reading; labels keep URLs only (``bench/labels/README.md``).
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bench.brute_force import all_pairs
from dedup import Config
from dedup.fingerprints.fingerprint import fingerprint
from dedup.readers import ReadLog, read_files

LOWEST, BAND = 0.1, 0.1
SHORTEST = 15


def main() -> None:
    """Write the pairs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--per-band", type=int, default=27)
    parser.add_argument("--without", nargs="*", default=[])
    parser.add_argument("-o", "--out", required=True)
    options = parser.parse_args()
    known = {frozenset((row["a"], row["b"])) for name in options.without for row in read_labels(name)}
    rows = draw(options.corpus, options.per_band, random.Random(options.seed), known)
    Path(options.out).write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def read_labels(name: str | Path) -> list[dict[str, object]]:
    """The rows of a label file."""
    return [json.loads(line) for line in Path(name).read_text(encoding="utf-8").splitlines()]


def draw(corpus: str, per_band: int, choice: random.Random, known: set[frozenset[str]]) -> list[dict[str, object]]:
    """``per_band`` pairs of each band, in random order, no article twice in a band."""
    pages = pa.Table.from_batches([batch.pages for batch in read_files([corpus], config=Config(), log=ReadLog())])
    pages = pages.filter(pc.is_valid(pages.column("text")))
    shingles, starts = fingerprint(pages.column("text"), pages.column("title"), Config()).shingles
    left, right, shared = all_pairs(shingles, starts, jaccard=2.0, containment=LOWEST)
    sizes = np.diff(starts)
    smaller = np.minimum(sizes[left], sizes[right])
    containment = shared / np.maximum(smaller, 1)
    band = np.minimum(containment / BAND, 9).astype(int)
    articles = pages.select(["url", "title", "text", "published", "source"]).to_pylist()
    rows = []
    for number in sorted(set(band.tolist())):
        places = np.flatnonzero((band == number) & (smaller >= SHORTEST)).tolist()
        choice.shuffle(places)
        seen: set[str] = set()
        for place in places:
            a, b = articles[left[place]], articles[right[place]]
            pair = {a["url"], b["url"]}
            if len(pair) < 2 or pair & seen or frozenset(pair) in known:
                continue
            seen |= pair
            rows.append({"a": a["url"], "b": b["url"], "containment": round(float(containment[place]), 3), "texts": [_shown(a), _shown(b)]})
            if len(seen) == 2 * per_band:
                break
    choice.shuffle(rows)
    return rows


def _shown(article: dict[str, object]) -> str:
    return "\n".join(str(article[name] or "") for name in ("source", "published", "title", "text"))


if __name__ == "__main__":
    main()
