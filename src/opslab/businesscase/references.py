"""Whether a case holds together: names that exist, units that fit, days in order, claims made once."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Sequence

from opslab.businesscase.spec import Assumption, Benefit, Case, Cost, Option
from opslab.errors import Problem, SpecError, did_you_mean

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_SHARES = ("adoption", "recapture", "decay", "share", "trend", "probability")
_AMOUNTS = ("quantity", "worth", "volume", "amount")
_BY_ID, _BY_NAME = ("assumptions", "evidence", "roadmap", "kpis"), ("benefits", "costs", "options")
PER_YEAR = {"once": 1.0, "year": 1.0, "month": 12.0, "week": 52.0}
"""Amounts a year, of what an amount may be per; ``once`` is paid a single time."""

Location = tuple[str | int, ...]


def refuse_contradictions(case: Case) -> None:
    """Raise a `SpecError` with everything in a case that cannot be."""
    checks = (_names, _quantities, _days, _options, _exchange, _claims)
    found = [problem for check in checks for problem in check(case)] or list(_untaken(case))
    if found:
        raise SpecError(*sorted(found, key=lambda problem: problem.line or 0))


def day_of(case: Case, when: str, *, end: bool) -> datetime.date:
    """Return the day that a field ``starts`` or ``ends`` names: a day, or a milestone's first or last."""
    if _DAY.match(when):
        return datetime.date.fromisoformat(when)
    step = next(one for one in case.roadmap if one.id == when)
    return step.ends if end else step.starts


def claims_of(case: Case, name: str) -> set[str]:
    """Return what a benefit or cost claims without looking at its evidence; empty for no claim."""
    line = next((one for _, _, one in _lines(case) if one.name == name), None)
    if line is not None and line.claim:
        return {line.claim}
    return {f"stated:{line.quantity}"} if isinstance(line, Benefit) and line.quantity else set()


def _names(case: Case) -> Iterator[Problem]:
    """Tell names that stand for two things."""
    lists = {field: [one.id for one in getattr(case, field)] for field in _BY_ID}
    lists |= {field: [one.name for one in getattr(case, field)] for field in _BY_NAME}
    for field, names in lists.items():
        also = {"costs": lists["benefits"], "assumptions": lists["evidence"]}.get(field, [])
        for place, name in enumerate(names):
            if name in names[:place] or name in also:
                yield case.problem("businesscase.twice", field, place, name=name)
    known = {field: set(names) for field, names in lists.items()}
    for name, within, location in _used(case):
        if name not in known[within]:
            near = did_you_mean(name, lists[within])
            key = "businesscase.unknown_near" if near else "businesscase.unknown"
            yield case.problem(key, *location, name=name, within=within, near=near)


def _used(case: Case) -> Iterator[tuple[str, str, Location]]:
    """Give every name that a case uses, the list that it is to stand in, and the field."""
    found: list[tuple[str | None, str, Location]] = []
    for field, place, line in _lines(case):
        found += [
            (getattr(line, name, None), "assumptions", (field, place, name))
            for name in _AMOUNTS + _SHARES
        ]
        cited = enumerate(getattr(line, "evidence", ()))
        found += [(name, "evidence", (field, place, "evidence", number)) for number, name in cited]
        steps = [(getattr(line, name, None), name) for name in ("starts", "ends", "ended_from")]
        found += [
            (when, "roadmap", (field, place, name))
            for when, name in steps
            if when and not _DAY.match(when)
        ]
    for place, option in enumerate(case.options):
        for field in ("benefits", "costs"):
            taken = enumerate(getattr(option, field))
            found += [(name, field, ("options", place, field, number)) for number, name in taken]
    measured = [(place, kpi.measured) for place, kpi in enumerate(case.kpis) if kpi.measured]
    found += [
        (one.evidence, "evidence", ("kpis", place, "measured", "evidence"))
        for place, one in measured
    ]
    found.append((case.decision.stage, "roadmap", ("decision", "stage")))
    yield from ((name, within, location) for name, within, location in found if name is not None)


def _lines(case: Case) -> Iterator[tuple[str, int, Benefit | Cost]]:
    for field in ("benefits", "costs"):
        yield from ((field, place, line) for place, line in enumerate(getattr(case, field)))


