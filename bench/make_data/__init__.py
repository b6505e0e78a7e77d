"""Scripts that make the word lists in ``dedup/data``."""
