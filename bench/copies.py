"""Copies: dedup beside its peers, end to end and by stage, on one corpus in one run.

    python -m bench.copies CORPUS [--peers rensa,gaoya] [-o OUT_FOLDER] [--python text-dedup=/venv/bin/python]

All read one Parquet file of the same documents, each in its own process with two threads (or processes), 128
permutations and 32 bands of 4 rows; ``bench/peers/__init__.py`` says what the peers get. Imports, compilation and a
warm-up run on the first 300 rows are not timed. Seconds are the best of all rounds. Ratios are medians of the ratios
within a round, because other load on the machine slows all contenders of a round alike.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.peers import BANDS, PEERS, PERMUTATIONS, ROWS, STEPS, WORDS, steps
from bench.peers.inputs import Inputs, make_inputs
from bench.peers.process import run_peer
from bench.peers.score import against_readers, brute_force, scores
from bench.tables import print_tables

OURS, BASELINE = "dedup", "rewrite"


def main() -> None:
    """Measure, print, and write ``report.json`` and ``picture.svg``."""
    options = _options()
    names = [OURS, BASELINE, *(name for name in options.peers.split(",") if name not in ("", OURS, BASELINE))]
    unknown = [name for name in names if name not in PEERS]
    if unknown:
        sys.exit(f"no such peer: {', '.join(unknown)}. Choose from: {', '.join(PEERS)}.")
    with tempfile.TemporaryDirectory() as folder:
        inputs = make_inputs(options.corpus, Path(folder))
        rounds = _rounds(names, inputs, options)
        report = _report(rounds, names, inputs, options)
    print_tables(report)
    if options.out:
        out = Path(options.out)
        out.mkdir(parents=True, exist_ok=True)
        (out / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        _draw(report, out)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", help="anything that dedup reads")
    parser.add_argument("--peers", default=",".join(PEERS), help="names, with commas between (all)")
    parser.add_argument("-o", "--out", help="folder for report.json, picture.svg and picture.png")
    parser.add_argument("--python", action="append", default=[], metavar="NAME=PATH", help="run a peer in another virtual environment")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--once-above", type=float, default=30.0, help="a peer that takes more seconds runs in the first round only")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--warm-rows", type=int, default=300)
    parser.add_argument("--labels", help="JSON lines of read pairs (a, b: url; label; sure) to score everyone by as well")
    return parser.parse_args()


def _rounds(names: list[str], inputs: Inputs, options: argparse.Namespace) -> dict[str, list[dict[str, Any]]]:
    """The reports of each peer, one per round; every second round runs in reverse order."""
    pythons = dict(item.split("=", 1) for item in options.python)
    reports: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for turn in range(options.rounds):
        for name in names[:: 1 if turn % 2 == 0 else -1]:
            earlier = reports[name]
            if earlier and ("failed" in earlier[0] or earlier[0]["seconds"] > options.once_above):
                continue
            path = inputs.pages if PEERS[name].raw else inputs.folded
            python = pythons.get(name, sys.executable)
            report = run_peer(name, path, python=python, threads=options.threads, warm_rows=options.warm_rows)
            if turn:  # only the first answer is scored; more would fill the memory
                report.pop("answer", None)
            reports[name].append(report | {"round": turn})
            shown = report.get("failed") or f"{report['seconds']:.2f} s"
            print(f"round {turn + 1}: {name} {shown}", file=sys.stderr)
    return reports


def _report(rounds: dict[str, list[dict[str, Any]]], names: list[str], inputs: Inputs, options: argparse.Namespace) -> dict[str, Any]:
    truth = brute_force(inputs.texts)
    labels = [json.loads(line) for line in Path(options.labels).read_text(encoding="utf-8").splitlines()] if options.labels else []
    report: dict[str, Any] = {
        "corpus": Path(options.corpus).name,
        "documents": len(inputs.ids),
        "text_bytes": inputs.raw_bytes,
        "folding_seconds_not_charged_to_peers": inputs.folding_seconds,
        "machine": {"cores": os.cpu_count(), "processor": _processor(), "system": platform.system(), "python": platform.python_version()},
        "settings": {"threads": options.threads, "permutations": PERMUTATIONS, "bands": BANDS, "rows": ROWS, "words": WORDS},
        "steps": list(STEPS),
        "pairs_jaccard_0.5": int(truth.near.sum()),
        "pairs_containment_0.7": int(truth.contained.sum()),
        "peers": {},
    }
    for name in names:
        if "failed" in rounds[name][0]:
            report["peers"][name] = {"failed": rounds[name][0]["failed"]}
            continue
        one = report["peers"][name] = _measured(rounds, name, len(inputs.ids))
        if name != BASELINE:
            one["scores"] = scores(rounds[name][0]["answer"], inputs.ids, truth)
        if name != BASELINE and labels:
            one["readers"] = against_readers(rounds[name][0]["answer"], inputs.ids, inputs.urls, labels)
    return report


def _measured(rounds: dict[str, list[dict[str, Any]]], name: str, documents: int) -> dict[str, Any]:
    best = min(rounds[name], key=lambda one: one["seconds"])
    entry = PEERS[name]
    return {
        "version": best["version"],
        "python": best["python"],
        "seconds": best["seconds"],
        "all_seconds": [one["seconds"] for one in rounds[name]],
        "cpu_seconds": min(one["cpu_seconds"] for one in rounds[name]),
        "documents_per_second": documents / best["seconds"],
        "stages": best["stages"],
        "details": best["details"],
        "steps": steps(best["stages"]),
        "importing_seconds": best["importing_seconds"],
        "peak_bytes": max(one["peak_bytes"] for one in rounds[name]),
        "idle_bytes": best["idle_bytes"],
        "times_ours": _ratio(rounds, name, OURS),
        "cpu_times_ours": _ratio(rounds, name, OURS, "cpu_seconds"),
        "times_rewrite": _ratio(rounds, name, BASELINE),
        "steps_times_ours": _step_ratios(best["stages"], min(rounds[OURS], key=lambda one: one.get("seconds", 0.0)).get("stages", {})),
        "gives": {part: getattr(entry, part) for part in ("folding", "verification", "excerpts", "groups", "explanation", "note")},
    }


def _ratio(rounds: dict[str, list[dict[str, Any]]], name: str, other: str, what: str = "seconds") -> float | None:
    """The median over rounds of the seconds of one divided by the seconds of the other."""
    seconds = {one["round"]: one[what] for one in rounds[other] if "failed" not in one}
    ratios = [one[what] / seconds[one["round"]] for one in rounds[name] if one["round"] in seconds]
    return statistics.median(ratios) if ratios else None


def _step_ratios(theirs: dict[str, float], ours: dict[str, float]) -> dict[str, float]:
    own = steps(ours)
    return {step: seconds / own[step] for step, seconds in steps(theirs).items() if own.get(step)}


def _processor() -> str:
    cpu = Path("/proc/cpuinfo")
    lines = cpu.read_text().splitlines() if cpu.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor())


def _draw(report: dict[str, Any], out: Path) -> None:
    try:
        from bench.picture import draw
    except ImportError as error:
        print(f"no picture: {error}. Install matplotlib.", file=sys.stderr)
        return
    draw(report, out)


if __name__ == "__main__":
    main()
