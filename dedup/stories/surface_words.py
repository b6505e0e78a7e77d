"""Words of texts as written: the term of each, and its place in the text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arrays.rows import Ints, take_rows, text_array, text_rows
from ..kernels.text.terms import term_rows
from ..text.document_frequencies import FLAGS
from ..text.folding import fold_table
from ..text.lexicon import stem_table

#: Words read of a text.
READ_WORDS = 200
_SPACE = 0x20


@dataclass(frozen=True, eq=False)
class SurfaceWords:
    """The words of texts without stop words, in text order.

    ``terms`` uint64[n_words], flags 0; ``rows`` int64[n_words], the text of each; ``starts``,
    ``stops`` int64[n_words], its bytes in ``data``; ``text_starts`` int64[n_texts].
    """

    data: npt.NDArray[np.uint8]
    text_starts: Ints
    terms: npt.NDArray[np.uint64]
    rows: Ints
    starts: Ints
    stops: Ints

    @classmethod
    def of(cls, texts: Any) -> SurfaceWords:
        """The first words of an Arrow text column."""
        data, offsets = text_rows(texts)
        terms, rows, starts, stops = term_rows(data, offsets, READ_WORDS, fold_table(), stem_table())
        return cls(data, offsets[:-1], terms & ~FLAGS, np.repeat(np.arange(len(rows) - 1), np.diff(rows)), starts, stops)

    def within(self, sizes: Ints) -> npt.NDArray[np.bool_]:
        """bool[n_words]: words in the first ``sizes`` bytes of their text."""
        inside: npt.NDArray[np.bool_] = self.starts < (self.text_starts + sizes)[self.rows]
        return inside

    def next_to(self, places: Ints) -> npt.NDArray[np.bool_]:
        """bool[len(places) - 1]: whether the word at the next place follows directly, after a single space."""
        first, second = places[:-1], places[1:]
        beside: npt.NDArray[np.bool_] = (self.rows[first] == self.rows[second]) & (self.stops[first] + 1 == self.starts[second])
        beside[beside] = self.data[self.stops[first[beside]]] == _SPACE
        return beside

    def written(self, places: Ints) -> Any:
        """The words at these places as an Arrow dictionary array of strings.

        The words of a ligature (ﷺ) have no bytes of their own: they are empty.
        """
        spans = np.empty(2 * len(places) + 1, np.int64)
        spans[:-1:2], spans[1::2] = self.starts[places], self.stops[places]
        spans[-1] = len(self.data)
        data, offsets = take_rows(self.data, spans, np.arange(0, 2 * len(places), 2))
        return text_array(data, offsets).dictionary_encode()
