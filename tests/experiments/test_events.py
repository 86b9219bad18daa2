"""The rules on outcomes: events twice, nearly named, of strangers, an arm without any, too large an effect."""

import pytest

from opslab.experiments.checks import events
from opslab.experiments.course import Effect
from opslab.experiments.metrics import Mean, Proportion
from opslab.experiments.moments.arm_moments import Moments
from opslab.experiments.result import Comparison
from opslab.experiments.units.unit_table import EventCounts, NearName

FIELDS = {"name": "spend", "column": "spend"}


def said(check):
    """Return what a check says: its status, its key without the area, its values."""
    area, _, key = check.detail.key.partition(".")
    assert area == "experiments"
    return check.status, key, dict(check.detail.values)


def test_the_bounds():
    assert (events.FEW, events.IMPLAUSIBLE) == (0.01, 0.4)


@pytest.mark.parametrize(
    ("repeated", "status", "arm"),
    [
        ({}, "pass", "old"),
        ({"old": 0, "new": 9}, "warn", "new"),
        ({"old": 5, "new": 4}, "warn", "old"),
        ({"new": 10}, "fail", "new"),  # 10 of 1,000
        ({"old": 4, "new": 6}, "fail", "new"),
        ({"other": 90}, "pass", "old"),
    ],
)
def test_events_that_came_twice(repeated, status, arm):
    count = sum(repeated.get(name, 0) for name in ("old", "new"))
    counts = EventCounts({"old": 500, "new": 490}, repeated)
    check = events.check_repeated_events(counts, ["old", "new"])
    values = {
        "count": count,
        "share": count / (990 + count),
        "arm": arm,
        "arm_count": repeated.get(arm, 0),
        "differing": 0,
    }
    assert said(check) == (status, f"repeated_events_{status}", values)
    assert (check.name, check.value) == ("repeated_events", count)


def test_rows_of_an_event_that_differ_are_said():
    counts = EventCounts({"old": 500, "new": 490}, {"new": 9}, differing=3)
    status, key, values = said(events.check_repeated_events(counts, ["old", "new"]))
    assert (status, key, values["differing"]) == ("warn", "repeated_events_differ", 3)


def test_without_events_nothing_came_twice():
    check = events.check_repeated_events(EventCounts({}, {}), ["old"])
    assert (check.status, check.value, check.detail.values["share"]) == ("pass", 0, 0)
    check = events.check_event_units(EventCounts({}, {}))
    assert (check.status, check.value, check.detail.values["share"]) == ("pass", 0, 0)
    for counted, share in (({}, 1), ({"old": 1}, 0.5)):
        lone = EventCounts(counted, {"old": 1}, near_units=1)
        assert events.check_repeated_events(lone, ["old"]).detail.values["share"] == share
        assert events.check_event_units(lone).detail.values["share"] == share


@pytest.mark.parametrize(
    ("share", "status"), [(0.0099, "warn"), (0.01, "fail"), (0.5, "fail"), (0.0, "pass")]
)
def test_names_that_nearly_count(share, status):
    near = NearName("Purchase", "purchase", 7, share)
    less = NearName("purchases", "purchase", 90, share / 2)
    for order in (1, -1):
        check = events.check_event_names([near, less][::order] if share else [near])
        values = {"event": "Purchase", "near": "purchase", "count": 7, "share": share}
        assert said(check) == (status, f"event_names_{status}", values)
        assert (check.name, check.value) == ("event_names", 7)


def test_without_near_names_it_passes():
    check = events.check_event_names([])
    assert (check.status, check.value, check.detail.values["share"]) == ("pass", 0, 0.0)
    assert (check.detail.values["event"], check.detail.values["near"]) == ("", "")
    assert check.detail.key == "experiments.event_names_pass"


@pytest.mark.parametrize(
    ("near", "strangers", "status", "key"),
    [
        (0, 0, "pass", "pass"),
        (0, 80, "pass", "strangers"),
        (9, 80, "warn", "warn"),
        (9, 9, "warn", "warn"),
        (10, 10, "fail", "fail"),
    ],
)
def test_events_of_units_that_nearly_are_in_it(near, strangers, status, key):
    counts = EventCounts({"old": 500, "new": 490}, {}, strangers=strangers, near_units=near)
    check = events.check_event_units(counts)
    values = {"count": near, "share": near / (990 + near), "strangers": strangers}
    assert said(check) == (status, f"event_units_{key}", values)
    assert (check.name, check.value) == ("event_units", near)


@pytest.mark.parametrize(
    ("near", "nameless", "status", "key"),
    [
        (0, 9, "warn", "nameless"),
        (0, 10, "fail", "nameless"),
        (9, 10, "fail", "nameless"),
        (10, 10, "fail", "fail"),
    ],
)
def test_events_without_a_unit(near, nameless, status, key):
    counts = EventCounts(
        {"old": 500, "new": 490}, {}, strangers=80, near_units=near, nameless=nameless
    )
    check = events.check_event_units(counts)
    count = max(near, nameless)
    values = {"count": count, "share": count / (990 + count), "strangers": 80}
    assert said(check) == (status, f"event_units_{key}", values)


