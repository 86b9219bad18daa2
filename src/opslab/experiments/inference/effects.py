"""Effects: Welch's test, Fieller's relative lift, non-inferiority, from two arms' estimates."""

from math import copysign, isfinite, sqrt
from typing import Literal, NamedTuple

from scipy.special import stdtr, stdtrit

from opslab.experiments.moments.arm_moments import Moments

Goal = Literal["increase", "decrease"]

_SMALLEST_ARM = 2  # a sample variance needs two units
_ROUNDING = 1e-9  # how far a covariance may pass its bound by rounding alone
_SAME = 1e-12  # share of a variance that rounding leaves where two estimates move as one


class Welch(NamedTuple):
    """Difference of two means with its test and interval, which invert each other.

    Attributes
    ----------
    difference : float
        Mean of the arm minus mean of the control, in metric units.
    standard_error : float
        Standard error of the difference, in metric units.
    degrees_of_freedom : float
        Satterthwaite's degrees of freedom.
    p_value : float
        Two-sided p-value of "no difference".
    low : float
        Lower limit of the difference, in metric units.
    high : float
        Upper limit of the difference, in metric units.
    """

    difference: float
    standard_error: float
    degrees_of_freedom: float
    p_value: float
    low: float
    high: float


class Lift(NamedTuple):
    """Relative lift over the size of the control mean, as a fraction (0.02 is 2 %).

    Attributes
    ----------
    lift : float or None
        Difference / |control mean|; None when the control mean is 0.
    low : float or None
        Lower limit; None when the confidence set is unbounded.
    high : float or None
        Upper limit; None when the confidence set is unbounded.
    """

    lift: float | None
    low: float | None
    high: float | None


def welch(
    mean_arm: float,
    variance_arm: float,
    n_arm: int,
    mean_control: float,
    variance_control: float,
    n_control: int,
    level: float = 0.95,
) -> Welch:
    """Compare two independent means without assuming equal variances.

    Parameters
    ----------
    mean_arm, mean_control : float
        Means, in metric units.
    variance_arm, variance_control : float
        Sample variances (divisor n - 1), in squared metric units.
    n_arm, n_control : int
        Numbers of units with a value, at least 2 each.
    level : float
        Confidence level of the two-sided interval, between 0 and 1.

    Returns
    -------
    Welch
        Difference, standard error, degrees of freedom, two-sided p-value, limits.

    Raises
    ------
    ValueError
        When an input is impossible, or both variances are 0: then no test exists.

    Examples
    --------
    >>> result = welch(20.6, 9.0, 10, 18.0, 4.0, 10)
    >>> f"{result.difference:.1f} ({result.low:.2f} to {result.high:.2f}), p = {result.p_value:.4f}"
    '2.6 (0.18 to 5.02), p = 0.0369'

    Sources
    -------
    Welch (1938, 1947); Satterthwaite (1946), degrees of freedom.
    """
    quantile_of = _quantile_level(level)
    _require_finite(mean_arm=mean_arm, mean_control=mean_control)
    for name, variance in (("variance_arm", variance_arm), ("variance_control", variance_control)):
        if not (isfinite(variance) and variance >= 0):
            raise ValueError(f"{name} == {variance}, must be >= 0.")
    for name, n in (("n_arm", n_arm), ("n_control", n_control)):
        if not n >= _SMALLEST_ARM:
            raise ValueError(f"{name} == {n}, must be >= {_SMALLEST_ARM}.")
    squared_error = variance_arm / n_arm + variance_control / n_control
    if squared_error == 0:
        raise ValueError(
            "variance_arm == variance_control == 0, one must be > 0: nothing varies to test."
        )
    share = variance_arm / n_arm / squared_error
    degrees_of_freedom = 1.0 / (share**2 / (n_arm - 1) + (1.0 - share) ** 2 / (n_control - 1))
    difference, standard_error = mean_arm - mean_control, sqrt(squared_error)
    p_value = 2.0 * float(stdtr(degrees_of_freedom, -abs(difference / standard_error)))
    half_width = float(stdtrit(degrees_of_freedom, quantile_of)) * standard_error
    return Welch(
        difference,
        standard_error,
        degrees_of_freedom,
        p_value,
        difference - half_width,
        difference + half_width,
    )


