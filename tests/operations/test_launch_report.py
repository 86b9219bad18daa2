"""The numbers of a launch report, against printed tables, scipy and what was put into the sample."""

import csv
import datetime
import json
import math
import random
import re

import numpy as np
import pytest
from scipy import stats

from conftest import ROOT
from opslab import operations
from opslab.errors import DataError, SpecError
from opslab.operations.launch_report.review import (
    brier,
    calibrate,
    mentioned,
    movement,
    signalled,
)
from opslab.operations.launch_report.spec import Kpi, PastLaunch

SAMPLE = ROOT / "data" / "sample"
LAUNCHED, DAY = datetime.date(2026, 8, 31), datetime.date(2026, 9, 28)
KPI = {"name": "orders", "direction": "up", "target": 20, "by": "2026-09-27"}
LATE = datetime.date(2026, 12, 31)
STEADY = [10, 12] * 5
FLOW = [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1]
"""NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.2, flow rates of ten batches."""


def moved(values, *, start=-10, day=DAY, **fields):
    """Return the movement of a weekly figure whose first value is so many weeks from the launch."""
    days = [LAUNCHED + datetime.timedelta(weeks=start + week) for week in range(len(values))]
    given = {("orders", at): value for at, value in zip(days, values, strict=True)}
    return movement(Kpi(**KPI | fields), given, LAUNCHED, day)


def reviewed(tmp_path, rows, **fields):
    """Return the review of a file of rows."""
    (tmp_path / "kpis.csv").write_text("kpi,date,value\n" + rows, encoding="utf-8")
    spec = {
        "review": "page",
        "date": str(DAY),
        "launch_date": str(LAUNCHED),
        "kpis": [KPI],
        "series": {"path": "kpis.csv"},
    }
    (tmp_path / "page.yaml").write_text(json.dumps(spec | fields), encoding="utf-8")
    return operations.review_launch(operations.LaunchReview.load(tmp_path / "page.yaml"))


def test_limits_are_those_of_a_printed_example():
    """NIST prints 45.8159, 50.81 and 55.8041, from 3/1.128 where Wheeler rounds to 2.66."""
    low, mean, high, widest = operations.behaviour_limits(FLOW)
    assert mean == pytest.approx(50.81)
    assert (low, high) == (pytest.approx(45.8159, abs=0.002), pytest.approx(55.8041, abs=0.002))
    assert widest == pytest.approx(3.268 * 1.8778, abs=0.001)  # NIST's mean moving range


def test_seven_values_have_no_limits_and_no_order_of_days_is_needed():
    assert operations.behaviour_limits(FLOW[:7]) is None
    assert moved(STEADY[:7], start=-7)["change"] == "unknown"
    shuffled = dict(random.Random(1).sample(list(enumerate(STEADY)), 10))
    given = {
        ("orders", LAUNCHED + datetime.timedelta(week - 10)): shuffled[week] for week in shuffled
    }
    assert movement(Kpi(**KPI), given, LAUNCHED, DAY)["low"] == moved(STEADY)["low"]


@pytest.mark.parametrize(
    ("since", "said"),
    [
        ([11, 12, 11, 10], "steady"),
        ([11, 30], "better"),
        ([11, -9], "worse"),
        ([11.5] * 7, "steady"),
        ([11.5] * 8, "better"),
        ([10.5] * 8, "worse"),
        ([11.5] * 7 + [11, 11.5], "steady"),  # a value on the mean is on neither side
    ],
)
def test_signals_are_a_point_beyond_or_eight_on_one_side(since, said):
    day = LAUNCHED + datetime.timedelta(weeks=len(since))
    assert moved(STEADY + since, day=day)["change"] == said
    turned = {"better": "worse", "worse": "better", "steady": "steady"}
    assert moved(STEADY + since, day=day, direction="down")["change"] == turned[said]


