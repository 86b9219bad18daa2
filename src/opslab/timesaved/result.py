"""What an estimate returns: hours with their uncertainty, what drives them, checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from opslab.errors import DataError, ParameterError, refuse_unknown
from opslab.evidence import Benefit, Grade, SourceFile
from opslab.frames import Form, in_form
from opslab.results import Result
from opslab.tables.import_report import Reading
from opslab.timesaved.inventory import Inventory, Past
from opslab.timesaved.quantities import StatedQuantity, Update
from opslab.timesaved.simulation import Piece
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

    Ask
    ---
    ``drawn()`` gives the hours of each task in each draw; ``without(tasks)`` the same estimate less
    tasks or rows; ``compare(other)`` two estimates side by side; ``of("role")`` the sums by role,
    initiative or benefit; ``frame()`` and ``to_excel(path)`` the tables; ``memory()`` promised
    against measured; ``explain(term)`` what a word means.

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
    cited : tuple of Path
        Records of the runs that measured changes.
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
    pieces: tuple[Piece, ...] = field(compare=False)
    cited: tuple[Path, ...] = ()

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
        """What to do: stop, none, measure, count; explored, where more was asked than planned."""
        if self.broken or self.asked:
            return "stop" if self.broken else "explored"
        if self.freed.low <= 0:
            return "none"
        return "count" if self.check("evidence").status == "pass" else "measure"

    def of(self, kind: str) -> dict[str, Summary]:
        """Return the sums of one kind by name."""
        sums = {name: summary for (other, name), summary in self.sums.items() if other == kind}
        return dict(sorted(sums.items(), key=lambda item: item[0] == "all"))

    def drawn(self, *, form: Form = "pandas") -> Any:
        """Return the draws of the hours freed: a column for each task, a row for each draw.

        They are the draws that the result tells of, drawn again from their seed: the means of the
        columns sum to the mean of the hours freed.

        Parameters
        ----------
        form : {"pandas", "arrow", "polars"}

        Returns
        -------
        frame of shape (draws, tasks)
            Hours a year, mean over the horizon; where so many would not fit every so many rows
            only, with a `Remark`.
        """
        return in_form(self.room("estimation").hours(self), form)

    def without(self, *left: str | int) -> TimeSavedResult:
        """Return the estimate without some of its tasks, on the same draws.

        It is exploratory: it says so wherever it shows itself, recommends nothing, is no evidence.

        Parameters
        ----------
        *left : str or int
            Names of tasks, or numbers of rows as in ``inventory.tasks().row``.

        Raises
        ------
        ParameterError
            For a task or row that is not there, or where nothing would be left.
        DataError
            When a table has changed since the result was made.

        Examples
        --------
        >>> from opslab import timesaved, workspace
        >>> inventory = timesaved.Inventory.load(workspace.resolve("data/sample/product_desk.yaml"))
        >>> result, tasks = timesaved.estimate(inventory, draws=2_000), inventory.tasks()
        >>> fewer = result.without(*tasks.row[tasks.grade == "F"])
        >>> len(result.savings), len(fewer.savings), fewer.evidence()
        (12, 6, [])
        """
        named, pieces = {*map(str, left)}, self.pieces
        refuse_unknown(named, [*chain(*zip(*(piece.names for piece in pieces), strict=True))])
        only = [piece.row for piece in pieces if named.isdisjoint(piece.names)]
        if not only:
            raise ParameterError.of("explore.nothing_left")
        estimate = self.room("estimation").estimate
        again = {"as_of": self.as_of, "draws": self.draws, "seed": self.seed, "only": only}
        fewer: TimeSavedResult = estimate(self.inventory, language=self.language, **again)
        for now, before in zip(fewer.readings, self.readings, strict=True):
            if now.sha256 != before.sha256:  # rows may have other numbers
                raise DataError.of("explore.changed_since", file=before.name)
        return fewer

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
