"""Copy detection end to end on invented texts."""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
import pytest

from dedup.config import Config
from dedup.copies.find import MOST_PAIRED, find_copies
from dedup.copies.pairs import EXACT, EXCERPT, LEFT, NEAR, NEITHER, PARTIAL, RIGHT, TITLE
from dedup.fingerprints.fingerprint import fingerprint
from tests import oracle
from tests.arabic import WORDS, edited, news

STORY = news(1, 120)


def found(texts, *, titles=None, headlines=(), ranks=None, sources=None, threads=1, **settings):
    """Find copies among articles with these texts, followed by headlines."""
    config = Config().replace(settings)
    titles = [*(titles or [""] * len(texts)), *headlines]
    prints = fingerprint(pa.array([*texts, *headlines]), pa.array(titles), config)
    headline = np.arange(len(titles)) >= len(texts)
    ranks = np.arange(len(titles)) if ranks is None else np.array(ranks)
    sources = None if sources is None else np.array(sources)
    copies = find_copies(prints, headline, ranks, config, sources=sources, threads=threads)
    check(copies, ranks)
    return copies


def table(copies):
    """``{(left, right): (kind, contained)}``."""
    columns = (getattr(copies.matches, name).tolist() for name in ("left", "right", "kind", "contained"))
    return {(left, right): (kind, contained) for left, right, kind, contained in zip(*columns, strict=True)}


def check(copies, ranks):
    """Check every copy: it has a match with its canonical, which is its own canonical."""
    matches = table(copies)
    assert len(matches) == len(copies.matches)
    assert all(left < right for left, right in matches)
    for row, target in enumerate(copies.canonical.tolist()):
        assert copies.canonical[target] == target
        if target != row:
            assert matches[min(row, target), max(row, target)][0] != PARTIAL
            assert ranks[target] < ranks[row]
            assert not copies.short[row]


def test_the_words_of_invented_news_are_not_facts():
    terms = oracle.term_rows([" ".join(WORDS)], 1 << 40)[0]
    assert len(oracle.common_terms()) > 1000
    assert not any(term & 2 for term in terms)


def test_a_text_and_its_copy_form_a_group_and_unrelated_texts_do_not():
    assert found([STORY, news(2, 120), edited(STORY, 40), news(3, 120)]).canonical.tolist() == [0, 1, 0, 3]


def test_the_first_document_by_precedence_is_the_canonical():
    assert found([STORY, edited(STORY, 40), edited(STORY, 80)], ranks=[2, 0, 1]).canonical.tolist() == [1, 1, 1]


def test_every_pair_of_few_exact_copies_is_listed():
    copies = found([STORY, news(2), STORY, f"«{STORY}!»"])
    assert copies.canonical.tolist() == [0, 1, 0, 0]
    assert table(copies) == dict.fromkeys([(0, 2), (0, 3), (2, 3)], (EXACT, NEITHER))
    assert copies.counts["exact_copies"] == 2


def test_an_exact_copy_of_a_copy_has_its_own_match_with_the_canonical():
    near = edited(STORY, 40)
    copies = found([near, STORY, near], ranks=[1, 0, 2])
    assert copies.canonical.tolist() == [1, 1, 1]
    assert table(copies) == {(0, 1): (NEAR, NEITHER), (0, 2): (EXACT, NEITHER), (1, 2): (NEAR, NEITHER)}
    assert copies.matches.jaccard[0] == copies.matches.jaccard[2]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("sls", {(0, 1): LEFT, (1, 2): RIGHT}),
        ("lss", {(0, 1): RIGHT, (0, 2): RIGHT}),
        ("ssl", {(0, 2): LEFT, (1, 2): LEFT}),
        ("lls", {(0, 2): RIGHT, (1, 2): RIGHT}),
        ("lsl", {(0, 1): RIGHT, (1, 2): LEFT}),
    ],
)
def test_exact_copies_of_an_excerpt_name_the_contained_side(order, expected):
    texts = {"l": STORY, "s": " ".join(STORY.split()[:50])}
    ranks = sorted(range(3), key=lambda row: order[row])  # the long ones first
    copies = found([texts[letter] for letter in order], ranks=np.argsort(ranks))
    matches = table(copies)
    assert {pair: contained for pair, (kind, contained) in matches.items() if kind == EXCERPT} == expected
    assert sum(kind == EXACT for kind, _ in matches.values()) == 1


