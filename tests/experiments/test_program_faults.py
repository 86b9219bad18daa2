"""What a program must not say: faults of its first version, each with the number that is right."""

import datetime
import json
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from opslab.errors import DataError, SpecError
from opslab.experiments import Program, review_program
from opslab.experiments.program import intake
from opslab.uncertainty.survival import change, kaplan_meier, quantile

DAY = datetime.date(2026, 12, 31)


def reviewed(tests=None, **fields):
    program = Program(program="x", date=DAY, **fields)
    return review_program(program, data=None if tests is None else pd.DataFrame(tests))


def said(result):
    """Return the page in both languages; each of its words and its record must be sound."""
    pages = []
    for language in ("en", "fr"):
        say = result.voice(language)
        parts = [block for name in result.PARTS for block in getattr(result, name).blocks(language)]
        pages.append(say.plain(result.first_screen(language), *parts))
    json.dumps(result.record(), allow_nan=False)
    result.takeaway()
    told = " ".join(" ".join(pages).split())
    assert not any(word in told for word in ("nan", "None", "∞", "inf%"))
    return told


def named(result, name):
    """Return the tests that a check names."""
    return result.check(name).detail.record()["values"]["names"]


def listed(count, lift=0.0, error=0.01, step=0.02, **fields):
    """Return so many tests, a third each at a lift, below and above it."""
    lifts = [lift + step * (at % 3 - 1) for at in range(count)]
    table = {"test": [f"t{at}" for at in range(count)], "lift": lifts, "error": error}
    return table | {"by_rule": "yes"} | fields


# --- What is infinite, turned, or stated


def test_no_success_in_the_control_is_no_lift_and_is_told():
    arms = {"test": np.repeat([f"t{at}" for at in range(4)], 2), "arm": ["control", "b"] * 4}
    counts = {"units": [1000] * 8, "successes": [0, 9, 50, 60, 50, 55, 50, 52]}
    result = reviewed(arms | counts | {"decision": "ship"})
    assert result.tests[0].lift is None
    assert result.tests[0].left_out == "effects"
    assert result.check("effects").status == "warn"
    assert (result.impact.shipped, result.impact.among) == (3, 4)
    said(result)


def test_less_is_better_compounds_on_the_scale_of_the_metric():
    result = reviewed(
        listed(12, -0.2, 0.02, 0.0, decision="ship"),
        goal="decrease",
        holdout={"lift": -0.8, "low": -0.9, "high": -0.5},
    )
    assert result.impact.announced == pytest.approx(1 - 0.8**12)  # 93.1 % less
    assert result.pooled.mean == pytest.approx(0.2)
    assert all(test.shrunk == pytest.approx(0.2) for test in result.tests)
    words = said(result)
    assert "the sign of a lift is turned" in words
    assert "+80.0% (+50.0% to +90.0%)" in words
    loss = reviewed(listed(3, 0.0, 0.1) | {"lift": [1.25, 0.1, -0.1]}, goal="decrease")
    assert loss.tests[0].left_out == ""
    assert loss.tests[0].shrunk < 0
    assert loss.pooled.count == 3


def test_a_metric_turned_around_gives_the_same_but_for_its_sign():
    random = np.random.default_rng(1)
    up = np.exp(random.normal(0.01, 0.03, 40)) - 1
    errors = random.uniform(0.01, 0.03, 40)
    rise = reviewed({"test": range(40), "lift": up, "error": errors})
    fall = 1 / (1 + up)  # of 1 / metric, by the delta method
    turned = reviewed(
        {"test": range(40), "lift": fall - 1, "error": errors * fall / (1 + up)}, goal="decrease"
    )
    assert math.log1p(rise.pooled.mean) == pytest.approx(-math.log1p(-turned.pooled.mean))
    assert rise.wins.count == pytest.approx(turned.wins.count, abs=2)


