"""Exact average linkage of a sparse graph in time: absent edges count 0, pairs too far apart in time do not count."""

from __future__ import annotations

import numpy as np

from ..jit import jit, leaf
from ..rows import first_at_least


@leaf
def before(score, one, other, score2, one2, other2):
    """Whether a merge comes before another: the more similar one, then that of earlier clusters."""
    if score != score2:
        return score > score2
    if one != one2:
        return one < one2
    return other < other2


@leaf
def push(scores, ones, others, size, score, one, other):
    """Put a merge into a heap of ``size``."""
    at = size
    while at > 0:
        above = (at - 1) >> 1
        if not before(score, one, other, scores[above], ones[above], others[above]):
            break
        scores[at], ones[at], others[at] = scores[above], ones[above], others[above]
        at = above
    scores[at], ones[at], others[at] = score, one, other


@leaf
def drop_first(scores, ones, others, size):
    """Remove the first merge from a heap of ``size``."""
    last = size - 1
    score, one, other = scores[last], ones[last], others[last]
    at = 0
    while 2 * at + 1 < last:
        below = 2 * at + 1
        if below + 1 < last and before(scores[below + 1], ones[below + 1], others[below + 1], scores[below], ones[below], others[below]):
            below += 1
        if not before(scores[below], ones[below], others[below], score, one, other):
            break
        scores[at], ones[at], others[at] = scores[below], ones[below], others[below]
        at = below
    scores[at], ones[at], others[at] = score, one, other


@leaf
def root(parents, node):
    """The current cluster of a node or of an earlier cluster."""
    while parents[node] != node:
        parents[node] = parents[parents[node]]
        node = parents[node]
    return node


@leaf
def pairs_within(times, one, one_stop, other, other_stop, window):
    """Count pairs of two ascending runs of ``times`` that are at most ``window`` apart."""
    if one_stop - one > other_stop - other:
        one, one_stop, other, other_stop = other, other_stop, one, one_stop
    pairs = 0
    for place in range(one, one_stop):
        low = first_at_least(times, other, other_stop, times[place] - window)
        pairs += first_at_least(times, low, other_stop, np.nextafter(times[place] + window, np.inf)) - low
    return pairs


@leaf
def merge_runs(times, one, one_stop, other, other_stop, to):
    """Merge two ascending runs of ``times`` into one that begins at ``to``; returns its end."""
    while one < one_stop or other < other_stop:
        if other == other_stop or (one < one_stop and times[one] <= times[other]):
            times[to] = times[one]
            one += 1
        else:
            times[to] = times[other]
            other += 1
        to += 1
    return to


