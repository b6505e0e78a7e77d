"""Encodes rows of word numbers as bytes, and assigns numbers to words.

A code is the prefix of its class ``c`` (numbers from ``2**c - 16`` on) and further bits. Prefixes
are a Huffman code (1952) over 15,000 news pages: 1.85 bytes a word; LEB128 takes 2.12.
"""

from __future__ import annotations

import numpy as np

from ..hashing import mix64
from ..intrinsics import eight_bytes
from ..jit import jit, leaf

#: Prefix bits of each class, when words are numbered in the order of their first occurrence. The
#: last class covers all the rest.
_PREFIX_BITS = {4: 8, 5: 4, 6: 4, 7: 5, 8: 4, 9: 4, 10: 4, 11: 3, 12: 3, 13: 3, 14: 3, 15: 4, 16: 4, 17: 6, 18: 8, 19: 8, 28: 8}
_FIRST, _LAST = 16, 28
#: There are codes for the numbers below this one.
MOST = (1 << 20) - _FIRST + (1 << _LAST)
#: The longest code, and the shortest: longer than a byte, so padding in the last byte of a row is
#: never a code.
_MOST_BITS, FEWEST_BITS = 8 + _LAST, 9


def _codes():
    """Classes (further bits, first number, prefix, prefix bits); by bit length; by next 8 bits."""
    code, before, of_next = 0, 3, np.empty(256, np.uint8)
    classes: list[tuple[int, int, int, int]] = []
    for kind in sorted(_PREFIX_BITS, key=lambda kind: (_PREFIX_BITS[kind], kind)):
        bits = _PREFIX_BITS[kind]
        code, before = code << (bits - before), bits
        # Codes are read from the lowest bit on, so the prefix is reversed.
        prefix = int(format(code, f"0{bits}b")[::-1], 2)
        first = (1 << 20) - _FIRST if kind == _LAST else (1 << kind) - _FIRST
        of_next[prefix :: 1 << bits] = len(classes)
        classes.append((kind, first, prefix, bits))
        code += 1
    of_kind = np.zeros(21, np.uint8)
    for place, (kind, *_) in enumerate(classes):
        of_kind[min(kind, 20)] = place
    return np.array(classes, np.int64), of_kind, of_next


_CLASSES, _OF_KIND, _OF_NEXT = _codes()


@leaf
def _kind_of(number):
    """The class of a number: floor(log2(number + 16)), 20 from 2**20 on."""
    kind, rest = 4, (number + _FIRST) >> 4
    for bits in (8, 4, 2, 1):
        if rest >> bits:
            kind += bits
            rest >>= bits
    return min(kind + (rest >> 1), 20)


