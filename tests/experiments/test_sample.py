"""The sample files are remade byte for byte, and independent means find the truth in them."""

import json
import runpy
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
import yaml
from scipy import stats

DATA = Path(__file__).parents[2] / "data"
SAMPLE = DATA / "sample"
write = runpy.run_path(str(DATA / "make_experiments.py"))["write"]


@pytest.fixture(scope="module")
def remade(tmp_path_factory):
    return write(tmp_path_factory.mktemp("sample") / "made" / "here")


@pytest.fixture(scope="module")
def truth():
    return json.loads((SAMPLE / "truth.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def checkout():
    return pd.read_csv(SAMPLE / "checkout.csv", parse_dates=["exposed_at"])


@pytest.fixture(scope="module")
def search():
    return pd.read_csv(SAMPLE / "search_ranking.csv", parse_dates=["first_search"])


@pytest.fixture(scope="module")
def onboarding():
    """One row per assigned user, counted by SQL straight from the two logs."""
    assignments, events = SAMPLE / "onboarding_assignments.csv", SAMPLE / "onboarding_events.csv"
    return (
        duckdb.sql(f"""
        with aged as (
            select user_id, event, amount, (epoch(occurred_at) - epoch(assigned_at)) / 86400 as age
            from '{events}' join '{assignments}' using (user_id)
        )
        select user_id, variant, assigned_at,
            coalesce(bool_or(event = 'session' and age >= 7 and age < 8), false) as kept,
            coalesce(sum(amount) filter (age >= 0 and age < 14), 0) as spent,
            coalesce(sum(amount) filter (age >= -28 and age < 0), 0) as before
        from '{assignments}' left join aged using (user_id)
        group by all
    """)
        .to_arrow_table()
        .to_pandas()
    )


def arms(table, column, value, control):
    """Return the values of the control arm and of the other."""
    is_control = table[column] == control
    return table.loc[is_control, value].dropna().astype(float), table.loc[
        ~is_control, value
    ].dropna().astype(float)


def difference(control, other):
    """Return Welch's p-value and 99 % interval of other minus control."""
    test = stats.ttest_ind(other, control, equal_var=False)
    return test.pvalue, test.confidence_interval(0.99)


def sample_ratio(table, column):
    return stats.chisquare(table[column].value_counts()).pvalue


def test_remade_byte_for_byte(remade):
    assert [path.name for path in remade] == sorted(path.name for path in remade)
    for path in remade:
        assert path.read_bytes() == (SAMPLE / path.name).read_bytes(), path.name


def test_writing_again_replaces(remade):
    remade[0].write_text("spoilt", encoding="utf-8")
    assert write(remade[0].parent) == remade
    assert remade[0].read_bytes() == (SAMPLE / remade[0].name).read_bytes()


def test_files_are_small_plain_and_described(remade):
    readme = (SAMPLE / "README.md").read_text(encoding="utf-8")
    assert sum((SAMPLE / path.name).stat().st_size for path in remade) < 1_700_000
    for path in remade:
        text = (SAMPLE / path.name).read_bytes()
        assert b"\r" not in text
        assert text.endswith(b"\n")
        assert path.name in readme


@pytest.mark.parametrize("name", ["checkout", "search_ranking"])
def test_specs_of_unit_tables_fit_their_data(name):
    spec = yaml.safe_load((SAMPLE / f"{name}.yaml").read_text(encoding="utf-8"))
    table = pd.read_csv(SAMPLE / spec["data"]["path"], parse_dates=[spec["period"]["time"]])
    named = {
        spec["unit"],
        spec["arms"]["column"],
        *(metric["column"] for metric in spec["metrics"]),
    }
    assert named <= set(table.columns)
    assert set(table[spec["arms"]["column"]]) == set(spec["arms"]["weights"])
    days = table[spec["period"]["time"]].dt.date
    assert (days.min(), days.max()) == (spec["period"]["start"], spec["period"]["end"])
    assert days.nunique() == (days.max() - days.min()).days + 1
    assert days.nunique() % 7 == 0


def test_spec_of_the_logs_fits_them(onboarding):
    spec = yaml.safe_load((SAMPLE / "onboarding.yaml").read_text(encoding="utf-8"))
    events = pd.read_csv(SAMPLE / spec["data"]["events"])
    assert {metric["event"] for metric in spec["metrics"]} == set(events["event"])
    assert set(onboarding["variant"]) == set(spec["arms"]["weights"])
    days = onboarding["assigned_at"].dt.tz_convert("UTC").dt.date
    assert (days.min(), days.max()) == (spec["period"]["start"], spec["period"]["end"])


@pytest.mark.parametrize(
    ("file", "unit"),
    [
        ("checkout.csv", "user_id"),
        ("search_ranking.csv", "visitor"),
        ("onboarding_assignments.csv", "user_id"),
    ],
)
def test_no_unit_appears_twice(file, unit):
    assert pd.read_csv(SAMPLE / file)[unit].is_unique


def test_checkout_holds_what_truth_says(checkout, truth):
    facts = truth["checkout"]["file"]
    assert len(checkout) == facts["rows"] == 12_000
    for arm, mine in checkout.groupby("variant"):
        assert len(mine) == facts[arm]["rows"]
        for column in ("revenue_before", "converted", "revenue", "load_ms"):
            assert mine[column].sum() == pytest.approx(facts[arm][column], abs=1e-6)
            assert mine[column].isna().sum() == facts[arm][f"{column}_empty"]
        assert mine["load_ms"].isna().sum() == 12
    assert ((checkout["revenue"] > 0) == (checkout["converted"] == 1)).all()


def test_checkout_covers_28_whole_days_with_quiet_weekends(checkout):
    by_day = checkout.groupby(checkout["exposed_at"].dt.date).size()
    assert len(by_day) == 28
    weekend = np.array([day.weekday() >= 5 for day in by_day.index])
    assert by_day[weekend].max() < by_day[~weekend].min()


def test_checkout_is_healthy(checkout):
    assert sample_ratio(checkout, "variant") > 0.05
    for column in ("country", "platform"):
        assert (
            stats.chi2_contingency(pd.crosstab(checkout[column], checkout["variant"])).pvalue > 0.01
        )
    assert difference(*arms(checkout, "variant", "revenue_before", "control"))[0] > 0.05


def test_identifiers_tell_neither_arm_nor_time(checkout):
    number = checkout["user_id"].str[2:].astype(int)
    assert abs(stats.spearmanr(number, checkout["exposed_at"].astype("int64")).statistic) < 0.03
    assert abs(stats.spearmanr(number, checkout["variant"] == "control").statistic) < 0.03


def test_checkout_conversion_recovers_truth(checkout, truth):
    control, other = arms(checkout, "variant", "converted", "control")
    p_value, (low, high) = difference(control, other)
    assert p_value < 0.01
    assert low < truth["checkout"]["truth"]["conversion"]["difference"] < high
    for values, arm in ((control, "control"), (other, "short_label")):
        low, high = stats.binomtest(int(values.sum()), len(values)).proportion_ci(0.99)
        assert low < truth["checkout"]["truth"]["conversion"][arm] < high


def test_checkout_revenue_recovers_truth_and_gains_from_the_covariate(checkout, truth):
    known = truth["checkout"]["truth"]
    plain_p, (low, high) = difference(*arms(checkout, "variant", "revenue", "control"))
    assert low < known["revenue_difference"] < high
    assert low < known["revenue_difference_of_these_users"] < high
    assert abs(known["revenue_difference"] - known["revenue_difference_of_these_users"]) < 0.2
    before, revenue = checkout["revenue_before"], checkout["revenue"]
    assert np.corrcoef(before, revenue)[0, 1] == pytest.approx(
        known["revenue_correlation"], abs=0.03
    )
    assert (before == 0).mean() > 0.5
    assert stats.skew(before) > 2
    slope = np.polyfit(before, revenue, 1)[0]
    adjusted = checkout.assign(adjusted=revenue - slope * (before - before.mean()))
    adjusted_p, (low, high) = difference(*arms(adjusted, "variant", "adjusted", "control"))
    assert low < known["revenue_difference"] < high
    assert adjusted_p < 0.05 < plain_p


def test_checkout_guardrail_is_inside_its_margin(checkout):
    control, other = arms(checkout, "variant", "load_ms", "control")
    interval = stats.ttest_ind(other, control, equal_var=False).confidence_interval(0.95)
    assert -0.02 < interval.low / control.mean() < 0 < interval.high / control.mean() < 0.02


def test_search_is_broken_where_truth_says(search, truth):
    facts, known = truth["search_ranking"]["file"], truth["search_ranking"]["truth"]
    assert len(search) == facts["rows"] == 5_000
    for ranking, mine in search.groupby("ranking"):
        assert (len(mine), mine["clicked"].sum()) == (
            facts[ranking]["rows"],
            facts[ranking]["clicked"],
        )
        low, high = stats.binomtest(len(mine), len(search)).proportion_ci(0.99)
        assert low < known["seen_share"][ranking] < high
    assert sample_ratio(search, "ranking") < 0.001
    assert sample_ratio(search[search["network"] == "3g"], "ranking") < 1e-10
    assert sample_ratio(search[search["network"] != "3g"], "ranking") > 0.05


def test_search_effect_is_an_artefact(search, truth):
    assert search["clicked"].dtype == bool
    control, other = arms(search, "ranking", "clicked", "old")
    assert other.mean() > control.mean()
    assert difference(control, other)[0] < 0.01
    for network, mine in search.groupby("network"):
        assert difference(*arms(mine, "ranking", "clicked", "old"))[0] > 0.05
        low, high = stats.binomtest(int(mine["clicked"].sum()), len(mine)).proportion_ci(0.99)
        assert low < truth["search_ranking"]["truth"]["click_rate"][network] < high


def test_onboarding_logs_recover_truth(onboarding, truth):
    facts, known = truth["onboarding"]["file"], truth["onboarding"]["truth"]
    assert len(onboarding) == facts["rows"] == 2_000
    assert sample_ratio(onboarding, "variant") > 0.05
    for arm, mine in onboarding.groupby("variant"):
        assert (len(mine), mine["kept"].sum()) == (facts[arm]["rows"], facts[arm]["kept"])
        assert mine["spent"].sum() == pytest.approx(facts[arm]["spent"], abs=1e-6)
    for value, name in (("kept", "kept_on_day_7"), ("spent", "spend_14_days")):
        control, other = arms(onboarding, "variant", value, "control")
        for values, arm in ((control, "control"), (other, "checklist")):
            error = stats.sem(values) * stats.norm.ppf(0.995)
            assert abs(values.mean() - known[name][arm]) < error
        low, high = difference(control, other)[1]
        assert low < known[name]["difference"] < high
    assert difference(*arms(onboarding, "variant", "kept", "control"))[0] < 0.01
    assert np.corrcoef(onboarding["before"], onboarding["spent"])[0, 1] > 0.2


def test_onboarding_events_hold_the_traps_that_the_readme_lists(onboarding, truth):
    events = pd.read_csv(SAMPLE / "onboarding_events.csv", parse_dates=["occurred_at"])
    for event, mine in events.groupby("event"):
        facts = truth["onboarding"]["file"]["events"][event]
        assert len(mine) == facts["rows"]
        assert mine["amount"].sum() == pytest.approx(facts["amount"], abs=1e-6)
    assert ((events["event"] == "purchase") == events["amount"].notna()).all()
    joined = events.merge(onboarding, on="user_id")
    age = (joined["occurred_at"] - joined["assigned_at"]) / pd.Timedelta(days=1)
    assert -35 <= age.min() < -28
    assert 14 < age.max() < 21
    assert (age == 8).any()
    on_day_7 = joined[(joined["event"] == "session") & (age >= 7) & (age < 8)]
    assert on_day_7["user_id"].duplicated().any()
    assert 0 < events.loc[~events["user_id"].isin(onboarding["user_id"]), "user_id"].nunique() <= 20
    assert not onboarding["user_id"].isin(events["user_id"]).all()


def test_the_history_of_a_plan_holds_what_truth_says(truth):
    history = pd.read_csv(SAMPLE / "delivery_history.csv", parse_dates=["first_order"])
    facts, known = truth["delivery_history"]["file"], truth["delivery_history"]["truth"]
    assert len(history) == facts["rows"] == facts["all"]["rows"] == 6_000
    for column in ("first_attempt", "spend_before", "spend", "stops", "minutes"):
        assert history[column].sum() == pytest.approx(facts["all"][column], abs=1e-6)
    assert history["customer"].is_unique
    low, high = stats.binomtest(int(history["first_attempt"].sum()), 6_000).proportion_ci(0.99)
    assert low < known["first_attempt"] < high
    ratio = history["minutes"].sum() / history["stops"].sum()
    assert ratio == pytest.approx(known["minutes_per_stop"], rel=0.01)
    correlation = np.corrcoef(history["spend_before"], history["spend"])[0, 1]
    assert correlation == pytest.approx(known["spend_correlation"], abs=0.03)
    assert history["spend"].mean() == pytest.approx(known["spend"], rel=0.04)
    by_weekday = history.groupby(history["first_order"].dt.day_of_week).size() / 8
    shape = np.array(known["weekday_shape"])
    assert by_weekday.to_numpy() == pytest.approx(
        known["units_per_week"] * shape / shape.sum(), rel=0.1
    )
    assert history["first_order"].dt.date.nunique() == 56
