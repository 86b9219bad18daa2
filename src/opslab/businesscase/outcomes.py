"""What the draws say of an option: its spread, its risk, when it pays back, how it looks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from opslab.businesscase.declarations import Finance, Option
from opslab.businesscase.finance import Tei, irr, payback_draws, roi, tei
from opslab.businesscase.options import (
    AtHorizon,
    Band,
    Difference,
    Fiscal,
    Nothing,
    OptionResult,
    Peak,
    Scenario,
    Spread,
    Year,
)
from opslab.businesscase.simulation import KINDS, RISK, Cash, Drawn, Horizon, Weights, accumulated
from opslab.businesscase.verdict import chance, mean, worst
from opslab.uncertainty.distributions import Values

_YEAR, _WORST = 12, 0.05
HORIZONS = (12, 24, 36, 60)
"""Months over which a case is looked at."""
_SCENARIOS = {"prudent": 0.1, "ambitious": 0.9}
_AROUND = 0.05
"""Share of the draws, about a percentile of the NPV, whose means make a scenario."""


def spread(draws: Values) -> Spread:
    """Return mean and percentiles of draws."""
    p10, p50, p90 = np.quantile(draws, (0.1, 0.5, 0.9)) if np.ndim(draws) else (draws,) * 3
    return Spread(float(np.mean(draws)), float(p10), float(p50), float(p90))


class Totals:
    """What an option takes of the lines that count: for each draw, by month, on the way."""

    def __init__(self, option: Weights, lines: Sequence[Drawn], draws: int) -> None:
        self.taken = [(part, line) for line in lines if (part := option.counted(line.flow))]
        self.kinds: dict[str, Values] = {}
        self.gains: dict[str, Values] = {}
        self.costs, self.hours = np.zeros(draws), np.zeros(draws)
        for part, line in self.taken:
            if part < 0:
                self.costs -= part * line.present
                continue
            for sums, name in ((self.kinds, line.flow.kind), (self.gains, line.flow.gain)):
                sums[name] = sums.get(name, np.zeros(draws)) + part * line.present
            self.hours += part * line.hours
        self.hard = self.kinds.get("hard", np.zeros(draws))
        self.benefits = np.asarray(sum(self.kinds.values(), start=np.zeros(draws)))
        self.npv = self.benefits - self.costs

    def money(self, months: int) -> Values:
        """Return mean benefits, one-off and running costs of each month: (3, months)."""
        rows = np.zeros((3, months))
        for part, line in self.taken:
            rows[0 if part > 0 else 1 if line.flow.once else 2] += abs(part) * line.by_month
        return rows

    def cumulative(self, horizon: Horizon, *, discounted: bool = False) -> Values:
        """Return the mean cumulative cash at the start and after each month: (months + 1, 1)."""
        single, running = np.zeros((2, horizon.months))
        for part, line in self.taken:
            flows = single if line.flow.once else running
            flows += part * line.by_month
        if discounted:
            single, running = single * horizon.once(), running * horizon.factors()
        return accumulated(running[:, None], single[:, None], (horizon.months + 1, 1))

    def paid(self, months: int, *, once: bool = False, risks: bool | None = None) -> float:
        """Return the mean costs of the first months: all, those paid once, of risks or not."""
        return sum(
            -part * float(line.by_month[:months].sum())
            for part, line in self.taken
            if part < 0 and line.flow.once >= once
            if risks is None or risks == line.flow.name.startswith(RISK)
        )

    def waterfall(self) -> tuple[tuple[str, float], ...]:
        """Return the way from what the gains could be to what is left, in mean present values."""
        steps = dict.fromkeys(("gross", "used", "kept", "benefits"), 0.0)
        paid = {"one_off": 0.0, "running": 0.0}
        for part, line in self.taken:
            if part < 0:
                paid["one_off" if line.flow.once else "running"] += part * line.steps["benefits"]
                continue
            for name, value in line.steps.items():
                steps[name] += part * value
        return (
            ("gross", steps["gross"]),
            ("not_used", steps["used"] - steps["gross"]),
            ("decayed", steps["kept"] - steps["used"]),
            ("not_recaptured", steps["benefits"] - steps["kept"]),
            ("benefits", steps["benefits"]),
            *paid.items(),
            ("net", steps["benefits"] + sum(paid.values())),
        )

    def scenario(self, name: Literal["prudent", "ambitious"], payback: Values) -> Scenario:
        """Return the means of the draws about p10 or p90 of the NPV: they add up."""
        order = np.argsort(self.npv, kind="stable")
        middle, half = _SCENARIOS[name], _AROUND / 2
        here = order[int((middle - half) * len(order)) : max(int((middle + half) * len(order)), 1)]
        return self._scenario(name, here, _median(payback[here]))

    def expected(self, payback: float | None) -> Scenario:
        """Return the means of all draws."""
        return self._scenario("expected", slice(None), payback)

    def _scenario(
        self, name: Any, here: NDArray[np.intp] | slice, payback: float | None
    ) -> Scenario:
        sums = (self.hours, self.hard, self.benefits, self.costs, self.npv)
        hours, hard, benefits, costs, npv = (float(values[here].mean()) for values in sums)
        ratio = roi(benefits, costs)
        return Scenario(name, hours, hard, benefits - hard, costs, npv, ratio, payback)


class Context(NamedTuple):
    """What is known of an option beside its draws.

    Attributes
    ----------
    horizon : Horizon
    finance : Finance
    now : int
        Months that stage 1 pays for, or of the first fiscal year where there is no stage.
    fte : float or None
        Full posts that its mean hours are.
    later : tuple of AtHorizon
        Mean NPV beyond the horizon.
    idle : array of shape (months,)
        What doing nothing costs.
    """

    horizon: Horizon
    finance: Finance
    now: int
    fte: float | None
    later: tuple[AtHorizon, ...]
    idle: Values


def option_result(option: Option, total: Totals, cash: Cash, context: Context) -> OptionResult:
    """Return what the draws say of one option."""
    horizon, finance = context.horizon, context.finance
    kinds = {name: spread(total.kinds[name]) for name in KINDS if name in total.kinds}
    low, high = np.quantile(cash.cumulative, (0.1, 0.9), axis=1)
    mean_cash = total.cumulative(horizon)
    ends = zip(low.tolist(), mean_cash[:, 0].tolist(), high.tolist(), strict=True)
    present = total.cumulative(horizon, discounted=True)
    money, costs = total.money(horizon.months), float(total.costs.mean())
    payback, tail, npv = _month(mean_cash), worst(total.npv), mean(total.npv)
    years = tuple(map(Year, *map(_by_year, money)))
    return OptionResult(
        name=option.name,
        kind=option.kind,
        description=option.description,
        npv=spread(total.npv),
        npv_error=npv.error,
        positive=chance(total.npv > 0),
        loss=chance(total.npv < 0),
        within_year=chance(cash.payback <= _YEAR),
        payback=payback,
        payback_discounted=_month(present),
        never=float(np.isnan(cash.payback).mean()),
        negative_again=float(cash.negative_again.mean()),
        p5=float(np.quantile(total.npv, _WORST)),
        worst=tail.value,
        worst_error=tail.error,
        expected_loss=float(np.maximum(-total.npv, 0).mean()),
        roi=roi(float(total.benefits.mean()), costs),
        roi_hard=roi(float(total.hard.mean()), costs),
        benefits=kinds | {"all": spread(total.benefits)},
        gains={name: spread(values) for name, values in sorted(total.gains.items())},
        costs=spread(total.costs),
        hours=spread(total.hours),
        fte=context.fte,
        fan=tuple(Band(*row) for row in ends),
        years=years,
        fiscal=tuple(_fiscal(finance, np.vstack([money, context.idle]))),
        irr=_irr(mean_cash[:, 0]),
        horizons=(*_horizons(present[:, 0]), *context.later),
        peak=_peak(mean_cash[:, 0]),
        scenarios=(
            total.scenario("prudent", cash.payback),
            total.expected(payback),
            total.scenario("ambitious", cash.payback),
        ),
        stage=total.paid(context.now, risks=False),
        provision=total.paid(context.now, risks=True),
        tei=_tei(years, total.paid(1, once=True), finance),
    )


def _month(cumulative: Values) -> float | None:
    """Return the month in which mean cash has paid back; None: not within the horizon."""
    months = float(payback_draws(cumulative)[0][0])
    return None if math.isnan(months) else months


def _irr(cumulative: Values) -> tuple[float, ...]:
    """Return every rate a year at which the cash of months is worth 0."""
    flows = np.diff(cumulative, prepend=0.0)
    if not flows.any():
        return ()
    yearly = (np.float64(1 + rate) ** _YEAR - 1 for rate in irr(flows.tolist()))
    return tuple(float(rate) for rate in yearly if np.isfinite(rate))


def _horizons(present: Values) -> Iterator[AtHorizon]:
    """Give the mean NPV over each of the usual horizons within the case's, and over the case's."""
    last = len(present) - 1
    for months in sorted({*(known for known in HORIZONS if known < last), last}):
        yield AtHorizon(months, float(present[months]))


def _peak(cumulative: Values) -> Peak:
    month = int(np.argmin(cumulative))
    return Peak(max(-float(cumulative[month]), 0.0), month)


def _fiscal(finance: Finance, money: Values) -> Iterator[Fiscal]:
    """Give the money of each fiscal year, the first and the last of them perhaps in part."""
    months = [finance.month(number) for number in range(money.shape[1])]
    begins = [n for n, day in enumerate(months) if not n or day.month == finance.fiscal_year]
    for first, last in zip(begins, [*begins[1:], len(months)], strict=True):
        yield Fiscal(months[first], *money[:, first:last].sum(axis=1).tolist())


def _tei(years: Sequence[Year], initial: float, finance: Finance) -> Tei:
    """Return Forrester's table of the means: what the first month pays once is initial."""
    costs = [year.one_off + year.running for year in years]
    return tei(
        [year.benefits for year in years],
        [initial, costs[0] - initial, *costs[1:]],
        rate=finance.rate,
        benefit_risk=finance.benefit_risk,
        cost_risk=finance.cost_risk,
    )


