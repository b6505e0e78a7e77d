"""WARC files to pages."""
