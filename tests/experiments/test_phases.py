"""Phases: against statsmodels and by hand; segments, triggers and checks within them."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from opslab import experiments
from opslab.errors import SpecError
from opslab.experiments.spec import Experiment

MEAN = {"name": "y", "type": "mean", "column": "y", "role": "primary", "goal": "increase"}
CUPED = MEAN | {"name": "cuped", "role": "secondary", "covariates": ["x"]}
SHARE = {
    "name": "bought",
    "type": "proportion",
    "column": "bought",
    "role": "secondary",
    "goal": "increase",
}
RATIO = {
    "name": "r",
    "type": "ratio",
    "numerator": "y",
    "denominator": "d",
    "role": "secondary",
    "goal": "increase",
}
DAYS = ("2026-03-02", "2026-03-04", "2026-03-10")
SPLITS = ((95, 5), (70, 30), (40, 60))
PERIOD = {"time": "seen", "start": "2026-03-02", "end": "2026-03-15"}


def phases(splits=SPLITS):
    return [
        {"from": day, "weights": dict(zip(("old", "new"), split, strict=True))}
        for day, split in zip(DAYS, splits, strict=True)
    ]


def ramp(n=6_000, seed=1, effect=0.0):
    """Return units of a ramp: later ones have larger values, in both arms alike."""
    random = np.random.default_rng(seed)
    day = random.integers(0, 14, n)
    phase = np.searchsorted([2, 8], day, side="right")
    new = random.random(n) < np.array([split[1] for split in SPLITS])[phase] / 100
    frame = pd.DataFrame({"unit": np.arange(n), "arm": np.where(new, "new", "old"), "phase": phase})
    frame["seen"] = pd.Timestamp(DAYS[0]) + pd.to_timedelta(day, unit="D")
    frame["land"] = random.choice(["de", "fr"], n)
    frame["met"] = (random.random(n) < 0.2 + 0.2 * phase).astype(int)
    frame["x"] = random.normal(10, 2, n) + phase
    frame["y"] = 5 * phase + 1.5 * frame.x + random.gamma(2, 2, n) + effect * new
    frame["d"] = random.poisson(4 + phase, n) + 1.0
    frame["bought"] = (random.random(n) < 0.1 + 0.2 * phase).astype(int)
    return frame


def analyzed(frame, *metrics, declared=True, **fields):
    fields = {"phases": phases()} | fields if declared else fields
    spec = Experiment(
        experiment="a ramp",
        unit="unit",
        arms={"column": "arm", "control": "old"} | ({} if declared else {"weights": None}),
        metrics=metrics or [MEAN],
        period=PERIOD,
        **fields,
    )
    return experiments.analyze(spec, frame)


def checked(result, name):
    return next((check for check in result.checks if check.name == name), None)


def test_effects_are_the_saturated_regression_at_the_shares_of_the_phases():
    """statsmodels: phase x arm with HC2 errors; by precision, the coefficient beside phase effects."""
    frame = ramp(160_000, effect=0.5)  # no phase with a handful, whose spread is that of both arms
    effect = analyzed(frame).comparisons[0]
    dummies = pd.get_dummies(frame.phase).astype(float)
    treated = (frame.arm == "new").astype(float)
    apart = (dummies - dummies.mean()).iloc[:, 1:].mul(treated, axis=0)
    saturated = pd.concat([dummies, treated, apart], axis=1).to_numpy(float)
    fit = sm.OLS(frame.y, saturated).fit(cov_type="HC2")
    assert effect.difference == pytest.approx(fit.params.iloc[3], rel=1e-9)
    assert effect.standard_error == pytest.approx(fit.bse.iloc[3], rel=1e-9)
    fit = sm.OLS(frame.y, pd.concat([dummies, treated], axis=1).to_numpy(float)).fit()
    assert effect.precision.difference == pytest.approx(fit.params.iloc[3], rel=1e-9)
    plain = frame.y[frame.arm == "new"].mean() - frame.y[frame.arm == "old"].mean()
    assert plain > 2 > abs(effect.difference - 0.5)  # Simpson


def test_values_of_the_arms_are_weighed_alike():
    frame = ramp()
    result = analyzed(frame, MEAN, SHARE, RATIO)
    weights = frame.phase.value_counts(normalize=True).sort_index()
    for effect, columns in zip(result.comparisons, ("y", "bought", "yd"), strict=True):
        for arm, estimate in zip(("new", "old"), effect.estimate, strict=True):
            means = (
                frame[frame.arm == arm]
                .groupby("phase")[list({*columns} & {"y", "d"} or {columns})]
                .mean()
            )
            sums = {name: float(weights @ means[name]) for name in means}
            expected = sums["y"] / sums["d"] if columns == "yd" else sums[columns]
            assert estimate == pytest.approx(expected, rel=1e-9)


def test_a_third_arm_counts_for_the_share_of_a_phase():
    """Shares of phases are those of all units, whatever pair is compared."""
    frame = ramp()
    extra = frame[frame.phase == 1].assign(arm="third", unit=lambda rows: rows.unit + 10**6)
    frame = pd.concat([frame, extra])
    weights = frame.phase.value_counts(normalize=True).sort_index()
    means = frame.groupby(["arm", "phase"]).y.mean()
    expected = weights @ (means["new"] - means["old"])
    declared = [
        {"from": day, "weights": {"old": 50, "new": 50, "third": third}}
        for day, third in zip(DAYS, (0, 100, 0), strict=True)
    ]
    result = analyzed(frame, phases=declared)
    effects = {effect.arm: effect for effect in result.comparisons}
    assert effects["new"].difference == pytest.approx(expected, rel=1e-9)
    assert (
        dict(effects["third"].notes[0].values)["count"]
        == ((frame.phase != 1) & (frame.arm == "old")).sum()
    )


def test_an_undeclared_ramp_stops_and_its_proposal_runs():
    frame = ramp()
    result = analyzed(frame, declared=False)
    assert (result.broken, checked(result, "constant_split").status) == (True, "fail")
    declared = analyzed(frame)
    assert not declared.broken
    assert (declared.decision.action, declared.comparisons[0].verdict) != ("ship", "won")


def test_checks_compare_within_phases():
    """By hand and scipy: sample ratio, constant split, empty values, covariates."""
    frame = ramp()
    frame.loc[frame.index[(frame.phase == 2) & (frame.index % 3 == 0)], "bought"] = np.nan
    result = analyzed(frame, MEAN, CUPED, SHARE | {"missing": "drop"}, segments=["land"])
    counts = pd.crosstab(frame.phase, frame.arm)[["old", "new"]]
    tests = [
        stats.chisquare(row, row.sum() * np.array(split) / 100)
        for (_, row), split in zip(counts.iterrows(), SPLITS, strict=True)
    ]
    expected = stats.chi2.sf(sum(test.statistic for test in tests), 3)
    assert checked(result, "sample_ratio").value == pytest.approx(expected, rel=1e-8)
    assert [arm.expected for arm in result.arms] == pytest.approx(
        [(counts.sum(axis=1) @ [split[side] for split in SPLITS]) / 6000 / 100 for side in (0, 1)]
    )
    for name in ("constant_split", "sample_ratio_days", "sample_ratio_segments"):
        assert checked(result, name).status == "pass"
    assert checked(result, "missing_values").status == "pass"
    assert checked(result, "covariate_balance").status == "pass"
    treated, dummies = (frame.arm == "new").astype(float), pd.get_dummies(frame.phase).astype(float)
    apart = (dummies - dummies.mean()).iloc[:, 1:].mul(treated, axis=0)
    fit = sm.OLS(frame.x, pd.concat([dummies, treated, apart], axis=1).to_numpy(float)).fit(
        cov_type="HC2"
    )
    assert checked(result, "covariate_balance").value == pytest.approx(
        fit.pvalues.iloc[3], rel=0.02
    )
    lost = frame[~((frame.phase == 2) & (frame.arm == "new") & (frame.index % 4 == 0))]
    assert checked(analyzed(lost), "sample_ratio").status == "fail"


def test_units_in_an_arm_that_was_not_on_fit_no_design():
    frame = ramp()
    declared = phases(((100, 0), (70, 30), (40, 60)))
    assert checked(analyzed(frame, phases=declared), "sample_ratio").value == 0.0
    clean = frame[(frame.phase > 0) | (frame.arm == "old")]
    result = analyzed(clean, phases=declared)
    assert checked(result, "sample_ratio").status == "pass"
    (note,) = result.comparisons[0].notes
    assert dict(note.values)["count"] == (clean.phase == 0).sum()
    rest = clean[clean.phase > 0]
    assert result.comparisons[0].difference == pytest.approx(
        analyzed(rest).comparisons[0].difference
    )


def test_segments_are_compared_within_phases():
    frame = ramp()
    result = analyzed(frame, segments=["land"])
    for effect in result.segments:
        part = frame[frame.land == effect.segment.removeprefix("land: ")]
        weights = part.phase.value_counts(normalize=True).sort_index()
        means = part.groupby(["arm", "phase"]).y.mean()
        assert effect.difference == pytest.approx(weights @ (means["new"] - means["old"]), rel=1e-9)
    assert len(result.segments) == 2
    # Later units are more often from one country: in both arms alike, which is not the arms' doing.
    drifting = frame.assign(land=np.where(frame.phase == 2, "de", frame.land))
    assert len(analyzed(drifting, segments=["land"]).segments) == 2
    touched = frame.assign(
        land=np.where((frame.arm == "new") & (frame.unit % 5 == 0), "de", frame.land)
    )
    assert analyzed(touched, segments=["land"]).segments == ()


def test_segments_work_within_strata_too():
    frame = ramp().assign(half=lambda rows: rows.unit % 2)
    declared = phases(((50, 50),) * 3)
    frame["arm"] = np.where(np.random.default_rng(2).random(len(frame)) < 0.5, "new", "old")
    one = analyzed(frame, phases=declared, strata=["half"], segments=["land"])
    for effect in one.segments:
        part = frame[frame.land == effect.segment.removeprefix("land: ")]
        cells = part.groupby(["phase", "half"]).size() / len(part)
        means = part.groupby(["arm", "phase", "half"]).y.mean()
        assert effect.difference == pytest.approx(
            float((cells * (means["new"] - means["old"])).sum()), rel=1e-9
        )


def test_a_trigger_works_within_phases():
    """The rate rises with the phases, as the share of the new arm does: that is not the arm's doing."""
    frame = ramp(20_000, effect=1.0)
    result = analyzed(frame, trigger="met")
    check = checked(result, "trigger_ratio")
    tables = [pd.crosstab(part.arm, part.met) for _, part in frame.groupby("phase")]
    tests = [stats.chi2_contingency(table, correction=False).statistic for table in tables]
    assert check.value == pytest.approx(stats.chi2.sf(sum(tests), 3), rel=1e-8)
    assert stats.chi2_contingency(pd.crosstab(frame.arm, frame.met)).pvalue < 1e-9 < check.value
    (effect,), met = result.comparisons, frame[frame.met == 1]
    weights = met.phase.value_counts(normalize=True).sort_index()
    means = met.groupby(["arm", "phase"]).y.mean()
    assert effect.difference == pytest.approx(weights @ (means["new"] - means["old"]), rel=1e-9)
    assert effect.diluted.difference == pytest.approx(
        effect.difference * len(met) / len(frame), rel=1e-9
    )
    control = frame[frame.arm == "old"].groupby("phase").y.mean()
    whole = frame.phase.value_counts(normalize=True).sort_index() @ control
    assert effect.diluted.lift == pytest.approx(effect.diluted.difference / whole, rel=1e-9)
    units = sum(arm.units for arm in result.arms)
    assert (units, checked(result, "constant_split").status) == (20_000, "pass")


