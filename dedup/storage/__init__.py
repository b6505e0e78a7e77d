"""Local files and locks, remote files, and the texts of a run."""
