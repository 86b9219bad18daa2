"""The decision from judged comparisons made by hand: every rule, role, verdict and size."""

import datetime
import math

import pytest
from statsmodels.stats.power import TTestIndPower

from opslab.experiments.decision import Needed, decide, reason
from opslab.experiments.inference.power import units_needed
from opslab.experiments.result import Comparison
from opslab.experiments.spec import Experiment
from opslab.results import Check, Message

START, END = datetime.date(2026, 9, 1), datetime.date(2026, 9, 20)

PRIMARY = {"name": "a", "type": "mean", "column": "a", "role": "primary", "goal": "increase"}
SECOND = PRIMARY | {"name": "b", "column": "b"}
EXPLORED = PRIMARY | {"name": "c", "column": "c", "role": "secondary"}
GUARD = PRIMARY | {"name": "g", "column": "g", "role": "guardrail", "margin": {"absolute": 0.5}}
SHARE = PRIMARY | {"type": "proportion"}


def planned(*metrics, arms=("old", "new"), **fields):
    return Experiment(
        experiment="a test",
        unit="unit",
        arms={"column": "arm", "control": "old", "weights": dict.fromkeys(arms, 1.0)},
        metrics=metrics,
        **fields,
    )


def compared(metric, verdict, arm="new", **fields):
    """Return a judged comparison; its numbers are those of an open question unless given."""
    sizes = {name: next(iter(metric[name].items())) for name in ("margin", "mde") if name in metric}
    unknown = verdict == "not_estimable"
    numbers = {
        "n": (100, 100),
        "missing": (0, 0),
        "estimate": (10.1, 10.0),
        "difference": None if unknown else 0.1,
        "difference_interval": (None, None) if unknown else (-2.0, 2.2),
        "p_value": None if unknown else 0.6,
        "not_estimable": Message("experiments.too_few_values") if unknown else None,
    }
    kept = {name: metric[name] for name in ("role", "type", "goal")}
    return Comparison(
        metric=metric["name"],
        arm=arm,
        control="old",
        verdict=verdict,
        **kept,
        **sizes | numbers | fields,
    )


def decided(metrics, comparisons, checks=(), deviation=3.0, as_of=None, weights=None, **fields):
    arms = ("old", *dict.fromkeys(known.arm for known in comparisons))
    return decide(
        planned(*metrics, arms=arms, **fields),
        checks,
        comparisons,
        {(known.metric, known.arm): deviation for known in comparisons},
        weights or dict.fromkeys(arms, 1.0),
        as_of,
    )


def action(metrics, verdicts, **fields):
    """Return the action for a verdict on each metric, without any size worth detecting."""
    pairs = zip(metrics, verdicts, strict=True)
    return decided(metrics, [compared(*pair) for pair in pairs], **fields).action


# What ships


@pytest.mark.parametrize(("verdict", "shipped"), [("won", True), ("lost", False), ("open", False)])
def test_one_primary_that_won_ships(verdict, shipped):
    decision = decided([PRIMARY], [compared(PRIMARY, verdict)])
    assert (decision.action == "ship") == shipped
    assert decision.arm == ("new" if shipped else None)
    assert (decision.more_units, decision.more_days) == (None, None)


@pytest.mark.parametrize(
    ("first", "second", "every", "any_of_them"),
    [
        ("won", "won", True, True),
        ("won", "open", False, True),
        ("open", "won", False, True),
        ("won", "lost", False, False),
        ("lost", "won", False, False),
        ("open", "open", False, False),
        ("lost", "lost", False, False),
        ("won", "not_estimable", False, True),
        ("open", "lost", False, False),
    ],
)
def test_all_primaries_have_to_win_or_any_of_them_and_none_may_lose(
    first, second, every, any_of_them
):
    for rule, ships in (("all", every), ("any", any_of_them)):
        given = action([PRIMARY, SECOND], [first, second], decision={"primaries": rule})
        assert (given == "ship") == ships, rule


