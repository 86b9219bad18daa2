"""What a plan takes from a history, or from assumptions: against numpy, statsmodels, simulations."""

import datetime
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from opslab.errors import DataError, ParameterError, SpecError
from opslab.experiments import Experiment, analyze, plan_experiment
from opslab.experiments.plan.sizing import Means, Sizing
from opslab.results import Message

AS_OF = datetime.date(2026, 11, 29)
ARMS = {"column": "arm", "control": "old", "weights": {"old": 1, "new": 1}}
BOUGHT = {
    "name": "bought",
    "type": "proportion",
    "column": "b",
    "role": "primary",
    "goal": "increase",
    "mde": {"relative": 0.1},
}
REVENUE = {
    "name": "revenue",
    "type": "mean",
    "column": "r",
    "role": "secondary",
    "goal": "increase",
    "mde": {"absolute": 1.0},
}


def spec(metrics=(BOUGHT,), *, assumed=None, **fields):
    planning = {"resamples": 0, **fields.pop("planning", {})}
    if assumed:
        planning["assumed"] = assumed
    if fields.get("design", {}).get("method", "fixed") != "fixed":  # which the readout asks for
        fields["design"] = {"settled": "0d", **fields["design"]}
        period = {"time": "seen", "start": "2026-11-30", "end": "2028-11-05"}
        fields["period"] = period | fields.get("period", {})
    return Experiment(
        **{
            "experiment": "plan",
            "unit": "user",
            "arms": ARMS,
            "metrics": list(metrics),
            "planning": planning,
            **fields,
        }
    )


def visitors(days=28, seed=1):
    rng = np.random.default_rng(seed)
    counts = [100, 90, 80, 70, 60, 40, 20]
    day = np.repeat(np.arange(days), [counts[day % 7] for day in range(days)])
    n, start = len(day), pd.Timestamp("2026-11-02")  # a Monday
    before = rng.gamma(1.0, 20.0, n)
    return pd.DataFrame(
        {
            "user": np.arange(n),
            "seen": start + pd.to_timedelta(day, unit="D"),
            "b": rng.random(n) < 0.1,
            "before": before,
            "r": before + rng.gamma(1.0, 20.0, n),
            "o": 1 + rng.poisson(1.0, n),
        }
    )


def test_moments_of_a_history():
    frame = visitors()
    metrics = [
        BOUGHT,
        REVENUE | {"covariates": ["before"]},
        {**REVENUE, "name": "basket", "type": "ratio", "numerator": "r", "denominator": "o"},
        {**REVENUE, "name": "p75", "type": "quantile", "column": "r", "quantile": 0.75},
    ]
    del metrics[2]["column"]
    bought, revenue, basket, p75 = plan_experiment(spec(metrics), frame, as_of=AS_OF).metrics
    assert bought.baseline == pytest.approx(frame.b.mean(), rel=1e-12)
    assert bought.deviation == pytest.approx(frame.b.std(), rel=1e-9)
    correlation = np.corrcoef(frame.r, frame.before)[0, 1]
    assert revenue.raw_deviation == pytest.approx(frame.r.std(), rel=1e-9)
    assert revenue.correlation == pytest.approx(correlation, rel=1e-3)
    residuals = frame.r.std() * math.sqrt(1 - correlation**2)
    assert revenue.deviation == pytest.approx(residuals, rel=1e-3)
    ratio = frame.r.sum() / frame.o.sum()  # Deng, Knoblich and Lu (2018), linearised
    linear = (frame.r - ratio * frame.o).std() / frame.o.mean()
    assert (basket.baseline, basket.deviation) == pytest.approx((ratio, linear), rel=1e-9)
    density = stats.gaussian_kde(frame.r, 0.1)(np.quantile(frame.r, 0.75))[0]
    assert p75.baseline == pytest.approx(np.quantile(frame.r, 0.75), rel=0.01)
    assert p75.deviation == pytest.approx(math.sqrt(0.75 * 0.25) / density, rel=0.15)
    assert bought.source == "history"
    assert bought.difference == pytest.approx(0.1 * bought.baseline)


