"""The plan of a batch: which notebooks run with which parameters, and after which others."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice, product
from typing import Annotated, Any, Literal

from dateutil.relativedelta import relativedelta
from pydantic import Discriminator, Field, Tag

from opslab.errors import InputError, Problem, SpecError, did_you_mean
from opslab.messages import Language
from opslab.runs.own_notebooks import find
from opslab.specs import Day, Declared, FromFile, Title

_GIVEN = "given"
_MOST = 2_000
"""Runs of an entry."""
Value = str | int | float | bool


class Dates(Declared):
    """Days from one to another, both included."""

    start: Day = Field(alias="from")
    """first day, YYYY-MM-DD"""
    to: Literal["given"] | Day
    """last day, YYYY-MM-DD, or given: the day of --as-of"""
    every: Literal["day", "week", "month"]
    """the step; months are counted from the first day"""

    def days(self, given: str) -> list[str]:
        """Return the days, written YYYY-MM-DD."""
        last = given if self.to == _GIVEN else str(self.to)
        days: list[str] = []
        with suppress(OverflowError, ValueError):  # after the last day that there is
            while len(days) <= _MOST:
                step = relativedelta(**{f"{self.every}s": len(days)})
                day = str(self.start + step)
                if day > last:
                    break
                days.append(day)
        return days


def _form(value: object) -> str:
    if isinstance(value, dict | Dates):
        return "dates"
    return "list" if isinstance(value, list | tuple) else "value"


Values = Annotated[
    Annotated[Dates, Tag("dates")]
    | Annotated[tuple[Value, ...], Field(min_length=1), Tag("list")]
    | Annotated[Value, Tag("value")],
    Discriminator(_form),
]


class Entry(Declared):
    """A notebook and its parameters: it runs once for each combination of their values."""

    name: str = Field(min_length=1, max_length=60)
    """what `after` of other runs and the status call it"""
    notebook: str
    """one of `opslab list`"""
    params: Mapping[str, Values] = {}
    """parameters of the notebook: a value, a list of values, or {from, to, every} for days"""
    after: tuple[str, ...] = ()
    """names of runs above that have to be done before; of several the ones with the same as_of"""
    retries: int = Field(0, ge=0, le=5)
    """how often to try again after a dead kernel, a timeout or what the machine refused"""
    timeout: float | None = Field(None, ge=1, le=2_678_400)
    """seconds that a run may take"""
    cell_timeout: int | None = Field(None, ge=1)
    """seconds that a cell may take"""
    keep: int | None = Field(None, ge=1)
    """how many runs to keep that differ by their day or their data only"""

    @property
    def wants_day(self) -> bool:
        """Whether a day has to be given."""
        return _GIVEN in [getattr(value, "to", value) for value in self.params.values()]


class Plan(FromFile):
    """A batch of runs."""

    batch: Title
    """its name, also that of the status file"""
    language: Language = "en"
    """language of the status"""
    runs: tuple[Entry, ...] = Field(min_length=1)
    """the runs; those that wait for no other start in this order"""


@dataclass(frozen=True)
class Planned:
    """A run of a plan, its lists and dates resolved.

    Attributes
    ----------
    name : str
        The entry's, with the values that tell it from the entry's other runs.
    entry : Entry
    parameters : Mapping
    after : tuple of str
        Names of the planned runs that go before.
    """

    name: str
    entry: Entry
    parameters: Mapping[str, Value]
    after: tuple[str, ...]


def planned_runs(plan: Plan, as_of: datetime.date | None = None) -> dict[str, Planned]:
    """Return the runs of a plan by name, checked as far as they can be before one has run.

    Parameters
    ----------
    plan : Plan
    as_of : datetime.date, optional
        The day that stands for ``given``.

    Raises
    ------
    InputError
        With all mistakes of the plan, and of the parameters, specs and files of its runs.
    """
    given = as_of.isoformat() if as_of else ""
    groups: dict[str, list[Planned]] = {}
    names: dict[str, str] = {}
    problems: list[Problem] = []
    if as_of and not any(entry.wants_day for entry in plan.runs):
        problems.append(plan.problem("runs.plan_not_given", "runs"))
    for number, entry in enumerate(plan.runs):
        for key, values in _misnamed(entry, groups, plan):
            problems.append(plan.problem(key, "runs", number, **values))
        if entry.wants_day and not as_of:
            problems.append(plan.problem("runs.plan_given", "runs", number, "params"))
            groups[entry.name] = []
            continue
        planned = list(islice(_expanded(entry, given, groups), _MOST + 1))
        groups[entry.name] = planned
        if not planned or len(planned) > _MOST:
            key = "runs.plan_too_many" if planned else "runs.plan_no_day"
            problems.append(plan.problem(key, "runs", number, "params", most=_MOST))
            continue
        for run in planned:
            identity = _identity(run)
            if same := names.get(run.name) or names.get(identity):
                key = "runs.plan_same_name" if same == run.name else "runs.plan_twice"
                values = {"name": run.name, "other": same}
                problems.append(plan.problem(key, "runs", number, **values))
            names |= {run.name: run.name, identity: run.name}
            for problem in _refused(run):
                field = [problem.field] if problem.field else []
                own = plan.problem(problem.key, "runs", number, *field, **problem.values)
                problems.append(problem if problem.file else own)
    InputError.refuse([*{str(problem): problem for problem in problems}.values()])
    return {run.name: run for runs in groups.values() for run in runs}


def _misnamed(
    entry: Entry, groups: Mapping[str, object], plan: Plan
) -> Iterator[tuple[str, dict[str, Any]]]:
    if entry.name in groups:
        yield "runs.plan_same_name", {"name": entry.name}
    for name in entry.after:
        if name in groups:
            continue
        if name in [other.name for other in plan.runs]:
            yield "runs.plan_after_below", {"name": name}
        else:
            near = did_you_mean(name, groups)
            yield "runs.plan_after", {"name": name, "near": near}


def _expanded(entry: Entry, given: str, groups: Mapping[str, list[Planned]]) -> Iterator[Planned]:
    """Yield the runs of an entry, one for each combination of its values."""
    choices: dict[str, list[Value]] = {}
    for name, value in entry.params.items():
        if isinstance(value, Dates):
            choices[name] = list(value.days(given))
        else:
            choices[name] = list(value) if isinstance(value, tuple) else [value]
            choices[name] = [given if choice == _GIVEN else choice for choice in choices[name]]
    for values in product(*choices.values()):
        parameters = dict(zip(choices, values, strict=True))
        telling = [f"{name}={parameters[name]}" for name in choices if len(choices[name]) > 1]
        after: list[str] = []
        for name in entry.after:
            earlier = groups.get(name, [])
            day = parameters.get("as_of")
            same = [run for run in earlier if run.parameters.get("as_of") == day]
            after += [run.name for run in same or earlier]
        yield Planned(" ".join([entry.name, *telling]), entry, parameters, tuple(after))


def _identity(run: Planned) -> str:
    """Return what two entries share that come to the same run, however it is written."""
    parameters: Mapping[str, Any] = run.parameters
    with suppress(InputError):  # which is told of the run itself
        parameters = find(run.entry.notebook).parameters().of(**run.parameters).given()
    return f"{run.entry.notebook} {sorted(parameters.items())}"


def _refused(run: Planned) -> tuple[Problem, ...]:
    """Return what is wrong with a run; what it takes from others will be there only then."""
    try:
        parameters = find(run.entry.notebook).parameters().of(**run.parameters)
        try:
            parameters.stands_on()
        except InputError as error:
            if isinstance(error, SpecError) or not run.after:
                raise
    except InputError as error:
        return error.problems
    return ()
