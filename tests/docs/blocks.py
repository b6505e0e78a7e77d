"""Fenced blocks of README and the manual, and a small shell that runs them in a folder.

A block is marked by a comment right before its fence:

``<!-- needs: X -->``   it is not run, because a test has no X (the list is ``NOT_HERE``)
``<!-- uses: X -->``    it is run if this package is installed
``<!-- file: NAME -->`` its text is written to this file, for the blocks that follow
``<!-- exit: N -->``    its last command ends with this exit code

Lines of a ``console`` block that begin with ``$`` are commands; the others must be in their output, digits and widths aside.
In a ``python`` block ``EXPRESSION  # => VALUE`` is compared.
"""

from __future__ import annotations

import ast
import contextlib
import glob
import importlib.util
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from dedup.cli import main
from tests.paths import ROOT

PAGES = sorted(path for path in (ROOT / "docs").rglob("*.md") if "_generated" not in path.parts)
#: What a test does not have, and who runs such blocks.
NOT_HERE = {
    "this test suite": "pytest would start itself",
    "a build": "run by tests/docs/test_build.py",
}
_FENCE = re.compile(r"^(\s*)```(\w*)\s*$")
_MARK = re.compile(r"^\s*<!-- (needs|uses|file|exit): (.+?) -->\s*$")
_CHECKED = re.compile(r"^(\S.*?)\s+# => (.+)$")


@dataclass
class Block:
    """A fenced block; ``line`` is that of its fence."""

    page: Path
    line: int
    language: str
    text: str
    marks: dict[str, str] = field(default_factory=dict)

    @property
    def is_run(self) -> bool:
        return self.language in ("console", "sh", "python") and "needs" not in self.marks

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks_of(page: Path) -> list[Block]:
    """All fenced blocks of a page, but for MyST directives."""
    found: list[Block] = []
    marks: dict[str, str] = {}
    lines = iter(enumerate(page.read_text(encoding="utf-8").splitlines(), 1))
    for number, line in lines:
        if mark := _MARK.match(line):
            marks[mark[1]] = mark[2]
        elif fence := _FENCE.match(line):
            text = []
            for _, inside in lines:
                if inside.strip() == "```":
                    break
                text.append(inside.removeprefix(fence[1]))
            found.append(Block(page, number, fence[2], "\n".join(text) + "\n", marks))
            marks = {}
        elif line.startswith("```{"):
            while next(lines)[1].strip() != "```":
                pass
        elif line.strip():
            marks = {}
    return found


def commands_of(block: Block) -> list[tuple[str, list[str]]]:
    """The commands of a console block with the lines of output shown for each; ``sh`` has no prompts and no output."""
    text = re.sub(r"\\\n\s*", "", block.text)
    if block.language == "sh":
        return [(line, []) for line in text.splitlines() if line.strip() and not line.startswith("#")]
    commands: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            commands.append((line[2:], []))
        else:
            assert commands, f"{block}: output before the first command"
            commands[-1][1].append(line)
    return commands


def skeleton(line: str) -> str:
    """A line of output without what differs from run to run: digits, widths, rules of tables."""
    line = re.sub(r"[0-9a-f]{16,}", "#", line)
    line = re.sub(r"\d[\d.,:T+-]*(e-\d+)?", "#", line)
    line = re.sub(r"\b(B|kB|MB|MiB|GB|ms)\b", "", line)
    return " ".join(re.sub(r"─+|[\u2068\u2069]", " ", line).split())


