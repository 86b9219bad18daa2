"""What an analyst declares, line by line: the ask, options, gains, costs, assumptions, targets."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, StringConstraints, Tag, model_validator

from opslab.evidence import Benefit as Kind
from opslab.evidence import Grade
from opslab.filed_runs import NAME
from opslab.messages import Bilingual
from opslab.specs import Day, Declared, InBothLanguages, Label, Number, Text, as_label, fault
from opslab.tables.durations import share_of
from opslab.uncertainty.ranges import Amount, Stated, read_ends

Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Gain = Literal["time", "decisions", "alignment"]
Id = Annotated[Label, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,39}$")]
Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=80),
    BeforeValidator(as_label),
    InBothLanguages(),
]
"""What something is called; where another field uses it, by its English text."""
Yearly = Annotated[Number, Field(gt=-0.5, le=1)]
When = Annotated[str, Field(min_length=1, max_length=40)]
_FORM = Discriminator(lambda given: "fields" if isinstance(given, dict | Declared) else "plain")
"""Of what is written as a word or with fields, so that mistakes are told of the form it has."""
PER_YEAR = {"once": 1.0, "year": 1.0, "month": 12.0, "week": 52.0}
"""Amounts a year, of what an amount may be per; ``once`` is paid a single time."""


class Assumption(Stated):
    """A line of the ledger: what is taken for granted, how sure that is, who answers for it."""

    id: Id
    """name by which benefits and costs use it"""
    statement: Text
    """what is taken for granted, in one sentence"""
    share: bool = False
    """a share, from 0 to 1"""
    currency: Currency | None = None
    """of an amount of money, such as EUR"""
    per: Name | None = None
    """hour, week, month, year, once, or what it is the worth of"""
    source: Text | None = None
    """who said it, or where it was read"""
    file: str | None = None
    """file it stands on; gone or changed, the grade is F"""
    sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$")
    """of that file, when it was read"""
    grade: Grade = "F"
    """A randomised … D logs, E diary or survey, F opinion"""
    owner: Text | None = None
    """who answers for it, and checks it again"""
    checked: Day | None = None
    """day it was last checked"""
    next_check: Day | None = None
    """day by which it is checked again; passed, a check says so"""

    @model_validator(mode="before")
    @classmethod
    def _as_written(cls, given: Any) -> Any:
        share = isinstance(given, dict) and given.get("share")
        return read_ends(given, share_of) if share else given

    @model_validator(mode="after")
    def _possible(self) -> Self:
        self.distribution(share=self.share)
        return self

    @property
    def unit(self) -> str:
        """Currency and what it is per, or ``share``."""
        parts = ["share"] if self.share else [*filter(None, (self.currency, self.per))]
        return Bilingual.joined(" / ", parts)


class Cited(Declared):
    """Findings of another readout that the case builds on."""

    id: Id
    """name by which benefits use it"""
    run: str = Field(pattern=NAME)
    """notebook/name, its latest run by then; or one by its id"""
    pick: tuple[str, ...] = ("*",)
    """findings by id; * stands for anything"""


class Claim(Declared):
    """What a line counts: two of one option that count the same at one time are refused."""

    hours: Label | None = None
    """role/task of an inventory, or a role for all its tasks"""
    metric: Label | None = None
    """margin of a study's metric"""
    budget: Label | None = None
    """budget line"""
    of: Label | None = None
    """the inventory or study, by its name"""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = [self.hours, self.metric, self.budget]
        if given.count(None) != len(given) - 1 or (self.of is None) == (self.budget is None):
            raise fault("businesscase.claim_form")
        return self


Claimed = Annotated[Annotated[Label, Tag("plain")] | Annotated[Claim, Tag("fields")], _FORM]


class Release(Declared):
    """How freed hours become cash: whole posts that are given up, or units no longer bought."""

    budget: Label
    """budget line that falls"""
    holder: Name
    """who holds it"""
    date: Day
    """day from which it falls"""
    posts: int | None = Field(None, ge=1)
    """of own staff: whole posts"""
    unit: Label | None = None
    """of contractors, overtime and services: what they are priced by, such as day"""

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if (self.posts is None) == (self.unit is None):
            raise fault("businesscase.release_form")
        return self


