"""Incidents: days on which a theme is said more often than usual, with the false alarms stated."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import betaincinv, ndtri, stdtr, xlogy
from scipy.stats import betabinom, binom

from opslab.feedback.contrasts import Array
from opslab.feedback.history import counted, dated
from opslab.feedback.trends import BORROWED, Measure

FALSE_ALARMS = 4.0
"""False alarms that are accepted in a year of watching all themes of a study: one a quarter."""
LONGEST = 14
"""Days of the longest window that is tried; longer incidents are told in pieces, then joined."""
TRIED = 8.0
"""Tests that the windows of a day are worth, since they overlap: by simulation."""
LEAST, FEWEST, LOOKED = 5, 3, 2.5
"""Messages of an incident, days that can tell one, scores whose chance is worked out: at least."""
WEEKS, WEEKDAYS = 4, 6
"""Weeks from which a pattern by weekday can be told, and its degrees of freedom."""
HELD = 10.0
"""Messages of a weekday by which a theme's pattern is drawn towards that of all themes."""
SILENCE = 7
"""Days without a message of a source that are no longer zeros, but missing."""


COLUMNS = "theme start end on messages expected ratio low high p"


def incidents(
    inside: Array,
    days: Sequence[datetime.date | None],
    sources: Sequence[str],
    customers: Sequence[str | None] = (),
    past: pd.DataFrame | None = None,
    measure: Measure = "share",
) -> pd.DataFrame:
    """Find the days on which a theme is said more often than on all others, in the same sources.

    Windows of 1 to 14 days (at most half of all) are held against all other days: the theme's share
    of the messages, or its rate. Given how much there is in all, the count of a window is
    beta-binomial where counts vary more than by chance, binomial where they do not, so that the
    baseline's own error is in the test. How much they vary is Pearson's dispersion of the days
    outside the window, never below 1, drawn towards the median of all themes, and more for long
    windows where a day follows the one before (an autoregression of the first order); its own error
    is that of Student's t. From four weeks on a theme has a pattern by weekday. A window counts
    where its chance is below `FALSE_ALARMS` a year, over all themes and windows. The best window is
    told, its days are taken out, and the rest is searched again; what adjoins is one incident.

    Parameters
    ----------
    inside, days, sources, customers, past, measure
        As of `opslab.feedback.trends.trends`; a customer counts once a day.

    Returns
    -------
    pandas.DataFrame
        By theme and start, of incidents that reach into the days of ``inside``: ``theme``,
        ``start``, ``end``, ``on`` (whether the end is the last day), ``messages``, ``expected`` by
        the days outside all incidents of the theme, ``ratio`` of the two with its 95 % interval
        ``low`` and ``high``, and the chance ``p`` of its surest window.

    Sources
    -------
    Test and interval given the sum: Przyborowski and Wilenski (1940), Clopper and Pearson (1934);
    of negative binomial counts with a common dispersion the sum leaves a beta-binomial. Scanning:
    Kulldorff (1997).
    """
    table, count, last = counted(inside, days, sources, customers, 1, past)
    rows = []
    if count >= FEWEST and inside.shape[1]:
        said, usual = _expected(table, count, measure)
        chances, spread = searched(said, usual, WEEKDAYS * (count >= 7 * WEEKS))
        first = count - 1 - (last - dated(days).min()).days
        dates = [str(last - pd.Timedelta(days=count - 1 - day))[:10] for day in range(count)]
        for theme, column in enumerate(chances.T):
            own, own_usual = said[:, theme], usual[:, theme]
            calm, hit = column == 1, np.flatnonzero(column < 1)
            for run in np.split(hit, np.flatnonzero(np.diff(hit) > 1) + 1) if len(hit) else []:
                said_in, inflation = own[run].sum(), spread[run, theme].max()
                low, ratio, high = ratio_of(
                    said_in, own_usual[run].sum(), own[calm].sum(), own_usual[calm].sum(), inflation
                )
                numbers = round(said_in), said_in / ratio, ratio, low, high, column[run].min()
                if run[-1] >= first:
                    span = dates[run[0]], dates[run[-1]], bool(run[-1] == count - 1)
                    rows.append((theme, *span, *numbers))
    return pd.DataFrame(rows, columns=COLUMNS.split())


