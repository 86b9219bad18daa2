"""Sample ratio mismatch, looked at every day."""

from collections.abc import Sequence

import numpy as np
from scipy.special import gammaln, logsumexp

from opslab.experiments.sequential.spending import within

CONCENTRATIONS = (10.0, 100.0, 1_000.0, 10_000.0)
"""Of Dirichlet priors around the designed shares, whose Bayes factors are averaged: a true share of
a half lies within .5 +- .01 in 19 of 20 cases of the last, anywhere by the first, so that both
small defects of large tests and large defects of small tests show soon."""


def sequential_sample_ratio(
    counts_by_day: Sequence[Sequence[int]],
    weights: Sequence[float] | Sequence[Sequence[float]],
    concentrations: Sequence[float] = CONCENTRATIONS,
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
    concentrations : sequence of float
        Of the priors on the true shares around the designed ones.

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
    '1.0000 0.0273'

    Sources
    -------
    Lindon and Malek (2020, arXiv 2011.03567).
    """
    within(0, np.inf, concentrations=min(concentrations))
    counts = np.array(counts_by_day, dtype=float)
    designed = np.broadcast_to(np.array(weights, dtype=float), counts.shape)
    within(-0.5, np.inf, counts=counts.min(), weights=designed.min())
    within(0, np.inf, weights_of_a_day=designed.sum(axis=1).min())
    prior = np.array(concentrations)[:, None]
    factors = np.zeros((len(prior), len(counts)))
    for split in np.unique(designed, axis=0):
        days, arms = (designed == split).all(axis=1), split > 0
        shares = split[arms] / split.sum()
        seen, start = np.cumsum(counts[:, arms] * days[:, None], axis=0), prior[..., None] * shares
        parts = gammaln(start + seen) - gammaln(start) - seen * np.log(shares)
        factors += parts.sum(axis=2) + gammaln(prior) - gammaln(prior + seen.sum(axis=1))
    average = logsumexp(factors, axis=0) - np.log(len(prior))
    p_values: list[float] = np.exp(-np.maximum.accumulate(np.maximum(average, 0))).tolist()
    return p_values
