"""One metric in one arm against the control: the effect, its interval and p-value, or why none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from scipy.special import ndtri, stdtr, stdtrit

from opslab.experiments.course import Effect
from opslab.experiments.inference import effects, proportions
from opslab.experiments.inference.covariates import Contrast, Unusable, contrast, is_clear, usable
from opslab.experiments.inference.multiplicity import benjamini_hochberg, holm
from opslab.experiments.inference.proportions import Counts
from opslab.experiments.inference.quantiles import Ranked, quantile_contrast
from opslab.experiments.inference.strata import Strata, contrast_within
from opslab.experiments.metrics.base import Declaration
from opslab.experiments.metrics.quantile import Quantile
from opslab.experiments.moments.arm_moments import CrossMoments
from opslab.experiments.result import NO_EFFECT, Comparison, Verdict
from opslab.results import Message

Sums = TypeVar("Sums")

_SAME = 1e-12  # constants that are equal but for the rounding of their sums
_ROUNDED = 1e-15  # of the estimates: an error that only their rounding makes
_EXPLAINED = 1e-10  # share of the variance below which covariates leave none

SMALL_COUNT = 30
"""With fewer successes or failures in either arm a share takes the score test, not Welch's."""


@dataclass(frozen=True)
class Side(Generic[Sums]):
    """One of two arms that are compared.

    Attributes
    ----------
    name : str
    sums : CrossMoments or Ranked
        What is known of its values.
    missing : int
        Empty values.
    """

    name: str
    sums: Sums
    missing: int = 0


@dataclass(frozen=True)
class _Pair:
    """How two arms' moments are compared: side by side, or within strata."""

    arm: CrossMoments
    control: CrossMoments
    own: int
    strata: Strata | None

    def contrast(self, widths: Sequence[int] = (), kept: Sequence[int] = ()) -> Contrast:
        if self.strata is not None:
            return contrast_within(self.strata, self.own, widths, kept)
        return contrast(self.arm, self.control, self.own, widths, kept)

    def usable(self, widths: Sequence[int]) -> tuple[list[int], dict[int, Unusable]]:
        spread = (self.arm, self.control) if self.strata is None else self.strata.within
        return usable(*spread, self.own, widths)

    def method(self, last: str = "") -> str:
        within = "" if self.strata is None else "paired" if self.strata.paired else "stratified"
        ratio = "ratio" if self.own > 1 else ""
        return "_".join(filter(None, (within, ratio, last))) or "welch"

    def counts(self) -> Counts:
        sides = (
            (round(float(side.means[0]) * side.n), side.n) for side in (self.arm, self.control)
        )
        return Counts(*(count for side in sides for count in side))


def compare(
    metric: Declaration,
    arm: Side[CrossMoments],
    control: Side[CrossMoments],
    alpha: float,
    covariates: Sequence[tuple[str, int]] = (),
    strata: Strata | None = None,
) -> Comparison:
    """Return the comparison of a mean, a share or a ratio between an arm and the control.

    Parameters
    ----------
    metric : Declaration
    arm, control : Side
        With the moments of the metric's own columns, and then of the covariates.
    alpha : float
        Two-sided; the intervals have level 1 - alpha and invert the test behind the p-value.
    covariates : sequence of tuple
        Name of each, and its number of columns.
    strata : Strata, optional
        Within which the arms are compared; ``arm`` and ``control`` then hold their units.
    """
    empty, level = without_effect(metric, arm, control), 1 - alpha
    pair = _Pair(arm.sums, control.sums, len(metric.own), strata)
    if pair.own == 1:
        means = [float(side.sums.means[0]) if side.sums.n else None for side in (arm, control)]
        empty = replace(empty, estimate=(means[0], means[1]))
    if empty.not_estimable:
        return empty
    for side in (arm, control) if pair.own > 1 else ():
        if not is_clear(side.sums, 1):
            return refused(empty, "denominator_zero", arm=side.name)
    if strata is not None and not strata.estimable:
        return refused(empty, "thin_strata", count=len(strata.cells))
    plain = pair.contrast()
    empty = replace(empty, estimate=plain.estimate)
    still = plain.variance <= (_ROUNDED * max(map(abs, plain.estimate))) ** 2
    counted = strata is None and metric.scale == "share"
    # Without any event nothing differs, and yet the harm has its bounds: enough for a guardrail.
    bounding = counted and metric.role == "guardrail"
    if still and math.isclose(*plain.estimate, rel_tol=_SAME) and not bounding:
        return refused(empty, "no_variation", value=plain.estimate[1])
    if counted and pair.counts().fewest < SMALL_COUNT:
        note = Message("experiments.covariate_small_counts", {"count": SMALL_COUNT})
        return replace(_score(empty, pair.counts(), level), notes=(note,) if covariates else ())
    if still:
        (to, base), names = plain.estimate, (empty.arm, empty.control)
        values = {"arm": names[0], "to": to, "control": names[1], "from": base}
        return refused(empty, "no_spread", **values)
    return _adjusted(empty, pair, plain, covariates, level)