@jit
def average_linkage(n_nodes, left, right, similarity, times, window, least, threshold):
    """int64[n_nodes]: the cluster of each node, named by its smallest node.

    Merges the two clusters with the highest average similarity over all pairs of nodes until none
    reaches ``threshold``. Pairs more than ``window`` apart have no edge and do not count in the
    average, so a story that outlasts the window stays one cluster; but at least the share ``least``
    of all pairs counts, so a few pairs cannot join two long stories.

    Parameters
    ----------
    left, right : int64[n_edges], each pair once, left != right
    similarity : float64[n_edges], above 0
    times : float64[n_nodes]; NaN where unknown: near to all
    window : in the unit of the times
    least : 0 < least <= 1

    Notes
    -----
    Sokal and Michener 1958, on sums of edges instead of a matrix: a merge reads the edges of its
    two clusters, and the heap ignores merges of clusters that no longer exist. Equal merges are in
    the order of their clusters; a merged cluster comes after all before it.
    """
    n_edges = len(left)
    starts = np.zeros(2 * n_nodes + 1, np.int64)
    for edge in range(n_edges):
        starts[left[edge] + 1] += 1
        starts[right[edge] + 1] += 1
    starts = np.cumsum(starts)
    stops = starts[:-1].copy()
    nodes, sums = np.empty(2 * n_edges + 1024, np.int64), np.empty(2 * n_edges + 1024, np.float64)
    for edge in range(n_edges):
        for one, other in ((left[edge], right[edge]), (right[edge], left[edge])):
            nodes[stops[one]], sums[stops[one]] = other, similarity[edge]
            stops[one] += 1
    used = 2 * n_edges
    parents = np.arange(2 * n_nodes)
    sizes = np.ones(2 * n_nodes, np.float64)
    joined = np.zeros(2 * n_nodes, np.float64)
    scores, ones, others = np.empty(n_edges + 1024, np.float64), np.empty(n_edges + 1024, np.int64), np.empty(n_edges + 1024, np.int64)
    waiting = 0
    for edge in range(n_edges):
        if similarity[edge] >= threshold:
            push(scores, ones, others, waiting, similarity[edge], min(left[edge], right[edge]), max(left[edge], right[edge]))
            waiting += 1
    # The known times of each cluster, one ascending run after the other.
    runs = np.empty(n_nodes + 1024, np.float64)
    begins, ends = np.zeros(2 * n_nodes, np.int64), np.zeros(2 * n_nodes, np.int64)
    written = 0
    for node in range(n_nodes):
        begins[node] = written
        if not np.isnan(times[node]):
            runs[written] = times[node]
            written += 1
        ends[node] = written
    cluster = n_nodes
    while waiting > 0:
        one, other = ones[0], others[0]
        drop_first(scores, ones, others, waiting)
        waiting -= 1
        if parents[one] != one or parents[other] != other:
            continue
        parents[one] = parents[other] = cluster
        sizes[cluster] = sizes[one] + sizes[other]
        dated = ends[one] - begins[one] + ends[other] - begins[other]
        if written + dated > len(runs):
            runs = np.concatenate((runs, np.empty(max(dated, written), np.float64)))
        begins[cluster] = written
        written = ends[cluster] = merge_runs(runs, begins[one], ends[one], begins[other], ends[other], written)
        need = stops[one] - starts[one] + stops[other] - starts[other]
        if used + need > len(nodes):
            nodes = np.concatenate((nodes, np.empty(max(need, used), np.int64)))
            sums = np.concatenate((sums, np.empty(max(need, used), np.float64)))
        if waiting + need > len(scores):
            more = max(need, waiting)
            scores = np.concatenate((scores, np.empty(more, np.float64)))
            ones, others = np.concatenate((ones, np.empty(more, np.int64))), np.concatenate((others, np.empty(more, np.int64)))
        starts[cluster] = used
        for part in (one, other):
            for place in range(starts[part], stops[part]):
                near = root(parents, nodes[place])
                if near == cluster:
                    continue
                if joined[near] == 0:
                    nodes[used] = near
                    used += 1
                joined[near] += sums[place]
        stops[cluster] = used
        for place in range(starts[cluster], used):
            near = nodes[place]
            sums[place] = joined[near]
            pairs = sizes[cluster] * sizes[near]
            if ends[cluster] > begins[cluster] and ends[near] > begins[near]:
                last = max(runs[ends[cluster] - 1], runs[ends[near] - 1])
                if last - min(runs[begins[cluster]], runs[begins[near]]) > window:
                    close = pairs_within(runs, begins[cluster], ends[cluster], begins[near], ends[near], window)
                    apart = (ends[cluster] - begins[cluster]) * (ends[near] - begins[near]) - close
                    pairs = max(pairs - apart, least * pairs)
            score = joined[near] / pairs
            joined[near] = 0
            if score >= threshold:
                push(scores, ones, others, waiting, score, near, cluster)
                waiting += 1
        cluster += 1
    first = np.full(2 * n_nodes, n_nodes, np.int64)
    labels = np.empty(n_nodes, np.int64)
    for node in range(n_nodes):
        top = root(parents, node)
        first[top] = min(first[top], node)
        labels[node] = first[top]
    return labels
