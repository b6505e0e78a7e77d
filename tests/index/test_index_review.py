"""Regressions found in a review of the index: updated canonicals, changing pages, truncated lists, runs of duplicates."""

from __future__ import annotations

import random
import threading
from datetime import timedelta

import numpy as np
import pytest

import dedup
from dedup.fingerprints.fingerprint import text_fingerprints
from dedup.index import index as online
from dedup.index.incoming import SMALLEST_SPLIT
from dedup.index.keys import copies_key
from tests.arabic import edited, news
from tests.index.test_index import DAY, HEADLINES, OTHER, TITLE, WIRE, document, on_memory

ALONE = dedup.Config().replace({"stories.enabled": False})
VARIANTS = [{}, {"shingles.words": 1}, {"shingles.words": 8}, {"text.segment": False}, {"candidates.list_cap": 2}]


def page(*headlines):
    return "\n".join([WIRE, "إقرأ أيضاً", *headlines])


@pytest.mark.parametrize("new", [{"text": OTHER}, {"text": "عاجل"}, {"text": None, "title": TITLE}], ids=["other", "short", "headline"])
def test_copies_that_no_longer_match_an_updated_canonical_get_their_own(new):
    index = on_memory()
    near = edited(WIRE, 9, 60)
    index.ingest(document("a", WIRE))
    index.ingest(document("b", near))
    index.ingest(document("c", WIRE))
    assert index.ingest({"id": "a"} | new).action == "update"
    assert {name: index.get(name)["canonical_id"] for name in "abc"} == {"a": "a", "b": "b", "c": "b"}
    assert (index.check(document("d", near)).kind, index.check(document("d", near)).canonical_id) == ("exact", "b")
    assert inconsistencies(index, ALONE) == []


def test_copies_of_an_updated_canonical_are_measured_against_the_new_text():
    index = on_memory()
    index.ingest(document("a", WIRE))
    index.ingest(document("b", WIRE))
    index.ingest(document("a", edited(WIRE, 9, 60)))
    assert (index.get("b")["canonical_id"], index.get("b")["kind"]) == ("a", "near")
    assert index.check(document("c", WIRE)).canonical_id == "a"
    assert inconsistencies(index, ALONE) == []


def test_copies_left_by_an_updated_canonical_keep_its_story():
    index = on_memory()
    story = index.ingest(document("a", WIRE, published=DAY)).story_id
    index.ingest(document("b", edited(WIRE, 9, 60), published=DAY))
    index.ingest(document("a", OTHER, published=DAY))
    assert index.get("b")["story_id"] == story
    assert index.check(document("c", edited(WIRE, 9, 60, 30), published=DAY)).story_id == story


def test_headlines_that_swap_places_on_a_page_are_updates_not_copies():
    index = on_memory()
    index.ingest(document("p", page(*HEADLINES)))
    again = index.ingest(document("p", page(*HEADLINES[::-1])))
    assert [(part.action, part.canonical_id) for part in again.parts] == [("update", "p#1"), ("update", "p#2")]
    assert index.check(document("h", None, title=HEADLINES[0])).canonical_id == "p#2"


@pytest.mark.parametrize("cap", [2, 200])
def test_a_document_removed_many_times_is_still_found_by_id_and_text(cap):
    index = on_memory(ALONE.replace({"candidates.list_cap": cap}))
    for _ in range(cap + 3):
        index.ingest(document("a", WIRE))
        index.remove("a")
    index.ingest(document("a", WIRE))
    assert index.ingest(document("a", WIRE)).reason.startswith("it is in the index already")
    assert index.check(document("b", WIRE)).kind == "exact"
    actions = index.ingest_batch([{"id": "a", "text": OTHER}, {"id": "z", "text": WIRE}]).column("action").to_pylist()
    assert (actions, len(index)) == (["update", "index"], 2)


def test_a_daily_headline_is_a_copy_of_the_latest_article():
    index = on_memory(ALONE.replace({"candidates.list_cap": 3}))
    for day in range(20):
        index.ingest(document(f"a{day}", news(day, 40), title=TITLE, published=DAY + timedelta(days=day)))
    headline = index.check(document("h", None, title=TITLE, published=DAY + timedelta(days=20)))
    assert (headline.kind, headline.action) == ("title", "skip")


def test_rows_with_a_repeated_id_are_decided_in_order():
    rows = [{"id": "b", "text": WIRE + " " + OTHER}, {"id": "a", "text": OTHER[:200]}, {"id": "a", "text": news(7, 40)}]
    kinds = []
    for batched in (True, False):
        index = on_memory(ALONE)
        index.ingest(document("a", WIRE))
        kinds.append(index.ingest_batch(rows).column("kind").to_pylist() if batched else [index.ingest(row).kind for row in rows])
    assert kinds[0] == kinds[1]


