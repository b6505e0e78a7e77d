"""Verdicts of an index and its state afterwards, on a store in memory and on SQLite."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

import dedup
from dedup.index import index as online
from dedup.index.index import Index
from dedup.index.metadata import config_of, metadata_of
from dedup.index.stories import OnlineStories
from dedup.text.document_frequencies import background_of
from tests.arabic import edited, news
from tests.index.memory_store import MemoryStore

DAY = datetime(2015, 7, 24, tzinfo=UTC)
WIRE = news(1, 120)
OTHER = news(2, 120)
TITLE = "أمير الرياض يستقبل السفير الياباني لدى المملكة"


def on_memory(config=None, other=None):
    config = config or dedup.Config()
    known = background_of(config.stories.background)
    store = MemoryStore(other._store if other is not None else None, metadata_of(config, known))
    stories = OnlineStories(store, config, known) if config.stories.enabled else None
    return Index(store, config, stories, None, writes=True, name="memory")


@pytest.fixture(params=["memory", "sqlite"])
def open_index(request, tmp_path):
    """A function that opens the index of the test; each call opens it again."""
    opened = []

    def open_it(config=None, **options):
        if request.param == "memory":
            index = on_memory(config, opened[0] if opened else None)
            index._keep = online.span_of(options.get("keep"))
        else:
            for earlier in opened:
                earlier.close()
            index = Index.open(tmp_path / "news.index", config, "a", **options)
        opened.append(index)
        return index

    yield open_it
    for index in opened:
        index.close()


@pytest.fixture
def index(open_index):
    return open_index()


def document(name, text, **more):
    return dedup.Document(id=name, text=text, **more)


def test_a_new_article_is_indexed_and_its_copy_is_skipped(index):
    first = index.ingest(document("a", WIRE))
    assert (first.action, first.status, first.kind, first.match, first.canonical_id) == ("index", "unique", None, None, "a")
    copy = index.ingest(document("b", WIRE))
    assert (copy.action, copy.status, copy.kind, copy.canonical_id) == ("skip", "copy", "exact", "a")
    assert (copy.match.jaccard, copy.match.share, copy.match.containment, copy.covered) == (1.0, 1.0, 1.0, 1.0)
    assert copy.reason == "the same words as a"
    assert copy.story_id == first.story_id


def test_a_near_copy_has_its_exact_jaccard(index):
    index.ingest(document("a", WIRE))
    text = edited(WIRE, 50)
    shingles = [set(dedup.shingle(item)) for item in (WIRE, text)]
    verdict = index.ingest(document("b", text))
    assert (verdict.action, verdict.kind, verdict.canonical_id) == ("skip", "near", "a")
    shared, union = len(shingles[0] & shingles[1]), len(shingles[0] | shingles[1])
    assert verdict.match.jaccard == pytest.approx(shared / union)
    assert verdict.match.share == verdict.covered == pytest.approx(shared / len(shingles[1]))
    assert verdict.match.containment == pytest.approx(shared / min(map(len, shingles)))
    assert verdict.reason == "a near copy of a: 97.4 % of its shingles stand there"


def test_an_excerpt_of_an_indexed_text_is_its_copy(index):
    index.ingest(document("whole", WIRE))
    small = index.ingest(document("part", " ".join(WIRE.split()[20:55])))
    assert (small.action, small.status, small.kind, small.canonical_id) == ("skip", "copy", "excerpt", "whole")
    assert (small.match.share, small.covered, small.extends) == (1.0, 1.0, ())
    assert small.reason == "an excerpt of whole: 100 % of its shingles stand there"


def test_a_report_that_begins_with_an_earlier_brief_is_indexed_and_names_the_brief(index):
    brief = index.ingest(document("brief", " ".join(WIRE.split()[:22]), title=TITLE))
    report = index.ingest(document("report", f"{WIRE} {news(7, 302)}"))
    assert (report.action, report.status, report.kind, report.canonical_id, report.match) == ("index", "extended", None, "report", None)
    assert report.extends == ("brief",)
    assert report.covered == pytest.approx(20 / 420)
    assert report.reason == "it holds brief and adds to it: 4.7 % of its shingles stand in the index"
    assert report.story_id == brief.story_id
    known = index.get("report")
    assert (known["status"], known["extends_id"], known["covered"]) == ("extended", "brief", report.covered)


def test_a_reprint_of_the_report_is_a_copy_of_the_report_not_of_the_brief(index):
    index.ingest(document("brief", " ".join(WIRE.split()[:30])))
    index.ingest(document("report", WIRE))
    same = index.ingest(document("reprint", WIRE))
    edit = index.ingest(document("edited", edited(WIRE, 70)))
    assert [(item.action, item.status, item.canonical_id) for item in (same, edit)] == [("skip", "copy", "report")] * 2


def test_an_extended_document_that_comes_again_says_what_it_extends(index):
    index.ingest(document("brief", " ".join(WIRE.split()[:30])))
    first, again = index.ingest(document("report", WIRE)), index.ingest(document("report", WIRE))
    assert (again.action, again.status, again.extends, again.covered) == ("skip", "extended", ("brief",), first.covered)


def test_a_round_up_names_the_three_wires_that_it_holds_and_is_covered_by_them_together(index):
    wires = {f"w{number}": news(20 + number, 60 + 10 * number) for number in range(3)}
    for name, text in wires.items():
        index.ingest(document(name, text))
    verdict = index.ingest(document("round-up", " ".join(wires.values())))
    assert (verdict.action, verdict.status, verdict.extends) == ("index", "extended", ("w2", "w1", "w0"))
    assert verdict.covered == pytest.approx((58 + 68 + 78) / 208)
    assert verdict.reason == "it holds w2 and 2 more and adds to them: 98 % of its shingles stand in the index"


def test_a_text_that_two_documents_cover_together_is_no_copy_of_either(index):
    halves = news(31, 60), news(32, 60)
    for name, half, rest in (("a", halves[0], news(33, 60)), ("b", halves[1], news(34, 60))):
        index.ingest(document(name, f"{half} {rest}"))
    verdict = index.ingest(document("both", " ".join(halves)))
    assert (verdict.action, verdict.status, verdict.extends) == ("index", "unique", ())
    assert verdict.covered == pytest.approx(116 / 118)


def test_a_long_report_with_two_hundred_shingles_of_its_own_is_kept(index):
    wire = news(41, 500)
    index.ingest(document("wire", wire))
    kept = index.ingest(document("more", f"{wire} {news(42, 220)}"))
    copied = index.ingest(document("same", f"{wire} {news(43, 150)}"))
    assert (kept.status, kept.extends) == ("extended", ("wire",))
    assert (copied.status, copied.canonical_id) == ("copy", "wire")


def test_a_text_in_which_an_extended_document_stands_extends_the_fullest(index):
    index.ingest(document("brief", " ".join(WIRE.split()[:30])))
    index.ingest(document("report", WIRE))
    assert index.ingest(document("long", f"{WIRE} {OTHER}")).extends == ("report", "brief")


@pytest.mark.parametrize(("keep", "canonical"), [("earliest", "a"), ("fullest", "b"), ("الرياض,عكاظ", "c")])
def test_of_documents_that_hold_a_text_alike_the_survivor_policy_chooses_the_canonical(keep, canonical):
    index = on_memory(dedup.Config().replace({"copies.keep": keep}))
    part = " ".join(WIRE.split()[:40])
    for name, text, source in (("a", news(51, 80), "سبق"), ("b", news(52, 160), "سبق"), ("c", news(53, 80), "الرياض")):
        assert index.ingest(document(name, f"{part} {text}", source=source, published=DAY)).action == "index"
    copy = index.ingest(document("d", part, source="واس", published=DAY))
    assert (copy.status, copy.canonical_id, copy.match.share) == ("copy", canonical, 1.0)


@pytest.mark.parametrize("keep", ["fullest", "الرياض,عكاظ"])
def test_what_is_indexed_stays_whatever_the_survivor_policy(keep):
    index = on_memory(dedup.Config().replace({"copies.keep": keep}))
    index.ingest(document("brief", " ".join(WIRE.split()[:100]), source="سبق"))
    report = index.ingest(document("report", WIRE, source="الرياض"))
    assert (report.status, report.canonical_id, index.get("brief")["canonical_id"]) == ("copy", "brief", "brief")
    longer = index.ingest(document("longer", f"{WIRE} {OTHER}", source="الرياض"))
    assert (longer.action, longer.status, longer.extends) == ("index", "extended", ("brief",))


def test_a_short_excerpt_of_a_long_article_is_found_in_it(index):
    words = news(5, 900).split()
    index.ingest(document("long", " ".join(words)))
    for start in range(0, 880, 60):
        verdict = index.check(document("cut", " ".join(words[start : start + 14])))
        assert (verdict.kind, verdict.canonical_id) == ("excerpt", "long"), start


def test_the_reason_mentions_shared_passages_of_a_text_that_is_no_copy(index):
    index.ingest(document("a", WIRE))
    verdict = index.ingest(document("b", " ".join(WIRE.split()[:45]) + " " + news(9, 90)))
    assert (verdict.action, verdict.kind, verdict.match) == ("index", None, None)
    assert "it shares passages with a" in verdict.reason


def test_the_canonical_of_a_copy_is_never_a_copy(index):
    index.ingest(document("a", WIRE))
    index.ingest(document("b", edited(WIRE, 10, 40, 70, 100)))
    again = index.ingest(document("c", edited(WIRE, 10, 40, 70, 100)))
    assert again.canonical_id == "a"
    assert again.kind == "near"
    assert again.match.jaccard == index.get("b")["jaccard"]


def test_a_template_that_one_outlet_fills_in_repeatedly_is_no_copy(index):
    frame = news(3, 60)
    verdicts = [index.ingest(document(f"f{day}", f"{frame} {news(50 + day, 30)}", source="الرياض")) for day in range(8)]
    assert [verdict.kind for verdict in verdicts[4:]] == [None] * 4


def test_a_headline_that_repeats_a_title_is_a_copy_of_the_article(index):
    index.ingest(document("a", WIRE, title=TITLE, published=DAY))
    headline = index.ingest(document("h", None, title=TITLE.replace("السفير", "السّفير"), published=DAY))
    assert (headline.role, headline.action, headline.kind, headline.canonical_id) == ("headline", "skip", "title", "a")
    assert "title of a" in headline.reason


def test_a_headline_that_repeats_a_headline_is_its_copy_but_not_weeks_later(index):
    index.ingest(document("h1", None, title=TITLE, published=DAY))
    assert index.ingest(document("h2", None, title=TITLE, published=DAY + timedelta(days=1))).canonical_id == "h1"
    assert index.ingest(document("h3", None, title=TITLE, published=DAY + timedelta(days=30))).action == "index"


def test_an_article_is_never_skipped_for_a_headline_that_came_before(index):
    index.ingest(document("h", None, title=TITLE, published=DAY))
    assert index.ingest(document("a", WIRE, title=TITLE, published=DAY)).action == "index"
    assert index.get("h")["canonical_id"] == "h"


def test_articles_with_the_same_title_are_no_copies(index):
    index.ingest(document("a", WIRE, title=TITLE))
    assert index.ingest(document("b", OTHER, title=TITLE)).action == "index"


def test_a_few_words_are_too_short_to_judge(index):
    for name in ("a", "b"):
        verdict = index.ingest(document(name, "عاجل اليوم"))
        assert (verdict.action, verdict.status, verdict.reason) == ("index", "short", "too short to judge (2 words)")


def test_the_same_text_with_the_same_id_is_skipped_and_changes_nothing(index):
    first = index.ingest(document("a", WIRE, title=TITLE))
    again = index.ingest(document("a", WIRE, title=TITLE))
    assert (again.action, again.status, again.canonical_id, again.story_id) == ("skip", "unique", "a", first.story_id)
    assert "in the index already" in again.reason
    assert len(index) == 1


def test_another_text_with_the_same_id_is_an_update_and_no_copy_of_itself(index):
    first = index.ingest(document("a", WIRE))
    verdict = index.ingest(document("a", edited(WIRE, 60)))
    assert (verdict.action, verdict.kind, verdict.canonical_id, verdict.story_id) == ("update", None, "a", first.story_id)
    assert index.check(document("b", edited(WIRE, 60))).kind == "exact"
    assert index.check(document("b", WIRE)).kind == "near"
    assert len(index) == 1


def test_an_update_forgets_the_earlier_text(index):
    index.ingest(document("a", WIRE))
    index.ingest(document("a", OTHER))
    assert index.check(document("b", WIRE)).action == "index"
    assert index.check(document("b", OTHER)).kind == "exact"


def test_an_update_can_be_a_copy_of_another_document(index):
    index.ingest(document("a", WIRE))
    index.ingest(document("b", OTHER))
    verdict = index.ingest(document("b", WIRE))
    assert (verdict.action, verdict.status, verdict.kind, verdict.canonical_id) == ("update", "copy", "exact", "a")
    assert index.check(document("c", OTHER)).action == "index"


def test_copies_keep_an_updated_canonical_if_they_still_match_it(index):
    index.ingest(document("a", WIRE))
    index.ingest(document("b", WIRE))
    index.ingest(document("z", OTHER))
    verdict = index.ingest(document("a", f"{WIRE} {OTHER}"))
    assert (verdict.action, verdict.status, verdict.canonical_id) == ("update", "extended", "a")
    assert verdict.reason.endswith("it holds z and adds to it: 49.5 % of its shingles stand in the index")
    assert (index.get("b")["canonical_id"], index.get("b")["kind"], index.get("b")["share"]) == ("a", "excerpt", 1.0)


def test_an_updated_canonical_that_loses_most_of_a_copy_loses_the_copy(index):
    index.ingest(document("a", WIRE))
    index.ingest(document("b", edited(WIRE, 60)))
    verdict = index.ingest(document("a", " ".join(WIRE.split()[:50])))
    assert (verdict.action, verdict.status, verdict.canonical_id) == ("update", "unique", "a")
    known = index.get("b")
    assert (known["status"], known["canonical_id"], known["extends_id"], known["share"]) == ("extended", "b", "a", None)
    again = index.check(document("c", WIRE))
    assert (again.status, again.canonical_id) == ("copy", "b")


def test_an_extended_document_extends_the_updated_text_only_if_it_still_holds_it(index):
    index.ingest(document("brief", " ".join(WIRE.split()[:30])))
    index.ingest(document("report", WIRE))
    verdict = index.ingest(document("brief", " ".join(WIRE.split()[:40])))
    assert (verdict.action, verdict.status, index.get("report")["extends_id"]) == ("update", "unique", "brief")
    assert "other documents are tied to it" in verdict.reason
    index.ingest(document("brief", OTHER))
    known = index.get("report")
    assert (known["status"], known["extends_id"], known["canonical_id"]) == ("unique", None, "report")


def test_what_extends_a_removed_document_extends_the_one_before_it(index):
    for name, words in (("brief", 25), ("report", 60), ("long", 120)):
        index.ingest(document(name, " ".join(WIRE.split()[:words])))
    index.ingest(document("reprint", edited(" ".join(WIRE.split()[:60]), 50)))
    assert index.get("reprint")["canonical_id"] == "report"
    index.remove("report")
    assert (index.get("long")["status"], index.get("long")["extends_id"]) == ("extended", "brief")
    assert (index.get("reprint")["status"], index.get("reprint")["canonical_id"]) == ("copy", "long")
    index.remove("brief")
    assert (index.get("long")["status"], index.get("long")["extends_id"]) == ("unique", None)


def test_check_adds_nothing(index):
    for _ in range(2):
        assert index.check(document("a", WIRE)).action == "index"
    assert (len(index), index.get("a")) == (0, None)


def test_check_and_ingest_give_the_same_verdict(index):
    index.ingest(document("a", WIRE, title=TITLE, published=DAY))
    for item in (document("b", edited(WIRE, 3)), document("c", OTHER), document("d", None, title=TITLE, published=DAY)):
        assert index.check(item) == index.ingest(item)


def test_get_returns_the_details_of_a_document(index):
    verdict = index.ingest(document("a", WIRE, title=TITLE, published=DAY, source="الرياض", url="https://example.org/1"))
    known = index.get("a")
    assert (known["title"], known["source"], known["url"], known["published"]) == (TITLE, "الرياض", "https://example.org/1", DAY)
    assert (known["status"], known["words"], known["story_id"]) == ("unique", 120, verdict.story_id)
    assert "a" in index
    assert "b" not in index


def test_a_removed_document_can_be_added_again(index):
    index.ingest(document("a", WIRE))
    assert index.remove("a") is True
    assert (index.remove("a"), len(index), index.get("a")) == (False, 0, None)
    assert index.ingest(document("b", WIRE)).action == "index"


def test_the_earliest_copy_succeeds_a_removed_canonical(index):
    index.ingest(document("a", WIRE, published=DAY))
    index.ingest(document("b", edited(WIRE, 9), published=DAY + timedelta(hours=2)))
    index.ingest(document("c", edited(WIRE, 9, 70), published=DAY + timedelta(hours=1)))
    index.remove("a")
    assert {name: index.get(name)["canonical_id"] for name in "bc"} == {"b": "c", "c": "c"}
    assert (index.get("c")["status"], index.get("b")["kind"]) == ("unique", "near")
    assert index.check(document("d", edited(WIRE, 9, 70))).canonical_id == "c"


@pytest.mark.parametrize(("keep", "kept"), [("earliest", "b"), ("fullest", "c"), ("الرياض,عكاظ", "d")])
def test_the_survivor_policy_chooses_the_successor_of_a_removed_canonical(keep, kept):
    index = on_memory(dedup.Config().replace({"copies.keep": keep}))
    index.ingest(document("a", WIRE, published=DAY))
    words = WIRE.split()
    for hour, (name, first, source) in enumerate((("b", 9, "سبق"), ("c", 3, "سبق"), ("d", 9, "الرياض"))):
        index.ingest(document(name, " ".join(words[first:]), source=source, published=DAY + timedelta(hours=hour)))
    index.remove("a")
    assert {name: index.get(name)["canonical_id"] for name in "bcd"} == dict.fromkeys("bcd", kept)


def test_copies_that_match_only_the_removed_canonical_become_unique(index):
    words = WIRE.split()
    index.ingest(document("whole", WIRE, published=DAY))
    index.ingest(document("head", " ".join(words[:50]), published=DAY))
    index.ingest(document("tail", " ".join(words[60:]), published=DAY))
    index.remove("whole")
    assert {name: index.get(name)["canonical_id"] for name in ("head", "tail")} == {"head": "head", "tail": "tail"}


HEADLINES = ["البرلمان يقر قانون الاستثمار الجديد بعد نقاش طويل", "الجيش يعلن السيطرة على ثلاث قرى جديدة شمال المدينة"]
PAGE = "\n".join([WIRE, "إقرأ أيضاً", *HEADLINES])
LONGER = f"{PAGE}\nالهلال يتعاقد مع مهاجم جديد قبل انطلاق الدوري السعودي"


def test_a_page_gets_verdicts_on_its_article_and_its_headlines(index):
    verdict = index.ingest(document("p", PAGE, published=DAY))
    assert (verdict.doc_id, verdict.role, [part.doc_id for part in verdict.parts]) == ("p", "article", ["p#1", "p#2"])
    assert {part.role for part in verdict.parts} == {"headline"}
    again = index.ingest(document("q", PAGE, published=DAY))
    assert [again.canonical_id, *(part.canonical_id for part in again.parts)] == ["p", "p#1", "p#2"]


def test_a_headline_repeated_on_one_page_is_a_copy_of_the_first(index):
    twice = f"{PAGE}\n{HEADLINES[0]}"
    for verdict in (index.check(document("p", twice)), index.ingest(document("p", twice))):
        assert [part.canonical_id for part in verdict.parts] == ["p#1", "p#2", "p#1"]


def test_an_updated_page_loses_old_parts_and_gains_new_ones(index):
    index.ingest(document("p", LONGER, published=DAY))
    verdict = index.ingest(document("p", PAGE, published=DAY))
    assert (verdict.action, len(verdict.parts)) == ("skip", 2)
    assert (index.get("p#3"), index.get("p")["parts"], len(index)) == (None, 2, 3)
    assert len(index.ingest(document("p", LONGER, published=DAY)).parts) == 3
    assert (index.get("p")["parts"], len(index)) == (3, 4)
    changed = index.ingest(document("p", OTHER, published=DAY))
    assert (changed.action, changed.parts) == ("update", ())
    assert (index.get("p#1"), index.get("p#2"), len(index)) == (None, None, 1)


def test_removing_a_page_removes_its_parts(index):
    index.ingest(document("p", PAGE, published=DAY))
    assert len(index) == 3
    index.remove("p")
    assert len(index) == 0


def crawl(seed, n=60):
    """Articles, many of them copies of others, with updates and headlines among them."""
    draw = random.Random(seed)
    rows = []
    for number in range(n):
        text, title = news(draw.randrange(n // 2) + 1000, 60), f"{TITLE} {draw.randrange(9)}"
        match draw.randrange(6):
            case 0:
                text = edited(text, draw.randrange(60), draw.randrange(60))
            case 1:
                text = " ".join(text.split()[: 25 + draw.randrange(30)])
            case 2:
                text = f"{text} {news(draw.randrange(5000), 30)}"
            case 3:
                text = None
        name = str(draw.randrange(number + 1)) if draw.random() < 0.1 else str(number)
        rows.append(
            {"id": name, "text": text, "title": title, "published": DAY + timedelta(hours=number), "source": draw.choice(["أ", "ب", None])}
        )
    return rows


@pytest.mark.parametrize("seed", range(4))
def test_a_batch_gives_the_verdicts_of_single_documents(seed):
    config = dedup.Config().replace({"stories.enabled": False})
    rows = crawl(seed)
    alone = on_memory(config)
    expected = [alone.ingest(row) for row in rows]
    for size in (7, 60):
        index = on_memory(config.replace({"run.batch_rows": size}))
        table = index.ingest_batch(rows).to_pylist()
        assert [dedup.index.verdict.verdict_dict(row) for row in table] == [v.to_dict() for v in expected]
        assert len(index) == len(alone)


def test_a_batch_answers_every_row_with_a_verdict_or_a_reject(index):
    rows = [
        {"id": "a", "text": WIRE},
        {"id": "b", "text": None},
        {"id": None, "url": "https://example.org/x", "text": OTHER},
        {"id": None, "text": WIRE},
    ]
    table = index.ingest_batch(rows)
    assert table.column("input_row").to_pylist() == [0, 1, 2, 3]
    assert table.column("action").to_pylist() == ["index", "reject", "index", "reject"]
    assert table.column("doc_id").to_pylist() == ["a", None, "https://example.org/x", None]
    assert "neither text nor title" in table.column("reason")[1].as_py()
    assert "neither an id nor a URL" in table.column("reason")[3].as_py()


def test_a_batch_may_be_empty(index):
    assert index.ingest_batch(pa.table({"id": pa.array([], pa.string()), "text": pa.array([], pa.string())})).num_rows == 0


def test_check_batch_judges_each_row_as_if_it_came_alone(index):
    index.ingest(document("a", WIRE))
    table = index.check_batch([{"id": "b", "text": WIRE}, {"id": "c", "text": OTHER}, {"id": "d", "text": OTHER}])
    assert table.column("action").to_pylist() == ["skip", "index", "index"]
    assert len(index) == 1


def test_a_reopened_index_has_all_ingested_documents(open_index):
    first = open_index()
    before = first.ingest(document("a", WIRE, title=TITLE, published=DAY))
    first.ingest(document("b", edited(WIRE, 7), published=DAY))
    second = open_index()
    assert (len(second), second.get("b")["canonical_id"]) == (2, "a")
    assert second.check(document("c", WIRE)).match.jaccard == 1.0
    assert second.get("a")["story_id"] == before.story_id


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"text": WIRE}, "needs an id"),
        ({"id": "", "text": WIRE}, "id of a document must be a non-empty string"),
        ({"id": 5, "text": WIRE}, "id of a document must be a non-empty string"),
        ({"id": "a"}, "neither text nor title"),
        ({"id": "a", "text": "  \n"}, "neither text nor title"),
        ({"id": "a", "text": 5}, "text must be a string, got int"),
        ({"id": "a", "text": WIRE, "body": WIRE}, "has no field 'body'"),
        ({"id": "a", "text": "ط§ظ„ط£ط®ط¨ط§ط± ط§ظ„ظٹظˆظ… ظپظٹ ط§ظ„ط¹ط§ظ„ظ…"}, "mojibake"),
        ({"id": "a", "text": WIRE, "published": "غدا"}, "date of publication cannot be parsed"),
        (7, "expected a dedup.Document or a mapping with its fields, got int"),
    ],
)
def test_an_unusable_document_is_refused_with_the_reason(index, broken, message):
    with pytest.raises(dedup.InputError, match=message):
        index.ingest(broken)
    assert len(index) == 0


def test_half_surrogates_are_accepted(index):
    assert index.ingest({"id": "x\ud800", "text": WIRE + " \ud83d", "title": "\udc00"}).action == "index"
    assert len(index) == 1


def test_dates_may_have_any_usual_form(index):
    for number, published in enumerate([DAY, DAY.date(), "2015-07-24", "24/7/2015", DAY.replace(tzinfo=None)]):
        index.ingest(document(f"d{number}", news(number + 70, 40), published=published))
        assert index.get(f"d{number}")["published"] == DAY


def test_expired_documents_are_deleted_unless_they_have_later_copies(open_index, monkeypatch):
    now = 1_437_696_000_000_000
    monkeypatch.setattr(online, "_now", lambda: now)
    index = open_index(keep="2d")
    index.ingest(document("old", WIRE))
    index.ingest(document("kept", OTHER))
    monkeypatch.setattr(online, "_now", lambda: now + 86_400_000_000)
    index.ingest(document("copy", OTHER))
    monkeypatch.setattr(online, "_now", lambda: now + 5 * 43_200_000_000)
    index.compact()
    assert [name in index for name in ("old", "kept", "copy")] == [False, True, True]
    assert index.check(document("new", WIRE)).action == "index"


def test_what_extended_an_expired_document_is_unique(open_index, monkeypatch):
    index, now = open_index(keep="2d"), online._now()
    monkeypatch.setattr(online, "_now", lambda: now)
    index.ingest(document("brief", " ".join(WIRE.split()[:30])))
    monkeypatch.setattr(online, "_now", lambda: now + 86_400_000_000)
    index.ingest(document("report", WIRE))
    monkeypatch.setattr(online, "_now", lambda: now + 5 * 43_200_000_000)
    index.compact()
    known = index.get("report")
    assert (index.get("brief"), known["status"], known["extends_id"]) == (None, "unique", None)
    assert index.check(document("again", WIRE)).canonical_id == "report"


def test_a_write_conflict_is_retried(monkeypatch):
    one = on_memory()
    other = on_memory(other=one)
    assert one.ingest(document("a", WIRE)).action == "index"
    look_up = online.look_up

    def slow(*args, **options):
        monkeypatch.setattr(online, "look_up", look_up)
        found = look_up(*args, **options)
        one.ingest(document("b", OTHER))
        return found

    monkeypatch.setattr(online, "look_up", slow)
    verdict = other.ingest(document("c", OTHER))
    assert (verdict.action, verdict.canonical_id) == ("skip", "b")
    assert len(one) == 3


def test_an_index_opened_for_reading_cannot_be_changed(tmp_path):
    Index.open(tmp_path / "news.index", mode="a").close()
    with Index.open(tmp_path / "news.index", mode="r") as index:
        for change in (lambda: index.ingest(document("a", WIRE)), lambda: index.remove("a"), index.compact, lambda: index.ingest_batch([])):
            with pytest.raises(dedup.OutputError, match="open for reading"):
                change()


def test_a_closed_index_refuses_calls(index):
    index.close()
    index.close()
    with pytest.raises(dedup.InputError, match="the index is closed"):
        index.check(document("a", WIRE))


def test_settings_that_differ_from_the_index_are_refused_by_name(tmp_path):
    Index.open(tmp_path / "news.index", mode="a").close()
    with pytest.raises(dedup.ConfigError, match=r"copies\.near is 0\.6, but 0\.5 in the index"):
        Index.open(tmp_path / "news.index", dedup.Config().replace({"copies.near": 0.6}), "a")
    Index.open(tmp_path / "news.index", dedup.Config().replace({"run.threads": 1}), "a").close()


@pytest.mark.parametrize(
    "options",
    [{"mode": "x"}, {"durability": "no"}, {"mode": "a", "keep": "soon"}, {"mode": "a", "keep": timedelta(0)}, {"mode": "r", "keep": "9d"}],
)
def test_invalid_parameters_are_refused(tmp_path, options):
    with pytest.raises(dedup.ConfigError):
        Index.open(tmp_path / "news.index", **options)


@pytest.mark.parametrize("fact", ["rules", "terms"])
def test_an_index_of_another_version_is_refused(fact):
    metadata = metadata_of(dedup.Config(), background_of("shipped"))
    with pytest.raises(dedup.InputError, match="another version"):
        config_of("x", metadata | {fact: 99}, None)


def test_an_index_that_names_the_version_of_signatures_opens_since_it_holds_none():
    metadata = metadata_of(dedup.Config(), background_of("shipped"))
    assert config_of("x", metadata | {"signatures": 1}, None)[0] == dedup.Config()


def test_an_index_made_with_other_word_counts_is_refused():
    metadata = metadata_of(dedup.Config(), background_of("shipped"))
    with pytest.raises(dedup.ConfigError, match="counts"):
        config_of("x", metadata | {"background": "0"}, None)


def test_a_verdict_is_ready_for_json(index):
    index.ingest(document("a", WIRE))
    verdict = index.ingest(document("b", PAGE)).to_dict()
    assert verdict["match"] == {"canonical_id": "a", "kind": "exact", "jaccard": 1.0, "share": 1.0, "containment": 1.0}
    assert (verdict["extends"], verdict["covered"]) == ([], 1.0)
    assert [part["doc_id"] for part in verdict["parts"]] == ["b#1", "b#2"]


def test_documents_of_one_event_share_a_story_id_as_in_a_batch_run(index):
    text = "اندلع حريق كبير في مصنع للبلاستيك جنوب الرياض وسيطر الدفاع المدني على النيران بعد ساعات ولم تقع إصابات بين العمال"
    more = "سيطرت فرق الدفاع المدني على حريق مصنع البلاستيك جنوب الرياض وأخليت المباني المجاورة ولم يصب أحد من العمال"
    first = index.ingest(document("a", text, title="حريق كبير في مصنع بلاستيك جنوب الرياض", published=DAY))
    second = index.ingest(document("b", more, title="السيطرة على حريق مصنع البلاستيك جنوب الرياض", published=DAY + timedelta(hours=3)))
    third = index.ingest(document("c", OTHER, title="الهلال يفوز على النصر في نهائي الكأس", published=DAY + timedelta(hours=4)))
    assert first.story_id == second.story_id
    assert third.story_id != first.story_id
    assert first.story_id == dedup.run([{"id": "a", "text": text, "published": DAY}]).documents["story_id"][0].as_py()


def test_verdicts_have_no_story_if_stories_are_disabled(open_index):
    index = open_index(dedup.Config().replace({"stories.enabled": False}))
    assert index.ingest(document("a", WIRE)).story_id is None
    assert index.review_stories() == 0
    assert replace(index.check(document("b", WIRE)), reason="").story_id is None


def test_an_undated_document_does_not_move_the_story_window(index):
    fire = "اندلع حريق كبير في مصنع للبلاستيك جنوب الرياض وسيطر الدفاع المدني على النيران بعد ساعات ولم تقع إصابات بين العمال"
    more = "سيطرت فرق الدفاع المدني على حريق مصنع البلاستيك جنوب الرياض وأخليت المباني المجاورة ولم يصب أحد من العمال"
    first = index.ingest(document("a", fire, title="حريق كبير في مصنع بلاستيك جنوب الرياض", published=DAY))
    index.ingest(document("x", OTHER))
    second = index.ingest(document("b", more, title="السيطرة على حريق مصنع البلاستيك جنوب الرياض", published=DAY + timedelta(hours=3)))
    third = index.ingest(document("c", news(8, 60) + " " + more, title="السيطرة على حريق مصنع البلاستيك جنوب الرياض"))
    assert first.story_id == second.story_id == third.story_id


def test_a_date_in_the_future_does_not_move_the_story_window(index):
    fire = "اندلع حريق كبير في مصنع للبلاستيك جنوب الرياض وسيطر الدفاع المدني على النيران بعد ساعات ولم تقع إصابات بين العمال"
    more = "سيطرت فرق الدفاع المدني على حريق مصنع البلاستيك جنوب الرياض وأخليت المباني المجاورة ولم يصب أحد من العمال"
    first = index.ingest(document("a", fire, title="حريق كبير في مصنع بلاستيك جنوب الرياض", published=DAY))
    index.ingest(document("x", OTHER, published=DAY + timedelta(days=365 * 50)))
    second = index.ingest(document("b", more, title="السيطرة على حريق مصنع البلاستيك جنوب الرياض", published=DAY + timedelta(hours=3)))
    assert first.story_id == second.story_id


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"text": WIRE, "title": TITLE}, {"text": edited(WIRE, 60), "title": TITLE}),
        ({"text": WIRE, "title": TITLE}, {"text": WIRE, "title": f"{TITLE} اليوم"}),
        ({"text": TITLE, "title": TITLE}, {"text": None, "title": TITLE}),
    ],
    ids=["text", "title", "role"],
)
def test_a_change_of_text_title_or_role_is_an_update(index, before, after):
    index.ingest({"id": "a"} | before)
    assert index.check({"id": "a"} | before).action == "skip"
    assert index.check({"id": "a"} | after).action == "update"
    rows = [{"id": "a"} | after, {"id": "b", "text": OTHER}]
    assert index.check_batch(rows).column("action").to_pylist() == ["update", "index"]
    assert index.ingest({"id": "a"} | after).action == "update"
    assert index.ingest({"id": "a"} | after).action == "skip"
    assert (index.get("a")["title"], index.get("a")["role"]) == (after["title"], "headline" if after["text"] is None else "article")
