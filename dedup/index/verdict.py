"""Verdicts on documents, as objects, as dictionaries and as a table."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..schema import VERDICTS
from .store import Entry

INDEX, SKIP, UPDATE, REJECT = "index", "skip", "update", "reject"


@dataclass(frozen=True, slots=True)
class Match:
    """The match of a copy with its canonical, all measures exact.

    Attributes
    ----------
    kind : ``exact``, ``near``, ``excerpt`` or ``title``
    share : how many of the copy's own shingles stand in the canonical, 0 to 1
    containment : the larger of ``share`` and the canonical's share in the copy
    """

    canonical_id: str
    kind: str
    jaccard: float
    share: float
    containment: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with a document.

    Attributes
    ----------
    action : ``index`` it, ``skip`` it (a copy, or already indexed with this text), or ``update``
        the document with its id
    status : ``unique``, ``copy`` (its own text stands in its canonical), ``extended`` (it holds the text of documents in the
        index and adds to it) or ``short`` (too short to judge)
    kind : kind of its match with its canonical: ``exact``, ``near``, ``excerpt`` or ``title``; None
        unless it is a copy
    canonical_id : id of its canonical; its own unless it is a copy
    extends : ids of the documents in the index that an extended one holds, the fullest first; of a document that is in the
        index already, the fullest only
    covered : share of its own shingles that stand in kept documents of the index, all that it was compared with together; of a
        headline, that of its best match
    match : the match with its canonical; None unless it is a copy
    story_id : the story that it belongs to; None if stories are disabled
    reason : the verdict as a sentence
    parts : verdicts on further documents of its page: embedded articles and headlines
    """

    doc_id: str
    page_id: str
    role: str
    action: str
    status: str
    kind: str | None
    canonical_id: str
    extends: tuple[str, ...]
    covered: float
    match: Match | None
    story_id: str | None
    reason: str
    parts: tuple[Verdict, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The verdict as plain values, ready for JSON."""
        return verdict_dict(_columns(self)) | {"parts": [part.to_dict() for part in self.parts]}


def story_name(story: int) -> str:
    """The id of a story, from its number."""
    return f"s{story & (1 << 64) - 1:016x}"


def story_number(name: str) -> int:
    """The signed number of a story, from its id; the inverse of ``story_name``."""
    value = int(name[1:], 16)
    return value - (1 << 64) if value >> 63 else value


def verdict_of(
    entry: Entry, canonical: Entry, held: Sequence[Entry], known: Entry | None, remark: str = "", *, same: bool = False
) -> Verdict:
    """The verdict on a document.

    Parameters
    ----------
    entry : as it is, or would be, in the index
    canonical : its canonical; itself unless it is a copy
    held : of an extended document, those that it holds, the fullest first
    known : the entry that the index had under its id
    remark : what else to say of it
    same : the index has this very document already, see ``Incoming.is_same``
    """
    is_copy = entry.status == "copy"
    match = None
    if is_copy:
        match = Match(canonical.doc_id, entry.kind or "", entry.jaccard or 0.0, entry.share or 0.0, entry.containment or 0.0)
    action = SKIP if same else UPDATE if known is not None else SKIP if is_copy else INDEX
    reason = _reason(entry, canonical, held, remark)
    if same:
        reason = f"it is in the index already, with this very text; {reason}"
    elif known is not None:
        reason = f"it takes the place of another text of the same id; {reason}"
    story = None if entry.story is None else story_name(entry.story)
    return Verdict(
        entry.doc_id, entry.page_id, entry.role, action, entry.status, entry.kind, canonical.doc_id,
        tuple(other.doc_id for other in held), entry.covered, match, story, reason,
    )  # fmt: skip


def with_parts(verdicts: list[Verdict], pages: npt.NDArray[np.int64]) -> list[Verdict]:
    """The verdict on each page, with those on its further documents as parts.

    Parameters
    ----------
    pages : int64[n], the page of each verdict; those of a page are adjacent, its article first
    """
    starts = np.flatnonzero(np.diff(pages, prepend=-1)).tolist()
    ends = [*starts[1:], len(verdicts)]
    return [dataclasses.replace(verdicts[a], parts=tuple(verdicts[a + 1 : b])) for a, b in zip(starts, ends, strict=True)]


def _reason(entry: Entry, canonical: Entry, held: Sequence[Entry], remark: str) -> str:
    if entry.status == "short":
        unit = "word" if entry.words == 1 else "words"
        return f"too short to judge ({entry.words} {unit})"
    if entry.status == "extended" and held:
        more = f" and {len(held) - 1} more" if len(held) > 1 else ""
        it = "them" if more else "it"
        return f"it holds {held[0].doc_id}{more} and adds to {it}: {percent(entry.covered)} of its shingles stand in the index"
    if entry.status != "copy":
        return remark or "nothing in the index is a copy of it"
    name = canonical.doc_id
    if entry.kind == "exact":
        return f"the same words as {name}"
    if entry.kind == "title":
        return f"the headline says what the {'headline' if canonical.role == 'headline' else 'title'} of {name} says"
    if entry.kind == "near":
        return f"a near copy of {name}: {percent(entry.share)} of its shingles stand there"
    return f"an excerpt of {name}: {percent(entry.share)} of its shingles stand there"


def percent(share: float | None) -> str:
    """A share as text, rounded down: only the whole is 100 %."""
    return f"{int((share or 0.0) * 1000) / 10:g} %"


def table_of(verdicts: Sequence[tuple[int, Verdict]], rejects: Sequence[tuple[int | None, str]]) -> Any:
    """Verdicts, their parts and rejects as an Arrow table, ``schema.VERDICTS``, in input order.

    Parameters
    ----------
    verdicts : (input row of its page, verdict)
    rejects : (input row, reason); rows that could not be read
    """
    rows: list[tuple[int, dict[str, Any]]] = []
    for row, verdict in verdicts:
        rows += [(row, {"input_row": row} | _columns(item)) for item in (verdict, *verdict.parts)]
    for at, why in rejects:
        rows.append((-1 if at is None else at, dict.fromkeys(VERDICTS.names) | {"input_row": at, "action": REJECT, "reason": why}))
    rows.sort(key=lambda item: item[0])
    return pa.Table.from_pylist([columns for _, columns in rows], schema=VERDICTS)


def _columns(verdict: Verdict) -> dict[str, Any]:
    """A verdict as a row of ``schema.VERDICTS``, without ``input_row``."""
    match = verdict.match
    return {
        "doc_id": verdict.doc_id,
        "page_id": verdict.page_id,
        "role": verdict.role,
        "action": verdict.action,
        "status": verdict.status,
        "kind": verdict.kind,
        "canonical_id": verdict.canonical_id,
        "extends": list(verdict.extends),
        "jaccard": match.jaccard if match else None,
        "share": match.share if match else None,
        "containment": match.containment if match else None,
        "covered": verdict.covered,
        "story_id": verdict.story_id,
        "reason": verdict.reason,
    }


_OF_MATCH = ("canonical_id", "kind", "jaccard", "share", "containment")


def verdict_dict(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of ``schema.VERDICTS`` as ``Verdict.to_dict`` returns it, without parts."""
    names = ("doc_id", "page_id", "role", "action", "status", "kind", "canonical_id", "extends", "covered")
    match = {name: row[name] for name in _OF_MATCH} if row["status"] == "copy" else None
    return {name: row[name] for name in names} | {"match": match, "story_id": row["story_id"], "reason": row["reason"], "parts": []}
