"""What a business case returns: options, what they rest on, what was promised."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple

from opslab.businesscase.commitments import Kpi
from opslab.businesscase.declarations import Gain
from opslab.businesscase.lengths import Length
from opslab.businesscase.options import (
    AtRate,
    Band,
    Choice,
    Difference,
    Driver,
    Nothing,
    OptionResult,
    Party,
    PostTest,
    RiskCost,
    Spread,
)
from opslab.businesscase.spec import Case
from opslab.evidence import Benefit as Kind
from opslab.evidence import Grade, SourceFile
from opslab.frames import Form, in_form
from opslab.messages import Language
from opslab.results import Message, Result

SAID: tuple[Grade, ...] = ("E", "F")
"""Grades of what people say."""
Fallen = Literal["gone", "changed"]


Role = Literal[
    "amount", "worth", "volume", "share", "adoption", "recapture", "shrunk", "scale", "part"
]


class Factor(NamedTuple):
    """A factor of a benefit's calculation: id in the ledger, what it is there for, its mean.

    ``shrunk``: shrinkage; ``scale``: rates of exchange, times a year; ``part``: what the option
    takes of it.
    """

    id: str
    role: Role
    mean: float


class Estimate(NamedTuple):
    """A value with the ends of its range."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A line of the assumption ledger.

    Attributes
    ----------
    id : str
        As the document cites it.
    kind : {"assumption", "evidence", "default"}
        ``default``: nobody stated it, opslab assumes it.
    statement : str or Message
        The analyst's words, or a message.
    value, low, high : float
        Mean and middle 90 % as they are used.
    family : str
        Of the distribution that is used.
    unit : str
        Currency, natural unit or ``share``, with what it is per.
    grade, declared : Grade
        Now, and as declared.
    stated : Estimate or None
        Mean and middle 90 % as they were stated, where they were widened since.
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
    statement: str | Message
    value: float
    low: float
    high: float
    family: str
    unit: str
    grade: Grade
    declared: Grade
    stated: Estimate | None = None
    source: str | None = None
    fallen: Fallen | None = None
    file: str | None = None
    owner: str | None = None
    checked: datetime.date | None = None
    next_check: datetime.date | None = None
    overdue: bool = False
    used_by: tuple[str, ...] = ()
    run: str | None = None
    link: str | None = None

    @property
    def share(self) -> bool:
        """Whether it is a share, from 0 to 1."""
        return self.unit == "share"


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
    factors : tuple of Factor
        Whose product is, on average, the value a year at full use in the currency of `worth`.
    ended : bool
        Whether it is a cost of doing nothing that the option ends.
    gained_by : str or None
        Who gains.
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
    factors: tuple[Factor, ...]
    ended: bool
    gained_by: str | None


@dataclass(frozen=True, kw_only=True)
class Target:
    """A KPI: what was promised, what was measured, what that makes of it.

    Attributes
    ----------
    promised : Band
        Of the last case where there is one, else of this.
    status : str
        ``missed``: due and not reached; ``debt``: due, or promised before, and not measured;
        ``dropped``: promised before, and no more.
    due : datetime.date
        Day by which it was promised.
    before : bool
        Whether the last case promised it.
    measured : Band or None
    on : datetime.date or None
        Day of the measurement.
    posterior : Band or None
        Both together; None where they contradict each other, or nothing was measured.
    measured_share : float or None
        Weight of the data.
    """

    kpi: Kpi
    promised: Band
    status: Literal[
        "reached", "on_the_way", "missed", "below_kill", "conflict", "debt", "not_due", "dropped"
    ]
    due: datetime.date
    before: bool
    measured: Band | None = None
    on: datetime.date | None = None
    posterior: Band | None = None
    measured_share: float | None = None


@dataclass(frozen=True)
class Change:
    """Something that is otherwise than in the last case.

    Attributes
    ----------
    kind : {"assumption", "evidence", "default", "benefit", "option", "finance"}
    id : str
    before, after : Estimate or None
        A benefit's and an option's: mean, p10, p90 of the present value; None: not there.
    words : tuple of str, or None
        Of finance, in place of numbers: what stood there and what stands there now.
    """

    kind: str
    id: str
    before: Estimate | None
    after: Estimate | None
    words: tuple[str, str] | None = None


@dataclass(frozen=True)
class Previous:
    """The last case: its run and what it promised, and what has changed since."""

    run: str
    link: str | None
    date: datetime.date
    version: str
    recommended: str
    npv: Spread
    positive: float
    changes: tuple[Change, ...]


