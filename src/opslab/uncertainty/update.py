"""What was thought and what was measured, put together."""

from __future__ import annotations

import math
from dataclasses import dataclass

from opslab.errors import InputError

CONFLICT = 2.0
"""|z| above which prior and data contradict each other, and are not averaged."""


@dataclass(frozen=True)
class Posterior:
    """A normal posterior, the data's weight in its mean, and how far prior and data are apart."""

    mean: float
    sd: float
    measured_share: float
    z: float

    @property
    def conflict(self) -> bool:
        """Whether prior and data contradict each other."""
        return abs(self.z) > CONFLICT


def update(prior_mean: float, prior_sd: float, data: float, error: float) -> Posterior:
    """Return the posterior of a normal prior N(m0, t0^2) and an estimate d with standard error s.

    Precision 1/t0^2 + 1/s^2, mean weighted by precision, z = (d - m0) / sqrt(t0^2 + s^2)
    (Gelman and others, Bayesian Data Analysis, eq. 2.10).

    Parameters
    ----------
    prior_mean, prior_sd, data, error : float
        On one scale, the logarithm for times; both spreads above 0.

    Raises
    ------
    InputError
        When a spread is not above 0.
    """
    for given in (prior_sd, error):
        if not given > 0:
            raise InputError.of("uncertainty.not_positive", given=given)
    weight = prior_sd**2 / (prior_sd**2 + error**2)
    z = (data - prior_mean) / math.hypot(prior_sd, error)
    return Posterior(
        prior_mean + weight * (data - prior_mean), error * math.sqrt(weight), weight, z
    )
