"""When an experiment ran: its period, and the phases in which its split was constant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Self

from pydantic import Field, model_validator

from opslab.specs import Day, Declared, Label, Number, fault


class Period(Declared):
    """When the experiment ran: both days included."""

    time: str | None = None
    """column with the moment of first exposure"""
    start: Day | None = None
    """first day, YYYY-MM-DD"""
    end: Day | None = None
    """last day, YYYY-MM-DD"""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.start and self.end and self.end < self.start:
            raise fault("experiments.period_order", start=str(self.start), end=str(self.end))
        if self.time and not (self.start and self.end):
            raise fault("experiments.period_open")
        return self


class Phase(Declared):
    """A phase in which the split was constant, up to the day before the next."""

    start: Day = Field(alias="from")
    """first day, YYYY-MM-DD"""
    weights: dict[Label, Annotated[Number, Field(ge=0)]]
    """weight of each arm; 0 for one that was not yet on, or no longer"""


def refuse_phases(
    phases: Sequence[Phase],
    weights: Mapping[str, float] | None,
    control: str,
    period: Period | None,
) -> None:
    """Raise for phases that do not cover the period in order, or do not weigh the same arms.

    Parameters
    ----------
    phases : sequence of Phase
    weights : mapping or None
        Of the arms, where these are given too.
    control : str
    period : Period or None
    """
    if period is None or not period.time or not period.start or not period.end:
        raise fault("experiments.phases_time")
    start, end, days = period.start, period.end, [phase.start for phase in phases]
    if days[0] != start or days[-1] > end or any(day >= later for day, later in pairwise(days)):
        raise fault("experiments.phases_order", start=str(start), end=str(end))
    arms = list(weights or phases[0].weights)
    for phase in phases:
        if set(phase.weights) != {*arms, control} or not any(phase.weights.values()):
            raise fault("experiments.phases_arms", day=str(phase.start), arms=arms, control=control)
    on = [arm for arm in arms if any(phase.weights[arm] for phase in phases)]
    if len(on) < max(2, len(arms)):
        raise fault("experiments.phases_weights", names=arms)
