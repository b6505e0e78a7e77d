"""Every setting of the configuration as an option with the same dotted name, help in sections, and options that commands share.

Of settings nothing is repeated here: names, types, defaults and help come from ``config.settings()``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from ..config import Config, settings

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])

#: Second, short names of settings that are given often.
ALIASES = {"run.threads": "--threads", "candidates.recall": "--recall", "candidates.at": "--at"}
_METAVARS = {bool: "true|false", int: "N", float: "X", str: "TEXT"}


class SettingOption(click.Option):
    """The option of one setting; ``setting`` is its dotted name."""

    def __init__(self, *args: Any, setting: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.setting = setting


class SectionedCommand(click.Command):
    """A command whose help lists the settings section by section, after the other options."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, then one list of settings for each section."""
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
    """Give a command the option ``--config`` and one option for each setting."""
    for name, kind, default, help_text in reversed(settings()):  # decorators work from the inside out
        names = [f"--{name}", parameter(name)] + ([ALIASES[name]] if name in ALIASES else [])
        metavar = "NAME" if name.startswith("input.") else _METAVARS[kind]
        shown = "" if default is None else f"  [{str(default).lower() if kind is bool else default}]"
        command = click.option(*names, cls=SettingOption, setting=name, type=kind, metavar=metavar, help=help_text + shown)(command)
    help_text = "TOML file with settings, as 'dedup config' prints them; options win over it"
    return click.option("--config", "config_file", metavar="FILE", type=click.Path(), help=help_text)(command)


def with_reports(written: str) -> Callable[[AnyFunction], AnyFunction]:
    """Give a command that reads a crawl the options of what it tells; ``written``: what it writes, in its help."""
    options = (
        click.option(
            "--strict", is_flag=True, help=f"exit with 5 if any row or file was rejected (the {written} are written all the same)"
        ),
        click.option("--json", "as_json", is_flag=True, help="print the summary as one JSON object"),
        click.option("-q", "--quiet", is_flag=True, help="print nothing but errors"),
        click.option("-v", "--verbose", count=True, help="log the stages to stderr; -vv logs each batch"),
        click.option("--log-json", is_flag=True, help="log stages, warnings and errors to stderr as JSON lines; with -vv batches too"),
    )

    def give(command: AnyFunction) -> AnyFunction:
        for option in reversed(options):  # decorators work from the inside out
            command = option(command)
        return command

    return give


def read_config(config_file: str | None, given: Mapping[str, Any]) -> Config:
    """The configuration that a command was given: defaults, then the file, then the options.

    Raises
    ------
    ConfigError
        If the file cannot be read, or a setting of either does not fit.
    """
    named = {name: given.get(parameter(name)) for name, *_ in settings()}
    changes = {name: value for name, value in named.items() if value is not None}
    return Config.from_toml(config_file, changes) if config_file is not None else Config().replace(changes)


def parameter(setting: str) -> str:
    """The name under which click hands over the option of a setting."""
    return setting.replace(".", "__")


def _heading(setting: str) -> str:
    section = setting.partition(".")[0]
    lines = (type(getattr(Config(), section)).__doc__ or "").splitlines()
    return f"{section}: {lines[0].partition('.')[0]}" if lines else section


_SIZE = re.compile(r"\s*(\d{1,15}(?:\.\d{1,15})?)\s*([kmgt]?)i?b?\s*", re.IGNORECASE)
#: Megabytes in one of a unit, powers of 1024 as everywhere in this program.
_UNITS = {"k": 1 / 1024, "": 1, "m": 1, "g": 1024, "t": 1024 * 1024}


def megabytes(text: str) -> int:
    """Megabytes in a size; what is more than nothing is at least one.

    Raises
    ------
    ValueError
        If it is not a size.
    """
    match = _SIZE.fullmatch(text)
    if match is None or (text.strip()[-1:] in "bB" and not match[2]):
        raise ValueError(f"{text!r} is not a size of memory. Write for example 2GB, 1500MB or 1500 (megabytes).")
    return math.ceil(float(match[1]) * _UNITS[match[2].lower()])


def read_size(context: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    """The megabytes that an option means, for click."""
    try:
        return None if value is None else megabytes(value)
    except ValueError as error:
        raise click.BadParameter(str(error), context, parameter) from None
