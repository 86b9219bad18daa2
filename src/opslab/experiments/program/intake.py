"""What a program stands on: readouts in run folders, and tables of tests, each read as one test."""

from __future__ import annotations

import datetime
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import reduce
from math import isnan
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

from opslab import archive, provenance
from opslab.errors import DataError
from opslab.experiments.checks.sample_ratio import sample_ratio
from opslab.experiments.program.result import ProgramTest
from opslab.experiments.program.spec import ListedTest, Program
from opslab.names import folded
from opslab.tables.import_report import Reading
from opslab.tables.sheets import SheetFile, read_sheet

CONTROLS = {"control", "controle", "temoin", "baseline"}
"""Names of a control; else the first row of a test is it."""
_GIVEN = "lift error low high p_value mean mean_error units successes"

Aside = defaultdict[str, list[str]]
"""Names of what was not taken as it stands, by the check that tells of it."""


class Case(NamedTuple):
    """A test as it was found: its rows, its goal, its split's p-value, whether it was stopped."""

    rows: Sequence[ListedTest]
    goal: str
    ratio_p: float | None
    stopped: str = ""


def take_in(
    program: Program, day: datetime.date, data: Any = None
) -> tuple[list[ProgramTest], Aside, Reading | None]:
    """Return all tests of a program: of its runs first, then of its table; what was set aside.

    The comparisons of a test stand together.

    Raises
    ------
    DataError
        With every row that contradicts itself: file, row, what, and what to do.
    """
    aside, kept = Aside(list), dict[str, Case]()
    listed, reading = _listed(program, data, aside)
    for case in (*_readouts(program, day, aside), *listed):
        first = case.rows[0]
        if (first.end or first.start or day) > day:
            aside["later"].append(first.test)
        elif kept.setdefault(folded(first.test), case) is not case:
            aside["repeated"].append(first.test)
    tests = [test for case in kept.values() for test in _compared(case, program.alpha)]
    return tests, aside, reading


def _readouts(program: Program, day: datetime.date, aside: Aside) -> list[Case]:
    """Return the newest readout of each experiment."""
    newest = dict[str, Any]()
    for file in (Path(path) for at, path in program.named().items() if at[0] == "runs"):
        filed = archive.read_run(file.parent, whole=False)
        if filed.card is None or filed.altered:
            aside["altered"].append(filed.card.name if filed.card else file.parent.name)
            continue
        provenance.note(file, filed.card.outputs[archive.RESULT])
        record = json.loads(filed.files[archive.RESULT])
        name, later = record["plan"]["experiment"], record["as_of"] > day.isoformat()
        if later or record.get("exploratory"):
            aside["later" if later else "altered"].append(name)
        elif name not in newest or newest[name]["as_of"] < record["as_of"]:
            newest[name] = record
    return [_of_record(record) for record in newest.values()]


def _of_record(record: Any) -> Case:
    """Return a readout's control and its arms, each with its first primary metric."""
    plan, decision = record["plan"], record["decision"]
    checks = defaultdict(dict, {check["name"]: check for check in record["checks"]})
    registered = checks["plan_unchanged"].get("status") == "pass"
    days = {at: plan[at] and datetime.date.fromisoformat(plan[at]) for at in ("start", "end")}
    shared: dict[str, Any] = days | {
        "test": plan["experiment"],
        "by_rule": "yes" if registered else "no",
    }
    effects = {plan["control"]: {"goal": ""}}
    for effect in record["comparisons"]:
        if effect["role"] == "primary" and effect["segment"] is None:
            ends = effect["lift_interval"]
            tail = stdtrit(effect["degrees_of_freedom"] or np.inf, 1 - plan["alpha"] / 2)
            own = {
                "p_value": effect["p_adjusted"],
                "error": np.ptp(np.array([*ends.values()], float)) / 2 / tail,
                "decision": decision["action"] if decision["arm"] == effect["arm"] else "no",
            }
            effects.setdefault(effect["arm"], effect | ends | own)
    rows = [
        ListedTest.model_construct(**shared | effect | {"arm": arm})
        for arm, effect in effects.items()
    ]
    stopped = "broken" * (record["status"] == "check_failed")
    return Case(rows, [*effects.values()][-1]["goal"], checks["sample_ratio"].get("value"), stopped)


