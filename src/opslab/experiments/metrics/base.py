"""What all metrics declare, and what each says of itself, so that nobody asks for its type."""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from opslab.experiments.moments.columns import Column
from opslab.specs import Declared, InBothLanguages, Number, fault

if TYPE_CHECKING:
    from opslab.experiments.units.row_sums import RowSums

Role = Literal["primary", "secondary", "guardrail"]
Goal = Literal["increase", "decrease"]
Missing = Literal["drop", "zero", "refuse"]
Scale = Literal["share", "value"]
Form = Literal[
    "events", "per_row", "totals", "strata", "covariates", "cap", "segments", "trigger", "spans"
]
"""A form of data that a metric may not be had from, beyond one value for each unit.

From the ``events`` of logs, as a ratio of sums ``per_row`` of finer rows, from daily ``totals``,
within ``strata``, adjusted by ``covariates``, under a ``cap``, in ``segments``, diluted from the
units of a ``trigger`` to all, and in ``spans`` of time since exposure.
"""
EVERY_FORM: frozenset[Form] = frozenset(get_args(Form))
_TYPES: dict[str, type[Declaration]] = {}


_DURATION = re.compile(r"(-?\d+(?:\.\d+)?)\s*([dhm])\Z")
_SECONDS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0}


def _duration(value: object) -> object:
    if isinstance(value, datetime.timedelta):
        return value
    match = _DURATION.match(value) if isinstance(value, str) else None
    if match is None:
        raise fault("experiments.duration", given=str(value))
    return datetime.timedelta(seconds=float(match[1]) * _SECONDS[match[2]])


Duration = Annotated[datetime.timedelta, BeforeValidator(_duration, json_schema_input_type=str)]
Share = Annotated[Number, Field(gt=0, lt=1)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=120), InBothLanguages()]


class _OneOf(Declared):
    """What is given in one of several fields; the message of its fault bears its name."""

    @model_validator(mode="after")
    def _in_one_field(self) -> Self:
        if sum(value is not None for _, value in self) != 1:
            raise fault(f"experiments.{type(self).__name__.lower()}")
        return self


class Amount(_OneOf):
    """A size of effect, relative to the control's estimate or absolute in the metric's unit."""

    relative: Number | None = Field(None, gt=0)
    """as a share of the control's estimate: 0.02 for 2 %"""
    absolute: Number | None = Field(None, gt=0)
    """in the metric's unit; of a proportion 0.01 for one point"""

    @property
    def kind_and_size(self) -> tuple[str, float]:
        """Whether it is relative or absolute, and how much."""
        return ("relative", self.relative) if self.relative else ("absolute", self.absolute or 0.0)


class Cap(_OneOf):
    """Where values are capped: at a quantile pooled over the arms, or at a value."""

    quantile: Share | None = None
    """of all arms' values together, such as 0.999"""
    value: Number | None = None
    """in the metric's unit"""


class Window(Declared):
    """A span of time since a unit's assignment, such as ``{from: 7d, to: 8d}``."""

    start: Duration = Field(datetime.timedelta(0), alias="from")
    """when it opens, after the assignment; below 0 is before: -28d"""
    end: Duration = Field(alias="to")
    """when it closes; the moment itself is outside"""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.end <= self.start:
            raise fault("experiments.window")
        return self


class RatioCovariate(Declared):
    """A covariate that is a ratio of sums, such as orders per visit before the experiment."""

    numerator: str
    """column that is summed above the line"""
    denominator: str
    """column that is summed below the line"""


def columns_of(covariate: str | RatioCovariate) -> tuple[str, ...]:
    """Return the column of a covariate, or the two of a ratio."""
    if isinstance(covariate, str):
        return (covariate,)
    return covariate.numerator, covariate.denominator


