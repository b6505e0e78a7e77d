"""The output of ``dedup inspect`` for people: lines and tables, the most important first."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .summary import balance, base_lines, counts_table, loss_lines, memory_text, plain_table, print_warnings, ranked_table, recall_lines
from .terminal import collecting_console, terminal_text

if TYPE_CHECKING:
    from rich.console import Console

_DAY = len("2025-03-01")
#: Width of a reject's detail in cells; rejects.parquet has the whole text.
_DETAIL = 100


def inspection_text(inspection: Mapping[str, Any]) -> str:
    """The inspection of a run on a few screens, as wide as the terminal allows."""
    console, written = collecting_console()
    for line in _heading(inspection):
        console.print(line, soft_wrap=True)
    print_warnings(console, inspection["warnings"])
    console.print()
    _print_inputs(console, inspection["inputs"], inspection["counts"]["rejects"])
    console.print()
    console.print(counts_table(inspection["counts"]))
    counts = inspection["counts"]
    measured = [*loss_lines(inspection), *recall_lines(inspection["recall"])]
    for line in [balance(counts), *base_lines(counts), *measured, *_dates(inspection["published"])]:
        console.print(line, soft_wrap=True)
    for reason in inspection["rejects"] or []:
        console.print(_reject_line(reason), soft_wrap=True)
    _print_names(console, "Sources", "source", ["documents", "copies"], inspection["sources"])
    _print_names(console, "Agencies", "agency", ["documents"], inspection["agencies"])
    _print_dated(console, "Largest copy groups", ["documents", "copies", "sources", "published"], inspection["copy_groups"])
    _print_dated(console, "Largest stories", ["documents", "copies", "sources", "published"], inspection["stories"])
    console.print()
    console.print(_stages_table(inspection["stages"]))
    files = ", ".join(f"{name} {_size(size)}" for name, size in inspection["files"].items())
    console.print(f"Files in {terminal_text(inspection['folder'], 400)}: {files}", soft_wrap=True)
    return written()


def _heading(inspection: Mapping[str, Any]) -> list[str]:
    finished, seconds = inspection["finished"], sum(stage["seconds"] for stage in inspection["stages"])
    when = f"finished {finished[:19].replace('T', ' ')} UTC" if finished else "finish time unknown"
    lines = [f"A run of dedup {inspection['version']}, {when}, after {seconds:,.1f} s.{memory_text(inspection['peak_memory_bytes'])}"]
    if inspection["restarts"]:
        lines.append(f"It was interrupted and resumed {'once' if inspection['restarts'] == 1 else str(inspection['restarts']) + ' times'}.")
    lines += [f"Note: {note}." for note in inspection["notes"]]
    changed = [f"{name} = {_toml(item['value'])} (default {_toml(item['default'])})" for name, item in inspection["config"].items()]
    lines.append(f"Settings: {', '.join(changed) or 'defaults'}. Digest {inspection['config_digest']}.")
    background = inspection["background"]
    if background is not None and background["from"] != "shipped":
        name = terminal_text(background["from"], 100)
        lines.append(f"Word counts: {name}, {background['documents']:,} documents, digest {background['digest']}.")
    if inspection["base"] is not None:
        lines.append(f"Base: {inspection['base']['documents']:,} documents from {_count(inspection['base']['files'], 'file')}.")
    return lines


def _toml(value: Any) -> str:
    return "unset" if value is None else json.dumps(value, ensure_ascii=False)


def _print_inputs(console: Console, inputs: Mapping[str, Any], rejects: int) -> None:
    listed = inputs["largest"]
    rows = [
        {
            "file": file["file"],
            "size": _size(file["bytes"]),
            "pages": file["pages"],
            "rejects": file["rejects"],
            "skipped": sum(file.get("skipped", {}).values()) if inputs["skipped"] else None,
        }
        for file in listed
    ]
    columns = ["size", "pages", "rejects", *(["skipped"] if inputs["skipped"] else [])]
    if rows:
        console.print(
            ranked_table("Inputs" if len(listed) == inputs["files"] else "Largest inputs", columns, rows, console.width, key="file")
        )
    line = f"{_count(inputs['files'], 'input')}, {_size(inputs['bytes'])}: {inputs['pages']:,} pages + {inputs['rejects']:,} rejects"
    if inputs["skipped"]:
        line += f" + {sum(inputs['skipped'].values()):,} records skipped"
    console.print(f"{line}.", soft_wrap=True)
    if later := rejects - inputs["rejects"]:
        console.print(f"{later:,} of these pages were rejected later, because their ids were taken.", soft_wrap=True)
    if inputs["skipped"]:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in inputs["skipped"].items())
        console.print(f"Skipped records without a page: {reasons}.", soft_wrap=True)


def _dates(published: Mapping[str, Any] | None) -> list[str]:
    if published is None:
        return []
    undated = f"{published['undated']:,} documents have no date"
    if published["first"] is None:
        return [f"Published: {undated}."]
    return [f"Published {_days(published)}; {undated}."]


def _reject_line(reason: Mapping[str, Any]) -> str:
    example = reason["example"]
    row = "" if example["input_row"] is None else f", row {example['input_row']:,}"
    place = f"{terminal_text(example['input_file'], 60)}{row}"
    return f"Rejected as {reason['reason']}: {reason['count']:,}, first in {place}: {terminal_text(example['detail'], _DETAIL)}"


def _print_names(console: Console, heading: str, key: str, columns: Sequence[str], names: Mapping[str, Any] | None) -> None:
    if not names or not names["largest"]:
        return
    console.print()
    console.print(ranked_table(heading, columns, names["largest"], console.width, key=key))
    more = names["different"] - len(names["largest"])
    ends = [f"and {more:,} more"] if more else []
    ends += [f"{names['unknown']:,} documents without one"] if names["unknown"] else []
    if ends:
        console.print(f"{'; '.join(ends)}.", soft_wrap=True)


def _print_dated(console: Console, heading: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]] | None) -> None:
    if not rows:
        return
    console.print()
    console.print(ranked_table(heading, columns, [row | {"published": _days(row)} for row in rows], console.width))  # type: ignore[operator]


def _days(span: Mapping[str, Any]) -> str:
    """First and last day, or the only day."""
    if span["first"] is None:
        return "unknown"
    first, last = str(span["first"])[:_DAY], str(span["last"])[:_DAY]
    if first == last:
        return first
    return f"{first} to {last[5:] if first[:4] == last[:4] else last}"


def _stages_table(stages: Sequence[Mapping[str, Any]]) -> Any:
    table = plain_table()
    table.add_column("Stage", no_wrap=True)
    for name in ("seconds", "rows", "rows/s", "bytes/s"):
        table.add_column(name, justify="right", no_wrap=True)
    for stage in stages:
        rate, weight = stage["rows_per_second"], stage.get("bytes")
        per_second = "" if not weight or not stage["seconds"] else _size(weight / stage["seconds"])
        table.add_row(stage["stage"], f"{stage['seconds']:,.2f}", f"{stage['rows']:,}", "" if rate is None else f"{rate:,.0f}", per_second)
    return table


def _size(count: float | None) -> str:
    """A number of bytes in the largest unit that gives at least 1."""
    if count is None:
        return "unknown"
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:,.0f} {unit}" if unit == "B" or count >= 100 else f"{count:,.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
