"""The state of a run on disk, so that an interrupted run resumes where it stopped."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import IO, Any

from ..errors import OutputError
from ..result import Result
from ..storage.files import LockedError, WorkFile, is_as_marked, lock, mark_of, os_errors_as, sync_folder, write_durably
from ..storage.result_folder import JOURNAL, MANIFEST, RESULT_FILES, WORK, check_folder

logger = logging.getLogger(__name__)

#: Increases when runs with an older journal can no longer be resumed.
FORMAT = 1
RESULT = "result"


class Workspace:
    """The workspace of one run; a context manager.

    The workspace is the folder ``.work`` inside the result folder:

        lock            locked by the running process, released by the system when it ends
        journal.json    identity of the run, and finished steps with size and SHA-256 of their files
        result/         the finished results, before they are moved into place
        ...             the files of the steps

    A file counts only once the journal lists it. Until then it is written under another name,
    flushed to disk and renamed; the journal is replaced in the same way. So the journal is true
    whenever the process or the machine stops, and all work after its last step is done again. A
    file that differs from the journal (cut off, changed, missing) invalidates its step and all
    later ones.

    Results are moved into place last: the manifest of an earlier result is deleted first and the
    new one arrives last, so a folder with a manifest is complete. Once this has begun, the next
    process that opens the workspace finishes it.

    Parameters
    ----------
    out : folder for the results
    overwrite : replace an earlier result in it, or start an interrupted run over
    keep : keep the workspace when the run has succeeded

    Raises
    ------
    OutputError
        On entering: if results cannot be written to the folder, or another run is writing to it.
    """

    def __init__(self, out: str | os.PathLike[str], *, overwrite: bool = False, keep: bool = False) -> None:
        self.name, self.out = os.fspath(out), Path(out).absolute()
        self.folder = self.out / WORK
        self.placed = False
        self.uploaded = False  # only with a remote folder
        self._overwrite, self._keep = overwrite, keep
        self._lock: IO[str] | None = None
        self._files: list[WorkFile] = []
        self._created_out = False
        self._journal = _empty_journal()

    def __enter__(self) -> Workspace:
        if not (self.folder / JOURNAL).exists():
            self._check()
        self._created_out = not self.out.exists()
        with self._writing():
            self._lock = self._acquire_lock()
        try:
            self._journal = self._read_journal()
            if self._journal["placing"]:
                self._finish_placing()
            if not self.placed:
                self._check()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Release the folder; delete the workspace unless a step is finished."""
        if self._lock is None:
            return
        for file in self._files:
            file.abandon()
        if not self.steps and not self.placed:
            self._remove()
        with suppress(OSError):
            self._lock.close()
        self._lock = None

    @property
    def steps(self) -> list[str]:
        """Names of the finished steps."""
        return [step["name"] for step in self._journal["steps"]]

    def metadata(self, step: str) -> dict[str, Any]:
        """Metadata of a finished step, without a check of its files."""
        metadata: dict[str, Any] = self._journal["steps"][self.steps.index(step)]["facts"]
        return metadata

    @property
    def run(self) -> dict[str, Any] | None:
        """The identity of the run, as given to ``begin``; None if there is none yet."""
        run: dict[str, Any] | None = self._journal["run"]
        return run

    @property
    def restarts(self) -> int:
        """Number of restarts."""
        return int(self._journal["restarts"])

    def begin(self, run: dict[str, Any], differences: Sequence[str]) -> None:
        """Resume the interrupted run in this workspace, or start a new one.

        Parameters
        ----------
        run : identity of this run, for the journal
        differences : how it differs from the interrupted run, in words

        Raises
        ------
        OutputError
            If the interrupted run is another one and must not be overwritten.
        """
        # A repeated command with --overwrite resumes; a newly added --overwrite starts over.
        start_over = bool(differences) or (self._overwrite and not self._journal["overwrite"])
        if self.placed and start_over:
            self._forget_finished()
        interrupted = self.run is not None
        if interrupted and differences and not self._overwrite:
            raise OutputError(
                f"{self.name}: holds an interrupted run, and something has changed since: {'; '.join(differences)}. "
                "Repeat the original command to resume it, add --overwrite to start over, or choose another folder."
            )
        if interrupted and not start_over:
            logger.info("resuming the interrupted run; finished steps: %s", ", ".join(self.steps) or "none")
            if not self.placed:
                self._journal["restarts"] += 1
                self._journal["run"] = run
                self._write_journal()
            return
        with self._writing():
            self._clear()
        self._journal = _empty_journal() | {"run": run, "overwrite": self._overwrite}
        self._write_journal()

    def create(self, name: str) -> WorkFile:
        """Create a file for the next step."""
        return self._open_work_file(name, None)

    def grow(self, name: str) -> WorkFile:
        """Open a file that several steps extend; cuts off bytes after the last finished step."""
        end = max((sum(step["files"][name][:2]) for step in self._journal["steps"] if name in step["files"]), default=0)
        return self._open_work_file(name, end)

    def _open_work_file(self, name: str, begin: int | None) -> WorkFile:
        with self._writing():
            file = WorkFile(self.folder / name, self._writing, begin=begin)
        self._files.append(file)
        return file

    def path(self, name: str) -> Path:
        """Path of a file of a finished step."""
        return self.folder / name

    def finish(self, step: str, files: Sequence[WorkFile], metadata: dict[str, Any]) -> None:
        """Finish a step: flush its files and the journal to disk."""
        with self._writing():
            marks = {file.path.name: list(file.settle()) for file in files}
            sync_folder(self.folder)
        self._journal["steps"].append({"name": step, "files": marks, "facts": metadata})
        self._write_journal()

    def verified(self, step: str, *, deleted: Collection[str] = ()) -> dict[str, Any] | None:
        """Metadata of a finished step with intact files; else None, and the step is unfinished.

        Parameters
        ----------
        deleted : files of the step that a later step has deleted
        """
        if step not in self.steps:
            return None
        place = self.steps.index(step)
        entry = self._journal["steps"][place]
        damaged = [name for name, mark in entry["files"].items() if name not in deleted and not is_as_marked(self.folder / name, mark)]
        if damaged:
            logger.warning("%s: is missing or damaged; repeating '%s' and all later steps", self.folder / damaged[0], step)
            self._journal["steps"] = self._journal["steps"][:place]
            self._write_journal()
            return None
        metadata: dict[str, Any] = entry["facts"]
        return metadata

    def discard(self, names: Sequence[str]) -> None:
        """Delete files that no step needs any longer."""
        for name in names:
            with suppress(OSError):
                (self.folder / name).unlink()

    def has_replaced(self, base: str | os.PathLike[str]) -> bool:
        """Whether the results have replaced the base that they were built on."""
        return self.placed and os.path.realpath(base) == os.path.realpath(self.out)

    def listing(self) -> list[str]:
        """Names of the entries in the result folder."""
        return sorted(os.listdir(self.out))

    def finished(self) -> Result | None:
        """The results if they are complete, in place or not yet; else None."""
        if self.placed:
            return Result.read(self.out)
        return Result.read(self.folder / RESULT) if self.verified(RESULT) is not None else None

    def publish(self, result: Result) -> None:
        """Write the results and move them into place; an earlier result stays until then.

        Raises
        ------
        OutputError
            If they cannot be written. The workspace is kept.
        """
        if self.placed:
            return self._remove_unless_kept()
        if RESULT not in self.steps:
            fresh = self.folder / RESULT
            with self._writing():
                shutil.rmtree(fresh, ignore_errors=True)
                fresh.mkdir()
                files = result.save(fresh)
                marks = {f"{RESULT}/{name}": list(mark_of(fresh / name)) for name in files}
                sync_folder(fresh)
                sync_folder(self.folder)
            self._journal["steps"].append({"name": RESULT, "files": marks, "facts": {}})
        self._journal["placing"] = True
        self._write_journal()
        with self._writing():
            self._place()
        self._remove_unless_kept()

    def _place(self) -> None:
        step = next(step for step in self._journal["steps"] if step["name"] == RESULT)
        names = [name.partition("/")[2] for name in step["files"]]
        fresh = self.folder / RESULT
        if (fresh / MANIFEST).exists():
            (self.out / MANIFEST).unlink(missing_ok=True)
            sync_folder(self.out)
        for name in RESULT_FILES:
            if name not in names:
                (self.out / name).unlink(missing_ok=True)
        for name in sorted(names, key=lambda name: name == MANIFEST):
            if name == MANIFEST:
                sync_folder(self.out)
            if (fresh / name).exists():
                os.replace(fresh / name, self.out / name)
        sync_folder(self.out)
        self.placed = True

    def _finish_placing(self) -> None:
        step = next(step for step in self._journal["steps"] if step["name"] == RESULT)
        damaged = False
        for name, mark in step["files"].items():
            path = self.folder / name if (self.folder / name).exists() else self.out / name.partition("/")[2]
            damaged = damaged or not is_as_marked(path, mark)
        with self._writing():
            if not damaged:
                self._place()
                return
            # The result in place cannot be completed, and the earlier one is lost already.
            if not (self.out / MANIFEST).exists():
                for name in RESULT_FILES:
                    (self.out / name).unlink(missing_ok=True)
        self._journal["placing"] = False
        self.verified(RESULT)

    def _forget_finished(self) -> None:
        """Forget a run whose results are in place, for a new run."""
        with self._writing():
            self._clear()
        self._journal, self.placed = _empty_journal(), False
        self._check()

    def _check(self) -> None:
        check_folder(self.name, overwrite=self._overwrite, resuming=True)

    def _remove_unless_kept(self) -> None:
        if not self._keep:
            self._remove()

    def _acquire_lock(self) -> IO[str]:
        for _ in range(100):
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                locked = lock(self.folder / "lock")
            except FileNotFoundError:  # another run has just finished and deleted the folder
                continue
            except LockedError as error:
                raise OutputError(
                    f"{self.name}: another run is writing to it ({error}). Wait until it ends, or choose another folder."
                ) from None
            if locked is not None:
                return locked
        raise OutputError(f"{self.name}: other runs keep writing to it. Choose another folder.")

    def _read_journal(self) -> dict[str, Any]:
        path = self.folder / JOURNAL
        try:
            digest, _, text = path.read_bytes().partition(b"\n")
            if digest.decode() != hashlib.sha256(text).hexdigest():
                raise ValueError("its checksum is wrong")
            journal: dict[str, Any] = json.loads(text)
            if journal["format"] != FORMAT:
                raise ValueError(f"its format is {journal['format']}, but {FORMAT} is needed")
        except FileNotFoundError:
            return _empty_journal()
        except (OSError, ValueError, KeyError) as error:
            logger.warning("%s: cannot be resumed (%s); starting over", path, error)
            return _empty_journal()
        return journal

    def _write_journal(self) -> None:
        text = json.dumps(self._journal, ensure_ascii=True).encode()
        with self._writing():
            write_durably(self.folder / JOURNAL, hashlib.sha256(text).hexdigest().encode() + b"\n" + text)

    def _clear(self) -> None:
        """Delete everything but the lock; the journal last, so that it stays true until then."""
        items = sorted(self.folder.iterdir(), key=lambda item: item.name == JOURNAL)
        for item in items:
            if item.name == "lock":
                continue
            if item.is_dir():
                shutil.rmtree(item)
            else:
                item.unlink()

    def _remove(self) -> None:
        with suppress(OSError):
            self._clear()
            (self.folder / "lock").unlink()
            self.folder.rmdir()
            if self._created_out and not self.placed:
                self.out.rmdir()

    def _writing(self) -> AbstractContextManager[None]:
        """Wrap all writing, to raise errors of the system as ``OutputError``."""
        return os_errors_as(OutputError, self._cannot_write)

    def _cannot_write(self, reason: str) -> str:
        advice = "Free some space or choose another folder."
        if self.steps:
            advice = "Free some space and repeat the command: it resumes where it stopped."
        return f"{self.name}: cannot be written ({reason}). {advice}"


def _empty_journal() -> dict[str, Any]:
    return {"format": FORMAT, "run": None, "overwrite": False, "restarts": 0, "steps": [], "placing": False}
