"""The choice of the pilot decides the design; what picking shows, by hand and by simulation."""

import datetime

import numpy as np
import pytest
from change_panels import a_panel, a_review

from opslab.errors import DataError
from opslab.timesaved.change import design

NEVER = 99


def a_choice(chosen, values, starts, **pilot):
    review = a_review(chosen=chosen, pilot=pilot)
    return design.chosen_design(review, a_panel(values, starts))


@pytest.mark.parametrize(
    ("chosen", "starts", "expected"),
    [
        ("drawn", [10, 10, NEVER, NEVER], ("did", "A")),
        ("drawn", [10, NEVER, NEVER, NEVER], ("did", "C")),
        ("staggered", [10, 10, 14, 14], ("did", "B")),
        ("volunteers", [10, 10, NEVER, NEVER], ("did", "C")),
        ("worst_first", [10, 10, NEVER, NEVER], ("did", "C")),
        ("worst_first", [10, 10, 10, 10], ("before_after", None)),
        ("everybody", [10, 10, 10, 10], ("its", "D")),
        ("volunteers", [10, 10, 10, 10], ("its", "D")),
        ("everybody", [7, 7, 7, 7], ("before_after", "D")),
        ("everybody", [13, 13, 13, 13], ("before_after", "D")),
        ("drawn", [NEVER] * 4, ("plan", None)),
        ("drawn", [20, 20, NEVER, NEVER], ("plan", None)),
    ],
)
def test_design_and_grade_by_choice(chosen, starts, expected):
    assert a_choice(chosen, np.ones((4, 20)), starts) == expected


def test_one_team_alone_is_a_series():
    assert a_choice("drawn", np.ones((1, 24)), [10]) == ("its", "C")


def test_picked_in_weeks_that_do_not_count_a_series_is_left():
    selected = (datetime.date(2024, 1, 1), datetime.date(2024, 1, 14))
    values = np.ones((2, 30))
    assert a_choice("worst_first", values, 10, selected=selected) == ("its", "C")
    assert a_choice("worst_first", values, 9, selected=selected) == ("before_after", "D")


def test_phase_in_alone_measures_nothing_yet():
    assert a_choice("everybody", np.ones((3, 20)), 18, phase_in=2) == ("plan", None)
    assert a_choice("everybody", np.ones((3, 20)), 17, phase_in=2) == ("before_after", "D")


def test_a_team_that_was_not_known_at_the_same_time_is_no_control():
    values = np.ones((2, 20))
    values[1, 10:] = np.nan
    assert a_choice("volunteers", values, [10, NEVER]) == ("its", "D")
    values = np.ones((2, 20))
    values[1, :10] = np.nan
    assert a_choice("volunteers", values, [10, NEVER]) == ("its", "D")


def test_nothing_before_is_refused_by_team():
    values = np.ones((3, 20))
    values[0, :10] = np.nan
    with pytest.raises(DataError, match="team 00: nothing is known before"):
        a_choice("drawn", values, [10, NEVER, NEVER])


def test_what_does_not_count_is_left_out():
    selected = (datetime.date(2024, 1, 9), datetime.date(2024, 1, 15))  # Tuesday to Monday
    review = a_review(chosen="worst_first", pilot={"phase_in": 2, "selected": selected})
    out = design.left_out(review, a_panel(np.ones((2, 8)), [5, NEVER]))
    assert np.flatnonzero(out[0]).tolist() == [1, 2, 5, 6]
    assert np.flatnonzero(out[1]).tolist() == [1, 2]


@pytest.mark.parametrize(("weeks", "months"), [(0, 0), (2, 1), (4, 1), (5, 2), (26, 6)])
def test_weeks_of_phase_in_as_months(weeks, months):
    review = a_review(measure={"period": "month"}, pilot={"phase_in": weeks})
    assert design.left_out(review, a_panel(np.ones((1, 12)), 3)).sum() == months


def test_outcome_and_headline_by_scale():
    panel = a_panel([[0, 1, np.e]], 2)
    logs = design.outcome(a_review(), panel)
    assert np.array_equal(logs, [[np.nan, 0, 1]], equal_nan=True)
    assert design.outcome(a_review("share"), panel)[0, 0] == 0
    assert design.headline(a_review(), np.log(0.8), None) == pytest.approx((-0.2, None, None))
    assert design.headline(a_review("share"), -0.1) == (-0.1, None, None)


