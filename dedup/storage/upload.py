"""Uploads a finished result to a remote folder so that nobody sees half of it.

There is no lock: two machines must not write to the same folder at the same time.
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
    """Return the remote folder of a URL.

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
    """Check that ``upload`` can succeed. Called before the work is done and again after it.

    Parameters
    ----------
    target
        The remote folder.
    names
        All files that a result can have.
    manifest
        The one of them that every complete result has.
    overwrite
        Whether an earlier result may be replaced.

    Returns
    -------
    set of str
        Names of what is in the folder.

    Raises
    ------
    OutputError
        If the folder holds something that must not be replaced, or cannot be written.
    """
    try:
        seen = target.look()
        if seen is not None and not seen.is_folder:
            raise OutputError(f"{target.url}: is a file. Name a folder for the results.")
        present = {item.name for item in target.list()}
    except RemoteError as error:
        raise OutputError(str(error)) from error
    foreign = sorted(name for name in present if name not in names and not name.startswith(_INCOMING))
    if manifest in present:
        if not overwrite:
            raise OutputError(f"{target.url}: is not empty. Choose another folder, or add --overwrite to replace an earlier result.")
        if foreign:
            raise OutputError(
                f"{target.url}: contains {foreign[0]!r} beside an earlier result, but a result needs a folder of its own. "
                "Move it away or choose another folder."
            )
    elif foreign or (present and not any(name.startswith(_INCOMING) for name in present)):
        raise OutputError(
            f"{target.url}: contains files but no {manifest}, so it is not an earlier result and is not overwritten. Choose another folder."
        )
    try:
        (target / _PROBE).put(io.BytesIO(b"dedup: can files be written here?\n"))
        (target / _PROBE).delete()
    except (OSError, ValueError) as error:
        raise OutputError(f"{target.url}: cannot be written: {describe(error)}") from error
    return present


def upload(folder: Path, target: RemotePath, names: Sequence[str], manifest: str, *, overwrite: bool) -> None:
    """Upload the result in a local folder, replacing an earlier one in ``target``.

    Object stores cannot rename folders. So all files are uploaded under temporary names
    (``.incoming-...``, which readers of folders skip) while an earlier result stays as it was. Then
    its manifest is deleted, its tables are replaced by copies inside the store, and the new
    manifest comes last: a folder with a manifest is complete. The next upload recognizes what an
    interrupted one left, and starts over.

    Parameters
    ----------
    folder
        The local folder.
    target, names, manifest, overwrite
        As for ``check_target``.

    Raises
    ------
    OutputError
        If it fails. Until all files are uploaded, an earlier result is unchanged.
    """
    sent = [name for name in names if name != manifest and (folder / name).exists()] + [manifest]
    if _is_there(folder / manifest, target / manifest):
        return
    check_target(target, names, manifest, overwrite=overwrite)
    try:
        for name in sent:
            _put(folder / name, target / f"{_INCOMING}{name}")
        present = {item.name for item in target.list()}
        for name in [manifest, *names]:
            if name in present and (name == manifest or name not in sent):
                (target / name).delete()
                present.discard(name)
        for name in sent:
            _move(target / f"{_INCOMING}{name}", target / name, folder / name)
        for name in present:
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
    """Rename inside the store; what it cannot rename (on S3, more than 5 GB) is uploaded again."""
    try:
        here.files.move(here.path, there.path)
    except (OSError, NotImplementedError):
        _put(local, there)
        with suppress(OSError):
            here.delete()


def _is_there(manifest: Path, there: RemotePath) -> bool:
    """Whether this very result has been uploaded already: no two runs have the same manifest."""
    try:
        with there.open() as file:
            return bool(file.read() == manifest.read_bytes())
    except (OSError, ValueError):
        return False