def welch_of_moments(arm: Moments, control: Moments, level: float = 0.95) -> Welch | None:
    """Compare two means by their moments, as `welch` does; None where nothing can be tested."""
    if min(arm.n, control.n) < _SMALLEST_ARM or arm.variance == control.variance == 0:
        return None
    return welch(arm.mean, arm.variance, arm.n, control.mean, control.variance, control.n, level)


def fieller(
    difference: float,
    variance_difference: float,
    control_mean: float,
    variance_control_mean: float,
    covariance: float,
    degrees_of_freedom: float,
    level: float = 0.95,
) -> Lift:
    """Give the relative lift with Fieller's interval, which agrees with the test of the difference.

    Where the interval is bounded it excludes 0 exactly when a t test of the difference with the
    same degrees of freedom rejects at 1 - level. A negative baseline keeps the sign of the
    difference.

    Parameters
    ----------
    difference : float
        Estimated difference arm - control, in metric units; it may be adjusted by covariates.
    variance_difference : float
        Squared standard error of the difference, in squared metric units.
    control_mean : float
        Estimated mean of the control, unadjusted, in metric units.
    variance_control_mean : float
        Squared standard error of the control mean, in squared metric units.
    covariance : float
        Covariance of the two estimates; -variance_control_mean for unadjusted, independent arms.
    degrees_of_freedom : float
        Degrees of freedom of the t quantile; infinity gives the normal quantile.
    level : float
        Confidence level of the two-sided interval, between 0 and 1.

    Returns
    -------
    Lift
        Lift and limits as fractions. Both limits are None when the control mean is not clearly away
        from 0 at this level: the confidence set is then unbounded. The lift is None when the
        control mean is 0.

    Raises
    ------
    ValueError
        When an input is impossible, or the difference has no variance: then no interval exists.

    Examples
    --------
    >>> lift = fieller(0.5, 0.02, 10.0, 0.01, -0.01, 198)
    >>> f"{lift.lift:.3f} ({lift.low:.4f} to {lift.high:.4f})"
    '0.050 (0.0218 to 0.0790)'

    Sources
    -------
    Fieller (1954), section 3.
    """
    quantile_of = _quantile_level(level)
    _require_estimates(
        difference,
        variance_difference,
        control_mean,
        variance_control_mean,
        covariance,
        degrees_of_freedom,
    )
    if control_mean == 0:
        return Lift(None, None, None)

    baseline = abs(control_mean)
    covariance_baseline = covariance if control_mean > 0 else -covariance
    lift = difference / baseline
    squared_quantile = float(stdtrit(degrees_of_freedom, quantile_of)) ** 2
    curvature = baseline**2 - squared_quantile * variance_control_mean
    if curvature <= 0:
        return Lift(lift, None, None)
    # Solved for the distance from the point estimate: its two roots have opposite signs, so nothing
    # cancels.
    variance = (
        variance_difference - 2 * lift * covariance_baseline + lift**2 * variance_control_mean
    )
    slope = squared_quantile * (lift * variance_control_mean - covariance_baseline)
    root = sqrt(slope**2 + curvature * squared_quantile * max(variance, 0.0))
    return Lift(lift, lift + (slope - root) / curvature, lift + (slope + root) / curvature)


