"""A store in plain Python: the contract of stores in its simplest form."""

from __future__ import annotations

import copy

import numpy as np

from dedup.index.store import CLASS_BITS, PostingLists, TokenRows, WriteConflict


class MemoryStore:
    """For one process. ``MemoryStore(other)`` opens the content of another one."""

    def __init__(self, other=None, metadata=None):
        self.content = (
            other.content
            if other is not None
            else {"entries": {}, "words": {}, "lists": {}, "events": [], "log": [], "next": 0, "facts": metadata or {}}
        )
        self.metadata = self.content["facts"]
        self.seen = len(self.content["log"])
        self.own = set()
        self.refuse = 0  # commits to answer with a conflict

    def sync(self):
        news = [item for place, item in enumerate(self.content["log"][self.seen :], self.seen) if place not in self.own]
        self.seen, self.own = len(self.content["log"]), set()
        removed = sorted({number for gone, number in news if gone})
        return sorted({number for gone, number in news if not gone} - set(removed)), removed

    def lookup(self, keys, offsets, most):
        values, sizes, truncated = [], [0], []
        for first, last in zip(offsets[:-1], offsets[1:], strict=True):
            lists = [self.content["lists"].get(key, []) for key in keys[first:last].tolist()]
            values += [value for listed in lists for value in listed[:most]]
            sizes.append(len(values))
            truncated.append(sum(len(listed) > most for listed in lists))
        return PostingLists(np.array(values, np.uint32), np.array(sizes, np.int64), np.array(truncated, np.int64))

    def all_numbers(self, key):
        return np.array(sorted({value >> CLASS_BITS for value in self.content["lists"].get(int(key), [])}), np.int64)

    def fetch(self, numbers):
        return [copy.copy(self.content["entries"].get(number)) for number in numbers]

    def words(self, numbers):
        rows = [self.content["words"].get(number, ([], [])) for number in numbers]
        offsets = np.cumsum([0, *(len(tokens) for tokens, _ in rows)])
        tokens, terms = (np.array([word for row in rows for word in row[side]], np.uint64) for side in (0, 1))
        return TokenRows(tokens, terms, offsets.astype(np.int64))

    def last_number(self):
        return self.content["next"] - 1

    def older_than(self, when, most):
        early = [entry for entry in self.content["entries"].values() if entry.arrived < when]
        return [entry.number for entry in sorted(early, key=lambda entry: (entry.arrived, entry.number))[:most]]

    def allocate(self, count):
        first = self.content["next"]
        self.content["next"] += count
        return first

    def commit(self, batch):
        if self.refuse or self.seen < len(self.content["log"]) - len(self.own):
            self.refuse = max(0, self.refuse - 1)
            raise WriteConflict
        content = self.content
        for row, entry in enumerate(batch.entries):
            content["entries"][entry.number] = copy.copy(entry)
            if entry.number not in batch.kept_words:
                span = slice(batch.words.offsets[row], batch.words.offsets[row + 1])
                content["words"][entry.number] = batch.words.tokens[span].tolist(), batch.words.terms[span].tolist()
            self._log((False, entry.number))
        for key, value in zip(batch.keys.tolist(), batch.values.tolist(), strict=True):
            content["lists"].setdefault(key, []).append(value)
        for number in batch.removed:
            content["entries"].pop(number, None)
            content["words"].pop(number, None)
            self._log((True, number))
        for row in batch.events:
            content["events"].append(row | {"number": len(content["events"]) + 1, "recorded": 0})

    def _log(self, item):
        self.content["log"].append(item)
        self.own.add(len(self.content["log"]) - 1)

    def events(self, since):
        return [dict(row) for row in self.content["events"] if row["number"] > since]

    def __len__(self):
        return len(self.content["entries"])

    def stats(self):
        entries = self.content["entries"].values()
        return {"documents": len(entries), "copies": sum(entry.canonical != entry.number for entry in entries)}

    def compact(self):
        pass

    def close(self):
        pass
