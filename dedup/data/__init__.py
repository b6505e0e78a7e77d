"""Data files: the fold table, lists of words and cue phrases, agencies, background counts."""
