"""One metric in one arm against the control: the effect, its interval, its p-value, or why there is none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from scipy.special import stdtr

from opslab.experiments import effects, proportions
from opslab.experiments.moments import Moments
from opslab.experiments.multiplicity import benjamini_hochberg, holm
from opslab.experiments.result import Comparison, Interval, Message, Verdict
from opslab.experiments.spec import Mean, Proportion

_SAME = 1e-12  # constants that are equal but for the rounding of their sums

SMALL_COUNT = 30
"""Below this many successes or failures in either arm a proportion takes the score test, not Welch's."""


def compare(
    metric: Mean | Proportion,
    arm: tuple[str, Moments, int],
    control: tuple[str, Moments, int],
    alpha: float,
) -> Comparison:
    """Return the comparison of one metric between an arm and the control.

    Parameters
    ----------
    metric : Mean or Proportion
    arm, control : tuple
        Name, moments, and the count of empty values.
    alpha : float
        Two-sided; the intervals have level 1 - alpha and invert the test behind the p-value.
    """
    (arm_name, treated, arm_missing), (control_name, base, control_missing) = arm, control
    empty = Comparison(
        metric=metric.name,
        role=metric.role,
        type=metric.type,
        goal=metric.goal,
        arm=arm_name,
        control=control_name,
        n=(treated.n, base.n),
        missing=(arm_missing, control_missing),
        estimate=(treated.mean if treated.n else None, base.mean if base.n else None),
    )
    if metric.margin is not None:
        relative = metric.margin.relative is not None
        size = metric.margin.relative if relative else metric.margin.absolute
        empty = replace(empty, margin=("relative" if relative else "absolute", size or 0.0))
    for name, moments in ((arm_name, treated), (control_name, base)):
        if moments.n < 2:  # noqa: PLR2004 - a variance takes two
            return replace(
                empty, not_estimable=Message("experiments.too_few_values", {"arm": name, "n": moments.n})
            )
    share = isinstance(metric, Proportion)
    if treated.variance == 0 and base.variance == 0:
        if math.isclose(treated.mean, base.mean, rel_tol=_SAME):
            return replace(empty, not_estimable=Message("experiments.no_variation", {"value": base.mean}))
        if not share:
            values = {"arm": arm_name, "to": treated.mean, "control": control_name, "from": base.mean}
            return replace(empty, not_estimable=Message("experiments.no_spread", values))
    if share and _small(treated, base):
        return _score(empty, treated, base, 1 - alpha)
    return _welch(empty, treated, base, 1 - alpha)


def _small(treated: Moments, base: Moments) -> bool:
    successes = [round(moments.mean * moments.n) for moments in (treated, base)]
    failures = [treated.n - successes[0], base.n - successes[1]]
    return min(successes + failures) < SMALL_COUNT


def _welch(empty: Comparison, treated: Moments, base: Moments, level: float) -> Comparison:
    test = effects.welch(treated.mean, treated.variance, treated.n, base.mean, base.variance, base.n, level)
    variance_base = base.variance / base.n
    lift = effects.fieller(
        test.difference,
        test.standard_error**2,
        base.mean,
        variance_base,
        -variance_base,
        test.degrees_of_freedom,
        level,
    )
    harm = None
    kind, size = empty.margin or (None, 0.0)
    if kind == "absolute" or (
        kind == "relative" and lift.low is not None and (treated.variance or size != 1)
    ):
        contrast = effects.non_inferiority(
            treated.mean, treated.variance, treated.n, base.mean, base.variance, base.n, size,
            empty.goal, relative=kind == "relative",
        )  # fmt: skip
        # With the interval's degrees of freedom, so that p and the interval shown always agree.
        harm = float(stdtr(test.degrees_of_freedom, -contrast.statistic))
    return replace(
        empty,
        difference=test.difference,
        difference_interval=(test.low, test.high),
        lift=lift.lift,
        lift_interval=(lift.low, lift.high),
        p_value=test.p_value,
        standard_error=test.standard_error,
        degrees_of_freedom=test.degrees_of_freedom,
        method="welch",
        harm_p=harm,
        not_estimable=None,
    )


def _score(empty: Comparison, treated: Moments, base: Moments, level: float) -> Comparison:
    counts = (round(treated.mean * treated.n), treated.n, round(base.mean * base.n), base.n)
    harm = None
    if empty.margin is not None:
        kind, size = empty.margin
        harm = proportions.non_inferiority_p(*counts, size, empty.goal, relative=kind == "relative")
    return replace(
        empty,
        difference=treated.mean - base.mean,
        difference_interval=proportions.miettinen_nurminen_difference(*counts, level),
        lift=(treated.mean - base.mean) / base.mean if base.mean else None,
        lift_interval=proportions.miettinen_nurminen_lift(*counts, level),
        p_value=proportions.score_test(*counts).p_value,
        method="score",
        harm_p=harm,
    )


def judge(comparisons: Sequence[Comparison], alpha: float) -> list[Comparison]:
    """Return the comparisons with p-values adjusted over their family, and what each says.

    Primaries over all arms: Holm. Secondaries: Benjamini and Hochberg. Guardrails: none, as all of them
    must hold (intersection-union).
    """
    adjusted: dict[int, float | None] = {}
    for role, adjust in (("primary", holm), ("secondary", benjamini_hochberg)):
        family = [
            place for place, one in enumerate(comparisons) if one.role == role and one.p_value is not None
        ]
        values = adjust([comparisons[place].p_value or 0.0 for place in family])
        adjusted |= dict(zip(family, values, strict=True))
    judged = []
    for place, one in enumerate(comparisons):
        known = replace(one, p_adjusted=adjusted.get(place))
        judged.append(replace(known, verdict=_verdict(known, alpha)))
    return judged


def _verdict(one: Comparison, alpha: float) -> Verdict:
    if one.difference is None:
        return "not_estimable"
    if one.role == "guardrail":
        return _guarded(one)
    if one.p_adjusted is None or one.p_adjusted > alpha:
        return "open"
    return "won" if (one.difference > 0) == (one.goal == "increase") else "lost"


def _guarded(one: Comparison) -> Verdict:
    """Judge a guardrail by the interval that is shown: its worse side against the margin."""
    kind, size = one.margin or ("absolute", 0.0)
    low, high = _worsening(one.lift_interval if kind == "relative" else one.difference_interval, one.goal)
    if high is not None and high < size:
        return "safe"
    return "harmed" if low is not None and low > size else "unproven"


def _worsening(interval: Interval, goal: str) -> Interval:
    low, high = interval
    if goal == "decrease":
        return low, high
    return (-high if high is not None else None), (-low if low is not None else None)
