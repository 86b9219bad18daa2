"""The Bayesian design: against conjugate formulas written out here, and against draws by numpy."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from conftest import page_of
from opslab import experiments
from opslab.errors import SpecError
from opslab.experiments.spec import Experiment
from opslab.messages import LANGUAGES

DESIGN = {"method": "bayesian", "prior": {"sd": 0.05}, "loss": 0.002, "settled": "0d"}
SPEND = {"name": "spend", "type": "mean", "column": "spend", "role": "primary", "goal": "increase"}
LOAD = {"name": "load", "type": "mean", "column": "load", "role": "guardrail", "goal": "decrease"}
BOUGHT = {"name": "bought", "type": "proportion", "column": "bought", "role": "primary"}


def spec(design, *metrics, **more):
    fields = {
        "experiment": "believed",
        "unit": "user",
        "arms": {"column": "arm", "control": "old", "weights": {"old": 1, "new": 1}},
        "period": {"time": "at", "start": "2026-09-01", "end": "2026-09-28"},
        "metrics": metrics or (SPEND, LOAD | {"margin": {"relative": 0.05}}),
    }
    return Experiment(design=design, **fields | more)


def rows(effect=0.0, units=4_000, seed=1, harm=0.0):
    draw = np.random.default_rng(seed)
    arm = draw.integers(0, 2, units)
    at = pd.Timestamp("2026-09-01") + pd.to_timedelta(draw.integers(0, 28, units), unit="D")
    columns = {
        "user": np.arange(units),
        "arm": np.where(arm, "new", "old"),
        "spend": draw.normal(20, 5, units) + effect * arm,
        "load": draw.normal(500, 40, units) + harm * arm,
        "bought": (draw.random(units) < 0.3 + 0.02 * arm).astype(int),
    }
    return pd.DataFrame(columns | {"at": at.date.astype(str)})


def arms(data, column):
    return [data.loc[data["arm"] == arm, column] for arm in ("new", "old")]


def test_the_posterior_is_the_conjugate_one_with_the_delta_methods_error():
    data = rows(0.4)
    result = experiments.analyze(spec(DESIGN, SPEND | {"mde": {"relative": 0.01}}), data)
    posterior, known = result.posteriors[0], result.comparisons[0]
    new, old = arms(data, "spend")
    lift = new.mean() / old.mean() - 1
    error = math.sqrt(
        new.var() / len(new) / old.mean() ** 2
        + new.mean() ** 2 * old.var() / len(old) / old.mean() ** 4
    )
    precision = 1 / error**2 + 1 / 0.05**2
    mean, sd = lift / error**2 / precision, precision**-0.5
    assert posterior.estimate == pytest.approx(lift)
    assert posterior.mean == pytest.approx(mean, rel=1e-5)
    assert (posterior.low, posterior.high) == pytest.approx(
        stats.norm.interval(0.95, mean, sd), rel=1e-4
    )
    assert posterior.pull == pytest.approx(1 / 0.05**2 / precision, rel=1e-4)
    assert posterior.wins == pytest.approx(stats.norm.sf(0, mean, sd), rel=1e-6)
    assert posterior.exceeds == pytest.approx(stats.norm.sf(0.01, mean, sd), rel=1e-4)
    assert posterior.loss == pytest.approx(
        stats.norm(mean, sd).expect(lambda effect: max(-effect, 0)), abs=1e-8
    )
    assert (known.lift, known.p_value, known.p_adjusted) == (posterior.mean, None, None)
    assert known.method == "bayes"
    assert result.decision.action == "ship"


def test_a_proportion_with_a_beta_prior_agrees_with_draws():
    data = rows()
    prior = {"sd": 0.05, "beta": [2, 5]}
    result = experiments.analyze(
        spec(DESIGN | {"prior": prior}, BOUGHT | {"goal": "increase"}), data
    )
    posterior = result.posteriors[0]
    draw = np.random.default_rng(4)
    new, old = (
        draw.beta(2 + side.sum(), 5 + len(side) - side.sum(), 400_000)
        for side in arms(data, "bought")
    )
    lift = new / old - 1
    assert posterior.wins == pytest.approx((new > old).mean(), abs=0.004)
    assert (posterior.low, posterior.high) == pytest.approx(
        np.quantile(lift, [0.025, 0.975]), abs=0.002
    )
    assert posterior.loss == pytest.approx(np.maximum(old - new, 0).mean() / old.mean(), abs=1e-4)


def test_the_data_alone_guard_a_margin():
    """A narrow prior around nothing would call any harm safe."""
    prior = {"sd": 0.0001}
    data = rows(1.0, harm=60.0)
    result = experiments.analyze(spec(DESIGN | {"prior": prior, "loss": 1e-5}), data)
    (posterior,), guarded = result.posteriors, result.comparisons[1]
    alone = experiments.analyze(spec({}), data).comparisons[1]
    assert (guarded.lift, guarded.lift_interval) == (alone.lift, alone.lift_interval)
    assert result.comparisons[1].verdict == "harmed"
    assert result.decision.action != "ship"
    assert posterior.pull > 0.99
    assert "99." in page_of(result, "en")


@pytest.mark.parametrize(
    ("effect", "loss", "action"),
    [(1.0, 0.002, "ship"), (-1.0, 0.002, "do_not_ship"), (0.0, 1e-6, "extend")],
)
def test_the_smaller_expected_loss_decides(effect, loss, action):
    design = DESIGN | {"loss": loss}
    result = experiments.analyze(spec(design, SPEND), rows(effect))
    assert result.decision.action == action
    for language in LANGUAGES:
        page = page_of(result, language)
        assert page.count("<h1>") == 1
        for word in (">nan", ">inf", ">None<", "nan%"):
            assert word not in page


def test_the_prior_is_told_in_words():
    result = experiments.analyze(spec(DESIGN), rows())
    page = page_of(result, "en").replace("\xa0", " ")
    assert "two of three effects on a primary metric were believed to lie within" in page
    assert "5.0% to +5.0%. An arm is shipped" in page
    assert result.plan.design["prior"]["sd"] == 0.05


def test_evidence_and_frame_hold_what_is_believed():
    result = experiments.analyze(spec(DESIGN), rows(0.4))
    (evidence,) = result.evidence()
    known = result.comparisons[0]
    assert evidence.quantity.family == "normal"
    assert (evidence.quantity.low, evidence.quantity.high) == known.difference_interval
    assert result.frame()["p_value"].isna().all()


def test_an_absolute_prior_has_one_unit():
    design = DESIGN | {"prior": {"sd": 0.5, "scale": "absolute"}}
    result = experiments.analyze(spec(design), rows(0.4))
    assert result.comparisons[0].difference == result.posteriors[0].mean
    with pytest.raises(SpecError, match="one primary metric, and there are several"):
        experiments.analyze(spec(design, SPEND, LOAD | {"role": "primary"}), rows())


def test_a_prior_without_width_is_refused():
    with pytest.raises(SpecError, match="must be greater than 1e-12"):
        spec(DESIGN | {"prior": {"sd": 0}})
    with pytest.raises(SpecError, match="the prior alone would decide"):
        experiments.analyze(spec(DESIGN | {"loss": 0.02}), rows())


def test_a_guardrail_of_rare_events_has_the_interval_of_the_score_test():
    """0 of 100 against 0 of 100 is not known to be safe, as Wald's error of 0 would say."""
    data = rows(5.0, units=200)
    data["bought"] = 0
    guardrail = BOUGHT | {"role": "guardrail", "goal": "decrease", "margin": {"absolute": 0.01}}
    result = experiments.analyze(spec(DESIGN | {"loss": 0.01}, SPEND, guardrail), data)
    fixed = experiments.analyze(spec({}, SPEND, guardrail), data)
    known, alone = result.comparisons[1], fixed.comparisons[1]
    assert known.difference_interval == alone.difference_interval
    assert (known.verdict, known.method) == ("unproven", "score")
    assert result.decision.action != "ship"


def test_few_events_of_a_primary_need_a_beta_prior():
    data = rows(units=400)
    data["bought"] = (data.index % 20 == 0).astype(int)
    share = BOUGHT | {"goal": "increase"}
    known = experiments.analyze(spec(DESIGN, share), data).comparisons[0]
    assert known.not_estimable.key == "experiments.prior_rare"
    prior = {"sd": 0.05, "beta": [1, 1]}
    known = experiments.analyze(spec(DESIGN | {"prior": prior}, share), data)
    assert known.posteriors[0].wins < 1


def test_data_that_end_early_are_read_as_of_their_last_day():
    data = rows()
    result = experiments.analyze(spec(DESIGN | {"settled": "3d"}), data[data["at"] <= "2026-09-14"])
    assert str(result.as_of) == "2026-09-14"
    assert sum(result.comparisons[0].n) == (data["at"] <= "2026-09-11").sum()
    assert "experiments.period_stale" in {check.detail.key for check in result.checks}
