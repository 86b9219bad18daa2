"""A quantile over units or rows, such as the load time that 90 % stay below."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Self

from opslab.experiments.metrics.base import Declaration, Form, Share

if TYPE_CHECKING:
    from opslab.experiments.units.row_sums import RowSums


class Quantile(Declaration):
    """A quantile of a numeric column.

    It is compared by order statistics, which sums do not give: a pass of its own finds them. Fields
    are those of the spec (see the reference of specs); raises `SpecError` for what is none.

    Examples
    --------
    >>> p90 = {"name": "load p90", "type": "quantile", "column": "load_ms", "quantile": 0.9}
    >>> Quantile(**p90, role="secondary", goal="decrease").quantile
    0.9
    """

    forms: ClassVar[frozenset[Form]] = frozenset({"per_row"})
    ranked: ClassVar[bool] = True

    type: Literal["quantile"]
    column: str
    """column of its values"""
    quantile: Share
    """which one: 0.5 is the median, 0.9 what nine in ten stay below"""

    def over_rows(self, sums: RowSums) -> Self:
        """Return the metric itself: it is found among the rows."""
        del sums
        return self