def test_many_exact_copies_have_one_match_each():
    n = MOST_PAIRED * 20
    copies = found([edited(STORY, 40), *[STORY] * n], ranks=np.arange(n + 1))
    assert set(copies.canonical.tolist()) == {0}
    assert n <= len(copies.matches) <= 3 * n


def test_an_excerpt_at_the_end_of_a_long_text_is_found():
    long = f"{news(5, 400)} {STORY}"
    assert table(found([STORY, long])) == {(0, 1): (EXCERPT, LEFT)}


def test_short_texts_are_never_grouped():
    short = " ".join(STORY.split()[:7])
    copies = found([short, short, STORY, ""])
    assert copies.short.tolist() == [True, True, False, True]
    assert copies.canonical.tolist() == [0, 1, 2, 3]
    assert len(copies.matches) == 0


def test_a_template_filled_in_twice_is_listed_but_never_grouped():
    form = STORY.split()
    cables = [" ".join([*form[:20], *news(100 + i, 12).split(), *form[20:40], f"{i}77", *news(200 + i, 12).split()]) for i in range(40)]
    copies = found(cables)
    assert copies.canonical.tolist() == list(range(40))
    assert set(copies.matches.kind.tolist()) <= {PARTIAL}


def touched_up(text, every):
    """The text with one word in every few replaced by another common one."""
    chance = random.Random(every)
    words = text.split()
    for place in range(every - 1, len(words), every):
        words[place] = chance.choice([word for word in WORDS if word != words[place]])
    return " ".join(words)


def test_a_copy_edited_throughout_is_an_excerpt_at_a_jaccard_below_half():
    copies = found([STORY, touched_up(STORY, 6)])
    assert table(copies) == {(0, 1): (EXCERPT, LEFT)}
    assert copies.matches.jaccard[0] < 0.4
    assert copies.matches.containment[0] < 0.55
    assert copies.canonical.tolist() == [0, 0]


def test_two_texts_that_share_one_long_passage_are_listed_but_never_grouped():
    passage = " ".join(STORY.split()[:62])
    copies = found([STORY, f"{passage} {news(21, 58)}"])
    assert table(copies) == {(0, 1): (PARTIAL, NEITHER)}
    assert 0.4 < copies.matches.containment[0] < 0.55
    assert copies.canonical.tolist() == [0, 1]


def own_ends(n, shared=80, own=30):
    """Texts with a shared beginning and different words after it."""
    beginning = " ".join(STORY.split()[:shared])
    return [f"{beginning} {news(300 + i, own)}" for i in range(n)]


def test_a_template_of_one_outlet_is_never_grouped_but_a_wire_of_many_outlets_is():
    texts = own_ends(6)
    form, wire = found(texts, sources=[4] * 6), found(texts, sources=range(6))
    assert form.matches.jaccard.tolist() == wire.matches.jaccard.tolist()
    assert set(table(form).values()) == {(PARTIAL, NEITHER)}
    assert form.canonical.tolist() == list(range(6))
    assert set(table(wire).values()) == {(NEAR, NEITHER)}
    assert wire.canonical.tolist() == [0] * 6


def test_exact_copies_in_one_outlet_are_not_a_template():
    """A text printed repeatedly is compared once, so its shingles are not common."""
    assert found([STORY] * 9 + [touched_up(STORY, 20)], sources=[4] * 10).canonical.tolist() == [0] * 10


def test_texts_linked_only_by_a_chain_stay_separate():
    parts = [news(seed, 60) for seed in (11, 12, 13)]
    texts = [f"{parts[0]} {parts[1]}", parts[1] + " " + parts[2][:40], f"{parts[2]} {news(14, 60)}"]
    canonical = found(texts).canonical
    assert canonical[2] == 2


# Headlines

