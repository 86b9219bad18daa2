"""Sample ratio mismatch, looked at every day."""

from collections.abc import Sequence

import numpy as np
from scipy.special import gammaln

from opslab.experiments.sequential.spending import within

CONCENTRATION = 10_000.0
"""Of a Dirichlet prior around the designed shares: a true share of a half lies within .5 +- .01 in
19 of 20 cases. Defects of such a size show soonest, and larger ones a little later than with a
smaller number."""


def sequential_sample_ratio(
    counts_by_day: Sequence[Sequence[int]],
    weights: Sequence[float] | Sequence[Sequence[float]],
    concentration: float = CONCENTRATION,
) -> list[float]:
    """Test the arms' counts against the designed weights, however often it is looked at.

    The p-value is the smallest inverse Bayes factor up to a day. Days of different weights have a
    factor of their own, and the factors multiply. Arms of weight 0 are left out on their days.

    Parameters
    ----------
    counts_by_day : sequence of sequence of int, shape (days, arms)
        New units of each day, in order.
    weights : sequence of float, shape (arms,) or (days, arms)
        Designed weights on any scale.
    concentration : float
        Of the prior on the true shares around the designed ones.

    Returns
    -------
    list of float
        The p-value of all days up to each; it never rises.

    Raises
    ------
    ValueError
        When shapes differ, or a number is impossible.

    Examples
    --------
    >>> p_values = sequential_sample_ratio([(5_000, 5_100), (5_000, 5_400)], [1, 1])
    >>> " ".join(f"{p:.4f}" for p in p_values)
    '1.0000 0.0290'

    Sources
    -------
    Lindon and Malek (2020, arXiv 2011.03567).
    """
    within(0, np.inf, concentration=concentration)
    counts = np.array(counts_by_day, dtype=float)
    designed = np.broadcast_to(np.array(weights, dtype=float), counts.shape)
    within(-0.5, np.inf, counts=counts.min(), weights=designed.min())
    within(0, np.inf, weights_of_a_day=designed.sum(axis=1).min())
    factor = np.zeros(len(counts))
    for split in np.unique(designed, axis=0):
        days, arms = (designed == split).all(axis=1), split > 0
        shares = split[arms] / split.sum()
        seen, start = np.cumsum(counts[:, arms] * days[:, None], axis=0), concentration * shares
        factor += (gammaln(start + seen) - gammaln(start) - seen * np.log(shares)).sum(axis=1)
        factor += gammaln(concentration) - gammaln(concentration + seen.sum(axis=1))
    p_values: list[float] = np.exp(-np.maximum.accumulate(np.maximum(factor, 0))).tolist()
    return p_values