def _quantities(case: Case) -> Iterator[Problem]:
    """Tell shares that are none, money without a currency, worths of another unit than the quantity."""
    by_id = {one.id: one for one in case.assumptions}
    rates = {case.finance.currency, *(one.given for one in case.finance.exchange)}
    for place, one in enumerate(case.assumptions):
        if one.share and (one.currency or one.per):
            yield case.problem("businesscase.share_unit", "assumptions", place)
        if one.currency and one.currency not in rates:
            values = {"currency": one.currency, "to": case.finance.currency}
            yield case.problem("businesscase.no_rate", "assumptions", place, "currency", **values)
    for field, place, line in _lines(case):
        named = {name: by_id.get(getattr(line, name, None) or "") for name in _AMOUNTS + _SHARES}
        given = {name: one for name, one in named.items() if one is not None}
        unfit = {name: key for name, one in given.items() if (key := _unfit(name, one))}
        for name, key in unfit.items():
            yield case.problem(f"businesscase.{key}", field, place, name, name=given[name].id)
        if not unfit and "quantity" in given:
            yield from _stated(
                case, given["quantity"], given.get("worth"), given.get("volume"), field, place
            )


def _stated(
    case: Case,
    quantity: Assumption,
    worth: Assumption | None,
    volume: Assumption | None,
    field: str,
    place: int,
) -> Iterator[Problem]:
    """Tell what keeps a stated quantity from being money."""
    if volume:
        yield case.problem(
            "businesscase.idle_volume", field, place, "volume", population=quantity.id
        )
    if worth and (quantity.currency or _unit(quantity) != _unit(worth)):
        unit = quantity.currency or quantity.per or "?"
        values = {"name": worth.id, "per": worth.per or "?", "unit": unit}
        yield case.problem("businesscase.other_unit", field, place, "worth", **values)
    elif not worth and (not quantity.currency or quantity.per not in PER_YEAR):
        yield case.problem("businesscase.no_money", field, place, "quantity", name=quantity.id)


def _unfit(name: str, one: Assumption) -> str | None:
    """Return what an assumption is not that a field needs, or None where it fits."""
    if name in _SHARES:
        return None if one.share else "no_share"
    if name == "amount":
        return None if one.currency and one.per in PER_YEAR else "no_amount"
    if name == "worth":
        return (
            None if one.currency and one.per not in (None, "once", "month", "year") else "no_worth"
        )
    if name == "volume":
        return "volume_money" if one.currency else None
    return "share_quantity" if one.share else None


def _unit(one: Assumption) -> str:
    return (one.per or "").removesuffix("s")


def _days(case: Case) -> Iterator[Problem]:
    """Tell days that contradict one another."""
    end = month_after(case.finance.start, case.finance.horizon_months)
    if max(case.date, case.decision.by) >= end:
        values = {"by": max(case.date, case.decision.by), "end": end}
        yield case.problem("businesscase.decided_after", "decision", "by", **values)
    if case.decision.by < case.date:
        values = {"by": case.decision.by, "date": case.date}
        yield case.problem("businesscase.decided_before", "decision", "by", **values)
    noted: list[tuple[datetime.date | None, Location]] = [
        *(
            (one.checked, ("assumptions", place, "checked"))
            for place, one in enumerate(case.assumptions)
        ),
        *(
            (one.date, ("finance", "exchange", place, "date"))
            for place, one in enumerate(case.finance.exchange)
        ),
        *(
            (kpi.measured.on, ("kpis", place, "measured", "on"))
            for place, kpi in enumerate(case.kpis)
            if kpi.measured
        ),
    ]
    for day, location in noted:
        if day and day > case.date:
            yield case.problem("businesscase.checked_later", *location, date=case.date)
    for place, one in enumerate(case.assumptions):
        if one.checked and one.next_check and one.next_check <= one.checked:
            values = {"checked": one.checked, "next": one.next_check}
            yield case.problem(
                "businesscase.checked_after", "assumptions", place, "next_check", **values
            )
    steps = {one.id for one in case.roadmap}
    for field, place, line in _lines(case):
        days = (line.starts, line.ends, getattr(line, "ended_from", None))
        if all(when is None or when in steps or _DAY.match(when) for when in days):
            yield from _span(case, line, field, place)


def _span(case: Case, line: Benefit | Cost, field: str, place: int) -> Iterator[Problem]:
    end = month_after(case.finance.start, case.finance.horizon_months)
    days: dict[str, datetime.date] = {}
    for name in ("starts", "ends", "ended_from"):
        when = getattr(line, name, None)
        try:
            days |= (
                {name: day_of(case, when, end=name != "starts" or field == "benefits")}
                if when
                else {}
            )
        except ValueError:
            yield case.problem("specs.not_date", field, place, name, given=when)
            return
    starts, ends, rid = days["starts"], days.get("ends", end), days.get("ended_from")
    if rid and not any(line.name in one.costs for one in case.options if one.kind == "do_nothing"):
        yield case.problem("businesscase.idle_ended", field, place, "ended_from", name=line.name)
    first = month_of(case, starts, full=field == "benefits")
    last = min(
        month_of(case, ends, full=False) + (line.ends is not None), case.finance.horizon_months
    )
    if line.ends and ends <= starts:
        yield case.problem(
            "businesscase.ends_before", field, place, "ends", starts=starts, ends=ends
        )
    elif max(first, 0) >= last:
        values = {"starts": starts, "ends": ends, "start": case.finance.start, "end": end}
        yield case.problem("businesscase.outside_horizon", field, place, "starts", **values)
    elif first < 0 and _once(case, line):
        yield case.problem("businesscase.sunk", field, place, "starts", start=case.finance.start)


