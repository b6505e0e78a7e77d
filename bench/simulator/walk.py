"""New texts that read like the corpus and are unlike each other: random walks over its words.

A walk goes from word to word of the real texts and may jump at each step to another occurrence of the current word.
So neighbouring words are neighbours in some article, frequencies and phrases are those of the corpus, and two walks
share no longer runs of words than two unrelated texts. (Whole sentences would be reused some ten times each in a
million texts; sentences of real articles are not.) Walks are made in blocks, as arrays, without Python code per word.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ints = npt.NDArray[np.int64]
#: Marks the end of a paragraph while words are numbered; no text contains it.
BREAK = "\ue000"
#: Share of the steps that jump.
JUMP = 0.5
#: Words of the shortest and the longest text that a length is taken from.
SHORTEST, LONGEST = 40, 900
#: Most words of real text to walk over: 20 million take some 0.6 GB.
MOST_WORDS = 20_000_000


@dataclass(frozen=True, eq=False)
class Walks:
    """The corpus as numbered words.

    ``words`` int32[n], the number of each word in text order; ``places`` int32[n], all places ordered by word, with
    ``starts`` int64[n_distinct + 1] where each word's places begin; ``openings`` int64[m], places of first words of
    paragraphs; ``lengths`` int64[k], words of real texts; ``dictionary`` the distinct words.
    """

    words: npt.NDArray[np.int32]
    places: npt.NDArray[np.int32]
    starts: Ints
    openings: Ints
    lengths: Ints
    dictionary: pa.Array

    @classmethod
    def over(cls, texts: pa.ChunkedArray) -> Walks:
        """Number the words of texts, of the first ones only if they have more than ``MOST_WORDS``."""
        marked = pc.replace_substring_regex(texts.cast(pa.large_string()), pattern=r"\s*\n\s*", replacement=f" {BREAK} ")
        ended = pc.binary_join_element_wise(marked, pa.scalar(BREAK, pa.large_string()), pa.scalar(" ", pa.large_string()))
        split = pc.utf8_split_whitespace(pc.utf8_trim_whitespace(ended))
        sizes = pc.list_value_length(split).to_numpy()
        kept = int(np.searchsorted(np.cumsum(sizes), MOST_WORDS)) + 1
        encoded = pc.list_flatten(split.slice(0, kept)).dictionary_encode().combine_chunks()
        encoded = encoded.chunk(0) if isinstance(encoded, pa.ChunkedArray) else encoded
        words, dictionary = encoded.indices.to_numpy().astype(np.int32), encoded.dictionary.cast(pa.string())
        places = np.argsort(words, kind="stable").astype(np.int32)
        starts = np.concatenate([[0], np.cumsum(np.bincount(words, minlength=len(dictionary)))])
        openings = np.concatenate([[0], np.flatnonzero(words == words[-1])[:-1] + 1])
        lengths = sizes[(sizes >= SHORTEST) & (sizes <= LONGEST)].astype(np.int64)
        if not len(lengths):
            raise ValueError(f"no text has {SHORTEST} to {LONGEST} words, but lengths are drawn from such texts")
        return cls(words, places, starts, openings, lengths, dictionary)

    def texts(self, count: int, rng: np.random.Generator) -> pa.StringArray:
        """New texts, with the lengths of real ones."""
        return self._walk(rng.choice(self.lengths, count), rng)

    def titles(self, count: int, rng: np.random.Generator) -> pa.StringArray:
        """New titles of 6 to 12 words, on one line."""
        return pc.replace_substring(self._walk(rng.integers(6, 13, count), rng), pattern="\n", replacement=" ")

    def _walk(self, lengths: Ints, rng: np.random.Generator) -> pa.StringArray:
        order = np.argsort(-lengths, kind="stable")  # longest first, so that the unfinished ones are a prefix
        sizes = lengths[order]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        slots = offsets[:-1][order]
        path = np.empty(offsets[-1], np.int32)
        at = rng.choice(self.openings, len(lengths))
        last = len(self.words) - 1
        for step in range(int(sizes[0]) if len(sizes) else 0):
            walking = int(np.searchsorted(-sizes, -step, side="left"))
            at, word = at[:walking], self.words[at[:walking]]
            path[slots[:walking] + step] = word
            jumping = np.flatnonzero(rng.random(walking, np.float32) < JUMP)
            first, after = self.starts[word[jumping]], self.starts[word[jumping] + 1]
            at[jumping] = self.places[first + (rng.random(len(jumping)) * (after - first)).astype(np.int64)]
            at = np.minimum(at + 1, last)
        words = pc.take(self.dictionary, pa.array(path))
        joined = pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), words), " ")
        return pc.utf8_trim_whitespace(pc.replace_substring_regex(joined, pattern=f" *{BREAK}[ {BREAK}]*", replacement="\n"))
