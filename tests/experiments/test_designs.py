"""Designs that are looked at on the way: read look by look, and against what is not ours."""

import datetime
import json
import math

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, optimize, stats

from conftest import page_of
from opslab import experiments, report, workspace
from opslab.errors import SpecError
from opslab.experiments.record import record
from opslab.experiments.sequential.boundaries import false_positive_rate
from opslab.experiments.spec import Experiment
from opslab.messages import LANGUAGES
from opslab.messages.numbers import Numbers
from opslab.results import Message

DAY = datetime.date
LOOKS = ("2026-09-07", "2026-09-14", "2026-09-21")
GROUP = {"method": "group_sequential", "units": 4_000, "looks": 4, "settled": "0d"}
ALWAYS = {"method": "always_valid", "units": 4_000, "settled": "0d"}
PRIOR = {"prior": {"sd": 0.1}}
SPEND = {"name": "spend", "type": "mean", "column": "spend", "role": "primary", "goal": "increase"}
LOAD = {"name": "load", "type": "mean", "column": "load", "role": "guardrail", "goal": "decrease"}


def spec(design, *metrics, **more):
    fields = {
        "experiment": "looked",
        "unit": "user",
        "arms": {"column": "arm", "control": "old", "weights": {"old": 1, "new": 1}},
        "period": {"time": "at", "start": "2026-09-01", "end": "2026-09-28"},
        "metrics": metrics or (SPEND, LOAD | {"margin": {"relative": 0.05}}),
    }
    return Experiment(design=design, **fields | more)


def rows(effect=0.0, units=4_000, seed=1):
    draw = np.random.default_rng(seed)
    arm = draw.integers(0, 2, units)
    day = np.sort(draw.integers(0, 28, units))
    at = pd.Timestamp("2026-09-01") + pd.to_timedelta(day, unit="D")
    spend = draw.normal(20, 5, units) + effect * arm
    columns = {"user": np.arange(units), "arm": np.where(arm, "new", "old"), "spend": spend}
    return pd.DataFrame(columns | {"load": draw.normal(500, 40, units), "at": at.date.astype(str)})


def crossing(bound, before, shares, alternative=0.0):
    """The chance to be beyond a bound at the second of two looks, not before: by scipy alone."""
    first, second = shares
    gain = second - first

    def density(score):
        rest = bound * math.sqrt(second) - score * math.sqrt(first) - alternative * gain
        return stats.norm.pdf(score, alternative * math.sqrt(first)) * stats.norm.sf(
            rest, scale=math.sqrt(gain)
        )

    return integrate.quad(density, -before, before, epsabs=1e-13)[0]


def test_a_test_that_stops_at_its_second_look_is_read_by_hand():
    """Welch's tests by scipy, the bounds and the stagewise ends by scipy's integrals."""
    data = rows(0.6)
    result = experiments.analyze(spec(GROUP, looked=LOOKS), data)
    (path, _), known = result.paths, result.comparisons[0]
    scores, shares, errors = [], [], []
    for day in LOOKS[:2]:
        seen = data[data["at"] <= day]
        new, old = (seen.loc[seen["arm"] == arm, "spend"] for arm in ("new", "old"))
        test = stats.ttest_ind(new, old, equal_var=False)
        scores.append(math.copysign(stats.norm.isf(test.pvalue / 2), test.statistic))
        shares.append(len(seen) / 4_000)
        errors.append(
            (new.mean() - old.mean(), math.sqrt(new.var() / len(new) + old.var() / len(old)))
        )
    assert [look.statistic for look in path.looks] == pytest.approx(scores, rel=1e-9)
    assert [look.information for look in path.looks] == shares
    spent = [2 * stats.norm.sf(stats.norm.isf(0.0125) / math.sqrt(share)) for share in shares]
    before = stats.norm.isf(spent[0])
    second = optimize.brentq(
        lambda bound: crossing(bound, before, shares) - (spent[1] - spent[0]), 1, 6, xtol=1e-12
    )
    assert [look.efficacy for look in path.looks] == pytest.approx([before, second], abs=1e-7)
    assert scores[0] < before
    assert scores[1] > second
    assert (path.ended, result.as_of, result.decision.action) == (
        "efficacy",
        DAY(2026, 9, 14),
        "ship",
    )

    def larger(effect):
        """The chance of what was seen or more; an effect in errors of the second look."""
        drift = effect / math.sqrt(shares[1])
        first = stats.norm.sf(before - drift * math.sqrt(shares[0]))
        return first + crossing(scores[1], before, shares, drift)

    assert known.p_value == pytest.approx(2 * larger(0), rel=1e-6)
    difference, error = errors[1]
    for chance, end in (
        (0.5, known.difference),
        (0.025, known.difference_interval[0]),
        (0.975, known.difference_interval[1]),
    ):
        effect = optimize.brentq(lambda at: larger(at) - chance, -10, 20)  # noqa: B023
        t_quantile = stats.t.isf(
            stats.norm.sf(abs(scores[1] - effect)), known.degrees_of_freedom
        ) * math.copysign(1, scores[1] - effect)
        assert end == pytest.approx(difference - t_quantile * error, abs=2e-6)
    assert known.difference < difference  # stopping flatters
    assert (known.difference_interval[0] > 0) == (known.lift_interval[0] > 0)


