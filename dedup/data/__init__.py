"""Data files: the fold table, word lists, cue phrases, agencies and background document frequencies."""
