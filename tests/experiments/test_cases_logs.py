"""Logs, leaks, zones and caps that went wrong: what each kind of fault comes to, and the cases themselves.

The cases of experiments that went wrong are not ours to ship: they are looked for as real data is.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from test_real_data import ROOT

from conftest import page_of
from opslab import experiments
from opslab.errors import DataError
from opslab.experiments.spec import Experiment

CASES = ROOT / "cases" / "experiments"
START = pd.Timestamp("2026-03-02")
BOUGHT = {
    "name": "bought",
    "type": "proportion",
    "event": "buy",
    "window": {"to": "7d"},
    "role": "primary",
    "goal": "increase",
}
SPENT = BOUGHT | {"name": "spent", "type": "mean", "value": "amount"}


def case(name):
    spec = CASES / name / "spec.yaml"
    if not spec.is_file():
        pytest.skip(f"{name} is not there; name the folder of the data in OPSLAB_REAL_DATA")
    return Experiment.load(spec)


def check(result, name):
    return next((known for known in result.checks if known.name == name), None)


def said(result, name):
    """Return what a check says, as numbers by name, and its sentence in both languages."""
    known = check(result, name)
    sentences = [result.voice(language).message(known.detail) for language in ("en", "fr")]
    return dict(vars(known.detail)["values"]), sentences


# Leaks: a share and a lean decide, not a single unit


def leaking(n, to_new, to_old, seed=4):
    """Return n units, of which some come again in the other arm: from old to new, and back."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"unit": np.arange(n), "arm": np.where(np.arange(n) % 2, "new", "old")})
    frame["spend"] = random.normal(20, 5, n)
    again = [
        frame[frame.arm == arm].head(count).assign(arm=other)
        for arm, other, count in (("old", "new", to_new), ("new", "old", to_old))
    ]
    return pd.concat([frame, *again], ignore_index=True)


def analyzed(frame, **fields):
    metric = {"name": "spend", "type": "mean", "column": "spend", "role": "primary"}
    spec = Experiment(
        experiment="a test",
        unit="unit",
        arms={"column": "arm", "control": "old", "weights": {"old": 1, "new": 1}},
        metrics=[metric | {"goal": "increase"}],
        **fields,
    )
    return experiments.analyze(spec, frame)


@pytest.mark.parametrize(
    ("to_new", "to_old", "status"),
    [(0, 0, "pass"), (2, 1, "warn"), (60, 60, "warn"), (90, 30, "fail"), (130, 130, "fail")],
)
def test_leaked_units_stop_by_their_share_or_where_they_lean_to_an_arm(to_new, to_old, status):
    result = analyzed(leaking(20_000, to_new, to_old))
    known = check(result, "leaked_units")
    assert (known.status, known.blocking) == (status, True)
    assert result.broken == (status == "fail")
    assert result.data_used.leaked_rows == 2 * (to_new + to_old)
    if status == "pass":
        return
    counts = [[to_new, 10_000 - to_new], [to_old, 10_000 - to_old]]
    enough = to_new + to_old >= 40  # 20 expected of each arm; with fewer the p-value is simulated
    by_scipy = (
        stats.chi2_contingency(counts, correction=False) if enough else stats.fisher_exact(counts)
    )
    assert said(result, "leaked_units")[0]["p"] == pytest.approx(
        by_scipy.pvalue, rel=1e-9 if enough else 0.1
    )
    assert said(result, "leaked_units")[0]["share"] == (to_new + to_old) / 20_000


def test_the_moment_tells_where_a_leaked_unit_came_first():
    frame = leaking(20_000, 90, 30)
    frame["seen"] = START + pd.to_timedelta(np.arange(len(frame)), unit="s")
    period = {"time": "seen", "start": "2026-03-02", "end": "2026-03-15"}
    turned = frame.iloc[::-1]
    for rows in (frame, turned):
        result = analyzed(rows, period=period)
        assert check(result, "leaked_units").status == "fail"
        assert said(result, "leaked_units")[0]["p"] < 1e-6


def test_repeated_assignments_are_no_leaks():
    result = experiments.analyze(case("log-assign-dups"))
    used = result.data_used
    assert (used.leaked_rows, used.repeated_rows, used.rows_used) == (0, 1_000, 4_000)
    assert check(result, "leaked_units").status == "pass"
    rows = result.record()["data"]
    assert (rows["leaked_rows"], rows["repeated_rows"]) == (0, 1_000)


