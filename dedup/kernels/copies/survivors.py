"""Which documents are kept, and what each of the others is a copy of: one pass in survivor order."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..jit import jit, leaf
from ..rows import first_at_least


class Edges(NamedTuple):
    """Matches as edges, each listed under both of its documents.

    Attributes
    ----------
    offsets : int64[n_documents + 1], the edges of each document
    other : int64[n_edges], the other document
    share, share_of_other : float64[n_edges], of the document in the other, and of the other in it
    is_title : bool[n_edges], a match of titles, which has no direction
    """

    offsets: np.ndarray
    other: np.ndarray
    share: np.ndarray
    share_of_other: np.ndarray
    is_title: np.ndarray


@leaf
def earlier(decided, one, other):
    """Whether one document was decided before another; of two base documents, the smaller row."""
    return decided[one] < decided[other] or (decided[one] == decided[other] and one < other)


@leaf
def matched(edges, one, other):
    """Whether two documents have an edge; the edges of a document ascend by ``other``."""
    end = edges.offsets[one + 1]
    place = first_at_least(edges.other, edges.offsets[one], end, other)
    return place < end and edges.other[place] == other


@jit
def find_collections(edges, sizes, contained, least):
    """Find documents that hold several others which have nothing in common: section pages, bulletins, digests.

    Parameters
    ----------
    edges : Edges, of matches of every kind; those of a document ascend by ``other``
    sizes : int64[n_documents], shingles of each
    contained : share of another document from which it is held, if it is at most half as large
    least : held documents, no two of them matched, that make a collection

    Returns
    -------
    bool[n_documents]
    """
    found = np.zeros(len(sizes), np.bool_)
    chosen = np.empty(least, np.int64)
    for row in range(len(sizes)):
        count = 0
        for edge in range(edges.offsets[row], edges.offsets[row + 1]):
            other = edges.other[edge]
            if edges.is_title[edge] or edges.share_of_other[edge] < contained or 2 * sizes[other] > sizes[row]:
                continue
            related = False
            for place in range(count):
                related = related or matched(edges, other, chosen[place])
            if not related:
                chosen[count] = other
                count += 1
                if count == least:
                    found[row] = True
                    break
    return found


@leaf
def judge(row, first, last, edges, sizes, canonical, decided, contained, most_own):
    """What a document is, given those that are decided: the rule of copy groups, for one document.

    It is a copy of the kept one that holds the largest share of it, if that is at least ``contained`` and the document has at most
    ``most_own`` shingles of its own beyond it. Otherwise it extends the largest kept one that it holds, if it holds any.

    Parameters
    ----------
    row : the document; first, last : its edges
    edges : Edges
    sizes, canonical, decided : int64[n_documents], shingles of each, its canonical (-1: undecided), and its place in the order of
        decisions, by which ties go to the first

    Returns
    -------
    (copied, held, met), edges or -1: to the document that it is a copy of, to the largest that it holds, and to the first decided
    kept one that it matches by text
    """
    copied, held, met = np.int64(-1), np.int64(-1), np.int64(-1)
    best_share = 0.0
    for edge in range(first, last):
        other = edges.other[edge]
        if canonical[other] != other:
            continue
        share = 1.0 if edges.is_title[edge] else edges.share[edge]
        # A whole number: 1 - 400/600 times 600 is more than 200.
        own = sizes[row] - np.rint(share * sizes[row])
        if share >= contained and own <= most_own:
            if copied < 0 or share > best_share or (share == best_share and earlier(decided, other, edges.other[copied])):
                copied, best_share = np.int64(edge), share
        if edges.is_title[edge]:
            continue
        if edges.share_of_other[edge] >= contained:
            if held < 0 or fuller(sizes, decided, other, edges.other[held]):
                held = np.int64(edge)
        if met < 0 or earlier(decided, other, edges.other[met]):
            met = np.int64(edge)
    return copied, held, met


@leaf
def fuller(sizes, decided, one, other):
    """Whether one document is larger than another; of two of one size, the first decided."""
    return sizes[one] > sizes[other] or (sizes[one] == sizes[other] and earlier(decided, one, other))


@jit
def judge_each(rows, edges, sizes, canonical, decided, contained, most_own):
    """Judge documents that do not depend on one another.

    Parameters
    ----------
    rows : int64[n], the documents; the edges of ``rows[i]`` are ``edges.offsets[i]`` to ``edges.offsets[i + 1]``
    edges, sizes, canonical, decided : as of ``judge``

    Returns
    -------
    (copied int64[n], held int64[n]), edges as ``judge`` returns them
    """
    copied, held = np.empty(len(rows), np.int64), np.empty(len(rows), np.int64)
    for i in range(len(rows)):
        first, last = edges.offsets[i], edges.offsets[i + 1]
        copied[i], held[i], _ = judge(rows[i], first, last, edges, sizes, canonical, decided, contained, most_own)
    return copied, held


@jit
def choose_survivors(order, edges, sizes, canonical, extends, family, contained, most_own):
    """Decide document by document, first come first kept, which stand in a kept one and are its copies: see ``judge``.

    A document that extends another joins the family of that one; any other kept one that of the first decided kept one that it
    matches.

    Parameters
    ----------
    order : int64[n_new], the documents to decide, first survivor first; ranks are places in it
    edges : Edges
    sizes : int64[n_documents], shingles of each
    canonical, extends, family : int64[n_documents], written in place; of documents that are decided already, what they have;
        of all others -1

    Returns
    -------
    None. ``canonical`` is the document's own row if it is kept; ``extends`` -1 if it extends none; ``family`` the row of the first
    document of the family. A tie goes to the document that was decided first.
    """
    decided = np.zeros(len(canonical), np.int64)  # 1 + place in order; base documents come before all others
    for row in range(len(canonical)):
        decided[row] = np.int64(canonical[row] >= 0)
    for place in range(len(order)):
        row = order[place]
        first, last = edges.offsets[row], edges.offsets[row + 1]
        copied, held, met = judge(row, first, last, edges, sizes, canonical, decided, contained, most_own)
        decided[row] = place + 2
        if copied >= 0:
            canonical[row] = edges.other[copied]
            family[row] = family[canonical[row]]
        else:
            canonical[row], family[row] = row, row
            if held >= 0:
                extends[row] = edges.other[held]
            tied = held if held >= 0 else met
            if tied >= 0:
                family[row] = family[edges.other[tied]]