VISIT = ["بلينكن يلتقي الرئيس السيسي بمصر", "بلينكن يلتقي الرئيس السيسي في مصر"]


def test_headlines_and_an_article_with_their_title_form_a_group():
    copies = found([STORY], titles=[VISIT[0]], headlines=VISIT)
    assert copies.canonical.tolist() == [0, 0, 0]
    assert table(copies) == dict.fromkeys([(0, 1), (0, 2), (1, 2)], (TITLE, NEITHER))


@pytest.mark.parametrize(
    "other",
    ["بلينكن يلتقي الرئيس السيسي بمصر 3", "بلينكن لا يلتقي الرئيس السيسي بمصر", "شهبندر يلتقي الرئيس السيسي بمصر"],
    ids=["number", "negation", "rare_name"],
)
def test_a_headline_with_another_fact_is_unique(other):
    assert found([STORY], titles=[VISIT[0]], headlines=[other]).canonical.tolist() == [0, 1]


def test_articles_with_the_same_title_are_not_grouped():
    assert found([news(1), news(2)], titles=[VISIT[0]] * 2, headlines=[VISIT[1]]).canonical.tolist() == [0, 1, 0]


def test_a_headline_is_never_compared_with_a_text():
    body = f"{VISIT[0]} {VISIT[0]}"
    assert found([body], headlines=[body]).canonical.tolist() == [0, 1]


def test_exact_copies_of_the_article_have_the_match_with_its_headline():
    copies = found([STORY, STORY], titles=[VISIT[0]] * 2, headlines=[VISIT[1]])
    assert copies.canonical.tolist() == [0, 0, 0]
    assert table(copies)[0, 2] == (TITLE, NEITHER)


# Properties


def mixed_corpus():
    texts, headlines = [], []
    for seed in range(12):
        text = news(seed, 100)
        texts += [text, edited(text, 30), text, " ".join(text.split()[20:60])][: 1 + seed % 4]
        headlines += [news(1000 + seed, 7)] * (seed % 3)
    return texts, headlines


@pytest.mark.parametrize("threads", [2, 7])
def test_copies_do_not_depend_on_the_number_of_threads(threads):
    texts, headlines = mixed_corpus()
    one, several = found(texts, headlines=headlines), found(texts, headlines=headlines, threads=threads)
    assert one.canonical.tolist() == several.canonical.tolist()
    assert table(one) == table(several)


def test_copies_do_not_depend_on_the_order_of_documents():
    texts, _ = mixed_corpus()
    n = len(texts)
    one = found(texts).canonical.tolist()
    turned = found(texts[::-1], ranks=np.arange(n)[::-1]).canonical.tolist()
    assert [n - 1 - target for target in turned[::-1]] == one


def test_another_copy_never_splits_a_group():
    texts, _ = mixed_corpus()
    before = found(texts).canonical.tolist()
    after = found([*texts, edited(texts[5], 50)]).canonical.tolist()
    assert after[:-1] == before


@pytest.mark.parametrize("texts", [[], [STORY], [""]], ids=["none", "one", "empty"])
def test_a_corpus_too_small_for_copies_has_none(texts):
    copies = found(texts)
    assert copies.canonical.tolist() == list(range(len(texts)))
    assert len(copies.matches) == 0


def test_hundreds_of_near_copies_of_a_text_form_one_group():
    chance = random.Random(3)
    prints = [STORY.split() for _ in range(500)]
    for words in prints:
        for place in chance.sample(range(120), 2):
            words[place] = chance.choice(WORDS)
    assert len(set(found([STORY, *map(" ".join, prints)]).canonical.tolist())) == 1


@pytest.mark.slow
def test_candidates_of_five_thousand_near_copies_grow_linearly():
    n = 5_000
    base = news(1, 45).split()
    pick = np.random.default_rng(5).integers(0, len(WORDS), (n, 3))
    texts = [" ".join([*base[:20], *(WORDS[i] for i in row), *base[20:]]) for row in pick]
    config = Config().candidates
    copies = found(texts, **{"candidates.bucket_cap": 4})
    assert copies.counts["candidates"] <= n * (4 * config.bands + config.list_cap * 4)
