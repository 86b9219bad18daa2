"""What a business case returns: options, what they rest on, what was promised. No numerics live here."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from opslab.businesscase.options import Difference, Driver, Nothing, OptionResult, Spread
from opslab.businesscase.spec import Case, Gain, Kpi
from opslab.evidence import Benefit as Kind
from opslab.evidence import Evidence, Grade, SourceFile
from opslab.messages import Language

if TYPE_CHECKING:
    import pandas as pd

    from opslab.report import Block, Figure, Verdict


@dataclass(frozen=True)
class Entry:
    """A line of the assumption ledger.

    Attributes
    ----------
    id : str
        As the document cites it.
    kind : {"assumption", "evidence", "default"}
        ``default``: nobody stated it, opslab assumes it.
    statement : str or (str, Mapping)
        The analyst's words, or message key and values.
    value, low, high : float
        Mean and middle 90 % as they are used.
    stated : tuple of float, or None
        Mean and middle 90 % as they were stated, where they were widened since.
    family : str
        Of the distribution that is used.
    unit : str
        Currency, natural unit or ``share``, with what it is per.
    share : bool
    grade, declared : Grade
        Now, and as declared.
    fallen : {"gone", "changed"} or None
        Why the grade fell: its file is not there, or is another.
    file : str or None
    overdue : bool
        Whether the next check is over.
    used_by : tuple of str
        Benefits and costs.
    run, link : str or None
        Run of a finding; where its readout is, from the folder of this one.
    """

    id: str
    kind: Literal["assumption", "evidence", "default"]
    statement: str | tuple[str, Mapping[str, Any]]
    value: float
    low: float
    high: float
    stated: tuple[float, float, float] | None
    family: str
    unit: str
    share: bool
    source: str | None
    grade: Grade
    declared: Grade
    fallen: Literal["gone", "changed"] | None
    file: str | None
    owner: str | None
    checked: datetime.date | None
    next_check: datetime.date | None
    overdue: bool
    used_by: tuple[str, ...]
    run: str | None = None
    link: str | None = None


@dataclass(frozen=True)
class Line:
    """A benefit, in the recommended option (or the first that has it).

    Attributes
    ----------
    counted : bool
        Whether it is in the NPV: value enabled is not, unless a share of it is signed.
    grade : Grade
        The worst of its quantity and of what makes it money; not of adoption, recapture and decay.
    refs : tuple of str
        Ids of the ledger.
    quantity : Spread
        In its unit, a year at full use.
    unit : str
    value : Spread
        Money a year at full use, after adoption and recapture; of value enabled, all of it.
    present : Spread
        Present value over the horizon; of value enabled that is not counted, what it would be.
    shrunk : float or None
        Factor by which value enabled was shrunk towards zero.
    """

    name: str
    gain: Gain
    kind: Kind
    counted: bool
    grade: Grade
    refs: tuple[str, ...]
    quantity: Spread
    unit: str
    value: Spread
    present: Spread
    shrunk: float | None
    owner: str | None
    signed_by: str | None


@dataclass(frozen=True)
class Target:
    """A KPI: what was promised, what was measured, what that makes of it.

    Attributes
    ----------
    promised : tuple of float
        Low, target, high: of the last case where there is one, else of this.
    measured : tuple of float, or None
        Low, value, high.
    posterior : tuple of float, or None
        Low, mean, high: both together; None where they contradict each other, or nothing was
        measured.
    measured_share : float or None
        Weight of the data.
    status : {"reached", "on_the_way", "missed", "below_kill", "conflict", "debt", "not_due",
    "dropped"}
        ``missed``: due and not reached; ``debt``: due, or promised before, and not measured;
        ``dropped``: promised before, and no more.
    due : datetime.date
        Day by which it was promised.
    before : bool
        Whether the last case promised it.
    """

    kpi: Kpi
    promised: tuple[float, float, float]
    measured: tuple[float, float, float] | None
    on: datetime.date | None
    posterior: tuple[float, float, float] | None
    measured_share: float | None
    status: Literal[
        "reached", "on_the_way", "missed", "below_kill", "conflict", "debt", "not_due", "dropped"
    ]
    before: bool
    due: datetime.date


@dataclass(frozen=True)
class Change:
    """Something that is otherwise than in the last case.

    Attributes
    ----------
    kind : {"assumption", "evidence", "default", "benefit", "option", "finance"}
    id : str
    before, after : tuple of float, or None
        Value, low, high (a benefit's and an option's: mean, p10, p90 of the present value); None:
        not there.
    told : tuple of str, or None
        Of finance, in place of numbers: what stood there and what stands there now.
    """

    kind: str
    id: str
    before: tuple[float, float, float] | None
    after: tuple[float, float, float] | None
    told: tuple[str, str] | None = None


@dataclass(frozen=True)
class Previous:
    """The last case: its run, day, version, recommended option, its NPV, and what has changed since."""

    run: str
    link: str | None
    date: datetime.date
    version: str
    recommended: str
    npv: Spread
    positive: float
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Check:
    """One check: its name, whether it passed, whether its failure blocks, and what its sentence names."""

    name: str
    status: Literal["pass", "warn", "fail"]
    blocking: bool
    values: Mapping[str, Any]


@dataclass(frozen=True)
class CaseResult:
    """The result of `opslab.businesscase.build`.

    Attributes
    ----------
    months : tuple of datetime.date
        First day of each month of the horizon.
    factor : float
        By which the spread of ranges that people stated is widened.
    options : tuple of OptionResult
        In the order of the case, without doing nothing.
    waterfall : tuple of (str, float)
        Mean present values of the recommended option: ``gross``, then what comes off: ``not_used``,
        ``decayed``, ``not_recaptured``; ``benefits``; then ``one_off``, ``running``; ``net``.
    base : float
        NPV of the recommended option with every quantity at its median.
    all_low : float
        The same with every quantity at its worse end (p10 or p90): what p10 of the NPV is not.
    evpi : float
        What knowing everything is worth at most.
    by_rate : tuple of (rate, mean NPV, P(NPV > 0))
    waiting : float
        Mean NPV that a start `wait_months` later loses, recommended option.
    enabled : Spread or None
        Present value of what experiments enabled and the case does not count.
    cites : tuple of str
        Runs that are at hand beside this one.
    """

    case: Case
    as_of: datetime.date
    draws: int
    seed: int
    months: tuple[datetime.date, ...]
    factor: float
    options: tuple[OptionResult, ...]
    nothing: Nothing
    differences: tuple[Difference, ...]
    lines: tuple[Line, ...]
    ledger: tuple[Entry, ...]
    waterfall: tuple[tuple[str, float], ...]
    base: float
    all_low: float
    drivers: tuple[Driver, ...]
    evpi: float
    by_rate: tuple[tuple[float, float, float], ...]
    waiting: float
    enabled: Spread | None
    targets: tuple[Target, ...]
    previous: Previous | None
    checks: tuple[Check, ...]
    cites: tuple[str, ...]
    sources: tuple[SourceFile, ...]

    @property
    def recommended(self) -> OptionResult:
        """The option that is recommended."""
        return next(one for one in self.options if one.kind == "recommended")

    @property
    def action(self) -> Literal["stop", "approve", "stage", "defer", "reject"]:
        """What the numbers speak for; nothing while a blocking check is red.

        Approve from P(NPV > 0) of 80 %; from one half, the first stage where the roadmap has one,
        else defer; below one half, reject.
        """
        if any(one.blocking and one.status == "fail" for one in self.checks):
            return "stop"
        chance = self.recommended.positive[0]
        if chance >= SURE:
            return "approve"
        if chance < EVEN:
            return "reject"
        return "stage" if self.case.decision.stage else "defer"

    def option(self, name: str) -> OptionResult:
        """Return an option by name."""
        return next(one for one in self.options if one.name == name)

    def entry(self, name: str) -> Entry:
        """Return a line of the ledger by its id."""
        return next(one for one in self.ledger if one.id == name)

    def check(self, name: str) -> Check:
        """Return a check by name."""
        return next(one for one in self.checks if one.name == name)

    def headline(self, language: Language = "en") -> str:
        """Return one plain sentence with the number and its uncertainty."""
        from opslab.businesscase import presentation

        return presentation.headline(self, language)

    def first_screen(self, language: Language = "en") -> Verdict:
        """Return the ask, what it brings, how sure that is, what to decide."""
        from opslab.businesscase import presentation

        return presentation.first_screen(self, language)

    def sections(self, language: Language = "en") -> dict[str, list[Block | Figure]]:
        """Return the document's sections by name, in order; see `presentation.sections`."""
        from opslab.businesscase import presentation

        return presentation.sections(self, language)

    def document(self, language: Language = "en") -> tuple[str, bytes] | None:
        """Return name and bytes of the PDF; None where the extra ``pdf`` is not installed."""
        from opslab.businesscase import presentation

        return presentation.document(self, language)

    def figures(self, language: Language = "en") -> dict[str, Figure]:
        """Return the figures by name, each with its alt text."""
        from opslab.businesscase import figures

        return figures.all_of(self, language)

    def frame(self) -> pd.DataFrame:
        """Return the options as a tidy table."""
        import pandas as pd

        from opslab.businesscase import record

        return pd.json_normalize([record.option(one) for one in self.options], sep="_")

    def evidence(self) -> list[Evidence]:
        """Return nothing: a case uses evidence up."""
        return []

    def record(self) -> dict[str, Any]:
        """Return ``result.json``: numbers and message keys, the same in every language."""
        from opslab.businesscase import record

        return record.record(self)

    def __repr__(self) -> str:
        return f"<CaseResult {self.case.slug}: {self.headline()}>"

    def _repr_html_(self) -> str:
        return self.first_screen()._repr_html_()


SURE, EVEN = 0.8, 0.5
