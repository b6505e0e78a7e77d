"""The frontier: lost and repeated equal a count by hand, the greedy bound keeps what it must, peers give partitions."""

import json
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from bench import frontier
from bench.frontier import count, greedy, measured, partition
from bench.peers import PEERS
from bench.peers.inputs import make_inputs
from bench.peers.process import run_peer
from tests.arabic import edited, news

#: Word 3-grams: 3 in the brief, 5 in the report, which holds the brief, and 2 in another text.
BRIEF = "افتتح الوزير المستشفى الجديد أمس"
REPORT = BRIEF + " في جدة"
OTHER = "فاز الفريق في المباراة"


def kept(*flags):
    return np.array(flags, np.bool_)


def test_dropping_the_brief_loses_nothing_and_repeats_nothing():
    figures = measured(count([BRIEF, REPORT, OTHER]), kept(False, True, True))
    assert (figures["dropped"], figures["lost"], figures["repeated"]) == (1, 0.0, 0.0)


def test_dropping_the_report_loses_what_it_adds():
    figures = measured(count([BRIEF, REPORT, OTHER]), kept(True, False, True))
    assert figures["lost"] == pytest.approx(2 / 5)
    assert figures["lose_more_than_40_percent"] == figures["lose_more_than_half"] == 0


def test_keeping_both_repeats_the_brief():
    figures = measured(count([BRIEF, REPORT, OTHER]), kept(True, True, True))
    assert (figures["lost"], figures["repeated"]) == (0.0, pytest.approx(3 / 10))


def test_a_dropped_text_that_stands_nowhere_is_lost_whole():
    figures = measured(count([BRIEF, OTHER]), kept(True, False))
    assert (figures["lost"], figures["lose_more_than_40_percent"], figures["lose_more_than_half"]) == (1.0, 1, 1)


def test_a_repeat_inside_a_kept_text_is_not_repeated_and_in_a_dropped_text_is_lost_each_time():
    counted = count(["قال قال قال قال", "ألف باء تاء"])
    assert measured(counted, kept(True, True))["repeated"] == 0.0
    assert list(counted.starts) == [0, 2, 3] and list(counted.distinct_starts) == [0, 1, 2]


def test_spellings_and_vowel_marks_are_one_word():
    counted = count(["إفتتح الوزيرُ المستشفى", "افتتح الوزير المستشفي"])
    assert counted.kinds == 1


def test_texts_of_fewer_than_three_words_have_no_runs():
    counted = count(["خبر عاجل", "", BRIEF])
    assert list(counted.starts) == [0, 0, 0, 3]
    assert greedy(counted, range(3), 0.5).all()
    assert measured(counted, kept(False, False, True))["lost"] == 0.0


def test_the_greedy_bound_drops_what_kept_texts_hold_together():
    counted = count([BRIEF, REPORT, OTHER, f"{REPORT} {OTHER}"])  # the last has 5 + 2 runs of 9 in the others
    assert list(greedy(counted, [0, 1, 2, 3], 0.62)) == [True, True, True, False]
    assert list(greedy(counted, [0, 1, 2, 3], 0.6)) == [True, False, True, True]
    assert list(greedy(counted, [3, 1, 0, 2], 0.95)) == [False, False, False, True]


def test_the_first_text_met_is_kept_of_pairs_and_a_match_with_a_dropped_text_drops_nothing():
    answer = {"pairs": [[0, 1], [2, 1], [3, 0]], "labels": None, "kept": None}
    assert list(partition(answer, 5)) == [0, 0, 2, 0, 4]


def test_the_row_that_a_peer_leaves_stands_for_its_cluster():
    answer = {"pairs": None, "labels": [7, 7, 2, 7], "kept": [False, True, True, False]}
    assert list(partition(answer, 4)) == [1, 1, 2, 1]
    assert list(partition(answer | {"kept": None}, 4)) == [0, 0, 2, 0]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Documents 0 and 1 differ in one word, 2 and 3 are equal, all others are unrelated."""
    path = tmp_path_factory.mktemp("corpus") / "crawl.jsonl"
    texts = [news(0), edited(news(0), 40), news(2), news(2), *(news(seed) for seed in range(4, 12))]
    rows = [{"id": f"d{i}", "url": f"u{i}", "title": f"خبر {i}", "source": f"s{i}", "text": text} for i, text in enumerate(texts)]
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return path


@pytest.mark.slow
@pytest.mark.parametrize("name", frontier.SWEPT)
@pytest.mark.parametrize("threshold", [0.5, 0.9])
def test_a_peer_gives_a_partition_whose_leads_are_kept(name, threshold, corpus, tmp_path):
    missing = [package for package in PEERS[name].needs.split(",") if find_spec(package) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    inputs = make_inputs(str(corpus), tmp_path)
    report = run_peer(name, inputs.folded, python=sys.executable, threads=1, warm_rows=0, threshold=threshold)
    assert "failed" not in report, report
    leads = partition(report["answer"], len(inputs.ids))
    assert np.array_equal(leads[leads], leads)
    assert leads[2] == leads[3]
    assert np.array_equal(np.sort(np.unique(leads[4:])), np.arange(4, 12))
    if threshold == 0.5:
        assert leads[0] == leads[1]


@pytest.mark.slow
def test_the_command_prints_the_table_and_writes_json_and_picture(corpus, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(frontier, "run_peer", lambda name, *_, **__: {"name": name, "failed": f"not installed here: {name}"})
    arguments = ["frontier", str(corpus), "--peers", "rensa", "--json", str(tmp_path / "f.json")]
    monkeypatch.setattr(sys, "argv", arguments)
    frontier.main()
    out = capsys.readouterr().out
    assert "not measured: rensa: not installed here: rensa" in out
    report = json.loads((tmp_path / "f.json").read_text(encoding="utf-8"))
    assert report["documents"] == 12
    points = sum(len(line) for line in report["lines"].values())
    assert out.count("\n| dedup") + out.count("\n| greedy") == points
    ours = [point for name, line in report["lines"].items() if name.startswith("dedup") for point in line]
    assert {point["dropped"] for point in ours} == {2}
    assert all(0 < point["lost"] < 0.1 and point["repeated"] < 0.01 for point in ours)


def test_the_picture_has_a_line_for_each_name(tmp_path):
    pytest.importorskip("matplotlib", reason="not installed: matplotlib")
    line = [{"threshold": 0.5, "lost": 0.2, "repeated": 0.1}, {"threshold": 0.9, "lost": 0.1, "repeated": 0.2}]
    names = ["dedup earliest, contained", "rensa 0.5", "greedy bound, fullest first"]
    frontier.draw({"documents": 3, "corpus": "c", "lines": dict.fromkeys(names, line), "failed": {}}, tmp_path / "f.svg")
    assert "<svg" in (tmp_path / "f.svg").read_text(encoding="utf-8")


def test_an_unknown_peer_is_named(monkeypatch, corpus):
    monkeypatch.setattr(sys, "argv", ["frontier", str(corpus), "--peers", "nobody"])
    with pytest.raises(SystemExit, match="nobody"):
        frontier.main()
