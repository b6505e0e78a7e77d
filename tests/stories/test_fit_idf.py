"""Fitting counts to a corpus: which documents count, which count once, in any batches and threads."""

import json
from collections import Counter

import numpy as np
import pytest

import dedup
from dedup.config import Config, StoryConfig
from dedup.errors import ConfigError, InputError
from dedup.stories.fit_idf import Tally, fit_idf
from dedup.stories.vectors import vectorize
from dedup.text.document_frequencies import DocumentFrequencies, background_of
from dedup.text.lexicon import deciding_words, stop_words, term_hashes
from dedup.text.normalization import tokenize
from tests.arabic import news
from tests.paths import SEED_PAGE as PAGE

FLAGS = np.uint64(3)


@pytest.fixture
def crawl(tmp_path):
    """Write rows to a file; its path."""

    def write(*rows, name="crawl.jsonl"):
        path = tmp_path / name
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        return path

    return write


def frequency(known, word):
    """The number of documents of the background with a word."""
    (stem,) = tokenize(word, "stem")
    return known.document_frequency(term_hashes(frozenset([stem])))[0]


def counted(rows):
    """The same counts, made slowly: term -> documents."""
    counts = Counter()
    for row in rows:
        title = set(tokenize(row.get("title", ""), "stem")) - stop_words()
        counts.update(title | set(tokenize(row["text"], "stem")) - stop_words())
    hashes = {word: int(term_hashes(frozenset([word]))[0] & ~FLAGS) for word in counts}
    return {hashes[word]: number for word, number in counts.items()}


def test_counts_match_the_reference(crawl):
    rows = [{"title": f"{news(90 + i, 4)} {i}", "text": f"{news(i, 30)} رقم{i % 3}"} for i in range(40)]
    fit = fit_idf(crawl(*rows), least=1)
    known = fit.background
    assert dict(zip(known.terms.tolist(), known.counts.tolist(), strict=True)) == counted(rows)
    assert (fit.documents, fit.repeated, fit.wordless, known.documents, fit.terms) == (40, 0, 0, 40, len(known.terms))
    assert (known.terms.dtype, known.counts.dtype) == (np.uint64, np.uint32)
    assert not (known.terms & FLAGS).any()


def test_word_counts_once_per_document_in_any_form(crawl):
    known = fit_idf(crawl({"title": "القاهرة اليوم", "text": "زار القاهرة ثم غادر القَاهِرَة، وبالقاهرة مطار"}), least=1).background
    assert frequency(known, "القاهرة") == 1
    assert frequency(known, "مطار") == 1
    assert frequency(known, "ثم") == 0  # a stop word


def test_stop_words_of_titles_are_not_counted(crawl):
    word = min(deciding_words() & stop_words())
    known = fit_idf(crawl({"title": f"الوزير {word} القرار", "text": news(1)}), least=1).background
    assert frequency(known, word) == 0
    assert frequency(known, "القرار") == 1


def test_repeated_text_counts_once(crawl):
    wire = news(1, 60)
    marked = wire.replace("الحكومة", "الحُكومةِ").replace(" ", "  ")
    rows = [{"title": f"عنوان {i}", "text": [wire, marked][i % 2]} for i in range(50)]
    files = crawl(*rows, {"text": news(2)}), crawl({"text": wire}, name="other.jsonl")
    for batch_rows in (1, 7, 2048):
        fit = fit_idf(files, Config().replace({"run.batch_rows": batch_rows}), least=1)
        assert (fit.documents, fit.repeated, fit.background.documents) == (52, 50, 2)
        assert fit.background.counts.max() == 2
        assert frequency(fit.background, "عنوان") == 1


def test_documents_without_words_are_not_counted(crawl):
    fit = fit_idf(crawl({"text": "...", "title": "زرافة"}, {"text": "! ؟"}, {"text": news(1)}), least=1)
    assert (fit.documents, fit.wordless, fit.repeated, fit.background.documents) == (3, 2, 0, 1)
    assert frequency(fit.background, "زرافة") == 0


