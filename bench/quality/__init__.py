"""Quality on data whose answer is known; ``python -m bench.quality --help``."""
