"""A/A tests on the history: how often the readout would claim a difference where there is none."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from io import StringIO
from typing import Any

import click
import numpy as np
from scipy.special import ndtri, stdtr

from opslab.experiments.inference.comparisons import SMALL_COUNT
from opslab.experiments.inference.covariates import linearised
from opslab.experiments.inference.proportions import score_test
from opslab.experiments.inference.quantiles import OrderStatistics, quantile_contrast, ranks
from opslab.experiments.plan.history import Buckets
from opslab.experiments.plan.result import Resampled
from opslab.experiments.program.pooling import rate

_AT_ONCE = 512  # tests
_RIDGE = 1e-12  # of the usual spread: an arm where a covariate does not vary can still be solved
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
    file = sys.stderr if sys.stderr.isatty() else StringIO()
    with click.progressbar(range(0, runs, _AT_ONCE), label="A/A", file=file) as starts:
        for start in starts:
            dealt = rng.random((min(_AT_ONCE, runs - start), size), dtype=np.float32) < share
            for name, known in buckets.items():
                most = _MOST_VALUES // len(known.values[0]) if known.values else runs
                claimed[name] += [*claims(known, dealt[: max(most - start, start == 0)], alpha)]
    answers = []
    for name, tests in claimed.items():
        kept: Any = rate(int(sum(tests)), len(tests))
        shares = (kept.rate, kept.low, kept.high)
        answers.append(Resampled(name, kept.among, kept.count, *shares, alpha, size))
    return tuple(answers)


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
    n, sums, products = np.split(np.stack([arm, flat.sum(axis=0) - arm]), [1, 1 + width], axis=2)
    with np.errstate(all="ignore"):  # what has no variance claims nothing
        means = known.means + sums / n
        scatter = products.reshape(2, -1, width, width) - sums[..., None] * (sums / n)[..., None, :]
        p_values = _p_values(known, n[..., 0], means, scatter)
    if known.columns.metric.scale == "share":  # by the score test where counts are small
        counts = np.dstack([np.round(means[..., 0] * n[..., 0]), n[..., 0]])
        fewest = np.minimum(counts[..., 0], n[..., 0] - counts[..., 0]).min(axis=0)
        for test in np.flatnonzero(fewest < SMALL_COUNT):
            p_values[test] = score_test(*counts[:, test].ravel()).p_value
    return p_values <= alpha


def _p_values(known: Buckets, n: Any, means: Any, scatter: Any) -> Any:
    """Return the p-value of each test from both sides' moments, as `contrast` has it."""
    own, widths = len(known.columns.own), [width for _, width in known.columns.covariates]
    fixed = linearised(known.means, own, widths, known.means).loadings
    fixed = fixed[[0, *(1 + order for order in known.kept)]]
    loadings, below = np.tile(fixed, (*n.shape, 1, 1)), means[..., 1] if own > 1 else 1.0
    estimates = means[..., 0] / below
    if own > 1:
        loadings[..., 0, :2] = np.stack([1 / below, -estimates / below], axis=-1)
    scatter = loadings @ scatter @ loadings.swapaxes(-1, -2)
    spread = scatter[..., 1:, 1:]
    spread = spread + _RIDGE * np.nanmean(spread, axis=(0, 1))
    slopes = np.linalg.solve(spread, scatter[..., 1:, :1])[..., 0]
    slope = (n[::-1, :, None] * slopes).sum(axis=0) / n.sum(axis=0)[:, None]
    adjusted = np.column_stack([np.ones(len(slope)), -slope])
    freedom = n - 1 - len(known.kept)
    freedom[freedom <= 0] = np.nan
    errors = np.einsum("ti,stij,tj->st", adjusted, scatter, adjusted) / freedom / n
    variance = errors.sum(axis=0)
    degrees = variance**2 / (errors**2 / freedom).sum(axis=0)
    gap = ((means[0] - means[1]) @ fixed[1:].T * slope).sum(axis=1)
    distance = abs(estimates[0] - estimates[1] - gap)
    return 2 * stdtr(degrees, -distance / np.sqrt(variance))


def _quantile_claim(known: Buckets, arm: Any, level: float) -> bool:
    """Return whether a test of a quantile claims a difference."""
    metric: Any = known.columns.metric
    values, places = known.values or ([], [])
    sides = []
    for inside in (arm[places], ~arm[places]):
        own = values[inside]
        around = ranks(len(own), metric.quantile, level)
        if around is None:
            return False
        sides.append(OrderStatistics(*own[np.array(around) - 1]))
    compared = quantile_contrast(sides[0], sides[1], level)
    reach = float(ndtri((1 + level) / 2)) * compared.variance**0.5
    apart = all(side.lower < side.upper for side in sides)
    return apart and bool(abs(compared.difference) >= reach)
