"""The mean of an amount over units, such as revenue per user."""

from __future__ import annotations

from typing import ClassVar, Literal

from opslab.experiments.metrics.one_column import OneColumn


class Mean(OneColumn):
    """The mean of a numeric column over units, such as revenue per user.

    Fields are those of the spec (see the reference of specs); raises `SpecError` for what is none.

    Examples
    --------
    >>> Mean(name="revenue", type="mean", column="eur", role="secondary", goal="increase").missing
    'refuse'
    """

    outliers: ClassVar[bool] = True

    type: Literal["mean"]
    squares: str | None = None
    """with one row of totals for each arm: column of the sum of squares; column holds the sum"""
    sd: str | None = None
    """with one row of totals for each arm: column of the standard deviation; column the mean"""
