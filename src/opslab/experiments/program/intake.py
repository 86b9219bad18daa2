"""What a program stands on: readouts in run folders, and tables of tests, each read as one test."""

from __future__ import annotations

import datetime
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

from opslab import archive, provenance
from opslab.errors import DataError, Problem
from opslab.experiments.checks.sample_ratio import sample_ratio
from opslab.experiments.designs.looks import SEQUENTIAL
from opslab.experiments.program.pooling import Z
from opslab.experiments.program.result import ProgramTest
from opslab.experiments.program.spec import ListedTest, Program
from opslab.names import folded
from opslab.tables.import_report import Reading
from opslab.tables.sheets import SheetFile, read_sheet

CONTROLS = {"control", "controle", "temoin", "baseline", "ctrl"}
"""Names of a control; else the first row of a test is it, unless it has a lift of its own."""
_LEAST, _ALPHA = 1e-16, 0.05
_DECIDED = ("ship", "do_not_ship")
_OVER = {"bayesian": _DECIDED} | dict.fromkeys(SEQUENTIAL, (*_DECIDED, "no_decision"))
"""What ends a test before its last day: a sequential one says no decision at its last look only."""
_MOST = 100
"""Lift from which on it is no figure of a test; an error as large as 1 + lift tells nothing."""
_GIVEN = "lift error low high p_value mean mean_error units successes"

Aside = defaultdict[str, list[str]]
"""Names of what was not taken as it stands, by the check that tells of it."""


class Case(NamedTuple):
    """A test as it was found: its rows, its goal, its split's p-value, whether it was stopped.

    Of a readout also the verdict on each arm, the control's first.
    """

    rows: Sequence[ListedTest]
    goal: str
    ratio_p: float | None
    stopped: str = ""
    verdicts: Sequence[str] = ()


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
    tests = list[ProgramTest]()
    for case in kept.values():
        arms = sorted(_compared(case, program.alpha, aside), key=lambda test: not test.shipped)
        tests += [replace(test, counts=at == 0) for at, test in enumerate(arms)]
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
    return _finished(newest, aside)


def _finished(records: Mapping[str, Any], aside: Aside) -> list[Case]:
    """Return the readouts of tests that have ended, or that design or checks stopped earlier."""
    cases = []
    for name, record in records.items():
        plan, action = record["plan"], record["decision"]["action"]
        over = action in _OVER.get(plan.get("method", "fixed"), ())
        over = over or record["status"] == "check_failed"
        if record["as_of"] < (plan["end"] or "") and not over:
            aside["later"].append(name)
        else:
            cases.append(_of_record(record))
    return cases


def _of_record(record: Any) -> Case:
    """Return a readout's control and its arms, each with its first primary metric."""
    plan, decision = record["plan"], record["decision"]
    plan["end"] = plan["end"] and min(plan["end"], record["as_of"])
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
            width, absolute = (
                np.ptp(np.array([*between.values()], float))
                for between in (ends, effect["difference_interval"])
            )
            tail = stdtrit(effect["degrees_of_freedom"] or np.inf, 1 - plan["alpha"] / 2)
            error = width / 2 / tail
            if plan.get("method") == "always_valid" and effect["standard_error"]:
                error = width / absolute * effect["standard_error"]
            if plan["alpha"] != _ALPHA:
                ends = dict.fromkeys(ends)
            own = {
                "p_value": effect["p_adjusted"],
                "error": error,
                "decision": decision["action"] if decision["arm"] == effect["arm"] else "no",
            }
            effects.setdefault(effect["arm"], effect | ends | own)
    rows = [
        ListedTest.model_construct(**shared | effect | {"arm": arm})
        for arm, effect in effects.items()
    ]
    stopped = "broken" * (record["status"] == "check_failed")
    verdicts = [effect.get("verdict", "") for effect in effects.values()]
    goal = [*effects.values()][-1]["goal"]
    return Case(rows, goal, checks["sample_ratio"].get("value"), stopped, verdicts)


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
    file = sheet.reading.name if sheet.reading else None
    mixed = [
        rows[0] for rows in cases if len({"weight" in row.model_fields_set for row in rows}) > 1
    ]
    DataError.refuse([Problem("program.weight", {"test": row.test}, file=file) for row in mixed])
    return [Case(rows, program.goal, _split(rows)) for rows in cases], sheet.reading


