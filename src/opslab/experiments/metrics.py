"""The metrics that a spec declares: what is measured, what it is for, and how."""

from __future__ import annotations

import datetime
import re
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from opslab.specs import Declared, Number

Role = Literal["primary", "secondary", "guardrail"]
Goal = Literal["increase", "decrease"]
Missing = Literal["drop", "zero", "refuse"]

_DURATION = re.compile(r"(-?\d+(?:\.\d+)?)\s*([dhm])\Z")
_SECONDS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0}


def _duration(value: object) -> object:
    if isinstance(value, datetime.timedelta):
        return value
    match = _DURATION.match(value) if isinstance(value, str) else None
    if match is None:
        raise PydanticCustomError("experiments.duration", "duration", {"given": str(value)})
    return datetime.timedelta(seconds=float(match[1]) * _SECONDS[match[2]])


Duration = Annotated[datetime.timedelta, BeforeValidator(_duration, json_schema_input_type=str)]
Share = Annotated[Number, Field(gt=0, lt=1)]
Name = Annotated[str, Field(min_length=1, max_length=120)]


class Amount(Declared):
    """A size of effect, relative to the control's estimate or absolute in the metric's unit."""

    relative: Number | None = Field(None, gt=0)
    absolute: Number | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.relative is None) == (self.absolute is None):
            raise PydanticCustomError("experiments.amount", "amount")
        return self


class Cap(Declared):
    """Where values are capped: at a quantile pooled over the arms, or at a value."""

    quantile: Share | None = None
    value: Number | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.quantile is None) == (self.value is None):
            raise PydanticCustomError("experiments.cap", "cap")
        return self


class Window(Declared):
    """A span of time since a unit's assignment, such as ``{from: 7d, to: 8d}``."""

    start: Duration = Field(datetime.timedelta(0), alias="from")
    end: Duration = Field(alias="to")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.end <= self.start:
            raise PydanticCustomError("experiments.window", "window")
        return self


class RatioCovariate(Declared):
    """A covariate that is a ratio of sums, such as orders per visit before the experiment."""

    numerator: str
    denominator: str


def columns_of(covariate: str | RatioCovariate) -> tuple[str, ...]:
    """Return the column of a covariate, or the two of a ratio."""
    return (
        (covariate,) if isinstance(covariate, str) else (covariate.numerator, covariate.denominator)
    )


class _Metric(Declared):
    name: Name
    role: Role
    goal: Goal
    mde: Amount | None = Field(None, description="smallest effect that is worth detecting")
    margin: Amount | None = Field(
        None, description="for a guardrail: the harm that would still be accepted"
    )
    missing: Missing = Field("refuse", description="what an empty value means")
    covariates: tuple[str | RatioCovariate, ...] = Field(
        (),
        description="pre-period columns that reduce variance; {numerator, denominator} for a ratio",
    )
    cap: Cap | None = None
    per: Literal["unit", "row"] = Field(
        "unit", description="with finer rows: mean of units' totals, or ratio of sums"
    )
    event: str | None = Field(None, description="in the log form: the event that counts")
    value: str | None = Field(
        None, description="in the log form: the column that is summed; without it events count"
    )
    window: Window | None = None
    covariate_window: Window | None = None

    @property
    def own(self) -> dict[str, str]:
        """The metric's own columns, by the field that names them."""
        named = {name: getattr(self, name, None) for name in ("column", "numerator", "denominator")}
        return {name: column for name, column in named.items() if column is not None}

    @model_validator(mode="after")
    def _guardrail_has_a_margin(self) -> Self:
        if self.role == "guardrail" and self.margin is None:
            raise PydanticCustomError("experiments.guardrail_margin", "margin")
        if self.role != "guardrail" and self.margin is not None:
            raise PydanticCustomError("experiments.margin_role", "margin", {"role": self.role})
        return self

    @model_validator(mode="after")
    def _cap_has_amounts(self) -> Self:
        if self.cap and isinstance(self, Proportion | Quantile):
            raise PydanticCustomError("experiments.cap_type", "cap", {"name": self.name})
        return self

    @model_validator(mode="after")
    def _column_or_event(self) -> Self:
        if isinstance(self, Mean | Proportion) and (self.column is None) == (self.event is None):
            raise PydanticCustomError("experiments.metric_source", "metric", {"name": self.name})
        return self

    @model_validator(mode="after")
    def _windows_of_events(self) -> Self:
        if self.event is None and (self.value or self.window or self.covariate_window):
            raise PydanticCustomError("experiments.window_form", "metric", {"name": self.name})
        if self.event is not None and self.window is None:
            raise PydanticCustomError("experiments.no_window", "metric", {"name": self.name})
        if self.event is not None and not isinstance(self, Mean | Proportion):
            raise PydanticCustomError("experiments.event_type", "metric", {"name": self.name})
        if self.window and self.window.start < datetime.timedelta(0):
            raise PydanticCustomError("experiments.window_before", "metric", {"name": self.name})
        if self.covariate_window and self.covariate_window.end > datetime.timedelta(0):
            raise PydanticCustomError("experiments.covariate_after", "metric", {"name": self.name})
        return self

    @model_validator(mode="after")
    def _covariates_have_a_mean(self) -> Self:
        if isinstance(self, Quantile) and self.covariates:
            raise PydanticCustomError(
                "experiments.quantile_covariates", "metric", {"name": self.name}
            )
        return self


class Mean(_Metric):
    """The mean of a numeric column over units."""

    type: Literal["mean"]
    column: str | None = None


class Proportion(_Metric):
    """The share of units for which a column is true (1)."""

    type: Literal["proportion"]
    column: str | None = None


class Ratio(_Metric):
    """The sum of one column over the sum of another."""

    type: Literal["ratio"]
    numerator: str
    denominator: str


class Quantile(_Metric):
    """A quantile of a numeric column."""

    type: Literal["quantile"]
    column: str
    quantile: Share


Metric = Annotated[Mean | Proportion | Ratio | Quantile, Field(discriminator="type")]
