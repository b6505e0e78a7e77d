"""The syndication simulator: its edits do what their names say, its truth is right, and its output depends on the seed only."""

import json
import random
import re
import sys
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dedup
from bench.quality import edits
from bench.simulator import EDITS, STRENGTHS, Article, Lenders, in_order, make, simulate, stream, truth
from bench.simulator import __main__ as command
from bench.simulator.drafts import FOREIGN, FURNITURE, OWN, Draft, Passage, draft_of, paragraphs, sentences
from bench.simulator.edits import draw, parse
from bench.simulator.facts import facts, replaced
from bench.simulator.spelling import UNFOLDED
from bench.simulator.truth import Truth
from bench.simulator.walk import BREAK, Walks
from tests.arabic import WORDS

pytestmark = pytest.mark.slow

STREAM = sys.modules["bench.simulator.stream"]
NAMES = ("غوتيريش", "نتنياهو", "عبد العزيز", "خالد", "الرياض", "القاهرة", "سوريا", "الخميس", "يوليو", "اليوم", "المسؤول", "شؤون")


def article(number):
    """An invented article: four paragraphs of three sentences of common words, names and numbers."""
    rng = random.Random(number)

    def sentence():
        words = rng.choices(WORDS, k=12)
        words[3], words[7] = rng.choice(NAMES), str(rng.randrange(3, 20000))
        return f"وقال الوزير {' '.join(words[:6])}، {' '.join(words[6:])} «{rng.choice(WORDS)}»."

    text = "\n".join(" ".join(sentence() for _ in range(3)) for _ in range(4))
    return Article(f"a{number}", f"عنوان {' '.join(rng.choices(WORDS, k=6))}", text, None, "صدى")


ARTICLES = [article(number) for number in range(24)]
LENDERS = Lenders(ARTICLES)
TEXT = ARTICLES[0].text
every_edit = pytest.mark.parametrize("name", EDITS)
every_strength = pytest.mark.parametrize("strength", STRENGTHS)


def rng():
    return random.Random(3)


def one(name, strength="medium", text=TEXT):
    return EDITS[name].apply(draft_of(Article("mine", "عنوان الخبر الأول في المدينة", text)), strength, rng(), LENDERS)


@every_edit
@every_strength
def test_an_edit_gives_the_same_for_the_same_seed(name, strength):
    assert EDITS[name](TEXT, strength, rng(), LENDERS) == EDITS[name](TEXT, strength, rng(), LENDERS)


@every_edit
@every_strength
@pytest.mark.parametrize("text", ["", "خبر", "خبر.", "قال الوزير إن 5% من المشاريع"], ids=["empty", "word", "stop", "line"])
def test_an_edit_takes_any_text(name, strength, text):
    assert isinstance(EDITS[name](text, strength, rng(), LENDERS), str)


@pytest.mark.parametrize("name", [name for name, edit in EDITS.items() if edit.of_words])
@every_strength
def test_an_edit_of_words_keeps_the_lines(name, strength):
    assert one(name, strength).text.count("\n") == TEXT.count("\n")


FOLDED = [
    (name, strength)
    for name, edit in EDITS.items()
    for strength in STRENGTHS
    if (edit.stage == "spelling" or name in ("zero_width", "bidi_marks", "hard_blanks", "shaped")) and (name, strength) not in UNFOLDED
]


@pytest.mark.parametrize("name, strength", FOLDED)
def test_spelling_edits_fold_to_the_same_tokens(name, strength):
    edited = one(name, strength).text
    assert dedup.normalize(edited, level="shingle") == dedup.normalize(TEXT, level="shingle")


@pytest.mark.parametrize("name", sorted({name for name, _ in FOLDED} - {"layout", "keyboard"}))
def test_a_spelling_edit_changes_the_text(name):
    text = TEXT.replace("لل", "لا") + " وبلغت 15000 ريال و6.5 دولار"
    assert EDITS[name](text, "light", rng(), LENDERS) != text or EDITS[name](text, "medium", rng(), LENDERS) != text


@pytest.mark.parametrize("name, strength", sorted(UNFOLDED))
def test_an_edit_that_no_fold_undoes_changes_words(name, strength):
    text = "الطوارئ تبحث 15000 طلب بنسبة 64.5 في شؤون عبد العزيز والتعليم والتنمية وأعلنت والتقارير"
    assert dedup.normalize(EDITS[name](text, strength, rng()), level="shingle") != dedup.normalize(text, level="shingle")