def test_a_constant_figure_that_stays_is_steady_and_one_that_moves_is_told():
    assert not signalled([3.0] * 9, 3.0, 3.0, 3.0)
    assert moved([3.0] * 14)["change"] == "steady"
    assert moved([3.0] * 10 + [3.1])["change"] == "better"


@pytest.mark.parametrize(
    ("fields", "since", "state"),
    [
        ({}, [19, 19, 20], "met"),
        ({}, [25, 25, 25, 19.9], "missed"),  # the latest value, not the best
        ({}, [25, 25], "unknown"),  # the last one is weeks older than the target's day
        ({}, [25, 25, 25], "met"),  # 13 days: the week after it is not over
        ({"by": "2026-10-30"}, [25], "open"),
        ({}, [], "unknown"),
        ({"direction": "down"}, [20] * 4, "met"),
        ({"direction": "down"}, [21] * 4, "missed"),
        ({"by": "2026-08-30"}, [25], "unknown"),  # due before the launch: no value can tell
        ({"by": "2026-09-10"}, [19, 25, 19], "met"),  # what came after the day does not count
    ],
)
def test_a_target_is_met_missed_not_due_or_nobody_can_tell(fields, since, state):
    assert moved(STEADY + since, **fields)["state"] == state


def test_values_after_the_day_of_the_review_are_left_out():
    whole = moved([*STEADY, 11, 11, 30], day=LAUNCHED + datetime.timedelta(13))
    assert (whole["latest"], whole["change"]) == (11, "steady")


def test_missing_weeks_are_counted_also_at_the_end():
    assert moved(STEADY + [11] * 4)["gaps"] == 0
    assert moved(STEADY + [11] * 2)["gaps"] == 2
    gap = {
        ("orders", LAUNCHED + datetime.timedelta(weeks=week)): 1.0 for week in (-5, -4, -2, -1, 0)
    }
    assert movement(Kpi(**KPI), gap, LAUNCHED, LAUNCHED + datetime.timedelta(7))["gaps"] == 1


@pytest.mark.parametrize(
    ("start", "values", "by", "state"),
    [
        ((2026, 8, 31), 19, "2026-09-25", "met"),  # a day's value, a weekend without any
        ((2026, 8, 31), 12, "2026-09-25", "unknown"),
        ((2026, 1, 1), 9, "2026-09-30", "met"),
        ((2026, 1, 1), 9, "2026-11-10", "unknown"),
        ((2026, 9, 14), 1, "2026-09-25", "met"),  # a new figure: weeks
        ((2026, 9, 1), 1, "2026-09-25", "unknown"),
    ],
)
def test_a_stale_value_meets_no_target(start, values, by, state):
    """By the usual distance of each series: days, months, and a single value."""
    first = datetime.date(*start)
    monthly = [first.replace(month=1 + at) for at in range(values) if first.month == 1]
    days = monthly or [first + datetime.timedelta(at) for at in range(values)]
    given, day = {("orders", at): 30.0 for at in days}, datetime.date.fromisoformat(by)
    row = movement(Kpi(**KPI | {"by": by}), given, LAUNCHED, day)
    assert (row["state"], row["seen"]) == (state, days[-1])


@pytest.mark.parametrize("direction", ["up", "down"])
def test_a_change_is_named_by_its_signal_and_not_by_the_mean(direction):
    """One crash among values that are a little up: the mean rises, the figure did not improve."""
    base, crash = [40, 41, 39, 40, 41, 39, 40, 41], [20] + [43.4] * 7
    later = DAY + datetime.timedelta(28)
    row = moved(base + crash, start=-8, day=later, direction=direction)
    assert row["after"] > row["before"]
    assert row["low"] < row["after"] < row["high"]
    assert row["change"] == ("worse" if direction == "up" else "better")
    both = moved([*base, 20, 60], start=-8, direction=direction)
    assert both["change"] == "unstable"
    run = moved(base + [20] + [43.4] * 8, start=-8, day=DAY + datetime.timedelta(35))
    assert run["change"] == "unstable"