def non_inferiority_p(
    difference: float,
    variance_difference: float,
    control_mean: float,
    variance_control_mean: float,
    covariance: float,
    degrees_of_freedom: float,
    margin: float,
    goal: Goal,
    *,
    relative: bool,
) -> float | None:
    """Give the one-sided p-value of "the arm is worse than the control by the margin or more".

    A relative margin is a share of |control mean|. It is tested through the linear contrast
    difference +- margin x |control mean|, so that the error of the control mean counts as it
    should, with the degrees of freedom of the interval: p and the interval shown always agree.

    Parameters
    ----------
    difference, variance_difference, control_mean, variance_control_mean, covariance : float
        The estimates, as `fieller` takes them.
    degrees_of_freedom : float
        As in `fieller`.
    margin : float
        Largest loss that is still acceptable, above 0: in metric units, or a fraction when
        relative.
    goal : {"increase", "decrease"}
        Direction in which the metric is good.
    relative : bool
        Whether the margin is a fraction of |control mean|.

    Returns
    -------
    float or None
        Below alpha / 2 exactly when the two-sided interval at level 1 - alpha, of the difference or
        of the lift, stays on the safe side of the margin. None when the contrast has no variance.

    Raises
    ------
    ValueError
        When an input is impossible, or a relative margin meets a control mean of 0.

    Examples
    --------
    >>> p_value = non_inferiority_p(
    ...     -0.05, 0.01, 10.0, 0.005, -0.005, 1598, 0.02, "increase", relative=True
    ... )
    >>> round(p_value, 4)
    0.065

    Sources
    -------
    Wellek (2010), Testing Statistical Hypotheses of Equivalence and Noninferiority, chapter 2; for
    the relative margin Hauschke, Kieser, Diletti and Burke (1999).
    """
    if not (isfinite(margin) and margin > 0):
        raise ValueError(f"margin == {margin}, must be > 0.")
    if goal not in ("increase", "decrease"):
        raise ValueError(f"goal == {goal!r}, must be 'increase' or 'decrease'.")
    _require_estimates(
        difference,
        variance_difference,
        control_mean,
        variance_control_mean,
        covariance,
        degrees_of_freedom,
    )
    if relative and control_mean == 0:
        raise ValueError("control_mean == 0, a relative margin needs a control mean other than 0.")
    gain = difference if goal == "increase" else -difference
    allowed, variance = margin, variance_difference
    if relative:
        allowed = margin * abs(control_mean)
        factor = copysign(margin, control_mean if goal == "increase" else -control_mean)
        variance += 2 * factor * covariance + factor**2 * variance_control_mean
        if variance <= _SAME * variance_difference:
            return None
    return float(stdtr(degrees_of_freedom, -(gain + allowed) / sqrt(variance)))


def _require_estimates(
    difference: float,
    variance_difference: float,
    control_mean: float,
    variance_control_mean: float,
    covariance: float,
    degrees_of_freedom: float,
) -> None:
    _require_finite(difference=difference, control_mean=control_mean, covariance=covariance)
    if not (isfinite(variance_difference) and variance_difference > 0):
        raise ValueError(f"variance_difference == {variance_difference}, must be > 0.")
    if not (isfinite(variance_control_mean) and variance_control_mean >= 0):
        raise ValueError(f"variance_control_mean == {variance_control_mean}, must be >= 0.")
    bound = sqrt(variance_difference) * sqrt(variance_control_mean)
    if abs(covariance) > bound * (1 + _ROUNDING):
        raise ValueError(f"covariance == {covariance}, must be within -{bound} and {bound}.")
    if not degrees_of_freedom > 0:
        raise ValueError(f"degrees_of_freedom == {degrees_of_freedom}, must be > 0.")


def _quantile_level(level: float) -> float:
    """Return the upper quantile's level of a two-sided interval."""
    if not 0 < level < 1:
        raise ValueError(f"level == {level}, must be > 0 and < 1.")
    return (1.0 + level) / 2.0


def _require_finite(**values: float) -> None:
    for name, value in values.items():
        if not isfinite(value):
            raise ValueError(f"{name} == {value}, must be a finite number.")