def test_neither_order_nor_labels_matter():
    data, design = rows(0.5), spec(GROUP, looked=LOOKS)
    known = experiments.analyze(design, data).comparisons
    mixed = experiments.analyze(design, data.sample(frac=1, random_state=2)).comparisons
    named = data.replace({"arm": {"new": "a", "old": "z"}})
    arms = {"column": "arm", "control": "z", "weights": {"a": 1, "z": 1}}
    other = experiments.analyze(spec(GROUP, looked=LOOKS, arms=arms), named).comparisons
    for shown in (mixed, other):
        for before, after in zip(known, shown, strict=True):
            numbers = [
                (of.difference, *of.difference_interval, *of.lift_interval, of.p_value or 0.0)
                for of in (before, after)
            ]
            assert numbers[0] == pytest.approx(numbers[1], rel=1e-9)


def test_what_is_less_wanted_mirrors_what_is_more_wanted():
    data = rows(0.6)
    other = data.assign(spend=-data["spend"])
    more = experiments.analyze(spec(GROUP, looked=LOOKS), data)
    less = experiments.analyze(spec(GROUP, SPEND | {"goal": "decrease"}, looked=LOOKS), other)
    assert less.paths[0].ended == more.paths[0].ended == "efficacy"
    ends = less.comparisons[0].difference_interval
    assert [-ends[1], -ends[0]] == pytest.approx(more.comparisons[0].difference_interval)
    assert less.comparisons[0].difference == pytest.approx(-more.comparisons[0].difference)


@pytest.mark.parametrize("design", [GROUP, ALWAYS], ids=["group", "always"])
def test_a_single_looks_interval_is_nowhere(design):
    """Neither on the page, in the record nor in the frame: the digits of Welch's by scipy."""
    data = rows(0.45)
    result = experiments.analyze(spec(design, looked=LOOKS), data)
    last = result.paths[0].looks[-1]
    seen = data[data["at"] <= str(last.day)]
    new, old = (seen.loc[seen["arm"] == arm, "spend"] for arm in ("new", "old"))
    test = stats.ttest_ind(new, old, equal_var=False)
    naive = test.confidence_interval()
    everything = json.dumps(record(result), default=str)
    everything += result.frame(full=True).to_csv()
    for number in (naive.low, naive.high, test.pvalue):
        assert f"{number:.8g}"[:8] not in everything
    for language in LANGUAGES:
        page = page_of(result, language)
        say = Numbers(language)
        for number in (naive.low, naive.high):
            assert say.signed_decimal(number, 3) not in page
        assert page.count("<h1>") == 1
        for word in (">nan", ">inf", ">None<"):
            assert word not in page
        assert result.figures(language)["design/spend/new"].svg().startswith("<?xml")


