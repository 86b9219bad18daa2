"""What nobody would believe at once: terms, ranges, rates, days, thresholds, optimism in costs.

Each question names the line, its value and what to do about it; none stops a case.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from opslab.businesscase.commitments import Kpi
from opslab.businesscase.declarations import Cost
from opslab.businesscase.plan import Plan
from opslab.businesscase.result import SAID, CaseResult
from opslab.results import Message

INFLATION = 0.02
"""A year: what central banks aim at; a nominal rate below it says that money loses worth."""
MOST_RATE = 0.25
"""Discount rate a year above which nothing but venture capital asks for."""
FACTOR = 2.0
"""By which no rate of exchange among usual currencies moves in a few years."""
YEAR = 366
"""Days after which a rate of exchange is old: a budget is made once a year."""
SEVERAL = 24
"""Months over which wages that do not grow at all are worth a question."""
BUILD = 6
"""Months from which a build is long: its end is more of a hope than a date."""
SMALL = 0.01
"""Share of an option's costs below which a one-off cost changes nothing."""
NOBODY = frozenset({"", "na", "nn", "tbd", "tba", "tbc", "todo", "none", "unknown", "inconnu", "adefinir", "àdéfinir"})
"""Letters of what stands where a name should be."""


def named(text: str | None, kind: Callable[[str], bool] = str.isalpha) -> bool:
    """Return whether a text names somebody or something, by its characters of a kind.

    Examples
    --------
    >>> named("Controlling"), named("?"), named("n/a"), named("4417"), named("4417", str.isalnum)
    (True, False, False, False, True)
    """
    return "".join(filter(kind, text or "")).casefold() not in NOBODY


def plausible_rate(rate: float, *, nominal: bool) -> bool:
    """Return whether a discount rate a year is one that a controller would set.

    Examples
    --------
    >>> [plausible_rate(rate, nominal=True) for rate in (0.01, 0.02, 0.25, 0.3)]
    [False, True, True, False]
    >>> plausible_rate(0.01, nominal=False), plausible_rate(-0.01, nominal=False)
    (True, False)
    """
    return (INFLATION if nominal else 0.0) <= rate <= MOST_RATE


def rough_rate(given: str, to: str) -> float | None:
    """Return roughly what a unit of a currency is worth in another; None where it is not known.

    Means of 2024 of the European Central Bank's reference rates, in ``currencies.toml``.

    Examples
    --------
    >>> round(rough_rate("USD", "EUR"), 2), rough_rate("USD", "XTS")
    (0.93, None)
    """
    worth = _per_euro()
    return worth[to] / worth[given] if given in worth and to in worth else None


def plausible_exchange(rate: float, rough: float) -> bool:
    """Return whether a rate of exchange is within a factor of two of a rough one.

    Examples
    --------
    >>> plausible_exchange(0.92, 0.93), plausible_exchange(92, 0.93), plausible_exchange(0.4, 0.93)
    (True, False, False)
    """
    return rough / FACTOR <= rate <= rough * FACTOR


def doubt_of(kpi: Kpi) -> str | None:
    """Return what a target's thresholds say that cannot be meant; None where they are sound.

    ``kill``: nothing, or a loss, would stop the work; ``range``: what is promised holds the value
    at which it is stopped; ``target``: it is the best end of its own range.
    """
    sign = 1 if kpi.target > kpi.baseline else -1
    worst, best = sorted((sign * kpi.low, sign * kpi.high))
    if sign * kpi.kill <= sign * kpi.baseline:
        return "kill"
    if worst <= sign * kpi.kill:
        return "range"
    return "target" if sign * kpi.target >= best else None


def questions(result: CaseResult) -> dict[str, list[Message]]:
    """Return what to ask about a case, by the check that asks it, the weightiest first."""
    case = result.case
    asked = {
        "points": _points(result),
        "rates": _rates(case),
        "dates": _dates(result),
        "terms": _terms(case),
        "optimism": _optimism(result),
        "thresholds": _thresholds(case),
    }
    return {name: [*messages] for name, messages in asked.items()}


def not_judged(case: Plan) -> list[str]:
    """Return the currencies of which no rough rate is known."""
    rates = case.finance.exchange
    return [rate.given for rate in rates if not rough_rate(rate.given, rate.to)]


@cache
def _per_euro() -> dict[str, float]:
    data = Path(__file__).with_name("currencies.toml").read_text(encoding="utf-8")
    known: dict[str, float] = tomllib.loads(data)["per_euro"]
    return known


