"""Adjusted p-values for several comparisons: Holm for decisions, Benjamini-Hochberg for exploration."""

# statsmodels.stats.multitest has both, but its import costs a notebook run 3.4 s; the tests compare
# the two.

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values so that the chance of even one false rejection stays below alpha.

    Parameters
    ----------
    p_values : sequence of float, shape (comparisons,)
        Unadjusted p-values, each between 0 and 1.

    Returns
    -------
    list of float, shape (comparisons,)
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
    adjusted = _require_probabilities(p_values)
    running = 0.0
    for rank, position in enumerate(_ascending(p_values)):
        running = max(running, min((len(p_values) - rank) * p_values[position], 1.0))
        adjusted[position] = running
    return adjusted


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values so that the expected share of false rejections among all stays below alpha.

    Parameters
    ----------
    p_values : sequence of float, shape (comparisons,)
        Unadjusted p-values, each between 0 and 1.

    Returns
    -------
    list of float, shape (comparisons,)
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
    adjusted = _require_probabilities(p_values)
    running = 1.0
    for smaller, position in reversed(list(enumerate(_ascending(p_values)))):
        running = min(running, p_values[position] * (len(p_values) / (smaller + 1)))
        adjusted[position] = running
    return adjusted


def _ascending(p_values: Sequence[float]) -> list[int]:
    """Return the positions of the p-values, smallest first."""
    return sorted(range(len(p_values)), key=lambda position: p_values[position])


def _require_probabilities(p_values: Sequence[float]) -> list[float]:
    """Return a copy of the p-values once each is known to be a probability."""
    for position, p_value in enumerate(p_values):
        if not 0 <= p_value <= 1:
            raise ValueError(f"p_values[{position}] == {p_value}, must be >= 0 and <= 1.")
    return list(p_values)
