"""Headlines: which pairs the title rule calls one, on labelled pairs and on headlines edited with a known answer.

    python -m bench.headlines PAIRS.parquet... [--corpus CORPUS] [-o FILE.json]

PAIRS hold two columns of headlines and one of labels (``stance``: agree, disagree, other; ``label``: entails, not
entail). A reprint of a headline is a copy; a paraphrase is not, and a headline with a changed fact is least of all. So
of the labelled pairs hardly any should be called one, and none of those that disagree: each of these is printed.

What the rule should find is made from the same headlines, by the edits that outlets make without changing a word's
meaning (spelling habits, digits, quotes, tags, a word left out); and what it must not find by changes of one fact
(a number, a negation, a name). Every edit is seeded, and counted only where it changes the headline.

CORPUS is a crawl of articles. All its titles are read as headlines; of those that are called one though their words
differ, the table says how often their articles are copies, or of one story, as the engine sees it by their texts.
"""

from __future__ import annotations

import argparse
import datetime
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import dedup
from bench.excerpts import rate, table
from dedup import Config
from dedup.fingerprints.fingerprint import fingerprint
from dedup.kernels.text.terms import FACT
from dedup.readers import ReadLog, read_files

Row = dict[str, Any]
Edit = Callable[[str, random.Random], str]
FIRST_DAY = datetime.datetime(2015, 1, 1)
#: Pairs are looked at in one run but a day apart, so that each is judged by itself.
APART, TITLE_DAYS = datetime.timedelta(days=1), 0.5
#: Headlines that are edited, of each file.
EDITED = 1000
#: Pairs of an edit that are shown.
SHOWN = 5

ARABIC_DIGITS = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
VOWELS = "\u064e\u064f\u0650\u0652"
TATWEEL = "\u0640"
LETTER = "\u0620-\u064a"


def main() -> None:
    """Measure, print tables and what was called one against its label, and write JSON if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", nargs="+")
    parser.add_argument("--corpus")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--out")
    options = parser.parse_args()
    report = {Path(name).stem: measure(Path(name), seed=options.seed) for name in options.pairs}
    if options.corpus:
        report[Path(options.corpus).stem] = titles_of(options.corpus)
    for name, tables in report.items():
        for title, rows in tables.items():
            print(f"\n{name}: {title}\n{table(rows) or 'none'}")
    if options.out:
        Path(options.out).write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def measure(path: Path, *, seed: int = 1) -> dict[str, list[Row]]:
    """The tables of one file of pairs."""
    labelled = read_pairs(path)
    verdicts = judge([(one, other) for one, other, _ in labelled])
    of_label: dict[str, Counter[str]] = {}
    for (_, _, label), verdict in zip(labelled, verdicts, strict=True):
        of_label.setdefault(label, Counter())[verdict] += 1
    called = [row for row, verdict in zip(labelled, verdicts, strict=True) if verdict == "one"]
    headlines = sorted({headline for one, other, _ in labelled for headline in (one, other)})
    random.Random(seed).shuffle(headlines)
    kept, _ = edited(headlines[:EDITED], SAME, seed)
    changed, wrong = edited(headlines[:EDITED], OTHERS, seed)
    return {
        "labelled pairs (none is a reprint)": [{"label": label} | counted(said) for label, said in sorted(of_label.items())],
        "labelled pairs that are called one": [{"label": label, "one": one, "other": other} for one, other, label in called],
        "edits that keep a headline (all should be one)": kept,
        "edits that make another of it (none should be one)": changed,
        "other headlines that are called one (the first of each edit)": wrong,
    }


def titles_of(corpus: str) -> dict[str, list[Row]]:
    """What the articles of titles that are called one have in common."""
    pages = pa.Table.from_batches([batch.pages for batch in read_files([corpus], config=Config(), log=ReadLog())])
    pages = pages.filter(pages.column("title").is_valid())
    result = dedup.run(corpus)
    article = {row["doc_id"]: row for row in result.documents.to_pylist() if row["role"] == "article"}
    columns = {"id": "page_id", "title": "title", "published": "published"}
    headlines = pa.table({name: pages.column(column) for name, column in columns.items()})
    headlines = headlines.append_column("text", pa.nulls(headlines.num_rows, pa.string()))
    title = dict(zip(headlines.column("id").to_pylist(), headlines.column("title").to_pylist(), strict=True))
    told: Counter[tuple[str, str]] = Counter()
    apart = []
    for row in dedup.find_copies(headlines).matches.to_pylist():
        pair = row["doc_id_a"], row["doc_id_b"]
        if any(name not in article for name in pair):
            continue
        one, other = (article[name] for name in pair)
        copies, story = (one[column] == other[column] for column in ("copy_group", "story_id"))
        related = "copies" if copies else "one story" if story else "neither"
        words = "a word left out" if row["jaccard"] < 1 else "the same words"
        told[words, related] += 1
        if words == "a word left out" and related == "neither":
            apart.append({"one": title[pair[0]], "other": title[pair[1]]})
    rows = [
        {"titles": words} | {name: told[words, name] for name in ("copies", "one story", "neither")}
        for words in sorted({w for w, _ in told})
    ]
    return {"titles that are called one, by what their articles are": rows, "titles that are called one, articles neither": apart}


def read_pairs(path: Path) -> list[tuple[str, str, str]]:
    """(headline, headline, label) of each row; the label's column is ``stance`` or ``label``."""
    table = pq.read_table(path)
    label = next(name for name in ("stance", "label") if name in table.column_names)
    one, other = [name for name in table.column_names if name != label][:2]
    return [(row[one], row[other], row[label]) for row in table.to_pylist()]


