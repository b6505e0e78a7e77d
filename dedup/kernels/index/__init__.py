"""Kernels of the online index."""
