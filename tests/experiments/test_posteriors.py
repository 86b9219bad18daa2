"""Posteriors against other integrations, closed forms and simulated worlds."""

import doctest
from itertools import pairwise
from math import inf, nan, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import betaln
from scipy.stats import beta, f, norm

from opslab.errors import InputError
from opslab.experiments.sequential import posteriors as module
from opslab.experiments.sequential.posteriors import (
    beta_posteriors,
    decision_values,
)
from opslab.uncertainty.update import update

quick = settings(deadline=None, max_examples=30)


def test_examples_run():
    assert doctest.testmod(module).failed == 0


def test_normal_posterior_by_bayes_rule():
    grid = np.linspace(-1, 1, 200_001)
    density = norm.pdf(0.07, grid, 0.03) * norm.pdf(grid, -0.01, 0.05)
    density /= density.sum()
    mean = float(density @ grid)
    posterior = update(-0.01, 0.05, 0.07, 0.03)
    assert posterior.mean == pytest.approx(mean, abs=1e-9)
    assert posterior.sd == pytest.approx(sqrt(density @ (grid - mean) ** 2), abs=1e-9)
    assert posterior.mean == pytest.approx(
        (1 - posterior.measured_share) * -0.01 + posterior.measured_share * 0.07
    )


@pytest.mark.parametrize("spreads", [(0, 1), (1, 0), (nan, 1)])
def test_no_spread_is_refused(spreads):
    with pytest.raises(InputError):
        update(0, spreads[1], 0.1, spreads[0])


@quick
@given(st.floats(-5, 5), st.floats(0.01, 3), st.sampled_from([1, -1]), st.floats(0, 2))
def test_decision_values_by_quadrature(mean, sd, sign, threshold):
    values = decision_values(mean, sd, sign, threshold)
    ends = mean - 10 * sd, mean + 10 * sd
    density = norm(mean, sd).pdf
    points = [0] if ends[0] < 0 < ends[1] else None
    against, toward = (
        quad(of, *ends, points=points)[0]
        for of in (
            lambda d: max(0, -sign * d) * density(d),
            lambda d: max(0, sign * d) * density(d),
        )
    )
    assert (values.loss_shipping, values.loss_keeping) == pytest.approx((against, toward), abs=1e-7)
    assert values.win == pytest.approx(norm.sf(0, sign * mean, sd))
    assert values.exceed == pytest.approx(norm.sf(threshold, sign * mean, sd))
    assert values.loss_keeping - values.loss_shipping == pytest.approx(sign * mean, abs=1e-12)


def test_far_from_nought_no_loss_is_negative():
    values = decision_values(50, 1, 1)
    assert values == (1.0, None, 0.0, 50.0)
    with pytest.raises(ValueError, match="sd == 0"):
        decision_values(1, 0, 1)


def win_by_miller(a, b, c, d):
    """Return the chance that the first share is larger, by Miller's finite sum (2014)."""
    i = np.arange(a)
    return float(
        np.exp(betaln(c + i, b + d) - np.log(b + i) - betaln(1 + i, b) - betaln(c, d)).sum()
    )


@pytest.mark.parametrize(
    "counts",
    [
        (120, 1_000, 100, 1_000),
        (0, 50, 3, 60),
        (7, 7, 0, 9),
        (0, 0, 0, 0),
        (3, 10, 30_000, 100_000),
        (100_300, 1_000_000, 100_000, 1_000_000),
        (0, 1_000_000, 0, 1_000_000),
        (5, 1_000_000, 1, 900_000),
    ],
)
def test_chance_to_win_by_a_finite_sum(counts):
    s, n, t, m = counts
    exact = win_by_miller(1 + s, 1 + n - s, 1 + t, 1 + m - t)
    assert beta_posteriors(*counts).values.win == pytest.approx(exact, abs=1e-8)
    assert beta_posteriors(t, m, s, n).values.win == pytest.approx(1 - exact, abs=1e-8)
    assert beta_posteriors(*counts, goal_sign=-1).values.win == pytest.approx(1 - exact, abs=1e-8)


