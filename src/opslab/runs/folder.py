"""The run folder: its name says what went in, and it is there whole or not at all."""

from __future__ import annotations

import datetime
import hashlib
import json
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from opslab.errors import CHECK_FAILED, MachineError
from opslab.messages import LANGUAGES, Language

READOUT, NOTEBOOK, RESULT, RUN = "readout.html", "notebook.ipynb", "result.json", "run.json"
FILE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,60}\.(csv|pdf|xlsx)", re.ASCII)
"""Of what a run may bring beside its four."""

Status = Literal["complete", "check_failed"]
"""Of a whole run; one that failed has no readout."""


@dataclass(frozen=True)
class Run:
    """A run and where it is filed.

    Attributes
    ----------
    folder : Path
    status : {"complete", "check_failed"}
        The latter for a complete readout whose blocking check is red.
    headline : str
    reused : bool
        Whether the folder was there already, and no work was done.
    """

    folder: Path
    status: Status
    headline: str
    reused: bool = False

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


class Card(BaseModel):
    """What a whole run tells of itself in ``run.json``; it may come from anywhere."""

    notebook: str
    name: str
    as_of: datetime.date
    status: Status
    headline: str
    digest: str = ""
    action: str | None = None
    tone: str | None = None
    parameters: Mapping[str, Any] = {}
    outputs: Mapping[str, str] = {}

    @classmethod
    def of(cls, content: bytes) -> Card | None:
        """Return what the bytes of a ``run.json`` tell, or None when they tell of no whole run."""
        try:
            return cls.model_validate_json(content)
        except ValidationError:
            return None

    @classmethod
    def read(cls, file: Path) -> Card | None:
        """Return what a ``run.json`` tells, or None when it tells of no whole run."""
        try:
            return cls.of(file.read_bytes())
        except OSError:
            return None

    @property
    def run_id(self) -> str:
        """The folder under the reports; it is not known to be a safe path."""
        return run_id(self.notebook, self.name, self.as_of, self.digest)

    @property
    def language(self) -> Language:
        """The language of the readout."""
        return language_of(self.parameters)


def run_id(notebook: str, name: str, as_of: datetime.date, digest: str) -> str:
    """Return the folder of a run under the reports."""
    return f"{notebook}/{name}/{as_of.isoformat()}-{digest[:8]}"


def language_of(parameters: Mapping[str, Any]) -> Language:
    """Return the language that a run's parameters ask for, English when it is none of ours."""
    return next((known for known in LANGUAGES if known == parameters.get("language")), "en")


def filed(target: Path, digest: str) -> Run | None:
    """Return the run that is filed in a folder already, if it is whole and has this hash."""
    card = Card.read(target / RUN)
    if card is None or card.digest != digest or not (target / READOUT).is_file():
        return None
    return Run(target, card.status, card.headline, reused=True)


@contextmanager
def alone(target: Path) -> Iterator[None]:
    """Keep the same run from being made twice at once.

    Raises `MachineError` when another process is at it.
    """
    from filelock import FileLock, Timeout

    name = hashlib.sha256(str(target.resolve()).encode()).hexdigest()[:16]
    lock = FileLock(Path(tempfile.gettempdir()) / f"opslab-{name}.lock", timeout=0)
    try:
        with machine_errors(lock.lock_file):
            lock.acquire()
    except Timeout:
        raise MachineError.of("runs.overlap", file="/".join(target.parts[-3:])) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def working_folder(target: Path) -> Iterator[Path]:
    """Give a folder to write in, beside the one in which the run will stand."""
    folder = _beside(target)
    with machine_errors(folder):
        folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def file_away(folder: Path, target: Path) -> None:
    """Move a whole working folder to its name; one that stands there already gives way at once."""
    if not target.exists():
        try:
            folder.rename(target)
        except OSError:
            if not target.exists():
                raise
        else:
            return
    old = _beside(target)
    target.rename(old)
    folder.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def discard(folder: Path) -> None:
    """Remove a run's folder; ended at any point it leaves no half of it under its name."""
    old = _beside(folder)
    folder.rename(old)
    shutil.rmtree(old, ignore_errors=True)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole, or leave what was there."""
    aside = _beside(path)
    try:
        aside.write_bytes(content)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def _beside(path: Path) -> Path:
    """Return a hidden name beside a path that nothing else has."""
    return path.with_name(f".{path.name}-{secrets.token_hex(4)}")


@contextmanager
def machine_errors(path: Path | str) -> Iterator[None]:
    """Tell what the machine refuses in this block, and where: a disk, a permission.

    What it refuses has a number; an OSError without one is a mistake in the code.
    """
    try:
        yield
    except OSError as error:
        if isinstance(error, MachineError) or error.errno is None:
            raise
        file = str(error.filename or path)
        raise MachineError.of("runs.machine", file=file, reason=error.strerror) from error
