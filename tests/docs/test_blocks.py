"""Every command and every snippet of README and the manual, page by page, in a folder that holds the example crawl."""

from __future__ import annotations

import pytest

from tests.paths import ROOT

from . import setups
from .blocks import NOT_HERE, PAGES, Block, World, blocks_of

ALL = [ROOT / "README.md", *PAGES]
BY_PAGE = {page.relative_to(ROOT).as_posix(): blocks_of(page) for page in ALL}
RUN = {name: blocks for name, blocks in BY_PAGE.items() if any(block.is_run for block in blocks)}


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] if name in setups.SLOW else []) for name in RUN])
def test_the_blocks_of_a_page_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    world = World(tmp_path)
    with setups.services(name, world, monkeypatch):
        try:
            for block in RUN[name]:
                world.run(block)
        finally:
            world.close()


def test_every_block_is_run_or_says_what_it_needs():
    blocks = [block for page in BY_PAGE.values() for block in page if block.language in ("console", "sh", "python")]
    needs = [block.marks["needs"] for block in blocks if not block.is_run]
    assert set(needs) <= set(NOT_HERE)
    assert len(needs) <= 3, f"{len(blocks) - len(needs)} of {len(blocks)} blocks are run"


def test_every_block_names_its_language():
    def is_fine(block: Block) -> bool:
        return block.language in ("console", "sh", "python", "text", "toml", "json", "html") or block.page.name == "README.md"

    assert [str(block) for page in BY_PAGE.values() for block in page if not is_fine(block)] == []