def test_an_always_valid_reading_keeps_its_smallest_p():
    """The confidence sequence of Waudby-Smith and others, its formula written out here."""
    data = rows(0.4)
    result = experiments.analyze(spec(ALWAYS, looked=LOOKS), data, as_of=DAY(2026, 9, 26))
    path, known = result.paths[0], result.comparisons[0]
    assert [str(look.day) for look in path.looks] == [*LOOKS, "2026-09-26"]
    rho = math.sqrt((-2 * math.log(0.05) + math.log(1 - 2 * math.log(0.05))) / 4_000)
    smallest = 1.0
    for look in path.looks:
        weight = sum(look.n) * rho**2
        bound = math.sqrt(2 * (weight + 1) / weight * math.log(math.sqrt(weight + 1) / 0.05))
        assert look.efficacy == pytest.approx(bound, rel=1e-9)
        p_value = math.sqrt(weight + 1) * math.exp(
            -(look.statistic**2) * weight / (2 * (weight + 1))
        )
        smallest = min(smallest, p_value)
        assert look.effect.p_value == pytest.approx(smallest, rel=1e-9)
        assert (look.effect.difference_interval[0] > 0) == (look.statistic > bound)
    assert known.p_value == path.looks[-1].effect.p_value
    assert known.difference_interval == path.looks[-1].effect.difference_interval


def test_it_says_nothing_below_its_smallest_number():
    result = experiments.analyze(
        spec(ALWAYS | {"smallest": 3_000}), rows(2.0), as_of=DAY(2026, 9, 10)
    )
    known = result.comparisons[0]
    assert known.not_estimable.key == "experiments.look_early"
    assert (known.difference, known.p_value, known.lift_interval) == (None, None, (None, None))
    assert result.decision.action == "extend"


def test_a_rare_event_needs_ten_in_each_arm_before_anything_is_said():
    """Nine successes are not enough, where the plan sets no number itself."""
    share = {"name": "sale", "type": "proportion", "column": "sales", "goal": "increase"}
    fields = {"unit": "units", "data": {"rows": "totals"}, "period": None}
    for design, sales, said in (
        ({}, 9, "experiments.look_rare"),
        ({}, 10, None),
        ({"smallest": 1_000}, 9, None),
    ):
        counts = pd.DataFrame({"arm": ["old", "new"], "units": [900, 900], "sales": [60, sales]})
        always = {"method": "always_valid", "units": 20_000} | design
        result = experiments.analyze(spec(always, share | {"role": "primary"}, **fields), counts)
        known = result.comparisons[0].not_estimable
        assert (known and known.key) == said
        if said:
            assert known == Message(said, {"few": 9, "count": 10})
            assert "9 successes or failures so far" in page_of(result, "en")


def test_a_look_that_adds_no_unit_is_left_out_and_said():
    data = rows(0.1)
    data = data[(data["at"] <= "2026-09-07") | (data["at"] > "2026-09-14")]
    result = experiments.analyze(spec(GROUP, looked=LOOKS), data, as_of=DAY(2026, 9, 21))
    assert [str(look.day) for look in result.paths[0].looks] == [LOOKS[0], LOOKS[2]]
    (note,) = result.comparisons[0].notes
    assert note == Message("experiments.look_merged", {"day": DAY(2026, 9, 14)})
    assert "by the look of 14 September 2026 hardly any unit more" in page_of(result, "en")


def test_counts_of_two_arms_may_be_looked_at_any_time():
    counts = pd.DataFrame({"arm": ["old", "new"], "units": [5_000, 5_100], "sales": [500, 640]})
    share = {"name": "sale", "type": "proportion", "column": "sales", "goal": "increase"}
    design = {"method": "always_valid", "units": 20_000}
    fields = {"unit": "units", "data": {"rows": "totals"}, "period": None}
    result = experiments.analyze(spec(design, share | {"role": "primary"}, **fields), counts)
    assert (result.decision.action, result.paths[0].looks[0].day) == ("ship", None)


def test_planned_days_are_what_a_readout_stands_on():
    design = GROUP | {"looks": ["2026-09-10", "2026-09-20", "2026-09-28"]}
    data = rows(0.0)
    between = experiments.analyze(spec(design), data, as_of=DAY(2026, 9, 15))
    assert between.as_of == DAY(2026, 9, 10)
    assert (between.decision.action, between.decision.more_days) == ("extend", 10)
    assert "20 September 2026" in page_of(between, "en")
    ended = experiments.analyze(spec(design), data)
    assert ended.paths[0].ended == "last"
    assert ended.paths[0].looks[-1].information == 1
    assert ended.decision.action == "do_not_ship"
    with pytest.raises(SpecError, match="first look is planned for 10 September 2026"):
        experiments.analyze(spec(design), data, as_of=DAY(2026, 9, 9))


