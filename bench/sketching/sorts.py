"""Ways to bring equal 64-bit keys together and keep the row of each: radix sorts, a partition, and two that sort less.

Keys are hashes, evenly spread. Every way is deterministic: rows of one key come in ascending order.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels.jit import jit

Keys = npt.NDArray[np.uint64]
#: Bits of the first and the second deal of the partition: as many piles as the fastest cache has lines for, or fewer.
FIRST_DEAL, SECOND_DEAL = 8, 12
#: Bits of a filter for each key: one key in ten of those that stand alone then passes it by chance.
FILTER_BITS = 8


@jit
def radix_sorted(keys):
    """Sort by digits of eight bits, the lowest first.

    Parameters
    ----------
    keys : uint64[n]

    Returns
    -------
    (sorted keys uint64[n], their rows int32[n])
        Cost: one walk that counts all digits, eight that deal.

    Notes
    -----
    Knuth, TAOCP 3, 5.2.5. Stable by nature.
    """
    n = len(keys)
    here, there = keys.copy(), np.empty(n, np.uint64)
    rows, moved = np.empty(n, np.int32), np.empty(n, np.int32)
    starts = np.zeros((8, 256), np.int64)
    for i in range(n):
        rows[i] = i
        for digit in range(8):
            starts[digit, np.int64((keys[i] >> np.uint64(8 * digit)) & np.uint64(255))] += 1
    for digit in range(8):
        total = 0
        for pile in range(256):
            size = starts[digit, pile]
            starts[digit, pile] = total
            total += size
        for i in range(n):
            pile = np.int64((here[i] >> np.uint64(8 * digit)) & np.uint64(255))
            place = starts[digit, pile]
            starts[digit, pile] = place + 1
            there[place] = here[i]
            moved[place] = rows[i]
        here, there = there, here
        rows, moved = moved, rows
    return here, rows


@jit
def partitioned(keys, first_bits, second_bits):
    """Deal by the highest bits, twice, into piles of about one key, and let neighbours swap inside a pile.

    Parameters as in ``radix_sorted``, and the bits of the two deals.

    Returns
    -------
    (sorted keys uint64[n], their rows int32[n])
        Cost: two walks for each deal. Piles that one repeated key fills cost nothing more; piles of many different
        keys would cost their square, which hashes do not make.

    Notes
    -----
    MSD radix sort with a cut to insertion: McIlroy, Bostic, McIlroy 1993, "Engineering radix sort".
    """
    n = len(keys)
    dealt, dealt_rows = np.empty(n, np.uint64), np.empty(n, np.int32)
    out, rows = np.empty(n, np.uint64), np.empty(n, np.int32)
    piles, small_piles = 1 << first_bits, 1 << second_bits
    ends = np.zeros(piles + 1, np.int64)
    small = np.empty(small_piles + 1, np.int64)
    down = np.uint64(64 - first_bits)
    further, mask = np.uint64(64 - first_bits - second_bits), np.uint64(small_piles - 1)
    for i in range(n):
        ends[np.int64(keys[i] >> down) + 1] += 1
    for pile in range(piles):
        ends[pile + 1] += ends[pile]
    for i in range(n):
        pile = np.int64(keys[i] >> down)
        dealt[ends[pile]] = keys[i]
        dealt_rows[ends[pile]] = i
        ends[pile] += 1
    begin = 0
    for pile in range(piles):  # ends[pile] is now where the pile ends
        end = ends[pile]
        small[:] = 0
        for i in range(begin, end):
            small[np.int64((dealt[i] >> further) & mask) + 1] += 1
        small[0] = begin
        for place in range(small_piles):
            small[place + 1] += small[place]
        for i in range(begin, end):
            place = np.int64((dealt[i] >> further) & mask)
            out[small[place]] = dealt[i]
            rows[small[place]] = dealt_rows[i]
            small[place] += 1
        for i in range(begin + 1, end):
            key, row = out[i], rows[i]
            j = i
            while j > begin and out[j - 1] > key:
                out[j] = out[j - 1]
                rows[j] = rows[j - 1]
                j -= 1
            out[j] = key
            rows[j] = row
        begin = end
    return out, rows


@jit
def mark(keys, once, twice):
    """Set the bit of each key in ``once`` (uint64[a power of two]), and in ``twice`` where it was set already, in place."""
    mask = np.uint64(64 * len(once) - 1)
    for i in range(len(keys)):
        slot = keys[i] & mask
        bit = np.uint64(1) << (slot & np.uint64(63))
        twice[slot >> np.uint64(6)] |= once[slot >> np.uint64(6)] & bit
        once[slot >> np.uint64(6)] |= bit


@jit
def marked(keys, twice):
    """The places of keys whose bit is set in ``twice``, ascending: uint64[n_marked]."""
    mask = np.uint64(64 * len(twice) - 1)
    out = np.empty(len(keys) + 1, np.uint64)
    used = 0
    for i in range(len(keys)):
        slot = keys[i] & mask
        out[used] = i
        used += np.int64((twice[slot >> np.uint64(6)] >> (slot & np.uint64(63))) & np.uint64(1))
    return out[:used].copy()


def row_bits(n_rows: int) -> np.uint64:
    """Bits that a row number takes."""
    return np.uint64(max(1, (n_rows - 1).bit_length()))


def packed(keys: Keys) -> Keys:
    """Key and row in one number, the key's lowest bits given up for the row, sorted: uint64[n].

    Two keys of n rows that agree in all the bits that are left, 40 with 16 million rows, fall together: about
    n * n / 2**41 pairs, which verification throws out.
    """
    low = row_bits(len(keys))
    numbers: Keys = (keys >> low << low) | np.arange(len(keys), dtype=np.uint64)
    numbers.sort()
    return numbers


def repeated(keys: Keys) -> npt.NDArray[np.uint64]:
    """The places of all keys that come more than once, and of some that do not."""
    words = 1 << max(6, (FILTER_BITS * len(keys) - 1).bit_length() - 6)
    once, twice = np.zeros(words, np.uint64), np.zeros(words, np.uint64)
    mark(keys, once, twice)
    places: npt.NDArray[np.uint64] = marked(keys, twice)
    return places


def repeated_packed(keys: Keys) -> Keys:
    """As ``packed``, of the keys alone that may come more than once: who stands alone needs no place among others."""
    low = row_bits(len(keys))
    places = repeated(keys)
    numbers: Keys = (keys[places] >> low << low) | places
    numbers.sort()
    return numbers
