"""The bench of excerpts, on a corpus whose answer is known."""

from __future__ import annotations

import json
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.quality import __main__ as command
from bench.quality import excerpts
from bench.quality.scores import table
from tests.arabic import news

pytestmark = pytest.mark.slow

SOURCES = {f"source-{i}": news(i, 600) for i in range(4)}


@pytest.fixture
def reuse(tmp_path):
    """Two cases like those of the labelled data: 60 words copied verbatim, and 60 words shuffled."""
    texts, cases = dict(SOURCES), []
    for i, obfuscation in enumerate(["none", "word shuffling"]):
        taken = SOURCES[f"source-{i}"].split()[100:160]
        if obfuscation != "none":
            random.Random(1).shuffle(taken)
        passage, ahead = " ".join(taken), news(10 + i, 900)
        texts[f"suspicious-{i}"] = f"{ahead} {passage} {news(20 + i, 900)}"
        case = {"suspicious": f"suspicious-{i}", "source": f"source-{i}", "obfuscation": obfuscation}
        cases.append(case | {"this_offset": str(len(ahead) + 1), "this_length": str(len(passage))})
    pq.write_table(pa.table({"id": list(texts), "text": list(texts.values())}), tmp_path / "reuse_docs.parquet")
    pq.write_table(pa.Table.from_pylist(cases), tmp_path / "reuse_cases.parquet")
    return tmp_path


@pytest.fixture
def crawl(tmp_path):
    """Five articles: the third is 40 words of the first, the fifth repeats the second."""
    texts = [news(1, 300), news(2, 300), " ".join(news(1, 300).split()[50:90]), news(4, 300), news(2, 300)]
    path = tmp_path / "crawl.jsonl"
    path.write_text("".join(json.dumps({"id": f"d{i}", "text": text}) + "\n" for i, text in enumerate(texts)), encoding="utf-8")
    return str(path)


def named(rows, of):
    return next(row for row in rows if row["of"] == of)


def test_a_passage_is_read_from_the_copying_text(reuse):
    _, cases = excerpts.read_reuse(reuse)
    assert cases[0]["passage"] == " ".join(SOURCES["source-0"].split()[100:160])
    assert [case["words"] for case in cases] == [60, 60]


def test_a_verbatim_passage_is_found_and_a_shuffled_one_is_not(reuse):
    found = excerpts.find_passages(*excerpts.read_reuse(reuse))
    rows = excerpts.counted_by(found, lambda case: case["obfuscation"])
    verbatim, shuffled = named(rows, "none"), named(rows, "word shuffling")
    assert (verbatim["cases"], verbatim["share 0.57 or more"], verbatim["excerpt"], verbatim["a copy"]) == (1, 1, 1, 1.0)
    assert (shuffled["cases"], shuffled["share 0.57 or more"], shuffled["not listed"], shuffled["listed"]) == (1, 0, 1, 0.0)


def test_only_long_verbatim_passages_are_cut(reuse, monkeypatch):
    monkeypatch.setattr(excerpts, "CUTS", (16, 20, 24))
    rows = excerpts.cuts_of_passages(*excerpts.read_reuse(reuse), seed=1)
    assert [(row["of"], row["cases"]) for row in rows] == [(16, 1), (20, 1)]


def test_pairs_of_a_corpus_are_counted_by_the_words_of_the_shorter_one(crawl):
    rows = excerpts.corpus_pairs(crawl, 0.57)
    assert [(row["of"], row["cases"], row["listed"]) for row in rows] == [("31-60", 1, 1.0), ("over 250", 1, 1.0)]
    assert (rows[0]["excerpt"], rows[1]["exact"]) == (1, 1)


def test_each_long_article_gives_one_cut(crawl, monkeypatch):
    monkeypatch.setattr(excerpts, "CUTS", (48,))
    rows = excerpts.cuts_of_articles(crawl, seed=1)
    assert [(row["of"], row["cases"], row["listed"]) for row in rows] == [(48, 4, 1.0)]


def test_all_tables_are_printed_and_written(reuse, crawl, monkeypatch, capsys):
    monkeypatch.setattr(excerpts, "CUTS", (16,))
    out = reuse / "report.json"
    monkeypatch.setattr("sys.argv", ["quality", "excerpts", str(reuse), crawl, "-o", str(out)])
    command.main()
    report = json.loads(out.read_text(encoding="utf-8"))
    assert sum(name.startswith("corpus") for name in report) == 3
    printed = capsys.readouterr().out
    assert all(name in printed for name in report)


@pytest.mark.parametrize(("words", "band"), [(8, "8-15"), (15, "8-15"), (16, "16-30"), (250, "121-250"), (251, "over 250")])
def test_a_length_falls_into_its_band(words, band):
    assert excerpts.band_of(words) == band


@pytest.mark.parametrize(("words", "length"), [(24, 8), (23, 0)])
def test_a_cut_is_a_run_of_words_at_most_a_third_of_its_text(words, length):
    text = news(1, words)
    cut = excerpts.cut_out(text, 8, random.Random(1))
    assert len(cut.split()) == length


def test_a_table_has_a_column_for_every_name():
    lines = table([{"of": "a", "cases": 1}, {"of": "bb", "listed": 0.5}]).splitlines()
    assert [line.split() for line in lines] == [["of", "cases", "listed"], ["a", "1"], ["bb", "0.5"]]
    assert len(set(map(len, lines))) == 1