def judge(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """``one``, ``two`` or ``short`` for each pair of headlines, as a run over them says."""
    if not pairs:
        return []
    days = [FIRST_DAY + APART * i for i in range(len(pairs)) for _ in range(2)]
    headlines = [headline for pair in pairs for headline in pair]
    rows = pa.table({"id": [str(i) for i in range(len(headlines))], "title": headlines, "published": pa.array(days, pa.timestamp("us"))})
    rows = rows.append_column("text", pa.nulls(len(headlines), pa.string()))
    result = dedup.find_copies(rows, Config().replace({"copies.title_days": TITLE_DAYS}))
    status = dict(zip(result.documents.column("doc_id").to_pylist(), result.documents.column("status").to_pylist(), strict=True))
    matched = set(zip(result.matches.column("doc_id_a").to_pylist(), result.matches.column("doc_id_b").to_pylist(), strict=True))
    verdicts = []
    for i in range(0, len(headlines), 2):
        pair = str(i), str(i + 1)
        short = "short" in (status.get(pair[0], "short"), status.get(pair[1], "short"))
        verdicts.append("one" if pair in matched else "short" if short else "two")
    return verdicts


def edited(headlines: Sequence[str], edits: dict[str, Edit], seed: int) -> tuple[list[Row], list[Row]]:
    """How the headlines and what each edit makes of them are judged, an edit a row; and the first pairs that are called one."""
    rows, called = [], []
    for name, edit in edits.items():
        pairs = [(headline, edit(headline, random.Random(f"{seed} {headline}"))) for headline in headlines]
        pairs = [pair for pair in pairs if pair[0] != pair[1]]
        verdicts = judge(pairs)
        one = [pair for pair, said in zip(pairs, verdicts, strict=True) if said == "one"]
        called += [{"edit": name, "one": headline, "other": other} for headline, other in one[:SHOWN]]
        # Where a number or a rare word was left out or put in, the rule says two on purpose.
        facts = [metadata_of([pair[side] for pair in pairs]) for side in range(2)]
        plain = Counter(said for said, one, other in zip(verdicts, *facts, strict=True) if one == other)
        same_facts = counted(plain)
        rows.append(
            {"edit": name} | counted(Counter(verdicts)) | {"same facts": same_facts["pairs"], "share of these": same_facts["share"]}
        )
    return rows, called


def metadata_of(headlines: Sequence[str]) -> list[int]:
    """How many facts (numbers, rare words, words that turn a headline round) the engine sees in each headline."""
    column = pa.array(headlines, pa.large_string())
    terms, offsets = fingerprint(column, column, Config()).title_terms
    counts: list[int] = np.diff(np.concatenate([[0], np.cumsum((terms & FACT) != 0)])[offsets]).tolist()
    return counts


def counted(verdicts: Counter[str]) -> Row:
    """Verdicts as a row; the share is of pairs that are long enough to be judged."""
    judged = verdicts["one"] + verdicts["two"]
    return {"pairs": judged, "one": verdicts["one"], "share": rate(verdicts["one"], judged), "too short": verdicts["short"]}


def any_word(headline: str, choice: random.Random, change: Callable[[str], str], fits: str = f"^[{LETTER}]{{4,}}$") -> str:
    """The headline with one of the words that fit a pattern changed."""
    words = headline.split()
    places = [i for i, word in enumerate(words) if re.search(fits, word)]
    if not places:
        return headline
    place = choice.choice(places)
    words[place] = change(words[place])
    return " ".join(words)


def vowelled(headline: str, choice: random.Random) -> str:
    """A vowel mark behind about every third letter."""
    return re.sub(f"[{LETTER}]", lambda letter: letter[0] + (choice.choice(VOWELS) if choice.random() < 0.33 else ""), headline)


def without_last_word(headline: str, choice: random.Random) -> str:
    """The headline cut by a word."""
    return headline.rsplit(maxsplit=1)[0]


def without_a_word(headline: str, choice: random.Random) -> str:
    """The headline without a word from its middle."""
    words = headline.split()
    if len(words) > 4:
        del words[choice.randrange(1, len(words) - 1)]
    return " ".join(words)


def house_style(headline: str, choice: random.Random) -> str:
    """All habits of spelling at once, in quotes of another kind, behind a tag."""
    for name in ("hamza", "ya", "ta marbuta", "digits", "quotes", "tag"):
        headline = SAME[name](headline, choice)
    return headline


def other_number(headline: str, choice: random.Random) -> str:
    """One number of the headline raised."""
    numbers = list(re.finditer(r"\d+", headline))
    if not numbers:
        return headline
    number = choice.choice(numbers)
    return headline[: number.start()] + str(int(number[0]) + choice.randint(1, 9)) + headline[number.end() :]


def swapped_ends(headline: str, choice: random.Random) -> str:
    """The first and the last word in each other's place."""
    words = headline.split()
    return " ".join([words[-1], *words[1:-1], words[0]]) if len(words) > 1 else headline


def other_word(headline: str, choice: random.Random) -> str:
    """One word replaced by another that headlines know."""
    return any_word(headline, choice, lambda word: choice.choice([other for other in COMMON_WORDS if other != word]))


#: Common words that are in no list of the engine.
TURNS = ("مزاعم", "إرجاء", "عرقلة", "شائعة", "حفيد", "طلب", "خطة", "تهديد", "اقتراح", "نية")
COMMON_WORDS = ("الرئيس", "الحكومة", "السعودية", "مصر", "إيران", "سوريا", "الروسي", "مقتل", "ارتفاع", "انخفاض", "تأييد", "النفط", "بيروت")

#: What outlets do to a headline that stays the same.
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
    "last word left out": without_last_word,
    "a word left out": without_a_word,
    "house style": house_style,
}
#: What makes another headline of it.
OTHERS: dict[str, Edit] = {
    "another number": other_number,
    "a negation": lambda headline, choice: any_word(headline, choice, lambda word: choice.choice(["لا ", "لن ", "لم ", "عدم "]) + word),
    "a word put in": lambda headline, choice: any_word(headline, choice, lambda word: f"{choice.choice(TURNS)} {word}"),
    "another word": other_word,
    "ends swapped": swapped_ends,
    "a number added": lambda headline, choice: any_word(headline, choice, lambda word: f"{choice.randint(2, 99)} {word}"),
}


if __name__ == "__main__":
    main()
