"""Distributions by the names and parameters under which a record keeps them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from opslab.uncertainty.distributions import Beta, Distribution, Normal, Quantiles, StudentT

_FEWEST = 3  # quantiles that make a distribution
_FAMILIES: Mapping[str, Callable[..., Distribution]] = {
    "normal": Normal,
    "student_t": StudentT,
    "beta": Beta,
}
_BOUNDS = {
    "normal": {"location": -math.inf, "scale": 0.0},
    "student_t": {"location": -math.inf, "scale": 0.0, "degrees_of_freedom": 2.0},
    "beta": {"a": 0.0, "b": 0.0},
}


def from_family(family: str, parameters: Mapping[str, float], mean: float) -> Distribution:
    """Return the distribution that a record tells.

    Parameters
    ----------
    family : {"normal", "student_t", "beta", "quantiles"}
    parameters : Mapping[str, float]
        ``location`` and ``scale``; for Student's t ``degrees_of_freedom`` above 2 too, below which
        it has no variance; ``a`` and ``b``; or at least three quantiles: ``p5``, ``p50``, ``p95``.
    mean : float
        Of the whole: quantiles alone do not tell it.

    Raises
    ------
    ValueError
        With what is wrong.

    Examples
    --------
    >>> from_family("beta", {"a": 1, "b": 3}, 0.25).mean
    0.25
    """
    if family == "quantiles":
        return _quantiles(parameters, mean)
    if family not in _FAMILIES:
        raise ValueError(
            f"There is no family {family!r}; there are {', '.join(_BOUNDS)}, quantiles."
        )
    for name, bound in _BOUNDS[family].items():
        if not bound < parameters.get(name, math.nan) < math.inf:
            raise ValueError(f"{family} needs a finite {name} above {bound:g}: {parameters}.")
    return _FAMILIES[family](*(parameters[name] for name in _BOUNDS[family]))


def _quantiles(parameters: Mapping[str, float], mean: float) -> Quantiles:
    points = sorted((float(name[1:]) / 100, value) for name, value in parameters.items())
    shares, values = [share for share, _ in points], [value for _, value in points]
    rising = values == sorted(values) and all(map(math.isfinite, values))
    if len(points) < _FEWEST or not 0 < shares[0] < shares[-1] < 1 or not rising:
        raise ValueError(f"Quantiles take at least three points that rise: {parameters}.")
    return Quantiles(tuple(shares), tuple(values), mean)
