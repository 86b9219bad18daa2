"""Assignment and event logs, against the same sums made by pandas: windows, maturity, first assignments."""

import datetime
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from opslab import experiments
from opslab.errors import DataError
from opslab.experiments.spec import Experiment

START = pd.Timestamp("2026-03-01")
DAY = pd.Timedelta("1D")
BOUGHT = {
    "name": "bought",
    "type": "mean",
    "event": "buy",
    "value": "amount",
    "window": {"to": "7d"},
    "role": "primary",
    "goal": "increase",
}
KEPT = {
    "name": "kept",
    "type": "proportion",
    "event": "visit",
    "window": {"from": "2d", "to": "3d"},
    "role": "secondary",
    "goal": "increase",
}
COUNT = {
    "name": "visits",
    "type": "mean",
    "event": "visit",
    "window": {"to": "36h"},
    "role": "secondary",
    "goal": "increase",
}


def experiment(*metrics, arms=("old", "new"), data=None, **fields):
    weights = dict.fromkeys(arms, 1.0)
    return Experiment(
        experiment="a test",
        unit="user",
        data={"assignments": "a.csv", "events": "e.csv", **(data or {})},
        arms={"column": "arm", "control": arms[0], "weights": weights},
        metrics=metrics,
        **fields,
    )


def analyzed(logs, *metrics, as_of=None, **fields):
    given = dict(zip(("assignments", "events"), logs, strict=True))
    return experiments.analyze(experiment(*metrics, **fields), given, as_of=as_of)


def logs(n=900, arms=("old", "new"), seed=1):
    """Return logs over 14 days of assignment; some events before it, at its very moment, and of nobody."""
    random = np.random.default_rng(seed)
    assigned = START + pd.to_timedelta(random.integers(0, 14 * 86_400, n), unit="s")
    assignments = pd.DataFrame(
        {"user": np.arange(n) * 7 + 3, "arm": random.choice(arms, n), "at": assigned}
    )
    assignments["land"] = random.choice(["fr", "de", "it"], n)
    m = 12 * n
    place = random.integers(0, n, m)
    since = np.where(
        random.random(m) < 0.1,
        random.choice([0, 86_400, 2 * 86_400, 7 * 86_400], m),
        random.integers(-10 * 86_400, 20 * 86_400, m),
    )
    events = pd.DataFrame(
        {
            "user": assignments.user.to_numpy()[place],
            "event": random.choice(["buy", "visit", "leave"], m),
            "when": assigned.to_numpy()[place] + pd.to_timedelta(since, unit="s"),
            "amount": random.lognormal(1, 2, m).round(2),
        }
    )
    strangers = events.head(50).assign(user=lambda rows: rows.user + 1)
    return assignments, pd.concat([events, strangers], ignore_index=True)


def by_pandas(assignments, events, metric, horizon, window="window"):
    """Return the assigned units, first assignments alone, with the metric's value; None while immature."""
    assignments = assignments.sort_values("at", kind="stable").drop_duplicates("user")
    start, end = (
        pd.Timedelta(metric[window].get(name, "0d").replace("d", "D")) for name in ("from", "to")
    )
    joined = events[events.event == metric["event"]].merge(assignments, on="user")
    since = joined.when - joined["at"]
    inside = joined[(since >= start) & (since < end)]
    groups = inside.groupby("user").amount
    found = groups.agg(math.fsum) if "value" in metric else groups.size()
    value = assignments.user.map(found).fillna(0.0)
    if metric["type"] == "proportion":
        value = (value > 0).astype(float)
    if end > pd.Timedelta(0):
        value = value.where(assignments["at"] + end <= horizon + DAY)
    return assignments.assign(value=value)


def same(one, made, control="old"):
    """Compare a comparison with Welch's test of values by arm."""
    known = made.dropna(subset="value")
    new, old = (known.value[known.arm == arm] for arm in (one.arm, control))
    assert one.n == (len(new), len(old))
    assert one.missing == tuple(
        (made.arm == arm).sum() - size for arm, size in zip((one.arm, control), one.n, strict=True)
    )
    assert one.estimate == pytest.approx((new.mean(), old.mean()), rel=1e-12)
    if one.method == "welch":
        test = stats.ttest_ind(new, old, equal_var=False)
        assert one.p_value == pytest.approx(test.pvalue, rel=1e-9)


