"""Reads crawl files: WARC and WET."""
