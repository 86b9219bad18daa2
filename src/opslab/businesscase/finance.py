"""The finance that a CFO checks by hand: present values, rates of return, payback, the TEI table.

Flows are nominal or real as the rate is, before tax, in one currency; nothing is rounded. A series
starts at time 0, which is never discounted (a spreadsheet's NPV() discounts its first value too).
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from opslab.businesscase.roots import ROUNDING, zeros
from opslab.errors import InputError
from opslab.uncertainty.distributions import Values

Timing = Literal["end_year", "mid_year", "monthly"]
"""When the flow of a period falls: at a year's end, in its middle, or at a month's end."""

Flows = Sequence[float] | Values
"""The first at time 0."""

_MONTHS = {"end_year": 12, "mid_year": 12, "monthly": 1}


def discount_factors(rate: float, count: int, timing: Timing = "end_year") -> Values:
    """Return what 1 at each of ``count`` times is worth now: (1 + rate)^-t, t in years.

    ``factors @ flows`` is the net present value, for flows of shape (count,) or (count, draws).

    Parameters
    ----------
    rate : float
        A year, above -1 (0.08 for 8 %).
    count : int
        Flows, the one at time 0 among them.
    timing : {"end_year", "mid_year", "monthly"}
        The k-th flow falls at t = k, at k - 1/2 (the first at 0), or at k / 12: a month has
        (1 + rate)^(1/12), not rate / 12.

    Raises
    ------
    InputError
        When the rate is -1 or less, or so near it that the factors are no numbers.

    References
    ----------
    Brealey, Myers and Allen, Principles of Corporate Finance, appendix table 1 (discount factors).

    Examples
    --------
    >>> discount_factors(0.10, 4).round(3).tolist()  # the printed table: .909, .826, .751
    [1.0, 0.909, 0.826, 0.751]
    >>> discount_factors(0.10, 3, "mid_year").round(3).tolist()
    [1.0, 0.953, 0.867]
    """
    if timing not in _MONTHS:
        raise InputError.of("businesscase.timing", given=timing, known=list(_MONTHS))
    years = np.arange(count) * _MONTHS[timing] / 12 - (0.5 if timing == "mid_year" else 0.0)
    return _factors(rate, years.clip(0.0))


def npv(rate: float, flows: Flows, timing: Timing = "end_year") -> float:
    """Return the net present value of flows: sum of flow / (1 + rate)^t.

    Parameters
    ----------
    rate, timing
        See `discount_factors`.
    flows : sequence of float
        The first at time 0, then one a year (one a month when ``timing`` is monthly).

    Examples
    --------
    >>> round(npv(0.08, [-40000, 8000, 9200, 10000, 12000, 14500]), 2)  # Excel: $1,922.06
    1922.06
    """
    series = _series(flows)
    return float(discount_factors(rate, len(series), timing) @ series)


def xnpv(rate: float, flows: Flows, dates: Sequence[datetime.date]) -> float:
    """Return the net present value of dated flows on the earliest of their dates, actual/365.

    sum of flow / (1 + rate)^(days / 365), as Excel's XNPV; the order of the flows does not matter.

    Examples
    --------
    >>> days = ["2008-01-01", "2008-03-01", "2008-10-30", "2009-02-15", "2009-04-01"]
    >>> dates = [datetime.date.fromisoformat(day) for day in days]
    >>> round(xnpv(0.09, [-10000, 2750, 4250, 3250, 2750], dates), 2)  # Excel: $2,086.65
    2086.65
    """
    series, years = _dated(flows, dates)
    return float(_factors(rate, years) @ series)


def irr(flows: Flows) -> tuple[float, ...]:
    """Return every rate a period above -1 at which the net present value is zero, lowest first.

    None, one or several: with more than one change of sign prefer `mirr`. A root where the value
    only touches zero counts once; near enough to it (1e-12 of the gross flows) is touching. The
    rate of monthly flows is one a month: (1 + rate)^12 - 1 a year. A rate that a floating-point
    number cannot tell from -1 or from infinity is left out.

    Parameters
    ----------
    flows : sequence of float
        The first at time 0, then one a period.

    Raises
    ------
    InputError
        When all flows are zero: every rate would do.

    References
    ----------
    Laguerre (1883), the proof of Descartes' rule of signs: no guess, no range to search, no root
    missed.

    Examples
    --------
    >>> [round(rate, 4) for rate in irr([-4000, 25000, -25000])]  # Brealey and Myers: 25, 400 %
    [0.25, 4.0]
    >>> irr([1000, -3000, 2500])  # the same book's project without any
    ()
    """
    series = _series(flows)
    return _rates(series, np.arange(len(series), dtype=np.float64))


def xirr(flows: Flows, dates: Sequence[datetime.date]) -> tuple[float, ...]:
    """Return every rate a year above -1 at which `xnpv` is zero, lowest first; see `irr`.

    Examples
    --------
    >>> days = ["2008-01-01", "2008-03-01", "2008-10-30", "2009-02-15", "2009-04-01"]
    >>> dates = [datetime.date.fromisoformat(day) for day in days]
    >>> rates = xirr([-10000, 2750, 4250, 3250, 2750], dates)  # Excel: 0.373362535
    >>> [round(rate, 8) for rate in rates]
    [0.37336253]
    """
    return _rates(*_dated(flows, dates))


def mirr(flows: Flows, finance_rate: float, reinvest_rate: float) -> float | None:
    """Return the modified internal rate of return, a period; None without outlay or return.

    (future value of what comes in at the reinvestment rate / present value of what goes out at the
    finance rate)^(1/n) - 1, as Excel's MIRR; always one number.

    Examples
    --------
    >>> flows = [-120000, 39000, 30000, 21000, 37000, 46000]
    >>> round(mirr(flows, 0.10, 0.12), 4)  # Excel: 12.61 %
    0.1261
    """
    series = _series(flows)
    last = len(series) - 1
    spent = -float(discount_factors(finance_rate, last + 1) @ np.minimum(series, 0.0))
    earned = float(discount_factors(reinvest_rate, last + 1) @ np.maximum(series, 0.0))
    if not (spent > 0 and earned > 0 and last):
        return None
    return math.expm1((math.log(earned) - math.log(spent)) / last + math.log1p(reinvest_rate))


def roi(benefits: float, costs: float) -> float | None:
    """Return the return on investment, (benefits - costs) / costs; None at zero cost.

    Not benefit per cost, which is `benefit_cost_ratio`. TEI takes present values of both.

    Raises
    ------
    InputError
        When the costs are below 0: what is saved is a benefit.

    Examples
    --------
    >>> roi(150.0, 100.0), benefit_cost_ratio(150.0, 100.0), roi(150.0, 0.0)
    (0.5, 1.5, None)
    """
    ratio = benefit_cost_ratio(benefits, costs)
    return None if ratio is None else (benefits - costs) / costs


def benefit_cost_ratio(benefits: float, costs: float) -> float | None:
    """Return benefits / costs; None at zero cost. Raises like `roi`."""
    _series([benefits, costs])
    if costs < 0:
        raise InputError.of("businesscase.negative_cost", given=costs)
    return benefits / costs if costs else None


@dataclass(frozen=True)
class Payback:
    """When the money is back.

    Attributes
    ----------
    months : float or None
        From time 0; None when not within the flows given; 0 when nothing was to be paid back.
    negative_again : bool
        Whether the cumulative net falls below zero once more: then the months alone mislead.
    """

    months: float | None
    negative_again: bool


def payback(flows: Flows, timing: Timing = "end_year", rate: float = 0.0) -> Payback:
    """Return when the cumulative net flow, once below zero, is back at zero; linear in a period.

    Parameters
    ----------
    flows : sequence of float
        Net, as in `npv`.
    timing, rate
        At a rate other than 0 the payback is the discounted one; see `discount_factors`.

    Examples
    --------
    >>> # Brigham and Ehrhardt's project S: 2.33 years, discounted 2.95
    >>> payback([-1000, 500, 400, 300, 100])
    Payback(months=28.0, negative_again=False)
    >>> round(payback([-1000, 500, 400, 300, 100], rate=0.10).months / 12, 2)
    2.95
    >>> payback([-1000, 500]).months is None
    True
    """
    series = _series(flows)
    cumulative = np.cumsum(discount_factors(rate, len(series), timing) * series)
    months, again = payback_draws(cumulative[:, None], _MONTHS[timing])
    return Payback(None if math.isnan(months[0]) else float(months[0]), bool(again[0]))


def payback_draws(
    cumulative: Values, months_per_period: int = 1
) -> tuple[Values, np.ndarray[Any, Any]]:
    """Return the payback of each draw in months (NaN: never), and whether it is below 0 again.

    Parameters
    ----------
    cumulative : array of shape (periods + 1, draws)
        Net flow from time 0, discounted or not; a rounding error (1e-12 of the largest) is zero.

    Examples
    --------
    >>> draws = [[-2.0, -2.0, -2.0], [1.0, -1.0, 0.0], [3.0, -0.5, -1.0]]
    >>> months, again = payback_draws(np.array(draws))
    >>> months.round(3).tolist(), again.tolist()
    ([0.667, nan, 1.0], [False, False, True])
    """
    extent = np.maximum(cumulative.max(axis=0), -cumulative.min(axis=0))
    if not np.isfinite(extent).all():
        raise InputError.of("businesscase.flows")
    below = cumulative < -ROUNDING * extent
    back = below[:-1] & ~below[1:]
    months, again = np.where(below.any(axis=0), np.nan, 0.0), np.zeros(len(extent), bool)
    (paid,) = back.any(axis=0).nonzero()
    if len(paid):
        last = np.argmax(back[:, paid], axis=0)
        start, end = cumulative[last, paid], cumulative[last + 1, paid]
        months[paid] = (last + np.minimum(start / (start - end), 1.0)) * months_per_period
        again[paid] = len(below) - 1 - np.argmax(below[::-1, paid], axis=0) > last
    return months, again


@dataclass(frozen=True)
class TeiRow:
    """One row of the TEI table: time 0, the years, their plain total, the present value of all."""

    initial: float
    years: tuple[float, ...]
    total: float
    present_value: float


@dataclass(frozen=True)
class Tei:
    """Forrester's cash flow table, risk-adjusted: one number a cell, never mixed with ranges.

    Attributes
    ----------
    benefits, costs, net : TeiRow
        Costs are positive amounts.
    npv : float
        The present value of the net.
    roi : float or None
        Net present value / present value of the costs; None at zero cost.
    payback : Payback
        On the undiscounted net.
    """

    benefits: TeiRow
    costs: TeiRow
    net: TeiRow
    npv: float
    roi: float | None
    payback: Payback


def tei(
    benefits: Sequence[float],
    costs: Sequence[float],
    *,
    rate: float = 0.10,
    benefit_risk: float = 0.0,
    cost_risk: float = 0.0,
) -> Tei:
    """Return the Total Economic Impact of benefits and costs.

    Parameters
    ----------
    benefits : sequence of float
        Year 1 to n, each at its end.
    costs : sequence of float
        The initial ones at time 0, then year 1 to n; at least 0.
    rate : float
        A year; Forrester takes 10 %.
    benefit_risk, cost_risk : float
        Shares from 0 to 1: benefits are lowered by the one, costs raised by the other.

    Raises
    ------
    InputError
        When the years do not match, a cost is below 0, or a risk is no share.

    References
    ----------
    Forrester, Total Economic Impact, "Cash Flow Analysis (Risk-Adjusted Estimates)".

    Examples
    --------
    >>> benefits, costs = [1606511, 3061331, 4229760], [53150, 666715, 636772, 647783]
    >>> case = tei(benefits, costs)  # the study of SalesLoft: 5,496,170 and 329 %
    >>> round(case.npv, -1), round(case.roi, 2), round(case.payback.months, 1)
    (5496170.0, 3.29, 0.7)
    """
    for risk in (benefit_risk, cost_risk):
        if not 0 <= risk <= 1:
            raise InputError.of("businesscase.risk", given=risk)
    earned, spent = _gains_and_costs(benefits, costs)
    factors = discount_factors(rate, len(spent))
    earned, spent = earned * (1 - benefit_risk), spent * (1 + cost_risk)
    gain, cost, net = (
        TeiRow(float(row[0]), tuple(row[1:].tolist()), float(row.sum()), float(factors @ row))
        for row in (earned, spent, earned - spent)
    )
    share = roi(gain.present_value, cost.present_value)
    return Tei(gain, cost, net, net.present_value, share, payback(earned - spent))


def _gains_and_costs(benefits: Sequence[float], costs: Sequence[float]) -> tuple[Values, Values]:
    """Return what the years bring and what they cost, from time 0."""
    earned, spent = _series([0.0, *benefits]), _series(costs)
    if len(earned) != len(spent):
        raise InputError.of("businesscase.tei_years", benefits=len(benefits), costs=len(costs))
    if (spent < 0).any():
        raise InputError.of("businesscase.negative_cost", given=float(spent.min()))
    return earned, spent


def _series(flows: Flows) -> Values:
    series = np.asarray(flows, dtype=np.float64)
    if series.ndim != 1 or not len(series) or not np.isfinite(series).all():
        raise InputError.of("businesscase.flows")
    return series


def _factors(rate: float, years: Values) -> Values:
    with np.errstate(over="ignore"):
        factors = np.power(1.0 + rate, -years) if -1 < rate < math.inf else np.full(1, np.inf)
    if not np.isfinite(factors).all():
        raise InputError.of("businesscase.rate", given=rate)
    return factors


def _dated(flows: Flows, dates: Sequence[datetime.date]) -> tuple[Values, Values]:
    """Return the flow of each day, and the years from the first one."""
    series = _series(flows)
    if len(series) != len(dates):
        raise InputError.of("businesscase.dates", flows=len(series), dates=len(dates))
    days, day_of = np.unique([date.toordinal() for date in dates], return_inverse=True)
    sums = [math.fsum(series[day_of == day]) for day in range(len(days))]
    return np.array(sums), (days - days[0]) / 365.0


def _rates(flows: Values, years: Values) -> tuple[float, ...]:
    """Return the rates of all x = -ln(1 + rate) at which sum of flow exp(years x) is zero."""
    if not flows.any():
        raise InputError.of("businesscase.all_zero")
    with np.errstate(over="ignore", under="ignore"):
        weights = flows / np.abs(flows).max()
        roots = zeros(weights[weights != 0], years[weights != 0])
        rates = np.expm1([-root for root in reversed(roots)])
    return tuple(float(rate) for rate in rates if -1 < rate < math.inf)
