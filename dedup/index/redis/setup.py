"""Opens, creates and replaces an index in Redis, after checking that the server is suitable."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

from ...errors import ConfigError, InputError, OutputError
from .connection import Connection

FORMAT, VERSION = "dedup index in redis", 2
#: Length of the random part of a root, see ``store.py``.
_ROOT_LETTERS = 4


def check_server(connection: Connection, durability: str) -> None:
    """Refuse a server that would lose parts of an index, or cannot give the durability asked for.

    Raises
    ------
    ConfigError
        If it is a cluster, evicts keys when memory is full, or cannot confirm writes to disk
        although ``durability`` is ``sync``.
    """
    name = connection.address.display_url
    server: Mapping[str, Any] = connection.ask("opening", False, lambda: connection.client.info("server"))
    memory: Mapping[str, Any] = connection.ask("opening", False, lambda: connection.client.info("memory"))
    if "cluster" in (server.get("redis_mode"), server.get("server_mode")):
        raise ConfigError(f"{name}: this is a Redis Cluster, which is not supported: an index needs a single server.")
    policy = str(memory.get("maxmemory_policy", ""))
    if int(memory.get("maxmemory", 0)) and policy.startswith("allkeys"):
        raise ConfigError(
            f"{name}: the server evicts keys when its memory is full (maxmemory-policy {policy}), which would destroy an index. "
            "Set maxmemory-policy noeviction."
        )
    if durability == "sync" and not _confirms_writes(connection):
        raise ConfigError(
            f"{name}: durability='sync' needs a server that confirms writes to disk: Redis 7.2 or Valkey with appendonly yes, or any "
            "version with appendonly yes and appendfsync always. Configure that, or open the index with durability='process'."
        )


def syncs_every_write(connection: Connection) -> bool:
    """Return whether the server syncs every write to disk before it replies."""
    errors = connection.errors
    try:
        return {**connection.client.config_get("appendonly"), **connection.client.config_get("appendfsync")} == {
            "appendonly": "yes",
            "appendfsync": "always",
        }
    except errors.ResponseError:  # hosted servers often forbid CONFIG
        return False


def _confirms_writes(connection: Connection) -> bool:
    def asked() -> bool:
        try:
            connection.client.execute_command("WAITAOF", 1, 0, 1)
        except connection.errors.ResponseError:
            return syncs_every_write(connection)
        return True

    return connection.ask("opening", False, asked)


def open_root(connection: Connection, mode: str, metadata: dict[str, Any]) -> tuple[dict[str, Any], bytes, bytes]:
    """Open the index of a prefix, creating it if the mode says so.

    Returns
    -------
    metadata : dict
        What the index was made with.
    root : bytes
        Prefix of its keys.
    identity : bytes
        Random id drawn when it was made.

    Raises
    ------
    InputError
        If there is no index to read, or the keys contain something else.
    """
    prefix = f"{{{connection.address.prefix}}}:"
    found = _read_header(connection, prefix)
    if found is not None and mode == "w":
        _delete_index(connection, prefix, found["root"])
        found = None
    if found is None:
        if mode == "r":
            raise InputError(
                f"{connection.address.display_url}: there is no index. Check database and prefix, or make one with 'dedup index build'."
            )
        found = _create_index(connection, prefix, metadata)
    return found["facts"], f"{prefix}{found['root']}".encode(), found["identity"].encode()


def _read_header(connection: Connection, prefix: str) -> dict[str, Any] | None:
    name = connection.address.display_url
    packed = connection.ask("opening", False, lambda: connection.client.get(f"{prefix}facts"))
    if packed is None:
        return None
    try:
        read = json.loads(packed)
    except ValueError:
        read = None
    if not isinstance(read, dict) or read.get("format") != FORMAT:
        raise InputError(f"{name}: the key {prefix}facts contains something other than an index. Choose another prefix, or delete the key.")
    if read.get("version") != VERSION:
        raise InputError(
            f"{name}: the index is of format {read.get('version')}, this version of dedup reads {VERSION}. "
            "Make it again from the texts: 'dedup run INPUT... -o OUT', then 'dedup index build OUT -o URL --overwrite' or with another "
            "prefix; or use the version that made it."
        )
    if not (isinstance(read.get("facts"), dict) and isinstance(read.get("root"), str) and isinstance(read.get("identity"), str)):
        raise InputError(f"{name}: the key {prefix}facts is damaged. Restore it, or choose another prefix.")
    if connection.ask("opening", False, lambda: connection.client.get(f"{prefix}{read['root']}i")) != read["identity"].encode():
        raise InputError(
            f"{name}: the index is incomplete: some of its keys are missing. Restore the data of the server, or replace it with mode 'w'."
        )
    return read


def _create_index(connection: Connection, prefix: str, metadata: dict[str, Any]) -> dict[str, Any]:
    """Create an index, or read the one that another writer creates at the same moment."""
    made = {
        "format": FORMAT,
        "version": VERSION,
        "root": secrets.token_hex(_ROOT_LETTERS // 2),
        "identity": secrets.token_hex(8),
        "facts": metadata,
    }
    root = f"{prefix}{made['root']}"

    def asked() -> bool:
        # The identity first, so that a visible index is complete.
        connection.client.set(f"{root}i", made["identity"])
        return bool(connection.client.set(f"{prefix}facts", json.dumps(made), nx=True))

    if connection.ask("making an index", True, asked):
        return made
    found = _read_header(connection, prefix)
    if found is None:
        raise OutputError(f"{connection.address.display_url}: another program has just deleted this index. Open it again.")
    if found["identity"] != made["identity"]:  # equal if the reply was lost and the call repeated
        connection.ask("making an index", True, lambda: connection.client.delete(f"{root}i"))
    return found


def _delete_index(connection: Connection, prefix: str, root: str) -> None:
    """Delete an index, metadata and identity first, so that processes with it open notice."""

    def asked() -> None:
        connection.client.delete(f"{prefix}facts", f"{prefix}{root}i")
        names: list[bytes] = []
        for name in connection.client.scan_iter(match=f"{prefix}{root}*", count=4096):
            names.append(name)
            if len(names) == 4096:
                connection.client.unlink(*names)
                names.clear()
        if names:
            connection.client.unlink(*names)

    connection.ask("replacing an index", True, asked)


def draft_of(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return metadata that no version of dedup accepts, unique to this build."""
    return {**metadata, "rules": None, "unfinished": secrets.token_hex(8)}


def publish(url: str, draft: Mapping[str, Any], metadata: Mapping[str, Any]) -> None:
    """Replace the draft metadata of a new index by the final metadata, so that it can be opened.

    Raises
    ------
    OutputError
        If another program has replaced the index.
    """
    connection = Connection(url)
    try:
        key = f"{{{connection.address.prefix}}}:facts"
        stored: dict[str, Any] = json.loads(connection.ask("finishing an index", False, lambda: connection.client.get(key)) or b"{}")
        if stored.get("facts") != draft:
            raise OutputError(
                f"{connection.address.display_url}: another program replaced the index while it was being built. Choose another prefix."
            )
        stored["facts"] = dict(metadata)
        connection.ask("finishing an index", True, lambda: connection.client.set(key, json.dumps(stored)))
    finally:
        connection.close()
