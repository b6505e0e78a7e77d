"""Precedence: which document of a copy group is its canonical."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.copies.canonical import precedence, precedence_key
from dedup.schema import TIMESTAMP


def day(number):
    return datetime(2026, 3, number, tzinfo=UTC)


def ranked(*documents):
    """Ranks of documents given as (doc_id, role, published, words)."""
    ids, roles, dates, words = zip(*documents, strict=True) if documents else ((), (), (), ())
    table = pa.table({"doc_id": pa.array(ids, pa.string()), "role": pa.array(roles, pa.string()), "published": pa.array(dates, TIMESTAMP)})
    ranks = precedence(table, np.array(words, np.int32))
    assert ranks.dtype == np.int64
    return ranks.tolist()


ORDERED = {
    "article_first": (("z", "article", None, 1), ("a", "headline", day(1), 99)),
    "embedded_first": (("z", "embedded", None, 1), ("a", "headline", day(1), 99)),
    "earliest": (("z", "article", day(1), 1), ("a", "article", day(2), 99)),
    "dated_first": (("z", "article", day(1), 1), ("a", "article", None, 99)),
    "longest": (("z", "article", day(1), 99), ("a", "article", day(1), 98)),
    "longest_undated": (("z", "article", None, 99), ("a", "article", None, 98)),
    "smallest_id": (("a", "article", day(1), 99), ("b", "article", day(1), 99)),
    "roles_of_text_are_one": (("a", "embedded", day(1), 99), ("b", "article", day(1), 99)),
    "headlines_too": (("z", "headline", day(1), 4), ("a", "headline", day(2), 9)),
}


@pytest.mark.parametrize(("first", "second"), ORDERED.values(), ids=ORDERED)
def test_the_first_of_two_documents_ranks_first(first, second):
    assert ranked(first, second) == [0, 1]
    assert ranked(second, first) == [1, 0]


DOCUMENTS = st.lists(
    st.tuples(
        st.text(st.characters(codec="utf-8"), max_size=3) | st.sampled_from(["خبر", "خبر#1", "ﷲ", "😀"]),
        st.sampled_from(["article", "embedded", "headline"]),
        st.none() | st.integers(-2, 2) | st.integers(-(1 << 62), 1 << 62),
        st.integers(0, 3),
    ),
    max_size=12,
    unique_by=lambda document: document[0],
)


@given(DOCUMENTS)
def test_the_ranks_of_a_table_follow_the_key_of_each_document(documents):
    in_order = sorted(documents, key=lambda document: precedence_key(document[1], document[2], document[3], document[0]))
    assert ranked(*documents) == [in_order.index(document) for document in documents]


def test_ranks_are_a_permutation():
    ranks = ranked(*((f"d{i}", ["article", "headline"][i % 2], day(1 + i % 3) if i % 4 else None, i % 5) for i in range(40)))
    assert sorted(ranks) == list(range(40))


def test_no_documents_have_no_ranks():
    assert ranked() == []
