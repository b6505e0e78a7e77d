"""UTF-8 bytes to tokens by the fold table, in one pass over Arrow's own buffers.

A token is a maximal run of letters, or a number with its decimal points; each Han or kana character
is a token, and so is ``%``. Invalid UTF-8 is allowed: a broken byte separates tokens.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..hashing import EULER, GOLDEN, PI, mix64
from ..jit import jit, leaf

# Kinds of fold table entries, as in text/folding.py: kernels import nothing from higher layers.
SEPARATOR, LETTER, DIGIT, DROP, EXPAND, SINGLE, COMPOSE, SIGN, DECIMAL, GROUP = range(10)
END_OF_EXPANSION = np.uint32(0xFFFFFFFF)

#: Letters of a token that are kept; from there on the last one is a hash of the rest.
LETTERS = 256


class FoldTable(NamedTuple):
    """The folding rules as arrays; see ``text/folding.py``.

    Attributes
    ----------
    blocks : uint16[4352], the row of ``entries`` for the high bits of a code point
    entries : uint32[n_blocks, 256], ``kind << 24 | value``
    expansions : uint32, the entries of code points that become several, each run ended by
        ``END_OF_EXPANSION``
    refine : uint32[3, 256], maps a letter of the Arabic block to its form at each level. Until then
        letters keep their hamza, so that a mark after a letter can compose with it.
    """

    blocks: npt.NDArray[np.uint16]
    entries: npt.NDArray[np.uint32]
    expansions: npt.NDArray[np.uint32]
    refine: npt.NDArray[np.uint32]


@leaf
def decode(first, second, third, fourth, available):
    """Decode a UTF-8 sequence of three or four bytes, given as scalars so that no array is passed.

    Returns ``size << 24 | code point``; size 1 and U+0020 for a byte that begins no valid sequence.
    """
    broken = np.uint32(1 << 24 | 32)
    if available < 3 or second & np.uint32(0xC0) != np.uint32(0x80) or third & np.uint32(0xC0) != np.uint32(0x80):
        return broken
    if np.uint32(0xE0) <= first < np.uint32(0xF0):
        code = np.uint32((first & np.uint32(15)) << np.uint32(12) | (second & np.uint32(63)) << np.uint32(6) | third & np.uint32(63))
        surrogate = np.uint32(0xD800) <= code < np.uint32(0xE000)
        return broken if code < np.uint32(0x800) or surrogate else np.uint32(np.uint32(3 << 24) | code)
    if np.uint32(0xF0) <= first < np.uint32(0xF5) and available >= 4 and fourth & np.uint32(0xC0) == np.uint32(0x80):
        code = np.uint32((first & np.uint32(7)) << np.uint32(18) | (second & np.uint32(63)) << np.uint32(12))
        code = np.uint32(code | (third & np.uint32(63)) << np.uint32(6) | fourth & np.uint32(63))
        return broken if code < np.uint32(0x10000) or code >= np.uint32(0x110000) else np.uint32(np.uint32(4 << 24) | code)
    return broken


@leaf
def compose(letter, mark):
    """Compose alef, waw or yeh with a madda or hamza mark (U+0653..0655), as Unicode's NFC does."""
    if letter == np.uint32(0x0627):
        return np.uint32(0x0622) if mark == np.uint32(0x0653) else np.uint32(0x0623) if mark == np.uint32(0x0654) else np.uint32(0x0625)
    if mark == np.uint32(0x0654):
        return np.uint32(0x0624) if letter == np.uint32(0x0648) else np.uint32(0x0626)
    return letter


@leaf
def letter_of_rest(rest):
    """A number above all code points that replaces the letters from the LETTERS-th on."""
    return np.uint32(0x110000) + np.uint32(rest & np.uint64(0xFFFFFF))


