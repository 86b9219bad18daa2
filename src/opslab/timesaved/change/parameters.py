"""The parameters of the notebook ``change_review``."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from opslab.parameters import SpecParameters


class ChangeParameters(SpecParameters):
    """Parameters of ``change_review``."""

    MODEL: ClassVar[str] = "opslab.timesaved.change.spec:ChangeReview"

    spec: str = Field("data/sample/product_change.yaml", min_length=1)
    """review of a change: a spec"""
    seed: int = Field(1, ge=0)
    """seed of permutations and resampling"""
