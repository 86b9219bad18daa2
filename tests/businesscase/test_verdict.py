"""The verdict: rules against closed forms, and what must not change it."""

import copy

import numpy as np
import pytest
from cases import benefit, cost, fields, money, share, units
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from opslab.businesscase import build
from opslab.businesscase.declarations import Rule
from opslab.businesscase.spec import Case
from opslab.businesscase.verdict import chance, choose, mean, worst

N = 20_000
GRID = norm.ppf((np.arange(N) + 0.5) / N)
"""Standard normal draws without luck."""
ORDER = ("reject", "defer", "stage", "approve")
RULES = ("expected", Rule(p_positive=0.8), Rule(worst=-50.0))


def verdict(own, others=(), rule="expected", *, stage=False):
    """Return the choice; the options are normal, given by mean and sd on the same draws."""
    npvs = {f"o{k}": m + sd * GRID for k, (m, sd) in enumerate([own, *others])}
    return choose(npvs, "o0", "nothing", rule, stage=stage)


@pytest.mark.parametrize(
    ("own", "others", "rule", "stage", "action"),
    [
        # The highest mean decides, whatever the chance of a gain.
        ((10, 100), [], "expected", False, "approve"),
        ((10, 100), [], "expected", True, "approve"),
        ((-10, 1), [], "expected", True, "reject"),
        ((10, 1), [(11, 1)], "expected", False, "other"),
        ((-32, 5), [(17, 5)], "expected", False, "other"),
        ((-32, 5), [(-40, 5)], "expected", False, "reject"),
        ((10, 5), [(10, 5)], "expected", False, "close"),  # two names for one option
        ((0.001, 5), [], "expected", False, "close"),
        ((10, 5), [(10.01, 50)], "expected", False, "close"),
        # P(NPV > 0) = Phi(mean / sd): .8 at mean .8416 sd.
        ((90, 100), [], Rule(p_positive=0.8), True, "approve"),
        ((70, 100), [], Rule(p_positive=0.8), True, "stage"),
        ((70, 100), [], Rule(p_positive=0.8), False, "defer"),
        ((84.16, 100), [], Rule(p_positive=0.8), True, "close"),
        ((-5, 100), [], Rule(p_positive=0.3), True, "reject"),
        ((70, 100), [(20, 10)], Rule(p_positive=0.8), True, "other"),
        ((70, 100), [(90, 200)], Rule(p_positive=0.8), True, "defer"),  # better, and fails too
        ((90, 100), [(95, 200)], Rule(p_positive=0.8), True, "approve"),
        ((-5, 100), [(90, 200)], Rule(p_positive=0.8), True, "reject"),
        # Mean of the worst twentieth of a normal: mean - 2.0627 sd.
        ((200, 100), [], Rule(worst=-50), False, "approve"),
        ((100, 100), [], Rule(worst=-50), False, "defer"),
        ((100, 100), [], Rule(worst=-150), False, "approve"),
        ((100, 100), [(40, 10)], Rule(worst=-50), False, "other"),
    ],
)
def test_what_a_rule_makes_of_options(own, others, rule, stage, action):
    assert verdict(own, others, rule, stage=stage).action == action


def test_the_choice_names_the_best_and_the_rival():
    choice = verdict((-32, 5), [(17, 5), (-40, 1)])
    assert (choice.best, choice.rival, choice.rule, choice.bound) == ("o1", "o1", "expected", None)
    assert choice.margin == pytest.approx(-49)
    assert verdict((-32, 5), [(-33, 5)]).best == "nothing"
    assert verdict((70, 100), rule=Rule(p_positive=0.8)).best == "nothing"


def test_errors_are_those_of_the_normal():
    """Mean: sd / root n. Share: root p (1 - p) / n. Worst twentieth: spread of repetitions."""
    rng = np.random.default_rng(7)
    draws = rng.normal(3, 10, size=(4_000, 1_000))
    assert mean(draws[0]).error == pytest.approx(10 / np.sqrt(1_000), rel=0.1)
    p = norm.cdf(0.3)
    assert chance(draws[0] > 0).error == pytest.approx(np.sqrt(p * (1 - p) / 1_000), rel=0.05)
    tails = [worst(row) for row in draws]
    assert np.mean([tail.value for tail in tails]) == pytest.approx(3 - 10 * 2.0627, abs=0.05)
    assert np.mean([tail.error for tail in tails]) == pytest.approx(
        np.std([tail.value for tail in tails]), rel=0.04
    )
    assert worst(np.arange(10.0)) == (0.0, 0.0)  # the worst of ten


