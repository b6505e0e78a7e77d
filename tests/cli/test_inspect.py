"""``dedup inspect`` on complete, old, damaged and unfinished results.

``DEDUP_GOLDEN=renew`` rewrites the golden output; review the difference.
"""

import hashlib
import json
import os
import re
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from dedup.cli import main
from dedup.schema import SCHEMA_VERSION
from tests.paths import GOLDEN, ROOT

MEASURED = {"lost": 0.0829, "repeated": 0.1241, "losing_copies": {"0.4": 2, "0.5": 1}}
FIXED = MEASURED | {"finished": "2026-11-23T22:00:00+00:00", "peak_memory_bytes": 300 << 20, "config_digest": "0123456789abcdef"}


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """The result of the example crawl, with fixed seconds and memory."""
    folder = tmp_path_factory.mktemp("example") / "out"
    result = CliRunner().invoke(main, ["run", str(ROOT / "examples" / "crawl"), "-o", str(folder), "--quiet"])
    assert result.exit_code == 0, result.output
    change(folder, lambda manifest: manifest | FIXED)
    for stage in (manifest := read(folder))["stages"]:
        stage["seconds"] = 0.5
    change(folder, lambda _: manifest)
    return folder


@pytest.fixture
def out(example, tmp_path, monkeypatch):
    """A copy of it in ``out`` in the current folder, to be damaged."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return Path(shutil.copytree(example, tmp_path / "out"))


def read(folder):
    return json.loads((folder / "manifest.json").read_bytes())


def change(folder, changed):
    (folder / "manifest.json").write_text(json.dumps(changed(read(folder)), ensure_ascii=False), encoding="utf-8")


def inspect(*arguments):
    return CliRunner().invoke(main, ["inspect", *(str(argument) for argument in arguments)], prog_name="dedup")


def inspected(*arguments):
    result = inspect(*arguments, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    return json.loads(result.stdout)


def refused(*arguments):
    result = inspect(*arguments)
    assert (result.exit_code, result.stdout) == (3, ""), result.output
    return result.stderr.removesuffix("\n")


def test_the_inspection_of_the_example_crawl_equals_the_golden_file(out):
    result = inspect("out", "--top", 3)
    assert (result.exit_code, result.stderr) == (0, "")
    printed = re.sub(r"(?m)(\.(?:json|parquet)) [\d.]+ k?B", r"\1 SIZE", result.stdout)
    if os.environ.get("DEDUP_GOLDEN") == "renew":
        (GOLDEN / "inspect.txt").write_text(printed, encoding="utf-8")
    assert printed == (GOLDEN / "inspect.txt").read_text(encoding="utf-8")


def test_the_counts_equal_those_of_the_tables(out):
    summary, counts = inspected("out", "-n", 1000), read(out)["counts"]
    documents = pq.read_table(out / "documents.parquet").to_pylist()
    assert summary["counts"]["documents"] == len(documents) == counts["documents"]
    assert sum(source["documents"] for source in summary["sources"]["largest"]) + summary["sources"]["unknown"] == len(documents)
    assert sum(source["copies"] for source in summary["sources"]["largest"]) == counts["copies"]
    assert sum(agency["documents"] for agency in summary["agencies"]["largest"]) == sum(row["agency"] is not None for row in documents)
    assert len(summary["copy_groups"]) == summary["counts"]["copy_groups"]
    assert sum(group["copies"] for group in summary["copy_groups"]) == counts["copies"]
    assert sum(group["documents"] - group["copies"] - 1 for group in summary["copy_groups"]) == counts["extended"] == 1
    assert {name: summary[name] for name in ("lost", "repeated", "losing_copies")} == MEASURED
    assert len(summary["stories"]) == counts["stories"]
    assert summary["published"]["undated"] == sum(row["published"] is None for row in documents)
    by_id = {row["doc_id"]: row for row in documents}
    for group in summary["copy_groups"]:
        members = [row for row in documents if row["copy_group"] == group["copy_group"]]
        assert by_id[group["first_id"]]["status"] == "canonical"
        assert group["title"] == by_id[group["first_id"]]["title"]
        assert group["documents"] == len(members)
        assert group["sources"] == len({row["source"] for row in members} - {None})
    sizes = [group["documents"] for group in summary["copy_groups"]]
    assert sizes == sorted(sizes, reverse=True)


def test_top_limits_every_list_and_may_be_zero(out):
    lists = ("sources", "agencies", "inputs")
    summary = inspected("out", "-n", 2)
    assert [len(summary[name]["largest"]) for name in lists] == [2, 2, 2]
    assert (len(summary["copy_groups"]), len(summary["stories"])) == (2, 2)
    assert inspected("out", "-n", 0)["stories"] == []
    assert inspect("out", "-n", 0).exit_code == 0
    assert inspect("out", "-n", -1).exit_code == 2


def test_only_changed_settings_are_listed(out):
    assert inspected("out")["config"] == {}
    assert "Settings: defaults. Digest 0123456789abcdef.\n" in inspect("out").stdout

    def changed(manifest):
        manifest["config"]["copies"]["near"] = 0.6
        manifest["config"]["input"]["text"] = "نص"
        return manifest

    change(out, changed)
    assert inspected("out")["config"] == {"input.text": {"value": "نص", "default": None}, "copies.near": {"value": 0.6, "default": 0.5}}
    assert 'Settings: input.text = "نص" (default unset), copies.near = 0.6 (default 0.5).' in inspect("out").stdout


def test_rejects_are_counted_by_reason_with_an_example(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = ['{"title": "خبر قصير عن مدينة النخيل الجديدة"}', "{broken", '{"title": null}', "{again", "{\x1b[31m"]
    Path("news.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert CliRunner().invoke(main, ["run", "news.jsonl", "-o", "out", "-q"]).exit_code == 0
    rejects = inspected("out")["rejects"]
    assert [(reject["reason"], reject["count"], reject["example"]["input_row"]) for reject in rejects] == [
        ("bad_json", 3, 1),
        ("empty_page", 1, 2),
    ]
    shown = inspect("out").stdout
    assert "Rejected as bad_json: 3, first in \u2068news.jsonl\u2069, row 1: " in shown
    assert "\x1b" not in shown


def test_pages_rejected_after_reading_are_counted_separately(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [{"id": str(number // 2), "title": "خبر قصير عن مدينة النخيل الجديدة"} for number in range(4)]
    Path("news.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert CliRunner().invoke(main, ["run", "news.jsonl", "-o", "out", "-q"]).exit_code == 0
    shown = inspect("out").stdout
    assert "4 pages + 0 rejects.\n2 of these pages were rejected later, because their ids were taken.\n" in shown
    assert "4 pages in = 2 pages with documents + 2 rejects." in shown


def test_skipped_records_are_counted_by_reason(out):
    def changed(manifest):
        manifest["inputs"][0] |= {"records": 20, "skipped": {"not_html": 5, "status": 3}}
        manifest["inputs"][1] |= {"records": 66, "skipped": {"status": 2}}
        return manifest

    change(out, changed)
    assert inspected("out")["inputs"]["skipped"] == {"not_html": 5, "status": 5}
    shown = inspect("out").stdout
    assert "3 inputs, 105 kB: 77 pages + 0 rejects + 10 records skipped.\n" in shown
    assert "Skipped records without a page: not_html 5, status 5.\n" in shown


def test_titles_are_printed_without_control_characters_in_an_isolate(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    row = {"title": "عنوان\x1b[31m \u202eالخبر الأول في المدينة", "source": "مصدر\u202e"}
    Path("news.jsonl").write_text((json.dumps(row) + "\n") * 3, encoding="utf-8")
    assert CliRunner().invoke(main, ["run", "news.jsonl", "-o", "out", "-q"]).exit_code == 0
    shown = inspect("out").stdout
    assert not {"\x1b", "\u202e"} & set(shown)
    assert shown.count("\u2068") == shown.count("\u2069") > 0
    assert "\u2068عنوان [31m الخبر الأول في المدينة\u2069" in shown
    assert "\u2068مصدر\u2069" in shown


def test_the_base_and_its_events_are_reported(out):
    new = [{"id": "n1", "title": "خبر جديد تماما عن افتتاح مكتبة البلدة القديمة", "date": "2025-03-10"}]
    Path("new.jsonl").write_text(json.dumps(new[0]), encoding="utf-8")
    shutil.rmtree("out")
    assert CliRunner().invoke(main, ["run", str(ROOT / "examples" / "crawl"), "-o", "out", "-q"]).exit_code == 0
    assert CliRunner().invoke(main, ["run", "new.jsonl", "--base", "out", "-o", "next", "-q"]).exit_code == 0
    assert inspected("next")["base"] == {"documents": 101, "files": 3}
    shown = inspect("next").stdout
    assert "Base: 101 documents from 3 files.\n" in shown
    assert "102 documents = 101 of the base + 1 new; 0 new documents are copies of old ones.\n" in shown
    assert "New events: stories merged 0, stories split 0, copy groups merged 0 (see events.parquet).\n" in shown


def test_a_remote_result_is_inspected_like_a_local_one(out):
    pytest.importorskip("fsspec")
    import dedup

    dedup.Result.read("out").write("memory://results/out")
    assert inspected("memory://results/out") | {"folder": "", "files": {}} == inspected("out") | {"folder": "", "files": {}}
    assert refused("memory://results/none").startswith("Error: memory://results/none: holds no manifest.json, ")


# Results of other versions


def test_a_result_of_an_older_version_is_inspected_as_far_as_possible(out):
    documents = pq.read_table(out / "documents.parquet").drop(["agency"])
    pq.write_table(documents, out / "documents.parquet")
    (out / "texts.parquet").unlink()

    def older(manifest):
        gone = ("finished", "background", "recall", "restarts", *MEASURED)
        return {name: value for name, value in manifest.items() if name not in gone} | {"schema_version": 1, "version": "0.0.9"}

    change(out, older)
    summary = inspected("out")
    assert (summary["agencies"], summary["finished"], summary["counts"]["documents"]) == (None, None, 101)
    result = inspect("out")
    assert (result.exit_code, result.stderr) == (0, "")
    assert (
        f"Note: written by an older version: dedup 0.0.9, table version 1; this is 0.1.0, table version {SCHEMA_VERSION}. "
        "Unknown: documents.agency, background, finished, lost, repeated, losing_copies.\n" in result.stdout
    )
    assert "A run of dedup 0.0.9, finish time unknown, after 1.5 s." in result.stdout
    assert "Largest copy groups" in result.stdout


def test_a_result_of_table_version_2_is_inspected_without_its_losses(out):
    """Version 2 has no extended documents, one share for each match, and does not measure what is lost."""
    gone = ["extends_id", "share", "covered", "fuller_id"]
    documents = pq.read_table(out / "documents.parquet").drop(gone)
    pq.write_table(documents, out / "documents.parquet")
    matches = pq.read_table(out / "matches.parquet").drop(["share_a", "share_b"])
    pq.write_table(matches.append_column("contained", pa.nulls(matches.num_rows, pa.string())), out / "matches.parquet")

    def older(manifest):
        counts = {name: count for name, count in manifest["counts"].items() if name != "extended"}
        rest = {name: value for name, value in manifest.items() if name not in MEASURED}
        del rest["config"]["copies"]["keep"]
        return rest | {"schema_version": 2, "counts": counts}

    change(out, older)
    summary = inspected("out")
    assert {name: summary[name] for name in MEASURED} == dict.fromkeys(MEASURED)
    assert summary["config"] == {}
    assert len(summary["copy_groups"]) == 5
    shown = inspect("out").stdout
    assert f"table version 2; this is 0.1.0, table version {SCHEMA_VERSION}. Unknown: lost, repeated, losing_copies.\n" in shown
    assert "Lost:" not in shown
    assert re.search(r"^Extended documents +unknown *$", shown, re.MULTILINE)
    assert re.search(r"^Copy groups +9 *$", shown, re.MULTILINE)


def test_a_result_of_a_newer_version_gets_a_note(out):
    change(out, lambda manifest: manifest | {"schema_version": SCHEMA_VERSION + 1, "version": "9.0"})
    assert "Note: written by a newer version: dedup 9.0" in inspect("out").stdout


# Paths without a result


def test_a_path_without_a_result_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("file").write_text("")
    assert refused("nowhere") == "Error: nowhere: there is no such folder. Name the folder that the run got with -o."
    assert refused("file") == "Error: file: is a file. Name the folder that the run got with -o."
    assert (
        refused("empty")
        == "Error: empty: holds no manifest.json, so it is not the result of a run. Name the folder that the run got with -o."
    )


@pytest.mark.parametrize("kept", [0, 1, 100, 2000])
def test_a_truncated_manifest_is_refused(out, kept):
    data = (out / "manifest.json").read_bytes()
    (out / "manifest.json").write_bytes(data[:kept])
    assert re.fullmatch(r"Error: out/manifest\.json: cannot be read \(.+\)\. Repeat the run\.", refused("out"))


@pytest.mark.parametrize("text", ["[]", "{}", '"x"', '{"schema_version": 2, "counts": {}}', '{"counts": 1, "version": "1"}'])
def test_a_manifest_of_another_program_is_refused(out, text):
    (out / "manifest.json").write_text(text)
    said = refused("out")
    assert said.startswith("Error: out/manifest.json: is not a manifest of dedup")
    assert said.endswith("Name the folder that the run got with -o.")


def test_an_unfinished_run_is_refused_with_its_finished_steps(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("out/.work").mkdir(parents=True)
    advice = "If it was interrupted, repeat its command to resume it."
    assert refused("out") == f"Error: out: holds an unfinished run. {advice}"
    text = json.dumps({"format": 1, "steps": [{"name": "read"}, {"name": "copies"}]}).encode()
    Path("out/.work/journal.json").write_bytes(hashlib.sha256(text).hexdigest().encode() + b"\n" + text)
    assert refused("out") == f"Error: out: holds an unfinished run (finished steps: read, copies). {advice}"
    Path("out/.work/journal.json").write_bytes(b"torn")
    assert refused("out") == f"Error: out: holds an unfinished run. {advice}"


# Damaged results


def test_a_missing_table_leaves_the_other_counts(out):
    (out / "documents.parquet").unlink()
    result = inspect("out")
    assert result.exit_code == 3
    assert result.stderr == "Error: out: documents.parquet is missing. The output leaves out what depends on it. Repeat the run.\n"
    assert re.search(r"^Documents +101 *$", result.stdout, re.MULTILINE)
    assert re.search(r"^Copy groups +unknown *$", result.stdout, re.MULTILINE)
    assert "Largest stories" in result.stdout
    assert "Largest copy groups" not in result.stdout
    assert json.loads(inspect("out", "--json").stdout)["faults"] == ["documents.parquet is missing"]


@pytest.mark.parametrize("name", ["documents", "matches", "stories", "rejects"])
def test_a_damaged_table_is_named_and_the_rest_is_printed(out, name):
    path = out / f"{name}.parquet"
    path.write_bytes(path.read_bytes()[:-5])
    result = inspect("out")
    assert result.exit_code == 3
    assert result.stderr.startswith(f"Error: out: {name}.parquet cannot be read (")
    assert "77 pages in = 77 pages with documents + 0 rejects." in result.stdout


def test_tables_that_contradict_the_manifest_are_reported(out):
    pq.write_table(pq.read_table(out / "stories.parquet").slice(0, 3), out / "stories.parquet")
    stories = read(out)["counts"]["stories"]
    result = inspect("out")
    assert result.exit_code == 3
    assert result.stderr.startswith(f"Error: out: stories.parquet has 3 rows, but the manifest says {stories}. ")


def test_a_run_without_stories_has_no_faults(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert (
        CliRunner().invoke(main, ["run", str(ROOT / "examples" / "crawl"), "-o", "out", "-q", "--no-stories", "--no-texts"]).exit_code == 0
    )
    result = inspect("out")
    assert (result.exit_code, result.stderr) == (0, "")
    assert re.search(r"^Stories +switched off *$", result.stdout, re.MULTILINE)
