"""Make ``dedup/data/background.npz``: in how many documents of a corpus each stem occurs.

    python -m bench.background CORPUS...        (Parquet or JSON lines with title and text)

Only 64-bit hashes of stems and their counts leave this script. Stems in fewer than LEAST documents are
left out: they count as rare anyway.
"""

from __future__ import annotations

import sys
from importlib import resources

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedup import Config
from dedup.background import FLAGS
from dedup.buffers import text_rows
from dedup.folding import fold_table
from dedup.kernels.terms import term_rows
from dedup.readers import ReadLog, read_files
from dedup.texts import stem_table

LEAST = 4


def main(paths: list[str]) -> None:
    """Count, write."""
    seen = []
    documents = 0
    for batch in read_files(paths, config=Config(), log=ReadLog()):
        texts = pc.binary_join_element_wise(
            batch.pages.column("title").cast(pa.large_string()).fill_null(""),
            batch.pages.column("text").fill_null(""),
            pa.scalar("\n", pa.large_string()),
        )
        terms, offsets, _, _ = term_rows(*text_rows(texts), 1 << 40, *fold_table().arrays(), *stem_table().arrays())
        terms &= ~FLAGS
        rows = np.repeat(np.arange(len(texts)), np.diff(offsets))
        order = np.lexsort((rows, terms))
        terms, rows = terms[order], rows[order]
        first = np.ones(len(terms), bool)
        first[1:] = (terms[1:] != terms[:-1]) | (rows[1:] != rows[:-1])
        seen.append(np.unique(terms[first], return_counts=True))
        documents += len(texts)
    terms = np.concatenate([part[0] for part in seen])
    unique, places = np.unique(terms, return_inverse=True)
    counts = np.bincount(places, weights=np.concatenate([part[1] for part in seen])).astype(np.uint32)
    kept = counts >= LEAST
    with resources.as_file(resources.files("dedup.data").joinpath("background.npz")) as target:
        np.savez_compressed(target, terms=unique[kept], counts=counts[kept], documents=np.int64(documents))


if __name__ == "__main__":
    main(sys.argv[1:])
