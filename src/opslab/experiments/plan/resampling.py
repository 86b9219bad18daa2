"""A/A tests on the history: how often the readout would claim a difference where there is none."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

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
    if not (runs and buckets):
        return ()
    rng, size = np.random.default_rng(seed), len(next(iter(buckets.values())).counts)
    claimed: dict[str, list[Any]] = {name: [] for name in buckets}
    starts = range(0, runs, _AT_ONCE)
    shown = click.progressbar(starts, label="A/A", file=sys.stderr) if sys.stderr.isatty() else None
    with shown or nullcontext(starts) as chunks:
        for start in chunks:
            dealt = rng.random((min(_AT_ONCE, runs - start), size), dtype=np.float32) < share
            for name, known in buckets.items():
                most = _MOST_VALUES // len(known.values[0]) if known.values else runs
                claimed[name].append(claims(known, dealt[: max(most - start, start == 0)], alpha))
    return tuple(
        _resampled(name, np.concatenate(parts), alpha, size) for name, parts in claimed.items()
    )


def _resampled(name: str, claimed: Any, alpha: float, size: int) -> Resampled:
    n, count = len(claimed), int(claimed.sum())
    low = (
        float(betaincinv(count, n - count + 1, 0.025)) if count else 0.0
    )  # Clopper, Pearson (1934)
    high = float(betaincinv(count + 1, n - count, 0.975)) if count < n else 1.0
    return Resampled(name, n, count, count / n, low, high, alpha, size)


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
        return np.array([_quantile_claim(known, arm, 1 - alpha) for arm in dealt], dtype=bool)
    size, width = known.sums.shape
    flat = np.column_stack([known.counts, known.sums, known.products.reshape(size, -1)])
    arm = dealt.astype(float) @ flat
    both = np.stack([arm, flat.sum(axis=0) - arm])
    n, sums, products = np.split(both, [1, 1 + width], axis=2)
    with np.errstate(all="ignore"):  # what has no variance claims nothing
        means = known.means + sums / n
        scatter = products.reshape(2, -1, width, width) - sums[..., None] * (sums / n)[..., None, :]
        p_values = _p_values(known, n[..., 0], means, scatter)
        if known.columns.metric.scale == "share":
            few, scores = _scores(n[..., 0], means[..., 0])
            p_values = np.where(few, scores, p_values)
        return p_values <= alpha


def _p_values(known: Buckets, n: Any, means: Any, scatter: Any) -> Any:
    """Return the p-value of each test from both sides' moments, as `contrast` has it."""
    own, widths = len(known.columns.own), [width for _, width in known.columns.covariates]
    fixed = linearised(known.means, own, widths, known.means).loadings
    fixed = fixed[[0, *(1 + order for order in known.kept)]]
    loadings, estimates = np.tile(fixed, (*n.shape, 1, 1)), means[..., 0]
    if own > 1:
        estimates = estimates / means[..., 1]
        loadings[..., 0, :2] = np.stack([np.ones_like(n), -estimates], axis=-1) / means[..., 1:2]
    scatter = loadings @ scatter @ loadings.swapaxes(-1, -2)
    slopes = np.linalg.solve(scatter[..., 1:, 1:], scatter[..., 1:, :1])[..., 0]
    slope = (n[::-1, :, None] * slopes).sum(axis=0) / n.sum(axis=0)[:, None]
    adjusted = np.column_stack([np.ones(len(slope)), -slope])
    freedom = n - 1 - len(known.kept)
    errors = np.einsum("ti,stij,tj->st", adjusted, scatter, adjusted) / freedom / n
    variance = errors.sum(axis=0)
    degrees = variance**2 / (errors**2 / freedom).sum(axis=0)
    gap = ((means[0] - means[1]) @ fixed[1:].T * slope).sum(axis=1)
    distance = abs(estimates[0] - estimates[1] - gap)
    return 2 * stdtr(degrees, -distance / np.sqrt(variance))


def _scores(n: Any, shares: Any) -> tuple[Any, Any]:
    """Return where counts are small, and the p-values of the score test."""
    successes, total = np.round(shares * n), n.sum(axis=0)
    pooled, few = successes.sum(axis=0) / total, np.minimum(successes, n - successes).min(axis=0)
    variance = pooled * (1 - pooled) * (1 / n).sum(axis=0) * total / (total - 1)
    return few < SMALL_COUNT, 2 * ndtr(-abs(shares[0] - shares[1]) / np.sqrt(variance))


def _quantile_claim(known: Buckets, arm: Any, level: float) -> bool:
    """Return whether a test of a quantile claims a difference."""
    metric: Any = known.columns.metric
    values, places = known.values or ([], [])
    sides = []
    for inside in (arm[places], ~arm[places]):
        own = np.flatnonzero(inside)
        around = ranks(len(own), metric.quantile, level)
        if around is None:
            return False
        sides.append(OrderStatistics(*values[own[np.array(around) - 1]]))
    compared, tied = (
        quantile_contrast(sides[0], sides[1], level),
        any(x.lower == x.upper for x in sides),
    )
    reach = float(ndtri((1 + level) / 2)) * compared.variance**0.5
    return not tied and bool(abs(compared.difference) >= reach)
