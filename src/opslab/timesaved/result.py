"""What an estimate returns: hours with their uncertainty, what drives them, checks. No numerics live here."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from opslab.messages import Language
from opslab.timesaved.inventory import Inventory, Past
from opslab.timesaved.known import Known, Update

if TYPE_CHECKING:
    import pandas as pd

    from opslab.evidence import Evidence, SourceFile
    from opslab.report import Block, Figure, Verdict
    from opslab.tables import Reading
    from opslab.uncertainty.draws import Summary

Status = Literal["pass", "warn", "fail"]
Action = Literal["stop", "none", "measure", "count"]


@dataclass(frozen=True)
class Check:
    """One check: its name, whether it passed, whether its failure blocks, and what its sentence names."""

    name: str
    status: Status
    blocking: bool
    values: Mapping[str, Any]


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
        Mean of each initiative's Shapley share, in order.
    full, full_mean : tuple of float, float
        Quantiles and mean of what is freed once all use the change: before adoption, decay and training.
    training : float
        Hours once, once all use it.
    """

    task: str
    role: str
    rows: tuple[int, ...]
    people: float
    gross: float
    freed: Summary
    parts: tuple[tuple[str, float], ...]
    recaptured: float
    full: tuple[float, ...]
    full_mean: float
    training: float
    benefit: Literal["hard", "capacity", "quality"]
    grade: Literal["A", "B", "C", "D", "E", "F"]
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
    steps : Mapping of str to float
        Mean hours a year from gross to recaptured.
    together : tuple of float
        Ends of the hours freed if all ranges erred the same way at once.
    sums : Mapping of (kind, name) to Summary
        ``step``, ``year``, ``role``, ``initiative``, ``benefit``, ``recaptured`` by benefit, ``money``.
    """

    inventory: Inventory
    as_of: datetime.date | None
    draws: int
    seed: int
    currency: str | None
    rate: float
    factor: float
    past: tuple[Past, ...]
    steps: Mapping[str, float]
    together: tuple[float, float]
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
    def action(self) -> Action:
        """What to do: nothing counts while a blocking check is red."""
        if any(one.blocking and one.status == "fail" for one in self.checks):
            return "stop"
        if self.freed.low <= 0:
            return "none"
        weak = any(one.name == "evidence" and one.status != "pass" for one in self.checks)
        return "measure" if weak else "count"

    def of(self, kind: str) -> dict[str, Summary]:
        """Return the sums of one kind by name."""
        return {name: one for (other, name), one in self.sums.items() if other == kind}

    def headline(self, language: Language = "en") -> str:
        """Return one plain sentence with the number and its uncertainty."""
        from opslab.timesaved import presentation

        return presentation.headline(self, language)

    def first_screen(self, language: Language = "en") -> Verdict:
        """Return what happened, how sure we are, and what to do."""
        from opslab.timesaved import presentation

        return presentation.first_screen(self, language)

    def sections(self, language: Language = "en") -> dict[str, list[Block | Figure]]:
        """Return the readout's sections: ``hours``, ``drivers``, ``evidence``, ``checks``, ``data``, ``method``."""
        from opslab.timesaved import presentation

        return presentation.sections(self, language)

    def frame(self) -> pd.DataFrame:
        """Return the tasks as a tidy table."""
        import pandas as pd

        from opslab.timesaved import record

        return pd.json_normalize([record.saving(one) for one in self.savings], sep="_")

    def memory(self) -> pd.DataFrame:
        """Return promised against measured, as the next inventory's ``past`` takes it."""
        import pandas as pd

        rows = [one.model_dump() for one in self.past]
        rows += [
            {"estimate": one.name, "low": one.stated[0], "high": one.stated[1], "measured": one.measured}
            for one in self.updates
        ]
        return pd.DataFrame(rows, columns=["estimate", "low", "high", "measured"])

    def figures(self, language: Language = "en") -> dict[str, Figure]:
        """Return the figures by name, each with its alt text."""
        from opslab.timesaved import figures

        return figures.all_of(self, language)

    def evidence(self) -> list[Evidence]:
        """Return the hours of each task as evidence; none when a blocking check failed."""
        from opslab.timesaved import record

        return record.evidence(self)

    def record(self) -> dict[str, Any]:
        """Return ``result.json``: numbers and message keys, the same in every language."""
        from opslab.timesaved import record

        return record.record(self)

    def __repr__(self) -> str:
        return f"<TimeSavedResult {self.inventory.slug}: {self.headline()}>"

    def _repr_html_(self) -> str:
        return self.first_screen()._repr_html_()
