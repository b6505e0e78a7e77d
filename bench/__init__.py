"""Measurements: speed against peers, quality against truth; and the scripts that made the shipped data files."""