@pytest.mark.parametrize("prior", [(1, 1), (0.5, 0.5), (20, 180)])
@pytest.mark.parametrize("counts", [(12, 100, 8, 90), (0, 30, 2, 40), (9, 10, 300, 1_000)])
@pytest.mark.parametrize("relative", [False, True])
def test_by_adaptive_quadrature(prior, counts, relative):
    s, n, t, m = counts
    arm, control = (beta(prior[0] + k, prior[1] + size - k) for k, size in ((s, n), (t, m)))
    middle = float(control.median())
    ends = [control.ppf(1e-14), control.ppf(1e-4), middle, control.isf(1e-4), control.isf(1e-14)]

    def expected(of):
        return sum(quad(of, *piece, epsabs=1e-13, limit=200)[0] for piece in pairwise(ends))

    def above(effect):
        bound = (lambda p: p * (1 + effect)) if relative else (lambda p: p + effect)
        return expected(lambda p: control.pdf(p) * arm.sf(bound(p)))

    result = beta_posteriors(*counts, prior, relative=relative, threshold=0.02, alpha=0.1)
    assert result.values.win == pytest.approx(above(0), abs=1e-7)
    assert result.values.exceed == pytest.approx(above(0.02), abs=1e-7)
    assert above(result.low) == pytest.approx(0.95, abs=1e-6)
    assert above(result.high) == pytest.approx(0.05, abs=1e-6)
    unit = control.mean() if relative else 1
    points = np.linspace(0, 1, 200_001)
    shipping = float(np.trapezoid(arm.cdf(points) * control.sf(points), points)) / unit
    assert result.values.loss_shipping == pytest.approx(shipping, abs=1e-6)
    assert result.mean == pytest.approx((arm.mean() - control.mean()) / unit)
    difference = result.values.loss_keeping - result.values.loss_shipping
    assert difference == pytest.approx(result.mean, abs=1e-12)


def test_lift_of_two_rare_shares():
    # With no success in a million the shares are exponential, and their ratio is F with 2 and 2.
    result = beta_posteriors(0, 1_000_000, 0, 1_000_000, relative=True)
    assert result.low == pytest.approx(f.ppf(0.025, 2, 2) - 1, abs=1e-6)
    assert result.high == pytest.approx(f.ppf(0.975, 2, 2) - 1, abs=1e-4)


def test_large_counts_are_normal():
    result = beta_posteriors(501_000, 1_000_000, 500_000, 1_000_000, threshold=0.0005)
    error = sqrt(2 * 0.25 / 1e6)
    assert result.values.win == pytest.approx(norm.sf(-0.001 / error), abs=1e-4)
    assert result.values.exceed == pytest.approx(norm.sf(-0.0005 / error), abs=1e-4)
    assert (result.low, result.high) == pytest.approx(
        (0.001 - 1.95996 * error, 0.001 + 1.95996 * error), abs=1e-6
    )


def test_a_goal_to_decrease_turns_everything_but_the_interval():
    more = beta_posteriors(12, 100, 8, 90, threshold=0.01)
    less = beta_posteriors(12, 100, 8, 90, threshold=-0.01, goal_sign=-1)
    assert less.values.win == pytest.approx(1 - more.values.win)
    assert less.values.exceed == pytest.approx(1 - more.values.exceed)
    assert less.values[2:] == pytest.approx(more.values[3:1:-1])
    assert less[1:] == more[1:]


@pytest.mark.slow
def test_chances_are_kept():
    # Worlds drawn from the prior: of all that have about this chance, so many win.
    random = np.random.default_rng(3)
    shares = random.beta(2, 8, (3_000, 2))
    counts = random.binomial(60, shares)
    results = [beta_posteriors(s, 60, t, 60, (2, 8)) for s, t in counts.tolist()]
    won = shares[:, 0] > shares[:, 1]
    chances = np.array([result.values.win for result in results])
    for low, high in ((0.0, 0.2), (0.4, 0.6), (0.8, 1.0)):
        inside = (chances >= low) & (chances <= high)
        error = sqrt(
            max(chances[inside].mean() * (1 - chances[inside].mean()), 0.01) / inside.sum()
        )
        assert won[inside].mean() == pytest.approx(chances[inside].mean(), abs=3.5 * error)
    effects = shares[:, 0] - shares[:, 1]
    held = [
        result.low <= effect <= result.high for result, effect in zip(results, effects, strict=True)
    ]
    assert np.mean(held) == pytest.approx(0.95, abs=3.5 * sqrt(0.0475 / 3_000))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((11, 10, 1, 10), "failures == 0"),
        ((-1, 10, 1, 10), "successes == 0"),
        ((0, 10, 1, 10, (0, 1)), "successes == 0"),
        ((1, 10, 1, 10, (1, inf)), "failures == inf"),
    ],
)
def test_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        beta_posteriors(*arguments)
