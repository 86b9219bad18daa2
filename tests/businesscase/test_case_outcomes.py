"""Figures of an option against closed forms of the normal distribution and against the draws themselves."""

import math

import numpy as np
import pytest
from cases import benefit, case, cost, fields, finding, money, share, simple
from scipy.stats import norm

from conftest import evpi_normal
from opslab.businesscase import build
from opslab.businesscase.spec import Case
from opslab.evidence import Quantity

N = 100_000
RATE = {"rate": 0.0, "horizon_months": 12}


def gain(name, mean, sd):
    """Return a finding of so many units a year, normal."""
    return finding(
        name,
        Quantity(
            "normal",
            {"location": mean, "scale": sd},
            mean,
            mean - 1.6449 * sd,
            mean + 1.6449 * sd,
            0.9,
        ),
        unit="ticket",
        benefit="hard",
        claim=name,
    )


def normal_case(**more):
    """Return a case whose NPV is normal by construction: 10 EUR a ticket, costs known."""
    one, two = money("fee", 1_000), money("fees", 1_600)
    lines = [benefit(name, evidence=[name], worth="worth") for name in ("a", "b")]
    options = [
        {"name": "nothing", "kind": "do_nothing", "costs": ["idle"]},
        {"name": "first", "kind": "recommended", "benefits": ["a"], "costs": ["fee"]},
        {"name": "both", "kind": "stretch", "benefits": ["a", "b"], "costs": ["fees"]},
    ]
    return fields(
        [money("worth", 10, "ticket"), one, two, money("idle", 0)],
        lines,
        [cost("fee", "fee"), cost("fees", "fees"), cost("idle", "idle")],
        options,
        finance=RATE,
        evidence=[{"id": name, "run": f"flow_review/{name}"} for name in ("a", "b")],
        **more,
    )


@pytest.fixture(scope="module")
def result():
    """NPV of first N(200, 400), of both N(100, 500): b brings N(500, 300) and costs 600 more."""
    return build(
        Case(**normal_case()), {"a": [gain("a", 120, 40)], "b": [gain("b", 50, 30)]}, draws=N
    )


def within(found, wanted, error):
    """Four Monte Carlo errors."""
    assert abs(found - wanted) < 4 * error, (found, wanted, error)


def test_percentiles_are_those_of_the_normal(result):
    one = result.recommended.npv
    within(one.mean, 200, 400 / math.sqrt(N))
    for value, level in ((one.p10, 0.1), (one.p50, 0.5), (one.p90, 0.9)):
        z = norm.ppf(level)
        within(value, 200 + 400 * z, 400 * math.sqrt(level * (1 - level) / N) / norm.pdf(z))
    assert result.recommended.npv_error == pytest.approx(400 / math.sqrt(N), rel=0.02)


def test_the_chance_of_a_gain_and_its_error(result):
    wanted = norm.cdf(0.5)
    found, error = result.recommended.positive
    within(found, wanted, math.sqrt(wanted * (1 - wanted) / N))
    assert error == pytest.approx(math.sqrt(wanted * (1 - wanted) / N), rel=0.02)


def test_worst_draws_and_expected_loss(result):
    """Mean of the lowest 5 %: mu - sd phi(z) / 0.05; E[max(-X, 0)] = sd phi(m) - mu Phi(-m)."""
    one, z = result.recommended, norm.ppf(0.05)
    within(one.p5, 200 + 400 * z, 400 * math.sqrt(0.05 * 0.95 / N) / norm.pdf(z))
    within(one.worst, 200 - 400 * norm.pdf(z) / 0.05, 3)
    within(one.expected_loss, 400 * norm.pdf(0.5) - 200 * norm.cdf(-0.5), 1)


def test_options_are_compared_on_the_same_draws(result):
    """Both less first is N(-100, 300), though each alone varies more."""
    [one] = result.differences
    assert (one.a, one.b) == ("first", "both")
    within(one.npv.mean, 100, 300 / math.sqrt(N))
    wanted = norm.cdf(100 / 300)
    within(one.better, wanted, math.sqrt(wanted * (1 - wanted) / N))
    assert one.npv.p90 - one.npv.p10 == pytest.approx(2 * 1.28155 * 300, rel=0.02)