def test_pages_are_segmented_before_counting(crawl):
    page = PAGE.read_text(encoding="utf-8")
    part = dedup.segment(page)
    said = [part.body, *(f"{piece.title} {piece.text}" for piece in part.embedded), *part.headlines]
    said = {stem for text in said for stem in tokenize(text, "stem")}
    furniture = {stem for stem in tokenize(page, "stem") if stem not in said} - stop_words()
    assert furniture
    path = crawl({"id": "1", "text": page}, {"id": "2", "text": page})
    fit = fit_idf(path, least=1)
    assert (fit.documents, fit.background.documents) == (24, 12)
    assert not fit.background.document_frequency(term_hashes(frozenset(furniture))).any()
    whole = fit_idf(path, Config().replace({"text.segment": False}), least=1)
    assert whole.background.documents == 1
    assert whole.background.document_frequency(term_hashes(frozenset(furniture))).all()


@pytest.mark.parametrize(("threads", "batch_rows"), [(1, 1), (2, 3), (3, 17), (5, 1000)])
def test_file_does_not_depend_on_threads_and_batches(crawl, tmp_path, threads, batch_rows):
    rows = [{"title": news(i, 5), "text": f"{news(i % 70, 25)} كلمة{i % 70 % 23}"} for i in range(100)]
    path = crawl(*rows)
    fit_idf(path, Config().replace({"run.threads": 1})).background.write(tmp_path / "one.npz")
    other = fit_idf(path, Config().replace({"run.threads": threads, "run.batch_rows": batch_rows}))
    other.background.write(tmp_path / "other.npz")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "other.npz").read_bytes()
    assert (other.repeated, other.background.documents) == (30, 70)


@pytest.mark.parametrize("least", [1, 2, 3])
def test_words_in_too_few_documents_are_omitted(crawl, least):
    rows = [{"text": f"{news(i)} {word}"} for i, word in enumerate(["زرافة", "زرافة", "زرافة", "فراشة", "فراشة", "قنفذ"])]
    known = fit_idf(crawl(*rows), least=least).background
    assert [frequency(known, word) for word in ("زرافة", "فراشة", "قنفذ")] == [3, 2 if least < 3 else 0, 1 if least < 2 else 0]
    assert known.documents == 6


def test_low_coverage_is_a_warning(crawl):
    path = crawl(*({"text": news(i, 6) + " " + " ".join(f"rare{chr(97 + i)}{chr(97 + j)}" for j in range(9))} for i in range(8)))
    fit = fit_idf(path, least=2)
    assert 0 < fit.coverage < 0.7
    assert fit.warnings == [
        f"the counts cover {fit.coverage:.0%} of a document's different words on average, and documents that they cover to less than "
        "70% are weighed without them. Use more documents, or lower --least"
    ]
    assert fit_idf(path, least=1).warnings == []
    assert fit_idf(path, least=1).coverage == 1


def test_nothing_to_count_is_an_input_error(crawl, tmp_path):
    path = crawl({"text": news(1)}, {"text": news(1)})
    with pytest.raises(InputError) as error:
        fit_idf(path)
    assert str(error.value) == (
        "no word occurs in 4 or more of the 1 different documents, so there is nothing to count. Use more documents, or lower --least."
    )
    with pytest.raises(InputError, match="^no page could be read: all rows and files were rejected. Check the inputs with 'dedup run'.$"):
        fit_idf(crawl({"id": "1", "text": None}))
    with pytest.raises(InputError, match="all files are empty"):
        fit_idf(crawl())
    with pytest.raises(InputError, match="there is no such file or folder"):
        fit_idf(tmp_path / "gone.jsonl")
    with pytest.raises(ConfigError, match="^least must be 1 or more, got 0.$"):
        fit_idf(path, least=0)


def test_rejected_rows_are_reported_and_not_counted(crawl):
    path = crawl({"text": news(1)}, {"text": None}, {"text": news(2)})
    fit = fit_idf(path, least=1)
    assert (fit.documents, fit.rejects) == (2, 1)


def test_progress_reports_the_documents_read(crawl):
    reported = []
    path = crawl(*({"text": news(i)} for i in range(5)))
    fit_idf(path, Config().replace({"run.batch_rows": 2}), least=1, progress=lambda stage, rows: reported.append((stage, rows)))
    assert reported == [("read", 0), ("read", 2), ("read", 4), ("read", 5)]