class Declaration(Declared):
    """A metric as a spec declares it; a type of metric is a class of its own, in a file of its own.

    Attributes
    ----------
    forms : frozenset of Form
        What the metric can be had from; the rest is refused by name.
    scale : {"share", "value"}
        A share is told in percent and points, and small counts of it are compared exactly.
    binary : bool
        Whether the cells of its column must be 0 or 1.
    ranked : bool
        Whether it is compared by values at ranks, which sums do not give.
    outliers : bool
        Whether a single unit can move it far, so that the largest one is looked at.
    """

    forms: ClassVar[frozenset[Form]] = EVERY_FORM
    scale: ClassVar[Scale] = "value"
    binary: ClassVar[bool] = False
    ranked: ClassVar[bool] = False
    outliers: ClassVar[bool] = False

    name: Name
    """by which readers see it"""
    type: str
    role: Role
    """primary decides, a guardrail may forbid, secondary explains"""
    goal: Goal
    """the direction that is good"""
    mde: Amount | None = None
    """smallest effect that is worth detecting"""
    margin: Amount | None = None
    """for a guardrail: the harm that would still be accepted"""
    missing: Missing = "refuse"
    """what an empty value means"""
    covariates: tuple[str | RatioCovariate, ...] = ()
    """pre-period columns that reduce variance; {numerator, denominator} for a ratio"""
    cap: Cap | None = None
    per: Literal["unit", "row"] = "unit"
    """with finer rows: mean of units' totals, or ratio of sums"""
    event: str | None = None
    """in the log form: the event that counts"""
    value: str | None = None
    """in the log form: the column that is summed; without it events count"""
    window: Window | None = None
    """in the log form: the time after a unit's assignment in which events count"""
    covariate_window: Window | None = None
    """in the log form: the time before it, whose events are the covariate"""

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        _TYPES.update(dict.fromkeys(get_args(cls.model_fields["type"].annotation), cls))

    @property
    def own(self) -> dict[str, str]:
        """The metric's own columns, by the field that names them."""
        return self._named("column", "numerator", "denominator")

    @property
    def spread(self) -> dict[str, str]:
        """With one row of totals for each arm: the column of how values vary, by its field."""
        return self._named("squares", "sd")

    def _named(self, *fields: str) -> dict[str, str]:
        named = {name: getattr(self, name, None) for name in fields}
        return {name: column for name, column in named.items() if column is not None}

    @property
    def covariate_columns(self) -> list[tuple[str, ...]]:
        """The columns of each covariate: one, or the two of a ratio."""
        return [columns_of(covariate) for covariate in self.covariates]

    @property
    def zero(self) -> bool:
        """Whether an empty value counts as 0."""
        return self.missing == "zero"

    def lacks(self, form: Form) -> dict[str, Any]:
        """Return what the message ``form_…`` says of a form that the metric does not have."""
        types = sorted(name for name, kind in _TYPES.items() if form in kind.forms)
        return {"name": self.name, "type": self.type, "types": types}

    def column_of(self, name: str, *, centred: bool = False) -> Column:
        """Return how a column of the metric's own is summed over units."""
        return Column(name, self.zero, self.binary, centred)

    def over_units(self, sums: RowSums) -> Self:
        """Return the metric over units, for finer rows: its columns are sums of their rows."""
        return self.model_copy(update=self.totals(sums, self.own))

    def over_rows(self, sums: RowSums) -> Any:
        """Return the metric over units that stands for the one over their finer rows."""
        raise NotImplementedError(sums)

    def over_days(self, sums: RowSums, unit: str) -> Any:
        """Return the metric over days, for totals: ``unit`` is the column that counts units."""
        raise NotImplementedError(sums, unit)

    def totals(self, sums: RowSums, columns: dict[str, str]) -> dict[str, str]:
        """Sum columns over the rows that hold all of them; return the columns of the sums."""
        among = "TRUE" if self.zero else sums.given(columns.values())
        names = [self.name] if len(columns) == 1 else [f"{self.name} ({part})" for part in columns]
        return {
            part: sums.total(name, columns[part], zero=self.zero, among=among)
            for part, name in zip(columns, names, strict=True)
        }

    @model_validator(mode="after")
    def _guardrail_has_a_margin(self) -> Self:
        if self.role == "guardrail" and self.margin is None:
            raise fault("experiments.guardrail_margin")
        if self.role != "guardrail" and self.margin is not None:
            raise fault("experiments.margin_role", role=self.role)
        return self

    @model_validator(mode="after")
    def _only_forms_that_it_has(self) -> Self:
        asked: dict[Form, object] = {
            "events": self.event,
            "per_row": self.per == "row",
            "covariates": self.covariates or self.covariate_window,
            "cap": self.cap,
        }
        for form, fields in asked.items():
            if fields and form not in self.forms:
                raise fault(f"experiments.form_{form}", **self.lacks(form))
        return self

    @model_validator(mode="after")
    def _windows_of_events(self) -> Self:
        start = datetime.timedelta(0)
        both = "events" in self.forms and bool(self.own) == bool(self.event)
        wrong = {
            "metric_source": both,
            "window_form": not self.event and (self.value or self.window or self.covariate_window),
            "no_window": self.event and not self.window,
            "window_before": self.window and self.window.start < start,
            "covariate_after": self.covariate_window and self.covariate_window.end > start,
        }
        for key, is_wrong in wrong.items():
            if is_wrong:
                raise fault(f"experiments.{key}", name=self.name)
        return self


def scale_of(type_name: str) -> Scale:
    """Return the scale on which metrics of a type are told."""
    return _TYPES[type_name].scale