# Logs: each event once, near names and ids, arms without outcomes, implausible effects


def logs(n=2_000, seed=2, rate=(0.3, 0.3)):
    """Return an assignment and an event log without any effect: purchases with an id, and visits."""
    random = np.random.default_rng(seed)
    unit = np.arange(n)
    at = START + pd.to_timedelta(random.integers(0, 7 * 86_400, n), unit="s")
    assignments = pd.DataFrame(
        {"user": [f"Ua{i:05}" for i in unit], "arm": np.where(unit % 2, "new", "old"), "at": at}
    )
    buys = random.random(n) < np.where(unit % 2, rate[1], rate[0])
    who = np.concatenate([unit[buys], unit])
    since = random.integers(60, 6 * 86_400, len(who))
    events = pd.DataFrame(
        {
            "user": assignments.user.to_numpy()[who],
            "event": ["buy"] * buys.sum() + ["visit"] * n,
            "when": at.to_numpy()[who] + pd.to_timedelta(since, unit="s"),
            "amount": random.gamma(2, 10, len(who)).round(2),
            "id": [f"e{i}" for i in range(len(who))],
        }
    )
    last = events.tail(1).assign(user="nobody", when=START + pd.Timedelta("30D"), event="visit")
    return assignments, pd.concat([events, last.assign(id="last")], ignore_index=True)


def of_logs(assignments, events, *metrics, data=None, **fields):
    spec = Experiment(
        experiment="a test",
        unit="user",
        data={"assignments": "a.csv", "events": "e.csv", **(data or {})},
        arms={"column": "arm", "control": "old", "weights": {"old": 1, "new": 1}},
        metrics=metrics or (SPENT, BOUGHT),
        **fields,
    )
    return experiments.analyze(spec, {"assignments": assignments, "events": events})


def figures(result):
    return [
        (known.n, known.estimate, known.difference_interval, known.p_value)
        for known in result.comparisons
    ]


def again(events, arm_rows, share, seed=5):
    """Return a share of the events of some rows, to be sent a second time."""
    return events[arm_rows & (events.event == "buy")].sample(frac=share, random_state=seed)


def of_arm(assignments, events, arm):
    return events.user.isin(assignments.user[assignments.arm == arm])


@pytest.mark.parametrize(("share", "status"), [(0.0, "pass"), (0.01, "warn"), (1.0, "fail")])
def test_identical_rows_of_the_event_log_count_once_and_are_told_by_arm(share, status):
    assignments, events = logs()
    twice = again(events, of_arm(assignments, events, "new"), share)
    mixed = pd.concat([events, twice]).sample(frac=1, random_state=1)
    result = of_logs(assignments, mixed)
    assert figures(result) == figures(of_logs(assignments, events))
    known, (values, sentences) = (
        check(result, "repeated_events"),
        said(result, "repeated_events"),
    )
    assert (known.status, known.blocking, known.value) == (status, False, len(twice))
    buys = (events.event == "buy").sum()
    assert values["share"] == pytest.approx(len(twice) / (buys + len(twice)), rel=1e-12)
    assert (values["arm_count"], result.broken) == (len(twice), False)
    if share:
        assert f"{len(twice)} of them in new" in sentences[0]
        assert f"dont {len(twice)} dans new" in sentences[1]
    if status == "fail":
        assert "one event each" in result.headline("en")
        assert {evidence.grade for evidence in result.evidence()} == {"B"}


def test_with_an_id_rows_that_differ_are_one_event_too_and_the_earliest_counts():
    assignments, events = logs()
    twice = again(events, of_arm(assignments, events, "new"), 0.5)
    later = twice.assign(when=twice.when + pd.Timedelta("2s"), amount=twice.amount + 1)
    mixed = pd.concat([events, twice, later])
    clean = of_logs(assignments, events)
    for order in (mixed, mixed.iloc[::-1], mixed.sample(frac=1, random_state=3)):
        result = of_logs(assignments, order, data={"event_id": "id"})
        assert figures(result) == figures(clean)
        values, sentences = said(result, "repeated_events")
        assert (values["count"], values["differing"]) == (2 * len(twice), len(twice))
        assert f"{len(twice)} of the other rows do not agree" in sentences[0]
    without = of_logs(assignments, mixed)  # rows that differ are events of their own without an id
    assert check(without, "repeated_events").value == len(twice)
    assert without.comparisons[0].estimate[0] > clean.comparisons[0].estimate[0]


