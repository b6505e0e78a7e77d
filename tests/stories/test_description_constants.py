"""Constants of leads and keywords, just below and just above."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from dedup.stories import keywords
from dedup.stories.collocations import Bond, link_phrases
from dedup.stories.leads import titles_as_sections
from tests.stories.test_describe import FIRE, document, story_of


@pytest.mark.parametrize(("titles", "expected"), [(["كاريكاتير"] * 2, False), (["كاريكاتير"] * 3, True)])
def test_title_of_three_documents_names_a_section(titles, expected):
    assert titles_as_sections(pa.chunked_array([pa.array(titles)])).tolist() == [expected] * len(titles)


@pytest.mark.parametrize(("whole", "rest", "expected"), [(14, 30, True), (15, 30, False), (14, 29, False)])
def test_unlisted_preposition_needs_a_hardly_known_word_and_a_well_known_rest(monkeypatch, whole, rest, expected):
    monkeypatch.setattr(keywords, "_frequency", lambda stem: rest if stem.startswith("تطعيم") else whole)
    monkeypatch.setattr(keywords, "light_stem", lambda word: word)
    assert keywords.Spelling("لتطعيم").loose is expected


@pytest.mark.parametrize(("frequency", "expected"), [(19, False), (20, True)])
def test_possessive_pronoun_is_recognised_after_a_known_word(monkeypatch, frequency, expected):
    monkeypatch.setattr(keywords, "_frequency", lambda stem: frequency)
    assert keywords._is_owned("هواتفهم") is expected


@pytest.mark.parametrize(("together", "alone", "expected"), [(3, 2, True), (4, 3, False), (1, 0, False), (2, 0, True)])
def test_phrase_needs_two_occurrences_and_six_tenths_of_those_of_the_rarer_word(together, alone, expected):
    """Word 0 is beside word 1 in some of its occurrences; word 1 also occurs many times alone."""
    pairs, singles = [0, 1] * together, [0] * alone + [1] * 50
    candidates = np.array(pairs + singles)
    beside = np.zeros(len(candidates) - 1, bool)
    beside[: 2 * together : 2] = True
    assert (0 in link_phrases(candidates, beside, candidates, lambda one, other: Bond.PHRASE)) is expected


@pytest.mark.parametrize(("others", "leads"), [(5, "d0"), (6, "d1")])
def test_lead_weighs_sources_against_time(others, leads):
    """Two documents of one title: 0.3 * log2(5) / 3 is less than the 0.25 of the earlier one, 0.3 * log2(6) / 3 is more."""
    copies = [document("x", source=f"outlet {number}", copy_of=1, hours=9) for number in range(others - 1)]
    assert story_of(document(FIRE), document(FIRE, hours=5), *copies)["lead_id"] == leads
