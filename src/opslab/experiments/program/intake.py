"""What a program stands on: readouts in run folders, and tables of tests, each read as one test."""

from __future__ import annotations

import datetime
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from math import isnan
from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

from opslab import archive, provenance
from opslab.errors import DataError
from opslab.experiments.checks.sample_ratio import sample_ratio
from opslab.experiments.program.broken_period import Split
from opslab.experiments.program.result import ProgramTest
from opslab.experiments.program.spec import ListedTest, Program
from opslab.names import folded
from opslab.tables.import_report import Reading
from opslab.tables.sheets import Sheet, SheetFile, read_sheet

REGISTERED = ("plan_unchanged", "pass")
"""Check of a readout whose plan was registered beforehand, and kept."""
CONTROLS = {"control", "controle", "temoin", "baseline"}
"""Names of a control; else the first row of a test is it."""
_GIVEN = ["lift", "error", "low", "high", "p_value", "mean", "mean_error", "units", "successes"]


class Case(NamedTuple):
    """A test as it was found: a row for each arm, its goal, and whether its readout was stopped."""

    rows: Sequence[ListedTest]
    goal: str
    stopped: str = ""


@dataclass
class Intake:
    """Everything that was read.

    Attributes
    ----------
    tests : list of ProgramTest
        The comparisons of a test stand together.
    splits : list of Split
        How units were split, of the tests whose arms' units are known.
    aside : dict of str to list of str
        Names of what was not taken as it stands, by the check that tells of it.
    readings : list of Reading
    """

    tests: list[ProgramTest] = field(default_factory=list)
    splits: list[Split] = field(default_factory=list)
    aside: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    readings: list[Reading] = field(default_factory=list)


def take_in(program: Program, day: datetime.date, data: Any = None) -> Intake:
    """Return all tests of a program: of its runs first, then of its table.

    Raises
    ------
    DataError
        With every row that contradicts itself: file, row, what, and what to do.
    """
    intake, kept = Intake(), dict[str, Case]()
    cases = [_of_record(*run) for run in _readouts(program, day, intake).values()]
    if program.tests or data is not None:
        sheet = _sheet(program, data)
        intake.readings += [sheet.reading] if sheet.reading else []
        cases += [Case(rows, program.goal) for rows in _grouped(sheet, intake)]
    for case in cases:
        first = case.rows[0]
        if ((first.end or first.start) or day) > day:
            intake.aside["later"].append(first.test)
        elif kept.setdefault(folded(first.test), case) is not case:
            intake.aside["repeated"].append(first.test)
    _compare([*kept.values()], program.alpha, intake)
    return intake


def _readouts(program: Program, day: datetime.date, intake: Intake) -> Mapping[str, Any]:
    """Return the newest readout of each experiment: its record, and whether it was stopped."""
    newest: dict[str, tuple[Any, str]] = {}
    for location, path in program.named().items():
        if location[0] == "runs":
            file = program.beside(path)
            filed = archive.read_run(file.parent, whole=False)
            card, name = filed.card, file.parent.name
            if card is None or filed.altered:
                intake.aside["altered"].append(card.name if card else name)
                continue
            provenance.note(file, card.outputs[archive.RESULT])
            record = json.loads(filed.files[archive.RESULT])
            name = record["plan"]["experiment"]
            if card.as_of > day or record.get("exploratory"):
                intake.aside["later" if card.as_of > day else "altered"].append(name)
            elif name not in newest or newest[name][0]["as_of"] < record["as_of"]:
                newest[name] = record, "broken" * (card.status == "check_failed")
    return newest


def _of_record(record: Any, stopped: str) -> Case:
    """Return a readout as rows, of its first primary metric and the control first; its goal."""
    plan, decision = record["plan"], record["decision"]
    effects = {
        effect["arm"]: effect
        for effect in reversed(record["comparisons"])
        if effect["role"] == "primary" and effect["segment"] is None
    }
    rule = any((check["name"], check["status"]) == REGISTERED for check in record["checks"])
    every: dict[str, Any] = {"test": plan["experiment"], "by_rule": "yes" if rule else "no"}
    for at in ("start", "end"):
        every[at] = plan[at] and datetime.date.fromisoformat(plan[at])
    rows = []
    for arm in sorted(record["arms"], key=lambda arm: arm["name"] != plan["control"]):
        name, row = arm["name"], effects.get(arm["name"], {})
        ends = row.get("lift_interval", {})
        width = float(np.subtract(*np.array([ends.get("high"), ends.get("low")], float)))
        freedom = row.get("degrees_of_freedom") or np.inf
        fields = every | {
            "units": arm["units"],
            "weight": arm["expected"],
            "arm": name,
            **row,
            **ends,
        }
        fields["p_value"] = row.get("p_adjusted")
        fields["error"] = width / 2 / float(stdtrit(freedom, 1 - plan["alpha"] / 2))
        fields["decision"] = (
            "ship" if (decision["action"], decision["arm"]) == ("ship", name) else "no"
        )
        rows.append(ListedTest.model_construct(**fields))
    goal = next(iter(effects.values()), {"goal": ""})["goal"]
    return Case(rows, goal, stopped)


