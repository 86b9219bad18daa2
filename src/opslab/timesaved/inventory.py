"""What the analyst declares: tasks, what a change saves of them, and how well that is known."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import Field, model_validator

from opslab import workspace
from opslab.errors import DataError, InputError, SpecError
from opslab.evidence import Grade
from opslab.filed_runs import Run, find_run
from opslab.frames import Form, in_form
from opslab.messages import Bilingual
from opslab.specs import Day, Declared, FromFile, Label, Number, Text, Title, Words, fault
from opslab.tables.sheets import SheetFile
from opslab.uncertainty.ranges import Amount, Minutes, Part, Stated

Basis = Literal["randomised", "did", "its", "before_after", "diary", "survey", "opinion"]
GRADES: dict[str, Grade] = dict(
    zip(get_args(Basis), ("A", "B", "C", "D", "E", "E", "F"), strict=True)
)
RUN = r"(^|/)(change_review|feedback_themes)/[a-z0-9-]+(/\d{4}-\d{2}-\d{2}-[0-9a-f]{8})?$"
AMOUNTS = ("frequency", "minutes", "new_minutes")
"""Fields that count; the other ranges are shares."""

TASK_FIELDS = (
    "people",
    "eligible_share",
    "frequency",
    "minutes",
    "rate",
    "currency",
    "recapture",
    "benefit",
    "owner",
)
"""What belongs to a task, whatever the initiative."""


class Line(Declared):
    """What one initiative does to one task of one role: a row of the inventory."""

    task: Words = Field(min_length=1, max_length=120)
    """what is done, as readers see it"""
    role: Words = Field(min_length=1, max_length=80)
    """who does it"""
    initiative: Words = Field(min_length=1, max_length=80)
    """the change that is to save time"""
    people: Number = Field(gt=0)
    """people in the role"""
    eligible_share: Part = Stated(likely=1)
    """share of them who do the task"""
    frequency: Amount
    """times a week that one of them does it"""
    minutes: Minutes
    """minutes each time"""
    reduction: Part
    """share of the time that the change takes away, where it is used"""
    adoption: Part
    """share of them who use the change in the end"""
    ramp_months: Number | None = Field(None, ge=0)
    """months until nine in ten of those use it"""
    bass_p: Number | None = Field(None, gt=0)
    """instead of ramp_months: innovation a month"""
    bass_q: Number | None = Field(None, ge=0)
    """imitation a month"""
    decay: Part = Stated(low=0.1, high=0.15)
    """share of the saving that is lost in a year"""
    new_minutes: Minutes = Stated(likely=0)
    """new work: minutes a week for each who uses it"""
    rate: Number | None = Field(None, gt=0)
    """loaded cost of an hour"""
    currency: str | None = Field(None, pattern=r"^[A-Z]{3}$")
    """of the rate, such as EUR"""
    recapture: Part = Stated(low=0.3, high=0.7)
    """share of freed time put to work"""
    benefit: Literal["hard", "capacity", "quality"] = "capacity"
    """hard: cash is released"""
    owner: Words | None = None
    """who answers for the saving; of a hard one, its budget line"""
    basis: Basis = "opinion"
    """what the reduction rests on"""
    grade: Grade | None = None
    """no better than the basis"""
    source: str | None = Field(None, max_length=300)
    """where the numbers were read, or who said them"""

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.grade and self.grade < GRADES[self.basis]:
            most = GRADES[self.basis]
            raise fault("timesaved.grade", grade=self.grade, basis=self.basis, most=most)
        if (self.ramp_months is None) == (self.bass_p is None or self.bass_q is None):
            raise fault("timesaved.ramp")
        if self.rate is not None and self.currency is None:
            raise fault("timesaved.currency")
        return self

    @property
    def whole_name(self) -> Bilingual:
        """Task, role and initiative."""
        return Bilingual.joined(" / ", (self.task, self.role, self.initiative))


class Measurement(Declared):
    """What was measured of a task: its minutes, or the share of them that a change took away."""

    task: Label
    """as in the inventory"""
    role: Label | None = None
    """as in the inventory; all roles when left out"""
    initiative: Label | None = None
    """as in the inventory; all of them when left out"""
    quantity: Literal["minutes", "reduction"]
    """what was measured: minutes of the task, or the share that the change took away"""
    value: Number
    """minutes, or the reduction as a share (below 0: it got longer)"""
    low: Number
    """low end of its 95 % interval, by team when it comes from several"""
    high: Number
    """high end of its 95 % interval"""
    basis: Basis
    """how it was measured; it sets the grade, from A (randomised) to F (opinion)"""
    grade: Grade | None = None
    """no better than the basis"""
    source: str | None = None
    """where it was read"""
    over: Literal["users", "everybody"] = "users"
    """of a reduction: over those who use the change, or over everybody in their teams, as a change
    review measures it"""

    def among_users(self, adoption: float) -> Measurement:
        """Return a reduction over everybody as one over the share that uses the change."""
        if self.over == "users" or self.quantity == "minutes":
            return self
        if self.high >= adoption:
            raise DataError.of(
                "timesaved.too_few_users", task=self.task, high=self.high, adoption=adoption
            )
        ends = {name: getattr(self, name) / adoption for name in ("low", "value", "high")}
        return self.model_copy(update=ends)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        ends = (self.low, self.value, self.high)
        if not self.low <= self.value <= self.high or self.low == self.high:
            raise fault("timesaved.measured_order", ends=ends)
        if self.low <= 0 if self.quantity == "minutes" else self.high >= 1:
            raise fault("timesaved.measured_bound")
        return self


class Past(Declared):
    """An estimate of the past: the 90 % interval that was promised, and what was measured later."""

    estimate: Label
    """what was estimated"""
    low: Number
    """low end of the 90 % interval that was promised"""
    high: Number
    """high end of the 90 % interval that was promised"""
    measured: Number
    """what it turned out to be"""


class Inventory(FromFile):
    """An inventory of tasks: a spec (YAML), or a table alone with all else as by default."""

    SHEET: ClassVar[str] = "data"

    inventory: Title
    """its name; names the run's folder"""
    question: Text | None = None
    """the question in one sentence"""
    owner: Words | None = None
    """who answers for the estimate"""
    date: Day | None = None
    """day of the estimate"""
    data: SheetFile | None = None
    lines: tuple[Line, ...] = ()
    french: dict[str, str] = Field({}, exclude=True)
    """French of what stands in the table: tasks, roles, changes, owners"""
    measurements: SheetFile | tuple[Measurement, ...] = ()
    """what was measured of tasks, in a file or here: it sharpens the estimates"""
    changes: tuple[Annotated[str, Field(pattern=RUN)], ...] = ()
    """runs of change_review, or of feedback_themes with handling times: change_review/name, the
    latest by the day, or a run folder, from the spec's folder; what they measured sharpens the
    estimates"""
    past: SheetFile | tuple[Past, ...] = ()
    """promised and measured: your own hit rate"""
    calibration: Literal["untrained", "trained", "past"] = "untrained"
    """of the ranges"""
    working_weeks: Number = Field(45, gt=0, le=48)
    """a year, without leave and holidays"""
    contract_hours: Number = Field(35, gt=0, le=60)
    """a week"""
    horizon_months: int = Field(36, ge=1, le=120)
    """months that are told"""
    blocking: tuple[Literal["capacity"], ...] = ("capacity",)
    """checks whose failure is a red light; [] for none"""

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if (self.data is None) == (not self.lines):
            raise fault("timesaved.one_form")
        return self

    def measured_changes(self, day: datetime.date | None) -> Iterator[tuple[Run, Measurement]]:
        """Give the latest runs of `changes` by a day, and what each measured.

        Raises
        ------
        SpecError
            For a run that is missing, later, altered, red or exploratory, or that measured no share
            of the work of a task: elapsed time is none.
        """
        known: dict[tuple[object, ...], str] = {}
        for at, name in enumerate(self.changes):
            home, cited = re.split(
                r"(?=(?:change_review|feedback_themes)/[a-z0-9-]+(?:/[\da-f-]+)?$)", name
            )
            folder = self.beside(home) if home else workspace.reports()
            try:
                run = find_run(cited, [folder], day or datetime.date.max)
            except InputError as error:
                raise SpecError(*self.located(error, "changes", at)) from None
            if not (measured := run.record.get("measurement")):
                key = "timesaved.no_saving" if run.record.get("effort") else "timesaved.no_work"
                raise SpecError(self.problem(key, "changes", at, run=run.id))
            change = Measurement(**measured, source=run.id)
            line = change.task, change.role, change.initiative
            logs = [(run.id,), *((log["sha256"], *line) for log in run.record["imports"])]
            if twice := [known[log] for log in logs if log in known]:
                problem = self.problem("timesaved.cited_twice", "changes", at, other=twice[0])
                raise SpecError(problem)
            known |= dict.fromkeys((log for log in logs if log[0]), run.id)
            yield run, change

    def tasks(self, *, form: Form = "pandas") -> Any:
        """Return the inventory as it is read: a row for each of its rows.

        Parameters
        ----------
        form : {"pandas", "arrow", "polars"}

        Returns
        -------
        frame
            The sheet's own row; task, role, initiative, people; of each quantity (``frequency``
            times a week, ``minutes``, shares from 0 to 1) ``_low``, ``_likely``, ``_high`` as
            stated and ``_mean`` as drawn, after what was measured; benefit, basis as it counts,
            owner; ``hours_today``, what the task takes a year (at the means).

        Raises
        ------
        DataError
            For a table that contradicts itself: row, what, and what to do.

        Examples
        --------
        >>> from opslab import timesaved, workspace
        >>> inventory = timesaved.Inventory.load(workspace.resolve("data/sample/product_desk.yaml"))
        >>> inventory.tasks()[["row", "role", "minutes_low", "minutes_high"]].values[0].tolist()
        [2, 'product manager', 20.0, 45.0]
        """
        return in_form(import_module("opslab.timesaved.estimation").tasks(self), form)
