"""A syndication simulator: real articles and the versions that outlets make of them, with the truth.

    articles = read_articles(["crawl.jsonl.gz"])
    simulate(articles, copies=2, seed=7)                            # habits and edits at the rates of real reprints
    simulate(articles, edits=["trim:heavy", "hamza:light"], seed=7)
    EDITS["digits"](text, "heavy", random.Random(7))                # one edit of one text
    stream(articles, documents=1_000_000, seed=7)                   # record batches, for tests of scale

    python -m bench.simulator CORPUS... --documents 1000000 -o FILE.parquet

The same articles and seed give the same bytes. ``edits.py`` lists the edits and their rates, ``truth.py`` classifies an
edited text. The output contains passages of the real articles, so it must not be shipped either.
"""

from .drafts import STRENGTHS, Article, Lenders
from .edits import EDITS, draw, in_order, make
from .simulate import SIMULATED, read_articles, simulate
from .stream import stream
from .truth import COPY, EXCERPT, ORIGINAL, PARTIAL, TEMPLATE, UNSURE, truth

__all__ = [
    "COPY",
    "EDITS",
    "EXCERPT",
    "ORIGINAL",
    "PARTIAL",
    "SIMULATED",
    "STRENGTHS",
    "TEMPLATE",
    "UNSURE",
    "Article",
    "Lenders",
    "draw",
    "in_order",
    "make",
    "read_articles",
    "simulate",
    "stream",
    "truth",
]