def test_futility_is_advice():
    design = GROUP | {"futility": {"family": "pocock"}}
    result = experiments.analyze(spec(design, looked=LOOKS), rows(-0.1), as_of=DAY(2026, 9, 21))
    assert result.paths[0].ended == "futility"
    assert result.decision.action == "do_not_ship"
    assert result.decision.reasons[-1].key.endswith("hopeless_group_sequential")
    on = experiments.analyze(spec(design, looked=LOOKS), rows(-0.1))
    assert on.paths[0].ended == "last"
    assert [look.efficacy for look in on.paths[0].looks[:3]] == pytest.approx(
        [look.efficacy for look in result.paths[0].looks]
    )


def test_arms_and_primaries_share_the_error_rate():
    data = rows(0.5)
    data["arm"] = np.where(data.index % 3 == 0, "more", data["arm"])
    arms = {"column": "arm", "control": "old", "weights": {"old": 1, "new": 1, "more": 1}}
    other = LOAD | {"role": "primary"}
    result = experiments.analyze(spec(GROUP, SPEND, other, arms=arms, looked=LOOKS), data)
    for path in result.paths:
        alone = stats.norm.isf(
            2 * stats.norm.sf(stats.norm.isf(0.0125 / 4) / math.sqrt(path.looks[0].information))
        )
        assert path.looks[0].efficacy == pytest.approx(alone, abs=1e-6)
    for known in result.comparisons:
        assert known.p_adjusted == pytest.approx(min(1, 4 * known.p_value))


def test_units_that_may_still_change_do_not_count():
    design = GROUP | {"settled": "36h"}
    result = experiments.analyze(spec(design), rows(0.0), as_of=DAY(2026, 9, 10))
    data = rows(0.0)
    counted = data[data["at"] <= "2026-09-08"]
    assert sum(result.comparisons[0].n) == len(counted) == sum(arm.units for arm in result.arms)
    (check,) = [check for check in result.checks if check.name == "outcome_windows"]
    assert check.value == ((data["at"] > "2026-09-08") & (data["at"] <= "2026-09-10")).sum()


def test_a_fixed_test_that_was_looked_at_says_what_that_costs():
    data = rows(0.0)
    days = ("2026-09-06", "2026-09-11", "2026-09-17", "2026-09-22")
    result = experiments.analyze(spec({}, looked=days), data)
    came = [(data["at"] <= day).sum() for day in (*days, "2026-09-28")]
    assert result.peeking == pytest.approx(false_positive_rate(came, 0.05))
    assert result.peeking == pytest.approx(0.142, abs=0.004)
    assert result.decision.reasons[0].key == "experiments.reason_peeking"
    assert Numbers("en").percent(result.peeking) in page_of(result, "en")
    assert experiments.analyze(spec({}), data).peeking is None
    early = experiments.analyze(spec({}), data, as_of=DAY(2026, 9, 14))
    assert early.peeking == pytest.approx(false_positive_rate((1, 2), 0.05), abs=1e-9)


@pytest.mark.parametrize(
    ("design", "more", "said"),
    [
        (GROUP, {"looked": LOOKS[::-1]}, "does not come after the one of 21 September"),
        (GROUP, {"looked": [LOOKS[0]] * 2}, "does not come after the one of 7 September"),
        (GROUP, {"looked": ["2026-08-07"]}, "is before the start, or after"),
        (GROUP, {"looked": ["2026-10-07"]}, "is before the start, or after"),
        (GROUP | {"looks": ["2026-10-07"]}, {}, "is before the start, or after"),
        (GROUP | {"looks": 2}, {"looked": LOOKS}, "3 looks are written down, and the plan has 2"),
        (GROUP | {"units": 1_500}, {"looked": LOOKS}, "planned units of spend had been reached"),
        (GROUP | {"settled": "9d"}, {"looked": LOOKS}, "fewer than two units of an arm counted"),
        (GROUP | {"settled": None}, {}, "How long after a unit came in can spend still change"),
        (GROUP, {"period": None}, "The looks go by the day on which a unit came in"),
        (GROUP, {"strata": ["pair"]}, "is not computed for this form of the data"),
        ({}, {"period": None, "looked": LOOKS}, "The looks go by the day on which a unit came in"),
        (GROUP, {"data": {"rows": "finer"}}, "is not computed for this form of the data"),
        (ALWAYS | {"looks": 2}, {}, "looks belongs to the design group_sequential"),
        (GROUP | {"spending": {"family": "power"}}, {}, "The exponent belongs to the family power"),
        (GROUP | {"alpha": 0}, {}, "0 must be greater than 0"),
    ],
)
def test_what_cannot_be_looked_at_is_refused(design, more, said):
    with pytest.raises(SpecError, match=said):
        experiments.analyze(spec(design, LOAD | {"role": "secondary"}, SPEND, **more), rows())