@dataclass(frozen=True, kw_only=True, repr=False)
class CaseResult(Result):
    """The result of `opslab.businesscase.build`.

    Ask
    ---
    ``drawn()`` gives the NPV of each option in each draw; ``without(names)`` the same case less
    benefits, costs or risks; ``compare(other)`` two cases side by side; ``frame()`` and
    ``to_excel(path)`` the tables; ``explain(term)`` what a word means.

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
    choice : Choice
    wide : tuple of str
        Ids of quantities whose means the draws miss, so that nothing is decided.
    base : float
        Mean NPV of the recommended option, from which the drivers are told.
    all_low : float
        NPV with every quantity at its worse end (p10 or p90): what p10 of the NPV is not.
    worst_together : float
        Mean of the worst 5 % if all quantities went wrong together (comonotone).
    parties : tuple of Party
    risks : tuple of RiskCost
    posts : tuple of PostTest
        Of the benefits whose hours are cash as whole posts.
    evpi : float
        What knowing everything is worth at most.
    by_rate : tuple of AtRate
    waiting : float
        Mean NPV that a start `wait_months` later loses, recommended option.
    enabled : Spread or None
        Present value of what experiments enabled and the case does not count.
    cites : tuple of str
        Runs that are at hand beside this one.
    length : {"one_page", "three_pages", "full"}
        What it shows of itself; the record is the same.
    """

    PARTS: ClassVar[Mapping[str, str]] = {
        "decision": "",
        "options": "options",
        "depends": "drivers",
        "promise": "targets",
        "waterfall": "waterfall",
        "scenarios": "",
        "money": "",
        "ledger": "ledger",
        "checks": "checks",
        "answers": "",
        "method": "",
    }

    case: Case
    as_of: datetime.date
    draws: int
    seed: int
    months: tuple[datetime.date, ...]
    factor: float
    options: tuple[OptionResult, ...]
    nothing: Nothing
    differences: tuple[Difference, ...]
    choice: Choice
    wide: tuple[str, ...]
    lines: tuple[Line, ...]
    ledger: tuple[Entry, ...]
    waterfall: tuple[tuple[str, float], ...]
    base: float
    all_low: float
    worst_together: float
    parties: tuple[Party, ...]
    risks: tuple[RiskCost, ...]
    drivers: tuple[Driver, ...]
    evpi: float
    by_rate: tuple[AtRate, ...]
    waiting: float
    enabled: Spread | None
    targets: tuple[Target, ...]
    previous: Previous | None
    cites: tuple[str, ...]
    sources: tuple[SourceFile, ...]
    length: Length = field(default="full", compare=False)
    posts: tuple[PostTest, ...] = ()
    basis: Any = field(default=None, compare=False)

    @property
    def recommended(self) -> OptionResult:
        """The option that is recommended."""
        return next(option for option in self.options if option.kind == "recommended")

    @property
    def action(self) -> str:
        """What the rule speaks for, see `Choice`; stop (a red check), explored (asked further)."""
        return "stop" if self.broken else "explored" if self.asked else self.choice.action

    @property
    def said(self) -> float:
        """Share of the counted present value that rests on what people say (grades E and F)."""
        worth = [(max(line.present.mean, 0.0), line.grade) for line in self.taken if line.counted]
        every = sum(value for value, _ in worth) or 1.0
        return sum(value for value, grade in worth if grade in SAID) / every

    @property
    def taken(self) -> list[Line]:
        """The benefits of the recommended option, and the costs of doing nothing that it ends."""
        option = self.case.recommended
        own = {name for name in option.benefits if option.part(name)}
        return [line for line in self.lines if line.ended or line.name in own]

    def option(self, name: str) -> OptionResult:
        """Return an option by name."""
        return next(option for option in self.options if option.name == name)

    def entry(self, name: str) -> Entry:
        """Return a line of the ledger by its id."""
        return next(entry for entry in self.ledger if entry.id == name)

    def drawn(self, *, form: Form = "pandas") -> Any:
        """Return each option's NPV against doing nothing, in the draws of the verdict.

        Parameters
        ----------
        form : {"pandas", "arrow", "polars"}

        Returns
        -------
        frame of shape (draws, options)
            In the case's currency; drawn again from the seed.
        """
        return in_form(self.room("assembly").npvs(self), form)

    def without(self, *names: str) -> CaseResult:
        """Return the case without some of its lines, on the same draws; it recommends nothing.

        Parameters
        ----------
        *names : str
            Of benefits, of costs (those of doing nothing too), of risks that are simulated.

        Raises
        ------
        ParameterError
            For a name that is not there, or where nothing would be left.
        """
        return self.room("assembly").without(self, names)  # type: ignore[no-any-return]

    def documents(self, language: Language | None = None) -> Mapping[str, bytes]:
        """Return the sponsor's document as PDF; nothing where the extra ``pdf`` is missing."""
        document = self.room("presentation").document
        return document(self, self.voice(language))  # type: ignore[no-any-return]
