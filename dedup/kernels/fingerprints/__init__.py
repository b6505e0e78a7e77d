"""Kernels of fingerprints."""
