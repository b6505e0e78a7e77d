"""What an index knows of documents and stories -> JSON: times as texts, and nothing of how it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from ..schema import EPOCH, HAPPENINGS, KINDS, STATUSES
from .problems import CODES

Schema = dict[str, Any]


def ref(name: str) -> Schema:
    """A schema of this module by its name."""
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


def _share(about: str) -> Schema:
    return {"type": "number", "minimum": 0, "maximum": 1, "description": about}


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
    "page_id": _text("the page that it stands in; its own id but for further documents of a page"),
    "role": _text("what it is in its page, for instance article or headline"),
    "action": _text("what to do with it", enum=["index", "skip", "update"]),
    "status": _text("what it is", enum=list(STATUSES)),
    "kind": {"enum": [*KINDS, None], "description": "of its match; null unless it is a copy"},
    "canonical_id": _text("the document that stands for it, its own id unless it is a copy"),
    "match": {"anyOf": [ref("Match"), {"type": "null"}], "description": "the match with its canonical; null unless it is a copy"},
    "story_id": _text_or_null("the story that it belongs to; null where stories are not asked for"),
    "reason": _text("all this in a sentence"),
    "parts": {"type": "array", "items": ref("Verdict"), "description": "verdicts of further documents that were found in its page"},
}

SCHEMAS: dict[str, Schema] = {
    "Document": {
        "type": "object",
        "description": "An article, or a page as it was flattened. It needs a text or a title; without a text its title is a headline.",
        "properties": {
            "id": _text("names it in the index; a document of the same id and another text is an update", minLength=1),
            "text": _text_or_null("the article or the whole page"),
            "title": _text_or_null("the headline"),
            "published": {
                "type": ["string", "number", "null"],
                "description": "when it was published, in any usual form (in UTC if it has no zone), or seconds since 1970",
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
            "kind": _text("how they match", enum=list(KINDS)),
            "jaccard": _share("share of the shingles of either that both have, exact"),
            "containment": _share("share of the shingles of the smaller one that stand in the other, exact"),
            "contained": {"enum": ["this", "match", None], "description": "which of the two is the excerpt"},
        }
    ),
    "Verdict": _object(_VERDICT, description="What to do with a document, and why."),
    "Rejection": _object(
        {
            "action": {"const": "reject"},
            "row": _number("place of the row in the batch, from 0", minimum=0),
            "doc_id": _text_or_null("its id, if it could be read"),
            "reason": _text("why it is no document that can be compared"),
        },
        description="A row of a batch that could not be judged. The other rows are judged all the same.",
    ),
    "Row": {"anyOf": [ref("Verdict"), ref("Rejection")], "description": "The answer to a row of a batch; its action tells which it is."},
    "Problem": _object(
        {
            "type": {"const": "about:blank"},
            "title": _text("the name of the status"),
            "status": _number("the HTTP status", minimum=400, maximum=599),
            "detail": _text("what was seen, what is needed, what to do"),
            "code": _text("; ".join(f"{code}: {about}" for code, (_, about) in CODES.items()), enum=list(CODES)),
        },
        description="An error, as RFC 9457 has it.",
    ),
    "Entry": _object(
        {
            "doc_id": _text("the document"),
            "page_id": _text("the page that it stands in"),
            "role": _text("what it is in its page, for instance article or headline"),
            "status": _text("what it is", enum=list(STATUSES)),
            "kind": {"enum": [*KINDS, None], "description": "of its match with its canonical; null unless it is a copy"},
            "canonical_id": _text("the document that stands for it, its own id unless it is a copy"),
            "jaccard": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
            "containment": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
            "contained": {"enum": ["this", "match", None], "description": "which of the two is the excerpt"},
            "story_id": _text_or_null("the story that it belongs to"),
            "published": _text_or_null("when it was published, UTC", format="date-time"),
            "arrived": _text("when it came to the index, UTC", format="date-time"),
            "source": _text_or_null("who published it"),
            "url": _text_or_null("where it was published"),
            "title": _text_or_null("its headline"),
            "words": _number("words of its text", minimum=0),
            "parts": _number("further documents of its page: their ids are its own with #1, #2 and so on", minimum=0),
        },
        description="What the index knows of a document. Texts are not kept.",
    ),
    "Event": _object(
        {
            "number": _number("its place among all events, from 1", minimum=1),
            "event": _text("what happened", enum=list(HAPPENINGS)),
            "story_id": _text_or_null("the story that is there now"),
            "other_id": _text("the story that was merged into it, or split off"),
            "canonical_id": _text_or_null("the document by which groups of copies came together"),
            "at": _text_or_null("the time of the documents that it happened by, UTC", format="date-time"),
            "recorded": _text("when the index noted it, UTC", format="date-time"),
            "documents": _number("how many documents it concerns", minimum=0),
            "members": {"type": "array", "items": {"type": "string"}, "description": "their ids"},
        }
    ),
    "Events": _object(
        {
            "events": {"type": "array", "items": ref("Event")},
            "next": _number("the 'since' of the next request", minimum=0),
            "more": {"type": "boolean", "description": "whether there are more of them now"},
        }
    ),
    "Stats": _object(
        {
            "index": {"type": "object", "description": "facts about the index, as Index.stats() gives them", "additionalProperties": True},
            "service": _object(
                {
                    "version": _text("the version of dedup"),
                    "read_only": {"type": "boolean"},
                    "waiting": _number("requests that wait for the index or are worked on", minimum=0),
                }
            ),
        }
    ),
    "Health": _object({"status": {"const": "alive"}, "version": _text("the version of dedup")}),
    "Ready": _object({"status": {"const": "ready"}}),
}


_TIMES = frozenset({"published", "arrived", "at", "recorded"})


def entry_facts(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry of an index, those fields that users know."""
    return _facts(entry, "Entry")


def event_facts(event: Mapping[str, Any]) -> dict[str, Any]:
    """An event of an index."""
    return _facts(event, "Event")


def _facts(values: Mapping[str, Any], schema: str) -> dict[str, Any]:
    return {name: _time(values[name]) if name in _TIMES else values[name] for name in SCHEMAS[schema]["properties"]}


def _time(value: Any) -> Any:
    """Microseconds since 1970 as a time; a time and None as they are."""
    return EPOCH + timedelta(microseconds=value) if isinstance(value, int) else value
