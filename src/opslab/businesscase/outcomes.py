"""What the draws say of an option: its spread, its risk, when it pays back, how it looks if all goes well."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from opslab.businesscase.finance import Tei, roi, tei
from opslab.businesscase.options import Difference, Nothing, OptionResult, Scenario, Spread
from opslab.businesscase.simulation import KINDS, Cash, Drawn, Weights
from opslab.businesscase.spec import Finance, Option
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
    """An option's present values by kind and gain, hours and costs, for each draw."""

    def __init__(self, option: Weights, drawn: Sequence[Drawn], draws: int) -> None:
        self.kinds: dict[str, Values] = {}
        self.gains: dict[str, Values] = {}
        self.costs, self.hours = np.zeros(draws), np.zeros(draws)
        for one in drawn:
            part = option.parts.get(one.flow.name, 0.0)
            if not part or not one.flow.counted:
                continue
            if part < 0:
                self.costs -= part * one.present
                continue
            for sums, name in ((self.kinds, one.flow.kind), (self.gains, one.flow.gain)):
                sums[name] = sums.get(name, np.zeros(draws)) + part * one.present
            self.hours += part * one.hours
        self.benefits = np.asarray(sum(self.kinds.values(), start=np.zeros(draws)))
        self.npv = self.benefits - self.costs


def option_result(
    option: Option,
    weights: Weights,
    drawn: Sequence[Drawn],
    cash: Cash,
    finance: Finance,
    stage: int | None,
) -> OptionResult:
    """Return what the draws say of one option.

    Parameters
    ----------
    option : Option
    weights : Weights
    drawn : sequence of Drawn
    cash : Cash
    finance : Finance
    stage : int or None
        Months that stage 1 pays for.
    """
    months, draws = cash.payback, len(cash.payback)
    total = Totals(weights, drawn, draws)
    fan = np.quantile(cash.cumulative, (0.1, 0.5, 0.9), axis=1).T
    ordered = np.sort(total.npv)
    worst = ordered[: max(1, round(_WORST * draws))]
    hard = total.kinds.get("hard", np.zeros(draws))
    years = _years(weights, drawn, finance.horizon_months)
    return OptionResult(
        name=option.name,
        kind=option.kind,
        description=option.description,
        npv=spread(total.npv),
        npv_error=float(total.npv.std() / math.sqrt(draws)),
        positive=chance(total.npv > 0),
        within_year=chance(months <= _YEAR),
        payback=_median(months),
        payback_discounted=_median(cash.discounted),
        never=float(np.isnan(months).mean()),
        negative_again=float(cash.negative_again.mean()),
        p5=float(worst[-1]),
        worst=float(worst.mean()),
        expected_loss=float(np.maximum(-total.npv, 0).mean()),
        roi=roi(float(total.benefits.mean()), float(total.costs.mean())),
        roi_hard=roi(float(hard.mean()), float(total.costs.mean())),
        benefits={name: spread(total.kinds[name]) for name in KINDS if name in total.kinds}
        | {"all": spread(total.benefits)},
        gains={name: spread(values) for name, values in sorted(total.gains.items())},
        costs=spread(total.costs),
        hours=spread(total.hours),
        fan=tuple(map(tuple, fan.tolist())),
        years=years,
        scenarios=_scenarios(total, months),
        stage=_stage(weights, drawn, stage),
        tei=_tei(weights, drawn, years, finance),
    )


def nothing_result(nothing: Weights, drawn: Sequence[Drawn], draws: int, months: int) -> Nothing:
    """Return what doing nothing costs."""
    costs, by_month = np.zeros(draws), np.zeros(months)
    for one in drawn:
        part = -nothing.parts.get(one.flow.name, 0.0)
        costs += part * one.present
        by_month += part * one.by_month
    by_year = tuple(
        float(by_month[start : start + _YEAR].sum()) for start in range(0, months, _YEAR)
    )
    return Nothing(nothing.name, spread(costs), by_year, float(by_month[0]), float(by_month[-1]))


def differences(names: Sequence[str], npvs: Sequence[Values]) -> tuple[Difference, ...]:
    """Return every pair of options on the same draws."""
    return tuple(
        Difference(names[a], names[b], spread(npvs[a] - npvs[b]), float(np.mean(npvs[a] > npvs[b])))
        for a in range(len(names))
        for b in range(a + 1, len(names))
    )


