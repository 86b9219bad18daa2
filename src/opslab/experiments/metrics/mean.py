"""The mean of an amount over units, such as revenue per user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import model_validator

from opslab.experiments.metrics.base import fault
from opslab.experiments.metrics.one_column import OneColumn
from opslab.experiments.moments.arm_moments import Moments


class Mean(OneColumn):
    """The mean of a numeric column over units."""

    outliers: ClassVar[bool] = True

    type: Literal["mean"]
    squares: str | None = None
    """with one row of totals for each arm: column of the sum of squares; column holds the sum"""
    sd: str | None = None
    """with one row of totals for each arm: column of the standard deviation; column the mean"""

    @model_validator(mode="after")
    def _squares_or_sd(self) -> Self:
        if len(self.spread) > 1:
            raise fault("spread_twice")
        return self

    def counted(self, n: int, totals: Mapping[str, float]) -> Moments:
        """Return the moments from sum and sum of squares, or from mean and standard deviation."""
        value = totals[str(self.column)]
        if self.sd is not None:
            return Moments(n, value, totals[self.sd] ** 2 * (n - 1))
        return Moments(n, value / n, totals[str(self.squares)] - value**2 / n)
