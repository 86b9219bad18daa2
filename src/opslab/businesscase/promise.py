"""Promise against actual: what the last case promised, what was measured, what has changed."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from scipy.special import ndtri

from opslab.businesscase.citations import Finding
from opslab.businesscase.commitments import Kpi
from opslab.businesscase.options import Band, OptionResult, Spread
from opslab.businesscase.result import (
    CaseResult,
    Change,
    Entry,
    Estimate,
    Line,
    Previous,
    Target,
)
from opslab.businesscase.spec import Case
from opslab.errors import InputError, Problem
from opslab.evidence import Quantity, Words
from opslab.filed_runs import Run
from opslab.uncertainty.update import update

_WIDTH = 3.2897072539029435  # standard deviations in a 90 % interval of a normal distribution

Measurement = tuple[Band, datetime.date | None]
"""What was measured of a target at 90 %, and the day."""


class _Past(BaseModel):
    """What an earlier case's record must hold: figures that are numbers, names that are texts."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False, strict=True, frozen=True)


class _PastSpread(_Past):
    mean: float
    p10: float
    p50: float
    p90: float


class _PastOption(_Past):
    name: str
    kind: str
    npv: _PastSpread
    positive: list[float] = Field(min_length=2)


class _PastLine(_Past):
    name: Words
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
        return next(option for option in self.options if option.kind == "recommended")

    @property
    def kpis(self) -> dict[str, Kpi]:
        kpis = [Kpi(**fields) for fields in self.plan.kpis]
        return {kpi.id: kpi for kpi in kpis}


def _read(record: Mapping[str, Any], run: str) -> _PastCase:
    try:
        past = _PastCase.model_validate(record)
        _ = past.recommended, past.kpis
    except (ValueError, StopIteration, TypeError):
        raise InputError.of("filed_runs.bad_record", run=run, name="result.json") from None
    return past


def targets(
    case: Case, findings: Sequence[Finding], previous: Run | None, day: datetime.date
) -> tuple[Target, ...]:
    """Return every KPI: as promised (by the last case, where it did), measured, and both together.

    One that the last case promised, and this one leaves out or counts in another unit, is told as
    dropped.
    """
    before = _read(previous.record, previous.id).kpis if previous else {}
    now = {kpi.id: kpi.unit for kpi in case.kpis}
    kept = {name: kpi for name, kpi in before.items() if now.get(name) == kpi.unit}
    held = [_target(kpi, _measured(kpi, findings), kept.get(kpi.id), day) for kpi in case.kpis]
    dropped = [
        Target(kpi=kpi, promised=_promised(kpi), status="dropped", before=True, due=kpi.date)
        for name, kpi in before.items()
        if name not in kept
    ]
    return (*held, *dropped)


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
            _figures(past.ledger, past.lines, past.options), _figures(ledger, lines, options)
        ),
    ]
    return Previous(
        run=run.id,
        link=run.link,
        date=run.day,
        version=past.plan.version,
        recommended=next((one.name for one in options if one.name == last.name), last.name),
        npv=Spread(**last.npv.model_dump()),
        positive=last.positive[0],
        changes=tuple(changes),
    )


def diff(before: Mapping[str, Any], after: CaseResult) -> tuple[Change, ...]:
    """Return what is otherwise in a case than in an earlier one's record.

    Parameters
    ----------
    before : Mapping
        What ``result.json`` of the earlier one holds.
    after : CaseResult

    Returns
    -------
    tuple of Change
        Finance, ledger, benefits, options.

    Raises
    ------
    InputError
        When it is no record of a case.
    """
    run = Run("business_case/-/0001-01-01-00000000", Path(), before, at_hand=False)
    return compared(run, after.case, after.options, after.lines, after.ledger).changes


def _finance(before: Mapping[str, Any], case: Case) -> Iterator[Change]:
    """Give what is otherwise in how money over time is made one figure."""
    for name, value in case.finance.model_dump(mode="json", by_alias=True).items():
        then, now = _words(before.get(name)), _words(value)
        if then != now:
            yield Change("finance", name, None, None, (then, now))


def _words(given: Any) -> str:
    """Return a convention as it is written; a rate of exchange as what one unit is worth."""
    if isinstance(given, list):
        return ", ".join(map(_words, given)) or "-"
    if isinstance(given, dict):
        return "1 {from} = {rate} {to} ({date})".format_map(defaultdict(lambda: "?", given))
    return "-" if given is None else str(given)


