"""Connected components by union-find on integer arrays."""

from __future__ import annotations

import numpy as np

from .jit import jit, leaf


@leaf
def find(parents, node):
    """The root of a node; the path to it is halved on the way."""
    while parents[node] != node:
        parents[node] = parents[parents[node]]
        node = parents[node]
    return node


@jit
def components(n_nodes, left, right):
    """int64[n_nodes]: the smallest node of each node's component, for edges ``left[i] - right[i]``.

    Notes
    -----
    Tarjan 1975, union-find; the smaller root wins, so that labels do not depend on the order of edges.
    """
    parents = np.arange(n_nodes)
    for i in range(len(left)):
        a, b = find(parents, left[i]), find(parents, right[i])
        if a < b:
            parents[b] = a
        elif b < a:
            parents[a] = b
    for node in range(n_nodes):
        parents[node] = find(parents, node)
    return parents
