"""The log of a command on stderr: lines for people (``-v``), or JSON lines for machines (``--log-json``).

Each JSON line is one object; ``EVENTS`` lists the keys of each. They are stable; others may be added.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click

logger = logging.getLogger(__name__)

JSON = "dedup.log_json"
#: Keys that every JSON line has.
ALWAYS = {
    "time": "ISO 8601, UTC",
    "level": "`debug`, `info`, `warning` or `error`",
    "event": "one of the list below",
    "message": "the event as a sentence",
}
#: The events of a log and their further keys. The manual prints them.
EVENTS = {
    "run_started": "`version`, `inputs`, `out`",
    "stage_started": "`stage`",
    "batch": "`stage`, and `rows` and `seconds` so far; level `debug`, so only with `-vv`",
    "stage_finished": "`stage`, `rows`, `seconds`, as in the manifest; of `read` also `pages` and `bytes` of the inputs",
    "stage_resumed": "as `stage_finished`: the interrupted run had already completed the stage",
    "warning": "no further keys: `message` is a warning of the summary and the manifest, or a problem with an interrupted run",
    "run_finished": "`out`, `seconds` of the whole command, `peak_memory_bytes`, and the counts `pages`, `rejects`, `documents`, "
    "`copies`, `stories` (null if stories were not requested)",
    "verdicts_finished": "of `dedup index check` and `ingest`: `documents`, `rejects`, and the counts `index`, `skip`, `update`",
    "error": "`exit`, the exit code; for a bug also `traceback`; always the last line",
    "note": "anything else",
}
_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """A record as one JSON object on one line: what ``extra`` gave are its keys."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": "warning" if record.levelno == logging.WARNING else "note",
            "message": record.getMessage(),
        }
        entry |= {key: value for key, value in vars(record).items() if key not in _USUAL}
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)  # ASCII, so that any stderr takes it


def start_log(verbose: int, *, as_json: bool) -> None:
    """Log what dedup says to stderr, and nothing of the libraries below it, until the command ends."""
    if not verbose and not as_json:
        return
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if as_json else logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    dedup = logging.getLogger("dedup")
    before = dedup.level, dedup.propagate
    dedup.addHandler(handler)
    dedup.setLevel(logging.DEBUG if verbose > 1 else logging.INFO)
    dedup.propagate = False
    context = click.get_current_context()

    def stop() -> None:
        dedup.removeHandler(handler)
        dedup.setLevel(before[0])
        dedup.propagate = before[1]

    # Of the whole program: errors are told when the command is left already.
    context.find_root().call_on_close(stop)


def log_warnings(warnings: Sequence[str]) -> None:
    """Log the warnings of a run. Without a log nothing is said: they are in the summary."""
    if logger.isEnabledFor(logging.INFO):
        for warning in warnings:
            logger.warning("%s", warning, extra={"event": "warning"})


def tells_json() -> bool:
    """Whether ``--log-json`` was given to the command that is running."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(JSON))


def log_error(message: str, exit_code: int, traceback: str | None = None) -> None:
    """Write an error as a JSON line, whether or not the log has begun."""
    facts: dict[str, Any] = {"event": "error", "exit": exit_code} | ({} if traceback is None else {"traceback": traceback})
    record = logging.makeLogRecord({"msg": message, "levelno": logging.ERROR, "levelname": "ERROR", **facts})
    click.echo(JsonLines().format(record), err=True)
