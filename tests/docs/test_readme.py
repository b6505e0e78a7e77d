"""README is short, fits two windows side by side, and names what exists."""

import re
import subprocess

import click
import pytest

from dedup.cli import main
from tests.paths import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
LINES = README.splitlines()


def test_the_readme_is_short():
    assert len(README.split()) <= 1200
    assert len(LINES) <= 180
    assert [line for line in LINES if len(line) > 100] == []


def test_the_readme_has_one_test_command_which_ci_finds():
    found = subprocess.run(
        ["sed", "-n", r"s/^\$ \(.*pytest.*\)$/\1/p", ROOT / "README.md"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert len(found) == 1
    assert found[0].startswith("python3 -m venv .venv && .venv/bin/pip install -q --no-compile -e '.[dev]' && .venv/bin/pytest")


def test_every_command_in_the_readme_exists():
    for words in re.findall(r"^\$ .*?dedup ((?:[a-z-]+ ?)+)", README, re.MULTILINE):
        command: click.Command = main
        for word in words.split():
            if not isinstance(command, click.Group):
                break
            assert word in command.commands, words
            command = command.commands[word]
        assert not isinstance(command, click.Group), words


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#]+)\)", README))
def test_every_link_in_the_readme_leads_to_a_file(target):
    assert (ROOT / target).exists()


def test_the_tree_of_the_readme_lists_every_package():
    tree = README.partition("\ndedup/\n")[2].partition("```")[0]
    listed = set(re.findall(r"── ([a-z]+)/", tree))
    real = {path.name for path in (ROOT / "dedup").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert listed == real
