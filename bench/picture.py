"""The report of ``bench.copies`` as one picture: speed, where the time goes, accuracy, memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt

_COLOURS = ("#3b6ea5", "#e0a030", "#6a9f58", "#999999")
_KINDS = ("pairs", "groups", "documents")
_SHOWN = {"recall_jaccard": "recall, J ≥ 0.5", "recall_containment": "recall, C ≥ 0.7", "precision": "precision"}
_OURS, _PEER, _BASELINE = "#b5413a", "#3b6ea5", "#999999"


def draw(report: dict[str, Any], folder: Path) -> None:
    """Write ``picture.svg`` and ``picture.png`` into ``folder``."""
    measured = {name: one for name, one in report["peers"].items() if "failed" not in one}
    names = sorted(measured, key=lambda name: measured[name]["seconds"], reverse=True)
    peers = [name for name in names if "scores" in measured[name]]
    figure, ((speed, shares), (accuracy, memory)) = plt.subplots(2, 2, figsize=(14, 4.5 + 0.55 * len(names)), layout="constrained")
    figure.suptitle(f"{report['documents']} documents of {report['corpus']}, {report['settings']['threads']} threads")
    _speeds(speed, names, [measured[name]["documents_per_second"] for name in names])
    colours = [_colour(name) for name in names]
    bars = memory.barh(names, [measured[name]["peak_bytes"] / 1e6 for name in names], color=colours)
    memory.bar_label(bars, fmt="{:,.0f}", padding=3, fontsize=8)
    memory.set_title("peak memory, MB", fontsize=10)
    memory.margins(x=0.15)
    _shares(shares, names, measured, report["steps"])
    _accuracy(accuracy, peers, measured)
    for kind in ("svg", "png"):
        figure.savefig(folder / f"picture.{kind}", dpi=110)
    plt.close(figure)


def _colour(name: str) -> str:
    return {"dedup": _OURS, "rewrite": _BASELINE}.get(name, _PEER)


def _speeds(axes: Any, names: list[str], values: list[float]) -> None:
    """Points, not bars: a logarithmic scale has no zero for a bar to start from."""
    axes.set_xscale("log")
    axes.grid(axis="x", color="#dddddd")
    for row, (name, value) in enumerate(zip(names, values, strict=True)):
        axes.plot(value, row, "o", color=_colour(name))
        axes.annotate(f"{value:,.0f}", (value, row), xytext=(7, 0), textcoords="offset points", va="center", fontsize=8)
    axes.set_yticks(range(len(names)), names)
    axes.margins(x=0.25)
    axes.set_title("documents a second (log scale)", fontsize=10)


def _shares(axes: Any, names: list[str], measured: dict[str, Any], steps: list[str]) -> None:
    """Each bar is the whole time of one system."""
    left = [0.0] * len(names)
    for step, colour in zip(steps, _COLOURS, strict=True):
        widths = [100 * measured[name]["steps"].get(step, 0.0) / sum(measured[name]["steps"].values()) for name in names]
        axes.barh(names, widths, left=left, color=colour, label=step)
        left = [start + width for start, width in zip(left, widths, strict=True)]
    axes.set_title("where its time goes, %", fontsize=10)
    axes.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.06), ncols=len(steps), frameon=False)


def _accuracy(axes: Any, names: list[str], measured: dict[str, Any]) -> None:
    """Accuracy by pairs where a system gives pairs, else by clusters, else by documents."""
    scores = {name: next((kind, measured[name]["scores"][kind]) for kind in _KINDS if kind in measured[name]["scores"]) for name in names}
    for place, ((part, title), colour) in enumerate(zip(_SHOWN.items(), _COLOURS, strict=False)):
        rows = [row for row, name in enumerate(names) if part in scores[name][1]]
        values = [scores[names[row]][1][part] for row in rows]
        bars = axes.barh([row + 0.27 * (1 - place) for row in rows], values, height=0.25, color=colour, label=title)
        axes.bar_label(bars, fmt="{:.3f}", padding=2, fontsize=7)
    axes.set_yticks(range(len(names)), [f"{name} ({scores[name][0]})" for name in names])
    axes.set_xlim(0, 1.12)
    axes.set_title("against brute force on the same shingles", fontsize=10)
    axes.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.06), ncols=3, frameon=False)