def _sheet(program: Program, data: Any) -> Sheet[ListedTest]:
    """Return the table: of tests with an effect, or else of arms."""
    given = program.tests
    if data is not None and not isinstance(given, SheetFile):
        given = SheetFile(path="")
    try:
        return read_sheet(program, given, ListedTest, "program-tests", data=data)
    except DataError as error:
        if "profile_misfit" not in error.problems[0].key:
            raise
        return read_sheet(program, given, ListedTest, "program-arms", data=data)


def _grouped(sheet: Sheet[ListedTest], intake: Intake) -> list[list[ListedTest]]:
    """Return the rows of each test: a row for each arm, of its first metric alone."""
    groups = defaultdict[str, dict[str, ListedTest]](dict)
    for _, row in sheet.rows:
        arms = groups[folded(row.test)]
        if arms and row.metric != next(iter(arms.values())).metric:
            intake.aside["metrics"].append(row.test)
        elif arms.setdefault(folded(row.arm or ""), row) is not row:
            intake.aside["repeated"].append(row.test)
    return [[*arms.values()] for arms in groups.values()]


def _split(rows: Sequence[ListedTest]) -> Split | None:
    """Return how a test's units were split; equally by design where no weights are given."""
    weights = [1 if row.weight is None else row.weight for row in rows]
    arms = [
        (row.units, weight)
        for row, weight in zip(rows, weights, strict=True)
        if row.arm and row.units is not None and weight
    ]
    if len(arms) <= 1 or not any(units for units, _ in arms):
        return None
    test = sample_ratio(*zip(*arms, strict=True))
    return Split(rows[0].start, test.statistic, test.degrees_of_freedom)


def _compare(cases: Sequence[Case], alpha: float, intake: Intake) -> None:
    """Take in the effects of each test, signed so that more is better."""
    rows, about = list[ListedTest](), list[Any]()
    for case in cases:
        names = [folded(row.arm or "") in CONTROLS for row in case.rows]
        control = len(rows) + (names.index(True) if any(names) else 0)
        split, units = _split(case.rows), sum(row.units or 0 for row in case.rows)
        intake.splits += [split] if split else []
        about += [(control, case, split, units)] * len(names)
        rows += case.rows
    signs = [-1.0 if case.goal == "decrease" else 1.0 for _, case, _, _ in about]
    effects = _effects(rows, [control for control, *_ in about], np.array(signs), alpha)
    for at, (row, effect) in enumerate(zip(rows, effects, strict=True)):
        control, case, split, units = about[at]
        lift, error, low, high, p_value = effect
        if at == control and len(case.rows) > 1 and not error:
            continue
        outcome: Any = "unknown"
        if lift is not None and p_value is not None:
            outcome = "open" if p_value >= alpha else "won" if lift > 0 else "lost"
        usable = lift is not None and lift > -1 and error
        intake.tests.append(
            ProgramTest(
                row.test,
                row.arm or "",
                row.metric or "",
                row.start or case.rows[0].start,
                row.end or case.rows[0].end,
                units if split else row.units,
                lift,
                error,
                low,
                high,
                p_value,
                outcome,
                row.decision == "ship" if row.decision else None,
                row.by_rule == "yes" if row.by_rule else None,
                split.p_value if split else None,
                case.stopped or ("" if usable else "no_error"),
            )
        )


def _effects(rows: Sequence[ListedTest], controls: Sequence[int], signs: Any, alpha: float) -> Any:
    """Return lift, error, the ends of its interval and p-value, as far as rows tell them.

    Of means and shares by the delta method and the normal test of their difference.
    """
    given = np.array([[getattr(row, name) for name in _GIVEN] for row in rows], float)
    columns = given.reshape(-1, len(_GIVEN)).T
    lift, error, low, high, p_value, mean, deviation, units, successes = columns
    z = -float(ndtri(alpha / 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = successes / units
        mean, variance = _first(share, mean), _first(share * (1 - share) / units, deviation**2)
        base, doubt = mean[controls], variance[controls]
        away = np.where(np.arange(len(rows)) == controls, np.nan, mean - base)
        lift = _first(away / abs(base), lift, (low + high) / 2)
        counted = np.sqrt(variance + (mean / base) ** 2 * doubt) / abs(base) + 0 * away
        error = _first(counted, error, (high - low) / (2 * z), -abs(lift) / ndtri(p_value / 2))
        error = np.where((error > 0) & (error < np.inf), error, np.nan)
        tests = (-abs(away) / np.sqrt(variance + doubt), -abs(lift) / error)
        p_value = _first(2 * ndtr(tests[0]), p_value, 2 * ndtr(tests[1]))
        ends = np.sort(
            [signs * _first(end, lift + side * z * error) for end, side in ((low, -1), (high, 1))],
            axis=0,
        )
    table = np.vstack([signs * lift, error, ends, p_value]).T
    return [[None if isnan(cell) else cell for cell in row] for row in table.tolist()]


def _first(*options: Any) -> Any:
    """Return of each row the first of some values that is known."""
    return reduce(lambda known, other: np.where(np.isnan(known), other, known), options)
