"""Makes texts whose words and shingles are as common as in real articles.

A text is put together from passages of real articles, and each word may be replaced: the rarer, the likelier, because
names and figures differ between articles that use the same phrases. Replacements are drawn from the replaced words,
so that words keep their frequencies; a share of them is invented, with a long tail, so that the vocabulary grows as
a real one does. ``half`` (a word with so many occurrences stays in half of the cases) is fitted by ``statistics.py``.

The walks of ``bench/simulator`` do not serve here: half of their shingles occur in the corpus, so a million walks
share nearly all of them.
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
#: Share of passage borders that end a paragraph.
ENDS = 0.4
#: Steepness of the curve between words that stay and words that are replaced.
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

    ``words`` int32[n] in text order; ``keep`` the chance of each distinct word to stay; ``given`` int32[m], replaced words, as
    often as they are; ``unseen`` share of all words that are invented; ``known`` distinct words of the corpus, ``fresh``
    invented ones; ``dictionary`` both, then the end of a paragraph; ``lengths`` words of texts; ``small`` small words.
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
        """Number the words of texts; call ``giving_way`` next.

        Parameters
        ----------
        unseen : share of invented words in new texts
        fresh : number of invented words; the commonest occurs some thousand times as often as most
        mean_words : of a new text; lengths vary as in real ones
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
        """The same, where a word with ``half`` occurrences in the corpus stays in half of the cases."""
        counts = np.bincount(self.words, minlength=self.known).astype(np.float64)
        keep = (counts**STEEP / (counts**STEEP + half**STEEP)).astype(np.float32)
        rng = np.random.default_rng([seed, 1])
        given = rng.permutation(self.words[rng.random(len(self.words)) >= keep[self.words]])
        return replace(self, keep=keep, given=given)

    def write(self, count: int, rng: np.random.Generator) -> list[Words]:
        """``n`` texts as strings of words."""
        lengths = rng.choice(self.lengths, count)
        return np.split(self.passages(lengths, rng), np.cumsum(lengths)[:-1])

    def passages(self, lengths: Ints, rng: np.random.Generator) -> Words:
        """Texts of these lengths, concatenated."""
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
        # The x-th invented word has chance 1/x, so the vocabulary keeps growing.
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
    """Different words of five to seven letters, hardly any of them real."""
    base = len(_LETTERS)
    spread = (np.arange(count, dtype=np.uint64) * np.uint64(0x9E3779B1)) % np.uint64(base**6)
    letters = np.array(list(_LETTERS))
    columns = [letters[((spread // np.uint64(base**place)) % np.uint64(base)).astype(np.int64)] for place in range(6)]
    return ["".join(word) for word in zip(*columns, strict=True)]
