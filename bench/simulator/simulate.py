"""Edited copies of real articles, with the truth."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from dedup import Config
from dedup.readers import ReadLog, read_data, read_files
from dedup.schema import TIMESTAMP

from .drafts import Article, Lenders, draft_of
from .edits import draw, in_order, make
from .outlets import outlets
from .truth import ORIGINAL, truth

#: Columns of a crawl, then of the truth. ``second`` is the id of another whole article in the text.
SIMULATED = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("title", pa.string()),
        pa.field("text", pa.large_string(), nullable=False),
        pa.field("published", TIMESTAMP),
        pa.field("source", pa.string()),
        pa.field("origin", pa.string(), nullable=False),
        pa.field("edits", pa.list_(pa.string()), nullable=False),
        pa.field("relation", pa.string(), nullable=False),
        pa.field("kept", pa.float32(), nullable=False),
        pa.field("own", pa.float32(), nullable=False),
        pa.field("second", pa.string()),
    ]
)
OUTLETS = 20
#: A reprint follows within two days, most within hours.
_MEAN_DELAY_HOURS = 6.0
_LATEST_HOURS = 48.0


def read_articles(inputs: Sequence[str | os.PathLike[str]] | Any) -> list[Article]:
    """The articles of a corpus that have a text.

    Parameters
    ----------
    inputs : paths, or data that ``dedup.run`` takes
    """
    config = Config()
    paths = isinstance(inputs, Sequence) and all(isinstance(item, str | os.PathLike) for item in inputs)
    batches = (read_files if paths else read_data)(inputs, config=config, log=ReadLog())
    return [
        Article(row["page_id"], row["title"], row["text"], row["published"], row["source"])
        for batch in batches
        for row in batch.pages.select(["page_id", "title", "text", "published", "source"]).to_pylist()
        if row["text"]
    ]


def simulate(
    articles: Sequence[Article],
    *,
    copies: int = 1,
    seed: int = 0,
    edits: Sequence[str] | Callable[[random.Random], Sequence[str]] | None = None,
    lenders: Sequence[Article] | None = None,
) -> pa.Table:
    """Each article, and edited copies of it.

    Parameters
    ----------
    articles : real articles, see ``read_articles``
    copies : edited copies of each
    seed : the same seed gives the same table; a row depends on its article, its number and the seed only
    edits : ``name:strength`` of the edits to make in each copy, or a function that draws them; left out, each copy has
        an outlet with its habits and edits drawn at the rates of real reprints
    lenders : articles to borrow passages from; ``articles`` if left out

    Returns
    -------
    Arrow table, ``SIMULATED``: an article, then its copies
    """
    papers = outlets(OUTLETS, random.Random(f"outlets of {seed}"))
    pool = lenders if lenders is not None else articles
    dates = {article.id: article.published for article in pool}
    rows = []
    for article in articles:
        rows.append(_original(article))
        draft = draft_of(article)
        words = len(article.text.split())
        others = Lenders(pool, frozenset([article.id]))
        for number in range(1, copies + 1):
            rng = random.Random(f"{seed}/{article.id}/{number}")
            paper = rng.choice(papers)
            steps = in_order([*paper.habits, *draw(rng)]) if edits is None else list(edits(rng) if callable(edits) else edits)
            edited = make(draft, steps, rng, others)
            known = truth(edited, words)
            rows.append({
                "id": f"{article.id}~{number}", "title": edited.title, "text": edited.text,
                "published": _later([article.published, dates.get(edited.second or "")], rng), "source": paper.name,
                "origin": article.id, "edits": steps, "relation": known.relation, "kept": known.kept, "own": known.own,
                "second": edited.second,
            })  # fmt: skip
    return table_of(rows)


def table_of(rows: Iterable[dict[str, Any]]) -> pa.Table:
    """Rows as a table of the schema."""
    return pa.Table.from_pylist(list(rows), schema=SIMULATED)


def _original(article: Article) -> dict[str, Any]:
    return {
        "id": article.id, "title": article.title, "text": article.text, "published": article.published, "source": article.source,
        "origin": article.id, "edits": [], "relation": ORIGINAL, "kept": 1.0, "own": 1.0, "second": None,
    }  # fmt: skip


def _later(published: Sequence[datetime | None], rng: random.Random) -> datetime | None:
    """A few hours after the latest of these; a page cannot contain text from its future."""
    known = [date for date in published if date is not None]
    return max(known) + timedelta(hours=min(rng.expovariate(1 / _MEAN_DELAY_HOURS), _LATEST_HOURS)) if known else None
