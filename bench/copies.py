"""Copies: recall against brute force, and speed against datasketch, on one corpus in one run.

    python -m bench.copies CORPUS [-o FILE.json]

datasketch is used as its documentation says to for speed: ``MinHash.bulk`` over byte shingles,
``MinHashLSH.insertion_session``, then a query for each document; 128 permutations, 32 bands of 4 rows. It gets
the same shingles, ready made; what it does not do (folding, shingling, verification, excerpts, groups) it is not
charged for. The second ratio adds what its users must do at least, 3-word shingles by ``str.split`` without
folding; the third counts only the stage of ours that starts from fingerprints, as it does.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
from datasketch import MinHash, MinHashLSH

import dedup
from bench.brute_force import all_pairs
from dedup import Config
from dedup.fingerprint import fingerprint
from dedup.readers import ReadLog, read_files

JACCARD, CONTAINMENT = 0.5, 0.7


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus")
    parser.add_argument("-o", "--out")
    options = parser.parse_args()
    report = measure(options.corpus)
    text = json.dumps(report, indent=2)
    print(text)
    if options.out:
        Path(options.out).write_text(text + "\n", encoding="utf-8")


def measure(corpus: str) -> dict[str, object]:
    """Run both on ``corpus``."""
    config = Config()
    dedup.find_copies(corpus)  # compiles the kernels and warms the page cache
    begun = time.perf_counter()
    result = dedup.find_copies(corpus)
    ours = time.perf_counter() - begun

    batches = [batch.pages for batch in read_files([corpus], config=config, log=ReadLog())]
    texts = pa.chunked_array([batch.column("text") for batch in batches])
    texts = texts.filter(texts.is_valid())
    rows = [[shingle.encode() for shingle in set(dedup.shingle(text))] for text in texts.to_pylist()]
    begun = time.perf_counter()
    for text in texts.to_pylist():
        words = text.split()
        {" ".join(words[i : i + 3]).encode() for i in range(len(words) - 2)}
    shingling = time.perf_counter() - begun
    begun = time.perf_counter()
    sketches = MinHash.bulk(rows, num_perm=128)
    lsh = MinHashLSH(num_perm=128, params=(32, 4))
    with lsh.insertion_session() as session:
        for i, sketch in enumerate(sketches):
            session.insert(i, sketch, check_duplication=False)
    for sketch in sketches:
        lsh.query(sketch)
    theirs = time.perf_counter() - begun
    documents = result.documents.num_rows
    return {
        "documents": documents,
        "dedup_seconds": round(ours, 3),
        "dedup_stages": {stage["stage"]: stage["seconds"] for stage in result.manifest["stages"]},
        "datasketch_seconds_on_ready_shingles": round(theirs, 3),
        "datasketch_seconds_with_plain_shingling": round(theirs + shingling, 3),
        "ratio_file_to_groups_over_datasketch_with_plain_shingling": round((theirs + shingling) / ours, 2),
        "ratio_file_to_groups_over_datasketch_on_ready_shingles": round(theirs / ours, 2),
        "ratio_fingerprints_to_groups_over_datasketch_on_ready_shingles": round(theirs / result.manifest["stages"][1]["seconds"], 2),
        "recall": recall(result, corpus),
    }


def recall(result: dedup.Result, corpus: str) -> dict[str, object]:
    """The share of all pairs over the thresholds that the run lists, exact copies among them."""
    config = Config()
    documents = result.documents.to_pydict()
    kept = [i for i, (role, status) in enumerate(zip(documents["role"], documents["status"], strict=True))
            if role != "headline" and status != "short"]  # fmt: skip
    texts = _texts(result, corpus)
    prints = fingerprint(pa.array([texts[i] for i in kept], pa.large_string()), pa.nulls(len(kept), pa.string()), config)
    shingles, offsets = prints.shingles
    left, right, shared = all_pairs(shingles, offsets, jaccard=JACCARD, containment=CONTAINMENT)
    sizes = np.diff(offsets)
    jaccard = shared / (sizes[left] + sizes[right] - shared)
    containment = shared / np.minimum(sizes[left], sizes[right])
    ids = [documents["doc_id"][i] for i in kept]
    listed = {(row["doc_id_a"], row["doc_id_b"]): row for row in result.matches.to_pylist()}
    found = np.array([(ids[a], ids[b]) in listed for a, b in zip(left, right, strict=True)])
    wrong = sum(
        abs(listed[ids[a], ids[b]]["jaccard"] - j) > 1e-6 or abs(listed[ids[a], ids[b]]["containment"] - c) > 1e-6
        for a, b, j, c, hit in zip(left, right, jaccard, containment, found, strict=True)
        if hit
    )
    return {
        f"pairs_jaccard_{JACCARD}": int((jaccard >= JACCARD).sum()),
        f"recall_jaccard_{JACCARD}": round(float(found[jaccard >= JACCARD].mean()), 5),
        f"pairs_containment_{CONTAINMENT}": int((containment >= CONTAINMENT).sum()),
        f"recall_containment_{CONTAINMENT}": round(float(found[containment >= CONTAINMENT].mean()), 5),
        "numbers_that_differ_from_brute_force": int(wrong),
    }


def _texts(result: dedup.Result, corpus: str) -> list[str]:
    """The text of each document of a result, read again."""
    from dedup.documents import documents_of

    by_id: dict[str, str] = {}
    for batch in read_files([corpus], config=Config(), log=ReadLog()):
        documents, _ = documents_of(batch.pages)
        for doc_id, text in zip(documents.column("doc_id").to_pylist(), documents.column("text").to_pylist(), strict=True):
            by_id.setdefault(doc_id, text)
    return [by_id[doc_id] for doc_id in result.documents.column("doc_id").to_pylist()]


if __name__ == "__main__":
    main()
