"""Measures the online index on a crawl of a million articles whose words and shingles are as common as real ones.

``passages.py`` makes texts, ``crawl.py`` a crawl with known copies, ``statistics.py`` compares it with the real corpus,
``measure.py`` measures the index in separate processes, ``peers.py`` measures datasketch; ``python -m bench.online`` runs all.
"""
