"""Random files and texts break nothing. Small failures belong into ``tests/regressions``, which ``tests/test_hostile.py`` runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stress.fuzz import trial

pytestmark = pytest.mark.slow

TRIALS = 150


def test_random_files_and_texts_break_nothing(tmp_path: Path, stress: int, request: pytest.FixtureRequest) -> None:
    first = request.config.getoption("--stress-seed")
    results = {seed: trial(seed, tmp_path) for seed in range(first, first + TRIALS * stress)}
    failures = {seed: f"{kind}: {failure}" for seed, (kind, failure) in results.items() if failure}
    assert not failures, f"the files are in {tmp_path}"
