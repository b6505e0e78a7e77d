"""Briefs compared word by word: whether one text holds another, in order, with nothing put in that changes what it says."""

from __future__ import annotations

import numpy as np

from ..jit import jit, leaf
from ..rows import first_at_least
from ..text.terms import FACT, FLAGLESS

#: A deciding word this many terms before a passage can reverse it: «مصدر ينفي وفاة الفنان».
BEFORE = 2
#: A longer brief is rarely reversed whole, and words before it mostly end another sentence.
REVERSED = 12
#: No passage.
NONE = np.int64(1 << 40)


@leaf
def is_among(values, value):
    """Whether ascending ``values`` contain ``value``."""
    place = first_at_least(values, 0, len(values), value)
    return place < len(values) and values[place] == value


@leaf
def decides(term, deciding):
    """Whether a term is a number or one of the deciding words."""
    return term & np.uint64(1) != np.uint64(0) or is_among(deciding, term & FLAGLESS)


@leaf
def fill_insertions(terms, brief, end, text, text_end, deciding, passage, facts, best):
    """The fewest terms put between those of ``terms[brief:end]`` in ``terms[text:text_end]``; see ``insertions``."""
    size = end - brief
    fewest = NONE
    for i in range(size + 1):
        best[i] = NONE
    best[0] = 0
    for j in range(text, text_end):
        term = terms[j]
        allowed = not decides(term, deciding) and not (facts and term & FACT != np.uint64(0))
        for i in range(size, 0, -1):
            found = NONE
            if terms[brief + i - 1] == term:
                found = best[i - 1]
                if passage and i == 1 and size <= REVERSED:
                    for k in range(max(text, j - BEFORE), j):
                        if decides(terms[k], deciding):
                            found = NONE
            if allowed and best[i] < NONE:
                found = min(found, best[i] + 1)
            best[i] = found
            if i == size and terms[brief + i - 1] == term:
                fewest = min(fewest, found)
        if not passage:
            best[0] = best[0] + 1 if allowed and best[0] < NONE else NONE
    return fewest if passage else best[size]


@jit
def insertions(terms, offsets, brief, text, deciding, passage, facts):
    """How many terms another row puts between those of a brief; -1 where it does not hold the brief.

    A row holds a brief if all terms of the brief stand there in their order, and no number and no deciding word is put between
    them.

    Parameters
    ----------
    terms : uint64[n_terms], in text order, flags in the two lowest bits; offsets : int64[n_rows + 1]
    brief, text : int64[n_pairs], rows
    deciding : uint64[n], ascending, terms without flags
    passage : bool; the brief may be a passage of the other row, if it has at most REVERSED terms without a number or a
        deciding word among the BEFORE terms before it. Otherwise what stands before and behind counts like what is put between
    facts : bool; whether nothing that is a fact may be put in either

    Returns
    -------
    int64[n_pairs]. Cost: the product of both lengths per pair.
    """
    out = np.empty(len(brief), np.int64)
    longest = 0
    for row in brief:
        longest = max(longest, offsets[row + 1] - offsets[row])
    best = np.empty(longest + 1, np.int64)
    for pair in range(len(brief)):
        one, other = brief[pair], text[pair]
        fewest = fill_insertions(terms, offsets[one], offsets[one + 1], offsets[other], offsets[other + 1], deciding, passage, facts, best)
        out[pair] = fewest if fewest < NONE else -1
    return out


@jit
def brief_term_rows(tokens, offsets, terms, most, known_tokens, known_terms, deciding, tags):
    """The terms of each text of at most ``most`` tokens as titles have them: with deciding words as facts, without tags.

    Parameters
    ----------
    tokens : uint64[n_tokens], level *shingle*; offsets : int64[n_texts + 1]
    terms : uint64[n_tokens], the term of each token, 0 for a stop word
    known_tokens : uint64[n], ascending, tokens with another term in titles; known_terms : uint64[n], these terms
    deciding : uint64[n], ascending, deciding terms without flags; tags : uint64[n], likewise, terms to leave out

    Returns
    -------
    (values uint64[n_values], value_offsets int64[n_texts + 1]). Longer texts have an empty row.
    """
    n_texts = len(offsets) - 1
    size = 0
    for text in range(n_texts):
        length = offsets[text + 1] - offsets[text]
        size += length if length <= most else 0
    values = np.empty(size, np.uint64)
    value_offsets = np.zeros(n_texts + 1, np.int64)
    used = 0
    for text in range(n_texts):
        if offsets[text + 1] - offsets[text] <= most:
            for i in range(offsets[text], offsets[text + 1]):
                term = terms[i]
                place = first_at_least(known_tokens, 0, len(known_tokens), tokens[i])
                if place < len(known_tokens) and known_tokens[place] == tokens[i]:
                    term = known_terms[place]
                elif term == np.uint64(0):
                    continue
                elif is_among(deciding, term & FLAGLESS):
                    term |= FACT
                elif is_among(tags, term & FLAGLESS):
                    term = np.uint64(0)
                if term != np.uint64(0):
                    values[used] = term
                    used += 1
        value_offsets[text + 1] = used
    return values[:used].copy(), value_offsets
