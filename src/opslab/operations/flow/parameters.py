"""The parameters of the notebook ``flow_review``."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from opslab.parameters import SpecParameters


class FlowParameters(SpecParameters):
    """Parameters of ``flow_review``."""

    MODEL: ClassVar[str] = "opslab.operations.flow.spec:Flow"

    spec: str = Field("data/sample/delivery_flow.yaml", min_length=1)
    """flow: a spec, or its export alone"""
    draws: int = Field(10_000, ge=1_000, le=100_000)
    """draws of the simulation"""
    seed: int = Field(1, ge=0)
    """seed of the draws"""
