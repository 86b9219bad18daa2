"""A/A tests on a history: claims as the readout would make them, and rates that are the true ones."""

import numpy as np
import pandas as pd
import pytest

from opslab.experiments import Experiment, analyze, plan_experiment
from opslab.experiments.inference.metric_columns import metric_columns
from opslab.experiments.metrics import Mean
from opslab.experiments.plan.history import Buckets, read_past
from opslab.experiments.plan.resampling import claims, resample

ROLE = {"goal": "increase"}
METRICS = [
    {"name": "bought", "type": "proportion", "column": "b", "role": "primary"},
    {"name": "rare", "type": "proportion", "column": "rare", "role": "secondary"},
    {"name": "revenue", "type": "mean", "column": "r", "role": "secondary"},
    {"name": "adjusted", "type": "mean", "column": "r", "covariates": ["x"], "role": "secondary"},
    {"name": "basket", "type": "ratio", "numerator": "r", "denominator": "o", "role": "secondary"},
    {
        "name": "basket adjusted",
        "type": "ratio",
        "numerator": "r",
        "denominator": "o",
        "covariates": ["x", {"numerator": "x", "denominator": "before"}],
        "role": "secondary",
    },
    {
        "name": "capped",
        "type": "mean",
        "column": "r",
        "cap": {"quantile": 0.99},
        "role": "secondary",
    },
    {"name": "p80", "type": "quantile", "column": "r", "quantile": 0.8, "role": "secondary"},
]


def history(n=4_000, seed=4):
    rng = np.random.default_rng(seed)
    before = rng.gamma(1.0, 20.0, n)
    return pd.DataFrame(
        {
            "user": [f"u{row}" for row in range(n)],
            "b": rng.random(n) < 0.1,
            "rare": rng.random(n) < 0.006,
            "x": before,
            "r": 0.8 * before + rng.gamma(1.0, 20.0, n),
            "o": 1 + rng.poisson(2.0, n),
            "before": 1 + rng.poisson(3.0, n),
        }
    )


def spec(metrics=METRICS, weights=(2, 1), **planning):
    return Experiment(
        experiment="plan",
        unit="user",
        arms={
            "column": "arm",
            "control": "old",
            "weights": dict(zip(("old", "new"), weights, strict=True)),
        },
        metrics=[{**ROLE, **metric} for metric in metrics],
        planning={"resamples": 0, **planning},
    )


def test_claims_are_those_of_the_readout():
    # 16 splits by bucket, each analysed as an experiment of its own.
    frame, experiment = history(), spec()
    past = read_past(experiment, frame, None)
    bucket = frame["user"].map(
        lambda user: __import__("hashlib").md5(user.encode()).hexdigest()[:3]
    )
    names = sorted(set(bucket))
    dealt = np.random.default_rng(1).random((16, len(names))) < 1 / 3
    alpha = 0.4  # so that there is something to claim
    claimed = {name: claims(known, dealt, alpha) for name, known in past.buckets.items()}
    assert set(claimed) == {metric["name"] for metric in METRICS}
    place = bucket.map({name: order for order, name in enumerate(names)}).to_numpy()
    changed = experiment.changed(design={"alpha": alpha})
    for run, row in enumerate(dealt):
        frame["arm"] = np.where(row[place], "new", "old")
        for known in analyze(changed, frame).comparisons:
            if known.metric == "p80":  # its ranks are those of the level
                continue
            assert claimed[known.metric][run] == (known.p_value <= alpha), (known.metric, run)
            at = known.p_value * (1 + np.array([-1e-9, 1e-9]))
            ends = [claims(past.buckets[known.metric], row[None], level)[0] for level in at]
            assert ends == [False, True], known.metric
    quantile = [known for known in analyze(changed, frame).comparisons if known.metric == "p80"]
    assert claimed["p80"][-1] == (quantile[0].p_value <= alpha)


def test_buckets_do_not_depend_on_the_order_of_rows():
    frame = history(1_500)
    first, second = (
        plan_experiment(spec(resamples=600), rows).resampled
        for rows in (frame, frame.sample(frac=1, random_state=7))
    )
    assert [known.claims for known in first] == [known.claims for known in second]


