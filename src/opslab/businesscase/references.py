"""Whether a case holds together: names that exist, units that fit, days in order, claims made once."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Sequence
from typing import Any

from opslab.businesscase.spec import Assumption, Benefit, Case
from opslab.errors import Problem, SpecError, did_you_mean

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_SHARES = ("adoption", "recapture", "decay", "share", "trend", "probability")
PER_YEAR = {"once": 1.0, "year": 1.0, "month": 12.0, "week": 52.0}
"""Amounts a year, of what an amount may be per; ``once`` is paid a single time."""

Location = tuple[str | int, ...]


def refuse_contradictions(case: Case) -> None:
    """Raise a `SpecError` with everything in a case that cannot be."""
    checks = (_names, _quantities, _days, _options, _exchange, _claims)
    found = [problem for check in checks for problem in check(case)]
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
    for one in (*case.benefits, *case.costs):
        if one.name == name:
            if one.claim:
                return {one.claim}
            return {f"stated:{one.quantity}"} if isinstance(one, Benefit) and one.quantity else set()
    return set()


def _lists(case: Case) -> dict[str, list[str]]:
    lists: dict[str, list[str]] = {
        name: [one.id for one in getattr(case, name)]
        for name in ("assumptions", "evidence", "roadmap", "kpis")
    }
    return lists | {
        name: [one.name for one in getattr(case, name)] for name in ("benefits", "costs", "options")
    }


def _names(case: Case) -> Iterator[Problem]:
    lists = _lists(case)
    for field, names in lists.items():
        for place, name in enumerate(names):
            if name in names[:place]:
                yield case.problem("businesscase.twice", field, place, name=name)
    for place, name in enumerate(lists["costs"]):
        if name in lists["benefits"]:
            yield case.problem("businesscase.twice", "costs", place, "name", name=name)
    for place, name in enumerate(lists["assumptions"]):
        if name in lists["evidence"]:
            yield case.problem("businesscase.twice", "assumptions", place, "id", name=name)

    def known(name: str | None, within: str, *location: str | int) -> Iterator[Problem]:
        if name is not None and name not in lists[within]:
            near = did_you_mean(name, lists[within])
            key = "businesscase.unknown_near" if near else "businesscase.unknown"
            yield case.problem(key, *location, name=name, within=within, near=near)

    for field in ("benefits", "costs"):
        for place, line in enumerate(getattr(case, field)):
            for name in ("quantity", "worth", "volume", "amount", *_SHARES):
                yield from known(getattr(line, name, None), "assumptions", field, place, name)
            for number, cited in enumerate(getattr(line, "evidence", ())):
                yield from known(cited, "evidence", field, place, "evidence", number)
            for name in ("starts", "ends"):
                when = getattr(line, name)
                if when is not None and not _DAY.match(when):
                    yield from known(when, "roadmap", field, place, name)
    for place, option in enumerate(case.options):
        for field in ("benefits", "costs"):
            for number, name in enumerate(getattr(option, field)):
                yield from known(name, field, "options", place, field, number)
                if name in getattr(option, field)[:number]:
                    yield case.problem("businesscase.twice", "options", place, field, number, name=name)
        for name in option.reach:
            if name not in (*option.benefits, *option.costs):
                yield case.problem("businesscase.reach", "options", place, "reach", name, name=name)
    for place, kpi in enumerate(case.kpis):
        if kpi.measured and kpi.measured.evidence:
            yield from known(kpi.measured.evidence, "evidence", "kpis", place, "measured", "evidence")
    yield from known(case.decision.stage, "roadmap", "decision", "stage")


def _quantities(case: Case) -> Iterator[Problem]:
    """Tell shares that are none, money without a currency, worths of another unit than what they are the worth of."""
    by_id = {one.id: one for one in case.assumptions}
    currencies = {case.finance.currency, *(one.given for one in case.finance.exchange)}
    for place, one in enumerate(case.assumptions):
        if one.share and (one.currency or one.per):
            yield case.problem("businesscase.share_unit", "assumptions", place)
        if one.currency and one.currency not in currencies:
            values = {"currency": one.currency, "to": case.finance.currency}
            yield case.problem("businesscase.no_rate", "assumptions", place, "currency", **values)

    def fits(line: Any, name: str, wanted: bool, key: str, *location: str | int) -> Iterator[Problem]:
        if not wanted:
            yield case.problem(key, *location, name, name=getattr(line, name))

    for field in ("benefits", "costs"):
        for place, line in enumerate(getattr(case, field)):
            found = {name: by_id.get(getattr(line, name, None) or "") for name in (
                *_SHARES, "quantity", "worth", "volume", "amount")}  # fmt: skip
            for name in _SHARES:
                one = found[name]
                if one is not None:
                    yield from fits(line, name, one.share, "businesscase.no_share", field, place)
            amount, worth, quantity = found["amount"], found["worth"], found["quantity"]
            if amount is not None:
                good = bool(amount.currency) and amount.per in PER_YEAR
                yield from fits(line, "amount", good, "businesscase.no_amount", field, place)
            if worth is not None:
                good = bool(worth.currency and worth.per) and worth.per not in ("once", "month", "year")
                yield from fits(line, "worth", good, "businesscase.no_worth", field, place)
            if quantity is not None:
                yield from _of_quantity(case, quantity, worth, field, place)


def _of_quantity(
    case: Case, quantity: Assumption, worth: Assumption | None, *location: str | int
) -> Iterator[Problem]:
    if quantity.share:
        yield case.problem("businesscase.share_quantity", *location, "quantity", name=quantity.id)
    elif worth is None and (not quantity.currency or quantity.per not in PER_YEAR):
        yield case.problem("businesscase.no_money", *location, "quantity", name=quantity.id)
    elif worth is not None and (quantity.currency or quantity.per != worth.per):
        values = {
            "name": quantity.id,
            "unit": quantity.currency or quantity.per or "?",
            "per": worth.per or "?",
        }
        yield case.problem("businesscase.other_unit", *location, "worth", **values)


def _days(case: Case) -> Iterator[Problem]:
    end = month_after(case.finance.start, case.finance.horizon_months)
    if case.decision.by < case.date:
        yield case.problem(
            "businesscase.decided_before", "decision", "by", by=case.decision.by, date=case.date
        )
    for place, one in enumerate(case.assumptions):
        if one.checked and one.next_check and one.next_check <= one.checked:
            values = {"checked": one.checked, "next": one.next_check}
            yield case.problem("businesscase.checked_after", "assumptions", place, "next_check", **values)
        if one.checked and one.checked > case.date:
            yield case.problem("businesscase.checked_later", "assumptions", place, "checked", date=case.date)
    for place, kpi in enumerate(case.kpis):
        if kpi.measured and kpi.measured.on and kpi.measured.on > case.date:
            yield case.problem("businesscase.checked_later", "kpis", place, "measured", "on", date=case.date)
    steps = {one.id for one in case.roadmap}
    for field in ("benefits", "costs"):
        for place, line in enumerate(getattr(case, field)):
            if any(when and not _DAY.match(when) and when not in steps for when in (line.starts, line.ends)):
                continue  # told as unknown
            try:
                starts = day_of(case, line.starts, end=field == "benefits")
                ends = day_of(case, line.ends, end=True) if line.ends else end
            except ValueError:
                yield case.problem(
                    "specs.not_date", field, place, "starts", given=f"{line.starts}, {line.ends}"
                )
                continue
            if ends <= starts:
                yield case.problem("businesscase.ends_before", field, place, "ends", starts=starts, ends=ends)
            elif starts >= end:
                yield case.problem(
                    "businesscase.after_horizon", field, place, "starts", starts=starts, end=end
                )


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
        for name, reach in one.reach.items():
            if not 0 <= reach <= 10:  # noqa: PLR2004 - ten times what a line says is another line
                yield case.problem("businesscase.reach_range", "options", place, "reach", name, given=reach)


def _exchange(case: Case) -> Iterator[Problem]:
    seen: list[str] = []
    for place, one in enumerate(case.finance.exchange):
        location: Location = ("finance", "exchange", place)
        if one.to != case.finance.currency or one.given == one.to:
            yield case.problem("businesscase.exchange", *location, to=case.finance.currency)
        if one.given in seen:
            yield case.problem("businesscase.twice", *location, "from", name=one.given)
        if one.date > case.date:
            yield case.problem("businesscase.checked_later", *location, "date", date=case.date)
        seen.append(one.given)


def _claims(case: Case) -> Iterator[Problem]:
    """Tell claims that one option makes twice; those of evidence are told when it is read."""
    nothing = next((one for one in case.options if one.kind == "do_nothing"), None)
    for place, option in enumerate(case.options):
        ended = [name for name in nothing.costs if name not in option.costs] if nothing else []
        names = [*option.benefits, *(ended if option.kind != "do_nothing" else [])]
        yield from twice(case, [(name, claims_of(case, name)) for name in names], place)


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
