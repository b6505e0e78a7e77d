"""What became of old stories and copy groups in a run with a base, as the table of events; nothing is told twice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from .continuity import Happening, Tie
from .schema import EVENTS, TIMESTAMP

Ints = npt.NDArray[np.int64]


def story_events(happenings: Iterable[Happening], documents: Any, clustered: Ints, story_ids: list[str]) -> list[dict[str, Any]]:
    """Rows of the table of events from what happened to stories.

    Parameters
    ----------
    documents : Arrow table of all documents with ``doc_id`` and ``published``
    clustered : int64[n], the rows of the documents that happenings speak of
    story_ids : the id of each story, by its number
    """
    return [
        {
            "event": item.event,
            "story_id": story_ids[item.story],
            "other_id": story_ids[item.other],
            "canonical_id": None,
            **_told(documents, clustered[item.members], clustered[item.newcomers]),
        }
        for item in happenings
    ]


def group_events(ties: Iterable[Tie], documents: Any, story_ids: Any) -> list[dict[str, Any]]:
    """Rows of the table of events from old copy groups that new documents tie together.

    Parameters
    ----------
    documents : as for ``story_events``; story_ids : Arrow array, the story of each document or null
    """
    ids = documents.column("doc_id")
    return [
        {
            "event": "group_merged",
            "story_id": story_ids[tie.kept].as_py(),
            "other_id": ids[tie.other].as_py(),
            "canonical_id": ids[tie.kept].as_py(),
            **_told(documents, tie.members, tie.members),
        }
        for tie in ties
    ]


def events_table(rows: list[dict[str, Any]], earlier: Any | None) -> Any:
    """Old events in their order, then the new ones sorted by event and ids, ``schema.EVENTS``.

    What was told in an earlier run is not told again. Of two stories that are one the larger goes on, so a merge may be told the
    other way round later; two copy groups are one whichever way round it is told.

    Parameters
    ----------
    rows : as ``story_events`` and ``group_events`` give them; earlier : the table of the base, None if it has none
    """
    told = earlier if earlier is not None else EVENTS.empty_table()
    known = {_key(row) for row in told.select(["event", "story_id", "other_id", "canonical_id"]).to_pylist()}
    fresh = []
    for row in sorted(rows, key=lambda row: (row["event"], row["canonical_id"] or "", row["story_id"] or "", row["other_id"])):
        if _key(row) not in known:
            known.add(_key(row))
            fresh.append(row)
    return pa.concat_tables([told, pa.Table.from_pylist(fresh, schema=EVENTS)]).combine_chunks()


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    if row["event"] == "group_merged":
        return row["event"], frozenset([row["canonical_id"], row["other_id"]])
    return row["event"], row["story_id"], row["other_id"]


def _told(documents: Any, members: Ints, newcomers: Ints) -> dict[str, Any]:
    """When it happened, by the dates of the new documents, and whom it concerns."""
    times = documents.column("published").take(pa.array(newcomers)).cast(pa.int64()).drop_null().to_numpy()
    return {
        "at": pa.scalar(int(times.max()), pa.int64()).cast(TIMESTAMP).as_py() if len(times) else None,
        "documents": len(members),
        "members": documents.column("doc_id").take(pa.array(members)).to_pylist(),
    }
