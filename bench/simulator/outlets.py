"""Outlets: their datelines, signatures and headlines, and the habits that each keeps in all its texts."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from . import lexicon
from .drafts import FURNITURE, Draft, Lenders, Passage, sentences

AGENCIES = ("أ ف ب", "رويترز", "واس", "د ب أ", "أ ش أ", "كونا", "وام", "قنا", "الأناضول", "بترا", "وكالات", "شينخوا")
PAPERS = (
    "صدى المدينة", "أخبار الساحل", "الراية اليوم", "نبض الخليج", "الشروق الجديد", "المرصد", "عين الوطن", "جريدة الميناء", "البلاد برس",
    "الصباح العربي", "منبر الشام", "النهضة", "الواحة", "أخبار الدار", "الجسر", "السفير العربي", "الأفق", "بوابة النيل", "المغرب الآن",
    "تونس اليوم",
)  # fmt: skip
REPORTERS = ("محمد البقمي", "سارة العلي", "كريم منصور", "ليلى حداد", "أحمد شوقي", "نورة السبيعي")
TAGS = ("عاجل | ", "بالفيديو.. ", "شاهد.. ", "بالصور.. ", "عاجل: ", "رسميا.. ")
TRAILERS = (" - فيديو", " (صور)", " (فيديو)", " – صور", " - تفاصيل")
_ANCIENT = f"(?:{'|'.join([*AGENCIES, *lexicon.PLACES, 'سبق', 'عين اليوم', 'العربية.نت', 'CNN'])})"
#: A dateline that a text has already: a known place, agency or outlet in the first words, up to a dash or colon.
_DATELINE = re.compile(rf"^[^\n.،]{{0,20}}{_ANCIENT}[^\n.،]{{0,25}}?\s*[-–ـ:—]\s*")


#: Habit, strength and share of outlets that have it.
HABITS = (
    ("hamza", "heavy", 0.2), ("hamza", "light", 0.2), ("final_ya", "heavy", 0.15), ("ta_marbuta", "light", 0.08), ("vowels", "light", 0.4),
    ("vowels", "medium", 0.1), ("digits", "heavy", 0.12), ("grouping", "light", 0.3), ("punctuation", "light", 0.15),
    ("punctuation", "medium", 0.1),
    ("tatweel", "light", 0.15), ("keyboard", "light", 0.05), ("seats", "light", 0.2), ("layout", "medium", 0.3), ("layout", "heavy", 0.2),
    ("names", "heavy", 0.25), ("dateline", "light", 0.3), ("dateline", "medium", 0.3), ("agency", "light", 0.25),
    ("hard_blanks", "light", 0.2),
)  # fmt: skip


@dataclass(frozen=True)
class Outlet:
    """A paper and its habits: edits, as ``name:strength``, of all its texts."""

    name: str
    habits: tuple[str, ...]


def outlets(count: int, rng: random.Random, habits: Sequence[tuple[str, str, float]] = HABITS) -> list[Outlet]:
    """Draw outlets: some drop hamza, some write ى for ي; each has its own quotation marks, digits and datelines."""
    drawn = []
    for number in range(count):
        paper = PAPERS[number % len(PAPERS)] + (f" {number // len(PAPERS) + 1}" if number >= len(PAPERS) else "")
        quotes = rng.choice(("light", "medium", "heavy"))
        own = [f"{name}:{strength}" for name, strength, rate in habits if rng.random() < rate]
        drawn.append(Outlet(paper, (f"quotes:{quotes}", *own)))
    return drawn


def dateline(draft: Draft, strength: str, rng: random.Random, lenders: Lenders) -> Draft:
    """The dateline, swapped or new: «القاهرة - رويترز: »; with the paper's name and reporter; with both calendars' date."""
    if not draft.passages:
        return draft
    place, agency, paper = rng.choice(lexicon.PLACES), rng.choice(AGENCIES), rng.choice(PAPERS)
    if strength == "light":
        line = rng.choice(
            (f"{place} - {agency}: ", f"{place} – {agency} - ", f"{place} - ({agency}): ", f"{agency} - {place}: ", f"{place} ـ ")
        )
    elif strength == "medium":
        line = rng.choice((f"{paper} – {place} ", f"{rng.choice(REPORTERS)} - {paper} - {place}: ", f"{place}: مكتب {paper} "))
    else:
        day, month, hijri = rng.randrange(1, 29), rng.choice(lexicon.GREGORIAN), rng.choice(lexicon.HIJRI)
        line = f"{place} {day} {hijri} 1436 هـ الموافق {day} {month} 2015 م {agency} {paper} - {rng.choice(REPORTERS)}: "
    first = draft.passages[0]
    passages = (Passage(line + _DATELINE.sub("", first.text, count=1), first.part), *draft.passages[1:])
    return replace(draft, passages=passages)


def agency(draft: Draft, strength: str, rng: random.Random, lenders: Lenders) -> Draft:
    """The agency named: at the end, «(أ ف ب)»; at the start too; and in the words of the text, with a line of sign-off."""
    name = rng.choice(AGENCIES)
    if not draft.passages:
        return draft
    *rest, last = draft.passages
    passages = [*rest, Passage(f"{last.text.rstrip()} ({name})", last.part)]
    if strength != "light":
        passages[0] = Passage(f"({name}) - {passages[0].text}", passages[0].part)
    if strength == "heavy":
        at = passages[0].text.find("، ")
        if at > 0:
            text = passages[0].text
            passages[0] = Passage(f"{text[:at]}، وفقا لما نقلته وكالة {name}{text[at:]}", passages[0].part)
        passages.append(Passage(f"{rng.choice(PAPERS)}/ {name}", FURNITURE))
    return replace(draft, passages=tuple(passages))


def headline(draft: Draft, strength: str, rng: random.Random, lenders: Lenders) -> Draft:
    """Another headline: a tag added; words cut; or one made of the first sentence."""
    title = draft.title or ""
    if strength == "heavy" or not title:
        opening = (sentences(draft.text) or [""])[0].split()
        size = rng.randrange(6, 12)
        words = opening[1 : size + 1] if len(opening) > size else opening
        return replace(draft, title=" ".join(words).strip("،:-. ") or draft.title)
    if strength == "light":
        return replace(draft, title=rng.choice(TAGS) + title if rng.random() < 0.6 else title + rng.choice(TRAILERS))
    words = title.split()
    cut = rng.randrange(1, max(2, len(words) // 3 + 1))
    return replace(draft, title=" ".join(words[:-cut] if rng.random() < 0.6 else words[cut:]) or title)
