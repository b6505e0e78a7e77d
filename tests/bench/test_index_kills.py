"""An index that is killed while it is written to keeps what it said it had: the bench of kills on a few invented articles."""

import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench import index_kills
from bench.index_kills import SHOWN, Told, kill_often, looked_through
from tests.arabic import news


@pytest.fixture
def pages(tmp_path):
    rows = []
    for number in range(420):
        text = news(number % 300, 60)  # from the 300th on copies of the first
        rows.append(
            {
                "id": f"a{number}",
                "title": news(number % 300, 8),
                "text": text,
                "published": None,
                "source": f"outlet{number % 7}",
                "url": None,
            }
        )
    pq.write_table(pa.Table.from_pylist(rows, pa.schema([(name, pa.string()) for name in SHOWN])), tmp_path / "pages.parquet")
    return tmp_path / "pages.parquet"


def test_an_index_that_is_killed_again_and_again_keeps_what_was_acknowledged(pages, tmp_path):
    report = kill_often(pages, tmp_path, 3, random.Random(1))
    assert report["problems"] == []
    assert 1 <= report["kills"] <= 3  # a fast machine may have read all before the third
    assert report["copies"] >= 120
    assert report["verdicts_computed_again"] >= 120


def test_what_is_lost_or_said_otherwise_is_noticed(pages, tmp_path):
    told = Told()
    index_kills._follow(index_kills._start(pages, tmp_path / "index", 0, "process"), told, None)
    copy = next(name for name, said in told.verdicts.items() if said[0] != name)
    told.verdicts["never-came"] = ["never-came", None, None, None, None]
    told.verdicts[copy] = [copy, None, None, None, None]
    told.removed.add("a5")
    problems = []
    looked_through(tmp_path / "index", told, set(), pages, random.Random(0), problems)
    assert [problem.split(":")[0] for problem in problems] == [copy, "never-came", "a5"]
