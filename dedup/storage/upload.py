"""A finished result from a local folder to a folder elsewhere, so that nobody sees half of it.

Object stores know no renaming of folders. So all files are sent under other names first (``.incoming-...``, which readers of folders
pass over); until they are all there, an earlier result stays as it was. Then its manifest is deleted, its tables are
replaced (a copy inside the store), and the new manifest comes last: what has a manifest is whole. An upload that was stopped
in the middle of this is recognised by what it left, and the next one starts over it.

There is no lock: two runs on different machines must not write to the same folder at the same time.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ..errors import OutputError
from .remote import RemoteError, RemotePath, describe, locate

_INCOMING = ".incoming-"
_PROBE = f"{_INCOMING}probe"


def remote_folder(url: str | os.PathLike[str]) -> RemotePath:
    """The folder elsewhere that a URL names.

    Raises
    ------
    OutputError
        If the URL cannot be used.
    """
    try:
        return locate(url)
    except RemoteError as error:
        raise OutputError(str(error)) from error


def check_target(target: RemotePath, names: Sequence[str], manifest: str, *, overwrite: bool) -> set[str]:
    """Find what would keep ``upload`` from working; called before the work is done as well as after it.

    Parameters
    ----------
    names : all files that a result can have
    manifest : the one of them that every finished result has

    Returns
    -------
    the names in the folder

    Raises
    ------
    OutputError
        If the folder holds something that must not be replaced, or cannot be written.
    """
    try:
        seen = target.look()
        if seen is not None and not seen.is_folder:
            raise OutputError(f"{target.url}: is a file. Name a folder for the results.")
        held = {item.name for item in target.list()}
    except RemoteError as error:
        raise OutputError(str(error)) from error
    foreign = sorted(name for name in held if name not in names and not name.startswith(_INCOMING))
    if manifest in held:
        if not overwrite:
            raise OutputError(f"{target.url}: is not empty. Choose another folder, or add --overwrite to replace an earlier result.")
        if foreign:
            raise OutputError(
                f"{target.url}: holds {foreign[0]!r} beside an earlier result; results have their folder for themselves. "
                "Move it away or choose another folder."
            )
    elif foreign or (held and not any(name.startswith(_INCOMING) for name in held)):
        raise OutputError(
            f"{target.url}: holds files but no {manifest}, so it is not an earlier result and is not overwritten. Choose another folder."
        )
    try:
        (target / _PROBE).put(io.BytesIO(b"dedup: can files be written here?\n"))
        (target / _PROBE).delete()
    except (OSError, ValueError) as error:
        raise OutputError(f"{target.url}: cannot be written: {describe(error)}") from error
    return held


def upload(folder: Path, target: RemotePath, names: Sequence[str], manifest: str, *, overwrite: bool) -> None:
    """Put the result in a local folder in the place of what is in ``target``.

    Parameters
    ----------
    names, manifest : as for ``check_target``

    Raises
    ------
    OutputError
        If that cannot be done; as long as not all files are sent, an earlier result stays as it was.
    """
    sent = [name for name in names if name != manifest and (folder / name).exists()] + [manifest]
    if _is_there(folder / manifest, target / manifest):
        return
    check_target(target, names, manifest, overwrite=overwrite)
    try:
        for name in sent:
            _put(folder / name, target / f"{_INCOMING}{name}")
        held = {item.name for item in target.list()}
        for name in [manifest, *names]:
            if name in held and (name == manifest or name not in sent):
                (target / name).delete()
                held.discard(name)
        for name in sent:
            _move(target / f"{_INCOMING}{name}", target / name, folder / name)
        for name in held:
            if name.startswith(_INCOMING) and name.removeprefix(_INCOMING) not in sent:
                (target / name).delete()
    except RemoteError as error:
        raise OutputError(str(error)) from error
    except (OSError, ValueError) as error:
        raise OutputError(f"{target.url}: the results cannot be written there: {describe(error)}") from error


def _put(local: Path, there: RemotePath) -> None:
    with open(local, "rb") as file:
        there.put(file)


def _move(here: RemotePath, there: RemotePath, local: Path) -> None:
    """Rename inside the store; what it cannot rename (S3: more than 5 GB) is sent once more."""
    try:
        here.files.move(here.path, there.path)
    except (OSError, NotImplementedError):
        _put(local, there)
        with suppress(OSError):
            here.delete()


def _is_there(manifest: Path, there: RemotePath) -> bool:
    """Whether this very result was put there already: no two runs have the same manifest."""
    try:
        with there.open() as file:
            return bool(file.read() == manifest.read_bytes())
    except (OSError, ValueError):
        return False
