"""A corpus to background counts: in how many of its documents each stem occurs.

Documents are those of a run: pages are segmented, so that source lines, keyword lines and the like do not count, and the title
belongs to its text. What was printed fifty times, word for word, counts once, as the stories see it once. Text is
streamed: what stays in memory are 12 bytes for each different stem and for each different text.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arrays.rows import run_starts
from ..arrays.threads import map_batches, thread_count
from ..config import Config
from ..errors import ConfigError, InputError
from ..fingerprints.fingerprint import fingerprint
from ..readers import PageBatch, ReadLog, read_files
from ..segmentation.documents import documents_of
from ..text.document_frequencies import FLAGS, DocumentFrequencies
from ..text.lexicon import title_stop_terms
from .vectors import NATIVE, without_terms

Hashes = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.uint32]
#: A stem in fewer documents than this counts as rare anyway, and is left out.
LEAST = 4
#: If the counts know a share of a document's stems that is no further above NATIVE on average, they know less of many documents.
MARGIN = 0.1


@dataclass(frozen=True)
class Fit:
    """``background``, the counts, and how they came about.

    ``documents`` read, of which ``repeated`` had the words of an earlier one and ``wordless`` had none: neither was counted;
    ``terms`` different stems, of which the background keeps those in enough documents; ``coverage``, the share of its different
    stems that are kept of a document, on average; ``rejects`` rows and files that could not be read; ``warnings`` of the readers, and
    of a coverage so low that few documents will be weighed by these counts.
    """

    background: DocumentFrequencies
    documents: int
    repeated: int
    wordless: int
    terms: int
    coverage: float
    rejects: int
    warnings: list[str]


class Tally:
    """How often keys were added, batch by batch: sorted runs, of which those of like size are merged (12 bytes a key)."""

    def __init__(self) -> None:
        self._runs: list[tuple[Hashes, Numbers]] = []

    def add(self, keys: Hashes, counts: Numbers) -> None:
        """Add counts to keys, which are sorted and different."""
        self._runs.append((keys, counts))
        # A run is twice as long as the next one, so that each key is merged a logarithmic number of times.
        while len(self._runs) > 1 and len(self._runs[-2][0]) < 2 * len(self._runs[-1][0]):
            self._merge()

    def holds(self, keys: Hashes) -> npt.NDArray[np.bool_]:
        """Which of the keys were added before."""
        found = np.zeros(len(keys), bool)
        for known, _ in self._runs:
            if len(known):
                found |= known[np.minimum(np.searchsorted(known, keys), len(known) - 1)] == keys
        return found

    def total(self) -> tuple[Hashes, Numbers]:
        """All keys, sorted, and their counts."""
        while len(self._runs) > 1:
            self._merge()
        return self._runs[0] if self._runs else (np.empty(0, np.uint64), np.empty(0, np.uint32))

    def _merge(self) -> None:
        keys, counts = (np.concatenate(parts) for parts in zip(*self._runs[-2:], strict=True))
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        starts = np.flatnonzero(run_starts(keys))
        self._runs[-2:] = [(keys[starts], np.add.reduceat(counts[order], starts, dtype=np.uint32) if len(keys) else counts)]


@dataclass(frozen=True, eq=False)
class _Counted:
    """The documents of a batch: ``texts`` uint64[n], a hash of the words of each, 0 where it has none; ``terms``, sorted, and ``rows``."""

    texts: Hashes
    terms: Hashes
    rows: npt.NDArray[np.int64]


def fit_idf(
    inputs: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    config: Config | None = None,
    *,
    least: int = LEAST,
    progress: Callable[[str, int], None] | None = None,
) -> Fit:
    """Count in how many documents of a corpus each stem occurs.

    The counts are the same for any number of threads and any size of batches.

    Parameters
    ----------
    inputs : files, folders and globs, as for ``run``
    config : its sections ``input``, ``text`` and ``run`` count
    least : stems in fewer documents are left out
    progress : called with the name of a stage and the documents read

    Raises
    ------
    InputError
        If an input is missing or has no column that can be used, if no page could be read, or no stem is left.
    ConfigError
        If ``least`` is below 1.
    """
    if least < 1:
        raise ConfigError(f"least must be 1 or more, got {least}.")
    config = config or Config()
    describe_stories = progress or (lambda stage, rows: None)
    log, terms, texts = ReadLog(), Tally(), Tally()
    documents = repeated = wordless = 0
    describe_stories("read", 0)
    pages = _pages(read_files([inputs] if isinstance(inputs, str | os.PathLike) else inputs, config=config, log=log))
    for batch in map_batches(lambda part: _count(part, config), pages, thread_count(config.run.threads)):
        fresh = _first_of_each(batch.texts) & ~texts.holds(batch.texts)
        without_words = batch.texts == 0
        counted = fresh & ~without_words
        texts.add(np.sort(batch.texts[counted]), np.ones(np.count_nonzero(counted), np.uint32))
        terms.add(*_runs(batch.terms[counted[batch.rows]]))
        documents += len(fresh)
        wordless += int(np.count_nonzero(without_words))
        repeated += int(np.count_nonzero(~fresh & ~without_words))
        describe_stories("read", documents)
    if not documents:
        raise InputError("no page could be read: every row or file was rejected. Check the inputs with 'dedup run'.")
    met, counts = terms.total()
    kept = counts >= least
    counted_documents = documents - repeated - wordless
    if not kept.any():
        raise InputError(
            f"no word stands in {least} or more of the {counted_documents:,} different documents, so there is nothing to count. "
            "Give more documents, or lower --least."
        )
    coverage = float(counts[kept].sum(dtype=np.int64) / counts.sum(dtype=np.int64))
    warnings = log.warnings()
    if coverage < NATIVE + MARGIN:
        warnings.append(
            f"of a document's different words the counts know {coverage:.0%} on average, and documents of which they know less than "
            f"{NATIVE:.0%} are weighed without them. Give more documents, or lower --least"
        )
    known = DocumentFrequencies(met[kept], counts[kept], counted_documents)
    return Fit(known, documents, repeated, wordless, len(met), coverage, log.rejects, warnings)


def _pages(batches: Iterable[PageBatch]) -> Iterator[Any]:
    return (batch.pages for batch in batches if batch.pages.num_rows)


def _count(pages: Any, config: Config) -> _Counted:
    """The different terms of each document of some pages, title and text together."""
    documents, _ = documents_of(pages, segmented=config.text.segment)
    fingerprints = fingerprint(documents.column("text"), documents.column("title"), config)
    # What stories leave out of titles.
    titles = without_terms(fingerprints.title_terms, title_stop_terms())
    terms = np.concatenate([titles[0], fingerprints.terms[0]]) & ~FLAGS
    rows = np.concatenate([np.repeat(np.arange(len(offsets) - 1), np.diff(offsets)) for _, offsets in (titles, fingerprints.terms)])
    order = np.lexsort((rows, terms))
    terms, rows = terms[order], rows[order]
    first = run_starts(terms, rows)
    # Half of a digest is enough: among ten million texts, two have one half in common with a chance of 1 in 370,000.
    texts = np.where(fingerprints.words == 0, np.uint64(0), fingerprints.digests[:, 0])
    return _Counted(texts, terms[first], rows[first])


def _first_of_each(keys: Hashes) -> npt.NDArray[np.bool_]:
    first = np.zeros(len(keys), bool)
    first[np.unique(keys, return_index=True)[1]] = True
    return first


def _runs(values: Hashes) -> tuple[Hashes, Numbers]:
    """The different ones of sorted values, and how often each stands there."""
    starts = np.flatnonzero(run_starts(values))
    return values[starts], np.diff(np.append(starts, len(values))).astype(np.uint32)
