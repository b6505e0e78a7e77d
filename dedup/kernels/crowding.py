"""How crowded the neighbourhood of a node is."""

from __future__ import annotations

import numpy as np

from .jit import jit


@jit
def crowding(n_nodes, left, right, similarity, most):
    """float64[n_nodes]: sum of the ``most`` largest similarities of each node's edges, divided by ``most``.

    Parameters
    ----------
    left, right : int64[n_edges], each pair once; similarity : float32[n_edges]
    """
    starts = np.zeros(n_nodes + 1, np.int64)
    for edge in range(len(left)):
        starts[left[edge] + 1] += 1
        starts[right[edge] + 1] += 1
    starts = np.cumsum(starts)
    values = np.empty(starts[n_nodes], np.float32)
    ends = starts[:-1].copy()
    for edge in range(len(left)):
        for node in (left[edge], right[edge]):
            values[ends[node]] = similarity[edge]
            ends[node] += 1
    answer = np.zeros(n_nodes, np.float64)
    for node in range(n_nodes):
        # Sorted, so that the sum does not depend on the order of edges.
        best = np.sort(values[starts[node] : starts[node + 1]])[::-1][:most]
        for value in best:
            answer[node] += value
        answer[node] /= most
    return answer
