"""The critical path against printed tables, a linear program and the maximum of three normals."""

import math
from graphlib import CycleError

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import linprog
from scipy.stats import norm

from opslab.operations.roadmap.schedule import critical_path, merge_bias, pushed_by


def network(table):
    names = list(table)
    depends = [[names.index(name) for name in table[each][1]] for each in names]
    return names, [table[each][0] for each in names], depends


def on_path(names, passes):
    return [names[at] for at in np.argsort(passes.start) if passes.critical[at]]


RELIABLE = {
    "A": (2, ""),
    "B": (4, "A"),
    "C": (10, "B"),
    "D": (6, "C"),
    "E": (4, "C"),
    "F": (5, "E"),
    "G": (7, "D"),
    "H": (9, "EG"),
    "I": (7, "C"),
    "J": (8, "FI"),
    "K": (4, "J"),
    "L": (5, "J"),
    "M": (2, "H"),
    "N": (6, "KL"),
}
"""Reliable Construction Co.: Hillier and Lieberman, Introduction to Operations Research, 7th ed.
(2001), chapter 10, table 10.1, in weeks."""


def test_the_reliable_construction_company():
    names, durations, depends = network(RELIABLE)
    passes = critical_path(durations, depends)
    assert passes.end == 44
    assert on_path(names, passes) == list("ABCEFJLN")
    slack = dict(zip(names, passes.slack.tolist(), strict=True))
    # table of slacks in the same chapter
    assert {name: days for name, days in slack.items() if days} == {
        "D": 4,
        "G": 4,
        "H": 4,
        "I": 2,
        "K": 1,
        "M": 4,
    }


PERT = {
    "A": ((2, 4, 6), ""),
    "B": ((3, 5, 9), ""),
    "C": ((4, 5, 7), "A"),
    "D": ((4, 6, 10), "A"),
    "E": ((4, 5, 7), "BC"),
    "F": ((3, 4, 8), "D"),
    "G": ((3, 5, 8), "E"),
}
"""Wikipedia, Program evaluation and review technique, its example: optimistic, normal, pessimistic."""


def test_the_pert_example():
    names, ranges, depends = network(PERT)
    durations = [round((low + 4 * usual + high) / 6, 2) for low, usual, high in ranges]
    assert durations == [4.00, 5.33, 5.17, 6.33, 5.17, 4.50, 5.17]
    passes = critical_path(durations, depends)
    assert on_path(names, passes) == list("ACEG")
    assert passes.end == pytest.approx(19.51)
    assert passes.slack == pytest.approx([0, 3.84, 0, 4.68, 0, 4.68, 0])
    assert passes.late == pytest.approx([4.00, 9.17, 9.17, 15.01, 14.34, 19.51, 19.51])


def test_three_parallel_steps_open_their_gate_later():
    """The expected maximum of three normals is mean + 3 / (2 sqrt(pi)) sd, by quadrature too."""
    exact = quad(lambda x: x * 3 * norm.pdf(x) * norm.cdf(x) ** 2, -9, 9)[0]
    assert exact == pytest.approx(3 / (2 * math.sqrt(math.pi))) == pytest.approx(0.8463, abs=5e-5)
    rng = np.random.Generator(np.random.PCG64(1))
    durations = np.vstack([rng.normal(10, 2, (3, 400_000)), np.zeros((1, 400_000))])
    depends = [(), (), (), (0, 1, 2)]
    assert critical_path(durations, depends).end.mean() == pytest.approx(10 + 2 * exact, abs=0.01)
    assert merge_bias(durations, depends) == pytest.approx(2 * exact, abs=0.015)
    index = critical_path(durations, depends).critical.mean(axis=1)
    assert index == pytest.approx([1 / 3, 1 / 3, 1 / 3, 1], abs=0.005)