def test_evpi_of_one_option_is_the_unit_normal_loss():
    declared = normal_case()
    for name in ("benefits", "costs", "options", "evidence"):
        declared[name] = [
            one
            for one in declared[name]
            if one.get("name", one.get("id")) not in ("b", "fees", "both")
        ]
    made = build(Case(**declared), {"a": [gain("a", 120, 40)], "b": [gain("b", 50, 30)]}, draws=N)
    within(made.evpi, evpi_normal(200, 400), 1)
    assert made.evpi == pytest.approx(made.recommended.expected_loss)


def test_tei_takes_means_at_the_ends_of_years():
    """By hand: 100,000 a year less 20 %, 60,000 plus 10 %, at 10 %."""
    one = build(Case(**simple()), draws=1_000).recommended.tei
    factor = 1 / 1.1 + 1 / 1.1**2 + 1 / 1.1**3
    assert one.npv == pytest.approx((80_000 - 66_000) * factor)
    assert one.roi == pytest.approx(80 / 66 - 1)


def test_what_is_paid_at_once_is_initial_in_the_tei_table():
    declared = fields(
        [money("gain", 100), money("pay", 60, "once"), money("late", 10, "once")],
        [benefit("g", "gain")],
        [cost("c", "pay"), cost("later", "late", starts="2028-05-01")],
    )
    row = build(Case(**declared), draws=1_000).recommended.tei.costs
    assert row.initial == pytest.approx(66)
    assert row.years == pytest.approx((0, 11, 0))


def test_roi_of_hard_benefits_leaves_out_the_others():
    declared = fields(
        [money("cash", 50), money("freed", 100), money("pay", 60), share("none", 0)],
        [benefit("hard", "cash"), benefit("soft", "freed", kind="capacity", decay="none")],
        [cost("c", "pay")],
        finance=RATE,
    )
    one = build(Case(**declared), draws=1_000).recommended
    assert (one.roi, one.roi_hard) == (pytest.approx(1.5), pytest.approx(50 / 60 - 1))


def test_roi_without_costs_is_none_and_benefits_stand():
    one = build(
        case([money("gain", 5), money("pay", 0)], [benefit("g", "gain")], [cost("c", "pay")]),
        draws=1_000,
    )
    assert one.recommended.roi is None
    assert one.recommended.positive[0] == 1
    assert all(scenario.roi is None for scenario in one.recommended.scenarios)


def test_doing_nothing_has_a_cost_that_grows():
    declared = fields(
        [money("gain", 1), money("pay", 1), money("over", 1_200), share("grow", 0.5)],
        [benefit("g", "gain")],
        [cost("c", "pay"), cost("overtime", "over", trend="grow", benefit="hard")],
        [
            {
                "name": "nothing",
                "kind": "do_nothing",
                "costs": ["overtime"],
                "reach": {"overtime": 2},
            },
            {
                "name": "ask",
                "kind": "recommended",
                "benefits": ["g"],
                "costs": ["c", "overtime"],
                "reach": {"overtime": 0.5},
            },
        ],
        finance={"rate": 0.0, "horizon_months": 18},
    )
    result = build(Case(**declared), draws=1_000)
    by_month = [100 * 1.5 ** (m / 12) for m in range(18)]
    nothing = result.nothing
    assert nothing.years == (
        pytest.approx(2 * sum(by_month[:12])),
        pytest.approx(2 * sum(by_month[12:])),
    )
    assert (nothing.first_month, nothing.last_month) == (
        pytest.approx(200),
        pytest.approx(2 * by_month[-1]),
    )
    assert result.recommended.benefits["hard"].mean == pytest.approx(1.5 * sum(by_month) + 1.5)


def test_a_signed_chance_brings_a_cost_in_that_share_of_draws():
    declared = fields(
        [money("gain", 1), money("fine", 100, "once"), share("risk", 0.3)],
        [benefit("g", "gain")],
        [cost("fine", "fine", probability="risk")],
        finance=RATE,
    )
    costs = build(Case(**declared), draws=20_000).recommended.costs
    within(costs.mean, 30, 100 * math.sqrt(0.21 / 20_000))
    assert (costs.p10, costs.p50, costs.p90) == (0, 0, 100)


def test_waiting_costs_what_three_months_would_have_brought():
    """One gain of 1,200 a year to a fixed end, one running cost of 600: three months of the difference."""
    declared = fields(
        [money("gain", 1_200), money("pay", 600)],
        [benefit("g", "gain")],
        [cost("c", "pay")],
        finance={"rate": 0.0, "wait_months": 3},
    )
    assert build(Case(**declared), draws=1_000).waiting == pytest.approx(300 - 150)


