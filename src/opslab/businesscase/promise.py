"""Promise against actual: what the last case promised, what was measured since, what has changed."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from scipy.special import ndtri

from opslab.businesscase.citations import Finding, Run
from opslab.businesscase.options import OptionResult, Spread
from opslab.businesscase.result import CaseResult, Change, Entry, Line, Previous, Target
from opslab.businesscase.spec import Case, Kpi
from opslab.errors import InputError, Problem, SpecError
from opslab.evidence import Quantity
from opslab.uncertainty.update import update

_WIDTH = 3.2897072539029435  # standard deviations in a 90 % interval of a normal distribution
Ends = tuple[float, float, float]


class _Past(BaseModel):
    """What an earlier case's record must hold: figures that are numbers, names that are texts."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False, strict=True, frozen=True)


class _PastSpread(_Past):
    mean: float
    p10: float
    p50: float
    p90: float

    @property
    def ends(self) -> Ends:
        return self.mean, self.p10, self.p90


class _PastOption(_Past):
    name: str
    kind: str
    npv: _PastSpread
    positive: list[float] = Field(min_length=2)


class _PastLine(_Past):
    name: str
    present: _PastSpread


class _PastEntry(_Past):
    id: str
    kind: str
    value: float
    low: float
    high: float


class _PastPlan(_Past):
    version: str
    kpis: list[dict[str, Any]]
    finance: dict[str, Any]


class _PastCase(_Past):
    plan: _PastPlan
    options: list[_PastOption]
    lines: list[_PastLine]
    ledger: list[_PastEntry]

    @property
    def recommended(self) -> _PastOption:
        return next(one for one in self.options if one.kind == "recommended")

    @property
    def kpis(self) -> dict[str, Kpi]:
        return {one.id: one for one in (Kpi(**told) for told in self.plan.kpis)}


def _read(record: Mapping[str, Any], run: str) -> _PastCase:
    try:
        past = _PastCase.model_validate(record)
        _ = past.recommended, past.kpis
    except (ValidationError, SpecError, StopIteration, TypeError):
        raise InputError.of("businesscase.bad_record", run=run, name="result.json") from None
    return past


def targets(
    case: Case, found: Sequence[Finding], previous: Run | None, day: datetime.date
) -> tuple[Target, ...]:
    """Return every KPI: as promised (by the last case, where it did), measured, and both together.

    One that the last case promised, and this one leaves out or counts in another unit, is told as
    dropped.
    """
    before = _read(previous.record, previous.id).kpis if previous else {}
    now = {kpi.id: kpi.unit for kpi in case.kpis}
    kept = {name: kpi for name, kpi in before.items() if now.get(name) == kpi.unit}
    made = [_target(kpi, _measured(kpi, found), kept.get(kpi.id), day) for kpi in case.kpis]
    gone = [kpi for name, kpi in before.items() if name not in kept]
    return (
        *made,
        *(
            Target(kpi, _range(kpi), None, None, None, None, "dropped", True, kpi.date)
            for kpi in gone
        ),
    )


def compared(
    run: Run,
    case: Case,
    options: Sequence[OptionResult],
    lines: Sequence[Line],
    ledger: Sequence[Entry],
) -> Previous:
    """Return the last case and what is otherwise in this one."""
    past = _read(run.record, run.id)
    last = past.recommended
    changes = [
        *_finance(past.plan.finance, case),
        *_changes(
            {one.id: (one.kind, (one.value, one.low, one.high)) for one in past.ledger},
            {one.id: (one.kind, (one.value, one.low, one.high)) for one in ledger},
        ),
        *_changes(
            {one.name: ("benefit", one.present.ends) for one in past.lines},
            {one.name: ("benefit", _of(one.present)) for one in lines},
        ),
        *_changes(
            {one.name: ("option", one.npv.ends) for one in past.options},
            {one.name: ("option", _of(one.npv)) for one in options},
        ),
    ]
    npv = Spread(**last.npv.model_dump())
    return Previous(
        run.id,
        run.link,
        run.day,
        past.plan.version,
        last.name,
        npv,
        last.positive[0],
        tuple(changes),
    )


def diff(before: Mapping[str, Any], after: CaseResult) -> tuple[Change, ...]:
    """Return what is otherwise in a case than in an earlier one's record: finance, ledger, benefits, options.

    Parameters
    ----------
    before : Mapping
        What ``result.json`` of the earlier one holds.
    after : CaseResult

    Raises
    ------
    InputError
        When it is no record of a case.
    """
    run = Run("business_case/-/0001-01-01-00000000", Path(), before, at_hand=False)
    return compared(run, after.case, after.options, after.lines, after.ledger).changes


