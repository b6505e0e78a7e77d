"""Sphinx extension: writes the reference from the code to ``_generated``, as Markdown that pages include.

Whatever needs an extra that is not installed becomes a note on its page.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import click
from sphinx.application import Sphinx

import dedup
from dedup import config, kernels, schema
from dedup.cli import main
from dedup.cli.exit_codes import EXIT_CODES
from dedup.cli.logs import ALWAYS, EVENTS
from dedup.cli.options import SettingOption
from dedup.config.bands import band_recall
from dedup.readers.reasons import REJECT_REASONS

_SPECIAL = re.compile(r"([\\`*_|<>\[\]#$~])")
_NO_EXTRA = "This part needs the extra `serve`; this manual was built without it.\n"


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension: pages are generated before Sphinx reads any."""
    app.connect("builder-inited", lambda app: generate(Path(app.srcdir) / "_generated"))
    app.connect("autodoc-process-docstring", describe_parameters, priority=400)  # before napoleon
    return {"version": dedup.__version__, "parallel_read_safe": True, "parallel_write_safe": True}


def describe_parameters(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Move what follows ``name :`` from the place of a type into the description: it is prose here."""
    inside, moved = False, []
    for at, line in enumerate(lines):
        following = lines[at + 1] if at + 1 < len(lines) else ""
        if following and not following.strip("-"):
            inside = line in ("Parameters", "Attributes")
        found = re.fullmatch(r"(\*{0,2}\w+(?:, \w+)*) : (.+)", line) if inside else None
        if found is None:
            moved.append(line)
            continue
        ends = following.lstrip()[:1].isupper() or found[2].endswith("}")
        closes = following.startswith("    ") and ends and found[2][-1] not in ".;:,"
        moved += [found[1], f"    {found[2]}{'.' if closes else ''}"]
    lines[:] = moved


def generate(folder: Path) -> None:
    """Write all generated pages; a file whose content is the same is left alone."""
    folder.mkdir(exist_ok=True)
    for name, make in PAGES.items():
        _write(folder / name, make())
    for name in schema.TABLES:
        _write(folder / f"table-{name}.md", columns(name))


def _write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Rows of Markdown as a Markdown table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(_in_cell(cell) for cell in line) + " |" for line in lines) + "\n"


def _in_cell(text: str) -> str:
    return re.sub(r"(?<!\\)\|", r"\\|", " ".join(text.split()))


def plain(text: str) -> str:
    """Plain text as Markdown that shows it as it is; RST literals become code."""
    pieces = re.split(r"``(.+?)``", text)
    return "".join(_SPECIAL.sub(r"\\\1", piece) if at % 2 == 0 else f"`{piece}`" for at, piece in enumerate(pieces))


def meanings(heading: str, words: dict[str, str]) -> str:
    """A table of words and their meanings."""
    return table([heading, "meaning"], [(f"`{word}`", meaning) for word, meaning in words.items()])


# Command line


def commands() -> str:
    """Every command with its options; settings are named by group, their page lists them."""
    return "\n".join(_command(["dedup"], main))


def _command(path: list[str], command: click.Command) -> Iterable[str]:
    context = click.Context(command, info_name=" ".join(path))
    options = [param for param in command.get_params(context) if isinstance(param, click.Option) and not isinstance(param, SettingOption)]
    yield f"({'-'.join(path)})="
    yield f"## {' '.join(path)}\n"
    yield plain(inspect.cleandoc(command.help or "")) + "\n"
    yield f"```text\n{' '.join([*path, *command.collect_usage_pieces(context)])}\n```\n"
    records = [record for option in options if (record := option.get_help_record(context)) is not None]
    yield table(["option", "meaning"], [(f"`{names}`", plain(text)) for names, text in records])
    if taken := [param.setting for param in command.params if isinstance(param, SettingOption)]:
        yield f"Settings: {', '.join(_grouped(taken))}. [Settings](settings.md) lists them.\n"
    if isinstance(command, click.Group):
        for name, part in command.commands.items():
            yield from _command([*path, name], part)


def _grouped(names: list[str]) -> Iterable[str]:
    every = [name for name, *_ in config.settings()]
    for section in dict.fromkeys(name.partition(".")[0] for name in names):
        of_section = [name for name in names if name.startswith(f"{section}.")]
        whole = of_section == [name for name in every if name.startswith(f"{section}.")]
        yield from [f"`{section}.*`"] if whole else [f"`{name}`" for name in of_section]


def exit_codes() -> str:
    """The exit codes, from the end of ``dedup --help``."""
    found = re.findall(r"^\s+(\d+)\s+(\S.*)$", EXIT_CODES, re.MULTILINE)
    if not found:
        raise ValueError("the text of the exit codes has no line '  0  meaning'")
    return table(["exit code", "meaning"], [(f"`{code}`", plain(meaning)) for code, meaning in found])


def log_events() -> str:
    """The keys of log lines."""
    return (
        table(["key of every line", "value"], [(f"`{key}`", value) for key, value in ALWAYS.items()])
        + "\n"
        + table(["`event`", "further keys"], [(f"`{event}`", keys) for event, keys in EVENTS.items()])
    )


# Settings and tables


def settings() -> str:
    """Every setting with type, default and meaning, by section."""
    lines, defaults = [], config.Config()
    for section in defaults.to_dict():
        heading = (type(getattr(defaults, section)).__doc__ or "").partition("\n")[0]
        rows = [
            (f"`{name}`", kind.__name__, "" if default is None else f"`{_toml(default)}`", plain(text))
            for name, kind, default, text in config.settings()
            if name.startswith(f"{section}.")
        ]
        lines.append(f"## {section}\n\n{plain(heading)}\n\n{table(['setting', 'type', 'default', 'meaning'], rows)}")
    return "\n".join(lines)


def _toml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)


def columns(name: str) -> str:
    """The columns of a public table."""
    meanings = schema.COLUMN_MEANINGS[name]
    rows = [(f"`{field.name}`", f"`{field.type}`", "yes" if field.nullable else "", meanings[field.name]) for field in schema.TABLES[name]]
    return table(["column", "type", "may be null", "meaning"], rows)


# Python


def python() -> str:
    """Directives of autodoc for every public name."""
    groups: dict[str, list[str]] = {"Functions": [], "Classes": [], "Settings": [], "Errors": []}
    for name in dedup.__all__:
        value = getattr(dedup, name)
        if name.startswith("__"):
            continue
        if inspect.isclass(value) and issubclass(value, Exception):
            groups["Errors"].append(f".. autoexception:: dedup.{name}\n")
        elif name.endswith("Config"):
            members = "\n   :members:" if name == "Config" else ""
            groups["Settings"].append(f".. autoclass:: dedup.{name}{members}\n")
        elif inspect.isclass(value):
            groups["Classes"].append(f".. autoclass:: dedup.{name}\n   :members:\n")
        else:
            groups["Functions"].append(f".. autofunction:: dedup.{name}\n")
    return "\n".join(f"## {heading}\n\n```{{eval-rst}}\n{chr(10).join(parts)}```\n" for heading, parts in groups.items())


def modules() -> str:
    """Every package and module with the first paragraph of its docstring."""
    root = Path(dedup.__file__).parent
    lines = []
    packages = [path.parent for path in root.rglob("__init__.py")]
    for package in sorted(packages, key=lambda path: (len(path.relative_to(root).parts) > 0, path.as_posix())):
        files = sorted(path for path in package.glob("*.py") if path.name != "__init__.py")
        about = ast.get_docstring(ast.parse((package / "__init__.py").read_text(encoding="utf-8"))) or ""
        shown = "dedup/" + package.relative_to(root).as_posix().replace(".", "")
        lines.append(f"### {shown.rstrip('/')}\n\n{_first_sentence(about)}\n")
        rows = [(f"`{path.name}`", _first_sentence(ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "")) for path in files]
        if rows:
            lines.append(table(["module", "what it does"], rows))
    return "\n".join(lines)


def kernel_rules() -> str:
    """The numbered rules of the docstring of ``dedup.kernels``."""
    about = inspect.cleandoc(kernels.__doc__ or "")
    rules = about[about.index("\n1. ") + 1 :]
    return rules.replace("``", "`") + "\n"


def _first_sentence(docstring: str) -> str:
    paragraph = " ".join(docstring.partition("\n\n")[0].split())
    return plain(re.split(r"(?<=[a-z)`])\. ", paragraph)[0].rstrip(".:"))


# Service


def http_api() -> str:
    """Every operation and schema of the service, from its OpenAPI document."""
    try:
        openapi = importlib.import_module("dedup.serve.openapi").openapi
        document = openapi(importlib.import_module("dedup.serve.settings").ServeSettings())
    except ImportError:
        return _NO_EXTRA
    lines, operations = [plain(document["info"]["description"]) + "\n\n## Operations\n"], []
    for path, item in document["paths"].items():
        for method in ("get", "post", "delete"):
            if method in item:
                lines.append(_operation(f"{method.upper()} {path}", item[method], item.get("parameters", [])))
                operations.append(item[method])
    lines.append(f"## Errors\n\n{_errors(operations)}\n## Schemas\n")
    for name, about in document["components"]["schemas"].items():
        lines.append(f"### {name}\n\n{plain(about.get('description', ''))}\n")
        required = about.get("required", [])
        rows = [
            (f"`{key}`", plain(_type(value)), "yes" if key in required else "", plain(value.get("description", "")))
            for key, value in about.get("properties", {}).items()
        ]
        if rows:
            lines.append(table(["key", "type", "required", "meaning"], rows))
    return "\n".join(lines)


def _operation(heading: str, operation: dict[str, Any], of_path: list[dict[str, Any]]) -> str:
    lines = [f"### {heading}\n\n{plain(operation['summary'])}.\n"]
    parameters = [*of_path, *operation.get("parameters", [])]
    if parameters:
        rows = [(f"`{each['name']}`", plain(_type(each["schema"])), plain(each.get("description", ""))) for each in parameters]
        lines.append(table(["parameter", "type", "meaning"], rows))
    if body := operation.get("requestBody"):
        kinds = ", ".join(f"`{kind}`" for kind in body["content"])
        lines.append(f"Body: {kinds}. {plain(body.get('description', ''))}\n")
    done, failed = [], []
    for status, answer in operation["responses"].items():
        (failed if status >= "400" else done).append(f"`{status}`: {plain(answer['description'])}")
    lines.append(" ".join(done) + (f" Errors: {', '.join(each[:5] for each in failed)}." if failed else "") + "\n")
    return "\n".join(lines)


def _errors(operations: Iterable[dict[str, Any]]) -> str:
    """The statuses of all errors, once for all operations."""
    found = {status: answer["description"] for each in operations for status, answer in each["responses"].items() if status >= "400"}
    return table(["status", "meaning"], [(f"`{status}`", plain(found[status])) for status in sorted(found)])


def _type(about: dict[str, Any]) -> str:
    """The type of a JSON schema in a few words."""
    if "$ref" in about:
        return str(about["$ref"]).rpartition("/")[2]
    for choice in ("anyOf", "oneOf"):
        if choice in about:
            return " or ".join(_type(part) for part in about[choice])
    if "enum" in about:
        return " or ".join(repr(value) for value in about["enum"])
    if "const" in about:
        return repr(about["const"])
    kind = about.get("type", "any")
    name = " or ".join(kind) if isinstance(kind, list) else str(kind)
    return f"array of {_type(about['items'])}" if name == "array" and "items" in about else name


def metrics() -> str:
    """Every metric of the service."""
    try:
        made = importlib.import_module("dedup.serve.metrics").Metrics()
    except ImportError:
        return _NO_EXTRA
    rows = []
    for collector in made.registry._collector_to_names:
        for family in collector.describe() if hasattr(collector, "describe") else []:
            labels = ", ".join(f"`{label}`" for label in getattr(collector, "_labelnames", ()))
            suffix = "_total" if family.type == "counter" else ""
            rows.append((f"`{family.name}{suffix}`", family.type, labels, plain(family.documentation)))
    return table(["metric", "type", "labels", "meaning"], rows)


# Picture


def bands() -> str:
    """The S-curve of the default bands: the probability that LSH proposes a pair, by its Jaccard similarity."""
    count, rows = config.Config().banding()
    left, top, width, height = 60, 20, 480, 260

    def point(jaccard: float, share: float) -> tuple[float, float]:
        return round(left + width * jaccard, 1), round(top + height * (1 - share), 1)

    curve = " ".join("{},{}".format(*point(at / 100, band_recall(count, rows, at / 100))) for at in range(101))
    lines = []
    for at in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        (x, y), (_, bottom), (right, _) = point(at, at), point(0, 0), point(1, 0)
        lines.append(f'<path d="M{x} {top}V{bottom}M{left} {y}H{right}" stroke="#ddd"/>')
        lines.append(f'<text x="{x}" y="{bottom + 18}" text-anchor="middle">{at:g}</text>')
        lines.append(f'<text x="{left - 8}" y="{y + 4}" text-anchor="end">{at:g}</text>')
    for at in (0.3, 0.5, 0.7):
        share = band_recall(count, rows, at)
        x, y = point(at, share)
        lines.append(f'<circle cx="{x}" cy="{y}" r="4" fill="#1f6feb"/><text x="{x + 9}" y="{y + 15}">{share:.3f} at {at:g}</text>')
    bottom = top + height
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 560 330" font-family="sans-serif" font-size="12" fill="#333">
<title>{count} bands of {rows} rows: probability that a pair becomes a candidate</title>
<rect width="560" height="330" fill="#fff"/>
{chr(10).join(lines)}
<polyline points="{curve}" fill="none" stroke="#1f6feb" stroke-width="2.5"/>
<text x="{left + width / 2}" y="{bottom + 40}" text-anchor="middle">Jaccard similarity of the pair</text>
<text transform="translate(16 {top + height / 2}) rotate(-90)" text-anchor="middle">probability of becoming a candidate</text>
</svg>
"""


PAGES: dict[str, Callable[[], str]] = {
    "commands.md": commands,
    "exit-codes.md": exit_codes,
    "log-events.md": log_events,
    "settings.md": settings,
    "statuses.md": lambda: meanings("`status`", schema.STATUS_MEANINGS),
    "kinds.md": lambda: meanings("`kind`", schema.KIND_MEANINGS),
    "events.md": lambda: meanings("`event`", schema.EVENT_MEANINGS),
    "reasons.md": lambda: meanings("`reason`", {reason: plain(meaning) for reason, meaning in REJECT_REASONS.items()}),
    "python.md": python,
    "modules.md": modules,
    "kernel-rules.md": kernel_rules,
    "http-api.md": http_api,
    "metrics.md": metrics,
    "bands.svg": bands,
}
