"""Finance against printed answers (Excel's function pages, textbooks, a Forrester study), a peer, properties.

Printed sources: Microsoft's pages of NPV, IRR, MIRR, XNPV and XIRR; Brealey, Myers and Allen, Principles of
Corporate Finance, ch. 5 (pitfalls of IRR); Brigham and Ehrhardt, Financial Management, ch. "Capital budgeting"
(projects S and L); Forrester Consulting, The Total Economic Impact of SalesLoft, cash flow table.
"""

import datetime
import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from opslab.businesscase.finance import (
    Payback,
    benefit_cost_ratio,
    discount_factors,
    irr,
    mirr,
    npv,
    payback,
    payback_draws,
    roi,
    tei,
    xirr,
    xnpv,
)
from opslab.errors import InputError

DAY = datetime.date
EXCEL_FLOWS = [-10000, 2750, 4250, 3250, 2750]
EXCEL_DATES = [
    DAY(2008, 1, 1),
    DAY(2008, 3, 1),
    DAY(2008, 10, 30),
    DAY(2009, 2, 15),
    DAY(2009, 4, 1),
]
S, L = [-1000, 500, 400, 300, 100], [-1000, 100, 300, 400, 600]

amounts = st.integers(-10_000, 10_000).map(float)
series = st.lists(amounts, min_size=1, max_size=25)
rates = st.floats(-0.5, 2.0)
timings = st.sampled_from(["end_year", "mid_year", "monthly"])


@pytest.mark.parametrize(
    ("rate", "flows", "printed"),
    [
        (
            0.10,
            [0, -10000, 3000, 4200, 6800],
            1188.44,
        ),  # Excel, example 1: the first flow ends year 1
        (0.08, [-40000, 8000, 9200, 10000, 12000, 14500], 1922.06),  # Excel, example 2
        (0.08, [-40000, 8000, 9200, 10000, 12000, 14500, -9000], -3749.47),
        (0.10, S, 78.82),  # Brigham and Ehrhardt
        (0.10, L, 49.18),
        (0.10, [-4000, 25000, -25000], -1934),  # Brealey and Myers
        (0.10, [1000, -3000, 2500], 339),
    ],
)
def test_npv_is_the_printed_one(rate, flows, printed):
    assert npv(rate, flows) == pytest.approx(printed, abs=0.5 if printed == int(printed) else 0.005)


def test_the_three_timings_by_hand():
    assert npv(0.21, [-100, 121], "mid_year") == pytest.approx(-100 + 121 / 1.1)  # sqrt(1.21) = 1.1
    assert npv(0.21, [-100, 0, 0, 0, 0, 0, 121], "monthly") == pytest.approx(-100 + 121 / 1.1)
    assert npv(0.0, [-5, 2, 2], "monthly") == -1
    assert npv(-0.5, [0, 1, 1]) == pytest.approx(6)


def test_xnpv_and_xirr_are_excels():
    assert xnpv(0.09, EXCEL_FLOWS, EXCEL_DATES) == pytest.approx(2086.65, abs=0.005)
    # Excel stops within 0.000001 %; the printed 0.373362535 is one Newton step from the root.
    assert xirr(EXCEL_FLOWS, EXCEL_DATES) == pytest.approx([0.373362535], abs=1e-8)


@pytest.mark.parametrize(
    ("flows", "printed", "digits"),
    [
        ([-70000, 12000, 15000, 18000, 21000], -0.021, 3),  # Excel's IRR page
        ([-70000, 12000, 15000, 18000, 21000, 26000], 0.087, 3),
        ([-70000, 12000, 15000], -0.444, 3),
        (S, 0.145, 3),
        (L, 0.118, 3),
    ],
)
def test_irr_is_the_printed_one(flows, printed, digits):
    assert [round(rate, digits) for rate in irr(flows)] == [printed]


@pytest.mark.parametrize(
    ("flows", "roots"),
    [
        ([-4000, 25000, -25000], [0.25, 4.0]),  # Brealey and Myers
        ([1000, -3000, 2500], []),  # Brealey and Myers: no IRR
        ([-100, 220, -121], [0.1]),  # touches zero: a double root, once
        ([-100, 220, -121.0001], []),  # just under it
        ([-1000, 3300, -3630, 1331], [0.1]),  # a triple root
        ([-10000, 44000, -72600, 53240, -14641], [0.1]),  # a fourfold one
        ([-100, 100], [0.0]),
        ([-100, 50], [-0.5]),
        ([0, 0, -100, 110], [0.1]),
        ([100, 100], []),
        ([-100], []),
        ([-1, 0, 0, 0, 1e6], [1e6**0.25 - 1]),
        ([-1.0] + [0.0] * 359 + [2.0], [2 ** (1 / 360) - 1]),
    ],
)
def test_irr_finds_all_roots_or_none(flows, roots):
    assert irr(flows) == pytest.approx(roots, abs=1e-7)


