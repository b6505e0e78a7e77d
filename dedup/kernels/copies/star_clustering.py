"""Star clustering: groups whose members all match their centre, strongest matches first."""

from __future__ import annotations

import numpy as np

from ..jit import jit, leaf
from ..rows import first_at_least


@leaf
def linked(neighbour_offsets, neighbours, a, b):
    """Whether ``b`` is among the neighbours of ``a``, which ascend."""
    end = neighbour_offsets[a + 1]
    place = first_at_least(neighbours, neighbour_offsets[a], end, b)
    return place < end and neighbours[place] == b


@jit
def star_groups(left, right, ranks, neighbour_offsets, neighbours, most_checks):
    """Merge groups along edges if the better centre of the two is linked to every member of both.

    Parameters
    ----------
    left, right : int64[n_edges], strongest first
    ranks : int64[n_nodes], precedence: the centre of a group is its node of lowest rank
    neighbour_offsets : int64[n_nodes + 1], neighbours : int64[2 * n_edges], ascending in each row
    most_checks : merges that check more members than this share a budget of 32 checks per edge

    Returns
    -------
    int64[n_nodes]
        The centre of each node, the node itself if it is one. No node is tied to its centre by a
        chain.
    """
    n_nodes = len(ranks)
    centres = np.arange(n_nodes)
    following = np.full(n_nodes, -1, np.int64)  # linked lists of members, each beginning at a centre
    last = np.arange(n_nodes)
    sizes = np.ones(n_nodes, np.int64)
    budget = np.int64(32 * len(left))
    for edge in range(len(left)):
        a, b = centres[left[edge]], centres[right[edge]]
        if a == b:
            continue
        if ranks[b] < ranks[a]:
            a, b = b, a
        # Too few links, or the budget of checks is used up.
        if sizes[b] > neighbour_offsets[a + 1] - neighbour_offsets[a] or (sizes[b] > most_checks and sizes[b] > budget):
            continue
        budget -= sizes[b] if sizes[b] > most_checks else 0
        member = b
        while member >= 0 and linked(neighbour_offsets, neighbours, a, member):
            member = following[member]
        if member >= 0:
            continue
        member = b
        while member >= 0:
            centres[member] = a
            member = following[member]
        following[last[a]] = b
        last[a] = last[b]
        sizes[a] += sizes[b]
    return centres
