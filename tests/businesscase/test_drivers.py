"""Tornado, switching values and what knowing is worth, against direct evaluation and closed forms."""

import numpy as np
import pytest
from cases import benefit, cost, fields, money, share, units
from scipy.stats import norm

from opslab.businesscase import build
from opslab.businesscase.spec import Case
from opslab.uncertainty.distributions import beta_interval, lognormal

YEAR = {"rate": 0.0, "horizon_months": 12}


def declared(**more):
    """Return a case whose NPV is n x worth x use - pay, a year, undiscounted."""
    return fields(
        [
            units("n", (50, 200), "ticket"),
            money("worth", (8, 15), "ticket"),
            share("use", (0.5, 0.9)),
            money("pay", (500, 1000)),
            money("rent", 100),
        ],
        [benefit("g", "n", worth="worth", adoption="use")],
        [cost("c", "pay"), cost("r", "rent")],
        finance=YEAR,
        **more,
    )


SHAPES = {
    "n": lognormal(50, 200),
    "worth": lognormal(8, 15),
    "use": beta_interval(0.5, 0.9),
    "pay": lognormal(500, 1000),
}


def direct(**scores):
    """Return the NPV with quantities at scores, the rest at their means."""
    n, worth, use, pay = (
        float(shape.at(scores[name])) if name in scores else shape.mean
        for name, shape in SHAPES.items()
    )
    return n * worth * use - pay - 100


@pytest.fixture(scope="module")
def result():
    return build(Case(**declared()), draws=20_000)


def test_the_tornado_is_direct_evaluation(result):
    z = norm.ppf(0.9)
    assert result.base == result.recommended.npv.mean
    assert result.base == pytest.approx(direct(), abs=4 * result.recommended.npv_error)
    late = result.base - direct()  # Monte Carlo error of the mean, the same for every bar
    assert {one.id for one in result.drivers} == set(SHAPES)
    for one in result.drivers:
        assert one.npv == (
            pytest.approx(direct(**{one.id: -z}) + late),
            pytest.approx(direct(**{one.id: z}) + late),
        )
        assert one.at == tuple(pytest.approx(float(SHAPES[one.id].at(score))) for score in (-z, z))
    spans = [abs(one.npv[1] - one.npv[0]) for one in result.drivers]
    assert spans == sorted(spans, reverse=True)


def test_at_a_switching_value_the_npv_is_zero(result):
    """By hand: n* = (pay + rent) / (worth x use), and so on, the rest at their means."""
    n, worth, use, pay = (shape.mean for shape in SHAPES.values())
    paid = pay + 100 - (result.base - direct())
    wanted = {
        "n": paid / (worth * use),
        "worth": paid / (n * use),
        "use": paid / (n * worth),
        "pay": n * worth * use - paid + pay,
    }
    for one in result.drivers:
        assert one.switching == pytest.approx(wanted[one.id], rel=1e-4)


def test_a_switching_value_that_cannot_be_is_none():
    """At twice the whole of it, adoption cannot make good."""
    made = declared()
    made["assumptions"][4]["likely"] = 5_000
    found = {one.id: one.switching for one in build(Case(**made), draws=1_000).drivers}
    assert found["use"] is None
    assert found["n"] is not None


def test_all_at_their_worse_ends_is_worse_than_the_joint_tenth(result):
    z = norm.ppf(0.9)
    assert result.all_low == pytest.approx(direct(n=-z, worth=-z, use=-z, pay=z))
    assert result.all_low < result.recommended.npv.p10


def test_if_all_went_wrong_together_the_worst_twentieth_is_worse(result):
    """Against plain integration: every quantity at the same score, the worst twentieth of them."""
    z = norm.ppf((np.arange(2_000) + 0.5) / 40_000)
    wanted = np.mean([direct(n=one, worth=one, use=one, pay=-one) for one in z])
    assert result.worst_together == pytest.approx(wanted, rel=1e-3)
    assert result.worst_together < result.recommended.worst


def test_knowing_one_is_worth_less_than_knowing_all(result):
    assert result.evpi > 0
    assert all(0 <= one.knowing <= result.evpi for one in result.drivers)
    assert result.drivers[0].knowing == max(one.knowing for one in result.drivers)
    assert sum(one.share for one in result.drivers) < 1.02


def test_knowing_the_only_doubt_is_worth_all_of_it_and_no_more():
    made = fields(
        [money("gain", (60_000, 110_000)), money("pay", 80_000)],
        [benefit("g", "gain")],
        [cost("c", "pay")],
    )
    for seed in range(3):
        found = build(Case(**made), draws=40_000, seed=seed)
        [one] = found.drivers
        assert one.knowing == pytest.approx(found.evpi, rel=0.05)
        assert one.share == pytest.approx(1, abs=0.01)
        assert one.knowing <= found.evpi


def test_evppi_of_a_product_against_many_draws_inside(result):
    """E over n of max(0, E[NPV | n]) by plain integration, E[worth x use] and E[pay] from their means."""
    scores = norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    n = SHAPES["n"].at(scores)
    expected = n * SHAPES["worth"].mean * SHAPES["use"].mean - SHAPES["pay"].mean - 100
    wanted = np.maximum(expected, 0).mean() - max(expected.mean(), 0)
    found = next(one for one in result.drivers if one.id == "n").knowing
    assert found == pytest.approx(wanted, rel=0.04)


def test_known_quantities_drive_nothing():
    made = declared()
    for one in made["assumptions"]:
        if "low" in one:
            one["likely"] = (one.pop("low") + one.pop("high")) / 2
    found = build(Case(**made), draws=1_000)
    assert found.drivers == ()
    assert found.evpi == 0
    assert found.base == found.all_low == pytest.approx(found.recommended.npv.mean)


def test_a_slip_is_a_driver():
    made = declared(
        roadmap=[
            {
                "id": "go",
                "name": "go",
                "starts": "2027-01-01",
                "ends": "2027-01-31",
                "slip": {"low": 0.5, "high": 6},
            }
        ]
    )
    made["benefits"][0]["starts"] = "go"
    one = next(one for one in build(Case(**made), draws=1_000).drivers if one.id == "slip:go")
    assert one.npv[0] > one.npv[1]


def test_what_another_option_takes_drives_nothing_here():
    made = declared()
    made["assumptions"].append(money("other", (1, 9)))
    made["costs"].append(cost("other", "other"))
    made["options"].append(
        {"name": "big", "kind": "stretch", "benefits": ["g"], "costs": ["c", "r", "other"]}
    )
    assert "other" not in {one.id for one in build(Case(**made), draws=1_000).drivers}
