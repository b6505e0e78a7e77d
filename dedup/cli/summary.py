"""The summary of a run: one object of numbers for machines, and the same in tables for people."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ..result import Result
from .terminal import shown_title

_LARGEST = 5
_MEBIBYTE = 1 << 20


def facts_of(result: Result, folder: str) -> dict[str, Any]:
    """What ``--json`` prints: the counts and seconds of the manifest, with what only the tables tell."""
    statuses = Counter(result.documents.column("status").to_pylist())
    counts = result.manifest["counts"] | {
        "rejects_by_reason": dict(sorted(Counter(result.rejects.column("reason").to_pylist()).items())),
        "copy_groups": statuses["canonical"],
        "short": statuses["short"],
        "stories_of_several": None if result.stories is None else sum(n > 1 for n in result.stories.column("documents").to_pylist()),
    }
    return {
        "folder": folder,
        "version": result.manifest["version"],
        "config_digest": result.manifest["config_digest"],
        "counts": counts,
        "seconds": {stage["stage"]: stage["seconds"] for stage in result.manifest["stages"]},
        "peak_memory_bytes": result.manifest["peak_memory_bytes"],
        "warnings": result.manifest["warnings"],
    }


def summary_text(result: Result, facts: dict[str, Any], files: list[str]) -> str:
    """What people read after a run, as wide as their terminal allows."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, markup=False, emoji=False)
    with console.capture() as capture:
        console.print(_counts_table(facts["counts"]))
        console.print(balance(facts["counts"]), soft_wrap=True)
        if facts["counts"]["rejects"]:
            console.print("What was rejected is no failure of the run; rejects.parquet says of each row or file why.", soft_wrap=True)
        if result.stories is not None and facts["counts"]["stories_of_several"]:
            console.print()
            console.print(_stories_table(result.stories, console.width))
        console.print()
        spent = ", ".join(f"{stage} {seconds:.2f}" for stage, seconds in facts["seconds"].items())
        console.print(f"Seconds: {spent}. Peak memory: {facts['peak_memory_bytes'] / _MEBIBYTE:,.0f} MiB.", soft_wrap=True)
        for warning in facts["warnings"]:
            console.print(Text(f"Warning: {warning}", style="yellow"), soft_wrap=True)
        console.print(f"Results are in {facts['folder']}: {', '.join(files)}", soft_wrap=True)
    return capture.get()


def balance(counts: dict[str, Any]) -> str:
    """The sentence that nothing was dropped silently, or that something was."""
    pages, read, rejects = counts["pages"], counts["pages_with_documents"], counts["rejects"]
    if pages == read + rejects:
        return f"{pages:,} pages in = {read:,} pages with documents + {rejects:,} rejects. Nothing was dropped silently."
    return (
        f"{pages:,} pages in, but {read:,} pages with documents + {rejects:,} rejects: {pages - read - rejects:,} are not "
        "accounted for. This is a bug in dedup; please report it."
    )


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
    columns = stories.select(["title", "documents", "copies", "sources"]).to_pydict()
    order = sorted(range(stories.num_rows), key=lambda row: (-columns["documents"][row], -columns["copies"][row], row))
    room = max(20, min(80, width - 36))
    for row in order[:_LARGEST]:
        numbers = columns["documents"][row], columns["copies"][row], len(columns["sources"][row])
        table.add_row(Text(shown_title(columns["title"][row], room)), *(f"{number:,}" for number in numbers))
    return table


def _table() -> Any:
    from rich import box
    from rich.table import Table

    return Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, title_justify="left")