def _listed(program: Program, data: Any, aside: Aside) -> tuple[list[Case], Reading | None]:
    """Return the table's tests: with an effect, or a row for each arm; of their first metric."""
    given = program.tests
    if data is not None and not isinstance(given, SheetFile):
        given = SheetFile(path="")
    try:
        sheet = read_sheet(program, given, ListedTest, "program-tests", data=data)
    except DataError as error:
        if "profile_misfit" not in error.problems[0].key:
            raise
        sheet = read_sheet(program, given, ListedTest, "program-arms", data=data)
    groups = defaultdict[str, dict[str, ListedTest]](dict)
    for _, row in sheet.rows:
        arms = groups[folded(row.test)]
        if arms and row.metric != next(iter(arms.values())).metric:
            aside["metrics"].append(row.test)
        elif arms.setdefault(folded(row.arm or ""), row) is not row:
            aside["repeated"].append(row.test)
    cases = [[*arms.values()] for arms in groups.values()]
    return [Case(rows, program.goal, _split(rows)) for rows in cases], sheet.reading


def _split(rows: Sequence[ListedTest]) -> float | None:
    """Return the p-value of a test's split; equal by design where no weights are given."""
    arms = [
        (row.units, row.weight) for row in rows if row.arm and row.units is not None and row.weight
    ]
    if len(arms) <= 1 or not any(units for units, _ in arms):
        return None
    return sample_ratio(*zip(*arms, strict=True)).p_value


def _compared(case: Case, alpha: float) -> Iterator[ProgramTest]:
    """Give the effects of a test, signed so that more is better."""
    rows = case.rows
    named = (at for at, row in enumerate(rows) if folded(row.arm or "") in CONTROLS)
    control, sign = next(named, 0), -1 if case.goal == "decrease" else 1
    for at, effect in enumerate(_effects(rows, control, sign, alpha)):
        row, (lift, error, *_, p_value) = rows[at], effect
        if at == control and len(rows) > 1 and not error:
            continue
        outcome = "unknown"
        if lift is not None and p_value is not None:
            outcome = "open" if p_value >= alpha else "won" if lift > 0 else "lost"
        usable = lift is not None and lift > -1 and error
        yield ProgramTest(
            rows[0].test,
            row.arm or "",
            row.metric or "",
            row.start or rows[0].start,
            row.end or rows[0].end,
            outcome,
            row.decision == "ship" if row.decision else None,
            row.by_rule == "yes" if row.by_rule else None,
            case.ratio_p,
            case.stopped or ("" if usable else "effects"),
            *effect,
        )


def _effects(rows: Sequence[ListedTest], control: int, sign: int, alpha: float) -> Any:
    """Return lift, error, the ends of its interval and p-value, as far as rows tell them.

    Of means and shares by the delta method and the normal test of their difference.
    """
    given = np.array([[getattr(row, name) for row in rows] for name in _GIVEN.split()], float)
    lift, error, low, high, p_value, mean, deviation, units, successes = given
    z = -ndtri(alpha / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = successes / units
        mean, variance = _first(share, mean), _first(share * (1 - share) / units, deviation**2)
        base, doubt = mean[control], variance[control]
        away = np.where(np.arange(len(rows)) == control, np.nan, mean - base)
        lift = _first(away / abs(base), lift, (low + high) / 2)
        counted = np.sqrt(variance + (mean / base) ** 2 * doubt) / abs(base) + 0 * away
        error = _first(counted, error, (high - low) / (2 * z), -abs(lift) / ndtri(p_value / 2))
        error[~((error > 0) & (error < np.inf))] = np.nan
        tested = 2 * ndtr(-abs(away) / np.sqrt(variance + doubt))
        p_value = _first(tested, p_value, 2 * ndtr(-abs(lift) / error))
        ends = [sign * _first(low, lift - z * error), sign * _first(high, lift + z * error)]
    effects = np.array([sign * lift, error, *np.sort(ends, axis=0), p_value]).T
    return [[None if isnan(value) else value for value in row] for row in effects.tolist()]


def _first(*options: Any) -> Any:
    """Return of each row the first of some values that is known."""
    return reduce(lambda known, other: np.where(np.isnan(known), other, known), options)
