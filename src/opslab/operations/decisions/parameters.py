"""The parameters of the notebook ``decision_review``."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from pydantic import Field

from opslab.operations.decisions.trials import trials
from opslab.parameters import Inputs, SpecParameters


class DecisionsParameters(SpecParameters):
    """Parameters of ``decision_review``."""

    MODEL: ClassVar[str] = "opslab.operations.decisions.spec:DecisionReview"

    spec: str = Field("data/sample/product_decisions.yaml", min_length=1)
    """review of decisions: a spec, or a decision log alone"""
    seed: int = Field(1, ge=0)
    """seed of the resampling"""

    def stands_on(self) -> Inputs:
        """Return the run's name, day and files, with the records of experiments in the log."""
        inputs, review = super().stands_on(), self.declared()
        known = trials(review, review.rows(), inputs.as_of).values()
        files = (*inputs.files, *(trial.file for trial in known if trial))
        return replace(inputs, files=(*dict.fromkeys(files),))
