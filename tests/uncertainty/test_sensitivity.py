"""The Ishigami function (Ishigami and Homma 1990), whose indices are known in closed form."""

import numpy as np
import pytest
import un

NAMES = ("x1", "x2", "x3", "unused")
A, B = 7.0, 0.1
VARIANCE = A**2 / 8 + B * np.pi**4 / 5 + B**2 * np.pi**8 / 18 + 0.5
FIRST = {
    "x1": 0.5 * (1 + B * np.pi**4 / 5) ** 2 / VARIANCE,
    "x2": A**2 / 8 / VARIANCE,
    "x3": 0,
    "unused": 0,
}


def ishigami(scores_of):
    x1, x2, x3 = (un.Beta(1, 1, -np.pi, np.pi).at(scores_of(name)) for name in NAMES[:3])
    return np.sin(x1) + A * np.sin(x2) ** 2 + B * x3**4 * np.sin(x1)


def test_the_closed_form_is_the_printed_one():
    """Saltelli and others 2008, table: S1 = 0.314, S2 = 0.442, S3 = 0."""
    assert (FIRST["x1"], FIRST["x2"]) == pytest.approx((0.3139, 0.4424), abs=1e-4)


def test_first_order_shares_from_the_draws_at_hand():
    result = ishigami(lambda name: un.scores(name, 60_000, 2))
    for name in NAMES:
        found = un.first_order(un.scores(name, 60_000, 2), result)
        assert found == pytest.approx(FIRST[name], abs=0.02)


def test_a_constant_has_no_drivers():
    assert un.first_order(np.arange(1_000.0), np.ones(1_000)) == 0


def test_the_tornado_moves_one_quantity_at_a_time():
    """y = 3a - 2b + 1 with standard normal a and b: base 1, ends at 1.2816 times the slope."""
    base, bars = un.tornado(
        lambda at: 3 * at("a") - 2 * at("b") + 1 + 0 * at("rest"), ("rest", "b", "a")
    )
    assert base == pytest.approx(1)
    assert [bar.name for bar in bars] == ["a", "b", "rest"]
    assert (bars[0].low, bars[0].high) == pytest.approx(
        (1 - 3 * 1.28155, 1 + 3 * 1.28155), rel=1e-5
    )
    assert (bars[1].low, bars[1].high) == pytest.approx(
        (1 + 2 * 1.28155, 1 - 2 * 1.28155), rel=1e-5
    )
    assert bars[2].span == 0


def test_bars_apart_by_a_last_bit_stand_by_name():
    slopes = {"b": 0.3, "a": 0.1 + 0.2, "c": 0.3 - 1e-16, "wide": 0.3 + 1e-6}
    _, bars = un.tornado(
        lambda at: np.asarray(sum(slope * at(name) for name, slope in slopes.items())),
        tuple(slopes),
    )
    assert len({bar.span for bar in bars}) > 2
    assert [bar.name for bar in bars] == ["wide", "a", "b", "c"]