HAND = [[9, 11, 1], [11, 9, 1], [19, 21, 1], [21, 19, 1]]


def an_artefact(values, starts, goal="decrease", **pilot):
    measure = {"scale": "level", "goal": goal}
    review = a_review(chosen="worst_first", measure=measure, pilot=pilot)
    panel = a_panel(values, starts)
    return design.artefact(review, panel, design.outcome(review, panel))


def test_artefact_by_hand():
    """Residuals 8 / 3, of a mean of two 4/3; means vary by 100/3; half of the teams: .7979."""
    told = an_artefact(HAND, [NEVER, NEVER, 2, 2])
    assert told.effect == pytest.approx(-4 / 3 / (100 / 3) ** 0.5 * 0.797885, rel=1e-5)
    assert (told.picked, told.of, told.reliability) == (2, 4, pytest.approx(0.96))
    assert an_artefact(HAND, [NEVER, NEVER, 2, 2], "increase").effect == -told.effect


def test_artefact_of_weeks_that_one_was_picked_by():
    """Four weeks that are not in the data: within is 2/3, between 32 as before."""
    selected = (datetime.date(2023, 11, 6), datetime.date(2023, 12, 3))
    told = an_artefact(HAND, [NEVER, NEVER, 2, 2], selected=selected)
    assert told.effect == pytest.approx(-2 / 3 / (32 + 2 / 3) ** 0.5 * 0.797885, rel=1e-5)


def test_artefact_is_what_picking_the_worst_shows():
    """By simulation: a quarter of 400 teams, picked by ten weeks, nothing done, ten weeks more."""
    random, came, said = np.random.default_rng(7), [], []
    for _ in range(60):
        weeks = random.normal(0, 1, 20)  # what all share is no noise
        values = random.normal(10, 1, (400, 1)) + weeks + random.normal(0, 2, (400, 20))
        before, after = values[:, :10].mean(axis=1), values[:, 10:].mean(axis=1)
        worst = np.argsort(before)[-100:]
        starts = np.where(np.isin(np.arange(400), worst), 10, NEVER)
        rest = np.setdiff1d(np.arange(400), worst)
        change = after - before
        said.append(an_artefact(values, starts).effect)
        # The others rise by as much as these fall, each by its own share: 100 and 300 teams.
        came.append((change[worst].mean() - change[rest].mean()) * 0.75)
    assert np.mean(said) == pytest.approx(np.mean(came), abs=0.02)
    assert np.mean(said) == pytest.approx(-0.43, abs=0.02)


def test_artefact_of_weeks_that_resemble_each_other():
    """By simulation: AR(1) of .5, no difference that lasts, 3 of 12 picked by 14 weeks."""
    random, came, said = np.random.default_rng(8), [], []
    for _ in range(150):
        noise = random.normal(size=(12, 80))
        for at in range(1, 80):
            noise[:, at] += 0.5 * noise[:, at - 1]
        values = noise[:, 20:][np.argsort(noise[:, 20:34].mean(axis=1))]
        change = values[:, 14:].mean(axis=1) - values[:, :14].mean(axis=1)
        came.append(change[-3:].mean() - change.mean())
        said.append(an_artefact(values, [NEVER] * 9 + [14] * 3).effect)
    assert np.mean(said) == pytest.approx(np.mean(came), rel=0.2)


@pytest.mark.parametrize("first", [0, 1])
def test_no_artefact_without_a_week_or_two_before(first):
    assert an_artefact(HAND, [first, first, NEVER, NEVER]) is None


def test_nothing_that_varies_is_no_artefact():
    assert an_artefact(np.ones((4, 9)), [5, NEVER, NEVER, NEVER]).effect == 0


@pytest.mark.parametrize("starts", [[2, 2, 2, 2], [NEVER] * 4])
def test_no_artefact_where_nothing_tells(starts):
    assert an_artefact(HAND, starts) is None


def test_no_artefact_of_a_pilot_that_was_drawn():
    review, panel = a_review(chosen="drawn"), a_panel(HAND, [NEVER, NEVER, 2, 2])
    assert design.artefact(review, panel, design.outcome(review, panel)) is None


def test_missing_weeks_and_teams_without_any_leave_an_artefact():
    values = np.array([*HAND, [np.nan, np.nan, 1]], float)
    values[0, 1] = np.nan
    told = an_artefact(values, [NEVER, NEVER, 2, 2, NEVER])
    assert -1 < told.effect < 0
    assert 0 < told.reliability < 1
