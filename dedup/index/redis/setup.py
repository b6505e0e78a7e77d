"""Opening an index in Redis: whether the server is fit for one, and where the index is or is to be."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

from ...errors import ConfigError, InputError, OutputError
from .connection import Link

FORMAT, VERSION = "dedup index in redis", 1
#: Letters of a root: see ``redis_store.py``.
_ROOT_LETTERS = 4


def check_server(link: Link, durability: str) -> None:
    """Refuse a server that would lose parts of an index, or cannot keep what is promised.

    Raises
    ------
    ConfigError
        If it is a cluster, throws keys away when memory is used up, or does not tell what is on its disk though that is asked for.
    """
    shown = link.address.shown
    server: Mapping[str, Any] = link.ask("opening", False, lambda: link.client.info("server"))
    memory: Mapping[str, Any] = link.ask("opening", False, lambda: link.client.info("memory"))
    if "cluster" in (server.get("redis_mode"), server.get("server_mode")):
        raise ConfigError(f"{shown}: this is a Redis Cluster, which is not supported: an index lives in one server.")
    policy = str(memory.get("maxmemory_policy", ""))
    if int(memory.get("maxmemory", 0)) and policy.startswith("allkeys"):
        raise ConfigError(
            f"{shown}: the server throws keys away when its memory is used up (maxmemory-policy {policy}), and an index with them. "
            "Set maxmemory-policy noeviction."
        )
    if durability == "sync" and not _tells_of_disk(link):
        raise ConfigError(
            f"{shown}: durability='sync' needs a server that says what is on its disk: Redis 7.2 or Valkey with appendonly yes, or any "
            "with appendonly yes and appendfsync always. Set that up, or open the index with durability='process'."
        )


def waits_itself(link: Link) -> bool:
    """Whether the server answers only when what it was sent is on its disk."""
    errors = link.errors
    try:
        return {**link.client.config_get("appendonly"), **link.client.config_get("appendfsync")} == {
            "appendonly": "yes",
            "appendfsync": "always",
        }
    except errors.ResponseError:  # CONFIG is often forbidden on rented servers
        return False


def _tells_of_disk(link: Link) -> bool:
    def asked() -> bool:
        try:
            link.client.execute_command("WAITAOF", 1, 0, 1)
        except link.errors.ResponseError:
            return waits_itself(link)
        return True

    return link.ask("opening", False, asked)


def open_root(link: Link, mode: str, metadata: dict[str, Any]) -> tuple[dict[str, Any], bytes, bytes]:
    """(facts it was made with, root of its keys, identity) of the index of a prefix, which is made if the mode says so.

    Raises
    ------
    InputError
        If there is none to read, or something that is no index.
    """
    prefix = f"{{{link.address.prefix}}}:"
    found = _read(link, prefix)
    if found is not None and mode == "w":
        _delete(link, prefix, found["root"])
        found = None
    if found is None:
        if mode == "r":
            raise InputError(f"{link.address.shown}: there is no index. Check database and prefix, or make one with mode 'a'.")
        found = _make(link, prefix, metadata)
    return found["facts"], f"{prefix}{found['root']}".encode(), found["identity"].encode()


def _read(link: Link, prefix: str) -> dict[str, Any] | None:
    shown = link.address.shown
    packed = link.ask("opening", False, lambda: link.client.get(f"{prefix}facts"))
    if packed is None:
        return None
    try:
        read = json.loads(packed)
    except ValueError:
        read = None
    if not isinstance(read, dict) or read.get("format") != FORMAT:
        raise InputError(f"{shown}: the key {prefix}facts holds something else than an index. Choose another prefix, or delete the key.")
    if read.get("version") != VERSION:
        raise InputError(
            f"{shown}: the index is of format {read.get('version')}, this version of dedup reads {VERSION}. "
            "Use the dedup that made it, or another prefix and add the documents again."
        )
    if not (isinstance(read.get("facts"), dict) and isinstance(read.get("root"), str) and isinstance(read.get("identity"), str)):
        raise InputError(f"{shown}: the key {prefix}facts is damaged. Restore it, or choose another prefix.")
    if link.ask("opening", False, lambda: link.client.get(f"{prefix}{read['root']}i")) != read["identity"].encode():
        raise InputError(
            f"{shown}: the index is not whole: keys of it are missing. Restore the server's data, or make it anew with mode 'w'."
        )
    return read


def _make(link: Link, prefix: str, metadata: dict[str, Any]) -> dict[str, Any]:
    """A new index; if another writer makes one at the same moment, that one."""
    made = {
        "format": FORMAT,
        "version": VERSION,
        "root": secrets.token_hex(_ROOT_LETTERS // 2),
        "identity": secrets.token_hex(8),
        "facts": metadata,
    }
    root = f"{prefix}{made['root']}"

    def asked() -> bool:
        # The identity first: an index that can be seen is whole.
        link.client.set(f"{root}i", made["identity"])
        return bool(link.client.set(f"{prefix}facts", json.dumps(made), nx=True))

    if link.ask("making an index", True, asked):
        return made
    found = _read(link, prefix)
    if found is None:
        raise OutputError(f"{link.address.shown}: another program deletes this index. Open it again.")
    if found["identity"] != made["identity"]:  # equal if the answer was lost and the call repeated
        link.ask("making an index", True, lambda: link.client.delete(f"{root}i"))
    return found


def _delete(link: Link, prefix: str, root: str) -> None:
    """Take an index away: first what shows that it is there, so that whoever has it open notices."""

    def asked() -> None:
        link.client.delete(f"{prefix}facts", f"{prefix}{root}i")
        names: list[bytes] = []
        for name in link.client.scan_iter(match=f"{prefix}{root}*", count=4096):
            names.append(name)
            if len(names) == 4096:
                link.client.unlink(*names)
                names.clear()
        if names:
            link.client.unlink(*names)

    link.ask("making an index anew", True, asked)


def draft_of(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Facts that no version of dedup opens an index with, and that no other builder has."""
    return {**metadata, "rules": None, "unfinished": secrets.token_hex(8)}


def publish(url: str, draft: Mapping[str, Any], metadata: Mapping[str, Any]) -> None:
    """Put the facts of an index in the place of its draft.

    Raises
    ------
    OutputError
        If another program has put something else there.
    """
    link = Link(url)
    try:
        key = f"{{{link.address.prefix}}}:facts"
        held: dict[str, Any] = json.loads(link.ask("finishing an index", False, lambda: link.client.get(key)) or b"{}")
        if held.get("facts") != draft:
            raise OutputError(f"{link.address.shown}: another program has replaced the index while it was built. Choose another prefix.")
        held["facts"] = dict(metadata)
        link.ask("finishing an index", True, lambda: link.client.set(key, json.dumps(held)))
    finally:
        link.close()
