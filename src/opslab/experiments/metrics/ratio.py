"""A ratio of two sums, such as revenue per order."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Self

from opslab.experiments.metrics.base import EVERY_FORM, Declaration, Form

if TYPE_CHECKING:
    from opslab.experiments.units.row_sums import RowSums

_SHARED = ("name", "role", "goal", "mde", "margin", "covariates")


class Ratio(Declaration):
    """The sum of one column over the sum of another.

    Its two columns are summed together: it is compared through the linearised variable of units.
    Fields are those of the spec (see the reference of specs); raises `SpecError` for what is none.

    Examples
    --------
    >>> basket = {"name": "basket", "type": "ratio", "numerator": "eur", "denominator": "orders"}
    >>> Ratio(**basket, role="secondary", goal="increase").own
    {'numerator': 'eur', 'denominator': 'orders'}
    """

    forms: ClassVar[frozenset[Form]] = EVERY_FORM - {"events", "trigger", "spans"}
    outliers: ClassVar[bool] = True

    type: Literal["ratio"]
    numerator: str
    """column that is summed above the line"""
    denominator: str
    """column that is summed below the line"""

    @classmethod
    def of_sums(cls, metric: Declaration, numerator: str, denominator: str) -> Self:
        """Return what a metric is where it can only be had as the ratio of two sums."""
        shared = {name: getattr(metric, name) for name in _SHARED}
        return cls(
            type="ratio", numerator=numerator, denominator=denominator, missing="drop", **shared
        )

    def over_rows(self, sums: RowSums) -> Self:
        """Return the same as over units: it is the sums of rows that are divided."""
        return self.over_units(sums)

    def over_days(self, sums: RowSums, unit: str) -> Self:
        """Return the ratio of the two totals of each day."""
        del unit
        return self.of_sums(self, **self.totals(sums, self.own))
