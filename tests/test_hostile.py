"""Hostile input: nothing hangs, nothing takes quadratic time, nothing is lost."""

from __future__ import annotations

import gzip
import json
import os
import socket
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from click.testing import CliRunner

import dedup
from dedup.batch import corpus
from dedup.cli import main
from dedup.cli.options import megabytes
from dedup.cli.terminal import terminal_text
from dedup.errors import InputError
from dedup.readers import ReadLog, discover, source
from dedup.readers.values import safe_name
from dedup.segmentation.segment import segment
from tests.stress.fuzz import check_folder, check_text

ONE_THREAD = dedup.Config().replace({"run.threads": 1})
REGRESSIONS = sorted((Path(__file__).parent / "regressions").iterdir())
GOOD = json.dumps({"id": "good", "text": "وقعت الشركة عقدا جديدا لتوسعة الحقل في المنطقة الشرقية"})


def run(inputs):
    result = dedup.run(inputs, ONE_THREAD)
    counts = result.manifest["counts"]
    assert counts["pages"] == counts["pages_with_documents"] + counts["rejects"]
    return result


def packed(suffix, data):
    return gzip.compress(data) if suffix.endswith(".gz") else pa.Codec("zstd").compress(data, asbytes=True)


BOMBS = {
    ".jsonl.gz": GOOD.encode() + b"\n" * (4 << 20),
    ".jsonl.zst": GOOD.encode() + b"\n" + bytes(4 << 20),
    ".csv.gz": b"id,text\ngood,one two three four five six seven eight\n" + b"\n" * (4 << 20),
    ".csv.zst": b"id,text\ngood,one two three four five six seven eight\n" + b"\n" * (4 << 20),
    ".json.gz": b"[" + b"{}," * (2 << 20),
    ".txt.gz": b"a\n" * (2 << 20),
}


@pytest.mark.parametrize("suffix", BOMBS)
def test_a_decompression_bomb_is_cut_off_and_rejected(tmp_path, monkeypatch, suffix):
    monkeypatch.setattr(source, "BOMB_BYTES", 1 << 20)
    (tmp_path / f"bomb{suffix}").write_bytes(packed(suffix, BOMBS[suffix]))
    (tmp_path / "good.jsonl").write_text(GOOD.replace("good", "other"))
    result = run(str(tmp_path))
    (reject,) = result.rejects.to_pylist()
    assert (reject["input_file"], reject["reason"]) == (f"bomb{suffix}", "bomb")
    assert "decompression bomb" in reject["detail"]
    assert result.documents.num_rows == (1 if suffix in (".json.gz", ".txt.gz") else 2)


def test_a_large_well_compressed_file_is_no_bomb(tmp_path, monkeypatch):
    monkeypatch.setattr(source, "BOMB_BYTES", 1 << 10)
    lines = [json.dumps({"text": f"{i} " + "وقعت الشركة عقدا جديدا في المنطقة " * 3}) for i in range(2000)]
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    assert run(str(tmp_path)).rejects.num_rows == 0


def test_pipes_sockets_devices_and_loops_are_skipped_and_counted(tmp_path):
    (tmp_path / "good.jsonl").write_text(GOOD)
    os.mkfifo(tmp_path / "pipe.jsonl")
    bound = socket.socket(socket.AF_UNIX)
    bound.bind(str(tmp_path / "s.jsonl"))
    for name, target in {"loop.jsonl": "loop.jsonl", "null.jsonl": "/dev/null", "gone.jsonl": "gone", "self": "."}.items():
        os.symlink(target, tmp_path / name)
    log = ReadLog()
    assert [found.name for found in discover([str(tmp_path)], log=log)] == ["good.jsonl"]
    assert [note.partition(": ")[2] for note in log.warnings()] == [
        "5 files skipped, each is a pipe, a socket, a device or a link that leads nowhere"
    ]
    bound.close()


def test_folders_may_be_nested_deeper_than_functions(tmp_path):
    folder = tmp_path / "/".join(["d"] * 300)
    folder.mkdir(parents=True)
    (folder / "a.jsonl").write_text(GOOD)
    limit, depth = sys.getrecursionlimit(), 0
    frame = sys._getframe()
    while frame := frame.f_back:
        depth += 1
    sys.setrecursionlimit(depth + 200)
    try:
        assert len(discover([str(tmp_path)])) == len(discover([f"{tmp_path}/**/*.jsonl"])) == 1
    finally:
        sys.setrecursionlimit(limit)