def waterfall(weights: Weights, drawn: Sequence[Drawn]) -> tuple[tuple[str, float], ...]:
    """Return the way from what the gains could be to what is left, in mean present values."""
    steps = dict.fromkeys(("gross", "used", "kept", "benefits"), 0.0)
    paid = {"one_off": 0.0, "running": 0.0}
    for one in drawn:
        part = weights.parts.get(one.flow.name, 0.0) if one.flow.counted else 0.0
        if part > 0:
            for name in steps:
                steps[name] += part * one.steps[name]
        elif part < 0:
            paid["one_off" if one.flow.once else "running"] += part * one.steps["benefits"]
    return (
        ("gross", steps["gross"]),
        ("not_used", steps["used"] - steps["gross"]),
        ("decayed", steps["kept"] - steps["used"]),
        ("not_recaptured", steps["benefits"] - steps["kept"]),
        ("benefits", steps["benefits"]),
        *paid.items(),
        ("net", steps["benefits"] + sum(paid.values())),
    )


def enabled(drawn: Sequence[Drawn], weights: Weights) -> Spread | None:
    """Return the present value of what the recommended option enables and does not count."""
    values = [
        one.present for one in drawn if not one.flow.counted and weights.parts.get(one.flow.name)
    ]
    return spread(np.asarray(sum(values[1:], start=values[0]))) if values else None


def _median(months: Values) -> float | None:
    """Return the median of months to payback; None when half of the draws never pay back."""
    found = float(np.median(np.where(np.isnan(months), np.inf, months)))
    return found if math.isfinite(found) else None


def _years(
    weights: Weights, drawn: Sequence[Drawn], months: int
) -> tuple[tuple[float, float, float], ...]:
    """Return benefits, one-off costs and running costs by year, as means."""
    rows = np.zeros((3, months))
    for one in drawn:
        part = weights.parts.get(one.flow.name, 0.0) if one.flow.counted else 0.0
        rows[0 if part > 0 else 1 if one.flow.once else 2] += abs(part) * one.by_month
    starts = range(0, months, _YEAR)
    return tuple((*(float(row[start : start + _YEAR].sum()) for row in rows),) for start in starts)  # type: ignore[misc] # three rows


def _tei(
    weights: Weights,
    drawn: Sequence[Drawn],
    years: Sequence[tuple[float, float, float]],
    finance: Finance,
) -> Tei:
    """Return Forrester's table of the means: what the first month pays once is initial."""
    paid = [(weights.parts.get(one.flow.name, 0.0), one) for one in drawn if one.flow.once]
    initial = sum(-min(part, 0.0) * float(one.by_month[0]) for part, one in paid)
    costs = [once + running for _, once, running in years]
    return tei(
        [benefits for benefits, _, _ in years],
        [initial, costs[0] - initial, *costs[1:]],
        rate=finance.rate,
        benefit_risk=finance.benefit_risk,
        cost_risk=finance.cost_risk,
    )


def _scenarios(total: Totals, months: Values) -> tuple[Scenario, ...]:
    """Return the means of the draws about three percentiles of the NPV: they add up."""
    order = np.argsort(total.npv, kind="stable")
    draws, found = len(order), []
    for percentile in (10, 50, 90):
        middle, half = percentile / 100, _AROUND / 2
        here = order[int((middle - half) * draws) : max(int((middle + half) * draws), 1)]
        hard = float(total.kinds["hard"][here].mean()) if "hard" in total.kinds else 0.0
        costs, npv = float(total.costs[here].mean()), float(total.npv[here].mean())
        soft = float(total.benefits[here].mean()) - hard
        hours, back = float(total.hours[here].mean()), _median(months[here])
        found.append(
            Scenario(percentile, hours, hard, soft, costs, npv, roi(hard + soft, costs), back)
        )
    return tuple(found)


def _stage(weights: Weights, drawn: Sequence[Drawn], months: int | None) -> float | None:
    if months is None:
        return None
    parts: Mapping[str, float] = weights.parts
    return sum(
        -min(parts.get(one.flow.name, 0.0), 0.0) * float(one.by_month[:months].sum())
        for one in drawn
    )