@pytest.mark.parametrize("as_of", [None, datetime.date(2026, 3, 12), datetime.date(2026, 3, 19)])
def test_windows_and_maturity_are_those_of_pandas(as_of):
    assignments, events = logs()
    result = analyzed((assignments, events), BOUGHT, KEPT, COUNT, as_of=as_of)
    last = events.when.max().normalize()
    day = min(last, pd.Timestamp(as_of)) if as_of else last
    seen = assignments[
        assignments["at"] < (pd.Timestamp(as_of) + DAY if as_of else pd.Timestamp.max)
    ]
    assert result.data_used.horizon == day.date()
    immature = 0
    for metric, one in zip((BOUGHT, KEPT, COUNT), result.comparisons, strict=True):
        made = by_pandas(seen, events, metric, day)
        same(one, made)
        left_out = int(made.value.isna().sum())
        immature = max(immature, left_out)
        notes = [
            dict(note.values)["count"] for note in one.notes if note.key == "experiments.immature"
        ]
        assert notes == ([left_out] if left_out else [])
    windows = next(check for check in result.checks if check.name == "outcome_windows")
    assert (windows.status, windows.value) == (("warn" if immature else "pass"), immature)
    assert [arm.units for arm in result.arms] == [(seen.arm == arm).sum() for arm in ("old", "new")]


def small(assignments, events):
    """Return logs from tuples: (user, arm, at) and (user, event, when, amount); hours since the start."""
    first = pd.DataFrame(assignments, columns=["user", "arm", "at"])
    second = pd.DataFrame(events, columns=["user", "event", "when", "amount"])
    first["at"] = START + pd.to_timedelta(first["at"], unit="h")
    second["when"] = START + pd.to_timedelta(second["when"], unit="h")
    return first, second


FOUR = [(1, "new", 0), (2, "new", 0), (3, "old", 0), (4, "old", 0)]
FAR = [(9, "visit", 1_000, 0.0), (9, "buy", 1_000, 0.0)]


@pytest.mark.parametrize(
    ("hours", "counts"), [(-0.001, 0), (0, 1), (167.999, 1), (168, 0), (-1, 0), (168.001, 0)]
)
def test_a_window_holds_its_start_and_not_its_end(hours, counts):
    (one,) = analyzed(
        small(FOUR, [*FAR, (1, "buy", hours, 8.0), (2, "buy", 5, 1.0)]), BOUGHT
    ).comparisons
    assert one.estimate == ((8.0 * counts + 1) / 2, 0.0)


def test_retention_counts_a_unit_once_and_only_on_its_day():
    visits = [
        (1, "visit", 48, 0),
        (1, "visit", 50, 0),
        (1, "visit", 71.99, 0),
        (2, "visit", 72, 0),
        (3, "visit", 47.9, 0),
    ]
    result = analyzed(small(FOUR, [*FAR, *visits]), KEPT | {"role": "primary"})
    assert result.comparisons[0].estimate == (0.5, 0.0)


@pytest.mark.parametrize(("days", "n"), [(8, 2), (7, 2), (6, 1)])
def test_a_unit_counts_from_the_day_on_which_its_window_is_over(days, n):
    """The third unit comes a day later; the window of seven days is over at the end of the seventh day."""
    units = [*FOUR, (5, "new", 24), (6, "old", 24)]
    logs_ = small(
        [(user, arm, at) for user, arm, at in units if user not in (2, 4)],
        [*FAR, (1, "buy", 1, 2.0), (5, "buy", 25, 4.0), (3, "buy", 1, 1.0)],
    )
    (one,) = analyzed(logs_, BOUGHT, as_of=(START + days * DAY).date()).comparisons
    assert one.n == ((2, 2) if n == 2 and days >= 7 else (1, 1))


def test_no_window_that_is_over_is_refused():
    with pytest.raises(DataError, match="No unit's window of 7 days is over by"):
        analyzed(small(FOUR, [(1, "buy", 1, 2.0)]), BOUGHT)


def test_the_first_assignment_counts_and_repeats_do_not():
    assignments, events = logs()
    again = assignments.sample(200, random_state=1).assign(
        at=lambda rows: rows["at"] + pd.Timedelta("3h")
    )
    for order in ([assignments, again], [again, assignments]):
        result = analyzed((pd.concat(order, ignore_index=True), events), BOUGHT)
        same(
            result.comparisons[0],
            by_pandas(assignments, events, BOUGHT, events.when.max().normalize()),
        )
        assert sum(arm.units for arm in result.arms) == len(assignments)
        assert next(one for one in result.checks if one.name == "leaked_units").status == "pass"


