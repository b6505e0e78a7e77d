"""Arrow schemas of every table that passes from one floor to another.

The result tables (DOCUMENTS, MATCHES, STORIES, EVENTS, REJECTS) and KEPT_TEXTS are the public contract; PAGES and
TEXTS are what the readers give to the pipeline and what the pipeline gives to its stages.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa

SCHEMA_VERSION = 2

TIMESTAMP = pa.timestamp("us", tz="UTC")
#: Integers that stand for a time count microseconds from here.
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Seconds; settings speak of days, times between stages are seconds.
DAY = 86_400.0

#: What a reader yields: one row per crawled unit.
PAGES = pa.schema(
    [
        pa.field("page_id", pa.string(), nullable=False),
        pa.field("title", pa.string()),
        pa.field("text", pa.large_string()),
        pa.field("published", TIMESTAMP),
        pa.field("source", pa.string()),
        pa.field("url", pa.string()),
        pa.field("author", pa.string()),
        pa.field("input_file", pa.string(), nullable=False),
        pa.field("input_row", pa.int64(), nullable=False),
    ]
)

#: What the stages compare: one row per document, with its text.
TEXTS = pa.schema(
    [
        pa.field("doc_id", pa.string(), nullable=False),
        pa.field("page_id", pa.string(), nullable=False),
        pa.field("role", pa.string(), nullable=False),
        pa.field("source", pa.string()),
        pa.field("url", pa.string()),
        pa.field("title", pa.string()),
        pa.field("text", pa.large_string(), nullable=False),
        pa.field("published", TIMESTAMP),
        pa.field("input_file", pa.string(), nullable=False),
        pa.field("input_row", pa.int64(), nullable=False),
        pa.field("agency", pa.string()),
    ]
)

DOCUMENTS = pa.schema(
    [
        pa.field("doc_id", pa.string(), nullable=False),
        pa.field("page_id", pa.string(), nullable=False),
        pa.field("role", pa.string(), nullable=False),
        pa.field("source", pa.string()),
        pa.field("url", pa.string()),
        pa.field("title", pa.string()),
        pa.field("published", TIMESTAMP),
        pa.field("input_file", pa.string(), nullable=False),
        pa.field("input_row", pa.int64(), nullable=False),
        pa.field("words", pa.int32(), nullable=False),
        pa.field("status", pa.string(), nullable=False),
        pa.field("kind", pa.string()),
        pa.field("canonical_id", pa.string(), nullable=False),
        pa.field("jaccard", pa.float32()),
        pa.field("containment", pa.float32()),
        pa.field("copy_group", pa.int64(), nullable=False),
        pa.field("story_id", pa.string()),
        pa.field("agency", pa.string()),
    ]
)

MATCHES = pa.schema(
    [
        pa.field("doc_id_a", pa.string(), nullable=False),
        pa.field("doc_id_b", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("jaccard", pa.float32(), nullable=False),
        pa.field("containment", pa.float32(), nullable=False),
        pa.field("contained", pa.string()),
    ]
)

STORIES = pa.schema(
    [
        pa.field("story_id", pa.string(), nullable=False),
        pa.field("title", pa.string()),
        pa.field("lead_id", pa.string(), nullable=False),
        pa.field("first_published", TIMESTAMP),
        pa.field("peak_published", TIMESTAMP),
        pa.field("last_published", TIMESTAMP),
        pa.field("documents", pa.int32(), nullable=False),
        pa.field("copies", pa.int32(), nullable=False),
        pa.field("sources", pa.list_(pa.string()), nullable=False),
        pa.field("source_documents", pa.list_(pa.int32()), nullable=False),
        pa.field("agency", pa.string()),
        pa.field("keywords", pa.list_(pa.string()), nullable=False),
        pa.field("members", pa.list_(pa.string()), nullable=False),
        pa.field("cohesion", pa.float32(), nullable=False),
    ]
)

#: What a run with a base adds to its result: what became of old stories and copy groups.
EVENTS = pa.schema(
    [
        pa.field("event", pa.string(), nullable=False),
        pa.field("story_id", pa.string()),
        pa.field("other_id", pa.string(), nullable=False),
        pa.field("canonical_id", pa.string()),
        pa.field("at", TIMESTAMP),
        pa.field("documents", pa.int32(), nullable=False),
        pa.field("members", pa.list_(pa.string()), nullable=False),
    ]
)

#: The texts that a run keeps, in the order of its documents.
KEPT_TEXTS = pa.schema([pa.field("doc_id", pa.string(), nullable=False), pa.field("text", pa.large_string(), nullable=False)])

#: What an online index says of a batch: a row for each document, and for each row that could not be read (``action`` is ``reject``).
VERDICTS = pa.schema(
    [
        pa.field("input_row", pa.int64()),
        pa.field("doc_id", pa.string()),
        pa.field("page_id", pa.string()),
        pa.field("role", pa.string()),
        pa.field("action", pa.string(), nullable=False),
        pa.field("status", pa.string()),
        pa.field("kind", pa.string()),
        pa.field("canonical_id", pa.string()),
        pa.field("jaccard", pa.float64()),
        pa.field("containment", pa.float64()),
        pa.field("contained", pa.string()),
        pa.field("story_id", pa.string()),
        pa.field("reason", pa.string(), nullable=False),
    ]
)

REJECTS = pa.schema(
    [
        pa.field("input_file", pa.string(), nullable=False),
        pa.field("input_row", pa.int64()),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("detail", pa.string(), nullable=False),
    ]
)

#: Values of ``documents.status``.
STATUSES = ("unique", "canonical", "copy", "short")
#: Values of ``matches.kind``, strongest first. ``partial`` is listed but never grouped.
KINDS = ("exact", "near", "excerpt", "title", "partial")
#: Values of ``events.event``.
HAPPENINGS = ("story_merged", "story_split", "group_merged")