@pytest.mark.parametrize("rule", ["all", "any"])
@pytest.mark.parametrize("verdict", ["safe", "harmed", "unproven", "not_estimable"])
def test_a_guardrail_has_to_be_safe(verdict, rule):
    given = action([PRIMARY, GUARD], ["won", verdict], decision={"primaries": rule})
    assert (given == "ship") == (verdict == "safe")


def test_every_guardrail_has_to_be_safe():
    other = GUARD | {"name": "h", "column": "h"}
    for first, second in (("safe", "harmed"), ("harmed", "safe"), ("safe", "unproven")):
        assert action([PRIMARY, GUARD, other], ["won", first, second]) != "ship"
    assert action([PRIMARY, GUARD, other], ["won", "safe", "safe"]) == "ship"


@pytest.mark.parametrize("verdict", ["won", "lost", "open", "not_estimable"])
def test_secondary_metrics_decide_nothing_and_give_no_reason(verdict):
    for first, given in (("won", "ship"), ("lost", "do_not_ship")):
        comparisons = [compared(PRIMARY, first), compared(EXPLORED, verdict)]
        decision = decided([PRIMARY, EXPLORED], comparisons)
        assert decision.action == given
        assert [message.values["metric"] for message in decision.reasons] == ["a"]


@pytest.mark.parametrize("goal", ["increase", "decrease"])
@pytest.mark.parametrize("figure", ["lift", "difference"])
def test_of_arms_that_pass_the_one_that_gains_most_is_shipped(goal, figure):
    metric, sign = PRIMARY | {"goal": goal}, 1 if goal == "increase" else -1
    gains = {"small": 0.1, "large": 0.3, "medium": 0.2}
    comparisons = [
        compared(metric, "won", arm, **{"difference": 9.0, figure: sign * gain})
        for arm, gain in gains.items()
    ]
    assert decided([metric], comparisons).arm == "large"


def test_the_lift_goes_before_the_difference_and_the_first_primary_before_the_others():
    arms = {"x": (0.1, 9.0, 0.9), "y": (0.2, 1.0, 0.1)}
    comparisons = [
        compared(metric, verdict, arm, lift=lift, difference=difference)
        for arm, (lift, difference, other) in arms.items()
        for metric, verdict, lift, difference in (
            (GUARD, "safe", other, other),
            (PRIMARY, "won", lift, difference),
            (SECOND, "won", other, other),
        )
    ]
    assert decided([PRIMARY, SECOND, GUARD], comparisons).arm == "y"


def test_an_arm_passes_by_its_own_comparisons():
    comparisons = [
        compared(PRIMARY, "won", "x", lift=0.9),
        compared(GUARD, "harmed", "x"),
        compared(PRIMARY, "won", "y", lift=0.1),
        compared(GUARD, "safe", "y"),
    ]
    decision = decided([PRIMARY, GUARD], comparisons)
    assert (decision.action, decision.arm) == ("ship", "y")
    assert len(decision.reasons) == 4


# Broken data


def check(name, status, *, blocking=False):
    return Check(name, status, Message(f"experiments.{name}_{status}"), 0.5, blocking)


@pytest.mark.parametrize(
    ("status", "blocking", "given"),
    [
        ("fail", True, "stop_broken"),
        ("fail", False, "ship"),
        ("warn", True, "ship"),
        ("pass", True, "ship"),
    ],
)
def test_a_blocking_check_that_failed_stops_a_win(status, blocking, given):
    checks = [check("leaked_units", status, blocking=blocking)]
    decision = decided([PRIMARY], [compared(PRIMARY, "won")], checks)
    assert decision.action == given
    if given == "stop_broken":
        assert (decision.arm, decision.reasons) == (None, (checks[0].detail,))


def test_what_says_where_the_sample_ratio_is_off_goes_with_it():
    days, segments = check("sample_ratio_days", "warn"), check("sample_ratio_segments", "fail")
    others = [
        check("period", "warn"),
        check("outliers", "fail"),
        check("sample_ratio_days", "pass"),
    ]
    broken = check("sample_ratio", "fail", blocking=True)
    leaked = check("leaked_units", "fail", blocking=True)
    won = [compared(PRIMARY, "won")]
    both = decided([PRIMARY], won, [broken, *others, days, segments])
    assert both.reasons == (broken.detail, days.detail, segments.detail)
    assert decided([PRIMARY], won, [leaked, days, segments]).reasons == (leaked.detail,)
    named = decided([PRIMARY], won, [leaked, broken, days]).reasons
    assert named == (leaked.detail, broken.detail, days.detail)


