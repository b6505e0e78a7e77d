"""Rows: the same for a text column of any slice, type and chunks."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.arrays.rows import row_offsets, run_starts, take_rows, text_rows
from dedup.errors import SchemaError
from tests import oracle

TEXTS = ["قال الوزير", "", None, "ﷺ", "end", None, "🙂", "١٥٠٠"]
VIEW = pa.string_view()


def texts_of(column):
    data, offsets = text_rows(column)
    assert (data.dtype, offsets.dtype) == (np.uint8, np.int64)
    return [bytes(row).decode() for row in oracle.listed(data, offsets)]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), VIEW, pa.dictionary(pa.int32(), pa.string())], ids=str)
def test_rows_contain_the_texts_of_the_column(text_column, kind):
    assert texts_of(text_column(TEXTS, kind)) == [text or "" for text in TEXTS]


def test_a_column_without_nulls_is_not_copied(text_column):
    column = text_column(["قال", "نعم", ""], pa.large_string())
    if isinstance(column, pa.Array):
        data, _ = text_rows(column)
        assert data.ctypes.data == column.buffers()[2].address


EMPTY = {"array": pa.array([], pa.string()), "no_chunk": pa.chunked_array([], pa.string()), "slice": pa.array(["x"]).slice(1)}


@pytest.mark.parametrize("column", EMPTY.values(), ids=EMPTY)
def test_an_empty_column_has_no_rows(column):
    data, offsets = text_rows(column)
    assert (len(data), offsets.tolist()) == (0, [0])


def test_a_column_of_nulls_has_empty_rows():
    assert texts_of(pa.array([None, None], pa.string())) == ["", ""]
    assert texts_of(pa.nulls(2)) == ["", ""]


def test_a_column_of_empty_texts_has_empty_rows():
    assert texts_of(pa.array(["", ""])) == ["", ""]


@pytest.mark.parametrize("column", [pa.array([["قال"]]), pa.array([{"a": 1}])], ids=["list", "struct"])
def test_columns_of_other_types_are_refused(column):
    with pytest.raises(SchemaError) as error:
        text_rows(column)
    assert str(error.value) == f"a text column is needed, got {column.type}. Cast it to string first."


ROWS = st.lists(st.lists(st.integers(0, 99), max_size=5), max_size=6)


@given(st.lists(st.integers(0, 9), max_size=6))
def test_offsets_follow_from_the_lengths(lengths):
    offsets = row_offsets(np.array(lengths, np.int64))
    assert offsets.dtype == np.int64
    assert offsets.tolist() == [sum(lengths[:i]) for i in range(len(lengths) + 1)]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=9))
def test_a_run_starts_where_a_row_differs_from_the_previous_one(rows):
    columns = np.array(rows, np.int64).reshape(-1, 2).T
    assert run_starts(*columns).tolist() == [i == 0 or rows[i] != rows[i - 1] for i in range(len(rows))]


@given(st.lists(st.lists(st.integers(0, 99), max_size=5), min_size=1, max_size=6), st.data())
def test_take_rows_returns_the_chosen_rows_in_order(rows, data):
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=8))
    values, offsets = take_rows(*oracle.flat(rows), np.array(chosen, np.int64))
    assert oracle.listed(values, offsets) == [rows[i] for i in chosen]


def test_take_rows_reads_slices():
    values, offsets = oracle.flat([[1, 2], [3], [], [4, 5]])
    assert oracle.listed(*take_rows(values, offsets[1:], np.array([2, 0]))) == [[4, 5], [3]]