def test_rows_that_agree_but_for_their_id_are_events_of_their_own():
    assignments, events = logs()
    twice = again(events, events.user.notna(), 1.0)
    other = pd.concat([events, twice.assign(id=twice.id + "b")])
    result = of_logs(assignments, other, data={"event_id": "id"})
    assert check(result, "repeated_events").status == "pass"
    doubled = of_logs(assignments, events).comparisons[0].estimate
    assert result.comparisons[0].estimate == pytest.approx([2 * mean for mean in doubled])


def test_an_event_that_counts_needs_its_id_where_the_spec_names_one():
    assignments, events = logs(200)
    visits, buys = (events.event == event for event in ("visit", "buy"))
    data = {"event_id": "id"}
    assert of_logs(assignments, events.assign(id=events.id.where(~visits)), data=data).comparisons
    row = events.index[buys][4]
    with pytest.raises(DataError, match=f"Row {row + 1} has no event id \\(1 such row"):
        of_logs(assignments, events.assign(id=events.id.where(events.index != row)), data=data)
    with pytest.raises(DataError, match="no column key"):
        of_logs(assignments, events, data={"event_id": "key"})


@pytest.mark.parametrize("near", ["Buy", "BUY", " buy", "b-uy", "b_uy"])
@pytest.mark.parametrize(("share", "status"), [(0.5, "fail"), (0.005, "warn")])
def test_events_whose_name_nearly_counts_are_told_with_their_number(near, share, status):
    assignments, events = logs()
    renamed = again(events, events.user.notna(), share)
    events.loc[renamed.index, "event"] = near
    result = of_logs(assignments, events)
    known, (values, sentences) = check(result, "event_names"), said(result, "event_names")
    assert (known.status, known.value) == (status, len(renamed))
    assert (values["event"], values["near"], values["count"]) == ("buy", near, len(renamed))
    assert f'"{near}"' in sentences[0]
    assert not result.broken


def test_other_events_and_names_that_count_themselves_are_not_near():
    assignments, events = logs()
    assert check(of_logs(assignments, events), "event_names").status == "pass"
    events.loc[events.event == "visit", "event"] = "Buy"
    visits = BOUGHT | {"name": "visits", "event": "Buy", "role": "secondary"}
    assert check(of_logs(assignments, events, SPENT, visits), "event_names").status == "pass"


@pytest.mark.parametrize(
    "written",
    [
        str.lower,
        "  {}".format,
        "{} ".format,
        "0{}".format,
        lambda unit: "00" + unit.upper(),
        lambda unit: unit.replace("Ua", "ua-"),
        lambda unit: unit.replace("Ua", "U_A "),
    ],
)
@pytest.mark.parametrize(("share", "status"), [(0.5, "fail"), (0.005, "warn")])
def test_ids_that_nearly_are_those_of_units_are_told(written, share, status):
    assignments, events = logs()
    changed = again(events, events.user.notna(), share)
    events.loc[changed.index, "user"] = changed.user.map(written)
    result = of_logs(assignments, events)
    known = check(result, "event_units")
    assert (known.status, known.value, known.blocking) == (status, len(changed), True)
    assert result.broken == (status == "fail")
    buys = (events.event == "buy").sum()
    assert said(result, "event_units")[0]["share"] == pytest.approx(len(changed) / buys, rel=1e-12)


@pytest.mark.parametrize("written", [None, "", "  "])
@pytest.mark.parametrize(("share", "status"), [(0.2, "fail"), (0.005, "warn")])
def test_events_without_a_unit_are_no_strangers(written, share, status):
    assignments, events = logs()
    lost = again(events, of_arm(assignments, events, "old"), share)
    others = lost.assign(user="0", id="s")  # an id of zeros alone is one
    events.loc[lost.index, "user"] = written
    result = of_logs(assignments, pd.concat([events, others]))
    known, (values, sentences) = check(result, "event_units"), said(result, "event_units")
    assert (known.status, known.value, known.blocking) == (status, len(lost), True)
    assert result.broken == (status == "fail")
    assert values["share"] == pytest.approx(len(lost) / (events.event == "buy").sum(), rel=1e-12)
    assert values["strangers"] == len(others)
    assert sentences[0].startswith(f"{len(lost)} event")
    assert "sans identifiant d'unité" in sentences[1]


