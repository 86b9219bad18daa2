"""Whether a case holds together: names that exist, units that fit, days in order, single claims."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from opslab.businesscase.claims import claimed_role, is_time, unit_of
from opslab.businesscase.declarations import PER_YEAR, Assumption, Benefit, Cost
from opslab.businesscase.plan import DAY, DeclaredLine, Plan
from opslab.errors import InputError, Problem, SpecError, did_you_mean
from opslab.messages import spoken
from opslab.names import folded, names_somebody, singular

_SHARES = ("adoption", "recapture", "decay", "share", "trend", "probability", "uplift", "schedule")
_AMOUNTS = ("quantity", "worth", "volume", "amount")
_QUANTITIES = _AMOUNTS + _SHARES
_DAYS = ("starts", "ends", "ended_from")
_BY_ID, _BY_NAME = ("assumptions", "evidence", "roadmap", "kpis"), ("benefits", "costs", "options")
_WITHIN = (
    dict.fromkeys(_QUANTITIES, "assumptions")
    | dict.fromkeys((*_DAYS, "stage"), "roadmap")
    | {name: name for name in ("evidence", "benefits", "costs", "options")}
)
"""The list in which a name must stand, by the field that uses it."""
_MOST_REACH = 10  # ten times what a line says is another line
_WORDS = 3  # of a reason


class _Leaf(NamedTuple):
    """What a field of a case says, and where it stands."""

    field: str
    location: tuple[str | int, ...]
    value: Any


def refuse_contradictions(plan: Plan) -> None:
    """Raise a `SpecError` with everything in a case that cannot be."""
    checks = (_names, _nobody, _quantities, _days, _options, _exchange)
    problems = [problem for check in checks for problem in check(plan)]
    refuse(problems or _untaken(plan), SpecError)


def refuse(problems: Iterable[Problem], error: type[InputError] = InputError) -> None:
    """Raise an error with all problems in the order of the file, if there are any."""
    error.refuse(sorted(problems, key=lambda problem: problem.line or 0))


def _leaves(value: Any, field: str = "", *location: str | int) -> Iterator[_Leaf]:
    """Give all that a case says, field by field."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, name, *location, name)
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from _leaves(inner, field, *location, number)
    else:
        yield _Leaf(field, location, value)


def _names(plan: Plan) -> Iterator[Problem]:
    """Tell names that stand for two things, and names of nothing."""
    names = {field: [line.id for line in getattr(plan, field)] for field in _BY_ID}
    names |= {field: [line.name for line in getattr(plan, field)] for field in _BY_NAME}
    names["risks"] = [risk.risk for risk in plan.risks]
    names["teams"] = [singular(team.role) for team in plan.teams]
    french = {field: [spoken(name, "fr") for name in own] for field, own in names.items()}
    also = {"costs": names["benefits"], "assumptions": names["evidence"]}
    for field, own in names.items():
        for number, name in enumerate(own):
            same = french[field][number] in french[field][:number]
            if same or name in own[:number] or name in also.get(field, ()):
                yield plan.problem("businesscase.twice", field, number, name=name)
    for field, location, said in _leaves(plan.model_dump()):
        scored = "scores" in location  # each by the name of its option
        within, name = ("options", field) if scored else (_WITHIN.get(field, ""), said)
        if not within or not isinstance(name, str) or name in names[within]:
            continue
        if field not in _DAYS or not DAY.match(name):
            yield plan.problem(
                "businesscase.unknown",
                *location,
                name=name,
                within=within,
                near=did_you_mean(name, names[within]),
            )


def _nobody(plan: Plan) -> Iterator[Problem]:
    """Tell who is to answer for a line, or signed it, and is nobody; reasons that are none."""
    teams = {singular(team.role) for team in plan.teams}
    for line in plan.lines():
        for field in ("owner", "signed_by"):
            given = getattr(line.line, field, None)
            if given and not names_somebody(given):
                yield line.problem("nobody", field, given=given)
        if not isinstance(line.line, Benefit):
            continue
        own, role = line.line, singular(claimed_role(line.line))
        if own.apart and (not names_somebody(own.apart) or len(folded(own.apart).split()) < _WORDS):
            yield line.problem("no_reason", "apart", given=own.apart)
        if role and singular(own.gained_by or "") in teams - {role}:
            yield line.problem("other_role", "gained_by", given=own.gained_by, role=role)