@pytest.mark.parametrize("seed", range(12))
def test_the_end_is_that_of_a_linear_program(seed):
    """Minimise the end with start[j] >= start[i] + days[i]: scipy's HiGHS knows no critical path."""
    rng = np.random.Generator(np.random.PCG64(seed))
    steps = 9
    days, earliest = rng.integers(1, 20, steps), rng.integers(-5, 30, steps)
    depends = [np.flatnonzero(rng.random(step) < 0.3).tolist() for step in range(steps)]
    rows, limits = [], []
    for step in range(steps):
        for before in depends[step]:
            row = np.zeros(steps + 1)
            row[before], row[step] = 1, -1
            rows.append(row)
            limits.append(-days[before])
        row = np.zeros(steps + 1)
        row[step], row[steps] = 1, -1
        rows.append(row)
        limits.append(-days[step])
    bounds = [(at, None) for at in earliest] + [(None, None)]
    solved = linprog(np.eye(steps + 1)[steps], np.array(rows), limits, bounds=bounds)
    assert critical_path(days, depends, earliest).end == pytest.approx(solved.fun)


@pytest.mark.parametrize("late", [0, 3])
def test_slack_is_what_a_step_may_be_late(late):
    names, durations, depends = network(RELIABLE)
    slack = critical_path(durations, depends).slack
    for at in range(len(names)):
        longer = np.array(durations, dtype=float)
        longer[at] += slack[at] + late
        assert critical_path(longer, depends).end == 44 + late


@st.composite
def networks(draw):
    steps = draw(st.integers(2, 8))
    days = draw(st.lists(st.floats(0, 400), min_size=steps, max_size=steps))
    earliest = draw(st.lists(st.floats(-100, 400), min_size=steps, max_size=steps))
    depends = [
        draw(st.sets(st.integers(0, step - 1), max_size=3)) if step else set()
        for step in range(steps)
    ]
    return days, [sorted(before) for before in depends], earliest


@given(networks(), st.data())
def test_a_dependency_never_brings_a_date_forward(given_network, data):
    days, depends, earliest = given_network
    step = data.draw(st.integers(1, len(days) - 1))
    before = data.draw(st.integers(0, step - 1))
    more = [[*waits, before] if at == step else waits for at, waits in enumerate(depends)]
    alone, bound = critical_path(days, depends, earliest), critical_path(days, more, earliest)
    assert (bound.finish >= alone.finish).all()
    assert (bound.start >= alone.start).all()
    assert bound.end >= alone.end


@given(networks(), st.data())
def test_a_longer_step_never_brings_a_date_forward(given_network, data):
    days, depends, earliest = given_network
    step, more = data.draw(st.integers(0, len(days) - 1)), data.draw(st.floats(0, 100))
    pushed = pushed_by(np.array(days)[:, None], depends, np.array(earliest), -np.inf, step, more)
    assert (pushed >= -1e-9).all()
    assert pushed == pytest.approx(np.clip(pushed, 0, more + 1e-9), abs=1e-6)


@given(networks())
def test_slack_is_never_negative_and_some_step_has_none(given_network):
    passes = critical_path(*given_network)
    assert (passes.slack > -1e-6).all()
    assert passes.critical.any()


def test_draws_are_passed_one_by_one():
    rng = np.random.Generator(np.random.PCG64(3))
    _, durations, depends = network(RELIABLE)
    draws = rng.gamma(4, np.array(durations)[:, None] / 4, (len(durations), 7))
    together = critical_path(draws, depends, 2.0)
    for draw in range(7):
        alone = critical_path(draws[:, draw], depends, 2.0)
        assert together.finish[:, draw] == pytest.approx(alone.finish)
        assert together.slack[:, draw] == pytest.approx(alone.slack)


def test_a_circle_is_no_network():
    with pytest.raises(CycleError) as raised:
        critical_path([1, 1, 1], [(2,), (0,), (1,)])
    assert {*raised.value.args[1]} == {0, 1, 2}


def test_a_floor_holds_a_finish_and_frees_what_it_waits_for():
    passes = critical_path([3, 2, 1], [(), (0,), (1,)], 0, np.array([-np.inf, 9, -np.inf]))
    assert passes.finish.tolist() == [3, 9, 10]
    assert passes.slack.tolist() == [4, 0, 0]