def test_a_cap_that_moves_with_the_data_is_refused():
    capped = SPEND | {"cap": {"quantile": 0.99}}
    with pytest.raises(SpecError, match="moves with the data"):
        experiments.analyze(spec(GROUP, capped), rows())


def test_registering_after_the_start_is_not_beforehand():
    late = experiments.analyze(spec(GROUP, registered_on="2026-09-02"), rows())
    (check,) = [check for check in late.checks if check.name == "plan_unchanged"]
    assert (check.status, check.detail.key) == ("fail", "experiments.plan_unchanged_late")
    assert "not chosen beforehand" in page_of(late, "en")


def test_shares_that_are_looked_at_daily_go_by_the_sequential_test():
    (check, *_) = experiments.analyze(spec(GROUP), rows()).checks
    assert check.detail.key == "experiments.sample_ratio_daily_pass"
    assert "concentrations 10 to 10,000" in page_of(experiments.analyze(spec(GROUP), rows()), "en")
    (check, *_) = experiments.analyze(spec({}), rows()).checks
    assert check.detail.key == "experiments.sample_ratio_pass"


def test_the_sample_stops_at_its_third_look():
    sample = Experiment.load(workspace.resolve("data/sample/express.yaml"))
    assert sample.registered == sample.fingerprint
    result = experiments.analyze(sample, as_of=sample.last_day)
    assert (result.as_of, result.paths[0].ended) == (DAY(2026, 9, 30), "efficacy")
    assert (
        result.comparisons[0].difference_interval[0]
        < 0.07
        < result.comparisons[0].difference_interval[1]
    )
    again = experiments.analyze(sample, as_of=result.as_of)
    assert again.comparisons == result.comparisons


def test_a_stale_file_spends_no_look():
    """What comes after the data's last day has not happened: bounds are those of the day itself."""
    data = rows(0.3)
    stale = data[data["at"] <= LOOKS[1]]
    for design in (GROUP, GROUP | {"looks": [*LOOKS, "2026-09-28"]}, ALWAYS):
        known = experiments.analyze(spec(design, looked=LOOKS), stale)
        then = experiments.analyze(spec(design, looked=LOOKS[:2]), data, as_of=DAY(2026, 9, 14))
        assert (known.as_of, known.paths) == (DAY(2026, 9, 14), then.paths)
        assert (known.comparisons, known.decision) == (then.comparisons, then.decision)
        (check,) = [check for check in known.checks if check.name == "period"]
        assert (check.status, check.detail.key) == ("fail", "experiments.period_stale")
        assert "and the data with 14 September 2026" in page_of(known, "en")
        assert "period" not in {check.name for check in then.checks}


@pytest.mark.parametrize(("early", "late", "verdict"), [(-2, 2, "open"), (1.5, -0.6, "open")])
def test_an_always_valid_claim_is_that_of_the_last_look(early, late, verdict):
    """An early harm is no later win, and an early win that is gone is none."""
    data = rows()
    first = data["at"] <= LOOKS[0]
    data["spend"] += (data["arm"] == "new") * np.where(first, early, late * 0.35)
    result = experiments.analyze(spec(ALWAYS, looked=LOOKS[:1]), data)
    (before, last), known = result.paths[0].looks, result.comparisons[0]
    assert abs(before.statistic) > before.efficacy
    assert abs(last.statistic) < last.efficacy
    low, high = known.difference_interval
    assert low < 0 < high
    assert (known.verdict, result.decision.action) == (verdict, "do_not_ship")
    assert known.p_value > 0.05
    assert known.notes[-1].key == "experiments.look_lapsed"


