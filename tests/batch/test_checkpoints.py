"""Checkpoints of the reading stage: how large they are, and positions in the inputs."""

import pyarrow as pa
import pytest

from dedup.batch.checkpoints import ReadPosition, checkpoint_limit
from dedup.readers import PageBatch
from dedup.schema import PAGES, REJECTS

MEBIBYTE = 1 << 20


@pytest.mark.parametrize(("stored", "limit"), [(32 * MEBIBYTE - 1, None), (32 * MEBIBYTE, 128 * MEBIBYTE)])
def test_input_below_a_quarter_of_a_checkpoint_is_read_in_one_go(stored, limit):
    assert checkpoint_limit(128, stored) == limit


def test_a_position_moves_by_the_rows_of_a_batch_and_stays_as_it_was():
    pages = [{"page_id": str(row), "input_file": "a.jsonl", "input_row": row} for row in range(3)]
    rejects = [{"input_file": "a.jsonl", "input_row": 3, "reason": "bad_json", "detail": ""}]
    batch = PageBatch(pa.RecordBatch.from_pylist(pages, PAGES), pa.RecordBatch.from_pylist(rejects, REJECTS))
    start = ReadPosition(base=7, file=2, pages=10, rejects=1, log={"pages": 5})
    assert start.after(batch) == ReadPosition(base=7, file=2, pages=13, rejects=2, log={"pages": 5})
    assert (start.pages, start.rejects) == (10, 1)
