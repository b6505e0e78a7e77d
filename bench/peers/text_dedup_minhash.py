r"""text-dedup: the steps of its ``minhash.main`` in order, without writing the filtered data set.

Its tokenizer (lower case, split at ``\W``) leaves folded texts unchanged, so its 3-grams are our shingles.
``run_checked`` adds its exact check of pairs, which runs inside the clusters already formed.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import datasets
from text_dedup import minhash
from text_dedup.config.base import load_config_from_toml

from . import BANDS, PERMUTATIONS, ROWS, THRESHOLD, WORDS, Answer, Clock

datasets.disable_progress_bars()


def run(path: str, clock: Clock, threads: int, threshold: float | None = None) -> Answer:
    """See ``Peer``: candidates are duplicates."""
    return _run(path, clock, threads, threshold, checked=False)


def run_checked(path: str, clock: Clock, threads: int, threshold: float | None = None) -> Answer:
    """See ``Peer``: with ``check_false_positive``."""
    return _run(path, clock, threads, threshold, checked=True)


def _run(path: str, clock: Clock, threads: int, threshold: float | None, *, checked: bool) -> Answer:
    with tempfile.TemporaryDirectory() as folder:  # its data sets cache every step on disk
        config = _config(path, folder, threads, threshold, checked)
        with clock.stage("read"):
            documents, rows, _ = minhash.load_and_preprocess(config)
        with clock.stage("shingle and sign"):
            bands = minhash.fingerprint(config, documents)
        with clock.stage("cluster"):
            parents = minhash.cluster(config, bands)
            documents = minhash.assign(config, documents, parents)
        if checked:
            with clock.stage("verify"):
                documents, parents = minhash.check_false_positives(config, documents)
    # Cluster numbers are no rows: keep them apart from the numbers of rows without a cluster.
    return Answer(rows, labels=[rows + parents[i] if i in parents else i for i in range(rows)])


def _config(path: str, folder: str, threads: int, threshold: float | None, checked: bool) -> Any:
    """Its configuration, which it reads only from a TOML file."""
    file = Path(folder) / "config.toml"
    # Without bands and rows it derives them from the threshold.
    bands = f"bands = {BANDS}\nrows = {ROWS}" if threshold is None else ""
    text = f"""
[input]
input_type = "local_files"
file_type = "parquet"
[input.read_arguments]
path = "parquet"
data_files = {json.dumps(path)}
split = "train"
cache_dir = {json.dumps(folder)}
[algorithm]
algorithm_name = "minhash"
text_column = "text"
num_proc = {threads}
num_perm = {PERMUTATIONS}
{bands}
ngram_size = {WORDS}
min_length = 1
threshold = {threshold or THRESHOLD}
check_false_positive = {json.dumps(checked)}
[output]
output_dir = {json.dumps(folder)}
[debug]
enable_profiling = false
"""
    file.write_text(text, encoding="utf-8")
    return load_config_from_toml(file)
