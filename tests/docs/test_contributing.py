"""The page for contributors says what the tests enforce."""

import re

from tests.docs.blocks import NOT_HERE
from tests.paths import ROOT
from tests.test_layers import LAYERS

PAGE = (ROOT / "docs" / "contributing.md").read_text(encoding="utf-8")


def test_the_layers_are_those_of_the_layer_test():
    rows = re.findall(r"^\d\. (`.*)$", PAGE.partition("## Layers")[2].partition("\n## ")[0], re.MULTILINE)
    listed = [set(re.findall(r"`(\w+)`", row)) for row in rows]
    assert listed[:-1] == LAYERS[: len(listed) - 1]
    assert listed[-1] | {"__init__", "__main__"} == set().union(*LAYERS[len(listed) - 1 :])


def test_every_file_that_it_names_exists():
    named = set(re.findall(r"`((?:dedup|tests|docs|bench)/[\w/.-]+)`", PAGE))
    assert {name for name in named if "NAME" not in name and "STAGE" not in name and not (ROOT / name).exists()} == set()


def test_blocks_that_are_not_run_say_why():
    assert all(NOT_HERE.values())
