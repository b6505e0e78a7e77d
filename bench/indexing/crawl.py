"""Writes a crawl of any size as Parquet, in blocks: new texts, and copies of recent texts, with the truth.

``probes.parquet`` has texts to check: new ones, real articles from which no text was made, and copies of originals from
the whole crawl, half of them from its first tenth, so that there are enough for peers with smaller indexes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from .passages import Passages, Words

BLOCK = 8192
#: Shares of the crawl that are copies, by kind of change.
PLANTED = {"exact": 0.06, "near": 0.06, "excerpt": 0.04, "longer": 0.04}
#: Share of words that a near copy drops, and as many that it inserts: real reprints keep names and figures.
EDITED = (0.01, 0.03)
#: Share of a text that an excerpt keeps; share of own text that a longer version appends.
TAKEN, ADDED = (0.5, 0.85), (0.3, 0.8)
DAYS, SOURCES, START = 90, 60, datetime(2025, 1, 1, tzinfo=UTC)
CRAWL = pa.schema(
    [
        pa.field("id", pa.string()),
        pa.field("title", pa.string()),
        pa.field("text", pa.large_string()),
        pa.field("published", pa.timestamp("us", tz="UTC")),
        pa.field("source", pa.string()),
        pa.field("url", pa.string()),
        pa.field("kind", pa.string()),
        pa.field("origin", pa.string()),
    ]
)
#: Columns that an index gets; the truth is left out.
SHOWN = ("id", "title", "text", "published", "source", "url")


@dataclass(frozen=True, eq=False)
class Original:
    """A text that has copies."""

    name: str
    words: Words
    title: Words


def write_crawl(passages: Passages, folder: Path, *, documents: int, probes: int, real: list[dict[str, Any]], seed: int) -> dict[str, Any]:
    """Write ``crawl.parquet``, ``more.parquet`` (the next block) and ``probes.parquet``; returns counts."""
    originals: list[Original] = []
    dice = np.random.default_rng([seed, 2])
    total, words, counts = -(-documents // BLOCK), 0, dict.fromkeys(["new", *PLANTED], 0)
    tenth = max(1, total // 10)
    with pq.ParquetWriter(folder / "crawl.parquet", CRAWL, compression="zstd") as writer:
        for number, (batch, fresh) in enumerate(_blocks(passages, total, documents, seed)):
            writer.write_batch(batch, row_group_size=BLOCK)
            wanted = probes // 2 // tenth if number < tenth else probes // 2 // max(1, total - tenth)
            chosen = [fresh[i] for i in dice.permutation(len(fresh))[: wanted + 1]]
            originals += chosen
            for kind in counts:
                counts[kind] += batch.column("kind").to_pylist().count(kind)
            words += sum(map(len, (original.words for original in fresh)))
    more, _ = next(_blocks(passages, 1, BLOCK, seed + 1, first=total))
    pq.write_table(pa.Table.from_batches([more]), folder / "more.parquet")
    pq.write_table(_probes(passages, originals, real, probes, dice), folder / "probes.parquet")
    return {"documents": documents, "planted": counts, "mean_words_of_new": round(words / max(1, counts["new"]), 1)}


def _blocks(passages: Passages, total: int, documents: int, seed: int, first: int = 0) -> Iterator[tuple[pa.RecordBatch, list[Original]]]:
    """Blocks by date, each with its originals; a copy follows its original within two blocks."""
    earlier: list[Original] = []
    made = 0
    for number in range(first, first + total):
        rng = np.random.default_rng([seed, 3, number])
        size = min(BLOCK, documents - made)
        made += size
        kinds = rng.choice(["new", *PLANTED], size, p=[1 - sum(PLANTED.values()), *PLANTED.values()]).tolist()
        fresh = iter(passages.write(kinds.count("new"), rng))
        titles = iter(np.split(passages.passages(np.full(size, 9), rng), size))
        pool, here, texts, heads, origins = list(earlier), [], [], [], []
        for row, kind in enumerate(kinds):
            title = next(titles)
            name = f"a{number * BLOCK + row:09d}"
            if kind == "new" or not pool:
                kinds[row] = "new"
                words = next(fresh, None)
                text = words if words is not None else passages.write(1, rng)[0]
                here.append(Original(name, text, title))
                pool.append(here[-1])
                origins.append(None)
            else:
                original = pool[int(rng.integers(len(pool)))]
                text = altered(passages, original.words, kind, rng)
                title = original.title if rng.random() < 0.6 else title
                origins.append(original.name)
            texts.append(text)
            heads.append(title)
        begun = START + timedelta(days=DAYS * number / max(total, 1)) if not first else START + timedelta(days=DAYS)
        span = timedelta(days=DAYS / max(total, 1)) if not first else timedelta(days=0.5)
        moments = [begun + span * (row / size) for row in range(size)]
        names = [f"a{number * BLOCK + row:09d}" for row in range(size)]
        yield _batch(passages, names, heads, texts, moments, kinds, origins, rng), here
        earlier = here


def altered(passages: Passages, words: Words, kind: str, rng: np.random.Generator) -> Words:
    """An altered copy of a text."""
    if kind == "near":
        rate = rng.uniform(*EDITED)
        kept = words[rng.random(len(words)) >= rate]
        places = np.sort(rng.integers(0, len(kept), max(1, int(rate * len(words)))))
        return np.insert(kept, places, rng.choice(passages.small, len(places)))
    if kind == "excerpt":
        taken = max(40, int(len(words) * rng.uniform(*TAKEN)))
        start = int(rng.integers(0, max(1, len(words) - taken))) if rng.random() < 0.5 else 0
        return words[start : start + taken]
    if kind == "longer":
        return np.concatenate([words, passages.passages(np.array([int(len(words) * rng.uniform(*ADDED)) + 10]), rng)])
    return words


def _probes(passages: Passages, originals: list[Original], real: list[dict[str, Any]], count: int, rng: np.random.Generator) -> pa.Table:
    batches = []
    for kind in ("new", *PLANTED):
        chosen = [originals[i] for i in rng.permutation(len(originals))[:count]]
        fresh = passages.write(count, rng) if kind == "new" else []
        texts = fresh or [altered(passages, original.words, kind, rng) for original in chosen]
        heads = np.split(passages.passages(np.full(len(texts), 9), rng), len(texts))
        origins = [None] * len(texts) if kind == "new" else [original.name for original in chosen]
        names = [f"{kind}-{row}" for row in range(len(texts))]
        moments = [START + timedelta(days=DAYS)] * len(texts)
        batches.append(_batch(passages, names, heads, texts, moments, [kind] * len(texts), origins, rng))
    rows = [
        {"id": f"real-{i}", "title": row["title"], "text": row["text"], "published": START + timedelta(days=DAYS), "source": "real",
         "url": None, "kind": "real", "origin": None}
        for i, row in enumerate(real)
    ]  # fmt: skip
    return pa.concat_tables([pa.Table.from_batches(batches), pa.Table.from_pylist(rows, schema=CRAWL)])


def _batch(
    passages: Passages, names: list[str], heads: list[Words], texts: list[Words], moments: list[datetime], kinds: list[str],
    origins: list[str | None], rng: np.random.Generator,
) -> pa.RecordBatch:  # fmt: skip
    sources = [f"outlet{number:02d}.example" for number in rng.integers(0, SOURCES, len(names)).tolist()]
    urls = [f"https://{source}/{moment:%Y/%m/%d}/{name}" for source, moment, name in zip(sources, moments, names, strict=True)]
    titles = [title.replace("\n", " ") for title in passages.spelled(heads).to_pylist()]
    columns = [names, titles, passages.spelled(texts).cast(pa.large_string()), moments, sources, urls, kinds, origins]
    return pa.RecordBatch.from_arrays(
        [column if isinstance(column, pa.Array) else pa.array(column, field.type) for column, field in zip(columns, CRAWL, strict=True)],
        schema=CRAWL,
    )
