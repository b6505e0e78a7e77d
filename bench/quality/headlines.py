"""The title rule: a reprint of a headline is a copy, a paraphrase is not, a headline with a changed fact least of all."""

from __future__ import annotations

import datetime
import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import dedup
from bench.quality.scores import Row, Tables, by_page, pair_of, rate
from dedup import Config
from dedup.fingerprints.fingerprint import fingerprint
from dedup.kernels.text.terms import FACT

Edit = Callable[[str, random.Random], str]
FIRST_DAY = datetime.datetime(2015, 1, 1)
#: Pairs are compared in one run, a day apart, so that each is judged by itself.
APART, TITLE_DAYS = datetime.timedelta(days=1), 0.5
#: Headlines of each file that are edited.
EDITED = 1000
#: Wrong pairs of each edit that are shown.
SHOWN = 5

ARABIC_DIGITS = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
VOWELS = "\u064e\u064f\u0650\u0652"
TATWEEL = "\u0640"
LETTER = "\u0620-\u064a"


def report(files: Sequence[Path], seed: int = 1) -> Tables:
    """Pairs that the title rule calls copies: labelled paraphrases (few should be), harmless edits (all) and changed facts (none)."""
    tables: Tables = {}
    for path in files:
        labelled = read_pairs(path)
        verdicts = judge([(one, other) for one, other, _ in labelled])
        of_label: dict[str, Counter[str]] = {}
        for (_, _, label), verdict in zip(labelled, verdicts, strict=True):
            of_label.setdefault(label, Counter())[verdict] += 1
        copies = [row for row, verdict in zip(labelled, verdicts, strict=True) if verdict == "copy"]
        titles = sorted({headline for one, other, _ in labelled for headline in (one, other)})
        random.Random(seed).shuffle(titles)
        kept, _ = judge_edits(titles[:EDITED], SAME, seed)
        changed, wrong = judge_edits(titles[:EDITED], OTHERS, seed)
        tables |= {
            f"{path.stem}: labelled pairs (none is a reprint)": [{"label": label} | counts(of_label[label]) for label in sorted(of_label)],
            f"{path.stem}: labelled pairs that are copies": [{"label": label, "one": one, "other": other} for one, other, label in copies],
            f"{path.stem}: edits that keep a headline (all should be copies)": kept,
            f"{path.stem}: edits that change what it says (none should be a copy)": changed,
            f"{path.stem}: changed headlines that are copies (the first of each edit)": wrong,
        }
    return tables


def read_pairs(path: Path) -> list[tuple[str, str, str]]:
    """(headline, headline, label) of each row; the label is in the column ``stance`` or ``label``."""
    rows = pq.read_table(path)
    label = next(name for name in ("stance", "label") if name in rows.column_names)
    one, other = [name for name in rows.column_names if name != label][:2]
    return [(row[one], row[other], row[label]) for row in rows.to_pylist()]


