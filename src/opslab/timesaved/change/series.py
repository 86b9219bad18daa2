"""One group over time: an interrupted time series, or before and after alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap
from scipy.stats import t as student

from opslab.errors import DataError, SpecError
from opslab.timesaved.change.design import DAYS, headline, left_out, sides
from opslab.timesaved.change.differences import fitted
from opslab.timesaved.change.panel import Panel
from opslab.timesaved.change.result import Comparison, Lag, Series
from opslab.timesaved.change.spec import ChangeReview
from opslab.uncertainty.distributions import Values
from opslab.uncertainty.proportions import Interval

_RESAMPLES = 2_000
_TEAMS = 6  # that all of fewer lie on one side of the truth has a chance above 5 %
_TURNS, _NONE = 200, 1e-12  # of fitting in turns; what nothing is divided by
_SLOPE = 5  # sum of squares of time behind a slope: four periods of one team
_CORRELATIONS = np.arange(-24, 25)[:, None] / 25


def segments(periods: int, start: int, season: float = 0) -> Values:
    """Return the terms 1, t, D, (t - start) D, and two yearly harmonics where there is a season.

    Parameters
    ----------
    periods : int
    start : int
        Position of the first period with the change (D: 1 from there on).
    season : float
        Periods in a year; 0: no season.

    Returns
    -------
    array (periods, 4 or 8)
    """
    time = np.arange(periods)
    turns = 2 * np.pi / season * np.outer(time, [1, 2]) if season else np.empty((periods, 0))
    line = [np.ones(periods), time, time >= start, np.maximum(time - start, 0)]
    return np.column_stack([*line, np.sin(turns), np.cos(turns)])


def segmented(values: Values, terms: Values, lag: int, teams: Values | None = None) -> Any:
    """Return the fit of statsmodels with Newey-West errors: by least squares, or quasi-Poisson.

    Errors have the factor root of n / (n - k), and Student's t with n - k degrees of freedom. Time
    goes on in a period that is left out; for the errors those beside it are neighbours.

    Parameters
    ----------
    values : array (periods,)
        NaN: left out.
    terms : array (periods, terms)
        See `segments`.
    lag : int
        0: ordinary errors.
    teams : array (periods,), optional
        `values` are counts of so many teams.

    Raises
    ------
    DataError
        For too few periods with a value (of counts: above 0).

    Examples
    --------
    >>> fit = segmented(np.array([3.0, 5, 4, 6, 5, 9, 8, 10, 9, 11]), segments(10, 5), 0)
    >>> fit.params[2:].round(2) + 0, fit.bse[2:].round(2)
    (array([2.3, 0. ]), array([1.24, 0.42]))

    Sources
    -------
    Newey and West (1987); Linden (2015); of counts Lopez Bernal, Cummins, Gasparrini (2017).
    """
    from statsmodels.genmod.families import Gaussian, Poisson
    from statsmodels.genmod.generalized_linear_model import GLM

    known = ~np.isnan(values)
    rows, count, width = known if teams is None else values > 0, known.sum(), terms.shape[1]
    if count <= max(width, lag) or np.linalg.matrix_rank(terms[rows]) < width:
        raise DataError.of("change.short_series", periods=int(count), terms=width, lag=lag)
    family, offset = (Gaussian(), None) if teams is None else (Poisson(), np.log(teams[known]))
    errors = {"maxlags": lag, "use_correction": True}
    kind = {"cov_type": "HAC", "cov_kwds": errors} if lag else {}
    model = GLM(values[known], terms[known], family, offset=offset)
    return model.fit(scale="X2", use_t=True, **kind)


def correlated(fit: Any, times: NDArray[np.int_], sums: Values) -> Values:
    """Return standard errors of sums of both changes, where errors of neighbours correlate.

    They are taken for an autoregression of order one. Few periods hardly tell its correlation: in
    place of an estimate, variances with all from -.96 to .96 are averaged by how likely residuals
    (of counts: Pearson's) are with each. What one below 0 would take off is not taken off.

    Parameters
    ----------
    fit : GLMResults
        See `segmented`; its coefficients stay as they are.
    times : array (known periods,) of int
        Positions: what is left out sets those beside it apart.
    sums : array (sums, 2)
        How often the change of the level, and that of the slope, is in each.

    Returns
    -------
    array (sums,)
        For Student's t with n - k degrees of freedom.

    Examples
    --------
    >>> values = np.array([3.0, 5, 4, 6, 5, 9, 8, 10, 9, 11])  # they alternate: as if independent
    >>> correlated(segmented(values, segments(10, 5), 0), np.arange(10), np.eye(2)).round(2)
    array([1.24, 0.42])

    Sources
    -------
    Zellner and Tiao (1964): posterior of the correlation, flat before. Of least squares' own
    coefficients; how often the intervals hold: docs/validation.md.
    """
    terms = fit.model.exog * np.sqrt(fit.model.family.weights(fit.mu))[:, None]
    near = (_CORRELATIONS ** np.arange(times[-1] + 1))[:, abs(times - times[:, None])]
    basis = np.linalg.qr(np.column_stack([terms, fit.resid_pearson]))[0]
    both = basis.T @ np.linalg.solve(near, basis)
    size, whole = (np.linalg.slogdet(each)[1] for each in (near, both))
    # Squares: what the residual leaves beside the terms (Schur complement), by correlation.
    squares, loads = 1 / np.linalg.inv(both)[:, -1, -1], sums @ np.linalg.pinv(terms)[2:4]
    chances = -size - whole - (fit.df_resid - 1) * np.log(squares)
    variances = squares * np.einsum("si,cij,sj->sc", loads, near, loads)
    variances[:, :24] = variances[:, [24]]
    shares = np.exp((chances - chances.max()) / 2)
    errors: Values = np.sqrt(fit.scale * np.average(variances, axis=1, weights=shares))
    return errors


def interrupted(review: ChangeReview, panel: Panel, outcome: Values) -> Series:
    """Return level and slope before, and how both changed; Newey-West errors stand beside.

    Of the teams known both before and after. A team that does not report in a period does not move
    the group: each is set against its own level, as the periods before tell it that it has in
    common with others (team and period effects; of counts their product).

    Raises
    ------
    DataError
        For teams that no chain of periods before joins to the others; see `segmented` too.
    """
    logs, periods = review.measure.relative, len(panel.periods)
    counts = logs and review.measure.quantity == "count"
    values = np.where(left_out(review, panel), np.nan, panel.values) if counts else outcome
    both = sides(values, panel.starts)[2]
    start, cells = panel.starts[both].max(), np.ma.masked_invalid(values[both])
    usual = _levels(cells[:, :start].filled(np.nan), counts=counts)
    if apart := np.array(panel.units)[both][np.isnan(usual[:, 0])].tolist():
        raise DataError.of("change.no_chain", teams=apart)
    teams = (~cells.mask * usual).sum(axis=0) / usual.mean() if counts else None
    group = cells.sum(axis=0) if counts else (cells - usual).mean(axis=0) + usual.mean()
    season = 365.25 / DAYS[review.measure.period] if review.season else 0
    if periods < 2 * season - 1:
        raise SpecError(review.problem("change.short_season", "season", periods=periods))
    terms, times = segments(periods, start, season), np.flatnonzero(~group.mask)
    lag = int(4 * (times.size / 100) ** (2 / 9)) if review.lag is None else review.lag
    if lag >= times.size:
        size = {"periods": int(times.size), "terms": terms.shape[1], "lag": lag}
        raise SpecError(review.problem("change.short_series", "lag", **size))
    near = {0, 1, 4, *range(max(lag - 1, 0), lag + 3)}
    lags = [each for each in sorted(near) if each < times.size]
    fits = [segmented(group.filled(np.nan), terms, each, teams) for each in lags]
    fit, after, rest = fits[0], times[times >= start] - start, fits[0].resid_pearson
    sums = np.array([[1, 0], [0, 1], [1, after.mean()], [1, after[-1]]])
    margin = student.isf(0.025, fit.df_resid) * correlated(fit, times, sums)
    ends = sums @ fit.params[2:4] + np.outer([0, -1, 1], margin)
    level, slope, effect, last = ends.T.tolist()
    corrected = np.array([each.bse[[2, 3, 2]] for each in fits])
    corrected[:, :2] *= (fit.df_resid / fit.nobs) ** 0.5
    terms[:, 2:4] = 0
    lines = group / teams if counts else group, fit.predict(terms)
    shown, expected = (np.exp(line) if logs and not counts else line for line in lines)
    return Series(
        level=Interval(*level),
        slope=Interval(*slope),
        effect=headline(review, *effect),
        last=headline(review, *last),
        lag=lag,
        lags=tuple(map(Lag, lags, *corrected.T.tolist())),
        autocorrelation=float(rest[1:] @ rest[:-1] / (rest @ rest)),
        dispersion=float(fit.scale) if counts else None,
        periods=panel.periods,
        values=tuple(shown.tolist()),
        expected=tuple(expected.tolist()),
    )


def _levels(before: Values, *, counts: bool) -> Values:
    """Return each team's level beside the others' in the same periods, NaN where none is joined.

    By least squares; of counts by Poisson's likelihood, in turns (iterative proportional fitting).
    """
    known = ~np.isnan(before)
    lines = fitted(before, known)
    levels: Values = lines[:, [(~np.isnan(lines)).sum(axis=0).argmax()]]
    if counts:
        sums, level = np.where(known, before, 0.0), np.ones(levels.shape)
        for _ in range(_TURNS):
            period = sums.sum(axis=0) / np.maximum((known * level).sum(axis=0), _NONE)
            weights = (known * period).sum(axis=1, keepdims=True)
            level = sums.sum(axis=1, keepdims=True) / np.maximum(weights, _NONE)
        levels = np.where(np.isnan(levels), np.nan, level)
    return levels


def before_after(review: ChangeReview, panel: Panel, outcome: Values, seed: int) -> Comparison:
    """Return the ratio (or difference) of medians, with a bootstrap over teams.

    Of the teams known both before and after: the median of the teams' own ratios, each of its own
    medians, so that no other mix of teams is taken for an effect. No interval of fewer than six
    teams: resamples of so few cannot cover in 95 % of cases.
    """
    *known, both = sides(outcome, panel.starts)
    time = np.broadcast_to(np.arange(len(panel.periods)), outcome.shape)
    times, cells = (np.where(known, numbers, np.nan)[:, both] for numbers in (time, outcome))
    medians, ends = np.nanmedian(cells, axis=2), ()
    changes = medians[1] - medians[0]
    if len(changes) >= _TEAMS:
        drawn = bootstrap(
            (changes,), np.median, n_resamples=_RESAMPLES, method="percentile", rng=seed
        )
        ends = drawn.confidence_interval
    effect = headline(review, float(np.median(changes)), *ends)
    x, y = (side[0] - np.nanmean(side[0], axis=1, keepdims=True) for side in (times, cells))
    early, late = np.nanmean(times, axis=2)
    spread, trend = np.nansum(x * x), None
    if spread >= _SLOPE:
        trend = headline(review, np.mean(late - early) * np.nansum(x * y) / spread).value
    medians = np.median(medians, axis=1)
    before, after = np.exp(medians) if review.measure.relative else medians
    return Comparison(float(before), float(after), effect, trend)
