"""Reference implementations of the kernels, slow and plain, on ``str``, ``set``, ``dict`` and ``int``.

A row is a list, a corpus a list of rows, a pair a tuple ``(left, right)``; 64-bit arithmetic uses a mask. Kernel tests
convert the arrays of a kernel into these and compare.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import combinations
from math import isnan

import numpy as np
import numpy.typing as npt

from dedup.text.document_frequencies import background
from dedup.text.lexicon import RARE, counted_nouns, deciding_words, stop_words, title_stop_words
from dedup.text.normalization import tokenize
from dedup.text.stemming import light_stem

Row = list[int]
Pair = tuple[int, int]

MASK = (1 << 64) - 1
GOLDEN, PI, EULER = 0x9E3779B97F4A7C15, 0x243F6A8885A308D3, 0xB7E151628AED2A6B
#: Separates the stems in a row of letters, and begins and ends the row.
BORDER = 32


# Rows as kernels take them


def flat(rows: Sequence[Sequence[int]], dtype: type = np.uint64) -> tuple[npt.NDArray, npt.NDArray[np.int64]]:
    """Rows as ``(values, offsets)``."""
    offsets = np.cumsum([0, *map(len, rows)], dtype=np.int64)
    return np.array([value for row in rows for value in row], dtype), offsets


def listed(values: npt.NDArray, offsets: npt.NDArray[np.int64]) -> list[list]:
    """``(values, offsets)`` as rows."""
    return [values[start:stop].tolist() for start, stop in zip(offsets, offsets[1:], strict=False)]


def utf8(texts: Iterable[str]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Texts as rows of bytes, as in Arrow; lone surrogates as the bytes that they would have."""
    return flat([text.encode("utf-8", "surrogatepass") for text in texts], np.uint8)


# Hashing


def mix64(value: int) -> int:
    value = ((value ^ value >> 30) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ value >> 27) * 0x94D049BB133111EB) & MASK
    return value ^ value >> 31


def extend(state: int, value: int) -> int:
    state = ((state ^ value) * GOLDEN) & MASK
    return state ^ state >> 32


def hash_letters(word: str) -> int:
    """The hash of a token of up to 255 letters; in longer tokens the rest is hashed first."""
    state = PI
    for letter in word:
        state = ((state ^ ord(letter)) * GOLDEN) & MASK
        state ^= state >> 29
    return mix64(state)


# Tokens and terms


def token_rows(texts: Iterable[str]) -> tuple[list[Row], list[tuple[int, int]]]:
    """Hashes of the tokens at level *shingle*, and a digest of those at level *canonical*."""
    rows, digests = [], []
    for text in texts:
        rows.append([hash_letters(token) for token in tokenize(text, "shingle")])
        left, right = GOLDEN, EULER
        for token in tokenize(text, "canonical"):
            exact = hash_letters(token)
            left = mix64(left ^ exact)
            right = ((right ^ exact) * EULER) & MASK
            right ^= right >> 31
        digests.append((left, right))
    return rows, digests


def gather_rows(rows: list[Row], chosen: Row) -> list[Row]:
    return [rows[row] for row in chosen]


def last_characters(texts: Iterable[str], most: int) -> list[str]:
    return [text[len(text) - most :] if most < len(text) else text for text in texts]


def stems(text: str, limit: int, title: bool = False) -> list[str]:
    """The stems of the first ``limit`` tokens, without stop words; titles keep deciding words and lose tags."""
    stop = title_stop_words() if title else stop_words()
    return [stem for stem in tokenize(text, "stem")[:limit] if stem not in stop]


@cache
def common_terms() -> set[int]:
    """Terms without flags that are too frequent in the background corpus to be facts."""
    known = background()
    counted = zip(known.terms.tolist(), known.counts.tolist(), strict=True)
    return {term for term, count in counted if count >= RARE * known.documents}