def test_roots_too_near_to_tell_apart_are_one():
    flows = np.array([1.0])
    for rate in (0.1, 0.1001, 0.1002):
        flows = np.convolve(flows, [1.0, -(1.0 + rate)])
    assert irr(flows) == pytest.approx([0.1001], abs=2e-4)


def test_xirr_of_days_that_repeat_and_of_any_order():
    dates = [DAY(2027, 1, 1), DAY(2026, 1, 1), DAY(2026, 1, 1), DAY(2027, 1, 1)]
    assert xirr([60, -50, -50, 50], dates) == pytest.approx([0.1])
    assert xirr([1, -1, 2], [DAY(2026, 1, 1), DAY(2026, 1, 1), DAY(2026, 1, 2)]) == ()
    assert xirr([-1, 2], [DAY(2026, 1, 1), DAY(2026, 1, 2)]) == pytest.approx([2.0**365 - 1])


@pytest.mark.parametrize(
    ("flows", "finance", "reinvest", "printed"),
    [
        ([-120000, 39000, 30000, 21000, 37000, 46000], 0.10, 0.12, 0.1261),  # Excel's MIRR page
        ([-120000, 39000, 30000, 21000], 0.10, 0.12, -0.0480),
        ([-120000, 39000, 30000, 21000, 37000, 46000], 0.10, 0.14, 0.1348),
        (S, 0.10, 0.10, 0.121),
        (L, 0.10, 0.10, 0.113),
    ],
)
def test_mirr_is_the_printed_one(flows, finance, reinvest, printed):
    assert mirr(flows, finance, reinvest) == pytest.approx(
        printed, abs=0.0005 if printed in (0.121, 0.113) else 0.00005
    )


def test_what_has_no_answer_says_none():
    assert mirr([100, 100], 0.1, 0.1) is None
    assert mirr([-100, -100], 0.1, 0.1) is None
    assert mirr([-100], 0.1, 0.1) is None
    assert roi(100, 0) is None
    assert benefit_cost_ratio(0, 0) is None
    assert payback([-100, 10, 10]) == Payback(None, negative_again=False)


@pytest.mark.parametrize(
    ("flows", "rate", "years"),
    [(S, 0.0, 2.33), (L, 0.0, 3.33), (S, 0.10, 2.95), (L, 0.10, 3.88)],  # Brigham and Ehrhardt
)
def test_payback_is_the_printed_one(flows, rate, years):
    found = payback(flows, rate=rate)
    assert found.months / 12 == pytest.approx(years, abs=0.006)
    assert not found.negative_again


@pytest.mark.parametrize(
    ("flows", "months", "again"),
    [
        ([-100, 150, -100, 200], 8.0, True),  # paid back, lost again
        ([-100, 150, -100, 20], 8.0, True),
        ([-100, 100], 12.0, False),
        ([-100, 100, 0, -1], 12.0, True),
        ([0, -100, 0, 200], 30.0, False),  # nothing spent yet is not paid back
        ([50, -100, 100], 18.0, False),
        ([0, 0], 0.0, False),
        ([0, 10], 0.0, False),
        ([5], 0.0, False),
        ([-5], None, False),
        ([10, -100], None, False),
        ([-10] + [0.1] * 100 + [0] * 5, 1200.0, False),  # sums of 0.1 are not exact
    ],
)
def test_payback_by_hand(flows, months, again):
    found = payback(flows)
    assert found.negative_again is again
    assert found.months == (None if months is None else pytest.approx(months))


def test_tei_is_the_printed_table():
    """SalesLoft's cash flow table: costs, benefits, net, ROI, payback, to the dollar (its inputs are rounded)."""
    case = tei([1606511, 3061331, 4229760], [53150, 666715, 636772, 647783])
    assert (case.costs.total, case.costs.present_value) == pytest.approx(
        (2004420, 1672201), abs=1.5
    )
    assert (case.benefits.total, case.benefits.present_value) == pytest.approx(
        (8897602, 7168371), abs=1.5
    )
    assert case.net.initial == -53150
    assert case.net.years == pytest.approx((939796, 2424560, 3581976), abs=1.5)
    assert (case.net.total, case.npv) == pytest.approx((6893182, 5496170), abs=1.5)
    assert round(case.roi, 2) == 3.29
    assert case.payback.months < 6


