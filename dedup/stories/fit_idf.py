"""Fits background counts to a corpus: in how many of its documents each stem occurs.

Documents are segmented as in a run, the title belongs to its text, and identical texts count once.
Text is streamed: memory is 12 bytes for each different stem and each different text.
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
#: Stems in fewer documents are omitted: they count as rare anyway.
LEAST = 4
#: A mean coverage less than this above ``NATIVE`` means that many documents are below ``NATIVE``: a
#: warning.
MARGIN = 0.1


@dataclass(frozen=True)
class Fit:
    """``background``, the counts, and a summary of how they were fitted.

    ``documents`` were read; ``repeated`` of them had the words of an earlier one and ``wordless``
    had none, and neither was counted. ``terms`` different stems, of which the background keeps
    those in enough documents; ``coverage``, the mean share of a document's different stems that is
    kept; ``rejects``, rows and files that could not be read; ``warnings`` of the readers and about
    low coverage.
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
    """Counts keys batch by batch, in sorted runs; runs of similar size are merged (12 bytes a key)."""

    def __init__(self) -> None:
        self._runs: list[tuple[Hashes, Numbers]] = []

    def add(self, keys: Hashes, counts: Numbers) -> None:
        """Add counts to keys, which are sorted and different."""
        self._runs.append((keys, counts))
        # Each run is at least twice as long as the next, so a key is merged a logarithmic number of
        # times.
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
    """The documents of a batch: ``texts`` uint64[n], a hash of the words of each, 0 if it has none; ``terms``, sorted, and ``rows``."""

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

    The counts do not depend on the number of threads or the size of batches.

    Parameters
    ----------
    inputs : files, folders and globs, as for ``run``
    config : only its sections ``input``, ``text`` and ``run`` matter
    least : stems in fewer documents are omitted
    progress : called with the name of a stage and the number of documents read so far

    Raises
    ------
    InputError
        If an input is missing or has no usable column, no page can be read, or no stem is left.
    ConfigError
        If ``least`` is below 1.
    """
    if least < 1:
        raise ConfigError(f"least must be 1 or more, got {least}.")
    config = config or Config()
    report = progress or (lambda stage, rows: None)
    log, terms, texts = ReadLog(), Tally(), Tally()
    documents = repeated = wordless = 0
    report("read", 0)
    pages = _pages(read_files([inputs] if isinstance(inputs, str | os.PathLike) else inputs, config=config, log=log))
    for batch in map_batches(lambda part: _count(part, config), pages, thread_count(config.run.threads)):
        fresh = _is_first(batch.texts) & ~texts.holds(batch.texts)
        without_words = batch.texts == 0
        counted = fresh & ~without_words
        texts.add(np.sort(batch.texts[counted]), np.ones(np.count_nonzero(counted), np.uint32))
        terms.add(*_count_sorted(batch.terms[counted[batch.rows]]))
        documents += len(fresh)
        wordless += int(np.count_nonzero(without_words))
        repeated += int(np.count_nonzero(~fresh & ~without_words))
        report("read", documents)
    if not documents:
        raise InputError("no page could be read: all rows and files were rejected. Check the inputs with 'dedup run'.")
    met, counts = terms.total()
    kept = counts >= least
    counted_documents = documents - repeated - wordless
    if not kept.any():
        raise InputError(
            f"no word occurs in {least} or more of the {counted_documents:,} different documents, so there is nothing to count. "
            "Use more documents, or lower --least."
        )
    coverage = float(counts[kept].sum(dtype=np.int64) / counts.sum(dtype=np.int64))
    warnings = log.warnings()
    if coverage < NATIVE + MARGIN:
        warnings.append(
            f"the counts cover {coverage:.0%} of a document's different words on average, and documents that they cover to less than "
            f"{NATIVE:.0%} are weighed without them. Use more documents, or lower --least"
        )
    known = DocumentFrequencies(met[kept], counts[kept], counted_documents)
    return Fit(known, documents, repeated, wordless, len(met), coverage, log.rejects, warnings)


def _pages(batches: Iterable[PageBatch]) -> Iterator[Any]:
    return (batch.pages for batch in batches if batch.pages.num_rows)


def _count(pages: Any, config: Config) -> _Counted:
    """The different terms of each document of some pages, title and text together."""
    documents, _ = documents_of(pages, segmented=config.text.segment)
    fingerprints = fingerprint(documents.column("text"), documents.column("title"), config)
    # Stories ignore these words in titles.
    titles = without_terms(fingerprints.title_terms, title_stop_terms())
    terms = np.concatenate([titles[0], fingerprints.terms[0]]) & ~FLAGS
    rows = np.concatenate([np.repeat(np.arange(len(offsets) - 1), np.diff(offsets)) for _, offsets in (titles, fingerprints.terms)])
    order = np.lexsort((rows, terms))
    terms, rows = terms[order], rows[order]
    first = run_starts(terms, rows)
    # Half of a digest is enough: the chance that two of ten million texts share it is 1 in 370,000.
    texts = np.where(fingerprints.words == 0, np.uint64(0), fingerprints.digests[:, 0])
    return _Counted(texts, terms[first], rows[first])


def _is_first(keys: Hashes) -> npt.NDArray[np.bool_]:
    first = np.zeros(len(keys), bool)
    first[np.unique(keys, return_index=True)[1]] = True
    return first


def _count_sorted(values: Hashes) -> tuple[Hashes, Numbers]:
    """The different values among sorted ones, and how often each occurs."""
    starts = np.flatnonzero(run_starts(values))
    return values[starts], np.diff(np.append(starts, len(values))).astype(np.uint32)