def test_looks_planned_after_those_written_down_count():
    design = GROUP | {"looks": [*LOOKS, "2026-09-28"]}
    result = experiments.analyze(spec(design, looked=LOOKS[:2]), rows(0.0))
    assert [str(look.day) for look in result.paths[0].looks] == [*LOOKS, "2026-09-28"]
    assert result.paths[0].ended == "last"
    once = experiments.analyze(spec(design, looked=LOOKS[:2]), rows(0.0), as_of=DAY(2026, 9, 22))
    assert str(once.as_of) == LOOKS[2]
    assert once.decision.more_days == 7


def test_a_metric_that_stopped_before_another_stands_as_of_its_own_look():
    other = LOAD | {"role": "primary", "goal": "increase"}
    data = rows(1.0)
    result = experiments.analyze(spec(GROUP, SPEND, other, looked=LOOKS), data)
    (spend, load), day = result.paths, result.paths[0].looks[-1].day
    assert (spend.ended, load.ended) == ("efficacy", "last")
    assert day < result.as_of
    assert result.corrected["spend", "new"] == day
    assert not [known for known in result.companions if known.metric == "spend"]
    assert "its own test ended at the look of" in page_of(result, "en")


def test_a_guardrail_that_waits_keeps_the_test_going():
    """In logs: the primary crosses at a look by which no window of the guardrail is over."""
    draw = np.random.default_rng(2)
    day, users = np.sort(draw.integers(0, 28, 3_000)), np.arange(3_000)
    arm = np.where(draw.random(3_000) < 0.5, "old", "new")
    came = pd.Timestamp("2026-09-01") + pd.to_timedelta(day, unit="D")
    logs = {"assignments": pd.DataFrame({"user": users, "arm": arm, "at": came})}
    bought = draw.random(3_000) < np.where(arm == "new", 0.4, 0.2)
    columns = {"user": users, "event": "buy", "time": came + pd.Timedelta("5h"), "worth": 10.0}
    logs["events"] = pd.DataFrame(columns)[bought]
    window = {"type": "proportion", "event": "buy", "goal": "increase"}
    metrics = (
        window | {"name": "soon", "role": "primary", "window": {"to": "2d"}},
        window
        | {
            "name": "late",
            "role": "guardrail",
            "window": {"to": "9d"},
            "margin": {"absolute": 0.1},
        },
    )
    files = {"assignments": "a.csv", "events": "e.csv"}
    design = GROUP | {"units": 3_000, "settled": None}
    result = experiments.analyze(spec(design, *metrics, data=files, looked=LOOKS), logs)
    assert [path.ended for path in result.paths] == ["efficacy", ""]
    assert result.paths[0].looks[-1].day == DAY(2026, 9, 7)
    assert (str(result.as_of), result.decision.action) == (LOOKS[1], "ship")


def test_outliers_bear_no_p_value_of_a_single_look():
    data = rows(0.0)
    data.loc[0, "spend"] = 50_000
    for design in (GROUP, ALWAYS):
        result = experiments.analyze(spec(design), data)
        (check,) = [check for check in result.checks if check.name == "outliers"]
        assert check.detail.key == "experiments.outliers_fail_looked"
        assert "p_without" not in check.detail.record()["values"]
    (check,) = [
        check for check in experiments.analyze(spec({}), data).checks if check.name == "outliers"
    ]
    assert check.detail.key == "experiments.outliers_fail"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("method", ["group_sequential", "always_valid", "bayesian", "fixed"])
def test_a_readout_of_each_design_is_published(method, language, monkeypatch):
    """Page, record and tables, by the call with which the notebook ends; at most 250 kB."""
    sample = Experiment.load(workspace.resolve("data/sample/express.yaml"))
    days = tuple(str(day) for day in sample.design.looks[:3])
    own = {
        "group_sequential": {"design": sample.design},
        "always_valid": {"design": ALWAYS | {"settled": "3d"}, "looked": days},
        "bayesian": {"design": {"method": method, "settled": "3d", "loss": 0.002} | PRIOR},
        "fixed": {"design": {}, "looked": days[:2]},
    }[method]
    experiment = sample.changed(**{"registered": None, **own})
    result = experiments.analyze(experiment, as_of=DAY(2026, 10, 4), language=language)
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **_: shown.append(data))
    report.publish(result)
    assert shown
    written = json.loads(json.dumps(result.record()))
    assert written["plan"]["method"] == method
    assert bool(written["posteriors"]) == (method == "bayesian")
    assert result.takeaway(language)
    page = page_of(result, language)
    drawn = sum(len(figure.svg()) * 1.2 for figure in result.figures(language).values())
    assert len(page.encode()) + drawn < 225_000  # 250 kB with what stands around it


