"""``python -m dedup`` is the command ``dedup``."""

from .cli import main

if __name__ == "__main__":
    main(prog_name="dedup")
