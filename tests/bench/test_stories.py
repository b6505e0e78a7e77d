"""The bench of stories, on a small invented set whose scores are known."""

from __future__ import annotations

import json
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench import stories
from dedup import Config
from dedup.stories.evaluate import bcubed
from tests.arabic import news

pytestmark = pytest.mark.slow

EARTHQUAKE = ["زلزال عنيف يضرب شمال كشمير", "زلزال كشمير العنيف يضرب شمالها", "عشرات الضحايا في زلزال كشمير العنيف"]
MATCH = ["فوز برشلونة على تشيلسي بهدفين", "برشلونة يهزم تشيلسي بهدفين نظيفين"]


@pytest.fixture
def headlines(tmp_path):
    """Two stories of one day in Arabic, and the same headlines a month later in another language."""
    path = tmp_path / "headlines.parquet"
    rows = [
        {"id": f"{lang}{number}", "title": title, "date": f"2021-0{month}-0{1 + number % 2}T08:00:00Z", "lang": lang, "story": story}
        for lang, month in (("ara", 7), ("arz", 8))
        for number, (title, story) in enumerate([*((title, "quake") for title in EARTHQUAKE), *((title, "match") for title in MATCH)])
    ]
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


@pytest.fixture
def leads(tmp_path):
    path = tmp_path / "leads.parquet"
    rows = [
        {"id": f"{split}{number}", "story": f"s{number // 2}", "split": split, "title": title, "body": news(number // 2, 12) + f" {title}"}
        for split in ("train", "dev")
        for number, title in enumerate([*EARTHQUAKE[:2], *MATCH])
    ]
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


@pytest.fixture
def corpus(tmp_path):
    """Pages of two stories and an unlabelled page; one label is unsure, one has no page."""
    pages = [
        {"url": f"http://x/{number}", "title": title, "content": f"{title} {news(number, 30)}", "date": "2015-07-24"}
        for number, title in enumerate([*EARTHQUAKE, *MATCH, "طقس معتدل على السواحل الغربية"])
    ]
    (tmp_path / "pages.jsonl").write_text("\n".join(json.dumps(page, ensure_ascii=False) for page in pages), encoding="utf-8")
    labels = [{"url": f"http://x/{number}", "story": "quake" if number < 3 else "match", "sure": int(number != 2)} for number in range(5)]
    labels.append({"url": "http://x/gone", "story": "gone", "sure": 1})
    (tmp_path / "gold.jsonl").write_text("\n".join(map(json.dumps, labels)), encoding="utf-8")
    return str(tmp_path / "pages.jsonl"), str(tmp_path / "gold.jsonl")


def report(capsys, *arguments):
    stories.main([*map(os.fspath, arguments), "--json", "--threads", "1"])
    return json.loads(capsys.readouterr().out)


def test_each_language_of_headlines_is_a_set_by_itself(headlines, capsys):
    lines = report(capsys, "headlines", headlines)
    assert [(line["name"], line["chosen"], line["cut"]) for line in lines] == [
        ("headlines, ara", "default", f"{Config().stories.headline_cut:g}"),
        ("headlines, arz", "default", f"{Config().stories.headline_cut:g}"),
    ]
    assert all(line["scores"]["documents"] == 5 and line["scores"]["gold_stories"] == 2 and line["missing"] == 0 for line in lines)
    assert all(line["scores"]["bcubed_precision"] == 1 for line in lines)
    assert lines[0]["scores"]["intervals"].keys() == lines[1]["scores"]["intervals"].keys() != set()


def test_times_of_headlines_are_used(headlines, tmp_path, capsys):
    rows = pq.read_table(headlines).to_pylist()
    for number, row in enumerate(rows):
        row["date"] = f"20{10 + number}-01-01"
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "years.parquet")
    assert [line["scores"]["largest_found"] for line in report(capsys, "headlines", tmp_path / "years.parquet")] == [1, 1]


def test_tuning_adds_a_cross_validated_and_a_best_line(headlines, monkeypatch, capsys):
    monkeypatch.setattr(stories, "HEADLINE_CUTS", [0.01, 0.9])
    lines = report(capsys, "headlines", headlines, "--tune")[:3]
    assert [line["chosen"] for line in lines] == ["default", "cross-validated", "best on labels"]
    default, unseen, best = (line["scores"]["bcubed_f1"] for line in lines)
    assert best >= max(default, unseen)
    assert "intervals" not in lines[1]["scores"]


def test_settings_come_from_a_file(headlines, tmp_path, capsys):
    (tmp_path / "narrow.toml").write_text("[stories]\nwindow_days = 0.01\nheadline_cut = 0.125\n")
    lines = report(capsys, "headlines", headlines, "--config", tmp_path / "narrow.toml")
    assert [line["cut"] for line in lines] == ["0.125", "0.125"]
    assert [line["scores"]["largest_found"] for line in lines] == [2, 2]  # of each story, what is of one hour


def test_leads_are_clustered_with_and_without_the_other_split(leads, capsys):
    lines = report(capsys, "leads", leads)
    assert [line["name"] for line in lines] == ["leads, dedup.run", "leads, StoryClusterer", "leads, StoryClusterer, train"]
    assert [line["scores"]["documents"] for line in lines] == [4, 4, 4]
    assert [line["scores"]["bcubed_f1"] for line in lines] == [1.0, 1.0, 1.0]


def test_document_frequencies_count_a_document_once(leads):
    rows = pq.read_table(leads).slice(0, 4)
    known = stories.background_of(rows)
    assert known.documents == 4
    assert known.counts.max() <= 4
    assert (known.terms[1:] > known.terms[:-1]).all()
    # A word of the title that the text has again is in one document.
    both = pa.table({"id": ["1"], "title": ["زلزال كشمير"], "body": ["زلزال كشمير"]})
    assert stories.background_of(both).counts.tolist() == [1, 1]


def test_labelled_documents_of_a_corpus_are_scored_and_missing_ones_counted(corpus, capsys):
    stories.main(["arabic", *corpus, "--json"])
    out, errors = capsys.readouterr()
    everything, sure = json.loads(out)
    assert (everything["scores"]["documents"], sure["scores"]["documents"]) == (5, 4)
    assert (everything["missing"], sure["missing"]) == (1, 1)
    assert errors.count("1 labelled documents are not among the results") == 2
    assert everything["seconds"] == sure["seconds"] > 0  # of one run


def test_two_labels_for_one_document_are_refused(corpus):
    with open(corpus[1], "a", encoding="utf-8") as gold:
        gold.write("\n" + json.dumps({"url": "http://x/1", "story": "quake", "sure": 0}))
    with pytest.raises(SystemExit, match="1 labelled documents have the id of another one"):
        stories.main(["arabic", *corpus])


def test_a_cut_is_scored_on_stories_that_did_not_choose_it():
    """Each cut is right for one kind of stories only, so the best cut of one half is no use for the other."""
    gold = [story for story in range(40) for _ in range(3)]
    apart, whole = list(range(120)), gold
    judged = {0.9: bcubed(gold, apart), 0.1: bcubed(gold, whole)}
    cuts, scores = stories.cross_validated(gold, judged)
    assert (cuts, scores["bcubed_f1"]) == ("0.1", 1.0)
    mixed = {
        cut: bcubed(gold, [doc if (doc // 3 % 2 == 0) == even else whole[doc] - 1000 for doc in range(120)])
        for cut, even in ((1, 0), (2, 1))
    }
    best = max(stories._f1(values, slice(None)) for values in mixed.values())
    assert stories.cross_validated(gold, mixed)[1]["bcubed_f1"] < best


def test_the_table_is_markdown_with_a_line_for_each_figure(headlines, capsys):
    stories.main(["headlines", str(headlines)])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert {line.count("|") for line in lines} == {13}
    assert lines[2].startswith("| headlines, ara | default (")
