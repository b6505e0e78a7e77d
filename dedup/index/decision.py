"""Decides for each incoming document: unique, a copy (of which canonical), or too short to judge.

Earlier decisions stand: a document joins the canonical that it matches best. A block is decided as
if its documents came one by one; those that do not depend on one another are decided together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..arrays.rows import Ints, concat_rows, row_offsets
from ..config import Config
from ..copies.pairs import PARTIAL, Matches, contained_of_document, measure_overlap
from ..copies.verification import is_listed, kinds_by_overlap, may_be_template
from ..fingerprints.fingerprint import fingerprint_titles, text_fingerprints
from ..kernels.index.local_weights import Neighbourhood
from ..schema import DAY, KINDS
from .incoming import Incoming
from .lookup import LookupResult
from .matching import MOST_COMPARED, TextRows, TitleRows, match_texts, match_titles
from .store import Entry, Store

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
    remarks : what else to say of each, or an empty string
    same : bool[n], documents that the index has already, with this very text
    posted_copy : bool[n], copies whose shingles are posted too, as evidence that a text is a
        template
    """

    entries: list[Entry]
    canonicals: list[Entry]
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
    return Decisions(decider.entries, decider.canonicals, decider.remarks, decider.same, decider.posted_copy)


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
        self.remarks = [""] * n
        self.same = np.array([incoming.is_same(row, known) for row, known in enumerate(found.known)], bool)
        self.posted_copy = np.zeros(n, bool)
        self._indexed, self._indexed_titles = (sorted({k for row in part for k in row.tolist()}) for part in (found.alike, found.titled))
        self._text_rows: tuple[TextRows, Ints] | None = None
        self._title_rows: TitleRows | None = None
        self._headlines = set(np.flatnonzero(incoming.headline).tolist())
        #: Places that each row shares enough with to match.
        self._near: dict[int, list[int]] = {}
        #: Rows with a pair that may be a template: their neighbours matter.
        self._doubtful: set[int] = set()
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
        matches = Matches.join(parts)
        # The strongest kind first; within a kind what shares more; then the earlier document,
        # indexed before incoming.
        age = np.where(matches.left < 0, _AFTER_ALL - matches.left, matches.left)
        matches = matches.take(np.lexsort((age, -(matches.containment + matches.jaccard), matches.kind, matches.right)))
        uncertain = may_be_template(matches.kind, matches.containment)
        for best in np.flatnonzero(np.diff(matches.right, prepend=-1)).tolist():
            self._apply_match(matches, best, may_be_template=bool(uncertain[best]))

    def _make_entry(self, row: int, number: int, arrived: int) -> Entry:
        incoming, known = self._incoming, self._found.known[row]
        number = number if known is None else known.number
        return Entry(
            number, incoming.doc_ids[row], incoming.page_ids[row], incoming.roles[row],
            "short" if incoming.short[row] else "unique", number,
            None, None, None, None, None if known is None else known.story,
            incoming.published[row], arrived if known is None else known.arrived,
            incoming.sources[row], incoming.urls[row], incoming.titles[row],
            int(incoming.fingerprints.words[row]), incoming.digest(row), incoming.parts[row],
        )  # fmt: skip

    def _keep_known(self, row: int, known: Entry) -> None:
        """Leave a document as the index has it, but for the number of parts of its page."""
        self.entries[row] = replace(known, parts=self.entries[row].parts)
        canonical = self._store.fetch([known.canonical])[0] if known.canonical != known.number else None
        self.canonicals[row] = canonical if canonical is not None else known

    def _copy_same_text(self, row: int) -> bool:
        """Make a row a copy if an earlier article has the same digest; whether it is one."""
        earlier = self._found.same_text[row][0] if self._found.same_text[row] else None
        if earlier is None:
            if row not in self._found.block_same_text:
                return False
            earlier = self.entries[self._found.block_same_text[row]]
        canonical: Entry | None = earlier
        if earlier.canonical != earlier.number:
            in_block = next((item for item in self.canonicals if item.number == earlier.canonical), None)
            canonical = in_block or self._store.fetch([earlier.canonical])[0]
        if canonical is None or self._keeps_copies(row):
            return False
        if canonical is earlier:
            self._make_copy(row, canonical, "exact", 1.0, 1.0, None)
        else:
            self._make_copy(row, canonical, earlier.kind, earlier.jaccard, earlier.containment, earlier.contained)
        return True

    def _apply_match(self, matches: Matches, best: int, *, may_be_template: bool) -> None:
        """Make a row a copy by its best match, or remark why it is none."""
        row, place, kind = int(matches.right[best]), int(matches.left[best]), int(matches.kind[best])
        canonical = self.entries[-place - 1] if place < 0 else self._found.entries[place]
        jaccard, containment = float(matches.jaccard[best]), float(matches.containment[best])
        if kind == PARTIAL:
            self.remarks[row] = f"it shares passages with {canonical.doc_id} (containment {containment:.2f}), but is no copy of it"
        elif self._keeps_copies(row):
            self.remarks[row] = (
                f"it stands for copies of its own, so it is not tied to {canonical.doc_id}, which it matches ({KINDS[kind]})"
            )
        else:
            self._make_copy(row, canonical, KINDS[kind], jaccard, containment, contained_of_document(int(matches.contained[best])))
            source = self._incoming.sources[row]
            if may_be_template and source == canonical.source:
                self.posted_copy[row] = self._count_neighbours_of(source, row) < MOST_POSTED_COPIES

    def _make_copy(
        self, row: int, canonical: Entry, kind: str | None, jaccard: float | None, containment: float | None, contained: str | None
    ) -> None:
        entry = self.entries[row]
        entry.status, entry.canonical, entry.kind = "copy", canonical.number, kind
        entry.jaccard, entry.containment, entry.contained = jaccard, containment, contained
        self.canonicals[row] = canonical

    def _keeps_copies(self, row: int) -> bool:
        """Whether a document is an update that stays the canonical of its copies."""
        return row in self._found.keeps_copies

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
        texts, _ = self._prepare_texts()
        overlap = measure_overlap(texts.shingles, self._rows_of_places(place), len(self._indexed) + row)
        near = np.flatnonzero(is_listed(overlap, self._config.copies))
        for of, item in zip(row[near].tolist(), place[near].tolist(), strict=True):
            self._near.setdefault(of, []).append(item)
        uncertain = may_be_template(kinds_by_overlap(overlap, self._config.copies), overlap.containment)
        self._doubtful = set(row[uncertain].tolist())

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
            for place in indexed + [-1 - other for other in self._found.block_titled[row].tolist() if self._is_canonical(other)]:
                other = (self.entries[-place - 1] if place < 0 else entries[place]).published
                if other is None or published is None or abs(other - published) <= longest:
                    pairs.append((place, row))
        if not pairs:
            return None
        places = [*self._indexed_titles, *(-1 - np.arange(len(incoming))).tolist()]
        row_of = {place: row for row, place in enumerate(places)}
        left = np.array([row_of[place] for place, _ in pairs], np.int64)
        right = len(self._indexed_titles) + np.array([row for _, row in pairs], np.int64)
        matches = match_titles(left, right, self._prepare_titles(), self._config.copies)
        return replace(matches, left=np.array(places, np.int64)[matches.left], right=matches.right - len(self._indexed_titles))

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
