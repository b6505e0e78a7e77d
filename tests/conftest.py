"""Fixtures and options of all tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, settings

from tests import effort

# Kernels are compiled inside the first example, so a time limit for each means nothing.
_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow], "derandomize": bool(os.environ.get("CI"))}
settings.register_profile("quick", max_examples=20, **_COMMON)
settings.register_profile("full", max_examples=60, **_COMMON)

TextColumn = Callable[[Sequence[str | None]], "pa.Array | pa.ChunkedArray"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="try the full number of examples in property tests")
    parser.addoption("--stress", type=int, default=1, metavar="N", help="run the tests of tests/stress N times as long")
    parser.addoption("--stress-seed", type=int, default=0, metavar="SEED", help="seed of the first random trial in tests/stress")
    parser.addoption("--stress-corpus", metavar="FILE", help="pages for the killed processes in tests/stress")


def pytest_configure(config: pytest.Config) -> None:
    effort.full = config.getoption("--full")
    settings.load_profile("full" if effort.full else "quick")
    if os.environ.get("NUMBA_DISABLE_JIT") == "1":
        # Hashes overflow on purpose; compiled code does so silently.
        config.addinivalue_line("filterwarnings", "ignore:overflow encountered:RuntimeWarning")


@pytest.fixture(params=[0, 3, 7, 8, 9], ids=lambda start: f"from_{start}")
def start(request: pytest.FixtureRequest) -> int:
    """First row of a slice: errors in bit masks and offsets show at these."""
    return int(request.param)


@pytest.fixture(params=[False, True], ids=["contiguous", "chunked"])
def text_column(request: pytest.FixtureRequest, start: int) -> TextColumn:
    """Make an Arrow column of texts that begins inside a longer one, whole or in chunks."""

    def column(texts: Sequence[str | None], kind: pa.DataType | None = None) -> pa.Array | pa.ChunkedArray:
        kind = kind or pa.string()
        ahead: list[str | None] = ["قبل", None, "x", "", "ﷲ", "٣", None, "ن", "ثمانية"][:start]
        whole = pa.array([*ahead, *texts, "بعد"], kind).slice(start, len(texts))
        if not request.param:
            return whole
        cuts = [0, len(texts) // 3, len(texts) // 3, len(texts)]
        return pa.chunked_array([whole.slice(a, b - a) for a, b in zip(cuts, cuts[1:], strict=False)], kind)

    return column
