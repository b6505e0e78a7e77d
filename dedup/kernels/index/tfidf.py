"""TF-IDF vectors of documents as they arrive, weighed by a background and by what is in a window; the heaviest terms are kept."""

from __future__ import annotations

import numpy as np

from ..jit import jit, leaf

#: Lowest bits of a term that are flags, see ``counts_file.py``; runs of letters have both.
FLAGS = np.uint64(3)


@leaf
def place_of(keys, key):
    """Where a key stands in a table of open addressing, or the empty place where it would; the size is a power of 2, 0 is empty."""
    mask = np.uint64(len(keys) - 1)
    place = (key ^ (key >> np.uint64(29))) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(20) & mask
    while keys[place] != key and keys[place] != 0:
        place = (place + np.uint64(1)) & mask
    return np.int64(place)


@leaf
def count_terms(keys, counts, met, n_met, terms, first, last, weight):
    """Count terms of a document into a table; how many different ones there are, of which ``met`` holds the places."""
    for place in range(first, last):
        term = terms[place] if terms[place] != 0 else np.uint64(1)
        at = place_of(keys, term)
        if keys[at] == 0:
            keys[at] = term
            counts[at] = 0
            met[n_met] = at
            n_met += 1
        counts[at] += weight
    return n_met


@leaf
def listing(table, columns, term):
    """The column of a term; -1 if it has none."""
    place = place_of(table, term)
    return columns[place] if table[place] != 0 else np.int32(-1)


@jit
def weigh_rows(
    titles, title_offsets, bodies, body_offsets, letters, letter_offsets, title_weight, lead_words, letter_share, native_share,
    known_keys, known_counts, known_documents, table, columns, live, documents, most,
):  # fmt: skip
    """Vectors of documents, each weighed by the background, the documents of a window, those before it in the block and itself.

    Parameters
    ----------
    titles, bodies, letters : uint64 hashes, with int64[n + 1] offsets; of a body the first ``lead_words`` count
    letter_share : share of the vector of a document with letters that they are
    native_share : share of its terms that the background must know for a document to be in its language
    known_keys, known_counts : table of the background, keys without flags, see ``place_of``; ``known_documents`` in all
    table, columns : table of the terms of the window; live : int32[n_columns, 2], documents that list each, native and other
    documents : int64[3], native documents of the window, other ones, and those with letters
    most : terms that are kept of a document, the heaviest, of equals the first

    Returns
    -------
    (terms uint64[n, most], weights float32[n, most], words int32[n], lengths int32[n], native bool[n])
        Of row i the first ``lengths[i]`` entries count; the first ``words[i]`` of them are words, the rest runs of letters. Weights
        are those of a vector of unit length of all terms.
    """
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
    # What the documents before it in the block add to the frequencies of the window.
    block_keys = np.zeros(size if n > 1 else 1, np.uint64)
    block_counts = np.zeros((size if n > 1 else 1, 2), np.int32)
    totals = documents.copy()
    for row in range(n):
        n_own = 0
        for part in range(2):
            if part == 0:
                n_met = count_terms(keys, counts, met, 0, titles, title_offsets[row], title_offsets[row + 1], title_weight)
                last = min(body_offsets[row + 1], body_offsets[row] + lead_words)
                n_met = count_terms(keys, counts, met, n_met, bodies, body_offsets[row], last, 1.0)
                n_words = n_met
            else:
                n_met = count_terms(keys, counts, met, 0, letters, letter_offsets[row], letter_offsets[row + 1], 1.0)
            if n_met == 0:
                continue
            recognised = 0
            for k in range(n_met):
                if part == 0 and known_keys[place_of(known_keys, keys[met[k]] & ~FLAGS)] != 0:
                    recognised += 1
            other = 0
            if part == 0:
                native[row] = recognised >= native_share * n_met
                other = 0 if native[row] else 1
            of = other if part == 0 else 2
            more = known_documents if of == 0 else 0
            squares = 0.0
            for k in range(n_met):
                term = keys[met[k]]
                if part == 1:
                    term |= FLAGS
                column = listing(table, columns, term)
                frequency = 1.0 + (live[column, other] if column >= 0 else 0)
                if n > 1:
                    frequency += block_counts[place_of(block_keys, term), other]
                if of == 0:
                    frequency += known_counts[place_of(known_keys, term & ~FLAGS)]
                idf = np.log((2.0 + totals[of] + more) / (1.0 + frequency)) + 1.0
                value = (1.0 + np.log(counts[met[k]])) * idf
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
            # A weight of 0 would make the two look alike that share nothing else.
            if own_weights[k] <= 0:
                continue
            terms[row, kept], weights[row, kept] = own_terms[k], own_weights[k]
            kept += 1
            if k < n_words:
                words[row] = kept
        lengths[row] = kept
        if n > 1:
            for k in range(kept):
                place = place_of(block_keys, terms[row, k])
                block_keys[place] = terms[row, k]
                block_counts[place, 1 if k < words[row] and not native[row] else 0] += 1
            if words[row] > 0:
                totals[0 if native[row] else 1] += 1
            totals[2] += kept > words[row]
    return terms, weights, words, lengths, native


@jit
def fill_table(keys, values, terms, counts):
    """Write terms and the count of each into an empty table of open addressing, see ``place_of``."""
    for k in range(len(terms)):
        place = place_of(keys, terms[k])
        keys[place], values[place] = terms[k], counts[k]
