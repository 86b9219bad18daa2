"""Other runs that a spec names: their records, as they were filed and nothing altered since."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opslab import archive, provenance
from opslab.errors import SpecError
from opslab.specs import FromFile


@dataclass(frozen=True)
class CitedRun:
    """A run folder that a spec names: what it tells of itself, and its record."""

    card: archive.Card
    record: Mapping[str, Any]


def record_file(folder: str) -> str:
    """Return the path of a run's record: what a spec's `named` tells of a run that it cites."""
    return f"{folder}/{archive.RESULT}"


def cited_run(spec: FromFile, folder: str, *location: str | int, notebook: str = "") -> CitedRun:
    """Return a run that a field of a spec names by its folder.

    Parameters
    ----------
    spec : FromFile
    folder : str
        From the spec's own folder.
    *location
        The field.
    notebook : str
        Whose run it has to be.

    Raises
    ------
    SpecError
        Where there is no such run, it was altered since, stopped at a check, or is exploratory.
    """
    path = spec.beside(folder)
    filed = archive.read_run(path, whole=False)
    key = ""
    if filed.card is None or (notebook and filed.card.notebook != notebook):
        key = "operations.no_run"
    elif filed.altered:
        key = "operations.altered_run"
    elif filed.card.status != "complete":
        key = "operations.stopped_run"
    record = {} if key else json.loads(filed.files[archive.RESULT])
    if record.get("exploratory"):
        key = "operations.explored_run"
    if key or filed.card is None:
        raise SpecError(spec.problem(key, *location, run=folder, notebook=notebook or "…"))
    provenance.note(path / archive.RESULT, filed.card.outputs[archive.RESULT])
    return CitedRun(filed.card, record)
