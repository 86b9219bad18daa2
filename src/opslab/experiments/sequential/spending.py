"""Spending functions: how much of an error rate may be spent by a share of the information."""

from math import e, inf, log, sqrt
from typing import Literal, assert_never

from scipy.special import ndtr, ndtri

Family = Literal["obrien_fleming", "pocock", "power"]


def within(low: float, high: float, **values: float) -> None:
    """Refuse values that do not lie between two bounds."""
    for name, value in values.items():
        if not low < value < high:
            raise ValueError(f"{name} == {value}, must be > {low:g} and < {high:g}.")


def spent(
    information: float,
    alpha: float,
    family: Family = "obrien_fleming",
    exponent: float | None = None,
) -> float:
    """Return how much of a one-sided error rate is spent at a share of the information.

    Parameters
    ----------
    information : float
        Share t of the planned information, above 0; from 1 on all is spent.
    alpha : float
        One-sided error rate over all looks, within 0 and 1.
    family : {"obrien_fleming", "pocock", "power"}
        ``2 (1 - Phi(z / sqrt(t)))`` with z exceeded by alpha / 2, ``alpha log(1 + (e - 1) t)``, or
        ``alpha t^exponent``.
    exponent : float or None
        Of the power family, above 0.

    Returns
    -------
    float
        Within 0 and `alpha`.

    Raises
    ------
    ValueError
        When a number is out of its range.

    Examples
    --------
    >>> [f"{spent(share, 0.025):.6f}" for share in (0.25, 0.5, 1)]
    ['0.000007', '0.001525', '0.025000']

    Sources
    -------
    Lan and DeMets (1983); Kim and DeMets (1987), for the powers.
    """
    within(0, inf, information=information)
    within(0, 1, alpha=alpha)
    share = min(float(information), 1.0)
    if family == "obrien_fleming":
        return float(2 * ndtr(ndtri(alpha / 2) / sqrt(share)))
    if family == "pocock":
        return alpha * log(1 + (e - 1) * share)
    if family == "power":
        within(0, inf, exponent=exponent or 0)
        return float(alpha * share ** (exponent or 0))
    assert_never(family)
