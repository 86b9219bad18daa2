"""The parameters of the notebook ``prioritisation``."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from opslab.parameters import SpecParameters


class PrioritisationParameters(SpecParameters):
    """Parameters of ``prioritisation``."""

    MODEL: ClassVar[str] = "opslab.operations.prioritisation.spec:Backlog"

    spec: str = Field("data/sample/backlog.yaml", min_length=1)
    """backlog: a spec or its sheet"""
    draws: int = Field(10_000, ge=1_000, le=100_000)
    """draws of the simulation"""
    seed: int = Field(1, ge=0)
    """seed of the draws"""
