"""Terms to facts: what a template fills in. Numbers, and words that are rare in Arabic news at large.

Which terms are facts is told by a flag that ``kernels/terms.py`` keeps in them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .buffers import Rows, filter_rows
from .kernels.shingle import unique_rows

_FACT = np.uint64(2)


@dataclass(frozen=True, eq=False)
class Facts:
    """The facts of documents.

    ``terms`` rows in text order, ``flags`` bool[n_terms], which of them are facts, ``unique`` the sorted unique
    facts of each row.
    """

    terms: Rows
    flags: npt.NDArray[np.bool_]
    unique: Rows

    @classmethod
    def of(cls, terms: Rows) -> Facts:
        """The facts among rows of terms."""
        flags = (terms[0] & _FACT) != 0
        return cls(terms, flags, unique_rows(*filter_rows(*terms, flags)))
