"""The order of the stages, from inputs to results.

    (documents of the base) pages -> documents -> fingerprints -> copies -> stories -> tables

Pages are read in batches and forgotten once they are fingerprinted; what stays in memory are the arrays of
``fingerprint.py`` and the columns that the results repeat. With a base, its documents come first and keep what they were
given: canonicals, copy groups, stories.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .background import Background, background_of, content_name
from .canonicals import precedence
from .chronicle import Chronicle, chronicle
from .config import Config
from .continuity import tied_groups
from .copies import Copies
from .copies import find_copies as find
from .corpus import Corpus, Intake
from .earlier import Earlier, open_earlier
from .errors import ConfigError
from .events import events_table, group_events
from .readers import Batch, ReadLog, read_data, read_files
from .recall import measure_recall, sample_size
from .result import Result
from .schema import HAPPENINGS, KINDS, SCHEMA_VERSION
from .spill import Spill
from .tables import documents_table, matches_table
from .threads import thread_count
from .version import __version__

#: Called as ``progress(stage, done)`` with the rows that a stage has done so far.
Progress = Callable[[str, int], None]
#: Share of the allowed memory that fingerprints may take before they go to files; the rest is for what stages work with.
SPILLED_FROM = 0.2


@dataclass
class Clock:
    """Seconds and rows of each stage, in the order in which they ran."""

    progress: Progress | None = None
    stages: list[dict[str, Any]] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[Callable[[int], None]]:
        """Time a stage; what is yielded takes the number of rows done so far."""
        begun = time.perf_counter()
        entry: dict[str, Any] = {"stage": name, "seconds": 0.0, "rows": 0}

        def done(rows: int) -> None:
            entry["rows"] = int(rows)
            if self.progress:
                self.progress(name, int(rows))

        done(0)
        yield done
        entry["seconds"] = round(time.perf_counter() - begun, 4)
        self.stages.append(entry)


def run(
    inputs: Any, config: Config | None = None, *, base: Result | str | os.PathLike[str] | None = None, progress: Progress | None = None
) -> Result:
    """Find copies and stories in a crawl.

    Where every row was rejected the tables are empty and ``rejects`` says why.

    Parameters
    ----------
    inputs : a path, a glob or a list of them; or a table: anything with the Arrow PyCapsule interface (pyarrow,
        polars, pandas, duckdb), or an iterable of mappings
    config : settings; if left out the defaults, or those of the base
    base : an earlier result, or its folder, that this one builds on: its documents come first and keep their canonical, copy
        group and story, new ones join them. The result holds all, and ``events`` what became of stories and groups
    progress : called with the name of a stage and the rows done

    Raises
    ------
    InputError
        If an input is missing, has no column that can be used, or all files together hold no row; or if the base cannot be
        built on.
    ConfigError
        If ``signatures.scheme`` is not ``native``, ``stories.background`` cannot be used, or settings do not fit those of the base.
    """
    earlier = None
    if base is not None:
        earlier, config = open_earlier(base, config)
    config = config or Config()
    if config.signatures.scheme != "native":
        raise ConfigError(
            f"signatures.scheme is {config.signatures.scheme!r}, but a run keeps no signatures and makes its own with 'native'. "
            "Leave it out, or call dedup.sign() for signatures that datasketch can use."
        )
    known = background_of(config.stories.background)
    if earlier is not None:
        earlier.check_background(known)
    with Spill(int(_memory(config) * SPILLED_FROM)) as spill:
        return _run(inputs, config, known, earlier, Clock(progress), spill)


def _run(inputs: Any, config: Config, known: Background, earlier: Earlier | None, clock: Clock, spill: Spill) -> Result:
    log = ReadLog()
    threads = thread_count(config.run.threads)
    corpus = _read(inputs, config, earlier, log, clock, spill, threads)
    ranks = precedence(corpus.documents, corpus.prints.words)
    if earlier is not None:
        ranks = earlier.ahead(ranks)
    headline = corpus.is_headline()
    with clock.stage("copies") as done:
        copies = find(
            corpus.prints,
            headline,
            ranks,
            config,
            times=corpus.seconds(),
            sources=corpus.source_codes(),
            settled=earlier.settled if earlier is not None else None,
            spill=spill,
            threads=threads,
        )
        done(len(ranks))
    recall = None
    if sample_size(config):
        with clock.stage("recall") as done:
            prints, compared = corpus.prints, ~headline & ~copies.short
            recall = measure_recall(
                prints.shingles, prints.digests, compared, copies.matches, config, threads=threads, release=spill.release
            )
            done(recall["sampled"])
    told = Chronicle(None, pa.nulls(len(ranks), pa.string()))
    if config.stories.enabled:
        with clock.stage("stories") as done:
            told = chronicle(corpus, copies, known, config, earlier, threads)
            done(told.stories.num_rows)
    documents = documents_table(corpus.documents, corpus.prints.words, copies, told.story_ids)
    matches = matches_table(corpus.documents.column("doc_id"), copies)
    manifest = _manifest(config, known, log, clock, corpus, copies, documents, told.stories) | {"recall": recall}
    events = None
    if earlier is not None:
        events = _events(corpus, copies, told, earlier)
        manifest["base"] = {"documents": len(earlier), "inputs": earlier.inputs}
        manifest["counts"] |= _counts_beside_base(corpus, copies, told, events, earlier)
    return Result(documents, matches, told.stories, corpus.rejects, manifest, events, corpus.texts)


def find_copies(inputs: Any, config: Config | None = None, *, progress: Progress | None = None) -> Result:
    """Find copies only: as ``run``, but the story columns are null and there is no table of stories."""
    return run(inputs, (config or Config()).replace({"stories.enabled": False}), progress=progress)


def _read(inputs: Any, config: Config, earlier: Earlier | None, log: ReadLog, clock: Clock, spill: Spill, threads: int) -> Corpus:
    intake = Intake(config, spill, threads)
    if earlier is not None:
        with clock.stage("base") as done:
            intake.take_earlier(earlier.batches(), done)
    paths = _paths(inputs)
    batches: Iterator[Batch] = read_files(paths, config=config, log=log) if paths else read_data(inputs, config=config, log=log)
    with clock.stage("read") as done:
        intake.take_pages(batches, done)
        return intake.corpus()


def _paths(inputs: Any) -> list[str | os.PathLike[str]]:
    """The inputs as a list of paths, or an empty list if they are data."""
    if isinstance(inputs, str | os.PathLike):
        return [inputs]
    if isinstance(inputs, Sequence) and inputs and all(isinstance(item, str | os.PathLike) for item in inputs):
        return list(inputs)
    return []


def _events(corpus: Corpus, copies: Copies, told: Chronicle, earlier: Earlier) -> Any:
    """What became of old stories and copy groups, after what was told of them before."""
    ties = tied_groups(copies.matches, copies.canonical, len(earlier))
    return events_table(told.events + group_events(ties, corpus.documents, told.story_ids), earlier.events)


def _manifest(
    config: Config, known: Background, log: ReadLog, clock: Clock, corpus: Corpus, copies: Copies, documents: Any, stories: Any
) -> dict[str, Any]:
    kinds = pc.value_counts(documents.column("kind").drop_null()).to_pylist()
    roles = {item["values"]: item["counts"] for item in pc.value_counts(documents.column("role")).to_pylist()}
    copies_by_kind = {kind: sum(item["counts"] for item in kinds if item["values"] == kind) for kind in KINDS[:-1]}
    pages = pc.count_distinct(documents.column("page_id").slice(corpus.earlier)).as_py()
    return {
        "version": __version__,
        "schema_version": SCHEMA_VERSION,
        "config": config.to_dict(),
        "config_digest": config.digest({"stories.background": content_name(known)}),
        "background": {"from": config.stories.background, "digest": known.digest(), "documents": known.documents},
        "inputs": log.inputs,
        "counts": {
            "pages": corpus.pages,
            "pages_with_documents": pages,
            "rejects": corpus.rejects.num_rows,
            "documents": documents.num_rows,
            "documents_by_role": dict(sorted(roles.items())),
            "copies": int(np.count_nonzero(copies.canonical != np.arange(documents.num_rows))),
            "copies_by_kind": copies_by_kind,
            "matches": len(copies.matches),
            "stories": stories.num_rows if stories is not None else None,
            **copies.counts,
        },
        "stages": clock.stages,
        "peak_memory_bytes": _peak_memory(),
        "warnings": log.warnings(),
    }


def _counts_beside_base(corpus: Corpus, copies: Copies, told: Chronicle, events: Any, earlier: Earlier) -> dict[str, Any]:
    """What a run with a base counts besides: how its documents are divided, what joined what, and the new events."""
    n_old, new = len(earlier), np.arange(len(earlier), len(copies.canonical))
    fresh = events.slice(0 if earlier.events is None else earlier.events.num_rows).column("event").to_pylist()
    return {
        "base_documents": n_old,
        "new_documents": len(new),
        "joined_copy_groups": int(np.count_nonzero(copies.canonical[new] < n_old)),
        **told.counts,
        "events": {event: fresh.count(event) for event in HAPPENINGS},
    }


def _memory(config: Config) -> int:
    """Bytes that a run may take: as set, else half of what the machine has."""
    if config.run.memory:
        return config.run.memory << 20
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return int(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2)
    return 4 << 30


def _peak_memory() -> int | None:
    """The most memory that this process has held, in bytes; None where the system does not tell."""
    if sys.platform == "win32":
        return None
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
