"""Sizes and pages of the stress tests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.arabic import news


@pytest.fixture(scope="session")
def stress(request: pytest.FixtureRequest) -> int:
    """The factor of ``--stress``."""
    return int(request.config.getoption("--stress"))


@pytest.fixture
def corpus(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The file of ``--stress-corpus``, or 1200 invented pages of which each text comes three times, edited."""
    given = request.config.getoption("--stress-corpus")
    if given:
        return Path(given).absolute()
    path = tmp_path / "corpus.jsonl"
    rows = [
        {
            "id": f"p{number}",
            "title": news(2000 + number, 6),
            "text": news(number // 3, 60) + " " + news(1000 + number, 4),
            "published": f"2025-03-{1 + number % 9:02}",
            "source": f"outlet{number % 7}",
        }
        for number in range(1200)
    ]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path