@pytest.mark.slow
@pytest.mark.parametrize("design", [GROUP, ALWAYS | {"smallest": 100}], ids=["group", "always"])
def test_the_whole_analysis_keeps_its_error_rate(design):
    """1,000 tests of nothing with five looks each: 5 %, or at most that, within four errors.

    Of .7 points each; 20,000 paths of the bounds themselves are in test_boundaries.py.
    """
    days, tests = ("2026-09-06", "2026-09-11", "2026-09-17", "2026-09-22"), 1_000
    more = {"units": 800, "robust": False} | ({"looks": 5} if design is GROUP else {})
    looked = spec(design | more, SPEND, looked=days)
    actions = [
        experiments.analyze(looked, rows(units=800, seed=seed)).comparisons[0].verdict
        for seed in range(tests)
    ]
    rate = sum(action in ("won", "lost") for action in actions) / tests
    reach = 4 * math.sqrt(0.05 * 0.95 / tests)
    assert rate < 0.05 + reach
    if design is GROUP:
        assert rate > 0.05 - reach


def test_whole_weeks_are_those_of_the_units_that_count():
    """The third look is 24 days in, and knows the values of 21 days."""
    path = workspace.resolve("data/sample/express.yaml")
    result = experiments.analyze(Experiment.load(path))
    check = result.check("weekly_cycle")
    assert (check.status, check.value) == ("pass", 21)


def test_a_broken_split_of_a_small_test_is_seen_on_the_way():
    """558 against 342 units of a 1:1 split: chi-square says 6e-13, and so must daily looks."""
    days = [(20, 12)] * 27 + [(18, 18)]
    p_value = experiments.sequential_sample_ratio(days, [1, 1])[-1]
    assert stats.chisquare([558, 342]).pvalue < 1e-12
    assert p_value < 1e-3 / 100


def frame_of_days(days, effect=0.0):
    """Return 40 units on each of some days."""
    random = np.random.default_rng(5)
    at = np.repeat(days, 40)
    new = np.arange(len(at)) % 2 == 1
    spend = random.normal(1 + effect * new, 1)
    arm = np.where(new, "new", "old")
    return pd.DataFrame({"user": range(len(at)), "arm": arm, "at": at, "spend": spend})


@pytest.mark.parametrize(
    ("days", "design", "ends"),
    [
        (27, {}, "2026-09-28"),  # the last day brought none: no more than a tenth is missing
        (25, {"settled": "3d"}, "2026-09-28"),  # those that count are all there
        (14, {}, "2026-09-14"),  # half of the units are missing: a stale file
        (14, {"units": 560}, "2026-09-28"),  # all planned units are in
    ],
)
def test_a_look_happens_where_the_units_that_count_are_there(days, design, ends):
    first = pd.Timestamp("2026-09-01")
    data = frame_of_days([str((first + pd.Timedelta(days=day)).date()) for day in range(days)])
    plan = GROUP | {"units": 1_120} | design
    result = experiments.analyze(spec(plan, SPEND), data, as_of=DAY(2026, 9, 28))
    assert str(result.as_of) == ends


def test_days_that_never_bring_units_are_not_missing():
    """Units come on weekdays, the period ends on a Sunday: its last look is the last one."""
    days = pd.bdate_range("2026-08-31", "2026-09-27").strftime("%Y-%m-%d").tolist()
    period = {"time": "at", "start": "2026-08-31", "end": "2026-09-27"}
    plan = spec(GROUP | {"units": 800}, SPEND, period=period)
    result = experiments.analyze(plan, frame_of_days(days), as_of=DAY(2026, 9, 27))
    assert (str(result.as_of), result.paths[0].ended) == ("2026-09-27", "last")