def test_a_rounding_of_a_constant_figure_is_no_move():
    for value in (0.1, 40, 1 / 3, 1e6):
        assert moved([value] * 11 + [value * (1 + 1e-8)])["change"] == "steady"
        assert moved([value] * 20, day=DAY + datetime.timedelta(70))["change"] == "steady"


def test_a_month_of_which_the_launch_is_a_part_is_on_neither_side():
    months = [datetime.date(2025, month, 1) for month in range(1, 13)]
    months += [datetime.date(2026, month, 1) for month in range(1, 6)]
    given = {("orders", month): 10.0 + at % 2 for at, month in enumerate(months)}
    given["orders", datetime.date(2026, 3, 1)] = 99.0
    kpi, day = Kpi(**KPI), datetime.date(2026, 5, 31)
    within = movement(kpi, given, datetime.date(2026, 3, 2), day)
    assert (within["mixed"], within["gaps"], within["change"]) == (True, 0, "steady")
    assert 99 not in within["values"]
    assert len(within["weeks"]) == len(within["values"]) == 16
    first = movement(kpi, given, datetime.date(2026, 3, 1), day)  # after the 28 days of February
    assert (first["mixed"], first["change"], len(first["values"])) == (False, "better", 17)


@pytest.mark.parametrize(
    ("launched", "before", "mixed"), [((2026, 9, 15), 20, True), ((2026, 9, 1), 20, False)]
)
def test_dates_at_the_ends_of_months_name_the_month(launched, before, mixed):
    """A launch of 15 September parts the value of the 30th, and not the one of 31 August."""
    starts = [datetime.date(2025 + at // 12, at % 12 + 1, 1) for at in range(22)]
    ends = [start - datetime.timedelta(1) for start in starts[1:]]
    day = datetime.date(2026, 10, 5)
    given = {("orders", at): 10.0 + at.month for at in ends}
    row = movement(Kpi(**KPI), given, datetime.date(*launched), day)
    known = {("orders", at): given["orders", end] for at, end in zip(starts, ends, strict=False)}
    assert row == movement(Kpi(**KPI), known, datetime.date(*launched), day)
    assert (row["mixed"], sum(at < 0 for at in row["weeks"])) == (mixed, before)
    assert row["values"][19] == 18  # August


def test_sundays_name_the_weeks_that_end_on_them():
    sunday = datetime.timedelta(6)
    given = {
        ("orders", LAUNCHED + datetime.timedelta(weeks=week)): 10.0 + week % 2
        for week in range(-10, 4)
    }
    ends = {(name, at + sunday): value for (name, at), value in given.items()}
    midweek = LAUNCHED + datetime.timedelta(2)
    for launched in (LAUNCHED, midweek):
        row = movement(Kpi(**KPI), ends, launched, DAY)
        assert row == movement(Kpi(**KPI), given, launched, DAY)
        assert row["mixed"] == (launched == midweek)
    assert movement(Kpi(**KPI), ends, LAUNCHED, DAY - datetime.timedelta(2))["after"] == 31 / 3


def record(counts, ended="2026-09-27"):
    phrases = [{"language": "en", "title": "parcel"}, {"language": "fr", "title": "colis"}]
    return {
        "plan": {"end": "2026-12-31"},
        "as_of": "2026-12-31",
        "themes": [{"id": f"T{at}", "phrases": phrases} for at in range(len(counts))],
        "trends": [
            {"theme": f"T{at}", "weeks": weeks, "ended": ended} for at, weeks in enumerate(counts)
        ],
    }


def test_themes_have_the_exact_interval_of_a_ratio_of_poisson_counts():
    """The ends of Clopper and Pearson by the beta distribution, as odds: scipy.stats.beta."""
    (row,) = mentioned(record([[4, 6, 5, 5, 12, 8, 10, 10]]), LAUNCHED, LATE)
    low, high = stats.beta.ppf([0.025, 0.975], [40, 41], [21, 20])
    assert row["low"] == pytest.approx(low / (1 - low))
    assert row["high"] == pytest.approx(high / (1 - high))
    assert (row["before"], row["after"]) == (5, 10)
    first, _ = mentioned(record([[4, 6, 5, 5, 12, 8, 10, 10], [1] * 8]), LAUNCHED, LATE)
    assert first["low"] < row["low"]  # two themes: each interval is wider


def test_a_burst_of_one_week_is_no_rise():
    """22 messages in one week of four: Poisson's interval would call it a rise."""
    (row,) = mentioned(record([[4, 5, 4, 4, 3, 5, 4, 5, 4, 22, 4, 5]]), LAUNCHED, LATE)
    assert stats.binomtest(35, 69, 1 / 3).pvalue < 0.005
    assert row["low"] < 1 < row["high"]


def test_weeks_end_with_the_last_message_whatever_the_day_of_the_run():
    """A run of December whose last message is of 27 September; and one read as of earlier."""
    weeks = [4, 6, 5, 5, 12, 8, 10, 10]
    (row,) = mentioned(record([weeks]), LAUNCHED, LATE)
    assert (row["before"], row["after"], row["times"]) == (5, 10, 2)
    for day, after in (("2026-09-27", 10), ("2026-09-26", 10), ("2026-09-13", 10)):
        (row,) = mentioned(record([weeks]), LAUNCHED, datetime.date.fromisoformat(day))
        assert row["before"] == 5
        assert row["after"] == after
    (row,) = mentioned(record([[5] * 4 + [6, 7, 99, 99]]), LAUNCHED, datetime.date(2026, 9, 19))
    assert row["after"] == 6.5  # what came later is left out, and a week that is not over
    assert not [*mentioned(record([weeks]), LAUNCHED, datetime.date(2026, 9, 5))]


@pytest.mark.parametrize("spread", [0.0, 0.5, 1.0])
def test_themes_in_bursts_raise_no_false_alarms(spread):
    """Simulated: twelve themes of gamma-mixed Poisson counts that do not change; 5 % allowed."""
    random, alarms = np.random.default_rng(7), 0
    for _ in range(150):
        level = random.uniform(2, 12, (12, 1))
        mixed = random.gamma(1 / spread, spread, (12, 16)) if spread else 1
        counts = random.poisson(level * mixed * np.ones((12, 16))).tolist()
        rows = [*mentioned(record(counts), LAUNCHED, LATE)]
        alarms += any(row["low"] > 1 or (row["high"] or 2) < 1 for row in rows)
    assert alarms <= 150 * 0.05 + 2 * (150 * 0.05 * 0.95) ** 0.5


def test_the_week_of_the_launch_is_left_out_where_it_is_in_both():
    midweek = datetime.date(2026, 9, 2)
    (row,) = mentioned(record([[5, 5, 5, 5, 99, 8, 8, 8]]), midweek, LATE)
    assert (row["before"], row["after"]) == (5, 8)
    low, high = stats.beta.ppf([0.025, 0.975], [24, 25], [21, 20])
    assert row["low"] == pytest.approx(low / (1 - low) * 4 / 3)
    assert row["high"] == pytest.approx(high / (1 - high) * 4 / 3)


def test_themes_without_weeks_on_both_sides_are_none_and_a_new_one_has_no_upper_end():
    assert not [*mentioned(record([[5] * 8]), datetime.date(2026, 9, 25), LATE)]
    assert not [*mentioned(record([[5] * 8]), datetime.date(2026, 10, 25), LATE)]
    assert not [*mentioned(record([[5] * 8]), datetime.date(2026, 7, 1), LATE)]
    assert not [*mentioned(record([[0] * 8]), LAUNCHED, LATE)]
    (row,) = mentioned(record([[0] * 4 + [3] * 4]), LAUNCHED, LATE)
    assert row["low"] > 1
    assert row["high"] is None


def past(decision, hurt, readiness=0.9):
    day = datetime.date(2026, 1, 5)
    return PastLaunch(launch="a", date=day, decision=decision, hurt=hurt, readiness=readiness)


def test_the_gate_is_calibrated_by_exact_intervals():
    launches = [past("go", "no")] * 8 + [past("go", "yes")] * 2 + [past("no_go", "yes")]
    go, no_go = calibrate(launches)
    assert (go["low"], go["high"]) == (
        pytest.approx(0.0252, abs=5e-5),
        pytest.approx(0.5561, abs=5e-5),
    )
    assert go["high"] == pytest.approx(stats.beta.ppf(0.975, 3, 8))
    assert (no_go["launches"], no_go["low"], no_go["high"]) == (1, pytest.approx(0.025), 1.0)


def test_the_readiness_is_scored_from_ten_launches_on():
    launches = [past("go", "no", 0.9)] * 8 + [past("go", "yes", 0.5), past("go", "yes", 1.0)]
    assert brier(launches) == pytest.approx((8 * 0.01 + 0.25 + 1) / 10)
    assert brier(launches[:9]) is None
    assert brier([*launches[:9], past("go", "no", None)]) is None


ROWS = "".join(
    f"orders,{LAUNCHED + datetime.timedelta(weeks=week)},{10 + week % 2}\n"
    for week in range(-10, 4)
)


def test_the_sample_tells_what_was_put_into_it():
    result = operations.review_launch(operations.LaunchReview.load(SAMPLE / "launch_review.yaml"))
    truth = json.loads((SAMPLE / "launch_review_truth.json").read_text("utf-8"))
    for row in result.kpis:
        known = truth["series"][row["name"]]
        assert abs(row["after"] - known["after"]) < 2 * known["sd"]
        jumped = known.get("before", known["after"]) != known["after"]
        assert row["change"] == (
            "unknown" if "before" not in known else "better" if jumped else "steady"
        )
    assert [row["state"] for row in result.kpis] == ["met", "missed", "open", "met"]
    assert [row["gaps"] for row in result.kpis] == [0, 0, len(truth["missing"]), 0]
    hurt = {row["decision"]: [row["hurt"], row["launches"]] for row in result.calibration}
    assert hurt == truth["past"]["hurt"]
    assert result.action == "act"


def test_evidence_is_a_description_named_by_the_kpi_and_none_without_limits(tmp_path):
    """The claim of a metric of that name in an experiment is the same: they are never added."""
    result = reviewed(tmp_path, ROWS)
    (evidence,) = result.evidence()
    assert (evidence.kind, evidence.grade, evidence.benefit) == ("descriptive", "D", "quality")
    assert evidence.claim == "metric:orders"
    (row,) = result.kpis
    assert evidence.quantity.value == pytest.approx(row["after"] - row["before"])
    deviation = 1 / 1.128  # each step is 1
    error = deviation * math.sqrt(1 / 10 + 1 / 4)
    assert evidence.quantity.parameters["scale"] == pytest.approx(error, rel=0.001)
    assert json.loads(json.dumps(result.record()))["schema"] == "opslab.launch_report/1"
    assert not reviewed(tmp_path, "".join(ROWS.splitlines(keepends=True)[5:])).evidence()


def test_two_values_for_a_day_are_refused_with_both_rows(tmp_path):
    with pytest.raises(DataError) as refused:
        reviewed(tmp_path, ROWS + f"orders,{LAUNCHED},3\norders,{LAUNCHED},4\n")
    said = str(refused.value)
    assert said.count("orders is already there for this day, in row 12") == 2
    assert "kpis.csv, row 16, date" in said
    assert "row 17" in said


def test_a_review_before_the_launch_is_refused(tmp_path):
    with pytest.raises(SpecError, match="dated before the launch"):
        reviewed(tmp_path, ROWS, date="2026-08-30")


def test_a_figure_that_is_not_in_the_file_stops_the_report(tmp_path):
    result = reviewed(tmp_path, ROWS.replace("orders", "order"))
    assert (result.action, result.status, result.evidence()) == ("stop", "check_failed", [])
    assert result.check("silent").status == "fail"
    assert result.check("unmatched").detail.values["names"] == ["order (2 → orders?)"]
    both = reviewed(tmp_path, ROWS, kpis=[KPI, KPI | {"name": "returns"}])
    assert (both.action, both.check("silent").status) == ("act", "warn")


def test_rows_under_another_spelling_are_the_same_kpi(tmp_path):
    rows = ROWS.replace("orders,2026-09", "  Ordérs  ,2026-09").replace(
        "rs,2026-08-31", "RS,2026-08-31"
    )
    assert reviewed(tmp_path, rows).kpis == reviewed(tmp_path, ROWS).kpis
    with pytest.raises(DataError, match="ORDERS is already there"):
        reviewed(tmp_path, ROWS + f"ORDERS,{LAUNCHED},3\n")
    with pytest.raises(SpecError, match="two KPIs called Ordérs"):
        reviewed(tmp_path, ROWS, kpis=[KPI | {"name": "Ordérs"}, KPI])


def test_rows_under_other_names_are_told_with_their_row(tmp_path):
    result = reviewed(
        tmp_path, ROWS.replace("orders,2026-09-21", "order,2026-09-21") + "tea,2026-09-21,1\n"
    )
    check = result.check("unmatched")
    assert (check.status, check.detail.values["names"]) == (
        "warn",
        ["order (15 → orders?)", "tea (16)"],
    )
    assert reviewed(tmp_path, ROWS).check("unmatched").status == "pass"


def test_the_unit_percent_takes_shares_only(tmp_path):
    shares = {"unit": "%", "target": 0.45}
    rows = ROWS.replace(",10\n", ",0.40\n").replace(",11\n", ",0.5\n")
    assert reviewed(tmp_path, rows, kpis=[KPI | shares]).kpis
    with pytest.raises(SpecError, match=r"write 0.45 or 45%"):
        reviewed(tmp_path, rows, kpis=[KPI | shares | {"target": 45}])
    with pytest.raises(DataError) as refused:
        reviewed(tmp_path, rows.replace("0.5\n", "50\n", 1), kpis=[KPI | shares])
    assert "kpis.csv, row 3, value" in str(refused.value)
    assert "write 0.45 or 45%" in str(refused.value)


def test_a_target_of_another_scale_than_its_values_is_refused_without_a_unit(tmp_path):
    shares = ROWS.replace(",10\n", ",50 %\n").replace(",11\n", ",52 %\n")
    down = KPI | {"direction": "down"}
    for rows, target in ((shares, 45), (shares.replace(" %", ""), 0.45)):
        with pytest.raises(SpecError) as refused:
            reviewed(tmp_path, rows, kpis=[down | {"target": target}])
        said = str(refused.value)
        assert "page.yaml" in said
        assert "kpis[1].target" in said
        assert f"orders: the target {target} is" in said
        assert 'write unit: "%" and both as shares' in said
        assert reviewed(tmp_path, rows, kpis=[down | {"target": target, "unit": "days"}]).kpis
    counts = re.sub(r",1([01])\n", r",\1\n", ROWS)  # of something new
    for rows, target in ((counts, 20), (shares, 0.6), (ROWS, 200), (ROWS, 0)):
        assert reviewed(tmp_path, rows, kpis=[KPI | {"target": target}]).kpis


def test_a_target_that_is_due_before_the_launch_is_refused(tmp_path):
    with pytest.raises(SpecError, match="orders is due on 2026-08-30, before the launch"):
        reviewed(tmp_path, ROWS, kpis=[KPI | {"by": "2026-08-30"}])


def test_what_is_later_than_the_review_is_left_out_of_past_launches(tmp_path):
    launch = {"launch": "a", "date": "2026-09-28", "decision": "go", "hurt": "no"}
    later = launch | {"date": "2026-09-29", "hurt": "yes"}
    (row,) = reviewed(tmp_path, ROWS, past=[launch, later]).calibration
    assert (row["launches"], row["hurt"]) == (1, 0)


def test_a_past_launch_that_is_there_twice_is_refused(tmp_path):
    launch = {"launch": "Été", "date": "2026-01-05", "decision": "go", "hurt": "no"}
    with pytest.raises(DataError, match=r"row 2.*ete is already there for this day, in row 1"):
        reviewed(tmp_path, ROWS, past=[launch, launch | {"launch": "ete", "hurt": "yes"}])
    again = launch | {"date": "2026-01-06"}
    assert reviewed(tmp_path, ROWS, past=[launch, again]).calibration[0]["launches"] == 2


def test_a_met_target_without_a_baseline_is_kept_and_no_change_is_claimed(tmp_path):
    result = reviewed(
        tmp_path,
        "".join(f"orders,{LAUNCHED + datetime.timedelta(7 * week)},25\n" for week in range(4)),
    )
    assert (result.action, result.kpis[0]["change"]) == ("keep", "unknown")
    assert "whether it changed cannot be said" in result.headline()


def test_a_constant_baseline_is_no_evidence(tmp_path):
    rows = re.sub(r",1[01]\n", ",10\n", ROWS)
    assert not reviewed(tmp_path, rows + "orders,2026-09-28,11\n").evidence()


def test_the_order_of_rows_changes_nothing(tmp_path):
    rows = ROWS.splitlines(keepends=True)
    mixed = "".join(random.Random(4).sample(rows, len(rows)))
    first, second = (reviewed(tmp_path, given).kpis for given in (ROWS, mixed))
    assert first == second


def test_headings_of_ones_own_and_french_ones_are_read(tmp_path):
    named = reviewed(tmp_path, ROWS).kpis
    french = "".join(f"{row.replace(',', ';')}\n" for row in ROWS.split())
    (tmp_path / "fr.csv").write_text("Indicateur;Jour;Valeur\n" + french, encoding="utf-8")
    own = ROWS.replace("orders,", "orders;").replace(",", ";")
    (tmp_path / "own.csv").write_text("Was;Wann;Wert\n" + own, encoding="utf-8")
    columns = {"kpi": "Was", "date": "Wann", "value": "Wert"}
    for series in ({"path": "fr.csv"}, {"path": "own.csv", "columns": columns}):
        assert reviewed(tmp_path, ROWS, series=series).kpis == named


def test_past_launches_are_read_as_people_write_them(tmp_path):
    with (tmp_path / "past.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=";").writerows(
            [
                ["Lancement", "Jour", "Décision du jalon", "Préparation", "A nui"],
                ["a", "2026-01-05", "feu vert", "90 %", "non"],
                ["b", "2026-02-05", "Sous conditions", "", "Oui"],
                ["c", "2026-03-05", "no-go", "0,5", "oui"],
            ]
        )
    result = reviewed(tmp_path, ROWS, past={"path": "past.csv"})
    assert [(row["decision"], row["hurt"]) for row in result.calibration] == [
        ("go", 0),
        ("conditional", 1),
        ("no_go", 1),
    ]


def test_a_past_launch_without_an_outcome_is_refused_with_its_row(tmp_path):
    (tmp_path / "past.csv").write_text(
        "launch,date,decision,hurt\na,2026-01-05,go,\nb,2026-02-05,maybe,no\n", encoding="utf-8"
    )
    with pytest.raises(DataError) as refused:
        reviewed(tmp_path, ROWS, past={"path": "past.csv"})
    said = str(refused.value)
    assert "row 2" in said
    assert "row 3, decision" in said
    assert "maybe is not possible here" in said