@pytest.mark.parametrize(
    "name, strength, before, after",
    [
        ("hamza", "heavy", "أعلن إلى آخر", "اعلن الى اخر"),
        ("final_ya", "heavy", "في الذي يمشي", "فى الذى يمشى"),
        ("ta_marbuta", "heavy", "برتبة عالية", "برتبه عاليه"),
        ("seats", "light", "المسؤول عن شؤون", "المسئول عن شئون"),
        ("digits", "heavy", "عام 2015", "عام ٢٠١٥"),
        ("digits", "heavy", "عام ٢٠١٥", "عام 2015"),
        ("grouping", "light", "نحو 15000 طن في 2015", "نحو 15,000 طن في 2015"),
        ("grouping", "medium", "نحو 15000 طن", "نحو ١٥٬٠٠٠ طن"),
        ("grouping", "light", "نحو 15,000 طن", "نحو 15000 طن"),
        ("quotes", "medium", 'قال "نعم" ثم', "قال «نعم» ثم"),
        ("quotes", "heavy", "قال «نعم» ثم", "قال “نعم” ثم"),
        ("decimals", "light", "بنسبة 64.5", "بنسبة 64٫5"),
        ("joined", "light", "عبد العزيز", "عبدالعزيز"),
        ("joined", "light", "عبدالعزيز", "عبد العزيز"),
        ("names", "heavy", "وسوريا", "وسورية"),
        ("verbs", "heavy", "أعلنت", "كشفت"),
        ("honorifics", "heavy", "استقبل صاحب السمو الملكي الأمير خالد حفظه الله", "استقبل الأمير خالد"),
        ("honorifics", "light", "قال الدكتور خالد", "قال د. خالد"),
        ("plain_numbers", "medium", "مقتل 5 أشخاص", "مقتل خمسة أشخاص"),
        ("plain_numbers", "medium", "150000 ريال و 10,000,000 دولار", "150 ألف ريال و 10 مليون دولار"),
        ("plain_numbers", "heavy", "35 شخصا", "خمسة وثلاثين شخصا"),
    ],
)
def test_an_edit_by_example(name, strength, before, after):
    assert EDITS[name](before, strength, rng()) == after


@pytest.mark.parametrize("name", ["trim", "trim_sentences"])
def test_a_trim_keeps_a_beginning_shorter_the_stronger_it_is(name):
    sizes = []
    for strength in STRENGTHS:
        words = one(name, strength).text.split()
        assert words == TEXT.split()[: len(words)]
        sizes.append(len(words) / len(TEXT.split()))
    assert 1 > sizes[0] > sizes[1] > sizes[2] > 0
    assert sizes[2] < 0.5


@every_strength
def test_a_dropped_middle_leaves_the_ends(strength):
    edited = sentences(one("drop_middle", strength).text)
    assert edited[0] == sentences(TEXT)[0] and edited[-1] == sentences(TEXT)[-1]
    assert set(edited) < set(sentences(TEXT))


@every_strength
def test_other_order_keeps_the_sentences_and_the_lead(strength):
    edited = sentences(one("reorder", strength).text)
    assert edited[0] == sentences(TEXT)[0] and edited != sentences(TEXT)
    assert Counter(edited) == Counter(sentences(TEXT))


@pytest.mark.parametrize("name, least", [("background", 0.05), ("introduction", 0.02), ("interleave", 0.05)])
@every_strength
def test_added_passages_are_foreign_and_the_own_text_stays(name, least, strength):
    edited = one(name, strength)
    own = [passage.text for passage in edited.passages if passage.part == OWN]
    assert " ".join(own).split() == TEXT.split()
    assert edited.words(FOREIGN) / edited.words(OWN, FOREIGN) > least
    assert edited.words(FURNITURE) == 0


def test_no_article_lends_more_than_a_third_of_itself():
    edited = one("background", "heavy")
    lent = " ".join(passage.text for passage in edited.passages if passage.part == FOREIGN)
    for lender in ARTICLES:
        taken = sum(len(sentence.split()) for sentence in sentences(lender.text) if sentence in lent)
        assert taken <= len(lender.text.split()) / 3


def test_an_article_does_not_borrow_from_itself():
    with pytest.raises(ValueError, match="none to borrow from"):
        EDITS["merge"].apply(draft_of(ARTICLES[0]), "light", rng(), Lenders(ARTICLES[:1], frozenset(["a0"])))


def test_a_merged_text_contains_and_names_the_other_wire():
    edited = one("merge", "medium")
    other = next(article for article in ARTICLES if article.id == edited.second)
    assert edited.text.startswith(TEXT) and edited.text.endswith(other.text[40:])


def test_a_headline_changes_the_title_only():
    for strength in STRENGTHS:
        edited = one("headline", strength)
        assert edited.text == TEXT and edited.title != "عنوان الخبر الأول في المدينة"
    assert one("headline", "heavy").title.split()[0] in TEXT.split()


def test_segmentation_recovers_the_parts_of_a_simulated_page():
    edited = one("page", "heavy")
    page = dedup.segment(edited.text)
    other = next(article for article in ARTICLES if article.id == edited.second)
    assert page.body.split() == TEXT.split()
    assert [embedded.text.split() for embedded in page.embedded] == [other.text.split()]
    assert max(Counter(page.headlines).values()) > 1, "one headline stands twice"
    assert page.source_line and page.keywords_line


