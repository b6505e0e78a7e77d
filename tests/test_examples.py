"""The example crawl yields what its README says is planted; the example programs run; README names existing things."""

import json
import re
import subprocess
import sys

import pytest

import dedup
from tests.paths import ROOT

TRUTH = json.loads((ROOT / "examples" / "truth.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def documents():
    result = dedup.run(ROOT / "examples" / "crawl")
    return {document["doc_id"]: document for document in result.documents.to_pylist()}


@pytest.mark.parametrize(("canonical", "copy", "kind"), TRUTH["copies"])
def test_each_planted_copy_is_found_with_its_canonical_and_kind(documents, canonical, copy, kind):
    found = documents[copy]
    assert (found["status"], found["canonical_id"], found["kind"]) == ("copy", canonical, kind)


@pytest.mark.parametrize(("earlier", "extended"), TRUTH["extended"])
def test_each_extended_document_is_kept_beside_the_earlier_one_that_it_holds(documents, earlier, extended):
    found, held = documents[extended], documents[earlier]
    assert (found["status"], found["extends_id"], held["fuller_id"]) == ("extended", earlier, extended)
    assert (found["copy_group"], found["story_id"]) == (held["copy_group"], held["story_id"])


@pytest.mark.parametrize(("a", "b", "why"), TRUTH["not_copies"])
def test_planted_look_alikes_are_not_copies(documents, a, b, why):
    assert documents[a]["copy_group"] != documents[b]["copy_group"]


@pytest.mark.parametrize(("a", "b"), TRUTH["titles"])
def test_each_planted_headline_is_found(documents, a, b):
    assert documents[a]["copy_group"] == documents[b]["copy_group"]


@pytest.mark.parametrize("members", TRUTH["stories"])
def test_each_planted_story_is_one_story(documents, members):
    assert len({documents[doc_id]["story_id"] for doc_id in members}) == 1


@pytest.mark.parametrize(("a", "b"), TRUTH["different_stories"])
def test_similar_events_are_different_stories(documents, a, b):
    assert documents[a]["story_id"] != documents[b]["story_id"]


def test_quickstart_runs():
    run = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "quickstart.py")],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=True,
    )
    assert "Stories of more than one document" in run.stdout


def test_the_readme_names_two_commands_for_a_fresh_machine():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^\$ (python3 -m venv .*)$", readme, re.MULTILINE)
    assert len(commands) == 2
    assert commands[0].endswith("dedup run examples/crawl -o out")
    assert re.search(r"\.venv/bin/pytest( -\S+( \d+)?)*$", commands[1])


def test_the_readme_says_what_dedup_says():
    """Columns, kinds, statuses and numbers that the README names exist."""
    from dedup import schema

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for table in (schema.DOCUMENTS, schema.MATCHES, schema.STORIES, schema.REJECTS):
        assert any(f"`{name}`" in readme for name in table.names)
    for word in (*schema.KINDS, *schema.STATUSES):
        assert f"`{word}`" in readme
    defaults = dedup.CopyConfig()
    assert f"at least {defaults.near}" in readme
    assert f"at least {defaults.excerpt}" in readme
    assert f"at least {defaults.contained}" in readme


def test_the_rules_of_the_manual_name_the_defaults():
    rules = (ROOT / "docs" / "how-it-works.md").read_text(encoding="utf-8")
    defaults = dedup.CopyConfig()
    for name in ("near", "contained", "excerpt", "coverage", "partial", "distinct", "title"):
        assert re.search(rf"{getattr(defaults, name)}\D{{0,60}}copies\.{name}`|copies\.{name}`, {getattr(defaults, name)}\)", rules), name
