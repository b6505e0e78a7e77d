"""Clusters canonical documents into stories: documents that report one event and its immediate follow-ups.

``similarity.py`` compares each document with those of the days before it, ``thresholds.py`` decides how similar is
similar enough, ``clustering.py`` merges by average linkage. A chain of similar documents is no story: each merge
weighs all pairs of documents of both sides, absent ones as 0.
"""

from .clustering import StoryClusterer, cluster
from .similarity import Edges, neighbours

__all__ = ["Edges", "StoryClusterer", "cluster", "neighbours"]
