"""Chooses bands and rows for a wanted recall, with the fewest false candidates."""

from __future__ import annotations

import math

from ..errors import ConfigError

#: Bands of one row are never chosen. They propose any two texts with the same smallest shingle
#: hash, and unrelated news texts share shingles, so the number of pairs would grow with the square
#: of the corpus.
LEAST_ROWS = 2
#: Limits of the settings; choices and advice stay within them.
MOST_ROWS, MOST_PERMUTATIONS, LEAST_RECALL, MOST_RECALL = 64, 4096, 0.5, 0.9999


def band_recall(bands: int, rows: int, jaccard: float) -> float:
    """Probability that a pair shares a band: ``1 - (1 - jaccard**rows)**bands``.

    It is that of independent signature values. Those of scheme ``native`` repeat one another less:
    measured, the probability is within 0.02 of this, and not below it from 0.8 on.
    """
    return -math.expm1(bands * math.log1p(-(jaccard**rows))) if jaccard**rows < 1 else 1.0


def choose_bands(permutations: int, recall: float, at: float) -> tuple[int, int]:
    """Choose (bands, rows) that propose a pair of jaccard ``at`` with probability ``recall``.

    Parameters
    ----------
    permutations : number of signature values; bounds ``bands * rows``
    recall : from 0 to below 1; at : jaccard, above 0

    Raises
    ------
    ConfigError
        If no choice reaches the recall; the message says which change of settings would.

    Notes
    -----
    Leskovec, Rajaraman, Ullman, "Mining of Massive Datasets", chapter 3.4: a pair of jaccard s
    shares at least one of b bands of r values with probability ``1 - (1 - s**r)**b``. A recall at s
    needs b of about ``c / s**r`` with a constant c, so a pair of a smaller jaccard t becomes a
    candidate in about ``c * (t / s)**r`` of all cases: the more rows, the fewer false candidates.
    The choice is therefore the one with most rows, then fewest bands. The book approximates the
    threshold as ``(1 / bands)**(1 / rows)``; here the recall at ``at`` is computed.
    """
    for rows in range(min(permutations, MOST_ROWS), LEAST_ROWS - 1, -1):
        bands = bands_needed(rows, recall, at)
        if bands * rows <= permutations:
            return bands, rows
    raise ConfigError(_unreachable(permutations, recall, at))


def bands_needed(rows: int, recall: float, at: float) -> int:
    """The fewest bands of ``rows`` rows each that reach the recall."""
    share = at**rows
    bands = 1 if share == 1 else max(1, math.ceil(math.log1p(-recall) / math.log1p(-share)))
    while band_recall(bands, rows, at) < recall:  # rounding can leave one too few
        bands += 1
    return bands


def _unreachable(permutations: int, recall: float, at: float) -> str:
    most = permutations // LEAST_ROWS
    enough = bands_needed(LEAST_ROWS, recall, at) * LEAST_ROWS
    nearest = math.ceil(1000 * (1 - (1 - recall) ** (1 / most)) ** (1 / LEAST_ROWS)) / 1000
    reached = math.floor(10_000 * band_recall(most, LEAST_ROWS, at)) / 10_000
    ways = [f"raise signatures.permutations to {enough}"] if enough <= MOST_PERMUTATIONS else []
    ways += [f"raise candidates.at to {nearest}", f"lower candidates.recall to {reached}"][: 2 if reached >= LEAST_RECALL else 1]
    return (
        f"candidates.recall {recall} at candidates.at {at} cannot be reached with {permutations} permutations, at most "
        f"{reached}: {', or '.join(ways)}"
    )