def term_of(stem: str, title: bool = False, dual: bool = False) -> int:
    """The hash of a stem with flags in its lowest bits: 1 for a number (in titles also the ``dual`` of a counted noun), 2 for a
    fact (in titles also a deciding word)."""
    term = hash_letters(stem) & ~3
    number = stem[0] in "0123456789" or (title and dual and stem in counted_nouns())
    fact = number or term not in common_terms() or (title and stem in deciding_words())
    return term | number | fact << 1


def is_dual(word: str, stem: str) -> bool:
    """Whether a word has an ending of the dual or of the sound plural that its stem has not."""
    return word.endswith(("ان", "ين", "ون")) and not stem.endswith(word[-2:])


def term_rows(texts: Iterable[str], limit: int, title: bool = False) -> list[Row]:
    stop = title_stop_words() if title else stop_words()
    rows = []
    for text in texts:
        words = zip(tokenize(text, "shingle")[:limit], tokenize(text, "stem")[:limit], strict=True)
        rows.append([term_of(stem, title, is_dual(word, stem)) for word, stem in words if stem not in stop])
    return rows


def stem_letter_rows(texts: Iterable[str], limit: int, title: bool = False) -> tuple[list[Row], list[int]]:
    """The letters of the stems of each text, with borders between them and at both ends; the number of stems."""
    rows, counts = [], []
    for text in texts:
        words = stems(text, limit, title)
        rows.append([ord(letter) for letter in f" {' '.join(words)} "] if words else [])
        counts.append(len(words))
    return rows, counts


def lexicon_rows(hashes: list[int], marks: list[int]) -> dict[int, int]:
    lexicon: dict[int, int] = defaultdict(int)
    for word, mark in zip(hashes, marks, strict=True):
        lexicon[word & ~3] |= mark
    return dict(lexicon)


def stem(word: str) -> str:
    return light_stem(word)


# Shingles and signatures


def shingle_hash(values: Sequence[int]) -> int:
    state = (len(values) * EULER) & MASK
    for value in values:
        state = extend(state, value)
    return mix64(state)


def shingle_hashes(rows: list[Row], n: int) -> list[Row]:
    """The hash of each sequence of n values, or of a shorter row as a whole."""
    return [[shingle_hash(row[i : i + n]) for i in range(max(len(row) - n + 1, min(len(row), 1)))] for row in rows]


def shingle_rows(rows: list[Row], n: int) -> list[Row]:
    """Hashes of ``n`` consecutive values, or of a shorter row as a whole."""
    answer = []
    for row in rows:
        width = min(n, len(row))
        starts = range(len(row) - width + 1) if row else ()
        answer.append(sorted({shingle_hash(row[i : i + width]) for i in starts}))
    return answer


def unique_rows(rows: list[Row]) -> list[Row]:
    return [sorted(set(row)) for row in rows]


def row_hashes(rows: list[Row]) -> list[int]:
    answer = []
    for row in rows:
        state = EULER
        for value in row:
            state = extend(state, value)
        answer.append(mix64(state))
    return answer


def signature_rows(rows: list[Row], chosen: Row, multipliers: list[int], increments: list[int]) -> list[Row]:
    """In each slot the minimum of ``a * h + b`` modulo 2**32, h the high half of a value; all ones for an empty row."""
    slots = list(zip(multipliers, increments, strict=True))
    return [[min(((a * (value >> 32) + b) % 2**32 for value in rows[row]), default=2**32 - 1) for a, b in slots] for row in chosen]


def legacy_signature_rows(rows: list[Row], chosen: Row, multipliers: list[int], increments: list[int]) -> list[Row]:
    """In each slot the minimum of ``(a * h + b) % (2**61 - 1)``, cut to 32 bits; product and sum wrap at 2**64."""
    slots = list(zip(multipliers, increments, strict=True))
    return [
        [min(((a * (value >> 32) + b & MASK) % (2**61 - 1) % 2**32 for value in rows[row]), default=2**32 - 1) for a, b in slots]
        for row in chosen
    ]


