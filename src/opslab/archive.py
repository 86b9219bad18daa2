"""The archive of runs: the files of a run folder, and whether they are still those that were filed.

Everything that reads a filed run, to use it again, to cite it or to pack it, reads it here.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel

from opslab.messages import LANGUAGES, Language

READOUT, NOTEBOOK, RESULT, RUN = "readout.html", "notebook.ipynb", "result.json", "run.json"
FAILURE = "failure.html"
FILE_NAME = re.compile(
    r"[a-z0-9][a-z0-9_-]{0,60}\.(csv|pdf|xlsx)|theme-[a-z0-9]{1,20}\.html|experiment\.yaml"
    r"|registry\.json|digest\.(md|txt)",
    re.ASCII,
)
"""Of what a run may bring beside its four."""
_RUN_FOLDER = re.compile(r"\d{4}-\d{2}-\d{2}-[0-9a-f]{8}", re.ASCII)

Status = Literal["complete", "check_failed"]
"""Of a whole run; one that failed has no readout."""

MACHINE = {"seconds_per_cell", "kernel"}
"""Of ``run.json``: the clock and the way to a kernel are no part of what a run found."""


class Card(BaseModel):
    """What a whole run tells of itself in ``run.json``; it may come from anywhere."""

    notebook: str
    name: str
    as_of: datetime.date
    status: Status
    headline: str
    digest: str
    outputs: Mapping[str, str]
    origin: Literal["run", "rendered"] = "run"
    action: str | None = None
    tone: str | None = None
    reason: str | None = None
    owner: str | None = None
    facts: Sequence[str] = ()
    parameters: Mapping[str, Any] = {}
    also_read: Mapping[str, str] = {}
    reusable: bool = True

    @classmethod
    def of(cls, content: bytes) -> Self | None:
        """Return what the bytes of a ``run.json`` tell, or None when they tell of no whole run."""
        try:
            about = json.loads(content)
            return cls.model_validate(about) if about["seal"] == _seal(about) else None
        except (ValueError, KeyError, TypeError, RecursionError):
            return None

    @classmethod
    def read(cls, file: Path) -> Self | None:
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


@dataclass(frozen=True)
class FiledRun:
    """A run as it stands in its folder.

    Attributes
    ----------
    card : Card or None
        None when ``run.json`` tells of no whole run.
    files : Mapping of str to bytes
        Its files by name, as far as they are those that were filed.
    altered : str or None
        Name of the first file that is missing, or not the one that was filed.
    """

    card: Card | None
    files: Mapping[str, bytes]
    altered: str | None


def read_run(folder: Path, *, whole: bool = True) -> FiledRun:
    """Read a run folder, and compare its files with the hashes noted when it was filed.

    A file that a link puts outside of the folder counts as missing.

    Parameters
    ----------
    folder : Path
    whole : bool
        Whether to read every file that was filed; the record alone otherwise.
    """
    about = _content(folder, RUN)
    card = Card.of(about)
    needed = {READOUT, NOTEBOOK, RESULT} if whole else {RESULT}
    if card is None or not needed <= set(card.outputs):
        return FiledRun(None, {}, RUN)
    files = {RUN: about}
    for name, noted in sorted(card.outputs.items()):
        if not whole and name != RESULT:
            continue
        files[name] = _content(folder, name)
        if hashlib.sha256(files[name]).hexdigest() != noted:
            return FiledRun(card, files, name)
    return FiledRun(card, files, None)


def runs_in(home: Path) -> list[str]:
    """Return the names of the run folders in a folder, the earliest first; none of no folder."""
    try:
        return sorted(path.name for path in home.iterdir() if _is_dated(path.name))
    except (OSError, ValueError):
        return []


def _is_dated(name: str) -> bool:
    try:
        return bool(_RUN_FOLDER.fullmatch(name) and datetime.date.fromisoformat(name[:10]))
    except ValueError:
        return False


def _content(folder: Path, name: str) -> bytes:
    """Return a file's bytes, none where there is no such file."""
    path = folder / name
    ours = name in {READOUT, NOTEBOOK, RESULT, RUN} or FILE_NAME.fullmatch(name)
    try:
        if ours and path.resolve().parent == folder.resolve():
            return path.read_bytes()
    except (OSError, RuntimeError):
        pass
    return b""


def sealed(about: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``run.json`` holds with the hash of it: a change by hand or a lost half shows."""
    return {**about, "seal": _seal(about)}


def _seal(about: Mapping[str, Any]) -> str:
    kept = {name: value for name, value in about.items() if name not in MACHINE | {"seal"}}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def run_id(notebook: str, name: str, as_of: datetime.date, digest: str) -> str:
    """Return the folder of a run under the reports."""
    return f"{notebook}/{name}/{as_of.isoformat()}-{digest[:8]}"


def language_of(parameters: Mapping[str, Any]) -> Language:
    """Return the language that a run's parameters ask for, English when it is none of ours."""
    return next((known for known in LANGUAGES if known == parameters.get("language")), "en")