def test_sizes_do_not_depend_on_the_order_of_rows():
    frame = visitors()
    plans = [
        plan_experiment(spec([BOUGHT, REVENUE]), rows, as_of=AS_OF).metrics
        for rows in (frame, frame.iloc[::-1])
    ]
    for first, second in zip(*plans, strict=True):
        assert first.units == pytest.approx(second.units, rel=1e-9)


def test_days_by_weekday():
    # Weekdays bring 100 to 20 units; half of them take part. From a Monday, 230 a week.
    planning = {"history": {"time": "seen", "share": 0.5}, "weeks": 3}
    period = {"start": "2026-12-07", "end": "2027-01-03"}
    result = plan_experiment(spec(planning=planning, period=period), visitors(), as_of=AS_OF)
    assert [*result.traffic] == [50, 45, 40, 35, 30, 20, 10]
    assert [week.units for week in result.weeks] == [230, 460, 690]
    (metric,) = result.metrics
    weeks, rest = divmod(metric.units, 230)
    assert metric.days == pytest.approx(
        7 * weeks + np.interp(rest, np.cumsum([0, 50, 45, 40, 35, 30, 20, 10]), range(8))
    )
    assert result.days == math.ceil(metric.days)
    assert metric.power == pytest.approx(0.8, abs=1e-9)
    assert metric.mde == pytest.approx(metric.difference, rel=1e-9)
    assert result.check("plan_history").status == "pass"
    assert result.check("plan_weeks").status == "pass"
    failed = result.check("plan_period")  # four weeks bring 920
    assert failed.status == "fail"
    assert failed.value == pytest.approx(result.what_if(units=920).metrics[0].power)


def test_short_histories_say_so():
    planning = {"history": {"time": "seen"}}
    result = plan_experiment(spec(planning=planning), visitors(10), as_of=AS_OF)
    check = result.check("plan_history")
    assert (check.status, check.detail.key) == ("warn", "plan.plan_history_few")
    assert result.traffic == (100, 90, 80, 70, 60, 40, 20)
    result = plan_experiment(spec(planning=planning), visitors(5), as_of=AS_OF)
    assert (result.traffic, result.days) == ((), None)
    planning["units_per_day"] = 70
    assert plan_experiment(spec(planning=planning), visitors(5), as_of=AS_OF).traffic == (70,) * 7


@pytest.mark.parametrize("days", [14, 15, 17])
def test_a_quiet_weekday_is_a_whole_day(days):
    frame = visitors(42)
    first = frame.seen.dt.normalize().min() + pd.Timedelta(days=6)  # a Sunday
    frame = frame[(frame.seen >= first) & (frame.seen < first + pd.Timedelta(days=days))]
    planning = {"history": {"time": "seen"}}
    result = plan_experiment(spec(planning=planning), frame, as_of=AS_OF)
    assert result.traffic == pytest.approx((100, 90, 80, 70, 60, 40, 20))
    assert result.check("plan_history").value == days


def test_a_history_of_working_days_has_the_pace_of_its_weeks():
    frame = visitors(12)
    frame = frame[frame.seen.dt.day_of_week < 5]
    planning = {"history": {"time": "seen"}}
    result = plan_experiment(spec(planning=planning), frame, as_of=AS_OF)
    assert sum(result.traffic) == 400


def test_wrong_dates_and_holes_are_told():
    planning = {"history": {"time": "seen"}}
    one, hole = visitors(28), visitors(28)
    one.loc[0, "seen"] = pd.Timestamp("2019-03-01")
    hole = hole[(hole.seen < "2026-11-06") | (hole.seen > "2026-11-18")]
    for frame, row in ((one, 2802), (hole, 13)):
        check = plan_experiment(spec(planning=planning), frame, as_of=AS_OF).check("plan_history")
        told = check.detail.record()
        assert (check.status, told["key"]) == ("fail", "plan.plan_history_fail")
        assert told["values"]["row"] == row


