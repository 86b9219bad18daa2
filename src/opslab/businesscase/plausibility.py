"""What nobody would believe at once: terms, ranges, rates, days, thresholds, optimism in costs.

Each question names the line, its value and what to do about it; none stops a case.
"""

from __future__ import annotations

import datetime
import math
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from opslab.businesscase.declarations import Benefit, Cost
from opslab.businesscase.plan import Plan
from opslab.businesscase.result import SAID, CaseResult
from opslab.names import named
from opslab.results import Message

INFLATION = 0.02
"""A year: what central banks aim at; a nominal rate below it says that money loses worth."""
MOST_RATE = 0.25
"""Discount rate a year above which nothing but venture capital asks for."""
FACTOR = 1.15
"""Factor of a rough rate of exchange beyond which it is asked about: the dollar turned round is
farther from itself, and few currencies move so much in a year or two."""
YEAR = 366
"""Days after which what was looked up is old: a budget is made once a year."""
MOST_GROWTH = 0.15
"""Growth a year of a cost above which it doubles within five years."""
SEVERAL = 730
"""Days over which wages that do not grow at all are worth a question: two rounds of pay."""
BUILD = 180
"""Days from which a build is long: its end is more of a hope than a date."""
MOST_ROI = 10
"""Gain over costs that nobody is offered: more likely a unit is wrong."""
NARROW = 0.05
"""Width of a 90 % range, as a share of its mean, below which nobody knows a thing by guessing."""


@cache
def rough_rate(given: str, to: str) -> float | None:
    """Return roughly what a unit of a currency is worth in another; None where it is not known.

    Means of 2024 of the European Central Bank's reference rates, in ``currencies.toml``.

    Examples
    --------
    >>> round(rough_rate("USD", "EUR"), 2), rough_rate("USD", "XTS")
    (0.93, None)
    """
    data = Path(__file__).with_name("currencies.toml").read_text(encoding="utf-8")
    worth: dict[str, float] = tomllib.loads(data)["per_euro"]
    return worth[to] / worth[given] if given in worth and to in worth else None


def _ask(key: str, **values: Any) -> Message:
    return Message(f"businesscase.{key}", values)


def _points(result: CaseResult) -> Iterator[Message]:
    for known in result.case.assumptions:
        entry = result.entry(known.id)
        said, bare = entry.grade in SAID, not named(entry.source or entry.file)
        narrow = entry.high - entry.low < NARROW * entry.value
        if entry.used_by and (narrow if said else bare):
            key = "points_guess" if said else "points_unsourced"
            yield _ask(key, ids=[entry.id], grade=entry.grade, value=entry.value)


def _rates(result: CaseResult) -> Iterator[Message]:
    finance, day = result.case.finance, result.case.date
    least = INFLATION if finance.terms == "nominal" else 0
    if not least <= finance.rate <= MOST_RATE:
        yield _ask(f"rates_{finance.terms}", rate=finance.rate, least=INFLATION, most=MOST_RATE)
    for known in finance.exchange:
        rough = rough_rate(known.given, known.to)
        values = {"rough": rough} | known.model_dump()
        if rough is None:
            yield _ask("rates_unknown", **values)
        elif abs(math.log(known.rate / rough)) > math.log(FACTOR):
            yield _ask("rates_exchange", **values)
        if (day - known.date).days > YEAR:
            yield _ask("rates_old", **values)


def _dates(result: CaseResult) -> Iterator[Message]:
    case, option, idle = result.case, result.case.recommended, result.case.nothing.costs
    by, end = case.decision.by, case.finance.end
    lines = (line.line for line in case.lines())
    starts = {line.name: _span(case, line)[0] for line in lines if line.name not in idle}
    dated = [(risk.risk, risk.starts) for risk in case.risks]
    dated += [(cost.name, cost.ended_from) for cost in case.costs]
    later = [(name, case.day_of(when, end=True)) for name, when in dated if when]
    later += [(known.kpi.name, known.due) for known in result.targets if not known.before]
    for days, least in ((starts.items(), by), (later, max(by, min(starts.values())))):
        for name, day in days:
            if not least <= day < end:
                yield _ask("dates_asked", name=name, day=day, least=least, end=end)
    day, *_, last = sorted(starts[name] for name in option.benefits * 2)
    for cost in case.costs:
        if case.ended(option).get(cost.name, 0) > 0 and not cost.ended_from and day < last:
            yield _ask("dates_ended", name=cost.name, day=day, last=last)


