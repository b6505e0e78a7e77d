"""What is lost against what is left twice when copies are dropped: dedup, its peers and a greedy bound.

    python -m bench.frontier CORPUS [--json FILE] [--picture FILE.svg] [--peers rensa,gaoya] [--python text-dedup-checked=/venv/bin/python]

``lost`` is the share of the word 3-grams of dropped documents that stand in no kept document. ``repeated`` is the share
of the distinct word 3-grams of each kept document that stand in a kept document before it in the input. Who drops more
repeats less and loses more, so each tool is a line over its thresholds. The 3-grams are counted here, exactly, over
lightly folded raw text, and not by the code under test. All are counted over the same documents: those that dedup
compares as articles. Peers get them folded, as in ``bench.copies``.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

import dedup
from bench.peers import PEERS
from bench.peers.inputs import Inputs, make_inputs
from bench.peers.process import run_peer

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

POLICIES = ("earliest", "fullest")
#: Settings of dedup that are swept, one at a time.
SWEEPS = {"contained": (0.5, 0.62, 0.7, 0.8, 0.9), "near": (0.6, 0.7, 0.8, 0.9)}
THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)
COVERED = (0.5, 0.55, 0.6, 0.62, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
#: Peers that say which documents are duplicates of which.
SWEPT = ("datasketch", "rensa", "gaoya", "text-dedup-checked", "datatrove-split")

_GONE = re.compile("[\u0640\u064b-\u065f\u0670\u06d6-\u06ed\u200c-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_SAME = str.maketrans("أإآٱىیةک٠١٢٣٤٥٦٧٨٩", "ااااييهك0123456789")
_WORD = re.compile(r"\w+")
_BITS = 21  # three numbers of words in one int64


@dataclass(frozen=True)
class Counted:
    """The word 3-grams of documents, numbered from 0: document i has ``runs[starts[i]:starts[i + 1]]``, repeats kept.

    ``distinct`` and ``distinct_starts`` are the same without repeats inside a document.
    """

    runs: Ints
    starts: Ints
    distinct: Ints
    distinct_starts: Ints
    kinds: int

    def __len__(self) -> int:
        return len(self.starts) - 1

    def own(self, row: int) -> Ints:
        """The distinct 3-grams of a document."""
        return self.distinct[self.distinct_starts[row] : self.distinct_starts[row + 1]]


def count(texts: Iterable[str]) -> Counted:
    """Number the word 3-grams of texts."""
    numbers: dict[str, int] = {}
    packed, sizes = [], []
    for text in texts:
        words = _WORD.findall(_GONE.sub("", unicodedata.normalize("NFKC", text).lower()).translate(_SAME))
        row = np.array([numbers.setdefault(word, len(numbers)) for word in words], np.int64)
        packed.append((row[:-2] << 2 * _BITS) | (row[1:-1] << _BITS) | row[2:] if len(row) > 2 else row[:0])
        sizes.append(len(packed[-1]))
    if len(numbers) >= 1 << _BITS:
        raise ValueError(f"at most {1 << _BITS} different words can be numbered, got {len(numbers)}")
    kinds, runs = np.unique(np.concatenate([*packed, np.empty(0, np.int64)]), return_inverse=True)
    starts = np.cumsum([0, *sizes])
    rows = [np.unique(runs[a:b]) for a, b in zip(starts, starts[1:], strict=False)]
    distinct = np.concatenate([*rows, np.empty(0, np.int64)])
    return Counted(runs, starts, distinct, np.cumsum([0, *map(len, rows)]), len(kinds))


def measured(counted: Counted, kept: Bools) -> dict[str, float]:
    """``lost`` and ``repeated`` when only ``kept``, bool[n], stays, and the documents that lose more than 40 and 50 %."""
    left = np.repeat(kept, np.diff(counted.starts))
    stands = np.zeros(counted.kinds, np.bool_)
    stands[counted.runs[left]] = True
    gone = ~stands[counted.runs] & ~left
    total = int(np.diff(counted.distinct_starts)[kept].sum())
    sizes = np.diff(counted.starts)
    document = np.repeat(np.arange(len(counted)), sizes)
    shares = np.bincount(document, gone, minlength=len(counted)) / np.maximum(sizes, 1)
    return {
        "dropped": int(np.count_nonzero(~kept)),
        "lost": float(gone.sum() / max(np.count_nonzero(~left), 1)),
        # A 3-gram of the kept documents is new once: in the first of them that has it.
        "repeated": 1 - int(stands.sum()) / total if total else 0.0,
        "lose_more_than_40_percent": int((shares > 0.4).sum()),
        "lose_more_than_half": int((shares > 0.5).sum()),
    }


def greedy(counted: Counted, order: Sequence[int] | Ints, covered: float) -> Bools:
    """Go through the documents in ``order``; drop one if the kept ones together have this share of its distinct 3-grams."""
    stands, kept = np.zeros(counted.kinds, np.bool_), np.ones(len(counted), np.bool_)
    for row in order:
        own = counted.own(int(row))
        if len(own) and stands[own].mean() >= covered:
            kept[row] = False
        else:
            stands[own] = True
    return kept


def partition(answer: dict[str, Any], documents: int) -> Ints:
    """The document that each one is dropped for, itself if it is kept: int64[documents].

    datasketch 2.0, rensa 0.5 and gaoya 0.2 return the documents that a query matches; their examples go through the
    documents in order, and keep one if it matches none that was kept. text-dedup 0.4, with
    ``check_false_positive``, names a cluster by its smallest row, which it keeps; without, by a number that is no row, so that
    its filter leaves nothing of most clusters. datatrove 0.10 lists the rows that it removes: all but the root of a union-find,
    which need not be the smallest row.
    """
    first = np.arange(documents)
    if answer["pairs"] is not None:
        earlier: dict[int, list[int]] = {}
        for a, b in answer["pairs"]:
            earlier.setdefault(max(a, b), []).append(min(a, b))
        for row in range(documents):
            first[row] = min((other for other in earlier.get(row, []) if first[other] == other), default=row)
        return first
    labels = answer["labels"]
    stays = answer["kept"] or [True] * documents
    leads: dict[int, int] = {}
    for row in sorted(range(documents), key=lambda row: not stays[row]):
        leads.setdefault(labels[row], row)
    return np.array([leads[label] for label in labels], np.int64)


def frontier(inputs: Inputs, names: Sequence[str], *, pythons: dict[str, str], threads: int) -> dict[str, Any]:
    """Measure everyone: ``lines`` from a name to its points, ``failed`` from the name of a peer to the reason."""
    counted = count(inputs.texts)
    lines: dict[str, list[dict[str, Any]]] = {}
    failed: dict[str, str] = {}
    config = dedup.Config().replace({"run.threads": threads})
    for policy in POLICIES:
        chosen = config.replace({"copies.keep": policy})
        for setting, values in SWEEPS.items():
            line = lines[f"dedup {policy}, {setting}"] = []
            for value in values:
                result = dedup.find_copies(str(inputs.pages), chosen.replace({f"copies.{setting}": value}))
                line.append(_point(f"dedup {policy}, {setting}", value, counted, _kept_by_us(result, inputs.ids)))
    for name in names:
        for threshold in THRESHOLDS:
            python = pythons.get(name, sys.executable)
            report = run_peer(name, inputs.folded, python=python, threads=threads, warm_rows=0, threshold=threshold)
            if "failed" in report:
                failed[name] = report["failed"]
                break
            kept = partition(report["answer"], len(counted)) == np.arange(len(counted))
            title = f"{name} {report['version']}"
            lines.setdefault(title, []).append(_point(title, threshold, counted, kept))
    for title, order in _orders(result.documents, inputs.ids, counted).items():
        name = f"greedy bound, {title}"
        lines[name] = [_point(name, share, counted, greedy(counted, order, share)) for share in COVERED]
    return {"documents": len(counted), "lines": lines, "failed": failed}


def _kept_by_us(result: dedup.Result, ids: list[str]) -> Bools:
    columns = (result.documents.column(name).to_pylist() for name in ("doc_id", "status"))
    copies = {doc_id for doc_id, status in zip(*columns, strict=True) if status == "copy"}
    return np.array([doc_id not in copies for doc_id in ids], np.bool_)


def _orders(documents: pa.Table, ids: list[str], counted: Counted) -> dict[str, Ints]:
    """Rows by size, and by time (unknown last); ties in input order."""
    times = documents.column("published").cast("int64").to_pylist()
    time_of = dict(zip(documents.column("doc_id").to_pylist(), times, strict=True))
    published = [time_of[doc_id] for doc_id in ids]
    last = np.iinfo(np.int64).max
    return {
        "fullest first": np.argsort(-np.diff(counted.distinct_starts), kind="stable"),
        "earliest first": np.argsort(np.array([last if time is None else time for time in published], np.int64), kind="stable"),
    }


def table(report: dict[str, Any]) -> str:
    """The report in Markdown."""
    head = "| | threshold | dropped | lost | repeated | lose more than 40 % | 50 % |\n|---|---|---|---|---|---|---|"
    rows = [
        f"| {name} | {point['threshold']} | {point['dropped']} | {point['lost']:.4f} | {point['repeated']:.4f} "
        f"| {point['lose_more_than_40_percent']} | {point['lose_more_than_half']} |"
        for name, line in report["lines"].items()
        for point in line
    ]
    notes = [f"\nnot measured: {name}: {reason}" for name, reason in report["failed"].items()]
    return "\n".join([f"{report['documents']} documents of {report['corpus']}\n", head, *rows, *notes])


def draw(report: dict[str, Any], file: Path) -> None:
    """Write the lines as a picture: lost to the right, repeated upwards."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(10, 7), layout="constrained")
    colours = plt.get_cmap("tab20").colors
    for i, (name, line) in enumerate(report["lines"].items()):
        style = "o-" if name.startswith("dedup") else "--" if name.startswith("greedy") else "s-"
        axes.plot([p["lost"] for p in line], [p["repeated"] for p in line], style, markersize=4, color=colours[i % 20], label=name)
        axes.annotate(name, (line[0]["lost"], line[0]["repeated"]), xytext=(5, 3), textcoords="offset points", fontsize=7)
    axes.set_xlabel("lost: share of the 3-grams of dropped documents that stand in no kept one")
    axes.set_ylabel("repeated: share of the 3-grams of kept documents that stand in an earlier kept one")
    axes.set_title(f"{report['documents']} documents of {report['corpus']}", fontsize=10)
    axes.grid(color="#dddddd")
    axes.legend(fontsize=8, frameon=False)
    figure.savefig(file, dpi=110)
    plt.close(figure)