def test_units_without_a_value_are_units_all_the_same():
    # A quarter of the values is empty: a simulation of the plan has its power.
    frame, rng = visitors(84), np.random.default_rng(12)
    full = plan_experiment(spec([REVENUE | {"role": "primary"}]), frame, as_of=AS_OF).metrics[0]
    frame["r"] = frame["r"].where(rng.random(len(frame)) > 0.25)
    metric = REVENUE | {"role": "primary", "missing": "drop"}
    planning = {"history": {"time": "seen"}}
    result = plan_experiment(spec([metric], planning=planning), frame, as_of=None)
    known = result.metrics[0]
    filled = frame.r.notna().mean()
    assert known.units == pytest.approx(full.units / filled, rel=0.05)
    assert (known.power, known.mde) == pytest.approx((0.8, 1.0), rel=1e-8)
    assert result.what_if(units=2 * known.units).metrics[0].mde < 1.0
    test = Sizing(Means(known.deviation), 0.05, 0.8)
    assert test.power(known.units * filled, 1.0) == pytest.approx(0.8)
    week = result.weeks[0]
    assert week.mde["revenue"] == pytest.approx(test.difference(460 * filled), rel=1e-9)


def test_values_that_are_not_settled_do_not_count_but_their_units_come():
    frame = visitors(28)
    late = frame.seen > pd.Timestamp("2026-11-15")
    frame.loc[late, "b"] = False  # not yet known
    design = {"method": "group_sequential", "units": 100, "looks": 2, "settled": "14d"}
    planning = {"history": {"time": "seen"}}
    result = plan_experiment(spec(design=design, planning=planning), frame, as_of=AS_OF)
    assert result.metrics[0].baseline == pytest.approx(frame.b[~late].mean())
    assert sum(result.traffic) == 460
    assert result.check("plan_history").value == 28


@pytest.mark.parametrize("day", [AS_OF, datetime.date(2027, 1, 10), None])
def test_values_settle_until_the_last_day_of_the_history(day):
    frame = visitors(28)
    late = frame.seen > pd.Timestamp("2026-11-22")  # the last seven days of a file of 29 November
    frame.loc[late, "b"] = False
    design = {"method": "group_sequential", "units": 100, "looks": 2, "settled": "7d"}
    planning = {"history": {"time": "seen"}}
    result = plan_experiment(spec(design=design, planning=planning), frame, as_of=day)
    assert result.metrics[0].baseline == pytest.approx(frame.b[~late].mean())
    assert (sum(result.traffic), result.as_of) == (460, day)


def test_rows_after_the_plan_are_left_out():
    frame = visitors(42)
    planning = {"history": {"time": "seen"}}
    long, short = (
        plan_experiment(spec(planning=planning), rows, as_of=AS_OF)
        for rows in (frame, frame[frame.seen <= pd.Timestamp(AS_OF)])
    )
    assert long.metrics == short.metrics


def test_finer_rows_cluster():
    rng = np.random.default_rng(5)
    rows = rng.integers(5, 25, 300)
    user = np.repeat(np.arange(300), rows)
    value = 10 + rng.normal(0, 1.0, 300)[user] + rng.normal(0, 2.0, len(user))
    frame = pd.DataFrame({"user": user, "r": value})
    metric = {**REVENUE, "role": "primary", "per": "row", "mde": {"absolute": 0.2}}
    planning = {"history": {"rows": "finer"}}
    (known,) = plan_experiment(
        spec([metric], data={"rows": "finer"}, planning=planning), frame, as_of=AS_OF
    ).metrics
    import statsmodels.api as sm

    model = sm.OLS(value, np.ones(len(user))).fit(cov_type="cluster", cov_kwds={"groups": user})
    assert known.deviation / math.sqrt(300) == pytest.approx(model.bse[0], rel=0.01)
    assert known.deviation > 1.5 * value.std() / math.sqrt(rows.mean())


def test_assumed_clusters_agree_with_a_history_of_them():
    assumed = {"revenue": {"mean": 10, "sd": 5**0.5, "icc": 0.2, "rows": 15, "variation": 0.4}}
    metric = {**REVENUE, "role": "primary", "per": "row"}
    (known,) = plan_experiment(
        spec([metric], data={"rows": "finer"}, assumed=assumed), as_of=AS_OF
    ).metrics
    effect = 1 + ((1 + 0.4**2) * 15 - 1) * 0.2
    assert known.deviation == pytest.approx(math.sqrt(5 * effect / 15))


