"""Vectors to stories: documents that report one event and its immediate follow-ups.

Each document is compared with those of the days before it, similarity fading with time (``edges.py``). How alike is
enough depends on the company of a pair (``cuts.py``). Average linkage merges stories until no two are alike enough on
average (``clusterer.py``): a chain of look-alikes does not make a story, since every merge weighs all pairs of documents
of both sides, absent ones as 0. ``evaluate.py`` measures labels against those of readers.
"""

from .clusterer import StoryClusterer, cluster
from .similarity import Edges, neighbours

__all__ = ["Edges", "StoryClusterer", "cluster", "neighbours"]