def _adjusted(
    empty: Comparison,
    pair: _Pair,
    plain: Contrast,
    covariates: Sequence[tuple[str, int]],
    level: float,
) -> Comparison:
    """Return a comparison adjusted by the covariates that can be used, with others beside it.

    These are the raw effect, and that with strata weighed by their precision, where they are not
    pairs or a single one.
    """
    widths = [width for _, width in covariates]
    kept, unusable = pair.usable(widths)
    reasons = {covariates[order][0]: reason for order, reason in unusable.items()}
    notes = [
        Message(f"experiments.covariate_{reason}", {"covariate": name})
        for name, reason in reasons.items()
    ]
    empty = replace(empty, notes=tuple(notes))
    adjusted = raw = inferred(empty, plain, level, pair.method())
    if kept:
        n, name = min(zip(empty.n, (empty.arm, empty.control), strict=True))
        if n < len(kept) + 2:
            return refused(empty, "too_few_for_covariates", arm=name, n=n, count=len(kept))
        sharper = pair.contrast(widths, kept)
        if sharper.variance <= _EXPLAINED * plain.variance:
            return refused(empty, "covariates_explain_all")
        adjusted = replace(
            inferred(empty, sharper, level, pair.method("cuped")),
            raw=effect(raw),
            variance_reduction=1 - sharper.variance / plain.variance,
        )
    strata = pair.strata
    if strata is None or strata.paired or len(strata.cells) == 1:
        return adjusted
    precise = contrast_within(strata.precise, pair.own, widths, kept)
    return replace(adjusted, precision=effect(inferred(empty, precise, level, "")))


def inferred(empty: Comparison, estimates: Contrast, level: float, method: str) -> Comparison:
    """Return the comparison with the test of a contrast and the intervals that invert it."""
    (_, base), difference, variance, base_variance, covariance, freedom = estimates
    error = math.sqrt(variance)
    reach = float(stdtrit(freedom, (1 + level) / 2)) * error
    numbers = (difference, variance, base, base_variance, covariance, freedom)
    lift, harm = effects.fieller(*numbers, level), None
    kind, size = empty.margin or ("", 0.0)
    if kind == "absolute" or (kind and lift.low is not None):
        relative = kind == "relative"
        harm = effects.non_inferiority_p(*numbers, size, empty.goal, relative=relative)
    return replace(
        empty,
        estimate=estimates.estimate,
        difference=difference,
        difference_interval=(difference - reach, difference + reach),
        lift=lift.lift,
        lift_interval=(lift.low, lift.high),
        p_value=2 * float(stdtr(freedom, -abs(difference) / error)),
        standard_error=error,
        degrees_of_freedom=freedom if math.isfinite(freedom) else None,
        method=method,
        harm_p=harm,
        not_estimable=None,
    )


def compare_quantiles(
    metric: Quantile, arm: Side[Ranked], control: Side[Ranked], alpha: float
) -> Comparison:
    """Return the comparison of a quantile, from the values at three ranks of each arm.

    The parameters are those of `compare`.
    """
    empty, level = without_effect(metric, arm, control), 1 - alpha
    if empty.not_estimable:
        return empty
    for side in (arm, control):
        if side.sums.values is None:
            return refused(
                empty, "short_tail", arm=side.name, n=side.sums.n, quantile=metric.quantile
            )
    (treated, base), factors = zip(*(side.sums[1:] for side in (arm, control)), strict=True)
    empty = replace(empty, estimate=(treated.value, base.value))
    for side, ranked in ((arm, treated), (control, base)):
        if ranked.lower == ranked.upper:
            return refused(empty, "tied_values", arm=side.name, value=ranked.value)
    method = "quantile" if None in factors else "clustered_quantile"
    inflation = (1.0, 1.0) if None in factors else factors
    return inferred(empty, quantile_contrast(treated, base, level, inflation), level, method)


