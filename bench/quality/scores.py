"""Scores, tables and labels that the commands share."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import dedup
from dedup.stories.evaluate import bcubed, harmonic

Row = dict[str, Any]
Tables = dict[str, list[Row]]


def table(rows: Sequence[Row]) -> str:
    """Rows as lines with aligned columns."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [names, *[["" if row.get(name) is None else str(row[name]) for name in names] for row in rows]]
    widths = [max(len(line[i]) for line in cells) for i in range(len(names))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in cells)


def rate(part: int, whole: int) -> float:
    """A share with four digits."""
    return round(part / max(whole, 1), 4)


def by_page(result: dedup.Result) -> tuple[dict[tuple[str, str], Row], dict[str, int]]:
    """Matches by sorted pair of document ids, and the copy group of each document. An article has the id of its page."""
    matches = {pair_of(row["doc_id_a"], row["doc_id_b"]): row for row in result.matches.to_pylist()}
    groups = dict(zip(result.documents.column("doc_id").to_pylist(), result.documents.column("copy_group").to_pylist(), strict=True))
    return matches, groups


def pair_of(one: str, other: str) -> tuple[str, str]:
    """Two ids in order."""
    return (one, other) if one < other else (other, one)


def f1(gold: list[Any], found: list[Any]) -> float:
    """BCubed F1 of two labellings."""
    return round(float(harmonic(*(float(np.mean(side)) for side in bcubed(gold, found)))), 4)


def read_gold(path: str | None) -> list[Row]:
    """Labelled documents with ``url`` and ``story``."""
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()] if path else []


def story_of_url(result: dedup.Result, stories: Sequence[Any] | None = None) -> dict[str, Any]:
    """The story of each page by its URL; of documents with one URL the first counts."""
    documents, found = result.documents, {}
    chosen = documents.column("story_id").to_pylist() if stories is None else stories
    for role, url, story in zip(documents.column("role").to_pylist(), documents.column("url").to_pylist(), chosen, strict=True):
        if role != "embedded":
            found.setdefault(url, story)
    return found


def agreement(stories: dict[str, Any], gold: list[Row]) -> Row:
    """BCubed of stories on the labelled documents, all of them and the sure ones."""
    row: Row = {}
    for name, lines in (("labels", gold), ("sure labels", [line for line in gold if line.get("sure", True)])):
        labelled = [line for line in lines if line["url"] in stories]
        if labelled:
            sides = bcubed([line["story"] for line in labelled], [str(stories[line["url"]]) for line in labelled])
            precision, recall = (float(np.mean(side)) for side in sides)
            row[f"F1 ({name})"] = round(float(harmonic(precision, recall)), 4)
            row[f"P / R ({name})"] = f"{precision:.4f} / {recall:.4f}"
    return row