class World:
    """A folder in which the blocks of a page run one after the other, and the services that they talk to."""

    def __init__(self, folder: Path, replaced: dict[str, str] | None = None) -> None:
        self.folder, self.replaced = folder, dict(replaced or {})
        self.names: dict[str, Any] = {"__name__": "page"}
        self.processes: list[subprocess.Popen[str]] = []
        (folder / "examples").symlink_to(ROOT / "examples")

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.communicate()

    def run(self, block: Block) -> None:
        """Run a block, or write it to a file."""
        text = self._here(block.text)
        if name := block.marks.get("file"):
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        if not block.is_run or ("uses" in block.marks and importlib.util.find_spec(block.marks["uses"]) is None):
            return
        if block.language == "python":
            self._run_python(block, text)
            return
        commands = commands_of(block)
        for at, (command, shown) in enumerate(commands):
            wanted = int(block.marks.get("exit", 0)) if at == len(commands) - 1 else 0
            code, output = self._run_line(self._here(command))
            assert code == wanted, f"{block}: {command}\nexit {code}\n{output}"
            printed = [skeleton(line) for line in output.splitlines()]
            for line in shown:
                wanted_line = skeleton(self._here(line))
                whole = not wanted_line.endswith("...")
                found = wanted_line in printed if whole else any(each.startswith(wanted_line[:-3].rstrip()) for each in printed)
                assert found or not wanted_line, f"{block}: {command}\nnot printed: {line}\n{output}"

    def _here(self, text: str) -> str:
        for shown, real in self.replaced.items():
            text = text.replace(shown, real)
        return text

    def _run_python(self, block: Block, text: str) -> None:
        lines = text.splitlines()
        for at, line in enumerate(lines):
            if checked := _CHECKED.match(line.strip()):
                indent = line[: len(line) - len(line.lstrip())]
                lines[at] = f"{indent}_same(({checked[1]}), {checked[2]!r})"

        def same(value: Any, expected: str) -> None:
            try:
                wanted = ast.literal_eval(expected)
            except (ValueError, SyntaxError):
                wanted = repr(value) if repr(value) == expected else expected
                value = repr(value)
            assert value == wanted, f"{block}: {value!r} is not {wanted!r}"

        self.names["_same"] = same
        code = compile("\n".join([""] * block.line + lines), str(block.page), "exec")
        with contextlib.redirect_stdout(io.StringIO()):
            exec(code, self.names)

    def _run_line(self, line: str) -> tuple[int, str]:
        """Exit code and output of commands joined by ``&&`` and ``|``."""
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&>")
        lexer.whitespace_split, lexer.commenters = True, "#"
        words, code, printed = list(lexer), 0, ""
        for command in _split(words, "&&"):
            given, output = "", ""
            for stage in _split(command, "|"):
                target = None
                if ">" in stage:
                    target, stage = stage[stage.index(">") + 1], stage[: stage.index(">")]
                code, output, errors = self._run_words(stage, given)
                if target is not None:
                    (self.folder / target).write_text(output, encoding="utf-8")
                    output = ""
                given, printed = output, printed + errors
            printed += output
            if code:
                break
        return code, printed

    def _run_words(self, words: list[str], given: str) -> tuple[int, str, str]:
        program, *arguments = words
        program = program.removeprefix(".venv/bin/")
        if program == "export":
            name, _, value = arguments[0].partition("=")
            os.environ[name] = value
            return 0, "", ""
        if program == "pip" or words[1:3] == ["-m", "venv"]:
            check_installed_names(arguments)
            return 0, "", ""
        if program == "dedup" and arguments[0] == "serve":
            return 0, "", self._serve(arguments)
        if program == "dedup":
            result = CliRunner().invoke(main, arguments, input=given or None, prog_name="dedup")
            if result.exception is not None and not isinstance(result.exception, SystemExit):
                raise result.exception
            return result.exit_code, result.stdout, result.stderr
        if program in ("python", "python3"):
            program = sys.executable
        if program == "scrapy":
            program, arguments = sys.executable, ["-m", "scrapy", *arguments]
        expanded = [
            name for word in arguments for name in (sorted(glob.glob(word)) if re.search(r"[*?]", word) and "://" not in word else [word])
        ]
        environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", "no_proxy": "*"}
        done = subprocess.run(
            [program, *expanded], input=given, capture_output=True, text=True, encoding="utf-8", env=environment, timeout=300
        )
        return done.returncode, done.stdout, done.stderr

    def _serve(self, arguments: list[str]) -> str:
        """Start a service beside the page, on a port that is free; its address takes the place of the usual one."""
        command = [sys.executable, "-W", "ignore", "-m", "dedup", *arguments, "--port", "0"]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=environment)
        self.processes.append(process)
        assert process.stderr is not None
        line = ""
        while (found := re.search(r"(http://\S+:\d+)", line)) is None:
            assert process.poll() is None, line
            line += process.stderr.readline()
        self.replaced["http://127.0.0.1:8000"] = found[1]
        return line


def _split(words: list[str], at: str) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for word in words:
        if word == at:
            parts.append([])
        else:
            parts[-1].append(word)
    return parts


def check_installed_names(arguments: list[str]) -> None:
    """That the extras which a ``pip install`` names are extras of this project."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for argument in arguments:
        if named := re.fullmatch(r"(\.|[\w-]+)\[([\w,-]+)\]", argument):
            assert named[1] in (".", project["name"]), argument
            assert set(named[2].split(",")) <= set(project["optional-dependencies"]), argument


Setup = Callable[[World], None]
