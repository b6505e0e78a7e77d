"""Texts to the hashes of their tokens, with a cache of chunks: news repeats its words.

A chunk is a run of bytes without white space (U+0000 to U+0020), which no token crosses. One with
at most one token, such as ``«القاهرة»،`` with its marks, is read letter by letter only once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..hashing import EULER, GOLDEN
from ..intrinsics import eight_bytes, zeros_below
from ..jit import jit, leaf
from .terms import term_of
from .tokens import LETTERS, extend_digest, hash_levels, most_tokens, next_token

#: Cached chunks (a power of two), and 64-bit words of an entry: four for the bytes of the chunk,
#: padded with zeros, then the hash of its token at the levels *canonical* and *shingle* (0: no
#: token), its term, and one unused.
CHUNKS, ENTRY = 1 << 17, 8
#: Words whose term is cached (a power of two), whatever marks are around them.
WORDS = 1 << 18
_KEY = 4
#: Lowest and highest bit of each of eight bytes; the first byte that is not white space.
_LOWEST, _HIGHEST, _FIRST_INK = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080), np.uint64(0x21)


class TokenCache(NamedTuple):
    """Chunks and words met so far, with their hashes; it changes the speed, not the result.

    It may be reused with the same tables and the same ``stemmed``, by one thread at a time.

    Attributes
    ----------
    chunks : uint64[CHUNKS, ENTRY], zeros at first; any power of two of rows works
    words : uint64[WORDS, 2], likewise
    """

    chunks: npt.NDArray[np.uint64]
    words: npt.NDArray[np.uint64]


class DocumentRows(NamedTuple):
    """Output and scratch arrays of ``fill_documents``: results, and state of ``next_token``."""

    tokens: npt.NDArray[np.uint64]
    token_offsets: npt.NDArray[np.int64]
    digests: npt.NDArray[np.uint64]
    terms: npt.NDArray[np.uint64]
    term_offsets: npt.NDArray[np.int64]
    letters: npt.NDArray[np.uint32]
    cursor: npt.NDArray[np.int64]


@leaf
def bytes_until(data, at, end):
    """``data[at:end]``, at most eight bytes, as one uint64 padded with zeros."""
    if end - at >= 8:
        return eight_bytes(data, at)
    if at + 8 <= len(data):
        return eight_bytes(data, at) & ((np.uint64(1) << np.uint64(8 * max(end - at, 0))) - np.uint64(1))
    word = np.uint64(0)
    for i in range(end - at):
        word |= np.uint64(data[at + i]) << np.uint64(8 * i)
    return word


@leaf
def bits_of_ink(word):
    """The number of bits (whole bytes) before the first white space or padding; 64 if none."""
    # Mycroft's test for a byte below n: a borrow can only mark bytes after the first true one.
    marks = (word - _LOWEST * _FIRST_INK) & ~word & _HIGHEST
    return zeros_below(marks) & np.uint64(0x78)


@leaf
def chunk_end(data, at, end):
    """The end of the chunk that contains position ``at``."""
    while at < end:
        bits = bits_of_ink(bytes_until(data, at, end))
        if bits < np.uint64(64):
            return at + np.int64(bits >> np.uint64(3))
        at += 8
    return end


@jit
def document_rows(data, offsets, stemmed, aligned, cache, fold, table):
    """Tokens and terms of each text, and a digest of its tokens at level *canonical*.

    Parameters
    ----------
    data : uint8[n_bytes], offsets : int64[n_texts + 1]
    stemmed : bool, whether to make terms; otherwise all rows of terms are empty
    aligned : bool, with ``stemmed``: one term per token, 0 for a stop word; otherwise stop words
        are left out
    cache : TokenCache, written in place; fold : FoldTable; table : StemTable

    Returns
    -------
    (tokens uint64[n_tokens], token_offsets int64[n_texts + 1], digests uint64[n_texts, 2],
     terms uint64[n_terms], term_offsets int64[n_texts + 1])
        Tokens are hashes at level *shingle*. Digests (128 bits) are equal if the canonical token
        streams are. Cost: one look-up for a word met before, one per letter for any other.
    """
    n_texts = len(offsets) - 1
    token_offsets = np.zeros(n_texts + 1, np.int64)
    term_offsets = np.zeros(n_texts + 1, np.int64)
    digests = np.empty((n_texts, 2), np.uint64)
    tokens = np.empty(most_tokens(offsets), np.uint64)
    terms = np.empty(most_tokens(offsets) if stemmed else 0, np.uint64)
    letters = np.empty(LETTERS, np.uint32)
    cursor = np.empty(1, np.int64)
    out = DocumentRows(tokens, token_offsets, digests, terms, term_offsets, letters, cursor)
    fill_documents(data, offsets, stemmed, aligned, cache, fold, table, out)
    return tokens[: token_offsets[n_texts]].copy(), token_offsets, digests, terms[: term_offsets[n_texts]].copy(), term_offsets


@leaf
def fill_documents(data, offsets, stemmed, aligned, cache, fold, table, out):
    """Write the rows of ``document_rows`` into ``out``, its ``DocumentRows``."""
    known, words = cache.chunks, cache.words
    tokens, terms, letters, cursor = out.tokens, out.terms, out.letters, out.cursor
    slots = np.uint64(len(known) - 1)
    full = np.uint64(64)
    n_tokens = 0
    n_terms = 0
    for text in range(len(offsets) - 1):
        at, end = offsets[text], offsets[text + 1]
        left = GOLDEN
        right = EULER
        while at < end:
            first = bytes_until(data, at, end)
            bits = bits_of_ink(first)
            if bits == np.uint64(0):
                at += 1
                continue
            # The bytes of the chunk, as many as fit into an entry.
            stop_at = at
            second = third = fourth = np.uint64(0)
            if bits == full:
                stop_at += 8
                second = bytes_until(data, stop_at, end)
                bits = bits_of_ink(second)
                if bits == full:
                    stop_at += 8
                    third = bytes_until(data, stop_at, end)
                    bits = bits_of_ink(third)
                    if bits == full:
                        stop_at += 8
                        fourth = bytes_until(data, stop_at, end)
                        bits = bits_of_ink(fourth)
                        fourth &= (np.uint64(1) << (bits & np.uint64(63))) - np.uint64(1)
                    else:
                        third &= (np.uint64(1) << bits) - np.uint64(1)
                else:
                    second &= (np.uint64(1) << bits) - np.uint64(1)
            else:
                first &= (np.uint64(1) << bits) - np.uint64(1)
            if bits == full:  # too long for an entry
                stop_at = chunk_end(data, stop_at + 8, end)
                slot = np.int64(-1)
            else:
                stop_at += np.int64(bits >> np.uint64(3))
                mixed = (first ^ (second * GOLDEN) ^ (third * EULER)) * GOLDEN
                mixed = (mixed ^ (mixed >> np.uint64(32)) ^ fourth) * EULER
                slot = np.int64((mixed >> np.uint64(40)) & slots)
                if known[slot, 0] == first and known[slot, 1] == second and known[slot, 2] == third and known[slot, 3] == fourth:
                    word = known[slot, _KEY + 1]
                    if word != np.uint64(0):
                        tokens[n_tokens] = word
                        n_tokens += 1
                        left, right = extend_digest(left, right, known[slot, _KEY])
                        term = known[slot, _KEY + 2]
                        if aligned or term != np.uint64(0):
                            terms[n_terms] = term
                            n_terms += 1
                    at = stop_at
                    continue
            found = 0
            exact = word = term = np.uint64(0)
            cursor[0] = -1
            while True:
                at, length, _, _ = next_token(data, at, stop_at, cursor, fold, letters)
                if length == 0:
                    break
                exact, word = hash_levels(letters, length, fold.refine)
                if stemmed:
                    place = np.int64(word & np.uint64(len(words) - 1))
                    if words[place, 0] != word:
                        words[place, 0] = word
                        words[place, 1] = term_of(letters, length, fold.refine, table)
                    term = words[place, 1]
                found += 1
                tokens[n_tokens] = word
                n_tokens += 1
                left, right = extend_digest(left, right, exact)
                if aligned or term != np.uint64(0):
                    terms[n_terms] = term
                    n_terms += 1
            at = stop_at
            if slot >= 0 and found <= 1 and (found == 0 or word != np.uint64(0)):
                known[slot, 0] = first
                known[slot, 1] = second
                known[slot, 2] = third
                known[slot, 3] = fourth
                known[slot, _KEY] = exact
                known[slot, _KEY + 1] = word
                known[slot, _KEY + 2] = term
        out.token_offsets[text + 1] = n_tokens
        out.term_offsets[text + 1] = n_terms
        out.digests[text, 0] = left
        out.digests[text, 1] = right
