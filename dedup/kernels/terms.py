"""Tokens to terms: the light stem of every token, as a hash with the bytes it came from, or as letters.

The stem is that of ``dedup/stems.py``, whose lists come in as sorted hashes. Stop words are left out.
"""

from __future__ import annotations

import numpy as np

from .hashing import EULER, GOLDEN
from .jit import jit, leaf
from .tokens import LETTERS, extend_digest, hash_letters, hash_levels, most_tokens, next_token

SHORTEST = 3
ALEF, WAW, LAM, BEH = 0x0627, 0x0648, 0x0644, 0x0628
FIRST_LETTER, LAST_LETTER = 0x0621, 0x064A
#: A term without its flags.
FLAGLESS = np.uint64(0xFFFFFFFFFFFFFFFC)
#: Words whose term is remembered (a power of two): news repeats its words.
MEMORY = 1 << 18
#: Between two stems of a row of letters, and at its ends.
BORDER = np.uint64(32)


@leaf
def contains(sorted_values, value):
    """Whether a sorted uint64 array holds a value."""
    low, high = 0, len(sorted_values)
    while low < high:
        middle = (low + high) >> 1
        if sorted_values[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low < len(sorted_values) and sorted_values[low] == value


@leaf
def shift(letters, length, by):
    """Take ``by`` letters off the front, in place; the new length."""
    for i in range(length - by):
        letters[i] = letters[i + by]
    return length - by


@leaf
def stem(letters, length, whole, ending, split, prefixes, suffixes):
    """Light stem of ``letters[:length]`` in place; the new length.

    ``whole``, ``ending``, ``split`` are sorted hashes of words; ``prefixes`` and ``suffixes`` are
    uint32 rows (length, letters that must remain, letters ...), longest first.
    """
    if length == 0 or length >= LETTERS or letters[0] < FIRST_LETTER or letters[0] > LAST_LETTER:
        return length
    kept = 0
    at = 0
    while at < length:  # three or more of one letter: one is left
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
        word = hash_letters(letters, length)
        if not contains(whole, word):
            found = False
            for row in range(len(prefixes)):
                size = np.int64(prefixes[row, 0])
                if length - size >= np.int64(prefixes[row, 1]):
                    found = True
                    for i in range(size):
                        if letters[i] != prefixes[row, 2 + i]:
                            found = False
                            break
                    if found:
                        length = shift(letters, length, size)
                        break
            if not found and ((letters[0] == WAW and length > SHORTEST) or contains(split, word)):
                length = shift(letters, length, 1)
            if length != before:
                word = hash_letters(letters, length)
        if not contains(ending, word):
            for row in range(len(suffixes)):
                size = np.int64(suffixes[row, 0])
                if length - size >= np.int64(suffixes[row, 1]):
                    found = True
                    for i in range(size):
                        if letters[length - size + i] != suffixes[row, 2 + i]:
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
def term_of(letters, length, refine, whole, ending, split, stop, common, prefixes, suffixes):
    """The term of a token, whose letters are refined and stemmed in place; 0 for a stop word.

    A term is the hash of the stem with two flags in its lowest bits: 1 for a number, 2 for a fact, that is
    a number or a word not among the ``common`` ones (sorted hashes, flags 0).
    """
    number = np.uint64(letters[0] >= np.uint32(0x30) and letters[0] <= np.uint32(0x39))
    refine_letters(letters, length, refine)
    length = stem(letters, length, whole, ending, split, prefixes, suffixes)
    term = hash_letters(letters, length)
    if contains(stop, term):
        return np.uint64(0)
    term &= FLAGLESS
    fact = np.uint64(number != np.uint64(0) or not contains(common, term))
    return term | number | fact << np.uint64(1)


@jit
def term_rows(data, offsets, limit, blocks, entries, expansions, refine, whole, ending, split, stop, common, prefixes, suffixes):
    """Stem the first ``limit`` tokens of each text.

    Parameters
    ----------
    data : uint8[n_bytes], offsets : int64[n_texts + 1]
    limit : tokens read of each text, stop words among them

    Returns
    -------
    (terms uint64[n_terms], term_offsets int64[n_texts + 1], starts int64[n_terms], stops int64[n_terms])
        Each term in text order, see ``term_of``, and the bytes of ``data`` that its word spans.
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
    fill_terms(
        data, offsets, limit, blocks, entries, expansions, refine, whole, ending, split, stop, common, prefixes, suffixes,
        terms, term_offsets, starts, stops, letters, cursor, known,
    )  # fmt: skip
    n_terms = term_offsets[n_texts]
    return terms[:n_terms].copy(), term_offsets, starts[:n_terms].copy(), stops[:n_terms].copy()


@leaf
def fill_terms(data, offsets, limit, blocks, entries, expansions, refine, whole, ending, split, stop, common, prefixes, suffixes,
               terms, term_offsets, starts, stops, letters, cursor, known):  # fmt: skip
    """Write the rows of ``term_rows`` into its arrays; ``known`` remembers the terms of words met lately."""
    n_terms = 0
    for text in range(len(offsets) - 1):
        at, end = offsets[text], offsets[text + 1]
        cursor[0] = -1
        for _ in range(limit):
            at, length, start, stop_at = next_token(data, at, end, cursor, blocks, entries, expansions, letters)
            if length == 0:
                break
            word = hash_letters(letters, length)
            slot = np.int64(word & np.uint64(len(known) - 1))
            if known[slot, 0] != word:
                known[slot, 0] = word
                known[slot, 1] = term_of(letters, length, refine, whole, ending, split, stop, common, prefixes, suffixes)
            term = known[slot, 1]
            if term != np.uint64(0):
                terms[n_terms] = term
                starts[n_terms] = start
                stops[n_terms] = stop_at
                n_terms += 1
        term_offsets[text + 1] = n_terms


@jit
def document_rows(data, offsets, known, blocks, entries, expansions, refine, whole, ending, split, stop, common, prefixes, suffixes):
    """What ``token_rows`` and ``term_rows`` give, in one walk over each text.

    Parameters
    ----------
    data : uint8[n_bytes], offsets : int64[n_texts + 1]
    known : uint64[MEMORY, 2], zeros at first, written in place: words met and their terms. It may be kept for
        further calls with the same lists, by one thread at a time; it changes how fast they are, not what they give.

    Returns
    -------
    (tokens uint64[n_tokens], token_offsets int64[n_texts + 1], digests uint64[n_texts, 2],
     terms uint64[n_terms], term_offsets int64[n_texts + 1])
    """
    n_texts = len(offsets) - 1
    token_offsets = np.zeros(n_texts + 1, np.int64)
    term_offsets = np.zeros(n_texts + 1, np.int64)
    digests = np.empty((n_texts, 2), np.uint64)
    tokens = np.empty(most_tokens(offsets), np.uint64)
    terms = np.empty(most_tokens(offsets), np.uint64)
    letters = np.empty(LETTERS, np.uint32)
    cursor = np.empty(1, np.int64)
    fill_documents(
        data, offsets, blocks, entries, expansions, refine, whole, ending, split, stop, common, prefixes, suffixes,
        tokens, token_offsets, digests, terms, term_offsets, letters, cursor, known,
    )  # fmt: skip
    return tokens[: token_offsets[n_texts]].copy(), token_offsets, digests, terms[: term_offsets[n_texts]].copy(), term_offsets


@leaf
def fill_documents(data, offsets, blocks, entries, expansions, refine, whole, ending, split, stop, common, prefixes, suffixes,
                   tokens, token_offsets, digests, terms, term_offsets, letters, cursor, known):  # fmt: skip
    """Write the rows of ``document_rows`` into its arrays."""
    n_tokens = 0
    n_terms = 0
    for text in range(len(offsets) - 1):
        at, end = offsets[text], offsets[text + 1]
        cursor[0] = -1
        left = GOLDEN
        right = EULER
        while True:
            at, length, _, _ = next_token(data, at, end, cursor, blocks, entries, expansions, letters)
            if length == 0:
                break
            exact, word = hash_levels(letters, length, refine)
            tokens[n_tokens] = word
            n_tokens += 1
            left, right = extend_digest(left, right, exact)
            slot = np.int64(word & np.uint64(MEMORY - 1))
            if known[slot, 0] != word:
                known[slot, 0] = word
                known[slot, 1] = term_of(letters, length, refine, whole, ending, split, stop, common, prefixes, suffixes)
            if known[slot, 1] != np.uint64(0):
                terms[n_terms] = known[slot, 1]
                n_terms += 1
        token_offsets[text + 1] = n_tokens
        term_offsets[text + 1] = n_terms
        digests[text, 0] = left
        digests[text, 1] = right


@jit
def stem_letter_rows(data, offsets, limit, blocks, entries, expansions, refine, whole, ending, split, stop, common, prefixes, suffixes):
    """The letters of the stems of each text, one border between two stems and one at each end.

    Parameters as in ``term_rows``.

    Returns
    -------
    (values uint64[n_values], value_offsets int64[n_texts + 1], stems int64[n_texts])
        A text without stems has an empty row; ``stems`` counts the stems of each.
    """
    n_texts = len(offsets) - 1
    value_offsets = np.zeros(n_texts + 1, np.int64)
    # An expansion turns three bytes into at most eighteen letters.
    values = np.empty((offsets[n_texts] - offsets[0]) * 6 + 2 * n_texts + 8, np.uint64)
    stems = np.zeros(n_texts, np.int64)
    letters = np.empty(LETTERS, np.uint32)
    cursor = np.full(1, -1, np.int64)
    used = 0
    for text in range(n_texts):
        at, end = offsets[text], offsets[text + 1]
        cursor[0] = -1
        for _ in range(limit):
            at, length, _, _ = next_token(data, at, end, cursor, blocks, entries, expansions, letters)
            if length == 0:
                break
            refine_letters(letters, length, refine)
            length = stem(letters, length, whole, ending, split, prefixes, suffixes)
            if contains(stop, hash_letters(letters, length)):
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