def test_what_a_row_states_comes_before_what_its_counts_tell():
    arms = {"test": ["a", "a"], "arm": ["control", "b"], "units": [1000, 1000]}
    table = arms | {"successes": [100, 110], "lift": [None, 0.25], "error": [None, 0.1]}
    (test,) = reviewed(table).tests
    assert (test.lift, test.error) == (0.25, 0.1)
    assert test.p_value == pytest.approx(0.0124, abs=1e-4)
    assert test.ratio_p == 1
    (test,) = reviewed(table | {"p_value": [None, 0.02]}).tests
    assert (test.p_value, test.outcome) == (0.02, "won")


@pytest.mark.parametrize(
    "row",
    [
        {"low": 0.05, "high": 0.15, "p_value": 0.9},
        {"low": -0.05, "high": 0.15, "p_value": 0.001},
        {"lift": 0.1, "error": 0.01, "p_value": 0.9},
    ],
)
def test_a_p_value_that_contradicts_is_refused(row):
    with pytest.raises(DataError) as caught:
        reviewed({name: [value] for name, value in ({"test": "a", "lift": 0.1} | row).items()})
    assert "contradict" in caught.value.problems[0].text("en")


def test_a_table_s_interval_is_one_of_95_percent_whatever_alpha():
    table = {"test": ["a"], "lift": [0.1], "low": [0.002], "high": [0.198]}
    (test,) = reviewed(table, alpha=0.1).tests
    assert test.error == pytest.approx(0.05, rel=1e-3)
    (test,) = reviewed({"test": ["a"], "lift": [0.1], "error": [0.05]}, alpha=0.1).tests
    assert (test.low, test.high) == pytest.approx((0.002, 0.198), abs=1e-4)


def test_a_p_value_of_0_and_errors_beyond_reason():
    table = {"test": list("abcdef"), "lift": [0.1, 0.1, 0.1, 0.1, 1e9, 0.1]}
    table |= {"error": [None, 0.02, 0.03, 1e200, 1.0, 1.5]}
    result = reviewed(table | {"p_value": [0.0, None, None, None, None, None]})
    assert [test.left_out for test in result.tests] == ["", "", "", *["effects"] * 3]
    said(result)


def test_a_thousand_shipped_at_3_percent_are_not_compounded():
    result = reviewed(listed(1000, 0.03, step=0.0, decision="ship"))
    assert result.impact is None
    said(result)


# --- Arms


def arms(*rows):
    columns = ("test", "arm", "units", "successes", "lift", "error", "decision")
    return pd.DataFrame(rows, columns=columns)


def test_a_control_with_an_error_of_its_own_is_no_test():
    table = arms(
        ("a", "control", None, None, 0.0, 0.01, None), ("a", "b", None, None, 0.05, 0.01, None)
    )
    assert [test.arm for test in reviewed(table).tests] == ["b"]
    table = arms(("a", "x", None, None, 0.0, 0.01, None), ("a", "y", None, None, 0.05, 0.01, None))
    result = reviewed(table)
    assert [test.arm for test in result.tests] == ["y"]
    assert "a: x" in named(result, "control")
    table = arms(("a", "x", None, None, 0.02, 0.01, None), ("a", "y", None, None, 0.05, 0.01, None))
    assert [test.arm for test in reviewed(table).tests] == ["x", "y"]


def test_ctrl_in_the_second_place_is_the_control():
    table = arms(
        ("a", "new", 1000, 60, None, None, None), ("a", "ctrl", 1000, 50, None, None, None)
    )
    result = reviewed(table)
    assert result.tests[0].lift == pytest.approx(0.2)
    assert result.check("control").status == "pass"