def _figures(
    ledger: Iterable[Entry | _PastEntry],
    lines: Iterable[Line | _PastLine],
    options: Iterable[OptionResult | _PastOption],
) -> list[dict[str, Change]]:
    """Return ledger, benefits and options by id, each figure as a change from nothing."""

    def money(kind: str, name: str, spread: Spread | _PastSpread) -> Change:
        return Change(kind, name, None, Estimate(spread.mean, spread.p10, spread.p90))

    return [
        {e.id: Change(e.kind, e.id, None, Estimate(e.value, e.low, e.high)) for e in ledger},
        {line.name: money("benefit", line.name, line.present) for line in lines},
        {option.name: money("option", option.name, option.npv) for option in options},
    ]


def _changes(
    before: Sequence[Mapping[str, Change]], after: Sequence[Mapping[str, Change]]
) -> Iterator[Change]:
    for sides in zip(before, after, strict=True):
        for name, known in {**sides[0], **sides[1]}.items():
            then, now = (side[name].after if name in side else None for side in sides)
            if then != now:
                yield replace(known, before=then, after=now)


def _promised(kpi: Kpi) -> Band:
    return Band(kpi.low, kpi.target, kpi.high)


def _target(
    kpi: Kpi, measured: Measurement | None, before: Kpi | None, day: datetime.date
) -> Target:
    basis = before or kpi  # what has moved since does not change what was promised
    due, promised = basis.date <= day, _promised(basis)
    fields: dict[str, Any] = {"kpi": kpi, "promised": promised, "due": basis.date}
    fields["before"] = before is not None
    if measured is None:
        return Target(status="debt" if due or before else "not_due", **fields)
    band, on = measured
    spreads = [(ends.high - ends.low) / _WIDTH for ends in (promised, band)]
    both = update(basis.target, spreads[0], band.middle, spreads[1])
    half, sign = both.sd * _WIDTH / 2, 1 if basis.target > basis.baseline else -1
    status: Any = "missed" if due else "conflict" if both.conflict else "on_the_way"
    if sign * band.middle >= sign * basis.target:
        status = "reached"
    elif sign * band.middle <= sign * basis.kill:
        status = "below_kill"
    return Target(
        status=status,
        measured=band,
        on=on,
        posterior=None if both.conflict else Band(both.mean - half, both.mean, both.mean + half),
        measured_share=both.measured_share,
        **fields,
    )


def unmeasurable(case: Case, findings: Sequence[Finding]) -> Iterator[Problem]:
    """Give a problem for every KPI whose evidence is not one finding in its unit, with a range."""
    for number, kpi in enumerate(case.kpis):
        location = ("kpis", number, "measured", "evidence")
        name = kpi.measured.evidence if kpi.measured else None
        cited = [finding.evidence for finding in findings if finding.cited == name]
        if not name:
            continue
        if len(cited) != 1:
            values: dict[str, Any] = {"id": name, "count": len(cited)}
            yield case.problem("businesscase.one_finding", *location, **values)
        elif cited[0].unit != kpi.unit or not _has_width(cited[0].quantity):
            values = {"id": name, "unit": cited[0].unit, "wanted": kpi.unit}
            yield case.problem("businesscase.kpi_unit", *location, **values)


def _has_width(quantity: Quantity) -> bool:
    """Return whether a finding has an interval; nan has none."""
    return quantity.low is not None and quantity.high is not None and quantity.high > quantity.low


def _measured(kpi: Kpi, findings: Sequence[Finding]) -> Measurement | None:
    """Return what was measured of a target; None where nothing was."""
    given = kpi.measured
    if given is None:
        return None
    if given.evidence is None:
        return Band(given.low or 0.0, given.value or 0.0, given.high or 0.0), given.on
    evidence = next(one.evidence for one in findings if one.cited == given.evidence)
    quantity = evidence.quantity
    wide = 2 * float(ndtri((1 + quantity.level) / 2))
    half = ((quantity.high or 0.0) - (quantity.low or 0.0)) / 2 * _WIDTH / wide
    value = quantity.value
    return Band(value - half, value, value + half), evidence.date
