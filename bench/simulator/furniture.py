"""Page furniture around an article on a flattened page: source and keyword lines, a second article, related headlines.

Furniture is no text of the article: it does not count in the overlap of an edited text with its original.
"""

from __future__ import annotations

import random
from dataclasses import replace

from .drafts import FURNITURE, Draft, Lenders, Passage, paragraphs
from .outlets import AGENCIES, PAPERS

_RELATED = ("مقالات مشابهة", "أخبار ذات صلة", "مواضيع متعلقة", "اقرأ أيضا:", "موضوعات ذات صلة")
_LINKS = ("اقرأ أيضا: {}", "للمزيد: {}", "قد يهمك/ {}", "شاهد أيضا: {}", "إقرأ أيضاً.. {}")
_TOPS = ("Next Previous", "صورة أرشيفية", "شارك على فيسبوك", "تاريخ النشر: الخميس 12 يوليو 2012", "(أرشيفية)", "طباعة", "استمع للخبر")
_ENDS = ("جميع الحقوق محفوظة", "تابعونا على تويتر", "شارك الخبر", "أضف تعليق", "اشترك في قناتنا على تلغرام", "نسخ الرابط")
_BULLETS = ("  • ", "- ", "* ", "• ", "")


def page(draft: Draft, strength: str, rng: random.Random, lenders: Lenders) -> Draft:
    """The page of an aggregator: source and keyword lines; related headlines, one of them twice; a second article before them."""
    lines = [f"المصدر: {rng.choice((*PAPERS, *AGENCIES))}", f"كلمات دلالية: {_keywords(draft, rng)}"]
    second = draft.second
    if strength != "light":
        others = [article for article in (lenders.article(rng) for _ in range(rng.randrange(4, 11))) if article.title]
        if strength == "heavy":
            other = lenders.article(rng)
            second = other.id
            lines += ["إقرأ أيضاً:", *([other.title] if other.title else []), *paragraphs(other.text)]
            others.append(other)
        titles = [article.title for article in others if article.title]
        if titles:
            bullet = rng.choice(_BULLETS)
            lines += [rng.choice(_RELATED[:3]), *(bullet + title for title in (*titles, rng.choice(titles)))]
    return replace(draft, passages=(*draft.passages, *(Passage(line, FURNITURE) for line in lines)), second=second)


def links(draft: Draft, strength: str, rng: random.Random, lenders: Lenders) -> Draft:
    """Links to other texts between the paragraphs: one, two or five of them."""
    passages = list(draft.passages)
    for _ in range({"light": 1, "medium": 2, "heavy": 5}[strength]):
        title = lenders.article(rng).title
        if title and passages:
            passages.insert(rng.randrange(1, len(passages) + 1), Passage(rng.choice(_LINKS).format(title), FURNITURE))
    return replace(draft, passages=tuple(passages))


def frame(draft: Draft, strength: str, rng: random.Random, lenders: Lenders) -> Draft:
    """Captions and buttons above and below: one line, one of each, three of each."""
    count = {"light": 0, "medium": 1, "heavy": 3}[strength]
    tops = [Passage(line, FURNITURE) for line in rng.sample(_TOPS, max(count, 1))]
    ends = [Passage(line, FURNITURE) for line in rng.sample(_ENDS, count)]
    return replace(draft, passages=(*tops, *draft.passages, *ends))


def _keywords(draft: Draft, rng: random.Random) -> str:
    words = [word.strip('،.:«»"()') for word in draft.text.split() if len(word) > 5]
    return " ".join(rng.sample(words, min(8, len(words))))