@pytest.mark.parametrize(
    ("count", "status"), [(0, "pass"), (9, "warn"), (10, "fail"), (500, "fail")]
)
def test_rows_that_are_alike(count, status):
    check = events.check_repeated_rows(count, 1_000)
    values = {"count": count, "share": count / 1_000}
    assert said(check) == (status, f"repeated_rows_{status}", values)
    assert (check.name, check.value) == ("repeated_rows", count)


def metric(kind=Mean, role="primary", goal="increase"):
    name = "mean" if kind is Mean else "proportion"
    margin = {"margin": {"absolute": 1}} if role == "guardrail" else {}
    return kind(type=name, role=role, goal=goal, **FIELDS, **margin)


def hits(n, count):
    """Return the moments of so many ones among zeros."""
    return Moments.of_whole(n, count, count)


def silence(arms, *, units=None, control="old", **how):
    return events.check_silent_arm(metric(**how), arms, units, control)


@pytest.mark.parametrize(
    ("loud", "units", "fails"),
    [
        (hits(256, 64), 56, False),  # 14 expected, not more
        (hits(256, 64), 57, True),
        (hits(200, 29), 100, True),
        (hits(200, 0), 100, False),
    ],
)
def test_an_arm_without_outcomes_is_an_alarm_where_chance_does_not_make_it(loud, units, fails):
    for arms in ({"old": loud, "new": hits(units, 0)}, {"new": hits(units, 0), "old": loud}):
        check = silence(arms, kind=Proportion)
        assert (check is not None) == fails
        if fails:
            expected = pytest.approx(loud.mean * units)
            values = {"metric": "spend", "arm": "new", "expected": expected}
            assert said(check) == ("fail", "silent_arm_fail", values)
            assert (check.name, check.value) == ("silent_arm", expected)


def test_amounts_count_as_at_least_so_many_units():
    """By brute force: of 200 units 40 spend 3 and 10 spend 9, at least 210^2 / (200 x 1,170) of them."""
    loud = Moments.of_whole(200, 210, 40 * 9 + 10 * 81)
    check = silence({"old": loud, "new": hits(100, 0)})
    assert check.value == pytest.approx(100 * 210**2 / (200 * 1_170))
    assert check.value <= 100 * 50 / 200
    for rest in (Moments(100, 2e-6, 0.0), Moments(100, 0.0, 4e-10)):  # what rounding leaves of 0
        assert silence({"old": loud, "new": rest}).detail.values["arm"] == "new"
    for rest in (Moments(100, 3e-6, 0.0), Moments(100, 0.0, 8e-10), Moments(100, 0.0, 50.0)):
        assert silence({"old": loud, "new": rest}) is None
    assert silence({"old": loud, "new": hits(100, 1)}) is None
    negative = Moments(200, -loud.mean, loud.squares)
    assert silence({"old": negative, "new": hits(100, 0)}).value == pytest.approx(check.value)


def test_of_silent_arms_the_one_with_most_units_is_named_and_all_others_tell_the_rate():
    arms = {"old": hits(200, 50), "x": hits(90, 0), "y": hits(100, 0), "z": hits(100, 10)}
    values = dict(silence(arms, kind=Proportion).detail.values)
    assert (values["arm"], values["expected"]) == ("y", pytest.approx(100 * 60 / 300))


@pytest.mark.parametrize(
    ("goal", "silent", "key"),
    [
        ("decrease", "new", "wanted"),
        ("increase", "new", "fail"),
        ("decrease", "old", "fail"),
        ("increase", "old", "fail"),
    ],
)
def test_what_is_wanted_to_vanish_is_said(goal, silent, key):
    arms = {name: hits(200, 0 if name == silent else 60) for name in ("old", "new")}
    check = silence(arms, goal=goal)
    assert (check.status, check.detail.key) == ("fail", f"experiments.silent_arm_{key}")


@pytest.mark.parametrize(
    ("role", "status"), [("primary", "fail"), ("guardrail", "fail"), ("secondary", "warn")]
)
def test_a_metric_that_decides_nothing_only_warns(role, status):
    assert silence({"old": hits(200, 60), "new": hits(200, 0)}, role=role).status == status


def test_totals_know_their_units():
    units = {"old": 900, "new": 1_000}
    days = {"old": Moments(14, 9.0, 3.0), "new": Moments(14, 0.0, 0.0)}
    check = silence(days, units=units, kind=Proportion)
    assert check.value == pytest.approx(1_000 * 14 * 9.0 / 900)
    check = silence(days, units=units)
    assert check.value == pytest.approx(1_000 * 14 * 81 / (3 + 14 * 81))
    three = days | {"bold": Moments(14, 18.0, 3.0)}
    check = silence(three, units=units | {"bold": 1_800}, kind=Proportion)
    assert check.value == pytest.approx(1_000 * 14 * 27 / 2_700)