def emptied(assignments, events, share, arms=("old",)):
    """Return the events without the amounts of a share of the purchases of some arms."""
    rows = events.user.isin(assignments.user[assignments.arm.isin(arms)])
    empty = again(events, rows, share).index
    return events.assign(amount=events.amount.where(~events.index.isin(empty))), len(empty)


@pytest.mark.parametrize(
    ("missing", "arms", "status"),
    [
        ("drop", ("old",), "fail"),
        ("zero", ("old",), "warn"),
        ("drop", ("old", "new"), "pass"),
        ("zero", ("old", "new"), "pass"),
    ],
)
def test_events_without_an_amount_are_compared_between_arms(missing, arms, status):
    assignments, events = logs()
    lost, count = emptied(assignments, events, 0.2, arms)
    result = of_logs(assignments, lost, SPENT | {"missing": missing})
    known, (values, sentences) = check(result, "missing_values"), said(result, "missing_values")
    assert (known.status, result.broken) == (status, status == "fail")
    assert values["count"] == count
    assert f"{count} empty values" in sentences[0]
    assert f"{count} valeurs vides" in sentences[1]
    buys = lost[lost.event == "buy"].merge(assignments[["user", "arm"]])
    units = buys.amount.isna().groupby([buys.arm, buys.user]).any()
    table = pd.crosstab(units.index.get_level_values("arm"), units.to_numpy())
    by_scipy = stats.chi2_contingency(table, correction=False).pvalue
    assert known.value == pytest.approx(by_scipy, rel=1e-9)
    assert check(of_logs(assignments, events), "missing_values") is None


def test_amounts_that_are_empty_outside_the_window_do_not_count():
    assignments, events = logs()
    late = again(events, of_arm(assignments, events, "old"), 0.5)
    late = late.assign(amount=np.nan, when=late.when + pd.Timedelta("20D"), id="late")
    result = of_logs(assignments, pd.concat([events, late]), SPENT | {"missing": "drop"})
    assert check(result, "missing_values") is None


def test_an_arm_without_an_event_has_no_empty_amount():
    assignments, events = logs()
    lost, _ = emptied(assignments, events, 0.2)
    lost = lost[~(of_arm(assignments, lost, "new") & (lost.event == "buy"))]
    result = of_logs(assignments, lost, SPENT | {"missing": "drop"})
    assert check(result, "silent_arm").status == "fail"
    assert check(result, "missing_values").status == "pass"


def finer(n=4_000, seed=6):
    """Return rows of units, of which no two are alike."""
    random = np.random.default_rng(seed)
    unit = random.integers(0, 400, n)
    frame = pd.DataFrame({"unit": unit, "arm": np.where(unit % 2, "new", "old")})
    frame["spend"] = random.normal(20, 5, n)
    frame["note"] = np.where(np.arange(n) % 3, None, "x")
    return frame


@pytest.mark.parametrize(("count", "status"), [(0, "pass"), (1, "warn"), (60, "fail")])
def test_finer_rows_that_are_alike_are_told_and_count(count, status):
    frame = finer().assign(at=START)
    twice = pd.concat([frame, frame[frame.arm == "new"].head(count)])
    twice = twice.sample(frac=1, random_state=1)
    day = str(pd.Timestamp(START).date())
    fields = {"data": {"rows": "finer"}, "period": {"time": "at", "start": day, "end": day}}
    result = analyzed(twice, **fields)
    without = analyzed(twice.drop(columns="at"), data={"rows": "finer"})
    assert check(without, "repeated_rows") is None  # rows without a moment may rightly be alike
    known, (values, sentences) = check(result, "repeated_rows"), said(result, "repeated_rows")
    assert (known.status, known.value, known.blocking) == (status, twice.duplicated().sum(), False)
    assert values["share"] == pytest.approx(count / len(twice), rel=1e-12)
    assert result.data_used.rows_used == len(twice)
    if count:
        assert sentences[0].startswith(f"{count} row")
        assert sentences[1].startswith(f"{count} ligne")
    if status == "fail":
        assert "not exported twice" in result.headline("en")
        assert "pas été exportées deux fois" in result.headline("fr")
    assert check(analyzed(frame.drop_duplicates("unit")), "repeated_rows") is None


