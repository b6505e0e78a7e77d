"""Every error that dedup raises on purpose.

    DedupError
    ├── ConfigError      a setting is out of range or does not fit another one
    ├── InputError       an input is missing, unreadable or has no usable column
    ├── OutputError      the output folder cannot be used
    ├── SchemaError      a table does not have the columns or types it must have
    └── SignatureError   signatures of different scheme, seed or version were mixed

A message has three parts: what was seen, what is needed, what to do. One bad page is never an
error: it becomes a row of ``rejects.parquet``.
"""


class DedupError(Exception):
    """Base of all errors raised by dedup; catch it to catch them all."""


class ConfigError(DedupError, ValueError):
    """A setting is out of range, unknown, or does not fit another one."""


class InputError(DedupError):
    """An input is missing, unreadable, or has no column that can be used."""


class OutputError(DedupError):
    """The output folder cannot be written, or holds something that must not be overwritten."""


class SchemaError(DedupError, TypeError):
    """A table lacks a column or has one of the wrong type."""


class SignatureError(DedupError, ValueError):
    """Signatures of different scheme, seed, length or version cannot be compared."""
