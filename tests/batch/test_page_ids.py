"""Pages without an id over several days: none is lost to a generated id of another page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import dedup
from tests.arabic import edited, news
from tests.batch.base_runs import check, ran, row
from tests.batch.crashes import content, crash_at, page, run, steps_of
from tests.batch.crashes import here as here  # a fixture
from tests.paths import SEED_PAGE

PAGE = SEED_PAGE.read_text(encoding="utf-8")


def texts(*seeds):
    return [{"text": news(seed)} for seed in seeds]


def ids(result):
    return result.documents.column("doc_id").to_pylist()


def reasons(result):
    return [(reject["input_row"], reject["reason"]) for reject in result.rejects.to_pylist()]


def test_a_generated_id_that_the_base_has_for_another_text_is_replaced():
    base = ran(texts(1, 2))
    result = ran([{"text": news(3)}, {"text": edited(news(1), 5)}, {"text": news(4)}], base)
    check(result, base)
    assert reasons(result) == []
    old, other, again, free = *ids(result)[1:4], ids(result)[4]
    assert (old, free) == ("<memory>:1", "<memory>:2")
    assert other.startswith("<memory>:0~") and again.startswith("<memory>:1~")
    assert result.texts.read().to_pydict() == {"doc_id": ids(result), "text": [news(1), news(2), news(3), edited(news(1), 5), news(4)]}
    assert result.documents.column("page_id").to_pylist() == ids(result)
    assert result.documents.column("canonical_id").to_pylist()[3] == "<memory>:0"


def test_a_repeated_page_without_an_id_is_recognized_on_any_day():
    monday = ran(texts(1, 2))
    tuesday = ran(texts(3, 4), monday)
    wednesday = ran(texts(5, 6), tuesday)
    assert (len(ids(wednesday)), len(set(ids(wednesday)))) == (6, 6)
    for seeds in ((1, 2), (3, 4), (5, 6)):
        again = ran(texts(*seeds), wednesday)
        check(again, wednesday)
        assert reasons(again) == [(0, "already_in_base"), (1, "already_in_base")]
    grown = ran(texts(3, 4, 7), wednesday)
    assert (reasons(grown), ids(grown)[6:]) == ([(0, "already_in_base"), (1, "already_in_base")], ["<memory>:2"])


def test_files_of_one_name_in_two_folders_lose_no_row(tmp_path):
    for day, seeds in (("monday", (1, 2)), ("tuesday", (3, 2))):
        (tmp_path / day).mkdir()
        lines = [json.dumps({"text": news(seed)}, ensure_ascii=False) + "\n" for seed in seeds]
        (tmp_path / day / "news.jsonl").write_text("".join(lines), encoding="utf-8")
    base = ran(str(tmp_path / "monday" / "news.jsonl"))
    result = ran(str(tmp_path / "tuesday" / "news.jsonl"), base)
    check(result, base)
    assert (reasons(result), len(ids(result))) == ([(1, "already_in_base")], 3)
    assert ran(str(tmp_path / "tuesday"), base).documents.equals(result.documents)


def test_all_documents_of_a_page_get_its_new_id():
    base = ran([{"text": PAGE}])
    result = ran([{"text": f"{news(9)} {PAGE}"}], base)
    check(result, base)
    first, *rest = ids(result)[base.documents.num_rows :]
    assert first.startswith("<memory>:0~") and rest == [f"{first}#{number}" for number in range(1, len(rest) + 1)]
    assert set(result.documents.column("page_id").to_pylist()[base.documents.num_rows :]) == {first}
    assert result.texts.read().column("doc_id").to_pylist() == ids(result)


def test_an_id_from_the_input_is_never_replaced():
    base = ran([row("a", news(1)), row("b", news(2))])
    result = ran([row("a", news(3)), row("b", news(2)), {"text": news(4)}], base)
    check(result, base)
    assert reasons(result) == [(0, "duplicate_id"), (1, "already_in_base")]
    assert ids(result) == ["a", "b", "<memory>:2"]
    changed = result.rejects.column("detail").to_pylist()[0]
    assert changed == (
        "id 'a' is that of a document of the base, from <memory>, row 0, with other words. The base keeps those that it has. "
        "Name another column with --input.id, or give 'none' to number the pages by file and row."
    )
    assert ran([row("a", news(3))], base, input__id="none").rejects.num_rows == 0


@pytest.mark.parametrize("batch_rows", [1, 2, 100])
def test_new_ids_do_not_depend_on_batches_threads_or_memory(batch_rows):
    base = ran(texts(1, 2, 3))
    news_of_day = [*texts(4, 2, 5), {"text": PAGE}]
    expected = ran(news_of_day, base)
    result = ran(news_of_day, base, run__batch_rows=batch_rows, run__threads=2, run__memory=1)
    assert result.documents.equals(expected.documents)
    assert result.texts.read().equals(expected.texts.read())
    assert isinstance(result, dedup.Result)


@pytest.mark.usefixtures("here")
def test_an_interrupted_run_gives_the_same_new_ids(monkeypatch):
    for day, first in (("monday", 0), ("tuesday", 20)):
        Path(day).mkdir()
        rows = [page(number, id=None) for number in range(first, first + 12)]
        Path(day, "news.jsonl").write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in rows), encoding="utf-8")
    run("monday/news.jsonl", "-o", "base")
    arguments = ("tuesday/news.jsonl", "--base", "base", "-o")
    run(*arguments, "whole")
    assert sum("~" in name for name in ids(dedup.Result.read("whole"))) == 12
    count = steps_of(monkeypatch, *arguments, "counted")
    for step in (count // 4, count // 2, count - 8):
        crash_at(monkeypatch, step, *arguments, f"out{step}")
        assert Path(f"out{step}", ".work", "journal.json").exists()
        run(*arguments, f"out{step}")
        assert content(f"out{step}") == content("whole")
