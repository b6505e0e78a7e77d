"""Files, locks, object stores and kept texts."""