def test_logs_and_their_windows():
    rng = np.random.default_rng(6)
    users = np.repeat(np.arange(2_800), 1)
    seen = pd.Timestamp("2026-11-02") + pd.to_timedelta(np.arange(2_800) % 28, unit="D")
    assignments = pd.DataFrame({"user": users, "seen": seen})
    buys = rng.random(2_800) < 0.3
    events = pd.DataFrame(
        {
            "user": users[buys],
            "event": "purchase",
            "time": seen[buys] + pd.to_timedelta(2, unit="D"),
        }
    )
    metric = {**BOUGHT, "event": "purchase", "window": {"to": "7d"}}
    del metric["column"]
    planning = {"history": {"time": "seen"}}
    result = plan_experiment(
        spec([metric], planning=planning),
        {"assignments": assignments, "events": events},
        as_of=AS_OF,
    )
    (known,) = result.metrics
    over = seen + pd.Timedelta(days=7) <= pd.Timestamp("2026-11-30")
    assert known.baseline == pytest.approx(buys[over].mean())
    assert sum(result.traffic) == pytest.approx(700)
    assert known.days == pytest.approx(known.units / 100 + 7)  # the last window included
    first = result.weeks[0]
    assert first.units == 700
    assert first.mde == {"bought": None}


def test_several_arms_and_primaries_share_alpha():
    arms = {"column": "arm", "control": "old", "weights": {"old": 2, "a": 1, "b": 3}}
    assumed = {"bought": {"mean": 0.1}, "revenue": {"mean": 10, "sd": 20}}
    metrics = [BOUGHT, REVENUE | {"role": "primary"}]
    result = plan_experiment(spec(metrics, arms=arms, assumed=assumed), as_of=AS_OF)
    for known in result.metrics:
        assert known.arm == "a"
        assert known.alpha == pytest.approx(0.05 / 4)
    test = Sizing(Means(20.0, (1 / 6, 2 / 6)), 0.05 / 4, 0.8)
    assert result.metrics[1].units == pytest.approx(test.units(1.0), rel=1e-12)


@pytest.mark.parametrize("goal", ["increase", "decrease"])
def test_margins_of_guardrails(goal):
    guardrail = {**REVENUE, "role": "guardrail", "margin": {"absolute": 2.0}, "goal": goal}
    del guardrail["mde"]
    assumed = {"bought": {"mean": 0.1}, "revenue": {"mean": 10, "sd": 20}}
    known = plan_experiment(spec([BOUGHT, guardrail], assumed=assumed), as_of=AS_OF).metrics[1]
    assert known.units == pytest.approx(Sizing(Means(20.0), 0.05, 0.8).units(2.0))
    relative = guardrail | {"margin": {"relative": 0.2}}
    known = plan_experiment(spec([BOUGHT, relative], assumed=assumed), as_of=AS_OF).metrics[1]
    side = 1 if goal == "increase" else -1
    test = Sizing(Means(20.0, baseline=side * 10.0), 0.05, 0.8)
    assert known.units == pytest.approx(test.units(2.0))


def test_covariates_pay():
    assumed = {"revenue": {"mean": 10, "sd": 20, "correlation": 0.6}}
    metric = REVENUE | {"role": "primary"}
    adjusted = plan_experiment(spec([metric], assumed=assumed), as_of=AS_OF).metrics[0]
    assumed["revenue"].pop("correlation")
    raw = plan_experiment(spec([metric], assumed=assumed), as_of=AS_OF).metrics[0]
    assert adjusted.units / raw.units == pytest.approx(0.64, rel=1e-3)
    assert (adjusted.deviation, adjusted.raw_deviation) == pytest.approx((16, 20))


