"""Opens the store that the path of an index names: a folder, or a URL of Redis."""

from __future__ import annotations

import os
from typing import Any

from ..errors import ConfigError
from ..storage.remote import is_url, without_scheme
from .sqlite.store import SqliteStore
from .store import Store

_REDIS = ("redis://", "rediss://", "unix://")


def open_store(path: str | os.PathLike[str], metadata: dict[str, Any], mode: str, durability: str) -> tuple[Store, str]:
    """Open the store of an index.

    Parameters
    ----------
    metadata : of a new index; an existing one has its own
    mode, durability : see ``Index.open``

    Returns
    -------
    (store, name)
        The name is for messages; it has no password.

    Raises
    ------
    ConfigError
        If the path cannot be that of an index, or a parameter is invalid.
    """
    name = without_scheme(os.fsdecode(path))
    if not name or "\0" in name:
        raise ConfigError(f"{name!r} is not a valid path of an index. Give a folder, or redis://host:port/db.")
    if name.startswith(_REDIS):
        from .redis.store import RedisStore

        store = RedisStore.open(name, metadata, mode, durability)
        return store, store.name
    if is_url(name):
        raise ConfigError(
            f"{name.split('://')[0]}: an index is a folder on this machine or in Redis. Give a folder, or redis://host:port/db."
        )
    return SqliteStore.open(name, metadata, mode, durability), name