def test_too_close_is_two_errors():
    """Error of the mean: 100 / root 20,000 = .707; of the chance at .8: .00283."""
    assert [verdict((one, 100)).action for one in (1.3, 1.6)] == ["close", "approve"]
    assert [verdict((-one, 100)).action for one in (1.3, 1.6)] == ["close", "reject"]
    rule = Rule(p_positive=0.8)
    within, beyond = (100 * norm.ppf(0.8 + part * 0.00283) for part in (1.8, 2.3))
    assert verdict((within, 100), rule=rule).action == "close"
    assert verdict((beyond, 100), rule=rule).action == "approve"


def test_a_rival_of_which_the_draws_cannot_tell_whether_it_meets_the_rule():
    rule, unsure = Rule(p_positive=0.8), (84.16, 100)
    assert verdict((83, 60), [unsure], rule).action == "close"  # it may be better, or be out
    assert verdict((90, 60), [unsure], rule).action == "approve"
    assert verdict((-5, 1), [unsure], Rule(p_positive=0.8)).action == "reject"
    assert verdict((50, 100), [unsure], rule, stage=True).action == "defer"
    assert verdict((50, 100), [unsure], rule).best == "nothing"
    assert verdict((50, 100), [(50, 100)], rule, stage=True).action == "stage"  # one, named twice


def test_nothing_is_gained_counts_as_no_gain():
    """NPV 0 in every draw is not above 0."""
    assert verdict((0, 0)).action == "close"
    choice = choose({"a": np.zeros(10)}, "a", "nothing", Rule(p_positive=0.5), stage=False)
    assert choice.best == "nothing"


def test_of_equals_the_recommended_one_stands_first():
    assert verdict((10, 5), [(10, 5)]).best == "o0"
    worst_rule = verdict((10, 5), rule=Rule(worst=-7))
    assert (worst_rule.rule, worst_rule.bound) == ("worst", -7)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-100, 100), st.integers(0, 100)), min_size=1, max_size=4),
    st.sampled_from(RULES),
    st.booleans(),
    st.integers(1, 80),
)
def test_a_better_option_never_worsens_the_verdict(options, rule, stage, gain):
    """The recommended one up: no lower action. Another one up: what is chosen is worth no less."""
    before = verdict(options[0], options[1:], rule, stage=stage)
    (own, sd), others = options[0], options[1:]
    after = verdict((own + gain, sd), others, rule, stage=stage)
    if {before.action, after.action} <= set(ORDER):
        assert ORDER.index(after.action) >= ORDER.index(before.action)
    if before.action == "approve":
        assert after.action == "approve"
    worth = {"nothing": 0.0} | {f"o{k}": float(m) for k, (m, _) in enumerate(options)}
    for k, (value, width) in enumerate(others, 1):
        better = [*others[: k - 1], (value + gain, width), *others[k:]]
        moved = verdict(options[0], better, rule, stage=stage)
        assert worth[moved.best] + gain * (moved.best == f"o{k}") >= worth[before.best] - 1e-9


def small(pay=60, low=50, high=200, **more):
    """Return a case worth n x 1 a year less what is paid, for one year, undiscounted."""
    return fields(
        [units("n", (low, high), "ticket"), money("w", 1, "ticket"), money("pay", pay)],
        [benefit("g", "n", worth="w")],
        [cost("c", "pay")],
        finance={"rate": 0.0, "horizon_months": 12},
        **more,
    )


def acted(declared):
    return build(Case(**declared), draws=4_000).choice.action


@pytest.mark.parametrize("pay", [60, 100, 125, 160])
def test_what_is_only_told_in_another_way_keeps_the_verdict(pay):
    """Renamed, a line split in two, a cost moved to another line, wider at the same mean."""
    declared = small(pay)
    wanted = acted(declared)
    assert wanted == ("approve" if pay < 110 else "reject")  # the mean of 50 to 200 is 109.3
    renamed = copy.deepcopy(declared)
    renamed["assumptions"][0]["id"] = renamed["benefits"][0]["quantity"] = "tickets"
    renamed["benefits"][0]["name"] = renamed["options"][1]["benefits"][0] = "gained"
    split = copy.deepcopy(declared)
    split["costs"].append(split["costs"][0] | {"name": "rest"})
    split["options"][1] |= {"costs": ["c", "rest"], "reach": {"c": 0.3, "rest": 0.7}}
    parted = copy.deepcopy(declared)
    parted["assumptions"] += [money("a", pay * 0.25), money("b", pay * 0.75)]
    parted["costs"] = [cost("a", "a"), cost("b", "b"), *parted["costs"][1:]]
    parted["options"][1]["costs"] = ["a", "b"]
    sigma = np.log(4) / (2 * 1.6448536)
    wider = np.exp(np.log(100) + (sigma**2 - 0.8**2) / 2 + np.array([-1, 1]) * 1.6448536 * 0.8)
    widened = small(pay, *wider.tolist())
    for other in (renamed, split, parted, widened):
        assert acted(other) == wanted


