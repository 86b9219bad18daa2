"""What all metrics declare, and what each says of itself, so that nobody asks for its type."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, get_args

from pydantic import Field, model_validator

from opslab.experiments.metrics.fields import (
    Amount,
    Cap,
    Name,
    RatioCovariate,
    Window,
    columns_of,
    fault,
)
from opslab.experiments.moments.columns import Column
from opslab.specs import Declared

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
    type: str
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

    @property
    def covariate_columns(self) -> list[tuple[str, ...]]:
        """The columns of each covariate: one, or the two of a ratio."""
        return [columns_of(covariate) for covariate in self.covariates]

    @property
    def zero(self) -> bool:
        """Whether an empty value counts as 0."""
        return self.missing == "zero"

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
            raise fault("guardrail_margin")
        if self.role != "guardrail" and self.margin is not None:
            raise fault("margin_role", role=self.role)
        return self

    @model_validator(mode="after")
    def _windows_of_events(self) -> Self:
        start = datetime.timedelta(0)
        wrong = {
            "window_form": not self.event and (self.value or self.window or self.covariate_window),
            "no_window": self.event and not self.window,
            "window_before": self.window and self.window.start < start,
            "covariate_after": self.covariate_window and self.covariate_window.end > start,
        }
        for key, is_wrong in wrong.items():
            if is_wrong:
                raise fault(key, name=self.name)
        return self
