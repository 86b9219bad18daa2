"""What the draws say of an option: its spread, its risk, when it pays back, how it looks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from opslab.businesscase.declarations import Finance, Option
from opslab.businesscase.finance import Tei, roi, tei
from opslab.businesscase.options import (
    Band,
    Difference,
    Nothing,
    OptionResult,
    Scenario,
    Spread,
    Year,
)
from opslab.businesscase.simulation import KINDS, Cash, Drawn, Weights
from opslab.uncertainty.distributions import Values

_YEAR, _WORST = 12, 0.05
_AROUND = 0.05
"""Share of the draws, about a percentile of the NPV, whose means make a scenario."""


def spread(draws: Values) -> Spread:
    """Return mean and percentiles of draws."""
    p10, p50, p90 = np.quantile(draws, (0.1, 0.5, 0.9)) if np.ndim(draws) else (draws,) * 3
    return Spread(float(np.mean(draws)), float(p10), float(p50), float(p90))


def chance(happens: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the share of draws in which something happens, and its Monte Carlo standard error."""
    share = float(np.mean(happens))
    return share, math.sqrt(share * (1 - share) / len(happens))


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

    def years(self, months: int) -> tuple[Year, ...]:
        """Return benefits, one-off costs and running costs by year, as means."""
        rows = np.zeros((3, months))
        for part, line in self.taken:
            rows[0 if part > 0 else 1 if line.flow.once else 2] += abs(part) * line.by_month
        return tuple(map(Year, *map(_by_year, rows)))

    def paid(self, months: int, *, once: bool = False) -> float:
        """Return the mean costs of the first months, or those of them that are paid once."""
        return sum(
            -part * float(line.by_month[:months].sum())
            for part, line in self.taken
            if part < 0 and line.flow.once >= once
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

    def scenario(self, percentile: Literal[10, 50, 90], payback: Values) -> Scenario:
        """Return the means of the draws about a percentile of the NPV: they add up."""
        order = np.argsort(self.npv, kind="stable")
        middle, half = percentile / 100, _AROUND / 2
        here = order[int((middle - half) * len(order)) : max(int((middle + half) * len(order)), 1)]
        sums = (self.hours, self.hard, self.benefits, self.costs, self.npv)
        hours, hard, benefits, costs, npv = (float(values[here].mean()) for values in sums)
        soft = benefits - hard
        return Scenario(
            percentile=percentile,
            hours=hours,
            hard=hard,
            soft=soft,
            costs=costs,
            npv=npv,
            roi=roi(hard + soft, costs),
            payback=_median(payback[here]),
        )


def option_result(
    option: Option, total: Totals, cash: Cash, finance: Finance, stage: int | None
) -> OptionResult:
    """Return what the draws say of one option; `stage`: months that stage 1 pays for."""
    worst = np.sort(total.npv)[: max(1, round(_WORST * len(total.npv)))]
    kinds = {name: spread(total.kinds[name]) for name in KINDS if name in total.kinds}
    fan = np.quantile(cash.cumulative, (0.1, 0.5, 0.9), axis=1).T
    years, costs = total.years(finance.horizon_months), float(total.costs.mean())
    return OptionResult(
        name=option.name,
        kind=option.kind,
        description=option.description,
        npv=spread(total.npv),
        npv_error=float(total.npv.std() / math.sqrt(len(total.npv))),
        positive=chance(total.npv > 0),
        within_year=chance(cash.payback <= _YEAR),
        payback=_median(cash.payback),
        payback_discounted=_median(cash.discounted),
        never=float(np.isnan(cash.payback).mean()),
        negative_again=float(cash.negative_again.mean()),
        p5=float(worst[-1]),
        worst=float(worst.mean()),
        expected_loss=float(np.maximum(-total.npv, 0).mean()),
        roi=roi(float(total.benefits.mean()), costs),
        roi_hard=roi(float(total.hard.mean()), costs),
        benefits=kinds | {"all": spread(total.benefits)},
        gains={name: spread(values) for name, values in sorted(total.gains.items())},
        costs=spread(total.costs),
        hours=spread(total.hours),
        fan=tuple(Band(*row) for row in fan.tolist()),
        years=years,
        scenarios=tuple(total.scenario(percentile, cash.payback) for percentile in (10, 50, 90)),
        stage=None if stage is None else total.paid(stage),
        tei=_tei(years, total.paid(1, once=True), finance),
    )


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


def nothing_result(nothing: Weights, lines: Sequence[Drawn], draws: int, months: int) -> Nothing:
    """Return what doing nothing costs."""
    idle = Totals(nothing, lines, draws)
    by_month = np.zeros(months)
    for part, line in idle.taken:
        by_month -= part * line.by_month
    first, last = float(by_month[0]), float(by_month[-1])
    return Nothing(nothing.name, spread(idle.costs), tuple(_by_year(by_month)), first, last)


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
