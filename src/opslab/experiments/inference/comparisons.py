"""One metric in one arm against the control: the effect, its interval, its p-value, or why there is none."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from scipy.special import stdtr, stdtrit

from opslab.experiments.inference import effects, proportions
from opslab.experiments.inference.covariates import Contrast, contrast, is_clear, usable
from opslab.experiments.inference.multiplicity import benjamini_hochberg, holm
from opslab.experiments.inference.quantiles import OrderStatistics, quantile_contrast
from opslab.experiments.inference.strata import Strata, contrast_within
from opslab.experiments.metrics import Metric, Proportion, Quantile, Ratio
from opslab.experiments.moments.arm_moments import Moments
from opslab.experiments.moments.cross_moments import CrossMoments
from opslab.experiments.result import Comparison, Effect, Interval, Verdict
from opslab.results import Message

_SAME = 1e-12  # constants that are equal but for the rounding of their sums
_ROUNDED = 1e-15  # of the estimates: an error that only their rounding makes
_EXPLAINED = 1e-10  # share of the variance below which covariates leave none

SMALL_COUNT = 30
"""Below this many successes or failures in either arm a proportion takes the score test, not Welch's."""


def compare(
    metric: Metric, arm: tuple[str, Moments, int], control: tuple[str, Moments, int], alpha: float
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
    (_, treated, _), (_, base, _) = arm, control
    empty = _without_effect(metric, arm, control)
    empty = replace(
        empty, estimate=(treated.mean if treated.n else None, base.mean if base.n else None)
    )
    few = _too_few(empty)
    if few:
        return few
    share = isinstance(metric, Proportion)
    if (
        treated.variance == 0
        and base.variance == 0
        and (not share or math.isclose(treated.mean, base.mean, rel_tol=_SAME))
    ):
        return _constant(empty)
    if share and _small(treated, base):
        return _score(empty, treated, base, 1 - alpha)
    return _welch(empty, treated, base, 1 - alpha)


def _small(treated: Moments, base: Moments) -> bool:
    successes = [round(moments.mean * moments.n) for moments in (treated, base)]
    failures = [treated.n - successes[0], base.n - successes[1]]
    return min(successes + failures) < SMALL_COUNT


def _welch(empty: Comparison, treated: Moments, base: Moments, level: float) -> Comparison:
    test = effects.welch(
        treated.mean, treated.variance, treated.n, base.mean, base.variance, base.n, level
    )
    error = base.variance / base.n
    return _inferred(
        empty,
        Contrast(
            (treated.mean, base.mean),
            test.difference,
            treated.variance / treated.n + error,
            error,
            -error,
            test.degrees_of_freedom,
        ),
        level,
        "welch",
    )


def _inferred(empty: Comparison, found: Contrast, level: float, method: str) -> Comparison:
    """Return the comparison with the test of a contrast and the intervals that invert it."""
    freedom, error = found.degrees_of_freedom, math.sqrt(found.variance)
    reach = float(stdtrit(freedom, (1 + level) / 2)) * error
    base = found.estimate[1]
    lift = effects.fieller(
        found.difference,
        found.variance,
        base,
        found.control_variance,
        found.covariance,
        freedom,
        level,
    )
    return replace(
        empty,
        estimate=found.estimate,
        difference=found.difference,
        difference_interval=(found.difference - reach, found.difference + reach),
        lift=lift.lift,
        lift_interval=(lift.low, lift.high),
        p_value=2 * float(stdtr(freedom, -abs(found.difference) / error)),
        standard_error=error,
        degrees_of_freedom=freedom if math.isfinite(freedom) else None,
        method=method,
        harm_p=_harm_p(empty, found, bounded=lift.low is not None),
        not_estimable=None,
    )


def _harm_p(empty: Comparison, found: Contrast, *, bounded: bool) -> float | None:
    """Return a guardrail's one-sided p of a harm of at least its margin.

    A relative margin is tested through difference + margin x |control|, with the degrees of freedom
    of the interval, so that p and the interval shown always agree.
    """
    kind, size = empty.margin or (None, 0.0)
    if kind is None or (kind == "relative" and not bounded):
        return None
    sign = 1.0 if empty.goal == "increase" else -1.0
    distance, variance = sign * found.difference + size, found.variance
    if kind == "relative":
        base = found.estimate[1]
        factor = size * math.copysign(1.0, sign * base)
        distance = sign * found.difference + size * abs(base)
        variance += 2 * factor * found.covariance + factor**2 * found.control_variance
        if variance <= _SAME * found.variance:
            return None
    return float(stdtr(found.degrees_of_freedom, -distance / math.sqrt(variance)))


def compare_jointly(
    metric: Metric,
    arm: tuple[str, CrossMoments, int],
    control: tuple[str, CrossMoments, int],
    alpha: float,
    covariates: Sequence[tuple[str, int]] = (),
    strata: Strata | None = None,
) -> Comparison:
    """Return the comparison of a ratio, or of any metric with covariates or within strata.

    Parameters
    ----------
    metric : Metric
    arm, control : tuple
        Name, cross moments of the metric's own columns and then the covariates, and the count of
        empty values.
    alpha : float
        As in `compare`.
    covariates : sequence of tuple
        Name of each, and its number of columns.
    strata : Strata, optional
        Within which the arms are compared; ``arm`` and ``control`` then hold their units.
    """
    (_, treated, _), (_, base, _) = arm, control
    empty, level = _without_effect(metric, arm, control), 1 - alpha
    give = partial(contrast, treated, base) if strata is None else partial(contrast_within, strata)
    few = _too_few(empty)
    if few:
        return few
    own = 2 if isinstance(metric, Ratio) else 1
    if own > 1:
        for name, side, _ in (arm, control):
            if not is_clear(side, 1):
                return replace(
                    empty, not_estimable=Message("experiments.denominator_zero", {"arm": name})
                )
    if strata is not None and not strata.estimable:
        return replace(
            empty, not_estimable=Message("experiments.thin_strata", {"count": len(strata.cells)})
        )
    plain = give(own)
    empty = replace(empty, estimate=plain.estimate)
    if strata is None and isinstance(metric, Proportion):
        counted = [Moments(side.n, side.means[0], side.scatter[0][0]) for side in (treated, base)]
        if _small(*counted):
            known = compare(
                metric, (arm[0], counted[0], arm[2]), (control[0], counted[1], control[2]), alpha
            )
            told = Message("experiments.covariate_small_counts", {"count": SMALL_COUNT})
            return replace(known, notes=(told,))
    if plain.variance <= (_ROUNDED * max(map(abs, plain.estimate))) ** 2:
        return _constant(empty)
    prefix = "" if strata is None else "paired_" if strata.paired else "stratified_"
    spread = (treated, base) if strata is None else strata.within
    return _adjusted(empty, plain, (treated, base, own), covariates, (level, prefix, give, spread))


def without_strata(
    metric: Metric, arm: tuple[str, CrossMoments, int], control: tuple[str, CrossMoments, int]
) -> Comparison:
    """Return a comparison that cannot be made, as no stratum holds units of both arms."""
    empty = _without_effect(metric, arm, control)
    return replace(empty, not_estimable=Message("experiments.no_common_stratum", {}))


def _adjusted(
    empty: Comparison,
    plain: Contrast,
    sides: tuple[CrossMoments, CrossMoments, int],
    covariates: Sequence[tuple[str, int]],
    how: tuple[float, str, Callable[..., Contrast], tuple[CrossMoments, CrossMoments]],
) -> Comparison:
    """Return a comparison adjusted by the covariates that can be used, the raw effect kept beside."""
    level, within, give, spread = how
    widths, prefix = (
        [width for _, width in covariates],
        f"{within}{'ratio_' if sides[2] > 1 else ''}",
    )
    kept, unusable = usable(*spread, sides[2], widths)
    notes = {covariates[place][0]: reason for place, reason in unusable.items()}
    told = [Message(f"experiments.covariate_{notes[name]}", {"covariate": name}) for name in notes]
    empty = replace(empty, notes=tuple(told))
    raw = _inferred(empty, plain, level, prefix.removesuffix("_") or "welch")
    if not kept:
        return raw
    n, name = min(zip(empty.n, (empty.arm, empty.control), strict=True))
    if n < len(kept) + 2:
        values = {"arm": name, "n": n, "count": len(kept)}
        return replace(empty, not_estimable=Message("experiments.too_few_for_covariates", values))
    found = give(sides[2], widths, kept)
    if found.variance <= _EXPLAINED * plain.variance:
        return replace(empty, not_estimable=Message("experiments.covariates_explain_all", {}))
    reduction = 1 - found.variance / plain.variance
    made = _inferred(empty, found, level, f"{prefix}cuped")
    return replace(made, raw=effect(raw), variance_reduction=reduction)


def compare_quantiles(
    metric: Quantile,
    arm: tuple[str, Moments, int],
    control: tuple[str, Moments, int],
    alpha: float,
    found: Mapping[str, OrderStatistics],
    inflation: Mapping[str, float] | None = None,
) -> Comparison:
    """Return the comparison of a quantile; ``found`` holds the arms with a long enough tail.

    ``inflation``, by arm, is for values that come in clusters. The other parameters are those of
    `compare`.
    """
    empty = _without_effect(metric, arm, control)
    few = _too_few(empty)
    if few:
        return few
    for name, side, _ in (arm, control):
        if name not in found:
            values = {"arm": name, "n": side.n, "quantile": metric.quantile}
            return replace(empty, not_estimable=Message("experiments.short_tail", values))
    treated, base = found[arm[0]], found[control[0]]
    empty = replace(empty, estimate=(treated.value, base.value))
    for name in (arm[0], control[0]):
        if found[name].lower == found[name].upper:
            values = {"arm": name, "value": found[name].value}
            return replace(empty, not_estimable=Message("experiments.tied_values", values))
    if inflation is None:
        return _inferred(empty, quantile_contrast(treated, base, 1 - alpha), 1 - alpha, "quantile")
    factors = (inflation[arm[0]], inflation[control[0]])
    return _inferred(
        empty, quantile_contrast(treated, base, 1 - alpha, factors), 1 - alpha, "clustered_quantile"
    )


def effect(one: Comparison) -> Effect:
    """Return the effect that a comparison holds, to be shown beside another one."""
    return Effect(one.difference, one.difference_interval, one.lift, one.lift_interval, one.p_value)


def _without_effect(
    metric: Metric,
    arm: tuple[str, Moments | CrossMoments, int],
    control: tuple[str, Moments | CrossMoments, int],
) -> Comparison:
    empty = Comparison(
        metric=metric.name,
        role=metric.role,
        type=metric.type,
        goal=metric.goal,
        arm=arm[0],
        control=control[0],
        n=(arm[1].n, control[1].n),
        missing=(arm[2], control[2]),
    )
    if metric.margin is None:
        return empty
    relative = metric.margin.relative is not None
    size = metric.margin.relative if relative else metric.margin.absolute
    return replace(empty, margin=("relative" if relative else "absolute", size or 0.0))


def _too_few(empty: Comparison) -> Comparison | None:
    for name, n in zip((empty.arm, empty.control), empty.n, strict=True):
        if n < 2:  # noqa: PLR2004 - a variance takes two
            return replace(
                empty, not_estimable=Message("experiments.too_few_values", {"arm": name, "n": n})
            )
    return None


def _constant(empty: Comparison) -> Comparison:
    """Say that nothing varies within the arms."""
    to, base = (estimate or 0.0 for estimate in empty.estimate)
    if math.isclose(to, base, rel_tol=_SAME):
        return replace(empty, not_estimable=Message("experiments.no_variation", {"value": base}))
    values = {"arm": empty.arm, "to": to, "control": empty.control, "from": base}
    return replace(empty, not_estimable=Message("experiments.no_spread", values))


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

    Primaries over all arms: Holm. Secondaries: Benjamini and Hochberg. Guardrails: none, as all of
    them must hold (intersection-union).
    """
    adjusted: dict[int, float | None] = {}
    for role, adjust in (("primary", holm), ("secondary", benjamini_hochberg)):
        family = [
            place
            for place, one in enumerate(comparisons)
            if one.role == role and one.p_value is not None
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
    low, high = _worsening(
        one.lift_interval if kind == "relative" else one.difference_interval, one.goal
    )
    if high is not None and high < size:
        return "safe"
    return "harmed" if low is not None and low > size else "unproven"


def _worsening(interval: Interval, goal: str) -> Interval:
    low, high = interval
    if goal == "decrease":
        return low, high
    return (-high if high is not None else None), (-low if low is not None else None)
