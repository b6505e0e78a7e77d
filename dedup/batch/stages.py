"""What stages find, taken apart into tables and facts, so that it lasts in a workspace, and put together again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pyarrow as pa

from ..copies.find import Copies
from ..copies.pairs import Matches
from ..schema import EVENTS
from .checkpoints import Tables, array_of
from .stories import FoundStories

Value = TypeVar("Value")


@dataclass(frozen=True)
class StageCodec(Generic[Value]):
    """How what a stage found is taken apart, into tables and facts that fit into JSON, and put together again."""

    apart: Callable[[Value], tuple[Tables, Any]]
    together: Callable[[Tables, Any], Value]


def _copies_apart(copies: Copies) -> tuple[Tables, Any]:
    matches = pa.table({name: getattr(copies.matches, name) for name in Matches.__dataclass_fields__})
    return {"documents": pa.table({"canonical": copies.canonical, "short": copies.short}), "matches": matches}, copies.counts


def _copies_together(tables: Tables, counts: Any) -> Copies:
    matches = Matches(**{name: array_of(tables["matches"].column(name)) for name in Matches.__dataclass_fields__})
    documents = tables["documents"]
    return Copies(array_of(documents.column("canonical")), array_of(documents.column("short")), matches, counts)


def _chronicle_apart(told: FoundStories) -> tuple[Tables, Any]:
    ids = pa.table({"story_id": told.story_ids})
    return {"stories": told.stories, "ids": ids, "events": pa.Table.from_pylist(told.events, schema=EVENTS)}, told.counts


def _chronicle_together(tables: Tables, counts: Any) -> FoundStories:
    ids = tables["ids"].column("story_id").combine_chunks()
    return FoundStories(tables["stories"], ids, tables["events"].to_pylist(), counts)


COPIES = StageCodec(_copies_apart, _copies_together)
CHRONICLE = StageCodec(_chronicle_apart, _chronicle_together)
#: The recall is numbers that fit into JSON as they are.
RECALL: StageCodec[dict[str, Any]] = StageCodec(lambda recall: ({}, recall), lambda _, recall: recall)