def main() -> None:
    """Measure, print the table, and write JSON and picture where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", help="anything that dedup reads")
    parser.add_argument("--json", help="file for the figures")
    parser.add_argument("--picture", help="file for the picture, .svg or .png; needs matplotlib")
    parser.add_argument("--peers", default=",".join(SWEPT), help="names, with commas between (all)")
    parser.add_argument("--python", action="append", default=[], metavar="NAME=PATH", help="run a peer in another virtual environment")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    names = [name for name in options.peers.split(",") if name]
    unknown = [name for name in names if name not in PEERS or PEERS[name].raw or name == "rensa-rho"]
    if unknown:
        sys.exit(f"no peer that says what is a duplicate of what: {', '.join(unknown)}. Choose from: {', '.join(SWEPT)}.")
    pythons = dict(item.split("=", 1) for item in options.python)
    with tempfile.TemporaryDirectory() as folder:
        report = frontier(make_inputs(options.corpus, Path(folder)), names, pythons=pythons, threads=options.threads)
    report["corpus"] = Path(options.corpus).name
    print(table(report))
    if options.json:
        Path(options.json).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    if options.picture:
        try:
            draw(report, Path(options.picture))
        except ImportError as error:
            print(f"no picture: {error}. Install matplotlib.", file=sys.stderr)


def _point(name: str, threshold: float, counted: Counted, kept: Bools) -> dict[str, Any]:
    """The figures of one run, which are also shown while others still run."""
    figures = measured(counted, kept)
    print(f"{name} {threshold}: lost {figures['lost']:.4f}, repeated {figures['repeated']:.4f}", file=sys.stderr)
    return {"threshold": threshold, **figures}


if __name__ == "__main__":
    main()
