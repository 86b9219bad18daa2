"""Phases of an experiment: where its split was changed on the way, since when, to which weights."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated

from pydantic import Field

from opslab.experiments.metrics.base import fault
from opslab.specs import Day, Declared, Label, Number


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
    period: tuple[datetime.date, datetime.date] | None,
) -> None:
    """Raise for phases that do not cover the period in order, or do not weigh the same arms.

    Parameters
    ----------
    phases : sequence of Phase
    weights : mapping or None
        Of the arms, where these are given too.
    control : str
    period : tuple of datetime.date or None
        First and last day; None where units have no day.
    """
    if period is None:
        raise fault("phases_time")
    (start, end), days = period, [phase.start for phase in phases]
    if days[0] != start or days[-1] > end or any(day >= later for day, later in pairwise(days)):
        raise fault("phases_order", start=start.isoformat(), end=end.isoformat())
    arms = list(weights or phases[0].weights)
    for phase in phases:
        if set(phase.weights) != {*arms, control} or not any(phase.weights.values()):
            raise fault("phases_arms", day=phase.start.isoformat(), arms=arms, control=control)
    on = [arm for arm in arms if any(phase.weights[arm] for phase in phases)]
    if len(on) < max(2, len(arms)):
        raise fault("phases_weights", names=arms)
