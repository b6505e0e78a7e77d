"""Decides for each incoming document: unique, a copy (of which canonical), extended, or too short to judge.

The rule is that of a batch run (``copies.survivors``); what the index keeps already comes first, whatever ``copies.keep`` says: it
is not dropped for a document that comes later. The policy decides between kept documents that hold equally much of a new one. A
block is decided as if its documents came one by one; those that do not depend on one another are decided together.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..arrays.rows import Ints, concat_rows, row_offsets
from ..config import Config
from ..copies.pairs import PARTIAL, TITLE, Matches, measure_overlap
from ..copies.survivor_policy import EARLIEST, survivor_key
from ..copies.survivors import judge_new
from ..copies.verification import is_listed, kinds_by_overlap, may_be_template
from ..fingerprints.fingerprint import fingerprint_titles, text_fingerprints
from ..kernels.fingerprints.shingles import row_hashes
from ..kernels.index.covered import count_covered
from ..kernels.index.local_weights import Neighbourhood
from ..schema import DAY, KINDS
from .incoming import Incoming
from .lookup import LookupResult
from .matching import MOST_COMPARED, TextRows, TitleRows, match_texts, match_titles
from .store import Entry, Store
from .verdict import percent

_MICROS = 1_000_000
#: More than any document number: rows of the block rank after indexed documents.
_AFTER_ALL = 1 << 40
#: A copy is posted as evidence of a template only while it has fewer neighbours of its outlet than
#: this.
MOST_POSTED_COPIES = 16


@dataclass(eq=False)
class Decisions:
    """What incoming documents are, a list item for each.

    Attributes
    ----------
    entries : as they would be in the index
    canonicals : their canonicals; themselves unless they are copies
    held : of each that is extended, the documents that it holds, the fullest first
    remarks : what else to say of each, or an empty string
    same : bool[n], documents that the index has already, with this very text
    posted_copy : bool[n], copies whose shingles are posted too, as evidence that a text is a
        template
    """

    entries: list[Entry]
    canonicals: list[Entry]
    held: list[list[Entry]]
    remarks: list[str]
    same: npt.NDArray[np.bool_]
    posted_copy: npt.NDArray[np.bool_]


def decide(incoming: Incoming, found: LookupResult, store: Store, config: Config, numbers: list[int], arrived: int) -> Decisions:
    """Decide what incoming documents are.

    Parameters
    ----------
    numbers : the number of each in the index if it is new there
    arrived : microseconds since 1970, UTC
    """
    decider = _BlockDecider(incoming, found, store, config, numbers, arrived)
    for wave in decider.waves():
        decider.decide_wave(wave)
    decider.measure_covered()
    return Decisions(decider.entries, decider.canonicals, decider.held, decider.remarks, decider.same, decider.posted_copy)


class _BlockDecider:
    """Decides one block.

    A *place* denotes a document to compare with: its number if it is in the index, ``-1 - row`` if
    it is in the block.
    """

    def __init__(self, incoming: Incoming, found: LookupResult, store: Store, config: Config, numbers: list[int], arrived: int) -> None:
        self._incoming, self._found, self._store, self._config = incoming, found, store, config
        n = len(incoming)
        self.entries = [self._make_entry(row, numbers[row], arrived) for row in range(n)]
        self.canonicals = list(self.entries)
        self.held: list[list[Entry]] = [[] for _ in range(n)]
        self.remarks = [""] * n
        self.same = np.array([incoming.is_same(row, known) for row, known in enumerate(found.known)], bool)
        self.posted_copy = np.zeros(n, bool)
        self._indexed, self._indexed_titles = (sorted({k for row in part for k in row.tolist()}) for part in (found.alike, found.titled))
        self._text_rows: tuple[TextRows, Ints] | None = None
        self._title_rows: TitleRows | None = None
        self._headlines = set(np.flatnonzero(incoming.headline).tolist())
        #: Places that each row shares enough with to match.
        self._near: dict[int, list[int]] = {}
        #: Rows with a pair that may be a template, and with enough neighbours to tell.
        self._doubtful: set[int] = set()
        #: The earlier document with the same words, of each row that has one.
        self._same_text: dict[int, Entry] = {}
        #: Places that were compared with each row, the rows of ``_prepare_texts`` that they denote, and where those of each row start.
        self._compared: tuple[list[int], Ints, Ints] | None = None
        self._measure_candidates()

    def waves(self) -> list[list[int]]:
        """Rows in the order of decision: the rows of a wave do not depend on one another."""
        levels: list[int] = []
        for row, (alike, titled) in enumerate(zip(self._found.block_alike, self._found.block_titled, strict=True)):
            before = set(titled.tolist())
            if row in self._found.block_same_text:
                before.add(self._found.block_same_text[row])
            # Whether a shingle is common depends on all posted neighbours; whether a pair is a
            # copy, on that pair alone.
            before.update(alike.tolist() if row in self._doubtful else (-1 - place for place in self._near.get(row, []) if place < 0))
            levels.append(1 + max((levels[other] for other in before), default=-1))
        waves: list[list[int]] = [[] for _ in range(max(levels, default=-1) + 1)]
        for row, level in enumerate(levels):
            waves[level].append(row)
        return waves

    def decide_wave(self, wave: list[int]) -> None:
        """Decide some rows."""
        undecided = []
        for row in wave:
            known = self._found.known[row]
            if known is not None and self.same[row]:
                self._keep_known(row, known)
            elif not self._incoming.short[row] and not self._copy_same_text(row):
                undecided.append(row)
        parts = [part for part in (self._match_texts(undecided), self._match_titles(undecided)) if part is not None and len(part)]
        if not parts:
            return
        matches = Matches.join(parts) if len(parts) > 1 else parts[0]
        # The strongest kind first; within a kind what shares more; then the earlier document, indexed before incoming.
        age = np.where(matches.left < 0, _AFTER_ALL - matches.left, matches.left)
        matches = matches.take(np.lexsort((age, -(matches.containment + matches.jaccard), matches.kind, matches.right)))
        tying = matches.kind != PARTIAL
        if tying.any():
            self._tie(matches if tying.all() else matches.take(tying))
        for best, row in enumerate(matches.right.tolist()):
            if self.entries[row].status == "unique" and not self.remarks[row]:
                self.remarks[row] = self._remark(row, matches, best)

    def _make_entry(self, row: int, number: int, arrived: int) -> Entry:
        incoming, known = self._incoming, self._found.known[row]
        number = number if known is None else known.number
        return Entry(
            number, incoming.doc_ids[row], incoming.page_ids[row], incoming.roles[row],
            "short" if incoming.short[row] else "unique", number,
            None, None, None, None, None, 0.0, None if known is None else known.story,
            incoming.published[row], arrived if known is None else known.arrived,
            incoming.sources[row], incoming.urls[row], incoming.titles[row],
            int(incoming.fingerprints.words[row]), incoming.digest(row), incoming.parts[row],
        )  # fmt: skip

    def _keep_known(self, row: int, known: Entry) -> None:
        """Leave a document as the index has it, but for the number of parts of its page."""
        self.entries[row] = replace(known, parts=self.entries[row].parts)
        canonical = self._store.fetch([known.canonical])[0] if known.canonical != known.number else None
        self.canonicals[row] = canonical if canonical is not None else known
        held = self._store.fetch([known.extends])[0] if known.extends is not None else None
        self.held[row] = [held] if held is not None else []

    def _copy_same_text(self, row: int) -> bool:
        """Make a row a copy if an earlier article has the same digest; whether it is one."""
        earlier = self._found.same_text[row][0] if self._found.same_text[row] else None
        if earlier is None:
            if row not in self._found.block_same_text:
                return False
            earlier = self.entries[self._found.block_same_text[row]]
        self._same_text[row] = earlier
        canonical: Entry | None = earlier
        if earlier.canonical != earlier.number:
            in_block = next((item for item in self.canonicals if item.number == earlier.canonical), None)
            canonical = in_block or self._store.fetch([earlier.canonical])[0]
        if canonical is None or self._stays(row):
            return False
        if canonical is earlier:
            self._make_copy(row, canonical, "exact", (1.0, 1.0, 1.0))
        else:
            self._make_copy(row, canonical, earlier.kind, (earlier.jaccard, earlier.share, earlier.containment))
        return True

    def _tie(self, matches: Matches) -> None:
        """Make rows copies of kept documents, or extended; ``matches`` none partial, sorted by row."""
        left, right = matches.left.tolist(), matches.right.tolist()
        places, rows = self._in_survivor_order(set(left)), sorted(set(right))
        of_all = [*places, *(-1 - row for row in rows)]
        number_of = {place: number for number, place in enumerate(of_all)}
        sizes = np.array([self._size_at(place) for place in of_all], np.int64)
        numbered = replace(
            matches,
            left=np.array([number_of[place] for place in left], np.int64),
            right=np.array([number_of[-1 - row] for row in right], np.int64),
        )
        if any(self._found.known[row] is not None for row in rows):
            # An update is not made to extend what extends it.
            mutual = [self._extends(*pair) for pair in zip(left, right, strict=True)]
            numbered = replace(numbered, share_left=np.where(mutual, 0.0, matches.share_left))
        own = np.arange(len(places), len(of_all))
        at = np.array(places, np.int64)
        related = lambda one, other: self._related(at[one], at[other])  # noqa: E731
        copied, extended = judge_new(numbered, own, sizes, self._config.copies, related)
        for row, by, held in zip(rows, copied.tolist(), extended.tolist(), strict=True):
            if by >= 0 and not self._stays(row):
                self._apply_match(row, matches, by)
            elif held >= 0:
                self._extend(row, numbered, number_of[-1 - row], sizes, places)

    def _related(self, one: Ints, other: Ints) -> npt.NDArray[np.bool_]:
        """bool[n_pairs], whether pairs of places of articles share enough to be listed as a match."""
        overlap = measure_overlap(self._prepare_texts()[0].shingles, self._rows_of_places(one), self._rows_of_places(other))
        return is_listed(overlap, self._config.copies)

    def _apply_match(self, row: int, matches: Matches, best: int) -> None:
        """Make a row a copy by a match."""
        canonical, kind = self._entry_at(int(matches.left[best])), int(matches.kind[best])
        measures = float(matches.jaccard[best]), float(matches.share_right[best]), float(matches.containment[best])
        self._make_copy(row, canonical, KINDS[kind], measures)
        source, one = self._incoming.sources[row], slice(best, best + 1)
        outlet = np.array([-1 if source is None else 0])
        if source == canonical.source and may_be_template(matches.kind[one], matches.containment[one], outlet, outlet)[0]:
            self.posted_copy[row] = self._count_neighbours_of(source, row) < MOST_POSTED_COPIES

    def _make_copy(self, row: int, canonical: Entry, kind: str | None, measures: tuple[float | None, float | None, float | None]) -> None:
        entry = self.entries[row]
        entry.status, entry.canonical, entry.kind = "copy", canonical.number, kind
        entry.jaccard, entry.share, entry.containment = measures
        self.canonicals[row] = canonical

    def _extend(self, row: int, matches: Matches, number: int, sizes: Ints, places: list[int]) -> None:
        """Make a row extended: it holds the places that its matches number, all of which are listed."""
        holds = (matches.right == number) & (matches.share_left >= self._config.copies.contained) & (matches.kind != TITLE)
        held = matches.left[holds]
        held = held[np.lexsort((held, -sizes[held]))]
        self.held[row] = [self._entry_at(places[k]) for k in held.tolist()]
        self.entries[row].status, self.entries[row].extends = "extended", self.held[row][0].number

    def _remark(self, row: int, matches: Matches, best: int) -> str:
        """What to say of a row that is neither copy nor extended: what its strongest match is."""
        name, kind = self._entry_at(int(matches.left[best])).doc_id, int(matches.kind[best])
        if kind == PARTIAL:
            return f"it shares passages with {name} (containment {float(matches.containment[best]):.2f}), but is no copy of it"
        if self._stays(row):
            return f"other documents are tied to it, so it is not tied to {name}, which it matches ({KINDS[kind]})"
        return f"{percent(float(matches.share_right[best]))} of its shingles stand in {name}, but it adds too much to be a copy of it"

    def _in_survivor_order(self, places: set[int]) -> list[int]:
        """Kept documents in the order by which ties are broken: articles before headlines, then by the policy, or as they came."""
        keep = self._config.copies.keep

        def key(place: int) -> tuple[Any, ...]:
            entry = self._entry_at(place)
            if keep == EARLIEST:
                return entry.role == "headline", place < 0, abs(place)
            return survivor_key(keep, entry.role, entry.source, entry.published, entry.words, entry.doc_id)

        return sorted(places, key=key) if len(places) > 1 else list(places)

    def _entry_at(self, place: int) -> Entry:
        return self.entries[-1 - place] if place < 0 else self._found.entries[place]

    def _size_at(self, place: int) -> int:
        """How many shingles a document has; 0 of an indexed one that is compared by its title only."""
        offsets, row = self._incoming.fingerprints.shingles[1], -1 - place
        if place >= 0:
            row = bisect_left(self._indexed, place)
            if row == len(self._indexed) or self._indexed[row] != place:
                return 0
            offsets = self._prepare_texts()[0].shingles[1]
        return int(offsets[row + 1] - offsets[row])

    def _extends(self, place: int, row: int) -> bool:
        known = self._found.known[row]
        return known is not None and self._entry_at(place).extends == known.number

    def _stays(self, row: int) -> bool:
        """Whether a document is an update to which others stay tied."""
        return row in self._found.stays

    def _is_canonical(self, row: int) -> bool:
        return self.entries[row].canonical == self.entries[row].number and not self._incoming.short[row]

    def _is_canonical_place(self, place: int) -> bool:
        return self._is_canonical(-1 - place) if place < 0 else self._found.entries[place].canonical == place

    def _measure_candidates(self) -> None:
        """Fill ``_near`` and ``_doubtful``: most candidates share far too little to match."""
        found = zip(self._found.alike, self._found.block_alike, strict=True)
        candidates = [[*alike.tolist(), *(-1 - in_block).tolist()] for alike, in_block in found]
        counts = np.array([len(places) for places in candidates], np.int64)
        if not counts.any():
            return
        place, row = np.array([place for places in candidates for place in places], np.int64), np.repeat(np.arange(len(counts)), counts)
        texts, sources = self._prepare_texts()
        others = self._rows_of_places(place)
        self._compared = place.tolist(), others, row_offsets(counts)
        overlap = measure_overlap(texts.shingles, others, len(self._indexed) + row)
        near = np.flatnonzero(is_listed(overlap, self._config.copies))
        for of, item in zip(row[near].tolist(), place[near].tolist(), strict=True):
            self._near.setdefault(of, []).append(item)
        outlets = sources[others], sources[len(self._indexed) + row]
        uncertain = may_be_template(kinds_by_overlap(overlap, self._config.copies), overlap.containment, *outlets)
        self._doubtful = {of for of in set(row[uncertain].tolist()) if self._may_repeat(of, others[row == of])}

    def _may_repeat(self, row: int, others: Ints) -> bool:
        """Whether enough neighbours of a row are of one outlet for a shingle to be common there; else none weighs less."""
        _, sources = self._prepare_texts()
        counts = np.bincount(1 + sources[np.append(others, len(self._indexed) + row)])
        config = self._config.copies
        return bool(counts[0] > config.common or (counts[1:] > config.common_in_source).any())

    def measure_covered(self) -> None:
        """Set how much of each row stands in kept documents that it was compared with, all together."""
        n, counts = len(self.entries), []
        if self._compared is not None:
            places, others, starts = self._compared
            kept = np.array([self._is_canonical_place(place) for place in places], bool)
            rows = np.arange(len(self._indexed), len(self._indexed) + n)
            counts = count_covered(*self._prepare_texts()[0].shingles, rows, others, kept, starts).tolist()
        for row, entry in enumerate(self.entries):
            if self.same[row]:
                continue
            earlier = self._same_text.get(row)
            if earlier is not None:
                entry.covered = 1.0 if earlier.canonical == earlier.number else earlier.covered
            elif entry.role == "headline":
                entry.covered = entry.share or 0.0
            elif counts and counts[row]:
                entry.covered = counts[row] / self._size_at(-1 - row)

    def _rows_of_places(self, places: Ints) -> Ints:
        """The rows of ``_prepare_texts`` that places denote."""
        indexed = np.searchsorted(self._indexed, places) if self._indexed else np.zeros(len(places), np.int64)
        rows: Ints = np.where(places < 0, len(self._indexed) - 1 - places, indexed)
        return rows

    def _match_texts(self, rows: list[int]) -> Matches | None:
        """Matches of articles with canonicals; ``left`` is a place, ``right`` a row."""
        pairs = [(place, row) for row in rows for place in self._near.get(row, []) if self._is_canonical_place(place)]
        if not pairs:
            return None
        texts, sources = self._prepare_texts()
        n_indexed, n = len(self._indexed), len(self._incoming)
        place, row = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
        neighbours = {of: self._neighbours(of) for of in rows if of in self._doubtful}
        counts = np.zeros(n, np.int64)
        for of, places in neighbours.items():
            counts[of] = len(places)
        around = self._rows_of_places(np.array([place for places in neighbours.values() for place in places], np.int64))
        near = Neighbourhood(around, row_offsets(counts), n_indexed, sources)
        matches = match_texts(self._rows_of_places(place), n_indexed + row, texts, near, self._config.copies)
        place_of = np.array([*self._indexed, *(-1 - np.arange(n))], np.int64)
        return replace(matches, left=place_of[matches.left], right=matches.right - n_indexed)

    def _neighbours(self, row: int) -> list[int]:
        """Places of the documents near a row: those that are posted, or would be."""
        in_block = [other for other in self._found.block_alike[row].tolist() if self._is_canonical(other) or self.posted_copy[other]]
        return [*self._found.alike[row].tolist(), *(-1 - other for other in in_block[:MOST_COMPARED])]

    def _count_neighbours_of(self, source: str | None, row: int) -> int:
        """How many neighbours of a row are of an outlet."""
        incoming, entries = self._incoming, self._found.entries
        sources = (incoming.sources[-1 - place] if place < 0 else entries[place].source for place in self._neighbours(row))
        return sum(name == source for name in sources)

    def _prepare_texts(self) -> tuple[TextRows, Ints]:
        """Texts and outlets (-1: unknown) of the indexed candidates, then of the incoming documents."""
        if self._text_rows is None:
            fingerprints, words = self._incoming.fingerprints, self._store.words(self._indexed)
            indexed = text_fingerprints((words.tokens, words.offsets), words.terms, self._config)
            incoming = fingerprints.shingles, fingerprints.terms, fingerprints.brief_terms
            names = [self._found.entries[number].source for number in self._indexed] + self._incoming.sources
            codes = {name: code for code, name in enumerate(dict.fromkeys(name for name in names if name is not None))}
            sources = np.array([-1 if name is None else codes[name] for name in names], np.int64)
            texts = TextRows(*(concat_rows([*parts]) for parts in zip(indexed, incoming, strict=True)))
            self._text_rows = texts, sources
        return self._text_rows

    def _match_titles(self, rows: list[int]) -> Matches | None:
        """Matches of headlines within ``copies.title_days``; ``left`` a place, ``right`` a row."""
        incoming, entries, longest = self._incoming, self._found.entries, self._config.copies.title_days * DAY * _MICROS
        pairs = []
        for row in sorted(self._headlines.intersection(rows)):
            published = incoming.published[row]
            indexed = [number for number in self._found.titled[row].tolist() if entries[number].canonical == number]
            in_block = [-1 - other for other in self._found.block_titled[row].tolist() if self._is_canonical(other)]
            for place in self._latest_of_title(row, indexed + in_block):
                other = (self.entries[-place - 1] if place < 0 else entries[place]).published
                if other is None or published is None or abs(other - published) <= longest:
                    pairs.append((place, row))
        if not pairs:
            return None
        left = self._title_rows_of([place for place, _ in pairs])
        right = self._title_rows_of([-1 - row for _, row in pairs])
        matches = match_titles(left, right, self._prepare_titles(), self._config.copies)
        n_indexed = len(self._indexed_titles)
        place_of = np.array([*self._indexed_titles, *(-1 - np.arange(len(incoming)))], np.int64)
        return replace(matches, left=place_of[matches.left], right=matches.right - n_indexed)

    def _latest_of_title(self, row: int, places: list[int]) -> list[int]:
        """The places without those of the very title of a row, except for the latest: as many as a lookup of the title returns."""
        most = self._config.candidates.list_cap
        if len(places) <= most:
            return places
        hashes = row_hashes(*self._prepare_titles().terms)
        equal = np.flatnonzero(hashes[self._title_rows_of(places)] == hashes[self._title_rows_of([-1 - row])])
        dropped = set(equal[:-most].tolist())
        return [place for k, place in enumerate(places) if k not in dropped]

    def _title_rows_of(self, places: list[int]) -> Ints:
        """The rows of ``_prepare_titles`` that places denote."""
        n_indexed = len(self._indexed_titles)
        return np.array([bisect_left(self._indexed_titles, place) if place >= 0 else n_indexed - 1 - place for place in places], np.int64)

    def _prepare_titles(self) -> TitleRows:
        """Titles of the indexed candidates and, after them, of the incoming documents."""
        if self._title_rows is None:
            fingerprints, entries = self._incoming.fingerprints, [self._found.entries[number] for number in self._indexed_titles]
            terms, shingles, _ = fingerprint_titles(pa.array([entry.title for entry in entries], pa.large_string()), self._config)
            digests = np.frombuffer(b"".join(entry.digest for entry in entries), np.uint64).reshape(-1, 2)
            headline = np.array([entry.role == "headline" for entry in entries], bool)
            self._title_rows = TitleRows(
                concat_rows([shingles, fingerprints.title_shingles]),
                concat_rows([terms, fingerprints.title_terms]),
                np.concatenate([digests, fingerprints.digests]),
                np.concatenate([headline, self._incoming.headline]),
            )
        return self._title_rows