class Benefit(Declared):
    """A gain: a quantity a year, from evidence or an assumption, made money once, here."""

    name: Name
    """by which options name it, and readers see it"""
    gain: Gain
    """which of the three gains it belongs to"""
    evidence: tuple[Id, ...] = ()
    """ids under `evidence`: their findings are summed"""
    quantity: Id | None = None
    """instead: an assumption, a year"""
    kind: Kind | None = None
    """hard, capacity, quality or enabled; by default the evidence's"""
    worth: Id | None = None
    """assumption: money for each unit; none where it is money already"""
    volume: Id | None = None
    """assumption: units a year, for evidence per unit"""
    adoption: Id | None = None
    """assumption: share that uses it in the end"""
    schedule: tuple[Id, ...] = ()
    """instead of adoption: assumptions, the share in each year from its start, the last one on"""
    recapture: Id | None = None
    """assumption: share of freed hours put to work"""
    decay: Id | None = None
    """assumption: share that is lost in a year"""
    ramp_months: Number = Field(0, ge=0, le=60)
    """months until nine in ten of those use it"""
    starts: When
    """a roadmap id (when it is done), or a day"""
    ends: When | None = None
    """a roadmap id or a day; by default the horizon"""
    claim: Claimed | None = None
    """what it counts; by default what its evidence or quantity is"""
    cash: Release | None = None
    """of hard hours: what is no longer paid"""
    gained_by: Name | None = None
    """who gains; by default whose hours they are"""
    share: Id | None = None
    """of value enabled: assumption, the share that is claimed"""
    signed_by: Text | None = None
    """who of the team that owns the value signed the share"""
    apart: Text | None = None
    """why this is other money than the hours saved"""
    owner: Text | None = None
    """who answers for it; of a hard one, its budget line"""

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if bool(self.evidence) == bool(self.quantity):
            raise fault("businesscase.one_quantity")
        if self.quantity and self.kind is None:
            raise fault("businesscase.kind_needed")
        if (self.share is None) != (self.signed_by is None):
            raise fault("businesscase.unsigned_share")
        if self.adoption and self.schedule:
            raise fault("businesscase.adopted_twice")
        return self


class Cost(Declared):
    """A cost: an assumption in money, once or running."""

    name: Name
    """by which options name it, and readers see it"""
    amount: Id
    """assumption, per once, month or year"""
    kind: Literal["people", "tool", "training", "upkeep", "other"] = "other"
    """what is paid for; costs are told by it"""
    starts: When
    """a roadmap id (when it begins), or a day"""
    ends: When | None = None
    """a roadmap id or a day; by default the horizon"""
    trend: Id | None = None
    """assumption: growth a year, as a share"""
    ended_from: When | None = None
    """of doing nothing: step (when done) or day from which an option is rid of it; by default when
    its first step is done"""
    claim: Claimed | None = None
    """what it counts, when doing nothing costs it"""
    owner: Text | None = None
    """who answers for it; of one that is ended and hard, its budget line"""
    paid_by: Name | None = None
    """who pays; of a cost of doing nothing, who gains where an option ends it"""
    uplift: Id | None = None
    """assumption: share by which such costs turned out higher elsewhere (reference class)"""
    benefit: Literal["hard", "capacity", "quality"] = "capacity"
    """what is gained where an option ends this cost of doing nothing"""
    gain: Gain = "time"
    """of a cost of doing nothing: which of the three gains ending it belongs to"""
    probability: Id | None = None
    """assumption: chance that it comes about at all"""


class Option(Declared):
    """A way to decide: one is doing nothing, one is recommended."""

    name: Name
    """by which readers see it"""
    kind: Literal["do_nothing", "minimum", "recommended", "stretch", "other"] = "other"
    """one option is do_nothing, one is recommended"""
    description: Text | None = None
    """what would be done, in a sentence or two"""
    benefits: tuple[Name, ...] = ()
    """names of the benefits that it brings"""
    costs: tuple[Name, ...] = ()
    """of doing nothing, those that stay belong here too"""
    reach: dict[Name, Annotated[Number, BeforeValidator(share_of)]] = Field({})
    """part of a benefit or cost, by name: 0.5 or 50 % for half"""

    def part(self, name: str) -> float:
        """Return the part that it takes of a benefit or cost of its own."""
        return self.reach.get(name, 1.0)


class Milestone(Declared):
    """A step of the roadmap: it moves the cash flow, and ends at a gate."""

    id: Id
    """name by which benefits, costs and risks start or end with it"""
    name: Name
    """by which readers see it"""
    starts: Day | None = None
    """its first day"""
    ends: Day | None = None
    """its last day: when it is done"""
    slip: Amount = Stated(likely=0)
    """months by which it may be late, as a range"""
    evidence: Id | None = None
    """instead of these three: id under `evidence`, whose finding of a roadmap tells them"""
    owner: Text | None = None
    """who answers for it"""
    gate: Text | None = None
    """what must be shown before the next step is paid"""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        declared = self.model_fields_set & {"starts", "ends", "slip"}
        if declared if self.evidence else not (self.starts and self.ends):
            raise fault("businesscase.milestone_form")
        if self.starts and self.ends and self.ends < self.starts:
            raise fault("businesscase.milestone_order", starts=self.starts, ends=self.ends)
        return self


