"""A change is told by the design that its pilot allows: numbers, hours, hope, what is refused."""

import datetime
import math

import numpy as np
import pytest
import statsmodels.formula.api as smf
from changed import declared, reviewed, table, values, week
from scipy import stats

from opslab.errors import DataError, ParameterError, SpecError
from opslab.timesaved import ChangeReview, review_change
from opslab.timesaved.change.review import LEADS

# ---- Compared with others


def test_with_one_start_the_effect_is_the_regression_of_statsmodels():
    """C(team) + C(week) + treated x after; without gaps imputation and two ways are one number."""
    made = values()
    rows = table(made).assign(y=lambda rows: np.log(rows["value"]))
    late = rows["week"] >= week(14)
    rows["d"] = (rows["team"].isin([f"T{at:02}" for at in range(4)]) & late).astype(int)
    fit = smf.ols("y ~ C(team) + C(week) + d", rows).fit()
    result = reviewed(made)
    assert result.design == "did"
    assert result.relative
    assert result.effect[0] == pytest.approx(math.expm1(fit.params["d"]), abs=1e-9)
    assert result.two_way == pytest.approx(math.expm1(fit.params["d"]), abs=1e-9)


def test_the_interval_is_the_t_test_of_the_teams_own_changes():
    """By scipy: mean after less mean before of each team, on logs, two groups."""
    made = values()
    change = np.log(made[:, 14:]).mean(axis=1) - np.log(made[:, :14]).mean(axis=1)
    test = stats.ttest_ind(change[:4], change[4:])
    ends = test.confidence_interval(0.95)
    result = reviewed(made)
    assert result.effect[1:] == pytest.approx((math.expm1(ends.low), math.expm1(ends.high)))
    primary = next(verdict for verdict in result.verdicts if verdict.primary)
    assert (primary.interval, primary.p) == (tuple(result.effect), pytest.approx(test.pvalue))
    assert result.verdicts[0] == primary


def test_averages_and_steps_have_their_own_intervals_and_the_simple_one_is_the_headline():
    made = values()
    made[2:4, 14:18] = values()[2:4, 14:18] / 0.8  # T02 and T03 start four weeks later
    starts = {"T00": week(14), "T01": week(14), "T02": week(18), "T03": week(18)}
    result = reviewed(made, pilot={"starts": starts, "phase_in": 2})
    shown = {average.name: average for average in result.averages}
    assert [*shown] == ["simple", "group", "calendar", "dynamic"]
    assert shown["simple"].effect == tuple(result.effect)
    for average in shown.values():
        assert average.effect.low < average.effect.value < average.effect.high
        assert average.last_before == pytest.approx(-0.2, abs=0.1)
    steps = {step.periods: step for step in result.steps}
    assert [*steps] == [*range(-LEADS, 0), *range(2, 16)]  # the phase-in of two weeks is left out
    assert (steps[2].teams, steps[11].teams, steps[15].teams) == (4, 4, 2)
    assert steps[5].effect.value == pytest.approx(-0.2, abs=0.06)
    assert abs(steps[-1].effect.value) < 0.06


def test_a_team_is_told_before_and_after_by_its_geometric_means():
    made = values()
    result = reviewed(made)
    first, *_, last = result.teams
    assert first.before == pytest.approx(stats.gmean(made[0, :14]))
    assert first.after == pytest.approx(stats.gmean(made[0, 14:]))
    assert (first.start, last.start, last.after, last.effect) == (week(14), None, None, None)
    mean = np.mean([math.log1p(team.effect) for team in result.teams[:4]])
    assert math.expm1(mean) == pytest.approx(result.effect[0])


def test_on_the_level_effects_are_in_the_unit():
    """Shares by default: the double difference of means, counted by hand."""
    made = np.clip(values(noise=0.02) / 40, 0, 1)
    means = made[:, 14:].mean(axis=1) - made[:, :14].mean(axis=1)
    result = reviewed(made, measure={"quantity": "share"})
    assert not result.relative
    assert result.effect[0] == pytest.approx(means[:4].mean() - means[4:].mean())
    assert result.teams[0].before == pytest.approx(made[0, :14].mean())
    assert result.belief is None


