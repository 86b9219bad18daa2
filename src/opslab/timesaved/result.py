"""What an estimate returns: hours with their uncertainty, what drives them, checks. No numerics live here."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from opslab.evidence import Benefit, Evidence, Grade, SourceFile
from opslab.messages import Language
from opslab.tables.import_report import Reading
from opslab.timesaved import presentation, record
from opslab.timesaved.checks import Check
from opslab.timesaved.inventory import Inventory, Past
from opslab.timesaved.known import Known, Update
from opslab.uncertainty.distributions import quantile
from opslab.uncertainty.draws import Summary

if TYPE_CHECKING:
    import pandas as pd

    from opslab.report import Block, Figure, Verdict


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
    """A quantity that moves the hours: with it at its 10th and 90th percentile; its share of the variance."""

    name: str
    low: float
    high: float
    share: float | None


@dataclass(frozen=True)
class TimeSavedResult:
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

    inventory: Inventory
    as_of: datetime.date | None
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
    known: tuple[Known, ...]
    updates: tuple[Update, ...]
    checks: tuple[Check, ...]
    readings: tuple[Reading, ...]
    sources: tuple[SourceFile, ...]

    @property
    def freed(self) -> Summary:
        """Hours freed a year, mean over the horizon."""
        return self.sums["step", "freed"]

    @property
    def gross(self) -> float:
        """Mean hours a year that the tasks take today."""
        return sum(one.gross for one in self.savings)

    @property
    def action(self) -> Literal["stop", "none", "measure", "count"]:
        """What to do: nothing counts while a blocking check is red."""
        if any(one.blocking and one.status == "fail" for one in self.checks):
            return "stop"
        if self.freed.low <= 0:
            return "none"
        return "count" if self.check("evidence").status == "pass" else "measure"

    def check(self, name: str) -> Check:
        """Return a check by name."""
        return next(one for one in self.checks if one.name == name)

    def of(self, kind: str) -> dict[str, Summary]:
        """Return the sums of one kind by name."""
        found = {name: one for (other, name), one in self.sums.items() if other == kind}
        return dict(sorted(found.items(), key=lambda item: item[0] == "all"))

    def headline(self, language: Language = "en") -> str:
        """Return one plain sentence with the number and its uncertainty."""
        return presentation.headline(self, language)

    def first_screen(self, language: Language = "en") -> Verdict:
        """Return what happened, how sure we are, and what to do."""
        return presentation.first_screen(self, language)

    def sections(self, language: Language = "en") -> dict[str, list[Block | Figure]]:
        """Return the readout's sections: ``hours, checks, drivers, evidence, data, method``."""
        return presentation.sections(self, language)

    def frame(self) -> pd.DataFrame:
        """Return the tasks as a tidy table."""
        import pandas as pd

        return pd.json_normalize([record.saving(one) for one in self.savings], sep="_")

    def memory(self) -> pd.DataFrame:
        """Return promised against measured, as the next inventory's ``past`` takes it."""
        import pandas as pd

        rows = [tuple(one.model_dump().values()) for one in self.past]
        rows += [
            (one.name, quantile(one.stated, 0.05), quantile(one.stated, 0.95), one.measured)
            for one in self.updates
        ]
        return pd.DataFrame(rows, columns=list(Past.model_fields))

    def figures(self, language: Language = "en") -> dict[str, Figure]:
        """Return the figures by name, each with its alt text."""
        from opslab.timesaved import figures

        return figures.all_of(self, language)

    def evidence(self) -> list[Evidence]:
        """Return the hours of each task as evidence; none when a blocking check failed."""
        return record.evidence(self)

    def record(self) -> dict[str, Any]:
        """Return ``result.json``: numbers and message keys, the same in every language."""
        return record.record(self)

    def __repr__(self) -> str:
        return f"<TimeSavedResult {self.inventory.slug}: {self.headline()}>"

    def _repr_html_(self) -> str:
        return self.first_screen()._repr_html_()