def test_file_names_are_printed_without_control_characters_and_stay_distinct(tmp_path):
    names = ["a\nb.jsonl", "a\\nb.jsonl", "c\u202ed.jsonl", "e\x1b[31m.jsonl", "خبر\u200cها.jsonl", os.fsdecode(b"f\xff.jsonl")]
    for name in names:
        (tmp_path / name).write_text("{bad")
    result = run(str(tmp_path))
    shown = result.rejects.column("input_file").to_pylist()
    assert set(shown) == {"a\\nb.jsonl", "a\\\\nb.jsonl", "c\\u202ed.jsonl", "e\\x1b[31m.jsonl", "خبر\u200cها.jsonl", "f\\udcff.jsonl"}
    assert len(result.manifest["inputs"]) == len(names)
    printed = CliRunner().invoke(main, ["run", str(tmp_path), "-o", str(tmp_path / "out")]).output
    assert not any(sign in printed for sign in "\u202e\x1b\udcff")


def test_a_harmless_file_name_is_printed_unchanged():
    assert safe_name("جريدة/2015 (1).jsonl") == "جريدة/2015 (1).jsonl"


def test_tiny_files_are_batched_together(tmp_path, monkeypatch):
    for i in range(60):
        (tmp_path / f"{i:02}.txt").write_text(f"الخبر رقم {i} عن عقد جديد لتوسعة الحقل في المنطقة")
    calls = []
    documents_of = corpus.documents_of
    monkeypatch.setattr(corpus, "documents_of", lambda pages, **more: calls.append(pages.num_rows) or documents_of(pages, **more))
    result = run(str(tmp_path))
    assert calls == [60]
    assert result.documents.column("input_file").to_pylist() == [f"{i:02}.txt" for i in range(60)]


ODD_TEXTS = {
    "a word a hundred thousand times": "كلمة " * 100_000,
    "one word of a megabyte": "كلمات" * 100_000,
    "ten thousand marks on a letter": "ب" + "\u064b" * 10_000 + " كلمة" * 20,
    "combining signs": "e" + "\u0301" * 100_000,
    "bidi overrides": "\u202e\u202d\u2066" * 10_000 + " كلمة" * 20,
    "NUL": "\0" * 10_000 + " كلمة" * 20,
    "half surrogates": " كلمة" * 2000 + "\ud800 \udfff",
    "empty lines": "أول\n" + "\n" * 1_000_000 + "آخر",
    "a cue and empty lines": "اقرأ أيضا:" + "\n" * 1_000_000,
    "nothing but cues": "اقرأ أيضا:\n" * 3000,
}


@pytest.mark.parametrize("name", ODD_TEXTS)
def test_an_odd_text_is_a_document(name):
    result = run([{"id": "a", "text": ODD_TEXTS[name], "title": ODD_TEXTS[name][:20_000]}])
    assert result.documents.num_rows >= 1
    terminal_text(result.documents.column("title")[0].as_py(), 60)


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_a_million_empty_lines_give_no_pages_and_keep_row_numbers(tmp_path, suffix):
    head, row = ("", GOOD) if suffix == ".jsonl" else ("id,text\n", "good,one two three four five six seven eight")
    (tmp_path / f"a{suffix}").write_text(head + "\n" * 1_000_000 + row)
    assert run(str(tmp_path)).documents.num_rows == 1


def test_a_line_beyond_the_limit_is_rejected_and_the_next_one_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(source, "MAX_UNIT_BYTES", 1 << 16)
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": "كلمة " * 50_000}) + "\n" + GOOD)
    result = run(str(tmp_path))
    assert (result.documents.num_rows, result.rejects.column("reason").to_pylist()) == (1, ["too_large"])


def lines_run(work):
    """The number of Python lines that a call runs; a loop within a line counts each time."""
    count = 0

    def trace(frame, event, argument):
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def test_a_page_of_many_embedded_articles_takes_linear_time():
    paragraph = "هذا نص طويل جدا لكنه لا يزيد على اربعين كلمة " * 8 + "."
    article = "\n".join([paragraph, "كلمات دلالية: وسم", "اقرأ أيضا:", "عنوان خبر اخر جديد هنا"])
    pages = ["\n".join([article] * n) for n in (100, 400)]
    assert len(segment(pages[1]).embedded) == 399
    few, many = (lines_run(lambda page=page: segment(page)) for page in pages)
    assert many < 5 * few


