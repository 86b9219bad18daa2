"""The parameters of the experiment notebooks."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from pydantic import Field

from opslab import workspace
from opslab.errors import ParameterError
from opslab.parameters import Inputs, Parameters

if TYPE_CHECKING:
    from opslab.experiments.spec import Experiment


class ReadoutParameters(Parameters):
    """Parameters of ``experiment_readout``."""

    spec: str = Field("data/sample/checkout.yaml", min_length=1)
    """experiment spec, from the workspace's root"""

    def experiment(self) -> Experiment:
        """Return the experiment; raises `SpecError` when the spec needs correcting."""
        # Only now: unknown parameters are told without it.
        from opslab.experiments.spec import Experiment

        return Experiment.load(workspace.resolve(self.spec), self.spec)

    def day(self, experiment: Experiment) -> datetime.date:
        """Return the day of the readout: as given, or when the last window is over."""
        if self.as_of is not None:
            return self.as_of
        last = experiment.last_day
        if last is None:
            raise ParameterError.of("experiments.as_of_needed", field="as_of")
        return last

    def stands_on(self) -> Inputs:
        """Return the run's name, day and files."""
        experiment = self.experiment()
        experiment.refuse_uncomputed()
        day = self.day(experiment)
        missing = experiment.missing_files()
        if experiment.data.connection and not experiment.data.snapshot:
            missing.append(experiment.problem("experiments.no_snapshot", "data"))
        elif not experiment.named() and not experiment.data.connection:
            missing.append(experiment.problem("experiments.no_data", "data"))
        ParameterError.refuse(missing)
        return Inputs(experiment.slug, day, experiment.files())