def ratio_of(
    count: float, usual: float, others: float, base: float, inflation: float
) -> tuple[float, float, float]:
    """Return the ratio of a window to its baseline between the ends of its 95 % interval.

    Parameters
    ----------
    count, usual : float
        Messages of the window, and what it is exposed to.
    others, base : float
        Those of the baseline; at least half a message.
    inflation : float
        By which counts vary more than by chance: they tell as much as so many times fewer.

    Examples
    --------
    >>> [round(float(value), 2) for value in ratio_of(12, 2, 30, 20, 1.0)]
    [1.87, 4.0, 8.05]
    """
    own, rest = count / inflation, max(others, 0.5) / inflation
    ends = betaincinv(own, rest + 1, 0.025), betaincinv(own + 1, rest, 0.975)
    low, high = (end / (1 - end) * base / usual for end in ends)
    return low, count * base / usual / max(others, 0.5), high


def chance_of(count: float, total: float, part: float, inflation: float, freedom: float) -> float:
    """Return the chance of so many messages and more in a window, given those of all days.

    Parameters
    ----------
    count, total : float
        Of the window, and of all days.
    part : float
        Of what all days are exposed to.
    inflation : float
        Variance over that of a Poisson count; at 1 the count is binomial, else beta-binomial.
    freedom : float
        Of the inflation: the normal score of the chance is Student's.

    Examples
    --------
    >>> round(chance_of(9, 20, 0.2, 1.0, np.inf), 4)  # binomial
    0.01
    """
    size = total / max(inflation - 1, 1e-9)
    law = (
        betabinom(round(total), size * part, size * (1 - part))
        if inflation > 1 + 1e-6
        else binom(round(total), part)
    )
    return float(stdtr(freedom, ndtri(np.clip(law.sf(round(count) - 1), 1e-300, 0.5))))


def searched(said: Array, usual: Array, weekdays: int = 0) -> tuple[Array, Array]:
    """Return the chance of each day's incident, 1 where there is none, and how counts vary in it.

    Parameters
    ----------
    said, usual : array, shape (days, themes)
        Messages, and what they are in proportion to where nothing happens; 0 where nothing is
        known of a day.
    weekdays : int
        Degrees of freedom that a pattern in ``usual`` has taken; with it, one is made first.

    Returns
    -------
    chances, spread : array, shape (days, themes)
    """
    if weekdays:
        usual *= _weekdays(said, usual)
    chances, spread = np.ones((2, *said.shape))
    bound = FALSE_ALARMS / (365 * said.shape[1] * TRIED)
    again = True
    while again:
        again = False
        left, base = (np.where(chances < 1, 0, part) for part in (said, usual))
        scan = _scan(left, base, chances < 1, weekdays)
        for theme, best in enumerate(scan[0].reshape(-1, said.shape[1]).argmax(axis=0).tolist()):
            length, start = divmod(best, len(said))
            score, inflation, freedom = scan[:, length, start, theme]
            window = slice(start, start + length + 1), theme
            count, total = left[window].sum(), left[:, theme].sum()
            if count >= LEAST and score > LOOKED:
                part = base[window].sum() / base[:, theme].sum()
                chance = chance_of(count, total, part, inflation, freedom)
                if chance < bound:
                    chances[window], spread[window], again = chance, inflation, True
    return chances, spread


