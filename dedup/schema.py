"""Arrow schemas of all tables, and the meaning of their columns.

``TABLES`` are the public contract. PAGES is the output of the readers, TEXTS the input of the
stages.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa

SCHEMA_VERSION = 3

TIMESTAMP = pa.timestamp("us", tz="UTC")
#: Times as integers count microseconds from here.
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Seconds per day: settings are in days, times between stages in seconds.
DAY = 86_400.0

#: Output of the readers: one row per crawled unit.
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

#: Input of the stages: one row per document, with its text.
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
        pa.field("extends_id", pa.string()),
        pa.field("jaccard", pa.float32()),
        pa.field("share", pa.float32()),
        pa.field("containment", pa.float32()),
        pa.field("covered", pa.float32(), nullable=False),
        pa.field("fuller_id", pa.string()),
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
        pa.field("share_a", pa.float32(), nullable=False),
        pa.field("share_b", pa.float32(), nullable=False),
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

#: What happened to stories and copy groups of the base; only in results with a base.
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

#: The stored texts, in the order of the documents.
KEPT_TEXTS = pa.schema([pa.field("doc_id", pa.string(), nullable=False), pa.field("text", pa.large_string(), nullable=False)])

#: The verdicts of an index on a batch: one row per document, and one per rejected row (``action``
#: is ``reject``).
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
        pa.field("extends", pa.list_(pa.string())),
        pa.field("jaccard", pa.float64()),
        pa.field("share", pa.float64()),
        pa.field("containment", pa.float64()),
        pa.field("covered", pa.float64()),
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
STATUSES = ("unique", "canonical", "copy", "extended", "short")
#: Values of ``matches.kind``, strongest first. ``partial`` is listed but never grouped.
KINDS = ("exact", "near", "excerpt", "title", "partial")
#: Values of ``events.event``.
HAPPENINGS = ("story_merged", "story_split", "group_merged")

#: The public tables: the file ``NAME.parquet`` of a result, and what an index returns for a batch
#: (``verdicts``).
TABLES = {
    "documents": DOCUMENTS,
    "matches": MATCHES,
    "stories": STORIES,
    "events": EVENTS,
    "texts": KEPT_TEXTS,
    "rejects": REJECTS,
    "verdicts": VERDICTS,
}

#: The meaning of every column of ``TABLES``. The manual prints it; Parquet files do not contain it.
COLUMN_MEANINGS = {
    "documents": {
        "doc_id": "unique id: the input's own id, else file name and row; `#1`, `#2` ... for the other documents of a page",
        "page_id": "id of the page that the document was found in",
        "role": "`article`, `embedded` (a second full article inside a page) or `headline`",
        "source": "the outlet",
        "url": "address of the page",
        "title": "title of the document",
        "published": "time of publication",
        "input_file": "input file that the page came from",
        "input_row": "row of the page in its input file, from 0",
        "words": "words of the text after folding",
        "status": "what was decided, see the list of statuses",
        "kind": "kind of the match with the canonical; null unless `status` is `copy`",
        "canonical_id": "id of the kept document in which the text of a copy stands; a document that is no copy is its own canonical",
        "extends_id": "of an extended document, the fullest earlier kept document that it holds; else null",
        "jaccard": "exact Jaccard similarity to the canonical; null unless `status` is `copy`",
        "share": "exact share of this document's own shingles that stand in its canonical; null unless `status` is `copy`",
        "containment": "the larger of `share` and the canonical's share in this document; null unless `status` is `copy`",
        "covered": "exact share of this document's own shingles that stand in kept documents before it, all of them together",
        "fuller_id": "the largest other kept document that holds nearly all of this one and more; null if there is none",
        "copy_group": "number of the copy group: the row of its first document in this table, from 0",
        "story_id": "id of the story; null if the document has none or stories were not requested",
        "agency": "news agency that the text names",
    },
    "matches": {
        "doc_id_a": "the document that comes first in input order",
        "doc_id_b": "the document that comes second",
        "kind": "how the two texts are related, see the list of kinds",
        "jaccard": "exact Jaccard similarity of the two shingle sets",
        "containment": "the larger of the two shares",
        "share_a": "exact share of the shingles of `doc_id_a` that stand in `doc_id_b`",
        "share_b": "exact share of the shingles of `doc_id_b` that stand in `doc_id_a`",
    },
    "stories": {
        "story_id": "id that later runs with `--base` keep",
        "title": "title of the lead",
        "lead_id": "the document that represents the story",
        "first_published": "earliest time of publication of its documents",
        "peak_published": "start of the six hours in which most of its documents appeared",
        "last_published": "latest time of publication of its documents",
        "documents": "number of documents that are kept, those that are no copies",
        "copies": "number of copies, which can be dropped",
        "sources": "outlets of its documents",
        "source_documents": "number of documents of each outlet, in the order of `sources`",
        "agency": "the news agency that at least a third of its documents name",
        "keywords": "words and phrases that distinguish the story, best first",
        "members": "ids of all documents, copies included, by time of publication",
        "cohesion": "mean cosine similarity of two of its documents, 0 to 1",
    },
    "events": {
        "event": "what happened, see the list of events",
        "story_id": "the old story that continues or was split; of `group_merged`, the story of the canonical that is kept",
        "other_id": "the story that was merged or newly founded; of `group_merged`, the other canonical",
        "canonical_id": "of `group_merged`, the canonical that is kept; else null",
        "at": "latest time of publication of the new documents concerned",
        "documents": "number of `members`",
        "members": "ids of the documents concerned",
    },
    "texts": {
        "doc_id": "id of the document, in the order of the documents table",
        "text": "its text",
    },
    "rejects": {
        "input_file": "input file that the row came from",
        "input_row": "row in its input file, from 0; null if the whole file is meant",
        "reason": "a reject reason, see the list of reasons",
        "detail": "what was found, in words",
    },
    "verdicts": {
        "input_row": "row of the batch, from 0",
        "doc_id": "id of the document; null for a reject",
        "page_id": "id of its page",
        "role": "`article`, `embedded` or `headline`",
        "action": "`index`, `skip`, `update` or `reject`",
        "status": "`unique`, `copy`, `extended` or `short`",
        "kind": "kind of the match with the canonical; null unless `status` is `copy`",
        "canonical_id": "id of its canonical, its own unless it is a copy",
        "extends": "ids of the documents in the index whose text it holds and adds to, the fullest first; of a copy none",
        "jaccard": "exact Jaccard similarity to the canonical; null unless `status` is `copy`",
        "share": "exact share of this document's own shingles that stand in its canonical; null unless `status` is `copy`",
        "containment": "the larger of `share` and the canonical's share in this document; null unless `status` is `copy`",
        "covered": "exact share of this document's own shingles that stand in documents of the index, all of them together",
        "story_id": "id of its story; null if the index groups no stories",
        "reason": "the verdict as a sentence, or why the row was rejected",
    },
}

STATUS_MEANINGS = {
    "unique": "no copies of it were found",
    "canonical": "the document that represents a copy group; keep it",
    "copy": "its own text stands in its canonical; it can be dropped",
    "extended": "holds the text of an earlier kept document and adds a good deal; keep it",
    "short": "too few words to compare; kept, never compared",
}
KIND_MEANINGS = {
    "exact": "the same words; spelling variants, vowel marks, digits and punctuation may differ",
    "near": "a Jaccard similarity of at least `copies.near`",
    "excerpt": "the shorter text is taken from the longer one; `share` says which of the two it is",
    "title": "a headline that repeats a headline or the title of an article; or a brief that repeats one in other spellings",
    "partial": "shared passages, or one template filled in twice; listed, never grouped",
}
EVENT_MEANINGS = {
    "story_merged": "the new documents show that two old stories are one; `story_id` gets the new documents, `other_id` no more",
    "story_split": "a part of an old story fits the new documents better than the rest of it; they found `other_id`",
    "group_merged": "the new documents match the canonicals of two old copy groups",
}
