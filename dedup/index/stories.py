"""Stories of an index: joins store entries to the story window, which is filled from the store on first use."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..arrays.rows import Floats, Ints, Rows, filter_rows
from ..config import Config
from ..fingerprints.fingerprint import fingerprint_titles
from ..schema import DAY
from ..stories.describe import story_id
from ..stories.vectors import story_rows
from ..text.document_frequencies import DocumentFrequencies
from ..text.lexicon import title_stop_terms
from .decision import Decisions
from .incoming import Incoming
from .store import Entry, Store
from .story_window import StoryWindow
from .verdict import story_name, story_number

#: Entries read at a time, and at most, to fill the window.
_BLOCK, _MOST = 1 << 13, 1 << 18


class OnlineStories:
    """The stories of an index; a copy takes the story of its canonical, an extended document that of what it extends.

    Parameters
    ----------
    known : background counts by which words are weighed
    """

    def __init__(self, store: Store, config: Config, known: DocumentFrequencies) -> None:
        self._store, self._config, self._known = store, config, known
        self._window: StoryWindow | None = None
        self._latest, self._dated = -np.inf, False

    def follow(self, added: list[int], removed: list[int]) -> None:
        """Apply what other writers did to the index: numbers of added and removed entries."""
        if self._window is not None:
            self.forget([*removed, *added])
            self._load_recent(added)

    def forget(self, numbers: list[int]) -> None:
        """Take documents out of the window."""
        if self._window is not None:
            for number in numbers:
                self._window.remove(number)

    def reset(self) -> None:
        """Drop the window; the next call fills it again."""
        self._window, self._latest, self._dated = None, -np.inf, False

    def propose(self, incoming: Incoming, decided: Decisions) -> None:
        """Set the story that each entry would join or found; the window stays as it is."""
        window = self._open_window()
        rows = [row for row in range(len(incoming)) if self._needs_story(decided, row)]
        vectors, times = self._weigh_rows(incoming, rows), self._times([decided.entries[row] for row in rows])
        for place, row in enumerate(rows):
            if _takes_story(decided, row):
                continue
            proposed = window.propose(vectors, place, times[place], bool(incoming.headline[row]))
            decided.entries[row].story = proposed.story if proposed.story is not None else founded_story(decided.entries[row])
        self._copy_stories(decided)

    def assign(self, incoming: Incoming, decided: Decisions) -> list[dict[str, Any]]:
        """Set the story that each entry joins or founds and add it to the window; returns rows of the events table."""
        window = self._open_window()
        self.forget([entry.number for entry, same in zip(decided.entries, decided.same, strict=True) if not same])
        updated = [row for row in range(len(incoming)) if self._keeps_story(decided, row)]
        if updated:
            self._load_entries(window, self._weigh_rows(incoming, updated), [decided.entries[row] for row in updated])
        events: list[dict[str, Any]] = []
        run: list[int] = []
        for row in (row for row in range(len(incoming)) if self._needs_story(decided, row)):
            if not decided.held[row]:
                run.append(row)
                continue
            # It is in the window before later documents are compared with it.
            events += self._assign_rows(window, incoming, decided, run)
            run = []
            if _takes_story(decided, row):
                self._advance_latest([decided.entries[row]])
                self._load_entries(window, self._weigh_rows(incoming, [row]), [decided.entries[row]])
            else:
                run.append(row)
        events += self._assign_rows(window, incoming, decided, run)
        self._copy_stories(decided)
        window.forget_before(self._latest - self._config.stories.window_days * DAY)
        return events

    def _assign_rows(self, window: StoryWindow, incoming: Incoming, decided: Decisions, rows: list[int]) -> list[dict[str, Any]]:
        """Set the story that some entries join or found; returns rows of the events table."""
        entries = [decided.entries[row] for row in rows]
        times = self._times_in_turn(entries)
        founded = np.array([founded_story(entry) for entry in entries], np.int64)
        numbers = np.array([entry.number for entry in entries], np.int64)
        stories, merges = window.assign(self._weigh_rows(incoming, rows), numbers, times, incoming.headline[rows], founded)
        for entry, story, own in zip(entries, stories.tolist(), founded.tolist(), strict=True):
            entry.story = own if story == -1 else story
        return [_event("story_merged", story, other, time_of(entries[row]), [entries[row].doc_id]) for row, story, other in merges]

    def review(self) -> list[dict[str, Any]]:
        """Compare the window with a batch run over its documents; returns merges and splits as rows of the events table."""
        events = []
        window = self._open_window()
        extends = {e.number: e.extends for e in self._store.fetch(window.numbers()) if e is not None and e.extends is not None}
        for change in window.review(extends):
            members = [entry for entry in self._store.fetch(change.members.tolist()) if entry is not None]
            if members:
                # A part that belongs to no story is named as if its first document had founded one.
                other = change.other if change.other is not None else founded_story(members[0])
                latest = max(time_of(entry) for entry in members)
                events.append(_event(change.event, change.story, other, latest, [entry.doc_id for entry in members]))
        return events

    def _open_window(self) -> StoryWindow:
        if self._window is None:
            self._window = StoryWindow(self._known, self._config.stories)
            stop = self._store.last_number() + 1
            oldest = max(0, stop - _MOST)
            while stop > oldest:
                first = max(oldest, stop - _BLOCK)
                dates = self._load_recent(range(first, stop))
                stop = first
                # Entries are roughly in the order of their dates: a block older than the window
                # ends the search.
                if len(dates) and dates.max() < self._latest - self._config.stories.window_days * DAY:
                    break
        return self._window

    def _load_recent(self, numbers: Any) -> Floats:
        """Put those entries into the window that are recent enough; returns the dates of all dated ones."""
        entries = [e for e in self._store.fetch(list(numbers)) if e is not None and e.canonical == e.number and e.story is not None]
        dates = np.array([entry.published for entry in entries if is_dated(entry)], np.float64) / 1e6
        if entries and self._window is not None:
            self._advance_latest(entries)
            near = self._times(entries) >= self._latest - self._config.stories.window_days * DAY
            entries = [entry for entry, kept in zip(entries, near.tolist(), strict=True) if kept]
            words = self._store.words([entry.number for entry in entries])
            terms = filter_rows(words.terms, words.offsets, words.terms != 0)
            title_terms, letters, title_words = fingerprint_titles(
                pa.array([entry.title for entry in entries], pa.large_string()), self._config
            )
            headline = np.array([entry.role == "headline" for entry in entries], bool)
            short = title_words < self._config.text.min_headline_words
            self._load_entries(self._window, self._weigh(terms, title_terms, letters, np.arange(len(entries)), headline, short), entries)
        return dates

    def _load_entries(self, window: StoryWindow, vectors: Any, entries: list[Entry]) -> None:
        numbers, stories = (np.array([getattr(entry, name) for entry in entries], np.int64) for name in ("number", "story"))
        headline = np.array([entry.role == "headline" for entry in entries], bool)
        window.load(vectors, numbers, self._times(entries), headline, stories)

    def _weigh_rows(self, incoming: Incoming, rows: list[int]) -> Any:
        chosen, fingerprints = np.array(rows, np.int64), incoming.fingerprints
        parts = fingerprints.terms, fingerprints.title_terms, fingerprints.title_shingles
        return self._weigh(*parts, chosen, incoming.headline[chosen], incoming.short[chosen])

    def _weigh(
        self, terms: Rows, title_terms: Rows, letters: Rows, rows: Ints, headline: npt.NDArray[np.bool_], short: npt.NDArray[np.bool_]
    ) -> Any:
        window = self._window if self._window is not None else StoryWindow(self._known, self._config.stories)
        left_out = title_stop_terms()  # compiles kernels: not needed to open an index
        return window.rows(*story_rows(terms, title_terms, letters, rows, headline, short, left_out, self._config.stories))

    def _times(self, entries: list[Entry]) -> Floats:
        """Seconds: the date of publication; else the latest date so far; else, if nothing is dated, the time of arrival."""
        latest = self._latest if self._dated else None
        times = [entry.published if is_dated(entry) else entry.arrived if latest is None else latest * 1e6 for entry in entries]
        return np.array(times, np.float64) / 1e6

    def _times_in_turn(self, entries: list[Entry]) -> Floats:
        """``_times`` of each entry after the ones before it have advanced the latest date."""
        times = np.empty(len(entries))
        for place, entry in enumerate(entries):
            times[place] = self._times([entry])[0]
            self._advance_latest([entry])
        return times

    def _advance_latest(self, entries: list[Entry]) -> None:
        """Advance the latest date. Arrival times count only if nothing is dated: they may be years after publication."""
        dates = [entry.published for entry in entries if is_dated(entry) and entry.published is not None]
        if dates and not self._dated:
            self._latest, self._dated = -np.inf, True
        if dates or not self._dated:
            self._latest = max([self._latest, *(date / 1e6 for date in dates or (entry.arrived for entry in entries))])

    def _needs_story(self, decided: Decisions, row: int) -> bool:
        return not decided.same[row] and decided.entries[row].status != "copy" and decided.entries[row].story is None

    def _keeps_story(self, decided: Decisions, row: int) -> bool:
        return not decided.same[row] and decided.entries[row].status != "copy" and decided.entries[row].story is not None

    def _copy_stories(self, decided: Decisions) -> None:
        for entry, canonical in zip(decided.entries, decided.canonicals, strict=True):
            if entry.status == "copy":
                entry.story = canonical.story


def _takes_story(decided: Decisions, row: int) -> bool:
    """Give an extended document the story of what it extends; whether it has one now."""
    held = decided.held[row]
    if held and held[0].story is not None:
        decided.entries[row].story = held[0].story
        return True
    return False


def founded_story(entry: Entry) -> int:
    """The number of the story that a document founds, from the id that a batch run would give it."""
    return story_number(story_id(entry.doc_id))


def is_dated(entry: Entry) -> bool:
    """Whether the date of publication is known and not later than the arrival."""
    return entry.published is not None and entry.published <= entry.arrived


def time_of(entry: Entry) -> int:
    """Microseconds: the date of publication if ``is_dated``, else the time of arrival."""
    return entry.published if entry.published is not None and is_dated(entry) else entry.arrived


def _event(event: str, story: int, other: int, at: int | None, members: list[str]) -> dict[str, Any]:
    return {
        "event": event,
        "story_id": story_name(story),
        "other_id": story_name(other),
        "canonical_id": None,
        "at": at,
        "documents": len(members),
        "members": members,
    }
