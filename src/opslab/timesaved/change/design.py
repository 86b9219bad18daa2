"""How the pilot was chosen decides what can be said: the design, its grade, what picking shows."""

from __future__ import annotations

import datetime

import numpy as np
from scipy.linalg import toeplitz
from scipy.stats import norm

from opslab.errors import DataError
from opslab.evidence import Grade
from opslab.timesaved.change.differences import Cells, since
from opslab.timesaved.change.panel import Panel
from opslab.timesaved.change.result import Artefact, Design
from opslab.timesaved.change.spec import ChangeReview
from opslab.uncertainty.distributions import Values
from opslab.uncertainty.proportions import Interval

DAYS = {"week": 7, "month": 30.4}
_ENOUGH, _LONG = 8, 24  # known periods on either side for a series, and in all for grade C
_GRADES: dict[str, Grade] = {"drawn": "A", "staggered": "B"}


def headline(review: ChangeReview, *ends: float | None) -> Interval:
    """Return an effect on the model's scale and its ends as readers see it: exp(d) - 1 of logs.

    None of what is not known.
    """
    values = np.array(ends, float)
    shown = np.expm1(values) if review.measure.relative else values
    return Interval(*(float(end) if np.isfinite(end) else None for end in shown))


def left_out(review: ChangeReview, panel: Panel) -> Cells:
    """Return which cells do not count: the weeks after each start, and all that were picked by.

    A period is phase-in when it begins in it, and was picked by when a day of it is in `selected`.
    """
    pilot, passed = review.pilot, since(panel.values, panel.starts)
    out: Cells = (passed >= 0) & (passed * DAYS[review.measure.period] < 7 * pilot.phase_in)
    if pilot.selected:
        low, high = pilot.selected
        days = np.array([*panel.periods, datetime.date.max])
        out |= (days[:-1] <= high) & (days[1:] > low)
    return out


def outcome(review: ChangeReview, panel: Panel) -> Values:
    """Return what estimators get, on the model's scale: NaN where nothing counts or is known."""
    values = np.where(left_out(review, panel), np.nan, panel.values)
    if review.measure.relative:
        return np.log(values, out=np.full(values.shape, np.nan), where=values > 0)
    return values


def sides(outcome: Values, starts: Values) -> tuple[Cells, Cells, Cells]:
    """Return known cells before each start, those after, and teams known on both sides.

    Examples
    --------
    >>> before, after, both = sides(np.array([[1.0, 2, 3], [4, np.nan, 6]]), np.array([2, 1]))
    >>> before.sum(axis=1), after.sum(axis=1), both
    (array([2, 1]), array([1, 1]), array([ True,  True]))
    """
    late, known = since(outcome, starts) >= 0, ~np.isnan(outcome)
    before, after = known & ~late, known & late
    return before, after, np.logical_and(before.any(axis=1), after.any(axis=1))


def chosen_design(review: ChangeReview, panel: Panel) -> tuple[Design, Grade | None]:
    """Return the design that the choice of the pilot and the panel allow, and its best grade.

    Raises
    ------
    DataError
        Where no team with the change is known both before and after it.
    """
    chosen = review.pilot.chosen
    before, after, both = sides(outcome(review, panel), panel.starts)
    if not after.any():
        return "plan", None
    if not both.any():
        teams = np.array(panel.units)[after.any(axis=1)]
        raise DataError.of("change.nothing_before", teams=teams.tolist())
    until, since = before[both].any(axis=0), after[both].any(axis=0)
    others = before[:, since].any(axis=1) & before[:, until].any(axis=1)
    if chosen != "everybody" and others.any():
        return "did", "C" if both.sum() == 1 else _GRADES.get(chosen, "C")
    if chosen == "worst_first" and not review.pilot.selected:
        return "before_after", None
    if min(until.sum(), since.sum()) < _ENOUGH:
        return "before_after", "D"
    return "its", "C" if (until | since).sum() >= _LONG else "D"


def artefact(review: ChangeReview, panel: Panel, outcome: Values) -> Artefact | None:
    """Return what picking the worst shows by itself; None where they were not picked so.

    Parameters
    ----------
    outcome : array (units, periods)
        The periods before the first start tell how teams differ and how each varies. Teams were
        picked by their mean over `selected`, else over all of these periods. Neighbours correlate,
        AR(1): r of residuals is too small in short series, and (n r + 1) / (n - 3) in its place.

    Returns
    -------
    Artefact or None
        None too where nothing tells: all teams in the data were picked or none yet, or too little
        is known before.

    Sources
    -------
    Kendall (1954), Biometrika: bias of autocorrelations.
    Barnett, van der Pols, Dobson (2005): within / sqrt(within + between) times
    phi(z) / (1 - Phi(z)), variances of what was picked by; z is the cut-off of picking k of n.
    """
    cells = np.ma.masked_invalid(outcome[:, : panel.starts.min()])
    picked, count = int((panel.starts < len(panel.periods)).sum()), len(panel.units)
    cells = cells - cells.mean(axis=0)
    means = cells.mean(axis=1)
    free = cells.count() - means.count() - cells.shape[1] + 1
    if review.pilot.chosen != "worst_first" or not 0 < picked < count or free <= 1:
        return None
    left, periods = (cells - means[:, None]).filled(0), max(round(cells.count() / means.count()), 2)
    squares = (left**2).sum()
    near = (left[:, 1:] * left[:, :-1]).sum() / (squares or 1.0)
    correlation = np.clip((near * periods + 1) / max(periods - 3, 5), 0, 0.96)
    whole = toeplitz(correlation ** np.arange(periods)).mean()
    noise = squares / free * ((1 - 1 / periods) / (1 - whole))
    within, share = noise * whole, picked / count
    between = max(means.var(ddof=1) - within, 0)
    if review.pilot.selected:
        low, high = review.pilot.selected
        window = max(round(((high - low).days + 1) / DAYS[review.measure.period]), 1)
        within = noise * toeplitz(correlation ** np.arange(window)).mean()
    total = within + between or 1.0
    size = within / total**0.5 * norm.pdf(norm.isf(share)) / share
    effect = headline(review, -size if review.measure.goal == "decrease" else size)
    return Artefact(effect.value or 0.0, picked, count, float(between / total))
