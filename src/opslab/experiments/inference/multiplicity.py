"""Adjusted p-values for several comparisons: Holm to decide, Benjamini-Hochberg to explore."""

# statsmodels.stats.multitest has both, but its import costs a notebook run 3.4 s; the tests compare
# the two.

from collections.abc import Sequence
from typing import TypeVar

P = TypeVar("P", float, float | None)


def holm(p_values: Sequence[P]) -> list[P]:
    """Adjust p-values so that the chance of even one false rejection stays below alpha.

    Parameters
    ----------
    p_values : sequence of float or None, shape (comparisons,)
        Unadjusted p-values, each between 0 and 1; None, where nothing was tested, stays so.

    Returns
    -------
    list of float or None, shape (comparisons,)
        Adjusted p-values in input order; compare each with alpha.

    Raises
    ------
    ValueError
        When a p-value is not between 0 and 1.

    Examples
    --------
    >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]

    Sources
    -------
    Holm (1979).
    """
    adjusted, tested, running = list(p_values), _ascending(p_values), 0.0
    for rank, (p_value, position) in enumerate(tested):
        running = max(running, min((len(tested) - rank) * p_value, 1.0))
        adjusted[position] = running
    return adjusted


def benjamini_hochberg(p_values: Sequence[P]) -> list[P]:
    """Adjust p-values so that the expected share of false rejections among all stays below alpha.

    Parameters
    ----------
    p_values : sequence of float or None, shape (comparisons,)
        Unadjusted p-values, each between 0 and 1; None, where nothing was tested, stays so.

    Returns
    -------
    list of float or None, shape (comparisons,)
        Adjusted p-values in input order; compare each with alpha.

    Raises
    ------
    ValueError
        When a p-value is not between 0 and 1.

    Examples
    --------
    >>> [round(p, 3) for p in benjamini_hochberg([0.01, 0.04, 0.03])]
    [0.03, 0.04, 0.04]

    Sources
    -------
    Benjamini and Hochberg (1995).
    """
    adjusted, tested, running = list(p_values), _ascending(p_values), 1.0
    for smaller, (p_value, position) in reversed(list(enumerate(tested))):
        running = min(running, p_value * (len(tested) / (smaller + 1)))
        adjusted[position] = running
    return adjusted


def _ascending(p_values: Sequence[float | None]) -> list[tuple[float, int]]:
    """Return the p-values with their positions, smallest first, once each is a probability."""
    tested = [(value, place) for place, value in enumerate(p_values) if value is not None]
    for p_value, position in tested:
        if not 0 <= p_value <= 1:
            raise ValueError(f"p_values[{position}] == {p_value}, must be >= 0 and <= 1.")
    return sorted(tested)
