"""Crawls built to fall into one bucket, list, title, second or story give right results as quickly as ordinary ones."""

from __future__ import annotations

import time
from typing import Any

import pytest

import dedup
from tests.stress.attack_crawls import ATTACKS, ordinary

pytestmark = pytest.mark.slow

PAGES = 1000
#: An attack may take ten times as long as ordinary pages. Quadratic work on 20,000 pages takes far longer.
MOST_TIMES = 10
#: Seconds that are not held against a run, because the kernels may not be compiled yet.
COMPILATION = 60
ONE_THREAD = dedup.Config().replace({"run.threads": 1})


@pytest.fixture(scope="module")
def ordinary_seconds(stress: int) -> float:
    return timed(ordinary(PAGES * stress))[1]


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_gives_right_results_in_the_time_of_ordinary_pages(
    name: str, stress: int, ordinary_seconds: float, record_property: Any
) -> None:
    result, seconds = timed(ATTACKS[name].crawl(PAGES * stress))
    record_property("times_ordinary", round(seconds / ordinary_seconds, 2))
    assert wrong_in(name, result) == []
    assert seconds <= MOST_TIMES * ordinary_seconds + COMPILATION


def timed(pages: Any) -> tuple[dedup.Result, float]:
    """A run on one thread, and its seconds."""
    begun = time.perf_counter()
    return dedup.run(pages, ONE_THREAD), time.perf_counter() - begun


def wrong_in(name: str, result: dedup.Result) -> list[str]:
    """Faults of a result: lost pages, copies without a match with their canonical, and what the attack itself checks."""
    counts, wrong = result.manifest["counts"], []
    if counts["pages"] != counts["pages_with_documents"] + counts["rejects"]:
        wrong.append(f"{counts['pages']} pages, {counts['pages_with_documents']} with documents, {counts['rejects']} rejects")
    documents, matches = result.documents, result.matches
    ids, canonical = documents.column("doc_id").to_pylist(), documents.column("canonical_id").to_pylist()
    pairs = set(zip(matches.column("doc_id_a").to_pylist(), matches.column("doc_id_b").to_pylist(), strict=True))
    chained = sum(
        one != other and (one, other) not in pairs and (other, one) not in pairs for one, other in zip(ids, canonical, strict=True)
    )
    if chained:
        wrong.append(f"{chained} copies have no match with their canonical")
    return wrong + ATTACKS[name].problems(result)