def test_totals_that_were_given_twice_are_told():
    random = np.random.default_rng(7)
    days = np.repeat(pd.date_range(START, periods=42), 2)
    frame = pd.DataFrame({"day": days, "arm": ["old", "new"] * 42})
    frame["unit"] = 450
    frame["spend"] = random.normal(20 * frame.unit, 40)
    fields = {
        "data": {"rows": "totals"},
        "period": {"time": "day", "start": "2026-03-02", "end": "2026-04-12"},
    }
    assert check(analyzed(frame, **fields), "repeated_rows").status == "pass"
    result = analyzed(pd.concat([frame, frame]), **fields)
    assert said(result, "repeated_rows")[0] == {"count": 84, "share": 0.5}
    assert check(result, "repeated_rows").status == "fail"
    assert "not exported twice" in result.headline("en")


def test_millions_of_rows_are_not_compared(monkeypatch):
    monkeypatch.setattr("opslab.experiments.units.unit_table._MOST_COMPARED", 3_999)
    assert check(analyzed(finer(), data={"rows": "finer"}), "repeated_rows") is None


@pytest.mark.parametrize(("share", "broken"), [(0.009, False), (0.3, True)])
def test_one_id_of_many_rows_in_both_arms_is_a_leak_of_its_rows(share, broken):
    frame = finer(8_000)
    frame["unit"] = frame.unit.where(frame.index % 1_000 >= 1_000 * share, 999)
    result = analyzed(frame, data={"rows": "finer"})
    values, sentences = said(result, "leaked_units")
    assert (values["count"], result.broken) == (1, broken)
    if broken:
        assert values["share"] == pytest.approx((frame.unit == 999).mean(), rel=1e-12)
        assert sentences[0].startswith(
            "1 unit that was in more than one arm accounts for 30.0% of all"
        )
        assert sentences[1].startswith("1 unité présente dans plus d'un bras réunit 30,0")


def test_events_of_units_that_nobody_assigned_are_usual_and_told():
    assignments, events = logs()
    strangers = again(events, events.user.notna(), 0.3).assign(user="zz", id="s")
    result = of_logs(assignments, pd.concat([events, strangers]))
    assert check(result, "event_units").status == "pass"
    values, sentences = said(result, "event_units")
    assert values["strangers"] == len(strangers)
    assert sentences[0].startswith(f"{len(strangers)} events belong to units outside the")
    assert figures(result) == figures(of_logs(assignments, events))


def test_an_arm_whose_events_were_lost_stops_the_decision():
    assignments, events = logs()
    lost = events[~(of_arm(assignments, events, "new") & (events.event == "buy"))]
    result = of_logs(assignments, lost)
    known, (values, sentences) = check(result, "silent_arm"), said(result, "silent_arm")
    assert (known.status, known.blocking, result.broken) == ("fail", True, True)
    old = of_arm(assignments, events, "old") & (events.event == "buy")
    assert (values["arm"], values["expected"]) == ("new", pytest.approx(old.sum(), rel=1e-12))
    assert "has no outcome at all" in sentences[0]
    assert check(result, "plausibility") is None
    accepted = of_logs(assignments, lost, decision={"accept": {"silent_arm": "known"}})
    assert not accepted.broken


def rows_of(n, **arms):
    """Return units of arms, of which so many have the value 1 and the others 0."""
    parts = [
        pd.DataFrame({"arm": arm, "y": (np.arange(n) < count).astype(float)})
        for arm, count in arms.items()
    ]
    frame = pd.concat(parts, ignore_index=True).rename_axis("unit").reset_index()
    return frame.assign(x=np.random.default_rng(1).normal(9, 1, len(frame)), d=1.0)


def compared(frame, goal="increase", kind="proportion", role="primary", **fields):
    columns = {"column": "y"} if kind != "ratio" else {"numerator": "y", "denominator": "d"}
    metric = {"name": "y", "type": kind, "role": role, "goal": goal, **columns, **fields}
    other = {"name": "x", "type": "mean", "column": "x", "role": "primary", "goal": "increase"}
    spec = Experiment(
        experiment="a test",
        unit="unit",
        arms={"column": "arm", "control": "old", "weights": dict.fromkeys(frame.arm.unique(), 1)},
        metrics=[metric, other],
    )
    return experiments.analyze(spec, frame)


