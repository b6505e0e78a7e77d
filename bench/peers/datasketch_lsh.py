"""datasketch 2: MinHash in bulk, a MinHashLSH in memory, one query per document.

Uses what its documentation recommends: bulk calls, ``insertion_session``, a faster hash than SHA-1, and ``LeanMinHash``
between processes. It has no threads, so signing and queries are spread over processes, with ``fork`` because the index
then need not be pickled.
"""

from __future__ import annotations

import multiprocessing
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import xxhash
from datasketch import LeanMinHash, MinHash, MinHashLSH

from . import BANDS, PERMUTATIONS, ROWS, THRESHOLD, Answer, Clock, word_shingles

_CHUNK = 500
_shared: dict[str, Any] = {}


def run(path: str, clock: Clock, threads: int, threshold: float | None = None) -> Answer:
    """See ``Peer``."""
    with clock.stage("read"):
        texts = pq.read_table(path, columns=["text"]).column("text").to_pylist()
    context = multiprocessing.get_context("fork")
    starts = range(0, len(texts), _CHUNK)
    with clock.stage("shingle and sign"):
        _shared["texts"] = texts
        with context.Pool(threads) as pool:
            values = np.concatenate(pool.map(_sign, starts))
        sketches = [LeanMinHash(seed=1, hashvalues=row, scheme="affine32") for row in values]
    with clock.stage("insert"):
        params = (BANDS, ROWS) if threshold is None else None  # else the bands that the library derives from the threshold
        lsh = MinHashLSH(threshold=threshold or THRESHOLD, num_perm=PERMUTATIONS, params=params)
        with lsh.insertion_session() as session:
            for i, sketch in enumerate(sketches):
                session.insert(i, sketch, check_duplication=False)
    with clock.stage("query"):
        _shared["lsh"], _shared["sketches"] = lsh, sketches
        with context.Pool(threads) as pool:
            pairs = [pair for part in pool.map(_query, starts) for pair in part]
    return Answer(len(texts), pairs=pairs)


def _sign(start: int) -> npt.NDArray[np.uint32]:
    rows = ([shingle.encode() for shingle in word_shingles(text)] for text in _shared["texts"][start : start + _CHUNK])
    return np.array([sketch.hashvalues for sketch in MinHash.bulk(rows, num_perm=PERMUTATIONS, hashfunc=xxhash.xxh32_intdigest)])


def _query(start: int) -> list[tuple[int, int]]:
    lsh, sketches = _shared["lsh"], _shared["sketches"]
    stop = min(start + _CHUNK, len(sketches))
    return [(i, other) for i in range(start, stop) for other in lsh.query(sketches[i]) if other > i]