def test_check_batch_ignores_updates_in_other_rows():
    index = on_memory(ALONE)
    index.ingest(document("a", WIRE))
    index.ingest(document("b", edited(WIRE, 5, 60)))
    table = index.check_batch([{"id": "a", "text": OTHER}, {"id": "c", "text": edited(WIRE, 5, 60)}, {"id": "d", "text": OTHER}])
    assert table.column("canonical_id").to_pylist() == ["a", "a", "d"]


def test_a_run_of_duplicates_is_decided_in_small_parts(monkeypatch):
    sizes = []
    look_up = online.look_up
    monkeypatch.setattr(online, "look_up", lambda incoming, *rest, **more: sizes.append(len(incoming)) or look_up(incoming, *rest, **more))
    index = on_memory(ALONE)
    wire = news(1, 200)
    table = index.ingest_batch([{"id": str(k), "text": edited(wire, k % 200, k * 7 % 200)} for k in range(400)])
    assert max(sizes) <= 2 * SMALLEST_SPLIT
    assert table.column("canonical_id").to_pylist() == ["0"] * 400
    sizes.clear()
    index.ingest_batch([{"id": f"u{k}", "text": news(k + 10, 60)} for k in range(400)])
    assert sizes == [400]


def test_a_batch_may_consist_of_documents():
    index = on_memory(ALONE)
    documents = [document("a", WIRE), document("b", OTHER)]
    assert index.ingest_batch(documents).column("action").to_pylist() == ["index", "index"]
    assert index.check_batch(iter(documents)).column("doc_id").to_pylist() == ["a", "b"]


def test_undated_documents_of_a_batch_take_the_date_of_earlier_ones():
    fire = "اندلع حريق كبير في مصنع للبلاستيك جنوب الرياض وسيطر الدفاع المدني على النيران بعد ساعات ولم تقع إصابات بين العمال"
    more = "سيطرت فرق الدفاع المدني على حريق مصنع البلاستيك جنوب الرياض وأخليت المباني المجاورة ولم يصب أحد من العمال"
    rows = [
        {"id": "a", "text": fire, "title": "حريق كبير في مصنع بلاستيك جنوب الرياض", "published": DAY},
        {"id": "b", "text": more, "title": "السيطرة على حريق مصنع البلاستيك جنوب الرياض"},
    ]
    stories = on_memory().ingest_batch(rows).column("story_id").to_pylist()
    assert stories[0] == stories[1]


def test_a_document_is_found_by_an_id_with_half_a_surrogate_pair():
    index = on_memory(ALONE)
    index.ingest(document("x\ud800", WIRE))
    assert "x\ud800" in index
    assert index.remove("x\ud800") is True


@pytest.mark.parametrize("doc_id", [5, None, b"a"])
def test_ids_that_are_no_strings_are_refused(doc_id):
    index = on_memory(ALONE)
    for ask in (index.get, index.remove, index.__contains__):
        with pytest.raises(dedup.InputError, match="id of a document must be a string"):
            ask(doc_id)


def test_a_waiting_call_fails_if_the_index_is_closed_meanwhile():
    index = on_memory(ALONE)
    messages = []

    def ask():
        try:
            index.check(document("a", WIRE))
        except dedup.InputError as error:
            messages.append(str(error))

    with index._lock:
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join(0.2)
        index.close()
    thread.join()
    assert "the index is closed" in messages[0]


@pytest.mark.parametrize("error", [KeyboardInterrupt, dedup.OutputError])
def test_a_failed_commit_leaves_no_trace_in_the_stories(monkeypatch, error):
    rows = [document(str(k), news(k % 5, 40), title=f"{TITLE} {k % 3}", published=DAY) for k in range(12)]
    broken, whole = on_memory(), on_memory()
    for row in rows[:6]:
        broken.ingest(row)
        whole.ingest(row)
    commit = broken._store.commit
    monkeypatch.setattr(broken._store, "commit", lambda _: (_ for _ in ()).throw(error("no room")))
    with pytest.raises(error):
        broken.ingest(document("0", OTHER, published=DAY))
    monkeypatch.setattr(broken._store, "commit", commit)
    assert [broken.ingest(row) for row in rows] == [whole.ingest(row) for row in rows]