@pytest.mark.parametrize("kind", ["proportion", "mean", "ratio"])
@pytest.mark.parametrize(("loud", "fails"), [(0, False), (1, False), (14, False), (15, True)])
@pytest.mark.parametrize("swapped", [False, True])
def test_a_silent_arm_is_an_alarm_where_chance_does_not_make_it(kind, loud, fails, swapped):
    arms = {"new": 0, "old": loud} if not swapped else {"new": loud, "old": 0}
    known = check(compared(rows_of(1_000, **arms), kind=kind), "silent_arm")
    assert (known is not None) == fails
    if known:
        assert (known.status, known.value) == ("fail", pytest.approx(15))


def test_what_is_wanted_to_vanish_is_said_to_be_accepted_beforehand():
    frame = rows_of(1_000, new=0, old=40)
    wanted, unwanted = (compared(frame, goal=goal).checks for goal in ("decrease", "increase"))
    keys = [
        next(known.detail.key for known in checks if known.name == "silent_arm")
        for checks in (wanted, unwanted)
    ]
    assert keys == ["experiments.silent_arm_wanted", "experiments.silent_arm_fail"]
    assert compared(frame, goal="decrease").broken
    lost = rows_of(1_000, new=40, old=0)
    assert check(compared(lost, goal="decrease"), "silent_arm").detail.key.endswith("_fail")


def test_a_silent_secondary_metric_is_a_remark():
    result = compared(rows_of(1_000, new=40, old=0), role="secondary")
    assert (check(result, "silent_arm").status, result.broken) == ("warn", False)


def test_a_covariate_does_not_hide_a_silent_arm():
    frame = rows_of(1_000, new=0, old=300)
    for kind in ("mean", "ratio"):
        assert compared(frame, kind=kind, covariates=["x"] if kind == "mean" else []).broken


def test_gains_and_losses_that_balance_are_no_silence():
    frame = rows_of(1_000, new=400, old=0)
    balanced = frame.assign(y=frame.y.where(frame.arm == "new", (-1.0) ** frame.unit))
    assert check(compared(balanced, kind="mean"), "silent_arm") is None


@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_the_units_expected_of_an_amount_are_no_more_than_there_are(spread):
    """Of amounts above 0 it is a lower bound of their number, and the number where all are alike."""
    frame = rows_of(2_000, new=400, old=0)
    random = np.random.default_rng(7)
    frame["y"] *= random.lognormal(2, spread, len(frame)) if spread else 9.0
    expected = check(compared(frame, kind="mean"), "silent_arm").value
    assert expected == pytest.approx(400) if spread == 0 else 100 < expected < 400


def test_totals_by_day_tell_a_silent_arm():
    days = pd.date_range("2026-03-02", periods=14)
    frame = pd.concat(
        [
            pd.DataFrame({"arm": arm, "day": days, "n": 500, "y": 0 if arm == "new" else 20})
            for arm in ("old", "new")
        ]
    )
    for kind in ("proportion", "mean"):
        metric = {"name": "y", "type": kind, "column": "y", "role": "primary", "goal": "increase"}
        spec = Experiment(
            experiment="a test",
            unit="n",
            data={"path": "t", "rows": "totals"},
            arms={"column": "arm", "control": "old", "weights": {"old": 1, "new": 1}},
            period={"time": "day", "start": "2026-03-02", "end": "2026-03-15"},
            metrics=[metric],
        )
        result = experiments.analyze(spec, frame)
        assert check(result, "silent_arm").status == "fail"
        # of shares the successes at the rate of the other arm, of means the units on days with some
        assert check(result, "silent_arm").value == (280 if kind == "proportion" else 7_000)


@pytest.mark.parametrize(
    ("new", "old", "flagged"),
    [(400, 200, True), (300, 200, False), (260, 200, False), (50, 200, True), (120, 200, False)],
)
def test_an_effect_beyond_half_the_control_is_a_condition(new, old, flagged):
    result = compared(rows_of(1_000, new=new, old=old))
    known, effect = check(result, "plausibility"), result.comparisons[0]
    low, high = effect.lift_interval
    assert (low > 0.5 or high < -0.5) == flagged
    assert (known is not None) == flagged
    if known:
        assert (known.status, known.blocking) == ("fail", False)
        assert "so large an effect" in result.headline("en")


def test_small_effects_and_secondary_metrics_are_plausible():
    assert (
        check(compared(rows_of(1_000, new=400, old=200), role="secondary"), "plausibility") is None
    )


