"""What a program stands on: readouts in run folders, and tables of tests, each read as one test."""

from __future__ import annotations

import datetime
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from typing import Any, Literal

from scipy.special import chdtri, ndtr, ndtri, stdtrit

from opslab import archive, provenance
from opslab.errors import DataError, Problem
from opslab.experiments.checks.sample_ratio import sample_ratio
from opslab.experiments.inference.proportions import score_test
from opslab.experiments.program.broken_period import Split
from opslab.experiments.program.result import ProgramTest
from opslab.experiments.program.spec import ListedTest, Program
from opslab.names import folded
from opslab.tables.import_report import Reading
from opslab.tables.sheets import Sheet, read_sheet

CONTROLS = {"control", "controle", "temoin", "baseline"}
_ACTIONS = {"ship": True, "do_not_ship": False, "extend": False}


@dataclass
class Intake:
    """Everything that was read.

    Attributes
    ----------
    day : datetime.date
        As of which the program speaks.
    tests : dict of str to list of ProgramTest
        The comparisons of each test, its first arm first.
    splits : dict of str to Split
        By test, where its arms' units are known.
    aside : dict of str to list of str
        Names of what was not taken as it stands, by the check that tells of it.
    readings : list of Reading
    """

    day: datetime.date
    tests: dict[str, list[ProgramTest]] = field(default_factory=dict)
    splits: dict[str, Split] = field(default_factory=dict)
    aside: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    readings: list[Reading] = field(default_factory=list)

    def take(self, tests: list[ProgramTest], split: Split | None) -> None:
        """Add the comparisons of a test, unless it is there, or later than the program speaks."""
        first = tests[0]
        over, name = first.end or first.start, folded(first.test)
        if over and over > self.day:
            self.aside["later"].append(first.test)
        elif name in self.tests:
            self.aside["repeated"].append(first.test)
        else:
            self.tests[name] = tests
            if split:
                self.splits[name] = split


def take_in(program: Program, day: datetime.date, data: Any = None) -> Intake:
    """Return all tests of a program: of its runs first, then of its table.

    Raises
    ------
    DataError
        With every row that contradicts itself: file, row, what, and what to do.
    """
    intake = Intake(day)
    for card, record in _readouts(program, intake).values():
        intake.take(*_of_record(card, record))
    if program.tests or data is not None:
        sheet = _sheet(program, data)
        intake.readings += [sheet.reading] if sheet.reading else []
        groups = _grouped(sheet, intake)
        DataError.refuse([_placed(sheet, *wrong) for rows in groups for wrong in _wrong(rows)])
        for rows in groups:
            tests, split = _of_rows(program, [row for _, row in rows])
            if tests:
                intake.take(tests, split)
    return intake


def _sheet(program: Program, data: Any) -> Sheet[ListedTest]:
    """Return the table: of tests with an effect, or else of arms."""
    for profile in ("program-tests", "program-arms"):
        try:
            return read_sheet(program, program.tests, ListedTest, profile, data=data)
        except DataError as error:
            if error.problems[0].key.removesuffix("_near") != "tables.profile_misfit":
                raise
            misfit = error
    raise misfit


def _readouts(program: Program, intake: Intake) -> Mapping[str, tuple[Any, Any]]:
    """Return the newest readout of each experiment: its card and its record."""
    newest: dict[str, tuple[archive.Card, Any]] = {}
    for location, path in program.named().items():
        if location[0] != "runs":
            continue
        file = program.beside(path)
        filed = archive.read_run(file.parent, whole=False)
        if filed.card is None or filed.altered:
            intake.aside["altered"].append(filed.card.name if filed.card else file.parent.name)
            continue
        provenance.note(file, filed.card.outputs[archive.RESULT])
        record = json.loads(filed.files[archive.RESULT])
        name = record["plan"]["experiment"]
        if record.get("exploratory") or filed.card.as_of > intake.day:
            intake.aside["later" if filed.card.as_of > intake.day else "altered"].append(name)
        elif name not in newest or newest[name][0].as_of < filed.card.as_of:
            newest[name] = filed.card, record
    return newest


def _of_record(card: archive.Card, record: Any) -> tuple[list[ProgramTest], Split | None]:
    """Return a readout's effects on its first primary metric, and how its units were split."""
    plan, made = record["plan"], record["decision"]
    checks = {check["name"]: check for check in record["checks"]}
    start, end = (plan[day] and datetime.date.fromisoformat(plan[day]) for day in ("start", "end"))
    ratio = (checks.get("sample_ratio") or {}).get("value")
    freedom = len(record["arms"]) - 1
    split = ratio is not None and Split(start, float(chdtri(freedom, max(ratio, 1e-300))), freedom)
    primary = [one for one in record["comparisons"] if one["role"] == "primary"]
    tests = []
    for effect in primary:
        if effect["metric"] != primary[0]["metric"] or effect["segment"] is not None:
            continue
        sign = 1 if effect["goal"] == "increase" else -1
        low, high = (effect["lift_interval"][end] for end in ("low", "high"))
        known = effect["lift"] is not None and low is not None and high is not None
        freedom_of = effect["degrees_of_freedom"] or float("inf")
        width = 2 * float(stdtrit(freedom_of, 1 - plan["alpha"] / 2))
        ends = sorted([sign * low, sign * high]) if known else (None, None)
        tests.append(
            ProgramTest(
                plan["experiment"],
                effect["arm"],
                effect["metric"],
                start,
                end,
                sum(arm["units"] for arm in record["arms"]),
                sign * effect["lift"] if known else None,
                (high - low) / width if known else None,
                *ends,
                effect["p_value"],
                effect["verdict"] if effect["verdict"] in ("won", "lost", "open") else "unknown",
                made["action"] == "ship" and made["arm"] == effect["arm"],
                checks.get("plan_unchanged", {}).get("status") == "pass",
                ratio,
                "broken" if card.status == "check_failed" else "" if known else "no_error",
            )
        )
    return tests, split or None


