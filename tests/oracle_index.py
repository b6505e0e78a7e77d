"""Reference implementations of the kernels of the online index: lists, dicts and whole numbers. See ``oracle.py``.

A posting is a tuple ``(key, value)``. A segment keeps ``kept(key)`` of a key; in a part a posting is ``(rest, value)``.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

Posting = tuple[int, int]
Rows = Sequence[Sequence[int]]

GOLDEN, MASK = 0x9E3779B97F4A7C15, (1 << 64) - 1


def winnow(rows: Rows, windows: Sequence[int]) -> list[list[int]]:
    """The minimum of every window, window by window."""
    return [
        sorted({min(row[start : start + window]) for start in range(max(len(row) - window, 0) + 1)} if row else set())
        for row, window in zip(rows, windows, strict=True)
    ]


def tally(rows: Rows, needed: Rows, most: int) -> list[list[tuple[int, int]]]:
    """(number, count) pairs of each row."""
    out = []
    for row, needs in zip(rows, needed, strict=True):
        counts = Counter(value >> 4 for value in row)
        enough = {value >> 4 for value in row if min(counts[value >> 4], 65535) >= needs[value & 15]}
        best = sorted((-min(counts[number], 65535), number) for number in enough)[:most]
        out.append(sorted((number, -count) for count, number in best))
    return out


# Segments


def kept(key: int) -> int:
    """The 40 bits of a key that a segment keeps."""
    return (key * GOLDEN & MASK) >> 24


def key_of(bits: int, rest: int = 0) -> int:
    """A key whose ``kept`` is ``bits``; a different one for every ``rest``."""
    return (bits << 24 | rest) * pow(GOLDEN, -1, 1 << 64) & MASK


def partition_postings(postings: Sequence[Posting], part_bits: int) -> list[list[Posting]]:
    parts: list[list[Posting]] = [[] for _ in range(1 << part_bits)]
    for key, value in postings:
        part, rest = divmod(kept(key), 1 << 40 - part_bits)
        parts[part].append((rest, value))
    return parts


def write_parts(parts: Sequence[Sequence[Posting]], part_bits: int, once: bool) -> list[Posting]:
    """(kept, value) of all postings in the order of a segment."""
    entries = [((part << 40 - part_bits) + rest, value) for part, row in enumerate(parts) for rest, value in row]
    if once:
        entries = list(dict.fromkeys(entries))
    return sorted(entries, key=lambda entry: entry[0])


def read_part(entries: Sequence[Posting], part: int, part_bits: int, removed: set[int]) -> list[Posting]:
    size = 1 << 40 - part_bits
    return [(key % size, value) for key, value in entries if key // size == part and value >> 4 not in removed]


def count_remaining(values: Sequence[int], removed: set[int]) -> int:
    return sum(value >> 4 not in removed for value in values)


def keep_first(values: Sequence[int]) -> list[int]:
    return list(dict.fromkeys(values))


def find_in_segment(postings: Sequence[Posting], rows: Rows, most: int) -> tuple[list[list[int]], list[int]]:
    """What the keys of each row list, and how many lists are truncated; keys with the same 40 bits are one."""
    return find_in_chains([(kept(key), value) for key, value in postings], [[kept(key) for key in row] for row in rows], most)


def join_rows(parts: Sequence[Rows]) -> list[list[int]]:
    return [[value for row in rows for value in row] for rows in zip(*parts, strict=True)]


# The memtable


def find_in_chains(postings: Sequence[Posting], rows: Rows, most: int) -> tuple[list[list[int]], list[int]]:
    lists: dict[int, list[int]] = {}
    for key, value in postings:
        lists.setdefault(key, []).append(value)
    found = [[value for key in row for value in lists.get(key, [])[:most]] for row in rows]
    return found, [sum(len(lists.get(key, [])) > most for key in row) for row in rows]


def append_chained(chains: dict[int, list[int]], keys: Sequence[int], first_entry: int) -> int:
    """Append entries to the chains of their keys; returns how many keys are new."""
    before = len(chains)
    for entry, key in enumerate(keys, first_entry):
        chains.setdefault(key, []).append(entry)
    return len(chains) - before


def rehash_chained(chains: dict[int, list[int]]) -> dict[int, list[int]]:
    return dict(chains)


# Word numbers and their codes

#: The prefixes of ``kernels/index/vocabulary.py``, first bit first, and the class of each; None for numbers from 2**20 - 16 on.
CODES = {
    "000": 11, "001": 12, "010": 13, "011": 14, "1000": 5, "1001": 6, "1010": 8, "1011": 9, "1100": 10, "1101": 15, "1110": 16, "11110": 7,
    "111110": 17, "11111100": 4, "11111101": 18, "11111110": 19, "11111111": None,
}  # fmt: skip


def pack_rows(rows: Rows) -> list[bytes]:
    """Encode as strings of bits, the lowest bit of a number first; eight of them make a byte, the lowest bit first."""
    prefixes = {kind: prefix for prefix, kind in CODES.items()}
    packed = []
    for row in rows:
        bits = ""
        for number in row:
            kind = (number + 16).bit_length() - 1 if number + 16 < 1 << 20 else None
            rest, size = (number + 16 - (1 << kind), kind) if kind else (number + 16 - (1 << 20), 28)
            bits += prefixes[kind] + f"{rest:0{size}b}"[::-1]
        bits += "0" * (-len(bits) % 8)
        packed.append(bytes(int(bits[at : at + 8][::-1], 2) for at in range(0, len(bits), 8)))
    return packed


def unpack_rows(packed: Sequence[bytes]) -> list[list[int]]:
    """Decode prefix by prefix."""
    rows = []
    for data in packed:
        bits, row = "".join(f"{byte:08b}"[::-1] for byte in data), []
        while len(bits) >= 9:
            prefix = next(prefix for prefix in CODES if bits.startswith(prefix))
            kind = CODES[prefix]
            size, first = (28, 1 << 20) if kind is None else (kind, 1 << kind)
            rest, bits = bits[len(prefix) : len(prefix) + size], bits[len(prefix) + size :]
            row.append(int(rest[::-1], 2) + first - 16)
        rows.append(row)
    return rows


def number_words(words: Sequence[Posting], known: dict[Posting, int]) -> list[int]:
    """Number new words in a growing dict."""
    return [known.setdefault(word, len(known)) for word in words]


def place_words(words: Sequence[Posting]) -> dict[Posting, int]:
    """The dict of words, from the words in order."""
    return {word: number for number, word in enumerate(words)}


def words_at(words: Sequence[Posting], numbers: Sequence[int]) -> list[Posting]:
    """The words up to the first number without one."""
    known = [number < len(words) for number in numbers]
    return [words[number] for number in numbers[: known.index(False) if False in known else len(numbers)]]


# Online stories. A window is a list of documents: dicts with terms [(term, weight)], words, native, time, headline, story (None: dropped).


def fill_table(terms, counts):
    """A dict."""
    return dict(zip(terms, counts, strict=True))


def weigh_rows(titles, bodies, letters, title_weight, lead_words, share, native_share, known, known_documents, window, most):
    """One document after the other; rows of (term, weight, is a word), and which are native."""
    live, totals = {}, {"native": 0, "other": 0, "letters": 0}
    rows, natives = [], []

    def count_in(terms, native):
        for term, _, word in terms:
            key = term, "native" if native or not word else "other"
            live[key] = live.get(key, 0) + 1
        totals["native" if native else "other"] += any(word for *_, word in terms)
        totals["letters"] += not all(word for *_, word in terms)

    for document in window:
        if document["story"] is not None:
            terms = [(term, weight, place < document["words"]) for place, (term, weight) in enumerate(document["terms"])]
            count_in(terms, document["native"])
    for title, body, runs in zip(titles, bodies, letters, strict=True):
        words = Counter()
        for term in title:
            words[term] += title_weight
        for term in body[:lead_words]:
            words[term] += 1
        native = bool(words) and sum((term & ~3) in known for term in words) >= native_share * len(words)
        vector = []
        for counts, word in ((words, True), (Counter(runs), False)):
            of = "native" if native or not word else "other"
            weights = []
            for term, count in counts.items():
                key = term if word else term | 3
                documents, frequency = totals[of if word else "letters"] + 1, live.get((key, of), 0) + 1
                if word and native:
                    documents, frequency = documents + known_documents, frequency + known.get(term & ~3, 0)
                weights.append((key, (1 + math.log(count)) * (math.log((1 + documents) / (1 + frequency)) + 1), word))
            if weights:
                # In the precision of vectors: of weights that are equal in it the first are kept.
                scale = 1.0 / math.sqrt(sum(weight**2 for _, weight, _ in weights))
                scale *= math.sqrt(1 - share if word else share) if runs else 1.0
                vector += [(term, float(np.float32(weight) * np.float32(scale)), word) for term, weight, word in weights]
        heaviest = sorted(range(len(vector)), key=lambda place, of=vector: (-of[place][1], place))[:most]
        rows.append([vector[place] for place in sorted(heaviest)])
        natives.append(native)
        count_in(rows[-1], native)
    return rows, natives


def take_columns(rows, columns):
    """New terms are numbered in order."""
    for row in rows:
        for term in row:
            columns.setdefault(term, len(columns))
    return columns


def make_room(lists, wanted, used, size):
    """The lists (begin, length, capacity) with room for ``wanted`` more in each, {column: count}, and the end; None if there is none."""
    lists = dict(lists)
    for column, count in wanted.items():
        begin, length, capacity = lists.get(column, (0, 0, 0))
        if length + count > capacity:
            capacity = (length + count) * 3 // 2 + 2
            begin, used = used, used + capacity
        lists[column] = begin, length, capacity
    return (lists, used) if used <= size else None


def fill_lists(rows):
    """{column: [(row, weight)]}."""
    lists = {}
    for number, row in enumerate(rows):
        for column, weight in row:
            lists.setdefault(column, []).append((number, weight))
    return lists


def drop_rows(window, numbers):
    """Dropped documents have no story."""
    for number in numbers:
        window[number]["story"] = None


def add_documents(window, documents, stories):
    """Documents are appended."""
    for document, story in zip(documents, stories, strict=True):
        window.append({**document, "story": story})


def relative_similarity(similarity, days, headlines, density, daily, rules):
    """Of a pair with 0, 1 or 2 headlines."""
    if headlines == 2:
        share = min(max(rules.quiet_share + rules.rise_with_day * math.log(daily / rules.quiet_day), rules.quiet_share), 1.0)
        faster = max(rules.headline_decay_days**-2 - rules.decay_days**-2, 0)
        relative = similarity * math.exp(-0.5 * days**2 * faster) / (rules.headline_cut * share)
    else:
        similarity /= rules.words if headlines else 1
        threshold = rules.cut + rules.rise_with_density * max(density - rules.dense_from, 0)
        relative = similarity / min(threshold, rules.highest * rules.cut)
    return relative / rules.caution if relative >= rules.least else 0.0


def _cosine(one, other):
    weights = dict(one["terms"])
    return float(sum((np.float32(weights.get(term, 0)) * np.float32(weight) for term, weight in other["terms"]), np.float32(0)))


def _faded(one, other, rules):
    return _cosine(one, other) * math.exp(-0.5 * ((one["time"] - other["time"]) / 86400 / rules.decay_days) ** 2)


def _find_similar(document, window, rules, postings, least_score, most):
    alive = [(row, other) for row, other in enumerate(window) if other["story"] is not None]
    listed = {term: [row for row, other in alive if term in dict(other["terms"])] for term, _ in document["terms"]}
    terms = sorted((len(listed[term]), place) for place, (term, _) in enumerate(document["terms"]) if listed[term])
    scores, read = {}, 0
    for size, place in terms:
        if read and (postings <= 0 or size > postings):
            break
        term, weight = document["terms"][place]
        for row in listed[term][-min(size, postings) :]:
            scores[row] = scores.get(row, np.float32(0)) + np.float32(weight) * np.float32(dict(window[row]["terms"])[term])
        postings, read = postings - size, read + 1
        if postings <= 0:
            break
    least = least_score if read < len(terms) else 0
    near = [row for row, score in scores.items() if score >= least and abs(window[row]["time"] - document["time"]) <= rules.window]
    near = sorted(near, key=lambda row: (-scores[row], -row))[:most]
    found = []
    for row in near:
        headlines = document["headline"] + window[row]["headline"]
        of_headlines = rules.quiet_share * rules.headline_cut
        least = rules.least * (rules.cut if headlines == 0 else rules.cut * rules.words if headlines == 1 else of_headlines)
        like = _faded(document, window[row], rules)
        if like >= least:
            found.append((row, like))
    return found


def assign_documents(window, documents, founds, rules, limits, most, nearest, sample):
    """The story that each joins (None: none), and (place, story, other) of stories shown to be one; documents are added to the window."""
    answer, merged = [], []
    for place, (document, founded) in enumerate(zip(documents, founds, strict=True)):
        hour = math.floor(document["time"] / 3600)
        hours = [math.floor(other["time"] / 3600) - hour for other in window if other["story"] is not None]
        daily = max(sum(-24 < apart <= 0 for apart in hours), sum(0 <= apart < 24 for apart in hours)) + 1
        like = _find_similar(document, window, rules, limits.postings, limits.score, most)
        density = sum(sorted((value for _, value in like), reverse=True)[:nearest]) / nearest

        def relative(one, other, value, density=density, daily=daily):
            days, headlines = (one["time"] - other["time"]) / 86400, one["headline"] + other["headline"]
            return relative_similarity(value, days, headlines, density, daily, rules)

        sums = Counter()
        for row, value in like:
            sums[window[row]["story"]] += relative(document, window[row], value)
        fits = {}
        for story, total in sums.items():
            members = [other for other in window if other["story"] == story]
            near = sum(abs(other["time"] - document["time"]) <= rules.window for other in members)
            mean = total / min(max(near, len(members) / 4), most)
            if total >= 1 and mean >= 1:
                fits[story] = mean
        best = min(fits, key=lambda story: (-fits[story], story), default=None)
        answer.append(best)
        for other in fits:
            if other == best:
                continue
            ours = [document, *[one for one in window[::-1] if one["story"] == best][:sample]]
            theirs = [one for one in window[::-1] if one["story"] == other][:sample]
            pairs = [(one, two) for one in ours for two in theirs if abs(one["time"] - two["time"]) <= rules.window]
            if pairs and sum(relative(one, two, _faded(one, two, rules)) for one, two in pairs) >= len(pairs):
                merged.append((place, best, other))
        add_documents(window, [document], [best if best is not None else founded])
    return answer, merged


def count_shared(values, i, i_end, j, j_end, counts):
    others = set(values[j:j_end].tolist())
    for k in range(i, i_end):
        counts[k - i] += int(values[k]) in others


def local_distinct_containment(values, offsets, left, right, near, common, common_in_source):
    rows = [set(values[a:b].tolist()) for a, b in zip(offsets[:-1], offsets[1:], strict=True)]
    answers = []
    for one, row in zip(left.tolist(), right.tolist(), strict=True):
        around = near.rows[near.offsets[row - near.first_row] : near.offsets[row - near.first_row + 1]].tolist()
        weights = {}
        for value in rows[row]:
            weight = 1.0
            for source in {int(near.sources[other]) for other in around}:
                bound = common if source < 0 else common_in_source
                count = sum(value in rows[other] for other in around if near.sources[other] == source) + (source == near.sources[row])
                if count > bound:
                    weight = min(weight, bound / count)
            weights[value] = weight
        shared = sum(weights[value] for value in rows[row] & rows[one])
        other = len(rows[one]) - len(rows[row] & rows[one]) + shared
        answers.append(shared / max(min(sum(weights.values()), other), 1e-9))
    return np.array(answers, np.float64)


def count_covered(values, offsets, rows, others, counted, starts):
    sets = [set(values[a:b].tolist()) for a, b in zip(offsets[:-1], offsets[1:], strict=True)]
    answers = []
    for row, first, last in zip(rows.tolist(), starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        union = set().union(*(sets[others[k]] for k in range(first, last) if counted[k]))
        answers.append(len(sets[row] & union))
    return np.array(answers, np.int64)


def judge_each(rows, edges, sizes, canonical, decided, contained, most_own):
    """The edges by which each row is a copy, and to the largest that it holds; -1 if there is none."""
    copied, held = [], []
    for i, row in enumerate(rows.tolist()):
        kept = [edge for edge in range(edges.offsets[i], edges.offsets[i + 1]) if canonical[edges.other[edge]] == edges.other[edge]]
        share = {edge: 1.0 if edges.is_title[edge] else float(edges.share[edge]) for edge in kept}
        own = {edge: 0.0 if edges.is_title[edge] else (1.0 - share[edge]) * sizes[row] for edge in kept}
        holding = [edge for edge in kept if share[edge] >= contained and own[edge] <= most_own]
        smaller = [edge for edge in kept if not edges.is_title[edge] and edges.share_of_other[edge] >= contained]
        copied.append(min(holding, key=lambda edge: (-share[edge], decided[edges.other[edge]]), default=-1))
        held.append(min(smaller, key=lambda edge: (-sizes[edges.other[edge]], decided[edges.other[edge]]), default=-1))
    return np.array(copied, np.int64), np.array(held, np.int64)


# Keys


def mix64(value: int) -> int:
    """The finalizer of SplitMix64 in whole numbers."""
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & MASK
    value = (value ^ value >> 27) * 0x94D049BB133111EB & MASK
    return value ^ value >> 31


def salt_keys(values: Sequence[int], salt: int) -> list[int]:
    return [mix64(mix64(value ^ salt) ^ salt) for value in values]


def fold_digests(digests: Sequence[tuple[int, int]]) -> list[int]:
    return [mix64(first) ^ (second * GOLDEN & MASK) for first, second in digests]
