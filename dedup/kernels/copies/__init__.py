"""Kernels of ``copies``."""
