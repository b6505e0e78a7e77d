"""The version of this package, as manifests record it."""

__version__ = "0.1.0"