def test_group_sequential_is_registered_with_its_units():
    design = {"method": "group_sequential", "units": 100, "looks": 4}
    assumed = {"bought": {"mean": 0.1}}
    experiment = spec(design=design, assumed=assumed, planning={"units_per_day": 500})
    result = plan_experiment(experiment, as_of=AS_OF)
    fixed = plan_experiment(spec(assumed=assumed), as_of=AS_OF)
    assert result.metrics[0].units / fixed.metrics[0].units == pytest.approx(
        result.inflation, rel=1e-5
    )
    assert result.inflation == pytest.approx(1.0196, abs=1e-4)
    assert result.experiment.design.units == result.units
    assert result.experiment.registered == result.fingerprint == result.experiment.fingerprint
    assert result.fingerprint != experiment.fingerprint
    assert result.experiment.registered_on == AS_OF
    # domain: four looks, 84 % of the maximum on average at the planned effect
    assert result.average_units / result.metrics[0].units == pytest.approx(0.84 / 1.02, abs=0.01)
    assert [look.number for look in result.looks] == [1, 2, 3, 4]
    assert result.looks[-1].stops == pytest.approx(0.8, abs=1e-5)
    assert result.looks[-1].stops_without == pytest.approx(0.05)
    assert result.looks[-1].day == AS_OF + datetime.timedelta(days=result.days)


def test_price_of_looks():
    assumed = {"bought": {"mean": 0.1}}
    price = plan_experiment(spec(assumed=assumed), as_of=AS_OF).price
    rates = {known["looks"]: known["rate"] for known in price}
    assert rates[5] == pytest.approx(0.1417, abs=1e-4)  # Armitage, McPherson and Rowe (1969)


def test_what_if_agrees_with_a_plan_of_its_own():
    assumed = {"bought": {"mean": 0.1}}
    result = plan_experiment(spec(assumed=assumed, planning={"units_per_day": 100}), as_of=AS_OF)
    asked = result.what_if(mde=0.2, power=0.9, alpha=0.01)
    own = spec(
        [BOUGHT | {"mde": {"relative": 0.2}}],
        assumed=assumed,
        design={"alpha": 0.01, "power": 0.9},
    )
    assert asked.metrics[0].units == plan_experiment(own, as_of=AS_OF).metrics[0].units
    assert asked.asked == (Message("plan.asked", {"given": "mde 0.2, power 0.9, alpha 0.01"}),)
    assert result.what_if(weeks=3).metrics[0].mde == result.weeks[2].mde["bought"]
    chained = result.what_if(weeks=3).what_if(power=0.9)
    assert chained.units == 2100
    given = [Message("plan.asked", {"given": asked}) for asked in ("weeks 3", "power 0.9")]
    assert [*chained.asked] == given
    assert chained.files() == {}
    assert chained.record()["registered"] is None


@pytest.mark.parametrize(
    "wrong",
    [
        *({"weeks": value} for value in (-1, 0, math.inf)),
        *({"units": value} for value in (-5, math.nan, math.inf)),
        {"units": 500, "weeks": 2},
    ],
)
def test_what_if_refuses_amounts_that_are_none(wrong):
    fields = {"assumed": {"bought": {"mean": 0.1}}}
    result = plan_experiment(spec(planning={"units_per_day": 100}, **fields), as_of=AS_OF)
    with pytest.raises(ParameterError, match="more than 0 units"):
        result.what_if(**wrong)
    with pytest.raises(ParameterError, match="traffic"):  # of which nothing is known
        plan_experiment(spec(**fields), as_of=AS_OF).what_if(weeks=3)


def test_what_if_gives_an_effect_where_none_is_declared():
    bare = {name: value for name, value in BOUGHT.items() if name != "mde"}
    fields = {"assumed": {"bought": {"mean": 0.1}}}
    asked = plan_experiment(spec([bare], **fields), as_of=AS_OF).what_if(mde=0.1)
    assert asked.units == plan_experiment(spec(**fields), as_of=AS_OF).units


def refusal(experiment, data=None):
    with pytest.raises((SpecError, DataError)) as caught:
        plan_experiment(experiment, data, as_of=AS_OF)
    return {(problem.key, problem.field) for problem in caught.value.problems}