def test_other_rates_give_the_npv_at_them():
    found = {
        rate: npv
        for rate, npv, _ in build(
            Case(**simple(finance={"rates": [0.0, 0.2]})), draws=1_000
        ).by_rate
    }
    assert list(found) == [0.0, 0.1, 0.2]
    for rate, value in found.items():
        assert value == pytest.approx(
            sum(40_000 / 12 * (1 + rate) ** (-m / 12) for m in range(1, 37))
        )


def test_chances_at_other_rates_are_chances():
    declared = fields(
        [money("gain", (100_000, 140_000)), money("pay", 200_000, "once")],
        [benefit("g", "gain", starts="2028-06-01")],
        [cost("c", "pay")],
        finance={"rates": [-0.05, 0, 0.5]},
    )
    for seed in (1, 2, 3):
        rows = build(Case(**declared), draws=20_000, seed=seed).by_rate
        assert all(0 <= chance <= 1 for _, _, chance in rows)


def idle_cost(**idle):
    per = idle.pop("per", "year")
    return fields(
        [money("gain", 0), money("pay", 12_000), money("over", 12_000, per)],
        [benefit("g", "gain")],
        [cost("paid", "pay"), cost("over", "over", **idle)],
        [
            {"name": "n", "kind": "do_nothing", "costs": ["over"]},
            {"name": "ask", "kind": "recommended", "benefits": ["g"], "costs": ["paid"]},
        ],
        finance={"rate": 0.0, "wait_months": 3},
    )


@pytest.mark.parametrize(
    ("idle", "lost"),
    [
        ({"starts": "2027-01-01"}, 0),
        ({"starts": "2027-01-01", "ends": "2027-12-31"}, 0),
        ({"starts": "2028-01-01"}, -3_000),
        ({"starts": "2029-11-01", "per": "once"}, -3_000),
    ],
)
def test_waiting_leaves_the_calendar_of_doing_nothing(idle, lost):
    """What doing nothing costs before the start is lost, the rest is ended all the same; 3,000 are not paid."""
    assert build(Case(**idle_cost(**idle)), draws=1_000).waiting == pytest.approx(lost)


def test_discounted_payback_says_what_the_npv_says():
    """261,000 at once, 100,000 a year, 10 %: the NPV is -1,113, so that it is never paid back."""
    declared = fields(
        [money("gain", 100_000), money("pay", 261_000, "once")],
        [benefit("g", "gain")],
        [cost("c", "pay")],
    )
    one = build(Case(**declared), draws=1_000).recommended
    assert one.npv.mean < 0
    assert one.payback_discounted is None


@pytest.mark.parametrize("sign", [1, -1])
def test_the_present_is_the_last_of_the_discounted_cash(sign):
    """An NPV of a hundred either side of zero: paid back at the very end, or never."""
    pays = sum(100_000 / 12 * 1.1 ** (-m / 12) for m in range(1, 37)) - 100 * sign
    declared = fields(
        [money("gain", 100_000), money("pay", pays, "once")],
        [benefit("g", "gain")],
        [cost("c", "pay")],
    )
    one = build(Case(**declared), draws=1_000).recommended
    assert one.npv.mean == pytest.approx(100 * sign)
    assert (one.payback_discounted is None) == (sign < 0)


def test_stage_one_costs_what_falls_before_its_gate():
    declared = fields(
        [money("gain", 1), money("pay", 1_200), money("set", 50, "once")],
        [benefit("g", "gain")],
        [cost("c", "pay"), cost("s", "set")],
        roadmap=[{"id": "one", "name": "one", "starts": "2027-01-01", "ends": "2027-04-30"}],
        decision={"wanted": "w", "by": "2026-11-16", "who": "cpo", "stage": "one"},
    )
    assert build(Case(**declared), draws=1_000).recommended.stage == pytest.approx(4 * 100 + 50)


def test_scenarios_are_not_percentiles_row_by_row(result):
    """The columns add up, and the prudent one is not that of the lowest gains and the highest costs."""
    for option in result.options:
        for one in option.scenarios:
            assert one.hard + one.soft - one.costs == pytest.approx(one.npv)
        assert [one.npv for one in option.scenarios] == sorted(one.npv for one in option.scenarios)
        assert option.scenarios[0].npv == pytest.approx(option.npv.p10, abs=10)
    assert np.ptp([one.costs for one in result.recommended.scenarios]) == pytest.approx(0, abs=1e-6)