def test_the_case_of_events_sent_twice():
    result = experiments.analyze(case("log-dup-events-B"))
    clean = experiments.analyze(case("log-assign-dups"))  # the same events, each once
    assert figures(result) == figures(clean)
    assert said(result, "repeated_events")[0]["arm_count"] == 401
    assert check(result, "repeated_events").status == "fail"


@pytest.mark.parametrize(
    ("name", "known", "broken"),
    [
        ("event-name-case", "event_names", False),
        ("join-case-half", "event_units", True),
        ("log-B-lost-events", "silent_arm", True),
    ],
)
def test_the_cases_of_events_that_do_not_count(name, known, broken):
    result = experiments.analyze(case(name))
    assert (check(result, known).status, result.broken) == ("fail", broken)


# Zones: the days of a stated zone, and a question where logs do not say

PARIS = "Europe/Paris"
WEEKS = {"time": "at", "start": "2026-10-19", "end": "2026-11-01"}


def moments(n=2_000, seed=6):
    """Return units that come in through two weeks of Paris, the night of the clocks' change among them."""
    random = np.random.default_rng(seed)
    first = pd.Timestamp("2026-10-19", tz=PARIS)
    last = pd.Timestamp("2026-11-02", tz=PARIS)
    seconds = random.integers(0, int((last - first).total_seconds()), n)
    local = first + pd.to_timedelta(np.sort(seconds), unit="s")
    # An hour that the clocks show twice cannot be told apart when it is written without an offset.
    twice = (local.strftime("%Y-%m-%d") == "2026-10-25") & (local.hour == 2)
    local = local[~twice]
    frame = pd.DataFrame({"unit": np.arange(len(local)), "seen": local})
    frame["arm"] = np.where(frame.unit % 2, "new", "old")
    frame["spend"] = random.normal(20, 5, len(frame))
    return frame


def written(frame, form, column="seen"):
    seen = frame[column]
    local = seen.dt.tz_localize(None)
    return frame.assign(
        **{
            column: {
                "naive": local,
                "text": local.dt.strftime("%Y-%m-%d %H:%M:%S"),
                "utc": seen.dt.tz_convert("UTC").dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "offset": seen.map(pd.Timestamp.isoformat),
                "aware": seen.dt.tz_convert("America/New_York"),
                "day": local.dt.date,
            }[form]
        }
    )


@pytest.mark.parametrize("form", ["naive", "text", "utc", "offset", "aware", "day"])
@pytest.mark.parametrize("end", ["2026-11-01", "2026-10-25"])
def test_the_days_of_a_period_are_those_of_the_stated_zone(form, end):
    frame = moments()
    period = {"time": "seen", "start": "2026-10-19", "end": end}
    data = {"path": "t", "timezone": PARIS}
    result = analyzed(written(frame, form), period=period, data=data)
    days = frame.seen.dt.strftime("%Y-%m-%d")
    inside = days <= end
    assert [arm.units for arm in result.arms] == [
        (inside & (frame.arm == arm)).sum() for arm in ("old", "new")
    ]
    assert result.data_used.outside_period == (~inside).sum()
    assert check(result, "weekly_cycle").status == "pass"
    p_values = [
        stats.binomtest(int((group.arm == "new").sum()), len(group)).pvalue
        for _, group in frame[inside].groupby(days)
    ]
    assert said(result, "sample_ratio_days")[0]["levels"] == len(p_values)
    page = page_of(result, "en")
    assert "Days and times: those of Europe/Paris" in page
    assert "its day in UTC" not in page


def test_without_a_zone_days_are_those_of_utc_or_as_they_stand():
    frame = moments()
    period = {"time": "seen", "start": "2026-10-19", "end": "2026-11-01"}
    utc = frame.seen.dt.tz_convert("UTC").dt.strftime("%Y-%m-%d")
    early = ((utc < "2026-10-19") | (utc > "2026-11-01")).sum()
    assert early > 0
    for form, outside in (("naive", 0), ("text", 0), ("utc", early), ("aware", early)):
        result = analyzed(written(frame, form), period=period)
        assert result.data_used.outside_period == outside
    assert "counts by its day in UTC" in page_of(result, "en")