def nothing_result(name: str, idle: Totals, months: int) -> Nothing:
    """Return what doing nothing costs."""
    by_month = idle.money(months)[1:].sum(axis=0)
    first, last = float(by_month[0]), float(by_month[-1])
    return Nothing(name, spread(idle.costs), tuple(_by_year(by_month)), first, last)


def differences(names: Sequence[str], npvs: Sequence[Values]) -> tuple[Difference, ...]:
    """Return every pair of options on the same draws."""
    return tuple(
        Difference(names[a], names[b], spread(npvs[a] - npvs[b]), float(np.mean(npvs[a] > npvs[b])))
        for a in range(len(names))
        for b in range(a + 1, len(names))
    )


def enabled(lines: Sequence[Drawn], option: Weights) -> Spread | None:
    """Return the present value of what an option enables and does not count."""
    values = [
        line.present for line in lines if not line.flow.counted and option.parts.get(line.flow.name)
    ]
    return spread(np.asarray(sum(values[1:], start=values[0]))) if values else None


def _median(months: Values) -> float | None:
    """Return the median of months to payback; None when half of the draws never pay back."""
    median = float(np.median(np.where(np.isnan(months), np.inf, months)))
    return median if math.isfinite(median) else None


def _by_year(by_month: Values) -> list[float]:
    starts = range(0, len(by_month), _YEAR)
    return [float(by_month[start : start + _YEAR].sum()) for start in starts]
