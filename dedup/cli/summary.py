"""The summary of a run: one object of numbers for machines, and the same in tables for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, floor
from typing import TYPE_CHECKING, Any

from ..batch.inspection import counts_of, largest_stories
from ..result import Result
from .terminal import paper, shown_title

if TYPE_CHECKING:
    from rich.console import Console

_LARGEST = 5
_MEBIBYTE = 1 << 20
_EVENT_LABELS = {"story_merged": "stories merged", "story_split": "stories split", "group_merged": "copy groups tied together"}


def summary_of(result: Result, folder: str) -> dict[str, Any]:
    """What ``--json`` prints: the counts and seconds of the manifest, with what only the tables tell."""
    manifest = result.manifest
    counts = manifest["counts"] | counts_of(result.documents.column("status"), result.rejects.column("reason"), result.stories)
    return {
        "folder": folder,
        "version": manifest["version"],
        "config_digest": manifest["config_digest"],
        "counts": counts,
        "seconds": {stage["stage"]: stage["seconds"] for stage in manifest["stages"]},
        "recall": manifest["recall"],
        "peak_memory_bytes": manifest["peak_memory_bytes"],
        "warnings": manifest["warnings"],
    }


def summary_text(result: Result, facts: dict[str, Any], files: list[str]) -> str:
    """What people read after a run, as wide as their terminal allows."""
    console, written = paper()
    console.print(counts_table(facts["counts"]))
    console.print(balance(facts["counts"]), soft_wrap=True)
    for line in base_lines(facts["counts"]):
        console.print(line, soft_wrap=True)
    if facts["counts"]["rejects"]:
        console.print("What was rejected is no failure of the run; rejects.parquet says of each row or file why.", soft_wrap=True)
    for line in recall_lines(facts["recall"]):
        console.print(line, soft_wrap=True)
    if facts["counts"]["stories_of_several"]:
        console.print()
        largest = result.stories.select(["title", "documents", "copies", "sources"]).take(largest_stories(result.stories, _LARGEST))
        rows = [story | {"sources": len(story["sources"])} for story in largest.to_pylist()]
        console.print(ranked_table("Largest stories", ["documents", "copies", "sources"], rows, console.width))
    console.print()
    spent = ", ".join(f"{stage} {seconds:.2f}" for stage, seconds in facts["seconds"].items())
    console.print(f"Seconds: {spent}.{memory(facts['peak_memory_bytes'])}", soft_wrap=True)
    print_warnings(console, facts["warnings"])
    console.print(f"Results are in {facts['folder']}: {', '.join(files)}", soft_wrap=True)
    return written()


def balance(counts: dict[str, Any]) -> str:
    """The sentence that nothing was dropped silently, or that something was."""
    pages, read, rejects = counts["pages"], counts["pages_with_documents"], counts["rejects"]
    if pages == read + rejects:
        return f"{pages:,} pages in = {read:,} pages with documents + {rejects:,} rejects. Nothing was dropped silently."
    return (
        f"{pages:,} pages in, but {read:,} pages with documents + {rejects:,} rejects: {pages - read - rejects:,} are not "
        "accounted for. This is a bug in dedup; please report it."
    )


def base_lines(counts: dict[str, Any]) -> list[str]:
    """What a run with a base did to what was there, in three sentences; nothing of a run without one."""
    if "base_documents" not in counts:
        return []
    old, new, events = counts["base_documents"], counts["new_documents"], counts["events"]
    joined = f"{counts['joined_copy_groups']:,} new ones are copies of old ones"
    lines = [f"{counts['documents']:,} documents = {old:,} of the base + {new:,} new; {joined}."]
    if counts["stories"] is not None:
        lines.append(f"New documents joined {counts['stories_continued']:,} old stories and founded {counts['stories_founded']:,}.")
    told = ", ".join(f"{label} {events[name]:,}" for name, label in _EVENT_LABELS.items())
    return [*lines, f"New events: {told} (events.parquet)."]


def recall_lines(recall: dict[str, Any] | None) -> list[str]:
    """What was measured of the recall, a line for each measure; a share is never rounded up."""
    if recall is None:
        return []
    texts = f"all {recall['texts']:,}" if recall["sampled"] == recall["texts"] else f"{recall['sampled']:,} sampled"
    lines = []
    for measure in ("jaccard", "containment"):
        found = recall[measure]
        name = f"Recall at {measure} >= {found['from']:g}"
        if not found["pairs"]:
            lines.append(f"{name}: not known, {texts} articles have no such pair.")
            continue
        low, high = floor(found["low"] * 1000) / 1000, ceil(found["high"] * 1000) / 1000
        exact = "" if recall["sampled"] == recall["texts"] else f" (95 %: {low:.3f}-{high:.3f})"
        lines.append(f"{name}: {floor(found['recall'] * 1000) / 1000:.3f}{exact}, on {found['pairs']:,} pairs of {texts} articles.")
    target, reached = recall["target"], recall["jaccard"]["high"]
    if target is not None and reached is not None and reached < target:
        lines.append(f"This is below the recall of {target:g} that was asked for: raise --recall, or candidates.bucket_cap.")
    return lines


def memory(peak: int | None) -> str:
    """The sentence that says how much memory was held, behind a blank."""
    return "" if peak is None else f" Peak memory: {peak / _MEBIBYTE:,.0f} MiB."


def print_warnings(console: Console, warnings: list[str]) -> None:
    """A line for each warning."""
    from rich.text import Text

    for warning in warnings:
        console.print(Text(f"Warning: {warning}", style="yellow"), soft_wrap=True)


def counts_table(counts: dict[str, Any]) -> Any:
    """The numbers of a run, one below the other."""
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
        ("  of these too short to judge", counts["short"]),
        ("Copies", counts["copies"]),
        *((f"  {kind}", number) for kind, number in counts["copies_by_kind"].items()),
        ("Copy groups", counts["copy_groups"]),
        ("Stories", counts["stories"]),
        ("  of two or more documents", counts["stories_of_several"]),
    ]
    table = plain_table()
    table.add_column("Summary", no_wrap=True)
    table.add_column("", justify="right")
    for label, number in rows:
        unknown = "not asked for" if label == "Stories" else "not known"
        shown = unknown if number is None else f"{number:,}"
        if number is not None or not label.startswith(" "):
            table.add_row(label, shown, style="" if label.startswith(" ") else "bold")
    return table


def ranked_table(heading: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]], width: int, *, key: str = "title") -> Any:
    """The largest of something: a name, ``row[key]``, as long as the width allows, and a column for each number or word about it."""
    from rich.text import Text

    table = plain_table()
    table.add_column(heading, no_wrap=True)
    cells = [
        ["" if row[name] is None else f"{row[name]:,}" if isinstance(row[name], int) else row[name] for name in columns] for row in rows
    ]
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    beside = sum(max(len(name), *(len(line[place]) for line in cells)) + 3 for place, name in enumerate(columns))
    room = max(20, min(80, width - beside))
    for row, line in zip(rows, cells, strict=True):
        table.add_row(Text(shown_title(row[key], room)), *line)
    return table


def plain_table() -> Any:
    """A table with a rule below its heading and nothing else."""
    from rich import box
    from rich.table import Table

    return Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, title_justify="left")
