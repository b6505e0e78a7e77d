"""Command-line options: one per setting, with the same dotted name, and those that commands share.

Names, types, defaults and help texts of settings come from ``config.settings()``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from ..config import Config, settings

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])

#: Short names of common settings.
ALIASES = {"run.threads": "--threads", "candidates.recall": "--recall", "candidates.at": "--at"}
_METAVARS = {bool: "true|false", int: "N", float: "X", str: "TEXT"}


class SettingOption(click.Option):
    """The option of a setting; ``setting`` is its dotted name."""

    def __init__(self, *args: Any, setting: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.setting = setting


class SectionedCommand(click.Command):
    """A command whose help lists its settings in sections, after the other options."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, then the settings of each section."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx) if isinstance(param, click.Option) else None
            if record is not None:
                heading = _heading(param.setting) if isinstance(param, SettingOption) else "Options"
                groups.setdefault(heading, []).append(record)
        for heading in sorted(groups, key=lambda heading: heading != "Options"):
            with formatter.section(heading):
                formatter.write_dl(groups[heading], col_max=40)


def with_settings(command: AnyFunction) -> AnyFunction:
    """Add the option ``--config`` and one option per setting to a command."""
    for name, kind, default, help_text in reversed(settings()):  # decorators apply from the inside out
        names = [f"--{name}", parameter(name)] + ([ALIASES[name]] if name in ALIASES else [])
        metavar = "NAME" if kind is str and name.startswith("input.") else _METAVARS[kind]
        shown = "" if default is None else f"  [{str(default).lower() if kind is bool else default}]"
        command = click.option(*names, cls=SettingOption, setting=name, type=kind, metavar=metavar, help=help_text + shown)(command)
    help_text = "TOML file with settings, as 'dedup config' prints it; options override it"
    return click.option("--config", "config_file", metavar="FILE", type=click.Path(), help=help_text)(command)


def with_reports(written: str) -> Callable[[AnyFunction], AnyFunction]:
    """Add the options for summary, log and exit code; ``written`` names the output in the help."""
    options = (
        click.option("--strict", is_flag=True, help=f"exit with code 5 if any row or file was rejected (the {written} are still written)"),
        click.option("--json", "as_json", is_flag=True, help="print the summary as one JSON object"),
        click.option("-q", "--quiet", is_flag=True, help="print only errors"),
        click.option("-v", "--verbose", count=True, help="log stages to stderr; -vv adds batches"),
        click.option("--log-json", is_flag=True, help="log stages, warnings and errors to stderr as JSON lines; -vv adds batches"),
    )

    def decorate(command: AnyFunction) -> AnyFunction:
        for option in reversed(options):  # decorators apply from the inside out
            command = option(command)
        return command

    return decorate


def read_config(config_file: str | None, given: Mapping[str, Any]) -> Config:
    """Build the configuration of a command: options override the file, the file the defaults.

    Raises
    ------
    ConfigError
        If the file cannot be read, or a setting is invalid.
    """
    named = {name: given.get(parameter(name)) for name, *_ in settings()}
    changes = {name: value for name, value in named.items() if value is not None}
    return Config.from_toml(config_file, changes) if config_file is not None else Config().replace(changes)


def parameter(setting: str) -> str:
    """Name of the click parameter of a setting."""
    return setting.replace(".", "__")


def _heading(setting: str) -> str:
    section = setting.partition(".")[0]
    lines = (type(getattr(Config(), section)).__doc__ or "").splitlines()
    return f"{section}: {lines[0].partition('.')[0]}" if lines else section


_SIZE = re.compile(r"\s*(\d{1,15}(?:\.\d{1,15})?)\s*([kmgt]?)i?b?\s*", re.IGNORECASE)
#: Megabytes per unit; powers of 1024, as everywhere in dedup.
_UNITS = {"k": 1 / 1024, "": 1, "m": 1, "g": 1024, "t": 1024 * 1024}


def megabytes(text: str) -> int:
    """Parse a size such as ``2GB`` into megabytes, rounded up.

    Raises
    ------
    ValueError
        If it is not a size.
    """
    match = _SIZE.fullmatch(text)
    if match is None or (text.strip()[-1:] in "bB" and not match[2]):
        raise ValueError(f"{text!r} is not a memory size. Examples: 2GB, 1500MB, 1500 (megabytes).")
    return math.ceil(float(match[1]) * _UNITS[match[2].lower()])


def read_size(context: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    """Parse a memory size into megabytes, as a click callback."""
    try:
        return None if value is None else megabytes(value)
    except ValueError as error:
        raise click.BadParameter(str(error), context, parameter) from None