def test_tei_lowers_benefits_and_raises_costs():
    case = tei([100, 100], [50, 10, 10], rate=0.0, benefit_risk=0.2, cost_risk=0.1)
    assert case.benefits.years == pytest.approx((80, 80))
    assert (case.costs.initial, *case.costs.years) == pytest.approx((55, 11, 11))
    assert case.npv == pytest.approx(160 - 77)
    assert case.roi == pytest.approx(83 / 77)
    assert case.payback.months == pytest.approx(12 * 55 / 69)
    assert tei([100], [0, 0]).roi is None


@pytest.mark.parametrize(
    ("call", "key"),
    [
        (lambda: npv(-1.0, [1, 2]), "rate"),
        (lambda: npv(math.nan, [1, 2]), "rate"),
        (lambda: npv(math.inf, [1, 2]), "rate"),
        (lambda: npv(-1 + 1e-12, [1] * 60), "rate"),
        (lambda: xnpv(-1.5, EXCEL_FLOWS, EXCEL_DATES), "rate"),
        (lambda: mirr(S, 0.1, -1.0), "rate"),
        (lambda: npv(0.1, []), "flows"),
        (lambda: npv(0.1, [1, math.nan]), "flows"),
        (lambda: npv(0.1, [[1, 2], [3, 4]]), "flows"),
        (lambda: roi(math.inf, 1), "flows"),
        (lambda: payback_draws(np.array([[-1.0], [math.nan]])), "flows"),
        (lambda: npv(0.1, [1], "quarterly"), "timing"),
        (lambda: irr([0, 0]), "all_zero"),
        (lambda: xirr([5, -5], [DAY(2026, 1, 1)] * 2), "all_zero"),
        (lambda: xnpv(0.1, [1, 2], [DAY(2026, 1, 1)]), "dates"),
        (lambda: roi(1, -1), "negative_cost"),
        (lambda: tei([1], [-1, 2]), "negative_cost"),
        (lambda: tei([1, 2], [1, 2]), "tei_years"),
        (lambda: tei([1], [1, 2], benefit_risk=15), "risk"),
        (lambda: tei([1], [1, 2], cost_risk=-0.1), "risk"),
    ],
)
def test_refusals(call, key):
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.problems[0].key == f"businesscase.{key}"
    for language in ("en", "fr"):
        assert caught.value.text(language)


@given(st.lists(amounts, min_size=2, max_size=30), st.floats(-0.5, 1.0), st.floats(-0.5, 1.0))
def test_numpy_financial_agrees(flows, finance, reinvest):
    peer = pytest.importorskip("numpy_financial", reason="numpy-financial is a peer, not needed")
    assert npv(finance, flows) == pytest.approx(peer.npv(finance, flows), rel=1e-9, abs=1e-6)
    ours = mirr(flows, finance, reinvest)
    if ours is not None:
        assert ours == pytest.approx(peer.mirr(flows, finance, reinvest), rel=1e-8, abs=1e-10)
        conventional = [-sum(map(abs, flows)), *map(abs, flows)]
        assert irr(conventional) == pytest.approx([peer.irr(conventional)], abs=1e-7)


@given(
    st.lists(st.tuples(amounts, amounts), min_size=1, max_size=25),
    rates,
    timings,
    st.integers(-5, 5),
)
def test_npv_is_linear(pairs, rate, timing, factor):
    one, other = np.array(pairs).T
    both = npv(rate, one, timing) + factor * npv(rate, other, timing)
    scale = npv(rate, np.abs(one) + abs(factor) * np.abs(other), timing)
    assert npv(rate, one + factor * other, timing) == pytest.approx(both, abs=1e-9 * scale + 1e-9)


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=25), rates, st.floats(0.001, 1), timings)
def test_the_value_of_what_comes_in_falls_with_the_rate(flows, rate, step, timing):
    assume(max(flows[1:]) > 1)
    assert npv(rate + step, flows, timing) < npv(rate, flows, timing)


@given(series, rates)
def test_monthly_and_yearly_agree_where_flows_end_a_year(flows, rate):
    months = np.zeros(12 * (len(flows) - 1) + 1)
    months[::12] = flows
    scale = npv(rate, np.abs(flows))
    assert npv(rate, months, "monthly") == pytest.approx(npv(rate, flows), abs=1e-9 * scale + 1e-9)


@given(series, rates)
def test_mid_year_lifts_all_but_the_first_by_half_a_year(flows, rate):
    lifted = flows[0] + (npv(rate, flows) - flows[0]) * (1 + rate) ** 0.5
    assert npv(rate, flows, "mid_year") == pytest.approx(
        lifted, abs=1e-9 * npv(rate, np.abs(flows)) + 1e-9
    )


