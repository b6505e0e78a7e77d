"""Texts of which the words and the shingles are as common as in real articles, as many as are asked for.

A text is put together from passages of real articles, and each of its words may give way to another one: the rarer a word, the
likelier, for names and figures are what differs between two articles that use the same phrases. What comes in its place is drawn
from the words that give way, so words keep the frequencies that they have in the corpus; a share of it is words that the corpus does not
have, with a long tail, so that the vocabulary goes on growing as real ones do. The one parameter, ``half`` (a word with so many
occurrences stays half of the time), is chosen by ``statistics.py``.

A walk as of ``bench/simulator`` will not do: half of its shingles are those of the corpus, so a million walks share nearly all of theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.int32]
#: Mean words of a passage, and words of the shortest and the longest text.
PASSAGE, SHORTEST, LONGEST = 24, 60, 1200
#: Share of paragraphs' ends among the places where one passage follows another.
ENDS = 0.4
#: How sharply the words that stay are told from those that give way.
STEEP = 2.0
SMALL_WORDS = (
    "من",
    "في",
    "على",
    "إلى",
    "عن",
    "مع",
    "هذا",
    "هذه",
    "التي",
    "الذي",
    "كما",
    "وقد",
    "أن",
    "أو",
    "بعد",
    "قبل",
    "كان",
    "حيث",
    "كل",
)
_LETTERS = "ابتثجحخدذرزسشصضطظعغفقكلمنهوي"
_LINE = "\n"


@dataclass(frozen=True, eq=False)
class Passages:
    """The corpus as numbered words.

    ``words`` int32[n] in text order; ``keep`` the chance of each distinct word to stay; ``given`` int32[m], words that give way, as
    often as they do; ``unseen`` share of all words that are new; ``known`` distinct words of the corpus, ``fresh`` new ones;
    ``dictionary`` those, these, then the end of a paragraph; ``lengths`` words of texts; ``small`` small words.
    """

    words: Words
    keep: npt.NDArray[np.float32]
    given: Words
    unseen: float
    known: int
    fresh: int
    dictionary: pa.Array
    lengths: Ints
    small: Words

    @classmethod
    def over(cls, texts: Sequence[str], *, unseen: float, fresh: int, mean_words: int) -> Passages:
        """Number the words of texts; ``giving_way`` must follow.

        Parameters
        ----------
        unseen : share of all words of new texts that the corpus does not have
        fresh : new words, the commonest is met some thousand times as often as most
        mean_words : of a new text; lengths are spread as real ones are
        """
        split = pc.utf8_split_whitespace(pc.utf8_trim_whitespace(pa.array(texts, pa.large_string())))
        encoded = pc.list_flatten(split).dictionary_encode()
        words, dictionary = encoded.indices.to_numpy().astype(np.int32), encoded.dictionary.cast(pa.string())
        sizes = pc.list_value_length(split).to_numpy()
        sizes = sizes[(sizes >= SHORTEST) & (sizes <= LONGEST)]
        lengths = np.maximum(SHORTEST, np.round(sizes * (mean_words / sizes.mean()))).astype(np.int64)
        everything = pa.concat_arrays([dictionary, pa.array(_new_words(fresh)), pa.array([_LINE])])
        small = np.array([dictionary.index(word).as_py() for word in SMALL_WORDS], np.int32)
        stay = np.ones(len(dictionary), np.float32)
        return cls(words, stay, np.empty(0, np.int32), unseen, len(dictionary), fresh, everything, lengths, small[small >= 0])

    def giving_way(self, half: float, seed: int) -> Passages:
        """The same, where a word with ``half`` occurrences in the corpus stays half of the time."""
        counts = np.bincount(self.words, minlength=self.known).astype(np.float64)
        keep = (counts**STEEP / (counts**STEEP + half**STEEP)).astype(np.float32)
        rng = np.random.default_rng([seed, 1])
        given = rng.permutation(self.words[rng.random(len(self.words)) >= keep[self.words]])
        return replace(self, keep=keep, given=given)

    def write(self, count: int, rng: np.random.Generator) -> list[Words]:
        """So many texts, as words."""
        lengths = rng.choice(self.lengths, count)
        return np.split(self.passages(lengths, rng), np.cumsum(lengths)[:-1])

    def passages(self, lengths: Ints, rng: np.random.Generator) -> Words:
        """Texts of these lengths, one behind the other."""
        total = int(lengths.sum())
        begins = rng.random(total, np.float32) < 1 / PASSAGE
        first = np.cumsum(lengths) - lengths
        inside = begins.copy()
        begins[first], inside[first] = True, False
        passage = np.cumsum(begins) - 1
        where = np.flatnonzero(begins)
        starts = rng.integers(0, len(self.words) - LONGEST * 4, len(where))
        words = self.words[starts[passage] + np.arange(total) - where[passage]]
        gone = np.flatnonzero(rng.random(total, np.float32) >= self.keep[words])
        words[gone] = self.given[rng.integers(0, len(self.given), len(gone))]
        new = gone[rng.random(len(gone), np.float32) < self.unseen * len(self.words) / max(1, len(self.given))]
        # The chance of the x-th new word is one in x: as many new ones among the next thousand as among the last.
        words[new] = self.known + np.minimum(np.exp(rng.random(len(new)) * np.log(self.fresh)), self.fresh - 1).astype(np.int32)
        ends = np.flatnonzero(inside)
        words[ends[rng.random(len(ends)) < ENDS]] = len(self.dictionary) - 1
        return words

    def spelled(self, texts: Sequence[Words]) -> pa.Array:
        """Texts as strings."""
        offsets = np.concatenate([[0], np.cumsum([len(text) for text in texts])]).astype(np.int32)
        words = pc.take(self.dictionary, pa.array(np.concatenate(texts) if texts else np.empty(0, np.int32)))
        joined = pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), words), " ")
        return pc.utf8_trim_whitespace(pc.replace_substring(joined, pattern=f" {_LINE} ", replacement=_LINE))


def _new_words(count: int) -> list[str]:
    """So many words of five to seven letters, no two alike and next to no one a real word."""
    base = len(_LETTERS)
    spread = (np.arange(count, dtype=np.uint64) * np.uint64(0x9E3779B1)) % np.uint64(base**6)
    letters = np.array(list(_LETTERS))
    columns = [letters[((spread // np.uint64(base**place)) % np.uint64(base)).astype(np.int64)] for place in range(6)]
    return ["".join(word) for word in zip(*columns, strict=True)]
