"""Kernels of ``fingerprints``."""
