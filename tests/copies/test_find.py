"""Copy detection end to end on invented texts."""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
import pytest

from dedup.config import Config
from dedup.copies.find import MOST_PAIRED, find_copies
from dedup.copies.pairs import EXACT, EXCERPT, NEAR, PARTIAL, TITLE
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
    """``{(left, right): kind}``."""
    columns = (getattr(copies.matches, name).tolist() for name in ("left", "right", "kind"))
    return {(left, right): kind for left, right, kind in zip(*columns, strict=True)}


def shares(copies):
    """``{(one, other): share of one in the other}``, both ways."""
    matches = copies.matches
    left, right = matches.left.tolist(), matches.right.tolist()
    shares = dict(zip(zip(left, right, strict=True), matches.share_left.tolist(), strict=True))
    return shares | dict(zip(zip(right, left, strict=True), matches.share_right.tolist(), strict=True))


def canonicals(copies):
    return copies.survivors.canonical.tolist()


def check(copies, ranks, least=0.62):
    """Check the matches of every copy and of every extended document, and the numbers of what is lost."""
    matches, share, survivors = table(copies), shares(copies), copies.survivors
    assert len(matches) == len(copies.matches)
    assert all(left < right for left, right in matches)
    canonical, extends, family = (rows.tolist() for rows in (survivors.canonical, survivors.extends, survivors.family))
    for row, (target, held) in enumerate(zip(canonical, extends, strict=True)):
        assert canonical[target] == target
        assert family[row] == family[target] == family[family[row]]
        if target != row:
            kind = matches[min(row, target), max(row, target)]
            assert kind != PARTIAL
            assert kind == TITLE or share[row, target] >= least
            assert ranks[target] < ranks[row]
            assert not copies.short[row]
            assert held == -1
        if held >= 0:
            assert canonical[held] == held and ranks[held] < ranks[row]
            assert matches[min(row, held), max(row, held)] not in (PARTIAL, TITLE)
            assert share[held, row] >= least
            assert family[held] == family[row]
    assert copies.covered.kept.tolist() == survivors.kept().tolist()


def test_the_words_of_invented_news_are_not_facts():
    terms = oracle.term_rows([" ".join(WORDS)], 1 << 40)[0]
    assert len(oracle.common_terms()) > 1000
    assert not any(term & 2 for term in terms)


def test_a_text_and_its_copy_form_a_group_and_unrelated_texts_do_not():
    assert canonicals(found([STORY, news(2, 120), edited(STORY, 40), news(3, 120)])) == [0, 1, 0, 3]


def test_the_first_document_by_rank_is_the_canonical():
    assert canonicals(found([STORY, edited(STORY, 40), edited(STORY, 80)], ranks=[2, 0, 1])) == [1, 1, 1]


def test_every_pair_of_few_exact_copies_is_listed():
    copies = found([STORY, news(2), STORY, f"«{STORY}!»"])
    assert canonicals(copies) == [0, 1, 0, 0]
    assert table(copies) == dict.fromkeys([(0, 2), (0, 3), (2, 3)], EXACT)
    assert copies.counts["exact_copies"] == 2


def test_an_exact_copy_of_a_copy_has_its_own_match_with_the_canonical():
    near = edited(STORY, 40)
    copies = found([near, STORY, near], ranks=[1, 0, 2])
    assert canonicals(copies) == [1, 1, 1]
    assert table(copies) == {(0, 1): NEAR, (0, 2): EXACT, (1, 2): NEAR}
    assert copies.matches.jaccard[0] == copies.matches.jaccard[2]


