"""All errors that dedup raises deliberately.

    DedupError
    ├── ConfigError      a setting is out of range or does not fit another one
    ├── InputError       an input is missing, unreadable or has no usable column
    ├── OutputError      an output cannot be written
    ├── SchemaError      a table lacks a column or has a column of the wrong type
    └── SignatureError   signatures of different scheme, seed or version were mixed

A message says what was found, what is needed and what to do. A bad page is no error: it becomes a
row of ``rejects.parquet``.
"""


class DedupError(Exception):
    """Base class of all errors of dedup."""


class ConfigError(DedupError, ValueError):
    """A setting is out of range, unknown, or does not fit another one."""


class InputError(DedupError):
    """An input is missing, unreadable, or has no usable column."""


class OutputError(DedupError):
    """An output cannot be written, or would overwrite something that must be kept."""


class SchemaError(DedupError, TypeError):
    """A table lacks a column or has one of the wrong type."""


class SignatureError(DedupError, ValueError):
    """Signatures of different scheme, seed, length or version cannot be compared."""
