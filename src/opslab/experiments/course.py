"""How a design that may be looked at on the way went: its looks, and what is believed."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Interval = tuple[float | None, float | None]


@dataclass(frozen=True)
class Effect:
    """An effect that is shown beside the one that decides; the fields are those of `Comparison`."""

    difference: float | None
    difference_interval: Interval
    lift: float | None
    lift_interval: Interval
    p_value: float | None


@dataclass(frozen=True)
class Look:
    """One comparison as it stood at one look; ways of stopping are told in `LookPath`.

    Attributes
    ----------
    day : datetime.date or None
    n : tuple of int
        Units that counted, in the arm and in the control.
    information : float or None
        Their share of the planned ones of the pair.
    statistic : float
        Difference over its standard error, signed so that more is better.
    efficacy, futility : float or None
        Bounds of the statistic at this look; below minus ``efficacy`` it is a harm.
    effect : Effect
        With the interval that holds at every look, and the p-value that does: of a group sequential
        design at its last look alone.
    """

    day: datetime.date | None
    n: tuple[int, int]
    information: float | None
    statistic: float
    efficacy: float | None
    futility: float | None
    effect: Effect


@dataclass(frozen=True)
class LookPath:
    """The looks at one comparison, in order, and how they ended.

    Attributes
    ----------
    metric, arm, role : str
    looks : tuple of Look
    ended : {"", "efficacy", "harm", "futility", "last"}
        Empty while it goes on. Only a primary metric ends a test.
    """

    metric: str
    arm: str
    role: str
    looks: tuple[Look, ...]
    ended: Literal["", "efficacy", "harm", "futility", "last"] = ""


@dataclass(frozen=True)
class Posterior:
    """What is believed of one effect on a primary metric after the data, of a Bayesian design.

    Attributes
    ----------
    metric, arm, role : str
    scale : {"relative", "absolute"}
        Of all that follows.
    estimate : float
        Of the data alone.
    mean, low, high : float
        With the credible interval at the design's level.
    wins : float
        Chance that the arm is better than the control.
    exceeds : float or None
        Chance that it is better by the mde or more.
    loss, loss_kept : float
        Expected loss of shipping the arm, and of keeping the control.
    pull : float
        Share of the prior in the mean: 0 for none.
    """

    metric: str
    arm: str
    role: str
    scale: Literal["relative", "absolute"]
    estimate: float
    mean: float
    low: float
    high: float
    wins: float
    exceeds: float | None
    loss: float
    loss_kept: float
    pull: float


def corrected(
    method: str, paths: Iterable[LookPath], posteriors: Iterable[Posterior]
) -> dict[tuple[str, str], datetime.date | None]:
    """Return the metrics and arms whose effects allow for their looks or a prior.

    With the day of the look that their numbers stand on.
    """
    over = {(of.metric, of.arm): None for of in posteriors}
    ended = [
        path for path in paths if path.role == "primary" and path.ended not in ("", "futility")
    ]
    return over | {
        (path.metric, path.arm): path.looks[-1].day
        for path in ended
        if method == "group_sequential"
    }
