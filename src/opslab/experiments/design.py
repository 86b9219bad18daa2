"""The test that was planned: its error rate, its power, its looks, and what the plan stands on."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from opslab.experiments.data import Data
from opslab.experiments.metrics.base import Duration
from opslab.specs import Day, Declared, Number, fault

Method = Literal["fixed", "group_sequential", "always_valid", "bayesian"]
_OWN: dict[str, tuple[str, ...]] = {
    "looks": ("group_sequential",),
    "spending": ("group_sequential",),
    "futility": ("group_sequential",),
    "units": ("group_sequential", "always_valid"),
    "smallest": ("always_valid",),
    "settled": ("group_sequential", "always_valid", "bayesian"),
    "prior": ("bayesian",),
    "loss": ("bayesian",),
}
"""Fields that belong to some methods alone."""
_NEEDED = {
    "group_sequential": ("units", "looks"),
    "always_valid": ("units",),
    "bayesian": ("prior", "loss"),
    "fixed": (),
}


class Spending(Declared):
    """How an error rate is spent over the looks of a group sequential design."""

    family: Literal["obrien_fleming", "pocock", "power"] = "obrien_fleming"
    """obrien_fleming spends late, pocock evenly, power in between"""
    exponent: Number | None = Field(None, gt=0)
    """t to this power, for the power family"""

    @model_validator(mode="after")
    def _exponent_of_powers(self) -> Self:
        if (self.family == "power") != (self.exponent is not None):
            raise fault("experiments.spending_exponent")
        return self


class Prior(Declared):
    """What is believed of an effect before the data: a Bayesian design starts from it."""

    mean: Number = 0.0
    """expected effect; 0 for none"""
    sd: Number = Field(gt=1e-12)
    """standard deviation of such effects, such as 0.05: two of three lie within it of the mean"""
    scale: Literal["relative", "absolute"] = "relative"
    """relative: a share of the control's value; absolute: the metric's unit"""
    beta: tuple[Annotated[Number, Field(gt=0)], Annotated[Number, Field(gt=0)]] | None = None
    """of proportions: successes and failures that each arm's share starts from, such as [1, 1]"""


class Design(Declared):
    """The test that was planned: its error rate, its power, its looks."""

    method: Method = "fixed"
    """fixed: one look at the end; the others allow looks on the way"""
    alpha: Number = Field(0.05, gt=0, lt=0.5)
    """two-sided error rate; intervals have level 1 - alpha"""
    power: Number = Field(0.8, gt=0, lt=1)
    """chance to detect an effect of the size of `mde`"""
    units: int | None = Field(None, ge=4)
    """planned number of units over all arms: of a group sequential design its largest"""
    looks: Annotated[int, Field(ge=1, le=100)] | tuple[Day, ...] | None = None
    """number or days of the planned looks"""
    spending: Spending | None = None
    futility: Spending | None = None
    """how the chance of a miss is spent on stopping early without hope; not binding"""
    settled: Duration | None = None
    """with one row per unit: how long after a unit came in its values no longer change; 0d for at
    once"""
    smallest: int | None = Field(None, ge=4)
    """units of a compared pair from which on a confidence sequence speaks"""
    prior: Prior | None = None
    loss: Number | None = Field(None, gt=0)
    """expected loss that is accepted, on the prior's scale: below it an arm is shipped, or not"""
    robust: bool | None = None
    """whether effects are also shown with their largest values capped, left out, and by ranks;
    when left out they are, by ranks up to 5,000,000 units"""

    @field_validator("power")
    @classmethod
    def _above_alpha(cls, power: float, info: ValidationInfo) -> float:
        if power <= info.data.get("alpha", 0):
            raise fault("experiments.power_alpha", alpha=info.data["alpha"])
        return power

    @model_validator(mode="after")
    def _of_one_method(self) -> Self:
        for name, methods in _OWN.items():
            if getattr(self, name) is not None and self.method not in methods:
                raise fault("experiments.design_field", name=name, methods=list(methods))
        lacking = [name for name in _NEEDED[self.method] if getattr(self, name) is None]
        if lacking:
            raise fault("experiments.design_lacks", names=lacking, method=self.method)
        return self


class History(Data):
    """Data from before the experiment, in any form but totals; the metrics' columns are in it."""

    time: str | None = None
    """column with the moment at which a unit came, for its traffic"""
    share: Number = Field(1.0, gt=0, le=1)
    """share of these units that will be in the experiment"""


class Assumed(Declared):
    """What is taken for a metric where there is no history."""

    mean: Number
    """of the control: of a proportion its share, of a ratio its value"""
    sd: Number | None = Field(None, gt=0)
    """standard deviation between units; a proportion needs none"""
    correlation: Annotated[Number, Field(gt=-1, lt=1)] = 0.0
    """with the covariate"""
    icc: Annotated[Number, Field(ge=0, lt=1)] = 0.0
    """correlation of rows of one unit, where rows are finer"""
    rows: Annotated[Number, Field(ge=1)] = 1.0
    """rows of a unit, on average"""
    variation: Annotated[Number, Field(ge=0)] = 0.0
    """standard deviation of the rows by unit, over their mean"""


class Planning(Declared):
    """What a plan stands on; no part of the plan's fingerprint."""

    history: History | None = None
    assumed: dict[str, Assumed] = Field({})
    """by the name of a metric without history"""
    units_per_day: Number | None = Field(None, gt=0)
    """units that come in a day, where no history tells"""
    weeks: int = Field(8, ge=1, le=104)
    """weeks that the table looks ahead"""
    resamples: int = Field(10_000, ge=0, le=1_000_000)
    """A/A tests that are drawn from the history; 0 for none"""