def _finance(before: Mapping[str, Any], case: Case) -> list[Change]:
    """Return what is otherwise in how money over time is made one figure."""
    after = case.finance.model_dump(mode="json", by_alias=True)
    pairs = [(name, _words(before.get(name)), _words(after[name])) for name in after]
    return [
        Change("finance", name, None, None, (then, now)) for name, then, now in pairs if then != now
    ]


def _words(given: Any) -> str:
    """Return a convention as it is written; a rate of exchange as what one unit is worth."""
    if isinstance(given, list):
        return ", ".join(map(_words, given)) or "-"
    if isinstance(given, dict):
        return "1 {from} = {rate} {to} ({date})".format_map(defaultdict(lambda: "?", given))
    return "-" if given is None else str(given)


def _changes(
    before: Mapping[str, tuple[str, Ends]], after: Mapping[str, tuple[str, Ends]]
) -> list[Change]:
    found = []
    for name in dict.fromkeys([*before, *after]):
        kind, then = before.get(name, ("", None))
        now_kind, now = after.get(name, (kind, None))
        if then != now:
            found.append(Change(now_kind, name, then, now))
    return found


def _range(kpi: Kpi) -> Ends:
    return kpi.low, kpi.target, kpi.high


def _target(
    kpi: Kpi,
    measured: tuple[Ends, datetime.date | None] | None,
    before: Kpi | None,
    day: datetime.date,
) -> Target:
    basis = before or kpi  # what has moved since does not change what was promised
    low, aim, high = promised = _range(basis)
    due = basis.date <= day
    if measured is None:
        owed = due or before is not None
        status: Any = "debt" if owed else "not_due"
        return Target(kpi, promised, None, None, None, None, status, before is not None, basis.date)
    (least, value, most), on = measured
    found = update(aim, (high - low) / _WIDTH, value, (most - least) / _WIDTH)
    half, sign = found.sd * _WIDTH / 2, 1 if aim > basis.baseline else -1
    status = "missed" if due else "conflict" if found.conflict else "on_the_way"
    if sign * value >= sign * aim:
        status = "reached"
    elif sign * value <= sign * basis.kill:
        status = "below_kill"
    after = None if found.conflict else (found.mean - half, found.mean, found.mean + half)
    return Target(
        kpi,
        promised,
        (least, value, most),
        on,
        after,
        found.measured_share,
        status,
        before is not None,
        basis.date,
    )


def unmeasurable(case: Case, found: Sequence[Finding]) -> list[Problem]:
    """Return a problem for every KPI whose evidence is not one finding in its unit, with an interval."""
    problems = []
    for place, kpi in enumerate(case.kpis):
        location = ("kpis", place, "measured", "evidence")
        name = kpi.measured.evidence if kpi.measured else None
        cited = [one.evidence for one in found if one.cited == name]
        if name and len(cited) != 1:
            problems.append(
                case.problem("businesscase.one_finding", *location, id=name, count=len(cited))
            )
        elif name and (cited[0].unit != kpi.unit or not _has_width(cited[0].quantity)):
            told = {"id": name, "unit": cited[0].unit, "wanted": kpi.unit}
            problems.append(case.problem("businesscase.kpi_unit", *location, **told))
    return problems


def _has_width(quantity: Quantity) -> bool:
    """Return whether a finding has an interval; nan has none."""
    return quantity.low is not None and quantity.high is not None and quantity.high > quantity.low


def _measured(kpi: Kpi, found: Sequence[Finding]) -> tuple[Ends, datetime.date | None] | None:
    """Return low end, value and high end at 90 %, and the day; None where nothing was measured."""
    given = kpi.measured
    if given is None:
        return None
    if given.evidence is None:
        return (given.low or 0.0, given.value or 0.0, given.high or 0.0), given.on
    evidence = next(one.evidence for one in found if one.cited == given.evidence)
    quantity = evidence.quantity
    wide = 2 * float(ndtri((1 + quantity.level) / 2))
    half = ((quantity.high or 0.0) - (quantity.low or 0.0)) / 2 * _WIDTH / wide
    return (quantity.value - half, quantity.value, quantity.value + half), evidence.date


def _of(one: Spread) -> Ends:
    return one.mean, one.p10, one.p90
