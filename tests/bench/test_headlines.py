"""The bench of headlines judges each pair by itself, and every edit does what its name says."""

from __future__ import annotations

import json
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.quality import __main__ as command
from bench.quality import headlines
from bench.quality.headlines import OTHERS, SAME

pytestmark = pytest.mark.slow

VISIT = "بلينكن يلتقي الرئيس السيسي بمصر"
OTHER_VISIT = "بلينكن يلتقي الرئيس السوداني بمصر"


def edit(name, headline, seed=1):
    return {**SAME, **OTHERS}[name](headline, random.Random(seed))


def test_each_pair_is_judged_by_itself():
    assert headlines.judge([(VISIT, VISIT), (VISIT, OTHER_VISIT), (OTHER_VISIT, OTHER_VISIT + "!"), ("زلزال", "زلزال قوي")]) == [
        "copy",
        "other",
        "copy",
        "short",
    ]


@pytest.fixture
def pairs(tmp_path):
    path = tmp_path / "pairs.parquet"
    columns = {"s1": [VISIT, VISIT, "زلزال"], "s2": [OTHER_VISIT, VISIT + " (صور)", "زلزال قوي"], "stance": ["disagree", "agree", "agree"]}
    pq.write_table(pa.table(columns), path)
    return path


def test_labels_are_counted_and_pairs_that_are_copies_are_shown(pairs):
    report = headlines.report([pairs])
    labelled, copies, *_ = report.values()
    assert labelled == [
        {"label": "agree", "pairs": 1, "copies": 1, "share": 1.0, "too short": 1},
        {"label": "disagree", "pairs": 1, "copies": 0, "share": 0.0, "too short": 0},
    ]
    assert copies == [{"label": "agree", "one": VISIT, "other": VISIT + " (صور)"}]


def test_labels_may_be_in_the_column_label_or_stance(tmp_path):
    pq.write_table(pa.table({"premise": ["أ"], "hypothesis": ["ب"], "label": ["entails"]}), tmp_path / "pairs.parquet")
    assert headlines.read_pairs(tmp_path / "pairs.parquet") == [("أ", "ب", "entails")]


def test_the_report_is_printed_and_written(pairs, monkeypatch, capsys):
    out = pairs.parent / "report.json"
    monkeypatch.setattr("sys.argv", ["quality", "headlines", str(pairs), "-o", str(out)])
    command.main()
    report = json.loads(out.read_text(encoding="utf-8"))
    printed = capsys.readouterr().out
    assert all(name.startswith("pairs: ") and name in printed for name in report)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("hamza", "أحمد إلى آل", "احمد الى ال"),
        ("hamza seat", "مسؤول شؤون", "مسئول شئون"),
        ("ya", "السيسي يلتقي", "السيسى يلتقى"),
        ("ta marbuta", "القاهرة", "القاهره"),
        ("digits", "مقتل 120", "مقتل ١٢٠"),
        ("colon to dots", "مصر: اتفاق", "مصر.. اتفاق"),
        ("in as a prefix", "زلزال في مصر في مايو", "زلزال بمصر في مايو"),
        ("last word left out", "زلزال قوي في مصر", "زلزال قوي في"),
        ("another number", "بلا رقم", "بلا رقم"),
        ("ends swapped", "مصر تفوز على ليبيا", "ليبيا تفوز على مصر"),
    ],
)
def test_an_edit_does_what_its_name_says(name, before, after):
    assert edit(name, before) == after


@pytest.mark.parametrize("name", ["tag", "tag behind", "vowels", "tatweel", "quotes", "a word left out", "house style"])
def test_a_harmless_edit_depends_on_its_seed_only(name):
    changed = edit(name, VISIT)
    assert changed != VISIT
    assert changed == edit(name, VISIT)


@pytest.mark.parametrize("name", [name for name in OTHERS if name != "another number"])
def test_a_harmful_edit_adds_or_changes_a_word(name):
    before, after = VISIT.split(), edit(name, VISIT).split()
    assert before != after
    assert len(after) - len(before) in (0, 1)


def test_another_number_is_larger():
    changed = edit("another number", "مقتل 12 في هجوم").split()
    assert changed[0] == "مقتل"
    assert int(changed[1]) > 12


def test_repeated_facts_of_a_headline_count_each_time():
    assert headlines.fact_counts(["الرئيس يصل", "مقتل 9 من 9", "لن يصل ولن يعود"]) == [0, 2, 2]