def test_a_test_with_several_arms_is_one_test_everywhere():
    rows = [
        (f"t{test}", arm, 1000, successes, None, None, "ship" if arm == "c" else "no")
        for test in range(18)
        for arm, successes in (("control", 500), ("b", 502), ("c", 560))
    ]
    result = reviewed(arms(*rows))
    assert len(result.tests) == 36
    assert {test.arm for test in result.tests if test.counts} == {"c"}
    assert (result.wins.count, result.wins.among, result.pooled.count) == (18, 18, 18)
    assert (result.impact.shipped, result.impact.among) == (18, 18)
    words = said(result)
    assert "Tests \N{EN DASH} 18" in words
    for check in result.checks:
        assert len(set(named(result, check.name))) == len(named(result, check.name))
    both = [(*row[:6], "ship") for row in rows]
    assert reviewed(arms(*both)).impact.shipped == 18


def test_a_broken_split_is_in_no_sum_of_what_was_shipped():
    rows = [
        (f"t{test}", arm, units, 100, None, None, "ship")
        for test in range(4)
        for arm, units in (("control", 1000), ("b", 900 if test else 500))
    ]
    result = reviewed(arms(*rows))
    assert (result.impact.shipped, result.impact.among) == (3, 4)
    assert result.impact.announced == pytest.approx((1000 / 900) ** 3 - 1)


def test_a_weight_in_one_arm_alone_is_refused():
    table = arms(("a", "control", 900, 60, None, None, None), ("a", "b", 100, 5, None, None, None))
    assert reviewed(table.assign(weight=[9, 1])).tests[0].ratio_p == 1
    with pytest.raises(DataError) as caught:
        reviewed(table.assign(weight=[9, None]))
    assert "in some of its rows only" in caught.value.problems[0].text("en")


def test_means_need_no_units():
    table = {"test": ["a", "a"], "arm": ["control", "b"], "mean": [2.0, 2.2], "mean_error": 0.03}
    assert reviewed(table).tests[0].lift == pytest.approx(0.1)


# --- Runs


def run(**changes):
    effect = {"role": "primary", "segment": None, "arm": "b", "goal": "increase", "metric": "m"}
    effect |= {"lift": 0.1, "lift_interval": {"low": 0.016, "high": 0.184}, "p_adjusted": 0.05}
    effect |= {"difference_interval": {"low": 0.8, "high": 9.2}, "standard_error": 2.5}
    effect |= {"degrees_of_freedom": None, "verdict": "won"} | changes.pop("effect", {})
    plan = {"experiment": "e", "alpha": 0.1, "control": "a", "start": "2026-01-01"}
    plan |= {"end": "2026-02-01", "method": "fixed"} | changes.pop("plan", {})
    decision = {"action": "ship", "arm": "b"}
    record = {"plan": plan, "decision": decision, "comparisons": [effect], "checks": []}
    return record | {"status": "complete", "as_of": "2026-02-03"} | changes


def compared(record):
    (test,) = intake._compared(intake._of_record(record), 0.05, intake.Aside(list))
    return test


def test_a_run_is_judged_by_its_own_design():
    test = compared(run())
    assert test.outcome == "won"
    assert test.error == pytest.approx(0.168 / 2 / 1.645, rel=1e-3)
    assert test.low == pytest.approx(0.1 - 1.96 * test.error, abs=1e-5)
    assert compared(run(effect={"verdict": "open"})).outcome == "open"
    valid = compared(run(plan={"method": "always_valid", "alpha": 0.05}))
    assert valid.error == pytest.approx(0.05)  # 2.5 of a difference of 5, which is a lift of .1
    assert (valid.low, valid.high) == (0.016, 0.184)


def test_a_look_before_the_end_is_no_finished_test():
    def left(record):
        aside = intake.Aside(list)
        return len(intake._finished({"e": record}, aside)), aside["later"]

    assert left(run(as_of="2026-01-20")) == (0, ["e"])
    stopped = {"as_of": "2026-01-20", "plan": {"method": "group_sequential"}}
    assert left(run(**stopped)) == (1, [])
    assert left(run(**stopped, decision={"action": "extend", "arm": None})) == (0, ["e"])
    nothing = {"action": "no_decision", "arm": None}  # of a sequential one: at its last look
    assert left(run(**stopped, decision=nothing)) == (1, [])
    bayesian = stopped | {"plan": {"method": "bayesian"}}
    assert left(run(**bayesian, decision=nothing)) == (0, ["e"])
    assert left(run(as_of="2026-01-20", decision=nothing)) == (0, ["e"])
    (case,) = intake._finished({"e": run(**stopped)}, intake.Aside(list))
    assert case.rows[1].end == datetime.date(2026, 1, 20)