def _once(case: Case, line: Benefit | Cost) -> bool:
    named = line.quantity if isinstance(line, Benefit) else line.amount
    return any(one.id == named and one.per == "once" for one in case.assumptions)


def month_of(case: Case, day: datetime.date, *, full: bool) -> int:
    """Return the month of the horizon in which a day falls; with `full` the first whole one from it."""
    start = case.finance.start
    return (day.year - start.year) * 12 + day.month - start.month + (full and day.day > 1)


def _options(case: Case) -> Iterator[Problem]:
    for kind in ("do_nothing", "recommended"):
        count = sum(one.kind == kind for one in case.options)
        if count != 1:
            yield case.problem("businesscase.one_option", "options", kind=kind, count=count)
    for place, one in enumerate(case.options):
        if one.kind == "do_nothing" and (one.benefits or not one.costs):
            yield case.problem("businesscase.nothing_costs", "options", place)
        elif one.kind != "do_nothing" and not (one.benefits and one.costs):
            yield case.problem("businesscase.empty_option", "options", place, name=one.name)
        taken = (*one.benefits, *one.costs)
        for name in sorted({name for name in taken if taken.count(name) > 1}):
            yield case.problem("businesscase.twice", "options", place, name=name)
        for name, reach in one.reach.items():
            if name not in taken:
                yield case.problem("businesscase.reach", "options", place, "reach", name, name=name)
            if not 0 <= reach <= 10:  # noqa: PLR2004 - ten times what a line says is another line
                yield case.problem(
                    "businesscase.reach_range", "options", place, "reach", name, given=reach
                )


def _untaken(case: Case) -> Iterator[Problem]:
    """Tell benefits and costs that no option takes."""
    taken = {name for one in case.options for name in (*one.benefits, *one.costs)}
    for field, place, line in _lines(case):
        if line.name not in taken:
            yield case.problem("businesscase.untaken", field, place, "name", name=line.name)


def _exchange(case: Case) -> Iterator[Problem]:
    given = [one.given for one in case.finance.exchange]
    for place, one in enumerate(case.finance.exchange):
        if one.to != case.finance.currency or one.given == one.to:
            yield case.problem(
                "businesscase.exchange_to", "finance", "exchange", place, to=case.finance.currency
            )
        if one.given in given[:place]:
            yield case.problem("businesscase.twice", "finance", "exchange", place, name=one.given)


def _claims(case: Case) -> Iterator[Problem]:
    """Tell claims that one option makes twice; those of evidence are told when it is read."""
    for place, option in enumerate(case.options):
        yield from twice(
            case, [(name, claims_of(case, name)) for name in gains_of(case, option)], place
        )


def ended(case: Case, option: Option) -> dict[str, float]:
    """Return what an option ends of the costs of doing nothing, by name; below 0 for what it pays itself."""
    nothing = next((one for one in case.options if one.kind == "do_nothing"), option)
    idle = {name: nothing.reach.get(name, 1.0) for name in nothing.costs}
    own = {name: option.reach.get(name, 1.0) for name in option.costs}
    return {name: idle.get(name, 0.0) - own.get(name, 0.0) for name in {**idle, **own}}


def gains_of(case: Case, option: Option) -> list[str]:
    """Return the names of what an option gains: its benefits, and the costs that it ends, if only in part."""
    return [*option.benefits, *(name for name, part in ended(case, option).items() if part > 0)]


def twice(case: Case, claims: Sequence[tuple[str, set[str]]], place: int) -> Iterator[Problem]:
    """Tell what two lines of an option both claim."""
    first: dict[str, str] = {}
    for name, claimed in claims:
        for claim in sorted(claimed):
            if claim in first and first[claim] != name:
                values = {"claim": claim, "first": first[claim], "second": name}
                yield case.problem("businesscase.claimed_twice", "options", place, **values)
            first.setdefault(claim, name)


def month_after(day: datetime.date, months: int) -> datetime.date:
    """Return the first of the month so many months after a first of a month."""
    total = day.year * 12 + day.month - 1 + months
    return datetime.date(total // 12, total % 12 + 1, 1)
