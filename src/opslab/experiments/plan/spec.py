"""An experiment before its start: it stands on its history, because its data do not exist yet."""

from __future__ import annotations

import datetime

from opslab.documents import Location
from opslab.errors import Problem
from opslab.experiments.spec import Experiment


class PlannedExperiment(Experiment):
    """An experiment that is to be planned: the files it names are those of its history."""

    @property
    def date(self) -> datetime.date | None:
        """The day of the plan: the day before the experiment starts."""
        start = self.period and self.period.start
        return start - datetime.timedelta(days=1) if start else None

    def named(self) -> dict[Location, str]:
        """Return the files of the history."""
        history = self.planning.history
        paths = {} if history is None or history.connection else history.sources
        return {("planning", "history", field): path for field, path in paths.items()}

    def missing_files(self) -> list[Problem]:
        """Return a problem for every file of the history that is not there."""
        history, missing = self.planning.history, super().missing_files()
        if history and history.connection and not history.snapshot:
            missing.append(self.problem("experiments.no_snapshot", "planning", "history"))
        return missing
