"""Folders that tests read, and the folder of corpora outside the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ROOT = TESTS.parent
GOLDEN = TESTS / "golden"
SEED_PAGE = GOLDEN / "seed_page.txt"
CRAWL = ROOT / "examples" / "crawl"

#: The folder that DEDUP_CORPORA names. Nothing else is tried.
CORPORA = Path(os.environ.get("DEDUP_CORPORA") or os.devnull)
JULY = CORPORA / "saudi_2015_07.jsonl.gz"

needs_july = pytest.mark.skipif(not JULY.exists(), reason="the corpora are not here: set DEDUP_CORPORA to their folder")