@given(series, rates, timings)
def test_factors_serve_all_draws_at_once(flows, rate, timing):
    draws = np.column_stack([flows, np.negative(flows), np.ones(len(flows))])
    each = [npv(rate, draw, timing) for draw in draws.T]
    assert discount_factors(rate, len(flows), timing) @ draws == pytest.approx(
        each, rel=1e-9, abs=1e-6
    )


@given(series, rates)
def test_xnpv_on_steps_of_365_days_is_npv(flows, rate):
    dates = [DAY(2026, 3, 1) + datetime.timedelta(365 * year) for year in range(len(flows))]
    scale = npv(rate, np.abs(flows))
    assert xnpv(rate, flows, dates) == pytest.approx(npv(rate, flows), abs=1e-9 * scale + 1e-9)
    shuffled = sorted(zip(flows, dates, strict=True))
    assert xnpv(rate, *zip(*shuffled, strict=True)) == xnpv(rate, flows, dates)
    if any(flows):
        assert xirr(flows, dates) == pytest.approx(irr(flows), rel=1e-9, abs=1e-9)


def gross(rate, flows):
    return npv(rate, np.abs(flows))


@given(st.lists(amounts, min_size=2, max_size=13).filter(any))
@settings(deadline=None)
def test_each_root_makes_the_value_zero_and_none_is_missed(flows):
    """None is missed: between two roots, and beyond them, the value keeps its sign (a grid of rates)."""
    roots = irr(flows)
    assert list(roots) == sorted(roots)
    kept = [flow for flow in flows if flow]
    assert len(roots) <= sum(a * b < 0 for a, b in itertools.pairwise(kept))  # Descartes
    for root in roots:
        assert abs(npv(root, flows)) <= 1e-9 * gross(root, flows)
    grid = np.expm1(np.linspace(-2.0, 4.0, 601))
    terms = np.array(flows) * (1 + grid[:, None]) ** -np.arange(len(flows))
    values = terms.sum(axis=1)
    signs = np.where(abs(values) > 1e-9 * abs(terms).sum(axis=1), np.sign(values), 0)
    for (low, before), (high, after) in itertools.pairwise(zip(grid, signs, strict=True)):
        if before * after < 0:
            assert any(low <= root <= high for root in roots)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=5, unique=True), st.floats(1, 1000))
def test_irr_gives_back_the_roots_that_a_series_was_made_of(steps, scale):
    """Multiplying out (1 - (1 + r) v) for each rate r gives the flows."""
    wanted = sorted(step / 20 - 0.5 for step in steps)
    flows = np.array([scale])
    for rate in wanted:
        flows = np.convolve(flows, [1.0, -(1.0 + rate)])
    assert irr(flows) == pytest.approx(wanted, abs=1e-4)


@given(st.floats(1, 1e5), st.lists(st.floats(1, 1e5), min_size=1, max_size=15), st.floats(-0.5, 1))
def test_mirr_lies_between_the_reinvestment_rate_and_the_irr(cost, returns, reinvest):
    (rate,) = irr([-cost, *returns])
    low, high = sorted((rate, reinvest))
    assert low - 1e-9 <= mirr([-cost, *returns], 0.1, reinvest) <= high + 1e-9


@given(st.floats(1, 1e6), st.floats(1, 1e6))
def test_payback_of_a_constant_flow_is_cost_by_flow(cost, flow):
    months = math.ceil(cost / flow) + 2
    assume(months < 2000)
    assert payback([-cost, *[flow] * months], "monthly").months == pytest.approx(
        cost / flow, rel=1e-9
    )


def slow_payback(cumulative):
    """Walk through one draw: the plain rule, written apart from the code."""
    months, again, below = None, False, cumulative[0] < 0
    for month in range(1, len(cumulative)):
        before, now = cumulative[month - 1], cumulative[month]
        if below and now >= 0 and months is None:
            months = month - 1 + before / (before - now)
        below = now < 0
        again = again or (below and months is not None)
    return (0.0 if min(cumulative) >= 0 else months), bool(again)


@given(st.integers(1, 20), st.integers(1, 8), st.integers(0, 2**32 - 1))
def test_payback_of_draws_is_the_plain_rule_for_each(periods, draws, seed):
    cumulative = np.random.default_rng(seed).integers(-3, 4, (periods + 1, draws)).astype(float)
    months, again = payback_draws(cumulative)
    for draw in range(draws):
        expected, lost = slow_payback(cumulative[:, draw])
        assert (None if math.isnan(months[draw]) else months[draw]) == (
            expected if expected is None else pytest.approx(expected)
        )
        assert bool(again[draw]) is lost
        flows = np.diff(cumulative[:, draw], prepend=0.0)
        assert payback(flows, "monthly") == Payback(
            None if math.isnan(months[draw]) else months[draw], lost
        )