def test_refusals():
    assert refusal(spec()) == {("plan.no_basis", "metrics[1]")}
    assumed = {"bought": {"mean": 1.5}, "revenue": {"mean": 3}, "bougth": {"mean": 1}}
    assert refusal(spec([BOUGHT, REVENUE], assumed=assumed)) == {
        ("plan.no_such_metric_near", "planning.assumed.bougth"),
        ("plan.assumed_share", "planning.assumed.bought"),
        ("plan.assumed_value", "planning.assumed.revenue"),
    }
    assert refusal(spec(assumed={"bought": {"mean": 0.1, "sd": 3}})) == {
        ("plan.assumed_share", "planning.assumed.bought")
    }
    p75 = {**REVENUE, "name": "p75", "type": "quantile", "quantile": 0.75, "role": "primary"}
    assert refusal(spec([p75], assumed={"p75": {"mean": 30, "sd": 20}})) == {
        ("plan.assumed_ranked", "planning.assumed.p75")
    }
    known, split = {"assumed": {"bought": {"mean": 0.1}}}, {"old": 1, "new": 3}
    covers = {"trigger": "met", "strata": ["shop"]}
    covers["phases"] = [{"from": "2026-12-07", "weights": split}]
    period = {"time": "seen", "start": "2026-12-07", "end": "2026-12-20"}
    arms = {"column": "arm", "control": "old"}
    for field, value in covers.items():
        more = {"arms": arms} if field == "phases" else {}
        found = refusal(spec(**known, **{field: value}, period=period, **more))
        assert found == {(f"plan.no_{field}", field)}
    with pytest.raises(SpecError) as caught:
        spec(**known, design={"power": 0.03})
    assert [problem.field for problem in caught.value.problems] == ["design.power"]
    looks = ["2026-12-10", "2027-01-20"]  # the last after all values are final
    late = {"method": "group_sequential", "units": 9, "looks": looks, "settled": "7d"}
    planning = {"units_per_day": 500}
    assert refusal(spec(**known, design=late, planning=planning, period=period)) == {
        ("experiments.look_outside", "design.looks[2]")
    }
    arms = {"column": "arm", "control": "old"}
    assert ("plan.no_weights", "arms") in refusal(
        spec(arms=arms, assumed={"bought": {"mean": 0.1}})
    )
    frame = visitors().drop(columns="b")
    assert refusal(spec(), frame) == {("experiments.missing_column", "metrics[1].column")}
    assert refusal(spec(), visitors().drop(columns="user")) == {
        ("experiments.missing_column", "unit")
    }
    twice = pd.concat([visitors(), visitors().head(3)])
    assert {key for key, _ in refusal(spec(), twice)} == {"experiments.repeated_units"}


def test_what_cannot_be_planned_says_why():
    no_mde = {name: value for name, value in REVENUE.items() if name != "mde"}
    assumed = {"bought": {"mean": 0.95}, "zero": {"mean": 0.0, "sd": 1.0}}
    zero = {**REVENUE, "name": "zero", "mde": {"relative": 0.1}}
    result = plan_experiment(spec([BOUGHT, zero, no_mde], assumed=assumed), as_of=AS_OF)
    reasons = [known.not_plannable.key for known in result.metrics]
    assert reasons == ["plan.beyond", "plan.no_baseline", "plan.no_basis_secondary"]
    assert result.units is None
    assert result.check("plan_history").detail.key == "plan.plan_history_no_pace"
    assert result.check("plan_effects").status == "fail"
    assert result.check("plan_effects").detail.record()["values"]["names"] == ["bought"]
    primary = no_mde | {"role": "primary"}
    result = plan_experiment(
        spec([primary], assumed={"revenue": {"mean": 1, "sd": 2}}), as_of=AS_OF
    )
    assert result.check("plan_effects").status == "fail"


