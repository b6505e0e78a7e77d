"""Arrivals and what was found for them, to what each is: of its own, a copy of which canonical, too short to judge.

What is given stays: an arrival joins the canonical that it matches best, and stands for itself if it matches none. Arrivals of
one block are decided as if they came one by one; those that do not look alike are decided together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..arrays.rows import Ints, Rows, row_offsets
from ..config import Config
from ..copies.pairs import EXCERPT, LEFT, NEAR, NEITHER, PARTIAL, Matches
from ..copies.verification import TEMPLATE_BELOW
from ..fingerprints.fingerprint import print_titles, print_words
from ..kernels.copies.overlap import overlap_pairs
from ..schema import DAY, KINDS
from .incoming import Incoming
from .lookup import LookupResult
from .matching import MOST_COMPARED, judge, judge_titles
from .store import Entry, Store
from .verdict import is_same

_MICROS = 1_000_000
_LAST = 1 << 40
#: Documents of one outlet among which a copy is listed too; more tell no more of a form.
MOST_WITNESSES = 16


@dataclass(eq=False)
class Decisions:
    """What arrivals are: ``entries`` as they would be in the index, ``canonicals`` their canonicals, ``remarks`` more to say of each.

    ``same`` bool[n], those that the index has already, with this very text; ``witness`` bool[n], copies that are listed all the same,
    for they tell of a form that their outlet fills in again and again.
    """

    entries: list[Entry]
    canonicals: list[Entry]
    remarks: list[str]
    same: npt.NDArray[np.bool_]
    witness: npt.NDArray[np.bool_]


def decide(arrivals: Incoming, found: LookupResult, store: Store, config: Config, numbers: list[int], arrived: int) -> Decisions:
    """Decide what arrivals are.

    Parameters
    ----------
    numbers : the number of each in the index if it is new there
    arrived : microseconds
    """
    decision = _BlockDecider(arrivals, found, store, config, numbers, arrived)
    for wave in decision.waves():
        decision.settle(wave)
    same = np.array([known is not None and is_same(entry, known) for entry, known in zip(decision.entries, found.known, strict=True)], bool)
    return Decisions(decision.entries, decision.canonicals, decision.remarks, same, decision.witness)


class _BlockDecider:
    def __init__(self, arrivals: Incoming, found: LookupResult, store: Store, config: Config, numbers: list[int], arrived: int) -> None:
        self._arrivals, self._found, self._store, self._config = arrivals, found, store, config
        n = len(arrivals)
        self.entries = [self._entry(row, numbers[row], arrived) for row in range(n)]
        self.canonicals = list(self.entries)
        self.remarks = [""] * n
        self.witness = np.zeros(n, bool)
        self._first_twin = found.twins_here
        self._at_hand, self._titles_at_hand = (sorted({k for row in part for k in row.tolist()}) for part in (found.alike, found.titled))
        self._prepared: tuple[Rows, Rows, Ints] | None = None
        self._prepared_titles: tuple[Rows, Rows, Any, Any] | None = None
        self._headlines = set(np.flatnonzero(arrivals.headline).tolist())
        self._near: dict[int, list[int]] = {}
        self._doubtful: set[int] = set()
        self._measure()

    def waves(self) -> list[list[int]]:
        """Rows in the order in which they can be decided: those of a wave do not wait for one another."""
        levels: list[int] = []
        for row, (alike, titled) in enumerate(zip(self._found.alike_here, self._found.titled_here, strict=True)):
            before = {*titled.tolist(), *([self._first_twin[row]] if row in self._first_twin else [])}
            # Whether a shingle is common depends on all that are listed; what is near enough to be a copy, on itself alone.
            before.update(alike.tolist() if row in self._doubtful else (-1 - place for place in self._near.get(row, []) if place < 0))
            levels.append(1 + max((levels[other] for other in before), default=-1))
        waves: list[list[int]] = [[] for _ in range(max(levels, default=-1) + 1)]
        for row, level in enumerate(levels):
            waves[level].append(row)
        return waves

    def settle(self, wave: list[int]) -> None:
        """Decide some rows."""
        open_rows = []
        for row in wave:
            known = self._found.known[row]
            if known is not None and is_same(self.entries[row], known):
                self._keep(row, known)
            elif not self._arrivals.short[row] and not self._is_twin(row):
                open_rows.append(row)
        parts = [part for part in (self._judge(open_rows), self._judge_titles(open_rows)) if part is not None and len(part)]
        if not parts:
            return
        matches = Matches.join(parts)
        # The strongest kind first; within a kind what shares more; then what came first.
        age = np.where(matches.left < 0, _LAST - matches.left, matches.left)  # arrivals after what is there
        strongest = np.lexsort((age, -(matches.containment + matches.jaccard), matches.kind, matches.right))
        matches = matches.take(strongest)
        first = np.flatnonzero(np.diff(matches.right, prepend=-1))
        for place in first.tolist():
            self._tie(int(matches.right[place]), matches, place)

    def _keep(self, row: int, known: Entry) -> None:
        self.entries[row] = replace(known, parts=self.entries[row].parts)
        if known.canonical != known.number:
            canonical = self._store.fetch([known.canonical])[0]
            self.canonicals[row] = canonical if canonical is not None else known
        else:
            self.canonicals[row] = known

    def _is_twin(self, row: int) -> bool:
        """Whether it has the very words of another document; it is a copy of what that one is a copy of, by the same numbers."""
        twin = self._found.twins[row][0] if self._found.twins[row] else None
        if twin is None:
            if row not in self._first_twin:
                return False
            twin = self.entries[self._first_twin[row]]
        canonical: Entry | None = twin
        if twin.canonical != twin.number:
            canonical = (
                next((item for item in self.canonicals if item.number == twin.canonical), None) or self._store.fetch([twin.canonical])[0]
            )
        if canonical is None or self._stands(row):
            return False
        if canonical is twin:
            self._copy(row, canonical, "exact", 1.0, 1.0, None)
        else:
            self._copy(row, canonical, twin.kind, twin.jaccard, twin.containment, twin.contained)
        return True

    def _tie(self, row: int, matches: Matches, place: int) -> None:
        kind, number = int(matches.kind[place]), int(matches.left[place])
        canonical = self.entries[-number - 1] if number < 0 else self._found.entries[number]
        jaccard, containment = float(matches.jaccard[place]), float(matches.containment[place])
        contained = {NEITHER: None, LEFT: "match"}.get(int(matches.contained[place]), "this")
        if kind == PARTIAL:
            self.remarks[row] = f"it shares passages with {canonical.doc_id} (containment {containment:.2f}), but is no copy of it"
        elif self._stands(row):
            self.remarks[row] = (
                f"it stands for copies of its own, so it is not tied to {canonical.doc_id}, which it matches ({KINDS[kind]})"
            )
        else:
            self._copy(row, canonical, KINDS[kind], jaccard, containment, contained)
            of_outlet = self._arrivals.sources[row] == canonical.source and kind in (NEAR, EXCERPT) and containment < TEMPLATE_BELOW
            self.witness[row] = of_outlet and self._witnesses(row, canonical.source) < MOST_WITNESSES

    def _copy(
        self, row: int, canonical: Entry, kind: str | None, jaccard: float | None, containment: float | None, contained: str | None
    ) -> None:
        entry = self.entries[row]
        entry.status, entry.canonical, entry.kind = "copy", canonical.number, kind
        entry.jaccard, entry.containment, entry.contained = jaccard, containment, contained
        self.canonicals[row] = canonical

    def _stands(self, row: int) -> bool:
        """Whether a document that is updated stands for copies, who keep it as their canonical."""
        return row in self._found.standing

    def _measure(self) -> None:
        """Find whom each row shares enough with to be judged with: most that share a few shingles are nothing to each other."""
        places = [[*alike.tolist(), *(-1 - here).tolist()] for alike, here in zip(self._found.alike, self._found.alike_here, strict=True)]
        counts = np.array([len(items) for items in places], np.int64)
        if not counts.any():
            return
        config, (values, offsets), n_hand = self._config.copies, self._prepare()[0], len(self._at_hand)
        place, row = np.array([item for items in places for item in items], np.int64), np.repeat(np.arange(len(places)), counts)
        old, new = self._rows_at_hand(place), n_hand + row
        shared = overlap_pairs(values, offsets, old, new)
        one, other = offsets[old + 1] - offsets[old], offsets[new + 1] - offsets[new]
        jaccard, containment = shared / np.maximum(one + other - shared, 1), shared / np.maximum(np.minimum(one, other), 1)
        near = np.flatnonzero((jaccard >= config.near) | (containment >= config.partial))
        for item, of in zip(place[near].tolist(), row[near].tolist(), strict=True):
            self._near.setdefault(of, []).append(item)
        perhaps = ((jaccard >= config.near) | (containment >= config.excerpt)) & (containment < TEMPLATE_BELOW)
        self._doubtful = set(row[perhaps].tolist())

    def _rows_at_hand(self, places: Ints) -> Ints:
        """The rows of what ``_prepare`` gives: of numbers in the index, and of -1 - row of arrivals."""
        known = np.searchsorted(self._at_hand, places) if self._at_hand else np.zeros(len(places), np.int64)
        rows: Ints = np.where(places < 0, len(self._at_hand) - 1 - places, known)
        return rows

    def _judge(self, rows: list[int]) -> Matches | None:
        """Matches of articles; ``left`` is a number in the index, or -1 - row of an arrival, ``right`` a row."""
        pairs = [(place, row) for row in rows for place in self._near.get(row, []) if self._stands_for_itself(place)]
        if not pairs:
            return None
        shingles, terms, sources = self._prepare()
        n_hand, n = len(self._at_hand), len(self._arrivals)
        place, row = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
        company = {item: self._company(item) for item in rows if item in self._doubtful}
        counts = np.zeros(n, np.int64)
        for item, members in company.items():
            counts[item] = len(members)
        around = self._rows_at_hand(np.array([member for members in company.values() for member in members], np.int64))
        copies = self._config.copies
        matches = judge(self._rows_at_hand(place), n_hand + row, n_hand, (around, row_offsets(counts)), shingles, terms, sources, copies)
        hand = np.array([*self._at_hand, *(-1 - np.arange(n))], np.int64)
        return replace(matches, left=hand[matches.left], right=matches.right - n_hand)

    def _company(self, row: int) -> list[int]:
        """Whom a row is compared with or among: numbers in the index, and -1 - row of arrivals that are or would be listed."""
        here = [other for other in self._found.alike_here[row].tolist() if self._is_canonical(other) or self.witness[other]]
        return [*self._found.alike[row].tolist(), *(-1 - other for other in here[:MOST_COMPARED])]

    def _stands_for_itself(self, place: int) -> bool:
        return self._is_canonical(-1 - place) if place < 0 else self._found.entries[place].canonical == place

    def _witnesses(self, row: int, source: str | None) -> int:
        """Documents of an outlet that a row is compared among."""
        sources = (self._arrivals.sources[-1 - item] if item < 0 else self._found.entries[item].source for item in self._company(row))
        return sum(name == source for name in sources)

    def _is_canonical(self, row: int) -> bool:
        return self.entries[row].canonical == self.entries[row].number and not self._arrivals.short[row]

    def _prepare(self) -> tuple[Rows, Rows, Ints]:
        """Shingles, terms and outlets of the documents at hand and of the arrivals behind them."""
        if self._prepared is None:
            prints, words = self._arrivals.prints, self._store.words(self._at_hand)
            shingles, terms = print_words((words.tokens, words.offsets), words.terms, self._config)
            names = [self._found.entries[number].source for number in self._at_hand] + self._arrivals.sources
            codes = {name: code for code, name in enumerate(dict.fromkeys(name for name in names if name is not None))}
            sources = np.array([-1 if name is None else codes[name] for name in names], np.int64)
            self._prepared = _stacked(shingles, prints.shingles), _stacked(terms, prints.terms), sources
        return self._prepared

    def _judge_titles(self, rows: list[int]) -> Matches | None:
        arrivals, entries, longest = self._arrivals, self._found.entries, self._config.copies.title_days * DAY * _MICROS
        pairs = []
        for row in sorted(self._headlines.intersection(rows)):
            now = arrivals.published[row]
            numbers = [number for number in self._found.titled[row].tolist() if entries[number].canonical == number]
            for number in numbers + [-1 - other for other in self._found.titled_here[row].tolist() if self._is_canonical(other)]:
                then = (self.entries[-number - 1] if number < 0 else entries[number]).published
                if then is None or now is None or abs(then - now) <= longest:
                    pairs.append((number, row))
        if not pairs:
            return None
        shingles, terms, digests, headline = self._prepare_titles()
        hand = [*self._titles_at_hand, *(-1 - np.arange(len(arrivals))).tolist()]
        place = {number: at for at, number in enumerate(hand)}
        left = np.array([place[number] for number, _ in pairs], np.int64)
        right = len(self._titles_at_hand) + np.array([row for _, row in pairs], np.int64)
        matches = judge_titles(left, right, shingles, terms, digests, headline, self._config.copies)
        return replace(matches, left=np.array(hand, np.int64)[matches.left], right=matches.right - len(self._titles_at_hand))

    def _prepare_titles(self) -> tuple[Rows, Rows, Any, Any]:
        if self._prepared_titles is None:
            prints, entries = self._arrivals.prints, [self._found.entries[number] for number in self._titles_at_hand]
            terms, shingles, _ = print_titles(pa.array([entry.title for entry in entries], pa.large_string()), self._config)
            digests = np.frombuffer(b"".join(entry.digest for entry in entries), np.uint64).reshape(-1, 2)
            headline = np.array([entry.role == "headline" for entry in entries], bool)
            self._prepared_titles = (
                _stacked(shingles, prints.title_shingles),
                _stacked(terms, prints.title_terms),
                np.concatenate([digests, prints.digests]),
                np.concatenate([headline, self._arrivals.headline]),
            )
        return self._prepared_titles

    def _entry(self, row: int, number: int, arrived: int) -> Entry:
        arrivals, known = self._arrivals, self._found.known[row]
        number = number if known is None else known.number
        return Entry(
            number, arrivals.doc_ids[row], arrivals.page_ids[row], arrivals.roles[row],
            "short" if arrivals.short[row] else "unique", number,
            None, None, None, None, None if known is None else known.story,
            arrivals.published[row], arrived if known is None else known.arrived,
            arrivals.sources[row], arrivals.urls[row], arrivals.titles[row],
            int(arrivals.prints.words[row]), arrivals.prints.digests[row].tobytes(), arrivals.parts[row],
        )  # fmt: skip


def _stacked(one: Rows, other: Rows) -> Rows:
    return np.concatenate([one[0], other[0]]), np.concatenate([one[1], other[1][1:] + one[1][-1]])
