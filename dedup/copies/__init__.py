"""Fingerprints to copy groups: candidates, verification, grouping, measured recall."""
