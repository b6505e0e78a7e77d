"""Splits pages into documents."""