@pytest.mark.parametrize(
    ("chosen", "treated", "grade"),
    [
        ("drawn", 4, "A"),
        ("staggered", 4, "B"),
        ("volunteers", 4, "C"),
        ("worst_first", 4, "C"),
        ("drawn", 1, "C"),
    ],
)
def test_how_the_pilot_was_chosen_is_the_grade(chosen, treated, grade):
    result = reviewed(values(treated=treated), chosen=chosen, treated=treated)
    assert (result.design, result.grade) == ("did", grade)


def test_the_weeks_without_anybody_to_compare_are_named():
    made = values(treated=8)
    starts = {f"T{at:02}": week(14 + 4 * (at > 3)) for at in range(8)}
    result = reviewed(made, pilot={"starts": starts})
    assert result.not_estimable == tuple(week(at) for at in range(18, 30))
    check = result.check("no_comparison")
    assert (check.status, check.value) == ("fail", 12)  # of 16 since the first start
    assert check.detail.values["first"] == week(18)


def test_numbers_hang_on_the_seed_alone_and_not_on_the_order_of_rows():
    made = values()
    review, rows = declared(made, chosen="drawn"), table(made)
    first = review_change(review, data=rows).record()
    assert first == review_change(review, data=rows.iloc[::-1]).record() | {
        "imports": first["imports"]
    }
    assert review_change(review, data=rows, language="fr").record() == first


# ---- One treated team and one to compare, nothing before, all at once


def test_of_two_teams_the_effect_is_told_without_an_interval_and_nothing_recommended():
    result = reviewed(values(teams=2, treated=1), treated=1)
    value, low, high = result.effect
    assert value == pytest.approx(-0.2, abs=0.06)
    assert (low, high) == (None, None)
    assert (result.action, result.better, result.evidence()) == ("measure", None, [])
    assert result.check("few_teams").status == "fail"
    assert result.record()["effect"] == [value, None, None]


def test_one_treated_team_is_judged_by_the_others_and_said_to_be_one():
    result = reviewed(values(teams=8, treated=1), treated=1)
    assert result.grade == "C"
    assert result.check("few_teams").detail.values["treated"] == 1
    assert result.check("few_teams").status == "warn"


def test_nothing_before_is_refused_with_the_teams():
    with pytest.raises(DataError, match=r"T00, T01, T02 and T03: nothing is known before"):
        reviewed(values(start=0), start=0)


def test_all_at_once_is_a_series_and_too_short_a_one_before_and_after():
    result = reviewed(values(treated=8), treated=8, chosen="everybody")
    assert (result.design, result.grade) == ("its", "D")
    assert result.series.lag > 0
    assert result.effect == result.series.effect
    short = reviewed(values(treated=8, weeks=12, start=6), treated=8, start=6, chosen="everybody")
    assert (short.design, short.grade) == ("before_after", "D")
    assert short.effect == short.comparison.effect
    assert short.evidence()[0].kind == "descriptive"


def test_the_worst_without_anybody_to_compare_shows_numbers_and_no_evidence():
    result = reviewed(values(treated=8), treated=8, chosen="worst_first")
    assert (result.design, result.grade) == ("before_after", None)
    assert (result.action, result.status, result.evidence()) == ("stop", "check_failed", [])
    assert result.effect[0] == pytest.approx(-0.2, abs=0.1)  # shown all the same
    assert result.check("pilot").status == "fail"
    assert result.record()["measurement"] is None


def test_the_worst_with_others_to_compare_are_told_what_picking_them_shows():
    result = reviewed(chosen="worst_first")
    assert (result.artefact.picked, result.artefact.of) == (4, 8)
    assert result.artefact.effect < 0
    assert result.check("pilot").status == "warn"


def test_before_anything_is_measured_there_is_the_power_alone():
    result = reviewed(values(weeks=14), start=20)
    assert (result.design, result.action) == ("plan", "plan")
    assert tuple(result.effect) == (None, None, None)
    assert result.evidence() == []
    assert {power.teams for power in result.powers} >= {4, 8, 40}
    sizes = {p.teams: p.smallest for p in result.powers if p.weeks == 8}
    assert 0 < sizes[40] < sizes[8] < sizes[4] < 1


