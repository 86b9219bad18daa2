"""The share of units for which something is true, such as those that bought."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Self

from opslab.experiments.metrics.base import EVERY_FORM, Form, Scale
from opslab.experiments.metrics.one_column import OneColumn

if TYPE_CHECKING:
    from opslab.experiments.units.row_sums import RowSums


class Proportion(OneColumn):
    """The share of units for which a column is true (1), such as those that bought.

    Fields are those of the spec (see the reference of specs); raises `SpecError` for what is none.

    Examples
    --------
    >>> share = {"name": "bought", "type": "proportion", "column": "buys"}
    >>> Proportion(**share, role="primary", goal="increase").own
    {'column': 'buys'}
    """

    forms: ClassVar[frozenset[Form]] = EVERY_FORM - {"cap"}
    scale: ClassVar[Scale] = "share"
    binary: ClassVar[bool] = True

    type: Literal["proportion"]

    def over_units(self, sums: RowSums) -> Self:
        """Return the share of units for which any row is true."""
        value = f"max(CAST({sums.value(str(self.column))} AS INTEGER))"
        name = sums.add(self.name, f"coalesce({value}, 0)" if self.zero else value)
        return self.model_copy(update={"column": name})
