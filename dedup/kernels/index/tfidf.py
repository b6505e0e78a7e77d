"""TF-IDF vectors of incoming documents, weighed by background counts and the documents of a window."""

from __future__ import annotations

import numpy as np

from ..jit import jit, leaf
from ..stories.tfidf import smoothed_idf

#: Lowest bits of a term that are flags, see ``text/document_frequencies.py``; runs of letters have
#: both.
FLAGS = np.uint64(3)
_idf = leaf(smoothed_idf)


@leaf
def slot_of(keys, key):
    """The slot of a key in an open-addressing table, or the empty one for it; 0 is empty, the size a power of 2."""
    mask = np.uint64(len(keys) - 1)
    slot = (key ^ (key >> np.uint64(29))) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(20) & mask
    while keys[slot] != key and keys[slot] != 0:
        slot = (slot + np.uint64(1)) & mask
    return np.int64(slot)


@leaf
def count_terms(keys, counts, met, n_met, terms, first, last, weight):
    """Count terms of a document into a table; ``met`` collects the slots of new ones. Returns their number."""
    for place in range(first, last):
        term = terms[place] if terms[place] != 0 else np.uint64(1)
        at = slot_of(keys, term)
        if keys[at] == 0:
            keys[at] = term
            counts[at] = 0
            met[n_met] = at
            n_met += 1
        counts[at] += weight
    return n_met


@leaf
def column_of(table, columns, term):
    """The column of a term; -1 if it has none."""
    slot = slot_of(table, term)
    return columns[slot] if table[slot] != 0 else np.int32(-1)


@jit
def weigh_rows(texts, weighting, known, table, columns, live, documents, most):
    """Vectors of documents, weighed by the background, the window, the documents before them in the block and themselves.

    Parameters
    ----------
    texts : TermRows
    weighting : Weighting
    known : KnownTerms
    table, columns, live, documents : of ``Window``; alone, since a tuple of all its arrays takes
        longer to pass
    most : terms kept of a document: the heaviest, the first of equal ones

    Returns
    -------
    (terms uint64[n, most], weights float32[n, most], words int32[n], lengths int32[n], native
    bool[n])
        Row i has ``lengths[i]`` entries: ``words[i]`` words, then runs of letters. Dropped terms
        count in its norm: with all of them its length is 1.
    """
    # Unpacked once: an attribute of a tuple costs a reference count at every use.
    titles, title_offsets, bodies, body_offsets, letters, letter_offsets = texts
    known_keys, known_counts, known_documents = known
    lead_words, letter_share = weighting.lead_words, weighting.letters
    n = len(title_offsets) - 1
    terms, weights = np.empty((n, most), np.uint64), np.zeros((n, most), np.float32)
    words, lengths, native = np.zeros(n, np.int32), np.zeros(n, np.int32), np.zeros(n, np.bool_)
    longest = 1
    for row in range(n):
        size = title_offsets[row + 1] - title_offsets[row] + min(body_offsets[row + 1] - body_offsets[row], lead_words)
        longest = max(longest, size, letter_offsets[row + 1] - letter_offsets[row])
    size = 16
    while size < 2 * longest:
        size *= 2
    keys, counts, met = np.zeros(size, np.uint64), np.empty(size, np.float64), np.empty(longest, np.int64)
    own_terms, own_weights = np.empty(2 * longest, np.uint64), np.empty(2 * longest, np.float32)
    size = 16
    while size < 2 * n * most:
        size *= 2
    # Document frequencies of the block so far; they add to those of the window.
    block_keys = np.zeros(size if n > 1 else 1, np.uint64)
    block_counts = np.zeros((size if n > 1 else 1, 2), np.int32)
    totals = documents.copy()
    for row in range(n):
        n_own = 0
        for part in range(2):
            if part == 0:
                n_met = count_terms(keys, counts, met, 0, titles, title_offsets[row], title_offsets[row + 1], weighting.title_weight)
                last = min(body_offsets[row + 1], body_offsets[row] + lead_words)
                n_met = count_terms(keys, counts, met, n_met, bodies, body_offsets[row], last, 1.0)
                n_words = n_met
            else:
                n_met = count_terms(keys, counts, met, 0, letters, letter_offsets[row], letter_offsets[row + 1], 1.0)
            if n_met == 0:
                continue
            recognised = 0
            for k in range(n_met):
                if part == 0 and known_keys[slot_of(known_keys, keys[met[k]] & ~FLAGS)] != 0:
                    recognised += 1
            other = 0
            if part == 0:
                native[row] = recognised >= weighting.native * n_met
                other = 0 if native[row] else 1
            of = other if part == 0 else 2
            more = known_documents if of == 0 else 0
            squares = 0.0
            for k in range(n_met):
                term = keys[met[k]]
                if part == 1:
                    term |= FLAGS
                column = column_of(table, columns, term)
                frequency = 1.0 + (live[column, other] if column >= 0 else 0)
                if n > 1:
                    frequency += block_counts[slot_of(block_keys, term), other]
                if of == 0:
                    frequency += known_counts[slot_of(known_keys, term & ~FLAGS)]
                value = (1.0 + np.log(counts[met[k]])) * _idf(1.0 + totals[of] + more, frequency)
                squares += value * value
                own_terms[n_own + k], own_weights[n_own + k] = term, value
                keys[met[k]] = 0
            scale = 1.0 / np.sqrt(squares)
            if letter_offsets[row + 1] > letter_offsets[row]:
                scale *= np.sqrt(letter_share if part == 1 else 1.0 - letter_share)
            for k in range(n_own, n_own + n_met):
                own_weights[k] *= np.float32(scale)
            n_own += n_met
        least, level = np.float32(0), n_own
        if n_own > most:
            least = np.partition(own_weights[:n_own], n_own - most)[n_own - most]
            level = most
            for k in range(n_own):
                level -= own_weights[k] > least
        kept = 0
        for k in range(n_own):
            if own_weights[k] < least or (own_weights[k] == least and level == 0):
                continue
            level -= own_weights[k] == least
            # Two documents that share only a term of weight 0 must not become neighbours.
            if own_weights[k] <= 0:
                continue
            terms[row, kept], weights[row, kept] = own_terms[k], own_weights[k]
            kept += 1
            if k < n_words:
                words[row] = kept
        lengths[row] = kept
        if n > 1:
            for k in range(kept):
                slot = slot_of(block_keys, terms[row, k])
                block_keys[slot] = terms[row, k]
                block_counts[slot, 1 if k < words[row] and not native[row] else 0] += 1
            if words[row] > 0:
                totals[0 if native[row] else 1] += 1
            totals[2] += kept > words[row]
    return terms, weights, words, lengths, native


@jit
def fill_table(keys, values, terms, counts):
    """Fill an empty open-addressing table with terms and their counts, see ``slot_of``."""
    for k in range(len(terms)):
        slot = slot_of(keys, terms[k])
        keys[slot], values[slot] = terms[k], counts[k]
