"""Incidents: days on which a theme is said more often than usual, with the false alarms stated."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import NamedTuple

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
LEAST, FEWEST = 5, 3
"""Messages that make an incident, and days from which one can be told."""
WEEKS = 4
"""Weeks from which a pattern by weekday can be told."""
HELD = 10.0
"""Messages of a weekday by which a theme's pattern is drawn towards that of all themes."""
SILENCE = 7
"""Days without a message of a source that are no longer zeros, but missing."""


class Piece(NamedTuple):
    """A window that stands out: its first and last day, its chance, how much counts vary."""

    start: int
    end: int
    chance: float
    inflation: float


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
    if not count or not inside.shape[1]:
        return pd.DataFrame()
    said, usual = _expected(table, count, measure)
    weekdays = 6 * (count >= 7 * WEEKS)
    if weekdays:
        usual = usual * _weekdays(said, usual)
    taken, pieces = searched(said, usual, weekdays)
    first = count - 1 - int((last - dated(days).min()).days)
    rows = []
    for theme, own in pieces.items():
        base = np.where(taken[:, theme], 0, [said[:, theme], usual[:, theme]]).sum(axis=1)
        for start, end, surest in _joined(own):
            if end < first:
                continue
            window = slice(start, end + 1)
            count_in, usual_in = (part[window, theme].sum() for part in (said, usual))
            low, ratio, high = ratio_of(count_in, usual_in, base[0], base[1], surest.inflation)
            day = last - pd.to_timedelta(count - 1 - np.array([start, end]), unit="D")
            rows.append(
                {
                    "theme": theme,
                    "start": str(day[0])[:10],
                    "end": str(day[1])[:10],
                    "on": end == count - 1,
                    "messages": round(count_in),
                    "expected": count_in / ratio,
                    "ratio": ratio,
                    "low": low,
                    "high": high,
                    "p": surest.chance,
                }
            )
    return pd.DataFrame(rows)


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
    [1.87, 4.0, 8.04]
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


def searched(said: Array, usual: Array, weekdays: int) -> tuple[Array, dict[int, list[Piece]]]:
    """Return which days of a theme are in an incident, and the windows that it was found by."""
    taken, pieces = np.zeros(said.shape, bool), dict[int, list[Piece]]()
    bound = FALSE_ALARMS / (365 * said.shape[1] * TRIED)
    again = len(said) >= FEWEST
    while again:
        again = False
        left, base = (np.where(taken, 0, part) for part in (said, usual))
        score, inflation, freedom = _scan(left, base, taken, weekdays)
        total, exposed = left.sum(axis=0), base.sum(axis=0)
        for theme, best in enumerate(score.reshape(-1, score.shape[-1]).argmax(axis=0)):
            at = *divmod(int(best), score.shape[1]), theme
            window = slice(at[1], at[1] + at[0] + 1)
            count, part = left[window, theme].sum(), base[window, theme].sum()
            if count < LEAST or score[at] < 1:
                continue
            chance = chance_of(
                count, total[theme], part / exposed[theme], inflation[at], freedom[at]
            )
            if chance < bound:
                again = taken[window, theme] = True
                piece = Piece(window.start, window.stop - 1, chance, inflation[at])
                pieces.setdefault(theme, []).append(piece)
    return taken, pieces


def _joined(pieces: Sequence[Piece]) -> list[tuple[int, int, Piece]]:
    """Return the first and last day of incidents, pieces that adjoin as one, and its surest."""
    spans: list[tuple[int, int, Piece]] = []
    for piece in sorted(pieces):
        if spans and spans[-1][1] + 1 == piece.start:
            start, _, surest = spans.pop()
            spans.append((start, piece.end, min(surest, piece, key=lambda each: each.chance)))
        else:
            spans.append((piece.start, piece.end, piece))
    return spans