@pytest.mark.parametrize("seed", range(5))
def test_tally_matches_a_counter_and_keeps_few_runs(seed):
    random = np.random.default_rng(seed)
    tally, counter = Tally(), Counter()
    for _ in range(200):
        keys = random.integers(0, 5000, random.integers(0, 300)).astype(np.uint64)
        different, counts = np.unique(keys, return_counts=True)
        asked = random.integers(0, 5000, 50).astype(np.uint64)
        assert tally.holds(asked).tolist() == [int(key) in counter for key in asked]
        tally.add(different, counts.astype(np.uint32))
        counter.update(keys.tolist())
        assert len(tally._runs) <= 14
    keys, counts = tally.total()
    assert (keys.tolist(), counts.tolist()) == (sorted(counter), [counter[key] for key in sorted(counter)])
    assert counts.dtype == np.uint32


# The counts in a run


def weight_ratio(known, rows):
    """How much more the rarer word of the first document weighs than the common one."""
    column = (np.array([term for row in rows for term in row], np.uint64), np.cumsum([0, *map(len, rows)]))
    none = np.empty(0, np.uint64), np.zeros(len(rows) + 1, np.int64)
    vectors = vectorize(none, column, none, known, StoryConfig())
    first = dict(zip(vectors.terms.tolist(), vectors.matrix[0].toarray()[0].tolist(), strict=True))
    rare, common = rows[0]
    return first[rare] / first[common]


def test_idf_combines_corpus_and_background(crawl):
    """Idf is 1 + log((1 + n) / (1 + documents with it)), over the corpus alone, or with the same corpus as background."""
    rare, common = 4000, 8000
    rows = [[rare, common], *([common] for _ in range(9))]

    def ratio(n, rarer, commoner):
        return (1 + np.log((1 + n) / (1 + rarer))) / (1 + np.log((1 + n) / (1 + commoner)))

    assert weight_ratio(background_of("none"), rows) == pytest.approx(ratio(10, 1, 10))
    own = DocumentFrequencies(np.array([rare, common], np.uint64), np.array([1, 10], np.uint32), 10)
    assert weight_ratio(own, rows) == pytest.approx(ratio(20, 2, 20))
    other_way_round = DocumentFrequencies(own.terms, own.counts[::-1].copy(), 10)
    assert weight_ratio(other_way_round, rows) < 0.9 * weight_ratio(own, rows)


def cohesions(path, setting):
    result = dedup.run(path, Config().replace({"stories.background": str(setting)}))
    return result.stories.column("cohesion").to_pylist(), result.manifest


def test_run_uses_the_given_counts_and_names_them_in_the_manifest(crawl, tmp_path):
    path = crawl(*({"text": f"{news(i % 8, 40)} {news(100 + i, 30)}", "published": "2025-03-02"} for i in range(24)))
    fit = fit_idf(path, least=1)
    fit.background.write(tmp_path / "idf.npz")
    fit.background.write(tmp_path / "again.npz")
    shipped, by_shipped = cohesions(path, "shipped")
    own, by_own = cohesions(path, tmp_path / "idf.npz")
    again, by_again = cohesions(path, tmp_path / "again.npz")
    none, by_none = cohesions(path, "none")
    assert own == again
    assert own != shipped
    assert none != shipped
    assert by_own["background"] == {"from": str(tmp_path / "idf.npz"), "digest": fit.background.digest(), "documents": 24}
    assert (by_none["background"]["documents"], by_shipped["background"]["documents"]) == (0, background_of("shipped").documents)
    digests = [manifest["config_digest"] for manifest in (by_shipped, by_own, by_again, by_none)]
    assert digests[0] == Config().digest()
    assert digests[1] == digests[2]
    assert len(set(digests)) == 3


def test_run_with_a_base_requires_the_counts_of_the_base(crawl, tmp_path):
    path = crawl(*({"text": news(i, 40), "published": "2025-03-02"} for i in range(6)))
    for name, least in (("idf.npz", 1), ("same.npz", 1), ("other.npz", 2)):
        fit_idf(path, least=least).background.write(tmp_path / name)
    own, same, other = (Config().replace({"stories.background": str(tmp_path / f"{name}.npz")}) for name in ("idf", "same", "other"))
    base = dedup.run(path, own)
    more = [{"text": news(100, 40), "published": "2025-03-02"}]
    digests = [dedup.run(more, config, base=base).manifest["background"]["digest"] for config in (None, own, same)]
    assert digests == [base.manifest["background"]["digest"]] * 3
    for config in (other, Config()):
        with pytest.raises(ConfigError, match=r"the word counts of stories.background .* are not those of the base"):
            dedup.run(more, config, base=base)