def test_units_in_two_arms_are_left_out_and_told():
    assignments, events = logs()
    leaked = assignments.head(30).assign(
        arm=lambda rows: rows.arm.map({"old": "new", "new": "old"}),
        at=lambda rows: rows["at"] + DAY,
    )
    result = analyzed((pd.concat([assignments, leaked], ignore_index=True), events), BOUGHT)
    same(
        result.comparisons[0],
        by_pandas(assignments.iloc[30:], events, BOUGHT, events.when.max().normalize()),
    )
    check = next(one for one in result.checks if one.name == "leaked_units")
    assert (check.status, check.value) == ("fail", 30)
    assert (result.decision.action, result.data_used.leaked_rows) == ("stop_broken", 60)


def test_what_was_before_the_assignment_counts_in_the_covariate_alone():
    """The adjusted difference is that of the pandas columns through the analysis of a unit table."""
    assignments, events = logs()
    metric = BOUGHT | {"covariate_window": {"from": "-5d", "to": "0d"}}
    horizon = events.when.max().normalize()
    (one,) = analyzed((assignments, events), metric).comparisons
    made = by_pandas(assignments, events, metric, horizon)
    made["before"] = by_pandas(assignments, events, metric, horizon, "covariate_window").value
    plain = Experiment(
        experiment="a test",
        unit="user",
        arms={"column": "arm", "control": "old"},
        metrics=[
            {
                "name": "bought",
                "type": "mean",
                "column": "value",
                "covariates": ["before"],
                "role": "primary",
                "goal": "increase",
                "missing": "drop",
            }
        ],
    )
    (other,) = experiments.analyze(plain, made[["user", "arm", "value", "before"]]).comparisons
    assert (one.method, one.n) == ("cuped", other.n)
    for name in ("difference", "standard_error", "p_value", "variance_reduction"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-9), name
    later = events.assign(
        when=lambda rows: rows.when.where(
            rows.when < rows.user.map(assignments.set_index("user")["at"])
        )
    )
    (nothing,) = analyzed(
        (assignments, later.dropna(subset="when")),
        KEPT | {"role": "primary"},
        as_of=datetime.date(2026, 3, 14),
    ).comparisons
    assert nothing.estimate == (0.0, 0.0)


@pytest.mark.parametrize("log", ["assignments", "events"])
def test_ids_that_are_numbers_in_one_log_and_text_in_the_other_meet(log, tmp_path):
    given = dict(zip(("assignments", "events"), logs(), strict=True))
    whole = experiments.analyze(experiment(BOUGHT), given)
    given[log] = given[log].assign(user=given[log].user.astype(str))
    assert experiments.analyze(experiment(BOUGHT), given).comparisons == whole.comparisons
    given["events"].to_csv(tmp_path / "e.csv", index=False)
    given["assignments"].to_parquet(tmp_path / "a.parquet")
    paths = {"assignments": tmp_path / "a.parquet", "events": tmp_path / "e.csv"}
    (one,) = experiments.analyze(experiment(BOUGHT), paths).comparisons
    assert one.difference == whole.comparisons[0].difference


def test_amounts_that_are_missing_mean_what_the_spec_says():
    assignments, events = logs()
    events.loc[[4, 40, 400], ["event", "amount"]] = ["buy", np.nan]
    with pytest.raises(DataError, match="Row 5 is a buy without a number"):
        analyzed((assignments, events), BOUGHT)
    for missing in ("zero", "drop"):
        (one,) = analyzed((assignments, events), BOUGHT | {"missing": missing}).comparisons
        same(one, by_pandas(assignments, events.dropna(), BOUGHT, events.when.max().normalize()))
    events.loc[events.event == "leave", "amount"] = np.nan
    assert analyzed((assignments, events.drop([4, 40, 400])), BOUGHT).comparisons[0].missing == (
        0,
        0,
    )


def test_several_arms_and_segments_of_the_assignment_log():
    arms = ("old", "new", "bold")
    assignments, events = logs(arms=arms)
    result = analyzed((assignments, events), BOUGHT, arms=arms, segments=["land"])
    made = by_pandas(assignments, events, BOUGHT, events.when.max().normalize())
    assert [one.arm for one in result.comparisons] == ["new", "bold"]
    for one in result.comparisons:
        same(one, made)
    assert {one.segment for one in result.segments} == {"land: de", "land: fr", "land: it"}
    for one in result.segments:
        same(one, made[made.land == one.segment.removeprefix("land: ")])