def _ask(key: str, **values: Any) -> Message:
    return Message(f"businesscase.{key}", values)


def _own(case: Plan) -> Iterator[Cost]:
    """Give the costs of options that doing nothing does not have."""
    return (cost for cost in case.costs if cost.name not in case.nothing.costs)


def _months(case: Plan, cost: Cost) -> int:
    """Return the months of the horizon over which a cost runs."""
    finance = case.finance
    end = case.day_of(cost.ends, end=True) if cost.ends else finance.end
    start = case.day_of(cost.starts, end=False)
    return finance.month_of(min(end, finance.end)) - max(finance.month_of(start), 0)


def _points(result: CaseResult) -> Iterator[Message]:
    for entry in result.ledger:
        guessed = entry.grade in SAID and entry.family == "fixed" and entry.value
        if guessed and entry.used_by and result.case.assumption(entry.id):
            yield _ask("points_guess", ids=[entry.id], grade=entry.grade, value=entry.value)


def _rates(case: Plan) -> Iterator[Message]:
    finance, nominal = case.finance, case.finance.terms == "nominal"
    if not plausible_rate(finance.rate, nominal=nominal):
        least = INFLATION if nominal else 0.0
        yield _ask(f"rates_{finance.terms}", rate=finance.rate, least=least, most=MOST_RATE)
    for rate in finance.exchange:
        rough, values = rough_rate(rate.given, rate.to), {"given": rate.given, "to": rate.to, "rate": rate.rate}
        if rough and not plausible_exchange(rate.rate, rough):
            yield _ask("rates_exchange", rough=rough, **values)
        if (case.date - rate.date).days > YEAR:
            yield _ask("rates_old", day=rate.date, **values)


def _dates(result: CaseResult) -> Iterator[Message]:
    case, by, end = result.case, result.case.decision.by, result.case.finance.end
    idle = case.nothing.costs
    starts = {
        line.line.name: case.day_of(line.line.starts, end=line.field == "benefits")
        for line in case.lines()
        if line.line.name not in idle
    }
    for name, day in starts.items():
        if day < by:
            yield _ask("dates_early", name=name, day=day, by=by)
    best = next(option for option in case.options if option.kind == "recommended")
    first = min(day for name, day in starts.items() if name in (*best.benefits, *best.costs))
    for target in result.targets:
        if not (target.before or first < target.due < end):
            yield _ask("dates_target", name=target.kpi.name, day=target.due, first=first, end=end)
    for risk in case.risks:
        if risk.starts and not by <= (day := case.day_of(risk.starts, end=True)) < end:
            yield _ask("dates_risk", name=risk.risk, day=day, by=by, end=end)


def _terms(case: Plan) -> Iterator[Message]:
    if case.finance.terms == "real":
        for cost in case.costs:
            growth = case.assumption(cost.trend)
            rate = growth.distribution(share=True).mean if growth else 0.0
            if rate > 0 and cost.kind in ("people", "tool"):
                yield _ask("terms_real", name=cost.name, rate=rate)
        return
    for cost in _own(case):
        amount, months = case.assumption(cost.amount), _months(case, cost)
        runs = amount and amount.per != "once" and months >= SEVERAL
        if runs and cost.kind == "people" and not cost.trend:
            yield _ask("terms_nominal", name=cost.name, months=months)


def _optimism(result: CaseResult) -> Iterator[Message]:
    """Flyvbjerg's reference class forecasting; HM Treasury, Green Book, optimism bias."""
    case, least = result.case, SMALL * result.recommended.costs.mean
    for cost in _own(case):
        amount, uplift = case.assumption(cost.amount), case.assumption(cost.uplift)
        if uplift and not named(uplift.source):
            yield _ask("optimism_source", name=cost.name, ids=[uplift.id])
        if amount is None or uplift or amount.low != amount.high:
            continue
        once, paid = amount.per == "once", case.finance.exchange_rate(amount.currency)
        paid *= amount.distribution(share=False).mean
        build = once or (cost.ends and _months(case, cost) >= BUILD)
        if build and paid >= least and cost.kind in ("other", "tool" if once else "people"):
            yield _ask("optimism_point", name=cost.name)


def _thresholds(case: Plan) -> Iterator[Message]:
    for kpi in case.kpis:
        if doubt := doubt_of(kpi):
            values = kpi.model_dump(include={"name", "baseline", "target", "low", "high", "kill"})
            yield _ask(f"thresholds_{doubt}", **values)