def test_the_interval_covers():
    """100 ramps with effects 2, 1 and 0.5 in the phases: the truth is their mean at the phases' shares."""
    inside = []
    for seed in range(100):
        frame = ramp(2_000, seed=seed)
        sizes = np.array([2.0, 1.0, 0.5])
        frame["y"] += sizes[frame.phase] * (frame.arm == "new")
        truth = sizes[frame.phase].mean()
        for effect in analyzed(frame, MEAN, CUPED).comparisons:
            low, high = effect.difference_interval
            inside.append(low < truth < high)
    assert np.mean(inside) == pytest.approx(0.95, abs=0.05)


def test_the_order_of_rows_changes_nothing():
    frame = ramp().assign(x=lambda rows: rows.x.where(rows.unit % 2 == 0))
    orders = [frame, frame[::-1], frame.sample(frac=1, random_state=3)]
    results = [analyzed(order, MEAN, SHARE, segments=["land"]) for order in orders]
    for result in results[1:]:
        for ours, other in zip(
            (*results[0].comparisons, *results[0].segments),
            (*result.comparisons, *result.segments),
            strict=True,
        ):
            assert ours.difference == pytest.approx(other.difference, rel=1e-9)
            assert ours.p_value == pytest.approx(other.p_value, rel=1e-9)
        ours, others = ([c.value or 0 for c in of.checks] for of in (result, results[0]))
        assert ours == pytest.approx(others, rel=1e-9)