# What is asked for


def extended(size, comparison=None, metric=PRIMARY, deviation=3.0, **fields):
    metric = metric | {"mde": size}
    given = comparison or compared(metric, "open")
    return decided([metric], [given], deviation=deviation, **fields)


def of_statsmodels(size, deviation, alpha=0.05, power=0.8):
    """Return the units over two arms of equal size."""
    effect = size / deviation
    return 2 * math.ceil(TTestIndPower().solve_power(effect, alpha=alpha, power=power) - 1e-7)


@pytest.mark.parametrize("design", [{}, {"alpha": 0.1}, {"power": 0.9}])
@pytest.mark.parametrize("size", [{"absolute": 1.0}, {"relative": 0.1}])
def test_an_open_primary_asks_for_the_units_that_power_says(size, design):
    decision = extended(size, design=design)
    assert (decision.action, decision.arm) == ("extend", None)
    assert decision.more_units == of_statsmodels(1.0, 3.0, **design) - 200
    assert decision.more_days is None
    assert [message.key for message in decision.reasons] == [
        "experiments.reason_open_up",
        "experiments.reason_extend",
    ]


def test_units_are_those_of_the_pair_among_all_arms():
    weights = {"old": 2.0, "new": 1.0, "bold": 3.0}
    metric = PRIMARY | {"mde": {"absolute": 1.0}}
    open_one = compared(metric, "open", n=(101, 200))
    lost = compared(metric, "lost", "bold")
    decision = decided([metric], [open_one, lost], weights=weights)
    both = units_needed(3.0, 1.0, 0.05 / 2, 0.8, (1.0, 2.0))
    assert decision.more_units == math.ceil(both / 0.5) - math.ceil(301 / 0.5)


def test_each_primary_takes_its_share_of_alpha_and_a_guardrail_all_of_it():
    sized, second = PRIMARY | {"mde": {"absolute": 1.0}}, SECOND | {"mde": {"absolute": 1.0}}
    both = decided([sized, second], [compared(sized, "open"), compared(second, "open")])
    assert both.more_units == of_statsmodels(1.0, 3.0, alpha=0.025) - 200
    # What cannot be estimated has no p-value, and takes no share.
    unknown = [compared(sized, "open"), compared(second, "not_estimable")]
    alone = decided([sized, second], unknown, decision={"primaries": "any"})
    assert alone.more_units == of_statsmodels(1.0, 3.0) - 200
    guarded = [compared(sized, "won"), compared(second, "won"), compared(GUARD, "unproven")]
    decision = decided([sized, second, GUARD], guarded)
    assert decision.more_units == of_statsmodels(0.5, 3.0) - 200