def _quantities(plan: Plan) -> Iterator[Problem]:
    """Tell shares that are none, money without a currency, worths of another unit."""
    rates = {plan.finance.currency, *(rate.given for rate in plan.finance.exchange)}
    for number, assumption in enumerate(plan.assumptions):
        if assumption.share and (assumption.currency or assumption.per):
            yield plan.problem("businesscase.share_unit", "assumptions", number)
        if assumption.currency and assumption.currency not in rates:
            values = {"currency": assumption.currency, "to": plan.finance.currency}
            location = ("assumptions", number, "currency")
            yield plan.problem("businesscase.no_rate", *location, **values)
    for line in plan.lines():
        single = {name: getattr(line.line, name, None) for name in _QUANTITIES}
        yearly = [("schedule", name) for name in single.pop("schedule") or ()]
        used = [
            (field, known)
            for field, name in (*single.items(), *yearly)
            if (known := plan.assumption(name))
        ]
        unfit = [(field, given, key) for field, given in used if (key := _unfit(field, given))]
        for field, given, key in unfit:
            yield line.problem(key, field, name=given.id)
        if not unfit and "quantity" in (named := dict(used)):
            yield from _stated(line, named)
        if isinstance(line.line, Cost) and line.line.uplift and _idle(line):
            yield line.problem("idle_uplift", "uplift", name=line.line.name)
    yield from _risks(plan)


def _risks(plan: Plan) -> Iterator[Problem]:
    """Tell risks that cannot be simulated, or are so already."""
    chances = {cost.amount for cost in plan.costs if cost.probability}
    for number, risk in enumerate(plan.risks):
        amount = plan.assumption(risk.amount)
        if amount and not (amount.currency and amount.per == "once"):
            yield plan.problem("businesscase.risk_once", "risks", number, "amount", name=amount.id)
        if amount and not risk.likelihood:
            yield plan.problem("businesscase.no_likelihood", "risks", number, risk=risk.risk)
        if risk.amount in chances:
            yield plan.problem("businesscase.risk_twice", "risks", number, risk=risk.risk)


def _stated(line: DeclaredLine, named: Mapping[str, Assumption]) -> Iterator[Problem]:
    """Tell what keeps a stated quantity from being money."""
    quantity, worth = named["quantity"], named.get("worth")
    cash = getattr(line.line, "cash", None)
    if is_time(quantity.per) and unit_of(quantity.per) != "hour" and not (cash and cash.unit):
        yield line.problem("time_unit", "quantity", name=quantity.id, per=quantity.per)
    if "volume" in named:
        yield line.problem("idle_volume", "volume", population=quantity.id)
    if worth and (quantity.currency or unit_of(quantity.per) != unit_of(worth.per)):
        unit = quantity.currency or quantity.per or "?"
        yield line.problem("other_unit", "worth", name=worth.id, per=worth.per or "?", unit=unit)
    elif not worth and (not quantity.currency or quantity.per not in PER_YEAR):
        yield line.problem("no_money", "quantity", name=quantity.id)


def _unfit(name: str, used: Assumption) -> str | None:
    """Return what an assumption is not that a field needs, or None where it fits."""
    if name in _SHARES:
        return None if used.share else "no_share"
    if name == "amount":
        return None if used.currency and used.per in PER_YEAR else "no_amount"
    if name == "worth":
        each = used.per not in (None, "once", "month", "year")
        return None if used.currency and each else "no_worth"
    if name == "volume":
        yearly = used.per not in ("once", "week", "month")
        return "volume_money" if used.currency else None if yearly else "volume_year"
    return "share_quantity" if used.share else None


def _days(plan: Plan) -> Iterator[Problem]:
    """Tell days that contradict one another."""
    by, end = plan.decision.by, plan.finance.end
    if max(plan.date, by) >= end:
        values = {"by": max(plan.date, by), "end": end}
        yield plan.problem("businesscase.decided_after", "decision", "by", **values)
    if by < plan.date:
        values = {"by": by, "date": plan.date}
        yield plan.problem("businesscase.decided_before", "decision", "by", **values)
    yield from _noted(plan)
    steps = {step.id for step in plan.roadmap if step.ends}  # those cited have no days yet
    for line in plan.lines():
        named = [getattr(line.line, name, None) for name in _DAYS]
        if all(when is None or when in steps or DAY.match(when) for when in named):
            yield from _span(line)
    for number, risk in enumerate(plan.risks):
        if risk.starts and (risk.starts in steps or DAY.match(risk.starts)):
            yield from _paid(plan, risk.starts, "risks", number, "starts")


def _paid(plan: Plan, when: str, *location: str | int) -> Iterator[Problem]:
    """Tell a day of a risk that is none, or outside of the horizon."""
    start, end = plan.finance.start, plan.finance.end
    try:
        day = plan.day_of(when, end=True)
    except ValueError:
        yield plan.problem("specs.not_date", *location, given=when)
        return
    if not start <= day < end:
        yield plan.problem("businesscase.risk_outside", *location, day=day, start=start, end=end)


