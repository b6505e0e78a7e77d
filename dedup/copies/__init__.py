"""Fingerprints to copy groups."""
