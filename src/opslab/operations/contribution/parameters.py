"""The parameters of the notebook ``contribution``."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from opslab.parameters import SpecParameters


class ContributionParameters(SpecParameters):
    """Parameters of ``contribution``."""

    MODEL: ClassVar[str] = "opslab.operations.contribution.spec:Contribution"

    spec: str = Field("data/sample/product_contribution.yaml", min_length=1)
    """contribution: its runs, and what is owed"""
    seed: int = Field(1, ge=0)
    """seed of the draws behind sums and changes"""
