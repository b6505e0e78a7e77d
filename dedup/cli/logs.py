"""Logs a command to stderr: lines for people (``-v``), or JSON lines for machines (``--log-json``).

Each JSON line is one object; ``EVENTS`` lists the keys of each event. Keys are stable; others may
be added.
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
    "loss": "one of the ten copies that lose most when all copies are dropped, the worst first: `doc_id`, `canonical_id`, `title`, and "
    "`lost`, the share of its text that stands in no kept document; `title` copies are left out, their words stand in a title",
    "run_finished": "`out`, `seconds` of the whole command, `peak_memory_bytes`, the counts `pages`, `rejects`, `documents`, "
    "`copies`, `extended`, `stories` (null if stories were not requested), and the shares `lost` and `repeated`, as in the manifest",
    "verdicts_finished": "of `dedup index check` and `ingest`: `documents`, `rejects`, and the counts `index`, `skip`, `update`",
    "error": "`exit`, the exit code; for a bug also `traceback`; always the last line",
    "note": "anything else",
}
_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object; ``extra`` adds its keys."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line without a newline."""
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": "warning" if record.levelno == logging.WARNING else "note",
            "message": record.getMessage(),
        }
        entry |= {key: value for key, value in vars(record).items() if key not in _USUAL}
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)  # ASCII, which stderr can encode in any locale


def start_log(verbose: int, *, as_json: bool) -> None:
    """Log dedup, but not the libraries it uses, to stderr until the command ends."""
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

    # On the root context: errors are logged after the context of the command is closed.
    context.find_root().call_on_close(stop)


def log_warnings(warnings: Sequence[str]) -> None:
    """Log the warnings of a run if logging is on; the summary shows them anyway."""
    if logger.isEnabledFor(logging.INFO):
        for warning in warnings:
            logger.warning("%s", warning, extra={"event": "warning"})


def logs_json() -> bool:
    """Whether the running command has ``--log-json``."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(JSON))


def log_error(message: str, exit_code: int, traceback: str | None = None) -> None:
    """Write an error as a JSON line, even if the log has not started yet."""
    details: dict[str, Any] = {"event": "error", "exit": exit_code} | ({} if traceback is None else {"traceback": traceback})
    record = logging.makeLogRecord({"msg": message, "levelno": logging.ERROR, "levelname": "ERROR", **details})
    click.echo(JsonLines().format(record), err=True)
