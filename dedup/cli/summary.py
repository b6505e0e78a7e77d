"""The summary of a run: as one object for ``--json``, and as tables for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, floor
from typing import TYPE_CHECKING, Any

from ..batch.inspection import counts_of, largest_stories
from ..result import Result
from .terminal import collecting_console, terminal_text

if TYPE_CHECKING:
    from rich.console import Console

_LARGEST = 5
_MEBIBYTE = 1 << 20
_EVENT_LABELS = {"story_merged": "stories merged", "story_split": "stories split", "group_merged": "copy groups merged"}


def summary_of(result: Result, folder: str) -> dict[str, Any]:
    """The object that ``--json`` prints: the manifest in short, and counts of the tables."""
    manifest = result.manifest
    counts = manifest["counts"] | counts_of(result.documents, result.rejects.column("reason"), result.stories)
    return {
        "folder": folder,
        "version": manifest["version"],
        "config_digest": manifest["config_digest"],
        "counts": counts,
        "lost": manifest["lost"],
        "repeated": manifest["repeated"],
        "losing_copies": manifest["losing_copies"],
        "seconds": {stage["stage"]: stage["seconds"] for stage in manifest["stages"]},
        "recall": manifest["recall"],
        "peak_memory_bytes": manifest["peak_memory_bytes"],
        "warnings": manifest["warnings"],
    }


def summary_text(result: Result, summary: dict[str, Any], files: list[str]) -> str:
    """The summary for people, as wide as the terminal allows."""
    console, written = collecting_console()
    console.print(counts_table(summary["counts"]))
    console.print(balance(summary["counts"]), soft_wrap=True)
    for line in base_lines(summary["counts"]):
        console.print(line, soft_wrap=True)
    if summary["counts"]["rejects"]:
        console.print("Rejects are no failure of the run; rejects.parquet gives the reason for each row or file.", soft_wrap=True)
    for line in [*loss_lines(summary), *recall_lines(summary["recall"])]:
        console.print(line, soft_wrap=True)
    if summary["counts"]["stories_of_several"]:
        console.print()
        largest = result.stories.select(["title", "documents", "copies", "sources"]).take(largest_stories(result.stories, _LARGEST))
        rows = [story | {"sources": len(story["sources"])} for story in largest.to_pylist()]
        console.print(ranked_table("Largest stories", ["documents", "copies", "sources"], rows, console.width))
    console.print()
    spent = ", ".join(f"{stage} {seconds:.2f}" for stage, seconds in summary["seconds"].items())
    console.print(f"Seconds: {spent}.{memory_text(summary['peak_memory_bytes'])}", soft_wrap=True)
    print_warnings(console, summary["warnings"])
    console.print(f"Results are in {summary['folder']}: {', '.join(files)}", soft_wrap=True)
    return written()


def counted(number: int, noun: str) -> str:
    """A number and its noun, such as 1 page or 2 pages."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def balance(counts: dict[str, Any]) -> str:
    """Say whether all pages are accounted for."""
    pages, read, rejects = counts["pages"], counts["pages_with_documents"], counts["rejects"]
    if pages == read + rejects:
        parts = counted(pages, "page"), counted(read, "page"), counted(rejects, "reject")
        return f"{parts[0]} in = {parts[1]} with documents + {parts[2]}. Nothing was dropped silently."
    return (
        f"{pages:,} pages in, but {read:,} pages with documents + {rejects:,} rejects: {pages - read - rejects:,} pages are "
        "missing. This is a bug in dedup; please report it."
    )


def base_lines(counts: dict[str, Any]) -> list[str]:
    """Say how a run changed its base; no lines without a base."""
    if "base_documents" not in counts:
        return []
    old, new, events = counts["base_documents"], counts["new_documents"], counts["events"]
    joined = f"{counts['joined_copy_groups']:,} new documents are copies of old ones"
    lines = [f"{counts['documents']:,} documents = {old:,} of the base + {new:,} new; {joined}."]
    if counts["stories"] is not None:
        lines.append(
            f"New documents joined {counts['stories_continued']:,} old stories and started {counts['stories_founded']:,} new ones."
        )
    listed = ", ".join(f"{label} {events[name]:,}" for name, label in _EVENT_LABELS.items())
    return [*lines, f"New events: {listed} (see events.parquet)."]


