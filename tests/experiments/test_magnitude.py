"""What an effect means: beside the smallest worth finding, in a week, and what luck adds."""

import datetime
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from conftest import page_of
from opslab import experiments
from opslab.experiments.course import Effect
from opslab.experiments.inference.power import exaggeration, units_needed
from opslab.experiments.magnitude import beside_smallest, overstated, smallest, weekly
from opslab.experiments.result import Comparison

COMPARISON = Comparison(
    "orders", "primary", "mean", "increase", "new", "old", (9, 9), (0, 0), estimate=(11.0, 10.0)
)


@pytest.mark.parametrize(
    ("mde", "interval", "goal", "where"),
    [
        (("absolute", 2.0), (2.0, 3.0), "increase", "above"),
        (("absolute", 2.0), (1.9, 3.0), "increase", "around"),
        (("absolute", 2.0), (1.0, 2.0), "increase", "around"),
        (("absolute", 2.0), (1.0, 1.9), "increase", "below"),
        (("relative", 0.2), (1.0, 1.9), "increase", "below"),
        (("relative", 0.2), (2.1, 3.0), "increase", "above"),
        (("absolute", 2.0), (-3.0, -2.0), "decrease", "above"),
        (("absolute", 2.0), (-3.0, -1.0), "decrease", "around"),
        (("absolute", 2.0), (-1.9, 5.0), "decrease", "below"),
        (None, (1.0, 2.0), "increase", None),
        (("absolute", 2.0), (None, 2.0), "increase", None),
    ],
)
def test_where_an_interval_lies_to_the_smallest_effect(mde, interval, goal, where):
    known = replace(COMPARISON, mde=mde, difference_interval=interval, goal=goal)
    assert beside_smallest(known) == where


def test_a_relative_size_has_no_meaning_on_a_baseline_of_0():
    at_zero = replace(COMPARISON, mde=("relative", 0.2), estimate=(1.0, 0.0))
    assert smallest(at_zero) is None
    assert smallest(replace(at_zero, estimate=(1.0, -10.0))) == pytest.approx(2.0)


@pytest.mark.parametrize(("true", "error"), [(0.5, 1.0), (1.0, 1.0), (2.8, 1.0), (0.1, 3.28)])
def test_a_significant_estimate_overstates_as_in_a_simulation(true, error):
    """Against draws of the estimate; Gelman and Carlin (2014) define type M by them."""
    ratio, power = exaggeration(true, error, 0.05)
    draws = np.random.default_rng(1).normal(true, error, 2_000_000)
    significant = np.abs(draws) > 1.959964 * error
    assert power == pytest.approx(significant.mean(), abs=1e-3)
    assert ratio == pytest.approx(np.abs(draws[significant]).mean() / true, rel=4e-3)


