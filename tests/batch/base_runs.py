"""Small corpora, runs with a base, and the invariants of their results."""

import random

import dedup
from dedup import schema
from tests.arabic import edited, news

KEPT = ("canonical_id", "kind", "extends_id", "jaccard", "share", "containment", "covered", "copy_group", "story_id")
TITLE = "افتتاح معرض الكتاب الدولي في المدينة القديمة"
DAYS = 4


def row(number, text=None, day=1, hour=8, **columns):
    return {"id": str(number), "published": f"2025-03-{day:02d}T{hour:02d}:00:00", **({"text": text} if text else {}), **columns}


def topic(number):
    """Names of one event: they make documents a story, but not copies."""
    letters = random.Random(f"names {number}")
    return " ".join("".join(letters.choices("بتجحدرزسشصضطعغقمن", k=6)) for _ in range(7))


def report(seed, topics):
    """A new text about some events: their names twice, and a few common words."""
    names = [name for number in topics for name in topic(number).split()]
    order = random.Random(f"order {seed}")
    return " ".join([*order.sample(names, len(names)), news(seed, 8), *order.sample(names, len(names))])


def crawl():
    """Days of news: wires, edited reprints on later days, follow-ups, and a headline."""
    days = []
    for day in range(1, DAYS + 1):
        rows = []
        for number in range(6):
            key = f"{day}-{number}"
            rows += [
                row(f"{key}a", news(100 * day + number, 90), day, source="أ"),
                row(f"{key}b", edited(news(100 * max(1, day - number % 3) + number, 90), 7, 40), day, 10 + number, source=f"ب{number}"),
                row(f"{key}e", report(5000 + 100 * day + number, topics=[number]), day, 12, title=topic(number)),
            ]
        rows.append(row(f"{day}-h", day=day, title=TITLE))
        days.append(rows)
    return days


def ran(rows, base=None, **changes):
    config = dedup.Config().replace({name.replace("__", "."): value for name, value in changes.items()}) if changes else None
    return dedup.run(rows, config, base=base)


def by_id(result):
    return {document["doc_id"]: document for document in result.documents.to_pylist()}


def check(result, base):
    """Check the invariants of a result with a base."""
    documents, old = result.documents.to_pylist(), base.documents.to_pylist()
    found, counts = {document["doc_id"]: document for document in documents}, result.manifest["counts"]
    for before, after in zip(old, documents, strict=False):
        assert before["doc_id"] == after["doc_id"]
        assert {name: before[name] for name in KEPT} == {name: after[name] for name in KEPT}
    matches = result.matches.to_pylist()
    kinds = {(match["doc_id_a"], match["doc_id_b"]): match["kind"] for match in matches}
    places = {document["doc_id"]: place for place, document in enumerate(documents)}
    assert len(kinds) == len(matches)
    assert all(places[a] < places[b] for a, b in kinds)
    assert [match for match in matches if places[match["doc_id_b"]] < len(old)] == base.matches.to_pylist()
    for document in documents:
        canonical = found[document["canonical_id"]]
        assert document["copy_group"] == canonical["copy_group"] == documents[document["copy_group"]]["copy_group"]
        assert (document["status"] == "copy") == (canonical is not document)
        assert (document["status"] == "extended") == (document["extends_id"] is not None)
        assert document["story_id"] == canonical["story_id"]
        assert 0 <= document["covered"] <= 1
        if canonical is not document:
            pair = sorted([document["doc_id"], canonical["doc_id"]], key=places.get)
            assert kinds[tuple(pair)] == document["kind"] != "partial"
            assert document["kind"] == "title" or document["share"] > 0.6199
        if document["extends_id"] is not None:
            held = found[document["extends_id"]]
            assert held["canonical_id"] == held["doc_id"]
            assert (held["copy_group"], held["story_id"]) == (document["copy_group"], document["story_id"])
    assert counts["pages"] == counts["pages_with_documents"] + counts["rejects"]
    assert (counts["base_documents"], counts["documents"]) == (len(old), len(documents))
    assert result.texts.read().column("doc_id").to_pylist() == list(found)
    assert result.events.schema.equals(schema.EVENTS)
    if base.stories is None:
        assert result.stories is None
        return
    stories = result.stories.to_pylist()
    assert result.stories.schema.equals(schema.STORIES)
    assert len({story["story_id"] for story in stories}) == len(stories) == counts["stories"]
    assert [story["story_id"] for story in stories][: base.stories.num_rows] == base.stories.column("story_id").to_pylist()
    for story in stories:
        members = [document for document in documents if document["story_id"] == story["story_id"]]
        assert sorted(story["members"]) == sorted(document["doc_id"] for document in members)
        assert story["documents"] == sum(document["canonical_id"] == document["doc_id"] for document in members)
        assert story["lead_id"] in story["members"]
    touched = {document["story_id"] for document in documents[len(old) :]}
    for before, after in zip(base.stories.to_pylist(), stories, strict=False):
        assert before == after or before["story_id"] in touched
