"""Rows of values, on disk where they are many, worked on by threads."""