@every_strength
def test_a_refilled_template_changes_only_facts(strength):
    edited = facts(TEXT, strength, rng())
    before, after = TEXT.split(), edited.split()
    assert len(after) == len(before)
    changed = {(old, new) for old, new in zip(before, after, strict=True) if old != new}
    numbers = [word for word in before if word.isdigit()]
    assert {old for old, _ in changed} >= set(numbers)
    assert all(len(old) == len(new) and new.isdigit() for old, new in changed if old.isdigit())
    assert len({old for old, _ in changed}) == len(changed), "a fact that comes back is replaced alike"
    assert replaced(TEXT, edited) == sum(old != new for old, new in zip(before, after, strict=True))


def test_a_refilled_template_keeps_years_in_their_decade():
    for seed in range(20):
        assert re.fullmatch(r"عام 201\d", facts("عام 2015", "light", random.Random(seed)))


def draft(own=0, foreign=0, furniture=0, replaced=0):
    parts = ((OWN, own), (FOREIGN, foreign), (FURNITURE, furniture))
    return Draft(None, tuple(Passage("كلمة " * words, part) for part, words in parts), replaced)


@pytest.mark.parametrize(
    "made, relation",
    [
        (draft(own=100), "copy"),
        (draft(own=70, foreign=30), "copy"),
        (draft(own=100, furniture=900), "copy"),
        (draft(own=40), "excerpt"),
        (draft(own=100, foreign=300), "excerpt"),
        (draft(own=30, foreign=12), "excerpt"),
        (draft(own=60, foreign=60), "unsure"),
        (draft(own=40, foreign=60), "partial"),
        (draft(own=30, foreign=300), "partial"),
        (draft(own=100, replaced=6), "template"),
        (draft(own=100, replaced=3), "unsure"),
        (draft(own=20, replaced=2), "unsure"),
    ],
)
def test_the_relation_follows_from_the_edits(made, relation):
    assert truth(made, 100).relation == relation


def test_shares_are_counted_in_words():
    assert truth(draft(own=50, foreign=150, furniture=80), 100) == Truth("unsure", 0.5, 0.25)


def test_edits_are_made_by_stage():
    assert in_order(["page:light", "hamza:heavy", "trim:light", "dateline:light", "trim:heavy"]) == [
        "trim:light", "dateline:light", "hamza:heavy", "page:light"
    ]  # fmt: skip
    assert all(draw(random.Random(seed)) == in_order(draw(random.Random(seed))) for seed in range(20))


@pytest.mark.parametrize("step", ["trim", "trim:hard", "shout:light", ""])
def test_an_unknown_step_is_refused_with_the_known_names(step):
    with pytest.raises(ValueError, match="no edit. Write name:strength with one of facts, trim"):
        parse(step)


def test_the_same_seed_gives_the_same_table_and_another_seed_another():
    table = simulate(ARTICLES, copies=2, seed=5)
    assert table.equals(simulate(ARTICLES, copies=2, seed=5))
    assert not table.equals(simulate(ARTICLES, copies=2, seed=6))


def test_a_row_depends_on_its_own_article_only():
    everything = simulate(ARTICLES, copies=2, seed=5).to_pylist()
    alone = simulate(ARTICLES[4:5], copies=2, seed=5, lenders=ARTICLES).to_pylist()
    assert [row for row in everything if row["origin"] == "a4"] == alone


def test_every_copy_has_its_original_its_edits_and_its_relation():
    rows = simulate(ARTICLES, copies=3, seed=5).to_pylist()
    assert len(rows) == 4 * len(ARTICLES)
    ids = {row["id"] for row in rows if row["relation"] == "original"}
    for row in rows:
        assert row["origin"] in ids and (row["relation"] == "original") == (row["id"] == row["origin"]) == (not row["edits"])
        again = make(draft_of(next(a for a in ARTICLES if a.id == row["origin"])), [], rng())
        assert row["edits"] or row["text"] == again.text


def test_requested_edits_are_made():
    rows = simulate(ARTICLES[:3], seed=5, edits=["trim:heavy", "hamza:heavy"]).to_pylist()
    edited = [row for row in rows if row["edits"]]
    assert [row["edits"] for row in edited] == [["trim:heavy", "hamza:heavy"]] * 3
    assert all("أ" not in row["text"] and row["kept"] < 0.5 and row["relation"] == "excerpt" for row in edited)


LONG = [Article(f"l{i}", None, "\n".join(article(10 * i + j).text for j in range(2)), None, None) for i in range(8)]


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(STREAM, "BLOCK", 256)
    monkeypatch.setattr(STREAM, "LENDERS", 16)


