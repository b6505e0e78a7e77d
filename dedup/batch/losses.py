"""Logs the copies that lose most of their text when all copies are dropped, by name."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np

from ..arrays.rows import Floats
from ..copies.covered import Covered

logger = logging.getLogger(__name__)

#: Copies that are named.
WORST = 10
#: Letters of a title that a log line shows.
_TITLE = 80


def lost_shares(covered: Covered, documents: Any) -> Floats:
    """float64[n], the share of each copy that stands in no kept document; 0 of kept documents and of copies by title.

    What a copy of kind ``title`` says stands in a title, which is no part of the text that is counted.

    Parameters
    ----------
    documents : Arrow table of ``schema.DOCUMENTS``, in the order of ``covered``
    """
    shares: Floats = np.where(documents.column("kind").to_numpy(zero_copy_only=False) == "title", 0.0, covered.lost_shares())
    return shares


def worst_losses(covered: Covered, documents: Any, most: int = WORST) -> list[dict[str, Any]]:
    """The copies of which the largest share stands in no kept document, the worst first, of equals the smallest id.

    Parameters
    ----------
    covered, documents : see ``lost_shares``

    Returns
    -------
    ``doc_id``, ``canonical_id``, ``lost`` (above 0) and ``title`` of up to ``most`` copies
    """
    lost = lost_shares(covered, documents)
    rows = np.flatnonzero(lost > 0)
    if len(rows) > most:
        rows = rows[lost[rows] >= np.partition(lost[rows], -most)[-most]]
    columns = documents.select(["doc_id", "canonical_id", "title"]).take(rows)
    losses = [{"lost": share, **row} for share, row in zip(lost[rows].tolist(), columns.to_pylist(), strict=True)]
    return sorted(losses, key=lambda loss: (-loss["lost"], loss["doc_id"]))[:most]


def log_losses(covered: Covered, documents: Any) -> None:
    """Log the worst losses of a run, one event for each, if the log shows them."""
    if not logger.isEnabledFor(logging.INFO):
        return
    for loss in worst_losses(covered, documents):
        title = (loss["title"] or "")[:_TITLE]
        # Ids and titles come from the crawl: repr() shows control characters as escapes.
        logger.info(
            "%.1f %% of %r stands in no kept document, it is a copy of %r: %r",
            loss["lost"] * 100,
            loss["doc_id"],
            loss["canonical_id"],
            title,
            extra={"event": "loss", **loss, "lost": round(loss["lost"], 6)},
        )
