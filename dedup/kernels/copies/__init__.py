"""Kernels of copies."""
