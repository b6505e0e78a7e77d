"""datatrove: stages 1 to 3 of its MinHash pipeline, each by a LocalPipelineExecutor with one worker per thread.

A task reads whole files, so the input is first split into one file per worker, untimed. Workers are forked, which
saves their imports. Its normalization is off: the texts are folded already, and replacing digits by 0 would make
other shingles. Stage 4, which copies the input without the duplicates, is not run; no other peer does that.
"""

from __future__ import annotations

import struct
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from datatrove.executor.local import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets, MinhashDedupCluster
from datatrove.pipeline.readers import ParquetReader
from datatrove.utils.logging import logger
from datatrove.utils.text import TextNormConfig
from datatrove.utils.typeshelper import Languages

from . import BANDS, PERMUTATIONS, ROWS, WORDS, Answer, Clock


class _Split:
    """Words split at white space, for texts whose tokens are known."""

    def word_tokenize(self, text: str) -> list[str]:
        return text.split()


def run(path: str, clock: Clock, threads: int, threshold: float | None = None) -> Answer:
    """See ``Peer``: with spaCy, its tokenizer for Arabic."""
    return _run(path, clock, threads, threshold, tokenizer=None)


def run_split(path: str, clock: Clock, threads: int, threshold: float | None = None) -> Answer:
    """See ``Peer``: with ``str.split`` in place of spaCy."""
    return _run(path, clock, threads, threshold, tokenizer=_Split())


def _run(path: str, clock: Clock, threads: int, threshold: float | None, *, tokenizer: Any) -> Answer:
    logger.remove()
    off = TextNormConfig(
        lowercase=False, norm_whitespace=False, remove_punctuation=False, norm_unicode_diacritics=False, norm_numbers=False
    )
    bands, rows = (BANDS, ROWS) if threshold is None else _banding(threshold)
    config = MinhashConfig(n_grams=WORDS, num_buckets=bands, hashes_per_bucket=rows, norm_config=off)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        begun = time.perf_counter()
        parts = _cut(path, folder / "input", threads)
        excluded = time.perf_counter() - begun
        signing = MinhashDedupSignature(output_folder=str(folder / "signatures"), config=config, language=Languages.arabic)
        if tokenizer is not None:
            signing.word_tokenizer = tokenizer

        def execute(number: int, pipeline: list[Any], tasks: int) -> None:
            logs = str(folder / f"logs{number}")
            LocalPipelineExecutor(pipeline, tasks=tasks, workers=min(tasks, threads), logging_dir=logs, start_method="fork").run()

        with clock.stage("read, shingle and sign"):
            execute(1, [ParquetReader(str(folder / "input"), text_key="text", id_key="id"), signing], threads)
        with clock.stage("match bands"):
            execute(2, [MinhashDedupBuckets(str(folder / "signatures"), str(folder / "buckets"), config=config)], bands)
        with clock.stage("cluster"):
            execute(3, [MinhashDedupCluster(str(folder / "buckets"), str(folder / "removed"), config=config, save_cluster_id=True)], 1)
        labels, kept = _labels(folder / "removed", parts), _kept(folder / "removed", parts)
    return Answer(len(labels), labels=labels, kept=kept, excluded=excluded)


def _cut(path: str, folder: Path, parts: int) -> list[int]:
    """Write the input as ``parts`` files; the number of rows of each."""
    folder.mkdir()
    table = pq.read_table(path, columns=["id", "text"])
    size = -(-table.num_rows // parts)
    pieces = [table.slice(first, size) for first in range(0, table.num_rows, size)]
    for i, piece in enumerate(pieces):
        pq.write_table(piece, folder / f"{i:05d}.parquet", compression="zstd")
    return [piece.num_rows for piece in pieces]


def _labels(folder: Path, parts: list[int]) -> list[int]:
    """The cluster of each row; rows without one get their own numbers."""
    total, first = sum(parts), 0
    labels = list(range(total))
    for part, rows in enumerate(parts):
        file = folder / f"{part:06d}.clusters"
        if file.exists():
            for row, cluster in struct.iter_unpack("<2I", file.read_bytes()):
                labels[first + row] = total + cluster
        first += rows
    return labels


def _kept(folder: Path, parts: list[int]) -> list[bool]:
    """Whether stage 4 would leave each row."""
    kept, first = [True] * sum(parts), 0
    for part, rows in enumerate(parts):
        file = folder / f"{part:06d}.remove"
        if file.exists():
            for (row,) in struct.iter_unpack("<I", file.read_bytes()):
                kept[first + row] = False
        first += rows
    return kept


def _banding(threshold: float) -> tuple[int, int]:
    """Bands and rows, since it knows no threshold: those whose curve is steepest nearest to it, at 1 / bands ** (1 / rows)."""
    ways = [(PERMUTATIONS // rows, rows) for rows in range(1, PERMUTATIONS // 2 + 1)]
    return min(ways, key=lambda way: abs(way[0] ** (-1 / way[1]) - threshold))
