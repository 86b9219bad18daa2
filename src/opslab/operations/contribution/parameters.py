"""The parameters of the notebook ``contribution``."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from pydantic import Field

from opslab.operations.cited import records_of_last
from opslab.operations.contribution.citations import looked_at
from opslab.parameters import Inputs, SpecParameters


class ContributionParameters(SpecParameters):
    """Parameters of ``contribution``."""

    MODEL: ClassVar[str] = "opslab.operations.contribution.spec:Contribution"

    spec: str = Field("data/sample/product_contribution.yaml", min_length=1)
    """contribution: its runs, and what is owed"""
    seed: int = Field(1, ge=0)
    """seed of the draws behind sums and changes"""

    def stands_on(self) -> Inputs:
        """Return the run's name, day and files, with the records of all runs that are looked at."""
        inputs, contribution = super().stands_on(), self.declared()
        records = looked_at(contribution, inputs.as_of)
        last = records_of_last(contribution, "contribution", inputs.as_of)
        return replace(inputs, files=tuple(dict.fromkeys((*inputs.files, *records, *last))))
