"""Makes ``dedup/data/stems.txt``: finds the words that keep their first waw, and those that split, from word counts.

    python -m bench.make_data.word_lists CORPUS...        (Parquet or JSON lines with title and text)

Only decisions about single words leave this script, no text. The tests are linguistic: a word that also occurs with
the article (الوزير, البلدية) cannot begin with a conjunction or preposition; a word whose rest is as common as the
word itself very likely does; a word that takes a nisba (لبناني) is a stem, not a dual.
"""

from __future__ import annotations

import sys
from collections import Counter
from importlib import resources
from pathlib import Path

from dedup import Config
from dedup.readers import ReadLog, read_files
from dedup.text.normalization import LEVELS, tokenize
from dedup.text.stemming import PREFIXES, SHORTEST, SUFFIXES

ARTICLES = ("ال", "وال", "بال")
#: Words for which the counts are wrong or too small.
WHOLE = [
    "الله",
    "اللهم",
    "الذي",
    "التي",
    "الان",
    "الي",
    "الا",
    "الف",
    "الم",
    "المانيا",
    "الماني",
    "المانيه",
    "الغاء",
    "القاء",
    "التزام",
    "التقاط",
    "الكتروني",
    "الكترونيه",
    "الكسندر",
    "اللهيان",
    "البانيا",
    "البرت",
    "واشنطن",
    "وكاله",
    "وزير",
    "وزاره",
    "ولايه",
    "وفاه",
    "وفد",
    "وسط",
    "وطن",
]
ENDING = [
    "ايران",
    "لبنان",
    "سودان",
    "باكستان",
    "افغانستان",
    "عمان",
    "طهران",
    "يابان",
    "برلمان",
    "مهرجان",
    "رمضان",
    "سلمان",
    "سليمان",
    "عثمان",
    "نيسان",
    "حزيران",
    "بيان",
    "ميدان",
    "انسان",
    "لسان",
    "حيوان",
    "ميزان",
    "سلطان",
    "ديوان",
    "عدنان",
    "مروان",
    "نجران",
    "جازان",
    "يونان",
    "اوان",
    "مكان",
    "زمان",
    "ضمان",
    "امان",
    "بستان",
    "جثمان",
    "عنوان",
    "عدوان",
    "غسان",
    "شعبان",
    "رضوان",
    "نقصان",
    "فقدان",
    "طيران",
    "قران",
    "بركان",
    "سرطان",
    "امتحان",
    "اعلان",
    "اردوغان",
    "حسين",
    "فلسطين",
    "صين",
    "بكين",
    "ياسمين",
    "برلين",
    "بوتين",
    "تشرين",
    "يقين",
    "تامين",
    "تعيين",
    "تحسين",
    "تكوين",
    "تمكين",
    "تدشين",
    "تخزين",
    "يمين",
    "جنين",
    "حنين",
    "قانون",
    "تلفزيون",
    "مليون",
    "زيتون",
    "هارون",
    "كانون",
    "تعاون",
    "مخزون",
    "تريليون",
    "كلينتون",
    "ماكرون",
    "نيوتن",
    "سجون",
    "شءون",
    "ديون",
    "عيون",
    "ليبرمان",
    "مياه",
    "اليات",
    "ليبيا",
    "سوريا",
    "روسيا",
]
COMMON = 20


def main(paths: list[str]) -> None:
    """Count, decide, write."""
    counts = _count(paths)
    whole, split, ending = set(WHOLE), set(), set(ENDING)

    def with_article(word: str) -> int:
        return sum(counts[article + word] for article in ARTICLES)

    for word, count in counts.items():
        if count < COMMON or len(word) <= SHORTEST or word.startswith(tuple(prefix for prefix, _ in PREFIXES)):
            continue
        rest = counts[word[1:]] + with_article(word[1:])
        noun = with_article(word) >= 0.05 * count
        if word[0] == "و" and (noun or rest < 0.12 * count):
            whole.add(word)
        elif word[0] in "بل" and not noun and rest >= 0.5 * count:
            split.add(word)
        elif word.endswith(("ان", "ين", "ون")) and len(word) >= 5:
            nisba = sum(counts[article + word + suffix] for article in ("", *ARTICLES) for suffix in ("ي", "يه", "يين", "يون"))
            others = sum(counts[article + word[:-2] + suffix] for article in ("", *ARTICLES) for suffix in ("", "ه", "ي", "يه"))
            if word[0] not in "وبلف" and (nisba >= 0.05 * count or others < 0.1 * count):
                ending.add(word)
    # The word without its suffix is protected too, or a stem could be stemmed again.
    for word in list(whole):
        while (stem := _shorter(word, ending)) != word:
            word = stem
            whole.add(word)
    lines = ["# Lists of the light stem, see dedup/text/stemming.py. Made by bench/make_data/word_lists.py from word counts."]
    for name, words in (("whole", whole), ("ending", ending), ("split", split)):
        lines += [f"{name} {word}" for word in sorted(words)]
    with resources.as_file(resources.files("dedup.data").joinpath("stems.txt")) as target:
        Path(target).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _shorter(word: str, ending: set[str]) -> str:
    if word in ending:
        return word
    for suffix in SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= SHORTEST:
            return word[: -len(suffix)]
    return word


def _count(paths: list[str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for batch in read_files(paths, config=Config(), log=ReadLog()):
        for column in ("title", "text"):
            for text in batch.pages.column(column).to_pylist():
                counts.update(tokenize(text or "", LEVELS[1]))
    return Counter({word: count for word, count in counts.items() if "\u0621" <= word[0] <= "\u064a"})


if __name__ == "__main__":
    main(sys.argv[1:])