@leaf
def next_token(data, at, end, cursor, fold, letters):
    """Read the next token.

    Parameters
    ----------
    data : uint8[n], ``at`` and ``end`` byte positions in it
    cursor : int64[1], the place inside an expansion at which to continue, or -1; kept between calls
    fold : FoldTable
    letters : uint32[LETTERS], written in place: the token's letters, not yet refined to a level

    Returns
    -------
    (at, length, start, stop)
        The position at which to continue; the number of letters of the token (0: no token is left;
        it may exceed LETTERS, then the last letter kept is a hash of the rest); the bytes that it
        spans.

    Notes
    -----
    A mark inside a number belongs to it only if the right digits follow (1,500 and 2.5, but not
    15,30 or «2015.»). Reading continues past the mark; if the digits do not follow, it goes back to
    the mark and ends the token there.
    """
    length = 0
    kind_now = np.uint32(SEPARATOR)
    run = 0  # digits since the number began or since its last mark
    decimals = False  # after a decimal point there are no groups of three
    mark = np.uint32(SEPARATOR)  # the mark not yet confirmed, and the state to go back to
    mark_at, mark_length, mark_stop = at, 0, at
    bare = False  # the last letter is an alef, waw or yeh that a mark may still compose with
    start = at
    stop = at
    origin = at
    rest = mark_rest = np.uint64(0)
    while True:
        here = at
        place = cursor[0]
        if place < 0:
            origin = at  # for an expansion, the position of its ligature
        ended = False
        raw = np.uint32(0)
        entry = np.uint32(0)
        if place >= 0:
            entry = fold.expansions[place]
            if entry == END_OF_EXPANSION:
                cursor[0] = -1
                continue
        elif at >= end:
            ended = True
        else:
            # Fast path: Arabic letters have two bytes, spaces one.
            first = np.uint32(data[at])
            second = np.uint32(data[min(at + 1, end - 1)])
            if first < np.uint32(0x80):
                raw = first
                at += 1
            elif np.uint32(0xC2) <= first < np.uint32(0xE0) and at + 1 < end and second & np.uint32(0xC0) == np.uint32(0x80):
                raw = np.uint32((first & np.uint32(31)) << np.uint32(6) | second & np.uint32(63))
                at += 2
            else:
                third = np.uint32(data[min(at + 2, end - 1)])
                packed = np.uint32(decode(first, second, third, np.uint32(data[min(at + 3, end - 1)]), end - at))
                raw = np.uint32(packed & np.uint32(0xFFFFFF))
                at += np.int64(packed >> np.uint32(24))
            entry = fold.entries[np.uint32(fold.blocks[raw >> np.uint32(8)]), raw & np.uint32(255)]
        kind = np.uint32(entry >> np.uint32(24))
        letter = np.uint32(entry & np.uint32(0xFFFFFF))
        if kind != np.uint32(LETTER) or kind_now != np.uint32(LETTER):
            if kind == DROP or kind == COMPOSE or kind == EXPAND:
                if kind == EXPAND:
                    cursor[0] = np.int64(letter)
                elif place >= 0:
                    cursor[0] = place + 1
                if kind == COMPOSE and bare and length <= LETTERS:
                    letters[length - 1] = compose(letters[length - 1], letter)
                    bare = letters[length - 1] == np.uint32(0x0648) or letters[length - 1] == np.uint32(0x064A)
                continue
            if mark != SEPARATOR:
                if (mark == GROUP and (kind == DIGIT) == (run == 3)) or (mark == DECIMAL and kind != DIGIT):
                    cursor[0] = -1
                    if mark_length >= LETTERS:
                        letters[LETTERS - 1] = letter_of_rest(mark_rest)
                    return mark_at, mark_length, start, mark_stop
                if mark == DECIMAL or kind != DIGIT:
                    mark = np.uint32(SEPARATOR)
            if kind_now == DIGIT and place < 0 and (kind == DECIMAL or (kind == GROUP and not decimals and 1 <= run <= 3)):
                mark = kind
                mark_at, mark_length, mark_stop, mark_rest = here, length, stop, rest
                run = 0
                if kind == GROUP:
                    continue
                decimals = True
                kind = np.uint32(DIGIT)
            elif kind == DECIMAL or kind == GROUP:
                kind = np.uint32(SEPARATOR)
            elif kind == DIGIT:
                run += 1
            if length > 0 and (kind != kind_now or kind == SINGLE or kind == SIGN):
                return here, length, start, stop
            if ended:
                break
            if kind == SEPARATOR:
                if place >= 0:
                    cursor[0] = place + 1
                continue
            if length == 0:
                start = origin
                kind_now = kind
                run = 1
        if place >= 0:
            cursor[0] = place + 1
        if length < LETTERS - 1:
            letters[length] = letter
        else:
            rest = mix64(rest ^ np.uint64(letter)) + np.uint64(1)
            letters[LETTERS - 1] = letter_of_rest(rest)
        length += 1
        # Fast path: two-byte letters of one word.
        while kind == np.uint32(LETTER) and place < 0 and at + 1 < end and length < LETTERS - 1:
            first = np.uint32(data[at])
            second = np.uint32(data[at + 1])
            if first < np.uint32(0xC2) or first >= np.uint32(0xE0) or second & np.uint32(0xC0) != np.uint32(0x80):
                break
            code = np.uint32((first & np.uint32(31)) << np.uint32(6) | second & np.uint32(63))
            entry = fold.entries[np.uint32(fold.blocks[code >> np.uint32(8)]), code & np.uint32(255)]
            if entry >> np.uint32(24) != np.uint32(LETTER):
                break
            letters[length] = entry & np.uint32(0xFFFFFF)
            length += 1
            at += 2
            raw = code
        stop = at
        bare = raw == np.uint32(0x0627) or raw == np.uint32(0x0648) or raw == np.uint32(0x064A)
    return at, length, start, stop