def _noted(plan: Plan) -> Iterator[Problem]:
    """Tell days of checks, rates and measurements that are later than the case, or in disorder."""
    for field, location, day in _leaves(plan.model_dump()):
        noted = field in ("checked", "on") or (field == "date" and "exchange" in location)
        if noted and day and day > plan.date:
            yield plan.problem("businesscase.checked_later", *location, date=plan.date)
    for number, assumption in enumerate(plan.assumptions):
        checked, following = assumption.checked, assumption.next_check
        if checked and following and following <= checked:
            location = ("assumptions", number, "next_check")
            yield plan.problem(
                "businesscase.checked_after", *location, checked=checked, next=following
            )


def _span(line: DeclaredLine) -> Iterator[Problem]:
    """Tell days of a line that leave nothing of it within the horizon."""
    plan, finance, gained = line.plan, line.plan.finance, isinstance(line.line, Benefit)
    days: dict[str, datetime.date] = {}
    for name in _DAYS:
        if when := getattr(line.line, name, None):
            try:
                days[name] = plan.day_of(when, end=name != "starts" or gained)
            except ValueError:
                yield plan.problem("specs.not_date", *line.at(name), given=when)
                return
    starts, ends = days["starts"], days.get("ends", finance.end)
    if "ended_from" in days and not _idle(line):
        yield line.problem("idle_ended", "ended_from", name=line.line.name)
    first = finance.month_of(starts, whole=gained)
    last = min(finance.month_of(ends) + ("ends" in days), finance.horizon_months)
    if "ends" in days and ends <= starts:
        yield line.problem("ends_before", "ends", starts=starts, ends=ends)
    elif max(first, 0) >= last:
        yield line.problem(
            "outside_horizon",
            "starts",
            starts=starts,
            ends=ends,
            start=finance.start,
            end=finance.end,
        )
    elif first < 0 and _once(line):
        yield line.problem("sunk", "starts", start=finance.start)
    elif first < 0 and not gained and not _idle(line):
        yield line.problem("paid_before", "starts", starts=starts, start=finance.start)


def _idle(line: DeclaredLine) -> bool:
    """Return whether doing nothing costs a line."""
    options = (option for option in line.plan.options if option.kind == "do_nothing")
    return any(line.line.name in option.costs for option in options)


def _once(line: DeclaredLine) -> bool:
    named = line.line.quantity if isinstance(line.line, Benefit) else line.line.amount
    assumption = line.plan.assumption(named)
    return assumption is not None and assumption.per == "once"


def _options(plan: Plan) -> Iterator[Problem]:
    for kind in ("do_nothing", "recommended"):
        count = sum(option.kind == kind for option in plan.options)
        if count != 1:
            yield plan.problem("businesscase.one_option", "options", kind=kind, count=count)
    for number, option in enumerate(plan.options):
        if option.kind == "do_nothing" and (option.benefits or not option.costs):
            yield plan.problem("businesscase.nothing_costs", "options", number)
        elif option.kind != "do_nothing" and not (option.benefits and option.costs):
            yield plan.problem("businesscase.empty_option", "options", number, name=option.name)
        taken = (*option.benefits, *option.costs)
        for name in sorted({name for name in taken if taken.count(name) > 1}):
            yield plan.problem("businesscase.twice", "options", number, name=name)
        for name, reach in option.reach.items():
            location = ("options", number, "reach", name)
            if name not in taken:
                yield plan.problem("businesscase.reach", *location, name=name)
            small = option.kind == "minimum"
            if not (0 < reach <= 1 if small else 0 <= reach <= _MOST_REACH):
                key = "businesscase.reach_minimum" if small else "businesscase.reach_range"
                yield plan.problem(key, *location, given=reach)


def _untaken(plan: Plan) -> Iterator[Problem]:
    """Tell benefits and costs that no option takes."""
    taken = {name for option in plan.options for name in (*option.benefits, *option.costs)}
    for line in plan.lines():
        if line.line.name not in taken:
            yield line.problem("untaken", "name", name=line.line.name)


def _exchange(plan: Plan) -> Iterator[Problem]:
    given = [rate.given for rate in plan.finance.exchange]
    for number, rate in enumerate(plan.finance.exchange):
        location, to = ("finance", "exchange", number), plan.finance.currency
        if rate.to != to or rate.given == rate.to:
            yield plan.problem("businesscase.exchange_to", *location, to=to)
        if rate.given in given[:number]:
            yield plan.problem("businesscase.twice", *location, name=rate.given)