def test_a_split_that_stopped_a_test_early_counts_among_the_splits():
    broken = {"status": "check_failed", "decision": {"action": "stop_broken", "arm": None}}
    ratio = {"name": "sample_ratio", "status": "fail", "value": 1e-9}
    record = run(as_of="2026-01-20", checks=[ratio], **broken)
    (case,) = intake._finished({"e": record}, aside := intake.Aside(list))
    (test,) = intake._compared(case, 0.05, aside)
    assert (test.left_out, test.ratio_p, test.split_fails) == ("broken", 1e-9, True)
    assert (test.end, aside["later"]) == (datetime.date(2026, 1, 20), [])


# --- What to do


def actions(**fields):
    tests = fields.pop("tests")
    result = reviewed(tests, **fields)
    said(result)
    return result.action


def test_trust_needs_splits_without_dates_too():
    rows = [
        {"test": f"t{at}", "arm": arm, "units": units, "successes": units // 10, "by_rule": "yes"}
        for at in range(40)
        for arm, units in (("control", 10_000), ("b", 8_000 if at % 2 else 10_000))
    ]
    assert actions(tests=rows) == "repair"
    old = [row | {"start": datetime.date(2026, 3, 1)} for row in rows]
    assert actions(tests=old) == "bolder"  # that is nine months ago


def test_trust_needs_losses_that_do_not_outweigh_the_wins():
    lost = listed(50, error=0.02) | {"lift": [-0.055] * 45 + [0.041] * 5}
    assert reviewed(lost).action != "trust"
    assert reviewed(listed(40, 0) | {"lift": [-0.05] * 25 + [0.05] * 15}).action == "losing"


def test_trust_needs_a_whole_list():
    table = listed(70, 0.0)
    table["error"] = [0.01] * 10 + [None] * 60
    assert actions(tests=table) == "complete"
    random = np.random.default_rng(2)
    won = {"test": range(30), "lift": random.uniform(2, 2.4, 30) / 100, "error": 0.01}
    assert actions(tests=won | {"by_rule": "yes"}) == "complete"
    assert reviewed(won).check("selected").status == "warn"


@pytest.mark.parametrize(("won", "among"), [(9, 11), (20, 20), (21, 21)])
def test_more_wins_than_the_power_are_no_alarm_by_chance(won, among):
    table = listed(among) | {"lift": [0.03] * won + [0.0] * (among - won)}
    p_value = stats.binomtest(won, among, 0.8, alternative="greater").pvalue
    status = reviewed(table).check("selected").status
    assert status == ("warn" if p_value < 0.01 else "pass")


def test_trust_needs_a_rule_that_is_known():
    table = listed(30, 0.0) | {"lift": [0.0] * 20 + [0.06] * 10}
    assert reviewed(table).action == "trust"
    del table["by_rule"]
    assert reviewed(table).action == "rule"


def test_a_risk_that_cannot_be_told_is_not_told():
    few = reviewed(listed(100, 0.0, step=0.001) | {"lift": [0.03] + [0.0] * 99})
    assert few.risk.rate is None
    assert (few.risk.low < 0.5, few.risk.high) == (True, 1.0)
    assert few.action == "confirm"
    assert "cannot be told" in few.headline()
    many = reviewed(listed(20, 0.05, step=0.0))
    assert many.risk.rate is None
    assert "at alpha 5% and power 80%" in said(many)


def test_where_all_won_it_is_known_how_few_wins_may_be_false():
    every = reviewed(listed(12, 0.03, step=0.0))
    least = (stats.beta.ppf(0.025, 12, 1) - 0.025) / (0.8 - 0.025)  # Clopper and Pearson (1934)
    assert every.risk.high == pytest.approx(
        0.025 * (1 - least) / (0.025 * (1 - least) + 0.8 * least)
    )
    assert "At most 0.3% of the wins are false ones." in every.headline("en")
    assert "Au plus 0,3" in every.headline("fr")
    assert "at most 0.3% (0.0% to 0.3%)" in said(every)
    more = reviewed(listed(20, 0.03, step=0.0))  # even the least share of wins is above the power
    assert "cannot be told: more tests won" in more.headline("en")
    assert "0%" not in more.headline("en").split("wins")[-1]


def test_percentages_say_so_in_the_headline():
    result = reviewed({"test": range(6), "lift": [0.8] * 6, "error": [0.1] * 6})
    assert result.status == "check_failed"
    assert "percentages" in result.headline("en")
    assert "Fewer than three" not in result.headline("en")


def test_a_holdout_whose_ends_are_turned_is_refused():
    with pytest.raises((SpecError, ValueError)):
        Program(program="x", date=DAY, holdout={"lift": 0.1, "low": 0.3, "high": 0.2})


# --- Days


def ideas(days, first, decided=True, **fields):
    return [
        {"idea": f"{first} {at}", "date": first, "decided": first + datetime.timedelta(wait)}
        if decided
        else {"idea": f"{first} {at}", "date": first}
        for at, wait in enumerate(days)
    ]


JANUARY, JUNE = datetime.date(2026, 1, 1), datetime.date(2026, 6, 1)


def test_a_group_that_is_all_decided_does_not_limit_the_horizon():
    before = kaplan_meier([59] * 20, [True] * 20)
    saved, *_, horizon = change(before, kaplan_meier([5, 6, 7, 8] * 5, [True] * 20))
    assert (saved, horizon) == (pytest.approx(52.5), 59)
    saved, *_, horizon = change(before, kaplan_meier([5, 8], [True, False]))
    assert horizon == 8


def test_few_ideas_have_no_ends():
    assert quantile(kaplan_meier([31], [True])) == (31, None, None)
    result = reviewed(listed(3), ideas=ideas([31], JANUARY))
    assert "31 days (0 to over 31)" in said(result)


def test_the_first_screen_tells_of_all_ideas():
    waits = ideas([40] * 10, JANUARY) + ideas([5] * 9, JUNE) + ideas([0] * 3, JUNE, decided=False)
    result = reviewed(listed(3), ideas=waits, standardised=JUNE)
    assert "From idea to decision, median \N{EN DASH} 40 days" in said(result)
    open_yet = reviewed(listed(3), ideas=ideas([0] * 8, JUNE, decided=False))
    assert "More than half of the ideas are still open after 213 days" in said(open_yet)


def test_no_change_without_a_standard_or_with_few_ideas():
    both = ideas([40, 50, 60] * 4, JANUARY) + ideas([5, 6], DAY)
    assert reviewed(listed(3), ideas=both).cycle_change is None
    assert reviewed(listed(3), ideas=both, standardised=DAY).cycle_change is None
    undecided = ideas([40, 50] * 4, JANUARY) + ideas([0] * 8, JUNE, decided=False)
    assert reviewed(listed(3), ideas=undecided, standardised=JUNE).cycle_change is None


def test_slower_is_told_as_slower():
    both = ideas([20, 22, 25] * 4, JANUARY) + ideas([50, 60, 65] * 4, JUNE)
    words = said(reviewed(listed(3), ideas=both, standardised=JUNE))
    assert "an idea now waits 36 days longer on average" in words
    assert "jours de plus" in words


# --- The record


def test_the_record_of_many_tests_is_small_and_the_workbook_holds_them_all():
    random = np.random.default_rng(4)
    result = reviewed(
        {"test": range(20_000), "lift": random.normal(0, 0.02, 20_000), "error": 0.01}
    )
    assert len(json.dumps(result.record())) < 20_000
    assert len(result.sheets()["full"]) == 20_000
