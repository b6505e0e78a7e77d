"""Every record of a large damaged crawl file becomes a page, a reject or a skipped record with its reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stress import crawl_files

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", ["a.warc", "a.warc.gz", "a.warc.zst", "a.one.warc.gz"])
def test_no_record_of_a_damaged_crawl_is_lost(tmp_path: Path, name: str, stress: int, request: pytest.FixtureRequest) -> None:
    pytest.importorskip("resiliparse", reason="the extra crawl is not installed")
    seed = 3 + request.config.getoption("--stress-seed")
    written = crawl_files.build(tmp_path / name, pages=200 * stress, damage=49 * stress, seed=seed)
    entry, rejects = crawl_files.account_of(tmp_path / name)
    assert entry["records"] == written.total() == entry["pages"] + rejects.total() + sum(entry["skipped"].values())
    assert entry["pages"] == written["page"]
    assert rejects.total() == 49 * stress