def _scan(said: Array, usual: Array, taken: Array, weekdays: int) -> tuple[Array, Array, Array]:
    """Return how much each window stands out, how much counts vary and how well that is known.

    By the window's length less 1, its first day and the theme.
    """
    days, themes = said.shape
    root = np.sqrt(usual)
    scaled = np.divide(said, root, out=np.zeros_like(root), where=root > 0)
    (one, two), (base, next_base) = ((part, part[1:]) for part in (scaled, root))
    same = scaled**2, 2 * said * (root > 0), usual
    pairs = one[:-1] * two, one[:-1] * next_base + base[:-1] * two, base[:-1] * next_base
    near = [np.pad(part, ((1, 1), (0, 0))) for part in pairs]
    shape = min(LONGEST, days // 2), days, themes
    score, spread, free = np.full(shape, -np.inf), np.ones(shape), np.ones(shape)
    total, exposed = said.sum(axis=0), usual.sum(axis=0)
    for length in range(1, shape[0] + 1):
        others, base_of = _outside(said, length), _outside(usual, length)
        level = np.maximum(others, 0.5) / np.maximum(base_of, 1e-9)
        own = np.maximum(_outside(root > 0, length) - 1 - weekdays, 0)
        squares, products = (
            np.maximum(
                _outside(parts[0], wide)
                - level * _outside(parts[1], wide)
                + level**2 * _outside(parts[2], wide),
                0,
            )
            for parts, wide in ((same, length), (near, length + 1))
        )
        dispersion = np.maximum(squares / level / np.maximum(own, 1), 1)
        likeness = products / np.maximum(squares, 1e-9)
        likeness += (1 + 3 * likeness) / np.maximum(own, 1)  # its bias in few days
        prior = np.minimum(BORROWED, own * (themes - 1))
        freedom = np.maximum(own + prior, 1)
        drawn = [
            (own * part + prior * np.median(part, axis=1, keepdims=True)) / freedom
            for part in (dispersion, likeness.clip(0, 0.9))
        ]
        apart = np.arange(1, length).reshape(-1, 1, 1)
        inflation = drawn[0] * (1 + 2 * ((1 - apart / length) * drawn[1] ** apart).sum(axis=0))
        count, part = total - others, (exposed - base_of) / np.maximum(exposed, 1e-9)
        part = np.clip(part, 1e-9, 1 - 1e-9)
        deviance = xlogy(count, count / np.maximum(total * part, 1e-9)) + xlogy(
            others, others / np.maximum(total * (1 - part), 1e-9)
        )
        above = np.sqrt(2 * np.maximum(deviance, 0) / np.maximum(inflation, 1)) * np.sign(
            count - total * part
        )
        whole = (_outside(taken, length) == taken.sum(axis=0)) & (own > 0)
        ends = (root[: days - length + 1] > 0) & (root[length - 1 :] > 0)
        at = np.s_[length - 1, : days - length + 1]
        score[at] = np.where(whole & ends, above, -np.inf)
        spread[at], free[at] = inflation, freedom
    return score, spread, free


def _outside(values: Array, length: int) -> Array:
    """Return the sums of all days without those of the windows of a length, by their first day."""
    sums = np.cumsum(np.pad(values * 1.0, ((1, 0), (0, 0))), axis=0)
    return np.asarray(sums[-1] - (sums[length:] - sums[:-length]))


def _expected(table: pd.DataFrame, count: int, measure: Measure) -> tuple[Array, Array]:
    """Return the messages of each day and theme, and what its sources and weekday let expect."""
    volume = table["all"].unstack().reindex(range(count)[::-1])  # noqa: PD010
    seen = volume.notna()
    if measure == "rate":
        silent = [part.groupby(part.cumsum()).transform("size") for _, part in seen.items()]
        each = pd.concat(silent, axis=1).le(SILENCE).to_numpy() & (seen.cumsum() > 0).to_numpy()
    else:
        each = volume.fillna(0).to_numpy()
    own = table.drop(columns="all")
    rates = own.groupby("source").sum().to_numpy() / np.maximum(each.sum(axis=0), 1e-9)[:, None]
    said = own.groupby("ago").sum().reindex(volume.index, fill_value=0).to_numpy()
    usual = each @ rates
    return said, usual


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
