"""The bench of peers: each finds the known copies, and scores equal a count by hand."""

import json
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pyarrow.parquet as pq
import pytest

import dedup
from bench import copies
from bench.peers import PEERS, STEPS, Clock, steps, word_shingles
from bench.peers import __main__ as runner
from bench.peers.inputs import Folder, make_inputs
from bench.peers.process import run_peer
from bench.peers.score import Truth, against_readers, brute_force, of_flags, of_labels, of_pairs, scores
from tests.arabic import edited, news

pytestmark = pytest.mark.slow

#: Documents 0 and 1 differ in one word, 2 and 3 are equal, 20 is half of 4, all others are unrelated.
TEXTS = [news(0), edited(news(0), 40), news(2), news(2), *(news(seed) for seed in range(4, 20)), " ".join(news(4).split()[:40])]
PLANTED = {(0, 1), (2, 3)}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """A small crawl as a file, each page of another outlet."""
    path = tmp_path_factory.mktemp("corpus") / "crawl.jsonl"
    rows = [{"id": f"d{i}", "url": f"u{i}", "title": f"خبر {i}", "source": f"s{i}", "text": text} for i, text in enumerate(TEXTS)]
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def inputs(corpus, tmp_path_factory):
    return make_inputs(str(corpus), tmp_path_factory.mktemp("inputs"))


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in PEERS if name != "rewrite"])
def test_a_peer_finds_the_known_copies_and_no_unrelated_text(name, inputs):
    missing = [package for package in PEERS[name].needs.split(",") if find_spec(package) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    path = inputs.pages if PEERS[name].raw else inputs.folded
    report = run_peer(name, path, python=sys.executable, threads=2, warm_rows=5)
    assert "failed" not in report, report
    assert report["rows"] == len(TEXTS)
    assert 0 < sum(steps(report["stages"]).values()) <= report["seconds"] * 1.05
    assert report["peak_bytes"] > 10_000_000
    if name == "dedup":
        assert {"sign", "candidates", "verify", "choose survivors"} <= report["stages"].keys()
    answer = report["answer"]
    if answer["flags"]:
        assert [i for i, flag in enumerate(answer["flags"]) if flag] == [0, 1, 2, 3]
    if answer["pairs"] is not None:
        found = {tuple(sorted(pair)) for pair in answer["pairs"]}
        assert PLANTED <= found <= PLANTED | {(4, 20)}
    if answer["labels"] is not None:
        labels = answer["labels"]
        together = {(i, j) for i in range(len(labels)) for j in range(i + 1, len(labels)) if labels[i] == labels[j]}
        assert PLANTED <= together <= PLANTED | {(4, 20)}


def test_a_missing_peer_is_reported_and_not_measured(inputs, monkeypatch, capsys):
    monkeypatch.setitem(PEERS, "rensa", PEERS["rensa"].__class__("rensa_lsh", "run", "rensa", "no_such_package"))
    monkeypatch.setattr(sys, "argv", ["peers", "rensa", str(inputs.folded), "out.json"])
    with pytest.raises(SystemExit) as raised:
        runner.main()
    assert raised.value.code == runner.NOT_INSTALLED
    assert "no_such_package" in capsys.readouterr().err


def test_a_failed_peer_is_reported_with_the_end_of_its_stderr(tmp_path):
    broken = tmp_path / "folded.parquet"
    broken.write_text("not Parquet")
    report = run_peer("rewrite", broken, python=sys.executable, threads=1, warm_rows=0)
    assert report["failed"].startswith("exit code 1:")
    assert "Parquet" in report["failed"]


def test_peers_import_neither_dedup_nor_numba():
    code = "import sys, bench.peers, bench.peers.__main__; sys.exit('dedup' in sys.modules or 'numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("text", [TEXTS[0], "ارتفع 4.5% أمس. وقال: «لا»\u00a0٣٬٥٠٠ ريال", "قَالَ المسئولُ (أمس)", "U.S. و 12:30"])
def test_a_folded_text_split_at_spaces_has_our_shingles(text):
    ours = dedup.shingle(text)
    theirs = word_shingles(Folder()(text))
    assert len(theirs) == len(ours)
    assert [theirs.index(shingle) for shingle in theirs] == [ours.index(shingle) for shingle in ours]  # equal where ours are


def test_a_folded_text_has_only_letters_and_digits_in_its_tokens():
    assert all(word.isalnum() for word in Folder()("زاد 4.5% في U_S (أمس)، ثم -3").split(" "))


def test_inputs_keep_the_order_and_the_raw_texts(inputs):
    assert inputs.ids == [f"d{i}" for i in range(len(TEXTS))]
    assert inputs.texts == TEXTS
    assert pq.read_table(inputs.folded).column("id").to_pylist() == inputs.ids
    assert pq.read_table(inputs.pages).column("url").to_pylist() == inputs.urls


def test_seconds_of_a_repeated_stage_are_summed():
    clock = Clock()
    for _ in range(2):
        with clock.stage("sign"):
            pass
    assert list(clock.seconds) == ["sign"]


def test_every_stage_belongs_to_one_step():
    names = [stage for stages in STEPS.values() for stage in stages]
    assert len(names) == len(set(names))
    assert steps({"shingle": 1.0, "sign": 2.0, "query": 4.0}) == {"text to signatures": 3.0, "look up": 4.0}


@pytest.fixture
def truth():
    """Six documents: 0-1 near and contained, 0-2 contained only, 3-4 an excerpt below 0.7."""
    left, right = np.array([0, 0, 3]), np.array([1, 2, 4])
    return Truth(6, left, right, np.array([0.8, 0.3, 0.2]), np.array([0.9, 0.75, 0.6]))


def test_pairs_are_scored_by_recall_and_precision(truth):
    score = of_pairs(np.array([0, 4]), np.array([1, 5]), truth)
    assert (score["named"], score["recall_jaccard"], score["recall_containment"], score["precision"]) == (2, 1.0, 0.5, 0.5)
    assert score["largest_if_closed"] == 2


def test_every_pair_inside_a_cluster_counts_as_named(truth):
    score = of_labels(np.array([7, 7, 7, 1, 1, 2]), truth)  # 0-1, 0-2, 1-2, 3-4: three of them real
    assert (score["named"], score["recall_jaccard"], score["recall_containment"], score["precision"]) == (4, 1.0, 1.0, 0.75)
    assert score["largest"] == 3


def test_flags_are_scored_by_document(truth):
    score = of_flags(np.array([True, False, False, True, False, True]), truth)
    assert (score["named"], score["recall_jaccard"], score["precision"]) == (3, 0.5, pytest.approx(2 / 3))


def test_other_documents_of_an_answer_are_ignored(truth):
    answer = {"pairs": [[1, 0], [0, 6]], "listed": None, "labels": [0, 0, 1, 2, 3, 4, 0], "flags": None, "ids": list("abcdefz")}
    scored = scores(answer, list("abcdef"), truth)
    assert scored["pairs"]["named"] == scored["groups"]["named"] == 1
    assert scored["pairs"]["precision"] == 1.0


def test_an_answer_in_another_order_is_scored_by_its_ids(truth):
    answer = {"pairs": [[4, 5]], "listed": None, "labels": None, "flags": None, "ids": list("fedcba")}
    assert scores(answer, list("abcdef"), truth)["pairs"]["recall_jaccard"] == 1.0


def test_brute_force_finds_the_known_pairs():
    truth = brute_force(TEXTS)
    found = {(a, b): (j, c) for a, b, j, c in zip(truth.left, truth.right, truth.jaccard, truth.containment, strict=True)}
    assert found.keys() == PLANTED | {(4, 20)}
    assert found[2, 3] == (1.0, 1.0)
    assert found[4, 20] == (pytest.approx(38 / 78), 1.0)


def test_answers_are_scored_on_labelled_pairs():
    labels = [
        {"a": "u0", "b": "u1", "label": "copy", "sure": 1},
        {"a": "u1", "b": "u2", "label": "template", "sure": 1},
        {"a": "u2", "b": "u3", "label": "excerpt", "sure": 1},
        {"a": "u0", "b": "u3", "label": "copy", "sure": 0},
        {"a": "u0", "b": "u9", "label": "copy", "sure": 1},
    ]
    answer = {"pairs": [[0, 1]], "labels": [0, 0, 0, 3], "ids": None}
    judged = against_readers(answer, ["d0", "d1", "d2", "d3"], ["u0", "u1", "u2", "u3"], labels)
    assert judged["pairs"] == {"pairs": 3, "precision": 1.0, "recall": 0.5, "f1": pytest.approx(2 / 3)}
    assert judged["groups"] == {"pairs": 3, "precision": 0.5, "recall": 0.5, "f1": 0.5}


@pytest.mark.slow
def test_the_command_writes_a_report_with_ratios_in_one_run(corpus, tmp_path, monkeypatch, capsys):
    arguments = ["copies", str(corpus), "--peers", "rewrite", "-o", str(tmp_path), "--rounds", "2", "--warm-rows", "5"]
    monkeypatch.setattr(sys, "argv", arguments)
    monkeypatch.setattr(copies, "_draw", lambda report, out: None)
    copies.main()
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    ours, rewrite = report["peers"]["dedup"], report["peers"]["rewrite"]
    assert ours["times_ours"] == 1.0
    assert rewrite["times_ours"] < 1.0 < ours["times_rewrite"]
    assert len(ours["all_seconds"]) == 2
    assert ours["scores"]["listed"]["recall_jaccard"] == 1.0
    assert ours["scores"]["pairs"]["precision"] == 1.0
    assert "time / rewrite" in capsys.readouterr().out


def test_the_picture_is_drawn_from_a_report(tmp_path):
    pytest.importorskip("matplotlib", reason="not installed: matplotlib")
    from bench.picture import draw

    one = {"seconds": 1.0, "documents_per_second": 10.0, "peak_bytes": 1e8, "steps": {"text to signatures": 1.0}}
    pairs = {"recall_jaccard": 1.0, "recall_containment": 0.5, "precision": 1.0}
    flags = {"recall_jaccard": 0.5, "precision": 1.0}
    peers = {
        "dedup": {**one, "scores": {"pairs": pairs}},
        "rewrite": one,
        "rensa-rho": {**one, "scores": {"documents": flags}},
        "gaoya": {"failed": "not installed"},
    }
    draw({"documents": 10, "corpus": "c", "settings": {"threads": 2}, "steps": list(STEPS), "peers": peers}, tmp_path)
    assert (tmp_path / "picture.svg").read_text(encoding="utf-8").count("<svg") == 1
    assert (tmp_path / "picture.png").stat().st_size > 1000


def test_an_unknown_peer_is_named(monkeypatch, corpus):
    monkeypatch.setattr(sys, "argv", ["copies", str(corpus), "--peers", "nobody"])
    with pytest.raises(SystemExit, match="no such peer: nobody"):
        copies.main()


def test_scores_of_no_pairs_are_printed():
    nothing = Truth(3, *(np.empty(0, np.int64),) * 2, *(np.empty(0),) * 2)
    empty = {"pairs": [], "listed": None, "labels": None, "flags": None, "ids": None}
    assert scores(empty, ["a", "b", "c"], nothing)["pairs"]["precision"] == 1.0