def test_the_smallest_change_is_told_as_readers_see_it():
    """A fall by s on logs is 1 - exp(-s), a rise exp(s) - 1: of one panel the two differ so."""
    falls, rises = (
        {(p.teams, p.weeks): p.smallest for p in reviewed(measure={"goal": goal}).powers}
        for goal in ("decrease", "increase")
    )
    for row, size in falls.items():
        assert -math.log1p(-size) == pytest.approx(math.log1p(rises[row]))


def test_a_day_is_needed():
    made = values()
    with pytest.raises(ParameterError):
        review_change(declared(made, date=None), data=table(made))
    early = reviewed(made, as_of=week(24) - datetime.timedelta(1))
    assert early.panel.periods[-1] == week(23)


# ---- Hours a year


def test_hours_a_year_are_what_would_come_times_the_effect_times_the_weeks():
    """Without noise, by hand: four teams of 10, 12, 14 and 16 hours, a fifth less, 40 weeks."""
    made = values(noise=0.0)
    made = np.broadcast_to(made[:, :1], made.shape).copy()
    made[:4, 14:] *= 0.8
    noisy = made * np.exp(1e-4 * np.random.default_rng(1).standard_normal(made.shape))
    result = reviewed(noisy, working_weeks=40)
    assert result.per_year.value == pytest.approx(-0.2 * (10 + 12 + 14 + 16) * 40, rel=1e-3)
    level = reviewed(noisy, working_weeks=40, measure={"scale": "level"})
    share = 10 + 12 + 14 + 16
    assert level.per_year.value == pytest.approx(-0.2 * share * 40, rel=1e-3)


def test_the_interval_of_hours_is_that_of_the_effect():
    result = reviewed()
    value, low, high = result.per_year
    for end, effect in ((low, result.effect[1]), (high, result.effect[2])):
        assert end / value == pytest.approx(effect / result.effect[0])
    assert low < value < high < 0


