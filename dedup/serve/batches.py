"""A batch of rows -> one answer for each row, in the same order; a row that is no document is answered by the reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from ..index.document import Checked
from ..index.verdict import REJECT
from ..schema import TIMESTAMP
from .bodies import Refused

#: All columns are given, if empty, so that which ones a batch has does not depend on its rows.
_DOCUMENTS = pa.schema(
    [
        pa.field("id", pa.string()),
        pa.field("text", pa.large_string()),
        pa.field("title", pa.string()),
        pa.field("published", TIMESTAMP),
        pa.field("source", pa.string()),
        pa.field("url", pa.string()),
    ]
)


def judge_rows(rows: Sequence[Checked | Refused], judge: Callable[[Any], Any]) -> list[dict[str, Any]]:
    """The answers to the rows of a batch: verdicts, as ``Verdict.to_dict`` gives them, and rejections.

    Parameters
    ----------
    judge : ``Index.check_batch`` or ``Index.ingest_batch``
    """
    places = [place for place, row in enumerate(rows) if isinstance(row, Checked)]
    answers: list[dict[str, Any] | None] = [_rejection(place, row) if isinstance(row, Refused) else None for place, row in enumerate(rows)]
    if places:
        documents = [row for row in rows if isinstance(row, Checked)]
        columns = {field.name: [getattr(document, field.name) for document in documents] for field in _DOCUMENTS}
        for verdict in judge(pa.table(columns, schema=_DOCUMENTS)).to_pylist():
            place = places[verdict["input_row"]]
            main = answers[place]
            if verdict["action"] == REJECT:
                answers[place] = _rejection(place, Refused(documents[verdict["input_row"]].id, verdict["reason"]))
            elif main is None:
                answers[place] = _verdict(verdict)
            else:
                main["parts"].append(_verdict(verdict))
    # Every row is answered, if something above or below this should ever lose one.
    return [
        _rejection(place, Refused(None, "no verdict was given: this is a bug in dedup.")) if found is None else found
        for place, found in enumerate(answers)
    ]


def _verdict(row: dict[str, Any]) -> dict[str, Any]:
    match = None
    if row["status"] == "copy":
        match = {name: row[name] for name in ("canonical_id", "kind", "jaccard", "containment", "contained")}
    names = ("doc_id", "page_id", "role", "action", "status", "kind", "canonical_id")
    return {name: row[name] for name in names} | {"match": match, "story_id": row["story_id"], "reason": row["reason"], "parts": []}


def _rejection(place: int, row: Refused) -> dict[str, Any]:
    return {"action": REJECT, "row": place, "doc_id": row.doc_id, "reason": row.reason}
