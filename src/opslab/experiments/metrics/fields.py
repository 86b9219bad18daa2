"""What metrics are declared with: amounts, caps, windows of time, covariates."""

from __future__ import annotations

import datetime
import re
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from opslab.specs import Declared, InBothLanguages, Number


def fault(key: str, **values: Any) -> PydanticCustomError:
    """Return what a validator raises, its key without the area."""
    return PydanticCustomError(f"experiments.{key}", key, values)


_DURATION = re.compile(r"(-?\d+(?:\.\d+)?)\s*([dhm])\Z")
_SECONDS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0}


def _duration(value: object) -> object:
    if isinstance(value, datetime.timedelta):
        return value
    match = _DURATION.match(value) if isinstance(value, str) else None
    if match is None:
        raise fault("duration", given=str(value))
    return datetime.timedelta(seconds=float(match[1]) * _SECONDS[match[2]])


Duration = Annotated[datetime.timedelta, BeforeValidator(_duration, json_schema_input_type=str)]
Share = Annotated[Number, Field(gt=0, lt=1)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=120), InBothLanguages()]


class Amount(Declared):
    """A size of effect, relative to the control's estimate or absolute in the metric's unit."""

    relative: Number | None = Field(None, gt=0)
    absolute: Number | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _relative_or_absolute(self) -> Self:
        if (self.relative is None) == (self.absolute is None):
            raise fault("amount")
        return self

    @property
    def kind_and_size(self) -> tuple[str, float]:
        """Whether it is relative or absolute, and how much."""
        return ("relative", self.relative) if self.relative else ("absolute", self.absolute or 0.0)

    def of(self, baseline: float) -> float:
        """Return the size in the metric's unit, with the control's estimate as the baseline."""
        kind, size = self.kind_and_size
        return size * abs(baseline) if kind == "relative" else size


class Cap(Declared):
    """Where values are capped: at a quantile pooled over the arms, or at a value."""

    quantile: Share | None = None
    value: Number | None = None

    @model_validator(mode="after")
    def _quantile_or_value(self) -> Self:
        if (self.quantile is None) == (self.value is None):
            raise fault("cap")
        return self


class Window(Declared):
    """A span of time since a unit's assignment, such as ``{from: 7d, to: 8d}``."""

    start: Duration = Field(datetime.timedelta(0), alias="from")
    end: Duration = Field(alias="to")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.end <= self.start:
            raise fault("window")
        return self


class RatioCovariate(Declared):
    """A covariate that is a ratio of sums, such as orders per visit before the experiment."""

    numerator: str
    denominator: str


def columns_of(covariate: str | RatioCovariate) -> tuple[str, ...]:
    """Return the column of a covariate, or the two of a ratio."""
    if isinstance(covariate, str):
        return (covariate,)
    return covariate.numerator, covariate.denominator
