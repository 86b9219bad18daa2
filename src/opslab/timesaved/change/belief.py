"""What was hoped of a change beside what was measured, on one scale."""

from __future__ import annotations

from math import log1p
from typing import Any

from scipy.special import ndtri

from opslab.errors import SpecError
from opslab.timesaved.change.result import Belief
from opslab.timesaved.change.spec import ChangeReview
from opslab.timesaved.inventory import Measurement
from opslab.timesaved.quantities import updated
from opslab.uncertainty.calibration import UNTRAINED, widening
from opslab.uncertainty.distributions import Distribution, Fixed, Lognormal, quantile
from opslab.uncertainty.proportions import Interval

RATES = {"untrained": UNTRAINED, "trained": 0.9}
"""Share of the stated ranges that is taken to hold the truth."""


def belief(review: ChangeReview, effect: Interval) -> Belief | None:
    """Return the share that was hoped to be saved, the one that was measured, and both together.

    As `time_saved` does it: normal on the logarithm of what is left, the hope widened by how well
    such ranges hold the truth, the standard error of the data that of its interval. Where the two
    contradict each other the one that promises less stands.

    Parameters
    ----------
    review : ChangeReview
    effect : Interval
        Share by which the measure changed.

    Returns
    -------
    Belief or None
        None without a hope or an interval.

    Raises
    ------
    SpecError
        When the hope is a single number, which no measurement can change.
    """
    value, low, high = effect
    if review.expected is None or value is None or low is None or high is None:
        return None
    if not -1 < low < high:
        return None
    stated, prior = review.expected.distribution(share=True), hope(review)
    if isinstance(prior, Fixed):
        raise SpecError(review.problem("change.expected_range", "expected"))
    measured = Measurement(
        task=review.slug, quantity="reduction", value=-value, low=-high, high=-low, basis="did"
    )
    both = updated(measured, review.slug, stated, prior)
    return Belief(
        _interval(prior),
        Interval(-value, -high, -low),
        _interval(both.posterior),
        both.measured_share,
        both.z,
        both.used != "both",
    )


def hope(review: ChangeReview) -> Distribution:
    """Return the share that is hoped to be saved: of `expected`, the spread widened.

    Normal on the logarithm of what is left, through the 5th and 95th percentile.
    """
    stated: Any = review.expected and review.expected.distribution(share=True)
    if isinstance(stated, Fixed):
        return stated
    low, high = (log1p(-min(quantile(stated, at), 1 - 1e-9)) for at in (0.05, 0.95))
    sigma = (low - high) / (2 * ndtri(0.95)) * widening(RATES[review.calibration])
    return Lognormal((low + high) / 2, float(sigma), reduction=True)


def _interval(known: Distribution) -> Interval:
    return Interval(*(quantile(known, share) for share in (0.5, 0.025, 0.975)))