def test_with_enough_units_an_open_question_asks_for_none():
    enough = of_statsmodels(1.0, 3.0)
    metric = PRIMARY | {"mde": {"absolute": 1.0}}
    for missing, given in ((0, "do_not_ship"), (2, "extend")):
        n = ((enough - missing) // 2,) * 2
        decision = extended({"absolute": 1.0}, compared(metric, "open", n=n))
        assert decision.action == given
        assert decision.more_units == (missing or None)


@pytest.mark.parametrize(
    ("goal", "interval", "given"),
    [
        ("increase", (-2.0, 0.99), "do_not_ship"),
        ("increase", (-2.0, 1.0), "extend"),
        ("increase", (-2.0, 1.01), "extend"),
        ("increase", (-9.0, 1.01), "extend"),
        ("decrease", (-0.99, 2.0), "do_not_ship"),
        ("decrease", (-1.0, 2.0), "extend"),
        ("decrease", (-1.01, 2.0), "extend"),
        ("decrease", (-1.01, 0.5), "extend"),
        ("increase", (None, 0.5), "extend"),
        ("increase", (-2.0, None), "extend"),
    ],
)
def test_an_effect_that_is_ruled_out_is_not_waited_for(goal, interval, given):
    metric = PRIMARY | {"goal": goal, "mde": {"absolute": 1.0}}
    comparison = compared(metric, "open", difference_interval=interval)
    assert decided([metric], [comparison]).action == given


def test_a_guardrail_is_waited_for_whatever_its_interval():
    guarded = [compared(PRIMARY, "won"), compared(GUARD, "unproven", difference_interval=(-1, 0.1))]
    decision = decided([PRIMARY, GUARD], guarded)
    assert decision.action == "extend"
    assert decision.more_units == of_statsmodels(0.5, 3.0) - 200


@pytest.mark.parametrize(
    ("size", "estimate", "deviation", "given"),
    [
        ({"relative": 0.1}, (0.1, 0.0), 3.0, "do_not_ship"),  # a share of nothing
        ({"relative": 0.1}, (0.1, None), 3.0, "do_not_ship"),
        ({"relative": 0.1}, (-9.9, -10.0), 3.0, "extend"),
        ({"absolute": 1.0}, (10.1, 10.0), 0.0, "do_not_ship"),
        ({"absolute": 1.0}, (10.1, 10.0), 3.0, "extend"),
    ],
)
def test_without_a_size_or_a_spread_no_units_are_asked_for(size, estimate, deviation, given):
    metric = PRIMARY | {"mde": size}
    comparison = compared(metric, "open", estimate=estimate)
    assert decided([metric], [comparison], deviation=deviation).action == given


def test_a_share_without_spread_in_either_arm_takes_that_of_both():
    metric = SHARE | {"mde": {"absolute": 0.3}}
    given = compared(metric, "open", n=(3, 3), estimate=(0.0, 1.0), difference_interval=(-1, 1))
    decision = decided([metric], [given], deviation=0.0)
    assert decision.more_units == of_statsmodels(0.3, 0.5) - 6
    uneven = compared(metric, "open", n=(3, 3), estimate=(0.2, 0.4), difference_interval=(-1, 1))
    decision = decided([metric], [uneven], deviation=0.0)
    assert decision.more_units == of_statsmodels(0.3, math.sqrt(0.3 * 0.7)) - 6
    decision = decided([metric], [uneven], deviation=0.2)
    assert decision.more_units == of_statsmodels(0.3, 0.2) - 6


def test_what_no_experiment_reaches_is_not_asked_for():
    # 8e11 units, 2e12, and far more
    for size, given in ((1.9e-5, "extend"), (1.2e-5, "do_not_ship"), (1e-6, "do_not_ship")):
        comparison = compared(PRIMARY | {"mde": {"absolute": size}}, "open")
        assert extended({"absolute": size}, comparison).action == given


def test_without_a_size_worth_detecting_the_page_says_so_once_for_each_metric():
    sized = SECOND | {"mde": {"absolute": 1.0}}
    metrics = [PRIMARY, sized, EXPLORED]
    comparisons = [
        compared(metric, "open", arm, difference_interval=(-0.5, 0.5))
        for metric in metrics
        for arm in ("x", "y")
    ]
    decision = decided(metrics, comparisons)
    assert decision.action == "do_not_ship"
    asked = [message for message in decision.reasons if message.key == "experiments.no_mde"]
    assert [message.values for message in asked] == [{"metric": "a"}]
    assert decision.reasons[-1] == asked[0]
    lost = decided([PRIMARY], [compared(PRIMARY, "lost")])
    assert [message.key for message in lost.reasons] == ["experiments.reason_lost_up"]


def settled(verdicts, rule):
    """Return the action where the first primary is open and sized, and more units would be short."""
    sized = PRIMARY | {"mde": {"absolute": 1.0}}
    metrics = [sized, *(metric for metric, _ in verdicts)]
    comparisons = [compared(sized, "open"), *(compared(*pair) for pair in verdicts)]
    return decided(metrics, comparisons, decision={"primaries": rule}).action


@pytest.mark.parametrize(
    ("verdicts", "every", "any_of_them"),
    [
        ([(SECOND, "won")], "extend", "ship"),
        ([(SECOND, "lost")], "do_not_ship", "do_not_ship"),
        ([(GUARD, "safe")], "extend", "extend"),
        ([(GUARD, "unproven")], "extend", "extend"),
        ([(GUARD, "harmed")], "do_not_ship", "do_not_ship"),
        # without a size: under "all" it can never be settled, under "any" another may win
        ([(SECOND, "open")], "do_not_ship", "extend"),
        ([(EXPLORED, "lost")], "extend", "extend"),
    ],
)
def test_more_units_help_only_where_nothing_is_settled(verdicts, every, any_of_them):
    assert (settled(verdicts, "all"), settled(verdicts, "any")) == (every, any_of_them)


def test_under_any_the_nearest_primary_is_waited_for_and_under_all_the_farthest():
    near, far = PRIMARY | {"mde": {"absolute": 1.0}}, SECOND | {"mde": {"absolute": 0.5}}
    for order in (1, -1):
        comparisons = [compared(near, "open"), compared(far, "open")][::order]
        for rule, size in (("all", 0.5), ("any", 1.0)):
            decision = decided([near, far], comparisons, decision={"primaries": rule})
            assert decision.more_units == of_statsmodels(size, 3.0, alpha=0.025) - 200


def test_under_any_a_primary_that_has_its_units_is_not_the_nearest():
    near, far = PRIMARY | {"mde": {"absolute": 1.0}}, SECOND | {"mde": {"absolute": 0.5}}
    comparisons = [compared(near, "open", n=(5_000, 5_000)), compared(far, "open")]
    decision = decided([near, far], comparisons, decision={"primaries": "any"})
    assert decision.more_units == of_statsmodels(0.5, 3.0, alpha=0.025) - 200
    enough = [compared(near, "open", n=(5_000, 5_000)), compared(far, "open", n=(9_000, 9_000))]
    assert decided([near, far], enough, decision={"primaries": "any"}).action == "do_not_ship"


def test_under_any_a_win_waits_for_its_guardrail_and_for_no_other_primary():
    far = SECOND | {"mde": {"absolute": 0.1}}
    comparisons = [compared(PRIMARY, "won"), compared(far, "open"), compared(GUARD, "unproven")]
    decision = decided([PRIMARY, far, GUARD], comparisons, decision={"primaries": "any"})
    assert decision.more_units == of_statsmodels(0.5, 3.0) - 200


def test_the_arm_that_asks_for_most_is_heard():
    metric = PRIMARY | {"mde": {"absolute": 1.0}}
    for order in (1, -1):
        comparisons = [compared(metric, "open", "x", n=(90, 90)), compared(metric, "open", "y")]
        decision = decided([metric], comparisons[::order])
        both = units_needed(3.0, 1.0, 0.05 / 2, 0.8, (1.0, 1.0))
        assert decision.more_units == math.ceil(both * 1.5) - 270


def test_what_is_short_is_what_is_needed_less_what_is_there():
    assert Needed(500, 120).more == 380


# Days


@pytest.mark.parametrize(
    ("as_of", "period", "days"),
    [
        (None, {"start": START, "end": END}, 20),
        (END, {"start": START, "end": END}, 20),
        (datetime.date(2026, 9, 25), {"start": START, "end": END}, 20),
        (None, {"start": END, "end": END}, 1),
        (None, {"start": START}, None),
        (None, {"end": END}, None),
        (None, None, None),
    ],
)
def test_days_are_asked_for_at_the_pace_so_far(as_of, period, days):
    decision = extended({"absolute": 1.0}, period=period, as_of=as_of)
    more = of_statsmodels(1.0, 3.0) - 200
    assert decision.more_units == more
    assert decision.more_days == (days and math.ceil(more * days / 200))


def test_without_a_unit_there_is_no_pace():
    metric = PRIMARY | {"mde": {"absolute": 1.0}}
    comparison = compared(metric, "open", n=(0, 0))
    decision = extended({"absolute": 1.0}, comparison, period={"start": START, "end": END})
    assert (decision.action, decision.more_days) == ("extend", None)


# A look before the end


@pytest.mark.parametrize("days", [1, 14])
@pytest.mark.parametrize("verdict", ["won", "open", "not_estimable"])
def test_a_fixed_design_goes_on_until_its_end_whatever_it_would_say(verdict, days):
    comparisons = [compared(PRIMARY, verdict), compared(EXPLORED, "lost")]
    early = END - datetime.timedelta(days)
    period = {"start": START, "end": END}
    decision = decided([PRIMARY, EXPLORED], comparisons, as_of=early, period=period)
    assert (decision.action, decision.arm) == ("extend", None)
    assert (decision.more_units, decision.more_days) == (None, days)
    first, *others = decision.reasons
    assert first == Message("experiments.reason_early", {"days": days})
    assert others == [reason(comparisons[0])]


@pytest.mark.parametrize("as_of", [None, END, END + datetime.timedelta(1)])
@pytest.mark.parametrize("period", [{"start": START, "end": END}, {"end": END}, None])
def test_at_its_end_or_without_one_it_ships(as_of, period):
    assert action([PRIMARY], ["won"], as_of=as_of, period=period) == "ship"


EARLY = {"as_of": START, "period": {"start": START, "end": END}}


def test_without_a_last_day_no_look_is_early():
    assert action([PRIMARY], ["won"], as_of=START, period={"start": START}) == "ship"


@pytest.mark.parametrize("rule", ["all", "any"])
@pytest.mark.parametrize(
    ("verdicts", "given"),
    [
        (["lost", "won", "safe"], "do_not_ship"),
        (["won", "won", "harmed"], "do_not_ship"),
        (["open", "lost", "unproven"], "do_not_ship"),
        (["won", "won", "unproven"], "extend"),
        (["won", "won", "not_estimable"], "extend"),
        (["open", "open", "safe"], "extend"),
    ],
)
def test_an_early_look_may_stop_for_harm(verdicts, given, rule):
    metrics = [PRIMARY, SECOND, GUARD]
    assert action(metrics, verdicts, decision={"primaries": rule}, **EARLY) == given


def test_an_early_look_stops_when_every_arm_does_harm():
    for other, given in (("lost", "do_not_ship"), ("won", "extend"), ("open", "extend")):
        comparisons = [compared(PRIMARY, "lost", "x"), compared(PRIMARY, other, "y")]
        assert decided([PRIMARY], comparisons, **EARLY).action == given


def test_broken_data_is_broken_at_an_early_look_too():
    broken = check("sample_ratio", "fail", blocking=True)
    assert (
        decided([PRIMARY], [compared(PRIMARY, "open")], [broken], **EARLY).action == "stop_broken"
    )


# Where nothing can be said


def unknown(*verdicts, interval=(-2.0, 2.2)):
    """Return the actions under "all" and "any"; of the metrics a is sized, b and g are not."""
    sized = PRIMARY | {"mde": {"absolute": 1.0}}
    metrics = [sized, SECOND, GUARD][: len(verdicts)]
    comparisons = [
        compared(
            metric, verdict, **({"difference_interval": interval} if verdict == "open" else {})
        )
        for metric, verdict in zip(metrics, verdicts, strict=True)
    ]
    decisions = [
        decided(metrics, comparisons, decision={"primaries": rule}) for rule in ("all", "any")
    ]
    for decision in decisions:
        if decision.action == "no_decision":
            assert decision.arm is decision.more_units is decision.more_days is None
            assert decision.reasons == tuple(map(reason, comparisons))
    return tuple(decision.action for decision in decisions)


BELOW = (-2.0, 0.9)  # the size worth detecting is ruled out


@pytest.mark.parametrize(
    ("verdicts", "interval", "every", "any_of_them"),
    [
        (["not_estimable"], None, "no_decision", "no_decision"),
        (["not_estimable", "not_estimable"], None, "no_decision", "no_decision"),
        (["not_estimable", "lost"], None, "do_not_ship", "do_not_ship"),
        (["lost", "not_estimable"], None, "do_not_ship", "do_not_ship"),
        (["not_estimable", "won"], None, "no_decision", "ship"),
        (["not_estimable", "not_estimable", "harmed"], None, "do_not_ship", "do_not_ship"),
        (["not_estimable", "not_estimable", "safe"], None, "no_decision", "no_decision"),
        (["won", "won", "not_estimable"], None, "no_decision", "no_decision"),
        (["won", "lost", "not_estimable"], None, "do_not_ship", "do_not_ship"),
        # open, and more units would tell
        (["open", "not_estimable"], (-2.0, 2.2), "no_decision", "extend"),
        # open, and ruled out: under "all" that settles it
        (["open", "not_estimable"], BELOW, "do_not_ship", "no_decision"),
        (["open", "won", "not_estimable"], BELOW, "do_not_ship", "no_decision"),
        # open without a size: nothing is ruled out
        (["not_estimable", "open"], BELOW, "no_decision", "no_decision"),
        (["open", "open"], BELOW, "do_not_ship", "do_not_ship"),
    ],
)
def test_nothing_is_said_where_nothing_can_be_said(verdicts, interval, every, any_of_them):
    assert unknown(*verdicts, interval=interval) == (every, any_of_them)


@pytest.mark.parametrize(
    ("other", "given"), [("lost", "no_decision"), ("won", "ship"), ("not_estimable", "no_decision")]
)
def test_an_arm_of_which_nothing_can_be_said_among_others(other, given):
    for arms in (("x", "y"), ("y", "x")):
        comparisons = [
            compared(PRIMARY, "not_estimable", arms[0]),
            compared(PRIMARY, other, arms[1]),
        ]
        assert decided([PRIMARY], comparisons).action == given


# Reasons


@pytest.mark.parametrize(
    ("verdict", "difference", "key"),
    [
        ("won", 0.1, "won_up"),
        ("won", -0.1, "won_down"),
        ("lost", -0.1, "lost_down"),
        ("open", 0.1, "open_up"),
        ("open", 0.0, "open_down"),
        ("open", None, "open_down"),
    ],
)
def test_the_reason_names_the_direction(verdict, difference, key):
    message = reason(compared(PRIMARY, verdict, difference=difference, p_value=0.3))
    assert message.key == f"experiments.reason_{key}"
    assert message.values == {"metric": "a", "arm": "new", "p": 0.3}


@pytest.mark.parametrize(("adjusted", "shown"), [(None, 0.3), (0.6, 0.6), (0.0, 0.0)])
def test_the_reason_shows_the_p_value_that_decides(adjusted, shown):
    message = reason(compared(PRIMARY, "open", p_value=0.3, p_adjusted=adjusted))
    assert message.values["p"] == shown


@pytest.mark.parametrize("verdict", ["safe", "harmed", "unproven"])
@pytest.mark.parametrize(
    ("kind", "margin", "key"),
    [
        ("mean", ("absolute", 0.5), "absolute"),
        ("mean", ("relative", 0.5), "relative"),
        ("proportion", ("absolute", 0.5), "points"),
        ("proportion", ("relative", 0.5), "relative"),
        ("ratio", ("absolute", 0.5), "absolute"),
    ],
)
def test_the_reason_of_a_guardrail_names_its_margin(verdict, kind, margin, key):
    given = compared(GUARD | {"type": kind}, verdict, margin=margin, harm_p=0.2)
    message = reason(given)
    assert message.key == f"experiments.reason_{verdict}_{key}"
    assert message.values == {"metric": "g", "arm": "new", "margin": 0.5, "p": 0.2}


@pytest.mark.parametrize("metric", [PRIMARY, GUARD])
def test_the_reason_of_what_cannot_be_estimated(metric):
    message = reason(compared(metric, "not_estimable"))
    assert message.key == "experiments.reason_not_estimable"
    assert message.values == {"metric": metric["name"], "arm": "new"}
