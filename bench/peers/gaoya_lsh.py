"""gaoya 0.2: tokens, word 3-grams, sketches and the index in Rust, on Rayon's threads (RAYON_NUM_THREADS).

Its tokenizer splits at ASCII punctuation and white space, so folded texts give our shingles. It cannot query with
existing signatures, so the query signs every text again.
"""

from __future__ import annotations

import pyarrow.parquet as pq
from gaoya.minhash import MinHashStringIndex

from . import BANDS, ROWS, THRESHOLD, WORDS, Answer, Clock


def run(path: str, clock: Clock, threads: int, threshold: float | None = None) -> Answer:
    """See ``Peer``."""
    with clock.stage("read"):
        texts = pq.read_table(path, columns=["text"]).column("text").to_pylist()
    index = MinHashStringIndex(
        hash_size=32, jaccard_threshold=threshold or THRESHOLD, num_bands=BANDS, band_size=ROWS, num_hashes=None,
        analyzer="word", lowercase=False, ngram_range=(WORDS, WORDS), id_container="smallvec",
    )  # fmt: skip
    with clock.stage("shingle, sign and insert"):
        index.par_bulk_insert_docs(list(range(len(texts))), texts)
    with clock.stage("sign again and query"):
        pairs = [(i, other) for i, others in enumerate(index.par_bulk_query(texts)) for other in others if other > i]
    return Answer(len(texts), pairs=pairs)
