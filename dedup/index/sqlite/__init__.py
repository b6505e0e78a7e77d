"""The embedded store: SQLite and posting files."""