def test_sums_are_the_same_to_the_last_bit_in_any_order_and_number_of_threads(
    monkeypatch, tmp_path
):
    assignments, events = logs(n=3_000)
    spec = experiment(BOUGHT | {"covariate_window": {"from": "-5d", "to": "0d"}}, COUNT)
    found = []
    for threads, seed in ((1, None), (1, 1), (2, 2), (4, 3)):
        monkeypatch.setenv("OPSLAB_THREADS", str(threads))
        mixed = events if seed is None else events.sample(frac=1, random_state=seed)
        mixed.to_parquet(tmp_path / "e.parquet", row_group_size=2_048)
        found.append(
            experiments.analyze(
                spec, {"assignments": assignments, "events": tmp_path / "e.parquet"}
            )
        )
    assert len({repr(one.comparisons) for one in found}) == 1
    assert len({repr(one.trends) for one in found}) == 1


def test_an_event_of_another_name_is_told_with_the_near_one():
    with pytest.raises(DataError, match=r"No event in .* is called bye; did you mean buy"):
        analyzed(logs(), BOUGHT | {"event": "bye"})
    with pytest.raises(DataError, match="holds buy, leave and visit"):
        analyzed(logs(), BOUGHT | {"event": "subscription"})


def test_the_moments_of_a_log_are_named_where_there_are_several():
    assignments, events = logs()
    events["sent"] = events.when
    with pytest.raises(DataError, match="has no column of dates or times, or several"):
        analyzed((assignments, events), BOUGHT)
    one = analyzed((assignments, events), BOUGHT, data={"event_time": "when"})
    assert one.comparisons == analyzed(logs(), BOUGHT).comparisons
    assignments["born"] = START
    with pytest.raises(
        DataError, match="The assignment log has no column of dates or times, or several"
    ):
        analyzed((assignments, events.drop(columns="sent")), BOUGHT)
    period = {"time": "at", "start": "2026-03-03", "end": "2026-03-10"}
    result = analyzed((assignments, events.drop(columns="sent")), BOUGHT, period=period)
    inside = assignments[assignments["at"].between("2026-03-03", "2026-03-10 23:59:59")]
    same(result.comparisons[0], by_pandas(inside, events, BOUGHT, events.when.max().normalize()))
    assert result.data_used.outside_period == len(assignments) - len(inside)


def test_a_log_without_rows_or_columns_is_refused():
    assignments, events = logs(100)
    for broken in ((assignments.head(0), events), (assignments, events.head(0))):
        with pytest.raises(DataError, match="no rows"):
            analyzed(broken, BOUGHT)
    with pytest.raises(DataError, match="There is no column amount"):
        analyzed((assignments, events.drop(columns="amount")), BOUGHT)
    with pytest.raises(DataError, match="names no data"):
        experiments.analyze(experiment(BOUGHT), {"assignments": assignments})


@pytest.mark.parametrize("log", ["assignments", "events"])
def test_ids_that_a_gap_made_floats_meet(log):
    """A missing id turns whole numbers into floats in pandas; those of events fall out, the others must meet."""
    given = dict(zip(("assignments", "events"), logs(), strict=True))
    whole = experiments.analyze(experiment(BOUGHT), given)
    given[log] = given[log].assign(user=given[log].user.astype(float))
    if log == "events":
        given[log].loc[len(given[log])] = [np.nan, "buy", START + DAY, 5.0]
    assert experiments.analyze(experiment(BOUGHT), given).comparisons == whole.comparisons


def test_who_was_assigned_before_the_period_does_not_come_in_anew():
    assignments, events = logs()
    spec = experiment(BOUGHT, period={"time": "at", "start": "2026-03-01", "end": "2026-03-14"})
    whole = experiments.analyze(spec, {"assignments": assignments, "events": events})
    early = assignments.iloc[:3].assign(at=START - 5 * DAY)
    again = experiments.analyze(
        spec, {"assignments": pd.concat([assignments, early]), "events": events}
    )
    without = experiments.analyze(spec, {"assignments": assignments.iloc[3:], "events": events})
    assert again.comparisons == without.comparisons != whole.comparisons
