"""Makes ``dedup/data/verbs.txt``: finds the finite verbs, which are no keywords, from word counts.

    python -m bench.make_data.verb_list CORPUS...        (Parquet or JSON lines with title and text)

Only single words leave this script, no text. A verb has no article (ال) but other forms of its conjugation: an
imperfect occurs with ي and with ت, and with a future س or a ل in front; a perfect has a feminine in ت and an
imperfect. A noun that looks like a verb (قتل، بحث) occurs with the article and is not listed.
"""

from __future__ import annotations

import sys
from collections import Counter
from importlib import resources
from pathlib import Path
from textwrap import wrap

from dedup import Config
from dedup.readers import ReadLog, read_files
from dedup.text.normalization import tokenize

#: Rarer verbs do not matter.
LEAST = 4
#: Share of occurrences that a verb may have with an article, by typing errors.
WITH_ARTICLE = 0.02
#: Share of a verb's occurrences that each other form must reach, and the fewest occurrences.
SISTER, SISTERS = 0.01, 3
ARTICLES = ("ال", "وال", "بال", "فال", "لل", "ولل")
#: Suffixed pronouns and persons: the form without them is listed.
ENDINGS = ("هما", "ها", "هم", "نا", "ون", "ان", "وا", "ني", "ه", "ك")
#: Too short for the counts to decide.
VERBS = set(
    """يجب تجب يجد تجد يحب تحب يحث تحث يحل تحل يحق يخص تخص يرد ترد يصف تصف يصل تصل يضع تضع يضم تضم يظل تظل يعد تعد يعي يقع تقع يقف تقف يقل
    تقل يقر تقر يكن تكن يمر تمر يتم تتم""".split()  # noqa: SIM905
)
#: Names and particles that look like verbs in the counts.
NO_VERBS = set(
    """تونس يونس ياسر يحيي يانغ تانغ يونغ تانا تايم يزيد يافع ينبع يعقوب تعز تدمر تشاد مارس نيس رافت اشرف ادم اعلام غير عبر فقد وما علق بدل
    نزع توران يوهان يوجين يونج يوسين يوران يوين يوبا يوما زينت جودت كريت تاره تاما دوست ساريا سرا حضرات رينات لقوات بقوات لقوا لعبوا بايع
    تايد تهم قدما مني اوف طالت مين ثبت وكي""".split()  # noqa: SIM905
)


def main(paths: list[str]) -> None:
    """Count, decide, write."""
    counts = _count(paths)
    verbs = (imperfects(counts) | perfects(counts) | VERBS) - NO_VERBS
    bare = {word for word in verbs if not any(word.endswith(ending) and word[: -len(ending)] in verbs for ending in ENDINGS)}
    lines = [
        "# Finite verbs, as texts fold them (level shingle, letters of level stem): never a keyword.",
        "# Made by bench/make_data/verb_list.py from word counts.",
    ]
    lines += wrap(" ".join(sorted(bare)), 140)
    with resources.as_file(resources.files("dedup.data").joinpath("verbs.txt")) as target:
        Path(target).write_text("\n".join(lines) + "\n", encoding="utf-8")


def imperfects(counts: Counter[str]) -> set[str]:
    """Words with ي or ت in front whose other form occurs, and a future."""
    found = set()
    for word, count in counts.items():
        if word[0] != "ي" or len(word) < 4 or count < LEAST:
            continue
        other, bare = "ت" + word[1:], word[1:]
        future = sum(counts[sign + form] for sign in "سل" for form in (word, other))
        past = max(counts[bare + "ت"], counts["ا" + bare], counts["ا" + bare + "ت"])
        if counts[other] and future + past >= max(2, 0.004 * count):
            found |= {form for form in (word, other) if _without_article(form, counts)}
    return found


def perfects(counts: Counter[str]) -> set[str]:
    """Words with a feminine in ت and an imperfect (اعلن: يعلن), and these feminines."""
    found = set()
    for word, count in counts.items():
        if len(word) < 3 or count < LEAST or word.startswith(ARTICLES):
            continue
        feminine, least = word + "ت", max(SISTERS, SISTER * count)
        imperfect = max(counts["ي" + word], counts["ي" + word[1:]] if word[0] == "ا" else 0)
        if counts[feminine] >= SISTERS and imperfect >= SISTERS and _without_article(feminine, counts):
            found.add(feminine)  # a noun may be the same as its masculine: سجل، سجلت
            if counts[feminine] >= least and imperfect >= least and _without_article(word, counts):
                found.add(word)
    return found


def _without_article(word: str, counts: Counter[str]) -> bool:
    return sum(counts[article + word] for article in ARTICLES) <= WITH_ARTICLE * counts[word]


def _count(paths: list[str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for batch in read_files(paths, config=Config(), log=ReadLog()):
        for column in ("title", "text"):
            for text in batch.pages.column(column).to_pylist():
                counts.update(tokenize(text or "", "shingle"))
    return Counter({word: count for word, count in counts.items() if "\u0621" <= word[0] <= "\u064a"})


if __name__ == "__main__":
    main(sys.argv[1:])
