"""The online index and the batch run agree on real articles, which cannot be shipped; without them these tests are skipped."""

from collections import Counter

import pytest

import dedup
from bench.online_agreement import compared, in_time_order
from tests.paths import JULY, needs_july

CONFIG = dedup.Config().replace({"stories.enabled": False})
COMPARED = ("doc_id", "action", "status", "kind", "canonical_id", "extends", "reason")

pytestmark = [
    pytest.mark.slow,
    needs_july,
]


@pytest.fixture(scope="module")
def articles():
    return in_time_order(str(JULY), CONFIG)


def test_ingesting_in_order_of_time_gives_nearly_the_canonicals_of_the_batch_run(articles, tmp_path):
    batch = dedup.find_copies(JULY, CONFIG)
    with dedup.Index.open(tmp_path / "index", CONFIG, mode="w") as index:
        online = index.ingest_batch(articles).to_pylist()
    report = compared(batch, online)
    assert report["documents"] == batch.manifest["counts"]["documents"] and not report["documents_of_one_only"]
    assert report["same_status_and_canonical"] >= 0.985
    extended = report["extended"]
    assert extended["both"] >= 0.97 * max(extended["batch"], extended["online"])
    copies = report["copies"]
    assert copies["both"] >= 0.97 * max(copies["batch"], copies["online"])


def test_single_documents_get_the_verdicts_of_a_batch(articles, tmp_path):
    some = articles.slice(6000, 1500)  # a day on which much was reprinted
    with dedup.Index.open(tmp_path / "batch", CONFIG, mode="w") as index:
        together = [row for row in index.ingest_batch(some).to_pylist() if row["action"] != "reject"]
    alone = []
    with dedup.Index.open(tmp_path / "alone", CONFIG, mode="w") as index:
        for row in some.to_pylist():
            try:
                verdict = index.ingest(row)
            except dedup.InputError:
                continue
            alone += [item.to_dict() for item in (verdict, *verdict.parts)]
    alone = [row | (row["match"] or dict.fromkeys(("jaccard", "share", "containment"))) for row in alone]
    assert [[row[name] for name in COMPARED] for row in alone] == [[row[name] for name in COMPARED] for row in together]
    for one, other in zip(alone, together, strict=True):
        for name in ("jaccard", "share", "containment", "covered"):
            assert one[name] == pytest.approx(other[name], abs=1e-6)
    assert Counter(row["status"] for row in together)["copy"] > 100
