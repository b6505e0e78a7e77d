"""A simulated crawl of any size in blocks: new texts, and edited copies of them in clusters with a heavy tail.

A block is a day. The number of copies of an original has a zeta distribution (most have none, a few have hundreds);
copies follow within hours. Block ``n`` depends only on the corpus, the seed and ``n``, so memory does not grow.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from .drafts import Article, Lenders, draft_of
from .edits import draw, in_order, make
from .outlets import HABITS, Outlet, outlets
from .simulate import SIMULATED
from .truth import ORIGINAL, Truth, truth
from .walk import Walks

#: Documents of a block; no cluster has more than a share of them.
BLOCK, LARGEST_SHARE = 8192, 0.1
#: Exponent at which originals are 60 % of all documents: zeta(1.65) / zeta(2.65) = 1 / 0.6.
EXPONENT = 2.65
#: Texts of a block that only lend passages.
LENDERS = 1024
START = datetime(2024, 1, 1, tzinfo=UTC)
_MEAN_DELAY_HOURS = 6.0

#: Edits of copies and their rates: only cheap ones, and no facts, which make templates.
MIX = (
    ("facts:heavy", 0.04), ("trim:light", 0.15), ("trim_sentences:medium", 0.2), ("trim:heavy", 0.08), ("drop_middle:medium", 0.1),
    ("lead:medium", 0.15), ("lead:heavy", 0.1), ("background:light", 0.1), ("background:heavy", 0.04), ("introduction:medium", 0.06),
    ("reorder:medium", 0.03), ("merge:medium", 0.03), ("small_words:light", 0.2), ("synonyms:medium", 0.1), ("honorifics:heavy", 0.2),
    ("dateline:light", 0.3), ("agency:light", 0.15), ("headline:heavy", 0.5), ("headline:light", 0.4), ("page:medium", 0.02),
    ("page:light", 0.03), ("typos:light", 0.05),
)  # fmt: skip

#: Outlets, and their cheap habits.
OUTLETS = 60
PLAIN_HABITS = tuple(
    habit
    for habit in HABITS
    if habit[0] in ("final_ya", "ta_marbuta", "punctuation", "dateline", "agency") or habit[:2] == ("hamza", "heavy")
)


def stream(articles: Sequence[Article], *, documents: int, seed: int = 0, batch_rows: int = BLOCK) -> Iterator[pa.RecordBatch]:
    """A crawl of ``documents`` documents, some 60 % of them originals.

    Parameters
    ----------
    articles : real articles, over whose words texts walk; see ``walk.py``
    documents : rows in all
    seed : the same articles and seed give the same rows, whatever ``batch_rows``
    batch_rows : rows of a batch, except the last one

    Returns
    -------
    record batches of ``SIMULATED``; an original precedes its copies
    """
    walks = Walks.over(pa.chunked_array([pa.array([article.text for article in articles], pa.large_string())]))
    papers = outlets(OUTLETS, random.Random(f"outlets of {seed}"), PLAIN_HABITS)
    pending: list[pa.RecordBatch] = []
    rows = 0
    for number in range(-(-documents // BLOCK)):
        block = _block(walks, papers, seed, number)
        pending.append(block.slice(0, min(len(block), documents - number * BLOCK)))
        rows += len(pending[-1])
        while rows >= batch_rows or (rows and number == (documents - 1) // BLOCK):
            table = pa.Table.from_batches(pending).combine_chunks()
            yield table.slice(0, batch_rows).combine_chunks().to_batches()[0]
            pending = table.slice(batch_rows).to_batches()
            rows = max(0, rows - batch_rows)


def _block(walks: Walks, papers: list[Outlet], seed: int, number: int) -> pa.RecordBatch:
    """Block ``number`` of a crawl, by date."""
    draws, rng = np.random.default_rng([seed, number]), random.Random(f"block {number} of {seed}")
    origins, hours = _clusters(draws)
    n_originals = int(origins.max()) + 1
    texts = walks.texts(n_originals + LENDERS, draws).to_pylist()
    titles = walks.titles(n_originals + LENDERS, draws).to_pylist()
    lenders = Lenders([Article(f"lender {i}", titles[i], texts[i]) for i in range(n_originals, n_originals + LENDERS)])
    ids = [f"{number * BLOCK + row:010d}" for row in range(BLOCK)]
    begun = START + timedelta(days=number)
    columns: dict[str, list[object]] = {name: [] for name in SIMULATED.names}
    id_of: dict[int, str] = {}
    for doc_id, origin, hour in zip(ids, origins.tolist(), hours.tolist(), strict=True):
        paper = papers[int(rng.random() * len(papers))]
        title, text = titles[origin], texts[origin]
        first = id_of.setdefault(origin, doc_id)
        steps: list[str] = []
        known = Truth(ORIGINAL, 1.0, 1.0)
        if first != doc_id:
            steps = in_order([*paper.habits, *draw(rng, MIX)])
            edited = make(draft_of(Article(first, title, text)), steps, rng, lenders)
            title, text, known = edited.title, edited.text, truth(edited, len(text.split()))
        values = (doc_id, title, text, begun + timedelta(hours=hour), paper.name, first, steps, *known, None)
        for column, value in zip(columns.values(), values, strict=True):
            column.append(value)
    return pa.RecordBatch.from_pydict(columns, schema=SIMULATED)


def _clusters(draws: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """For each row of a block, by time, the number of its original and its hour; the first of a cluster is the original."""
    sizes = np.minimum(draws.zipf(EXPONENT, BLOCK), int(LARGEST_SHARE * BLOCK))
    sizes = sizes[: int(np.searchsorted(np.cumsum(sizes), BLOCK)) + 1]
    sizes[-1] -= sizes.sum() - BLOCK
    origins = np.repeat(np.arange(len(sizes)), sizes)
    born = draws.uniform(0, 24, len(sizes))
    hours = np.repeat(born, sizes) + draws.exponential(_MEAN_DELAY_HOURS, BLOCK)
    hours[np.cumsum(sizes) - sizes] = born
    order = np.argsort(hours, kind="stable")
    return origins[order], hours[order]