def loss_lines(measured: Mapping[str, Any]) -> list[str]:
    """Say what dropping all copies would lose and leave twice, as the manifest measures it; no lines of an older result."""
    if measured["lost"] is None:
        return []
    losing = [f"more than {float(share) * 100:g} % of their text: {number:,}" for share, number in measured["losing_copies"].items()]
    return [
        f"Lost: {_percent(measured['lost'])} of the text of dropped copies stands in no kept document.",
        f"Repeated: {_percent(measured['repeated'])} of the text of kept documents stands in a kept document before them.",
        f"Copies that lose {'; '.join(losing)}.",
    ]


def _percent(share: float) -> str:
    return "less than 0.1 %" if 0 < share < 0.001 else f"{share * 100:.1f} %"


def recall_lines(recall: dict[str, Any] | None) -> list[str]:
    """The measured recall, one line per measure; it is never rounded up."""
    if recall is None:
        return []
    texts = f"all {recall['texts']:,}" if recall["sampled"] == recall["texts"] else f"{recall['sampled']:,} sampled"
    lines = []
    for measure in ("jaccard", "containment"):
        found = recall[measure]
        name = f"Recall at {measure} >= {found['from']:g}"
        if not found["pairs"]:
            lines.append(f"{name}: unknown, because {texts} articles have no such pair.")
            continue
        low, high = floor(found["low"] * 1000) / 1000, ceil(found["high"] * 1000) / 1000
        exact = "" if recall["sampled"] == recall["texts"] else f" (95 %: {low:.3f}-{high:.3f})"
        lines.append(f"{name}: {floor(found['recall'] * 1000) / 1000:.3f}{exact}, on {found['pairs']:,} pairs of {texts} articles.")
    target, reached = recall["target"], recall["jaccard"]["high"]
    if target is not None and reached is not None and reached < target:
        lines.append(f"This is below the requested recall of {target:g}. Raise --recall or --candidates.bucket_cap.")
    return lines


def memory_text(peak: int | None) -> str:
    """The sentence on peak memory, with a leading space; empty if unknown."""
    return "" if peak is None else f" Peak memory: {peak / _MEBIBYTE:,.0f} MiB."


def print_warnings(console: Console, warnings: list[str]) -> None:
    """Print one line per warning."""
    from rich.text import Text

    for warning in warnings:
        console.print(Text(f"Warning: {warning}", style="yellow"), soft_wrap=True)


def counts_table(counts: dict[str, Any]) -> Any:
    """The table of counts."""
    roles = counts["documents_by_role"]
    rows: list[tuple[str, int | None]] = [
        ("Pages", counts["pages"]),
        ("  with documents", counts["pages_with_documents"]),
        ("  rejected", counts["rejects"]),
        *((f"    {reason}", number) for reason, number in (counts["rejects_by_reason"] or {}).items()),
        ("Documents", counts["documents"]),
        ("  articles", roles.get("article", 0)),
        ("  embedded articles", roles.get("embedded", 0)),
        ("  headlines", roles.get("headline", 0)),
        ("  too short to compare", counts["short"]),
        ("Copies", counts["copies"]),
        *((f"  {kind}", number) for kind, number in counts["copies_by_kind"].items()),
        ("Extended documents", counts.get("extended")),
        ("Copy groups", counts["copy_groups"]),
        ("Stories", counts["stories"]),
        ("  of two or more documents", counts["stories_of_several"]),
    ]
    table = plain_table()
    table.add_column("Summary", no_wrap=True)
    table.add_column("", justify="right")
    for label, number in rows:
        unknown = "switched off" if label == "Stories" else "unknown"
        cell = unknown if number is None else f"{number:,}"
        if number is not None or not label.startswith(" "):
            table.add_row(label, cell, style="" if label.startswith(" ") else "bold")
    return table


def ranked_table(heading: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]], width: int, *, key: str = "title") -> Any:
    """A table of ranked items: ``row[key]``, cut to the width, and the given columns."""
    from rich.text import Text

    table = plain_table()
    table.add_column(heading, no_wrap=True)
    cells = [
        ["" if row[name] is None else f"{row[name]:,}" if isinstance(row[name], int) else row[name] for name in columns] for row in rows
    ]
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    other_width = sum(max(len(name), *(len(line[place]) for line in cells)) + 3 for place, name in enumerate(columns))
    name_width = max(20, min(80, width - other_width))
    for row, line in zip(rows, cells, strict=True):
        table.add_row(Text(terminal_text(row[key], name_width)), *line)
    return table


def plain_table() -> Any:
    """A table with a rule below its heading and no other lines."""
    from rich import box
    from rich.table import Table

    return Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, title_justify="left")