def _span(case: Plan, line: Benefit | Cost) -> tuple[datetime.date, datetime.date]:
    """Return the first and the last day of a line."""
    last = case.finance.end - datetime.timedelta(1)
    end = case.day_of(line.ends or str(last), end=True)
    return case.day_of(line.starts, end=isinstance(line, Benefit)), end


def _terms(result: CaseResult) -> Iterator[Message]:
    case, real = result.case, result.case.finance.terms == "real"
    for cost in case.costs:
        growth, amount = case.assumption(cost.trend), case.assumption(cost.amount)
        rate = growth.distribution(share=True).mean if growth else 0.0
        if rate > (0 if real else MOST_GROWTH):
            yield _ask("terms_growth" if real else "terms_fast", name=cost.name, rate=rate)
        flat = not (real or growth or cost.name in case.nothing.costs) and cost.kind == "people"
        starts, ends = _span(case, cost)
        if flat and amount and amount.per != "once" and (ends - starts).days >= SEVERAL:
            yield _ask("terms_flat", name=cost.name)


def _optimism(result: CaseResult) -> Iterator[Message]:
    """Flyvbjerg's reference class forecasting; HM Treasury, Green Book, optimism bias."""
    case, option, lasting = result.case, result.case.recommended, False
    spans = [_span(case, line) for line in case.benefits if line.name in option.benefits]
    first, last = min(spans)[0], max(end for _, end in spans)
    for cost in case.costs:
        amount, uplift = case.assumption(cost.amount), case.assumption(cost.uplift)
        if amount is None or cost.name in case.nothing.costs:
            continue
        once, part, (starts, ends) = amount.per == "once", option.part(cost.name), _span(case, cost)
        runs = starts <= first and ends >= last and not once and not cost.probability
        lasting |= runs and cost.name in option.costs
        if part < 1:
            yield _ask("optimism_part", name=cost.name, part=part)
        build = once or (cost.ends and (ends - starts).days >= BUILD)
        known = amount.low != amount.high or (uplift and named(uplift.source))
        if build and not known and cost.kind in ("other", "tool" if once else "people"):
            yield _ask("optimism_point", name=cost.name)
    if not lasting:
        yield _ask("optimism_stops", name=option.name, starts=first, ends=last)


def _thresholds(result: CaseResult) -> Iterator[Message]:
    """Ask where a loss would not stop the work, a promise holds what would, or is its best end."""
    for kpi in result.case.kpis:
        sign = 1 if kpi.target > kpi.baseline else -1
        kill, worst, best = sign * kpi.kill, *sorted((sign * kpi.low, sign * kpi.high))
        doubts = {
            "kill": kill <= sign * kpi.baseline,
            "range": worst <= kill,
            "target": sign * kpi.target >= best,
        }
        for doubt in [doubt for doubt, wrong in doubts.items() if wrong][:1]:
            yield _ask(f"thresholds_{doubt}", **kpi.model_dump(exclude={"date", "measured"}))


def _size(result: CaseResult) -> Iterator[Message]:
    """Ask where the gain is many times the costs, as of amounts in thousands or of a month."""
    roi = result.recommended.roi or 0
    if roi > MOST_ROI:
        yield _ask("size_asked", roi=roi)


_ASKED = (_size, _points, _rates, _dates, _terms, _optimism, _thresholds)
QUESTIONS = {ask.__name__.removeprefix("_"): ask for ask in _ASKED}
"""What is asked about a case, by the check that asks it, the weightiest first."""
