"""The parameters of the notebook ``experiment_plan``."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from opslab.parameters import SpecParameters


class PlanParameters(SpecParameters):
    """Parameters of ``experiment_plan``."""

    MODEL: ClassVar[str] = "opslab.experiments.plan.spec:PlannedExperiment"

    spec: str = Field("data/sample/delivery_plan.yaml", min_length=1)
    """experiment spec with its planning, from the workspace's root"""
    seed: int = Field(0, ge=0)
    """of the A/A tests that are drawn"""
