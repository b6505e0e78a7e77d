"""Reads HTML pages: text and metadata."""
