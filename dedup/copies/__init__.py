"""Fingerprints to copy groups: candidates, verification, survivors, what is covered, measured recall."""