def _split(rows: Sequence[ListedTest]) -> float | None:
    """Return the p-value of a test's split; equal by design where no weights are given."""
    arms = [
        (row.units, row.weight) for row in rows if row.arm and row.units is not None and row.weight
    ]
    if len(arms) <= 1 or not any(units for units, _ in arms):
        return None
    return sample_ratio(*zip(*arms, strict=True)).p_value


def _compared(case: Case, alpha: float, aside: Aside) -> Iterator[ProgramTest]:
    """Give the effects of a test, signed so that more is better."""
    rows, sign = case.rows, -1 if case.goal == "decrease" else 1
    named = [at for at, row in enumerate(rows) if folded(row.arm or "") in CONTROLS]
    named = [0] if case.verdicts else named
    without = len(rows) == 1 or (not named and (rows[0].lift or rows[0].low))
    control = None if without else [*named, 0][0]
    if not named and not without:
        aside["control"].append(f"{rows[0].test}: {rows[0].arm or ''}")
    for at, effect in enumerate(_effects(rows, control or 0, sign)):
        row, (lift, error, *_, p_value) = rows[at], effect
        if at == control:
            continue
        outcome = "unknown"
        if lift is not None and p_value is not None:
            outcome = "open" if p_value >= alpha else "won" if lift > 0 else "lost"
        if lift is not None and case.verdicts:
            outcome = case.verdicts[at] if case.verdicts[at] in ("won", "lost") else "open"
        usable = lift is not None and 0 < (raw := 1 + sign * lift) < _MOST and error and error < raw
        yield ProgramTest(
            rows[0].test,
            row.arm or "",
            row.metric or "",
            case.goal,
            row.start or rows[0].start,
            row.end or rows[0].end,
            outcome,
            row.decision == "ship" if row.decision else None,
            row.by_rule == "yes" if row.by_rule else None,
            case.ratio_p,
            case.stopped or ("" if usable else "effects"),
            *effect,
        )


def _effects(rows: Sequence[ListedTest], control: int, sign: int) -> Any:
    """Return lift, error, the ends of its 95 % interval and p-value, as far as rows tell them.

    What a row states comes first; else by the delta method and the normal test of the difference of
    means or shares. What is infinite is not known.
    """
    given = np.array([[getattr(row, name) for row in rows] for name in _GIVEN.split()], float)
    lift, error, low, high, p_value, mean, deviation, units, successes = given
    with np.errstate(all="ignore"):
        share = successes / units
        mean, variance = _first(mean, share), _first(deviation**2, share * (1 - share) / units)
        base, doubt = mean[control], variance[control]
        away = np.where(np.arange(len(rows)) == control, np.nan, mean - base)
        counted = np.sqrt(variance + (mean / base) ** 2 * doubt) / abs(base) + 0 * away
        lift = _first(lift, (low + high) / 2)
        of_p = -abs(lift) / ndtri(np.maximum(p_value, _LEAST) / 2)
        error = _first(error, (high - low) / (2 * Z), of_p)
        tested = 2 * ndtr(-abs(away) / np.sqrt(variance + doubt))
        p_value = _first(p_value, 2 * ndtr(-abs(lift) / error), tested)
        lift, error = _first(lift, away / abs(base)), _first(error, counted)
        error[~(error > 0)] = np.nan
        low, high = _first(low, lift - Z * error), _first(high, lift + Z * error)
    ends = [low, high][::sign]
    effects = np.array([sign * lift, error, *(sign * end for end in ends), p_value]).T.tolist()
    return [[value if isfinite(value) else None for value in row] for row in effects]


def _first(*options: Any) -> Any:
    """Return of each row the first of some values that is known."""
    return reduce(lambda known, other: np.where(np.isfinite(known), known, other), options)