def inconsistencies(index, config):
    """Inconsistencies of an index in memory, as strings: shares are recomputed with sets, and a canonical must be its own."""
    entries, wrong = index._store.content["entries"], []

    def shingles(number):
        words = index._store.words([number])
        return set(text_fingerprints((words.tokens, words.offsets), words.terms, config)[0][0].tolist())

    if len({entry.doc_id for entry in entries.values()}) < len(entries):
        wrong.append("one id twice")
    for number, entry in entries.items():
        canonical = entries.get(entry.canonical)
        if (entry.extends is not None) != (entry.status == "extended"):
            wrong.append(f"{entry.doc_id}: {entry.status}, but extends {entry.extends}")
        if entry.status != "copy":
            wrong += [f"{entry.doc_id}: {entry.status}"] * (canonical is not entry or entry.kind is not None)
            held = entries.get(entry.extends) if entry.extends is not None else None
            if held is not None:
                one, other = shingles(number), shingles(held.number)
                if held.canonical != held.number or len(one & other) < config.copies.contained * len(other):
                    wrong.append(f"{entry.doc_id}: does not hold {held.doc_id}")
                if number not in index._store.all_numbers(copies_key(held.number)).tolist():
                    wrong.append(f"{entry.doc_id}: not listed under what it extends")
            elif entry.extends is not None:
                wrong.append(f"{entry.doc_id}: what it extends is gone")
            continue
        if canonical is None or canonical.canonical != canonical.number or canonical.status not in ("unique", "extended"):
            wrong.append(f"{entry.doc_id}: its canonical is none")
            continue
        if number not in index._store.all_numbers(copies_key(canonical.number)).tolist() or entry.story != canonical.story:
            wrong.append(f"{entry.doc_id}: not listed, or of another story")
        if entry.role == "headline":
            continue
        one, other = shingles(number), shingles(canonical.number)
        shared = len(one & other)
        expected = shared / len(one | other), shared / len(one), shared / min(len(one), len(other))
        if canonical.role == "headline" or not np.allclose((entry.jaccard, entry.share, entry.containment), expected):
            wrong.append(f"{entry.doc_id}: {entry.kind} of {canonical.doc_id}, not {expected}")
        if entry.share < config.copies.contained or not entry.share - 1e-9 <= entry.covered <= 1:
            wrong.append(f"{entry.doc_id}: share {entry.share}, covered {entry.covered}")
    return wrong


def crawl(seed, rows=50):
    """Pages made of few texts and headlines, with few ids."""
    draw, titles = random.Random(seed), [*HEADLINES, TITLE, f"{TITLE} اليوم", "عاجل", None]
    for row in range(rows):
        text = news(draw.randrange(12) + 1000, 40)
        match draw.randrange(8):
            case 0:
                text = edited(text, *(draw.randrange(40) for _ in range(draw.randrange(1, 7))))
            case 1:
                text = " ".join(text.split()[draw.randrange(15) :][: 8 + draw.randrange(25)])
            case 2:
                text = f"{text} {news(draw.randrange(12) + 1000, 40)}"
            case 3 | 4:
                text = "\n".join([text, "إقرأ أيضاً", *draw.choices(titles[:4], k=draw.randrange(1, 4))])
            case 5:
                text = None
            case 6:
                text = draw.choice(["...", "1 2 3", "5 " * 12, "من في على " * 5, "كلمة " * 50])
        title = draw.choice(titles)
        name = str(draw.randrange(row + 1) if draw.random() < 0.3 else row) + draw.choice(["", "", "", "#1"])
        yield {"id": name, "text": text, "title": title or (None if text else "عاجل جدا"), "source": draw.choice(["أ", "ب", None])}


@pytest.mark.parametrize("changes", VARIANTS, ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_entries_stay_exact_and_batches_agree_after_any_updates_and_removals(seed, changes):
    config = ALONE.replace(changes)
    rows, draw = list(crawl(seed)), random.Random(seed)
    alone, together = on_memory(config), on_memory(config.replace({"run.batch_rows": 7}))
    while rows:
        part, rows = rows[:9], rows[9:]
        verdicts = [item for verdict in map(alone.ingest, part) for item in (verdict, *verdict.parts)]
        table = together.ingest_batch(part)
        assert [(v.doc_id, v.action, v.canonical_id, v.reason) for v in verdicts] == list(
            zip(*(table.column(name).to_pylist() for name in ("doc_id", "action", "canonical_id", "reason")), strict=True)
        )
        removed = draw.choice(verdicts).doc_id
        assert alone.remove(removed) == together.remove(removed)
        assert inconsistencies(alone, config) == []
        assert inconsistencies(together, config) == []
