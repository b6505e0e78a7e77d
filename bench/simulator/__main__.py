"""Writes a simulated crawl of any size as Parquet.

    python -m bench.simulator CORPUS... --documents 1000000 -o FILE.parquet [--seed 0]

The texts read like the corpora but report nothing. They contain words and phrases of real articles: do not ship them.
"""

from __future__ import annotations

import argparse
import time

import pyarrow.parquet as pq

from .simulate import SIMULATED, read_articles
from .stream import stream


def main() -> None:
    """Read the corpora, write the crawl."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.simulator", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpora", nargs="+")
    parser.add_argument("--documents", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--out", required=True)
    options = parser.parse_args()
    begun = time.perf_counter()
    rows = copies = 0
    with pq.ParquetWriter(options.out, SIMULATED, compression="zstd") as writer:
        for batch in stream(read_articles(options.corpora), documents=options.documents, seed=options.seed):
            writer.write_batch(batch)
            rows += len(batch)
            copies += len(batch) - batch.column("relation").to_pylist().count("original")
            print(f"\r{rows:,} documents, {copies / rows:.1%} of them edited copies", end="", flush=True)
    print(f", {time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
