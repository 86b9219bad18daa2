"""The run that a study continues: whose registry of themes it reads."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import TYPE_CHECKING

from opslab import archive, workspace
from opslab.errors import InputError
from opslab.filed_runs import looked_at
from opslab.secret import ERASED

if TYPE_CHECKING:
    from opslab.feedback.spec import Study

NOTEBOOK = "feedback_themes"
FILE = "registry.json"
"""The registry in a run's folder."""


def predecessor(study: Study, day: datetime.date) -> Path | None:
    """Return the registry of the run that a study names, or of its last good one before a day.

    Of several of one day it is the one that was filed last.

    Raises
    ------
    InputError
        Where the run that is named is not there or later, where a registry was altered since it
        was filed, and where later runs are there already, which would not know of this one.
    """
    if study.previous == "none":
        return None
    home = workspace.reports() / NOTEBOOK / study.slug
    if study.previous != "last":
        folder = workspace.reports() / study.previous
        registry = _registry(folder)
        if registry is None or folder.name[:10] > day.isoformat():
            raise InputError(study.problem("feedback.no_previous", "previous", run=study.previous))
        return registry
    runs, today = archive.runs_in(home), day.isoformat()
    later = [run for run in runs if run[:10] > today]
    if later and not any(run.startswith(today) for run in runs):
        values = {"day": day, "later": later[0], "name": f"{NOTEBOOK}/{study.slug}"}
        raise InputError(study.problem("feedback.later_runs", "previous", **values))
    early = [home / run for run in runs if run[:10] < today]
    for folder in sorted(early, key=lambda run: (run.name[:10], run.stat().st_mtime_ns))[::-1]:
        if registry := _registry(folder):
            return registry
    return None


def cited(study: Study, day: datetime.date) -> list[Path]:
    """Return what a run reads beside its study: records of what was done, and who was erased."""
    runs = [done.run for done in study.promises(day) if done.run]
    gone = workspace.root() / ERASED
    return [*dict.fromkeys(looked_at(runs, study.folders(), day)), *([gone] * gone.is_file())]


def _registry(folder: Path) -> Path | None:
    """Return the registry of a run that came to a good end; None of another.

    Raises `InputError` where it is no longer what was filed.
    """
    filed = archive.read_run(folder, whole=False)
    if filed.card is None or filed.card.status != "complete":
        return None
    sha256, path = filed.card.outputs.get(FILE), folder / FILE
    if sha256 is None or json.loads(filed.files[archive.RESULT]).get("exploratory"):
        return None
    if filed.altered or not workspace.is_there(path, file=True) or workspace.sha256(path) != sha256:
        run = "/".join(folder.parts[-3:])
        raise InputError.of("feedback.altered_registry", file=workspace.shown(path), run=run)
    return path
