"""Compares made texts with a real corpus in the properties that a search for copies depends on.

*Seen*: share of a text's 3-word shingles that occur in one of the other texts. *Shared*: shingles that two unrelated
texts share on average, mostly very common ones. *Unseen*: share of words that the other texts lack.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dedup import Config
from dedup.arrays.rows import Rows
from dedup.fingerprints.fingerprint import fingerprint, fingerprint_with_tokens

from .passages import SHORTEST, Passages

HELD = 400
#: Range of ``Passages.half``.
HALVES = (2.0, 400.0)


def shingles_of(texts: Any) -> Rows:
    """Rows of sorted unique shingle hashes."""
    texts = pa.array(list(texts), pa.large_string()) if not isinstance(texts, pa.Array | pa.ChunkedArray) else texts
    return fingerprint(texts, pa.nulls(len(texts), pa.large_string()), Config()).shingles


def likeness(texts: Any, held: int = HELD) -> dict[str, float]:
    """``seen``, ``shared`` and ``unseen`` of the first texts against the rest."""
    texts = pa.array(list(texts), pa.large_string()) if not isinstance(texts, pa.Array | pa.ChunkedArray) else texts
    keys, offsets = shingles_of(texts)
    counts = _counts(np.sort(keys[offsets[held] :]), keys[: offsets[held]])
    _, (tokens, starts), _ = fingerprint_with_tokens(texts, pa.nulls(len(texts), pa.large_string()), Config())
    known = np.isin(tokens[: starts[held]], np.unique(tokens[starts[held] :]))
    return {
        "texts": len(texts) - held,
        "seen": round(float((counts > 0).mean()), 4),
        "shared": round(float(counts.sum()) / held / (len(texts) - held), 4),
        "unseen": round(1 - float(known.mean()), 4),
        "words": len(np.unique(tokens)),
    }


def _counts(sorted_keys: np.ndarray, keys: np.ndarray) -> np.ndarray:
    return np.searchsorted(sorted_keys, keys, "right") - np.searchsorted(sorted_keys, keys)


def fitted(texts: Sequence[str], real: dict[str, float], *, fresh: int, mean_words: int, seed: int) -> tuple[Passages, dict[str, float]]:
    """Passages whose texts are as like each other as the same number of real ones; and their likeness.

    ``half`` is found by bisection of its logarithm: what two texts share can only fall with it.
    """
    # Compare with the lengths of the real texts: longer texts share more.
    corpus = Passages.over(texts, unseen=real["unseen"], fresh=fresh, mean_words=round(real["mean_words"]))
    low, high = np.log(HALVES)
    for _ in range(6):
        middle = (low + high) / 2
        passages = corpus.giving_way(float(np.exp(middle)), seed)
        made = likeness(passages.spelled(passages.write(int(real["texts"]) + HELD, np.random.default_rng([seed, 4]))))
        low, high = (middle, high) if made["seen"] > real["seen"] else (low, middle)
    passages = replace(passages, lengths=np.maximum(SHORTEST, corpus.lengths * mean_words // round(real["mean_words"])))
    return passages, made | {"half": round(float(np.exp(middle)), 1)}


def likeness_in_crawl(folder: Path, sample: int = HELD) -> dict[str, float]:
    """``likeness`` of the new texts in ``probes.parquet`` against the whole crawl, which is read once."""
    probes = pq.read_table(folder / "probes.parquet", columns=["text", "kind"])
    texts = probes.filter(pc.equal(probes["kind"], "new"))["text"].combine_chunks()[:sample]
    keys, _ = shingles_of(texts)
    distinct = np.unique(keys)
    times, texts_met, words = np.zeros(len(distinct), np.int64), 0, np.empty(0, np.uint64)
    for group in range((file := pq.ParquetFile(folder / "crawl.parquet")).num_row_groups):
        read = file.read_row_group(group, columns=["text", "kind"])
        read = read.filter(pc.equal(read["kind"], "new"))["text"].combine_chunks()
        prints, (tokens, _), _ = fingerprint_with_tokens(read, pa.nulls(len(read), pa.large_string()), Config())
        places = np.searchsorted(distinct, prints.shingles[0])
        places[places == len(distinct)] = 0
        times += np.bincount(places[distinct[places] == prints.shingles[0]], minlength=len(distinct))
        texts_met += len(read)
        words = np.union1d(words, np.unique(tokens))
    _, (asked, _), _ = fingerprint_with_tokens(texts, pa.nulls(len(texts), pa.large_string()), Config())
    counts = times[np.searchsorted(distinct, keys)]
    return {
        "texts": texts_met,
        "seen": round(float((counts > 0).mean()), 4),
        "shared": round(float(counts.sum()) / len(texts) / texts_met, 4),
        "unseen": round(1 - float(np.isin(asked, words).mean()), 4),
        "words": len(words),
    }
