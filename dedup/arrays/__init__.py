"""Arrays between stages: rows of values, arrays that spill to disk, threads."""