def analyzed(lift=0.5, units=4_000, empty=1, **changes):
    random = np.random.default_rng(7)
    frame = pd.DataFrame(
        {"unit": np.arange(units), "arm": np.array(["old", "new"])[np.arange(units) % 2]}
    )
    frame["spend"] = random.normal(10, 4, units) + lift * (frame.arm == "new")
    frame.loc[frame.unit // 28 % empty > 0, "spend"] = np.nan
    frame["day"] = pd.Timestamp("2026-03-02") + pd.to_timedelta(frame.unit // 2 % 14, "D")
    metric = {
        "name": "spend",
        "type": "mean",
        "column": "spend",
        "role": "primary",
        "goal": "increase",
    }
    spec = {
        "experiment": "size",
        "unit": "unit",
        "arms": {"column": "arm", "control": "old"},
        "period": {"time": "day", "start": "2026-03-02", "end": "2026-03-15"},
        "metrics": [metric | changes],
    }
    return experiments.analyze(experiments.Experiment(**spec), frame)


def test_a_week_is_the_difference_over_the_units_of_a_week():
    result = analyzed()
    (known,) = result.comparisons
    week = weekly(result, known)
    assert week.units == 4_000 / 2
    assert week.value == pytest.approx(2_000 * known.difference)
    assert week[2:] == pytest.approx([2_000 * end for end in known.difference_interval])
    data_used = replace(result.data_used, known_until=datetime.date(2026, 3, 8))
    early = weekly(replace(result, data_used=data_used), known)
    assert early.units == 4_000
    for without in ({"type": "quantile", "quantile": 0.5}, {"cap": {"quantile": 0.99}}):
        result = analyzed(**without)
        assert weekly(result, result.comparisons[0]) is None


@pytest.fixture(scope="module")
def result():
    return analyzed()


OTHER = Effect(0.5, (0.2, 0.8), None, (None, None), None)


def week_of(result, plan=(), **changes):
    """Return the week of the comparison, with other fields of the plan and of itself."""
    known = replace(result.comparisons[0], **changes)
    return weekly(replace(result, plan=replace(result.plan, **dict(plan))), known)


@pytest.mark.parametrize(
    ("plan", "changes", "adds_up"),
    [
        ({}, {"method": "ratio"}, False),
        ({}, {"method": "stratified_quantile"}, False),
        ({}, {"method": None}, True),
        ({"rows": "finer"}, {"method": "ratio"}, False),
        ({"rows": "totals"}, {"method": "ratio"}, True),  # each value is a sum over units
        ({"rows": "totals"}, {"method": "ratio", "type": "ratio"}, False),
        ({}, {"uncapped": OTHER}, False),
        ({"trigger": "met"}, {}, False),
        ({"start": None}, {}, False),
        ({"end": None}, {}, False),
        ({}, {"difference": None}, False),
        ({}, {"difference_interval": (None, 1.0)}, False),
        ({}, {"difference_interval": (1.0, None)}, False),
    ],
)
def test_a_week_is_of_what_adds_up(result, plan, changes, adds_up):
    assert (week_of(result, plan, **changes) is not None) == adds_up


def test_a_week_of_a_triggered_effect_is_of_all_units(result):
    week = week_of(result, {"trigger": "met"}, diluted=OTHER)
    assert week == pytest.approx((2_000, 1_000, 400, 1_600))
    assert week_of(result, diluted=OTHER).value == pytest.approx(
        2_000 * result.comparisons[0].difference
    )


@pytest.mark.parametrize(
    ("until", "units"),
    [
        ("2026-03-01", None),  # before the start
        ("2026-03-02", 28_000),  # one day
        ("2026-03-15", 2_000),
        ("2026-03-20", 2_000),  # after the end
    ],
)
def test_a_week_is_of_the_days_so_far(result, until, units):
    until = datetime.date.fromisoformat(until)
    data_used = replace(result.data_used, known_until=until)
    week = weekly(replace(result, data_used=data_used), result.comparisons[0])
    assert (week and week.units) == units


@pytest.mark.parametrize(
    ("changes", "overstates"),
    [
        ({}, True),
        ({"verdict": "open"}, False),
        ({"mde": None}, False),
        ({"standard_error": None}, True),  # the interval's width stands for it
        ({"standard_error": None, "difference_interval": (None, 0.9)}, False),
        ({"difference_interval": (0.5, 0.9)}, False),
    ],
)
def test_only_a_win_beside_a_smallest_effect_can_be_overstated(result, changes, overstates):
    weak = {
        "verdict": "won",
        "mde": ("absolute", 0.5),
        "standard_error": 0.25,
        "difference_interval": (0.01, 0.99),
    }
    known = replace(result.comparisons[0], **(weak | changes))
    assert (overstated(result, known) is not None) == overstates
    _, power = exaggeration(0.5, 0.25, 0.05)
    at_power = replace(result, plan=replace(result.plan, power=power))
    assert overstated(at_power, replace(known, **weak)) is None


@pytest.mark.parametrize(("missing", "share"), [("drop", 2_012 / 4_000), ("zero", 1)])
def test_a_week_counts_the_units_that_have_a_value(missing, share):
    result = analyzed(missing=missing, empty=2)
    (known,) = result.comparisons
    week = weekly(result, known)
    assert week.units == 2_000
    ends = (known.difference, *known.difference_interval)
    assert week[1:] == pytest.approx([share * 2_000 * end for end in ends])


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_first_screen_tells_the_size_and_no_p_value(language):
    result = analyzed(2.0, mde={"relative": 0.02})
    screen = result.first_screen(language)
    shown = [screen.headline, *screen.reasons, *(str(fact) for fact in screen.facts.items)]
    assert not any("p =" in text or "p <" in text for text in shown)
    figure = result.figures(language)["size"]
    words = {
        "en": "above the smallest effect worth detecting",
        "fr": "au-dessus du plus petit effet",
    }
    assert words[language] in figure.alt
    assert "<svg" in figure.svg()
    assert page_of(result, language)


def test_a_lucky_win_in_a_weak_test_is_said():
    enough = units_needed(4, 0.5, 0.05, 0.8)
    strong, weak = (
        analyzed(0.5, 2 * enough, mde={"absolute": 0.5}),
        analyzed(1.0, 300, mde={"absolute": 0.5}),
    )
    assert overstated(strong, strong.comparisons[0]) is None
    ratio = overstated(weak, weak.comparisons[0])
    assert ratio == pytest.approx(exaggeration(0.5, weak.comparisons[0].standard_error, 0.05)[0])
    assert any(
        f"overstate it {ratio:.1f} times" in line for line in weak.first_screen("en").reasons
    )
    assert not any("overstate" in line for line in strong.first_screen("en").reasons)


def test_a_headline_has_one_pair_of_numbers():
    """Adjusted means beside an adjusted lift: the two say the same."""
    random = np.random.default_rng(3)
    frame = pd.DataFrame(
        {"unit": np.arange(400), "arm": np.array(["old", "new"])[np.arange(400) % 2]}
    )
    frame["before"] = random.normal(10, 4, 400) - 0.5 * (frame.arm == "new")
    frame["spend"] = frame.before + random.normal(0, 0.5, 400) + 0.1 * (frame.arm == "new")
    metric = {
        "name": "spend",
        "type": "mean",
        "column": "spend",
        "role": "primary",
        "goal": "increase",
        "covariates": ["before"],
    }
    spec = experiments.Experiment(
        experiment="pair", unit="unit", arms={"column": "arm", "control": "old"}, metrics=[metric]
    )
    result = experiments.analyze(spec, frame)
    (known,) = result.comparisons
    arm, control = known.adjusted.estimate
    assert known.estimate[0] < known.estimate[1]
    assert arm - control == pytest.approx(known.difference)
    assert (arm - control) / control == pytest.approx(known.lift)
    assert f"from {control:.2f} with old to {arm:.2f} with new: +" in result.headline()


def test_data_that_ends_before_its_period_does_not_ship():
    frame = pd.DataFrame(
        {"unit": np.arange(4_000), "arm": np.array(["old", "new"])[np.arange(4_000) % 2]}
    )
    frame["spend"] = np.random.default_rng(5).normal(10, 4, 4_000) + 2 * (frame.arm == "new")
    frame["day"] = pd.Timestamp("2026-03-02") + pd.to_timedelta(frame.unit // 2 % 6, "D")
    metric = {
        "name": "spend",
        "type": "mean",
        "column": "spend",
        "role": "primary",
        "goal": "increase",
    }
    period = {"time": "day", "start": "2026-03-02", "end": "2026-03-15"}
    spec = experiments.Experiment(
        experiment="cut",
        unit="unit",
        arms={"column": "arm", "control": "old"},
        period=period,
        metrics=[metric],
    )
    for as_of in (None, datetime.date(2026, 3, 15)):
        result = experiments.analyze(spec, frame, as_of=as_of)
        assert (result.decision.action, result.decision.more_days) == ("extend", 8)
        assert result.check("period").status == "fail"
        assert {evidence.grade for evidence in result.evidence()} == {"B"}
        assert weekly(result, result.comparisons[0]).units == pytest.approx(4_000 * 7 / 6)
    harmful = experiments.analyze(spec, frame.assign(spend=-frame.spend))
    assert harmful.decision.action == "do_not_ship"
