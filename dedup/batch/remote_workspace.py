"""A run whose results go to a folder elsewhere: it works in a local folder, and sends what it has found at its end.

The local folder is a workspace like any other, results and all; it lasts until the upload is complete, so that a run that was
killed goes on, be it in the middle of the upload. Which folder it is follows from the URL.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from ..errors import OutputError
from ..result import MANIFEST, RESULT_FILES, Result
from ..storage.remote import is_url, locate
from ..storage.upload import check_target, remote_folder, upload
from .workspace import Workspace


def workspace_for(
    out: str | os.PathLike[str], *, overwrite: bool = False, keep: bool = False, work: str | os.PathLike[str] | None = None
) -> Workspace:
    """The workspace of a run.

    Parameters
    ----------
    out, overwrite, keep : as for ``Workspace``; ``out`` may be a URL
    work : local folder for what runs with a URL have done; ``dedup`` in the user's folder for caches if None

    Raises
    ------
    OutputError
        If the URL cannot be used.
    """
    if not is_url(out):
        return Workspace(out, overwrite=overwrite, keep=keep)
    return RemoteWorkspace(out, Path(work) if work is not None else default_work(), overwrite=overwrite, keep=keep)


def default_work() -> Path:
    """Where runs with a URL work if no folder is named."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dedup"


class RemoteWorkspace(Workspace):
    """The place in which one run with a URL works; a context manager, see ``Workspace``.

    Parameters
    ----------
    url : folder for the results
    work : local folder, in which the run gets one of its own
    """

    def __init__(self, url: str | os.PathLike[str], work: Path, *, overwrite: bool, keep: bool) -> None:
        self.target = remote_folder(url)
        digest = hashlib.sha256(os.fspath(url).rstrip("/").encode("utf-8", "surrogateescape")).hexdigest()[:16]
        super().__init__(work / f"{self.target.name}-{digest}", overwrite=overwrite, keep=True)
        self.name = self.target.url
        self._keep_all = keep

    def __enter__(self) -> RemoteWorkspace:
        super().__enter__()
        if self.placed:  # all is done but the upload
            try:
                self._upload()
            except BaseException:
                self.__exit__()
                raise
        return self

    def has_replaced(self, base: str | os.PathLike[str]) -> bool:
        """Whether the results have taken the place of what they were built on."""
        if not self.uploaded or not is_url(base):
            return False
        there = locate(base)
        return (there.files, there.path) == (self.target.files, self.target.path)

    def listing(self) -> list[str]:
        """The names of what is in the folder of the results."""
        return sorted(item.name for item in self.target.list())

    def publish(self, result: Result) -> None:
        """Write the results and send them; an earlier result stays as it was until all of the new one is sent.

        Raises
        ------
        OutputError
            If they cannot be written, here or there. What is done is kept.
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
            raise OutputError(f"{error} The results are kept in {self.out}: give the same command again to send them.") from error
        self.uploaded = True

    def _check(self) -> None:
        check_target(self.target, RESULT_FILES, MANIFEST, overwrite=self._overwrite)

    def _forget_finished(self) -> None:
        super()._forget_finished()
        self.uploaded = False

    def _cannot_write(self, why: str) -> str:
        return f"{self.out}: cannot keep intermediate results there ({why}). Free some space, or choose another folder with --work."