def test_a_month_counts_for_its_weeks():
    """45 weeks worked are 45 / (30.4 / 7) months' worth."""
    made = values(weeks=30)
    rows = table(made).assign(
        week=lambda rows: [
            datetime.date(2024 + int(at) // 12, int(at) % 12 + 1, 1)
            for at in (rows.groupby("team").cumcount())
        ]
    )
    start = datetime.date(2025, 3, 1)
    review = declared(
        made,
        chosen="volunteers",
        measure={"period": "month"},
        pilot={"starts": {f"T{at:02}": start for at in range(4)}},
        date=datetime.date(2026, 6, 30),
    )
    result = review_change(review, data=rows)
    weekly = reviewed(made)
    assert result.effect[0] == pytest.approx(weekly.effect[0])
    assert result.per_year.value == pytest.approx(weekly.per_year.value / (30.4 / 7))


@pytest.mark.parametrize(
    "measure",
    [{"quantity": "elapsed"}, {"quantity": "count"}, {"quantity": "minutes"}],
)
def test_what_is_no_hours_has_none(measure):
    result = reviewed(measure=measure)
    assert tuple(result.per_year) == (None, None, None)
    assert [known.id for known in result.evidence()] == ["desk/reduction"]


# ---- What was hoped


HOPE = {"low": 0.1, "high": 0.3}


def test_hope_and_measurement_together_by_hand():
    """Normals on the logarithm of what is left; precisions add up (Gelman, eq. 2.10)."""
    result = reviewed(expected=HOPE, calibration="trained")
    mean = (math.log(0.9) + math.log(0.7)) / 2
    sd = (math.log(0.9) - math.log(0.7)) / (2 * stats.norm.ppf(0.95))
    effect, low, high = (math.log1p(end) for end in result.effect)
    error = (high - low) / (2 * stats.norm.ppf(0.975))
    precision = 1 / sd**2 + 1 / error**2
    both = (mean / sd**2 + effect / error**2) / precision
    belief = result.belief
    assert belief.posterior.value == pytest.approx(1 - math.exp(both))
    reach = stats.norm.ppf(0.975) / math.sqrt(precision)
    assert belief.posterior.low == pytest.approx(1 - math.exp(both + reach))
    assert belief.measured_share == pytest.approx(1 / error**2 / precision)
    assert belief.z == pytest.approx((effect - mean) / math.hypot(sd, error))
    assert belief.data == (-result.effect[0], -result.effect[2], -result.effect[1])
    assert not belief.conflict


def test_a_hope_of_the_untrained_is_wider_and_no_larger():
    sure, unsure = (
        reviewed(expected=HOPE, calibration=calibration).belief
        for calibration in ("trained", "untrained")
    )
    assert unsure.prior.low < sure.prior.low < sure.prior.high < unsure.prior.high
    assert unsure.measured_share > sure.measured_share


def test_what_contradicts_the_hope_is_not_averaged_and_the_smaller_promise_stands():
    great = reviewed(expected={"low": 0.6, "high": 0.7}, calibration="trained")
    assert great.belief.conflict
    assert great.belief.posterior == pytest.approx(great.belief.data)
    assert great.check("conflict").status == "warn"
    small = reviewed(expected={"low": 0.01, "high": 0.02}, calibration="trained").belief
    assert small.conflict
    assert small.posterior == pytest.approx(small.prior)


def test_a_hope_that_is_a_number_is_refused_by_its_field():
    with pytest.raises(SpecError, match=r"expected.*single number"):
        reviewed(expected=0.2)


@pytest.mark.parametrize("measure", [{"goal": "increase"}, {"scale": "level"}])
def test_a_hope_that_nothing_can_be_set_beside_is_refused(measure):
    with pytest.raises(SpecError, match="hoped to be saved"):
        reviewed(expected=HOPE, measure=measure)
    assert "conflict" not in {check.name for check in reviewed(measure=measure).checks}


def test_a_loss_is_not_told_as_something_saved():
    result = reviewed(values(effect=0.15), expected={"low": 0.4, "high": 0.5})
    page = str(result.hoped)
    assert result.belief.conflict
    assert "What was measured (a change of +" in page
    assert "\N{MINUS SIGN}14% saved" not in page


@pytest.mark.parametrize(("phase_in", "start", "action"), [(20, 14, "measure"), (0, 40, "plan")])
def test_what_has_begun_is_not_planned(phase_in, start, action):
    result = reviewed(start=start, pilot={"phase_in": phase_in})
    assert (result.design, result.action) == ("plan", action)
    assert ("has begun" in repr(result)) == (action == "measure")


def test_a_team_without_anybody_to_compare_has_no_hours():
    """T05 starts when all others have it; its effect is not known."""
    starts = {f"T{at:02}": week(14 if at < 5 else 17) for at in range(6)}
    made = values(teams=6, treated=6)
    result = reviewed(made, pilot={"starts": starts, "phase_in": 2})
    assert [at.team for at in result.measured] == [f"T{at:02}" for at in range(5)]
    effect = result.effect.value
    hours = made[:5, 16:].mean(axis=1).sum() / (1 + effect)
    assert result.per_year.value == pytest.approx(45 * effect * hours)


def test_without_a_grade_nothing_is_kept():
    made = values(teams=6, treated=6)
    result = reviewed(made, chosen="worst_first", treated=6, accept={"pilot": "known"})
    assert (result.grade, result.action, result.evidence()) == (None, "measure", [])


# ---- What to do


def test_which_way_is_better_decides():
    assert reviewed().action == "keep"
    assert reviewed(measure={"goal": "increase"}).action == "undo"
    assert reviewed(values(effect=0.0)).action == "measure"


def test_the_spec_is_read_from_its_file(tmp_path):
    made = values()
    table(made).to_csv(tmp_path / "log.csv", index=False)
    (tmp_path / "desk.yaml").write_text(
        f"change: Desk\ndate: {week(30) - datetime.timedelta(1)}\ndata: {{path: log.csv}}\n"
        "measure: {name: hours, quantity: hours, unit: team}\n"
        f"pilot: {{chosen: volunteers, phase_in: 0, starts: {{T00: {week(14)}, T01: {week(14)}}}}}\n"
    )
    result = review_change(ChangeReview.load(tmp_path / "desk.yaml"))
    assert [source.rows for source in result.sources] == [240, 240]
    assert len(result.record()["inputs"]) == 2