def test_widening_no_longer_turns_approve_into_reject():
    """Median below nothing, mean above it (the issue: median -14,700, mean +29,700)."""
    sigma = 1.0
    ends = np.exp(np.log(109.3) - sigma**2 / 2 + np.array([-1, 1]) * 1.6448536 * sigma)
    result = build(Case(**small(90, *ends.tolist())), draws=20_000)
    assert result.recommended.npv.p50 < 0 < result.recommended.npv.mean
    assert result.action == "approve"


def test_a_better_option_beside_the_recommended_one_is_named():
    declared = small(pay=160)
    declared["costs"].append(cost("half", "pay"))
    declared["options"].append(
        {
            "name": "tool",
            "kind": "minimum",
            "benefits": ["g"],
            "costs": ["half"],
            "reach": {"half": 0.1, "g": 0.5},
        }
    )
    choice = build(Case(**declared), draws=4_000).choice
    assert (choice.action, choice.best, choice.rival) == ("other", "tool", "tool")
    assert choice.margin == pytest.approx(-50.7 - 38.7, abs=4)


def test_a_schedule_is_the_share_of_each_year():
    """Adoption 40, 75 and 90 % of 1,200 a year: 480 + 900 + 1,080, by hand."""
    declared = fields(
        [
            money("gain", 1_200),
            money("pay", 1),
            *(share(f"u{k}", part) for k, part in enumerate((0.4, 0.75, 0.9))),
        ],
        [benefit("g", "gain", schedule=["u0", "u1", "u2"])],
        [cost("c", "pay")],
        finance={"rate": 0.0, "horizon_months": 48},
    )
    result = build(Case(**declared), draws=1_000)
    assert [year.benefits for year in result.recommended.years] == pytest.approx(
        [480, 900, 1080, 1080]
    )


def test_nothing_is_decided_where_the_draws_miss_a_mean():
    """1 to 120, an opinion: widened, its mean rests on draws that a thousand do not hold."""
    declared = small(20, 1, 120)
    declared["calibration"] = "untrained"
    declared["assumptions"][0]["grade"] = "F"
    result = build(Case(**declared), draws=1_000)
    assert (result.wide, result.action) == (("n",), "close")
    assert result.check("wide").status == "warn"
    narrow = build(Case(**small(20)), draws=1_000)
    assert (narrow.wide, narrow.check("wide").status) == ((), "pass")


def test_an_option_that_meets_the_rule_is_named_beside_one_of_which_nobody_knows():
    rule = Rule(p_positive=0.8)
    assert verdict((-10, 40), [(84.16, 100), (20, 10)], rule).action == "other"
    assert verdict((-10, 40), [(84.16, 100), (20, 10)], rule).rival == "o2"


@settings(max_examples=15, deadline=None)
@given(
    gains=st.lists(  # two gains of one range are refused: one of them may count the other's
        st.tuples(st.integers(20, 200), st.floats(0.2, 1.2)), min_size=1, max_size=3, unique=True
    ),
    pays=st.lists(st.integers(10, 150), min_size=1, max_size=3),
    part=st.floats(0.1, 0.9),
    wider=st.floats(1.1, 1.6),
)
def test_telling_it_otherwise_decides_nothing(gains, pays, part, wider):
    """Under `expected`, without caps: renamed, split, moved, widened at one mean, the verdict stays.

    Between draws of other names the means differ by their Monte Carlo error: what is nearer to
    nothing than eight of them is left out.
    """

    def told(names="g{}", width=1.0, *, split=False, moved=False):
        assumptions, benefits, costs, reach = [], [], [], {}
        for k, (mean_value, sigma) in enumerate(gains):
            name, wide = names.format(k), sigma * width / 2
            ends = mean_value * np.exp(-(wide**2) / 2 + np.array([-1, 1]) * 1.6448536 * wide)
            assumptions.append(money(name, tuple(ends.tolist())))
            benefits.append(benefit(f"line {name}", name))
        paid = [sum(pays)] if moved else pays
        for k, value in enumerate(paid):
            assumptions.append(money(f"pay{k}", value))
            for half in ("a", "b") if split else ("a",):
                costs.append(cost(f"cost {k}{half}", f"pay{k}"))
                if split:
                    reach[f"cost {k}{half}"] = part if half == "a" else 1 - part
        declared = fields(assumptions, benefits, costs, finance={"rate": 0.0, "horizon_months": 12})
        declared["options"][1]["reach"] = reach
        return build(Case(**declared), draws=2_000)

    plain = told()
    if abs(plain.choice.margin) < 8 * plain.choice.error:
        return
    others = (told("h{}"), told(width=wider), told(split=True), told(moved=True))
    assert {result.action for result in others} == {plain.action}
