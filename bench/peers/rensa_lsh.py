"""rensa 0.5: sketches in Rust from token lists, on Rayon's threads (RAYON_NUM_THREADS)."""

from __future__ import annotations

import pyarrow.parquet as pq
from rensa import RMinHash, RMinHashLSH

from . import BANDS, PERMUTATIONS, THRESHOLD, Answer, Clock, word_shingles

_SEED = 42


def run(path: str, clock: Clock, threads: int, threshold: float | None = None) -> Answer:
    """See ``Peer``: R-MinHash over all shingles; pairs from ``query_all``."""
    rows = _shingles(path, clock)
    with clock.stage("sign"):
        sketches = RMinHash.from_token_sets(rows, num_perm=PERMUTATIONS, seed=_SEED)
    with clock.stage("insert"):
        lsh = RMinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS, num_bands=BANDS)
        lsh.insert_many(sketches)
    with clock.stage("query"):
        pairs = [(i, other) for i, others in enumerate(lsh.query_all(sketches)) for other in others if other > i]
        if threshold is not None:  # the check of its README
            pairs = [(i, j) for i, j in pairs if sketches[i].jaccard(sketches[j]) >= threshold]
    return Answer(len(rows), pairs=pairs)


def run_rho(path: str, clock: Clock, threads: int, threshold: float | None = None) -> Answer:
    """See ``Peer``: the pipeline of its published figures, with the ``probes`` of its own benchmark."""
    rows = _shingles(path, clock)
    with clock.stage("sign"):
        matrix = RMinHash.digest_matrix_from_token_sets_rho(rows, num_perm=PERMUTATIONS, seed=_SEED, probes=4)
    with clock.stage("query"):
        lsh = RMinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS, num_bands=BANDS)
        flags = [bool(flag) for flag in lsh.query_duplicate_flags_matrix_one_shot(matrix)]
    return Answer(len(rows), flags=flags)


def _shingles(path: str, clock: Clock) -> list[list[str]]:
    with clock.stage("read"):
        texts = pq.read_table(path, columns=["text"]).column("text").to_pylist()
    with clock.stage("shingle"):
        return [word_shingles(text) for text in texts]
