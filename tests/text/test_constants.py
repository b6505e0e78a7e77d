"""The constant that decides which stems are facts."""

from __future__ import annotations

import pyarrow as pa
import pytest

from dedup import Config
from dedup.fingerprints.fingerprint import fingerprint
from dedup.kernels.text.terms import FACT
from dedup.text.document_frequencies import background


@pytest.mark.parametrize(("word", "documents", "is_fact"), [("انخفضت", 151, True), ("الأزرق", 152, False)])
def test_a_stem_in_less_than_six_of_a_thousand_background_documents_is_a_fact(word, documents, is_fact):
    (term,), _ = fingerprint(pa.array([word], pa.large_string()), pa.nulls(1, pa.string()), Config()).terms
    assert background().document_frequency([term]).tolist() == [documents]
    assert background().documents == 25_305  # 0.006 of them are 151.8
    assert bool(term & FACT) == is_fact