@pytest.mark.parametrize("order", ["sls", "lss", "ssl", "lls", "lsl"])
@pytest.mark.parametrize("first", ["l", "s"])
def test_exact_copies_of_an_excerpt_and_of_its_text_have_the_shares_of_their_own(order, first):
    texts = {"l": STORY, "s": " ".join(STORY.split()[:50])}
    by_rank = sorted(range(3), key=lambda row: order[row] != first)
    copies = found([texts[letter] for letter in order], ranks=np.argsort(by_rank))
    matches, share = table(copies), shares(copies)
    assert {pair for pair, kind in matches.items() if kind == EXCERPT} == {
        (a, b) for b in range(3) for a in range(b) if order[a] != order[b]
    }
    for one, other in share:
        assert share[one, other] == (48 / 118 if (order[one], order[other]) == ("l", "s") else 1)
    assert sum(kind == EXACT for kind in matches.values()) == 1


def test_many_exact_copies_have_one_match_each():
    n = MOST_PAIRED * 20
    copies = found([edited(STORY, 40), *[STORY] * n], ranks=np.arange(n + 1))
    assert set(canonicals(copies)) == {0}
    assert n <= len(copies.matches) <= 3 * n


def test_an_excerpt_at_the_end_of_a_long_text_is_found():
    long = f"{news(5, 400)} {STORY}"
    assert table(found([STORY, long])) == {(0, 1): EXCERPT}


def test_short_texts_are_never_grouped():
    short = " ".join(STORY.split()[:7])
    copies = found([short, short, STORY, ""])
    assert copies.short.tolist() == [True, True, False, True]
    assert canonicals(copies) == [0, 1, 2, 3]
    assert len(copies.matches) == 0


def test_a_template_filled_in_twice_is_listed_but_never_grouped():
    form = STORY.split()
    cables = [" ".join([*form[:20], *news(100 + i, 12).split(), *form[20:40], f"{i}77", *news(200 + i, 12).split()]) for i in range(40)]
    copies = found(cables)
    assert canonicals(copies) == list(range(40))
    assert set(copies.matches.kind.tolist()) <= {PARTIAL}


def touched_up(text, every):
    """The text with one word in every few replaced by another common one."""
    chance = random.Random(every)
    words = text.split()
    for place in range(every - 1, len(words), every):
        words[place] = chance.choice([word for word in WORDS if word != words[place]])
    return " ".join(words)


def test_a_text_edited_throughout_is_an_excerpt_at_a_jaccard_below_half_and_is_kept_in_one_family():
    copies = found([STORY, touched_up(STORY, 6)])
    assert table(copies) == {(0, 1): EXCERPT}
    assert copies.matches.jaccard[0] < 0.4
    assert copies.matches.containment[0] < 0.55
    assert canonicals(copies) == [0, 1]
    assert (copies.survivors.family.tolist(), copies.survivors.extends.tolist()) == ([0, 0], [-1, -1])


def test_two_texts_that_share_one_long_passage_are_listed_but_never_grouped():
    passage = " ".join(STORY.split()[:62])
    copies = found([STORY, f"{passage} {news(21, 58)}"])
    assert table(copies) == {(0, 1): PARTIAL}
    assert 0.4 < copies.matches.containment[0] < 0.55
    assert canonicals(copies) == [0, 1]


def own_ends(n, shared=80, own=30):
    """Texts with a shared beginning and different words after it."""
    beginning = " ".join(STORY.split()[:shared])
    return [f"{beginning} {news(300 + i, own)}" for i in range(n)]


def test_a_template_of_one_outlet_is_never_grouped_but_a_wire_of_many_outlets_is():
    texts = own_ends(6)
    form, wire = found(texts, sources=[4] * 6), found(texts, sources=range(6))
    assert form.matches.jaccard.tolist() == wire.matches.jaccard.tolist()
    assert set(table(form).values()) == {PARTIAL}
    assert canonicals(form) == list(range(6))
    assert set(table(wire).values()) == {NEAR}
    assert canonicals(wire) == [0] * 6


def test_exact_copies_in_one_outlet_are_not_a_template():
    """A text printed repeatedly is compared once, so its shingles are not common."""
    assert canonicals(found([STORY] * 9 + [touched_up(STORY, 20)], sources=[4] * 10)) == [0] * 10


