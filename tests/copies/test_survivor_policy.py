"""The survivor policy: which of several documents with one text is kept."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.copies.survivor_policy import survivor_key, survivor_ranks, trusted_sources
from dedup.schema import TIMESTAMP

OUTLETS = "واس,الرياض,الجزيرة"


def day(number):
    return datetime(2026, 3, number, tzinfo=UTC)


def ranked(documents, keep="earliest"):
    """Ranks of documents given as (doc_id, role, published, words) or (..., source)."""
    ids, roles, dates, words, sources = zip(*((*document, None)[:5] for document in documents), strict=True) if documents else [()] * 5
    table = pa.table({
        "doc_id": pa.array(ids, pa.string()),
        "role": pa.array(roles, pa.string()),
        "published": pa.array(dates, TIMESTAMP),
        "source": pa.array(sources, pa.string()),
    })  # fmt: skip
    ranks = survivor_ranks(table, np.array(words, np.int32), keep)
    assert ranks.dtype == np.int64
    return ranks.tolist()


#: Pairs of documents, the first of which is kept, whatever the policy.
ALWAYS = {
    "article_first": (("z", "article", None, 1), ("a", "headline", day(1), 99)),
    "embedded_first": (("z", "embedded", None, 1), ("a", "headline", day(1), 99)),
    "longest_of_one_time": (("z", "article", day(1), 99), ("a", "article", day(1), 98)),
    "longest_undated": (("z", "article", None, 99), ("a", "article", None, 98)),
    "smallest_id": (("a", "article", day(1), 99), ("b", "article", day(1), 99)),
    "roles_of_text_are_one": (("a", "embedded", day(1), 99), ("b", "article", day(1), 99)),
    "dated_first": (("z", "article", day(1), 9), ("a", "article", None, 9)),
    "earliest_of_one_length": (("z", "article", day(1), 9), ("a", "article", day(2), 9)),
}
#: The same for one policy.
ORDERED = {
    "earliest": (
        "earliest",
        {
            "earliest_before_longest": (("z", "article", day(1), 1), ("a", "article", day(2), 99)),
            "dated_before_longest": (("z", "article", day(1), 1), ("a", "article", None, 99)),
            "headlines_too": (("z", "headline", day(1), 4), ("a", "headline", day(2), 9)),
            "outlets_do_not_count": (("z", "article", day(1), 9), ("a", "article", day(2), 9, "واس")),
        },
    ),
    "fullest": (
        "fullest",
        {
            "longest_before_earliest": (("z", "article", day(2), 99), ("a", "article", day(1), 98)),
            "longest_before_dated": (("z", "article", None, 99), ("a", "article", day(1), 98)),
            "article_before_longest": (("z", "article", None, 1), ("a", "headline", day(1), 99)),
            "headlines_too": (("z", "headline", day(2), 9), ("a", "headline", day(1), 4)),
        },
    ),
    "outlets": (
        "واس,الجزيرة",
        {
            "most_trusted": (("z", "article", day(2), 1, "واس"), ("a", "article", day(1), 99, "الجزيرة")),
            "trusted_before_others": (("z", "article", None, 1, "الجزيرة"), ("a", "article", day(1), 99, "هسبريس")),
            "trusted_before_unknown": (("z", "article", None, 1, "الجزيرة"), ("a", "article", day(1), 99, None)),
            "article_before_trusted": (("z", "article", None, 1, "هسبريس"), ("a", "headline", day(1), 99, "واس")),
            "earliest_of_one_outlet": (("z", "article", day(1), 1, "واس"), ("a", "article", day(2), 99, "واس")),
            "earliest_of_others": (("z", "article", day(1), 1, None), ("a", "article", day(2), 99, "هسبريس")),
        },
    ),
}
CASES = [
    *(pytest.param(keep, *pair, id=f"{keep}-{name}") for keep in ("earliest", "fullest", OUTLETS) for name, pair in ALWAYS.items()),
    *(pytest.param(keep, *pair, id=f"{policy}-{name}") for policy, (keep, pairs) in ORDERED.items() for name, pair in pairs.items()),
]


@pytest.mark.parametrize(("keep", "first", "second"), CASES)
def test_the_first_of_two_documents_ranks_first(keep, first, second):
    assert ranked([first, second], keep) == [0, 1]
    assert ranked([second, first], keep) == [1, 0]


@pytest.mark.parametrize(
    ("keep", "sources"),
    [("earliest", []), ("fullest", []), ("واس", ["واس"]), ("واس, الجزيرة ,سبق", ["واس", "الجزيرة", "سبق"])],
    ids=["earliest", "fullest", "one", "spaces"],
)
def test_any_other_policy_lists_outlets(keep, sources):
    assert trusted_sources(keep) == sources


DOCUMENTS = st.lists(
    st.tuples(
        st.text(st.characters(codec="utf-8"), max_size=3) | st.sampled_from(["خبر", "خبر#1", "ﷲ", "😀"]),
        st.sampled_from(["article", "embedded", "headline"]),
        st.none() | st.integers(-2, 2) | st.integers(-(1 << 62), 1 << 62),
        st.integers(0, 3),
        st.none() | st.sampled_from(["واس", "الجزيرة", "هسبريس", "earliest", ""]),
    ),
    max_size=12,
    unique_by=lambda document: document[0],
)
POLICIES = st.sampled_from(["earliest", "fullest", "واس", "الجزيرة,واس", "واس , الجزيرة,سبق,واس", "earliest,واس"])


@given(DOCUMENTS, POLICIES)
def test_the_ranks_of_a_table_follow_the_key_of_each_document(documents, keep):
    def key(document):
        doc_id, role, published, words, source = document
        return survivor_key(keep, role, source, published, words, doc_id)

    in_order = sorted(documents, key=key)
    assert ranked(documents, keep) == [in_order.index(document) for document in documents]


@pytest.mark.parametrize("keep", ["earliest", "fullest", OUTLETS])
def test_ranks_are_a_permutation(keep):
    documents = [
        (f"d{i}", ["article", "headline"][i % 2], day(1 + i % 3) if i % 4 else None, i % 5, [None, "الجزيرة"][i % 7 % 2]) for i in range(40)
    ]
    assert sorted(ranked(documents, keep)) == list(range(40))


@pytest.mark.parametrize("keep", ["earliest", "fullest", OUTLETS])
def test_no_documents_have_no_ranks(keep):
    assert ranked([], keep) == []
