"""The model against simple products, brute force and an independent program that spells every month out."""

import itertools
import math

import numpy as np
import pytest
from declared import LINE, RANGED, inventory
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from opslab.timesaved.estimation import estimate
from opslab.timesaved.quantities import prepare
from opslab.timesaved.simulation import shapley, simulate
from opslab.uncertainty.draws import scores


def parts_of(lines, draws=400, weeks=45, months=36):
    pieces, _, _ = prepare(list(enumerate(inventory(*lines).lines, 1)), [], 1.0, months)
    return list(simulate(pieces, weeks, lambda name: scores(name, draws, 1)))


def test_everything_certain_is_the_simple_product():
    """Recapture 1, ramp 1, decay 0, no new work: people x times x minutes / 60 x weeks x reduction x rate."""
    result = estimate(inventory(LINE | {"rate": 50, "currency": "EUR"}), draws=1_000)
    hours = 10 * 4 * 30 / 60 * 45 * 0.3
    assert result.freed.mean == pytest.approx(hours)
    assert (result.freed.low, result.freed.high) == pytest.approx((hours, hours))
    assert result.sums["step", "recaptured"].mean == pytest.approx(hours)
    assert result.sums["money", "all"].mean == pytest.approx(hours * 50)
    assert result.gross == pytest.approx(900)


def test_30_and_30_percent_on_one_task_give_51():
    result = estimate(inventory(LINE, LINE | {"initiative": "template"}), draws=1_000)
    assert result.freed.mean / result.gross == pytest.approx(0.51)
    assert [hours / result.gross for _, hours in result.savings[0].parts] == pytest.approx(
        [0.255, 0.255]
    )


def joint(rates, members):
    return 1 - math.prod(1 - rates[k] for k in members)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=5))
@settings(deadline=None)
def test_shapley_is_the_mean_over_all_orders_of_arrival(rates):
    players = range(len(rates))
    dividends = {
        frozenset(members): np.array(-math.prod(-rates[k] for k in members))
        for size in range(1, len(rates) + 1)
        for members in itertools.combinations(players, size)
    }
    orders = list(itertools.permutations(players))
    for player in players:
        gains = [
            joint(rates, order[: order.index(player) + 1])
            - joint(rates, order[: order.index(player)])
            for order in orders
        ]
        assert shapley(dividends, player) == pytest.approx(np.mean(gains), abs=1e-12)
    assert sum(shapley(dividends, player) for player in players) == pytest.approx(
        joint(rates, players)
    )


def test_against_a_program_that_spells_out_every_month():
    """Two changes on one task, ranges everywhere: scipy's quantiles of the same scores, months one by one."""
    lines = [
        RANGED,
        RANGED
        | {"initiative": "template", "ramp_months": 3, "reduction": {"low": 0.1, "high": 0.3}},
    ]
    ((gross, parts),) = parts_of(lines)
    z = {
        name: scores(name, 400, 1)
        for name in (
            "frequency/tag/pm",
            "minutes/tag/pm",
            "recapture/pm",
            *(f"{field}/{k}" for field in ("adoption", "decay") for k in ("desk", "template")),
            *(
                f"{field}/tag/pm/{k}"
                for field in ("reduction", "new_minutes")
                for k in ("desk", "template")
            ),
        )
    }

    def lognormal(low, high, name):
        return np.exp(np.log(low * high) / 2 + np.log(high / low) / 3.289707 * z[name])

    def beta(name, made):
        return stats.beta(made.alpha, made.beta).ppf(stats.norm.cdf(z[name]))

    made = {name: dist for part in parts for name, dist in part.piece.quantities.values()}
    hours = 10 * lognormal(2, 6, "frequency/tag/pm") * lognormal(10, 40, "minutes/tag/pm") / 60 * 45
    assert gross == pytest.approx(hours, rel=1e-5)
    freed, new = np.zeros(400), np.zeros(400)
    for month in range(36):
        left = np.ones(400)
        for name, to_90 in (("desk", 6), ("template", 3)):
            fine = month + (np.arange(200) + 0.5) / 200
            ramp = (1 / (1 + np.exp(-np.log(81) / to_90 * (fine - to_90 / 2)))).mean()
            use = beta(f"adoption/{name}", made[f"adoption/{name}"]) * ramp
            keep = (1 - beta(f"decay/{name}", made[f"decay/{name}"])) ** (month / 12)
            left *= (
                1 - beta(f"reduction/tag/pm/{name}", made[f"reduction/tag/pm/{name}"]) * use * keep
            )
            new += 10 * lognormal(1, 3, f"new_minutes/tag/pm/{name}") / 60 * 45 * use / 36
        freed += hours * (1 - left) / 36
    assert sum(part.steps["kept"] for part in parts) == pytest.approx(freed, rel=2e-4)
    assert sum(part.steps["new_work"] for part in parts) == pytest.approx(new, rel=2e-4)
    assert sum(part.steps["freed"] for part in parts) == pytest.approx(
        freed - new, rel=1e-3, abs=0.05
    )


