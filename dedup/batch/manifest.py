"""Builds the manifest of a run: versions, settings, inputs, counts, stages and warnings."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow.compute as pc

from ..config import Config
from ..copies.find import Copies
from ..readers import ReadLog
from ..schema import HAPPENINGS, KINDS, SCHEMA_VERSION
from ..text.document_frequencies import DocumentFrequencies, content_name
from ..version import __version__
from .base_run import BaseRun
from .corpus import Corpus
from .losses import lost_shares
from .memory import peak_memory
from .stories import FoundStories
from .warnings import corpus_warnings

#: Shares of a copy's own shingles; the manifest counts the copies that lose more than each.
LOSSES = (0.4, 0.5)


def build_manifest(
    config: Config,
    background: DocumentFrequencies,
    log: ReadLog,
    stages: list[dict[str, Any]],
    corpus: Corpus,
    copies: Copies,
    documents: Any,
    stories: Any,
) -> dict[str, Any]:
    """Build the manifest of a run without a base.

    Parameters
    ----------
    stages : seconds and rows of each stage, as ``StageTimer.stages`` lists them
    documents, stories : the finished Arrow tables; ``stories`` is None if stories are switched off
    """
    kinds = pc.value_counts(documents.column("kind").drop_null()).to_pylist()
    roles = {item["values"]: item["counts"] for item in pc.value_counts(documents.column("role")).to_pylist()}
    copies_by_kind = {kind: sum(item["counts"] for item in kinds if item["values"] == kind) for kind in KINDS[:-1]}
    pages = pc.count_distinct(documents.column("page_id").slice(corpus.base_documents)).as_py()
    return {
        "version": __version__,
        "schema_version": SCHEMA_VERSION,
        "config": config.to_dict(),
        "config_digest": config.digest({"stories.background": content_name(background)}),
        "background": {
            "from": config.stories.background,
            "digest": background.digest(),
            "documents": background.documents,
        },
        "inputs": log.inputs,
        "counts": {
            "pages": corpus.pages,
            "pages_with_documents": pages,
            "rejects": corpus.rejects.num_rows,
            "documents": documents.num_rows,
            "documents_by_role": dict(sorted(roles.items())),
            "copies": int(np.count_nonzero(~copies.survivors.kept())),
            "copies_by_kind": copies_by_kind,
            "extended": int(np.count_nonzero(copies.survivors.extends >= 0)),
            "matches": len(copies.matches),
            "stories": stories.num_rows if stories is not None else None,
            **copies.counts,
        },
        "lost": round(copies.covered.lost(), 6),
        "repeated": round(copies.covered.repeated(), 6),
        "losing_copies": _losing_copies(copies, documents),
        "stages": stages,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "peak_memory_bytes": peak_memory(),
        "warnings": log.warnings() + corpus_warnings(corpus, copies, config),
    }


def _losing_copies(copies: Copies, documents: Any) -> dict[str, int]:
    """How many copies lose more than each share of their own shingles when all copies are dropped."""
    lost = lost_shares(copies.covered, documents)
    return {str(share): int(np.count_nonzero(lost > share)) for share in LOSSES}


def base_counts(copies: Copies, found: FoundStories, events: Any, base: BaseRun) -> dict[str, Any]:
    """Further counts of a run with a base: old and new documents, those that joined, new events."""
    n_old, new = len(base), np.arange(len(base), len(copies))
    new_events = events.slice(0 if base.events is None else base.events.num_rows).column("event").to_pylist()
    return {
        "base_documents": n_old,
        "new_documents": len(new),
        "joined_copy_groups": int(np.count_nonzero(copies.survivors.family[new] < n_old)),
        **found.counts,
        "events": {event: new_events.count(event) for event in HAPPENINGS},
    }