def judge(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """``copy``, ``other`` or ``short`` for each pair of headlines, by a run over all of them."""
    if not pairs:
        return []
    days = [FIRST_DAY + APART * i for i in range(len(pairs)) for _ in range(2)]
    titles = [headline for pair in pairs for headline in pair]
    rows = pa.table({"id": [str(i) for i in range(len(titles))], "title": titles, "published": pa.array(days, pa.timestamp("us"))})
    rows = rows.append_column("text", pa.nulls(len(titles), pa.string()))
    result = dedup.find_copies(rows, Config().replace({"copies.title_days": TITLE_DAYS}))
    status = dict(zip(result.documents.column("doc_id").to_pylist(), result.documents.column("status").to_pylist(), strict=True))
    matches, _ = by_page(result)
    verdicts = []
    for i in range(0, len(titles), 2):
        pair = str(i), str(i + 1)
        short = "short" in (status.get(pair[0], "short"), status.get(pair[1], "short"))
        verdicts.append("copy" if pair_of(*pair) in matches else "short" if short else "other")
    return verdicts


def judge_edits(titles: Sequence[str], edits_by_name: dict[str, Edit], seed: int) -> tuple[list[Row], list[Row]]:
    """A row for each edit: how many edited headlines are copies; and the first pairs that are."""
    rows, copies = [], []
    for name, edit in edits_by_name.items():
        pairs = [(headline, edit(headline, random.Random(f"{seed} {headline}"))) for headline in titles]
        pairs = [pair for pair in pairs if pair[0] != pair[1]]
        verdicts = judge(pairs)
        copied = [pair for pair, verdict in zip(pairs, verdicts, strict=True) if verdict == "copy"]
        copies += [{"edit": name, "one": headline, "other": other} for headline, other in copied[:SHOWN]]
        # Where an edit adds or drops a number or a rare word, the rule separates the two on purpose.
        facts = [fact_counts([pair[side] for pair in pairs]) for side in range(2)]
        plain = counts(Counter(verdict for verdict, one, other in zip(verdicts, *facts, strict=True) if one == other))
        rows.append({"edit": name} | counts(Counter(verdicts)) | {"same facts": plain["pairs"], "share of these": plain["share"]})
    return rows, copies


def fact_counts(titles: Sequence[str]) -> list[int]:
    """The number of fact terms (numbers, rare words, words that reverse a headline) in each headline."""
    column = pa.array(titles, pa.large_string())
    terms, offsets = fingerprint(column, column, Config()).title_terms
    numbers: list[int] = np.diff(np.concatenate([[0], np.cumsum((terms & FACT) != 0)])[offsets]).tolist()
    return numbers


def counts(verdicts: Counter[str]) -> Row:
    """Verdicts as a row; the share is of pairs that are long enough to be judged."""
    judged = verdicts["copy"] + verdicts["other"]
    return {"pairs": judged, "copies": verdicts["copy"], "share": rate(verdicts["copy"], judged), "too short": verdicts["short"]}


def any_word(headline: str, choice: random.Random, change: Callable[[str], str], pattern: str = f"^[{LETTER}]{{4,}}$") -> str:
    """Change one of the words that match a pattern."""
    words = headline.split()
    places = [i for i, word in enumerate(words) if re.search(pattern, word)]
    if not places:
        return headline
    place = choice.choice(places)
    words[place] = change(words[place])
    return " ".join(words)


def vowelled(headline: str, choice: random.Random) -> str:
    """A vowel mark behind about every third letter."""
    return re.sub(f"[{LETTER}]", lambda letter: letter[0] + (choice.choice(VOWELS) if choice.random() < 0.33 else ""), headline)


def without_a_word(headline: str, choice: random.Random) -> str:
    """Drop a word from the middle."""
    words = headline.split()
    if len(words) > 4:
        del words[choice.randrange(1, len(words) - 1)]
    return " ".join(words)


def house_style(headline: str, choice: random.Random) -> str:
    """All spelling habits at once, other quotes, a tag."""
    for name in ("hamza", "ya", "ta marbuta", "digits", "quotes", "tag"):
        headline = SAME[name](headline, choice)
    return headline


def other_number(headline: str, choice: random.Random) -> str:
    """Raise one number."""
    numbers = list(re.finditer(r"\d+", headline))
    if not numbers:
        return headline
    number = choice.choice(numbers)
    return headline[: number.start()] + str(int(number[0]) + choice.randint(1, 9)) + headline[number.end() :]


def swapped_ends(headline: str, choice: random.Random) -> str:
    """Swap the first and the last word."""
    words = headline.split()
    return " ".join([words[-1], *words[1:-1], words[0]]) if len(words) > 1 else headline


def other_word(headline: str, choice: random.Random) -> str:
    """Replace one word by another common one."""
    return any_word(headline, choice, lambda word: choice.choice([other for other in COMMON_WORDS if other != word]))


#: Common words that are in none of the shipped lists.
TURNS = ("أزمة", "ملف", "قضية", "مناقشة", "مشروع", "برنامج", "حملة", "ضغوط", "رغبة", "إدارة")
COMMON_WORDS = ("الرئيس", "الحكومة", "السعودية", "مصر", "إيران", "سوريا", "الروسي", "مقتل", "ارتفاع", "انخفاض", "تأييد", "النفط", "بيروت")

#: What outlets do to a headline without changing what it says.
SAME: dict[str, Edit] = {
    "hamza": lambda headline, choice: re.sub("[أإآ]", "ا", headline),
    "hamza seat": lambda headline, choice: headline.replace("ؤ", "ئ") if "ؤو" in headline else headline,
    "ya": lambda headline, choice: re.sub(rf"ي(?![{LETTER}])", "ى", headline),
    "ta marbuta": lambda headline, choice: headline.replace("ة", "ه"),
    "digits": lambda headline, choice: headline.translate(ARABIC_DIGITS),
    "vowels": vowelled,
    "tatweel": lambda headline, choice: any_word(headline, choice, lambda word: word[0] + TATWEEL * 3 + word[1:], "^[سشصضطظعغفقكلمنهي]"),
    "quotes": lambda headline, choice: any_word(re.sub("[\"'“”«»]", " ", headline), choice, lambda word: f"«{word}»"),
    "colon to dots": lambda headline, choice: headline.replace(":", ".."),
    "tag": lambda headline, choice: choice.choice(["عاجل| ", "عاجل: ", "بالفيديو.. ", "فيديو| ", "بالصور: "]) + headline,
    "tag behind": lambda headline, choice: headline + choice.choice([" (صور)", " - فيديو", " (فيديو)"]),
    "in as a prefix": lambda headline, choice: re.sub(rf" في (?=[{LETTER}]{{3}})", " ب", headline, count=1),
    "last word left out": lambda headline, choice: headline.rsplit(maxsplit=1)[0],
    "a word left out": without_a_word,
    "house style": house_style,
}
#: What changes what a headline says.
OTHERS: dict[str, Edit] = {
    "another number": other_number,
    "a negation": lambda headline, choice: any_word(headline, choice, lambda word: choice.choice(["لا ", "لن ", "لم ", "عدم "]) + word),
    "a word put in": lambda headline, choice: any_word(headline, choice, lambda word: f"{choice.choice(TURNS)} {word}"),
    "another word": other_word,
    "ends swapped": swapped_ends,
    "a number added": lambda headline, choice: any_word(headline, choice, lambda word: f"{choice.randint(2, 99)} {word}"),
}
