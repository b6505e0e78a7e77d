"""What a run has done so far, kept on disk: a run that was killed goes on where it stopped.

A workspace is the folder ``.work`` in the folder of the results:

    lock            held by the process that works here; the system lets go of it, however that process ends
    journal.json    which run this is, and the steps that are done: of each its files, with size and SHA-256
    result/         the finished results, before they are put in their place
    the files of the steps

A file counts only from the moment the journal names it. Before that it is written aside, flushed to the disk and
renamed; the journal is replaced in the same way. So whatever moment the process or the machine stops at, what the journal
says is true, and what is behind it is done again. A file that is not what the journal says (torn, changed, missing) takes its
step and all later ones with it.

Results are put in place last of all: the manifest of an earlier result goes first and the new one comes last, so that what has a
manifest is whole. Once that has begun, whoever opens the workspace next brings it to its end.
"""

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
from ..result import JOURNAL, MANIFEST, RESULT_FILES, WORK, Result, check_folder
from ..storage.files import LockedError, WorkFile, is_as_marked, lock, mark_of, os_errors_as, sync_folder, write_durably

logger = logging.getLogger(__name__)

#: Changes when a journal of today could not be gone on with.
FORMAT = 1
RESULT = "result"


class Workspace:
    """The place in which one run works; a context manager.

    Parameters
    ----------
    out : folder for the results
    overwrite : an earlier result in it may be replaced, and a run that was stopped be started anew
    keep : leave the workspace in place when the run has succeeded

    Raises
    ------
    OutputError
        On entering: if results cannot be written to the folder, or another run is writing to it.
    """

    def __init__(self, out: str | os.PathLike[str], *, overwrite: bool = False, keep: bool = False) -> None:
        self.name, self.out = os.fspath(out), Path(out).absolute()
        self.folder = self.out / WORK
        self.placed = False
        self.uploaded = False  # only to a folder elsewhere
        self._overwrite, self._keep = overwrite, keep
        self._lock: IO[str] | None = None
        self._files: list[WorkFile] = []
        self._made_out = False
        self._journal = _empty_journal()

    def __enter__(self) -> Workspace:
        if not (self.folder / JOURNAL).exists():
            self._check()
        self._made_out = not self.out.exists()
        with self._writing():
            self._lock = self._locked()
        try:
            self._journal = self._read_journal()
            if self._journal["placing"]:
                self._go_on_placing()
            if not self.placed:
                self._check()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the folder; where nothing was done that is worth keeping, nothing is left."""
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
        """The names of the steps that are done."""
        return [step["name"] for step in self._journal["steps"]]

    def facts(self, step: str) -> dict[str, Any]:
        """The facts of a step as the journal has them; nothing is checked."""
        facts: dict[str, Any] = self._journal["steps"][self.steps.index(step)]["facts"]
        return facts

    @property
    def run(self) -> dict[str, Any] | None:
        """The run that was stopped here, as it was given to ``begin``."""
        run: dict[str, Any] | None = self._journal["run"]
        return run

    @property
    def restarts(self) -> int:
        """How often this run was gone on with."""
        return int(self._journal["restarts"])

    def begin(self, run: dict[str, Any], differences: Sequence[str]) -> None:
        """Go on with the run that was stopped here, or start a new one.

        Parameters
        ----------
        run : what this run is, for the journal
        differences : in what it is not the one that was stopped, in words

        Raises
        ------
        OutputError
            If it is another one and must not be thrown away.
        """
        # A command with --overwrite that is given again is the same command; else --overwrite is there to start anew.
        anew = bool(differences) or (self._overwrite and not self._journal["overwrite"])
        if self.placed and anew:
            self._forget_finished()
        stopped = self.run is not None
        if stopped and differences and not self._overwrite:
            raise OutputError(
                f"{self.name}: holds a run that was stopped, and something has changed since: {'; '.join(differences)}. "
                "Give the same command to go on with it, --overwrite to start anew, or another folder."
            )
        if stopped and not anew:
            logger.info("going on with the run that was stopped, done are: %s", ", ".join(self.steps) or "nothing")
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
        """A new file of a step; it counts when a step is finished with it."""
        return self._opened(name, None)

    def grow(self, name: str) -> WorkFile:
        """A file to which several steps add; what was added since the last of them is cut off."""
        end = max((sum(step["files"][name][:2]) for step in self._journal["steps"] if name in step["files"]), default=0)
        return self._opened(name, end)

    def _opened(self, name: str, begin: int | None) -> WorkFile:
        with self._writing():
            file = WorkFile(self.folder / name, self._writing, begin=begin)
        self._files.append(file)
        return file

    def path(self, name: str) -> Path:
        """Where a file of a finished step is."""
        return self.folder / name

    def finish(self, step: str, files: Sequence[WorkFile], facts: dict[str, Any]) -> None:
        """A step is done: put its files and the journal on the disk."""
        with self._writing():
            marks = {file.path.name: list(file.settle()) for file in files}
            sync_folder(self.folder)
        self._journal["steps"].append({"name": step, "files": marks, "facts": facts})
        self._write_journal()

    def taken(self, step: str, *, gone: Collection[str] = ()) -> dict[str, Any] | None:
        """The facts of a finished step, None if it is not done; if its files are not what they were, it is no longer done.

        Parameters
        ----------
        gone : files of the step that were needed only until a later one was done
        """
        if step not in self.steps:
            return None
        place = self.steps.index(step)
        entry = self._journal["steps"][place]
        wrong = [name for name, mark in entry["files"].items() if name not in gone and not is_as_marked(self.folder / name, mark)]
        if wrong:
            logger.warning("%s: is missing or damaged, so '%s' and what comes after it is done again", self.folder / wrong[0], step)
            self._journal["steps"] = self._journal["steps"][:place]
            self._write_journal()
            return None
        facts: dict[str, Any] = entry["facts"]
        return facts

    def discard(self, names: Sequence[str]) -> None:
        """Delete files that no step needs any more."""
        for name in names:
            with suppress(OSError):
                (self.folder / name).unlink()

    def has_replaced(self, base: str | os.PathLike[str]) -> bool:
        """Whether the results have taken the place of what they were built on."""
        return self.placed and os.path.realpath(base) == os.path.realpath(self.out)

    def listing(self) -> list[str]:
        """The names of what is in the folder of the results."""
        return sorted(os.listdir(self.out))

    def finished(self) -> Result | None:
        """The results, if all of them are there and only have to be put in place, or are in place."""
        if self.placed:
            return Result.read(self.out)
        return Result.read(self.folder / RESULT) if self.taken(RESULT) is not None else None

    def publish(self, result: Result) -> None:
        """Write the results and put them in place; an earlier result stays as it was until the new one is complete.

        Raises
        ------
        OutputError
            If they cannot be written. What is done is kept.
        """
        if self.placed:
            return self._done()
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
        self._done()

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

    def _go_on_placing(self) -> None:
        step = next(step for step in self._journal["steps"] if step["name"] == RESULT)
        wrong = False
        for name, mark in step["files"].items():
            there = self.folder / name if (self.folder / name).exists() else self.out / name.partition("/")[2]
            wrong = wrong or not is_as_marked(there, mark)
        with self._writing():
            if not wrong:
                self._place()
                return
            # What is in place of a result that cannot be completed is no result, and no earlier one either.
            if not (self.out / MANIFEST).exists():
                for name in RESULT_FILES:
                    (self.out / name).unlink(missing_ok=True)
        self._journal["placing"] = False
        self.taken(RESULT)

    def _forget_finished(self) -> None:
        """The run that was stopped here has come to its end; what is asked for now is a run of its own."""
        with self._writing():
            self._clear()
        self._journal, self.placed = _empty_journal(), False
        self._check()

    def _check(self) -> None:
        check_folder(self.name, overwrite=self._overwrite, working=True)

    def _done(self) -> None:
        if not self._keep:
            self._remove()

    def _locked(self) -> IO[str]:
        for _ in range(100):
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                held = lock(self.folder / "lock")
            except FileNotFoundError:  # another run has just come to its end
                continue
            except LockedError as error:
                raise OutputError(
                    f"{self.name}: another run is writing to it ({error}). Wait for its end, or choose another folder."
                ) from None
            if held is not None:
                return held
        raise OutputError(f"{self.name}: other runs keep writing to it. Choose another folder.")

    def _read_journal(self) -> dict[str, Any]:
        path = self.folder / JOURNAL
        try:
            digest, _, text = path.read_bytes().partition(b"\n")
            if digest.decode() != hashlib.sha256(text).hexdigest():
                raise ValueError("its checksum is wrong")
            journal: dict[str, Any] = json.loads(text)
            if journal["format"] != FORMAT:
                raise ValueError(f"its format is {journal['format']}, this is {FORMAT}")
        except FileNotFoundError:
            return _empty_journal()
        except (OSError, ValueError, KeyError) as error:
            logger.warning("%s: cannot be gone on with (%s), so the run starts anew", path, error)
            return _empty_journal()
        return journal

    def _write_journal(self) -> None:
        text = json.dumps(self._journal, ensure_ascii=True).encode()
        with self._writing():
            write_durably(self.folder / JOURNAL, hashlib.sha256(text).hexdigest().encode() + b"\n" + text)

    def _clear(self) -> None:
        """Delete everything but the lock, the journal last: until then it says what is there."""
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
            if self._made_out and not self.placed:
                self.out.rmdir()

    def _writing(self) -> AbstractContextManager[None]:
        """Around all writing: what the system refuses becomes an ``OutputError``."""
        return os_errors_as(OutputError, self._cannot_write)

    def _cannot_write(self, why: str) -> str:
        advice = "Free some space or choose another folder."
        if self.steps:
            advice = "Free some space and give the same command again: it resumes where it stopped."
        return f"{self.name}: cannot be written ({why}). {advice}"


def _empty_journal() -> dict[str, Any]:
    return {"format": FORMAT, "run": None, "overwrite": False, "restarts": 0, "steps": [], "placing": False}
