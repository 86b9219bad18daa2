"""A/A tests on the history: how often the readout would claim a difference where there is none."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any, NamedTuple

import click
import numpy as np
from scipy.special import betaincinv, ndtr, ndtri, stdtr

from opslab.experiments.inference.comparisons import SMALL_COUNT
from opslab.experiments.inference.covariates import linearised
from opslab.experiments.inference.quantiles import OrderStatistics, quantile_contrast, ranks
from opslab.experiments.plan.history import Buckets
from opslab.experiments.plan.result import Resampled

_AT_ONCE = 512  # tests
_MOST_VALUES = 200_000_000  # that are gone through for all tests of a quantile


class Dealt(NamedTuple):
    """Sums of the arm or of the control, one for each test, as in `Buckets`."""

    counts: Any
    sums: Any
    products: Any


def resample(
    buckets: Mapping[str, Buckets], share: float, alpha: float, runs: int, seed: int
) -> tuple[Resampled, ...]:
    """Deal the buckets anew, and return how often each metric's test claims a difference.

    Parameters
    ----------
    buckets : mapping
        By metric.
    share : float
        Of the units of the compared pair that go to the arm.
    alpha : float
        Two-sided level of each test.
    runs : int
        Tests; fewer of a quantile with many values.
    seed : int
    """
    tested = dict.fromkeys(buckets, 0)
    claimed = dict(tested)
    most = {
        name: max(_MOST_VALUES // len(known.values[0]), 1) if known.values else runs
        for name, known in buckets.items()
    }
    rng, size = (
        np.random.default_rng(seed),
        max((len(known.counts) for known in buckets.values()), default=0),
    )
    starts = range(0, runs if buckets else 0, _AT_ONCE)
    shown = click.progressbar(starts, label="A/A", file=sys.stderr) if sys.stderr.isatty() else None
    with shown or nullcontext(starts) as chunks:
        for start in chunks:
            dealt = rng.random((min(_AT_ONCE, runs - start), size), dtype=np.float32) < share
            for name, known in buckets.items():
                part = dealt[: max(most[name] - start, 0)]
                if len(part):
                    tested[name] += len(part)
                    claimed[name] += int(claims(known, part, alpha).sum())
    return tuple(
        Resampled(
            name,
            tested[name],
            count,
            count / tested[name],
            *_exact(count, tested[name]),
            alpha,
            size,
        )
        for name, count in claimed.items()
        if tested[name]
    )


def _exact(count: int, n: int) -> tuple[float, float]:
    """Return the 95 % limits of a share (Clopper and Pearson 1934)."""
    low = float(betaincinv(count, n - count + 1, 0.025)) if count else 0.0
    return low, float(betaincinv(count + 1, n - count, 0.975)) if count < n else 1.0


def claims(known: Buckets, dealt: Any, alpha: float) -> Any:
    """Return which tests claim a difference, as `compared` would.

    Parameters
    ----------
    known : Buckets
    dealt : array of bool, shape (tests, buckets)
        Whether a bucket is in the arm.
    alpha : float
    """
    if known.values:
        return np.array([_quantile_claim(known, row, 1 - alpha) for row in dealt])
    size, width = len(known.counts), known.sums.shape[1]
    flat = np.column_stack([known.counts, known.sums, known.products.reshape(size, -1)])
    arm = dealt.astype(float) @ flat
    sides = [
        Dealt(side[:, 0], side[:, 1 : 1 + width], side[:, 1 + width :].reshape(-1, width, width))
        for side in (arm, flat.sum(axis=0) - arm)
    ]
    with np.errstate(all="ignore"):  # what has no variance claims nothing
        p_values = _p_values(known, *sides)
        if known.columns.metric.scale == "share":
            p_values = _by_score(known, *sides, p_values)
    return p_values <= alpha


def _p_values(known: Buckets, arm: Dealt, control: Dealt) -> Any:
    """Return the p-value of each test, as `contrast` has it."""
    own, widths = len(known.columns.own), [width for _, width in known.columns.covariates]
    plain = linearised(known.means, own, widths, known.means).loadings
    plain = plain[[0, *(1 + order for order in known.kept)]]
    estimates, scatters, slopes, covariates = [], [], [], []
    for side in (arm, control):
        apart = side.sums / side.counts[:, None]
        means = known.means + apart
        loadings = np.repeat(plain[None], len(means), axis=0)
        estimate = means[:, 0]
        if own > 1:
            estimate = estimate / means[:, 1]
            loadings[:, 0, :2] = np.column_stack([1 / means[:, 1], -estimate / means[:, 1]])
        scatter = side.products - side.sums[:, :, None] * apart[:, None, :]
        scatter = loadings @ scatter @ loadings.transpose(0, 2, 1)
        estimates.append(estimate)
        scatters.append(scatter)
        slopes.append(np.linalg.solve(scatter[:, 1:, 1:], scatter[:, 1:, :1])[:, :, 0])
        covariates.append(means @ plain[1:].T)
    counts = np.array([arm.counts, control.counts])
    slope = (counts[1, :, None] * slopes[0] + counts[0, :, None] * slopes[1]) / counts.sum(axis=0)[
        :, None
    ]
    adjusted = np.column_stack([np.ones(len(slope)), -slope])
    freedom = counts - 1 - len(known.kept)
    errors = np.array(
        [np.einsum("ri,rij,rj->r", adjusted, scatter, adjusted) for scatter in scatters]
    )
    errors = errors / freedom / counts
    variance = errors.sum(axis=0)
    degrees = variance**2 / (errors**2 / freedom).sum(axis=0)
    gap = ((covariates[0] - covariates[1]) * slope).sum(axis=1)
    difference = estimates[0] - estimates[1] - gap
    return 2 * stdtr(degrees, -abs(difference) / np.sqrt(variance))


def _by_score(known: Buckets, arm: Dealt, control: Dealt, p_values: Any) -> Any:
    """Return the p-values, those of small counts by the score test."""
    n = np.array([arm.counts, control.counts])
    successes = np.round(known.means[0] * n + [arm.sums[:, 0], control.sums[:, 0]])
    shares, pooled, total = successes / n, successes.sum(axis=0) / n.sum(axis=0), n.sum(axis=0)
    variance = pooled * (1 - pooled) * (1 / n).sum(axis=0) * total / (total - 1)
    scores = 2 * ndtr(-abs(shares[0] - shares[1]) / np.sqrt(variance))
    few = np.minimum(successes, n - successes).min(axis=0) < SMALL_COUNT
    return np.where(few, scores, p_values)


def _quantile_claim(known: Buckets, arm: Any, level: float) -> bool:
    """Return whether a test of a quantile claims a difference."""
    values, places = known.values or ([], [])
    inside, sides = arm[places], []
    for of in (inside, ~inside):
        own = np.flatnonzero(of)
        around = ranks(len(own), known.columns.metric.quantile, level)
        if around is None:
            return False
        sides.append(OrderStatistics(*values[own[np.array(around) - 1]]))
        if sides[-1].lower == sides[-1].upper:
            return False
    compared = quantile_contrast(*sides, level)
    reach = float(ndtri((1 + level) / 2)) * compared.variance**0.5
    return bool(abs(compared.difference) >= reach)