@pytest.mark.slow
def test_duration_and_power_are_what_a_simulation_finds():
    # Tests are drawn from the weekday traffic of the plan, run for its days, and read out by analyze.
    metric = BOUGHT | {"mde": {"absolute": 0.1}}
    planning = {"history": {"time": "seen"}}
    result = plan_experiment(spec([metric], planning=planning), visitors(), as_of=AS_OF)
    rng, won = np.random.default_rng(9), 0
    rates = [*result.traffic]
    start = AS_OF.weekday() + 1
    for _ in range(200):
        n = rng.poisson(sum(rates[(start + day) % 7] for day in range(result.days)))
        arm = rng.random(n) < 0.5
        baseline = result.metrics[0].baseline
        frame = pd.DataFrame(
            {
                "user": np.arange(n),
                "arm": np.where(arm, "new", "old"),
                "b": rng.random(n) < baseline + 0.1 * arm,
            }
        )
        won += analyze(spec([metric]), frame).comparisons[0].verdict == "won"
    units = sum(rates[(start + day) % 7] for day in range(result.days))  # of whole days
    assert won / 200 == pytest.approx(result.what_if(units=units).metrics[0].power, abs=0.07)
    assert result.what_if(units=units).metrics[0].power >= 0.8


def test_looks_on_days_plan_the_units_of_the_last():
    period = {"start": "2026-12-07", "end": "2027-01-03"}
    looks = ["2026-12-13", "2026-12-20", "2027-01-03"]
    design = {"method": "group_sequential", "units": 100, "looks": looks, "settled": "2d"}
    planning = {"units_per_day": 3000}
    fields = {"assumed": {"bought": {"mean": 0.05}}, "planning": planning, "period": period}
    result = plan_experiment(spec(design=design, **fields), as_of=AS_OF)
    assert [look.day.isoformat() for look in result.looks] == looks
    assert [look.units for look in result.looks] == [15_000, 36_000, 78_000]
    assert result.units == result.experiment.design.units == 78_000
    assert result.metrics[0].units < 78_000
    assert result.metrics[0].power > 0.8
    early = design | {"looks": ["2026-12-08", "2026-12-20"]}
    assert refusal(spec(design=early, **fields)) == {("plan.look_too_early", "design.looks")}


def test_always_valid_speaks_from_its_smallest_on():
    design = {"method": "always_valid", "units": 100, "smallest": 20_000}
    planning = {"units_per_day": 3000}
    fields = {"assumed": {"bought": {"mean": 0.05}}, "planning": planning}
    result = plan_experiment(spec(design=design, **fields), as_of=AS_OF)
    free = plan_experiment(spec(design=design | {"smallest": 4}, **fields), as_of=AS_OF)
    assert result.looks[0].units >= 18_000 > free.looks[0].units
    assert result.metrics[0].units == pytest.approx(free.metrics[0].units, rel=0.01)
    assert result.looks[-1].stops == pytest.approx(0.8, abs=1e-4)
    assert result.looks[-1].stops_without < 0.05
    beyond = plan_experiment(spec(design=design | {"smallest": 10**6}, **fields), as_of=AS_OF)
    assert beyond.units == 10**6
    assert (
        plan_experiment(  # of a large effect by the units from which the readout speaks
            spec(
                design={"method": "always_valid", "units": 100}, assumed={"bought": {"mean": 0.5}}
            ),
            as_of=AS_OF,
        )
        .what_if(mde=0.9)
        .units
        == 500
    )


def test_power_of_an_always_valid_design_by_the_end_is_that_of_its_looks():
    period = {"start": "2026-11-30", "end": "2026-12-27"}
    fields = {"assumed": {"bought": {"mean": 0.05}}, "planning": {"units_per_day": 2000}}
    design = {"method": "always_valid", "units": 100}
    result = plan_experiment(spec(design=design, period=period, **fields), as_of=AS_OF)
    by_then = [look for look in result.looks if look.units <= 56_000][-1]
    assert result.check("plan_period").value == pytest.approx(by_then.stops, abs=0.02)


def test_a_plan_made_after_the_start_says_so():
    period = {"start": "2026-11-20", "end": "2026-12-17"}
    fields = {"assumed": {"bought": {"mean": 0.05}}}
    result = plan_experiment(spec(period=period, **fields), as_of=AS_OF)
    assert result.check("plan_dated").status == "fail"


def test_a_relative_effect_of_nothing_has_no_size():
    frame = visitors()
    frame["r"] = np.random.default_rng(3).normal(0.1, 20, len(frame))
    metric = REVENUE | {"role": "primary", "mde": {"relative": 0.1}}
    (known,) = plan_experiment(spec([metric]), frame, as_of=AS_OF).metrics
    assert known.not_plannable.key == "plan.no_baseline"


