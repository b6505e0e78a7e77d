"""Runs that end at a chosen step, as if the process were killed there."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from dedup.batch import checkpoints, workspace
from dedup.batch.workspace import Workspace
from dedup.cli import main
from dedup.storage import files
from tests.arabic import news


class Crash(BaseException):
    """Ends the process."""


def page(number, **columns):
    text = news(number // 3, 60) + " " + news(1000 + number, 4)
    return {"id": f"p{number}", "title": news(2000 + number, 6), "text": text, "date": f"2025-03-{1 + number % 9:02}", **columns}


def write(path, numbers, *further):
    Path(path).write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in [*map(page, numbers), *further]), encoding="utf-8")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A current folder with two inputs, a bad row, a duplicate id, and small checkpoints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(checkpoints, "MEGABYTE", 20)
    monkeypatch.setattr(files.os, "fsync", lambda number: None)  # slow, and no test needs to survive a power failure
    Path("in").mkdir()
    write("in/a.jsonl", range(12), {"id": "bad"}, page(2))
    write("in/b.jsonl", range(12, 20))
    Path("in/empty.jsonl").write_text("")
    return tmp_path


def command(*arguments):
    return CliRunner().invoke(main, ["run", *map(str, arguments)], prog_name="dedup")


def run(*arguments):
    result = command(*arguments, "-q", "--run.batch_rows", 3, "--threads", 1)
    assert result.exit_code == 0, result.output
    return result


def content(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir() if path.suffix == ".parquet"}


def manifest(folder):
    return json.loads(Path(folder, "manifest.json").read_text(encoding="utf-8"))


class Steps:
    """Counts the calls that make files durable, and ends the process before one of them."""

    def __init__(self, monkeypatch, last=None):
        self.count, self.last = 0, last
        for name in ("fsync", "replace"):
            monkeypatch.setattr(files.os, name, self.counted(getattr(files.os, name)))
        monkeypatch.setattr(workspace.Path, "unlink", self.counted(Path.unlink))
        # A killed process cleans nothing up.
        left = Workspace.__exit__
        monkeypatch.setattr(Workspace, "__exit__", lambda work, kind=None, *rest: ended(work) if kind is Crash else left(work, kind, *rest))

    def counted(self, call):
        def instead(*arguments, **named):
            self.count += 1
            if self.count == self.last:
                raise Crash
            return call(*arguments, **named)

        return instead


def ended(work):
    for file in work._files:
        file.abandon()
    work._lock.close()


def crash_at(monkeypatch, step, *arguments):
    with monkeypatch.context() as patched:
        Steps(patched, step)
        with pytest.raises(Crash):
            run(*arguments)


def steps_of(monkeypatch, *arguments):
    with monkeypatch.context() as patched:
        steps = Steps(patched)
        run(*arguments)
        return steps.count
