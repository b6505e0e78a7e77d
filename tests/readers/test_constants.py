"""Constants that decide how bytes and pages are read: a case just below and one just above."""

from __future__ import annotations

import pytest

from dedup.readers import encodings
from dedup.readers.encodings import decode, mojibake

#: One byte that is another character in each encoding.
BYTE = b"\xe1"
READ_AS = {name: BYTE.decode(name) for name in ("windows-1256", "iso-8859-6", "windows-1252")}


@pytest.fixture
def scores(monkeypatch):
    """Give each encoding a score in place of the likeness of its words."""

    def scored(arabic, iso=-1.0, latin=-1.0):
        by_first = dict(zip(READ_AS.values(), (arabic, iso, latin), strict=True))
        monkeypatch.setattr(encodings, "likeness", lambda text: by_first[text[0]])

    return scored


@pytest.mark.parametrize(
    ("letters", "score", "read"),
    [(1, 0.257, True), (1, 0.255, False), (30, 0.436, True), (30, 0.434, False), (60, 0.62, True), (60, 0.61, False), (90, 0.62, True)],
)
def test_the_score_a_single_byte_encoding_needs_rises_with_the_number_of_letters(scores, letters, score, read):
    # From 0.25 for no letter to 0.62 for sixty.
    scores(score)
    decoded = decode(BYTE * letters + b" ")
    assert (decoded is not None and decoded.encoding == "windows-1256") == read


@pytest.mark.parametrize(("iso", "encoding"), [(0.871, "iso-8859-6"), (0.869, "windows-1256")])
def test_a_declared_encoding_breaks_a_tie_of_three_hundredths(scores, iso, encoding):
    scores(0.9, iso)
    assert decode(BYTE * 5 + b" ", "text/html; charset=iso-8859-6").encoding == encoding


@pytest.mark.parametrize(("good", "is_utf_8"), [(25, True), (24, False)])
def test_one_damaged_character_in_twenty_five_good_ones_is_still_utf_8(good, is_utf_8):
    decoded = decode("ل".encode() * good + BYTE + b" ")
    assert (decoded is not None and decoded.encoding == "utf-8") == is_utf_8


@pytest.mark.parametrize(("others", "found"), [(4, True), (5, False)])
def test_half_of_a_head_must_be_mojibake(others, found):
    assert (mojibake("????" + "ا" * others) is not None) == found


@pytest.mark.parametrize(("blanks", "found"), [(396, True), (397, False)])
def test_mojibake_is_searched_in_four_hundred_characters(blanks, found):
    assert (mojibake(" " * blanks + "????") is not None) == found


def chars(number, letter="ك"):
    """Words of nine letters, ``number`` characters in all."""
    words = (letter * 9 + " ") * (number // 10 + 1)
    return words[:number].rstrip() + letter * (number - len(words[:number].rstrip()))


def text_of(body):
    pytest.importorskip("resiliparse", reason="the extra crawl is not installed")
    from dedup.readers.html.page import read_page

    return read_page(f"<html><head><title>خبر</title></head><body>{body}</body></html>".encode()).text


@pytest.mark.parametrize(("share", "both"), [(750, False), (740, True)])
def test_an_article_has_three_quarters_of_the_letters_in_paragraphs(share, both):
    first, second = chars(share), chars(1000 - share, "ل")
    text = text_of(f"<div><div><p>{first}</p></div><div><p>{second}</p></div></div>")
    assert first in text
    assert (second in text) == both


@pytest.mark.parametrize(("plain", "kept"), [(16, False), (17, True)])
def test_a_list_with_half_of_its_letters_in_links_is_removed(plain, kept):
    paragraphs = "".join(f"<p>{chars(300, letter)}</p>" for letter in "كلم")
    text = text_of(f"<div>{paragraphs}<ul><li><a href='/x'>سسسس سسسس سسسس سسسس</a> {'ش' * plain}</li></ul></div>")
    assert ("ش" * plain in text) == kept
