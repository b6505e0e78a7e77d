"""Kernels of ``text``."""
