"""The run folder: its name says what went in, and it is there whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opslab import workspace
from opslab.archive import FAILURE, FILE_NAME, NOTEBOOK, READOUT, RESULT, RUN, Status, read_run
from opslab.errors import CHECK_FAILED, MachineError

_ASIDE = re.compile(
    r"\.(\d{4}-\d\d-\d\d-[0-9a-f]{8}|index\.html|catalogue\.\w+|batch-[\w-]+(?:\.json)?)"
    r"(\.failed)?\.(lock|new|old)"
)
"""Hidden names of what is written beside a run or a file; the first group is whose they are."""
_PATIENCE = 30
"""Seconds to wait for another process that writes the same file."""
MOMENT = 2
"""Seconds to wait for one that only looks whether anything is left over."""


@dataclass(frozen=True)
class Run:
    """A run and where it is filed.

    Attributes
    ----------
    folder : Path
    status : {"complete", "check_failed"}
        The latter for a complete readout whose blocking check is red.
    headline : str
    reason : str or None
        Of a red one: the first thing that is wrong.
    reused : bool
        Whether the folder was there already, and no work was done.
    altered : str or None
        Name of the file for whose sake a run that was filed before was made anew.
    remark : str or None
        Message that tells why it will be made anew each time.
    """

    folder: Path
    status: Status
    headline: str
    reason: str | None = None
    reused: bool = False
    altered: str | None = None
    remark: str | None = None

    @property
    def readout(self) -> Path:
        """The page."""
        return self.folder / READOUT

    @property
    def exit_code(self) -> int:
        """0, or 3 when a blocking check is red."""
        return CHECK_FAILED if self.status == "check_failed" else 0

    def result(self) -> dict[str, Any]:
        """Return the record."""
        return dict(json.loads((self.folder / RESULT).read_text(encoding="utf-8")))


def filed(target: Path, digest: str) -> Run | str | None:
    """Return the run that is filed in a folder already, if it is whole and has this hash.

    Where it does not hold, the name of the file that was altered, is missing, or has changed since
    the run read it. None where there is none, where another program has executed the notebook, or
    where it reads what cannot be known.
    """
    if not target.exists():
        return None
    run = read_run(target)
    if run.altered or run.card is None or run.card.digest != digest:
        return run.altered or RUN
    for name, sha256 in run.card.also_read.items():
        path = workspace.root() / name
        if not workspace.is_there(path, file=True) or workspace.sha256(path) != sha256:
            return name
    if run.card.origin == "rendered" or not run.card.reusable:
        return None
    return Run(target, run.card.status, run.card.headline, run.card.reason, reused=True)


@contextmanager
def alone(target: Path, *, seconds: int = MOMENT) -> Iterator[None]:
    """Hold the lock of a file or folder, and clear away what a killed process left beside it.

    The lock lives beside its target, so that it holds for everyone who files there, and it goes
    with the block.

    Parameters
    ----------
    target : Path
    seconds : int
        How long to wait for another process that is at it.

    Raises
    ------
    MachineError
        When another process is at it.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(_beside(target, "lock"), timeout=seconds)
    try:
        with machine_errors(lock.lock_file):
            target.parent.stat()  # the lock would make the folder
            lock.acquire()
    except Timeout:
        raise MachineError.of("runs.overlap", file="/".join(target.parts[-3:])) from None
    try:
        with machine_errors(target):
            _heal(target)
        yield
    finally:
        with suppress(OSError):  # where an open file cannot go, the next one who locks it takes it
            Path(lock.lock_file).unlink()
        lock.release()


def recover(reports: Path) -> None:
    """Bring back what a killed process was about to replace, and clear away what it left.

    What another process is at is left to it.
    """
    left = {
        path.with_name(name[1])
        for path in (*reports.glob(".*"), *reports.glob("*/*/.*"))
        if (name := _ASIDE.fullmatch(path.name))
    }
    for target in sorted(left):
        with suppress(MachineError), alone(target, seconds=0):
            pass


def _heal(target: Path) -> None:
    """Finish or undo what was under way when its process ended; the lock of the target is held."""
    for path in (target, failed_beside(target)):
        old = _beside(path, "old")
        if old.exists() and not path.exists():
            old.rename(path)
        _remove(old)
        _remove(_beside(path, "new"))


@contextmanager
def working_folder(target: Path) -> Iterator[Path]:
    """Give a folder to write in, beside the one in which the run will stand."""
    folder = _beside(target, "new")
    with machine_errors(folder):
        folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        _remove(folder)


def file_away(folder: Path, target: Path) -> None:
    """Move a whole working folder to its name; one that stands there already gives way.

    Ended at any point it leaves the one or the other whole, if only as what `recover` brings back.
    """
    old = _beside(target, "old")
    if target.exists():
        for path in strangers(target):
            if not (folder / path.name).exists():
                shutil.copy2(path, folder)
        target.rename(old)
    try:
        folder.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise
    _remove(old)


def strangers(folder: Path) -> list[Path]:
    """Return the files of a run's folder that somebody has put there."""
    ours = {READOUT, NOTEBOOK, RESULT, RUN, FAILURE}
    files = [path for path in folder.iterdir() if path.is_file() and path.name not in ours]
    return [path for path in files if not FILE_NAME.fullmatch(path.name)]


def discard(folder: Path) -> None:
    """Remove a run's folder; ended at any point it leaves no half of it under its name."""
    if folder.exists():
        old = _beside(folder, "old")
        folder.rename(old)
        _remove(old)


def failed_beside(target: Path) -> Path:
    """Return the folder beside a run's where one that failed keeps what it got."""
    return target.with_name(f"{target.name}.failed")


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole, or leave what was there."""
    with alone(path, seconds=_PATIENCE):
        aside = _beside(path, "new")
        try:
            write_through(aside, content)
            aside.replace(path)
        finally:
            _remove(aside)


def json_bytes(content: Mapping[str, Any]) -> bytes:
    """Return JSON written the same way each time: UTF-8, indented, without NaN."""
    return (json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def write_through(path: Path, content: bytes) -> None:
    """Write a file and wait until the disk has it: a name must not be there before its bytes."""
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _beside(path: Path, kind: str) -> Path:
    """Return the hidden name beside a path of its lock, of what is new, or of what was there."""
    return path.with_name(f".{path.name}.{kind}")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):  # the next start sweeps it
            path.unlink()


@contextmanager
def machine_errors(path: Path | str) -> Iterator[None]:
    """Tell what the machine refuses in this block, and where: a disk, a permission.

    What it refuses has a number; an OSError without one is a mistake in the code, unless somebody
    has taken the folder away.
    """
    try:
        yield
    except OSError as error:
        gone = isinstance(error, FileNotFoundError) and not Path(path).parent.exists()
        if isinstance(error, MachineError) or (error.errno is None and not gone):
            raise
        file, reason = str(error.filename or path), error.strerror or os.strerror(errno.ENOENT)
        raise MachineError.of("runs.machine", file=file, reason=reason) from error
