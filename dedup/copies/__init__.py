"""Fingerprints to copy groups: candidates, verified matches, groups around a canonical, measured recall."""