def test_rejoining_compares_a_limited_number_of_pieces(monkeypatch):
    import numpy as np
    from scipy import sparse

    from dedup.config import StoryConfig
    from dedup.stories import rejoin

    compared = []
    linkage = rejoin.average_linkage
    monkeypatch.setattr(rejoin, "average_linkage", lambda n, *rest: compared.append(n) or linkage(n, *rest))
    monkeypatch.setattr(rejoin, "PIECES", 3)
    monkeypatch.setattr(rejoin, "ROUNDS", 2)
    labels = np.array([0, 1, 2, 3, 4, 5, 6, 7, 7, 9, 9])
    matrix = sparse.csr_matrix(np.repeat([[1.0, 0.0], [0.0, 1.0]], [7, 4], axis=0).astype(np.float32))
    rejoined = rejoin.rejoin_truncated(labels, np.ones(11, bool), matrix, np.full(11, np.nan), np.zeros(11, bool), StoryConfig())
    # First 7, 9 and 0; then the two groups that they are now, and the next three; the rest stays.
    assert compared == [3, 5]
    assert rejoined.tolist() == [0, 0, 0, 0, 4, 5, 6, 7, 7, 7, 7]


def test_a_title_of_a_megabyte_is_cut_before_its_width_is_measured(monkeypatch):
    import rich.cells

    measured = []
    cell_len = rich.cells.cell_len
    monkeypatch.setattr(rich.cells, "cell_len", lambda text: measured.append(len(text)) or cell_len(text))
    for title in ("عنوان " * 200_000, "ب" + "\u064b" * 1_000_000):
        measured.clear()
        assert terminal_text(title, 60).endswith("…\u2069")
        assert sum(measured) < 1_000_000


@pytest.mark.parametrize("path", REGRESSIONS, ids=lambda path: path.name)
def test_inputs_found_by_fuzzing_stay_fixed(path):
    if path.suffix == ".json":
        check_text(json.loads(path.read_text(encoding="utf-8")))
    elif path.is_dir():
        check_folder(path)


def test_leads_move_to_a_file_beyond_the_memory_limit(monkeypatch):
    moved = []
    spill_leads = corpus._spill_leads
    monkeypatch.setattr(corpus, "_spill_leads", lambda texts, spill: moved.append(spill_leads(texts, spill)) or moved[-1])
    rows = [{"id": str(i), "title": f"عنوان رقم {i}", "text": " ".join(f"كلمة{i * j}" for j in range(400))} for i in range(400)]
    config = ONE_THREAD.replace({"run.memory": 1, "run.batch_rows": 64})
    spilled, in_memory = dedup.run(rows, config), dedup.run(rows, config.replace({"run.memory": 4000}))
    (leads,) = moved
    assert len(leads) == 400
    assert spilled.stories.equals(in_memory.stories)
    assert spilled.documents.equals(in_memory.documents)


@pytest.mark.parametrize(
    ("text", "size"), [("2GB", 2048), ("1.5g", 1536), ("1500", 1500), ("700 MB", 700), ("512KiB", 1), ("2tb", 2 << 20), ("0", 0)]
)
def test_memory_sizes_are_parsed(text, size):
    assert megabytes(text) == size


@pytest.mark.parametrize("text", ["", "GB", "-1GB", "2 pounds", "1e9", "20B", "nan"])
def test_an_invalid_memory_size_is_an_error(text):
    with pytest.raises(ValueError, match="is not a memory size"):
        megabytes(text)


def test_memory_is_given_once_and_recorded_in_the_manifest(tmp_path):
    (tmp_path / "a.jsonl").write_text(GOOD)
    arguments = ["run", str(tmp_path / "a.jsonl"), "-o", str(tmp_path / "out"), "--memory", "1.5GB"]
    assert CliRunner().invoke(main, [*arguments, "--run.memory", "3"]).exit_code == 2
    assert "is not a memory size" in CliRunner().invoke(main, [*arguments[:-1], "much"]).output
    assert CliRunner().invoke(main, arguments).exit_code == 0
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["config"]["run"]["memory"] == 1536


def test_a_folder_without_readable_files_is_an_error(tmp_path):
    os.mkfifo(tmp_path / "pipe.jsonl")
    with pytest.raises(InputError, match="the folder gives nothing"):
        discover([str(tmp_path)])