class Rate(Declared):
    """What one unit of a currency is worth in another."""

    given: Currency = Field(alias="from")
    """currency that amounts are given in, such as USD"""
    to: Currency
    """currency that they are told in: the case's"""
    rate: Number = Field(gt=0)
    """units of the second for one of the first"""
    date: Day
    """day of the rate"""
    source: Text
    """where the rate was read"""


class Finance(Declared):
    """How money over time is made one figure: currency, discount rate, horizon."""

    currency: Currency
    """in which the case is told, such as EUR"""
    rate: Yearly = 0.10
    """discount rate a year"""
    rates: tuple[Yearly, ...] = (0.05, 0.10, 0.15)
    """shown beside it"""
    timing: Literal["end_year", "mid_year", "monthly"] = "monthly"
    """when money is taken to flow: month by month, in the middle or at the end of each year"""
    terms: Literal["nominal", "real"] = "nominal"
    """nominal: amounts with inflation in them; real: without; the discount rate must match"""
    start: Day
    """first day of the horizon: the first of a month"""
    horizon_months: int = Field(36, ge=6, le=120)
    """months over which money is counted"""
    benefit_risk: Number = Field(0.2, ge=0, le=1)
    """risk adjustment of the TEI table"""
    cost_risk: Number = Field(0.1, ge=0, le=1)
    """the same for costs: 0.1 makes them a tenth dearer"""
    fiscal_year: int = Field(1, ge=1, le=12)
    """month in which the fiscal year begins"""
    wait_months: int = Field(3, ge=1, le=24)
    """delay whose cost is told"""
    exchange: tuple[Rate, ...] = ()

    @model_validator(mode="after")
    def _month(self) -> Self:
        if self.start.day != 1:
            raise fault("businesscase.first_of_month", given=self.start)
        return self

    @property
    def end(self) -> datetime.date:
        """First day after the horizon."""
        return self.month(self.horizon_months)

    def month(self, number: int) -> datetime.date:
        """Return the first day of a month of the horizon, counted from 0."""
        months = self.start.year * 12 + self.start.month - 1 + number
        return datetime.date(months // 12, months % 12 + 1, 1)

    def month_of(self, day: datetime.date, *, whole: bool = False) -> int:
        """Return the month of the horizon in which a day falls, or the first whole one from it."""
        months = (day.year - self.start.year) * 12 + day.month - self.start.month
        return months + (whole and day.day > 1)

    def exchange_rate(self, currency: str | None) -> float:
        """Return what a unit of a currency is worth in the case's."""
        rates = {rate.given: rate.rate for rate in self.exchange}
        return 1.0 if currency in (None, self.currency) else rates[str(currency)]


class Ask(Declared):
    """What is asked for, and the problem behind it."""

    sentence: Text
    """what is asked for: how much, for what, until when"""
    people: Text | None = None
    """posts or days that are asked for"""
    mandate: Text | None = None
    """what the team may decide by itself"""
    problem: Text
    """in the sponsor's words, with a measured baseline"""


class Rule(Declared):
    """A risk that the sponsor does not take: an option that passes it may be approved."""

    p_positive: Annotated[Number, BeforeValidator(share_of)] | None = Field(None, gt=0, lt=1)
    """least P(NPV > 0)"""
    worst: Number | None = None
    """least mean NPV of the worst twentieth, in the case's currency"""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.p_positive is None) == (self.worst is None):
            raise fault("businesscase.rule_form")
        return self


Ruled = Annotated[
    Annotated[Literal["expected"], Tag("plain")] | Annotated[Rule, Tag("fields")], _FORM
]


class Decision(Declared):
    """The decision wanted: by when, by whom, by which rule."""

    wanted: Text
    """what the sponsor is to decide, in one sentence"""
    by: Day
    """day by which it is needed"""
    who: Name
    """who decides"""
    rule: Ruled = "expected"
    """expected: the highest mean NPV; a risk rule may override it"""
    stage: Id | None = None
    """roadmap id: what approving stage 1 pays for"""
    conditions: tuple[Text, ...] = ()
    """what must hold for the approval to stand"""
