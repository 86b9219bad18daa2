"""What knowing is worth: the expected value of perfect information, in the unit of the decision."""

from __future__ import annotations

import math

import numpy as np

from opslab.uncertainty.distributions import Values

_KNOTS = 6


def evpi(net_benefit: Values) -> tuple[float, float]:
    """Return the expected value of perfect information, and its Monte Carlo standard error.

    E[max over options] - max over options of E.

    Parameters
    ----------
    net_benefit : array of shape (draws, options)
        From common random numbers; "do nothing" is an option too, and usually a column of zeros.
    """
    best = int(np.argmax(net_benefit.mean(axis=0)))
    regret = net_benefit.max(axis=1) - net_benefit[:, best]
    return float(regret.mean()), float(regret.std() / math.sqrt(len(regret)))


def evppi(quantity: Values, net_benefit: Values) -> float:
    """Return what knowing one quantity, or a few together, is worth at most.

    E_x[max over options of E(NB|x)] - max over options of E(NB), with E(NB|x) from a regression on
    natural cubic splines (Strong, Oakley and Brennan 2014, single loop); between 0 and the EVPI.

    Parameters
    ----------
    quantity : array of shape (draws,) or (draws, quantities)
        Several add up in the regression, without interactions.
    net_benefit : array of shape (draws, options)
        See `evpi`.
    """
    columns = np.asarray(quantity, dtype=np.float64).reshape(len(net_benefit), -1)
    basis = np.column_stack([np.ones(len(net_benefit)), *(_spline(column) for column in columns.T)])
    known = basis @ np.linalg.lstsq(basis, net_benefit, rcond=None)[0]
    return min(max(evpi(known)[0], 0.0), evpi(net_benefit)[0])


def _spline(values: Values) -> Values:
    """Return a natural cubic spline's columns, knots at quantiles (Hastie 2009, eq. 5.4)."""
    spread = values.std()
    if spread == 0:
        return np.empty((len(values), 0))
    scaled = (values - values.mean()) / spread
    knots = np.unique(np.quantile(scaled, np.linspace(0.01, 0.99, _KNOTS)))
    if len(knots) < 3:  # noqa: PLR2004 - a natural spline bends between knots
        return np.asarray(scaled[:, None])
    cubes = np.maximum(scaled[:, None] - knots, 0) ** 3
    bends = (cubes[:, :-1] - cubes[:, -1:]) / (knots[-1] - knots[:-1])
    return np.column_stack([scaled, bends[:, :-1] - bends[:, -1:]])
