"""Runs with a base: old ids stay, new documents join, and batches or threads change nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import dedup
from dedup.cli import main
from dedup.storage.result_folder import TABLES
from tests.arabic import edited, news
from tests.batch.base_runs import DAYS, TITLE, by_id, check, crawl, ran, report, row
from tests.paths import ROOT, SEED_PAGE


def chain(days, **changes):
    results = [ran(days[0], **changes)]
    for rows in days[1:]:
        results.append(ran(rows, base=results[-1]))
        check(results[-1], results[-2])
    return results


@pytest.fixture(scope="module")
def results():
    """The result of each day, with the day before as its base."""
    return chain(crawl())


def test_a_chain_of_runs_keeps_the_ids_of_the_base_and_all_documents(results):
    assert [result.documents.num_rows for result in results] == [19 * day for day in range(1, DAYS + 1)]
    found = by_id(results[-1])
    assert any(document["canonical_id"][0] < name[0] for name, document in found.items() if document["status"] == "copy")
    assert any(len({member[0] for member in story["members"]}) > 1 and story["documents"] > 1 for story in results[-1].stories.to_pylist())


def test_days_one_by_one_find_the_copies_of_one_run_over_all(results):
    batch, found = by_id(ran([row for rows in crawl() for row in rows])), by_id(results[-1])
    assert {name: (document["canonical_id"], document["kind"]) for name, document in found.items()} == {
        name: (document["canonical_id"], document["kind"]) for name, document in batch.items()
    }


def test_events_of_the_base_are_kept_and_listed_once(results):
    for before, after in zip(results[1:], results[2:], strict=False):
        assert after.events.slice(0, before.events.num_rows).equals(before.events)
    keys = [(event["event"], event["story_id"], event["other_id"], event["canonical_id"]) for event in results[-1].events.to_pylist()]
    assert len(keys) == len(set(keys))


def content(folder):
    return {name: path.read_bytes() for name in (*TABLES, "texts") if (path := Path(folder) / f"{name}.parquet").exists()}


@pytest.mark.parametrize(("threads", "batch_rows", "memory"), [(1, 1, 0), (2, 7, 1), (5, 3, 0)])
def test_threads_batches_memory_and_a_base_on_disk_change_no_byte(tmp_path, threads, batch_rows, memory):
    days = crawl()
    first = ran(days[0])
    first.write(tmp_path / "first")
    dedup.run(days[1], base=first).write(tmp_path / "one")
    config = dedup.Config().replace({"run.threads": threads, "run.batch_rows": batch_rows, "run.memory": memory})
    dedup.run(days[1], config, base=tmp_path / "first").write(tmp_path / "other")
    assert content(tmp_path / "one").keys() == {*TABLES, "texts"}
    assert content(tmp_path / "one") == content(tmp_path / "other")


def test_a_result_with_a_base_survives_writing_and_reading(tmp_path, results):
    results[-1].write(tmp_path / "out")
    read = dedup.Result.read(tmp_path / "out")
    for name in TABLES:
        assert getattr(read, name).equals(getattr(results[-1], name)), name
    assert read.texts.read().equals(results[-1].texts.read())
    assert read.texts.take([3])[0].as_py() == crawl()[0][3]["text"]


def test_a_new_copy_of_an_old_copy_needs_a_match_with_the_canonical():
    text = news(1, 100)
    base = ran([row(1, text), row(2, edited(text, 10, 50), day=2)])
    found = by_id(ran([row(3, edited(text, 10, 50, 80), day=3), row(4, edited(text, 10, 50), day=3)], base))
    assert [found[name]["canonical_id"] for name in "1234"] == ["1", "1", "1", "1"]


def test_an_older_or_longer_new_document_does_not_replace_a_canonical():
    text = news(1, 100)
    base = ran([row(1, text, day=9)])
    result = ran([row(0, text + " " + news(2, 20), day=1), row(2, text, day=1)], base)
    check(result, base)
    assert {document["canonical_id"] for document in result.documents.to_pylist()} == {"1"}


def test_a_canonical_of_the_base_ranks_before_its_older_copies():
    wire = news(1, 100)
    last = chain([[row("c", wire, day=9)], [row("e", wire, day=1)], [row("n", edited(wire, 20, 60), day=12)]])[-1]
    assert by_id(last)["n"]["canonical_id"] == "c"


def test_an_old_headline_never_becomes_canonical_of_a_new_article():
    base = ran([row(1, title=TITLE)])
    result = ran([row(2, news(3, 70), title=TITLE), row(3, title=TITLE)], base)
    check(result, base)
    found = by_id(result)
    assert (found["2"]["status"], found["3"]["canonical_id"]) == ("unique", "1")
    assert ("1", "2", "title") in {(match["doc_id_a"], match["doc_id_b"], match["kind"]) for match in result.matches.to_pylist()}


def test_documents_of_the_base_are_not_compared_with_each_other_again():
    base = ran([row(1, news(1)), row(2, edited(news(1), 9)), row(3, f"{news(1)} {news(2)}")])
    assert base.manifest["counts"]["candidates"] == 3
    result = ran([row(4, news(3), day=2)], base)
    check(result, base)
    assert result.manifest["counts"]["candidates"] == 0
    assert ran([row(5, edited(news(1), 9, 33), day=2)], base).manifest["counts"]["candidates"] == 3


def test_an_old_headline_gets_no_new_match_with_an_old_article():
    days = [
        [row(1, news(1), day=9, title=TITLE), row(2, day=9, title=TITLE)],
        [row(3, news(3), day=5, title=TITLE)],
        [row(4, day=6, title=TITLE)],
    ]
    last = chain(days)[-1]
    assert by_id(last)["2"]["canonical_id"] == "1"
    assert ("2", "3") not in {(match["doc_id_a"], match["doc_id_b"]) for match in last.matches.to_pylist()}


def test_a_text_printed_every_day_is_matched_with_the_same_documents_as_in_one_run():
    wire = news(1, 100)
    days = [[row("c", wire, day=1)]]
    days += [[row(f"{run}{k}", edited(wire, 20, 60), day=day) for k in range(6)] for run, day in enumerate((9, 5, 3))]
    last = chain(days)[-1]
    assert {document["canonical_id"] for document in last.documents.to_pylist()} == {"c"}


def test_a_late_copy_joins_an_old_story_but_a_late_document_does_not():
    wire = report(1, topics=[1])
    base = ran([row(1, wire, day=1), row(2, report(2, topics=[2]), day=1)])
    result = ran([row(3, wire, day=28), row(4, report(3, topics=[1]), day=28)], base)
    check(result, base)
    found = by_id(result)
    assert found["3"]["story_id"] == found["1"]["story_id"]
    story = result.stories.to_pylist()[0]
    assert (story["copies"], story["last_published"].day, story["members"]) == (1, 28, ["1", "3"])
    assert found["4"]["story_id"] not in {found["1"]["story_id"], found["2"]["story_id"]}
    assert result.manifest["counts"]["clustered"] == 1


def test_old_groups_linked_by_a_round_up_keep_their_ids_and_make_an_event():
    one, other = news(1, 90), news(2, 90)
    base = ran([row(1, one), row(2, other)])
    result = ran([row(3, f"{one} {other}", day=2)], base)
    check(result, base)
    assert result.events.to_pylist()[0] | {"at": None} == {
        "event": "group_merged",
        "story_id": by_id(result)["1"]["story_id"],
        "other_id": "2",
        "canonical_id": "1",
        "at": None,
        "documents": 1,
        "members": ["3"],
    }
    again = ran([row(4, f"{one} {other}", day=3)], result)
    check(again, result)
    assert again.events.equals(result.events)


def test_a_merge_of_old_stories_is_listed_once():
    base = ran([row(f"{i}{k}", report(10 * i + k, topics=[i]), hour=k) for i in (1, 2) for k in range(3)])
    assert base.stories.num_rows == 2
    bridge = [row(f"n{k}", report(90 + k, topics=[1, 2]), day=2, hour=k) for k in range(6)]
    result = ran(bridge, base)
    check(result, base)
    merged = [event for event in result.events.to_pylist() if event["event"] == "story_merged"]
    assert [(event["documents"], event["at"].isoformat()) for event in merged] == [(3, "2025-03-02T05:00:00+00:00")]
    assert {merged[0]["story_id"], merged[0]["other_id"]} == set(base.stories.column("story_id").to_pylist())
    assert {by_id(result)[f"n{k}"]["story_id"] for k in range(6)} == {merged[0]["story_id"]}
    again = ran([row("z", report(99, topics=[1, 2]), day=2, hour=9)], result)
    check(again, result)
    assert by_id(again)["z"]["story_id"] == merged[0]["story_id"]
    assert again.events.equals(result.events)


def test_a_repeated_page_is_rejected_and_the_reason_says_whether_it_changed():
    base = ran([row(1, news(1)), row(2, news(2)), row(3, title=TITLE)])
    result = ran([row(1, news(1)), row(2, news(9)), row(3, title=TITLE), row(4, news(4)), row(4, news(4))], base)
    check(result, base)
    reasons = [(reject["input_row"], reject["reason"]) for reject in result.rejects.to_pylist()]
    assert reasons == [(0, "already_in_base"), (1, "duplicate_id"), (2, "already_in_base"), (4, "duplicate_id")]
    assert result.texts.read().column("text").to_pylist()[-1] == news(4)


def test_the_result_is_the_base_if_every_new_row_is_rejected():
    base = ran([row(1, news(1)), row(2, edited(news(1), 9))])
    result = ran([row(1, news(1)), {"id": "5", "text": None}], base)
    check(result, base)
    assert result.stories.equals(base.stories)
    assert result.documents.equals(base.documents)


def test_a_base_may_have_no_documents():
    base = ran([{"id": "1", "text": None}])
    result = ran([row(1, news(1)), row(2, edited(news(1), 9))], base)
    check(result, base)
    assert result.documents.equals(ran([row(1, news(1)), row(2, edited(news(1), 9))]).documents)


def test_an_undated_document_can_join_any_story():
    base = ran([row(1, report(1, topics=[3]), day=1), row(2, report(2, topics=[4]), day=1)])
    result = ran([{"id": "3", "text": report(3, topics=[3])}, row(4, report(4, topics=[5]), day=30)], base)
    check(result, base)
    assert by_id(result)["3"]["story_id"] == by_id(result)["1"]["story_id"]


def test_a_page_of_several_documents_keeps_their_texts():
    page = SEED_PAGE.read_text(encoding="utf-8")
    base = ran([row("p", page)])
    assert base.texts.read().column("doc_id").to_pylist() == ["p", *(f"p#{number}" for number in range(1, 12))]
    result = ran([row("q", page, day=2)], base)
    check(result, base)
    found = by_id(result)
    assert all(found[name.replace("q", "p")]["canonical_id"] in {document["canonical_id"], name} for name, document in found.items())
    assert found["q"]["canonical_id"] == "p"


def test_a_base_without_stories_can_be_extended():
    results = chain(crawl(), stories__enabled=False)
    assert results[-1].stories is None
    assert {event["event"] for event in results[-1].events.to_pylist()} <= {"group_merged"}


# Bases that are refused


def test_settings_that_change_results_must_equal_those_of_the_base():
    base = ran([row(1, news(1))], copies__near=0.6)
    with pytest.raises(dedup.ConfigError, match=r"^copies.near is 0.5, but 0.6 in the base\. .* without a base"):
        dedup.run([row(2, news(2))], dedup.Config(), base=base)
    with pytest.raises(dedup.ConfigError, match="text.min_words is 9, but 8 in the base; stories.cut is 0.2, but"):
        ran([row(2, news(2))], base, copies__near=0.6, text__min_words=9, stories__cut=0.2)
    assert ran([row(2, news(2))], base).manifest["config"]["copies"]["near"] == 0.6
    assert ran([row(2, news(2))], base, copies__near=0.6, candidates__sampled=50, run__threads=1).documents.num_rows == 2


def test_a_base_without_texts_is_refused_with_advice():
    base = ran([row(1, news(1))], run__keep_texts=False)
    assert base.texts is None
    with pytest.raises(dedup.InputError, match="the base has no texts .* without --no-texts"):
        ran([row(2, news(2))], base)


def test_a_folder_without_a_result_is_an_input_error(tmp_path):
    with pytest.raises(dedup.InputError, match="the base cannot be read: .* holds no manifest.json"):
        ran([row(2, news(2))], tmp_path)


@pytest.fixture
def written(tmp_path):
    ran([row(1, news(1)), row(2, news(2))]).write(tmp_path / "base")
    return tmp_path / "base"


@pytest.mark.parametrize("name", ["version", "schema_version"])
def test_a_result_of_another_version_is_refused(written, name):
    manifest = json.loads((written / "manifest.json").read_text(encoding="utf-8"))
    (written / "manifest.json").write_text(json.dumps(manifest | {name: "0.0.7"}), encoding="utf-8")
    with pytest.raises(dedup.InputError, match=r"the base was written by dedup .*0\.0\.7.* Run the whole corpus again"):
        ran([row(3, news(3))], written)


def test_inconsistent_tables_are_refused(written):
    path = written / "documents.parquet"
    documents = pq.read_table(path)
    for broken in (documents.drop(["agency"]), documents.slice(0, 1)):
        pq.write_table(broken, path)
        with pytest.raises(dedup.InputError, match="the base is inconsistent"):
            ran([row(3, news(3))], written)


def test_texts_of_other_documents_are_refused(written):
    documents = pq.read_table(written / "documents.parquet")
    ids = pa.array(["1", "x"])
    pq.write_table(
        documents.set_column(0, documents.schema.field(0), ids).set_column(12, documents.schema.field(12), ids),
        written / "documents.parquet",
    )
    with pytest.raises(dedup.InputError, match="its texts belong to other documents"):
        ran([row(3, news(3))], written)


def test_an_unreadable_table_is_an_input_error(written):
    (written / "texts.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(dedup.OutputError, match="contains a table that cannot be read"):
        dedup.Result.read(written)
    with pytest.raises(dedup.InputError, match="the base cannot be read"):
        ran([row(3, news(3))], written)


def test_the_manifest_lists_all_inputs_of_the_chain(tmp_path):
    files = []
    for day in range(1, 4):
        files.append(tmp_path / f"{day}.jsonl")
        files[-1].write_text(json.dumps(row(day, news(day)), ensure_ascii=False), encoding="utf-8")
    result = ran(str(files[2]), ran(str(files[1]), ran(str(files[0]))))
    assert result.manifest["base"]["documents"] == 2
    assert len(result.manifest["base"]["inputs"]) == 2
    assert len(result.manifest["inputs"]) == 1


def test_the_commands_of_the_manual_run(tmp_path, monkeypatch):
    page = (ROOT / "docs" / "how-to" / "day-by-day.md").read_text(encoding="utf-8")
    commands = [line.split()[2:] for line in page.splitlines() if line.startswith("$ dedup run")]
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    assert len(commands) == 3
    for command in commands:
        result = CliRunner().invoke(main, command, prog_name="dedup")
        assert result.exit_code == 0, result.output
    last = dedup.Result.read(commands[-1][-1])
    assert (last.documents.num_rows, last.manifest["counts"]["new_documents"]) == (101, 12)
    assert last.texts.read().num_rows == 101
