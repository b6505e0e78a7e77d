"""Tokens to terms: light stems, as hashes with the bytes that they span, or as letters.

The stem is that of ``text/stemming.py``, with its lists as a table of hashes. Stop words are left
out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..jit import jit, leaf
from .tokens import LETTERS, hash_letters, most_tokens, next_token

#: Marks of words in the lexicon: the lists of the light stem, stop words, terms too common to be
#: facts, nouns whose dual is a number.
WHOLE, ENDING, SPLIT, STOP, COMMON, COUNTED = (np.uint64(1 << bit) for bit in range(6))
SHORTEST = 3
ALEF, NOON, WAW, YA = 0x0627, 0x0646, 0x0648, 0x064A
FIRST_LETTER, LAST_LETTER = 0x0621, 0x064A
#: The flag of a fact term, see ``term_of``, and the mask of a term without its flags.
FACT = np.uint64(2)
FLAGLESS = np.uint64(0xFFFFFFFFFFFFFFFC)
#: Words whose term is cached (a power of two): news repeats its words.
MEMORY = 1 << 18
#: Separates the stems in a row of letters, and begins and ends the row.
BORDER = np.uint64(32)


class StemTable(NamedTuple):
    """The rules of the light stem as arrays.

    Attributes
    ----------
    lexicon : uint64[slots, 2], as ``lexicon_rows`` builds it
    prefixes, suffixes : uint32 rows (length, letters that must remain, letters ...), longest first
    """

    lexicon: npt.NDArray[np.uint64]
    prefixes: npt.NDArray[np.uint32]
    suffixes: npt.NDArray[np.uint32]


class TermRows(NamedTuple):
    """Output and scratch arrays of ``fill_terms``; ``known`` caches the terms of recent words."""

    terms: npt.NDArray[np.uint64]
    term_offsets: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    stops: npt.NDArray[np.int64]
    letters: npt.NDArray[np.uint32]
    cursor: npt.NDArray[np.int64]
    known: npt.NDArray[np.uint64]


@jit
def lexicon_rows(hashes, marks):
    """Build the hash table that ``marks_of`` reads.

    Parameters
    ----------
    hashes : uint64[n], repeats allowed; the two lowest bits are ignored
    marks : uint64[n], WHOLE, ENDING, SPLIT, STOP, COMMON or COUNTED; the marks of one word are combined

    Returns
    -------
    uint64[slots, 2]
        Hash (0: free) and marks; ``slots`` is a power of two, at least four times n.
    """
    slots = 8
    while slots < 4 * len(hashes):
        slots *= 2
    lexicon = np.zeros((slots, 2), np.uint64)
    for i in range(len(hashes)):
        key = hashes[i] & FLAGLESS
        at = np.int64(key >> np.uint64(2)) & (slots - 1)
        while lexicon[at, 0] != np.uint64(0) and lexicon[at, 0] != key:
            at = (at + 1) & (slots - 1)
        lexicon[at, 0] = key
        lexicon[at, 1] |= marks[i]
    return lexicon


@leaf
def marks_of(lexicon, word):
    """The marks of a word by its hash; 0 if it is not in the lexicon."""
    key = word & FLAGLESS
    at = np.int64(key >> np.uint64(2)) & (len(lexicon) - 1)
    while lexicon[at, 0] != key:
        if lexicon[at, 0] == np.uint64(0):
            return np.uint64(0)
        at = (at + 1) & (len(lexicon) - 1)
    return lexicon[at, 1]


@leaf
def shift(letters, length, by):
    """Remove the first ``by`` letters in place; return the new length."""
    for i in range(length - by):
        letters[i] = letters[i + by]
    return length - by


@leaf
def stem(letters, length, table):
    """Stem ``letters[:length]`` in place by a ``StemTable``; return the new length."""
    if length == 0 or length >= LETTERS or letters[0] < FIRST_LETTER or letters[0] > LAST_LETTER:
        return length
    kept = 0
    at = 0
    while at < length:  # keep one of three or more equal letters
        run = 1
        while at + run < length and letters[at + run] == letters[at]:
            run += 1
        letter = letters[at]
        for _ in range(1 if run >= 3 else run):
            letters[kept] = letter
            kept += 1
        at += run
    length = kept
    while True:
        before = length
        marks = marks_of(table.lexicon, hash_letters(letters, length))
        if marks & WHOLE == np.uint64(0):
            found = False
            for row in range(len(table.prefixes)):
                size = np.int64(table.prefixes[row, 0])
                if length - size >= np.int64(table.prefixes[row, 1]):
                    found = True
                    for i in range(size):
                        if letters[i] != table.prefixes[row, 2 + i]:
                            found = False
                            break
                    if found:
                        length = shift(letters, length, size)
                        break
            if not found and ((letters[0] == WAW and length > SHORTEST) or marks & SPLIT != np.uint64(0)):
                length = shift(letters, length, 1)
            if length != before:
                marks = marks_of(table.lexicon, hash_letters(letters, length))
        if marks & ENDING == np.uint64(0):
            for row in range(len(table.suffixes)):
                size = np.int64(table.suffixes[row, 0])
                if length - size >= np.int64(table.suffixes[row, 1]):
                    found = True
                    for i in range(size):
                        if letters[length - size + i] != table.suffixes[row, 2 + i]:
                            found = False
                            break
                    if found:
                        length -= size
                        break
        if length == before:
            return length


@leaf
def refine_letters(letters, length, refine):
    """Fold letters of the Arabic block to the level *stem*, in place."""
    for i in range(min(length, LETTERS)):
        if letters[i] >> np.uint32(8) == np.uint32(6):
            letters[i] = refine[2, letters[i] & np.uint32(255)]


@leaf
def dual_ending(letters, length):
    """The vowel of an ending of the dual or of the sound plural (ان, ين, ون); 0 if a word has none."""
    if length < SHORTEST or length >= LETTERS or letters[length - 1] != NOON:
        return np.int64(0)
    vowel = np.int64(letters[length - 2])
    return vowel if vowel == ALEF or vowel == YA or vowel == WAW else np.int64(0)


@leaf
def term_of(letters, length, refine, table):
    """Refine and stem a token in place and return its term; 0 for a stop word.

    A term is the hash of the stem with two flags in its lowest bits: 1 for a number (also the dual
    of a COUNTED noun), 2 for a fact, which is a number or a word that is not COMMON.
    """
    number = np.uint64(letters[0] >= np.uint32(0x30) and letters[0] <= np.uint32(0x39))
    refine_letters(letters, length, refine)
    ending = dual_ending(letters, length)
    length = stem(letters, length, table)
    term = hash_letters(letters, length)
    marks = marks_of(table.lexicon, term)
    if marks & STOP != np.uint64(0):
        return np.uint64(0)
    term &= FLAGLESS
    if ending and marks & COUNTED != np.uint64(0) and dual_ending(letters, length) != ending:
        number = np.uint64(1)
    fact = np.uint64(number != np.uint64(0) or marks & COMMON == np.uint64(0))
    return term | number | fact * FACT


@jit
def term_rows(data, offsets, limit, fold, table):
    """Stem the first ``limit`` tokens of each text.

    Parameters
    ----------
    data : uint8[n_bytes], offsets : int64[n_texts + 1]
    limit : most tokens to read of each text, stop words included
    fold : FoldTable; table : StemTable

    Returns
    -------
    (terms uint64[n_terms], term_offsets int64[n_texts + 1],
     starts int64[n_terms], stops int64[n_terms])
        The terms in text order, see ``term_of``, and the bytes of ``data`` that each word spans.
    """
    n_texts = len(offsets) - 1
    term_offsets = np.zeros(n_texts + 1, np.int64)
    size = min(most_tokens(offsets), n_texts * limit + 8)
    terms = np.empty(size, np.uint64)
    starts = np.empty(size, np.int64)
    stops = np.empty(size, np.int64)
    letters = np.empty(LETTERS, np.uint32)
    cursor = np.empty(1, np.int64)
    known = np.zeros((min(MEMORY, 1 << 14), 2), np.uint64)
    fill_terms(data, offsets, limit, fold, table, TermRows(terms, term_offsets, starts, stops, letters, cursor, known))
    n_terms = term_offsets[n_texts]
    return terms[:n_terms].copy(), term_offsets, starts[:n_terms].copy(), stops[:n_terms].copy()


@leaf
def fill_terms(data, offsets, limit, fold, table, out):
    """Write the rows of ``term_rows`` into ``out``, its ``TermRows``."""
    known, letters = out.known, out.letters
    n_terms = 0
    for text in range(len(offsets) - 1):
        at, end = offsets[text], offsets[text + 1]
        out.cursor[0] = -1
        for _ in range(limit):
            at, length, start, stop_at = next_token(data, at, end, out.cursor, fold, letters)
            if length == 0:
                break
            word = hash_letters(letters, length)
            slot = np.int64(word & np.uint64(len(known) - 1))
            if known[slot, 0] != word:
                known[slot, 0] = word
                known[slot, 1] = term_of(letters, length, fold.refine, table)
            term = known[slot, 1]
            if term != np.uint64(0):
                out.terms[n_terms] = term
                out.starts[n_terms] = start
                out.stops[n_terms] = stop_at
                n_terms += 1
        out.term_offsets[text + 1] = n_terms


@jit
def stem_letter_rows(data, offsets, limit, fold, table):
    """The letters of the stems of each text, with BORDER between two stems and at both ends.

    Parameters as in ``term_rows``.

    Returns
    -------
    (values uint64[n_values], value_offsets int64[n_texts + 1], stems int64[n_texts])
        A text without stems has an empty row; ``stems`` counts the stems of each text.
    """
    n_texts = len(offsets) - 1
    value_offsets = np.zeros(n_texts + 1, np.int64)
    # An expansion turns three bytes into eighteen letters at most.
    values = np.empty((offsets[n_texts] - offsets[0]) * 6 + 2 * n_texts + 8, np.uint64)
    stems = np.zeros(n_texts, np.int64)
    letters = np.empty(LETTERS, np.uint32)
    cursor = np.full(1, -1, np.int64)
    used = 0
    for text in range(n_texts):
        at, end = offsets[text], offsets[text + 1]
        cursor[0] = -1
        for _ in range(limit):
            at, length, _, _ = next_token(data, at, end, cursor, fold, letters)
            if length == 0:
                break
            refine_letters(letters, length, fold.refine)
            length = stem(letters, length, table)
            if marks_of(table.lexicon, hash_letters(letters, length)) & STOP != np.uint64(0):
                continue
            if stems[text] == 0:
                values[used] = BORDER
                used += 1
            for i in range(min(length, LETTERS)):
                values[used] = np.uint64(letters[i])
                used += 1
            values[used] = BORDER
            used += 1
            stems[text] += 1
        value_offsets[text + 1] = used
    return values[:used].copy(), value_offsets, stems
