"""The summary of a run: one object of numbers for machines, and the same in tables for people."""

from __future__ import annotations

from math import ceil, floor
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ..result import Result
from .terminal import paper, shown_title

_LARGEST = 5
_MEBIBYTE = 1 << 20
_EVENT_LABELS = {"story_merged": "stories merged", "story_split": "stories split", "group_merged": "copy groups tied together"}


def facts_of(result: Result, folder: str) -> dict[str, Any]:
    """What ``--json`` prints: the counts and seconds of the manifest, with what only the tables tell."""
    manifest, statuses = result.manifest, _tally(result.documents.column("status"))
    counts = manifest["counts"] | {
        "rejects_by_reason": _tally(result.rejects.column("reason")),
        "copy_groups": statuses.get("canonical", 0),
        "short": statuses.get("short", 0),
        "stories_of_several": None if result.stories is None else _count_of_several(result.stories),
    }
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


def _tally(column: Any) -> dict[str, int]:
    counted = pc.value_counts(column).to_pylist()
    return dict(sorted((item["values"], item["counts"]) for item in counted))


def _count_of_several(stories: Any) -> int:
    return int(pc.sum(pc.greater(stories.column("documents"), 1), min_count=0).as_py())


def summary_text(result: Result, facts: dict[str, Any], files: list[str]) -> str:
    """What people read after a run, as wide as their terminal allows."""
    from rich.text import Text

    console, written = paper()
    console.print(_counts_table(facts["counts"]))
    console.print(balance(facts["counts"]), soft_wrap=True)
    for line in base_lines(facts["counts"]):
        console.print(line, soft_wrap=True)
    if facts["counts"]["rejects"]:
        console.print("What was rejected is no failure of the run; rejects.parquet says of each row or file why.", soft_wrap=True)
    for line in recall_lines(facts["recall"]):
        console.print(line, soft_wrap=True)
    if facts["counts"]["stories_of_several"]:
        console.print()
        console.print(_stories_table(result.stories, console.width))
    console.print()
    spent = ", ".join(f"{stage} {seconds:.2f}" for stage, seconds in facts["seconds"].items())
    peak = facts["peak_memory_bytes"]
    memory = "" if peak is None else f" Peak memory: {peak / _MEBIBYTE:,.0f} MiB."
    console.print(f"Seconds: {spent}.{memory}", soft_wrap=True)
    for warning in facts["warnings"]:
        console.print(Text(f"Warning: {warning}", style="yellow"), soft_wrap=True)
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


def _counts_table(counts: dict[str, Any]) -> Any:
    roles = counts["documents_by_role"]
    rows: list[tuple[str, int | None]] = [
        ("Pages", counts["pages"]),
        ("  with documents", counts["pages_with_documents"]),
        ("  rejected", counts["rejects"]),
        *((f"    {reason}", number) for reason, number in counts["rejects_by_reason"].items()),
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
    table = _table()
    table.add_column("Summary", no_wrap=True)
    table.add_column("", justify="right")
    for label, number in rows:
        shown = "not asked for" if number is None else f"{number:,}"
        if number is not None or not label.startswith(" "):
            table.add_row(label, shown, style="" if label.startswith(" ") else "bold")
    return table


def _stories_table(stories: Any, width: int) -> Any:
    from rich.text import Text

    table = _table()
    table.add_column("Largest stories", no_wrap=True)
    for heading in ("documents", "copies", "sources"):
        table.add_column(heading, justify="right")
    columns = ["title", "documents", "copies", "sources"]
    ranked = stories.select(columns).append_column("row", pa.array(range(stories.num_rows), pa.int64()))
    order = pc.sort_indices(ranked, [("documents", "descending"), ("copies", "descending"), ("row", "ascending")])
    room = max(20, min(80, width - 36))
    for story in ranked.take(order[:_LARGEST]).to_pylist():
        numbers = story["documents"], story["copies"], len(story["sources"])
        table.add_row(Text(shown_title(story["title"], room)), *(f"{number:,}" for number in numbers))
    return table


def _table() -> Any:
    from rich import box
    from rich.table import Table

    return Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, title_justify="left")