def test_well_behaved_metrics_keep_their_level():
    frame = history(30_000)
    answers = plan_experiment(spec(METRICS[:1] + METRICS[2:5], (1, 1), resamples=4_000), frame)
    assert [known.runs for known in answers.resampled] == [4_000] * 4
    for known in answers.resampled:
        assert known.rate == pytest.approx(0.05, abs=0.015)
        assert known.low < known.rate < known.high
    assert answers.check("plan_error_rate").status == "pass"


def test_a_heavy_tail_with_few_units_shows_its_true_rate():
    # The reference deals units, not buckets, and tests by Welch's formula written out.
    rng = np.random.default_rng(2)
    values = np.exp(2.5 * rng.standard_normal(300))
    frame = pd.DataFrame({"user": np.arange(300), "r": values})
    metrics = [{**METRICS[2], "role": "primary"}]
    known = plan_experiment(spec(metrics, (1, 9), resamples=20_000), frame).resampled[0]
    from scipy import stats

    arms = rng.random((20_000, 300)) < 0.1
    found = [
        stats.ttest_ind(values[arm], values[~arm], equal_var=False).pvalue <= 0.05
        for arm in arms[:4_000]
    ]
    assert known.rate == pytest.approx(np.mean(found), abs=0.02)
    assert abs(known.rate - 0.05) > 0.03


def test_rows_that_belong_together_but_are_taken_for_units_show_it():
    # 400 people with 25 rows each and an icc of .3: the error of rows is too small by the root of
    # 1 + 24 x .3, for a rate of 2 (1 - Phi(1.96 / 2.86)) = 49 %.
    rng = np.random.default_rng(3)
    people = rng.normal(0, 0.3**0.5, (400, 1)) + rng.normal(0, 0.7**0.5, (400, 25))
    centred = people - people.mean()
    known = Buckets(
        metric_columns(Mean(name="r", type="mean", column="r", role="primary", goal="increase")),
        np.full(400, 25.0),
        centred.sum(axis=1)[:, None],
        (centred**2).sum(axis=1)[:, None, None],
        np.array([people.mean()]),
        [],
    )
    (answer,) = resample({"r": known}, 0.5, 0.05, 5_000, 0)
    assert answer.rate == pytest.approx(0.49, abs=0.06)


def test_a_metric_that_errs_fails_the_check():
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"user": np.arange(3_000), "r": rng.pareto(1.1, 3_000)})
    metrics = [{**METRICS[2], "role": "primary"}]
    result = plan_experiment(spec(metrics, (9, 1), resamples=4_000), frame)
    assert result.check("plan_error_rate").status == "fail"


def test_what_does_not_vary_claims_nothing():
    known = plan_experiment(
        spec(
            [{**METRICS[2], "role": "primary"}, {**METRICS[0], "role": "secondary"}], resamples=90
        ),
        pd.DataFrame({"user": np.arange(50), "r": 1.0, "b": np.arange(50) % 2 == 0}),
    )
    assert [of.metric for of in known.resampled] == ["bought"]
    assert known.metrics[0].not_plannable is not None
    assert known.check("plan_error_rate").detail.key == "plan.plan_error_rate_thin"
    assert known.check("plan_history").detail.record()["values"]["units"] == 50


def test_a_covariate_that_varies_in_one_arm_alone_can_be_dealt():
    # One unit in 3,000 has been there before: in the other arm the covariate does not vary at all.
    frame = history(3_000)
    frame["x"] = np.where(np.arange(len(frame)) < 1, 1e6, 0.0)
    experiment = spec([{**METRICS[3], "role": "primary"}], (1, 1), resamples=400)
    assert 0.01 < plan_experiment(experiment, frame).resampled[0].rate < 0.1


@pytest.mark.slow
def test_rates_of_many_histories_average_to_the_level():
    # What one history's buckets add is luck: over many of them it goes.
    rates = []
    for seed in range(8):
        frame = history(8_000, seed)
        answers = plan_experiment(
            spec([METRICS[0], METRICS[2], METRICS[3]], (1, 1), resamples=2_000), frame, seed=seed
        )
        rates.append([known.rate for known in answers.resampled])
    assert np.mean(rates, axis=0) == pytest.approx([0.05] * 3, abs=0.005)
