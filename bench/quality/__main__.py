"""Quality on data whose answer is known.

    python -m bench.quality edits CORPUS... [--originals 1000]
    python -m bench.quality excerpts REUSE_FOLDER [CORPUS]
    python -m bench.quality headlines PAIRS.parquet...
    python -m bench.quality increments CORPUS [--gold GOLD.jsonl] [--last DAYS]
    python -m bench.quality online CORPUS [--gold GOLD.jsonl] [--block 500]

Each command prints tables; ``-o FILE.json`` writes them too.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import dedup
from bench.quality import edits, excerpts, headlines, increments, online
from bench.quality.scores import Tables, read_gold, table
from bench.simulator import read_articles


def main() -> None:
    """Measure, print tables, and write JSON if asked to."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.quality", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("edits", help=edits.report.__doc__)
    one.add_argument("corpora", nargs="+")
    one.add_argument("--originals", type=int, default=1000)
    one.add_argument("--only", nargs="*", default=[], help="names of edits (default: all, and combinations)")
    one = commands.add_parser("excerpts", help=excerpts.report.__doc__)
    one.add_argument("reuse", type=Path)
    one.add_argument("corpus", nargs="?")
    one = commands.add_parser("headlines", help=headlines.report.__doc__)
    one.add_argument("pairs", nargs="+", type=Path)
    one = commands.add_parser("increments", help=increments.report.__doc__)
    one.add_argument("corpus")
    one.add_argument("--gold", help="JSON lines with url and story")
    one.add_argument("--last", type=int, default=3, metavar="DAYS", help="days of the one increment (default: %(default)s)")
    one = commands.add_parser("online", help=online.report.__doc__)
    one.add_argument("corpus")
    one.add_argument("--gold", help="JSON lines with url, story and sure")
    one.add_argument("--block", type=int, default=500, help="documents placed at a time (default: %(default)s)")
    for one in commands.choices.values():
        one.add_argument("--seed", type=int, default=7)
        one.add_argument("-o", "--out", type=Path)
    options = parser.parse_args()
    reports: dict[str, Callable[[argparse.Namespace], Tables]] = {
        "edits": lambda o: edits.report(edits.strangers(read_articles(o.corpora), o.originals, o.seed), o.seed, o.only),
        "excerpts": lambda o: excerpts.report(o.reuse, o.corpus, o.seed),
        "headlines": lambda o: headlines.report(o.pairs, o.seed),
        "increments": lambda o: increments.report(increments.read_lines(o.corpus), read_gold(o.gold), o.last),
        "online": lambda o: online.report(dedup.run(o.corpus), read_gold(o.gold), o.block),
    }
    tables = reports[options.command](options)
    for title, rows in tables.items():
        print(f"\n{title}\n{table(rows) or 'none'}")
    if options.out:
        options.out.write_text(json.dumps(tables, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
