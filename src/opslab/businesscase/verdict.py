"""The verdict: which option the declared rule chooses, and how sure the draws are of that."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from opslab.businesscase.declarations import Rule
from opslab.businesscase.options import Choice
from opslab.uncertainty.distributions import Values

_ERRORS = 2.0
"""Monte Carlo errors within which nothing is decided."""
_WORST = 0.05

_Action = Literal["approve", "stage", "defer", "other", "reject", "close"]


class Estimated(NamedTuple):
    """A figure of the draws and its Monte Carlo standard error."""

    value: float
    error: float

    def against(self, bound: float) -> int:
        """Return 1 above a bound, -1 below it, 0 within two errors of it."""
        gap = self.value - bound
        return 0 if abs(gap) <= _ERRORS * self.error else 1 if gap > 0 else -1


def mean(draws: Values) -> Estimated:
    """Return a mean: its error is the standard deviation over the root of the draws."""
    # What is the same in every draw has no error; its last bits have none either.
    spread = float(np.ptp(draws))
    error = float(draws.std()) if spread > 1e-9 * float(np.abs(draws).max()) else 0.0
    return Estimated(float(draws.mean()), error / math.sqrt(len(draws)))


def chance(happens: NDArray[np.bool_]) -> Estimated:
    """Return the share of draws in which something happens: error root of p (1 - p) / n."""
    share = float(np.mean(happens))
    return Estimated(share, math.sqrt(share * (1 - share) / len(happens)))


def worst(draws: Values) -> Estimated:
    """Return the mean of the worst twentieth.

    Its error is that of Manistre and Hancock (2005, equation 2.1): the tail's variance and
    (1 - share) x (mean - end of the tail)^2, over the draws in the tail.
    """
    tail = np.sort(draws)[: max(1, round(_WORST * len(draws)))]
    gap = float(tail[-1] - tail.mean())
    variance = float(tail.var()) + (1 - _WORST) * gap**2
    return Estimated(float(tail.mean()), math.sqrt(variance / len(tail)))


def choose(
    npvs: Mapping[str, Values],
    recommended: str,
    nothing: str,
    rule: Literal["expected"] | Rule,
    *,
    stage: bool,
    unsure: bool = False,
) -> Choice:
    """Return what a rule makes of options on the same draws.

    The highest mean NPV decides, doing nothing (0) among them; an option that does not meet the
    risk rule is none. Nothing is decided within two Monte Carlo errors of a difference of means on
    common random numbers, or of the rule's bound.

    Parameters
    ----------
    npvs : Mapping of option to array of shape (draws,)
        Without doing nothing.
    recommended, nothing : str
    rule : {"expected"} or Rule
    stage : bool
        Whether a first stage can be approved.
    unsure : bool
        Whether the draws miss the mean of a quantity that is wider than they can tell.

    Examples
    --------
    >>> npvs = {"a": np.array([1.0, 3.0]), "b": np.array([2.0, 4.0])}
    >>> choose(npvs, "a", "nothing", "expected", stage=False).action
    'other'
    """
    draws = {**npvs, nothing: np.zeros(len(npvs[recommended]))}
    met = {name: _meets(values, rule) for name, values in npvs.items()} | {nothing: 1}
    ranked = sorted(draws, key=lambda name: (-mean(draws[name]).value, name != recommended))
    best = next(name for name in ranked if met[name] > 0)
    own, unmet = mean(draws[recommended]).against(0), met[recommended] < 0
    others = [name for name in ranked if name != recommended]
    better = [name for name in others if met[name] > 0 and mean(draws[name]).against(0) > 0]
    likely = [name for name in others if met[name] >= 0]
    rival = better[0] if better and (unmet or own < 0) else (others if unmet else likely)[0]
    gap = mean(draws[recommended] - draws[rival])
    behind = [name for name in better if mean(draws[recommended] - draws[name]).against(0) < 0]
    action: _Action = "approve"
    if unsure:
        action = "close"
    elif behind or (better and unmet):
        action, rival = "other", (behind or better)[0]
        gap = mean(draws[recommended] - draws[rival])
    elif own < 0:
        action = "reject"
    elif own == 0 or met[recommended] == 0 or (gap.against(0) <= 0 and not unmet):
        action = "close"
    elif unmet:
        action = "stage" if stage and gap.against(0) >= 0 else "defer"
    if rule == "expected":
        return Choice(action, "expected", None, best, rival, *gap)
    if rule.p_positive is None:
        return Choice(action, "worst", rule.worst, best, rival, *gap)
    return Choice(action, "p_positive", rule.p_positive, best, rival, *gap)


def _meets(npv: Values, rule: Literal["expected"] | Rule) -> int:
    """Return 1 where an option meets a rule, -1 where not, 0 where the draws cannot tell."""
    if rule == "expected":
        return 1
    if rule.p_positive is not None:
        return chance(npv > 0).against(rule.p_positive)
    return worst(npv).against(rule.worst or 0.0)