def sketch_rows(rows: list[Row], chosen: Row, n_slots: int, seed: int) -> list[Row]:
    """In each slot the minimum of (round, value) over all rounds and all hashes of the row, packed into 32 bits."""
    bits = (2 * n_slots - 1).bit_length()
    answer = []
    for row in chosen:
        least = [(2**bits - 1, 2 ** (32 - bits) - 1)] * n_slots
        for number in range(2 * n_slots):
            key = mix64((seed + number * GOLDEN) & MASK)
            for value in rows[row]:
                mixed = ((value ^ key) * GOLDEN) & MASK
                mixed = ((mixed ^ mixed >> 32) * 0xD6E8FEB86659FD93) & MASK
                slot = (mixed >> 32) * n_slots >> 32 if number < n_slots else number - n_slots
                least[slot] = min(least[slot], (number, mixed % 2**32 >> bits))
        answer.append([number << 32 - bits | value for number, value in least])
    return answer


def band_keys(signatures: list[Row], bands: int, rows: int) -> list[Row]:
    """For each band and each document a hash of ``rows`` consecutive slots and the number of the band."""
    answer = []
    for band in range(bands):
        keys = []
        for signature in signatures:
            state = ((band + 1) * EULER) & MASK
            for value in signature[band * rows : (band + 1) * rows]:
                state = extend(state, value)
            keys.append(mix64(state))
        answer.append(keys)
    return answer


# Candidates


