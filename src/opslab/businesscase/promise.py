"""Promise against actual: what the last case promised, what was measured since, what has changed."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from opslab.businesscase.citations import Finding, Run
from opslab.businesscase.result import CaseResult, Change, Entry, Line, OptionResult, Previous, Spread, Target
from opslab.businesscase.spec import Case, Kpi
from opslab.errors import InputError
from opslab.uncertainty.updating import update

_WIDTH = 3.2897072539029435  # standard deviations in a 90 % interval of a normal distribution
Ends = tuple[float, float, float]


def targets(
    case: Case, found: Sequence[Finding], previous: Run | None, day: datetime.date
) -> tuple[Target, ...]:
    """Return every KPI: as promised (by the last case, where it did), measured, and both together."""
    before = {one["id"]: one for one in _list(previous, "kpis")} if previous else {}
    return tuple(_target(kpi, _measured(kpi, found), before.get(kpi.id), day) for kpi in case.kpis)


def compared(
    run: Run, options: Sequence[OptionResult], lines: Sequence[Line], ledger: Sequence[Entry]
) -> Previous:
    """Return the last case and what is otherwise in this one."""
    told = run.record
    try:
        last = next(one for one in told["options"] if one["kind"] == "recommended")
        changes = (
            *_changes({one["id"]: (one["kind"], _ends(one)) for one in told["ledger"]},
                      {one.id: (one.kind, (one.value, one.low, one.high)) for one in ledger}),
            *_changes({one["name"]: ("benefit", _around(one["present"])) for one in told["lines"]},
                      {one.name: ("benefit", _of(one.present)) for one in lines}),
            *_changes({one["name"]: ("option", _around(one["npv"])) for one in told["options"]},
                      {one.name: ("option", _of(one.npv)) for one in options}),
        )  # fmt: skip
        return Previous(
            run.id, run.link, run.day, str(told["plan"]["version"]), last["name"], Spread(**last["npv"]),
            float(last["positive"][0]), changes,
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, StopIteration):
        raise InputError.of("businesscase.bad_record", run=run.id, name="result.json") from None


def diff(before: Mapping[str, Any], after: CaseResult) -> tuple[Change, ...]:
    """Return what is otherwise in a case than in an earlier one's record: ledger, benefits, options.

    Parameters
    ----------
    before : Mapping
        What ``result.json`` of the earlier one holds.
    after : CaseResult
    """
    from pathlib import Path

    run = Run("business_case/-/0001-01-01-00000000", Path(), before, at_hand=False)
    return compared(run, after.options, after.lines, after.ledger).changes


def _changes(before: Mapping[str, tuple[str, Ends]], after: Mapping[str, tuple[str, Ends]]) -> list[Change]:
    found = []
    for name in dict.fromkeys([*before, *after]):
        kind, then = before.get(name, ("", None))
        now_kind, now = after.get(name, (kind, None))
        if then != now:
            found.append(Change(now_kind, name, then, now))
    return found


def _target(
    kpi: Kpi,
    measured: tuple[Ends, datetime.date | None] | None,
    before: Mapping[str, Any] | None,
    day: datetime.date,
) -> Target:
    low, aim, high = promised = _promised(before) if before else (kpi.low, kpi.target, kpi.high)
    if measured is None:
        due = before is not None or kpi.date <= day
        return Target(kpi, promised, None, None, None, None, "debt" if due else "not_due", before is not None)
    (least, value, most), on = measured
    found = update(aim, (high - low) / _WIDTH, value, (most - least) / _WIDTH)
    rising = aim > kpi.baseline
    half = found.sd * _WIDTH / 2
    status: Any = "on_the_way"
    if (value <= kpi.kill) if rising else (value >= kpi.kill):
        status = "below_kill"
    elif (value >= aim) if rising else (value <= aim):
        status = "reached"
    elif found.conflict:
        status = "conflict"
    after = None if found.conflict else (found.mean - half, found.mean, found.mean + half)
    return Target(
        kpi, promised, (least, value, most), on, after, found.measured_share, status, before is not None
    )


def _promised(before: Mapping[str, Any]) -> Ends:
    try:
        return float(before["low"]), float(before["target"]), float(before["high"])
    except (KeyError, TypeError, ValueError):
        raise InputError.of("businesscase.bad_record", run="?", name="result.json") from None


def _measured(kpi: Kpi, found: Sequence[Finding]) -> tuple[Ends, datetime.date | None] | None:
    given = kpi.measured
    if given is None:
        return None
    if given.evidence is None:
        return (given.low or 0.0, given.value or 0.0, given.high or 0.0), given.on
    cited = [one for one in found if one.cited == given.evidence]
    if len(cited) != 1:
        raise InputError.of(
            "businesscase.one_finding", field=f"kpis {kpi.id}", id=given.evidence, count=len(cited)
        )
    quantity = cited[0].evidence.quantity
    if quantity.low is None or quantity.high is None or cited[0].evidence.unit != kpi.unit:
        unit = cited[0].evidence.unit
        raise InputError.of(
            "businesscase.kpi_unit", field=f"kpis {kpi.id}", id=given.evidence, unit=unit, wanted=kpi.unit
        )
    half = (quantity.high - quantity.low) / 2 * (_WIDTH / _width(quantity.level))
    return (quantity.value - half, quantity.value, quantity.value + half), cited[0].evidence.date


def _width(level: float) -> float:
    from scipy.special import ndtri

    return 2 * float(ndtri((1 + level) / 2))


def _list(run: Run, name: str) -> list[Mapping[str, Any]]:
    told = run.record.get("plan", {}).get(name) if isinstance(run.record.get("plan"), dict) else None
    if not isinstance(told, list) or not all(isinstance(one, dict) and "id" in one for one in told):
        raise InputError.of("businesscase.bad_record", run=run.id, name="result.json")
    return told


def _ends(told: Mapping[str, Any]) -> Ends:
    return float(told["value"]), float(told["low"]), float(told["high"])


def _around(told: Mapping[str, Any]) -> Ends:
    return float(told["mean"]), float(told["p10"]), float(told["p90"])


def _of(one: Spread) -> Ends:
    return one.mean, one.p10, one.p90