@pytest.mark.parametrize(
    ("declared", "period", "said"),
    [
        (
            phases(),
            {"start": "2026-03-02", "end": "2026-03-15"},
            "A unit's phase is known from the day",
        ),
        (phases()[1:], PERIOD, "The first phase starts with the period"),
        ([phases()[0], phases()[0]], PERIOD, "each other one on a later day"),
        (phases()[::-1], PERIOD, "The first phase starts with the period"),
        (phases(), PERIOD | {"end": "2026-03-09"}, "The first phase starts with the period"),
        (phases(((1, 0), (1, 0), (1, 0))), PERIOD, "each of old and new needs a weight above 0"),
        (phases(((0, 0), (1, 1), (1, 1))), PERIOD, "must give a weight to each of old and new"),
        ([phases()[0] | {"weights": {"old": 1}}], PERIOD, "A comparison takes two arms"),
        (
            [phases()[0], phases()[1] | {"weights": {"old": 1, "next": 1}}],
            PERIOD,
            "The phase from 2026-03-04 must give a weight to each of old and new",
        ),
    ],
)
def test_phases_that_make_no_sense_are_refused(declared, period, said):
    arms = {"column": "arm", "control": "old"}
    with pytest.raises(SpecError, match=said):
        Experiment(
            experiment="a", unit="u", arms=arms, metrics=[MEAN], period=period, phases=declared
        )


def test_a_quantile_is_refused_by_name():
    with pytest.raises(SpecError, match="not computed within strata or phases"):
        analyzed(ramp(), MEAN | {"type": "quantile", "quantile": 0.9})


def test_phases_are_part_of_the_plan_and_of_the_record():
    arms = {"column": "arm", "control": "old"}
    fields = {"experiment": "a", "unit": "u", "arms": arms, "metrics": [MEAN], "period": PERIOD}
    prints = {
        Experiment(**fields, phases=phases(splits)).fingerprint
        for splits in (SPLITS, ((1, 1),) * 3)
    }
    assert len(prints | {Experiment(**fields).fingerprint}) == 3
    plan = analyzed(ramp()).record()["plan"]
    assert plan["phases"][1] == {"from": "2026-03-04", "weights": {"old": 70, "new": 30}}
    assert plan["weights_assumed"] is False
