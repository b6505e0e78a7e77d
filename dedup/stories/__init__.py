"""Clusters canonical documents into stories: reports of one event and its immediate follow-ups.

``similarity.py`` finds neighbours in time, ``thresholds.py`` says how similar is enough, and
``clustering.py`` merges by average linkage over all pairs, so a mere chain is no story.
"""

from .clustering import StoryClusterer, cluster
from .similarity import Edges, neighbours

__all__ = ["Edges", "StoryClusterer", "cluster", "neighbours"]
