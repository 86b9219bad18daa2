"""The parameters of the notebook ``roadmap``."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from pydantic import Field

from opslab.operations.cited import records_of_last
from opslab.parameters import Inputs, SpecParameters


class RoadmapParameters(SpecParameters):
    """Parameters of ``roadmap``."""

    MODEL: ClassVar[str] = "opslab.operations.roadmap.spec:Roadmap"

    spec: str = Field("data/sample/product_roadmap.yaml", min_length=1)
    """roadmap: a spec, or its initiatives alone"""
    draws: int = Field(10_000, ge=1_000, le=100_000)
    """draws of the simulation"""
    seed: int = Field(1, ge=0)
    """seed of the draws"""

    def stands_on(self) -> Inputs:
        """Return the run's name, day and files, with the records that `previous: last` looks at."""
        inputs = super().stands_on()
        records = records_of_last(self.declared(), "roadmap", inputs.as_of)
        return replace(inputs, files=(*inputs.files, *records))