any_line = st.fixed_dictionaries(
    {
        "people": st.integers(1, 50),
        "frequency": st.floats(0.1, 20),
        "minutes": st.floats(1, 120),
        "reduction": st.floats(0, 1),
        "adoption": st.floats(0, 1),
        "ramp_months": st.floats(0, 24),
        "decay": st.floats(0, 0.9),
        "recapture": st.floats(0, 1),
    }
)


@given(st.lists(any_line, min_size=1, max_size=3))
@settings(max_examples=40, deadline=None)
def test_no_more_is_saved_than_there_is(several):
    """However many changes meet on a task: recaptured <= freed <= adopted <= possible <= gross."""
    first = {name: several[0][name] for name in ("people", "frequency", "minutes", "recapture")}
    lines = [LINE | one | first | {"initiative": f"change {k}"} for k, one in enumerate(several)]
    ((gross, parts),) = parts_of(lines, draws=5)
    steps = {
        name: float(sum(np.mean(part.steps[name]) for part in parts)) for name in parts[0].steps
    }
    within = [
        0,
        steps["recaptured"],
        steps["freed"],
        steps["kept"],
        steps["adopted"],
        steps["possible"],
        float(np.mean(gross)),
    ]
    assert all(low <= high * (1 + 1e-9) + 1e-9 for low, high in itertools.pairwise(within))


def test_new_work_may_exceed_what_is_saved_and_then_counts_in_full():
    result = estimate(
        inventory(LINE | {"reduction": 0.01, "new_minutes": 30, "recapture": 0.5}), draws=1_000
    )
    loss = 10 * 45 * (4 * 30 * 0.01 - 30) / 60
    assert result.freed.mean == pytest.approx(loss)
    assert result.sums["step", "recaptured"].mean == pytest.approx(loss)  # not half of it
    assert result.action == "none"


def test_a_bass_ramp_can_stand_for_the_logistic():
    made = estimate(
        inventory({**LINE, "ramp_months": None, "bass_p": 0.03, "bass_q": 0.4}), draws=1_000
    )
    assert 0.5 < made.freed.mean / (900 * 0.3) < 0.9


def test_another_task_leaves_the_draws_of_the_first_as_they_were():
    one = estimate(inventory(RANGED), draws=2_000)
    two = estimate(inventory(LINE | {"task": "other"}, RANGED), draws=2_000)
    assert one.savings[0] == next(
        replaced(saving) for saving in two.savings if saving.task == "tag"
    )


def replaced(saving):
    return type(saving)(**(vars(saving) | {"rows": (1,)}))


def test_the_order_of_the_rows_changes_nothing():
    lines = [RANGED, RANGED | {"task": "route", "role": "lead"}, LINE | {"task": "write"}]
    one, two = (estimate(inventory(*order), draws=2_000) for order in (lines, lines[::-1]))
    assert one.freed.mean == pytest.approx(two.freed.mean)
    assert one.freed.high == pytest.approx(two.freed.high)
    assert [bar.name for bar in one.drivers] == [bar.name for bar in two.drivers]
