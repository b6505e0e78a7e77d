"""A workspace in a local folder, whose results are uploaded to an object store at the end.

The local folder is an ordinary workspace with the results in it. It stays until the upload is
complete, so a killed run resumes even in the middle of the upload. Its name follows from the URL.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from ..errors import OutputError
from ..result import Result
from ..storage.remote import is_url, locate
from ..storage.result_folder import MANIFEST, RESULT_FILES
from ..storage.upload import check_target, remote_folder, upload
from .workspace import Workspace


def workspace_for(
    out: str | os.PathLike[str], *, overwrite: bool = False, keep: bool = False, work: str | os.PathLike[str] | None = None
) -> Workspace:
    """Create the workspace of a run.

    Parameters
    ----------
    out : folder or URL for the results
    overwrite, keep : see ``Workspace``
    work : local folder for the workspaces of runs with a URL
        By default ``dedup`` in the user's cache folder.

    Raises
    ------
    OutputError
        If the URL cannot be used.
    """
    if not is_url(out):
        return Workspace(out, overwrite=overwrite, keep=keep)
    return RemoteWorkspace(out, Path(work) if work is not None else default_work(), overwrite=overwrite, keep=keep)


def default_work() -> Path:
    """Local folder for the workspaces of runs with a URL, unless another one is named."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dedup"


class RemoteWorkspace(Workspace):
    """The workspace of one run whose results go to a URL; a context manager, see ``Workspace``.

    Parameters
    ----------
    url : remote folder for the results
    work : local folder; the run works in a subfolder of it
    """

    def __init__(self, url: str | os.PathLike[str], work: Path, *, overwrite: bool, keep: bool) -> None:
        self.target = remote_folder(url)
        digest = hashlib.sha256(os.fspath(url).rstrip("/").encode("utf-8", "surrogateescape")).hexdigest()[:16]
        super().__init__(work / f"{self.target.name}-{digest}", overwrite=overwrite, keep=True)
        self.name = self.target.url
        self._keep_all = keep

    def __enter__(self) -> RemoteWorkspace:
        super().__enter__()
        if self.placed:  # only the upload is missing
            try:
                self._upload()
            except BaseException:
                self.__exit__()
                raise
        return self

    def has_replaced(self, base: str | os.PathLike[str]) -> bool:
        """Whether the results have replaced the base that they were built on."""
        if not self.uploaded or not is_url(base):
            return False
        remote = locate(base)
        return (remote.files, remote.path) == (self.target.files, self.target.path)

    def listing(self) -> list[str]:
        """Names of the entries in the remote folder."""
        return sorted(item.name for item in self.target.list())

    def publish(self, result: Result) -> None:
        """Write the results and upload them; an earlier result stays until the upload is complete.

        Raises
        ------
        OutputError
            If they cannot be written, locally or remotely. The workspace is kept.
        """
        super().publish(result)
        self._upload()
        if not self._keep_all:
            self._remove()
            shutil.rmtree(self.out, ignore_errors=True)

    def _upload(self) -> None:
        if self.uploaded:
            return
        try:
            upload(self.out, self.target, RESULT_FILES, MANIFEST, overwrite=self._overwrite)
        except OutputError as error:
            raise OutputError(f"{error} The results are kept in {self.out}; repeat the command to upload them.") from error
        self.uploaded = True

    def _check(self) -> None:
        check_target(self.target, RESULT_FILES, MANIFEST, overwrite=self._overwrite)

    def _forget_finished(self) -> None:
        super()._forget_finished()
        self.uploaded = False

    def _cannot_write(self, reason: str) -> str:
        return f"{self.out}: cannot keep intermediate results there ({reason}). Free some space, or choose another folder with --work."
