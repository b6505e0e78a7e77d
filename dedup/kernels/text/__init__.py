"""Kernels of text."""