def bucket_pairs(keys: Row, members: Row, cap: int) -> tuple[list[Pair], int]:
    """All pairs of a bucket of up to ``cap + 1``; in a larger one each member with the next ``cap // 8`` and the
    ``cap // 16`` smallest. Also the number of members of larger buckets."""
    buckets: dict[int, Row] = {}
    for key, member in zip(keys, members, strict=True):
        buckets.setdefault(key, []).append(member)
    pairs, capped = [], 0
    for bucket in buckets.values():
        is_capped = len(bucket) - 1 > cap
        capped += len(bucket) if is_capped else 0
        for i, one in enumerate(bucket):
            met = bucket[i + 1 : i + 1 + max(1, cap // 8)] if is_capped else bucket[i + 1 :]
            pairs += [(min(one, other), max(one, other)) for other in met]
        for anchor in sorted(bucket)[: max(1, cap // 16)] if is_capped else []:
            pairs += [(min(one, anchor), max(one, anchor)) for one in bucket if one != anchor]
    return pairs, capped


def mark_drawn(rows: list[Row], chosen: Row, bounds: list[int], slots: int) -> tuple[set[int], list[int]]:
    drawn = [[value for value in rows[row] if value < bound] for row, bound in zip(chosen, bounds, strict=True)]
    return {(value >> 20) % slots for row in drawn for value in row}, [len(row) for row in drawn]


def count_drawn(rows: list[Row], chosen: Row, marked: set[int], mark_slots: int, slots: int) -> list[int]:
    """For each slot the number of marked values of the chosen rows in it, at most 2."""
    counts = Counter(value % slots for row in chosen for value in rows[row] if (value >> 20) % mark_slots in marked)
    return [min(counts[slot], 2) for slot in range(slots)]


def sampled(rows: list[Row], chosen: Row, marked: set[int], mark_slots: int, counters: list[int]) -> list[Pair]:
    """(place in chosen, value) of each value that is marked and counted twice."""
    held = [(place, value) for place, row in enumerate(chosen) for value in rows[row] if (value >> 20) % mark_slots in marked]
    return [(place, value) for place, value in held if counters[value % len(counters)] == 2]


def entries_of(members: Row, n_rows: int) -> list[Row]:
    return [[place for place, member in enumerate(members) if member == row] for row in range(n_rows)]


def posting_pairs(rows: list[Row], bounds: list[int], list_cap: int, needed: list[int]) -> set[Pair]:
    """Pairs of rows that share enough values that one of them draws and at most ``list_cap`` rows contain."""
    spread = Counter(value for row in rows for value in row)
    pairs = set()
    for right in range(len(rows)):
        for left in range(right):
            bound = max(bounds[left], bounds[right])
            shared = [value for value in set(rows[left]) & set(rows[right]) if value < bound and spread[value] <= list_cap]
            if len(shared) >= min(needed[left], needed[right]):
                pairs.add((left, right))
    return pairs


# Verification


def sample_pairs(rows: list[Row], chosen: Sequence[int], sample: Sequence[int], jaccard: float, containment: float) -> list[tuple]:
    found = []
    for row in chosen:
        for place, sampled in enumerate(sample):
            shared = len(set(rows[row]) & set(rows[sampled]))
            smaller, union = min(len(rows[row]), len(rows[sampled])), len(set(rows[row]) | set(rows[sampled]))
            if row != sampled and shared and (shared / union >= jaccard or shared / smaller >= containment):
                found.append((place, row, shared))
    return sorted(found)


def overlap_pairs(rows: list[Row], pairs: list[Pair]) -> list[int]:
    """The number of values that both rows of a pair contain."""
    return [len(set(rows[left]) & set(rows[right])) for left, right in pairs]


def count_rows(rows: list[Row], chosen: Row, part: int, shift: int, slots: int, most: int) -> list[int]:
    """For each slot the number of values of the part in it, up to ``most``."""
    counts = Counter(value % slots for row in chosen for value in rows[row] if value >> shift == part)
    return [min(counts[slot], most) for slot in range(slots)]


def source_slot(value: int, source: int, slots: int) -> int:
    return (((value ^ (source + 1) * GOLDEN & MASK) * 0xD6E8FEB86659FD93) & MASK) >> 20 & slots - 1


def of_part(rows: list[Row], chosen: list[Pair], part: int, shift: int, counters: list[int], least: int) -> list[Pair]:
    """The values of a part with high enough counters, with their source, for each ``(row, source)``."""
    entries = [(value, source) for row, source in chosen for value in rows[row] if value >> shift == part]
    return [(value, source) for value, source in entries if counters[value % len(counters)] >= least]


def count_in_source(
    rows: list[Row], chosen: list[Pair], part: int, shift: int, counters: list[int], least: int, slots: int, most: int
) -> list[int]:
    counts = Counter(source_slot(value, source, slots) for value, source in of_part(rows, chosen, part, shift, counters, least))
    return [min(counts[slot], most) for slot in range(slots)]


def perhaps_common(
    rows: list[Row], chosen: list[Pair], part: int, shift: int, counters: list[int], least: int, within: list[int], bounds: list[int]
) -> list[Pair]:
    entries = of_part(rows, chosen, part, shift, counters, least)
    return [(value, source) for value, source in entries if within[source_slot(value, source, len(within))] > bounds[source]]


def most_in_source(entries: list[Pair], bounds: list[int], scales: list[int]) -> dict[int, int]:
    """For values above the bound of a source, the largest scaled count of a source."""
    common: dict[int, int] = {}
    for (value, source), count in sorted(Counter(entries).items()):
        if count > bounds[source]:
            common[value] = max(common.get(value, 0), count * scales[source])
    return common


def weight_table(common: Row, weights: list[float]) -> dict[int, float]:
    return dict(zip(common, weights, strict=True))


def weight_sums(rows: list[Row], chosen: Row, weights: dict[int, float]) -> list[float]:
    """The weight of each chosen row, added from left to right (``sum`` rounds differently since Python 3.12)."""
    sums = []
    for row in chosen:
        total = 0.0
        for value in rows[row]:
            total += weights.get(value, 1.0)
        sums.append(total)
    return sums


def shared_weights(rows: list[Row], pairs: list[Pair], weights: dict[int, float]) -> list[float]:
    both = [sorted(set(rows[left]) & set(rows[right])) for left, right in pairs]
    return weight_sums(both, list(range(len(both))), weights)


def coverage_pairs(rows: list[Row], pairs: list[Pair]) -> list[float]:
    """The share of terms of the first row that occur in the second next to the same previous or next term."""
    bare = [[term & ~3 for term in row] for row in rows]
    return [_coverage(bare[covered], bare[by]) for covered, by in pairs]


def _coverage(row: Row, other: Row) -> float:
    if len(row) < 2:
        return float(set(row) <= set(other))
    known = set(zip(other, other[1:], strict=False))
    paired = [False, *(pair in known for pair in zip(row, row[1:], strict=False)), False]
    return sum(before or after for before, after in zip(paired, paired[1:], strict=False)) / len(row)


def facts_of(terms: Row) -> Row:
    return sorted(term for term in terms if term & 2)


def shared_facts(rows: list[Row], pairs: list[Pair]) -> list[Pair]:
    """The number of different facts of the first row of a pair, and of those that the second contains."""
    facts = [set(facts_of(row)) for row in rows]
    return [(len(facts[one]), len(facts[one] & facts[other])) for one, other in pairs]


def count_replaced(a: Row, b: Row) -> int:
    """Runs of up to six terms of ``a`` that ``b`` lacks, one of them a fact, for which ``b`` has another fact between
    the same two terms, at most eight apart (the first sixteen places in ``b`` are checked)."""
    count, i = 0, 0
    while i < len(a):
        if a[i] in b:
            i += 1
            continue
        end = i
        while end < len(a) and end - i < 6 and a[end] not in b:
            end += 1
        if i > 0 and end < len(a) and a[i - 1] in b and facts_of(a[i:end]):
            count += _is_replaced(a, b, a[i - 1], a[end])
        i = end
    return count


def replaced_facts(rows: list[Row], pairs: list[Pair]) -> list[tuple[int, float]]:
    """Replacements in the shorter row of each pair (the left one if equally long), and their number per hundred terms."""
    answer = []
    for left, right in pairs:
        a, b = (right, left) if len(rows[right]) < len(rows[left]) else (left, right)
        count = count_replaced(rows[a], rows[b])
        answer.append((count, 100.0 * count / max(1, len(rows[a]))))
    return answer


def _is_replaced(a: Row, b: Row, before: int, after: int) -> bool:
    for place in [i for i, value in enumerate(b) if value == before][:16]:
        between = b[place + 1 : place + 8]
        if after in between and any(term not in a for term in facts_of(between[: between.index(after)])):
            return True
    return False


# Groups


def subsequence_pairs(rows: list[Row], pairs: list[Pair]) -> list[bool]:
    """Whether the shorter row is a subsequence of the longer one; of equal lengths the first is the shorter."""
    answers = []
    for left, right in pairs:
        shorter, longer = sorted((rows[left], rows[right]), key=len)
        rest = iter(longer)
        answers.append(all(value in rest for value in shorter))
    return answers


def insertions(brief: Row, text: Row, deciding: Row, passage: bool, facts: bool) -> int:
    """The fewest terms that ``text`` puts between those of ``brief``, over every way to find it there; -1 if there is none."""

    def decides(term: int) -> bool:
        return bool(term & 1) or term & ~3 in deciding

    found = []
    for places in combinations(range(len(text)), len(brief)):
        if [text[place] for place in places] != brief:
            continue
        first, end = (places[0], places[-1] + 1) if passage else (0, len(text))
        more = [text[place] for place in range(first, end) if place not in places]
        before = text[max(0, first - 2) : first] if len(brief) <= 12 else []
        if not any(decides(term) or (facts and term & 2) for term in more) and not any(decides(term) for term in before):
            found.append(len(more))
    return min(found, default=-1)


def brief_term_rows(texts: list[list[Pair]], most: int, known: dict[int, int], deciding: Row, tags: Row) -> list[Row]:
    """Terms of texts of (token, term), as titles have them; texts of more tokens than ``most`` have none."""
    rows = []
    for text in texts:
        terms = [known.get(token, term | 2 * (term != 0 and term & ~3 in deciding)) for token, term in text]
        kept = [term for (token, old), term in zip(text, terms, strict=True) if term and (token in known or old & ~3 not in tags)]
        rows.append(kept if len(text) <= most else [])
    return rows


def number_periods(keys: Row, times: list[float], longest: float) -> list[int]:
    """A new number where the key changes, or ``longest`` after the first known time of the period."""
    numbers, begun = [], None
    for i, (key, time) in enumerate(zip(keys, times, strict=True)):
        if i == 0 or key != keys[i - 1]:
            numbers.append(numbers[-1] + 1 if numbers else 0)
            begun = None if isnan(time) else time
        elif begun is not None and time - begun > longest:
            numbers.append(numbers[-1] + 1)
            begun = time
        else:
            numbers.append(numbers[-1])
            begun = time if begun is None and not isnan(time) else begun
    return numbers


# Stories


def window_neighbours(
    rows: list[dict[int, float]], times: list[float], window: float, decay: float, floor: float, most: int, reach: int = 1000
) -> dict[Pair, float]:
    """The most similar previous rows of each row, as ``{(row, other): similarity}``.

    Rows are in order of time, those with ``nan`` first. A row without a time is compared with all, without decay. The
    ``most`` most similar rows are kept, later ones first among equals. If the columns of a row contain more than
    ``reach`` previous rows, all are shortened to their last ones, to the greatest common length within ``reach``.
    """
    undated = sum(math.isnan(time) for time in times)
    answer = {}
    for row in range(len(rows)):
        before = [other for other in range(row) if other < undated or times[row] - times[other] <= window]
        having = {column: [other for other in before if column in rows[other]] for column in rows[row]}
        longest = longest_within([len(others) for others in having.values()], reach)
        met = {column: set(others[max(len(others) - longest, 0) :]) for column, others in having.items()}
        found = []
        for other in before:
            score = np.float32(0)
            for column in sorted(rows[row]):
                if other in met[column]:
                    score += np.float32(rows[row][column]) * np.float32(rows[other][column])
            if undated <= other:
                apart = times[row] - times[other]
                score *= np.float32(math.exp(-0.5 * (apart / decay) ** 2))
            if score > 0 and score >= floor:
                found.append((other, float(score)))
        scores = dict(found)
        answer.update({(row, other): scores[other] for other in best_of(list(scores), scores, most)})
    return answer


def longest_within(lengths: list[int], reach: int) -> int:
    """The greatest length to which lists can be shortened so that together they have at most ``reach`` items."""
    return max(longest for longest in range(reach + 1) if sum(min(length, longest) for length in lengths) <= reach)


def best_of(rows: list[int], scores: dict[int, float], most: int) -> list[int]:
    """The rows with the highest scores, later ones first among equals."""
    return sorted(sorted(rows, key=lambda row: (-scores[row], -row))[:most])


def average_linkage(
    n_nodes: int, edges: dict[Pair, float], times: list[float | None], window: float, least: float, cut: float
) -> list[int]:
    """Merge the two clusters with the highest average similarity, absent pairs counting 0, until none reaches ``cut``.

    Pairs too far apart in time are not counted, but at least a share of all pairs is. Among equal merges that of the
    earlier clusters is first; a merged cluster comes after all before it.
    """

    def near(a: int, b: int) -> bool:
        one, other = times[a], times[b]
        return one is None or other is None or abs(one - other) <= window

    clusters = {node: [node] for node in range(n_nodes)}
    while True:
        best = None
        for one in clusters:
            for other in clusters:
                pairs = [(a, b) for a in clusters[one] for b in clusters[other]]
                total = sum(edges.get(pair, 0) + edges.get(pair[::-1], 0) for pair in pairs)
                counted = max(sum(near(*pair) for pair in pairs), least * len(pairs))
                if one < other and total > 0 and total / counted >= cut:
                    merge = (-total / counted, one, other)
                    best = merge if best is None else min(best, merge)
        if best is None:
            break
        members = clusters.pop(best[1]) + clusters.pop(best[2])
        clusters[n_nodes] = members
        n_nodes += 1
    first = {node: min(members) for members in clusters.values() for node in members}
    return [first[node] for node in sorted(first)]


def neighbourhood_density(n_nodes: int, edges: dict[Pair, float], most: int) -> list[float]:
    """Mean of the ``most`` largest similarities of each node, absent ones counting 0."""
    own = [sorted((value for pair, value in edges.items() if node in pair), reverse=True) for node in range(n_nodes)]
    return [sum(values[:most]) / most for values in own]


# Survivors


def choose_survivors(
    order: Row,
    edges: dict[Pair, tuple[float, float, bool]],
    sizes: Row,
    base: list[tuple[int, int, int]],
    contained: float,
    most_own: int,
) -> list[tuple[int, int, int]]:
    """Canonical, extended document or -1, and family of each document, decided one by one after those of the base.

    An edge of a pair has the share of the left document, that of the right one, and whether it is one of titles.
    """
    decided = dict(enumerate(base))

    def share(one: int, other: int) -> float:
        left, right, _ = edges[min(one, other), max(one, other)]
        return left if one < other else right

    for row in order:
        kept = [other for other in decided if decided[other][0] == other and (min(row, other), max(row, other)) in edges]
        titles = [other for other in kept if edges[min(row, other), max(row, other)][2]]
        texts = [other for other in kept if other not in titles]
        shares = {other: 1.0 if other in titles else share(row, other) for other in kept}
        holders = [other for other in kept if shares[other] >= contained and sizes[row] - round(shares[other] * sizes[row]) <= most_own]
        held = [other for other in texts if share(other, row) >= contained]
        if holders:
            canonical = max(holders, key=lambda other: shares[other])  # the first of equals
            decided[row] = canonical, -1, decided[canonical][2]
        elif held:
            largest = max(held, key=lambda other: sizes[other])
            decided[row] = row, largest, decided[largest][2]
        else:
            decided[row] = row, -1, decided[texts[0]][2] if texts else row
    return [decided[row] for row in range(len(decided))]


def count_covered(rows: list[Row], ranks: Row, kept: list[bool]) -> list[Pair]:
    """For each row the number of its values that stand in kept rows of lower rank, and in any other kept row."""
    counts = []
    for row, values in enumerate(rows):
        others = [other for other in range(len(rows)) if kept[other] and other != row]
        anywhere = {value for other in others for value in rows[other]}
        before = {value for other in others if ranks[other] < ranks[row] for value in rows[other]}
        counts.append((len(set(values) & before), len(set(values) & anywhere)))
    return counts


def find_collections(n: int, pairs: dict[Pair, tuple[float, float, bool]], sizes: Row, contained: float, least: int) -> list[bool]:
    """Rows that hold ``least`` others at most half as large, chosen in ascending order where they match none chosen before."""
    found = []
    for row in range(n):
        chosen: list[int] = []
        for other in range(n):
            pair = (min(row, other), max(row, other))
            if pair not in pairs or pairs[pair][2] or 2 * sizes[other] > sizes[row]:
                continue
            held = pairs[pair][pair.index(other)] >= contained
            if held and not any((min(other, one), max(other, one)) in pairs for one in chosen):
                chosen.append(other)
        found.append(len(chosen) >= least)
    return found


def collect_part(rows: list[Row], low: int, last: int) -> list[Pair]:
    """The values above ``low`` and up to ``last``, each with its row."""
    return [(value, at) for at, row in enumerate(rows) for value in row if low < value <= last]


def judge_each(
    rows: list[list[tuple[int, float, float, bool]]], sizes: Row, own: Row, contained: float, most_own: int
) -> list[tuple[int | None, int | None]]:
    """For each list of edges (kept document, own share, its share, of titles) the document copied and the largest held.

    ``own`` are the sizes of the documents judged; kept documents are numbered in survivor order.
    """
    judged: list[tuple[int | None, int | None]] = []
    for edges, size in zip(rows, own, strict=True):
        shares = {other: 1.0 if title else share for other, share, _, title in edges}
        copied = [other for other in sorted(shares) if shares[other] >= contained and size - round(shares[other] * size) <= most_own]
        held = sorted(other for other, _, share, title in edges if share >= contained and not title)
        judged.append(
            (
                max(copied, key=lambda other: shares[other]) if copied else None,
                max(held, key=lambda other: sizes[other]) if held else None,
            )
        )
    return judged
