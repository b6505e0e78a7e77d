"""The report of ``bench.copies`` as tables for a terminal, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def print_tables(report: dict[str, Any]) -> None:
    """Print speed, stages, accuracy, and what each system leaves to its user."""
    measured = {name: one for name, one in report["peers"].items() if "failed" not in one}
    print(f"\n{report['corpus']}: {report['documents']} documents, {report['text_bytes'] / 1e6:.1f} MB of text, {report['settings']}")
    print(f"Folding in Python, done for the peers and not charged to them: {report['folding_seconds_not_charged_to_peers']:.1f} s")
    _speed(measured)
    _steps(report, measured)
    _accuracy(report, measured)
    _readers(measured)
    _gives(measured)
    for name, one in report["peers"].items():
        if "failed" in one:
            print(f"\nnot measured: {name}: {one['failed']}")


def _speed(measured: dict[str, Any]) -> None:
    head = [
        "",
        "version",
        "seconds",
        "all rounds",
        "CPU s",
        "documents/s",
        "peak MB",
        "before the run",
        "time / dedup",
        "CPU / dedup",
        "time / rewrite",
    ]
    rows = [
        [
            name, one["version"], f"{one['seconds']:.2f}", " ".join(f"{s:.1f}" for s in one["all_seconds"]), f"{one['cpu_seconds']:.1f}",
            f"{one['documents_per_second']:.0f}", f"{one['peak_bytes'] / 1e6:.0f}",
            f"{one['idle_bytes'] / 1e6:.0f}", _times(one["times_ours"]), _times(one["cpu_times_ours"]), _times(one["times_rewrite"]),
        ]
        for name, one in measured.items()
    ]  # fmt: skip
    _table("End to end", head, rows)


def _steps(report: dict[str, Any], measured: dict[str, Any]) -> None:
    head = ["", *report["steps"], "stages"]
    rows = []
    for name, one in measured.items():
        cells = []
        for step in report["steps"]:
            ratio = one["steps_times_ours"].get(step)
            cells.append(
                f"{one['steps'][step]:.2f}" + (f" ({ratio:.2f} x)" if ratio and name != "dedup" else "") if step in one["steps"] else ""
            )
        stages = {**one["stages"], **{f"[{part}]": seconds for part, seconds in one["details"].items()}}
        rows.append([name, *cells, ", ".join(f"{stage} {seconds:.2f}" for stage, seconds in stages.items())])
    _table("Seconds by step (and their ratio to those of dedup) and by stage, in the best round", head, rows)


def _accuracy(report: dict[str, Any], measured: dict[str, Any]) -> None:
    head = ["", "what it names", "named", "recall J>=0.5", "recall C>=0.7", "precision", "largest cluster"]
    rows = []
    for name, one in measured.items():
        for kind, score in one.get("scores", {}).items():
            shares = [f"{score[part]:.4f}" if part in score else "" for part in ("recall_jaccard", "recall_containment", "precision")]
            closed = f"({score['largest_if_closed']})" if "largest_if_closed" in score else ""
            rows.append([name, kind, score["named"], *shares, score.get("largest", closed)])
    near, inside = report["pairs_jaccard_0.5"], report["pairs_containment_0.7"]
    _table(f"Against brute force: {near} pairs with J>=0.5, {inside} with C>=0.7; (n): if its pairs were closed transitively", head, rows)


def _readers(measured: dict[str, Any]) -> None:
    rows = [
        [name, kind, score["pairs"], f"{score['precision']:.3f}", f"{score['recall']:.3f}", f"{score['f1']:.3f}"]
        for name, one in measured.items()
        for kind, score in one.get("readers", {}).items()
    ]
    if rows:
        _table("Against readers: copies and excerpts against everything else", ["", "what", "pairs", "precision", "recall", "F1"], rows)


def _gives(measured: dict[str, Any]) -> None:
    head = ["", "Arabic folding", "verification", "excerpts", "groups", "explains a match", "run as"]
    parts = ("folding", "verification", "excerpts", "groups", "explanation", "note")
    _table("What each does", head, [[name, *(one["gives"][part] for part in parts)] for name, one in measured.items() if name != "rewrite"])


def _times(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}"


def _table(title: str, head: list[str], rows: Iterable[list[Any]]) -> None:
    print(f"\n{title}\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(str(cell) for cell in row)} |")
