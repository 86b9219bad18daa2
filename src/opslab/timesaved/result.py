"""What an estimate returns: hours with their uncertainty, what drives them, checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from opslab.evidence import Benefit, Grade, SourceFile
from opslab.results import Result
from opslab.tables.import_report import Reading
from opslab.timesaved.inventory import Inventory, Past
from opslab.timesaved.quantities import StatedQuantity, Update
from opslab.uncertainty.distributions import quantile
from opslab.uncertainty.draws import Summary

if TYPE_CHECKING:
    import pandas as pd


POINTS = (0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999)
"""Shares whose quantiles stand for a distribution in the evidence."""


@dataclass(frozen=True)
class Saving:
    """What one task brings, in hours a year.

    Attributes
    ----------
    gross : float
        Mean of the hours that the task takes today.
    freed : Summary
        Over the horizon, less decay and new work.
    parts : tuple
        Each initiative, and the mean of its Shapley share.
    recaptured : float
        Mean of the hours that become work.
    full, full_mean : tuple of float, float
        Quantiles at `POINTS`, and mean, of what is freed once all use the change: before adoption
        and decay.
    """

    task: str
    role: str
    rows: tuple[int, ...]
    gross: float
    freed: Summary
    parts: tuple[tuple[str, float], ...]
    recaptured: float
    full: tuple[float, ...]
    full_mean: float
    benefit: Benefit
    grade: Grade
    owner: str | None


@dataclass(frozen=True)
class Driver:
    """A quantity that moves the hours: at its 10th and 90th percentile; its share of variance."""

    name: str
    low: float
    high: float
    share: float | None


@dataclass(frozen=True, kw_only=True, repr=False)
class TimeSavedResult(Result):
    """The result of `opslab.timesaved.estimate`.

    Attributes
    ----------
    rate, factor : float
        Share of the stated ranges that is taken to hold the truth, and the factor on their spread.
    people : Mapping of str to float
        By role.
    sums : Mapping of (kind, name) to Summary
        Hours a year by ``step``, ``role``, ``initiative`` and ``benefit`` (freed), and ``money``.
    base : float
        Hours freed with every quantity at its median.
    """

    PARTS: ClassVar[Mapping[str, str]] = {
        "hours": "savings",
        "checks": "checks",
        "drivers": "drivers",
        "measured": "updates",
        "data": "",
        "method": "",
    }

    inventory: Inventory
    draws: int
    seed: int
    rate: float
    factor: float
    past: tuple[Past, ...]
    people: Mapping[str, float]
    currency: str | None
    savings: tuple[Saving, ...]
    sums: Mapping[tuple[str, str], Summary]
    base: float
    drivers: tuple[Driver, ...]
    known: tuple[StatedQuantity, ...]
    updates: tuple[Update, ...]
    readings: tuple[Reading, ...]
    sources: tuple[SourceFile, ...]

    @property
    def freed(self) -> Summary:
        """Hours freed a year, mean over the horizon."""
        return self.sums["step", "freed"]

    @property
    def gross(self) -> float:
        """Mean hours a year that the tasks take today."""
        return sum(saving.gross for saving in self.savings)

    @property
    def action(self) -> str:
        """What to do: stop, none, measure or count; none while a blocking check is red."""
        if self.broken:
            return "stop"
        if self.freed.low <= 0:
            return "none"
        return "count" if self.check("evidence").status == "pass" else "measure"

    def of(self, kind: str) -> dict[str, Summary]:
        """Return the sums of one kind by name."""
        sums = {name: summary for (other, name), summary in self.sums.items() if other == kind}
        return dict(sorted(sums.items(), key=lambda item: item[0] == "all"))

    def memory(self) -> pd.DataFrame:
        """Return promised against measured, as the next inventory's ``past`` takes it."""
        import pandas as pd

        rows = [tuple(past.model_dump().values()) for past in self.past]
        rows += [
            (
                update.name,
                quantile(update.stated, 0.05),
                quantile(update.stated, 0.95),
                update.measured,
            )
            for update in self.updates
        ]
        return pd.DataFrame(rows, columns=list(Past.model_fields))