def test_a_walk_goes_from_word_to_word_as_real_texts_do():
    walks = Walks.over(pa.chunked_array([[a.text for a in LONG[:4]], [a.text for a in LONG[4:]]]))
    pairs = {pair for a in LONG for line in paragraphs(a.text) for pair in zip(line.split(), line.split()[1:], strict=False)}
    texts = walks.texts(20, np.random.default_rng(1)).to_pylist()
    for text in texts:
        assert BREAK not in text and len(text.split()) >= 35
        assert all(pair in pairs for line in text.split("\n") for pair in zip(line.split(), line.split()[1:], strict=False))
    assert len(set(texts)) == 20
    assert all("\n" not in title for title in walks.titles(20, np.random.default_rng(1)).to_pylist())


@pytest.mark.usefixtures("small_blocks")
def test_a_stream_has_the_rows_asked_for_and_does_not_depend_on_its_batches():
    batches = list(stream(LONG, documents=600, seed=2, batch_rows=250))
    assert [len(batch) for batch in batches] == [250, 250, 100]
    table = pa.Table.from_batches(batches)
    assert table.equals(pa.Table.from_batches(list(stream(LONG, documents=600, seed=2, batch_rows=7))).combine_chunks())
    assert not table.equals(pa.Table.from_batches(list(stream(LONG, documents=600, seed=3))))


@pytest.mark.usefixtures("small_blocks")
def test_a_stream_begins_with_the_rows_of_a_shorter_one():
    long, short = (pa.Table.from_batches(list(stream(LONG, documents=size, seed=2))) for size in (600, 300))
    assert long.slice(0, 300).equals(short)


@pytest.mark.usefixtures("small_blocks")
def test_in_a_stream_an_original_precedes_its_copies():
    rows = pa.Table.from_batches(list(stream(LONG, documents=512, seed=2))).to_pylist()
    assert len({row["id"] for row in rows}) == 512
    seen = {}
    for row in rows:
        if row["relation"] == "original":
            seen[row["id"]] = row["published"]
        assert row["published"] >= seen[row["origin"]]
    assert 0.4 < len(seen) / 512 < 0.75


@pytest.mark.usefixtures("small_blocks")
def test_the_command_writes_a_crawl(tmp_path, monkeypatch, capsys):
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text("\n".join(json.dumps({"id": a.id, "text": a.text}) for a in LONG), encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["simulator", str(corpus), "--documents", "300", "--seed", "2", "-o", str(tmp_path / "out.parquet")])
    command.main()
    assert capsys.readouterr().out.rpartition("\r")[2].startswith("300 documents, ")
    written = pq.read_table(tmp_path / "out.parquet")
    assert written.equals(pa.Table.from_batches(list(stream(LONG, documents=300, seed=2))))


def test_recall_is_counted_and_the_rule_that_lost_a_pair_is_named():
    rows = edits.measure(simulate(ARTICLES, seed=5, edits=["hamza:heavy"]))
    summary = edits.summary(rows)
    assert summary["wanted"] == summary["rows"] == len(ARTICLES)
    assert (summary["candidate"], summary["listed"], summary["grouped"]) == (1.0, 1.0, 1.0) and summary["lost_by"] == {}
    rows = edits.measure(simulate(ARTICLES, seed=5, edits=["merge:medium"]))
    lost = [row for row in rows if not row["grouped"]]
    assert lost and {row["lost_by"] for row in lost} <= {"grouped with the other wire", "in another group"}


def test_unchanged_texts_are_not_counted():
    plain = [Article(f"p{i}", None, article(i).text.replace("ؤ", "و").replace("ئ", "ي"), None, None) for i in range(3)]
    assert edits.measure(simulate(plain, seed=5, edits=["seats:light"])) == []


def test_recall_is_by_length_and_templates_by_the_share_replaced():
    rows = [{"relation": "excerpt", "text": "كلمة " * n, "candidate": n > 15, "listed": n > 15, "grouped": n > 25} for n in (10, 20, 40)]
    assert [(band["words"], band["grouped"]) for band in edits.by_length(rows)] == [([0, 12], 0.0), ([20, 30], 0.0), ([30, 50], 1.0)]
    forms = [{"origin": "x", "text": "بلغ 7 في 9 أيام", "grouped": True}]
    assert edits.by_density(forms, {"x": "بلغ 5 في\n9 أيام"}) == [{"replaced": [0.2, 1.01], "rows": 1, "grouped": 1.0}]


def test_articles_that_match_are_not_drawn_as_strangers():
    twin = Article("twin", None, TEXT + "\n" + article(99).text, None, None)
    drawn = edits.strangers([twin, *ARTICLES], 25, 7)
    assert {"twin", "a0"}.isdisjoint(a.id for a in drawn) and len(drawn) >= 15
