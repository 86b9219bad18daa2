"""Distributions in words."""

from __future__ import annotations

from opslab.messages import Language, text
from opslab.messages.numbers import Numbers, decimals
from opslab.uncertainty.distributions import Distribution, Fixed, Lognormal, quantile


def describe(distribution: Distribution, language: Language = "en", *, share: bool = False) -> str:
    """Return a distribution in words: its family, the middle 90 % and the mean.

    Parameters
    ----------
    share : bool
        Whether its values are percentages.

    Examples
    --------
    >>> from opslab.uncertainty.distributions import lognormal
    >>> describe(lognormal(5, 20))
    'lognormal, 90% from 5.0 to 20.0, mean 10.9'
    """
    ends = [quantile(distribution, 0.05), quantile(distribution, 0.95), distribution.mean]
    digits = decimals(max(map(abs, ends)) * (100 if share else 1), 2 if share else 3)
    numbers = Numbers(language)
    show = numbers.percent if share else numbers.decimal
    low, high, mean = (show(value, digits) for value in ends)
    reduction = isinstance(distribution, Lognormal) and distribution.reduction
    name = "reduction" if reduction else type(distribution).__name__.lower()
    family = text(f"uncertainty.family_{name}", language)
    key = "uncertainty.number" if isinstance(distribution, Fixed) else "uncertainty.range"
    return text(key, language, family=family, level=0.9, low=low, high=high, mean=mean)
