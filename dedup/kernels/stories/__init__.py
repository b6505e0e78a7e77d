"""Kernels of stories."""
