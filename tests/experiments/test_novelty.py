"""Effects by time since exposure: spans and their trend, against pandas and scipy."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from opslab import experiments
from opslab.experiments.inference.over_time import trend
from opslab.experiments.moments.arm_moments import Moments
from opslab.experiments.spec import Experiment

START = pd.Timestamp("2026-03-01")
VISITS = {
    "name": "visits",
    "type": "mean",
    "event": "visit",
    "window": {"to": "10d"},
    "role": "primary",
    "goal": "increase",
}


def analyzed(logs, *metrics):
    spec = Experiment(
        experiment="a test",
        unit="user",
        data={"assignments": "a", "events": "e"},
        arms={"column": "arm", "control": "old", "weights": {"old": 1, "new": 1}},
        metrics=metrics,
    )
    return experiments.analyze(spec, dict(zip(("assignments", "events"), logs, strict=True)))


def logs(n=800, fading=0.0, lasting=0.3, seed=1, days=28):
    """Return visits by day since exposure: the new arm's extra ones fade by so much a day."""
    random = np.random.default_rng(seed)
    new, assigned = (
        random.random(n) < 0.5,
        START + pd.to_timedelta(random.integers(0, 5 * 86_400, n), unit="s"),
    )
    assignments = pd.DataFrame(
        {"user": np.arange(n), "arm": np.where(new, "new", "old"), "at": assigned}
    )
    level = random.gamma(4, 0.25, n)
    parts = []
    for day in range(days):
        visits = random.poisson(level * (1 + new * np.maximum(lasting - fading * day, 0)))
        who = np.repeat(np.arange(n), visits)
        since = day + random.random(len(who))
        parts.append(
            pd.DataFrame({"user": who, "when": assigned[who] + pd.to_timedelta(since, unit="D")})
        )
    return assignments, pd.concat(parts, ignore_index=True).assign(event="visit")


def by_span(assignments, events, spans, length=1):
    """Return a table of units by span."""
    joined = events.merge(assignments, on="user")
    span = (joined.when - joined["at"]) // pd.Timedelta(days=length)
    counts = pd.crosstab(joined.user, span).reindex(assignments.user, fill_value=0)
    return counts.reindex(columns=range(spans), fill_value=0).to_numpy(float)


@pytest.mark.parametrize(
    ("window", "length", "spans"), [("10d", 1, 10), ("14d", 1, 14), ("21d", 7, 3), ("3d", 1, 3)]
)
def test_each_span_is_welch_and_the_trend_is_of_each_units_own_slope(window, length, spans):
    assignments, events = logs(days=26)
    (found,) = analyzed((assignments, events), VISITS | {"window": {"to": window}}).trends
    horizon = events.when.max().normalize() + pd.Timedelta(days=1)
    made, new = by_span(assignments, events, spans, length), (assignments.arm == "new").to_numpy()
    assert (found.days, len(found.spans)) == (length, spans)
    for place, one in enumerate(found.spans):
        over = (assignments["at"] + pd.Timedelta(days=(place + 1) * length) <= horizon).to_numpy()
        test = stats.ttest_ind(made[new & over, place], made[~new & over, place], equal_var=False)
        low, high = test.confidence_interval()
        assert (one.low, one.high) == pytest.approx((low, high), rel=1e-9)
    over = (assignments["at"] + pd.Timedelta(days=spans * length) <= horizon).to_numpy()
    slopes = np.polyfit(np.arange(spans), made.T, 1)[0]
    test = stats.ttest_ind(slopes[new & over], slopes[~new & over], equal_var=False)
    assert found.slope == pytest.approx(
        slopes[new & over].mean() - slopes[~new & over].mean(), rel=1e-8
    )
    assert found.p_value == pytest.approx(test.pvalue, rel=1e-8)


def test_a_fading_effect_is_found_and_a_lasting_one_is_not():
    (fading,) = analyzed(logs(fading=0.06, lasting=0.6), VISITS).trends
    (lasting,) = analyzed(logs(lasting=0.3), VISITS).trends
    assert fading.slope < 0
    assert fading.p_value < 1e-4
    assert lasting.p_value > 0.05


@pytest.mark.parametrize("window", ["2d", "1d", "12h"])
def test_a_short_window_has_no_trend(window):
    assert analyzed(logs(), VISITS | {"window": {"to": window}}).trends == ()


def test_guardrails_have_no_trend():
    guard = VISITS | {"name": "g", "role": "guardrail", "margin": {"relative": 0.1}}
    assert [one.metric for one in analyzed(logs(), VISITS, guard).trends] == ["visits"]


def test_spans_without_variation_give_none():
    empty, some = Moments(5, 0.0, 0.0), Moments(5, 1.0, 2.0)
    found = trend(
        "m", "new", [(empty, empty), (some, empty), (some, some)], (empty, empty), 0.05, 1
    )
    assert [one.difference for one in found.spans] == [None, 1.0, 0.0]
    assert (found.slope, found.p_value) == (None, None)


def test_without_a_trend_five_percent_are_claimed():
    """1,000 simulated experiments of correlated days (a unit's own level): within 3.5 Monte Carlo errors of 5 %."""
    random, claimed = np.random.default_rng(2), 0
    places = np.arange(7) - 3
    for _ in range(1_000):
        values = random.normal(0, 1, (60, 7)) + random.normal(0, 2, (60, 1))
        slopes = values @ places
        sides = [
            Moments(30, side.mean(), ((side - side.mean()) ** 2).sum())
            for side in (slopes[:30], slopes[30:])
        ]
        found = trend("m", "new", [(sides[0], sides[1])] * 7, (sides[0], sides[1]), 0.05, 1)
        claimed += found.p_value < 0.05
    assert claimed / 1_000 == pytest.approx(0.05, abs=3.5 * (0.05 * 0.95 / 1_000) ** 0.5)