def zoned_logs():
    """Return logs of Paris: events at 23:30 and 00:30 around the ends of windows and of the log."""
    frame = moments()[["unit", "arm", "seen"]].rename(columns={"unit": "user", "seen": "at"})
    random = np.random.default_rng(8)
    events = frame.sample(frac=0.8, random_state=1)[["user", "at"]].rename(columns={"at": "when"})
    shift = pd.to_timedelta(random.integers(0, 5 * 86_400, len(events)), unit="s")
    events = events.assign(event="buy", when=events.when + shift, amount=1.0)
    events = events[(events.when.dt.strftime("%H") != "02")]
    return frame, events[events.when < pd.Timestamp("2026-11-05", tz=PARIS)]


@pytest.mark.parametrize("forms", [("text", "text"), ("naive", "utc"), ("offset", "text")])
@pytest.mark.parametrize("as_of", [None, "2026-10-30"])
def test_logs_of_a_stated_zone_meet_whatever_they_are_written_in(forms, as_of):
    assignments, events = zoned_logs()
    window = BOUGHT | {"window": {"to": "4d"}}
    given = written(assignments, forms[0], "at"), written(events, forms[1], "when")
    spec = Experiment(
        experiment="a test",
        unit="user",
        data={"assignments": "a", "events": "e", "timezone": PARIS},
        arms={"column": "arm", "control": "old", "weights": {"old": 1, "new": 1}},
        metrics=[window],
        period=WEEKS,
    )
    day = as_of and pd.Timestamp(as_of).date()
    result = experiments.analyze(
        spec, dict(zip(("assignments", "events"), given, strict=True)), as_of=day
    )
    last = (pd.Timestamp(as_of, tz=PARIS) if as_of else events.when.max()).normalize()
    assert result.data_used.horizon == last.date()
    end = last + pd.DateOffset(days=1)
    known = assignments[assignments["at"] + pd.Timedelta("4D") <= end]
    joined = events.merge(known, on="user")
    bought = joined.user[joined.when - joined["at"] < pd.Timedelta("4D")]
    shares = known.user.isin(bought).groupby(known.arm).agg(["size", "mean"])
    (effect,) = result.comparisons
    assert effect.n == (shares["size"]["new"], shares["size"]["old"])
    assert effect.estimate == pytest.approx((shares["mean"]["new"], shares["mean"]["old"]))


@pytest.mark.parametrize(
    "forms", [("text", "utc"), ("utc", "text"), ("naive", "aware"), ("day", "offset")]
)
def test_logs_with_and_without_an_offset_are_a_question(forms):
    assignments, events = zoned_logs()
    given = written(assignments, forms[0], "at"), written(events, forms[1], "when")
    with pytest.raises(DataError, match="say in which zone these are: data"):
        of_logs(*given, BOUGHT, period=WEEKS)


@pytest.mark.parametrize("forms", [("text", "naive"), ("utc", "aware")])
def test_logs_that_are_both_with_or_without_an_offset_are_none(forms):
    assignments, events = zoned_logs()
    given = written(assignments, forms[0], "at"), written(events, forms[1], "when")
    assert of_logs(*given, BOUGHT, period=WEEKS).comparisons


def test_an_unknown_zone_is_told_for_frames_too():
    with pytest.raises(DataError, match="Europe/Pariss"):
        analyzed(leaking(100, 0, 0), data={"path": "t", "timezone": "Europe/Pariss"})


def test_the_cases_of_zones():
    with pytest.raises(DataError, match=r"e.csv have an offset from UTC and those of a.csv have"):
        experiments.analyze(case("log-tz-naive-vs-Z"))
    result = experiments.analyze(case("naive-tz-told"))
    assert (result.data_used.rows_used, result.data_used.outside_period) == (20_000, 0)


# Caps


def test_the_cases_of_caps():
    (ratio,) = experiments.analyze(case("ratio-cap-0.99")).comparisons
    assert ratio.estimate == pytest.approx((20, 20), abs=0.03)
    low, high = ratio.difference_interval
    assert high - low < 0.25
    result = experiments.analyze(case("cap-at-zero"))
    (mean,) = result.comparisons
    assert mean.not_estimable.key == "experiments.cap_too_low"
    assert result.decision.action == "no_decision"


def test_the_cases_of_row_order():
    first, second = (experiments.analyze(case(f"orderdet-{name}")) for name in ("id", "rev"))
    for one, other in zip(first.comparisons, second.comparisons, strict=True):
        for name in ("difference", "standard_error", "p_value", "lift", "variance_reduction"):
            assert getattr(other, name) == pytest.approx(getattr(one, name), rel=1e-9), name