@jit
def pack_rows(numbers, offsets):
    """Encode rows of numbers as bytes.

    Parameters
    ----------
    numbers : int64[n], from 0 to ``MOST`` - 1; offsets : int64[n_rows + 1]

    Returns
    -------
    (data uint8[n_bytes], byte_offsets int64[n_rows + 1]); each row begins at a byte
    """
    n_rows = len(offsets) - 1
    out = np.empty((offsets[-1] - offsets[0]) * _MOST_BITS // 8 + 2 * n_rows + 8, np.uint8)
    byte_offsets = np.zeros(n_rows + 1, np.int64)
    used = 0
    for row in range(n_rows):
        pending, bits = np.uint64(0), np.int64(0)
        for i in range(offsets[row], offsets[row + 1]):
            place = _OF_KIND[_kind_of(numbers[i])]
            pending |= np.uint64(_CLASSES[place, 2]) << np.uint64(bits)
            bits += _CLASSES[place, 3]
            pending |= np.uint64(numbers[i] - _CLASSES[place, 1]) << np.uint64(bits)
            bits += _CLASSES[place, 0]
            while bits >= 8:
                out[used] = np.uint8(pending & np.uint64(255))
                used += 1
                pending >>= np.uint64(8)
                bits -= 8
        if bits:
            out[used] = np.uint8(pending)
            used += 1
        byte_offsets[row + 1] = used
    return out[:used].copy(), byte_offsets


@jit
def unpack_rows(data, byte_offsets):
    """Decode rows of bytes.

    Parameters
    ----------
    data : uint8[n_bytes + 8], as ``pack_rows`` encodes, with eight more bytes; byte_offsets :
        int64[n_rows + 1]

    Returns
    -------
    (numbers int64[n], offsets int64[n_rows + 1]); arbitrary numbers if the bytes are not
    valid codes
    """
    n_rows = len(byte_offsets) - 1
    out = np.empty((byte_offsets[-1] - byte_offsets[0]) * 8 // FEWEST_BITS + 1, np.int64)
    offsets = np.zeros(n_rows + 1, np.int64)
    used = 0
    for row in range(n_rows):
        at, last = byte_offsets[row] * 8, byte_offsets[row + 1] * 8 - FEWEST_BITS
        while at <= last:
            pending = eight_bytes(data, at >> 3) >> np.uint64(at & 7)
            place = _OF_NEXT[np.int64(pending & np.uint64(255))]
            bits, further = _CLASSES[place, 3], _CLASSES[place, 0]
            rest = (pending >> np.uint64(bits)) & ((np.uint64(1) << np.uint64(further)) - np.uint64(1))
            out[used] = _CLASSES[place, 1] + np.int64(rest)
            used += 1
            at += bits + further
        offsets[row + 1] = used
    return out[:used], offsets


@jit
def number_words(tokens, terms, first, slots, words, count):
    """Assign numbers to words: the number that a word has, or the next one.

    Parameters
    ----------
    tokens, terms : uint64[n]; first : int, where to begin
    slots : uint32[power of two], changed: number + 1 at the hash of its word or after it, 0 if free
    words : uint64[capacity, 2], changed: token and term of each number
    count : int, words so far, at most half as many as slots

    Returns
    -------
    (numbers int64[at most n - first], count)
        Numbers up to the first word for which ``words`` has no room.
    """
    mask = np.int64(len(slots) - 1)
    numbers = np.empty(len(tokens) - first, np.int64)
    for i in range(first, len(tokens)):
        token, term = tokens[i], terms[i]
        slot = np.int64(mix64(token ^ (term << np.uint64(1))) >> np.uint64(8)) & mask
        while True:
            number = np.int64(slots[slot]) - 1
            if number < 0:
                if count == len(words):
                    return numbers[: i - first], count
                words[count, 0], words[count, 1] = token, term
                count += 1
                slots[slot] = np.uint32(count)
                number = count - 1
                break
            if words[number, 0] == token and words[number, 1] == term:
                break
            slot = (slot + 1) & mask
        numbers[i - first] = number
    return numbers, count


@jit
def place_words(words, count, slots):
    """Fill the empty table ``slots`` with ``count`` words; arrays as in ``number_words``."""
    mask = np.int64(len(slots) - 1)
    for number in range(count):
        slot = np.int64(mix64(words[number, 0] ^ (words[number, 1] << np.uint64(1))) >> np.uint64(8)) & mask
        while slots[slot]:
            slot = (slot + 1) & mask
        slots[slot] = np.uint32(number + 1)


@jit
def words_at(words, count, numbers):
    """The words with these numbers.

    Parameters
    ----------
    words : uint64[capacity, 2]; count : int, how many are in use; numbers : int64[n]

    Returns
    -------
    (tokens uint64[n], terms uint64[n], n_found)
        ``n_found`` is less than n if a number has no word: then it is the place of the first such
        number.
    """
    tokens, terms = np.empty(len(numbers), np.uint64), np.empty(len(numbers), np.uint64)
    for i in range(len(numbers)):
        number = numbers[i]
        if number < 0 or number >= count:
            return tokens, terms, i
        tokens[i], terms[i] = words[number, 0], words[number, 1]
    return tokens, terms, len(numbers)
