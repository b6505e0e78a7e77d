"""One batch run: its corpus, checkpoints, base and tables."""
