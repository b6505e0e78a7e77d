"""JSON schemas of requests and responses, and the index entries and events that fit them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from ..schema import EPOCH, HAPPENINGS, KINDS, STATUSES
from .problems import CODES

Schema = dict[str, Any]


def ref(name: str) -> Schema:
    """Refer to a schema of this module by name."""
    return {"$ref": f"#/components/schemas/{name}"}


def _object(properties: dict[str, Schema], *, optional: tuple[str, ...] = (), **more: Any) -> Schema:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False, **more}


def _text(about: str, **more: Any) -> Schema:
    return {"type": "string", "description": about, **more}


def _text_or_null(about: str, **more: Any) -> Schema:
    return {"type": ["string", "null"], "description": about, **more}


def _number(about: str, kind: str | list[str] = "integer", **more: Any) -> Schema:
    return {"type": kind, "description": about, **more}


def _share(about: str, *, or_null: bool = False) -> Schema:
    return {"type": ["number", "null"] if or_null else "number", "minimum": 0, "maximum": 1, "description": about}


_SAYS_SOMETHING = {"type": "string", "pattern": r"\S"}

_EXAMPLE = {
    "id": "aljadwal-1042",
    "title": "موسم وفير لعسل جبال السرو",
    "text": "أعلنت جمعية النحالين في جبال السرو أن موسم العسل هذا العام تضاعف مقارنة بالعام الماضي بفضل أمطار الربيع المتأخرة.",
    "published": "2025-03-04T10:00:00Z",
    "source": "الجدول",
    "url": "https://aljadwal.example/1042",
}

_VERDICT = {
    "doc_id": _text("the document"),
    "page_id": _text("the page that contains it; equals doc_id except for further documents of a page"),
    "role": _text("its role in the page, for example article or headline"),
    "action": _text("what to do with the document", enum=["index", "skip", "update"]),
    "status": _text("status of the document", enum=list(STATUSES)),
    "kind": {"enum": [*KINDS, None], "description": "kind of its match; null unless it is a copy"},
    "canonical_id": _text("the document it is a copy of; its own id unless it is a copy"),
    "extends": {
        "type": "array",
        "items": {"type": "string"},
        "description": "ids of the documents in the index whose text it holds and adds to, the fullest first",
    },
    "covered": _share("exact share of its own shingles that stand in documents of the index, all of them together"),
    "match": {"anyOf": [ref("Match"), {"type": "null"}], "description": "the match with its canonical; null unless it is a copy"},
    "story_id": _text_or_null("its story; null if the index was made without stories"),
    "reason": _text("the verdict in one sentence"),
    "parts": {"type": "array", "items": ref("Verdict"), "description": "verdicts of further documents found in its page"},
}

SCHEMAS: dict[str, Schema] = {
    "Document": {
        "type": "object",
        "description": "An article, or the flattened text of a page. It needs a text or a title; a title alone is a headline.",
        "properties": {
            "id": _text("its key in the index; a known id with a changed document is an update", minLength=1),
            "text": _text_or_null("the article or the whole page"),
            "title": _text_or_null("the headline"),
            "published": {
                "type": ["string", "number", "null"],
                "description": "time of publication in any usual format (UTC if no zone is given), or seconds since 1970",
            },
            "source": _text_or_null("who published it"),
            "url": _text_or_null("where it was published"),
        },
        "required": ["id"],
        "anyOf": [
            {"required": ["text"], "properties": {"text": _SAYS_SOMETHING}},
            {"required": ["title"], "properties": {"title": _SAYS_SOMETHING}},
        ],
        "additionalProperties": False,
        "examples": [_EXAMPLE],
    },
    "Match": _object(
        {
            "canonical_id": _text("the document that it is a copy of"),
            "kind": _text("kind of the match", enum=list(KINDS)),
            "jaccard": _share("exact Jaccard similarity of the two sets of shingles"),
            "share": _share("exact share of the document's own shingles that stand in its canonical"),
            "containment": _share("the larger of share and the canonical's share in the document"),
        }
    ),
    "Verdict": _object(_VERDICT, description="What to do with a document, and why."),
    "Rejection": _object(
        {
            "action": {"const": "reject"},
            "row": _number("index of the row in the batch, from 0", minimum=0),
            "doc_id": _text_or_null("its id, if it could be read"),
            "reason": _text("why it is not a valid document"),
        },
        description="A row of a batch that is not a valid document. The other rows get verdicts all the same.",
    ),
    "Row": {
        "anyOf": [ref("Verdict"), ref("Rejection")],
        "description": "The result of one row of a batch; its action tells a Rejection from a Verdict.",
    },
    "Problem": _object(
        {
            "type": {"const": "about:blank"},
            "title": _text("the name of the status"),
            "status": _number("the HTTP status", minimum=400, maximum=599),
            "detail": _text("what is wrong and what to do about it"),
            "code": _text("; ".join(f"{code}: {about}" for code, (_, about) in CODES.items()), enum=list(CODES)),
        },
        description="An error, as defined by RFC 9457.",
    ),
    "Entry": _object(
        {
            "doc_id": _text("the document"),
            "page_id": _text("the page that contains it"),
            "role": _text("its role in the page, for example article or headline"),
            "status": _text("status of the document", enum=list(STATUSES)),
            "kind": {"enum": [*KINDS, None], "description": "kind of its match with its canonical; null unless it is a copy"},
            "canonical_id": _text("the document it is a copy of; its own id unless it is a copy"),
            "extends_id": _text_or_null("the fullest document of the index that it holds and adds to; null unless it is extended"),
            "jaccard": _share("exact Jaccard similarity to its canonical; null unless it is a copy", or_null=True),
            "share": _share("exact share of its own shingles that stand in its canonical; null unless it is a copy", or_null=True),
            "containment": _share("the larger of share and the canonical's share in it; null unless it is a copy", or_null=True),
            "covered": _share("exact share of its own shingles that stood in documents of the index when it was decided"),
            "story_id": _text_or_null("its story"),
            "published": _text_or_null("time of publication, UTC", format="date-time"),
            "arrived": _text("when it was added to the index, UTC", format="date-time"),
            "source": _text_or_null("who published it"),
            "url": _text_or_null("where it was published"),
            "title": _text_or_null("its headline"),
            "words": _number("words of its text", minimum=0),
            "parts": _number("further documents of its page; their ids are its own followed by #1, #2 and so on", minimum=0),
        },
        description="The index entry of a document. The index does not store texts.",
    ),
    "Event": _object(
        {
            "number": _number("sequence number, from 1", minimum=1),
            "event": _text("what happened", enum=list(HAPPENINGS)),
            "story_id": _text_or_null("the story that remains"),
            "other_id": _text("the story that was merged into it or split off from it"),
            "canonical_id": _text_or_null("the document that tied two copy groups together"),
            "at": _text_or_null("time of the documents that caused it, UTC", format="date-time"),
            "recorded": _text("when the index recorded it, UTC", format="date-time"),
            "documents": _number("number of documents concerned", minimum=0),
            "members": {"type": "array", "items": {"type": "string"}, "description": "their ids"},
        }
    ),
    "Events": _object(
        {
            "events": {"type": "array", "items": ref("Event")},
            "next": _number("value of 'since' for the next request", minimum=0),
            "more": {"type": "boolean", "description": "whether there are more events at present"},
        }
    ),
    "Stats": _object(
        {
            "index": {
                "type": "object",
                "description": "statistics of the index, as returned by Index.stats()",
                "additionalProperties": True,
            },
            "service": _object(
                {
                    "version": _text("the version of dedup"),
                    "read_only": {"type": "boolean"},
                    "waiting": _number("requests waiting for the index or in progress", minimum=0),
                }
            ),
        }
    ),
    "Health": _object({"status": {"const": "alive"}, "version": _text("the version of dedup")}),
    "Ready": _object({"status": {"const": "ready"}}),
}


_TIMES = frozenset({"published", "arrived", "at", "recorded"})


def entry_json(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the public fields of an index entry, with times as ``datetime``."""
    return _public_fields(entry, "Entry")


def event_json(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of an event, with times as ``datetime``."""
    return _public_fields(event, "Event")


def _public_fields(values: Mapping[str, Any], schema: str) -> dict[str, Any]:
    return {name: _time(values[name]) if name in _TIMES else values[name] for name in SCHEMAS[schema]["properties"]}


def _time(value: Any) -> Any:
    """Convert microseconds since 1970 to a ``datetime``; anything else stays as it is."""
    return EPOCH + timedelta(microseconds=value) if isinstance(value, int) else value
