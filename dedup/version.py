"""The version of this package, as it stands in manifests."""

__version__ = "0.1.0"
