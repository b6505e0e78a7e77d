"""``dedup config``: print the configuration as a TOML file for ``--config``."""

from __future__ import annotations

import json
from typing import Any

import click

from ..config import Config, settings
from .exit_codes import EXIT_CODES
from .options import SectionedCommand, read_config, with_settings
from .terminal import say


@click.command("config", cls=SectionedCommand, epilog=EXIT_CODES, short_help="Print all settings as a TOML file.")
@with_settings
def config_command(config_file: str | None, **given: Any) -> None:
    """Print every setting with its value and its meaning, as a TOML file.

    Save the output with 'dedup config > news.toml', edit it, and pass it on with 'dedup run ...
    --config news.toml'.
    """
    say(to_toml(read_config(config_file, given)))


def to_toml(config: Config) -> str:
    """Write a configuration as TOML with a comment per setting; unset ones are commented out."""
    lines: list[str] = []
    section = ""
    for name, _, value, help_text in settings(config):
        head, _, setting = name.partition(".")
        if head != section:
            section = head
            lines += ["", f"[{section}]"] if lines else [f"[{section}]"]
        lines.append(f"# {help_text}")
        lines.append(f'# {setting} = ""' if value is None else f"{setting} = {_toml_value(value)}")
    return "\n".join(lines) + "\n"


def _toml_value(value: Any) -> str:
    """Numbers, booleans and strings look the same in TOML and JSON, except for U+007F."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
