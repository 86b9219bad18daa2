"""Which phases can be read: each rule at its bound, just within and just beyond."""

import datetime

import pytest
from pydantic_core import PydanticCustomError

from opslab.errors import SpecError
from opslab.experiments.phases import Period, Phase, refuse_phases

PERIOD = Period(time="seen", start=datetime.date(2026, 3, 2), end=datetime.date(2026, 3, 15))
HALVES = {"old": 1, "new": 1}


def phases(*declared):
    """Return phases from (day of March, weights)."""
    return [Phase(**{"from": f"2026-03-{day:02}", "weights": w}) for day, w in declared]


def refusal(declared, weights=None, period=PERIOD, control="old"):
    """Return what is wrong with phases: the key, and what it names; None where nothing is."""
    try:
        refuse_phases(phases(*declared), weights, control, period)
    except PydanticCustomError as error:
        return error.type.removeprefix("experiments."), error.context
    return None


ORDER = ("phases_order", {"start": "2026-03-02", "end": "2026-03-15"})


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ([2], None),
        ([2, 3, 15], None),  # the last day still is one
        ([2, 3, 16], ORDER),
        ([1, 3], ORDER),
        ([3, 4], ORDER),
        ([2, 5, 5], ORDER),
        ([2, 6, 5], ORDER),
        ([2, 7, 6, 8], ORDER),
    ],
)
def test_phases_start_with_the_period_and_follow_one_another_in_it(days, expected):
    assert refusal([(day, HALVES) for day in days]) == expected


def test_phases_take_the_day_of_each_unit():
    key, _ = refusal([(2, HALVES)], period=None)
    assert key == "phases_time"


def arms_of(day, arms, control="old"):
    return "phases_arms", {"day": f"2026-03-{day:02}", "arms": arms, "control": control}


THREE = {"old": 1, "new": 1, "bold": 0}


@pytest.mark.parametrize(
    ("declared", "weights", "expected"),
    [
        ([(2, THREE), (4, {"old": 1, "new": 0, "bold": 1})], None, None),
        ([(2, HALVES)], {"new": 1, "old": 3}, None),
        ([(2, HALVES), (4, THREE)], None, arms_of(4, ["old", "new"])),
        ([(2, THREE), (4, HALVES)], None, arms_of(4, ["old", "new", "bold"])),
        ([(2, HALVES)], THREE, arms_of(2, ["old", "new", "bold"])),
        ([(2, {"new": 1, "bold": 1})], None, arms_of(2, ["new", "bold"])),  # no control
        ([(2, HALVES), (4, {"old": 0, "new": 0})], None, arms_of(4, ["old", "new"])),
        ([(2, HALVES), (4, {"old": 0, "new": 1})], None, None),
        ([(2, THREE)], None, ("phases_weights", {"names": ["old", "new", "bold"]})),
        ([(2, {"old": 1})], None, ("phases_weights", {"names": ["old"]})),
        ([(2, {"old": 1, "new": 0})], None, ("phases_weights", {"names": ["old", "new"]})),
    ],
)
def test_phases_weigh_the_same_arms_each_of_them_at_some_time(declared, weights, expected):
    assert refusal(declared, weights) == expected


def test_a_phase_is_read_as_it_is_written():
    (phase,) = phases((2, {"old": 0, "new": 0.5}))
    assert (phase.start, phase.weights) == (PERIOD.start, {"old": 0, "new": 0.5})
    with pytest.raises(SpecError, match=r"weights\.old"):
        phases((2, {"old": -0.001, "new": 1}))
    with pytest.raises(SpecError, match="from"):
        Phase(start="2026-03-02", weights=HALVES)
