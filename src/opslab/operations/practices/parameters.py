"""The parameters of the notebook ``practice_review``."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from opslab.parameters import SpecParameters


class PracticesParameters(SpecParameters):
    """Parameters of ``practice_review``."""

    MODEL: ClassVar[str] = "opslab.operations.practices.spec:PracticeReview"

    spec: str = Field("data/sample/product_practices.yaml", min_length=1)
    """review of practices: a spec, or a canvas alone"""
    draws: int = Field(10_000, ge=1_000, le=100_000)
    """draws of the simulation of processes"""
    seed: int = Field(1, ge=0)
    """seed of the draws"""
