"""Whether forecasts come true: the Brier score, what it is made of, and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import bootstrap

from opslab.errors import InputError
from opslab.operations.decisions.result import Bin, Calibration, Known
from opslab.operations.decisions.spec import Change
from opslab.uncertainty.proportions import Interval, newcombe, wilson

FEWEST = 5
"""Forecasts below which nothing is said of how sure the score is."""
LEAST = 10
"""Forecasts below which they are not grouped: counts are all that they tell."""
LEVELS = 5
"""Up to so many different forecasts equal ones are grouped; more are put into `EDGES`."""
EDGES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
RESAMPLES = 2_000


class Brier(NamedTuple):
    """A Brier score and its parts: ``score = reliability - resolution + uncertainty + within``.

    Attributes
    ----------
    score : float
        Mean squared error: 0 is perfect, .25 always saying 50 %.
    reliability : float
        How far shares that came true are from what was said; 0 is best.
    resolution : float
        How far they are from each other; more is better.
    uncertainty : float
        Of the outcomes themselves.
    within : float
        Of groups of unequal forecasts: variance within them less twice the covariance.
    """

    score: float
    reliability: float
    resolution: float
    uncertainty: float
    within: float


def brier(probabilities: Any, outcomes: Any, groups: Any = None) -> Brier:
    """Return the Brier score of forecasts, and parts that add up to it.

    Parameters
    ----------
    probabilities : sequence of float
        Chance that was given to each, 0 to 1.
    outcomes : sequence of bool
        Whether each came true.
    groups : sequence, optional
        Which forecasts are looked at together; equal ones by default, so that `within` is 0.

    Raises
    ------
    InputError
        For none, a probability outside 0 to 1, or another number of outcomes.

    Examples
    --------
    >>> [round(part, 4) for part in brier([0.9, 0.9, 0.3, 0.3], [True, False, False, False])]
    [0.25, 0.125, 0.0625, 0.1875, 0.0]

    Sources
    -------
    Brier (1950); Murphy (1973); within groups: Stephenson, Coelho and Jolliffe (2008).
    """
    said, came = np.asarray(probabilities, float), np.asarray(outcomes, float)
    if not said.size or said.shape != came.shape or not ((said >= 0) & (said <= 1)).all():
        raise InputError.of("operations.no_forecasts")
    levels, group = np.unique(said if groups is None else groups, return_inverse=True)
    sizes = np.bincount(group)
    mean, share = (np.bincount(group, values) / sizes for values in (said, came))
    if groups is None:
        mean = levels  # equal ones: the mean of a sum may differ in the last digit
    rate, off = came.mean(), said - mean[group]
    return Brier(
        float(((said - came) ** 2).mean()),
        float(((mean - share) ** 2 @ sizes) / said.size),
        float(((share - rate) ** 2 @ sizes) / said.size),
        float(rate * (1 - rate)),
        float((off**2 - 2 * off * (came - share[group])).mean()),
    )


def calibrate(
    decisions: Sequence[Known], since: Change | None = None, seed: int = 1
) -> Calibration | None:
    """Return how good the forecasts were whose outcome is known; None where there is none.

    Of what was withdrawn the forecast does not count: what it was of never came to be.

    Parameters
    ----------
    decisions : sequence of Known
    since : Change, optional
        The scores of what was raised before and since are told apart.
    seed : int
        Of the resampling.
    """
    stated = [
        item for item in decisions if item.probability is not None and item.state != "withdrawn"
    ]
    known = [item for item in stated if item.outcome is not None]
    known.sort(key=lambda item: (item.probability or 0, item.outcome or False))
    if not known:
        return None
    said = np.array([item.probability for item in known], float)
    came = np.array([item.outcome for item in known], bool)
    groups = said
    if len({*said}) > LEVELS:
        groups = np.searchsorted(EDGES[1:-1], said + 1e-9, side="right")  # 60 % is in 60 to 80
    before = since_then = Interval(None)
    if since:
        late = np.array([item.raised >= since.date for item in known])
        before, since_then = (_score(said[kept], came[kept], seed) for kept in (~late, late))
    return Calibration(
        len(known),
        _score(said, came, seed),
        *brier(said, came, None if groups is said else groups)[1:],
        base_rate=float(came.mean()),
        pending=len(stated) - len(known),
        bins=_bins(said, came, groups) if len(known) >= LEAST else (),
        before=before,
        since=since_then,
        change=newcombe(before, since_then),
    )


def _score(said: Any, came: Any, seed: int) -> Interval:
    """Return a Brier score with its interval, where forecasts are enough and not all alike."""
    errors = np.sort((said - came) ** 2)
    if not errors.size:
        return Interval(None)
    value = float(errors.mean())
    if errors.size < FEWEST or np.isclose(errors[0], errors[-1]):
        return Interval(value)
    random = np.random.default_rng(seed)
    drawn = bootstrap((errors,), np.mean, n_resamples=RESAMPLES, batch=100, rng=random)
    return Interval(value, *map(float, drawn.confidence_interval))


def _bins(said: Any, came: Any, groups: Any) -> tuple[Bin, ...]:
    """Return forecasts of like probability, the lowest first."""
    parts = [groups == group for group in np.unique(groups)]
    return tuple(
        Bin(
            int(part.sum()),
            float(said[part].mean()),
            wilson(int(came[part].sum()), int(part.sum())),
        )
        for part in parts
    )
