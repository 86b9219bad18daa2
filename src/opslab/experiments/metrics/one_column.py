"""What a mean and a share have in common: one column, or the events of one kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opslab.experiments.metrics.base import Declaration
from opslab.experiments.metrics.ratio import Ratio

if TYPE_CHECKING:
    from opslab.experiments.units.row_sums import RowSums


class OneColumn(Declaration):
    """A metric over one column, or over the events of one kind."""

    column: str | None = None
    """column of its values, unless an event is counted"""

    def over_rows(self, sums: RowSums) -> Ratio:
        """Return the ratio of a unit's sum to its rows."""
        column = str(self.column)
        rows = "count(*)" if self.zero else f"count({sums.value(column)})"
        return Ratio.of_sums(
            self,
            sums.total(self.name, column, zero=True),
            sums.add(f"{self.name} (rows)", f"CAST({rows} AS DOUBLE)"),
        )

    def over_days(self, sums: RowSums, unit: str) -> Ratio:
        """Return the ratio of a day's total to the day's units."""
        columns = {"numerator": str(self.column), "denominator": unit}
        return Ratio.of_sums(self, **self.totals(sums, columns))