Numbered = list[tuple[int, ListedTest]]


def _grouped(sheet: Sheet[ListedTest], intake: Intake) -> list[Numbered]:
    """Return the rows of each test: a row for each arm, of its first metric alone."""
    groups: dict[str, dict[str, tuple[int, ListedTest]]] = defaultdict(dict)
    for number, row in sheet.rows:
        rows, arm = groups[folded(row.test)], folded(row.arm or "")
        first = next(iter(rows.values()), (number, row))[1]
        if row.metric != first.metric:
            intake.aside["metrics"].append(row.test)
        elif rows.setdefault(arm, (number, row))[0] != number:
            intake.aside["repeated"].append(row.test)
    return [[*rows.values()] for rows in groups.values()]


def _wrong(rows: Numbered) -> Iterator[tuple[str, str, Any, int]]:
    """Give what contradicts itself in the rows of a test."""
    counted = [row for _, row in rows if _mean(row)]
    for number, row in rows:
        ends = [end for end in (row.low, row.lift, row.high) if end is not None]
        if ends != sorted(ends):
            yield "ends", "high", row.high, number
        if row.successes is not None and row.successes > (row.units or 0):
            yield "successes", "successes", row.successes, number
        if row.start and row.end and row.end < row.start:
            yield "dates", "end", row.end, number
        if len(counted) == 1 and row is counted[0]:
            yield "lone_arm", "arm", row.arm, number


def _placed(sheet: Sheet[Any], key: str, column: str, given: Any, row: int) -> Problem:
    name = sheet.reading.name if sheet.reading else None
    heading = sheet.headings.get(column, column)
    return Problem(f"program.{key}", {}, name, None, heading, row, str(given))


def _mean(row: ListedTest) -> tuple[float, float] | None:
    """Return an arm's mean and the square of its error."""
    if row.successes is not None and row.units:
        share = row.successes / row.units
        return share, share * (1 - share) / row.units
    return (row.mean, row.mean_error**2) if row.mean is not None and row.mean_error else None


def _of_rows(
    program: Program, rows: Sequence[ListedTest]
) -> tuple[list[ProgramTest], Split | None]:
    """Return a test's effects, and how its units were split."""
    first, split, ratio = rows[0], None, None
    arms = [(row.units, 1 if row.weight is None else row.weight) for row in rows if row.arm]
    counts, weights = zip(*[arm for arm in arms if arm[0] is not None] or [(0, 0)], strict=True)
    start = min((row.start for row in rows if row.start), default=None)
    if sum(weight > 0 for weight in weights) > 1 and any(counts):
        test = sample_ratio(counts, weights)
        split, ratio = Split(start, test.statistic, test.degrees_of_freedom), test.p_value
    control = next((row for row in rows if folded(row.arm or "") in CONTROLS), first)
    tests = []
    for row in rows:
        effect = _effect(row, control, program.alpha)
        if len(rows) > 1 and (row is control if _mean(control) else effect[0] is None):
            continue
        sign = 1 if program.goal == "increase" else -1
        lift, error, low, high, p_value = effect
        if sign < 0:
            lift, low, high = (end if end is None else -end for end in (lift, high, low))
        tests.append(
            ProgramTest(
                first.test,
                row.arm or "",
                row.metric or "",
                start,
                max((row.end for row in rows if row.end), default=None),
                sum(counts) if split else row.units,
                lift,
                error,
                low,
                high,
                p_value,
                _outcome(lift, p_value, program.alpha),
                _ACTIONS.get(row.decision) if row.decision else None,
                row.by_rule and row.by_rule == "yes",
                ratio,
                "" if lift is not None and error else "no_error",
            )
        )
    return tests, split


def _outcome(
    lift: float | None, p_value: float | None, alpha: float
) -> Literal["won", "lost", "open", "unknown"]:
    if lift is None or p_value is None:
        return "unknown"
    return "open" if p_value >= alpha else "won" if lift > 0 else "lost"


Effect = tuple[float | None, float | None, float | None, float | None, float | None]


def _effect(row: ListedTest, control: ListedTest, alpha: float) -> Effect:
    """Return lift, error, the ends of its interval and p-value, as far as a row tells them.

    Of means by the delta method; p-values of shares by the score test, as in a readout.
    """
    lift, error, low, high, p_value = row.lift, row.error, row.low, row.high, row.p_value
    known, base, z = _mean(row), _mean(control), float(ndtri(1 - alpha / 2))
    if known and base and base[0]:
        lift = (known[0] - base[0]) / abs(base[0])
        error = sqrt(known[1] + (known[0] / base[0]) ** 2 * base[1]) / abs(base[0])
        p_value = _p_value(row, control, lift and (known[0] - base[0]) / sqrt(known[1] + base[1]))
    if low is not None and high is not None:
        lift = (low + high) / 2 if lift is None else lift
        error = (high - low) / (2 * z) if error is None else error
    if lift and p_value and p_value < 1 and error is None:
        error = -abs(lift) / float(ndtri(p_value / 2))
    if lift is not None and error:
        p_value = 2 * float(ndtr(-abs(lift) / error)) if p_value is None else p_value
        low, high = (low, high) if low is not None else (lift - z * error, lift + z * error)
    return lift, error or None, low, high, p_value


def _p_value(row: ListedTest, control: ListedTest, z: float) -> float:
    if row.successes is None or control.successes is None:
        return 2 * float(ndtr(-abs(z)))
    counts = (row.successes, row.units, control.successes, control.units)
    return score_test(*(int(count or 0) for count in counts)).p_value