@leaf
def hash_letters(letters, length):
    """uint64 hash of ``letters[:length]``."""
    state = PI
    for i in range(min(length, LETTERS)):
        state = (state ^ np.uint64(letters[i])) * GOLDEN
        state ^= state >> np.uint64(29)
    return mix64(state)


@leaf
def extend_digest(left, right, exact):
    """Add the canonical hash of a token to the halves of a digest; the order of tokens matters."""
    right = (right ^ exact) * EULER
    return mix64(left ^ exact), right ^ (right >> np.uint64(31))


@leaf
def hash_levels(letters, length, refine):
    """``hash_letters`` of a token at the levels *canonical* and *shingle*, in one pass."""
    canonical = PI
    shingle = PI
    for i in range(min(length, LETTERS)):
        one = letters[i]
        other = one
        if one >> np.uint32(8) == np.uint32(6):
            other = refine[1, one & np.uint32(255)]
            one = refine[0, one & np.uint32(255)]
        canonical = (canonical ^ np.uint64(one)) * GOLDEN
        canonical ^= canonical >> np.uint64(29)
        shingle = (shingle ^ np.uint64(other)) * GOLDEN
        shingle ^= shingle >> np.uint64(29)
    return mix64(canonical), mix64(shingle)


@leaf
def most_tokens(offsets):
    """Upper bound of the number of tokens in the texts.

    One byte can be a token ("a1a1"), and the longest expansion gives four in three bytes. Memory is
    only touched where tokens are written.
    """
    return (offsets[len(offsets) - 1] - offsets[0]) * 4 // 3 + len(offsets) + 8


@jit
def last_characters(data, offsets, most):
    """Copy the last ``most`` characters of each text, all of a shorter one.

    Parameters
    ----------
    data : uint8[n_bytes], valid UTF-8; offsets : int64[n_texts + 1]; most : characters

    Returns
    -------
    (data uint8[n], offsets int64[n_texts + 1])
    """
    n_texts = len(offsets) - 1
    out_offsets = np.zeros(n_texts + 1, np.int64)
    for text in range(n_texts):
        at, left = offsets[text + 1], most
        while at > offsets[text] and left > 0:
            at -= 1
            left -= np.int64(data[at] & np.uint8(0xC0) != np.uint8(0x80))  # all other bytes continue a character
        out_offsets[text + 1] = out_offsets[text] + offsets[text + 1] - at
    out = np.empty(out_offsets[n_texts], np.uint8)
    for text in range(n_texts):
        size = out_offsets[text + 1] - out_offsets[text]
        for i in range(size):
            out[out_offsets[text] + i] = data[offsets[text + 1] - size + i]
    return out, out_offsets