@np.errstate(all="ignore")
def _scan(said: Array, usual: Array, taken: Array, weekdays: int) -> Array:
    """Return how much each window stands out, how much counts vary and how well that is known.

    By the window's length less 1, its first day and the theme.
    """
    days, themes = said.shape
    root = np.sqrt(usual)
    scaled = np.nan_to_num(said / root)
    lags = []
    for lag in (0, 1):
        (first, base), (second, next_base) = (
            [part[own] for part in (scaled, root)] for own in (slice(days - lag), slice(lag, None))
        )
        parts = first * second, first * next_base + base * second, base * next_base
        lags.append([np.pad(part, ((lag, lag), (0, 0))) for part in parts])
    scan = np.full((3, min(LONGEST, days // 2), *said.shape), -np.inf)
    total = said.sum(axis=0)
    for length in range(1, scan.shape[1] + 1):
        others = _outside(said, length)
        sums = [[_outside(part, length + lag) for part in lags[lag]] for lag in (0, 1)]
        level = np.maximum(others, 0.5) / sums[0][2]
        own = np.maximum(_outside(root > 0, length) - 1 - weekdays, 1e-9)
        squares, products = (each[0] - level * each[1] + level**2 * each[2] for each in sums)
        likeness = products / squares
        likeness += (1 + 3 * likeness) / own  # its bias in few days
        prior = np.minimum(BORROWED, own * (themes - 1))
        freedom = own + prior
        dispersion, follows = (
            (own * part + prior * np.median(part, axis=1, keepdims=True)) / freedom
            for part in (np.fmax(squares / level / own, 1), np.nan_to_num(likeness).clip(0, 0.9))
        )
        apart = np.arange(1, length).reshape(-1, 1, 1)
        inflation = dispersion * (1 + 2 * ((1 - apart / length) * follows**apart).sum(axis=0))
        expected = total * sums[0][2] / usual.sum(axis=0)
        count, above = total - others, total - expected
        deviance = xlogy(count, count / above) + xlogy(others, others / expected)
        score = np.sqrt(2 * deviance / inflation) * np.sign(count - above)
        whole = (_outside(taken, length) == taken.sum(axis=0)) & (own >= 1)
        ends = root[: days - length + 1] * root[length - 1 :] > 0
        score = np.where(whole & ends & (score > 0), score, -np.inf)
        scan[:, length - 1, : len(score)] = np.broadcast_arrays(score, inflation, freedom)
    return scan


def _outside(values: Array, length: int) -> Array:
    """Return the sums of all days without those of the windows of a length, by their first day."""
    sums = np.cumsum(np.pad(values * 1.0, ((1, 0), (0, 0))), axis=0)
    return np.asarray(sums[-1] - (sums[length:] - sums[:-length]))


def _expected(table: pd.DataFrame, count: int, measure: Measure) -> tuple[Array, Array]:
    """Return the messages of each day and theme, and what its sources and weekday let expect."""
    volume = table["all"].unstack().reindex(range(count)[::-1])  # noqa: PD010
    each = volume.fillna(0)
    if measure == "rate":
        since = volume.notna().cumsum()  # messages of a source so far: the same in a silence
        silent = since.apply(lambda part: part.groupby(part).transform("size") > SILENCE)
        each = (volume.notna() | (~silent & (since > 0))) * 1.0
    own = table.drop(columns="all")
    rates = own.groupby("source").sum().to_numpy() / each.sum().to_numpy()[:, None]
    said = own.groupby("ago").sum().reindex(volume.index, fill_value=0)
    return said.to_numpy(), each.to_numpy() @ rates


def _weekdays(said: Array, usual: Array) -> Array:
    """Return by how much themes are said more on each day's weekday, without its highest week."""
    days, themes = said.shape
    pad = ((0, -days % 7), (0, 0))
    weeks, exposed = (np.pad(part, pad).reshape(-1, 7, themes) for part in (said, usual))
    high = np.argmax(weeks / np.maximum(exposed, 1e-9), axis=0)[None]
    counts, base = (
        part.sum(axis=0) - np.take_along_axis(part, high, axis=0)[0] for part in (weeks, exposed)
    )
    common = counts.sum(axis=1, keepdims=True) / np.maximum(base.sum(axis=1, keepdims=True), 1e-9)
    level = counts.sum(axis=0) / np.maximum(base.sum(axis=0), 1e-9)
    held = HELD / np.maximum(level, 1e-9)
    return np.resize((counts + HELD * common) / np.maximum(base + held, 1e-9), said.shape)
