"""Every column, status, kind and event of the public tables has a meaning, and Parquet files do not hold it."""

import pyarrow.parquet as pq
import pytest

from dedup import schema
from dedup.result import TABLES, Result


@pytest.mark.parametrize("table", schema.TABLES)
def test_every_column_has_a_meaning(table):
    assert list(schema.COLUMN_MEANINGS[table]) == schema.TABLES[table].names
    assert all(schema.COLUMN_MEANINGS[table].values())


def test_every_status_kind_and_event_has_a_meaning():
    assert tuple(schema.STATUS_MEANINGS) == schema.STATUSES
    assert tuple(schema.KIND_MEANINGS) == schema.KINDS
    assert tuple(schema.EVENT_MEANINGS) == schema.HAPPENINGS


def test_every_table_of_a_result_has_a_schema():
    assert {*TABLES, "texts", "verdicts"} == set(schema.TABLES)


def test_meanings_are_not_written_to_parquet(tmp_path):
    tables = {name: schema.TABLES[name].empty_table() for name in TABLES}
    Result(**tables, manifest={}).write(tmp_path / "out")
    for name in TABLES:
        written = pq.read_schema(tmp_path / "out" / f"{name}.parquet")
        assert (written.names, written.metadata) == (schema.TABLES[name].names, None)
        assert all(not {*(field.metadata or {})} - {b"PARQUET:field_id"} for field in written)
