"""What the draws say of each option, and of what they hang on. No numerics live here."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from opslab.businesscase.finance import Tei


class Band(NamedTuple):
    """A low end, a middle and a high end."""

    low: float
    middle: float
    high: float


class Year(NamedTuple):
    """What a year brings and takes, undiscounted means."""

    benefits: float
    one_off: float
    running: float


class Fiscal(NamedTuple):
    """What a fiscal year brings and takes, undiscounted means; `idle`: what doing nothing costs."""

    start: datetime.date
    benefits: float
    one_off: float
    running: float
    idle: float


class AtHorizon(NamedTuple):
    """Mean NPV over so many months."""

    months: int
    npv: float


class Peak(NamedTuple):
    """The most that has to be advanced: the deepest mean cumulative cash, and after which month."""

    amount: float
    month: int


class AtRate(NamedTuple):
    """Mean NPV and P(NPV > 0) at a discount rate."""

    rate: float
    npv: float
    positive: float


@dataclass(frozen=True)
class Spread:
    """Mean, and 10th, 50th and 90th percentile of draws."""

    mean: float
    p10: float
    p50: float
    p90: float

    def scaled(self, factor: float) -> Spread:
        """Return it in another unit; a factor below 0 turns it round."""
        low, high = (self.p10, self.p90) if factor >= 0 else (self.p90, self.p10)
        return Spread(self.mean * factor, low * factor, self.p50 * factor, high * factor)


@dataclass(frozen=True)
class Scenario:
    """Means over all draws, or over those around a percentile of the NPV: they add up.

    ``hard`` + ``soft`` - ``costs`` = ``npv``; hours a year; payback in months, None for never.
    """

    name: Literal["prudent", "expected", "ambitious"]
    hours: float
    hard: float
    soft: float
    costs: float
    npv: float
    roi: float | None
    payback: float | None


@dataclass(frozen=True)
class OptionResult:
    """One option, against doing nothing, in present values of the case's currency.

    Attributes
    ----------
    positive, loss, within_year : tuple of float, float
        P(NPV > 0), P(NPV < 0), P(payback within twelve months), each with its Monte Carlo standard
        error.
    payback, payback_discounted : float or None
        Months until the mean cumulative cash is not below 0 any more; None: not within the horizon.
    never : float
        Share of draws that never pay back.
    negative_again : float
        Share of draws that pay back and turn negative again.
    worst, worst_error : float
        Mean of the worst 5 % of the NPV and its Monte Carlo error; ``p5`` is where they begin.
    expected_loss : float
        E[max(-NPV, 0)].
    roi, roi_hard : float or None
        Mean NPV over mean present value of the costs; the same with hard benefits only.
    benefits : Mapping of kind to Spread
        ``hard, capacity, quality, enabled`` (a signed share), ``all``.
    gains : Mapping of gain to Spread
    hours : Spread
        Hours freed a year, mean over the horizon.
    fte : float or None
        The same in full posts of the teams that the case declares.
    fan : tuple of Band
        p10, mean, p90 of the cumulative net cash, undiscounted, after each month from 0 (start).
    years : tuple of Year
        Of twelve months from the start.
    fiscal : tuple of Fiscal
    irr : tuple of float
        Every rate a year at which the mean cash is worth 0; none, or several, say so.
    horizons : tuple of AtHorizon
    peak : Peak
    stage, provision : float
        Mean costs until the gate of stage 1, or of the first fiscal year where there is none:
        what is paid, and what risks that are simulated cost.
    """

    name: str
    kind: str
    description: str | None
    npv: Spread
    npv_error: float
    positive: tuple[float, float]
    loss: tuple[float, float]
    within_year: tuple[float, float]
    payback: float | None
    payback_discounted: float | None
    never: float
    negative_again: float
    p5: float
    worst: float
    worst_error: float
    expected_loss: float
    roi: float | None
    roi_hard: float | None
    benefits: Mapping[str, Spread]
    gains: Mapping[str, Spread]
    costs: Spread
    hours: Spread
    fte: float | None
    fan: tuple[Band, ...]
    years: tuple[Year, ...]
    fiscal: tuple[Fiscal, ...]
    irr: tuple[float, ...]
    horizons: tuple[AtHorizon, ...]
    peak: Peak
    scenarios: tuple[Scenario, ...]
    stage: float
    provision: float
    tei: Tei


@dataclass(frozen=True)
class Nothing:
    """Doing nothing: present value of its costs, and their means by year and in single months."""

    name: str
    costs: Spread
    years: tuple[float, ...]
    first_month: float
    last_month: float


@dataclass(frozen=True)
class Difference:
    """Two options on the same draws: NPV of `a` less that of `b`, and P(a is better)."""

    a: str
    b: str
    npv: Spread
    better: float


@dataclass(frozen=True)
class Choice:
    """What the declared rule makes of all options, doing nothing among them.

    Attributes
    ----------
    action : str
        ``approve``; ``stage``, ``defer``: worth it on average, and a risk rule is not met (with a
        stage, without one); ``other``: another option is better by the rule; ``reject``: doing
        nothing is; ``close``: within two Monte Carlo errors.
    rule : {"expected", "p_positive", "worst"}
    bound : float or None
        Of a risk rule.
    best : str
        Option that is best by the rule; doing nothing is one.
    rival : str
        The best of the others than the recommended one.
    margin, error : float
        Mean NPV of the recommended option less that of the rival, and its Monte Carlo error.
    """

    action: Literal["approve", "stage", "defer", "other", "reject", "close"]
    rule: Literal["expected", "p_positive", "worst"]
    bound: float | None
    best: str
    rival: str
    margin: float
    error: float


@dataclass(frozen=True)
class Party:
    """Somebody who gains or pays in the recommended option: mean present values."""

    name: str
    gains: float
    pays: float


@dataclass(frozen=True)
class RiskCost:
    """A risk that is simulated: mean likelihood, cost if it comes, mean present value."""

    risk: str
    likelihood: float
    cost: Spread
    present: float


@dataclass(frozen=True)
class PostTest:
    """Whether a line frees the posts that are given up for it.

    Attributes
    ----------
    line : str
    freed_hours : float
        Mean hours a year by those who use it, in the leanest month from the release on.
    posts_hours : float
        Contract hours a year of the posts.
    posts : int
    budget, holder : str
        Budget line that falls, and who holds it.
    date : datetime.date
        Day from which it falls.
    people : float
        Of the team.
    """

    line: str
    freed_hours: float
    posts_hours: float
    posts: int
    budget: str
    holder: str
    date: datetime.date
    people: float


@dataclass(frozen=True)
class Driver:
    """A quantity that moves the recommended option's NPV.

    Attributes
    ----------
    id : str
        Of the ledger, or ``slip:`` and the roadmap's id.
    at : tuple of float, float
        The quantity at its 10th and 90th percentile.
    npv : tuple of float, float
        The expected NPV there, the rest at their means.
    switching : float or None
        Value at which the expected NPV is 0; None where there is none.
    share : float
        Of the variance of the NPV, first order.
    knowing : float or None
        What knowing it is worth at most (EVPPI), in money; computed for the widest.
    """

    id: str
    at: tuple[float, float]
    npv: tuple[float, float]
    switching: float | None = None
    share: float = 0.0
    knowing: float | None = None

    @property
    def worth(self) -> float:
        """What knowing it is worth, nothing where that was not computed."""
        return self.knowing or 0.0
