"""Other systems that find near-duplicates, each run as its documentation recommends for speed.

    python -m bench.peers NAME INPUT.parquet OUT.json

runs one of them in its own process, so that its peak memory is measured alone and it may have its own virtual
environment: these files import the standard library, pyarrow and one peer, never ``dedup`` (except ``ours.py``). Every
peer gets 128 permutations in 32 bands of 4, two threads or processes, and texts that are already folded to letters
and digits with one space between tokens, so that its word 3-grams equal our shingles. Folding is thus free for the
peers; we start from the raw text.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

PERMUTATIONS, BANDS, ROWS, WORDS = 128, 32, 4, 3
#: Similarity of near copies, for peers that need a threshold.
THRESHOLD = 0.5
#: The stages of all peers, grouped into three comparable steps.
STEPS = {
    "text to signatures": (
        "read", "shingle", "sign", "shingle and sign", "shingle, sign and insert", "read, shingle and sign",
        "read, fold and shingle",
    ),
    "look up": ("insert", "query", "sign again and query", "match bands", "cluster", "candidates"),
    "verify and group": (
        "verify", "weights", "headlines", "choose survivors", "coverage", "group", "list exact copies", "rest of copies",
        "tables and the rest",
    ),
    "write": ("write",),
}  # fmt: skip


@dataclass
class Clock:
    """Seconds of each stage, summed, in the order in which stages first ran."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time the body of a ``with`` statement."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - begun


@dataclass
class Answer:
    """What a peer finds in the rows of its input.

    ``pairs`` are its duplicates; ``listed`` are more pairs that it measured and lists as something else; ``labels`` are the
    cluster numbers of the rows; ``flags`` say which rows have a duplicate, for a peer that gives no more. ``kept`` says
    which rows a peer leaves in its filtered output, if it writes one. ``ids`` name the
    rows unless they are the input rows in order. ``excluded`` are seconds that are not the peer's own, such as splitting
    the input file.
    """

    rows: int
    pairs: list[tuple[int, int]] | None = None
    listed: list[tuple[int, int]] | None = None
    labels: list[int] | None = None
    flags: list[bool] | None = None
    ids: list[str] | None = None
    kept: list[bool] | None = None
    excluded: float = 0.0
    details: dict[str, float] = field(default_factory=dict)


class Peer(Protocol):
    """A function that finds duplicates in a Parquet file with the columns ``id`` and ``text``."""

    def __call__(self, path: str, clock: Clock, threads: int, threshold: float | None = None) -> Answer:
        """Run once; only seconds inside a stage of ``clock`` count. A ``threshold`` is applied as users of the peer do."""
        ...


@dataclass(frozen=True)
class Entry:
    """A peer: its function, the packages that it needs, and what it leaves to its user."""

    module: str
    function: str
    package: str
    needs: str
    raw: bool = False
    folding: str = "no"
    verification: str = "no"
    excerpts: str = "no"
    groups: str = "no"
    explanation: str = "no"
    note: str = ""


_CLOSURE = "transitive closure"
PEERS = {
    "dedup": Entry(
        "ours", "run", "dedup-news", "dedup", raw=True, folding="yes", verification="exact, every pair", excerpts="yes",
        groups="each member matched with the canonical", explanation="kind, jaccard, containment, side", note="from raw text",
    ),
    "datasketch": Entry(
        "datasketch_lsh", "run", "datasketch", "datasketch,xxhash",
        note="MinHash.bulk with xxhash and queries in processes, LeanMinHash, insertion_session",
    ),
    "rensa": Entry("rensa_lsh", "run", "rensa", "rensa", note="R-MinHash of the full set: from_token_sets, insert_many, query_all"),
    "rensa-rho": Entry(
        "rensa_lsh", "run_rho", "rensa", "rensa",
        note="its fastest: samples token positions; says only which rows have a duplicate, not of what",
    ),
    "gaoya": Entry(
        "gaoya_lsh", "run", "gaoya", "gaoya", verification="estimate from the sketch", explanation="estimate on request",
        note="par_bulk_insert_docs, par_bulk_query; the query signs every text again",
    ),
    "text-dedup": Entry(
        "text_dedup_minhash", "run", "text-dedup", "text_dedup", groups=_CLOSURE, note="fingerprint, cluster, assign, with num_proc",
    ),
    "text-dedup-checked": Entry(
        "text_dedup_minhash", "run_checked", "text-dedup", "text_dedup", verification="exact, but clusters formed before stay",
        groups=_CLOSURE, note="the same with check_false_positive, as its README shows",
    ),
    "datatrove": Entry(
        "datatrove_minhash", "run", "datatrove", "datatrove,spacy", folding="vowel marks, digits to 0 (off here)",
        groups=_CLOSURE, note="stages 1 to 3 with workers, spaCy words for Arabic; stage 4 (rewriting) not run",
    ),
    "datatrove-split": Entry(
        "datatrove_minhash", "run_split", "datatrove", "datatrove", folding="vowel marks, digits to 0 (off here)",
        groups=_CLOSURE, note="the same with str.split in the place of spaCy, which it does not offer",
    ),
    "rewrite": Entry("rewrite", "run", "pyarrow", "pyarrow", raw=True, note="no peer: pyarrow reads the file and writes it with zstd"),
}  # fmt: skip


def steps(stages: dict[str, float]) -> dict[str, float]:
    """The seconds of each step in ``STEPS``."""
    step_of = {stage: step for step, names in STEPS.items() for stage in names}
    sums: dict[str, float] = {}
    for stage, seconds in stages.items():
        sums[step_of[stage]] = sums.get(step_of[stage], 0.0) + seconds
    return sums


def word_shingles(text: str) -> list[str]:
    """The word 3-grams of a folded text, repeats kept, for libraries without a tokenizer."""
    words = text.split(" ")
    return [" ".join(shingle) for shingle in zip(words, words[1:], words[2:], strict=False)] or [text]
