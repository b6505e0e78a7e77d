"""Quality on real corpora with labels, which cannot be shipped; without them these tests are skipped.

Set DEDUP_CORPORA to the folder that holds ``saudi_2015_07.jsonl.gz`` and ``labels/``.
"""

import json
from collections import Counter

import pytest

import dedup
from bench.recall import recall
from tests.paths import CORPORA, JULY, needs_july

pytestmark = [
    pytest.mark.slow,
    needs_july,
]


@pytest.fixture(scope="module")
def result():
    return dedup.run(JULY)


def labels(name):
    return [json.loads(line) for line in (CORPORA / "labels" / name).read_text(encoding="utf-8").splitlines()]


def test_every_page_has_documents_or_is_rejected(result):
    counts = result.manifest["counts"]
    assert counts["pages"] == 15_042 == counts["pages_with_documents"] + counts["rejects"]


def test_every_copy_matches_its_canonical(result):
    pairs = {(row["doc_id_a"], row["doc_id_b"]): row for row in result.matches.to_pylist()}
    for document in result.documents.to_pylist():
        if document["status"] == "copy":
            one, other = document["doc_id"], document["canonical_id"]
            match = pairs.get((one, other)) or pairs[other, one]
            assert (match["kind"], match["jaccard"], match["containment"]) == (
                document["kind"], document["jaccard"], document["containment"]
            )  # fmt: skip
            assert match["kind"] != "partial"
            assert document["share"] == match["share_a" if match["doc_id_a"] == one else "share_b"]
            assert document["kind"] == "title" or document["share"] > 0.6199


def test_an_extended_document_is_in_the_family_and_the_story_of_what_it_extends(result):
    documents = {document["doc_id"]: document for document in result.documents.to_pylist()}
    extended = [document for document in documents.values() if document["extends_id"] is not None]
    assert {document["status"] for document in extended} == {"extended"}
    for document in extended:
        held = documents[document["extends_id"]]
        assert held["status"] in ("unique", "canonical", "extended")
        assert (held["copy_group"], held["story_id"]) == (document["copy_group"], document["story_id"])


def test_little_is_lost_with_the_copies_and_little_is_repeated(result):
    assert result.manifest["lost"] <= 0.09
    assert result.manifest["repeated"] <= 0.17
    assert result.manifest["losing_copies"]["0.4"] <= 20


def test_recall_against_brute_force_is_high_and_every_number_exact(result):
    measured = recall(result, str(JULY))
    assert measured["recall_jaccard_0.5"] >= 0.985
    assert measured["recall_containment_0.7"] >= 0.97
    assert measured["numbers_that_differ_from_brute_force"] == 0


def test_copies_agree_with_labels(result):
    group = {row["url"]: row["copy_group"] for row in result.documents.to_pylist() if row["role"] == "article"}
    said = Counter()
    for pair in labels("copies_dev.jsonl"):
        if pair["sure"] and pair["label"] != "partial":
            said[pair["label"] in ("copy", "excerpt"), group[pair["a"]] == group[pair["b"]]] += 1
    right, wrong, missed = said[True, True], said[False, True], said[True, False]
    assert right / (right + wrong) >= 0.985
    assert 2 * right / (2 * right + wrong + missed) >= 0.96


def test_stories_agree_with_labels(result):
    story = {row["url"]: row["story_id"] for row in result.documents.to_pylist() if row["role"] != "embedded"}
    rows = [(row["story"], story[row["url"]]) for row in labels("stories_gold_dev.jsonl") if row["url"] in story]
    gold, found, both = Counter(y for y, _ in rows), Counter(z for _, z in rows), Counter(rows)
    precision = sum(n * n / found[z] for (_, z), n in both.items()) / len(rows)
    recalled = sum(n * n / gold[y] for (y, _), n in both.items()) / len(rows)
    assert 2 * precision * recalled / (precision + recalled) >= 0.85


def test_threads_and_batch_sizes_change_no_byte(result, tmp_path):
    result.write(tmp_path / "one")
    dedup.run(JULY, dedup.Config().replace({"run.threads": 1, "run.batch_rows": 517})).write(tmp_path / "other")
    for name in ("documents", "matches", "stories", "rejects"):
        assert (tmp_path / "one" / f"{name}.parquet").read_bytes() == (tmp_path / "other" / f"{name}.parquet").read_bytes()