def effect(lift, interval, name="spend", role="primary", arm="new"):
    return Comparison(
        name,
        role,
        "mean",
        "increase",
        arm,
        "old",
        (9, 9),
        (0, 0),
        lift=lift,
        lift_interval=interval,
    )


@pytest.mark.parametrize(
    ("interval", "beyond"),
    [
        ((0.4, 0.9), False),
        ((0.41, 0.9), True),
        ((0.41, None), True),
        ((-0.9, -0.4), False),
        ((-0.9, -0.41), True),
        ((None, -0.41), True),
        ((-0.9, 0.9), False),
        ((None, None), False),
        ((0.0, 0.9), False),
    ],
)
def test_an_interval_beyond_its_bound_is_more_often_a_fault(interval, beyond):
    check = events.check_plausibility([effect(0.7, interval)], [])
    assert (check is not None) == beyond
    if beyond:
        values = {"metric": "spend", "arm": "new", "lift": 0.7}
        assert said(check) == ("fail", "plausibility_fail", values)
        assert (check.name, check.value) == ("plausibility", None)


def test_the_largest_effect_on_a_primary_metric_speaks():
    wild = (0.6, 0.9)
    comparisons = [
        effect(0.7, wild, arm="x"),
        effect(-0.8, (-0.9, -0.6), arm="y"),
        effect(None, wild, arm="z"),
        effect(0.9, wild, role="secondary"),
        effect(0.9, wild, role="guardrail"),
        effect(0.9, wild, name="silent"),
        effect(0.9, (0.1, 0.9)),
    ]
    for order in (1, -1):
        check = events.check_plausibility(comparisons[::order], ["silent"])
        assert check.detail.values["arm"] == "y"
    assert events.check_plausibility([effect(0.9, wild, role="secondary")], []) is None
    assert events.check_plausibility([effect(0.9, wild)], ["spend"]) is None


def capped(difference, without, p_value=0.05, role="primary", arm="new"):
    """Return a comparison under a cap, beside the effect and p-value without it."""
    plain = (
        without if without is None else Effect(without, (None, None), None, (None, None), p_value)
    )
    return Comparison(
        *("spend", role, "mean", "increase", arm, "old", (9, 9), (0, 0)),
        difference=difference,
        uncapped=plain,
    )


@pytest.mark.parametrize(
    ("comparison", "turned"),
    [
        (capped(1.0, -1.0), True),
        (capped(-1.0, 1.0), True),
        (capped(1.0, -1.0, role="guardrail"), True),
        (capped(1.0, -1.0, role="secondary"), False),
        (capped(1.0, 1.0), False),
        (capped(-1.0, -1.0), False),
        (capped(0.0, -1.0), False),
        (capped(None, -1.0), False),
        (capped(1.0, 0.0), False),
        (capped(1.0, -1.0, 0.051), False),
        (capped(1.0, -1.0, None), False),
        (capped(1.0, -1.0, 1e-9), True),
        (capped(1.0, -1.0, 0.0), True),  # smaller than any number that a computer writes
        (capped(1.0, None), False),
    ],
)
def test_a_cap_that_turns_a_significant_effect_is_told(comparison, turned):
    check = events.check_cap([capped(1.0, 2.0, arm="other"), comparison], 0.05)
    assert (check is not None) == turned
    if turned:
        assert said(check) == ("fail", "cap_fail", {"metric": "spend", "arm": "new"})
        assert (check.name, check.value) == ("cap", None)
        again = events.check_cap([comparison, capped(1.0, -1.0, arm="later")], 0.05)
        assert again.detail == check.detail
    assert events.check_cap([], 0.05) is None


@pytest.mark.parametrize(("count", "status"), [(0, "pass"), (1, "warn"), (3, "warn"), (4, "fail")])
def test_repeated_rows_are_told_by_their_share_of_all(count, status):
    check = events.check_repeated_rows(count, 400)
    values = {"count": count, "share": count / 400}
    assert said(check) == (status, f"repeated_rows_{status}", values)
    assert (check.name, check.value) == ("repeated_rows", count)


@pytest.mark.parametrize(
    ("near", "nameless", "strangers", "said_of"),
    [(0, 0, 0, ""), (0, 5, 9, "nameless"), (5, 5, 9, ""), (6, 5, 0, ""), (0, 0, 9, "strangers")],
)
def test_events_of_no_unit_are_told_where_they_are_more_than_those_of_near_ones(
    near, nameless, strangers, said_of
):
    counts = EventCounts({"old": 95}, {}, strangers=strangers, near_units=near, nameless=nameless)
    check = events.check_event_units(counts)
    most = max(near, nameless)
    share = most / (95 + most)
    status = "fail" if share else "pass"
    assert (check.status, check.value) == (status, most)
    assert check.detail.key == f"experiments.event_units_{said_of or status}"
    assert dict(check.detail.values)["share"] == pytest.approx(share)
