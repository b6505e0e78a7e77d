"""Stories of whole runs: what may join two documents, what may not, and story ids."""

from __future__ import annotations

import json
import random

import pytest

import dedup
from tests.batch.base_runs import by_id, ran, report, row

BUDGET = "أقر مجلس الوزراء مشروع الموازنة العامة للدولة وأحاله إلى البرلمان للتصويت عليه"
MATCH = "فاز المنتخب في مباراته الودية على ملعب المدينة الرياضية وسط حضور جماهيري كبير"


def names(seed, count):
    letters = random.Random(seed)
    return ["".join(letters.choices("بتجحدرزسشصضطعغقمن", k=6)) for _ in range(count)]


def stories_of(rows):
    return {name: document["story_id"] for name, document in by_id(ran(rows)).items()}


def test_short_headline_stays_alone():
    assert len(set(stories_of([row(k, title="كاريكاتير") for k in range(3)]).values())) == 3


def test_everyday_title_words_join_no_stories():
    rows = [row(1, BUDGET, title="قبل يوم من الموعد: الحكومة تقر الموازنة"), row(2, MATCH, title="قبل يوم من العيد: المنتخب يهزم ضيفه")]
    found = stories_of(rows)
    assert found["1"] != found["2"]


def test_event_of_many_headlines_is_one_story():
    event = names("event", 3)
    rows = [row(f"e{k}", title=" ".join(event + names(f"own {k}", 3))) for k in range(40)]
    strangers = [row(f"s{k}", title=" ".join(names(f"stranger {k}", 6))) for k in range(40)]
    found = stories_of(rows + strangers)
    assert len({found[f"e{k}"] for k in range(40)}) == 1
    assert len(set(found.values())) == 41


def test_story_id_does_not_depend_on_input_order():
    rows = [row(name, report(number, topics=[1])) for number, name in enumerate(("b", "c", "a"))]
    (one,), (other,) = (set(stories_of(ordered).values()) for ordered in (rows, rows[::-1]))
    assert one == other


@pytest.mark.parametrize("older", [1, 2])
def test_older_of_two_merged_stories_continues(older):
    days = {older: 1, 3 - older: 2}
    base = ran([row(f"{i}{k}", report(10 * i + k, topics=[i]), day=days[i], hour=k) for i in (1, 2) for k in range(3)])
    bridge = [row(f"n{k}", report(90 + k, topics=[1, 2]), day=2, hour=9 + k) for k in range(6)]
    result = ran(bridge, base)
    (merged,) = (event for event in result.events.to_pylist() if event["event"] == "story_merged")
    assert merged["story_id"] == by_id(base)[f"{older}0"]["story_id"]


def test_endless_word_is_no_keyword(tmp_path):
    endless, title = "وف" * 495, "زلزال يضرب طهران وأصفهان"
    rows = [row(k, f"{endless} طهران {text}", title=title) for k, text in enumerate((BUDGET, MATCH))]
    (tmp_path / "news.jsonl").write_text("\n".join(json.dumps(one, ensure_ascii=False) for one in rows), encoding="utf-8")
    result = dedup.run(str(tmp_path / "news.jsonl"))
    keywords = [word for story in result.stories.to_pylist() for word in story["keywords"]]
    assert result.stories.num_rows == 1 and "طهران" in keywords
    assert max(map(len, keywords)) < 20


def test_undated_documents_are_counted_in_the_manifest():
    base = ran([*(row(k, report(k, topics=[k]), day=1) for k in range(4)), {"id": "o", "text": report(5, topics=[5])}])
    dated = ran([row("n", report(9, topics=[9]), day=28)], base).manifest["counts"]
    undated = ran([{"id": "n", "text": report(9, topics=[9])}], base).manifest["counts"]
    assert (dated["new_undated"], dated["clustered"]) == (0, 2)
    assert (undated["new_undated"], undated["clustered"]) == (1, 6)