def test_texts_linked_only_by_a_chain_stay_separate():
    parts = [news(seed, 60) for seed in (11, 12, 13)]
    texts = [f"{parts[0]} {parts[1]}", parts[1] + " " + parts[2][:40], f"{parts[2]} {news(14, 60)}"]
    canonical = canonicals(found(texts))
    assert canonical[2] == 2


# Headlines

VISIT = ["بلينكن يلتقي الرئيس السيسي بمصر", "بلينكن يلتقي الرئيس السيسي في مصر"]


def test_headlines_and_an_article_with_their_title_form_a_group():
    copies = found([STORY], titles=[VISIT[0]], headlines=VISIT)
    assert canonicals(copies) == [0, 0, 0]
    assert table(copies) == dict.fromkeys([(0, 1), (0, 2), (1, 2)], TITLE)


@pytest.mark.parametrize(
    "other",
    ["بلينكن يلتقي الرئيس السيسي بمصر 3", "بلينكن لا يلتقي الرئيس السيسي بمصر", "شهبندر يلتقي الرئيس السيسي بمصر"],
    ids=["number", "negation", "rare_name"],
)
def test_a_headline_with_another_fact_is_unique(other):
    assert canonicals(found([STORY], titles=[VISIT[0]], headlines=[other])) == [0, 1]


def test_articles_with_the_same_title_are_not_grouped():
    assert canonicals(found([news(1), news(2)], titles=[VISIT[0]] * 2, headlines=[VISIT[1]])) == [0, 1, 0]


def test_a_headline_is_never_compared_with_a_text():
    body = f"{VISIT[0]} {VISIT[0]}"
    assert canonicals(found([body], headlines=[body])) == [0, 1]


def test_exact_copies_of_the_article_have_the_match_with_its_headline():
    copies = found([STORY, STORY], titles=[VISIT[0]] * 2, headlines=[VISIT[1]])
    assert canonicals(copies) == [0, 0, 0]
    assert table(copies)[0, 2] == TITLE


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
    assert canonicals(one) == canonicals(several)
    assert table(one) == table(several)


def test_copies_do_not_depend_on_the_order_of_documents():
    texts, _ = mixed_corpus()
    n = len(texts)
    one = canonicals(found(texts))
    turned = canonicals(found(texts[::-1], ranks=np.arange(n)[::-1]))
    assert [n - 1 - target for target in turned[::-1]] == one


def test_another_copy_never_splits_a_group():
    texts, _ = mixed_corpus()
    before = canonicals(found(texts))
    after = canonicals(found([*texts, edited(texts[5], 50)]))
    assert after[:-1] == before


@pytest.mark.parametrize("texts", [[], [STORY], [""]], ids=["none", "one", "empty"])
def test_a_corpus_too_small_for_copies_has_none(texts):
    copies = found(texts)
    assert canonicals(copies) == list(range(len(texts)))
    assert len(copies.matches) == 0


def test_hundreds_of_near_copies_of_a_text_form_one_group():
    chance = random.Random(3)
    prints = [STORY.split() for _ in range(500)]
    for words in prints:
        for place in chance.sample(range(120), 2):
            words[place] = chance.choice(WORDS)
    assert len(set(canonicals(found([STORY, *map(" ".join, prints)])))) == 1


@pytest.mark.slow
def test_candidates_of_five_thousand_near_copies_grow_linearly():
    n = 5_000
    base = news(1, 45).split()
    pick = np.random.default_rng(5).integers(0, len(WORDS), (n, 3))
    texts = [" ".join([*base[:20], *(WORDS[i] for i in row), *base[20:]]) for row in pick]
    config = Config().candidates
    copies = found(texts, **{"candidates.bucket_cap": 4})
    assert copies.counts["candidates"] <= n * (4 * config.bands + config.list_cap * 4)