def effect(comparison: Comparison) -> Effect:
    """Return the effect that a comparison holds, to be shown beside another one."""
    return Effect(**{name: getattr(comparison, name) for name in vars(NO_EFFECT)})


def error_of(comparison: Comparison, alpha: float) -> float | None:
    """Return the standard error; the score test gives none: its interval's width stands for it."""
    low, high = comparison.difference_interval
    if comparison.standard_error is not None or low is None or high is None:
        return comparison.standard_error
    return (high - low) / (2 * float(ndtri(1 - alpha / 2)))


def without_effect(metric: Declaration, arm: Side[Any], control: Side[Any]) -> Comparison:
    """Return a comparison before anything is known of its effect; refused with too few values."""
    empty = Comparison(
        metric=metric.name,
        role=metric.role,
        type=metric.type,
        goal=metric.goal,
        arm=arm.name,
        control=control.name,
        n=(arm.sums.n, control.sums.n),
        missing=(arm.missing, control.missing),
        margin=metric.margin.kind_and_size if metric.margin else None,
        mde=metric.mde.kind_and_size if metric.mde else None,
    )
    for side in (arm, control):
        if side.sums.n < 2:  # noqa: PLR2004 - a variance takes two
            return refused(empty, "too_few_values", arm=side.name, n=side.sums.n)
    return empty


def bare(known: Comparison) -> Comparison:
    """Return a comparison before anything is known of its effect, from one with an effect."""
    kept = "metric role type goal arm control n missing margin mde"
    return Comparison(**{name: getattr(known, name) for name in kept.split()})


def refused(empty: Comparison, key: str, **values: Any) -> Comparison:
    """Return a comparison that cannot be made, with the reason: a key without its area."""
    return replace(empty, not_estimable=Message(f"experiments.{key}", values))


def _score(empty: Comparison, counts: Counts, level: float) -> Comparison:
    treated, base = (estimate or 0.0 for estimate in empty.estimate)
    harm = None
    if empty.margin is not None:
        kind, size = empty.margin
        harm = proportions.non_inferiority_p(*counts, size, empty.goal, relative=kind == "relative")
    return replace(
        empty,
        difference=treated - base,
        difference_interval=proportions.miettinen_nurminen_difference(*counts, level),
        lift=(treated - base) / base if base else None,
        lift_interval=proportions.miettinen_nurminen_lift(*counts, level),
        p_value=proportions.score_test(*counts).p_value,
        method="score",
        harm_p=harm,
    )


def judge(comparisons: Sequence[Comparison], alpha: float, family: int = 0) -> list[Comparison]:
    """Return the comparisons with p-values adjusted over their family, and what each says.

    Primaries over all arms: Holm, or with ``family`` so many times the p-value (Bonferroni), as
    bounds share the error rate. Secondaries: Benjamini and Hochberg. Guardrails: none, as all of
    them must hold (intersection-union).
    """
    primary, secondary = (
        [comparison.p_value if comparison.role == role else None for comparison in comparisons]
        for role in ("primary", "secondary")
    )
    judged = []
    shared = [p_value and min(1.0, family * p_value) for p_value in primary]
    families = zip(shared if family else holm(primary), benjamini_hochberg(secondary), strict=True)
    for comparison, (decides, explores) in zip(comparisons, families, strict=True):
        adjusted = replace(comparison, p_adjusted=explores if decides is None else decides)
        judged.append(replace(adjusted, verdict=_verdict(adjusted, alpha)))
    return judged


def _verdict(comparison: Comparison, alpha: float) -> Verdict:
    if comparison.difference is None:
        return "not_estimable"
    if comparison.role == "guardrail":
        return guarded(comparison)
    if comparison.p_adjusted is None or comparison.p_adjusted > alpha:
        return "open"
    return "won" if (comparison.difference > 0) == (comparison.goal == "increase") else "lost"


def guarded(comparison: Comparison) -> Verdict:
    """Judge a guardrail by the interval that is shown: its worse side against the margin."""
    kind, size = comparison.margin or ("absolute", 0.0)
    relative = kind == "relative"
    ends = comparison.lift_interval if relative else comparison.difference_interval
    worse = 1 if comparison.goal == "decrease" else -1
    low, high = (None if end is None else worse * end for end in ends[::worse])
    if high is not None and high < size:
        return "safe"
    return "harmed" if low is not None and low > size else "unproven"
