"""Experiments that a log names: what the last run of each says of its rule."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from opslab import workspace
from opslab.errors import InputError
from opslab.evidence import Grade
from opslab.filed_runs import NAME, find_run
from opslab.operations.decisions.spec import Decision, DecisionReview
from opslab.tables.sheets import Sheet

_NOTEBOOK = "experiment_readout/"


class Trial(NamedTuple):
    """What the last run of an experiment tells: its rule's action, its grade, its registration.

    Attributes
    ----------
    day : datetime.date
        Of the run.
    file : Path
        Its record.
    """

    action: str
    grade: Grade | None
    registered: bool
    day: datetime.date
    file: Path


Trials = Mapping[str, Trial | None]
"""By the id of the decision that stands on the experiment; None where no run can be used."""


def trials(review: DecisionReview, sheet: Sheet[Decision], day: datetime.date) -> Trials:
    """Return what the latest run until each decision tells of the experiment that it stands on.

    Looked for in the reports first, then in the folders that the spec names. Not used: what is
    missing, later, altered, red, exploratory, or one of several of a day that differ.
    """
    folders = [workspace.reports(), *map(review.beside, review.runs)]
    return {
        item.id: _trial(item.experiment, folders, min(item.decided or day, day))
        for _, item in sheet.rows
        if item.experiment
    }


def _trial(name: str, folders: list[Path], day: datetime.date) -> Trial | None:
    path = _NOTEBOOK + name.rpartition(_NOTEBOOK)[2]
    if not re.match(NAME, path):
        return None
    try:
        run = find_run(path, folders, day)
    except InputError:
        return None
    checks = {check["name"]: check["status"] for check in run.record["checks"]}
    return Trial(
        run.record["decision"]["action"],
        min((each["grade"] for each in run.record["evidence"]), default=None),
        checks.get("plan_unchanged") == "pass",
        run.day,
        run.file,
    )


def trial_by(trial: Trial | None, ended: datetime.date | None) -> Trial | None:
    """Return what was told by the decision's day: the history may know an earlier one."""
    return trial if trial and trial.day <= (ended or trial.day) else None