def test_bayesian_needs_more_for_a_smaller_loss():
    fields = {"assumed": {"bought": {"mean": 0.05}}}
    units = [
        plan_experiment(
            spec(design={"method": "bayesian", "prior": prior, "loss": loss}, **fields), as_of=AS_OF
        ).units
        for prior, loss in (
            ({"sd": 0.1}, 0.004),
            ({"sd": 0.1}, 0.002),
            ({"sd": 0.1, "beta": [1, 1]}, 0.002),
        )
    ]
    assert units[0] < units[1]
    assert units[2] < units[1]


def test_what_if_refuses_what_a_spec_would():
    result = plan_experiment(spec(assumed={"bought": {"mean": 0.1}}), as_of=AS_OF)
    for wrong in ({"alpha": 0}, {"mde": 0}, {"power": 1.2}, {"strength": 1}):
        with pytest.raises(SpecError):
            result.what_if(**wrong)
    assert result.what_if(mde=50).metrics[0].not_plannable.key == "plan.beyond"


def test_a_file_beside_the_spec(tmp_path):
    visitors().to_csv(tmp_path / "past.csv", index=False)
    text = """
experiment: plan
unit: user
arms: {column: arm, control: old, weights: {old: 1, new: 1}}
metrics:
  - {name: bought, type: proportion, column: b, role: primary, goal: increase, mde: {relative: 0.1}}
planning: {history: {path: past.csv, time: seen}, resamples: 200}
"""
    (tmp_path / "plan.yaml").write_text(text)
    experiment = Experiment.load(tmp_path / "plan.yaml")
    result = plan_experiment(experiment, as_of=AS_OF)
    frame = plan_experiment(experiment, visitors(), as_of=AS_OF)
    assert result.metrics[0].units == pytest.approx(frame.metrics[0].units, rel=1e-12)
    assert [known.claims for known in result.resampled] == [
        known.claims for known in frame.resampled
    ]
    assert result.sources[0].rows == len(visitors())


def test_finer_rows_do_not_say_how_many_new_units_come():
    # 40 stores with a row a week: all of them are there from the first day on.
    frame = pd.DataFrame(
        {
            "user": np.tile(np.arange(40), 8),
            "seen": np.repeat(pd.date_range("2026-10-05", periods=8, freq="7D"), 40),
            "r": np.random.default_rng(1).normal(10, 2, 320),
        }
    )
    metric = {**REVENUE, "role": "primary", "per": "row"}
    planning = {"history": {"rows": "finer", "time": "seen"}}
    fields = {"data": {"rows": "finer"}, "planning": planning}
    result = plan_experiment(spec([metric], **fields), frame, as_of=AS_OF)
    assert result.days is None
    assert result.check("plan_history").detail.key == "plan.plan_history_no_pace"
    planning["units_per_day"] = 2
    result = plan_experiment(spec([metric], **fields), frame, as_of=AS_OF)
    assert result.days == math.ceil(result.metrics[0].units / 2)
    assert result.check("plan_history").detail.key == "plan.plan_history_no_time"


DESIGNS = [
    {},
    {"method": "group_sequential", "units": 4, "looks": 5, "spending": {"family": "pocock"}},
    {"method": "group_sequential", "units": 4, "looks": 3, "futility": {"family": "pocock"}},
    {"method": "always_valid", "units": 4},
    {"method": "bayesian", "prior": {"sd": 0.1}, "loss": 0.002},
]


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("metric", [BOUGHT, REVENUE | {"role": "primary"}])
def test_planned_units_find_the_declared_effect(design, metric):
    spread = {} if metric is BOUGHT else {"sd": 9.0}
    assumed = {metric["name"]: {"mean": 0.2, "correlation": 0.4, **spread}}
    fields = {"assumed": assumed, "planning": {"units_per_day": 700}}
    (known,) = plan_experiment(spec([metric], design=design, **fields), as_of=AS_OF).metrics
    assert known.mde == pytest.approx(known.difference, rel=1e-9)
    assert known.power == pytest.approx(0.8, abs=1e-8)
